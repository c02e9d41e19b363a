"""State that a run keeps as JSON, read: records, settings, what was compared, hashes.

All such files are read here. Whatever a damaged one makes the parser raise is one line that names the file.
"""

import json
from pathlib import Path
from typing import Any

from facepart.errors import FacepartError
from facepart.files.addresses import read_whole


def read_object(path: Path, what: str, remedy: str) -> dict[str, Any] | None:
    """Read a JSON file that holds an object.

    Args:
        path: the file.
        what: what it is, for the message, e.g. ``a record of facepart``.
        remedy: what the user can do about a damaged one, e.g. ``remove it``.

    Returns:
        The object; None if there is no such file.

    Raises:
        FacepartError: the file cannot be read, or holds something else.
    """
    try:
        data = read_whole(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except Exception as error:  # stores raise errors of many kinds
        reason = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
        raise FacepartError(f"{path}: cannot be read ({reason}); {remedy}") from error
    try:
        return parse_object(data)
    except ValueError as error:
        raise FacepartError(f"{path}: is not {what} ({error}); {remedy}") from error


def parse_object(data: bytes) -> dict[str, Any]:
    """Return the object that JSON in UTF-8 holds.

    Raises:
        ValueError: it holds something else, or is no JSON; the reason is one line.
    """
    found = parse_json(data)
    if not isinstance(found, dict):
        raise ValueError("it holds no JSON object")
    return found


def parse_json(data: bytes) -> Any:
    """Return what JSON in UTF-8 holds.

    Raises:
        ValueError: it is no JSON; the reason is one line.
    """
    try:
        return json.loads(data.decode("utf-8-sig"))
    except Exception as error:
        # ValueError, UnicodeDecodeError, RecursionError (many brackets), MemoryError ...
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ValueError(reason) from error
