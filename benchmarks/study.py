"""How long a study takes from photos to its report, compared with its networks alone.

Usage: python -m benchmarks.study PHOTOS [--photos N] [--recogniser NAME|PATH] [--rounds N]

Measured as in :mod:`benchmarks.recognisers`, with one recogniser: the default one unless another is named.
"""

import argparse
from pathlib import Path

from benchmarks.recognisers import measure
from facepart.networks.catalogue import default_recogniser

# The bare networks take at least nine tenths of the time.
TARGET = 1 / 0.9


def main() -> None:
    """Measure, and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("source", type=Path, metavar="PHOTOS")
    arguments.add_argument("--photos", type=int, default=204, help="how many at most (default: %(default)s)")
    arguments.add_argument("--recogniser", default=default_recogniser(), help="default: %(default)s")
    arguments.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parsed = arguments.parse_args()
    measure(parsed.source, [parsed.recogniser], parsed.photos, parsed.rounds, TARGET)


if __name__ == "__main__":
    main()
