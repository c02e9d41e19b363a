"""What ranks, counted along with all pairs, add to the time that matching takes, and to its memory.

Usage: python -m benchmarks.ranks [--count 31706] [--rounds 7] [--random]

The features are those of benchmarks/subject_sums.py: random, of length 1, four a person, alike within a person, so
that few impostor scores lie above a probe's best authentic score. With --random they have nothing in common: the most
work, with half of all probes' impostor scores above, and not found in practice.

Each side is a process of its own, `facepart match` of one matrix with the distribution alone saved, with --ranks and
without; the two take turns, and the first of each round changes. Printed are the medians of the seconds on the clock
without imports, and of the processors' seconds, which other work on the machine moves less; the ratios of the two
sides, as the median of each round's; and the peaks of memory.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks.machine import describe
from benchmarks.subject_sums import SIZE, make_faces
from facepart.matching.cosine import unit_rows

WITHOUT, WITH = "without ranks", "with ranks"
WALL, CPU, PEAK = "wall", "CPU", "peak"
BOUND = 1.10

# What a side runs: seconds on the clock, of the processors, and the peak of memory in KiB.
_SIDE = """
import resource, sys, time
from pathlib import Path
from facepart.matching.match import match_features
begun, used = time.perf_counter(), time.process_time()
ranks = sys.argv[3] == "with ranks"
match_features(Path(sys.argv[1]), None, Path(sys.argv[2]), "CM", save="distribution", ranks=ranks, dataset="MORPH")
print(time.perf_counter() - begun, time.process_time() - used, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""

Figures = Mapping[str, float]


def write_features(folder: Path, count: int, random: bool) -> Path:
    """Write a matrix of made-up features, four a person, with its labels."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = make_faces(count, count // 4).embeddings
    if random:
        rows = unit_rows(np.random.default_rng(count).standard_normal((count, SIZE), dtype=np.float32))
    np.save(folder / "features.npy", rows)
    (folder / "labels.txt").write_text("".join(f"photos/{row // 4}_{row}\n" for row in range(count)))
    return folder / "features.npy"


def run_side(side: str, source: Path, folder: Path) -> Figures:
    """Match in a process of its own; return its seconds, and its peak memory in MiB."""
    command = [sys.executable, "-c", _SIDE, str(source), str(folder / side), side]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    wall, cpu, peak = map(float, output.split())
    return {WALL: wall, CPU: cpu, PEAK: peak / 1024}


def measure(source: Path, folder: Path, rounds: int) -> dict[str, list[Figures]]:
    """Run both sides in turns; return the figures of each round."""
    found: dict[str, list[Figures]] = {WITHOUT: [], WITH: []}
    for number in range(rounds):
        for side in sorted(found, reverse=bool(number % 2)):
            found[side].append(run_side(side, source, folder))
    return found


def ratio(found: Mapping[str, list[Figures]], figure: str) -> float:
    """Return how many times as much the side with ranks takes: the median over the rounds."""
    pairs = zip(found[WITH], found[WITHOUT], strict=True)
    return statistics.median(ours[figure] / theirs[figure] for ours, theirs in pairs)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=31_706)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--random", action="store_true", help="features that have nothing in common")
    arguments = parser.parse_args()
    print(describe())
    with tempfile.TemporaryDirectory() as temporary:
        source = write_features(Path(temporary) / "features", arguments.count, arguments.random)
        found = measure(source, Path(temporary), arguments.rounds)
    for side, figures in found.items():
        wall, cpu, peak = (statistics.median(each[key] for each in figures) for key in (WALL, CPU, PEAK))
        print(f"  {side:16}{wall:8.2f} s{cpu:8.2f} s of processors{peak:8.0f} MiB")
    ratios = {key: ratio(found, key) for key in (WALL, CPU, PEAK)}
    print(
        f"  ratio {ratios[WALL]:.3f} on the clock, {ratios[CPU]:.3f} of processors (at most {BOUND:.2f}), "
        f"{ratios[PEAK]:.3f} of memory"
    )


if __name__ == "__main__":
    main()
