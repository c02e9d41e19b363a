"""What a Ray cluster adds to matching on the same cores, and how much more than one machine's memory it can match.

Usage: python -m benchmarks.cluster [--count 31706] [--many 200000]

Random features of 512 values, four a person. Ray is started here, with all processors. Printed are:

- the seconds until it is there, once, and those of a first comparison, in which the workers load PyTorch;
- COUNT features, files in and files out: threads of one process, and tasks of Ray, three rounds that take turns; the
  ratio of their medians (at most 1.25), and whether the files are the same;
- with --many, so many features by Ray, once: seconds, nanoseconds a pair and processor, the largest memory of this
  process and of all the workers together, and what a million features would take at that rate.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.looking import looking
from benchmarks.machine import describe
from benchmarks.match import make_features
from benchmarks.watch import resident
from facepart.cluster.connect import connect
from facepart.cluster.ray_pair_counter import RayPairCounter
from facepart.matching.match import match_features
from facepart.matching.pair_counter import PairCounter
from facepart.processors import processors

ROUNDS = 3
MILLION = 1_000_000
FILES = ("CM_scores.npz", "CM_people.npz")


def timed(source: Path, out: Path, counter: PairCounter | None) -> float:
    """Match within one matrix; return the seconds."""
    begun = time.perf_counter()
    match_features(source, None, out, "CM", save="distribution", dataset="MORPH", counter=counter)
    return time.perf_counter() - begun


def overhead(source: Path, folder: Path) -> None:
    """Take turns, and compare."""
    sides: dict[str, PairCounter | None] = {"one process": None, "Ray": RayPairCounter()}
    print(f"  {'Ray, its workers new':24}{timed(source, folder / 'first', RayPairCounter()):8.2f} s", flush=True)
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, count in sides.items():
            seconds[name].append(timed(source, folder / name, count))
    medians = {name: statistics.median(found) for name, found in seconds.items()}
    for name, found in seconds.items():
        print(f"  {name:24}{medians[name]:8.2f} s   ({', '.join(f'{each:.2f}' for each in found)})")
    ratio = medians["Ray"] / medians["one process"]
    same = all((folder / "Ray" / name).read_bytes() == (folder / "one process" / name).read_bytes() for name in FILES)
    print(f"  ratio {ratio:.2f} (at most 1.25); files {'the same' if same else 'DIFFER'}", flush=True)


class Memory:
    """What was seen of the memory that this process and its descendants' workers hold.

    Attributes:
        driver: the most that this process held, in bytes.
        workers: the most that all workers held together; what they read of Ray's store counts in each.
    """

    def __init__(self) -> None:
        self.driver = self.workers = 0

    def look(self) -> None:
        """Look once."""
        self.driver = max(self.driver, resident(os.getpid()))
        self.workers = max(self.workers, sum(resident(process) for process in ray_workers()))


def ray_workers() -> list[int]:
    """List the processes of Ray's workers, by the names that Ray gives them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cmdline").read_bytes().startswith(b"ray::"):
                found.append(int(folder.name))
        except OSError:
            continue  # it ended
    return found


def many(source: Path, folder: Path, count: int) -> None:
    """Match many features once, and say what a million would take."""
    memory = Memory()
    with looking(memory.look):
        seconds = timed(source, folder / "many", RayPairCounter())
    each = seconds * processors() / (count * (count - 1) / 2)
    print(f"  {seconds:.0f} s, {each * 1e9:.1f} ns a pair and processor")
    print(f"  this process {memory.driver / 2**30:.1f} GiB, workers {memory.workers / 2**30:.1f} GiB in all")
    work = each * MILLION * (MILLION - 1) / 2 / 3600
    print(f"  a million features: {work:.1f} hours of one such processor", flush=True)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=31_706)
    parser.add_argument("--many", type=int)
    arguments = parser.parse_args()
    print(describe())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        source = make_features(folder / "few", arguments.count)
        begun = time.perf_counter()
        with connect("local"):
            print(f"Ray is there after {time.perf_counter() - begun:.1f} s")
            print(f"{arguments.count} features, {arguments.count * (arguments.count - 1) // 2} pairs", flush=True)
            overhead(source, folder)
            if arguments.many:
                print(f"{arguments.many} features, {arguments.many * (arguments.many - 1) // 2} pairs", flush=True)
                many(make_features(folder / "many-features", arguments.many), folder, arguments.many)


if __name__ == "__main__":
    main()
