"""ROC, DET and FMR/FNMR curves: that they show the error rates, mark the thresholds, and write what they show."""

import csv
import dataclasses
import itertools
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.stats import norm
from sklearn.metrics import roc_curve

from facepart.analysis.metrics import error_rates, operating_point
from facepart.plots import PLOT_KINDS, ScoreSet, det_curves, fmr_fnmr_curves, plot, roc_curves, style
from facepart.plots.curves import MOST_POINTS, curve
from facepart.scores import GroupScores, ScoreDistribution, save_scores
from tests.conftest import Run
from tests.test_plots import LONG, each_score, make_set, set_of

SETS = [make_set(shift=0.1), make_set("No eyes", shift=0.15, seed=1)]


def lines(figure: Figure, marker: str = "None") -> list[mpl.lines.Line2D]:
    (axes,) = figure.axes
    return [line for line in axes.lines if line.get_marker() == marker]


def data(line: mpl.lines.Line2D) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)


def test_points_of_a_curve_are_chosen_from_all_and_leave_no_gap() -> None:
    entry = make_set(n=30_000, shift=0.1)
    every, chosen = error_rates(entry.authentic, entry.impostor), curve(entry).rates
    assert len(chosen.thresholds) <= MOST_POINTS
    place = np.searchsorted(every.thresholds, chosen.thresholds)
    for whole, part in zip(every, chosen, strict=True):
        assert np.array_equal(whole[place], part)
    assert (place[0], place[-1]) == (0, len(every.thresholds) - 1)
    # Between neighbours no rate jumps more than its curve does at one score.
    assert np.abs(np.diff(chosen.fmr)).max() < 0.02
    assert np.abs(np.diff(chosen.fnmr)).max() < 0.02
    some = chosen.fmr > 0
    assert np.abs(np.diff(np.log10(chosen.fmr[some]))).max() < 0.4


def test_roc_is_scikit_learns_on_a_logarithmic_axis() -> None:
    entry = SETS[0]
    figure = roc_curves([entry])
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    x, y = data(lines(figure)[0])
    labels = np.r_[np.ones(entry.authentic.n), np.zeros(entry.impostor.n)]
    scores = np.r_[each_score(entry.authentic), each_score(entry.impostor)]
    false, true, _ = roc_curve(labels, scores, drop_intermediate=False)
    points = set(zip(false.round(12).tolist(), true.round(12).tolist(), strict=True))
    assert set(zip(x.round(12).tolist(), y.round(12).tolist(), strict=True)) <= points
    low, high = axes.get_ylim()
    assert low < y.min() <= y.max() <= 1 < high


@pytest.mark.parametrize("draw", [roc_curves, det_curves])
def test_curves_end_at_ten_false_matches(draw) -> None:
    # Authentic scores among all impostor scores, of which each occurs once: the k-th largest has k false matches.
    impostor = np.arange(500) / 1000
    entry = set_of("few", np.arange(0, 500, 7) / 1000, impostor)
    figure = draw([entry])
    x, _ = data(lines(figure)[0])
    fmr = norm.cdf(x) if draw is det_curves else x
    assert min(fmr) * 500 == pytest.approx(10)
    assert figure.axes[0].get_xlim()[0] <= min(x)
    kinds = {"roc" if draw is roc_curves else "det": 10, "fmr_fnmr": 0}
    for kind, least in kinds.items():
        _, *rows = PLOT_KINDS[kind][1]([entry])
        assert min(float(str(row[4])) for row in rows) * 500 == pytest.approx(least)
    without = draw([set_of("fewer", [0.1, 0.2], impostor[:9])])
    assert [text.get_text() for text in without.axes[0].texts] == ["fewer than 10 impostor scores"]


def test_det_axes_are_normal_deviates() -> None:
    figure = det_curves(SETS)
    for line, entry in zip(lines(figure), SETS, strict=True):
        x, y = data(line)
        rates = curve(entry).rates
        inside = (rates.fmr < 1) & (rates.fnmr > 0) & (rates.fnmr < 1) & (rates.fmr * entry.impostor.n > 9.5)
        np.testing.assert_allclose(x, norm.ppf(rates.fmr[inside]), atol=1e-9)
        np.testing.assert_allclose(y, norm.ppf(rates.fnmr[inside]), atol=1e-9)
    (axes,) = figure.axes
    for place, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True):
        text = label.get_text()
        if "10" not in text:
            assert norm.cdf(place) * 100 == pytest.approx(float(text))


