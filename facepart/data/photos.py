"""Which photos a run is about: those below a folder, or those in a list.

A photo has a path and a name. The name is its path relative to the source folder, with ``/`` between folders and
without the extension of an image: ``a/001.jpg`` below the source is named ``a/001``, and every output for it is named
after that. For a list, names are relative to the deepest folder that holds all listed photos, or, where a stage asks
for it, the name of a photo's own folder and its stem, as the original study's programs name features: ``c/001`` for
``/a/b/c/001.jpg``; with as many more folders as it takes to tell the photos apart (:mod:`facepart.data.labels`).
"""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from facepart.data.image_names import without_extension
from facepart.data.labels import cut_labels, distinct_depth, names_below
from facepart.data.path_lists import read_list, unlistable
from facepart.data.photo_kinds import PassedOver, extensions, is_photo, is_usual
from facepart.errors import FacepartError
from facepart.files.addresses import Listed, common_folder, is_address, real_path, stamp_of, tidy
from facepart.files.failures import Failure
from facepart.files.folders import files_below

_logger = logging.getLogger(__name__)


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

    @property
    def extension(self) -> str:
        """What follows the name in the path, such as ``.JPG``; empty if the file has no extension of an image."""
        return self.path.name.removeprefix(self.name.rpartition("/")[2])


def photo_stamp(photo: Photo, *, ask_store: bool = False) -> str:
    """Return what changes if a photo's file is replaced: size and modification time, or what its store says.

    Args:
        photo: the photo; a stamp from the listing of its folder is returned as it is.
        ask_store: ask the store of an address that has no stamp, as one from a list of photos. For each photo, that
            takes as long as reading a small one.

    Returns:
        The stamp; empty if the file cannot be looked at, or a store was not asked.
    """
    if photo.stamp or (is_address(photo.path) and not ask_store):
        return photo.stamp
    try:
        return stamp_of(photo.path)
    except OSError:
        return ""


def find_photos(
    source: Path, exclude: Sequence[Path] = (), *, by_folder: bool = False
) -> tuple[list[Photo], list[Failure]]:
    """Find the photos below a folder (recursively, links followed, hidden files left out) or in a list.

    Files of a folder that are of other kinds (:mod:`facepart.data.photo_kinds`) are counted in a warning. Of photos
    that have the same name, one of a usual kind (JPEG, PNG ...) is taken before one of another, such as a GIF.

    Args:
        source: a folder, or a text file with one path a line.
        exclude: folders to leave out, such as outputs that lie inside the source.
        by_folder: name the photos of a list ``<folder>/<stem>``, all with more folders if several would have one
            name; names of photos below a folder stay paths.

    Returns:
        The photos sorted by path, and what cannot be worked on: subfolders that cannot be opened, and photos
        whose outputs would overwrite another's because their names are the same.

    Raises:
        FacepartError: the source is missing, cannot be read, has no photos, or is to be left out itself.
    """
    failures: list[Failure] = []
    if _is_folder(source):
        passed = PassedOver()
        excluded = {real_path(path) for path in exclude}
        if real_path(source) in excluded:
            raise FacepartError(
                f"{source}: is the folder of the photos, and also of the outputs or label maps; choose another for "
                "these"
            )
        found = []
        for each in files_below(source, failures, excluded):
            if is_photo(each.path.suffix):
                found.append(each)
            else:
                passed.add(each.path.suffix)
        found.sort(key=lambda each: each.path.relative_to(source).as_posix())
        named = [without_extension(each.path.relative_to(source).as_posix()) for each in found]
        if not found and not failures:
            known = ", ".join(sorted(extension[1:] for extension in extensions()))
            others = f"; {passed}" if passed else ""
            raise FacepartError(f"{source}: has no photos (files ending in {known}, in any case){others}")
        if passed:
            _logger.warning("%s: %s", source, passed)
    elif _exists(source):
        found = [Listed(path, "") for path in sorted(read_list(source), key=str)]
        named = _list_names([path for path, _ in found], by_folder)
    else:
        raise FacepartError(f"{source}: no such folder or list of photos")

    photos: dict[str, Photo] = {}
    by_kind = sorted(zip(found, named, strict=True), key=_is_unusual)
    for (path, stamp), name in by_kind:
        if reason := unlistable(name):
            # Lists and tables have a line a photo, in UTF-8.
            failures.append(Failure(path, "find", f"its name {reason}: rename it"))
        elif name not in photos:
            photos[name] = Photo(path, name, stamp)
        elif tidy(photos[name].path) != tidy(path):
            other = photos[name].path if by_folder else photos[name].path.name
            reason = f"its outputs would overwrite those of {other}: rename one"
            failures.append(Failure(path, "find", reason))
    places = {each.path: place for place, each in enumerate(found)}
    return sorted(photos.values(), key=lambda photo: places[photo.path]), failures


def _is_unusual(listed: tuple[Listed, str]) -> bool:
    return not is_usual(listed[0].path.suffix)


def _list_names(paths: Sequence[Path], by_folder: bool) -> list[str]:
    """Name the photos of a list."""
    tidied = [tidy(path) for path in paths]
    if by_folder:
        names = [without_extension(name) for name in names_below(tidied)]
        return cut_labels(names, distinct_depth(names))
    root = common_folder(tidied)
    return [without_extension(path.relative_to(root).as_posix()) for path in tidied]


def _is_folder(path: Path) -> bool:
    """Return whether a path is a folder; a name that no file can have is none."""
    return path.is_dir() if is_address(path) else os.path.isdir(path)  # noqa: PTH112 - Path.is_dir may raise


def _exists(path: Path) -> bool:
    return path.exists() if is_address(path) else os.path.exists(path)  # noqa: PTH110 - Path.exists may raise
