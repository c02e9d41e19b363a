"""Path lists: one path a line, in any ``.txt``.

Blank lines, trailing blanks, a byte-order mark and CRLF are tolerated; a relative path is relative to the list. A
line may be an address (:mod:`facepart.files.addresses`).
"""

from collections.abc import Iterable
from pathlib import Path

from facepart.errors import FacepartError
from facepart.files.addresses import is_address, place
from facepart.files.atomic import write_bytes
from facepart.files.text_input import read_text


def read_list(path: Path) -> list[Path]:
    """Read the paths of a list, in its order; relative ones are joined to the list's folder.

    Raises:
        FacepartError: the list is missing, is not text, or names nothing.
    """
    folder = path.absolute().parent
    paths = [
        _entry(folder, line.strip()) for line in read_text(path, "list", any_names=True).splitlines() if line.strip()
    ]
    if not paths:
        raise FacepartError(f"{path}: the list is empty")
    return paths


def write_list(path: Path, paths: Iterable[Path]) -> None:
    """Write `paths` to a list, one absolute path a line, whole or not at all; names need not be UTF-8."""
    write_bytes(path, "".join(f"{entry.absolute()}\n" for entry in paths).encode("utf-8", "surrogateescape"))


def _entry(folder: Path, line: str) -> Path:
    named = place(line)
    return named if is_address(named) or named.is_absolute() else folder / line
