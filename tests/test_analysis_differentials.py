"""Groups compared: differences of shifts against brute force, and rates against the metrics on the same scores."""

import math
import statistics

import numpy as np
import pytest
from scipy.stats import t as student

from facepart.analysis.contrasts import contrast, pair_sums
from facepart.analysis.differentials import (
    EACH_GROUP,
    Differential,
    common_threshold,
    differential,
    shift_differences,
)
from facepart.analysis.influence import Influence, SubjectScores
from facepart.analysis.intervals import MIN_SUBJECTS, rate_interval, variance
from facepart.analysis.metrics import fmr, fnmr, fnmr_at_fmr_influence, fnmr_influence, threshold_at_fmr
from facepart.analysis.place_variance import VarianceComponent
from facepart.analysis.results import ALL_GROUPS
from facepart.matching.cosine import unit_rows
from facepart.matching.counting import count_scores
from facepart.matching.faces import Faces
from facepart.matching.subject_statistics import (
    SubjectTailCounts,
    authentic_scores,
    authentic_sums,
    choose_first_bin,
    impostor_moments,
)
from facepart.scores import ScoreDistribution
from facepart.scores.subject_sums import SubjectSums, Sums

TARGET = 1e-2


def make_group(seed: int, people: int, photos: int, spread: float = 1.0, prefix: str = "p") -> SubjectScores:
    """The scores of random faces, as the matcher counts them and sums them up."""
    rng = np.random.default_rng(seed)
    subjects = np.repeat(np.arange(people), photos)
    rows = rng.standard_normal((people, 12))[subjects] + spread * rng.standard_normal((len(subjects), 12)) + 0.3
    faces = Faces(unit_rows(rows.astype(np.float32)), subjects, np.arange(len(subjects)))
    return scores_of(faces, np.array([f"{prefix}{number:03}" for number in range(people)]))


def scores_of(faces: Faces, names: np.ndarray) -> SubjectScores:
    authentic, people = authentic_scores(faces, None), len(names)
    tails = SubjectTailCounts(people, choose_first_bin(faces, None, authentic[1], -1.0))
    scores = count_scores(faces, None, workers=1, tails=tails)
    impostor = Sums(*impostor_moments(people, faces, None), tails.bins())
    sums = SubjectSums(names, tails.first_bin, authentic_sums(people, authentic, tails.first_bin), impostor)
    return SubjectScores(scores, sums)


@pytest.fixture(scope="module")
def groups() -> dict[str, SubjectScores]:
    sizes = {"CM": (40, 3, 0.8), "CF": (25, 3, 1.1), "AM": (18, 4, 1.0)}
    return {
        name: make_group(seed, people, photos, spread, name)
        for seed, (name, (people, photos, spread)) in enumerate(sizes.items())
    }


def compare(
    groups: dict[str, SubjectScores], threshold_of: str, originals: dict[str, SubjectScores] | None = None
) -> Differential:
    impostor = {name: group.scores.impostor for name, group in (originals or groups).items()}
    return differential("baseline", groups, impostor, TARGET, threshold_of)


def raw(scores: ScoreDistribution) -> np.ndarray:
    return np.repeat(scores.scores, scores.counts)


# Differences of shifts.


def random_shift(seed: int, people: int, twice: float = 0.0) -> Influence:
    own = np.random.default_rng(seed).standard_normal(people) / people
    return Influence(0.02 * seed, own - own.mean(), twice, people)


def named(prefix: str, people: int) -> list[str]:
    return [f"{prefix}{number:03}" for number in range(people)]


def test_differences_of_groups_without_common_people_add_the_variances() -> None:
    shifts = {"CM": random_shift(1, 30, 1e-4), "CF": random_shift(2, 30, 2e-4), "AM": random_shift(3, 20)}
    people = {"CM": named("a", 30), "CF": named("b", 30), "AM": named("c", 20)}
    found = shift_differences({("nose", "blur"): shifts}, people)
    assert [(each.first, each.second) for each in found] == [("CM", "CF"), ("CM", "AM"), ("CF", "AM")]
    assert {(each.part, each.occlusion, each.paired) for each in found} == {("nose", "blur", False)}
    assert [each.difference.value for each in found] == pytest.approx([-0.02, -0.04, -0.02])
    added = {
        (first, second): variance(shifts[first]) + variance(shifts[second])
        for first, second in (("CM", "CF"), ("CM", "AM"), ("CF", "AM"))
    }
    # The jackknife's factor, (p - 1) / p, is that of the subjects of both groups: 59 / 60, not 29 / 30.
    assert found[0].difference.error ** 2 == pytest.approx(added["CM", "CF"] * (59 / 60) / (29 / 30), rel=1e-3)
    # Of unequal groups the smaller's correction may be taken for both: some per cent at most.
    for each in found[1:]:
        assert each.difference.error**2 == pytest.approx(added[each.first, each.second], rel=0.06)
    # Degrees of freedom are the smaller group's.
    for each, fewest in zip(found, (30, 20, 20), strict=True):
        reach = student.ppf(0.975, fewest - 1) * each.difference.error
        assert each.difference.high - each.difference.value == pytest.approx(reach, rel=1e-4)


