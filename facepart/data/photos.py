"""Which photos a run is about: those below a folder, or those in a list.

A photo has a path and a name. The name is its path relative to the source folder, with ``/`` between folders and
without the extension: ``a/001.jpg`` below the source is named ``a/001``, and every output for it is named after
that. For a list, names are relative to the deepest folder that holds all listed photos.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from facepart.data.path_lists import read_list
from facepart.errors import FacepartError
from facepart.files.addresses import Listed, common_folder, files_in, is_address
from facepart.files.failures import Failure

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".pgm", ".webp", ".tif", ".tiff"})


class Photo(NamedTuple):
    """A photo on disk, and the name that its outputs bear.

    Attributes:
        path: where it is.
        name: see above.
        stamp: what tells it from one that replaces it, where the listing of its folder said so; else empty.
    """

    path: Path
    name: str
    stamp: str = ""


def find_photos(source: Path, exclude: Sequence[Path] = ()) -> tuple[list[Photo], list[Failure]]:
    """Find the photos below a folder (recursively, links followed, hidden files left out) or in a list.

    Args:
        source: a folder, or a text file with one path a line.
        exclude: folders to leave out, such as outputs that lie inside the source.

    Returns:
        The photos sorted by name, and what cannot be worked on: subfolders that cannot be opened, and photos
        whose outputs would overwrite another's because only their extensions differ.

    Raises:
        FacepartError: the source is missing, cannot be read, or has no photos.
    """
    failures: list[Failure] = []
    if source.is_dir():
        excluded = {path.resolve() for path in exclude}
        walk = _list(source, excluded) if is_address(source) else _walk(source, excluded, failures)
        found = sorted(walk, key=lambda each: each.path.relative_to(source).as_posix())
        root = source
        if not found and not failures:
            known = ", ".join(sorted(extension[1:] for extension in EXTENSIONS))
            raise FacepartError(f"{source}: has no photos (files ending in {known}, in any case)")
    elif source.exists():
        found = [Listed(path, "") for path in sorted(read_list(source), key=str)]
        root = common_folder([path for path, _ in found])
    else:
        raise FacepartError(f"{source}: no such folder or list of photos")

    photos: dict[str, Photo] = {}
    for path, stamp in found:
        name = PurePosixPath(path.relative_to(root).as_posix()).with_suffix("").as_posix()
        if not name.isprintable():
            # Lists and tables have a line a photo, in UTF-8.
            failures.append(Failure(path, "find", "its name has signs that no list can hold: rename it"))
        elif name in photos and photos[name].path != path:
            reason = f"its outputs would overwrite those of {photos[name].path.name}: rename one"
            failures.append(Failure(path, "find", reason))
        else:
            photos[name] = Photo(path, name, stamp)
    return list(photos.values()), failures


def _list(folder: Path, excluded: set[Path]) -> Iterator[Listed]:
    """Yield the photos at an address and below."""
    for found in files_in(folder):
        if found.path.suffix.lower() in EXTENSIONS and not excluded.intersection([found.path, *found.path.parents]):
            yield found


def _walk(folder: Path, excluded: set[Path], failures: list[Failure]) -> Iterator[Listed]:
    """Yield the photos below `folder`; each real folder once, so that a circle of links ends."""
    seen: set[Path] = set()
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        real = current.resolve()
        if real in excluded or real in seen:
            continue
        seen.add(real)
        try:
            entries = list(os.scandir(current))
        except OSError as error:
            if current == folder:
                raise FacepartError(f"{folder}: cannot be opened: {error.strerror}") from error
            failures.append(Failure(current, "find", f"cannot be opened: {error.strerror}"))
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                waiting.append(current / entry.name)
            elif Path(entry.name).suffix.lower() in EXTENSIONS:
                yield Listed(current / entry.name, "")
