"""Ours, timed: the other side of match_by_original.py.

Usage: match_by_facepart.py FEATURES.npy OUT pairs|distribution. Prints the seconds from reading to the files written,
without imports.
"""

import sys
import time
from pathlib import Path

from facepart.matching.match import match_features


def main() -> None:
    """Match within one matrix, and write what was asked for."""
    source, out, save = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    begun = time.perf_counter()
    match_features(source, None, out, "CM", save=save, dataset="MORPH")
    print(time.perf_counter() - begun)


if __name__ == "__main__":
    main()
