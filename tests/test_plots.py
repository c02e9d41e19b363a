"""The figures: what is drawn where, their files, and the plot command."""

import csv
import dataclasses
import itertools
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from scipy.stats import ks_2samp, wasserstein_distance

from facepart.errors import FacepartError, UsageError
from facepart.plots import ScoreSet, det_curves, fmr_fnmr_curves, palette, plot, roc_curves, score_histogram, style
from facepart.plots.histogram import bin_width, shown_range
from facepart.scores import ScoreDistribution
from tests.conftest import Run

LONG = "African-American women, original photographs at 224 x 224 pixels, and more"


def set_of(label: str, authentic: ArrayLike, impostor: ArrayLike) -> ScoreSet:
    return ScoreSet(label, ScoreDistribution.of(authentic), ScoreDistribution.of(impostor))


def make_set(label: str = "Original", n: int = 4000, shift: float = 0.0, seed: int = 0) -> ScoreSet:
    rng = np.random.default_rng(seed)
    return set_of(label, rng.normal(0.6 - shift, 0.1, n), rng.normal(0.05 + shift, 0.08, 10 * n))


def each_score(scores: ScoreDistribution) -> NDArray[np.float64]:
    return np.repeat(scores.scores, scores.counts)


def curves(figure: Figure) -> list[tuple[NDArray[np.float64], NDArray[np.float64], str, str]]:
    """The x, heights, colour and kind of line of every curve, drawn as steps or as a line."""
    (axes,) = figure.axes
    found = []
    for patch in axes.patches:
        values, edges, _ = patch.get_data()  # type: ignore[attr-defined]
        kind = "solid" if patch.get_linestyle() in ("-", "solid") else "dashed"
        found.append((edges, values, mpl.colors.to_hex(patch.get_edgecolor()), kind))
    for line in axes.lines:
        kind = "solid" if line.get_linestyle() in ("-", "solid") else "dashed"
        x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
        edges = np.concatenate([x[:1], (x[1:-2] + x[2:-1]) / 2, x[-1:]])  # halfway between the bins' middles
        found.append((edges, y[1:-1], mpl.colors.to_hex(line.get_color()), kind))
    return found


@pytest.mark.parametrize("n", [40, 4000, 100_000])
def test_every_curve_is_a_histogram_of_area_one(n: int) -> None:
    sets = [make_set(n=n), make_set("No eyes", n=n, shift=0.1, seed=1)]
    found = curves(score_histogram(sets))
    width = bin_width(sets, 1.5)
    assert len(found) == 4
    for edges, heights, _, _ in found:
        np.testing.assert_allclose(np.diff(edges), width, rtol=1e-6)
        assert np.sum(heights) * width == pytest.approx(1)
    edges, heights, _, _ = found[1]  # the first set's authentic scores
    expected, _ = np.histogram(each_score(sets[0].authentic), bins=edges, density=True)
    # Where curves go through the bins' middles, the edges are found again by halves, and a score on one may move.
    np.testing.assert_allclose(heights, expected, atol=2 / (n * width))


def test_solid_is_authentic_dashed_is_impostor_one_colour_a_set() -> None:
    found = curves(score_histogram([make_set(), make_set("No eyes", shift=0.1)]))
    looks = [(colour.upper(), kind) for _, _, colour, kind in found]
    first, second = palette.SET_COLOURS[:2]
    assert looks == [(first, "dashed"), (first, "solid"), (second, "dashed"), (second, "solid")]
    means = [np.average((edges[1:] + edges[:-1]) / 2, weights=heights) for edges, heights, _, _ in found]
    assert means[0] < means[2] < means[3] < means[1]


@pytest.mark.parametrize(
    ("sets", "title"),
    [
        ([make_set()], None),
        ([make_set(), make_set("No eyes")], "A title"),
        ([make_set(LONG), make_set(LONG), make_set(LONG), make_set("Short")], 3 * "A very long title "),
        ([make_set("a"), make_set("b"), make_set("c")], "Three"),
    ],
)
def test_nothing_overlaps_and_all_is_inside_the_figure(sets: list[ScoreSet], title: str | None) -> None:
    figure = score_histogram(sets, title)
    with style.house_style():
        figure.draw_without_rendering()
        (axes,) = figure.axes
        boxes = [legend.get_window_extent() for legend in axes.findobj(mpl.legend.Legend)]
        boxes += [text.get_window_extent() for text in figure.texts]
        boxes.append(axes.get_window_extent())
        labels = [text.get_text() for legend in axes.findobj(mpl.legend.Legend) for text in legend.get_texts()]
    assert len(boxes) == (4 if title else 3)
    for one, other in itertools.combinations(boxes, 2):
        shared = mpl.transforms.Bbox.intersection(one, other)
        assert shared is None or min(shared.width, shared.height) < 0.5
    for box in boxes:
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1
    assert boxes[-1].height > 0.6 * style.AXES_HEIGHT * figure.dpi  # the legend has not eaten the axes
    assert sum("d′" in label for label in labels) == len(sets)


