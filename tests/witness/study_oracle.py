"""Every figure of a study, from raw scores, embeddings and subjects, by NumPy and SciPy alone.

A witness: nothing of facepart is imported here, and each figure is computed from its definition and from the list of
all pairs. A score is a whole number of millionths, since scores are rounded to 6 decimals.

The uncertainty of a figure comes from its subjects: from how much higher the figure is than without each subject
(the influence), two-way clustered for scores that two subjects share. Names here are the field's; what the columns of
the program's tables are called is told by the test.
"""

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

MILLION = 1_000_000
# A subject's scores at or above a threshold are counted in bins of so many millionths; within a bin, every subject
# has the share of it that all scores have.
BIN = 2500
TARGETS = {"1e3": 1e-3, "1e4": 1e-4}
# An FMR is reported from so many expected false matches on; an interval from so many subjects on.
MIN_FALSE_MATCHES, FEWEST_SUBJECTS = 10, 10
# Identification rates are reported at these ranks.
RANKS = (1, 10)
RESAMPLES, SEED = 2000, 20231

OCCLUDED, BASELINE_GALLERY, CONTROL = "occluded vs occluded", "occluded vs baseline", "control vs control"
ALL_GROUPS, OWN_THRESHOLDS = "all groups", "each group"
# What a table says where a group takes no part.
FEW_SUBJECTS, FEW_SCORES, NO_THRESHOLD = "few subjects", "few scores", "no threshold"


class Version(NamedTuple):
    """What was done to photos: a part occluded in some way; from 1 on, a draw of its control in its place."""

    part: str
    occlusion: str
    draw: int = 0


BASELINE = Version("", "")


@dataclass(frozen=True)
class Design:
    """What is compared; the first occlusion is the main one, which alone has controls and is crossed."""

    parts: Sequence[str]
    occlusions: Sequence[str]
    draws: int
    cross: bool
    threshold_group: str | None = None

    @property
    def versions(self) -> list[Version]:
        occluded = [Version(part, occlusion) for occlusion in self.occlusions for part in self.parts]
        return occluded + [each for part in self.parts for each in self.controls_of(Version(part, self.main))]

    @property
    def main(self) -> str:
        return self.occlusions[0]

    def controls_of(self, version: Version) -> list[Version]:
        draws = range(1, self.draws + 1) if version.occlusion == self.main else ()
        return [version._replace(draw=draw) for draw in draws]


@dataclass(frozen=True, eq=False)
class Probes:
    """The photos that are looked for among all others that they were compared with.

    Attributes:
        subjects: int64 (n,), who is on each; they are numbered.
        ranks: int64 (n,), from 1; 0 for a probe that has no authentic or no impostor score.
        authentic: float64 (n,), the best authentic score, in millionths; NaN where there is none.
        impostor: float64 (n,), the best impostor score, likewise.
    """

    subjects: NDArray[np.int64]
    ranks: NDArray[np.int64]
    authentic: NDArray[np.float64]
    impostor: NDArray[np.float64]


@dataclass(eq=False)
class Scores:
    """Raw scores: a list of authentic pairs and one of impostor pairs.

    Attributes:
        subjects: how many there are; they are numbered.
        authentic: int64 (a,), in millionths.
        owner: int64 (a,), whose both photos are.
        impostor: int64 (i,), in millionths.
        first: int64 (i,), who is on one photo.
        second: int64 (i,), who is on the other.
        probes: the same scores by probe.
    """

    subjects: int
    authentic: NDArray[np.int64]
    owner: NDArray[np.int64]
    impostor: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    probes: Probes

    @cached_property
    def with_authentic(self) -> int:
        """How many subjects have authentic scores."""
        return len(np.unique(self.owner))


@dataclass(eq=False)
class Group:
    """The photos of a group.

    Attributes:
        subjects: str (n,), who is on each photo.
        embeddings: of each version float64 (n, d), rows of length 1.
        head: int (n,), pixels of the head.
        pixels: of each part int (n,), pixels that it covers.
        replaced: of each version (n,), share of the photo that was replaced.
        kinds: of each control str (n,), its kind; empty where it has none.
        scores: of each version, and whether it is compared with the baseline; computed from `embeddings` if missing.
    """

    subjects: NDArray[np.str_]
    embeddings: Mapping[Version, NDArray[np.float64]]
    head: NDArray[np.int64]
    pixels: Mapping[str, NDArray[np.int64]]
    replaced: Mapping[Version, NDArray[np.float64]]
    kinds: Mapping[Version, NDArray[np.str_]]
    scores: dict[tuple[Version, bool], Scores] = field(default_factory=dict)

    @cached_property
    def names(self) -> NDArray[np.str_]:
        """The subjects, sorted."""
        return np.unique(self.subjects)

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        return np.searchsorted(self.names, self.subjects)

    def cosines(self, version: Version, cross: bool) -> NDArray[np.float64]:
        """All cosines, before they are rounded, (n, n)."""
        gallery = self.embeddings[BASELINE if cross else version]
        return self.embeddings[version] @ gallery.T

    def compare(self, version: Version, cross: bool = False) -> Scores:
        """List the scores of all pairs; a photo is not compared with itself, nor with its own other version."""
        if (version, cross) not in self.scores:
            cosines = self.cosines(version, cross)
            count = len(cosines)
            i, j = np.nonzero(~np.eye(count, dtype=bool)) if cross else np.triu_indices(count, 1)
            self.scores[version, cross] = list_pairs(self.numbers, i, j, cosines[i, j], both_ways=not cross)
        return self.scores[version, cross]

    def compare_controls(self, versions: Sequence[Version]) -> Scores:
        """List the scores of several draws of a control, each among themselves."""
        draws = [self.compare(version) for version in versions]
        fields = ("authentic", "owner", "impostor", "first", "second")
        whole = [np.concatenate([getattr(each, name) for each in draws]) for name in fields]
        facts = [vars(each.probes) for each in draws]
        probes = Probes(**{name: np.concatenate([each[name] for each in facts]) for name in facts[0]})
        return Scores(len(self.names), *whole, probes)