def test_places_add_what_they_do_differently_in_two_groups() -> None:
    shifts = {"CM": random_shift(1, 30), "CF": random_shift(2, 30)}
    people = {"CM": named("a", 30), "CF": named("b", 30)}
    # What both groups had alone says nothing of places that move both.
    places = {name: each._replace(places=VarianceComponent(1.0, 4)) for name, each in shifts.items()}
    draws = np.array([0.01, 0.03, 0.02, 0.05, 0.04])
    apart = np.array([0.4, -0.3, 0.1, 0.2, -0.6])
    (plain,) = shift_differences({("nose", "blur"): shifts}, people)
    for added in (0 * apart, apart):
        (found,) = shift_differences(
            {("nose", "blur"): places}, people, 0.5, {"nose": {"CM": draws, "CF": draws + added}}
        )
        assert (found.effect, plain.effect) == ("importance", "impostor_shift")
        of_people, of_places = plain.difference.error**2, statistics.variance(added) / 5
        total = of_people + of_places
        assert found.difference.value == plain.difference.value
        assert found.difference.error**2 == pytest.approx(total)
        degrees = min(total**2 / (of_people**2 / 29 + of_places**2 / 4), 29)
        t = abs(found.difference.value) / math.sqrt(total)
        assert found.p_value == pytest.approx(2 * student.sf(t, degrees), rel=1e-6)
        reach = student.ppf([0.975, 0.95], degrees) * math.sqrt(total)
        assert found.difference.high - found.difference.value == pytest.approx(reach[0], rel=1e-6)
        assert found.equivalent == (abs(found.difference.value) + reach[1] < 0.5)
    assert degrees < 29


def test_people_in_both_groups_cancel_whatever_their_order() -> None:
    names = named("a", 40)
    shared = random_shift(1, 40)
    order = np.random.default_rng(5).permutation(40)
    shuffled = Influence(shared.value - 0.5, shared.by_subject[order], 0.0, 40)
    people = {"young": names, "old": [names[place] for place in order]}
    (found,) = shift_differences({("nose", "blur"): {"young": shared, "old": shuffled}}, people)
    assert found.paired
    assert found.difference.value == pytest.approx(0.5)
    assert found.difference.error == pytest.approx(0, abs=1e-12)
    # With the same numbers but other people, nothing cancels.
    (apart,) = shift_differences(
        {("nose", "blur"): {"young": shared, "old": shuffled}}, {**people, "old": named("b", 40)}
    )
    assert not apart.paired
    assert apart.difference.error == pytest.approx(math.sqrt(2 * variance(shared) * (79 / 80) / (39 / 40)))


def test_people_partly_in_both_groups_count_with_what_they_add_to_both() -> None:
    shifts = {"young": random_shift(1, 30), "old": random_shift(2, 30)}
    people = {"young": named("a", 30), "old": named("b", 20) + named("a", 10)}
    (found,) = shift_differences({("nose", "blur"): shifts}, people)
    assert found.paired
    of_person: dict[str, float] = {}
    for sign, group in ((1, "young"), (-1, "old")):
        for name, own in zip(people[group], shifts[group].by_subject, strict=True):
            of_person[name] = of_person.get(name, 0.0) + sign * own
    whole = Influence(0.0, np.array(list(of_person.values())), 0.0, 30)
    assert len(of_person) == 50
    assert found.difference.error**2 == pytest.approx(variance(whole), rel=0.05)
    assert found.difference.error != pytest.approx(math.sqrt(sum(variance(each) for each in shifts.values())))


