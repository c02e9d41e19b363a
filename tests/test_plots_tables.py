"""Tables without a figure: d' and rates of many sets, and two distributions compared, as functions and processes."""

import csv
import dataclasses
import math
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ks_2samp, ttest_ind

from facepart.analysis.influence import Influence, difference_of
from facepart.analysis.intervals import interval, rate_interval
from facepart.analysis.metrics import d_prime, d_prime_influence, fmr_influence, fnmr_at_fmr_influence, fnmr_influence
from facepart.errors import UsageError
from facepart.plots.difference import Sample, difference
from facepart.plots.rates import rate_rows, rates_table
from facepart.scores import ScoreDistribution
from facepart.scores.subject_sums import save_subject_sums, subject_sums_beside, subject_sums_path
from tests.conftest import Run
from tests.people_scores import group_scores
from tests.test_plots import each_score, make_set
from tests.test_plots import set_of as plain_set
from tests.test_plots_bands import draw_photos, save_group, set_of


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_rates_are_those_of_scores_counted_by_hand() -> None:
    # 20 impostor scores: half of them is the least FMR for which ten false matches are expected.
    entry = plain_set("By hand", [0.25, 0.5, 0.75, 1.0], np.arange(20) / 20)
    known, unknown, given = rates_table([entry], [0.5, 0.05], [0.6])
    assert (known.threshold, known.fmr.value, known.tmr.value) == (0.450001, 0.5, 0.75)
    assert math.isnan(unknown.threshold)
    assert (given.fmr.value, given.tmr.value) == (0.4, 0.5)
    assert math.isnan(given.tmr.low)
    header, *rows = rate_rows([known, unknown, given])
    assert [dict(zip(header, row, strict=True)) for row in rows] == [
        {
            "set": 1,
            "label": "By hand",
            "target_fmr": 0.5,
            "threshold": 0.450001,
            "fmr": 0.5,
            "fnmr": 0.25,
            "tmr": 0.75,
        }
        | dict.fromkeys(("fmr_low", "fmr_high", "tmr_low", "tmr_high"), ""),
        {"set": 1, "label": "By hand", "target_fmr": 0.05} | dict.fromkeys(header[3:], ""),
        {"set": 1, "label": "By hand", "target_fmr": "", "threshold": 0.6, "fmr": 0.4, "fnmr": 0.5, "tmr": 0.5}
        | dict.fromkeys(("fmr_low", "fmr_high", "tmr_low", "tmr_high"), ""),
    ]


def test_rates_have_the_intervals_of_their_subjects() -> None:
    group = group_scores(*draw_photos(0, people=60))
    at_fmr, given = rates_table([set_of(group)], [0.02], [0.3])
    missed = rate_interval(fnmr_at_fmr_influence(group, 0.02), group.effective_authentic)
    assert (at_fmr.tmr.low, at_fmr.tmr.high) == (1 - missed.high, 1 - missed.low)
    assert at_fmr.tmr.low < at_fmr.tmr.value < at_fmr.tmr.high
    missed, wrong = (
        rate_interval(fnmr_influence(group, 0.3), group.effective_authentic),
        rate_interval(fmr_influence(group, 0.3), group.effective / 2),
    )
    assert (given.tmr.low, given.tmr.high, given.fmr) == (1 - missed.high, 1 - missed.low, wrong)


@pytest.mark.parametrize("wrong", [([1.0], []), ([0.0], []), ([], [math.inf]), ([], [math.nan])])
def test_no_such_rates(wrong: tuple[list[float], list[float]]) -> None:
    with pytest.raises(UsageError):
        rates_table([make_set(n=50)], *wrong)


def test_a_rate_that_no_score_contradicts_is_known_below_where_the_bins_begin() -> None:
    group = group_scores(*draw_photos(1, people=30), lowest=300_000)
    below = float(group.scores.authentic.scores[0]) - 0.1
    assert below < 0.3
    found = fnmr_influence(group, below)
    assert (found.value, found.by_subject.tolist()) == (0, [0] * 30)
    assert np.isnan(fmr_influence(group, below).by_subject).all()


def sample(label: str, kind: str, scores: list[float]) -> Sample:
    return Sample(label, kind, ScoreDistribution.of(scores))