def list_pairs(
    numbers: NDArray[np.int64],
    i: NDArray[np.int64],
    j: NDArray[np.int64],
    cosines: NDArray[np.float64],
    *,
    both_ways: bool,
) -> Scores:
    """Round the cosines of pairs of photos, and list them.

    Impostor scores are products in 32-bit floats, authentic ones in 64-bit floats.
    """
    same = numbers[i] == numbers[j]
    impostor = np.rint(cosines.astype(np.float32) * np.float32(MILLION)).astype(np.int64)
    steps = np.where(same, np.rint(cosines * MILLION).astype(np.int64), impostor)
    return list_scores(numbers, i, j, steps, both_ways=both_ways)


def list_scores(
    numbers: NDArray[np.int64],
    i: NDArray[np.int64],
    j: NDArray[np.int64],
    steps: NDArray[np.int64],
    *,
    both_ways: bool,
) -> Scores:
    """Part scores of pairs of photos into authentic and impostor ones.

    Args:
        numbers: (n,), who is on each photo.
        i: (k,), one photo of each pair, the probe.
        j: (k,), the other.
        steps: (k,), their scores, in millionths.
        both_ways: whether the other photo is a probe as well.
    """
    same = numbers[i] == numbers[j]
    return Scores(
        subjects=len(np.unique(numbers)),
        authentic=steps[same],
        owner=numbers[i][same],
        impostor=steps[~same],
        first=numbers[i][~same],
        second=numbers[j][~same],
        probes=rank_probes(numbers, i, j, steps, both_ways=both_ways),
    )


def rank_probes(
    numbers: NDArray[np.int64],
    i: NDArray[np.int64],
    j: NDArray[np.int64],
    steps: NDArray[np.int64],
    *,
    both_ways: bool,
) -> Probes:
    """The rank of each probe: 1 plus the number of its impostor scores above the best of its authentic ones."""
    table = np.full((len(numbers), len(numbers)), np.nan)
    table[i, j] = steps
    if both_ways:
        table[j, i] = steps
    ranks, best = np.zeros(len(numbers), np.int64), np.full((2, len(numbers)), np.nan)
    for probe, row in enumerate(table):
        compared, same = ~np.isnan(row), numbers == numbers[probe]
        authentic, impostor = row[compared & same], row[compared & ~same]
        for place, scores in enumerate((authentic, impostor)):
            best[place, probe] = scores.max() if len(scores) else np.nan
        if len(authentic) and len(impostor):
            ranks[probe] = 1 + int((impostor > authentic.max()).sum())
    return Probes(numbers, ranks, *best)


# A figure, its interval and its standard error.


class Estimate(NamedTuple):
    value: float
    low: float = math.nan
    high: float = math.nan
    error: float = math.nan

    def inverse(self) -> "Estimate":
        """One over a ratio, without its error."""
        value, low, high = (1 / end if end else math.nan for end in (self.value, self.high, self.low))
        return Estimate(value, low, high)


UNKNOWN = Estimate(math.nan)


class Figure(NamedTuple):
    """A figure; how much higher it is than without each subject; and what the squares of that count twice."""

    value: float
    influence: NDArray[np.float64]
    double_counted: float = 0.0

    def minus(self, other: "Figure") -> "Figure":
        return Figure(self.value - other.value, self.influence - other.influence)

    def variance(self, subjects: int) -> float:
        squares = float((self.influence**2).sum()) * (subjects - 1) / subjects
        return max(squares - self.double_counted, self.double_counted)

    def is_known(self, subjects: int) -> bool:
        return subjects >= FEWEST_SUBJECTS and bool(np.isfinite(self.influence).all())


def quantile(degrees: float) -> float:
    return float(stats.t.ppf(0.975, degrees))


def symmetric(figure: Figure, subjects: int) -> Estimate:
    return mean_of_groups([(figure, subjects)])


