"""The photos that a list of pairs names -> rows of features.

A photo may be named by the end of its feature's label, ``folder/name``, by a longer path that ends with it, or by
its name alone if only one feature is called that; each with or without an extension. Names are compared in Unicode's
normal form C.

Of a longer path, the last folder and the name count, so that the path of a photo finds its feature in another folder.
But ``Bob/0/7`` is not the photo of the feature ``Ann/0/7``, even if Bob's has no feature: a folder further up tells
two photos apart if other features have it, or if paths of the list are the features' own. If several features share
the last folder and the name, the rest of the path decides between them.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from facepart.data.image_names import without_extension
from facepart.data.labels import LEAST_DEPTH, cut_labels, nfc, path_parts
from facepart.data.naming_conventions import split_label
from facepart.data.pair_list import PairList
from facepart.errors import FacepartError
from facepart.matching.features import Features

_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")


class FeatureIndex:
    """Finds the features of photos."""

    def __init__(self, features: Features, by_name: bool, photos: Sequence[str] = ()) -> None:
        """Make an index.

        Args:
            features: any.
            by_name: whether a photo whose ``folder/name`` no feature has is looked up by its name, too: for names
                that include the subject's, as those of LFW.
            photos: all photos of the list, in form C.
        """
        self._features, self._by_name = features, by_name
        # Labels may have more folders, if these do not tell the features apart.
        self._ends: dict[str, list[int]] = {}
        for row, end in enumerate(cut_labels(features.labels, LEAST_DEPTH)):
            for known_as in {nfc(end), nfc(without_extension(end))}:
                self._ends.setdefault(known_as, []).append(row)
        self._longest = [nfc(without_extension(name)).split("/") for name in features.longest]
        self._longer_ends: dict[str, list[int]] = {}
        for row, name in enumerate(self._longest):
            if len(name) > LEAST_DEPTH:
                self._longer_ends.setdefault("/".join(name[-LEAST_DEPTH - 1 :]), []).append(row)
        # The folders before the last, by their places from the end.
        self._folders = {
            (place, folder)
            for name in self._longest
            for place, folder in enumerate(reversed(name))
            if place >= LEAST_DEPTH
        }
        wholes = {tuple(whole) for photo in photos for whole in _wholes(photo)} if self._folders else set()
        self._same_folders = any(len(name) > LEAST_DEPTH and tuple(name) in wholes for name in self._longest)

    def find(self, photo: str) -> list[int]:
        """Return the rows of the features that a photo, in form C, may mean: none if it has no feature."""
        for whole in _wholes(photo):
            # Where a folder more leads to features, no other may be meant: see `_may_be`.
            rows = self._longer_ends.get("/".join(whole[-LEAST_DEPTH - 1 :]), [])
            rows = rows or self._ends.get("/".join(whole[-LEAST_DEPTH:]), [])
            if self._folders:
                rows = [row for row in rows if self._may_be(row, whole)]
            if not rows and (len(whole) == 1 or self._by_name):
                rows = self._names.get(whole[-1], [])
            if len(rows) > 1 and len(whole) > LEAST_DEPTH:
                rows = self._fitting(rows, "/" + "/".join(whole))
            if rows:
                return rows
        return []

    def _may_be(self, row: int, whole: list[str]) -> bool:
        """Return whether a path whose last folder and name are a feature's may be its photo's."""
        own = self._longest[row]
        folders = zip(reversed(whole[:-LEAST_DEPTH]), reversed(own[:-LEAST_DEPTH]), strict=False)
        for place, (folder, owned) in enumerate(folders, LEAST_DEPTH):
            if folder != owned:
                return (place, folder) not in self._folders and not (self._same_folders and len(whole) == len(own))
        return True

    def _fitting(self, rows: list[int], named: str) -> list[int]:
        """Return those of some rows whose path, or else whose label, goes with a longer path; all if none does."""
        paths = ((row, nfc(self._features.paths[row].with_suffix("").as_posix())) for row in rows)
        labels = ((row, nfc(self._features.labels[row]), nfc(self._features.longest[row])) for row in rows)
        return (
            [row for row, path in paths if f"/{path}".endswith(named)]
            or [row for row, label, name in labels if named.endswith(f"/{label}") or f"/{name}".endswith(named)]
            or rows
        )

    @cached_property
    def _names(self) -> dict[str, list[int]]:
        """Name, without folder -> rows."""
        names: dict[str, list[int]] = {}
        for row, label in enumerate(self._features.labels):
            for known_as in {nfc(label), nfc(without_extension(label))}:
                names.setdefault(split_label(known_as)[1], []).append(row)
        return names


def _wholes(photo: str) -> Iterator[list[str]]:
    """Yield the parts of a photo's path, its name as it is, then without an extension: `0001.v2` may be all of it."""
    *folders, name = path_parts(photo) or [""]
    for stem in dict.fromkeys((name, _EXTENSION.sub("", name))):
        if stem:
            yield [*folders, stem]


def find_rows(pairs: PairList, features: Features, names: NDArray[np.integer]) -> NDArray[np.int32]:
    """Find the features of the photos on one side of a list of pairs.

    Args:
        pairs: the list.
        features: those of this side.
        names: places in ``pairs.names``, each once: the photos that are looked up.

    Returns:
        int32, (number of all names,), the row of each photo's feature; -1 if it has none, or is not looked up.

    Raises:
        FacepartError: a name fits several features.
    """
    index = FeatureIndex(features, pairs.subjects is not None, pairs.names)
    rows = np.full(len(pairs.names), -1, np.int32)
    for name in names.tolist():
        found = index.find(pairs.names[name])
        if len(found) > 1:
            paths = [str(features.paths[row]) for row in found[:2]]
            shown = paths if paths[0] != paths[1] else [features.labels[row] for row in found[:2]]
            raise FacepartError(
                f"{pairs.source}: line {pairs.line_of(name)}: {pairs.names[name]!r} fits {len(found)} features of "
                f"{features.source}, such as {shown[0]} and {shown[1]}; name the photo as folder/name, or by its path"
            )
        if found:
            rows[name] = found[0]
    return rows
