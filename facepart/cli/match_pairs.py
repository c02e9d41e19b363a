"""``facepart match --pairs``: what it refuses, and what it prints."""

import argparse
import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from facepart.counts import count_of
from facepart.data.group_files import group_prefix
from facepart.errors import UsageError
from facepart.matching.output import listed_path
from facepart.scores.files import pairs_paths, scores_path

if TYPE_CHECKING:
    from facepart.matching.listed_pairs import ListedOutcome

_DEVICES = ("cpu", "auto")


def refuse_conflicts(arguments: argparse.Namespace) -> None:
    """Refuse options that do not go with a list of pairs."""
    given = {
        "--people": arguments.people is not None,
        "--exclude-same": arguments.exclude_same is not None,
        "--ranks": arguments.ranks,
        "--ray": arguments.ray is not None,
        f"--device {arguments.device}": arguments.device not in _DEVICES,
    }
    for option, there in given.items():
        if there:
            raise UsageError(f"--pairs compares the pairs of a list, on the CPU: leave out {option} or --pairs")


def listed_lines(outcomes: "Iterable[ListedOutcome]", arguments: argparse.Namespace) -> Iterator[str]:
    """Yield a line for each group when its pairs have been compared; warn once that is printed."""
    for outcome in outcomes:
        yield _summary(outcome, arguments)
        _warn(outcome, arguments)


def _summary(outcome: "ListedOutcome", arguments: argparse.Namespace) -> str:
    folder, group = arguments.output, group_prefix(outcome.group)
    scores, pairs = scores_path(folder, group), pairs_paths(folder, group)
    files = {"pairs": pairs, "distribution": [scores], "both": [scores, *pairs]}[outcome.saved]
    line = (
        f"{outcome.group}: compared {outcome.compared} of {count_of(outcome.pairs, 'pair')}: {outcome.authentic} "
        f"authentic and {count_of(outcome.impostor, 'impostor score')}, written to "
        f"{', '.join(map(str, files))} and {listed_path(folder, group)}"
    )
    if outcome.accuracy is not None:
        accuracy = outcome.accuracy
        line += (
            f"; accuracy {100 * accuracy.mean:.2f} %, standard error {100 * accuracy.standard_error:.2f} %, over "
            f"{len(accuracy.folds)} folds"
        )
    return line


def _warn(outcome: "ListedOutcome", arguments: argparse.Namespace) -> None:
    logger = logging.getLogger(__name__)
    group, source = outcome.group, arguments.pairs
    missing = outcome.photos_without
    if missing.count:
        logger.warning(
            "%s: %d of %d pairs are not compared, because %s no embedding, e.g. %s (%s, line %d)",
            *(group, outcome.without_feature, outcome.pairs),
            f"{count_of(missing.count, 'photo')} {'has' if missing.count == 1 else 'have'}",
            *(missing.name, source, missing.line),
        )
    if outcome.same_photo.count:
        logger.warning(
            "%s: %s of a photo with itself left out, e.g. line %d of %s",
            *(group, count_of(outcome.same_photo.count, "pair"), outcome.same_photo.line, source),
        )
    if outcome.repeated.count:
        logger.warning(
            "%s: %s an earlier one, e.g. line %d of %s; each counts",
            group,
            f"{count_of(outcome.repeated.count, 'pair')} {'repeats' if outcome.repeated.count == 1 else 'repeat'}",
            *(outcome.repeated.line, source),
        )
    if outcome.folds is not None:
        left = 0 if outcome.accuracy is None else len(outcome.accuracy.folds)
        if left < outcome.folds:
            lost = f"{outcome.folds - left} of {outcome.folds} folds have no compared pairs" if left else ""
            logger.warning(
                "%s: %s", group, lost or "no accuracy by folds: fewer than two folds have pairs that were compared"
            )
    _warn_of_labels(outcome, arguments)


def _warn_of_labels(outcome: "ListedOutcome", arguments: argparse.Namespace) -> None:
    logger = logging.getLogger(__name__)
    contradicted, source = outcome.contradicted, arguments.pairs
    if outcome.subjects is None:
        reason = contradicted.name or (
            f"the labels of {count_of(contradicted.count, 'pair')}, e.g. line {contradicted.line} of {source}, are "
            "not those of the naming convention (-d, --subject-pattern)"
        )
        logger.warning(
            "%s: %s; the labels of the list are used, and %s_people.npz, which CIs need, is not written",
            *(outcome.group, reason, arguments.output / outcome.group),
        )
    for kind in ("authentic", "impostor"):
        if not getattr(outcome, kind):
            logger.warning("%s: no %s pairs were compared", outcome.group, kind)
