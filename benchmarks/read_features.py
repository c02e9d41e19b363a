"""How long it takes to read the features of the largest group: 31,706 files of 512 values, or one matrix.

Usage: python benchmarks/read_features.py [--count N]

Makes the features in a temporary folder (unit vectors, random) and prints, in seconds: facepart's reading of the
list, with all its checks; ``np.load`` of each file in a loop, without any; their ratio; and facepart's reading of the
same features as a matrix. Where the system allows it, the same with the files put out of memory first (their
contents, not the folder itself), as in the first run of a day.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from facepart.data.feature_files import LABELS_FILE, MATRIX_FILE
from facepart.data.labels import labels_of
from facepart.data.path_lists import write_list
from facepart.matching.features import read_features
from facepart.processors import processors

DIMENSION = 512
RUNS = 3


def write_features(folder: Path, count: int) -> list[Path]:
    """Write `count` features, eight a person, and the same as a matrix; return the paths of the files."""
    rows = np.random.default_rng(0).normal(size=(count, DIMENSION)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    paths = [folder / "single" / f"{row // 8:06d}_{row % 8}.npy" for row in range(count)]
    for name in ("single", "matrix"):
        (folder / name).mkdir()
    for path, row in zip(paths, rows, strict=True):
        np.save(path, row)
    np.save(folder / "matrix" / MATRIX_FILE, rows)
    (folder / "matrix" / LABELS_FILE).write_text(
        "".join(f"{label}\n" for label in labels_of(paths)), encoding="utf-8"
    )
    return paths


def forget(paths: Sequence[Path]) -> None:
    """Put the files' contents out of memory."""
    os.sync()
    for path in paths:
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def seconds(work: Callable[[], object], before: Callable[[], None] = lambda: None) -> float:
    """Time `work` after `before`: the middle one of several runs."""
    times = []
    for _ in range(RUNS):
        before()
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return sorted(times)[RUNS // 2]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=31_706, help="features (default: %(default)s)")
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        paths = write_features(folder, count)
        listed, matrix = folder / "list.txt", folder / "matrix" / MATRIX_FILE
        write_list(listed, paths)
        assert np.array_equal(read_features(listed).matrix, np.stack([np.load(path) for path in paths]))
        assert np.array_equal(read_features(listed).matrix, read_features(matrix).matrix)
        print(f"{count} features of {DIMENSION} float32, {processors()} processors; the middle one of {RUNS} runs")
        states: list[tuple[str, Callable[[], None]]] = [("from memory", lambda: None)]
        if hasattr(os, "posix_fadvise"):
            states.append(("from the disk", lambda: forget([*paths, matrix])))
        for state, before in states:
            ours = seconds(lambda: read_features(listed), before)
            plain = seconds(lambda: [np.load(path) for path in paths], before)
            whole = seconds(lambda: read_features(matrix), before)
            print(
                f"{state}: facepart {ours:.2f} s, np.load in a loop {plain:.2f} s, ratio {plain / ours:.1f}; "
                f"as a matrix {whole:.2f} s"
            )


if __name__ == "__main__":
    main()