def two_sessions(seed: int, alike: float) -> tuple[list[Influence], np.ndarray]:
    """Shifts of 25 people's mean impostor scores in two sessions, and what a bootstrap of people says they differ by.

    Args:
        seed: of all.
        alike: the share of a person's embedding that is the same in both sessions.
    """
    rng = np.random.default_rng(seed)
    common = [rng.standard_normal((25, 8)) for _ in range(2)]
    photos = np.full(25, 1)
    sums, products = [], []
    for _ in range(2):
        own = [alike * each + (1 - alike) * rng.standard_normal(each.shape) + 0.5 for each in common]
        sums.append(contrast([pair_sums(photos, each) for each in own], [1, -1]))
        products.append(own[0] @ own[0].T - own[1] @ own[1].T)
    moved = products[0] - products[1]
    weights = rng.multinomial(25, np.full(25, 1 / 25), 4000).astype(float)
    both = np.einsum("bp,pq,bq->b", weights, moved - np.diag(np.diag(moved)), weights)
    return sums, both / (25**2 - (weights**2).sum(axis=1))


@pytest.mark.parametrize("alike", [0.0, 0.5, 0.9])
def test_an_interval_of_people_in_both_groups_is_about_the_bootstraps(alike: float) -> None:
    shifts, drawn = two_sessions(3, alike)
    names = named("a", 25)
    (found,) = shift_differences({("nose", "blur"): dict(zip("ab", shifts, strict=True))}, {"a": names, "b": names})
    assert found.difference.error == pytest.approx(drawn.std(), rel=0.15)
    unpaired = math.sqrt(sum(variance(each) for each in shifts))
    assert (found.difference.error < 0.8 * unpaired) == (alike > 0)


def test_a_group_of_few_people_gets_a_difference_without_an_interval() -> None:
    shifts = {"CM": random_shift(1, 30), "CF": random_shift(2, MIN_SUBJECTS - 1)}
    people = {"CM": named("a", 30), "CF": named("b", MIN_SUBJECTS - 1)}
    (found,) = shift_differences({("nose", "blur"): shifts}, people)
    assert found.difference.value == pytest.approx(-0.02)
    assert math.isnan(found.difference.low)


# Rates.


def thresholds(groups: dict[str, SubjectScores], threshold_of: str) -> dict[str, float]:
    impostor = {name: raw(group.scores.impostor) for name, group in groups.items()}
    if threshold_of == EACH_GROUP:
        return {name: threshold_at_fmr(scores, TARGET) for name, scores in impostor.items()}
    chosen = np.concatenate(list(impostor.values())) if threshold_of == ALL_GROUPS else impostor[threshold_of]
    return dict.fromkeys(groups, threshold_at_fmr(chosen, TARGET))


@pytest.mark.parametrize("threshold_of", [ALL_GROUPS, "CF", EACH_GROUP])
def test_rates_are_the_metrics_on_the_same_scores_and_summaries_by_hand(
    groups: dict[str, SubjectScores], threshold_of: str
) -> None:
    found = compare(groups, threshold_of)
    expected = thresholds(groups, threshold_of)
    assert [each.group for each in found.groups] == list(groups)
    assert (found.target, found.threshold_of) == (TARGET, threshold_of)
    fmrs, fnmrs = [], []
    for each in found.groups:
        scores = groups[each.group].scores
        assert not each.refused
        # Scores are multiples of 1e-6; a threshold between two of them is as good as the next.
        assert each.threshold == pytest.approx(expected[each.group], abs=1.1e-6)
        fmrs.append(float(fmr(raw(scores.impostor), expected[each.group])))
        fnmrs.append(float(fnmr(raw(scores.authentic), expected[each.group])))
        for rate, value in ((each.fmr, fmrs[-1]), (each.fnmr, fnmrs[-1])):
            assert rate.value == pytest.approx(value)
            assert 0 <= rate.low < rate.value < rate.high <= 1
    assert len(set(fnmrs)) == 3
    assert found.inequity_fmr == pytest.approx(max(fmrs) / np.prod(fmrs) ** (1 / 3))
    assert found.inequity_fnmr == pytest.approx(max(fnmrs) / np.prod(fnmrs) ** (1 / 3))

    def gini(rates: list[float]) -> float:
        apart = [abs(one - other) for one in rates for other in rates]
        return 3 / 2 * sum(apart) / (2 * 9 * float(np.mean(rates)))

    assert found.garbe == pytest.approx((gini(fmrs) + gini(fnmrs)) / 2)
    largest = (max(fmrs) - min(fmrs)) / 2 + (max(fnmrs) - min(fnmrs)) / 2
    assert found.fairness_discrepancy == pytest.approx(1 - largest)


