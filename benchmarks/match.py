"""How fast all pairs are matched, and in what memory: compared with the original program and the bare products.

Usage: python -m benchmarks.match [--counts FEW GROUP MANY] [--without-pairs]

The features are random (512 values, of length 1, four a person), each side a process of its own that reads one matrix
and writes its files; seconds are without imports, medians of three rounds that take turns. Printed are:

- FEW features (8,000): ours with the pairs saved, and with the distribution alone, over the original program;
- GROUP features (31,706, the largest group of MORPH): the distribution, against the bare float32 matrix products of
the
  same pairs (NumPy, strips of 1,024 rows by those at or after them, in this process); and the pairs, against writing
  as many zeros to the same disk. The pairs take 12 GB; --without-pairs leaves them out;
- MANY features (100,000), once: the distribution, and its time a pair against that of the group.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from benchmarks.machine import describe

SIZE = 512
ROUNDS = 3
STRIP = 1024
BYTES_A_PAIR = 24


def make_features(folder: Path, count: int) -> Path:
    """Write a matrix of random features with its labels."""
    folder.mkdir()
    generator = np.random.default_rng(count)
    rows = generator.standard_normal((count, SIZE), dtype=np.float32)
    np.save(folder / "features.npy", rows / np.linalg.norm(rows, axis=1, keepdims=True))
    (folder / "labels.txt").write_text("".join(f"photos/{row // 4}_{row}\n" for row in range(count)))
    return folder / "features.npy"


def run(script: str, *arguments: str | Path) -> Mapping[str, float]:
    """Run a script of this folder by watch.py; return its seconds without and with imports, and its peak memory."""
    here = Path(__file__).parent
    command = [sys.executable, str(here / "watch.py"), sys.executable, str(here / script), *map(str, arguments)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    usage = json.loads(lines[-1])
    if usage["status"]:
        sys.exit(f"{script} failed")
    return {"seconds": float(lines[-2]), "process": usage["seconds"], "peak": usage["peak"]}


def in_turns(
    sides: Mapping[str, Callable[[], Mapping[str, float]]], rounds: int = ROUNDS
) -> dict[str, dict[str, float]]:
    """Run the sides one after the other, some rounds; return the medians of each side, and print them."""
    seen: dict[str, list[Mapping[str, float]]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            seen[name].append(side())
    medians = {
        name: {key: statistics.median(each[key] for each in found) for key in found[0]}
        for name, found in seen.items()
    }
    for name, found in medians.items():
        more = (
            f"   {found['process']:6.2f} s as a process   {found['peak'] / 2**20:6.0f} MiB" if "peak" in found else ""
        )
        print(f"  {name:28}{found['seconds']:8.2f} s{more}", flush=True)
    return medians


def bare_products(source: Path) -> Mapping[str, float]:
    """Time the float32 products of all pairs, and nothing else."""
    rows = np.load(source)
    out = np.empty((STRIP, len(rows)), np.float32)
    begun = time.perf_counter()
    for first in range(0, len(rows), STRIP):
        strip = rows[first : first + STRIP]
        np.matmul(strip, rows[first:].T, out=out[: len(strip), : len(rows) - first])
    return {"seconds": time.perf_counter() - begun}


def write_zeros(path: Path, size: int) -> Mapping[str, float]:
    """Time how long the disk takes for `size` bytes, handed to the system as they come."""
    block = bytes(1 << 22)
    begun = time.perf_counter()
    with path.open("wb") as file:
        for _ in range(size >> 22):
            file.write(block)
    seconds = time.perf_counter() - begun
    path.unlink()
    return {"seconds": seconds}


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--counts", type=int, nargs=3, default=[8_000, 31_706, 100_000], metavar=("FEW", "GROUP", "MANY")
    )
    parser.add_argument("--without-pairs", action="store_true", help="do not write the pairs of the group")
    arguments = parser.parse_args()
    few, group, many = arguments.counts
    print(describe())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        sources = {count: make_features(folder / f"of-{count}", count) for count in (few, group, many)}

        def ours(count: int, save: str) -> Callable[[], Mapping[str, float]]:
            out = folder / f"out-{count}-{save}"
            return lambda: run("match_by_facepart.py", sources[count], out, save)

        print(f"{few} features, {few * (few - 1) // 2} pairs")
        found = in_turns(
            {
                "the original program": lambda: run("match_by_original.py", sources[few], folder / "original"),
                "ours, pairs saved": ours(few, "pairs"),
                "ours, distribution alone": ours(few, "distribution"),
            }
        )
        original, pairs, alone = found.values()
        for name, side, target in (("pairs saved", pairs, 3), ("distribution", alone, 8)):
            times, whole, memory = (original[key] / side[key] for key in ("seconds", "process", "peak"))
            print(
                f"  {name}: {times:.1f} times as fast (at least {target}), {whole:.1f} as a process, "
                f"in 1/{memory:.1f} of the memory (at most 1/5)"
            )

        count = group * (group - 1) // 2
        print(f"{group} features, {count} pairs")
        found = in_turns(
            {
                "bare float32 products": lambda: bare_products(sources[group]),
                "ours, distribution alone": ours(group, "distribution"),
            }
        )
        bare, alone = found.values()
        print(f"  total over bare products: {alone['seconds'] / bare['seconds']:.2f} (at most 1.8)")
        if not arguments.without_pairs:
            size = BYTES_A_PAIR * count
            found = in_turns(
                {
                    "zeros written": lambda: write_zeros(folder / "zeros", size),
                    "ours, pairs saved": ours(group, "pairs"),
                },
                rounds=1,
            )
            zeros, pairs = found.values()
            print(
                f"  {size / 1e9:.1f} GB: {size / pairs['seconds'] / 1e6:.0f} MB/s, zeros alone "
                f"{size / zeros['seconds'] / 1e6:.0f} MB/s"
            )

        more = many * (many - 1) // 2
        print(f"{many} features, {more} pairs")
        large = in_turns({"ours, distribution alone": ours(many, "distribution")}, rounds=1)[
            "ours, distribution alone"
        ]
        ratio = large["seconds"] / more / (alone["seconds"] / count)
        print(f"  {large['seconds'] / more * 1e9:.2f} ns a pair, {ratio:.2f} of {group} features (at most 1.2)")


if __name__ == "__main__":
    main()