def test_d_prime_stands_in_the_legend_with_three_decimals() -> None:
    scores = set_of("$x_", [0.7, 0.9], [0.1, 0.3])
    legends = score_histogram([scores]).axes[0].findobj(mpl.legend.Legend)
    texts = [text.get_text() for legend in legends for text in legend.get_texts()]
    assert "$x_: d′\u00a0=\u00a06.000" in texts


def test_scores_outside_the_usual_range_are_shown() -> None:
    assert shown_range([make_set()]) == (-0.5, 1.0)
    low, high = shown_range([set_of("x", [0.5, 1.3], [-0.9, 0.1])])
    assert low < -0.9 < 1.3 < high
    low, high = score_histogram([set_of("x", [0.5, 0.6], [-0.9, 0.1])]).axes[0].get_xlim()
    assert low < -0.9
    assert high == 1.0


def test_the_bin_width_follows_the_sparsest_curve_within_bounds() -> None:
    many = make_set(n=200_000)
    assert bin_width([many], 1.5) == pytest.approx(0.005)
    # 2 IQR n^(-1/3) of 4,000 normal scores of sigma 0.1 is 0.017.
    assert bin_width([make_set(n=4000), many], 1.5) == pytest.approx(0.01)
    assert bin_width([make_set(n=5)], 1.5) == pytest.approx(0.025)
    assert bin_width([set_of("x", [0.5], [0.5])], 1.5) == pytest.approx(0.005)


@pytest.mark.parametrize(
    ("draw", "most"), [(score_histogram, 6), (fmr_fnmr_curves, 6), (roc_curves, 12), (det_curves, 12)]
)
def test_as_many_sets_as_can_be_distinguished(draw: Callable[..., Figure], most: int) -> None:
    sets = [make_set(f"Set {number}", n=50, shift=number / 40, seed=number) for number in range(most)]
    (axes,) = draw(sets).axes
    colours = {mpl.colors.to_hex(line.get_color()) for line in axes.lines}
    colours |= {mpl.colors.to_hex(patch.get_edgecolor()) for patch in axes.patches}
    assert len(colours) == 6
    if most == 12:
        curves = {(str(line.get_color()), line.get_linestyle()) for line in axes.lines if line.get_marker() == "None"}
        assert len(curves) == 12
    for count in (0, most + 1):
        with pytest.raises(FacepartError, match=f"a figure shows 1 to {most} sets of scores, not {count}"):
            draw([sets[0]] * count)


def test_two_texts_side_by_side_fit_or_stand_below_each_other() -> None:
    for label, columns in (("Blurred part ", 1), ("Nose ", 2)):  # 27 wide characters do not fit twice
        figure = roc_curves([make_set(f"{label}{number}", n=500, shift=0.2, seed=number) for number in range(4)])
        with style.house_style():
            figure.draw_without_rendering()
        (axes,) = figure.axes
        legend = axes.get_legend()
        assert legend is not None
        assert len({round(text.get_window_extent().x0) for text in legend.get_texts()}) == columns
        assert legend.get_window_extent().x1 <= figure.bbox.x1
        assert axes.get_window_extent().width > 0.75 * figure.bbox.width


def test_colours_stay_apart_for_colour_blind_readers_and_on_white_paper() -> None:
    # Machado, Oliveira and Fernandes, "A physiologically-based model for simulation of color vision deficiency"
    # (2009), severity 1.0, on linear RGB.
    simulations = {
        "normal": np.eye(3),
        "protanopia": [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        "deuteranopia": [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    }
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    white = to_xyz @ np.ones(3)

    def lab(linear: NDArray[np.float64]) -> NDArray[np.float64]:
        f = np.cbrt(to_xyz @ np.clip(linear, 0, 1) / white)
        return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])

    for name, matrix in simulations.items():
        seen = []
        for colour in palette.SET_COLOURS:
            rgb = np.array(to_rgb(colour))
            linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
            seen.append(lab(np.asarray(matrix) @ linear))
            assert seen[-1][0] < 65, (name, colour)  # dark enough: white is 100
        for one, other in itertools.combinations(seen, 2):
            assert np.linalg.norm(one - other) > 30, name  # 2.3 is just noticeable side by side