def test_a_difference_without_sums_is_scipys_statistic_and_no_interval() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(0.1, 0.1, 300).round(6), rng.normal(0.13, 0.1, 200).round(6)
    found = difference(sample("a", "impostor", one.tolist()), sample("b", "impostor", other.tolist()))
    expected = ks_2samp(one, other, method="asymp")
    assert found.statistic == pytest.approx(expected.statistic, abs=1e-12)
    assert math.log(found.p_value) == pytest.approx(math.log(expected.pvalue), rel=0.05)
    assert found.means.value == pytest.approx(other.mean() - one.mean(), abs=1e-12)
    assert (found.subjects, math.isnan(found.means.low)) == (0, True)


def test_the_interval_of_a_difference_is_paired_by_the_subjects_of_both() -> None:
    subjects, photos = draw_photos(2, people=50)
    before = group_scores(subjects, photos)
    after = group_scores(subjects, photos * 0.9 + 0.05)
    for kind in ("authentic", "impostor"):
        ours, theirs = (
            Sample(name, kind, getattr(g.scores, kind), g.sums) for name, g in (("a", before), ("b", after))
        )
        found = difference(ours, theirs)
        assert (found.subjects, found.paired) == (50, True)
        means = [float(np.mean(each_score(getattr(g.scores, kind)))) for g in (before, after)]
        assert found.means.value == pytest.approx(means[1] - means[0], abs=1e-9)
        # The jackknife, subject by subject, with both groups' scores of a subject left out together.
        left_out = []
        for person in range(50):
            kept = subjects != person
            pair = [group_scores(subjects[kept], p[kept]) for p in (photos, photos * 0.9 + 0.05)]
            left_out.append(getattr(pair[1].scores, kind).mean - getattr(pair[0].scores, kind).mean)
        error = math.sqrt(49 / 50 * np.sum((np.array(left_out) - found.means.value) ** 2))
        assert found.means.error == pytest.approx(error, rel=0.05)


def test_the_interval_of_authentic_means_of_two_groups_is_that_of_their_subjects() -> None:
    # One score a subject: independent groups have the standard error of Welch's test.
    rng = np.random.default_rng(3)
    groups = []
    for size, name, mean in ((30, "a", 0.5), (40, "b", 0.6)):
        subjects = np.repeat(np.arange(size), 2)
        photos = np.zeros((2 * size, 2))
        photos[::2, 0] = 1
        photos[1::2, 0] = rng.normal(mean, 0.1, size).round(6)
        group = group_scores(subjects, photos)
        sums = dataclasses.replace(group.sums, subjects=np.array([f"{name}{number}" for number in range(size)]))
        groups.append(Sample(name, "authentic", group.scores.authentic, sums))
    found = difference(*groups)
    assert (found.subjects, found.paired) == (70, False)
    one, other = (each_score(group.scores) for group in groups)
    expected = math.sqrt(one.var(ddof=1) / 30 + other.var(ddof=1) / 40)
    assert found.means.error == pytest.approx(expected, rel=0.02)
    assert found.means.value / expected == pytest.approx(ttest_ind(other, one, equal_var=False).statistic, rel=1e-6)


def test_figures_of_subjects_in_both_cancel_and_of_others_add_up() -> None:
    first, second = Influence(1.0, np.array([1.0, 2.0]), 0.5, 2), Influence(0.25, np.array([4.0, 1.0]), 0.25, 2)
    apart, paired = difference_of((first, ["a", "b"]), (second, ["b", "c"]))
    assert (apart.value, apart.by_subject.tolist(), apart.double_counted, paired) == (0.75, [1, -2, -1], 0, True)
    apart, paired = difference_of((first, ["a", "b"]), (second, ["c", "d"]))
    assert (apart.by_subject.tolist(), apart.double_counted, paired) == ([1, 2, -4, -1], 0.75, False)


def test_where_the_sums_of_a_score_file_lie() -> None:
    for name in ("CM_scores.npz", "CM_authentic.npy", "CM_impostor.npy"):
        assert subject_sums_beside(Path("a") / name) == subject_sums_path(Path("a"), "CM")
    for name in ("_scores.npz", "scores.npz", "CM_authentic.txt", "CM.npy"):
        assert subject_sums_beside(Path("a") / name) is None


