"""What it takes to count all pairs with sums by subject, which intervals need: by PyTorch, and by compiled kernels.

Usage: python -m benchmarks.subject_sums [--count 31706] [--rounds 3] [--subjects N]

The features are random (512 values, of length 1, four a person unless --subjects says how many people there are, with
a part in common, so that impostor scores are not all near 0). Each side is a process of its own that draws them;
sides take turns. Printed are the medians of the seconds without imports, of the seconds of processors, and of the
peak memory, and the ratios of the seconds. The sides are:

- the products of the tiles alone, as many threads as processors, each tile by one of them;
- the scores counted by PyTorch, and with the sums by subject, as before there were kernels;
- the same by kernels. Loading them takes the same time whatever the number of pairs, and is printed for itself. They
  are compiled once before.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from unittest import mock

import numpy as np
import torch

from benchmarks.machine import describe
from facepart.matching.cosine import TILE, padded, unit_rows
from facepart.matching.counting import count_scores
from facepart.matching.faces import Faces
from facepart.matching.subject_statistics import (
    SubjectTailCounts,
    authentic_scores,
    authentic_sums,
    choose_first_bin,
    impostor_moments,
)
from facepart.matching.threads import one_thread_each
from facepart.matching.tile_kernels import Kernels, load_kernels
from facepart.processors import processors

SIZE = 512
BARE, SUMMED, KERNELS = "products of the tiles alone", "PyTorch, with sums", "kernels, with sums"
SIDES = (BARE, "PyTorch, scores alone", SUMMED, "kernels, scores alone", KERNELS)


def make_faces(count: int, people: int) -> Faces:
    """Draw random faces of so many people, about as many of each."""
    generator = np.random.default_rng(count)
    subjects = np.arange(count) * people // count
    rows = generator.standard_normal((people, SIZE), dtype=np.float32)[subjects]
    rows += generator.standard_normal((count, SIZE), dtype=np.float32)
    rows += 0.3 * generator.standard_normal(SIZE, dtype=np.float32)
    return Faces(unit_rows(rows), subjects, np.arange(count))


def multiply_tiles(faces: Faces) -> None:
    """Take the products of all tiles, and nothing else."""
    rows = padded(faces.embeddings, TILE)
    products = [torch.empty(TILE, TILE) for _ in range(processors())]

    def strip(row: int) -> None:
        product = products.pop()
        for column in range(row, len(rows), TILE):
            torch.mm(rows[row : row + TILE], rows[column : column + TILE].T, out=product)
        products.append(product)

    with one_thread_each(len(products)) as pool:
        for done in [pool.submit(strip, row) for row in range(0, len(rows), TILE)]:
            done.result()


def count(faces: Faces, kernels: Kernels | None, *, with_sums: bool) -> None:
    """Count the scores, with sums by subject as ``facepart match`` does."""
    with (
        mock.patch("facepart.matching.counting.kernels_for", return_value=kernels),
        one_thread_each(1) as beside,
    ):
        tails = None
        if with_sums:
            people = int(faces.subjects.max()) + 1
            moments = beside.submit(impostor_moments, people, faces, None)
            if kernels is None:
                moments.result()  # before there were kernels, these were not computed beside the scores
            authentic = authentic_scores(faces, None)
            tails = SubjectTailCounts(people, choose_first_bin(faces, None, authentic[1]))
            authentic_sums(people, authentic, tails.first_bin)
        count_scores(faces, workers=processors(), tails=tails)


def run_side(name: str, faces: Faces) -> dict[str, float]:
    """Run one side in this process; return its seconds, those of processors, of loading, and its peak in MiB."""
    begun = time.perf_counter()
    kernels = load_kernels() if name.startswith("kernels") else None
    loaded, used = time.perf_counter(), time.process_time()
    if name == BARE:
        multiply_tiles(faces)
    else:
        count(faces, kernels, with_sums=name.endswith("with sums"))
    return {
        "seconds": time.perf_counter() - loaded,
        "processors": time.process_time() - used,
        "loading": loaded - begun,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measure(options: Sequence[str], rounds: int) -> dict[str, dict[str, float]]:
    """Run every side in a process, `rounds` times in turn; return the medians of each."""
    seen: dict[str, list[Mapping[str, float]]] = {name: [] for name in SIDES}
    for _ in range(rounds):
        for name in SIDES:
            command = [sys.executable, "-m", "benchmarks.subject_sums", *options, "--side", name]
            seen[name].append(json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout))
    return {
        name: {key: statistics.median(each[key] for each in found) for key in found[0]}
        for name, found in seen.items()
    }


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=31_706)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--subjects", type=int)
    parser.add_argument("--side", choices=SIDES, help="run this side alone, in this process")
    arguments = parser.parse_args()
    people = arguments.subjects or -(-arguments.count // 4)
    if arguments.side:
        print(json.dumps(run_side(arguments.side, make_faces(arguments.count, people))))
        return
    print(describe())
    load_kernels()
    pairs = arguments.count * (arguments.count - 1) // 2
    print(f"{arguments.count} features of {people} people, {pairs} pairs")
    found = measure(["--count", str(arguments.count), "--subjects", str(people)], arguments.rounds)
    print(f"  {'':28}{'s':>8}{'core-s':>9}{'ns a pair':>11}{'MiB':>7}{'loading s':>11}")
    for name, each in found.items():
        print(
            f"  {name:28}{each['seconds']:8.2f}{each['processors']:9.2f}{each['seconds'] / pairs * 1e9:11.2f}"
            f"{each['peak']:7.0f}{each['loading']:11.2f}"
        )
    for unit, text in (("seconds", "on the clock"), ("processors", "in core seconds")):
        bare, before, now = (found[name][unit] for name in (BARE, SUMMED, KERNELS))
        print(
            f"  with sums by subject, {text}: {now / bare:.2f} times the products alone (at most 1.45), "
            f"{before / now:.2f} times as fast as PyTorch (at least 1.7)"
        )


if __name__ == "__main__":
    main()
