"""The table of metrics: its rows against the metrics themselves, and a row that is added reaches every output."""

import csv
import io
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facepart.analysis import results
from facepart.analysis.influence import Influence, SubjectScores
from facepart.analysis.intervals import UNKNOWN, interval, rate_change_interval, rate_interval
from facepart.analysis.metrics import (
    DISTANCES,
    METRICS,
    SCORE_METRICS,
    Distance,
    Metric,
    auc,
    binned_mode,
    d_prime,
    d_prime_influence,
    eer,
    eer_interval,
    fnmr_at_fmr,
    fnmr_at_fmr_influence,
    identification_influence,
    impostor_mean_influence,
    mean_score,
)
from facepart.analysis.metrics.tally import Scores
from facepart.analysis.results import WITHIN, RowKey, part_result, result_columns
from facepart.plots import statistics
from facepart.plots.sets import ScoreSet
from facepart.report.export import results_csv, results_json
from facepart.scores import GroupScores, ScoreDistribution
from facepart.scores.ranks import SubjectRanks
from tests.people_scores import draw_photos, group_scores
from tests.report_data import make_data

NONE = ScoreDistribution.of([])
KEY = RowKey("CM", "nose", "blur", WITHIN, 90, 30, 0, 90, 30, 0.1, 0.2)
FROM_EMBEDDINGS = {"impostor_shift": UNKNOWN}


@pytest.fixture(scope="module")
def pair() -> tuple[SubjectScores, SubjectScores]:
    """A group before and after a change; 160 subjects, a few of them with one photo."""
    subjects, photos, after = draw_photos(11, 160)
    return group_scores(subjects, photos), group_scores(subjects, after)


def row(name: str) -> Metric:
    (found,) = [metric for metric in METRICS if metric.name == name]
    return found


def test_the_rows_are_the_metrics(pair: tuple[SubjectScores, SubjectScores]) -> None:
    scores = pair[0].scores
    raw = [np.repeat(each.scores, each.counts) for each in scores]
    assert row("authentic_mean").value(scores) == pytest.approx(raw[0].mean())
    assert row("impostor_mean").value(scores) == pytest.approx(raw[1].mean())
    for name, metric in (("d_prime", d_prime), ("eer", eer), ("auc", auc)):
        assert row(name).value(scores) == pytest.approx(metric(*raw))
    for target in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6):
        found, expected = row(f"fnmr_at_fmr_{target:.0e}").value(scores), fnmr_at_fmr(*scores, target)
        assert math.isnan(found) if expected is None else found == expected
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert [metric.name for metric in METRICS if metric not in SCORE_METRICS] == ["rank1_rate", "rank10_rate"]


def test_intervals_are_over_the_subjects_with_such_scores(pair: tuple[SubjectScores, SubjectScores]) -> None:
    before, after = pair
    mated = int((before.sums.authentic.count > 0).sum())
    assert mated == before.authentic_subjects < before.subjects == 160
    assert row("impostor_mean").interval(before) == interval(impostor_mean_influence(before))
    assert row("d_prime").interval(before) == interval(d_prime_influence(before))
    assert row("eer").interval(before) == eer_interval(before)
    missed = rate_interval(fnmr_at_fmr_influence(before, 1e-2), before.effective_authentic)
    assert row("fnmr_at_fmr_1e-02").interval(before) == missed
    assert row("fnmr_at_fmr_1e-06").interval(before) == UNKNOWN  # too few impostor scores
    assert row("auc").interval(before) == UNKNOWN._replace(value=auc(*before.scores))
    change = d_prime_influence(after).minus(d_prime_influence(before))
    assert row("d_prime").change(before, after) == interval(change)
    assert row("auc").change(before, after).value == auc(*after.scores) - auc(*before.scores)


def test_ranks_are_a_metric_where_they_are_known(pair: tuple[SubjectScores, SubjectScores]) -> None:
    before, after = pair
    metric = row("rank1_rate")
    assert metric.interval(before) == metric.change(before, after) == UNKNOWN
    ranks = [SubjectRanks(160, np.repeat(np.arange(20), 3), np.tile(first, 20)) for first in ([1, 1, 2], [1, 4, 2])]
    before, after = (group._replace(ranks=each) for group, each in zip(pair, ranks, strict=True))
    assert metric.interval(before) == rate_interval(identification_influence(ranks[0], 1), 20)
    assert metric.interval(before).value == pytest.approx(2 / 3)
    moved, fixed = (identification_influence(each, 1) for each in reversed(ranks))
    assert metric.change(before, after) == rate_change_interval(moved, fixed)