def test_swapped_scores_and_distances_are_said(tmp_path: Path, run: Run) -> None:
    rng = np.random.default_rng(0)
    np.save(tmp_path / "CM_authentic.npy", rng.normal(0.7, 0.1, 200))
    np.save(tmp_path / "CM_impostor.npy", rng.normal(0.1, 0.1, 200))
    authentic, impostor = tmp_path / "CM_authentic.npy", tmp_path / "CM_impostor.npy"
    done = run("-m", "facepart", "plot", "-a1", impostor, "-i1", authentic, "--kind", "table")
    assert done.returncode == 2
    assert "CM_impostor.npy: has impostor scores by its name, which -i1 takes" in done.stderr
    impostor.rename(tmp_path / "a.npy"), authentic.rename(tmp_path / "i.npy")
    done = run("-m", "facepart", "plot", "-a1", tmp_path / "a.npy", "-i1", tmp_path / "i.npy", "--kind", "table")
    assert done.returncode == 0
    assert (
        "authentic scores are lower than impostor scores on average: are they distances, or swapped?" in done.stderr
    )


def test_a_curve_of_too_few_scores_is_said_to_be_missing(tmp_path: Path, run: Run) -> None:
    np.save(tmp_path / "a.npy", np.linspace(0.5, 0.9, 20))
    np.save(tmp_path / "i.npy", np.linspace(0.1, 0.4, 9))
    words = ("-a1", tmp_path / "a.npy", "-i1", tmp_path / "i.npy", "-d", tmp_path, "-n", "c", "--kind", "det")
    done = run("-m", "facepart", "plot", *words)
    assert done.returncode == 0
    assert "no curve, because there are fewer than 10 impostor scores" in done.stderr


def test_the_original_d_prime_program_of_many_sets(tmp_path: Path, run: Run) -> None:
    """compute_dprime_values.py: no folder, no name, nothing written; here of more sets than a figure shows."""
    options: list[str | Path] = []
    expected = {}
    for number in range(1, 15):
        entry = make_set(f"Part {number}", n=100, shift=number / 50, seed=number)
        for letter, kind in (("a", "authentic"), ("i", "impostor")):
            path = tmp_path / f"{kind}{number}.txt"
            np.savetxt(path, each_score(getattr(entry, kind)), fmt="%.6f")
            options += [f"-{kind}{number}" if number == 3 else f"-{letter}{number}", path]
        options += [f"-l{number}", entry.label]
        expected[entry.label] = d_prime(entry.authentic, entry.impostor)
    done = run("./Plots/", *options, "--kind", "table")
    assert (done.returncode, done.stderr) == (0, "")
    head, *rows = done.stdout.split("\n\n")[0].splitlines()
    assert head.split() == ["set", "label", "authentic", "impostor", "d'", "EER"]
    found = {" ".join(row.split()[1:3]): float(row.split()[5]) for row in rows}
    assert found == pytest.approx(expected, abs=6e-4)
    assert (
        f"no subject-level CI: {tmp_path}/authentic1.txt does not have a name that `facepart match` gives"
        in done.stdout
    )
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".txt"] * 28
    # As a figure they are too many.
    done = run("./Plots/", *options, "-d", tmp_path / "out", "-n", "x")
    assert done.returncode == 1
    assert done.stderr == "facepart: a figure shows 1 to 6 sets of scores, not 14\n"


