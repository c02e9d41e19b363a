"""Intervals in worlds whose truth is known: few draws, to see an interval collapse; the benchmark has the figures."""

from collections.abc import Iterator

import pytest

from benchmarks import interval_worlds
from benchmarks.interval_coverage import SETTINGS, Coverage, coverage

pytestmark = pytest.mark.slow

DRAWS = 40


@pytest.fixture(scope="module")
def rough_truths() -> Iterator[None]:
    """Truths of few subjects, known well enough for few draws; the worlds here have the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interval_worlds, "_BLOCKS", 6)
        patch.setattr(interval_worlds, "_MORE_BLOCKS", 60)
        for kept in (interval_worlds._scores_of_many, interval_worlds.mean_vectors):
            kept.cache_clear()
        yield
    for kept in (interval_worlds._scores_of_many, interval_worlds.mean_vectors):
        kept.cache_clear()


@pytest.fixture(scope="module", params=["12 of 100", "10 x 3"])
def covered(request: pytest.FixtureRequest, rough_truths: None) -> dict[str, Coverage]:
    return coverage(SETTINGS[request.param], DRAWS, seed=3)


def test_no_interval_collapses(covered: dict[str, Coverage]) -> None:
    # Of 40 intervals that hold in 95 %, 33 or fewer hold in one of 10,000 draws.
    low = {name: each.held for name, each in covered.items() if each.given > 0.5 and each.held < 0.84}
    assert not low


def test_most_figures_have_an_interval(covered: dict[str, Coverage]) -> None:
    always = ("impostor_mean", "impostor_shift", "importance", "d_prime", "d_prime_change", "eer", "authentic_shift")
    assert all(covered[name].given == 1 for name in always)
    # Nor are they of any length; that of an EER of 12 authentic scores is long.
    assert all(covered[name].width < 2 for name in always if name != "eer")
    assert covered["eer"].width < 4
