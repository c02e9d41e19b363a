"""The argument parser of every command, and the types that its options share."""

import argparse
import math
import re
import shutil
import sys
import textwrap
from typing import Any, NoReturn

from facepart.errors import UsageError

_MOST_THREADS = 1024


class CommandParser(argparse.ArgumentParser):
    """A parser whose errors are one line, and whose description may have several paragraphs."""

    def __init__(self, **options: Any) -> None:
        """Make a parser; `options` are those of :class:`argparse.ArgumentParser`."""
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **options)
        self.description = _fill_paragraphs(self.description or "")
        # As in Python 3.14; that of earlier versions takes `-0.2,0.3` for an option.
        self._negative_number_matcher = re.compile(r"-\.?\d")

    def error(self, message: str) -> NoReturn:
        """Raise UsageError: the caller prints it in one line, without the usage."""
        raise UsageError(f"{message} (see `{self.prog} -h`)")


def positive(text: str) -> int:
    """Parse a whole number of at least 1, the type of an option."""
    number = _whole_number(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    if number > sys.maxsize:
        raise argparse.ArgumentTypeError(f"{text!r} is too large")
    return number


def thread_count(text: str) -> int:
    """Parse a number of threads, the type of an option."""
    number = positive(text)
    if number > _MOST_THREADS:
        raise argparse.ArgumentTypeError(f"{text!r} is more than {_MOST_THREADS} threads")
    return number


def finite(text: str) -> float:
    """Parse a finite number, the type of an option or of a value in a list."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number")
    return number


def _whole_number(text: str) -> int:
    """Return a whole number; 0 for any other text."""
    try:
        return int(text)
    except ValueError:
        return 0


def _fill_paragraphs(text: str) -> str:
    """Fill each paragraph to the width of the terminal, as argparse fills the help of options."""
    width = max(shutil.get_terminal_size().columns - 2, 20)
    return "\n\n".join(textwrap.fill(" ".join(paragraph.split()), width) for paragraph in text.split("\n\n"))
