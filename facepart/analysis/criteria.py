"""Criteria by which parts are ranked: what is asked of a part, and its effect, larger where it matters more.

Criteria differ. The mean impostor score rises when a part is occluded that tells people apart, but also when an
occlusion makes all photos alike without taking identity away, such as a patch of one colour. Error rates may say
otherwise: whether more impostors pass a fixed threshold (FMR ratio), and whether the two distributions come closer
(d'). So a study ranks its parts by every criterion that it supports, and says where these disagree.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from facepart.analysis.choices import (
    AUTHENTIC_CROSS,
    D_PRIME,
    EQUAL_AREA,
    FMR_RATIO,
    FNMR,
    IMPORTANCE,
    SHIFT,
)
from facepart.analysis.influence import Influence, SubjectScores, log_ratio
from facepart.analysis.metrics import (
    STUDY_FMRS,
    authentic_mean_influence,
    d_prime_influence,
    fmr_influence,
    fnmr_at_fmr_influence,
    kendall_tau,
    supports,
    threshold_at_fmr,
)

# The FMR of criteria that need a threshold.
TARGET = STUDY_FMRS[0]


class Compared(NamedTuple):
    """The scores of the same photos in the conditions of one part.

    Attributes:
        baseline: unoccluded.
        occluded: with the part occluded.
        crossed: occluded probes against the baseline gallery; None if they were not compared.
    """

    baseline: SubjectScores
    occluded: SubjectScores
    crossed: SubjectScores | None


class Unsupported(NamedTuple):
    """Why scores do not support a criterion, for readers."""

    reason: str


TOO_FEW_IMPOSTOR = Unsupported("fewer than ten expected false matches")
NO_FALSE_MATCH = Unsupported("no false match")
NO_AUTHENTIC = Unsupported("no authentic scores")
NO_FALSE_NON_MATCH = Unsupported("no false non-match")
FEW_PATCHES = Unsupported("the area fits within the part in under half of the photos")
NOT_CROSSED = Unsupported("no cross-matching")


@dataclass(frozen=True)
class Criterion:
    """A criterion.

    Attributes:
        label: its name for readers.
        question: what it asks of a part.
        effect: the effect from the scores, larger where the part matters more, or why the scores do not support it;
            None for a criterion of mean impostor scores, which follow from the embeddings
            (:mod:`facepart.analysis.embedding_means`).
    """

    label: str
    question: str
    effect: Callable[[Compared], Influence | Unsupported] | None = None


def fmr_ratio_effect(compared: Compared) -> Influence | Unsupported:
    """Return the logarithm of the FMR ratio at the baseline threshold.

    Unsupported where too few impostor scores support the threshold, or where there is no false match to take the
    logarithm of.
    """
    if not supports(compared.baseline.scores.impostor, TARGET):
        return TOO_FEW_IMPOSTOR
    threshold = threshold_at_fmr(compared.baseline.scores.impostor, TARGET)
    after, before = fmr_influence(compared.occluded, threshold), fmr_influence(compared.baseline, threshold)
    if not (after.value and before.value):
        return NO_FALSE_MATCH
    return log_ratio(after, before)


def d_prime_effect(compared: Compared) -> Influence | Unsupported:
    """Return by how much d' falls; unsupported without authentic scores."""
    if not _has_authentic(compared.baseline, compared.occluded):
        return NO_AUTHENTIC
    return d_prime_influence(compared.baseline).minus(d_prime_influence(compared.occluded))


def fnmr_effect(compared: Compared) -> Influence | Unsupported:
    """Return by how much the FNMR rises, each at its own threshold.

    Unsupported where the scores do not support the thresholds, and where there is no false non-match before or after:
    a rise of 0 would then have a standard error of 0, as if it were certain.
    """
    both = compared.baseline, compared.occluded
    if not _has_authentic(*both):
        return NO_AUTHENTIC
    if not all(supports(each.scores.impostor, TARGET) for each in both):
        return TOO_FEW_IMPOSTOR
    before, after = (fnmr_at_fmr_influence(each, TARGET) for each in both)
    return after.minus(before) if before.value or after.value else NO_FALSE_NON_MATCH


def authentic_cross_effect(compared: Compared) -> Influence | Unsupported:
    """Return by how much the mean authentic score falls if only the probes are occluded.

    Unsupported without such scores.
    """
    if compared.crossed is None:
        return NOT_CROSSED
    if not _has_authentic(compared.baseline, compared.crossed):
        return NO_AUTHENTIC
    return authentic_mean_influence(compared.baseline).minus(authentic_mean_influence(compared.crossed))


def _has_authentic(*groups: SubjectScores) -> bool:
    return all(group.scores.authentic.n for group in groups)


CRITERIA: dict[str, Criterion] = {
    IMPORTANCE: Criterion(
        "importance", "how far the mean impostor score rises, beyond that of the area-matched control"
    ),
    SHIFT: Criterion("impostor shift", "how far the mean impostor score rises"),
    EQUAL_AREA: Criterion("equal-area shift", "how far it rises if the same area is occluded within each part"),
    FMR_RATIO: Criterion("FMR ratio", "by what factor the FMR rises at the baseline threshold", fmr_ratio_effect),
    D_PRIME: Criterion("decrease in d′", "how far d′ falls", d_prime_effect),
    FNMR: Criterion("increase in FNMR", "how far the FNMR rises, each at its own threshold", fnmr_effect),
    AUTHENTIC_CROSS: Criterion(
        "decrease in authentic score, cross-matching",
        "how far the mean authentic score falls if only the probe is occluded",
        authentic_cross_effect,
    ),
}


class CriteriaAgreement(NamedTuple):
    """How two criteria rank the parts.

    Attributes:
        first: a criterion.
        second: another.
        tau: Kendall's tau-b of the effects of the parts that both rank; NaN below two such parts.
        same_first: whether the same part is ranked first, of several with the largest effect any.
    """

    first: str
    second: str
    tau: float
    same_first: bool


def compare_criteria(effects: Mapping[str, Mapping[str, float]]) -> list[CriteriaAgreement]:
    """Compare every two criteria.

    Args:
        effects: criterion -> part -> its effect.
    """
    found = []
    for first, second in combinations(effects, 2):
        one, other = effects[first], effects[second]
        both = [part for part in one if part in other]
        if both:
            tau = kendall_tau(_of(one, both), _of(other, both)) if len(both) > 1 else math.nan
            same = not _largest(one, both).isdisjoint(_largest(other, both))
            found.append(CriteriaAgreement(first, second, tau, same))
    return found


def _largest(effects: Mapping[str, float], parts: Sequence[str]) -> set[str]:
    return {part for part in parts if effects[part] == max(_of(effects, parts))}


def _of(effects: Mapping[str, float], parts: Sequence[str]) -> list[float]:
    return [effects[part] for part in parts]
