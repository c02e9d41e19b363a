"""Progress on standard error, and lines that must appear at once."""

import sys
from types import TracebackType
from typing import Self


class ProgressBar:
    """A progress bar with speed, time left and the bottleneck, if that is not the network.

    A context manager that yields itself; a :class:`facepart.files.progress.Progress`. It draws nothing unless
    standard error is a terminal.
    """

    def __init__(self, what: str, unit: str = "photo") -> None:
        """Begin a bar; `what` stands in front of it, and `unit` is what it counts."""
        # Imported here, so that `-h` does not wait for it.
        from tqdm import tqdm

        self._bar = tqdm(desc=what, unit=unit, file=sys.stderr, disable=not sys.stderr.isatty(), smoothing=0.05)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.close()

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Draw the bar anew: `done` of `total`, and `note`, the name of the slowest step."""
        self._bar.total = total
        self._bar.set_postfix_str(f"bottleneck: {note}" if note else "", refresh=False)
        self._bar.update(done - self._bar.n)


def print_now(line: str) -> None:
    """Print a line at once, even into a pipe."""
    print(line, flush=True)
