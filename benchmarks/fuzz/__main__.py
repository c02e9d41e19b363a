"""What becomes of damaged inputs: thousands of files of every kind that the program reads, damaged from a seed.

Usage: python -m benchmarks.fuzz [--inputs 120] [--seed 1] [--kinds NAME ...] [--modules NAME ...] [--only N]

Each input is a good file or folder of files, one of which is damaged (:mod:`benchmarks.fuzz.damages`), and is read by
the function that the commands read it with. The columns of the table:

- refused: in one line of at most 500 characters; made anew: taken for missing; as before: the same value was read;
- another value: a change that nothing tells, as of a bit of a .npy or a JPEG, which have no checksum.

All others are faults: an exception of any other kind, a message that is long or of several lines, another value
although a checksum or a record tells (of PNG, zip, compiled networks, features of length 1 ...), more than 60 seconds
or 2 GB, the end of the process, a warning on the screen. The exit status is 1 if there is one.
"""

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from benchmarks.fuzz.runner import FAULTS, FINE, MODULES, Result, run
from benchmarks.machine import describe


def table(results: Sequence[Result]) -> str:
    """Return a table of outcomes, a row a family of inputs."""
    counts: Mapping[str, Counter[str]] = defaultdict(Counter)
    for each in results:
        counts[each.family][each.outcome] += 1
        counts["all"][each.outcome] += 1
    last = counts.pop("all", Counter())  # type: ignore[attr-defined]
    columns = ["inputs", *FINE, *FAULTS]
    rows = [["", *columns]]
    for family, found in [*sorted(counts.items()), ("all", last)]:
        rows.append([family, str(found.total()), *(str(found[column]) for column in columns[1:])])
    widths = [max(len(row[place]) for row in rows) for place in range(len(columns) + 1)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=120, help="inputs of a kind (some kinds have more, or fewer)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--modules", nargs="+", choices=MODULES, default=list(MODULES))
    parser.add_argument("--kinds", nargs="+", default=[])
    parser.add_argument("--only", type=int, help="the number of the only input of each kind")
    options = parser.parse_args()
    started, results = time.monotonic(), []
    for result in run(options.modules, options.kinds, options.inputs, options.seed, options.only):
        results.append(result)
        if result.outcome in FAULTS or options.only is not None:
            print(f"{result.kind}, {result.number} ({result.damage}): {result.outcome}: {result.said}", flush=True)
    print(describe())
    print(f"seed {options.seed}, {time.monotonic() - started:.0f} s")
    print(table(results))
    return int(any(result.outcome in FAULTS for result in results))


if __name__ == "__main__":
    sys.exit(main())
