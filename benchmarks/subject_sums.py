"""What the sums by subject, which intervals need, add to the time that matching takes, and to its memory.

Usage: python -m benchmarks.subject_sums [--count 31706] [--rounds 5]

The features are random (512 values, of length 1, four a person, with a part in common, so that impostor scores are
not all near 0). Both sides are in this process and take turns; printed are the medians and their ratio, and the peak
memory of the process.
"""

import argparse
import resource
import statistics
import time
from collections.abc import Callable

import numpy as np

from benchmarks.machine import describe
from facepart.matching.cosine import unit_rows
from facepart.matching.counting import count_scores
from facepart.matching.faces import Faces
from facepart.matching.subject_statistics import (
    SubjectTailCounts,
    authentic_scores,
    authentic_sums,
    choose_first_bin,
    impostor_moments,
)
from facepart.processors import processors

SIZE = 512


def make_faces(count: int) -> Faces:
    """Draw random faces, four a person."""
    generator = np.random.default_rng(count)
    people = generator.standard_normal((-(-count // 4), SIZE), dtype=np.float32)
    rows = people[np.arange(count) // 4] + generator.standard_normal((count, SIZE), dtype=np.float32)
    rows += 0.3 * generator.standard_normal(SIZE, dtype=np.float32)
    return Faces(unit_rows(rows), np.arange(count) // 4, np.arange(count))


def count_alone(faces: Faces) -> None:
    """Count the scores."""
    count_scores(faces, workers=processors())


def count_with_sums(faces: Faces) -> None:
    """Count the scores, and sum them up by subject, as ``facepart match`` does."""
    people = int(faces.subjects.max()) + 1
    authentic = authentic_scores(faces, None)
    tails = SubjectTailCounts(people, choose_first_bin(faces, None, authentic[1]))
    authentic_sums(people, authentic, tails.first_bin)
    impostor_moments(people, faces, None)
    count_scores(faces, workers=processors(), tails=tails)


def measure(faces: Faces, rounds: int) -> dict[str, float]:
    """Time both sides in turns; return the median of each, in seconds."""
    sides: dict[str, Callable[[Faces], None]] = {"scores alone": count_alone, "with sums by subject": count_with_sums}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            begun = time.perf_counter()
            side(faces)
            seconds[name].append(time.perf_counter() - begun)
    return {name: statistics.median(found) for name, found in seconds.items()}


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=31_706)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(describe())
    faces = make_faces(arguments.count)
    found = measure(faces, arguments.rounds)
    for name, seconds in found.items():
        print(f"  {name:24}{seconds:8.2f} s")
    alone, summed = found.values()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  ratio {summed / alone:.2f} (at most 1.25); peak memory {peak:.0f} MiB (at most 1,500)")


if __name__ == "__main__":
    main()
