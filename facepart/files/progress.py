"""Progress of a stage and the time of its steps, without printing."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

# The steps of the network's thread; all other steps run in I/O threads.
NETWORK = "network"
WAITING = "waiting for photos"

# The network is the bottleneck if it waits for photos less than this share of the time.
_IDLE = 0.15


class Progress(Protocol):
    """What a stage calls to report its progress."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Take the number of files done, the number in all, and a note, such as the bottleneck."""


def silent(done: int, total: int, note: str = "") -> None:
    """Ignore progress; the default of every stage used as a library."""


class StepTimes:
    """The seconds that each step of a stage took, added up over photos and threads.

    Attributes:
        seconds: step -> seconds.
    """

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._lock = threading.Lock()

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Add the time that the block takes to `step`; may be used in any thread."""
        start = time.perf_counter()
        try:
            yield
        finally:
            took = time.perf_counter() - start
            with self._lock:
                self.seconds[step] += took

    def take(self) -> dict[str, float]:
        """Return the seconds, and start again from none."""
        with self._lock:
            taken = dict(self.seconds)
            self.seconds.clear()
        return taken

    def add(self, seconds: Mapping[str, float]) -> None:
        """Add times measured elsewhere."""
        with self._lock:
            for step, took in seconds.items():
                self.seconds[step] += took

    def bottleneck(self) -> str:
        """Return the step that the network waits for most; empty if the network itself is the bottleneck."""
        with self._lock:
            waiting, working = self.seconds.get(WAITING, 0.0), self.seconds.get(NETWORK, 0.0)
            others = {step: took for step, took in self.seconds.items() if step not in (WAITING, NETWORK)}
        if not others or waiting <= _IDLE * (waiting + working):
            return ""
        return max(others, key=others.__getitem__)
