"""Path lists: one path a line, in any ``.txt``.

Blank lines, trailing blanks, a byte-order mark and CRLF are tolerated; a relative path is relative to the list. A
line may be an address (:mod:`facepart.files.addresses`).
"""

import os
from collections.abc import Sequence
from pathlib import Path

from facepart.errors import FacepartError
from facepart.files.addresses import is_address, place
from facepart.files.atomic import write_bytes
from facepart.files.text_input import read_text

# What a line may end with; other spaces, such as U+00A0 or U+3000, belong to the name.
BLANKS = " \t\r"


def read_list(path: Path) -> list[Path]:
    """Read the paths of a list, in its order; relative ones are joined to the list's folder.

    Raises:
        FacepartError: the list is missing, is not text, or names nothing.
    """
    folder = path.absolute().parent
    text = read_text(path, "list", any_names=True).replace("\r", "\n")
    paths = [_entry(folder, line) for each in text.split("\n") if (line := each.strip(BLANKS))]
    if not paths:
        raise FacepartError(f"{path}: the list is empty")
    return paths


def unlistable(name: str) -> str:
    """Return why the name of a photo cannot stand in lists of labels and in tables; empty if it can.

    They have a line a photo, in UTF-8.
    """
    if name.isprintable():
        return ""
    broken = next((byte for byte in name if "\ud800" <= byte <= "\udfff"), "")
    if not broken:
        return _line_break(name)
    return f"is not UTF-8 (byte 0x{ord(broken) & 0xFF:02X}), which lists and tables are"


def refuse_unlistable(path: Path) -> None:
    """Refuse a path that cannot stand in a list; it need not be UTF-8.

    Raises:
        FacepartError: it has a line break.
    """
    if reason := _line_break(str(path.absolute())):
        shown = os.fsencode(str(path.absolute())).decode("utf-8", "backslashreplace")
        raise FacepartError(f"{shown!r}: this path {reason}: rename it")


def write_list(path: Path, paths: Sequence[Path]) -> None:
    """Write `paths` to a list, one absolute path a line, whole or not at all; names need not be UTF-8.

    Raises:
        FacepartError: a path cannot stand in a list, or the list cannot be written.
    """
    for entry in paths:
        refuse_unlistable(entry)
    write_bytes(path, "".join(f"{entry.absolute()}\n" for entry in paths).encode("utf-8", "surrogateescape"))


def _line_break(text: str) -> str:
    """Return which character ends a line of a list; empty if none does."""
    sign = next((sign for sign in text if sign in "\n\r"), "")
    return f"has a line break (U+{ord(sign):04X}), which ends a line in lists" if sign else ""


def _entry(folder: Path, line: str) -> Path:
    named = place(line)
    return named if is_address(named) or named.is_absolute() else folder / line
