"""A whole text file, read."""

import tomllib
from pathlib import Path
from typing import Any

from facepart.errors import FacepartError, one_line
from facepart.files.addresses import read_whole


def read_text(path: Path, what: str, *, any_names: bool = False) -> str:
    """Read a text file in UTF-8; a byte-order mark is left out.

    Args:
        path: the file.
        what: what it is, for the message, e.g. ``list``.
        any_names: keep bytes that are not UTF-8, as names of files may have them.

    Raises:
        FacepartError: the file is missing, cannot be read, or is not text.
    """
    try:
        data = read_whole(path)
        # A file with a byte of zero is no text, and one in UTF-16 begins with either mark.
        as_they_are = any_names and b"\0" not in data and not data.startswith((b"\xff\xfe", b"\xfe\xff"))
        return data.decode("utf-8-sig", "surrogateescape" if as_they_are else "strict")
    except FileNotFoundError as error:
        raise FacepartError(f"{path}: no such {what}") from error
    except OSError as error:
        raise FacepartError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise FacepartError(f"{path}: is not a {what}: it is not a text file") from error


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """Read a file in TOML.

    Args:
        path: the file.
        what: what it is, for the message, e.g. ``label set``.

    Raises:
        FacepartError: the file is missing, cannot be read, or is not TOML.
    """
    text = read_text(path, what)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of numbers with thousands of digits, and of many brackets
        raise FacepartError(f"{path}: is not TOML: {one_line(error)}") from error