@pytest.mark.parametrize("door", ["./Plots/", "./face_matching/Plots/"])
def test_tmrs_at_fmrs_and_thresholds(tmp_path: Path, run: Run, door: str) -> None:
    """extract_tpr_fpr_thr.py, with its own options, and the rates of get_tprs_from_file.py."""
    group = group_scores(*draw_photos(4, people=60))
    file = save_group(tmp_path, group)
    for kind in ("authentic", "impostor"):
        np.save(tmp_path / f"CM_{kind}.npy", each_score(getattr(group.scores, kind)))
    files = ("-a", tmp_path / "CM_authentic.npy", "-i", tmp_path / "CM_impostor.npy")
    table = ("--kind", "table", "--fmr", "1e-1", "1e-2", "1e-5", "--threshold", "0.3", "-0.25")
    done = run(door, *files, "-s2", file, "-l2", "Same", *table, "-d", tmp_path / "out", "-n", "x")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["x.csv", "x.txt"]
    rows = read_csv(tmp_path / "out" / "x.csv")
    entry = set_of(group)
    header, *expected = rate_rows(
        rates_table([entry, dataclasses.replace(entry, label="Same")], [0.1, 0.01, 1e-5], [0.3, -0.25])
    )
    for row, told in zip(rows, expected, strict=True):
        wanted = {name: str(value) for name, value in zip(header, told, strict=True)}
        assert row | {"label": ""} == wanted | {"label": ""}
    assert [row["label"] for row in rows] == ["Set 1", "Same"] * 5
    shown = rate_interval(fnmr_at_fmr_influence(group, 0.01), group.effective_authentic)
    assert f"[{1 - shown.high:.5f}, {1 - shown.low:.5f}]" in done.stdout
    assert "-: too few impostor scores, fewer than 10 expected false matches" in done.stdout
    low = interval(d_prime_influence(group)).low
    assert f"{low:.3f}" in done.stdout
    assert f"\td_prime_low\t{low!r}\n" in (tmp_path / "out" / "x.txt").read_text()


@pytest.mark.parametrize("names", [("-i1", "-i2"), ("--distribution_1", "--distribution_2")])
def test_the_original_test_of_two_distributions(tmp_path: Path, run: Run, names: tuple[str, str]) -> None:
    """check_stat_difference.py, with its own options, on its files."""
    entry, other = make_set(n=300), make_set(n=200, shift=0.01, seed=1)
    np.savetxt(tmp_path / "one.txt", each_score(entry.impostor), fmt="%.6f")
    scores = each_score(other.impostor)
    pairs = np.column_stack([np.zeros((len(scores), 2)), scores])
    np.savetxt(tmp_path / "two.txt", pairs, fmt=["%d", "%d", "%.6f"], delimiter=",")
    done = run("./Plots/", "--kind", "difference", names[0], tmp_path / "one.txt", names[1], tmp_path / "two.txt")
    assert (done.returncode, done.stderr) == (0, "")
    expected = ks_2samp(each_score(entry.impostor), scores)
    told = re.search(r"KS statistic=(\S+), pvalue=(\S+)\n", done.stdout)
    assert told is not None
    assert float(told[1]) == pytest.approx(expected.statistic, abs=1e-12)
    assert math.log(float(told[2])) == pytest.approx(math.log(expected.pvalue), rel=0.05)
    assert "The p-value assumes independent scores." in done.stdout
    assert "no subject-level CI" in done.stdout
    assert f"no subject-level CI: {tmp_path}/one.txt does not have a name that `facepart match` gives" in done.stdout


def test_what_may_be_concluded_is_by_subject(tmp_path: Path, run: Run) -> None:
    subjects, photos = draw_photos(5, people=40)
    groups = {"CM": group_scores(subjects, photos), "CF": group_scores(*draw_photos(6, people=30))}
    for name, group in groups.items():
        save_group(tmp_path, group, name)
    files = ("-s1", tmp_path / "CM_scores.npz", "-l1", "men", "-s2", tmp_path / "CF_scores.npz", "-l2", "women")
    done = run("./Plots/", *files, "--kind", "difference", "-d", tmp_path / "out", "-n", "x")
    assert (done.returncode, done.stderr) == (0, "")
    rows = read_csv(tmp_path / "out" / "x.csv")
    assert [(row["first_kind"], row["second_kind"]) for row in rows] == [("authentic",) * 2, ("impostor",) * 2]
    for row in rows:
        kind = row["first_kind"]
        samples = [Sample("", kind, getattr(group.scores, kind), group.sums) for group in groups.values()]
        expected = difference(*samples)
        assert (row["low"], row["high"]) == (str(expected.means.low), str(expected.means.high))
        # People of the same name are the same people: 001 in both.
        assert (row["subjects"], row["paired"]) == ("40", "true")
        told = f"[{expected.means.low:+.4f}, {expected.means.high:+.4f}]"
        outside = expected.means.low > 0 or expected.means.high < 0
        told += " does not include 0" if outside else " includes 0: not significantly different"
        assert told in done.stdout
    assert "no subject-level CI" not in done.stdout
    (tmp_path / "CF_people.npz").unlink()
    done = run("./Plots/", *files, "--kind", "difference")
    assert f"no subject-level CI: {tmp_path}/CF_people.npz is missing\n" in done.stdout


