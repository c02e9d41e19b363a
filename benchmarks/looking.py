"""A look at something now and then, while something else goes on."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SECONDS = 0.5  # between two looks


@contextmanager
def looking(look: Callable[[], None]) -> Iterator[None]:
    """Call `look` twice a second, in a thread of its own, as long as the block lasts."""
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(SECONDS):
            look()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
