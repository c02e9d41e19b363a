"""Progress on standard error, for stages that tell it by a callable, and the last line of a run."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from facepart.files.failures import FAILURES_FILE, Outcome
from facepart.files.progress import Progress


@contextmanager
def progress_bar(what: str, unit: str = "photo") -> Iterator[Progress]:
    """Yield a callable that draws a bar: speed, time left, and the bottleneck where it is not the network.

    Nothing is drawn where no one watches.
    """
    with tqdm(desc=what, unit=unit, file=sys.stderr, disable=not sys.stderr.isatty(), smoothing=0.05) as bar:

        def tell(done: int, total: int, note: str = "") -> None:
            bar.total = total
            bar.set_postfix_str(f"slowest: {note}" if note else "", refresh=False)
            bar.update(done - bar.n)

        yield tell


def report(verb: str, outcome: Outcome, folder: Path, unit: str = "photo") -> int:
    """Print the last line of a run; return the exit status (1 only when nothing succeeded)."""
    line = f"{verb} {outcome.done} {unit}{'' if outcome.done == 1 else 's'} into {folder}"
    if outcome.skipped:
        line += f", skipped {outcome.skipped} that were there"
    if outcome.failures:
        line += f", {len(outcome.failures)} failed (see {folder / FAILURES_FILE})"
    print(line)
    if not outcome.succeeded:
        first = outcome.failures[0]
        print(f"facepart: nothing succeeded; first: {first.path}: {first.reason}", file=sys.stderr)
        return 1
    return 0
