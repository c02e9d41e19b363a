r"""How much each person moves a figure of a group's scores: what standard errors are made of.

Two scores are dependent if they share a person. To first order, a figure :math:`\theta` of many scores is a sum over
its scores, :math:`\hat\theta - \theta \approx \sum_s \psi_s`, and its variance the sum of the products
:math:`\psi_s \psi_t` over all pairs of scores that share a person. With :math:`u_p` the sum of the :math:`\psi_s` of
the scores that person p has part in,

.. math:: \widehat{Var}(\hat\theta) = \sum_p u_p^2 - \sum_{p<q} r_{pq}^2

where :math:`r_{pq}` is the sum over the scores between p and q, which the first sum has counted once for either of
the two. This is two-way clustering (Cameron, Gelbach and Miller, "Robust inference with multiway clustering", Journal
of Business & Economic Statistics 29, 2011) in its form for pairs (Fafchamps and Gubert, "The formation of risk
sharing networks", Journal of Development Economics 83, 2007; Aronow, Samii and Assenova, "Cluster-robust variance
estimation for dyadic data", Political Analysis 23, 2015). Scores that belong to one person alone, the authentic ones,
have no second sum: they are clustered by person.

The :math:`u_p` here are those of the jackknife: by how much the figure would change without the person, whose scores
then are no longer among those it is a mean of. Taken so, few people give intervals that are wide enough (MacKinnon,
Nielsen and Webb, "Fast and reliable jackknife and bootstrap methods for cluster-robust inference", Journal of Applied
Econometrics 38, 2023).

The second sum is small, of the order of one over the number of people, beside the first. For means it is exact
(:mod:`facepart.analysis.contrasts`). For d' the scores between two people are not summed but squared one by one,
which the distribution tells: where both have one photo that is the same, else a little less. For error rates it is
left out. Intervals are on the wide side thereby. The :math:`\psi` of each figure are its partial derivatives (the
delta method).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.metrics import d_prime, eer, threshold_at_fmr
from facepart.scores import GroupScores, ScoreDistribution
from facepart.scores.ranks import SubjectRanks
from facepart.scores.subject_sums import SubjectSums, Sums

# Either side of a threshold, in standard deviations of the scores over the fifth root of their number, the density of
# scores is taken from: the rate at which a kernel's width should fall (Silverman, "Density estimation", 1986).
_WIDTH = 0.9
# ... but never less than the scores' own steps would make ragged.
_LEAST_WIDTH = 0.002


class Influence(NamedTuple):
    """How much each person moves a figure.

    Attributes:
        value: the figure.
        by_subject: float64, (p,), how much higher it is than without each person, about; NaN where that is not known.
        double_counted: what the squares of `by_subject` count twice of its variance, at least 0.
    """

    value: float
    by_subject: NDArray[np.float64]
    double_counted: float

    def minus(self, other: "Influence") -> "Influence":
        """Give the difference from a figure of the same people, whose scores are paired with these.

        What the two have in common cancels in each person. Of the second sum nothing is known, so that none is taken
        off: the variance is at most too large.
        """
        return Influence(self.value - other.value, self.by_subject - other.by_subject, 0.0)


class SubjectScores(NamedTuple):
    """A group's scores, and those of each of its subjects; with the ranks of its probes, if these were counted."""

    scores: GroupScores
    sums: SubjectSums
    ranks: SubjectRanks | None = None


def aligned(
    first: tuple[Influence, Sequence[str]], second: tuple[Influence, Sequence[str]]
) -> tuple[tuple[NDArray[np.float64], NDArray[np.float64]], int]:
    """Lay out what the people of two figures add over the people of both; give also how many these are.

    Args:
        first: a figure and the names of its people, in the order of what each adds.
        second: likewise; people of the same name are the same.
    """
    known: dict[str, int] = {}
    places = [[known.setdefault(name, len(known)) for name in names] for _, names in (first, second)]
    laid = []
    for (influence, _), place in zip((first, second), places, strict=True):
        people = np.zeros(len(known))
        people[place] = influence.by_subject
        laid.append(people)
    return (laid[0], laid[1]), len(known)


def difference_of(
    first: tuple[Influence, Sequence[str]], second: tuple[Influence, Sequence[str]]
) -> tuple[Influence, bool]:
    """Give how much larger the first of two figures is, and whether they share people; arguments of :func:`aligned`.

    Figures that share people are paired by these; others are independent.
    """
    (ours, theirs), count = aligned(first, second)
    paired = count < len(first[1]) + len(second[1])
    # Of people in both, what their pairs count twice of a difference is not known: see Influence.minus.
    twice = 0.0 if paired else first[0].double_counted + second[0].double_counted
    return Influence(first[0].value - second[0].value, ours - theirs, twice), paired


def impostor_mean_influence(group: SubjectScores) -> Influence:
    """Give the mean impostor score. Raises FacepartError where there are no impostor scores."""
    return _mean(group.scores.impostor, group.sums.impostor, 1.0)


def authentic_mean_influence(group: SubjectScores) -> Influence:
    """Give the mean authentic score. Raises FacepartError where there are no authentic scores."""
    return _mean(group.scores.authentic, group.sums.authentic, 0.0)


