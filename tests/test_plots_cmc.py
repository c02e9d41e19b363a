"""CMC curves and identification rates: brute force over pairs, a hand-made example, and the command."""

import csv
from pathlib import Path

import numpy as np
import pytest
from matplotlib.legend import Legend

from facepart.analysis.wilson import wilson_interval
from facepart.data.naming_conventions import naming_rule
from facepart.errors import FacepartError, UsageError
from facepart.matching.match import match_features
from facepart.plots import RankSet, cmc_curves, palette, plot_ranks, style
from facepart.plots.cmc import rank_statistics
from facepart.scores.pair_ranks import PairFiles, ranks_of_pairs, read_labels
from facepart.scores.ranks import Ranks, load_ranks, ranks_path, read_ranks, save_ranks
from tests.conftest import Run
from tests.rank_pairs import ranks_of_pairs as by_hand

MORPH = naming_rule("MORPH")


def rank_set(label: str, ranks: list[int], subjects: str = "") -> RankSet:
    """A set of probes with these ranks, each subject a letter."""
    names = [f"p/{place}" for place in range(len(ranks))]
    scores = np.zeros(len(ranks))
    return RankSet(label, Ranks(names, list(subjects), np.array(ranks), scores, scores))


def write_features(folder: Path, seed: int, people: int = 30) -> Path:
    """Two to four photos of each person but the last, who has one."""
    rng = np.random.default_rng(seed)
    subjects = np.append(np.repeat(np.arange(people), 2 + np.arange(people) % 3), people)
    centres = np.random.default_rng(0).normal(size=(people + 1, 12))
    rows = centres[subjects] + 1.2 * rng.normal(size=(len(subjects), 12))
    folder.mkdir()
    np.save(folder / "features.npy", rows.astype(np.float32))
    labels = "".join(f"{folder.name}/{subject:02}_{row}\n" for row, subject in enumerate(subjects))
    (folder / "labels.txt").write_text(labels)
    return folder / "features.npy"


@pytest.fixture(scope="module", params=[False, True], ids=["within", "across"])
def matched(request, tmp_path_factory) -> Path:
    """A folder with pairs, labels and ranks of a group CM."""
    folder = tmp_path_factory.mktemp("matched")
    probe = write_features(folder / "probe", 1)
    gallery = write_features(folder / "gallery", 2) if request.param else None
    match_features(probe, gallery, folder / "out", "CM", save="both", ranks=True)
    return folder / "out"


def files_of(folder: Path, gallery: Path | None = None) -> PairFiles:
    beside = folder / "CM_gallery_labels.txt"
    return PairFiles(
        folder / "CM_authentic.npy",
        folder / "CM_impostor.npy",
        folder / "CM_labels.txt",
        gallery or (beside if beside.exists() else None),
    )


def test_pairs_have_the_ranks_that_were_counted_while_matching(matched: Path, tmp_path: Path) -> None:
    files = files_of(matched)
    found, counted = ranks_of_pairs(files, MORPH), load_ranks(matched / "CM_ranks.csv")
    save_ranks(tmp_path / "again.csv", found)
    assert (tmp_path / "again.csv").read_bytes() == (matched / "CM_ranks.csv").read_bytes()
    authentic, impostor = (np.load(path).tolist() for path in (files.authentic, files.impostor))
    expected = by_hand(len(counted.probes), authentic, impostor, files.gallery_labels is None)
    assert counted.ranks.tolist() == [each[0] if each else 0 for each in expected]
    assert counted.ranks[-1] == 0
    assert counted.ranks.max() > 3
    # The CMC, too, from the definition.
    ranks = [each[0] for each in expected if each]
    rates = [sum(rank <= most for rank in ranks) / len(ranks) for most in range(1, 21)]
    plot_ranks([RankSet("x", found)], tmp_path, "cmc")
    rows = list(csv.DictReader((tmp_path / "cmc.csv").read_text().splitlines()))
    assert [float(row["identification_rate"]) for row in rows] == rates
    assert [int(row["rank"]) for row in rows] == list(range(1, 21))
    for row in rows:
        assert float(row["low"]) < float(row["identification_rate"]) or row["identification_rate"] == "0"
        assert float(row["high"]) >= float(row["identification_rate"])


