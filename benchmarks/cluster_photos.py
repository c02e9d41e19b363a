"""What Ray costs: a study's photos embedded by this process, and by the workers of a cluster on the same processors.

Usage: python -m benchmarks.cluster_photos PHOTOS [--photos N] [--recogniser NAME|PATH] [--rounds N]

PHOTOS is a folder of photos named as in MORPH; the faces of the first N are aligned to 224x224 pixels first. Both
sides in turns on the CPU: :func:`facepart.study.run_study` from nothing, seven parts, one group, with and without a
cluster that was started before. Beside it the seconds before Ray's first photo, which do not grow with the photos.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from benchmarks.material import align_some
from facepart.cluster.connect import connect
from facepart.cluster.ray_executor import RayExecutor
from facepart.cluster.ray_pair_counter import RayPairCounter
from facepart.networks.catalogue import default_recogniser
from facepart.study import Request, run_study


def measure(photos: Path, recogniser: str, **options: Any) -> tuple[float, float]:
    """Return the seconds that a study takes, and those of them before its first photos were done."""
    first: list[float] = []
    begun = time.perf_counter()

    def note_first(done: int, total: int, note: str = "") -> None:
        if done and not first:
            first.append(time.perf_counter() - begun)

    with tempfile.TemporaryDirectory() as out:
        run_study(Request(photos, Path(out), models=[recogniser], device="cpu"), progress=note_first, **options)
        return time.perf_counter() - begun, first[0]


def main() -> None:
    """Measure, and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("source", type=Path, metavar="PHOTOS")
    arguments.add_argument("--photos", type=int, default=204, help="how many at most (default: %(default)s)")
    arguments.add_argument("--recogniser", default=default_recogniser(), help="default: %(default)s")
    arguments.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parsed = arguments.parse_args()
    print(describe())
    sides: dict[str, list[tuple[float, float]]] = {"this process": [], "Ray": []}
    with tempfile.TemporaryDirectory() as folder, connect("local"):
        paths = align_some(parsed.source, parsed.photos, Path(folder))
        for _ in range(parsed.rounds):
            sides["this process"].append(measure(Path(folder), parsed.recogniser))
            on_ray = {"executor": RayExecutor("cpu"), "counter": RayPairCounter()}
            sides["Ray"].append(measure(Path(folder), parsed.recogniser, **on_ray))
    print(f"{len(paths)} photos of 224x224, recogniser {parsed.recogniser}")
    whole = {name: statistics.median(seconds for seconds, _ in found) for name, found in sides.items()}
    for name, found in sides.items():
        rounds = ", ".join(f"{seconds:.1f}" for seconds, _ in found)
        first = statistics.median(first for _, first in found)
        print(f"  {name:14}{whole[name]:8.1f} s   (rounds: {rounds}; first photos done after {first:.1f} s)")
    print(f"  Ray over this process: {whole['Ray'] / whole['this process']:.2f}")


if __name__ == "__main__":
    main()
