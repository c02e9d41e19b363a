"""Which files a folder, or an address, holds."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from facepart.errors import FacepartError
from facepart.files.addresses import Listed, files_in, is_address, real_path
from facepart.files.failures import Failure


def files_below(folder: Path, failures: list[Failure], excluded: Collection[Path] = ()) -> Iterator[Listed]:
    """Yield the files below a folder or an address, in any order, without what is hidden; links are followed.

    Each real folder is opened once, so that a circle of links ends.

    Args:
        folder: where to look.
        failures: folders below it that cannot be opened are added to these.
        excluded: the real paths of folders that are left out.

    Raises:
        FacepartError: the folder cannot be opened, or the address cannot be listed.
    """
    if is_address(folder):
        yield from (
            found for found in files_in(folder) if not {found.path, *found.path.parents}.intersection(excluded)
        )
        return
    seen = set(excluded)
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        real = real_path(current)
        if real in seen:
            continue
        seen.add(real)
        try:
            entries = list(os.scandir(current))
        except OSError as error:
            reason = f"cannot be opened: {error.strerror}"
            if current == folder:
                raise FacepartError(f"{folder}: {reason}") from error
            failures.append(Failure(current, "find", reason))
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if _leads_to_folder(entry):
                waiting.append(current / entry.name)
            else:
                yield Listed(current / entry.name, "")


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder, or a link to one; a link to itself is not."""
    try:
        return entry.is_dir()
    except OSError:
        return False
