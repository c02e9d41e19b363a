"""A finished study read back as DataFrames: what was found, and one line where the folder is not such a study."""

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import facepart
from facepart.analysis.differentials import ShiftDifference
from facepart.data.group_files import group_prefix
from facepart.errors import FacepartError
from facepart.files.csv_text import csv_text
from facepart.files.record import make_record, write_record
from facepart.plots.style import SET_LOOKS
from facepart.report.export import differentials_csv, results_csv, results_json, rows_csv
from facepart.report.report_data import ReportData
from facepart.scores import save_scores
from facepart.study.finished_study import read_table
from facepart.study.typed_table import parquet_bytes
from tests.report_data import make_data, with_recognisers

pandas = pytest.importorskip("pandas")

# Names that other readers of CSV take for numbers, for nothing, or for a formula.
GROUPS = ("01", "NA", "=1")
MANY = with_recognisers(make_data(GROUPS, ("eyes", "nose"), people=15, keep_only=True), sface=("eyes", "nose"))
ONE = make_data(("all",), ("nose", "mouth"), people=12, photos=2)


def write_study(folder: Path, data: ReportData, counts: object = ()) -> Path:
    """Write what a study writes of its results; `counts` is None for one that is not finished."""
    folder.mkdir(parents=True, exist_ok=True)
    write_record(folder, make_record("study", {}, {}, (), None if counts is None else {}))
    every = [each.figures for each in data.recognisers] or [data.figures]
    (folder / "results.csv").write_text(results_csv([row for each in every for row in each.results]))
    (folder / "results.json").write_text(results_json(data, write_scores(folder, data)))
    rates = [row for each in every for row in each.differentials]
    if rates:
        (folder / "differentials.csv").write_text(differentials_csv(rates))
        differences = [row for each in every for row in each.shift_differences]
        (folder / "shift_differences.csv").write_text(rows_csv(ShiftDifference, differences))
    return folder


def write_scores(folder: Path, data: ReportData) -> dict[str, object]:
    """Write the scores of the first recogniser as a study does, and say where they are."""
    conditions: dict[str, dict[str, dict[str, str]]] = {}
    for group in data.groups:
        found = conditions.setdefault(group.name, {})
        # The first part is compared on photos of its own.
        baselines = {part: f"baseline_photos_with_{part}" if not found else "baseline" for part in group.occluded}
        for part, baseline in baselines.items():
            found[part] = {"baseline": baseline, "occluded": f"{part}_grey"}
            for name, scores in (
                ("baseline", group.baseline),
                (baseline, group.baselines[part]),
                (f"{part}_grey", group.occluded[part]),
            ):
                place = folder / "matches" / "own" / name / f"{group_prefix(group.name)}_scores.npz"
                place.parent.mkdir(parents=True, exist_ok=True)
                save_scores(place, scores)
    name = data.recognisers[0].name if data.recognisers else data.design.recognisers[0]
    return {"matches": {name: "matches/own"}, "conditions": conditions}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> facepart.StudyTables:
    return facepart.read_study(write_study(tmp_path_factory.mktemp("many"), MANY))


def test_results_are_those_that_were_found(many: facepart.StudyTables) -> None:
    rows = [row for each in MANY.recognisers for row in each.figures.results]
    frame = many.results
    assert len(frame) == len(rows)
    assert set(frame["group"]) == set(GROUPS)
    for column in ("group", "part", "comparison", "occlusion"):
        assert frame[column].tolist() == [getattr(row, column) for row in rows]
    assert frame["impostor_n"].dtype.kind == "i"
    assert frame["impostor_n"].tolist() == [row.impostor_n for row in rows]
    for name in ("impostor_shift", "fmr_ratio_1e3"):
        for end, cells in ((name, "value"), (f"{name}_low", "low"), (f"{name}_high", "high")):
            expected = [getattr(getattr(row, name), cells) for row in rows]
            assert frame[end].tolist() == pytest.approx(expected, rel=1e-5, nan_ok=True), end


