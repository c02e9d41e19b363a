"""The batch runner of listed pairs: features on disk and a list of pairs -> score files.

For a group ``LFW`` it writes the score files of :mod:`facepart.matching.match`, with the pairs in the order of
the list, and ``LFW_pairs.csv``: a row for each pair of the list, in its order, with ``line`` (in the list),
``fold`` (empty without folds), ``probe`` and ``gallery`` (``folder/name``; as in the list if the photo has no
feature), ``label`` (``authentic`` or ``impostor``), ``score``, and ``note``, the reason why a pair has no score.
``run.json`` has the counts, and the accuracy by folds.

A pair of the list is compared unless one of its photos has no feature, or both are the same photo. A pair that is
listed several times, or in the other order, counts each time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from facepart.data.naming_conventions import check_naming, naming_rule
from facepart.data.pair_list import PairList
from facepart.errors import UsageError
from facepart.files.addresses import refuse_overwriting
from facepart.files.atomic import replacing
from facepart.files.csv_text import safe_cell
from facepart.files.progress import Progress, silent
from facepart.matching.faces import PairRows
from facepart.matching.fold_accuracy import accuracy_by_folds
from facepart.matching.groups import Group, recognise_groups, refuse_same_groups
from facepart.matching.listed_pairs import ListedOutcome, ListedPairs, resolve_pairs
from facepart.matching.output import Plan, Save, begin_group, listed_path, locked_output, record_group, write_pairs
from facepart.matching.pair_scores import score_pairs
from facepart.matching.subject_statistics import SubjectTailCounts, authentic_sums, first_bin_of
from facepart.scores import STEPS, GroupScores, ScoreDistribution, save_scores
from facepart.scores.files import scores_path
from facepart.scores.subject_sums import SubjectSums, Sums, save_subject_sums, subject_sums_path

# Pairs that are written at a time.
_BLOCK = 1 << 16
_COLUMNS = ("line", "fold", "probe", "gallery", "label", "score", "note")
_KINDS = ("impostor", "authentic")
_SAME_PHOTO = "same photo"


def match_pairs(
    groups: Sequence[Group],
    pairs: PairList,
    output: Path,
    *,
    dataset: str | None = None,
    subject_pattern: str | None = None,
    include_same_photo: bool = False,
    save: Save | None = None,
    workers: int,
    progress: Progress = silent,
) -> Iterator[ListedOutcome]:
    """Compare the pairs of a list in each group, one group after the other, and write their score files.

    All groups are checked before anything is written.

    Args:
        groups: features. With a gallery, the second photo of each pair is looked up there.
        pairs: which pairs are compared. Without labels, the naming convention tells authentic from impostor pairs.
        output: the folder to write to.
        dataset: the naming convention for reading the subject from a label
            (:data:`facepart.data.naming_conventions.DATASETS`); None to recognise it from the names
            (:mod:`facepart.data.recognise_convention`).
        subject_pattern: a regular expression instead of a rule.
        include_same_photo: across two lists, compare a photo also with its own other version.
        save: the score files: pairs, their distribution or both; None for both up to 50 million pairs.
        workers: threads; they do not change the results.
        progress: is called with (pairs compared, pairs in all) of the group at work.

    Yields:
        What was compared, group by group, when its files are there.

    Raises:
        FacepartError: none of the pairs can be compared, a photo of the list fits several features, a pair is
            listed with both labels, the naming convention is needed and does not fit, the features do not go
            together, the disk has no room, another run is writing there, or the output cannot be written.
        UsageError: the data set is not known, the pattern is no regular expression, or the list of pairs is where
            a table of pairs would be written.
    """
    check_naming(dataset, subject_pattern)
    dataset = dataset or _recognise(groups, pairs, subject_pattern)
    rule = None if dataset is None and subject_pattern is None else naming_rule(dataset, subject_pattern)
    common = {
        "pairs": str(pairs.source),
        "dataset": None if subject_pattern or pairs.subjects is not None or dataset is None else dataset.upper(),
        "subject_pattern": subject_pattern,
        "include_same_photo": include_same_photo,
    }
    refuse_same_groups(groups)
    refuse_overwriting([pairs.source], [listed_path(output, group.prefix) for group in groups])
    listed = [resolve_pairs(group, pairs, rule, common, save) for group in groups]
    plans = [Plan(each.group, each.counts, each.outcome.saved, each.subjects is not None) for each in listed]
    with locked_output(output, plans, listed=True):
        for each in listed:
            yield _compare(each, output, workers, progress)


def _recognise(groups: Sequence[Group], pairs: PairList, subject_pattern: str | None) -> str | None:
    """Recognise the naming convention; None where none is needed, or a labelled list can do without."""
    if subject_pattern is not None or pairs.subjects is not None:
        return None
    try:
        return recognise_groups(groups).dataset
    except UsageError:
        if pairs.authentic is None:
            raise
        return None


def _compare(listed: ListedPairs, output: Path, workers: int, progress: Progress) -> ListedOutcome:
    """Compare the pairs of a list, and write all files of the group."""
    group, outcome, chosen = listed.group, listed.outcome, listed.compared
    name = group.prefix
    begin_group(output, group, listed.settings)
    authentic = listed.authentic[chosen]
    rows = listed.first[chosen], listed.second[chosen]
    gallery = None if group.gallery is None else group.gallery.matrix
    steps = score_pairs(group.probe.matrix, gallery, *rows, authentic, workers=workers, progress=progress)
    if outcome.saved != "distribution":
        write_pairs(output, name, listed.counts, _score_rows(*rows, steps, authentic), silent)
    if outcome.saved != "pairs":
        if listed.subjects is not None:
            sums = _sum_by_subject(listed.subjects, listed.sides, steps, authentic)
            save_subject_sums(subject_sums_path(output, name), sums)
        tables = [np.bincount(steps[kind] + STEPS, minlength=1) for kind in (authentic, ~authentic)]
        scores = GroupScores(*(ScoreDistribution.of_table(table) for table in tables))
        save_scores(scores_path(output, name), scores)
    _write_list(listed_path(output, name), listed, steps)
    folds = None if listed.pairs.folds is None else listed.pairs.folds[chosen]
    if folds is not None and folds[0] != folds[-1]:
        outcome = replace(outcome, accuracy=accuracy_by_folds(steps, authentic, folds))
    record_group(output, group.name, listed.settings, outcome.for_record())
    return outcome


def _score_rows(
    first: NDArray[np.int32], second: NDArray[np.int32], steps: NDArray[np.int32], authentic: NDArray[np.bool_]
) -> Iterator[PairRows]:
    """Yield the rows of the score files, authentic and impostor, in the order of the list."""
    for begin in range(0, len(steps), _BLOCK):
        block = slice(begin, begin + _BLOCK)
        rows = np.stack([first[block], second[block], steps[block] / STEPS], axis=1)
        yield PairRows(rows[authentic[block]], rows[~authentic[block]])


def _sum_by_subject(
    subjects: NDArray[np.str_],
    sides: Sequence[NDArray[np.int32]],
    steps: NDArray[np.int32],
    authentic: NDArray[np.bool_],
) -> SubjectSums:
    """Sum up the scores by subject; an impostor score belongs to two of them."""
    size, scores = len(subjects), steps / STEPS
    first_bin = first_bin_of(scores[~authentic], scores[authentic])
    ours = authentic_sums(
        size, (sides[0][authentic].astype(np.int64), scores[authentic].astype(np.float32)), first_bin
    )
    count, (total, squares) = np.zeros(size, np.int64), np.zeros((2, size))
    tails = SubjectTailCounts(size, first_bin)
    impostor = scores[~authentic]
    shown = [side[~authentic] for side in sides]
    for side in shown:
        count += np.bincount(side, minlength=size)
        total += np.bincount(side, impostor, minlength=size)
        squares += np.bincount(side, impostor**2, minlength=size)
    of_impostors = steps[~authentic]
    high = of_impostors >= first_bin
    one, other = (torch.from_numpy(side[high].astype(np.int64)) for side in shown)
    tails.add(one, other, torch.from_numpy(of_impostors[high]))
    return SubjectSums(subjects, first_bin, ours, Sums(count, total, squares, tails.bins()))


def _write_list(path: Path, listed: ListedPairs, steps: NDArray[np.int32]) -> None:
    """Write the pairs in the order of the list, each with its score."""
    ours = [_quoted(label) for label in listed.group.probe.labels]
    gallery = listed.group.gallery
    theirs = ours if gallery is None else [_quoted(label) for label in gallery.labels]
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", errors="replace", newline="") as file:
        file.write(",".join(_COLUMNS) + "\n")
        done = 0
        for begin in range(0, len(listed.first), _BLOCK):
            block = slice(begin, begin + _BLOCK)
            compared = int(listed.compared[block].sum())
            rows = zip(*_list_columns(listed, block, steps[done : done + compared], ours, theirs), strict=True)
            file.writelines(f"{row}\n" for row in map(",".join, rows))
            done += compared


def _list_columns(
    listed: ListedPairs, block: slice, steps: NDArray[np.int32], ours: Sequence[str], theirs: Sequence[str]
) -> list[list[str]]:
    """Return the columns of some pairs of the list.

    Args:
        listed: the list.
        block: which of its pairs.
        steps: the scores of those that were compared.
        ours: labels of the probes, as they stand in a CSV.
        theirs: likewise of the gallery.
    """
    pairs, compared = listed.pairs, listed.compared[block]
    scores = np.zeros(len(compared))
    scores[compared] = steps / STEPS
    lines = [str(line) for line in pairs.lines[block].tolist()]
    folds = [""] * len(lines) if pairs.folds is None else [str(fold) for fold in pairs.folds[block].tolist()]
    probe = [ours[row] for row in listed.first[block].tolist()]
    gallery = [theirs[row] for row in listed.second[block].tolist()]
    labels = [_KINDS[kind] for kind in listed.authentic[block].tolist()]
    texts, notes = [f"{score:.6f}" for score in scores.tolist()], [""] * len(lines)
    for place in np.flatnonzero(~compared).tolist():
        texts[place], notes[place] = "", _SAME_PHOTO
        if listed.same[block][place]:
            continue
        sides = ((probe, listed.first, pairs.first), (gallery, listed.second, pairs.second))
        for names, rows, numbers in reversed(sides):
            if rows[block][place] < 0:
                names[place] = _quoted(pairs.names[numbers[block][place]])
                notes[place] = "no feature of the " + ("probe" if names is probe else "gallery photo")
        if pairs.authentic is None:
            labels[place] = ""
    return [lines, folds, probe, gallery, labels, texts, notes]


def _quoted(text: str) -> str:
    """Return a text as a CSV has it; no spreadsheet runs it (:func:`facepart.files.csv_text.safe_cell`)."""
    text = str(safe_cell(text))
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in '",\r\n') else text
