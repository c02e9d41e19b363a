"""A list of pairs and features -> the rows of each pair, and which pairs are authentic, compared, or not."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.counts import count_of
from facepart.data.labels import nfc
from facepart.data.naming_conventions import Rule
from facepart.data.pair_list import PairList
from facepart.errors import FacepartError
from facepart.matching.faces import PairCounts, number
from facepart.matching.features import Features, refuse_unlike
from facepart.matching.fold_accuracy import FoldAccuracy
from facepart.matching.groups import Group
from facepart.matching.output import Save, choose_save, group_settings
from facepart.matching.pair_lookup import find_rows
from facepart.matching.same_photo import photo_keys

# Features, and the row of each pair among them, -1 without a feature.
_Side = tuple[Features, NDArray[np.int32]]


@dataclass(frozen=True)
class Example:
    """Some pairs or photos of a list: how many, and the first of them.

    Attributes:
        count: how many there are.
        line: the line of the first; 0 if there are none.
        name: what it is called; empty if its line says enough.
    """

    count: int = 0
    line: int = 0
    name: str = ""


@dataclass(frozen=True)
class ListedOutcome:
    """What a run compared.

    Attributes:
        group: its name.
        pairs: number of pairs in the list.
        authentic: authentic scores written.
        impostor: impostor scores written.
        without_feature: pairs not compared because a photo has no feature.
        photos_without: the photos without a feature.
        same_photo: pairs not compared because both photos are the same.
        repeated: pairs that repeat an earlier one, in the same or the other order; they count each time.
        contradicted: pairs whose label in the list is not what the naming convention says; the list's counts.
        subjects: number of subjects; None if the naming convention does not fit the labels of the list.
        saved: what was written: ``pairs``, ``distribution`` or ``both``.
        accuracy: by folds; None without folds, or if fewer than two have pairs that were compared.
        folds: number of folds in the list; None without folds.
    """

    group: str
    pairs: int
    authentic: int
    impostor: int
    without_feature: int
    photos_without: Example
    same_photo: Example
    repeated: Example
    contradicted: Example
    subjects: int | None
    saved: Save
    accuracy: FoldAccuracy | None
    folds: int | None

    @property
    def compared(self) -> int:
        """The number of pairs that were compared."""
        return self.authentic + self.impostor

    def for_record(self) -> dict[str, Any]:
        """Return what the record says of it."""
        counts = asdict(self)
        del counts["group"]
        for key in ("photos_without", "same_photo", "repeated", "contradicted"):
            counts[key] = counts[key]["count"]
        if self.accuracy is not None:
            folds = [fold._asdict() for fold in self.accuracy.folds]
            counts["accuracy"] = {**self.accuracy._asdict(), "folds": folds}
        return {**counts, "compared": self.compared}


@dataclass(frozen=True)
class ListedPairs:
    """A list of pairs in rows of features, before anything is compared.

    Attributes:
        group: the features.
        pairs: the list.
        first: int32, (n,), the first feature of each pair; -1 without one.
        second: int32, (n,), likewise the second.
        authentic: bool, (n,); False for a pair without a feature in a list without labels.
        same: bool, (n,), pairs of one photo.
        compared: bool, (n,).
        subjects: their names, sorted; None if the naming convention does not fit the labels of the list.
        sides: int32, two of (number of pairs compared,), the subjects of their photos; none without subjects.
        outcome: what will have been compared, without accuracy.
        settings: for the record.
    """

    group: Group
    pairs: PairList
    first: NDArray[np.int32]
    second: NDArray[np.int32]
    authentic: NDArray[np.bool_]
    same: NDArray[np.bool_]
    compared: NDArray[np.bool_]
    subjects: NDArray[np.str_] | None
    sides: Sequence[NDArray[np.int32]]
    outcome: ListedOutcome
    settings: dict[str, Any]

    @property
    def counts(self) -> PairCounts:
        """How many pairs there are of each kind."""
        return PairCounts(self.outcome.authentic, self.outcome.impostor, self.outcome.same_photo.count)


def resolve_pairs(
    group: Group, pairs: PairList, rule: Rule | None, common: dict[str, Any], save: Save | None
) -> ListedPairs:
    """Find the features of the pairs, and which pairs are authentic and compared.

    Args:
        group: the features.
        pairs: the list.
        rule: the naming convention: label -> subject; None if the labels follow none.
        common: settings that all groups share, for the record.
        save: what was asked to be written.

    Raises:
        FacepartError: see :func:`facepart.matching.match_listed.match_pairs`.
    """
    probe, gallery = group.probe, group.gallery
    if gallery is None:
        rows = find_rows(pairs, probe, np.arange(len(pairs.names)))
        sides = [(probe, rows[pairs.first]), (probe, rows[pairs.second])]
    else:
        refuse_unlike(probe, gallery)
        of_sides = zip((probe, gallery), (pairs.first, pairs.second), strict=True)
        sides = [(side, find_rows(pairs, side, np.unique(names))[names]) for side, names in of_sides]
    first, second = sides[0][1], sides[1][1]
    found = (first >= 0) & (second >= 0)
    subjects, shown, unread = _read_subjects(pairs, sides, rule)
    authentic = found & (shown[0] == shown[1]) if pairs.authentic is None else pairs.authentic
    by_label = common["include_same_photo"] or gallery is None
    keys: Sequence[Sequence[Hashable]] = [list(map(nfc, side.labels)) for side, _ in sides]
    if not by_label:
        keys = photo_keys([side for side, _ in sides], [[""] * len(side.labels) for side, _ in sides])
    photos = _number_rows(sides, keys)
    same = found & (photos[0] == photos[1]) & (authentic | by_label)
    compared = found & ~same
    contradicted = Example(name=unread)
    if not unread:
        contradicted = _example(pairs, compared & ((shown[0] == shown[1]) != authentic))
    fits = not (unread or contradicted.count)
    missing = _photos_without(pairs, sides)
    if not compared.any():
        first_missing = f", e.g. {missing.name} (line {missing.line})" if missing.count else ""
        raise FacepartError(
            f"{pairs.source}: no pair of {len(found)} can be compared: {count_of(missing.count, 'photo')} without an "
            f"embedding in {_sources(group)}{first_missing}; a photo is named as folder/name, as the embeddings are"
        )
    counts = PairCounts(int((compared & authentic).sum()), int((compared & ~authentic).sum()), int(same.sum()))
    outcome = ListedOutcome(
        group=group.name,
        pairs=len(found),
        authentic=counts.authentic,
        impostor=counts.impostor,
        without_feature=int((~found).sum()),
        photos_without=missing,
        same_photo=_example(pairs, same),
        repeated=_find_repeated(pairs, first, second, compared, authentic, within=gallery is None),
        contradicted=contradicted,
        subjects=None,
        saved=choose_save(save, counts),
        accuracy=None,
        folds=None if pairs.folds is None else int(pairs.folds[-1]),
    )
    settings = {**group_settings(group, common), "device": "cpu"}
    names: NDArray[np.str_] | None = None
    numbers: list[NDArray[np.int32]] = []
    if fits:
        names, numbers = _rank_subjects(subjects, [side[compared] for side in shown])
        outcome = replace(outcome, subjects=len(names))
    return ListedPairs(group, pairs, first, second, authentic, same, compared, names, numbers, outcome, settings)


def _rank_subjects(
    subjects: Sequence[str], sides: Sequence[NDArray[np.int64]]
) -> tuple[NDArray[np.str_], list[NDArray[np.int32]]]:
    """Sort the subjects that occur, and number them anew; return their names, and the numbers on either side."""
    occurs = np.zeros(len(subjects), np.bool_)
    for side in sides:
        occurs[side] = True
    used = np.flatnonzero(occurs)
    names = np.array([subjects[subject] for subject in used.tolist()], dtype=np.str_)
    order = np.argsort(names, kind="stable")
    places = np.empty(len(subjects), np.int32)
    places[used[order]] = np.arange(len(order))
    return names[order], [places[side] for side in sides]


def _read_subjects(
    pairs: PairList, sides: Sequence[_Side], rule: Rule | None
) -> tuple[list[str], Sequence[NDArray[np.int64]], str]:
    """Return the subjects, their numbers on either side of the pairs, and why they cannot be read, if so."""
    known: dict[Hashable, int] = {}
    if pairs.subjects is not None:
        numbers = number(pairs.subjects, known)
        return list(map(str, known)), (numbers[pairs.first], numbers[pairs.second]), ""
    nobody = np.full(len(pairs.first), -1)
    if rule is None:
        return [], (nobody, nobody), "the names follow no known convention, or several; give one with -d"
    try:
        read = [{row: rule(features.labels[row]) for row in _used(rows)} for features, rows in sides]
    except FacepartError as error:
        if pairs.authentic is None:
            raise
        return [], (nobody, nobody), str(error)
    shown = _number_rows(sides, read, known)
    return list(map(str, known)), shown, ""


def _number_rows(
    sides: Sequence[_Side],
    read: Sequence[Sequence[Hashable] | Mapping[int, Hashable]],
    known: dict[Hashable, int] | None = None,
) -> list[NDArray[np.int64]]:
    """Number what was read of the features on either side; -1 where there is no feature."""
    known = {} if known is None else known
    found = []
    for (features, rows), of_side in zip(sides, read, strict=True):
        used = _used(rows)
        of_row = np.full(len(features.labels) + 1, -1, np.int64)  # the last one for -1
        of_row[used] = number([of_side[row] for row in used], known)
        found.append(of_row[rows])
    return found


def _used(rows: NDArray[np.int32]) -> list[int]:
    used: list[int] = np.unique(rows[rows >= 0]).tolist()
    return used


def _sources(group: Group) -> str:
    return str(group.probe.source) + ("" if group.gallery is None else f" or {group.gallery.source}")


def _example(pairs: PairList, chosen: NDArray[np.bool_]) -> Example:
    count = int(chosen.sum())
    return Example(count, int(pairs.lines[np.argmax(chosen)])) if count else Example()


def _photos_without(pairs: PairList, sides: Sequence[_Side]) -> Example:
    """Return how many photos have no feature on a side where they are needed, and the first in the list."""
    names = [side[rows < 0] for side, (_, rows) in zip((pairs.first, pairs.second), sides, strict=True)]
    missing = np.unique(np.concatenate(names))
    if not len(missing):
        return Example()
    lacking = np.stack([rows < 0 for _, rows in sides])
    place = int(np.argmax(lacking.any(0)))
    name = (pairs.first if lacking[0, place] else pairs.second)[place]
    return Example(len(missing), int(pairs.lines[place]), pairs.names[name])


def _find_repeated(
    pairs: PairList,
    first: NDArray[np.int32],
    second: NDArray[np.int32],
    compared: NDArray[np.bool_],
    authentic: NDArray[np.bool_],
    *,
    within: bool,
) -> Example:
    """Find pairs that repeat an earlier one.

    Raises:
        FacepartError: one of them has another label than the earlier one.
    """
    chosen = np.flatnonzero(compared)
    one, other = (side[chosen].astype(np.int64) for side in (first, second))
    if within:
        one, other = np.minimum(one, other), np.maximum(one, other)
    keys = one * (int(other.max()) + 1) + other
    order = np.argsort(keys, kind="stable")
    equal = keys[order][1:] == keys[order][:-1]
    before, after = (chosen[places][equal] for places in (order[:-1], order[1:]))
    differ = authentic[before] != authentic[after]
    if differ.any():
        place = int(np.argmax(differ))
        lines = (int(pairs.lines[found[place]]) for found in (before, after))
        raise FacepartError(
            f"{pairs.source}: lines {next(lines)} and {next(lines)} list one pair with different labels; correct them"
        )
    return Example(len(after), int(pairs.lines[after.min()])) if len(after) else Example()