def test_the_kind_of_a_matchers_file_is_in_its_name(tmp_path: Path, run: Run) -> None:
    group = group_scores(*draw_photos(7, people=20))
    for kind in ("authentic", "impostor"):
        np.save(tmp_path / f"CM_{kind}.npy", each_score(getattr(group.scores, kind)))
    save_subject_sums(tmp_path / "CM_people.npz", group.sums)
    files = ("-i1", tmp_path / "CM_authentic.npy", "-i2", tmp_path / "CM_impostor.npy")
    done = run("./Plots/", *files, "--kind", "difference")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Set 2 vs Set 1, impostor vs authentic: KS statistic=")
    assert "(20 subjects, paired)" in done.stdout


FIGURE = ["-d", "out", "-n", "x"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["-s1", "s.npz"], "give -d FOLDER and -n NAME: the folder and the name of the figure"),
        (["-s1", "s.npz", "--kind", "table", "-n", "x"], "-d FOLDER and -n NAME go together"),
        (["-s1", "s.npz", "--kind", "table", "-d", "out", "-n", "a/b"], "-n 'a/b': is not a file name"),
        (["-s1", "s.npz", *FIGURE, "--fmr", "0.1"], "--fmr is for --kind table, not for --kind histogram"),
        (["-s1", "s.npz", *FIGURE, "--kind", "det", "--ylim", "0"], "--ylim is for --kind roc, not for --kind det"),
        (["-s1", "s.npz", "--kind", "table", "--fmr", "2"], "an FMR lies between 0 and 1, not at 2.0"),
        (["-s1", "s.npz", "--kind", "table", "--threshold", "nan"], "argument --threshold: invalid value 'nan'"),
        (["-i1", "s.npz", "--kind", "difference"], "a difference needs at least two distributions"),
        (["-a1", "s.npz", "-i2", "s.npz", "--kind", "difference"], "set 2 and set 1 need scores of the same kinds"),
        (["-i1", "s.npz", "-l2", "B", "--kind", "difference"], "set 2 needs scores: give -a2, -i2 or -s2"),
        (["-i1", "s.npz", "-i3", "s.npz", "--kind", "difference"], "set 3 is given, but not every set before it"),
        (["-f", "roc.txt"], "-f: curves are not read; TMRs at FMRs come from scores"),
        (["-alg1", "a", "-l1", "A", "-alg2", "b", "-l2", "B", *FIGURE], "-alg1: each folder in it is a set here"),
        (["res", "--algolist", "UMD", "STR"], "--algolist: give each algorithm as a set"),
        (["res", "-p", "rocPlot"], "-p: --kind says what to draw"),
        (["res", "-m"], "-m: name the files themselves"),
    ],
)
def test_a_wrong_call_is_answered_in_a_line(tmp_path: Path, run: Run, arguments: list[str], reason: str) -> None:
    save_group(tmp_path, group_scores(*draw_photos(8, people=12)), "x")
    (tmp_path / "x_scores.npz").rename(tmp_path / "s.npz")
    placed = [str(tmp_path / each) if each in ("s.npz", "out") else each for each in arguments]
    done = run("./Plots/", *placed)
    assert done.returncode == 2
    assert done.stderr.startswith(f"facepart: {reason}")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_options_without_an_effect_are_reported(tmp_path: Path, run: Run) -> None:
    file = save_group(tmp_path, group_scores(*draw_photos(8, people=12)))
    done = run("./Plots/", "-s", file, "--kind", "table", "--numCores", "4", "-t", "Title")
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "facepart: --numCores has no effect: one process reads the files",
        "facepart: -t has no effect: a table has no title",
    ]