def test_text_pairs_are_read_too(matched: Path, tmp_path: Path) -> None:
    files = files_of(matched)
    for kind, path in (("authentic", files.authentic), ("impostor", files.impostor)):
        delimiter = "," if kind == "impostor" else " "
        np.savetxt(tmp_path / f"{kind}.txt", np.load(path), fmt=["%d", "%d", "%.6f"], delimiter=delimiter)
    texts = files._replace(authentic=tmp_path / "authentic.txt", impostor=tmp_path / "impostor.txt")
    assert ranks_of_pairs(texts, MORPH).ranks.tolist() == ranks_of_pairs(files, MORPH).ranks.tolist()


def test_a_hand_made_example() -> None:
    # Four subjects; a's probes rank 1, 2, 5, b's 1, c's 1 and 3, d has no rank.
    entry = rank_set("x", [1, 2, 5, 1, 1, 3, 0], "aaabccd")
    (found,) = rank_statistics([entry], 3)
    assert found == {
        "probes": 7,
        "probes_with_rank": 6,
        "subjects_with_rank": 3,
        "rank1_rate": 3 / 6,
        "rank3_rate": 5 / 6,
    }


def test_the_interval_is_wilsons_where_each_subject_has_a_probe() -> None:
    names = "abcdefghijklmnopqrst"
    entry = rank_set("x", [1] * 15 + [2] * 5, names)
    (found,) = rank_statistics([entry], 2)
    # Of independent probes: their number, and the variance p (1 - p) / (n - 1) of the jackknife.
    low, high = wilson_interval(0.75, 0.75 * 0.25 / 19, 20, 2.0930)
    assert (found["rank1_rate_low"], found["rank1_rate_high"]) == pytest.approx((low, high), abs=1e-4)
    # All have rank 2 or better, which 20 subjects do not prove of others.
    assert (found["rank2_rate"], found["rank2_rate_high"]) == (1, 1)
    assert found["rank2_rate_low"] == pytest.approx(1 - wilson_interval(0, 0, 20, 2.0930)[1], abs=1e-4)
    # The same probes in pairs of one subject tell less.
    (paired,) = rank_statistics([rank_set("x", [1] * 15 + [2] * 5, "".join(name * 2 for name in names[:10]))], 2)
    assert paired["rank1_rate_low"] < found["rank1_rate_low"]


def test_sets_are_compared_with_the_first_by_their_subjects() -> None:
    names = "abcdefghijklmnopqrst"
    first, second = rank_set("before", [1] * 16 + [2] * 4, names), rank_set("after", [1] * 12 + [4] * 8, names)
    _, found = rank_statistics([first, second], 3)
    assert found["rank1_rate_change_from_set_1"] == pytest.approx(-0.2)
    assert found["rank3_rate_change_from_set_1"] == pytest.approx(-0.4)
    low, high = (found[f"rank1_rate_change_from_set_1_{end}"] for end in ("low", "high"))
    assert low < -0.2 < high
    # The same people failed again: the change is known better than from other people.
    _, apart = rank_statistics([first, rank_set("after", [1] * 12 + [4] * 8, names.upper())], 3)
    assert apart["rank1_rate_change_from_set_1_low"] < low
    assert apart["rank1_rate_change_from_set_1_high"] > high
    _, unknown = rank_statistics([first, rank_set("after", [1, 2])], 3)
    assert unknown["rank1_rate_change_from_set_1"] == pytest.approx(0.5 - 0.8)
    assert "rank1_rate_change_from_set_1_low" not in unknown


def test_the_figure_shows_the_rates() -> None:
    sets = [rank_set("Original", [1, 1, 1, 2]), rank_set("No eyes", [1, 2, 30, 7])]
    figure = cmc_curves(sets, 10, "Title")
    (axes,) = figure.axes
    lines = [line for line in axes.lines if len(np.asarray(line.get_xdata())) == 10]
    assert [line.get_color() for line in lines] == list(palette.SET_COLOURS[:2])
    assert np.asarray(lines[1].get_ydata()).tolist() == [0.25, 0.5, 0.5, 0.5, 0.5, 0.5, 0.75, 0.75, 0.75, 0.75]
    texts = [text.get_text() for legend in axes.findobj(Legend) for text in legend.get_texts()]
    assert [text.replace("\u00a0", " ") for text in texts] == [
        "Original: rank-1 rate = 75.00%",
        "No eyes: rank-1 rate = 25.00%",
    ]
    assert axes.get_xticks().tolist() == [1, 2, 4, 6, 8, 10]
    low, high = axes.get_ylim()
    assert low < 0.25
    assert high > 1
    with style.house_style():
        figure.draw_without_rendering()
    with pytest.raises(FacepartError, match="sets of ranks, not 0"):
        cmc_curves([])


