"""The batch runner of matching: features on disk -> score files.

For a group ``CM`` it writes ``CM_scores.npz`` (:mod:`facepart.scores.files`), ``CM_people.npz`` with sums by subject
(:mod:`facepart.scores.subject_sums`) and, unless there are too many pairs, ``CM_authentic.npy`` and
``CM_impostor.npy`` (float64, (n, 3): probe row, gallery row, cosine), ``CM_labels.txt`` and, with a gallery,
``CM_gallery_labels.txt`` (``row label``), with ``ranks`` ``CM_ranks.csv`` (:mod:`facepart.scores.ranks`), and
``run.json``, a record of all groups in the folder. A score file is one result of all features, so there is nothing to
resume: a run computes it anew and replaces it when it is whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.data.naming_conventions import check_naming, find_exclusion, naming_rule
from facepart.files.progress import Progress, silent
from facepart.matching.cosine import unit_rows
from facepart.matching.counting import subject_order
from facepart.matching.faces import Faces
from facepart.matching.features import Features
from facepart.matching.groups import (
    Group,
    read_group,
    recognise_groups,
    refuse_photos_in_no_folder,
    refuse_same_groups,
)
from facepart.matching.output import Plan, Save, begin_group, locked_output, record_group, write_pairs
from facepart.matching.pair_counter import LocalPairCounter, LocalPairs, PairCounter
from facepart.matching.pairs import pair_blocks
from facepart.matching.prepare import MatchOutcome, Prepared, label_depth, prepare
from facepart.matching.rank_counter import RankCounter, best_authentic
from facepart.matching.subject_statistics import (
    SubjectTailCounts,
    authentic_scores,
    authentic_sums,
    choose_first_bin,
    impostor_moments,
)
from facepart.matching.threads import one_thread_each
from facepart.networks.engine_choice import choose_device
from facepart.processors import processors
from facepart.scores import GroupScores, save_scores
from facepart.scores.files import scores_path
from facepart.scores.ranks import Ranks, make_ranks, ranks_path, save_ranks
from facepart.scores.subject_sums import SubjectSums, Sums, save_subject_sums, subject_sums_path


def match_features(probe: Path, gallery: Path | None, output: Path, group: str, **options: Any) -> MatchOutcome:
    """Compare the features of one group and write its score files.

    Args:
        probe: a list of features, or a matrix ``features.npy``.
        gallery: what they are compared with, of either form; None compares the probes with each other.
        output: the folder to write to.
        group: its name, with which the files' names begin (:mod:`facepart.data.group_files`).
        options: those of :func:`match_groups`, which also lists what is raised.
    """
    (outcome,) = match_groups([read_group(group, probe, gallery)], output, **options)
    return outcome


def match_groups(
    groups: Sequence[Group],
    output: Path,
    *,
    dataset: str | None = None,
    subject_pattern: str | None = None,
    exclude_same: str | None = None,
    depth: int | None = None,
    include_same_photo: bool = False,
    save: Save | None = None,
    ranks: bool = False,
    device: str = "cpu",
    workers: int | None = None,
    min_threshold: float = 1.0,
    counter: PairCounter | None = None,
    progress: Progress = silent,
) -> Iterator[MatchOutcome]:
    """Compare the features of groups, one group after the other, and write their score files.

    All groups are checked before anything is written.

    Args:
        groups: what to compare.
        output: the folder to write to.
        dataset: the naming convention for reading the subject from a label
            (:data:`facepart.data.naming_conventions.DATASETS`); None to recognise it from the names
            (:mod:`facepart.data.recognise_convention`).
        subject_pattern: a regular expression instead of a rule.
        exclude_same: a regular expression that finds the session of a photo in ``folder/stem``: authentic pairs of
            one session are left out. See :func:`facepart.data.naming_conventions.find_exclusion`.
        depth: folders and name of labels; None for as many as are needed (:mod:`facepart.data.labels`).
        include_same_photo: across two lists, compare a photo also with its own other version (same subject and
            same name, another folder), as the original program does. It is left out by default, because a photo
            and its blurred copy share all but the part: such pairs inflate the authentic scores.
        save: the pairs, their distribution or both; None for both up to 50 million pairs, beyond that the
            distribution.
        ranks: whether the rank of every probe is counted, too.
        device: where the distribution alone is counted: ``cpu``, ``cuda``, ``cuda:<number>``, or ``auto``. Pairs that
            are written are always compared on the CPU: the disk is slower than that.
        workers: threads on the CPU; None for one a processor that this process may use. They do not change the
            results.
        min_threshold: a threshold at which the FMR of each subject is needed, besides those of FMRs up to 2 % and
            of the EER.
        counter: counts the scores of groups of which the distribution alone is saved, such as a cluster; None for
            this machine, on `device`. It does not change the results.
        progress: is called with (pairs compared, pairs in all) of the group at work.

    Yields:
        What was compared, group by group, when its files are there.

    Raises:
        FacepartError: there are no impostor pairs in a group because all photos show one subject, the features do not
            go together, the disk has no room for the pairs, another run is writing there, or the output cannot be
            written. A group without authentic pairs is no error: one photo per subject suffices for impostor scores,
            which are half of the answer; the outcome says so.
        UsageError: the data set is not known or, without one, cannot be recognised; or a pattern is no regular
            expression.
    """
    device = choose_device(device) if counter is None else "cpu"
    workers = workers or processors()
    counter = counter or LocalPairCounter(workers, device)
    check_naming(dataset, subject_pattern, exclude_same)
    if dataset is None and subject_pattern is None:
        dataset = recognise_groups(groups).dataset
    rule = naming_rule(dataset, subject_pattern)
    if dataset is not None and subject_pattern is None:
        refuse_photos_in_no_folder(groups, dataset)
    exclusion = find_exclusion(dataset, subject_pattern, exclude_same)
    common = {
        "dataset": None if subject_pattern else str(dataset).upper(),
        "subject_pattern": subject_pattern,
        "exclude_same": exclude_same,
        "include_same_photo": include_same_photo,
    }
    refuse_same_groups(groups)
    depth = depth or label_depth(groups, rule, exclusion)
    prepared = [prepare(group.with_depth(depth), rule, exclusion, common, save) for group in groups]
    plans = [Plan(each.group, each.counts, each.outcome.saved) for each in prepared]
    with locked_output(output, plans, ranks=ranks):
        for each in prepared:
            yield _compare(each, output, device, workers, min_threshold, counter, progress, ranks)


def score_by_subject(
    probe: Features,
    group: str,
    *,
    dataset: str,
    subject_pattern: str | None,
    exclude_same: str | None,
    depth: int,
    min_threshold: float,
    counter: PairCounter | None,
) -> tuple[GroupScores, SubjectSums]:
    """Compare the features of a group with each other, as :func:`match_groups` does, and write nothing.

    Args:
        probe: the features.
        group: its name.
        dataset: the other arguments are those of :func:`match_groups`.
        subject_pattern: likewise.
        exclude_same: likewise.
        depth: likewise.
        min_threshold: likewise.
        counter: counts the scores; None for this machine.

    Raises:
        FacepartError: all photos show one subject.
    """
    rule = naming_rule(dataset, subject_pattern)
    exclusion = find_exclusion(dataset, subject_pattern, exclude_same)
    whole = Group(group, probe, None).with_depth(depth)
    prepared = prepare(whole, rule, exclusion, {"include_same_photo": False}, "distribution")
    scores, sums, _ = _count(prepared, counter or LocalPairCounter(processors()), None, min_threshold)
    return scores, sums


def _compare(
    prepared: Prepared,
    output: Path,
    device: str,
    workers: int,
    min_threshold: float,
    counter: PairCounter,
    progress: Progress,
    with_ranks: bool,
) -> MatchOutcome:
    """Compare a group and write all its files."""
    group, outcome, prefix = prepared.group, prepared.outcome, prepared.group.prefix
    pairs_to = None
    if outcome.saved != "distribution":
        device, pairs_to = "cpu", output
    settings = {**prepared.settings, "device": device}
    begin_group(output, group, settings)
    scores, sums, ranks = _count(prepared, counter, pairs_to, min_threshold, device, workers, progress, with_ranks)
    if outcome.saved != "pairs":
        save_subject_sums(subject_sums_path(output, prefix), sums)
        save_scores(scores_path(output, prefix), scores)
    if ranks is not None:
        save_ranks(ranks_path(output, prefix), ranks)
        outcome = replace(outcome, ranked=int(ranks.ranked.sum()), ranked_first=int((ranks.ranks == 1).sum()))
    counts = asdict(outcome)
    del counts["group"]
    record_group(output, group.name, settings, counts)
    return outcome


def _count(
    prepared: Prepared,
    counter: PairCounter,
    pairs_to: Path | None,
    min_threshold: float,
    device: str = "cpu",
    workers: int = 1,
    progress: Progress = silent,
    with_ranks: bool = False,
) -> tuple[GroupScores, SubjectSums, Ranks | None]:
    """Count the scores of a group: by the counter or, if pairs are to be written to a folder, by writing them."""
    left, right = _normalised(prepared.left), prepared.right and _normalised(prepared.right)
    subjects = len(prepared.subjects)
    order = subject_order(left) if pairs_to is None else np.arange(len(left.subjects))
    # The moments need no score: they are computed, by one thread, while the scores are counted.
    with one_thread_each(1) as beside:
        moments = beside.submit(impostor_moments, subjects, left, right, device)
        authentic = authentic_scores(left, right)
        first_bin = choose_first_bin(left, right, authentic[1], min_threshold)
        ours = authentic_sums(subjects, authentic, first_bin)
        del authentic
        best = best_authentic(left, right, workers) if with_ranks else None
        ranks = None if best is None else RankCounter(best[order], device)
        if pairs_to is None:
            pairs = counter.load(left, right)
            del left, right
            if not isinstance(pairs, LocalPairs):
                moments.result()  # what has copies elsewhere counts without the faces here, which need not stay
            tails = SubjectTailCounts(subjects, first_bin, device)
            scores = pairs.count(tails=tails, ranks=ranks, progress=progress)
        else:
            tails = SubjectTailCounts(subjects, first_bin, device)
            blocks = pair_blocks(left, right, workers=workers, tails=tails, ranks=ranks)
            scores = write_pairs(pairs_to, prepared.group.prefix, prepared.counts, blocks, progress=progress)
        theirs = moments.result()
    sums = SubjectSums(prepared.subjects, first_bin, ours, Sums(*theirs, tails.bins()))
    return scores, sums, None if best is None or ranks is None else _ranks_of(prepared, best, order, ranks)


def _ranks_of(prepared: Prepared, best: NDArray[np.float32], order: NDArray[np.int64], ranks: RankCounter) -> Ranks:
    """Return the ranks of a group's probes, which were counted in another order."""
    _, *counted = ranks.counts()
    above, highest = (np.empty_like(values) for values in counted)
    above[order], highest[order] = counted
    subjects = prepared.subjects[prepared.left.subjects].tolist()
    return make_ranks(prepared.group.probe.labels, subjects, above, best, highest)


def _normalised(faces: Faces) -> Faces:
    return faces._replace(embeddings=unit_rows(faces.embeddings))
