"""The argument parser of every command, and the types that its options share."""

import argparse
import math
import re
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Sequence
from typing import Any, NoReturn

from facepart.errors import UsageError
from facepart.suggestion import did_you_mean

_MOST_THREADS = 1024
# Categories of Unicode: control characters, bytes that are not UTF-8; and those of them that only end a line.
_NO_SIGNS, _BREAKS = ("Cc", "Cs"), "\t\n\r"


class CommandParser(argparse.ArgumentParser):
    """A parser whose errors are one line, and whose description may have several paragraphs."""

    def __init__(self, **options: Any) -> None:
        """Make a parser; `options` are those of :class:`argparse.ArgumentParser`."""
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **options)
        self.description = _fill_paragraphs(self.description or "")
        # As in Python 3.14; that of earlier versions takes `-0.2,0.3` for an option.
        self._negative_number_matcher = re.compile(r"-\.?\d")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as :class:`argparse.ArgumentParser` does; what was given is kept for :meth:`error`."""
        self._given = list(sys.argv[1:] if args is None else args)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Raise UsageError: the caller prints it in one line, without the usage.

        Where an option is missing or unknown, a misspelt one is named with the nearest.
        """
        if message.startswith(("the following arguments are required", "unrecognized arguments")):
            message += self._misspelt()
        raise UsageError(f"{message} (see `{self.prog} -h`)")

    def _misspelt(self) -> str:
        """Return the first option that was given, is unknown and is near to a known one, and that; else nothing."""
        known = [
            option
            for option, action in self._option_string_actions.items()
            if option.startswith("--") and action.help != argparse.SUPPRESS
        ]
        for word in getattr(self, "_given", ()):
            option = word.partition("=")[0]
            if option.startswith("--") and len(option) > 2 and option not in self._option_string_actions:
                near = did_you_mean(option, known)
                if near:
                    return f"; {option} is unknown{near}"
        return ""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            error.message += did_you_mean(str(value), map(str, action.choices or ()))
            raise


def add_examples(parser: argparse.ArgumentParser, examples: Sequence[str]) -> None:
    """Put examples of command lines before everything that a command's help ends with."""
    if examples:
        text = "\n".join("\n".join(f"  {line}" for line in each.split("\n")) for each in examples)
        parser.epilog = f"examples:\n{text}" + (f"\n\n{parser.epilog}" if parser.epilog else "")


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


def drawable(text: str) -> str:
    """Return a text for a figure, the type of an option; one with control characters would damage an SVG file."""
    if any(unicodedata.category(sign) in _NO_SIGNS and sign not in _BREAKS for sign in text):
        raise argparse.ArgumentTypeError(f"{text!r} has characters that cannot be drawn")
    return text


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
