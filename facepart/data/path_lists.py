"""Path lists: one path a line, in any ``.txt``.

Blank lines, trailing blanks, a byte-order mark and CRLF are tolerated; a relative path is relative to the list. A
line may be an address (:mod:`facepart.files.addresses`).
"""

from collections.abc import Iterable
from pathlib import Path

from facepart.errors import FacepartError
from facepart.files.addresses import is_address, place
from facepart.files.atomic import write_text


def read_list(path: Path) -> list[Path]:
    """Read the paths of a list, in its order; relative ones are joined to the list's folder.

    Raises:
        FacepartError: the list is missing, is not text, or names nothing.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise FacepartError(f"{path}: no such list") from error
    except UnicodeDecodeError as error:
        raise FacepartError(f"{path}: is not a text file with one path a line") from error
    except OSError as error:
        raise FacepartError(f"{path}: cannot be read: {error.strerror}") from error
    folder = path.absolute().parent
    paths = [_entry(folder, line.strip()) for line in text.splitlines() if line.strip()]
    if not paths:
        raise FacepartError(f"{path}: the list is empty")
    return paths


def write_list(path: Path, paths: Iterable[Path]) -> None:
    """Write `paths` to a list, one absolute path a line, whole or not at all."""
    write_text(path, "".join(f"{entry.absolute()}\n" for entry in paths))


def _entry(folder: Path, line: str) -> Path:
    named = place(line)
    return named if is_address(named) or named.is_absolute() else folder / line
