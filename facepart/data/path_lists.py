"""Path lists: one path a line, in any ``.txt``.

Blank lines, trailing blanks, a byte-order mark and CRLF are tolerated; a relative path is relative to the list. A
line may be an address (:mod:`facepart.files.addresses`).
"""

import os
from collections.abc import Sequence
from pathlib import Path

from facepart.errors import FacepartError
from facepart.files.addresses import is_address, place
from facepart.files.atomic import write_text
from facepart.files.text_input import read_text

# What a line may end with; other spaces, such as U+00A0 or U+3000, belong to the name.
BLANKS = " \t\r"


def read_list(path: Path) -> list[Path]:
    """Read the paths of a list, in its order; relative ones are joined to the list's folder.

    Raises:
        FacepartError: the list is missing, is not text, or names nothing.
    """
    folder = path.absolute().parent
    lines = [line.strip(BLANKS) for line in read_text(path, "list").replace("\r", "\n").split("\n")]
    paths = [_entry(folder, line) for line in lines if line]
    if not paths:
        raise FacepartError(f"{path}: the list is empty")
    return paths


def unlistable(path: Path | str) -> str:
    """Return which character of a path cannot stand in a list, and why; empty if all can.

    A list has a path a line, in UTF-8. Line breaks end a line; a byte that is not UTF-8 cannot be written.
    """
    text = str(path)
    if text.isprintable():
        return ""
    if sign := next((sign for sign in text if sign in "\n\r"), ""):
        return f"has a line break (U+{ord(sign):04X}), which ends a line in lists"
    broken = next((byte for byte in text if "\ud800" <= byte <= "\udfff"), "")
    if not broken:
        return ""
    return f"is not UTF-8 (byte 0x{ord(broken) & 0xFF:02X}), which lists and tables are"


def refuse_unlistable(path: Path) -> None:
    """Refuse a path that cannot stand in a list.

    Raises:
        FacepartError: it has a line break, or is not UTF-8.
    """
    if reason := unlistable(path.absolute()):
        shown = os.fsencode(str(path.absolute())).decode("utf-8", "backslashreplace")
        raise FacepartError(f"{shown!r}: this path {reason}: rename it")


def write_list(path: Path, paths: Sequence[Path]) -> None:
    """Write `paths` to a list, one absolute path a line, whole or not at all.

    Raises:
        FacepartError: a path cannot stand in a list, or the list cannot be written.
    """
    for entry in paths:
        refuse_unlistable(entry)
    write_text(path, "".join(f"{entry.absolute()}\n" for entry in paths))


def _entry(folder: Path, line: str) -> Path:
    named = place(line)
    return named if is_address(named) or named.is_absolute() else folder / line