def test_rankings_are_in_order(many: facepart.StudyTables) -> None:
    for each in MANY.recognisers:
        by_criterion = {name: found for name, found in each.figures.rankings.items() if found}
        for criterion, rankings in by_criterion.items():
            for group, ranked in rankings.items():
                for table in (many.rankings, many.rankings_by_criterion):
                    rows = table[(table["criterion"] == criterion) & (table["group"] == group)]
                    # The figures of the data's recognisers are drawn for one of them each.
                    rows = rows[rows["recogniser"] == each.name]
                    if table is many.rankings and criterion != each.figures.ranked_by:
                        assert rows.empty
                        continue
                    assert rows["part"].tolist() == [found.part for found in ranked]
                    assert rows["rank"].tolist() == list(range(1, len(ranked) + 1))
                    assert rows["may_be_first"].tolist() == [found.may_be_first for found in ranked]
                    assert rows["effect"].tolist() == pytest.approx([found.effect.value for found in ranked])
                    low = [found.effect.low for found in ranked]
                    assert rows["effect_low"].tolist() == pytest.approx(low, rel=1e-5, nan_ok=True)


def test_groups_compared_keep_only_and_agreement(many: facepart.StudyTables) -> None:
    assert many.keep_only is not None and many.agreement is not None and many.joint_ranking is not None
    assert many.differentials is not None and many.shift_differences is not None
    kept = {
        (each.name, group): [row.part for row in rows]
        for each in MANY.recognisers
        for group, rows in each.figures.keep_only_rankings.items()
    }
    found = {key: rows["part"].tolist() for key, rows in many.keep_only.groupby(["recogniser", "group"], sort=False)}
    assert found == kept
    differentials = [row for each in MANY.recognisers for row in each.figures.differentials]
    assert len(many.differentials) == sum(len(row.groups) for row in differentials)
    assert set(many.differentials["group"]) == set(GROUPS)
    differences = [row for each in MANY.recognisers for row in each.figures.shift_differences]
    assert many.shift_differences["paired"].tolist() == [row.paired for row in differences]
    assert many.shift_differences["p_holm"].tolist() == pytest.approx(
        [row.p_holm for row in differences], rel=1e-5, nan_ok=True
    )
    assert many.shift_differences["equivalent"].isna().all()
    assert MANY.agreement is not None
    pairs = [(group.group, pair, group.w) for group in MANY.agreement.groups for pair in group.pairs]
    rows = many.agreement
    assert list(zip(rows["group"], rows["first"], rows["second"], strict=True)) == [
        (group, pair.first, pair.second) for group, pair, _ in pairs
    ]
    assert rows["tau"].tolist() == pytest.approx([pair.tau.value for _, pair, _ in pairs], nan_ok=True)
    assert rows["w"].tolist() == pytest.approx([w.value for _, _, w in pairs], nan_ok=True)
    joint = {group: rows["part"].tolist() for group, rows in many.joint_ranking.groupby("group", sort=False)}
    assert joint == {group: [row.part for row in ranked] for group, ranked in MANY.agreement.joint_ranking.items()}


def test_what_a_study_does_not_have_is_none_whatever_an_earlier_run_left(tmp_path: Path) -> None:
    write_study(tmp_path, MANY)
    tables = facepart.read_study(str(write_study(tmp_path, ONE)))
    assert (tables.differentials, tables.shift_differences, tables.keep_only) == (None, None, None)
    assert (tables.agreement, tables.joint_ranking) == (None, None)
    assert repr(tables).startswith("StudyTables(results: 2 rows, rankings: 2 rows, ")
    expected = pandas.read_csv(tmp_path / "results.csv")
    assert tables.results.pop("control").isna().all() and expected.pop("control").isna().all()
    pandas.testing.assert_frame_equal(tables.results, expected, check_dtype=False)
    assert math.isnan(tables.results["importance"][0])
    # The ranking of one group without a control is by the impostor shifts of its results.
    results, ranked = (frame.set_index("part") for frame in (tables.results, tables.rankings))
    for end in ("", "_low", "_high"):
        expected = results[f"impostor_shift{end}"][ranked.index]
        assert ranked[f"effect{end}"].tolist() == pytest.approx(expected.tolist(), rel=1e-5)