def mean_of_groups(figures: Sequence[tuple[Figure, int]]) -> Estimate:
    """The mean of groups, each counting alike, with the degrees of freedom of Welch and Satterthwaite."""
    value = float(np.mean([figure.value for figure, _ in figures]))
    if not all(figure.is_known(subjects) for figure, subjects in figures):
        return Estimate(value)
    variances = np.array([figure.variance(subjects) for figure, subjects in figures])
    degrees = np.array([subjects - 1 for _, subjects in figures])
    error = math.sqrt(variances.sum()) / len(figures)
    reach = quantile(variances.sum() ** 2 / (variances**2 / degrees).sum()) * error
    return Estimate(value, value - reach, value + reach, error)


def wilson(figure: Figure, subjects: int, units: float) -> Estimate:
    """A rate: all rates that a score test does not reject, with as many independent scores as vary as much."""
    rate = figure.value
    if not figure.is_known(subjects):
        return Estimate(rate)
    variance = figure.variance(subjects)
    number = units if rate in (0, 1) or variance == 0 else max(rate * (1 - rate) / variance, 1)

    def excess(other: float) -> float:
        return abs(rate - other) - quantile(subjects - 1) * math.sqrt(other * (1 - other) / number)

    ends = {"xtol": 1e-18, "rtol": 1e-14}
    low = optimize.brentq(excess, 0, rate, **ends) if rate > 0 else 0.0
    if rate == 1:
        low = optimize.brentq(excess, 0, 1 - 1e-12, **ends)
    high = optimize.brentq(excess, max(rate, 1e-15), 1, **ends) if rate < 1 else 1.0
    return Estimate(rate, low, high, math.sqrt(variance))


def rate_change(after: Figure, before: Figure, subjects: tuple[int, int]) -> Estimate:
    """The difference of two rates of the same subjects, from the interval of each and how the two correlate.

    That is the square-and-add interval for paired proportions (Newcombe 1998).
    """
    difference = after.minus(before)
    one, other = (wilson(rate, number, number) for rate, number in zip((after, before), subjects, strict=True))
    if math.isnan(one.error) or math.isnan(other.error):
        return Estimate(difference.value)
    lengths = float(np.linalg.norm(after.influence) * np.linalg.norm(before.influence))
    correlation = float(after.influence @ before.influence) / lengths if lengths else 0.0
    below, above = (one.value - one.low, other.high - other.value), (one.high - one.value, other.value - other.low)
    # The difference of two correlated deviations, squared.
    square = np.array([[1, -correlation], [-correlation, 1]])
    low, high = (math.sqrt(max(float(np.array(each) @ square @ np.array(each)), 0)) for each in (below, above))
    error = math.sqrt(difference.variance(max(subjects)))
    return Estimate(difference.value, difference.value - low, difference.value + high, error)


def ratio(after: Figure, before: Figure, subjects: int) -> Estimate:
    """A ratio of two rates, with the interval of its logarithm; none where either is 0."""
    if not before.value:
        return UNKNOWN
    value = after.value / before.value
    if not value:
        return Estimate(0.0)
    log = Figure(math.log(value), after.influence / after.value - before.influence / before.value)
    _, low, high, error = symmetric(log, subjects)
    return Estimate(value, math.exp(low), math.exp(high), value * error)


# Figures of raw scores, each with its influence.


def leave_one_out(values: NDArray[Any], owners: Sequence[NDArray[np.int64]], subjects: int) -> NDArray[np.float64]:
    """How much higher the mean of values is than without those of each subject."""
    total, count = float(values.sum()), len(values)
    own = sum(np.bincount(owner, values, subjects) for owner in owners)
    counts = sum(np.bincount(owner, minlength=subjects) for owner in owners)
    others = np.maximum(count - counts, 1)
    return np.where(counts == count, 0.0, total / count - (total - own) / others)


def impostor_owners(scores: Scores) -> list[NDArray[np.int64]]:
    return [scores.first, scores.second]


@cache
def impostor_mean(scores: Scores) -> Figure:
    values = scores.impostor / MILLION
    influence = leave_one_out(values, impostor_owners(scores), scores.subjects)
    return Figure(float(values.mean()), influence, float(values.var()) / len(values))


@cache
def authentic_mean(scores: Scores) -> Figure:
    values = scores.authentic / MILLION
    return Figure(float(values.mean()), leave_one_out(values, [scores.owner], scores.subjects))


