"""Which photos a run is about: those below a folder, or those in a list.

A photo has a path and a name. The name is its path relative to the source folder, with ``/`` between folders and
without the extension: ``a/001.jpg`` below the source is named ``a/001``, and every output for it is named after
that. For a list, names are relative to the deepest folder that holds all listed photos, or, where a stage asks for
it, the name of a photo's own folder and its stem, as the original study's programs name features: ``c/001`` for
``/a/b/c/001.jpg``.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from facepart.data.path_lists import read_list
from facepart.errors import FacepartError
from facepart.files.addresses import Listed, common_folder, files_in, is_address, tidy
from facepart.files.failures import Failure

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".pgm", ".webp", ".tif", ".tiff"})


class Photo(NamedTuple):
    """A photo on disk, and the name of its outputs.

    Attributes:
        path: the file.
        name: see above.
        stamp: changes if the file is replaced; empty if the listing of its folder has no such information.
    """

    path: Path
    name: str
    stamp: str = ""


def find_photos(
    source: Path, exclude: Sequence[Path] = (), *, by_folder: bool = False
) -> tuple[list[Photo], list[Failure]]:
    """Find the photos below a folder (recursively, links followed, hidden files left out) or in a list.

    Args:
        source: a folder, or a text file with one path a line.
        exclude: folders to leave out, such as outputs that lie inside the source.
        by_folder: name the photos of a list ``<folder>/<stem>``; names of photos below a folder stay paths.

    Returns:
        The photos sorted by path, and what cannot be worked on: subfolders that cannot be opened, and photos
        whose outputs would overwrite another's because their names are the same.

    Raises:
        FacepartError: the source is missing, cannot be read, has no photos, or is to be left out itself.
    """
    failures: list[Failure] = []
    if source.is_dir():
        excluded = {path.resolve() for path in exclude}
        if source.resolve() in excluded:
            raise FacepartError(f"{source}: is the folder of the photos and of the outputs; choose another for these")
        walk = _list(source, excluded) if is_address(source) else _walk(source, excluded, failures)
        found = sorted(walk, key=lambda each: each.path.relative_to(source).as_posix())
        named = [each.path.relative_to(source).as_posix() for each in found]
        if not found and not failures:
            known = ", ".join(sorted(extension[1:] for extension in EXTENSIONS))
            raise FacepartError(f"{source}: has no photos (files ending in {known}, in any case)")
    elif source.exists():
        found = [Listed(path, "") for path in sorted(read_list(source), key=str)]
        named = _list_names([path for path, _ in found], by_folder)
    else:
        raise FacepartError(f"{source}: no such folder or list of photos")

    photos: dict[str, Photo] = {}
    for (path, stamp), relative in zip(found, named, strict=True):
        name = PurePosixPath(relative).with_suffix("").as_posix()
        if not name.isprintable():
            # Lists and tables have a line a photo, in UTF-8.
            failures.append(Failure(path, "find", "its name has signs that no list can hold: rename it"))
        elif name not in photos:
            photos[name] = Photo(path, name, stamp)
        elif tidy(photos[name].path) != tidy(path):
            other = photos[name].path if by_folder else photos[name].path.name
            reason = f"its outputs would overwrite those of {other}: rename one"
            failures.append(Failure(path, "find", reason))
    return list(photos.values()), failures


def _list_names(paths: Sequence[Path], by_folder: bool) -> list[str]:
    """Name the photos of a list, with their extensions."""
    tidied = [tidy(path) for path in paths]
    if by_folder:
        return [PurePosixPath(path.parent.name, path.name).as_posix() for path in tidied]
    root = common_folder(tidied)
    return [path.relative_to(root).as_posix() for path in tidied]


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
