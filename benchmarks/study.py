"""How fast a study goes from photos to its report, against what its networks alone allow.

Usage: python -m benchmarks.study PHOTOS [--photos N] [--recogniser NAME|PATH]

PHOTOS is a folder of photos named as in MORPH; the faces of the first N are aligned to 224x224 pixels first. Both
sides in turns, three rounds, on the CPU: ours is :func:`facepart.study.run_study` from nothing (seven parts, one
group, the report written); the other is the bare networks on arrays in memory, one parse and eight embeddings a
photo.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.machine import describe
from benchmarks.material import align_some
from facepart.data.photo_input import read_photo
from facepart.data.resize import resize
from facepart.networks.catalogue import DEFAULT_PARSER, default_recogniser, obtain
from facepart.networks.face_parser import fit_photo, open_parser
from facepart.networks.recogniser import open_recogniser
from facepart.occlusion.parts import PARTS
from facepart.study import Request, run_study

ROUNDS = 3


def seconds_of(work: Callable[[], object]) -> float:
    """Return the seconds that `work` takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main() -> None:
    """Measure, and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("source", type=Path, metavar="PHOTOS")
    arguments.add_argument("--photos", type=int, default=204, help="how many at most (default: %(default)s)")
    arguments.add_argument("--recogniser", default=default_recogniser(), help="default: %(default)s")
    parsed = arguments.parse_args()
    print(describe())
    parser_weights, weights = obtain(DEFAULT_PARSER, "parser"), obtain(parsed.recogniser, "recogniser")
    preprocessing = weights.model.preprocessing if weights.model else None
    parser = open_parser(parser_weights.path, "cpu", compiled=parser_weights.compiled)
    recogniser = open_recogniser(weights.path, preprocessing, "cpu", compiled=weights.compiled)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        paths = align_some(parsed.source, parsed.photos, folder / "photos")
        photos = [read_photo(path) for path in paths]
        fitted = np.stack([fit_photo(photo) for photo in photos])
        size = recogniser.preprocessing
        faces = [resize(photo, size.height, size.width) for photo in photos for _ in range(1 + len(PARTS))]

        def bare() -> None:
            parser(fitted)
            recogniser(np.stack(faces))

        def study() -> None:
            request = Request(
                folder / "photos", Path(tempfile.mkdtemp(dir=folder)), models=[parsed.recogniser], device="cpu"
            )
            run_study(request)

        bare()  # once before anything counts
        seconds: dict[str, list[float]] = {"bare networks": [], "study": []}
        for _ in range(ROUNDS):
            seconds["bare networks"].append(seconds_of(bare))
            seconds["study"].append(seconds_of(study))
    print(f"{len(paths)} photos of 224x224, {parser.precision}, recogniser {parsed.recogniser}")
    medians = {name: statistics.median(found) for name, found in seconds.items()}
    for name, median in medians.items():
        print(f"  {name:16}{len(paths) / median:8.2f} photos/s   ({median:.1f} s)")
    print(f"  study over the bare networks: {medians['bare networks'] / medians['study']:.2f} (at least 0.85)")


if __name__ == "__main__":
    main()
