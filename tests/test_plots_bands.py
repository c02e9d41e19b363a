"""The confidence band of a ROC curve: against a bootstrap by subject, where it ends, what is drawn and written."""

import csv
import dataclasses
import math
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from facepart.analysis.influence import SubjectScores
from facepart.analysis.metrics import REPORTED_FMRS, operating_point, supports
from facepart.errors import FacepartError, UsageError
from facepart.plots import ScoreSet, palette, plot, roc_curves, style
from facepart.plots.bands import FMRS, roc_band
from facepart.scores import GroupScores, save_scores
from facepart.scores.subject_sums import save_subject_sums, subject_sums_path
from tests.conftest import Run
from tests.people_scores import group_scores
from tests.test_plots import make_set

DRAWS = 400


def draw_photos(seed: int, people: int, noise: float = 0.09) -> tuple[np.ndarray, np.ndarray]:
    """Who is on each photo, and embeddings; some people are alike to everyone."""
    rng = np.random.default_rng(seed)
    subjects = np.repeat(np.arange(people), rng.integers(2, 5, people))
    own = rng.standard_normal((people, 16)) * 0.15
    own[:, 0] = own[:, 0] * 1.5 + 0.3
    return subjects, own[subjects] + rng.standard_normal((len(subjects), 16)) * noise


def set_of(group: SubjectScores, label: str = "Original") -> ScoreSet:
    return ScoreSet(label, *group.scores, group.sums)


def bootstrap(subjects: np.ndarray, photos: np.ndarray, targets: list[float]) -> np.ndarray:
    """TMRs at FMRs over subjects drawn with replacement, (DRAWS, targets).

    A score counts as often as its subjects were drawn; a subject drawn twice is not compared with himself.
    """
    first, second = np.triu_indices(len(subjects), 1)
    scores = (photos @ photos.T)[first, second].round(6)
    left, right = subjects[first], subjects[second]
    same = left == right
    order = np.argsort(-scores[~same], kind="stable")
    impostor, pairs = scores[~same][order], (left[~same][order], right[~same][order])
    rng, people = np.random.default_rng(1), subjects.max() + 1
    found = np.empty((DRAWS, len(targets)))
    for draw in range(DRAWS):
        often = rng.multinomial(people, np.full(people, 1 / people))
        rates = np.cumsum(often[pairs[0]] * often[pairs[1]])
        weights = often[left[same]]
        for place, target in enumerate(targets):
            threshold = impostor[np.searchsorted(rates, target * rates[-1], side="right")]
            found[draw, place] = weights[scores[same] > threshold].sum() / weights.sum()
    return found


def test_the_band_is_that_of_a_bootstrap_by_subject() -> None:
    subjects, photos = draw_photos(0, people=150)
    group = group_scores(subjects, photos)
    band = roc_band(group)
    targets = [0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002]
    places = [band.fmr.tolist().index(target) for target in targets]
    drawn = bootstrap(subjects, photos, targets)
    lows, highs = np.quantile(drawn, [0.025, 0.975], axis=0)
    for place, low, high in zip(places, lows, highs, strict=True):
        width = high - low
        assert band.high[place] - band.low[place] == pytest.approx(width, rel=0.25)
        assert band.low[place] == pytest.approx(low, abs=0.2 * width)
        assert band.high[place] == pytest.approx(high, abs=0.2 * width)


def test_the_band_ends_where_ten_false_matches_are_not_expected_and_where_the_sums_end() -> None:
    assert set(REPORTED_FMRS) <= set(FMRS)
    assert list(FMRS) == sorted(FMRS, reverse=True)
    subjects, photos = draw_photos(1, people=40)
    group = group_scores(subjects, photos, lowest=300_000)
    impostor = group.scores.impostor
    band = roc_band(group)
    assert all(supports(impostor, target) for target in band.fmr)
    lower = [target for target in FMRS if target < band.fmr[-1]]
    assert lower
    assert not any(supports(impostor, target) for target in lower)
    # Below a score of 0.3 it is not known whose scores are how high.
    assert impostor.share_from(0.3) == pytest.approx(band.fmr[0], rel=0.3)
    assert all(point.threshold >= 0.3 for point in band.points)
    everywhere = roc_band(group_scores(subjects, photos))
    assert everywhere.fmr[0] == FMRS[0]
    np.testing.assert_allclose(everywhere.low[-len(band.low) :], band.low)
    for target, point, low, high in zip(band.fmr, band.points, band.low, band.high, strict=True):
        assert point == operating_point(*group.scores, target)
        assert 0 <= low <= 1 - point.fnmr <= high <= 1