def d_prime(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    one, other = first / MILLION, second / MILLION
    return float(abs(one.mean() - other.mean()) / math.sqrt((one.var() + other.var()) / 2))


@cache
def d_prime_figure(scores: Scores) -> Figure:
    """d' by the delta method: each score's share of it, summed by subject."""
    authentic, impostor = scores.authentic / MILLION, scores.impostor / MILLION
    difference, spread = authentic.mean() - impostor.mean(), (authentic.var() + impostor.var()) / 2
    influence, double_counted = np.zeros(scores.subjects), 0.0
    for values, owners, sign in ((authentic, [scores.owner], 1), (impostor, impostor_owners(scores), -1)):
        away = values - values.mean()
        moved = sign * away * math.copysign(1, difference) / math.sqrt(spread)
        moved = moved - abs(difference) * (away**2 - values.var()) / (4 * spread**1.5)
        influence += leave_one_out(moved, owners, scores.subjects)
        if sign < 0:
            double_counted = float((moved**2).sum()) / len(values) ** 2
    return Figure(d_prime(scores.authentic, scores.impostor), influence, double_counted)


def above(values: NDArray[np.int64], threshold: int) -> NDArray[np.float64]:
    """Whether each score is at or above a threshold; in the threshold's bin, by the share of all scores there."""
    begin = threshold // BIN * BIN
    inside = (values >= begin) & (values < begin + BIN)
    share = float((values[inside] >= threshold).mean()) if inside.any() else 0.0
    return np.where(inside, share, (values >= begin + BIN).astype(float))


@cache
def fmr(scores: Scores, threshold: int) -> Figure:
    rate = float((scores.impostor >= threshold).mean())
    return Figure(rate, leave_one_out(above(scores.impostor, threshold), impostor_owners(scores), scores.subjects))


@cache
def fnmr(scores: Scores, threshold: int) -> Figure:
    rate = float((scores.authentic < threshold).mean())
    below = 1 - above(scores.authentic, threshold)
    return Figure(rate, leave_one_out(below, [scores.owner], scores.subjects))


def is_supported(impostor: NDArray[np.int64], target: float) -> bool:
    return round(target * len(impostor), 9) >= MIN_FALSE_MATCHES


def threshold_at(impostor: NDArray[np.int64], target: float) -> int:
    """The lowest threshold with an FMR of at most the target."""
    allowed = math.floor(round(target * len(impostor), 9))
    return int(np.sort(impostor)[::-1][allowed]) + 1


def density(values: NDArray[np.int64], threshold: int) -> float:
    """Share of the scores in a window about a threshold, over its width."""
    half = max(0.9 * float((values / MILLION).std()) * len(values) ** -0.2, 0.002)
    at = threshold / MILLION
    inside = (values / MILLION >= at - half) & (values / MILLION < at + half)
    return float(inside.mean()) / (2 * half)


@cache
def fnmr_at(scores: Scores, target: float) -> Figure:
    """FNMR at the own threshold, an estimate itself: where the FMR comes out higher, it moves up."""
    threshold = threshold_at(scores.impostor, target)
    missed, matched = fnmr(scores, threshold), fmr(scores, threshold)
    impostor = density(scores.impostor, threshold)
    slope = density(scores.authentic, threshold) / impostor if impostor else 0.0
    return Figure(missed.value, missed.influence + slope * matched.influence)


@cache
def eer(scores: Scores) -> Figure:
    """Where the straight lines between neighbouring points of the DET curve cross its diagonal."""
    thresholds = np.unique(np.concatenate([scores.authentic, scores.impostor]))
    missed = np.searchsorted(np.sort(scores.authentic), thresholds) / len(scores.authentic)
    matched = 1 - np.searchsorted(np.sort(scores.impostor), thresholds) / len(scores.impostor)
    missed, matched = np.append(missed, 1.0), np.append(matched, 0.0)  # above all scores
    after = int(np.argmax(missed >= matched))
    before = max(after - 1, 0)
    gap = missed[before] - matched[before]
    way = gap / (gap - (missed[after] - matched[after])) if after else 0.0
    value = float(matched[before] + way * (matched[after] - matched[before]))
    equal = int(thresholds[min(after, len(thresholds) - 1)])
    densities = [density(values, equal) for values in (scores.authentic, scores.impostor)]
    share = densities[0] / sum(densities) if sum(densities) else 0.5
    influence = share * fmr(scores, equal).influence + (1 - share) * fnmr(scores, equal).influence
    return Figure(value, influence)


@cache
def identification_rate(scores: Scores, most: int) -> Figure:
    """The share of the probes with a rank of at most `most`, of those that have a rank."""
    ranked = scores.probes.ranks > 0
    found = (scores.probes.ranks[ranked] <= most).astype(float)
    return Figure(float(found.mean()), leave_one_out(found, [scores.probes.subjects[ranked]], scores.subjects))


def mode(values: NDArray[np.int64]) -> float:
    """The middle of the fullest bin of 0.01; of several the lowest."""
    bins, counts = np.unique(values // 10_000, return_counts=True)
    return float(bins[counts.argmax()] * 0.01 + 0.005)


# Means of unrounded scores, compared pair of subjects by pair of subjects.


class BySubjects(NamedTuple):
    """Summed impostor scores of every two subjects, (p, p), and how many there are, both over one direction."""

    sums: NDArray[np.float64]
    counts: NDArray[np.float64]

    @property
    def mean(self) -> float:
        pairs = np.triu_indices(len(self.sums), 1)
        return float(self.sums[pairs].sum() / self.counts[pairs].sum())


@cache
def by_subjects(group: Group, version: Version, cross: bool = False) -> BySubjects:
    """Sum up, over every two subjects; the mean of both directions, which differ across two lists."""
    member = (group.numbers[:, None] == np.arange(len(group.names))).astype(float)
    sums = member.T @ group.cosines(version, cross) @ member
    counts = member.T @ np.ones((len(member), len(member))) @ member
    return BySubjects((sums + sums.T) / 2, counts)


def combine(terms: Sequence[tuple[float, BySubjects]]) -> BySubjects:
    return BySubjects(sum(weight * each.sums for weight, each in terms), terms[0][1].counts)  # type: ignore[arg-type]


def mean_figure(each: BySubjects) -> Figure:
    """A mean over pairs of subjects, or a difference of means; its variance is exact as to pairs of subjects."""
    first, second = np.triu_indices(len(each.sums), 1)
    sums, counts = each.sums[first, second], each.counts[first, second]
    influence = np.zeros(len(each.sums))
    for subject in range(len(influence)):
        others = (first != subject) & (second != subject)
        if others.any():
            influence[subject] = each.mean - sums[others].sum() / counts[others].sum()
    away = sums - each.mean * counts
    return Figure(each.mean, influence, float((away**2).sum()) / float(counts.sum()) ** 2)


def resampled(each: BySubjects, weights: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean over subjects drawn with replacement; two draws of one subject are not compared."""
    sums, counts = (np.triu(matrix, 1) for matrix in each)
    drawn = [np.einsum("bp,pq,bq->b", weights, matrix, weights, optimize=True) for matrix in (sums, counts)]
    return drawn[0] / drawn[1]


def resample(group: str, subjects: int) -> NDArray[np.int64]:
    """Draw subjects with replacement, seeded by the group's name; none for a group too small for an interval."""
    generator = np.random.default_rng(SEED + zlib.crc32(group.encode()))
    times = RESAMPLES if subjects >= FEWEST_SUBJECTS else 0
    return generator.multinomial(subjects, np.full(subjects, 1 / subjects), size=times)


# The tables.


class StudyOracle:
    """All figures of a study."""

    def __init__(self, design: Design, groups: Mapping[str, Group]) -> None:
        self.design, self.groups = design, groups

    def results(self) -> list[dict[str, Any]]:
        """A row a group, part, occlusion and comparison."""
        rows = []
        for name, group in self.groups.items():
            for version in self.design.versions:
                if version.draw:
                    continue
                rows.append(self._row(name, group, version, OCCLUDED))
                if self.design.controls_of(version):
                    rows.append(self._row(name, group, version, CONTROL))
                if self.design.cross and version.occlusion == self.design.main:
                    rows.append(self._row(name, group, version, BASELINE_GALLERY))
        return rows

    def _row(self, name: str, group: Group, version: Version, comparison: str) -> dict[str, Any]:
        controls, subjects = self.design.controls_of(version), len(group.names)
        baseline = group.compare(BASELINE)
        shown = controls if comparison == CONTROL else [version]
        if comparison == CONTROL:
            occluded = group.compare_controls(controls)
        else:
            occluded = group.compare(version, cross=comparison == BASELINE_GALLERY)
        unchanged = by_subjects(group, BASELINE)
        moved = [by_subjects(group, each, comparison == BASELINE_GALLERY) for each in shown]
        shift = symmetric(_against(moved, unchanged), subjects)
        replaced = float(np.mean([group.replaced[each] for each in shown]))
        row = {
            "group": name,
            "part": version.part,
            "occlusion": version.occlusion,
            "comparison": comparison,
            "photos": len(group.subjects),
            "subjects": subjects,
            "photos without part": int((group.pixels[version.part] == 0).sum()),
            "share of head": float(np.mean(group.pixels[version.part] / np.maximum(group.head, 1))),
            "share replaced": replaced,
            "kinds of control": _in_words(np.concatenate([[], *(group.kinds[each] for each in controls)])),
            "authentic scores": len(occluded.authentic),
            "impostor scores": len(occluded.impostor),
            "baseline impostor mean": symmetric(impostor_mean(baseline), subjects),
            "impostor mean": symmetric(impostor_mean(occluded), subjects),
            "impostor shift": shift,
            "impostor shift per 1 % of image": Estimate(*(end / (100 * replaced) for end in shift))
            if replaced
            else UNKNOWN,
            "control shift": UNKNOWN,
            "importance": UNKNOWN,
            "impostor mode": mode(occluded.impostor),
            "impostor mode shift": mode(occluded.impostor) - mode(baseline.impostor),
            **_distances("impostor", baseline.impostor, occluded.impostor),
            "impostor d'": d_prime(baseline.impostor, occluded.impostor),
        }
        if comparison == OCCLUDED and controls:
            elsewhere = [by_subjects(group, each) for each in controls]
            row["control shift"] = symmetric(_against(elsewhere, unchanged), subjects)
            row["importance"] = symmetric(self._effect(group, version), subjects)
        row |= _rates(baseline, occluded, subjects) | _authentic(baseline, occluded, subjects)
        return row | _identification(baseline, occluded)

    def _effect(self, group: Group, version: Version) -> Figure:
        """What a part is ranked by: its shift, net of its control's where there is one."""
        return mean_figure(combine(self._terms(group, version)))

    def _terms(self, group: Group, version: Version, sign: float = 1) -> list[tuple[float, BySubjects]]:
        controls = self.design.controls_of(version) or [BASELINE]
        others = [(-sign / len(controls), by_subjects(group, each)) for each in controls]
        return [(sign, by_subjects(group, version)), *others]

    # Rankings.

    def rankings(self) -> dict[str, list[dict[str, Any]]]:
        """Group, or all, -> the parts, the one with the largest effect first."""
        whole = {ALL_GROUPS: list(self.groups)} if len(self.groups) > 1 else {}
        names = whole | {name: [name] for name in self.groups}
        effects = {
            (name, part): self._effect(group, Version(part, self.design.main))
            for name, group in self.groups.items()
            for part in self.design.parts
        }
        draws = {name: self._draws(name, group) for name, group in self.groups.items()}
        return {name: self._ranking(members, effects, draws) for name, members in names.items()}

    def _draws(self, name: str, group: Group) -> dict[str, NDArray[np.float64]]:
        weights = resample(name, len(group.names))
        return {
            part: resampled(combine(self._terms(group, Version(part, self.design.main))), weights)
            for part in self.design.parts
        }

    def _ranking(
        self,
        members: Sequence[str],
        effects: Mapping[tuple[str, str], Figure],
        draws: Mapping[str, Mapping[str, NDArray[np.float64]]],
    ) -> list[dict[str, Any]]:
        sizes = {name: len(self.groups[name].names) for name in members}
        found = {
            part: mean_of_groups([(effects[name, part], sizes[name]) for name in members])
            for part in self.design.parts
        }
        order = sorted(found, key=lambda part: -found[part].value)
        all_drawn = min(len(draws[name][part]) for name in members for part in order) > 0
        drawn = np.mean([[draws[name][part] for part in order] for name in members], axis=0) if all_drawn else None
        rows = []
        for place, part in enumerate(order):
            lead = UNKNOWN
            if place + 1 < len(order):
                lead = mean_of_groups([(self._lead(name, part, order[place + 1]), sizes[name]) for name in members])
            rows.append(
                {
                    "part": part,
                    "effect": found[part],
                    "ranked first": math.nan if drawn is None else float((drawn.argmax(axis=0) == place).mean()),
                    "lead": lead,
                    "resampled low": math.nan if drawn is None else float(np.quantile(drawn[place], 0.025)),
                    "resampled high": math.nan if drawn is None else float(np.quantile(drawn[place], 0.975)),
                    "tied": bool(lead.low <= 0 <= lead.high),
                }
            )
        return rows

    def _lead(self, name: str, first: str, second: str) -> Figure:
        group, main = self.groups[name], self.design.main
        terms = self._terms(group, Version(first, main)) + self._terms(group, Version(second, main), -1)
        return mean_figure(combine(terms))

    def agreements(self) -> list[dict[str, Any]]:
        """How the parts rank in each occlusion, by their shifts, beside the main one."""
        rows = []
        whole = [ALL_GROUPS] if len(self.groups) > 1 else []
        for occlusion in self.design.occlusions:
            for name in [*whole, *self.groups]:
                members = list(self.groups) if name == ALL_GROUPS else [name]
                main, other = (
                    {part: self._mean_shift(members, Version(part, way)) for part in self.design.parts}
                    for way in (self.design.main, occlusion)
                )
                order = sorted(other, key=lambda part: -other[part])
                several = len(self.design.parts) > 1
                tau = stats.kendalltau(list(main.values()), list(other.values())).statistic if several else math.nan
                rows.append(
                    {
                        "occlusion": occlusion,
                        "group": name,
                        "parts": order,
                        "Kendall's tau": float(tau),
                        "same part first": order[0] == max(main, key=lambda part: main[part]),
                    }
                )
        return rows

    def _mean_shift(self, members: Sequence[str], version: Version) -> float:
        groups = [self.groups[name] for name in members]
        return float(np.mean([by_subjects(g, version).mean - by_subjects(g, BASELINE).mean for g in groups]))

    # Groups compared.

    def shift_differences(self) -> list[dict[str, Any]]:
        """A row a part, occlusion and two groups."""
        rows = []
        for version in self.design.versions:
            if version.draw:
                continue
            shifts = {
                name: _against([by_subjects(group, version)], by_subjects(group, BASELINE))
                for name, group in self.groups.items()
            }
            for first, second in combinations(self.groups, 2):
                one, other = self.groups[first], self.groups[second]
                own, others = _aligned(shifts[first], one, shifts[second], other)
                paired = len(own) < len(one.names) + len(other.names)
                double = 0.0 if paired else shifts[first].double_counted + shifts[second].double_counted
                value = shifts[first].value - shifts[second].value
                smaller = min(len(one.names), len(other.names))
                rows.append(
                    {
                        "part": version.part,
                        "occlusion": version.occlusion,
                        "first group": first,
                        "second group": second,
                        "groups share subjects": paired,
                        "difference": symmetric(Figure(value, own - others, double), smaller),
                    }
                )
        return rows

    def differentials(self) -> list[dict[str, Any]]:
        """A row a set of photos, target and kind of threshold; with the groups' rates and their ratios."""
        if len(self.groups) < 2:
            return []
        return [
            self._differential(version, target, threshold_of)
            for version in (BASELINE, *(Version(part, self.design.main) for part in self.design.parts))
            for target in TARGETS.values()
            for threshold_of in (self.design.threshold_group or ALL_GROUPS, OWN_THRESHOLDS)
        ]

    def _differential(self, version: Version, target: float, threshold_of: str) -> dict[str, Any]:
        common = None if threshold_of == OWN_THRESHOLDS else self._common_threshold(target, threshold_of)
        rows, known = [], {}
        for name, group in self.groups.items():
            scores, subjects = group.compare(version), len(group.names)
            refused = "" if is_supported(scores.impostor, target) else FEW_SCORES
            if subjects < FEWEST_SUBJECTS:
                refused = FEW_SUBJECTS
            threshold = threshold_at(scores.impostor, target) if threshold_of == OWN_THRESHOLDS else common
            row: dict[str, Any] = {"group": name, "threshold": math.nan, "FMR": UNKNOWN, "FNMR": UNKNOWN}
            rows.append(row)
            if threshold is None or subjects < FEWEST_SUBJECTS:
                row["refused"] = refused or NO_THRESHOLD
                continue
            matched, missed = fmr(scores, threshold), None
            row |= {"threshold": threshold / MILLION, "FMR": wilson(matched, subjects, subjects / 2)}
            number = scores.with_authentic
            if number >= FEWEST_SUBJECTS:
                missed = fnmr_at(scores, target) if threshold_of == OWN_THRESHOLDS else fnmr(scores, threshold)
                row["FNMR"] = wilson(missed, number, number)
            row["refused"] = refused
            if not refused:
                known[name] = {"FMR": (matched, subjects), "FNMR": (missed, number)}
        rates = {kind: [row[kind].value for row in rows if row["group"] in known] for kind in ("FMR", "FNMR")}
        return {
            "part": version.part,
            "target": target,
            "threshold of": threshold_of,
            "groups": rows,
            "ratios": [self._ratio(first, second, known) for first, second in combinations(known, 2)],
            **_inequalities(rates["FMR"], rates["FNMR"]),
        }

    def _common_threshold(self, target: float, threshold_of: str) -> int | None:
        names = list(self.groups) if threshold_of == ALL_GROUPS else [threshold_of]
        impostor = np.concatenate([self.groups[name].compare(BASELINE).impostor for name in names])
        return threshold_at(impostor, target) if is_supported(impostor, target) else None

    def _ratio(self, first: str, second: str, known: Mapping[str, Any]) -> dict[str, Any]:
        row: dict[str, Any] = {"first group": first, "second group": second}
        for kind in ("FMR", "FNMR"):
            (one, number), (other, others) = known[first][kind], known[second][kind]
            row[kind] = UNKNOWN
            if one is not None and other is not None:
                laid = _aligned(one, self.groups[first], other, self.groups[second])
                after, before = (
                    Figure(each.value, each_laid) for each, each_laid in zip((one, other), laid, strict=True)
                )
                row[kind] = ratio(after, before, min(number, others))
        return row

    def differential_rows(self) -> list[dict[str, Any]]:
        """The same as one table: a row a group; ratios to the first group that takes part."""
        rows = []
        for each in self.differentials():
            whole = {key: value for key, value in each.items() if key not in ("groups", "ratios")}
            for group in each["groups"]:
                row = {**whole, **group, "ratio to": "", "ratio of FMR": UNKNOWN, "ratio of FNMR": UNKNOWN}
                for found in each["ratios"]:
                    if (found["first group"], found["second group"]) == (
                        each["ratios"][0]["first group"],
                        row["group"],
                    ):
                        row["ratio to"] = found["first group"]
                        row |= {f"ratio of {kind}": found[kind].inverse() for kind in ("FMR", "FNMR")}
                rows.append(row)
        return rows


def _against(moved: Sequence[BySubjects], before: BySubjects) -> Figure:
    """The shift of the mean of several means from another one."""
    return mean_figure(combine([*((1 / len(moved), each) for each in moved), (-1.0, before)]))


def _distances(kind: str, before: NDArray[np.int64], after: NDArray[np.int64]) -> dict[str, float]:
    one, other = before / MILLION, after / MILLION
    return {
        f"{kind} Kolmogorov-Smirnov": float(stats.ks_2samp(one, other, method="asymp").statistic),
        f"{kind} Wasserstein": float(stats.wasserstein_distance(one, other)),
    }


def _rates(baseline: Scores, occluded: Scores, subjects: int) -> dict[str, Estimate]:
    """FMR at the baseline's threshold, and how many times the baseline's it is."""
    row: dict[str, Estimate] = {}
    for name, target in TARGETS.items():
        row |= {f"FMR at baseline threshold {name}": UNKNOWN, f"FMR ratio {name}": UNKNOWN}
        if is_supported(baseline.impostor, target):
            threshold = threshold_at(baseline.impostor, target)
            after, before = fmr(occluded, threshold), fmr(baseline, threshold)
            row[f"FMR at baseline threshold {name}"] = wilson(after, subjects, subjects / 2)
            row[f"FMR ratio {name}"] = ratio(after, before, subjects)
    return row


def _authentic(baseline: Scores, occluded: Scores, subjects: int) -> dict[str, Any]:
    """All that needs authentic scores."""
    intervals = ["baseline d'", "d'", "d' change", "authentic mean", "authentic shift", "EER", "baseline EER"]
    intervals += [f"{which}FNMR {name}" for name in TARGETS for which in ("", "baseline ")]
    row: dict[str, Any] = dict.fromkeys(intervals, UNKNOWN)
    row |= {"authentic Kolmogorov-Smirnov": math.nan, "authentic Wasserstein": math.nan}
    if not len(baseline.authentic) or not len(occluded.authentic):
        return row
    number = occluded.with_authentic
    before, after = d_prime_figure(baseline), d_prime_figure(occluded)
    mean = authentic_mean(occluded)
    row |= {
        "baseline d'": symmetric(before, subjects),
        "d'": symmetric(after, subjects),
        "d' change": symmetric(after.minus(before), subjects),
        "authentic mean": symmetric(mean, number),
        "authentic shift": symmetric(mean.minus(authentic_mean(baseline)), number),
        "EER": wilson(eer(occluded), number, number),
        "baseline EER": wilson(eer(baseline), number, number),
        **_distances("authentic", baseline.authentic, occluded.authentic),
    }
    for name, target in TARGETS.items():
        for which, scores in (("", occluded), ("baseline ", baseline)):
            if is_supported(scores.impostor, target):
                row[f"{which}FNMR {name}"] = wilson(fnmr_at(scores, target), number, number)
    return row


def _identification(baseline: Scores, occluded: Scores) -> dict[str, Estimate]:
    """Identification rates, whose intervals are over the subjects of the probes that have a rank."""
    row = {}
    numbers = [len(np.unique(each.probes.subjects[each.probes.ranks > 0])) for each in (occluded, baseline)]
    for most in RANKS:
        names = [f"rank-{most} rate", f"baseline rank-{most} rate", f"rank-{most} rate change"]
        row |= dict.fromkeys(names, UNKNOWN)
        if min(numbers):
            after, before = (identification_rate(each, most) for each in (occluded, baseline))
            rates = [wilson(rate, number, number) for rate, number in zip((after, before), numbers, strict=True)]
            figures = [*rates, rate_change(after, before, (numbers[0], numbers[1]))]
            row |= dict(zip(names, figures, strict=True))
    return row


def _aligned(
    one: Figure, group: Group, other: Figure, other_group: Group
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lay out the influences of two groups' subjects over the subjects of both."""
    names = np.unique(np.concatenate([group.names, other_group.names]))
    laid = np.zeros((2, len(names)))
    laid[0, np.searchsorted(names, group.names)] = one.influence
    laid[1, np.searchsorted(names, other_group.names)] = other.influence
    return laid[0], laid[1]


def _inequalities(fmrs: Sequence[float], fnmrs: Sequence[float]) -> dict[str, float]:
    row: dict[str, float] = dict.fromkeys(
        ["inequity of FMR", "inequity of FNMR", "GARBE", "fairness discrepancy rate"], math.nan
    )
    if len(fmrs) < 2:
        return row
    row["inequity of FMR"] = _inequity(fmrs)
    if np.isfinite(fnmrs).all():
        row["inequity of FNMR"] = _inequity(fnmrs)
        row["GARBE"] = (_gini(fmrs) + _gini(fnmrs)) / 2
        row["fairness discrepancy rate"] = 1 - (np.ptp(fmrs) + np.ptp(fnmrs)) / 2
    return row


def _inequity(rates: Sequence[float]) -> float:
    return max(rates) / float(stats.gmean(rates)) if min(rates) else math.nan


def _gini(rates: Sequence[float]) -> float:
    count = len(rates)
    apart = sum(abs(one - other) for one in rates for other in rates)
    return count / (count - 1) * apart / (2 * count**2 * float(np.mean(rates))) if max(rates) else math.nan


def _in_words(kinds: NDArray[np.str_]) -> str:
    """The kinds of control, the most frequent first, with their shares where there are several."""
    names, counts = np.unique(kinds[kinds != ""], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    if len(names) < 2:
        return "".join(names)
    return ", ".join(f"{names[place]} {100 * counts[place] / counts.sum():.1f}%" for place in order)
