r"""The influence of each subject on a figure of a group's scores: what standard errors are made of.

Two scores are dependent if they share a subject. To first order, a figure :math:`\theta` of many scores is a sum over
its scores, :math:`\hat\theta - \theta \approx \sum_s \psi_s`, and its variance is the sum of the products
:math:`\psi_s \psi_t` over all pairs of scores that share a subject. With :math:`u_p` the sum of the :math:`\psi_s`
over the scores of subject p,

.. math:: \widehat{Var}(\hat\theta) = \sum_p u_p^2 - \sum_{p<q} r_{pq}^2

where :math:`r_{pq}` is the sum over the scores between p and q, which the first sum counts twice, once for each of
the two. This is two-way clustering (Cameron, Gelbach and Miller, "Robust inference with multiway clustering", Journal
of Business & Economic Statistics 29, 2011) in its form for pairs (Fafchamps and Gubert, "The formation of risk
sharing networks", Journal of Development Economics 83, 2007; Aronow, Samii and Assenova, "Cluster-robust variance
estimation for dyadic data", Political Analysis 23, 2015). An authentic score belongs to one subject, so authentic
scores have no second sum: they are clustered by subject.

The :math:`u_p` here are those of the jackknife: the change of the figure when the subject is left out, and with the
subject its scores. This makes intervals wide enough for few subjects (MacKinnon, Nielsen and Webb, "Fast and reliable
jackknife and bootstrap methods for cluster-robust inference", Journal of Applied Econometrics 38, 2023).

The second sum is smaller than the first by a factor of the order of the number of subjects. For means it is exact
(:mod:`facepart.analysis.contrasts`). For d' the scores between two subjects are not summed but squared one by one,
which the distribution of all scores gives: exact where both subjects have one photo, otherwise a little too small.
For error rates it is left out. All of this makes intervals wider rather than narrower.

The :math:`\psi` of each metric are its partial derivatives (the delta method); they are in the metric's own module,
:mod:`facepart.analysis.metrics`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.place_variance import NO_VARIANCE, VarianceComponent, add_components
from facepart.scores import GroupScores, ScoreDistribution
from facepart.scores.ranks import SubjectRanks
from facepart.scores.subject_sums import SubjectSums, Sums


class Influence(NamedTuple):
    """A figure, and the influence of each subject on it.

    Attributes:
        value: the figure.
        by_subject: float64, (p,), by how much the figure is higher than without each subject, to first order; NaN
            where that is not known.
        double_counted: the part of the variance that the squares of `by_subject` count twice, at least 0.
        effective: the effective number of subjects that the figure rests on (:func:`effective_subjects`).
        subjects: the number of subjects with scores of the kind that the figure rests on; 0 for as many as have an
            influence that is not 0.
        places: the variance that the choice of control places adds (:mod:`facepart.analysis.place_variance`).
        degrees: degrees of freedom of the variance between subjects; infinite for the effective subjects less one,
            which they never exceed. Fewer where few subjects make up most of the variance, as of an FMR
            (:func:`facepart.analysis.metrics.fmr_influence`).
        bias: by how much the figure is too large on average, as far as is known; its CI lies about the figure
            without it.
    """

    value: float
    by_subject: NDArray[np.float64]
    double_counted: float
    effective: float
    subjects: int = 0
    places: VarianceComponent = NO_VARIANCE
    degrees: float = math.inf
    bias: float = 0.0

    def minus(self, other: "Influence") -> "Influence":
        """Return the paired difference from a figure of the same subjects, in the same order.

        What the two figures have in common cancels for each subject. The second sum of a difference is not known and
        left out, so that the variance is at most too large. The difference rests on as many effective subjects as
        the figure with fewer. Control places of two parts are drawn independently.
        """
        return Influence(
            value=self.value - other.value,
            by_subject=self.by_subject - other.by_subject,
            double_counted=0.0,
            effective=min(self.effective, other.effective),
            subjects=max(self.subjects, other.subjects),
            places=add_components([self.places, other.places]),
            degrees=min(self.degrees, other.degrees),
            bias=self.bias - other.bias,
        )

    def scaled(self, factor: float) -> "Influence":
        """Return the figure in another unit; `factor` is a constant above 0."""
        return self._replace(
            value=factor * self.value,
            by_subject=factor * self.by_subject,
            double_counted=factor**2 * self.double_counted,
            bias=factor * self.bias,
            places=self.places._replace(variance=factor**2 * self.places.variance),
        )


def weighted_sum(figures: Sequence[Influence], weights: NDArray[np.float64]) -> Influence:
    """Return a weighted sum of figures of the same subjects, in the same order; it is linear, so the influences are.

    What pairs of subjects count twice is not known of a sum and left out, so that the variance is at most too large.
    The sum rests on as many effective subjects as the figure with the fewest. Where the degrees of freedom of a
    figure are those of the subjects that make up its variance, so are those of the sum. The choice of control places
    is left to the caller.

    Args:
        figures: m of them; those of weight 0 do not count.
        weights: (m,).
    """
    used = [(figure, float(weight)) for figure, weight in zip(figures, weights, strict=True) if weight]
    by_subject = np.sum([weight * figure.by_subject for figure, weight in used], axis=0)
    by_variance = any(math.isfinite(figure.degrees) for figure, _ in used)
    return Influence(
        value=math.fsum(weight * figure.value for figure, weight in used),
        by_subject=by_subject,
        double_counted=0.0,
        effective=min(figure.effective for figure, _ in used),
        subjects=max(figure.subjects for figure, _ in used),
        degrees=degrees_by_variance(by_subject) if by_variance else math.inf,
        bias=math.fsum(weight * figure.bias for figure, weight in used),
    )


def mean_influence(figures: Sequence[Influence]) -> Influence:
    """Return the mean of figures of the same subjects, in the same order, such as those with each draw of a control.

    One figure is its own mean; that of several is a weighted sum (:func:`weighted_sum`).
    """
    return figures[0] if len(figures) == 1 else weighted_sum(figures, np.full(len(figures), 1 / len(figures)))


class SubjectScores(NamedTuple):
    """A group's scores and their sums by subject, and the ranks of its probes if these were counted."""

    scores: GroupScores
    sums: SubjectSums
    ranks: SubjectRanks | None = None

    @property
    def subjects(self) -> int:
        """The number of subjects with impostor scores: all of them."""
        return int(np.count_nonzero(self.sums.impostor.count))

    @property
    def authentic_subjects(self) -> int:
        """The number of subjects with authentic scores: those with at least two photos."""
        return int(np.count_nonzero(self.sums.authentic.count))

    @property
    def effective(self) -> float:
        """The effective number of subjects of its impostor scores."""
        return effective_subjects(self.sums.impostor.count)

    @property
    def effective_authentic(self) -> float:
        """The effective number of subjects of its authentic scores."""
        return effective_subjects(self.sums.authentic.count)