def test_few_subjects_have_no_band_and_scores_without_sums_cannot_have_one() -> None:
    few = group_scores(*draw_photos(2, people=9))
    assert len(roc_band(few).fmr) == 0
    assert roc_curves([set_of(few)], bands=True).axes[0].collections  # an empty one; the curve is drawn
    with pytest.raises(FacepartError, match="Original: a confidence band needs the scores' sums by subject"):
        roc_curves([make_set(n=50)], bands=True)


@pytest.mark.filterwarnings("error")
def test_what_is_drawn_is_the_band() -> None:
    sets = [set_of(group_scores(*draw_photos(seed, people=60)), f"Set {seed}") for seed in (3, 4)]
    figure = roc_curves(sets, "Title", bands=True)
    (axes,) = figure.axes
    assert len(axes.collections) == 2
    for area, entry, colour in zip(axes.collections, sets, palette.SET_COLOURS, strict=False):
        assert mpl.colors.to_hex(np.asarray(area.get_facecolor())[0]).upper() == colour
        points = set(map(tuple, np.asarray(area.get_paths()[0].vertices).tolist()))
        fmr, low, high, _ = entry.band
        assert {*zip(fmr, low, strict=True), *zip(fmr, high, strict=True)} == points
    bottom, top = axes.get_ylim()
    assert bottom < min(entry.band.low.min() for entry in sets)
    assert top > 1
    texts = [text.get_text() for legend in axes.findobj(mpl.legend.Legend) for text in legend.get_texts()]
    assert "95 % CI by subject" in texts
    with style.house_style():
        figure.draw_without_rendering()
    for legend in axes.findobj(mpl.legend.Legend):
        assert legend.get_window_extent().x1 <= figure.bbox.x1
        assert legend.get_window_extent().y0 >= axes.get_window_extent().y1 - 1


def test_the_axis_begins_where_asked() -> None:
    entry = make_set(n=500, shift=0.2)
    bottom, top = roc_curves([entry], min_tmr=0.7).axes[0].get_ylim()
    assert (bottom, top) == pytest.approx((0.7, 1.009))
    for wrong in (1.0, -0.1, math.nan):
        with pytest.raises(UsageError, match="--ylim"):
            plot([entry], Path("never"), "x", kind="roc", min_tmr=wrong)
    with pytest.raises(UsageError, match="--bands and --ylim are for --kind roc, not det"):
        plot([entry], Path("never"), "x", kind="det", min_tmr=0.5)
    assert not Path("never").exists()


