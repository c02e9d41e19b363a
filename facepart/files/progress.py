"""How a stage tells how far it is, without printing: a callable that takes (files done, files in all)."""

from collections.abc import Callable

Progress = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """Tell nobody; the default of every stage used as a library."""
