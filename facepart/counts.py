"""Counts with their nouns, and lists cut short, in messages and in the report."""

from collections.abc import Sequence


def count_of(count: int, noun: str, nouns: str | None = None, form: str = "") -> str:
    """Return a count with its noun.

    Args:
        count: the number.
        noun: for one.
        nouns: for all other numbers; None for `noun` with an s.
        form: of the number, such as ``,`` for thousands.

    Example:
        >>> count_of(1, "photo"), count_of(12, "photo"), count_of(0, "person", "people")
        ('1 photo', '12 photos', '0 people')
    """
    return f"{count:{form}} {noun if count == 1 else nouns or noun + 's'}"


def are(count: int) -> str:
    """Return the verb that goes with a count: "is" or "are"."""
    return "is" if count == 1 else "are"


def first_of(names: Sequence[str], most: int) -> str:
    """Join names by commas, no more than `most` of them.

    Example:
        >>> first_of(["a", "b", "c"], 2), first_of(["a", "b"], 2)
        ('a, b, ...', 'a, b')
    """
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