def d_prime_influence(group: SubjectScores) -> Influence:
    r"""Give d'.

    With :math:`\Delta = \mu_a - \mu_i` and :math:`v` the mean of the two variances, a score s moves it by
    :math:`\pm(s - \mu)/\sqrt v - \Delta ((s - \mu)^2 - \sigma^2) / (4 v^{3/2})`, over the number of scores of its
    kind (plus for authentic ones); all of it with the sign of :math:`\Delta`.

    Raises:
        FacepartError: there are no scores of a kind.
    """
    authentic, impostor = group.scores
    difference, spread = authentic.mean - impostor.mean, (authentic.variance + impostor.variance) / 2
    if spread == 0:
        return Influence(d_prime(authentic, impostor), np.full(len(group.sums.subjects), np.nan), 0.0)
    sign = math.copysign(1.0, difference)
    slope, curve = sign / math.sqrt(spread), -abs(difference) / (4 * spread**1.5)
    by_subject, double_counted = np.zeros(len(group.sums.subjects)), 0.0
    for scores, sums, direction in ((authentic, group.sums.authentic, 1.0), (impostor, group.sums.impostor, -1.0)):
        squares = sums.squares - 2 * scores.mean * sums.total + scores.mean**2 * sums.count
        by_subject += direction * slope * _shares(sums.total - scores.mean * sums.count, scores, sums)
        by_subject += curve * _shares(squares - scores.variance * sums.count, scores, sums)
        if direction < 0:
            away = scores.scores - scores.mean
            moved = -slope * away + curve * (away**2 - scores.variance)
            double_counted = float(np.dot(scores.counts, moved**2)) / scores.n**2
    return Influence(d_prime(authentic, impostor), by_subject, double_counted)


def fmr_influence(group: SubjectScores, threshold: float) -> Influence:
    """Give the FMR at a threshold that is not chosen by these scores.

    Nothing is taken off for what people count twice: of rare errors too little is known of how they come together,
    and intervals from the smaller variance miss the truth more often.

    Raises:
        FacepartError: there are no impostor scores.
    """
    scores, sums = group.scores.impostor, group.sums
    rate = float(scores.share_from(threshold))
    away = sums.at_or_above("impostor", scores, threshold) - rate * sums.impostor.count
    return Influence(rate, _shares(away, scores, sums.impostor), 0.0)


def fnmr_influence(group: SubjectScores, threshold: float) -> Influence:
    """Give the FNMR at a threshold that is not chosen by these scores; raises as :func:`fmr_influence`."""
    scores, sums = group.scores.authentic, group.sums
    rate = float(scores.share_below(threshold))
    below = sums.authentic.count - sums.at_or_above("authentic", scores, threshold)
    return Influence(rate, _shares(below - rate * sums.authentic.count, scores, sums.authentic), 0.0)


def fnmr_at_fmr_influence(group: SubjectScores, target: float) -> Influence:
    r"""Give the FNMR at the threshold where these impostor scores have an FMR of `target`.

    The threshold is an estimate, too: where the FMR comes out higher by :math:`\epsilon`, it moves up by
    :math:`\epsilon / f_i`, and the FNMR by :math:`\epsilon f_a / f_i`, with the densities f of the scores there.

    Raises:
        FacepartError: as :func:`fmr_influence`. UsageError: no such rate.
    """
    threshold = threshold_at_fmr(group.scores.impostor, target)
    missed, matched = fnmr_influence(group, threshold), fmr_influence(group, threshold)
    authentic, impostor = (density(scores, threshold) for scores in group.scores)
    ratio = authentic / impostor if impostor else 0.0
    return Influence(missed.value, missed.by_subject + ratio * matched.by_subject, 0.0)


def eer_influence(group: SubjectScores) -> Influence:
    r"""Give the EER.

    Where the FMR comes out higher by :math:`\epsilon`, the threshold of equal rates moves up by
    :math:`\epsilon / (f_a + f_i)`; so the EER moves by the mean of the two rates, each weighted by the density of the
    other kind's scores.

    Raises:
        FacepartError: as :func:`fmr_influence`.
    """
    authentic, impostor = group.scores
    threshold = _equal_threshold(authentic, impostor)
    missed, matched = fnmr_influence(group, threshold), fmr_influence(group, threshold)
    densities = density(authentic, threshold), density(impostor, threshold)
    share = densities[0] / sum(densities) if sum(densities) else 0.5
    by_subject = share * matched.by_subject + (1 - share) * missed.by_subject
    return Influence(eer(authentic, impostor), by_subject, 0.0)


def density(scores: ScoreDistribution, threshold: float) -> float:
    """Estimate the density of scores at a threshold: the share within a window around it, over its width."""
    half = max(_WIDTH * math.sqrt(scores.variance) * scores.n**-0.2, _LEAST_WIDTH)
    below, above = scores.share_below([threshold - half, threshold + half])
    return float(above - below) / (2 * half)


def _mean(scores: ScoreDistribution, sums: Sums, pairs: float) -> Influence:
    """Give a mean; `pairs` is 1 where scores belong to two people, else 0."""
    away = sums.total - scores.mean * sums.count
    return Influence(scores.mean, _shares(away, scores, sums), pairs * scores.variance / scores.n)


def _shares(away: NDArray[np.float64], scores: ScoreDistribution, sums: Sums) -> NDArray[np.float64]:
    """Give by how much a mean is higher than without each person, whose scores lie `away` from it in all."""
    return away / np.maximum(scores.n - sums.count, 1)


def _equal_threshold(authentic: ScoreDistribution, impostor: ScoreDistribution) -> float:
    """Find the lowest score at which the FNMR is at least the FMR."""
    values = np.union1d(authentic.scores, impostor.scores)
    excess = authentic.share_below(values) - impostor.share_from(values)
    return float(values[min(int(np.searchsorted(excess >= 0, True)), len(values) - 1)])