def test_folders_that_hold_no_finished_study_are_one_line(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "study", ONE)
    whole = json.loads((folder / "results.json").read_text())
    other = tmp_path / "other"
    other.mkdir()
    write_record(other, make_record("match", {}, {}, (), {}))
    running = write_study(tmp_path / "running", ONE, None)
    cases = [
        (tmp_path / "nothing", "is not the folder of a study: it has no run.json"),
        (tmp_path, "is not the folder of a study: it has no run.json"),
        (other, "holds the outputs of `match`, not of `study`"),
        (running, "the study is not finished; run the study again"),
    ]
    for text, reason in (
        (json.dumps({**whole, "version": 2}), "has format version 2, this facepart reads"),
        ("{", "is not the results of a study"),
        (json.dumps({"version": whole["version"]}), "is damaged; run the study again"),
        (json.dumps({**whole, "by_recogniser": [1]}), "is damaged; run the study again"),
    ):
        changed = write_study(tmp_path / f"changed{len(cases)}", ONE)
        (changed / "results.json").write_text(text)
        cases.append((changed, reason))
    rows = (folder / "results.csv").read_text()
    for name, text in (
        ("results.csv", "photos\nmany\n"),
        ("results.csv", "a,b\n1\n"),
        ("results.csv", ""),
        ("results.csv", rows[:200]),
        ("results.csv", rows[:-3]),
        ("results.csv", "".join(rows.splitlines(keepends=True)[:-1])),
    ):
        damaged = write_study(tmp_path / f"damaged{len(cases)}", ONE)
        (damaged / name).write_text(text)
        cases.append((damaged, "results.csv: is damaged; run the study again"))
    uncounted = write_study(tmp_path / "uncounted", ONE)
    record = json.loads((uncounted / "run.json").read_text())
    (uncounted / "run.json").write_text(json.dumps({name: record[name] for name in record if name != "counts"}))
    cases.append((uncounted, "the study is not finished"))
    for name in ("results.csv", "results.json"):
        missing = write_study(tmp_path / f"missing{len(cases)}", ONE)
        (missing / name).unlink()
        cases.append((missing, name))
    for place, reason in cases:
        with pytest.raises(FacepartError) as caught:
            facepart.read_study(place)
        assert reason in str(caught.value) and str(place) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_score_distributions_are_exact(many: facepart.StudyTables) -> None:
    group = MANY.groups[1]
    for condition, scores in (("baseline", group.baseline), ("eyes_grey", group.occluded["eyes"])):
        frame = many.scores(condition, group="NA")
        for kind in ("authentic", "impostor"):
            rows, expected = frame[frame["kind"] == kind], getattr(scores, kind)
            assert rows["count"].sum() == expected.n
            assert (rows["score"] * rows["count"]).sum() / expected.n == pytest.approx(expected.mean)
            assert rows["score"].is_monotonic_increasing


def test_figures_are_axes_with_the_study_s_numbers(many: facepart.StudyTables) -> None:
    axes = many.plot_ranking()
    ranked = {name: rows for name, rows in MANY.figures.ranking.items() if name != "all"}
    order = [each.part for each in MANY.figures.ranking["all"]]
    assert [label.get_text() for label in axes.get_yticklabels()] == order
    assert axes.get_xlabel() == "Impostor shift (95 % CI)"
    shown = [line for line in axes.lines if line.get_marker() == "o"]
    others = [line for line in axes.lines if line.get_marker() != "o"]
    ends = [np.asarray(line.get_xydata()).tolist() for line in others]
    lines = [[x for x, _ in points] for points in ends if points[0][1] == points[1][1]]
    drawn: list[Any] = [(line.get_color(), np.asarray(line.get_xydata())[0, 0]) for line in shown]
    expected: list[Any] = []
    reach: list[Any] = []
    for (colour, _), rows in zip(SET_LOOKS, ranked.values(), strict=False):
        for each in sorted(rows, key=lambda each: order.index(each.part)):
            expected.append((colour, pytest.approx(each.effect.value, rel=1e-6)))
            reach.append(pytest.approx([each.effect.low, each.effect.high], rel=1e-4))
    assert drawn == expected
    assert lines == reach
    legend = axes.get_legend()
    assert legend is not None and [text.get_text() for text in legend.get_texts()] == list(GROUPS)