def test_fmr_and_fnmr_against_the_threshold() -> None:
    figure = fmr_fnmr_curves(SETS)
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    assert len(lines(figure)) == 4
    for index, line in enumerate(lines(figure)):
        entry = SETS[index // 2]
        x, y = data(line)
        falls = index % 2 == 0
        expected = entry.impostor.share_from(x) if falls else entry.authentic.share_below(x)
        np.testing.assert_allclose(y, expected)
        assert (line.get_linestyle() == "--") is falls


@pytest.mark.parametrize(
    ("draw", "at"), [(roc_curves, lambda p: (p.fmr, 1 - p.fnmr)), (fmr_fnmr_curves, lambda p: (p[0], p.fmr))]
)
def test_thresholds_at_supported_fmrs_are_marked(draw, at) -> None:
    entry = SETS[0]  # 40,000 impostor scores: ten false matches are expected at 1e-2 and 1e-3
    figure = draw([entry])
    points = [operating_point(entry.authentic, entry.impostor, target) for target in (1e-2, 1e-3)]
    marks = lines(figure, "o")
    assert len(marks) == 2
    for mark, point in zip(marks, points, strict=True):
        np.testing.assert_allclose(np.ravel(data(mark)), at(point))
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == [f"{point.threshold:.3f}" for point in points if point]
    assert not draw(SETS).axes[0].texts  # with several sets there is no room; the table has them


@pytest.mark.parametrize("kind", ["roc", "det", "fmr_fnmr"])
@pytest.mark.parametrize(
    "sets",
    [
        SETS,
        [make_set(LONG), make_set("Short", seed=1), make_set("x", seed=2), make_set("y", seed=3)],
        [set_of("apart", [0.8, 0.9], [0.1, 0.2])],
        [set_of("one score", [0.5], [0.5])],
        [set_of("swapped", [0.1], [0.5, 0.6])],
    ],
)
@pytest.mark.filterwarnings("error")
def test_nothing_overlaps_and_nothing_warns_whatever_the_scores(kind: str, sets: list[ScoreSet]) -> None:
    figure = PLOT_KINDS[kind][0](sets, "A title")
    with style.house_style():
        figure.draw_without_rendering()
        (axes,) = figure.axes
        boxes = [legend.get_window_extent() for legend in axes.findobj(mpl.legend.Legend)]
        boxes += [text.get_window_extent() for text in figure.texts] + [axes.get_window_extent()]
    for one, other in itertools.combinations(boxes, 2):
        shared = mpl.transforms.Bbox.intersection(one, other)
        assert shared is None or min(shared.width, shared.height) < 0.5
    for box in boxes:
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1 + 1
    assert boxes[-1].height > 0.6 * style.AXES_HEIGHT * figure.dpi


@pytest.mark.parametrize("kind", list(PLOT_KINDS))
def test_the_table_holds_what_is_drawn(tmp_path: Path, kind: str) -> None:
    outcome = plot(SETS, tmp_path, "x", kind=kind)
    assert [path.suffix for path in outcome.files] == [".png", ".svg", ".csv", ".txt"]
    with (tmp_path / "x.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["label"] for row in rows} == {"Original", "No eyes"}
    if kind == "histogram":
        for number, entry in enumerate(SETS, 1):
            mine = [row for row in rows if row["set"] == str(number) and row["kind"] == "impostor"]
            assert sum(int(row["count"]) for row in mine) == entry.impostor.n
            width = float(mine[0]["to"]) - float(mine[0]["from"])
            assert sum(float(row["density"]) for row in mine) * width == pytest.approx(1, abs=1e-6)
    else:
        for row in rows:
            entry = SETS[int(row["set"]) - 1]
            assert float(row["fmr"]) == entry.impostor.share_from(float(row["threshold"]))
            assert float(row["fnmr"]) == entry.authentic.share_below(float(row["threshold"]))
        assert [row["target_fmr"] for row in rows if row["target_fmr"]] == ["0.01", "0.001"] * 2


def test_the_command_takes_distributions(tmp_path: Path, run: Run) -> None:
    for name, entry in zip("ab", SETS, strict=True):
        save_scores(tmp_path / f"{name}_scores.npz", GroupScores(entry.authentic, entry.impostor))
    one, other = tmp_path / "a_scores.npz", tmp_path / "b_scores.npz"
    first = ("-s1", one, "-l1", "Original")
    done = run("./Plots/", *first, "-a2", other, "-i2", other, "-d", tmp_path / "out", "-n", "x", "--kind", "roc")
    assert (done.returncode, done.stderr) == (0, "")
    assert "EER" in done.stdout
    plot([SETS[0], dataclasses.replace(SETS[1], label="Set 2")], tmp_path / "expected", "x", kind="roc")
    for suffix in ("png", "svg", "csv", "txt"):
        assert (tmp_path / "out" / f"x.{suffix}").read_bytes() == (tmp_path / "expected" / f"x.{suffix}").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        ([], 2, "set 1 needs authentic scores, too: give -a1, or -s1 for both kinds"),
        (["-s1", "s.npz", "-a1", "s.npz"], 2, "set 1: -s1 holds both kinds of scores; leave out -a1"),
        (["-s1", "s.npz", "-s3", "s.npz"], 2, "set 3 is given, but not every set before it"),
        (["-s1", "none.npz"], 1, "there are no authentic scores in it"),
        (["-s1", "missing.npz"], 1, "no such score file"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, run: Run, arguments: list[str], status: int, reason: str) -> None:
    save_scores(tmp_path / "s.npz", GroupScores(SETS[0].authentic, SETS[0].impostor))
    save_scores(tmp_path / "none.npz", GroupScores(ScoreDistribution.of([]), SETS[0].impostor))
    paths = [str(tmp_path / argument) if argument.endswith(".npz") else argument for argument in arguments]
    done = run("-m", "facepart", "plot", *paths, "-d", tmp_path / "out", "-n", "x")
    assert done.returncode == status
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
