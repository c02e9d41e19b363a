"""How much longer a study by several recognisers takes than its networks alone: one parse, and all embeddings.

Usage: python -m benchmarks.recognisers PHOTOS MODEL... [--photos N] [--rounds N]

PHOTOS is a folder of photos named as in MORPH; the faces of the first N are aligned to 224x224 pixels first. In each
round, on the CPU: the bare networks on arrays in memory (the parser once, and each recogniser on the baseline and
seven occluded photos), and :func:`facepart.study.run_study` from nothing by all recognisers, of all photos and of
half of them, which take turns with the networks within the round. Prints the ratio of the medians: of the whole study
to the networks, and of a further photo, which is the difference between the two studies. What does not depend on the
number of photos (opening the networks, comparing, the report) is in the first alone.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.machine import describe
from benchmarks.material import align_some
from facepart.data.photo_input import read_photo
from facepart.data.resize import resize
from facepart.networks.catalogue import DEFAULT_PARSER, obtain
from facepart.networks.engine import Engine
from facepart.networks.face_parser import fit_photo, open_parser
from facepart.networks.recogniser import open_recogniser
from facepart.occlusion.parts import PARTS
from facepart.study import Request, run_study

# At most so many times the time of the bare networks.
TARGET = 1.12


class Cost(NamedTuple):
    """Seconds, and seconds of processors, which other work on the machine disturbs less."""

    seconds: float
    processor_seconds: float


def cost_of(work: Callable[[], object]) -> Cost:
    """Measure `work`."""
    begun, processors = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - begun, time.process_time() - processors)


def open_by_name(name: str) -> Engine:
    """Open a recogniser on the CPU."""
    weights = obtain(name, "recogniser")
    preprocessing = weights.model.preprocessing if weights.model else None
    return open_recogniser(weights.path, preprocessing, "cpu", compiled=weights.compiled)


class BareNetworks:
    """The networks of a study, on photos in memory."""

    def __init__(self, models: list[str], paths: list[Path]) -> None:
        weights = obtain(DEFAULT_PARSER, "parser")
        self.parser = open_parser(weights.path, "cpu", compiled=weights.compiled)
        self.recognisers = [open_by_name(model) for model in models]
        photos = [read_photo(path) for path in paths]
        self._fitted = np.stack([fit_photo(photo) for photo in photos])
        sizes = {(each.preprocessing.height, each.preprocessing.width) for each in self.recognisers}
        self._faces = {
            size: np.stack([resize(photo, *size) for photo in photos for _ in range(1 + len(PARTS))])
            for size in sizes
        }

    def run(self) -> None:
        """Parse every photo once, and embed it and its occluded versions by every recogniser."""
        self.parser(self._fitted)
        for each in self.recognisers:
            each(self._faces[each.preprocessing.height, each.preprocessing.width])


class Study:
    """A study from nothing."""

    def __init__(self, source: Path, folder: Path, models: list[str]) -> None:
        self._source, self._folder, self._models = source, folder, models

    def run(self) -> None:
        """Run it, in a folder of its own."""
        run_study(Request(self._source, Path(tempfile.mkdtemp(dir=self._folder)), models=self._models, device="cpu"))


def measure(source: Path, models: list[str], most: int, rounds: int, target: float) -> None:
    """Measure, and print.

    Args:
        source: a folder of photos.
        models: the recognisers.
        most: photos at most.
        rounds: how often.
        target: at most so many times the time of the bare networks.
    """
    print(describe())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        paths = align_some(source, most, folder / "photos")
        (folder / "half").mkdir()
        half = paths[: len(paths) // 2]
        for path in half:
            shutil.copy(path, folder / "half")
        bare = BareNetworks(models, paths)
        works: dict[str, BareNetworks | Study] = {
            "networks": bare,
            "study": Study(folder / "photos", folder, models),
            "study of half": Study(folder / "half", folder, models),
        }
        bare.run()  # once before anything counts
        costs: dict[str, list[Cost]] = {name: [] for name in works}
        for _ in range(rounds):
            for name, work in works.items():
                costs[name].append(cost_of(work.run))
    print(f"{len(paths)} photos of 224x224, {bare.parser.precision}, {len(models)} recognisers:", *models)
    for kind in Cost._fields:
        found = {name: [getattr(cost, kind) for cost in each] for name, each in costs.items()}
        for name, each in found.items():
            print(f"  {kind}, {name}: {statistics.median(each):.1f} ({' '.join(f'{cost:.1f}' for cost in each)})")
        networks, study, of_half = (statistics.median(each) for each in found.values())
        more = (study - of_half) / (len(paths) - len(half)) / (networks / len(paths))
        print(f"  {kind}, study over networks: {study / networks:.2f} (at most {target:.2f})")
        print(f"  {kind}, a further photo over its networks: {more:.2f}")


def main() -> None:
    """Measure, and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("source", type=Path, metavar="PHOTOS")
    arguments.add_argument("models", nargs="+", metavar="MODEL")
    arguments.add_argument("--photos", type=int, default=64, help="how many at most (default: %(default)s)")
    arguments.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parsed = arguments.parse_args()
    measure(parsed.source, parsed.models, parsed.photos, parsed.rounds, TARGET)


if __name__ == "__main__":
    main()