def test_scores_are_drawn_on_the_photos_of_the_part(many: facepart.StudyTables) -> None:
    group = MANY.groups[0]
    expected = {
        ("eyes",): [group.baselines["eyes"], group.occluded["eyes"]],
        ("eyes", "nose"): [group.baseline, group.occluded["eyes"], group.occluded["nose"]],
    }
    for parts, scores in expected.items():
        found = many.where.sets(parts, "01", None)
        assert [entry.label for entry in found] == ["baseline", *(f"{part} occluded" for part in parts)]
        assert [entry.impostor.mean for entry in found] == [each.impostor.mean for each in scores]
    axes = many.plot_scores("eyes", group="01")
    assert axes.get_ylabel() == "Density"
    assert many.plot_scores("eyes", "nose", kind="det", group="01").get_xlabel() == "False Match Rate (%)"


def test_wrong_names_are_one_line_with_the_nearest(many: facepart.StudyTables, tmp_path: Path) -> None:
    for call, reason in (
        (lambda: many.scores("baselin", "01"), r"no scores of 'baselin' \(did you mean baseline\?\)"),
        (lambda: many.scores(), "name one of the groups: 01, NA, =1"),
        (lambda: many.scores(group="O1"), "group 'O1': unknown"),
        (lambda: many.plot_scores("eye", group="01"), r"part 'eye': unknown \(did you mean eyes\?\)"),
        (lambda: many.plot_scores(group="01"), "name the parts"),
        (lambda: many.plot_scores("eyes", kind="rok", group="01"), r"kind 'rok': unknown \(did you mean roc\?\)"),
        (lambda: many.plot_ranking("sfase"), r"recogniser 'sfase': unknown \(did you mean sface\?\)"),
    ):
        with pytest.raises(FacepartError, match=reason) as caught:
            call()
        assert "\n" not in str(caught.value)
    folder = write_study(tmp_path, ONE)
    tables = facepart.read_study(folder)
    for path in (folder / "matches" / "own" / "baseline").iterdir():
        path.unlink()
    with pytest.raises(FacepartError, match=r"_scores.npz: is missing; run the study again"):
        tables.scores()
    (folder / "results.json").write_text(results_json(ONE, {}))  # as an earlier version wrote it
    with pytest.raises(FacepartError, match="run the study again"):
        facepart.read_study(folder).scores()


def test_parquet_has_the_table_of_the_csv(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="needs pyarrow: pip install 'facepart[pandas]'")
    every = [row for each in MANY.recognisers for row in each.figures.results]
    for text in (results_csv(every), results_csv([]), csv_text([("group", "paired", "n"), ("'=1", "True", 3)])):
        (tmp_path / "results.csv").write_text(text)
        data = parquet_bytes(text)
        assert data is not None and data == parquet_bytes(text)
        (tmp_path / "results.parquet").write_bytes(data)
        read = pandas.read_parquet(tmp_path / "results.parquet")
        expected = read_table(tmp_path / "results.csv")
        # What is missing is None or NaN, as the library that reads it likes.
        assert list(read.columns) == list(expected.columns)
        one, two = (table.astype(object).where(table.notna(), None) for table in (read, expected))
        pandas.testing.assert_frame_equal(one, two, check_dtype=False)
        assert read["group"].dtype == expected["group"].dtype or not len(read)


def test_without_pyarrow_there_is_no_parquet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert parquet_bytes("part\nnose\n") is None