def test_the_files_are_the_same_bytes_for_the_same_scores(tmp_path: Path) -> None:
    sets = [make_set(), make_set("No\teyes", shift=0.1)]
    outcome = plot(sets, tmp_path / "a", "output", "Title")
    plot(sets, tmp_path / "b", "output", "Title")
    assert [path.name for path in outcome.files] == ["output.png", "output.svg", "output.csv", "output.txt"]
    for path in outcome.files:
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    with Image.open(tmp_path / "a" / "output.png") as image:
        assert image.width >= 1200
        assert image.info["dpi"][0] == pytest.approx(300, abs=1)
    assert ElementTree.parse(tmp_path / "a" / "output.svg").getroot().tag.endswith("svg")  # noqa: S314


def test_the_table_says_what_scipy_says(tmp_path: Path) -> None:
    sets = [make_set(), make_set("No\teyes", n=3000, shift=0.1, seed=2)]
    plot(sets, tmp_path, "output")
    with (tmp_path / "output.txt").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    too_few = {(row["set"], row["statistic"]) for row in rows if row["value"] == "too few impostor scores"}
    # 40,000 and 30,000 impostor scores: ten false matches are expected from an FMR of 1e-3 on.
    assert too_few == {(one, f"fnmr_at_fmr_1e-{power:02}") for one in "12" for power in (4, 5, 6)}
    told = {(row["set"], row["statistic"]): float(row["value"]) for row in rows if "too few" not in row["value"]}
    assert {row["label"] for row in rows} == {"Original", "No eyes"}
    assert len(told) + len(too_few) == len(rows) == 2 * 12 + 8
    assert told["2", "impostor_n"] == 30_000
    for kind in ("authentic", "impostor"):
        before, after = (each_score(getattr(entry, kind)) for entry in sets)
        assert told["2", f"{kind}_mean"] == pytest.approx(after.mean(), abs=1e-12)
        assert told["2", f"{kind}_ks_to_set_1"] == pytest.approx(ks_2samp(before, after, method="asymp").statistic)
        assert told["2", f"{kind}_wasserstein_to_set_1"] == pytest.approx(
            wasserstein_distance(before, after), abs=1e-12
        )
        assert told["2", f"{kind}_mean_shift_from_set_1"] == pytest.approx(after.mean() - before.mean(), abs=1e-12)
        spread = np.sqrt((before.var() + after.var()) / 2)
        assert told["2", f"{kind}_d_prime_to_set_1"] == pytest.approx(abs(after.mean() - before.mean()) / spread)


def test_a_name_that_is_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="-n"):
        plot([make_set()], tmp_path, "a/b")


def write_pairs(path: Path, scores: NDArray[np.float64]) -> Path:
    np.save(path, np.column_stack([np.zeros(len(scores)), np.arange(len(scores)), scores]))
    return path


@pytest.mark.parametrize("door", ["./Plots/", "./face_matching/Plots/"])
def test_the_original_command_line(tmp_path: Path, run: Run, door: str) -> None:
    sets = [make_set(), make_set("No eyes", shift=0.1, seed=1)]
    options: list[str | Path] = []
    for number, entry in enumerate(sets, 1):
        options += [f"-a{number}", write_pairs(tmp_path / f"a{number}.npy", each_score(entry.authentic))]
        options += [
            f"-i{number}",
            write_pairs(tmp_path / f"i{number}.npy", each_score(entry.impostor)),
            f"-l{number}",
            entry.label,
        ]
    done = run(door, *options, "-t", "Title", "-d", tmp_path / "out", "-n", "output")
    assert (done.returncode, done.stderr) == (0, "")
    assert "No eyes vs Original, impostor: mean +0." in done.stdout
    plot(sets, tmp_path / "expected", "output", "Title")
    for name in ("output.png", "output.svg", "output.csv", "output.txt"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "expected" / name).read_bytes()