def test_the_table_has_the_ends_of_the_intervals(tmp_path: Path) -> None:
    entry = set_of(group_scores(*draw_photos(5, people=60)))
    plot([entry], tmp_path, "x", kind="roc", bands=True)
    with (tmp_path / "x.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    named = [row for row in rows if row["target_fmr"]]
    assert [float(row["target_fmr"]) for row in named] == entry.band.fmr.tolist()
    assert [float(row["tmr_low"]) for row in named] == entry.band.low.tolist()
    assert [float(row["tmr_high"]) for row in named] == entry.band.high.tolist()
    for row in rows:
        threshold = float(row["threshold"])
        assert float(row["fmr"]) == entry.impostor.share_from(threshold)
        assert float(row["tmr"]) == 1 - entry.authentic.share_below(threshold)
        assert bool(row["tmr_low"]) == bool(row["target_fmr"])
    with (tmp_path / "x.txt").open(newline="") as file:
        told = {
            row["statistic"]: float(row["value"])
            for row in csv.DictReader(file, delimiter="\t")
            if row["value"][0] in "0123456789"
        }
    for name in ("d_prime", "eer"):
        assert told[f"{name}_low"] < told[name] < told[f"{name}_high"]


def save_group(folder: Path, group: SubjectScores, name: str = "CM") -> Path:
    """Write what `facepart match` writes of a group's distribution."""
    save_scores(folder / f"{name}_scores.npz", group.scores)
    save_subject_sums(subject_sums_path(folder, name), group.sums)
    return folder / f"{name}_scores.npz"


@pytest.mark.parametrize("door", ["./Plots/", "./face_matching/Plots/"])
def test_bands_from_what_the_matcher_writes(tmp_path: Path, run: Run, door: str) -> None:
    subjects, photos = draw_photos(6, people=40)
    np.save(tmp_path / "features.npy", (photos / np.linalg.norm(photos, axis=1, keepdims=True)).astype(np.float32))
    (tmp_path / "labels.txt").write_text("".join(f"x/{who:03}_{at}\n" for at, who in enumerate(subjects)))
    matched = run("./face_matching/", "-p", tmp_path / "features.npy", "-o", tmp_path, "-d", "MORPH", "-gr", "CM")
    assert matched.returncode == 0, matched.stderr
    pairs = ("-a2", tmp_path / "CM_authentic.npy", "-i2", tmp_path / "CM_impostor.npy", "-l2", "By pairs")
    sets = ("-s1", tmp_path / "CM_scores.npz", "-l1", "By counts", *pairs)
    done = run(door, *sets, "--kind", "roc", "--bands", "--ylim", "0.7", "-d", tmp_path / "out", "-n", "x")
    assert (done.returncode, done.stderr) == (0, "")
    with (tmp_path / "out" / "x.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    bands = [[list(row.values())[2:] for row in rows if row["set"] == one and row["tmr_low"]] for one in "12"]
    assert len(bands[0]) > 5
    assert bands[0] == bands[1]


@pytest.mark.parametrize(
    ("options", "status", "reason"),
    [
        (["-s1", "CM_scores.npz", "--kind", "histogram"], 2, "--bands is for --kind roc, not for --kind histogram"),
        (
            ["-s1", "CF_scores.npz"],
            1,
            "set 1: confidence bands need the sums by subject, but CF_people.npz is missing",
        ),
        (["-a1", "a.npy", "-i1", "i.npy"], 1, "a.npy is not a file of `facepart match`"),
        (["-s1", "CM_scores.npz", "-a2", "CM_authentic.npy", "-i2", "i.npy"], 1, "set 2: confidence bands need"),
        (["-s1", "old_scores.npz"], 1, "old_people.npz: does not belong to the impostor scores beside it"),
    ],
)
def test_bands_that_cannot_be_are_refused_in_a_line(
    tmp_path: Path, run: Run, options: list[str], status: int, reason: str
) -> None:
    group = group_scores(*draw_photos(7, people=20))
    for name in ("CM", "CF", "old"):
        save_group(tmp_path, group, name)
    (tmp_path / "CF_people.npz").unlink()
    # As many authentic scores with the same mean, other impostor scores.
    other = group_scores(*draw_photos(8, people=20))
    save_scores(tmp_path / "old_scores.npz", GroupScores(group.scores.authentic, other.scores.impostor))
    for name, kind in (("a", "authentic"), ("CM_authentic", "authentic"), ("i", "impostor")):
        scores = getattr(group.scores, kind)
        np.save(tmp_path / f"{name}.npy", np.repeat(scores.scores, scores.counts))
    placed = [str(tmp_path / each) if each.endswith((".npz", ".npy")) else each for each in options]
    curve = [] if "--kind" in options else ["--kind", "roc"]
    done = run("-m", "facepart", "plot", *placed, *curve, "--bands", "-d", tmp_path / "out", "-n", "x")
    assert done.returncode == status, done.stderr
    assert reason in done.stderr.replace(f"{tmp_path}/", "")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_set_without_a_band_is_reported(tmp_path: Path, run: Run) -> None:
    file = save_group(tmp_path, group_scores(*draw_photos(9, people=9)))
    done = run("./Plots/", "-s1", file, "-l1", "Few", "--kind", "roc", "--bands", "-d", tmp_path / "out", "-n", "x")
    assert done.returncode == 0
    assert done.stderr == (
        "facepart: Few: no band: fewer than 10 subjects with two photos, or fewer than 10 expected false matches\n"
    )


def test_sums_of_other_scores_are_recognised() -> None:
    one, other = (group_scores(*draw_photos(seed, people=20)) for seed in (10, 11))
    for kind in ("authentic", "impostor"):
        assert one.sums.belongs_to(kind, getattr(one.scores, kind))
        assert not one.sums.belongs_to(kind, getattr(other.scores, kind))
    shifted = dataclasses.replace(one.sums.authentic, total=one.sums.authentic.total + 0.01)
    assert not dataclasses.replace(one.sums, authentic=shifted).belongs_to("authentic", one.scores.authentic)
