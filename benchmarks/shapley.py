"""How much longer a study with Shapley values takes than the plain study of the baseline and seven parts.

Usage: python -m benchmarks.shapley PHOTOS [--photos N] [--recogniser NAME|PATH] [--rounds N]

PHOTOS is a folder of photos named as in MORPH; the faces of the first N are aligned to 224x224 pixels first. Both
sides take turns, on the CPU, each from nothing to the report: :func:`facepart.study.run_study` with seven parts (8
embeddings a photo), and the same with Shapley values of the six that do not overlap (57 embeddings more). Prints the
ratio of the medians, and where the time of the second goes.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.machine import describe
from benchmarks.material import align_some
from facepart.files.progress import StepTimes
from facepart.networks.catalogue import default_recogniser
from facepart.study import Request, run_study

# At most so many times the time of the plain study.
TARGET = 8.5


def seconds_of(source: Path, folder: Path, recogniser: str, times: StepTimes, *, shapley: bool) -> float:
    """Run a study in a folder of its own; return how long it takes."""
    output = Path(tempfile.mkdtemp(dir=folder))
    request = Request(source, output, dataset="MORPH", models=[recogniser], device="cpu", shapley=shapley)
    begun = time.perf_counter()
    run_study(request, times=times)
    return time.perf_counter() - begun


def main() -> None:
    """Measure, and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("source", type=Path, metavar="PHOTOS")
    arguments.add_argument("--photos", type=int, default=204, help="how many at most (default: %(default)s)")
    arguments.add_argument("--recogniser", default=default_recogniser(), help="default: %(default)s")
    arguments.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parsed = arguments.parse_args()
    print(describe())
    seconds: dict[bool, list[float]] = {False: [], True: []}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        paths = align_some(parsed.source, parsed.photos, folder / "photos")
        # Once before anything counts: networks are compiled.
        seconds_of(folder / "photos", folder, parsed.recogniser, StepTimes(), shapley=False)
        for _ in range(parsed.rounds):
            for shapley, found in seconds.items():
                times = StepTimes()
                found.append(seconds_of(folder / "photos", folder, parsed.recogniser, times, shapley=shapley))
    print(f"{len(paths)} photos of 224x224, recogniser {parsed.recogniser}")
    for shapley, found in seconds.items():
        rounds = " ".join(f"{each:.1f}" for each in found)
        print(
            f"  {'with Shapley values' if shapley else 'plain study':20} {statistics.median(found):.1f} s ({rounds})"
        )
    ratio = statistics.median(seconds[True]) / statistics.median(seconds[False])
    print(f"  ratio {ratio:.2f} (at most {TARGET})")


if __name__ == "__main__":
    main()
