"""Matching as in the original program, timed.

All cosines by scikit-learn in one matrix, two more of the same size for which pairs are authentic and which impostor,
their indices by ``np.where``, and all pairs as arrays in memory.

Usage: match_by_original.py FEATURES.npy OUT. Prints the seconds from reading to the files written, without imports.
"""

import sys
import time
from pathlib import Path

import numpy as np
from sklearn.metrics.pairwise import cosine_similarity


def main() -> None:
    """Match within one matrix, and write the pairs."""
    source, out = map(Path, sys.argv[1:3])
    out.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    features = np.load(source)
    labels = source.with_name("labels.txt").read_text().split()
    subjects = np.array([label.split("/")[1].split("_")[0] for label in labels])
    scores = cosine_similarity(features, features)
    shape = len(labels), len(labels)
    authentic, impostor = np.zeros(shape), np.zeros(shape)
    for row, subject in enumerate(subjects):
        authentic[row, row + 1 :] = subjects[row + 1 :] == subject
        impostor[row, row + 1 :] = subjects[row + 1 :] != subject
    for kind, chosen in (("authentic", authentic), ("impostor", impostor)):
        rows, columns = np.where(chosen == 1)
        np.save(out / f"CM_{kind}.npy", np.column_stack([rows, columns, np.round(scores[rows, columns], 6)]))
    print(time.perf_counter() - begun)


if __name__ == "__main__":
    main()