def test_the_original_programs_long_options_and_old_score_files(tmp_path: Path, run: Run) -> None:
    entry = make_set(n=200)
    np.savetxt(tmp_path / "a.txt", each_score(entry.authentic), fmt="%.6f")
    np.savetxt(
        tmp_path / "i.txt",
        np.column_stack([np.zeros((2000, 2)), each_score(entry.impostor)]),
        fmt=["%d", "%d", "%.6f"],
    )
    files = ("-authentic1", tmp_path / "a.txt", "-impostor1", tmp_path / "i.txt", "-label1", "Old")
    done = run("-m", "facepart", "plot", *files, "-title", "T", "-dest", tmp_path / "out", "-name", "x")
    assert (done.returncode, done.stderr) == (0, "")
    plot([dataclasses.replace(entry, label="Old")], tmp_path / "expected", "x", "T")
    assert (tmp_path / "out" / "x.txt").read_text() == (tmp_path / "expected" / "x.txt").read_text()


def write_old(path: Path, scores: NDArray[np.float64]) -> Path:
    """Write scores in the form that the name of the file says, as one original program or another did."""
    pairs = np.column_stack([np.zeros(len(scores)), np.arange(len(scores)), scores])
    words = np.array([[f"{one:.0f}", f"a_{other:.0f}", f"{score:.6f}"] for one, other, score in pairs])
    if path.name == "columns.npy":
        np.save(path, pairs)
    elif path.name == "text.npy":
        np.save(path, words)
    elif path.name == "bytes.npy":
        np.save(path, words[:, 2].astype("S"))
    elif path.name == "scores.txt":
        np.savetxt(path, scores, fmt="%.6f")
    else:
        np.savetxt(path, words, fmt="%s", delimiter="," if path.suffix == ".csv" else " ")
    return path


def test_six_sets_by_the_long_options_in_every_old_form_of_a_file(tmp_path: Path, run: Run) -> None:
    """plot_relative_freq_histogram_v2.py; the same scores in each form, so that all numbers are the same."""
    forms = ("columns.npy", "text.npy", "bytes.npy", "scores.txt", "pairs.txt", "pairs.csv")
    entry = make_set(n=60)
    options: list[str | Path] = []
    for number, form in enumerate(forms, 1):
        for kind in ("authentic", "impostor"):
            folder = tmp_path / f"{kind}{number}"
            folder.mkdir()
            options += [f"-{kind}{number}", write_old(folder / form, each_score(getattr(entry, kind)))]
        options += [f"-label{number}", f"Form {number}"]
    done = run("./Plots/", *options, "-title", "T", "-dest", tmp_path / "out", "-name", "x")
    assert (done.returncode, done.stderr) == (0, "")
    plot(
        [dataclasses.replace(entry, label=f"Form {number}") for number in range(1, 7)],
        tmp_path / "expected",
        "x",
        "T",
    )
    for suffix in ("png", "svg", "csv", "txt"):
        assert (tmp_path / "out" / f"x.{suffix}").read_bytes() == (tmp_path / "expected" / f"x.{suffix}").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        (["-a1", "good.npy", "-i1", "missing.npy"], 1, "missing.npy: no such score file"),
        (
            ["-a1", "good.npy", "-i1", "good.npy", "-a2", "good.npy"],
            2,
            "set 2 needs impostor scores, too: give -i2",
        ),
        (["-a1", "good.npy", "-i1", "good.npy", "-a3", "good.npy", "-i3", "good.npy"], 2, "set 3 is given, but not"),
        # An SVG file cannot hold them.
        (["-a1", "good.npy", "-i1", "good.npy", "-l1", "a\x1b[1m"], 2, "'a\\x1b[1m' has characters that cannot"),
        (["-a1", "good.npy", "-i1", "good.npy", "-t", "\udcff"], 2, "'\\udcff' has characters that cannot be drawn"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, run: Run, arguments: list[str], status: int, reason: str) -> None:
    np.save(tmp_path / "good.npy", each_score(make_set(n=50).authentic))
    paths = [str(tmp_path / argument) if argument.endswith(".npy") else argument for argument in arguments]
    done = run("-m", "facepart", "plot", *paths, "-d", tmp_path / "out", "-n", "x")
    assert done.returncode == status
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_characters_that_the_font_lacks_are_named_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    plot([make_set("\u65e5\u672c", n=50)], tmp_path, "x", "\u65e5")
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'x'}: the font has no \u65e5\u672c, drawn as boxes"
    ]
    assert not recwarn.list