def test_the_files_are_the_same_bytes_for_the_same_ranks(tmp_path: Path) -> None:
    sets = [rank_set("Original", [1, 1, 1, 2]), rank_set("No eyes", [1, 2, 30, 7])]
    first, second = (plot_ranks(sets, tmp_path / name, "cmc", ranks=1) for name in ("a", "b"))
    assert [path.name for path in first.files] == ["cmc.png", "cmc.svg", "cmc.csv", "cmc.txt"]
    for one, other in zip(first.files, second.files, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert (tmp_path / "a" / "cmc.txt").read_text().splitlines()[:4] == [
        "set\tlabel\tstatistic\tvalue",
        "1\tOriginal\tprobes\t4",
        "1\tOriginal\tprobes_with_rank\t4",
        "1\tOriginal\trank1_rate\t0.75",
    ]
    with pytest.raises(UsageError, match="is not a file name"):
        plot_ranks(sets, tmp_path, "a/b")
    with pytest.raises(UsageError, match="--ranks 1000000000: a figure shows at most 100000 ranks"):
        plot_ranks(sets, tmp_path, "a", ranks=10**9)
    with pytest.raises(FacepartError, match="no probe has a rank"):
        rank_set("none", [0, 0])


def test_the_original_programs_ranks_are_read(tmp_path: Path) -> None:
    (tmp_path / "a_ranks.txt").write_text("1\n1\n4\n\n2\n")
    assert read_ranks(tmp_path / "a_ranks.txt").ranks.tolist() == [1, 1, 4, 2]
    (tmp_path / "three.txt").write_text("0 x 3\n1 y 1.0\n")
    assert read_ranks(tmp_path / "three.txt").ranks.tolist() == [3, 1]
    for text in ("", "0\n", "a\n", "1 2\n", "nan\n", "1.5\n"):
        (tmp_path / "bad.txt").write_text(text)
        with pytest.raises(FacepartError, match=r"bad\.txt: is not a file of ranks"):
            read_ranks(tmp_path / "bad.txt")


def test_labels_are_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("0 a/b c\n1 d\n")
    assert read_labels(tmp_path / "labels.txt") == ["a/b c", "d"]
    for text, reason in (("1 a\n", "line 1 is not `0 label`"), ("0 a\n1\n", "line 2"), ("\n", "no labels")):
        (tmp_path / "labels.txt").write_text(text)
        with pytest.raises(FacepartError, match=reason):
            read_labels(tmp_path / "labels.txt")
    with pytest.raises(FacepartError, match="no such file of labels"):
        read_labels(tmp_path / "none.txt")


def test_pairs_that_do_not_go_with_their_labels_are_refused(matched: Path, tmp_path: Path) -> None:
    files = files_of(matched)
    with pytest.raises(FacepartError, match=r"row 0 shows two subjects by the naming convention"):
        ranks_of_pairs(files, lambda label: label)
    with pytest.raises(FacepartError, match=r"row 0 shows one subject by the naming convention"):
        ranks_of_pairs(files, lambda label: "nobody")
    (tmp_path / "few.txt").write_text("0 p/00_0\n1 p/00_1\n")
    with pytest.raises(FacepartError, match="but there are 2 labels"):
        ranks_of_pairs(files._replace(labels=tmp_path / "few.txt"), MORPH)
    np.save(tmp_path / "column.npy", np.zeros(3))
    with pytest.raises(FacepartError, match="has no pairs"):
        ranks_of_pairs(files._replace(authentic=tmp_path / "column.npy"), MORPH)
    (tmp_path / "words.txt").write_text("a b c\n")
    with pytest.raises(FacepartError, match="is not a file of pairs"):
        ranks_of_pairs(files._replace(authentic=tmp_path / "words.txt"), MORPH)


@pytest.mark.parametrize("door", [["./Plots/"], ["-m", "facepart", "plot"]])
def test_the_command_draws_ranks_and_pairs_alike(matched: Path, tmp_path: Path, run: Run, door: list[str]) -> None:
    pairs = ("-a1", matched / "CM_authentic.npy", "-i1", matched / "CM_impostor.npy", "-l1", "Original")
    ranks = ("-r2", ranks_path(matched, "CM"), "-l2", "again")
    done = run(*door, "--kind", "cmc", *pairs, *ranks, "--ranks", "5", "-d", tmp_path, "-n", "cmc", "-t", "CMC")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split("\t") for line in (tmp_path / "cmc.txt").read_text().splitlines()[1:]]
    values = {(number, name): float(value) for number, _, name, value in rows}
    counted = load_ranks(matched / "CM_ranks.csv")
    known = counted.ranks[counted.ranks > 0]
    for most in (1, 5):
        assert values["1", f"rank{most}_rate"] == values["2", f"rank{most}_rate"] == np.mean(known <= most)
        assert values["1", f"rank{most}_rate_low"] == values["2", f"rank{most}_rate_low"] < np.mean(known <= most)
        assert values["2", f"rank{most}_rate_change_from_set_1"] == 0
    assert values["1", "probes"] == len(known) + 1
    first, second, against, written = done.stdout.splitlines()
    assert first.startswith(f"Original: identification rate at rank 1 {np.mean(known == 1):.2%} [")
    assert f"{len(known)} of {len(known) + 1} probes (the others have no authentic or no impostor score)" in first
    assert second.replace("again", "Original") == first
    assert against.startswith("again vs Original: rank 1 +0.00% [")
    assert written.count("cmc.") == 4


