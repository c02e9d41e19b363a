"""Pair files with their labels -> the rank of every probe.

The files are those that :func:`facepart.matching.match.match_groups` and the original program write: authentic and
impostor pairs (probe, gallery, score), and labels, ``index folder/stem`` a line. With labels of a gallery the pairs
are across two lists, and only the first face of a pair is a probe; without, both are.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.counts import are, count_of
from facepart.data.naming_conventions import Rule
from facepart.data.path_lists import BLANKS
from facepart.errors import FacepartError
from facepart.files.array_input import read_array
from facepart.files.text_input import read_text
from facepart.scores.distribution import STEPS
from facepart.scores.ranks import Ranks, make_ranks
from facepart.scores.score_input import open_scores

# How many pairs of a large file are looked at at a time.
_BLOCK = 1 << 18
# How many pairs, the first of a file, are looked for in the other order.
_REMEMBERED = 1024


class PairFiles(NamedTuple):
    """The files of a group.

    Attributes:
        authentic: its authentic pairs.
        impostor: its impostor pairs.
        labels: of the probes.
        gallery_labels: of the gallery; None if the probes were compared with each other.
    """

    authentic: Path
    impostor: Path
    labels: Path
    gallery_labels: Path | None


class _Keyed(NamedTuple):
    """Pairs by a number of both faces.

    Attributes:
        keys: int64, (k,), the number of one face times the number of faces, and that of the other.
        steps: float64, (k,), the scores in millionths.
    """

    keys: NDArray[np.int64]
    steps: NDArray[np.float64]


def ranks_of_pairs(files: PairFiles, rule: Rule) -> Ranks:
    """Read the ranks of all probes off pair files.

    Args:
        files: the group's.
        rule: the naming convention: label -> subject.

    Raises:
        FacepartError: a file is missing or cannot be read, has other than three columns, or names a face without a
            label; the rule does not go with the pairs; or there are no labels of a gallery, but the pairs show that
            they are across two lists.
    """
    labels = [read_labels(path) for path in (files.labels, files.gallery_labels) if path is not None]
    subjects = [[rule(label) for label in each] for each in labels]
    numbers = {name: number for number, name in enumerate(sorted({name for each in subjects for name in each}))}
    who = [np.array([numbers[name] for name in each]) for each in subjects]
    sides = [who[0], who[-1]]
    within, count = len(labels) == 1, len(labels[0])
    best, highest = np.full((2, count), -np.inf)
    for faces, steps in _pairs(files.authentic, sides, authentic=True, within=within):
        for place in faces if within else faces[:1]:
            np.maximum.at(best, place, steps)
    above, bars = np.zeros(count, np.int64), np.where(np.isneginf(best), np.inf, best)
    for faces, steps in _pairs(files.impostor, sides, authentic=False, within=within):
        for place in faces if within else faces[:1]:
            np.maximum.at(highest, place, steps)
            above += np.bincount(place[steps > bars[place]], minlength=count)
    return make_ranks(labels[0], subjects[0], above, best, highest)


def read_labels(path: Path) -> list[str]:
    """Read labels, ``index label`` a line, with the indices in order from 0.

    Raises:
        FacepartError: the file is missing, or not of this form.
    """
    found: list[str] = []
    for line in read_text(path, "file of labels").split("\n"):
        index, _, label = line.strip(BLANKS).partition(" ")
        if not index:
            continue
        if index != str(len(found)) or not label:
            raise FacepartError(f"{path}: is not a file of labels: line {len(found) + 1} is not `{len(found)} label`")
        found.append(label)
    if not found:
        raise FacepartError(f"{path}: there are no labels in it")
    return found


def _pairs(
    path: Path, sides: list[NDArray[np.int64]], *, authentic: bool, within: bool
) -> Iterator[tuple[list[NDArray[np.int64]], NDArray[np.float64]]]:
    """Yield the faces on both sides of pairs, and the pairs' scores in millionths, some at a time.

    Raises:
        FacepartError: a pair has no label, is of the other kind by the subjects of its faces, or is said to be within
            one list and is not.
    """
    first, count = 0, len(sides[0])
    remembered: _Keyed | None = None
    for block in _read_blocks(path):
        if not np.isfinite(block).all():
            raise FacepartError(f"{path}: holds values that are not finite")
        for place, who in zip(block.T[:2], sides, strict=True):
            if (unknown := (place < 0) | (place >= len(who)) | (place % 1 != 0)).any():
                raise FacepartError(
                    f"{path}: names face {place[unknown][0]:.6g}, but there {are(len(who))} "
                    f"{count_of(len(who), 'label')}"
                )
        faces = [block[:, column].astype(np.int64) for column in (0, 1)]
        same = np.equal(*(who[place] for who, place in zip(sides, faces, strict=True)))
        if (same != authentic).any():
            row = first + int(np.argmax(same != authentic))
            shown = "two subjects" if authentic else "one subject"
            raise FacepartError(
                f"{path}: row {row} shows {shown} by the naming convention, which does not fit then; try another "
                "--dataset or --subject-pattern"
            )
        steps = np.rint(block[:, 2] * STEPS)
        if within:
            if remembered is None:
                keys = faces[0][:_REMEMBERED] * count + faces[1][:_REMEMBERED]
                order = np.argsort(keys)
                remembered = _Keyed(keys[order], steps[order])
            may_be = np.isin(faces[1], remembered.keys // count)  # few, which are looked for at some cost
            turned = faces[1][may_be] * count + faces[0][may_be]
            _refuse_two_lists(path, remembered, _Keyed(turned, steps[may_be]))
        yield faces, steps
        first += len(block)


def _refuse_two_lists(path: Path, first: _Keyed, turned: _Keyed) -> None:
    """Refuse pairs across two lists: within one list, two faces have the same score in either order.

    Args:
        path: of the pairs, for messages.
        first: the first pairs of the file.
        turned: some of its pairs, keyed in the other order.

    Raises:
        FacepartError: a pair has two scores that differ by more than their last digit.
    """
    places = np.minimum(np.searchsorted(first.keys, turned.keys), len(first.keys) - 1)
    apart = np.abs(first.steps[places] - turned.steps) > 1
    if ((first.keys[places] == turned.keys) & apart).any():
        raise FacepartError(
            f"{path}: has pairs of faces whose score in the other order differs, so the probes were compared with a "
            "gallery: give the gallery's labels with -lg"
        )


def _read_blocks(path: Path) -> Iterator[NDArray[np.float64]]:
    """Yield the rows of a pair file, float64, (k, 3), some at a time.

    Raises:
        FacepartError: the file is missing, cannot be read, or has other than three columns of numbers.
    """
    with open_scores(path, "a file of pairs") as here:
        blocks = _array_blocks(here, path) if here.suffix.lower() == ".npy" else _text_blocks(here)
        for block in blocks:
            if block.ndim != 2 or block.shape[1] != 3:
                raise FacepartError(f"{path}: has no pairs (probe, gallery, score), which ranks are made of")
            yield block.astype(np.float64)


def _array_blocks(path: Path, shown: Path) -> Iterator[NDArray[Any]]:
    """Yield the rows of a ``.npy``; of a large one, no more than these come into memory."""
    table = read_array(path, "a file of pairs", mapped=True, shown=shown)
    if not table.ndim or table.dtype.kind not in "fiu":
        raise ValueError("it holds no columns of numbers")
    for first in range(0, len(table), _BLOCK):
        yield table[first : first + _BLOCK]


def _text_blocks(path: Path) -> Iterator[NDArray[np.float64]]:
    """Yield the rows of a text, its columns separated by blanks, tabs or commas."""
    with path.open(encoding="utf-8-sig") as file:
        while lines := list(islice(file, _BLOCK)):
            rows = [line.replace(",", " ") for line in lines if line.strip()]
            if rows:
                yield np.loadtxt(rows, ndmin=2)