# An influence, and the names of its subjects in the order of `by_subject`.
NamedInfluence = tuple[Influence, Sequence[str]]


def effective_subjects(weights: NDArray[np.integer[Any]] | NDArray[np.float64]) -> float:
    r"""Return the effective number of subjects: that of equally weighted ones that would tell as much.

    .. math:: G^* = \frac{(\sum_p w_p)^2}{\sum_p w_p^2}

    Where a few subjects have most of the scores, a figure rests on these few, however many others there are (A. V.
    Carter, K. T. Schnepel, D. G. Steigerwald, "Asymptotic behavior of a t-test robust to cluster heterogeneity",
    Review of Economics and Statistics 99, 2017, for subjects that are equally homogeneous).

    Args:
        weights: (p,), at least 0: the number of scores that each subject has part in.

    Returns:
        From 1 to p; 0 where there are no scores.

    Example:
        >>> effective_subjects(np.array([1, 1, 1, 1])), effective_subjects(np.array([10, 1, 1, 0]))
        (4.0, 1.411764705882353)
    """
    shares = np.asarray(weights, np.float64)
    squares = float(np.dot(shares, shares))
    return float(shares.sum()) ** 2 / squares if squares else 0.0


def leave_one_out(deviations: NDArray[np.float64], scores: ScoreDistribution, sums: Sums) -> NDArray[np.float64]:
    """Return by how much a mean over scores is higher than without each subject.

    Args:
        deviations: (p,), the sum of the deviations of each subject's scores from the mean.
        scores: all scores of this kind.
        sums: the same by subject.
    """
    return deviations / np.maximum(scores.n - sums.count, 1)


def align_subjects(first: NamedInfluence, second: NamedInfluence) -> tuple[Influence, Influence, bool]:
    """Lay two influences out over the subjects of both; a subject that a figure does not depend on has no influence.

    Returns:
        The first and the second, over the same subjects in the same order; and whether they share subjects.
    """
    places: dict[str, int] = {}
    for _, names in (first, second):
        for name in names:
            places.setdefault(name, len(places))
    # Of both figures together, as far as is known: a subject of both may have scores in one alone.
    subjects = min(first[0].subjects + second[0].subjects, len(places))
    return (
        lay_out(*first, places)._replace(subjects=subjects),
        lay_out(*second, places)._replace(subjects=subjects),
        len(places) < len(first[1]) + len(second[1]),
    )


def difference_of(first: NamedInfluence, second: NamedInfluence) -> tuple[Influence, bool]:
    """Return the first figure minus the second, and whether the two share subjects.

    Figures that share subjects are paired by these; others are independent, and their variances add up.
    """
    one, other, paired = align_subjects(first, second)
    difference = one.minus(other)
    if not paired:
        difference = difference._replace(double_counted=one.double_counted + other.double_counted)
    return difference, paired


def degrees_by_variance(influences: NDArray[np.float64]) -> float:
    r"""Return the degrees of freedom of a variance that few subjects may make up.

    The effective number of these subjects, :math:`(\sum u_p^2)^2 / \sum u_p^4`, less one; infinite where none has an
    influence.

    Args:
        influences: (p,), of the subjects.
    """
    return effective_subjects(influences**2) - 1 if influences.any() else math.inf


def log_ratio(after: Influence, before: Influence) -> Influence:
    """Return the logarithm of the ratio of two rates of the same subjects, in the same order; neither is 0.

    Where the degrees of freedom of a rate are those of the subjects that make up its variance, so are the ratio's.
    """
    by_subject = after.by_subject / after.value - before.by_subject / before.value
    difference = after.minus(before)
    return difference._replace(
        value=math.log(after.value / before.value),
        by_subject=by_subject,
        degrees=degrees_by_variance(by_subject) if math.isfinite(difference.degrees) else math.inf,
    )


def lay_out(influence: Influence, names: Sequence[str], places: Mapping[str, int]) -> Influence:
    """Lay an influence out over more subjects, which have none.

    Args:
        influence: of the subjects `names`, in their order.
        names: of the subjects.
        places: subject -> its place in the result; all `names` are among them.
    """
    by_subject = np.zeros(len(places))
    by_subject[[places[name] for name in names]] = influence.by_subject
    return influence._replace(by_subject=by_subject)
