"""Progress on standard error, and lines that must appear at once."""

import os
import sys
import time
from types import TracebackType
from typing import Self

from facepart.counts import count_of

# Seconds between two lines of progress where standard error is no terminal: a number, 0 for no lines.
INTERVAL_VARIABLE = "FACEPART_PROGRESS"
_INTERVAL = 30.0
# The time left is estimated when this share of the work is done: the first photos wait until networks are open.
_ENOUGH = 0.05
_MINUTE, _HOUR = 60, 3600


class ProgressBar:
    """Progress with speed, time left and the bottleneck, if that is not the network.

    A context manager that yields itself; a :class:`facepart.files.progress.Progress`. On a terminal, it is a bar; in
    the log of a batch job, a line every 30 seconds, or as often as :data:`INTERVAL_VARIABLE` says.
    """

    def __init__(self, what: str, unit: str = "photo") -> None:
        """Begin; `what` stands in front, and `unit` is what it counts."""
        self._lines = None if sys.stderr.isatty() else _ProgressLines(what, unit)
        if self._lines is None:
            # Imported here, so that `-h` does not wait for it.
            from tqdm import tqdm

            self._bar = tqdm(desc=what, unit=unit, file=sys.stderr, smoothing=0.05)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._lines is None:
            self._bar.close()

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Show `done` of `total`, and `note`, the name of the slowest step."""
        if self._lines is not None:
            self._lines(done, total, note)
            return
        self._bar.total = total
        self._bar.set_postfix_str(f"bottleneck: {note}" if note else "", refresh=False)
        self._bar.update(done - self._bar.n)


class _ProgressLines:
    """A line of progress now and then."""

    def __init__(self, what: str, unit: str) -> None:
        self._what, self._unit = what, unit
        self._interval = _interval()
        self._begun = self._printed = time.monotonic()
        self._first: int | None = None

    def __call__(self, done: int, total: int, note: str) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first, self._begun = done, now
        if not self._interval or now - self._printed < self._interval:
            return
        self._printed = now
        line = f"{self._what}: {done} of {count_of(total, self._unit)}"
        since = done - self._first
        if done < total and since >= _ENOUGH * (total - self._first):
            speed = since / (now - self._begun)
            line += f", {speed:.3g} per second, {_duration((total - done) / speed)} left"
        print(line + (f", bottleneck: {note}" if note else ""), file=sys.stderr, flush=True)


def _interval() -> float:
    """Return the seconds between two lines; 0 for none."""
    try:
        return max(float(os.environ.get(INTERVAL_VARIABLE, _INTERVAL)), 0.0)
    except ValueError:
        return _INTERVAL


def _duration(seconds: float) -> str:
    """Return a time in words, such as ``5 min``."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.1f} h"


def print_now(line: str) -> None:
    """Print a line at once, even into a pipe."""
    print(line, flush=True)