def test_renamed_pairs_need_their_labels_and_maybe_their_rule(matched: Path, tmp_path: Path, run: Run) -> None:
    files = files_of(matched)
    for path, name in ((files.authentic, "a.npy"), (files.impostor, "i.npy")):
        (tmp_path / name).write_bytes(path.read_bytes())
    command: list[str | Path] = ["./Plots/", "--kind", "cmc", "-a1", tmp_path / "a.npy", "-i1", tmp_path / "i.npy"]
    command += ["-d", tmp_path, "-n", "cmc"]
    done = run(*command)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "set 1: give the labels of the pairs, -lp1 (and -lg1)" in done.stderr
    command += ["-lp1", files.labels]
    if files.gallery_labels:
        command += ["-lg1", files.gallery_labels]
    assert run(*command).returncode == 0
    done = run(*command, "--dataset", "FOLDER")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "try another --dataset" in done.stderr


def test_pairs_with_named_labels_of_probes_are_read_as_across_two_lists_if_labels_of_a_gallery_are_beside(
    matched: Path, tmp_path: Path, run: Run
) -> None:
    files = files_of(matched)
    pairs = ["-a2", files.authentic, "-i2", files.impostor, "-lp2", files.labels]
    done = run("./Plots/", "--kind", "cmc", "-r1", matched / "CM_ranks.csv", *pairs, "-d", tmp_path, "-n", "cmc")
    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.splitlines()[:2]
    assert first.removeprefix("Set 1: ") == second.removeprefix("Set 2: ")


def test_pairs_across_two_lists_are_not_read_as_within_one(matched: Path, tmp_path: Path, run: Run) -> None:
    files = files_of(matched)
    if files.gallery_labels is None:
        # A list of pairs may have them in any order, and again.
        pairs = np.load(files.authentic)
        again = tmp_path / "again.npy"
        np.save(again, np.concatenate([pairs[:, [1, 0, 2]], pairs[:3]]))
        assert len(ranks_of_pairs(files._replace(authentic=again), MORPH).ranks) == len(read_labels(files.labels))
        return
    with pytest.raises(FacepartError, match=r"authentic\.npy: .* compared with a gallery: give .* with -lg"):
        ranks_of_pairs(files._replace(gallery_labels=None), MORPH)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--kind", "cmc"], "set 1 needs -r1 GROUP_ranks.csv, or pairs: -a1 and -i1"),
        (["--kind", "cmc", "-s1", "x.npz"], "-s1 holds no ranks; give -r1"),
        (["--kind", "cmc", "-r1", "x.csv", "-a1", "a.npy"], "leave out --authentic1"),
        (["--kind", "cmc", "-r2", "x.csv"], "set 2 is given, but not every set before it"),
        (["-r1", "x.csv"], "-r1 is for --kind cmc, not for --kind histogram"),
        (["--kind", "roc", "-s1", "x.npz", "--ranks", "5"], "--ranks is for --kind cmc, not for --kind roc"),
        (["--kind", "cmc", "-r1", "x.csv"], "x.csv: no such file of ranks"),
        (["--kind", "cmc", "-r1", "x.csv", "--ranks", "0"], "--ranks"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, run: Run, arguments: list[str], reason: str) -> None:
    done = run("./Plots/", *arguments, "-d", tmp_path, "-n", "cmc")
    assert done.returncode in (1, 2)
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