@pytest.mark.parametrize("threshold_of", [ALL_GROUPS, EACH_GROUP])
def test_ratios_of_every_two_groups_have_intervals_about_them(
    groups: dict[str, SubjectScores], threshold_of: str
) -> None:
    found = compare(groups, threshold_of)
    rates = {each.group: each for each in found.groups}
    assert [(each.first, each.second) for each in found.ratios] == [("CM", "CF"), ("CM", "AM"), ("CF", "AM")]
    for each in found.ratios:
        for kind in ("fmr", "fnmr"):
            ratio = getattr(each, kind)
            first, second = (getattr(rates[group], kind) for group in (each.first, each.second))
            assert ratio.value == pytest.approx(first.value / second.value)
            assert 0 < ratio.low < ratio.value < ratio.high
            # Symmetric as a logarithm; to first order, relative errors add up as squares.
            assert ratio.low * ratio.high == pytest.approx(ratio.value**2)
            relative = math.hypot(first.error / first.value, second.error / second.value)
            assert ratio.error / ratio.value == pytest.approx(relative, rel=0.06)


def test_lost_parts_are_measured_at_the_original_photos_threshold(groups: dict[str, SubjectScores]) -> None:
    lost = {name: make_group(10 + seed, 25, 3, 1.0, name) for seed, name in enumerate(groups)}
    found = compare(lost, ALL_GROUPS, groups)
    expected = thresholds(groups, ALL_GROUPS)["CM"]
    assert expected != thresholds(lost, ALL_GROUPS)["CM"]
    for each in found.groups:
        assert each.threshold == pytest.approx(expected, abs=1.1e-6)
        assert each.fmr.value == pytest.approx(float(fmr(raw(lost[each.group].scores.impostor), expected)))
    # Where each has one of its own, photos with the part lost have theirs.
    own = compare(lost, EACH_GROUP, groups)
    expected_own = list(thresholds(lost, EACH_GROUP).values())
    assert [each.threshold for each in own.groups] == pytest.approx(expected_own, abs=1.1e-6)


def test_a_threshold_of_the_groups_own_is_an_estimate_too(groups: dict[str, SubjectScores]) -> None:
    """Of the same figure there is one interval: that of the part's results, where the threshold is estimated."""
    found = {each.group: each for each in compare(groups, EACH_GROUP).groups}
    wider = []
    for name, group in groups.items():
        assert found[name].fnmr == rate_interval(fnmr_at_fmr_influence(group, TARGET), group.effective_authentic)
        given = rate_interval(fnmr_influence(group, found[name].threshold), group.effective_authentic)
        wider.append(found[name].fnmr.error / given.error)
    assert min(wider) > 1.05


def without_authentic(group: SubjectScores) -> SubjectScores:
    none = ScoreDistribution.of([])
    sums = group.sums.authentic
    empty = type(sums)(sums.count * 0, sums.total * 0, sums.squares * 0, sums.bins * 0)
    return SubjectScores(
        group.scores._replace(authentic=none),
        type(group.sums)(group.sums.subjects, group.sums.lowest, empty, group.sums.impostor),
    )


def test_without_authentic_scores_there_are_false_matches_alone(groups: dict[str, SubjectScores]) -> None:
    found = compare({**groups, "CF": without_authentic(groups["CF"])}, ALL_GROUPS)
    whole = compare(groups, ALL_GROUPS)
    assert found.inequity_fmr == whole.inequity_fmr
    assert all(math.isnan(figure) for figure in (found.inequity_fnmr, found.garbe, found.fairness_discrepancy))
    for each, complete in zip(found.ratios, whole.ratios, strict=True):
        assert each.fmr == complete.fmr
        assert math.isnan(each.fnmr.value) == ("CF" in (each.first, each.second))
    assert [math.isnan(each.fnmr.value) for each in found.groups] == [False, True, False]


def refused(found: Differential) -> dict[str, str]:
    return {each.group: each.refused for each in found.groups if each.refused}


@pytest.mark.parametrize(
    ("people", "photos", "reason"),
    [(MIN_SUBJECTS - 1, 12, "fewer than 10 subjects"), (12, 3, "too few impostor scores")],
)
def test_small_groups_are_shown_as_refused_and_take_no_part(
    groups: dict[str, SubjectScores], people: int, photos: int, reason: str
) -> None:
    small = make_group(7, people, photos, prefix="small")
    found = compare({**groups, "small": small}, "CM")
    whole = compare(groups, "CM")
    assert refused(found) == {"small": reason}
    assert found.ratios == whole.ratios
    for figure in ("inequity_fmr", "inequity_fnmr", "garbe", "fairness_discrepancy"):
        assert getattr(found, figure) == getattr(whole, figure), figure
    (row,) = (each for each in found.groups if each.group == "small")
    assert math.isnan(row.fmr.low) == (people < MIN_SUBJECTS)