def test_without_authentic_scores_only_impostor_metrics_are_known(pair: tuple[SubjectScores, SubjectScores]) -> None:
    before, after = pair
    alone = before._replace(
        scores=GroupScores(NONE, before.scores.impostor),
        sums=replace(
            before.sums,
            authentic=replace(before.sums.authentic, count=np.zeros(160, np.int64)),
        ),
    )
    known = {metric.name for metric in METRICS if not math.isnan(metric.interval(alone).value)}
    assert known == {"impostor_mean"}
    found = part_result(
        KEY, alone, [alone._replace(scores=GroupScores(NONE, after.scores.impostor))], FROM_EMBEDDINGS
    )
    assert found.authentic_shift == found.d_prime == found.eer_baseline == UNKNOWN
    assert math.isnan(found.authentic_ks) and found.impostor_ks > 0


def test_columns_are_the_fields_of_a_row_in_their_order(pair: tuple[SubjectScores, SubjectScores]) -> None:
    columns = result_columns()
    assert len({column.name for column in columns}) == len(columns)
    names = [column.name for column in columns]
    assert names[:4] == ["recogniser", "group", "part", "occlusion"] and names[-1] == "rank10_rate_change"
    found = part_result(KEY, pair[0], pair[1:], FROM_EMBEDDINGS)
    assert not found.further
    assert [found.figure(name) for name in names] == [getattr(found, name) for name in names]
    assert {column.name for column in columns if column.has_interval} == {
        name for name in names if hasattr(found.figure(name), "low")
    }


def test_every_column_is_documented() -> None:
    documented = set(re.findall(r"`(\w+)`", (Path(__file__).parents[1] / "docs/study.md").read_text()))
    assert {column.name for column in result_columns()} <= documented


def range_of(authentic: Scores, impostor: Scores) -> float:
    """A made-up metric: how far the highest impostor score is below the highest authentic score."""
    return max(authentic.scores) - max(impostor.scores)  # type: ignore[union-attr]


def range_influence(group: SubjectScores) -> Influence:
    return Influence(range_of(*group.scores), np.linspace(-1e-3, 1e-3, 160), 0.0, 160)


def gap(first: ScoreDistribution, second: ScoreDistribution) -> float:
    return mean_score(second) - mean_score(first)


def test_an_added_row_is_in_every_output(
    pair: tuple[SubjectScores, SubjectScores], monkeypatch: pytest.MonkeyPatch
) -> None:
    added = Metric("range", "range", range_of, range_influence, columns=("baseline", "occluded", "change"))
    plain = Metric("bare", "bare", range_of, columns=("change",), column="naked")
    distance = Distance("gap", "gap", gap, kinds=("authentic",))
    for module in (results, statistics):
        monkeypatch.setattr(module, "DISTANCES", (*DISTANCES, distance))
    monkeypatch.setattr(results, "METRICS", (*METRICS, added, plain))
    monkeypatch.setattr(statistics, "SCORE_METRICS", (*SCORE_METRICS, added))
    before, after = pair
    value, other = (range_of(*group.scores) for group in pair)
    # plot
    sets = [ScoreSet(name, *group.scores, group.sums) for name, group in zip("ab", pair, strict=True)]
    first, second = statistics.all_statistics(sets)
    assert (first["range"], second["range"]) == (value, other)
    assert first["range_low"] < value < first["range_high"]
    assert second["authentic_gap_to_set_1"] == gap(before.scores.authentic, after.scores.authentic)
    # results.csv and results.json
    found = part_result(KEY, before, [after], FROM_EMBEDDINGS)
    assert found.further["range"] == interval(range_influence(after))
    table = results_csv([found])
    (line,) = csv.DictReader(io.StringIO(table))
    assert float(line["range"]) == pytest.approx(other)
    assert float(line["range_baseline"]) == pytest.approx(value)
    assert float(line["range_change"]) == pytest.approx(other - value)
    assert float(line["range_low"]) < other < float(line["range_high"])
    assert float(line["naked_change"]) == pytest.approx(other - value) and not line["naked_change_low"]
    assert float(line["authentic_gap"]) == pytest.approx(gap(before.scores.authentic, after.scores.authentic))
    data = make_data(("CM",), ("nose",), people=30)
    data = replace(data, figures=replace(data.figures, results=[found]))
    (row_of_json,) = json.loads(results_json(data, {}))["results"]
    assert row_of_json["range"] == pytest.approx(other)
    assert row_of_json["range_error"] > 0


def test_the_mode_is_the_middle_of_the_fullest_bin() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(0.1, 0.05, 5000).round(6)
    counts, edges = np.histogram(scores, np.arange(-100, 101) / 100)
    assert binned_mode(ScoreDistribution.of(scores)) == pytest.approx(edges[counts.argmax()] + 0.005)
    assert binned_mode(ScoreDistribution.of([-0.995, 0.2, 0.3])) == -0.995