def test_one_group_that_is_left_is_compared_with_nobody(groups: dict[str, SubjectScores]) -> None:
    found = compare({"CM": groups["CM"], "small": make_group(7, 9, 12)}, EACH_GROUP)
    assert found.ratios == []
    figures = (found.inequity_fmr, found.inequity_fnmr, found.garbe, found.fairness_discrepancy)
    assert all(math.isnan(figure) for figure in figures)


def test_no_threshold_where_its_group_has_too_few_scores(groups: dict[str, SubjectScores]) -> None:
    small = make_group(7, 12, 3)
    impostor = {name: group.scores.impostor for name, group in {**groups, "small": small}.items()}
    assert common_threshold(impostor, TARGET, "small") is None
    found = compare({**groups, "small": small}, "small")
    assert [each.refused for each in found.groups] == ["no threshold"] * 3 + ["too few impostor scores"]
    assert all(math.isnan(each.threshold) and math.isnan(each.fmr.value) for each in found.groups)
    assert found.ratios == []
    assert math.isnan(found.inequity_fmr)


def test_few_people_with_a_second_photo_give_no_interval_of_false_non_matches(
    groups: dict[str, SubjectScores],
) -> None:
    """Impostor scores come from all people, authentic ones from the few who have two photos."""
    rng = np.random.default_rng(4)
    subjects = np.concatenate([np.arange(50), np.repeat(np.arange(5), 4)])
    rows = rng.standard_normal((50, 12))[subjects] + rng.standard_normal((len(subjects), 12)) + 0.3
    faces = Faces(unit_rows(rows.astype(np.float32)), subjects, np.arange(len(subjects)))
    few = scores_of(faces, np.array(named("x", 50)))
    found = compare({"CM": groups["CM"], "few": few}, ALL_GROUPS)
    row = found.groups[1]
    assert not row.refused
    assert math.isfinite(row.fmr.low)
    assert math.isnan(row.fnmr.low)
    (ratio,) = found.ratios
    assert math.isfinite(ratio.fmr.low)
    assert math.isnan(ratio.fnmr.value)
    assert math.isnan(ratio.fnmr.low)


def test_p_values_are_those_of_scipys_t_and_holms() -> None:
    """Holm's by its definition: the lowest level at which a hypothesis is rejected."""
    shifts = {
        (part, "blur"): {
            # Differences have errors of about 0.006, values lie up to 0.05 apart.
            group: one._replace(value=one.value % 0.05, by_subject=one.by_subject / 40)
            for group, one in (
                (name, random_shift(13 * place + 2 * number, 30)) for number, name in enumerate(("CM", "CF", "AM"))
            )
        }
        for place, part in enumerate(("eyes", "nose", "mouth"))
    }
    shifts["nose", "blur"]["AM"] = random_shift(99, MIN_SUBJECTS - 1)
    people = {"CM": named("a", 30), "CF": named("b", 30), "AM": named("c", 30)}
    people_of_few = {**people, "AM": named("c", 30)[: MIN_SUBJECTS - 1]}
    found = shift_differences({key: shifts[key] for key in shifts if key[0] != "nose"}, people, margin=0.03)
    for each in found:
        expected = 2 * student.sf(abs(each.difference.value) / each.difference.error, each.difference.effective - 1)
        assert each.p_value == pytest.approx(expected, rel=1e-6)
        inner = each.difference.error * student.ppf(0.95, each.difference.effective - 1)
        within = each.difference.value - inner > -0.03 and each.difference.value + inner < 0.03
        assert each.equivalent == within
    assert {each.equivalent for each in found} == {True, False}
    p_values = np.sort([each.p_value for each in found])
    for each in found:
        # At a level, Holm rejects the k smallest if each of these is below the level over how many are left.
        rejected_at = [
            level
            for level in np.linspace(0, 1, 20_001)
            if all(p <= level / (len(found) - k) for k, p in enumerate(p_values) if p <= each.p_value)
        ]
        assert each.p_holm == pytest.approx(min(rejected_at, default=1.0), abs=1e-4)
    few = shift_differences({("nose", "blur"): shifts["nose", "blur"]}, people_of_few, margin=0.03)
    assert [math.isnan(each.p_value) for each in few] == [False, True, True]
    assert [each.equivalent is None for each in few] == [False, True, True]
    assert few[0].p_holm == few[0].p_value


def test_without_a_margin_nothing_is_called_equivalent() -> None:
    shifts = {"CM": random_shift(1, 30), "CF": random_shift(1, 30)}
    (found,) = shift_differences({("nose", "blur"): shifts}, {"CM": named("a", 30), "CF": named("b", 30)})
    assert found.equivalent is None
