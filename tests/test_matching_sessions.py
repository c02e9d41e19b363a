"""Authentic pairs from one session are left out of pair files, distributions and sums by subject; brute force."""

import json
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from facepart import __version__
from facepart.cluster.blocks import add_found, block_pairs, count_block
from facepart.data.naming_conventions import find_exclusion, naming_rule
from facepart.errors import FacepartError
from facepart.files.progress import Progress
from facepart.matching.cosine import TILE
from facepart.matching.counting import arranged, count_scores
from facepart.matching.faces import Faces
from facepart.matching.features import Features
from facepart.matching.groups import Group
from facepart.matching.match import match_features
from facepart.matching.pairs import pair_blocks
from facepart.matching.prepare import prepare
from facepart.matching.rank_counter import RankCounter
from facepart.matching.subject_statistics import SubjectTailCounts, authentic_scores, authentic_sums, impostor_moments
from facepart.matching.table import VALUES, scores_of_table
from facepart.scores import GroupScores, ScoreDistribution, load_scores
from facepart.scores.subject_sums import BIN, load_subject_sums
from tests.conftest import Run
from tests.test_matching_features import write_features, write_list

pytestmark = pytest.mark.slow

Pairs = list[tuple[int, int]]


class Kinds(NamedTuple):
    """Pairs of rows, by kind."""

    authentic: Pairs
    impostor: Pairs
    left_out: Pairs
    excluded: Pairs


class Label:
    """A label, and what it tells."""

    def __init__(self, label: str, session: str) -> None:
        self.whole, self.session = label, session
        self.name = label.split("/")[1]
        self.subject = self.name.split("_")[0]


def day(label: str) -> str:
    return label.split("/")[1].split("_")[4]


def folder(label: str) -> str:
    return label.split("/")[0]


def brute_force(probe: list[str], gallery: list[str] | None, session, by_label: bool) -> Kinds:
    """Look at the labels of every pair, as the original program does.

    A name that two photos of one side have does not tell which photo it is; their folders do, if the sides share any.
    """
    found = Kinds([], [], [], [])
    other = probe if gallery is None else gallery
    repeated = any(len({label.split("/")[1] for label in side}) < len(set(side)) for side in (probe, other))
    by_label |= repeated and bool(set(probe) & set(other))
    sides = [[Label(label, session(label)) for label in side] for side in (probe, other)]
    for (i, one), (j, two) in product(enumerate(sides[0]), enumerate(sides[1])):
        if gallery is None and j <= i:
            continue
        same_photo = one.whole == two.whole if by_label or gallery is None else one.name == two.name
        if one.subject != two.subject:
            found.impostor.append((i, j))
        elif same_photo:
            found.left_out.append((i, j))
        elif one.session == two.session:
            found.excluded.append((i, j))
        else:
            found.authentic.append((i, j))
    return found


LABELS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.integers(0, 2), st.integers(0, 2)).map(
        lambda parts: "{}/{}_f_c_1_{}_{}".format(*parts)
    ),
    min_size=1,
    max_size=25,
)


def features_of(labels: list[str], seed: int) -> Features:
    rows = np.random.default_rng(seed).normal(size=(len(labels), 24)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return Features(Path("list.txt"), rows, labels, [Path(f"{label}.npy") for label in labels], None)


@settings(max_examples=30, deadline=None)
@given(
    LABELS,
    st.one_of(st.none(), LABELS),
    st.sampled_from([("ND_GENDERS_V3", None, day), ("MORPH", r"_(\d)_\d$", day), ("MORPH", "^[^/]+", folder)]),
    st.booleans(),
    st.sampled_from([2, 7, 64]),
)
def test_every_pair_is_of_its_kind_everywhere(left, right, rule, include_same_photo, tile) -> None:
    dataset, exclude_same, session = rule
    expected = brute_force(left, right, session, include_same_photo)
    assume(expected.impostor)
    group = Group("G", features_of(left, 0), None if right is None else features_of(right, 1))
    exclusion = find_exclusion(dataset, None, exclude_same)
    common = {"include_same_photo": include_same_photo}
    prepared = prepare(group, naming_rule(dataset), exclusion, common, None)
    probe, gallery = prepared.left, prepared.right
    assert prepared.counts == tuple(map(len, expected))
    assert (prepared.outcome.authentic, prepared.outcome.excluded) == prepared.counts[::3]

    blocks = list(pair_blocks(probe, gallery, workers=1, tile=64))
    rows = [np.concatenate([block[kind] for block in blocks]) for kind in (0, 1)]
    for found, pairs in zip(rows, expected[:2], strict=True):
        assert [tuple(pair) for pair in found[:, :2].astype(int).tolist()] == pairs
    tails = SubjectTailCounts(len(prepared.subjects), 0)
    counted = count_scores(probe, gallery, workers=1, tile=tile, tails=tails)
    for kind, found in zip(counted, rows, strict=True):
        np.testing.assert_allclose(np.repeat(kind.scores, kind.counts), np.sort(found[:, 2]), rtol=0, atol=1.1e-6)

    people, scores = authentic_scores(probe, gallery)
    sums = authentic_sums(len(prepared.subjects), (people, scores), 0)
    impostor = impostor_moments(len(prepared.subjects), probe, gallery)
    other = gallery or probe
    for person in range(len(prepared.subjects)):
        places = rows[0][:, 0].astype(int)
        own = rows[0][probe.subjects[places] == person][:, 2]
        assert sums.count[person] == len(own)
        assert sums.total[person] == pytest.approx(own.sum(), abs=1e-5)
        assert sums.squares[person] == pytest.approx((own**2).sum(), abs=1e-5)
        # An impostor score that lies at an edge of a bin may be on its other side by another product.
        i, j = rows[1][:, :2].astype(int).T
        on = (probe.subjects[i] == person) | (other.subjects[j] == person)
        assert impostor[0][person] == on.sum()
        assert tails.bins()[person].sum() == pytest.approx((rows[1][on, 2] > -5e-7).sum(), abs=1)


def nd_names(count: int, people: int, days: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return [
        f"{rng.integers(people):05}_f_c_{photo % 2}_{20080300 + rng.integers(days)}_{photo}" for photo in range(count)
    ]


def write_matrix(folder: Path, names: list[str], seed: int) -> Path:
    """Write features of these names, those of a person alike."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(1000, 32))
    rows = np.stack([centres[int(name.split("_")[0])] for name in names]) + rng.normal(size=(len(names), 32)) + 0.2
    folder.mkdir()
    np.save(folder / "features.npy", rows.astype(np.float32))
    (folder / "labels.txt").write_text("".join(f"{folder.name}/{name}\n" for name in names))
    return folder / "features.npy"


def cut(faces: Faces, tiles: int) -> list[Faces]:
    order = np.argsort(faces.subjects, kind="stable")
    return [
        arranged(faces, order[first : first + tiles * TILE], TILE) for first in range(0, len(order), tiles * TILE)
    ]


class BlockCounter:
    """Counts as a cluster does: by pairs of blocks, in tasks of their own, added up."""

    def __init__(self, tiles: int) -> None:
        self.tiles = tiles

    def load(self, probe: Faces, gallery: Faces | None) -> "BlockCounter":
        self.rows, self.columns = cut(probe, self.tiles), None if gallery is None else cut(gallery, self.tiles)
        return self

    def count(self, *, tails: SubjectTailCounts, ranks: RankCounter | None, progress: Progress) -> GroupScores:
        del progress
        assert ranks is None
        rows, columns = self.rows, self.columns
        sizes = [[len(block.subjects) for block in side] for side in (rows, columns or [])]
        found = add_found(
            *(
                count_block(rows[i], None if j is None else (columns or rows)[j], tails.first_bin, 1, __version__)
                for i, j, _ in block_pairs(sizes[0], sizes[1] if columns else None)
            )
        )
        table = np.zeros(3 * VALUES, np.int64)
        table[found.scores.places] = found.scores.counts
        tails.take(found.tails.places, found.tails.counts)
        return scores_of_table(table)


@pytest.mark.parametrize("cross", [False, True])
def test_all_files_of_a_run_are_of_the_same_pairs(cross: bool, tmp_path: Path, mkl: None) -> None:
    """Pair files against brute force; the distribution, the sums and what a cluster counts against the pair files."""
    names = [nd_names(1300, 90, 3, 1), nd_names(700, 90, 3, 2)]
    names[1][:200] = names[0][100:300]  # the same photos on both sides
    probe, gallery = (write_matrix(tmp_path / f"side{side}", names[side], side) for side in (0, 1))
    sides = probe, gallery if cross else None
    out = match_features(*sides, tmp_path / "pairs", "CM", save="both", dataset="ND_GENDERS_V3")
    labels = [[f"side{side}/{name}" for name in names[side]] for side in (0, 1)]
    expected = brute_force(labels[0], labels[1] if cross else None, day, by_label=False)
    assert (out.authentic, out.impostor, out.left_out, out.excluded) == tuple(map(len, expected))
    assert min(len(expected.authentic), len(expected.excluded)) > 1000
    authentic, impostor = (np.load(tmp_path / "pairs" / f"CM_{kind}.npy") for kind in ("authentic", "impostor"))
    assert np.array_equal(authentic[:, :2], expected.authentic)
    assert np.array_equal(impostor[:, :2], expected.impostor)
    counted = ScoreDistribution.of(authentic[:, 2]), ScoreDistribution.of(impostor[:, 2])
    assert load_scores(tmp_path / "pairs" / "CM_scores.npz") == counted

    sums = load_subject_sums(tmp_path / "pairs" / "CM_people.npz")
    who = np.array([name.split("_")[0] for name in names[0]])[authentic[:, 0].astype(int)]
    for place, person in enumerate(sums.subjects):
        own = authentic[who == person, 2]
        assert sums.authentic.count[place] == len(own)
        assert sums.authentic.total[place] == pytest.approx(own.sum(), abs=1e-4)
        edges = sums.lowest + BIN * np.arange(sums.authentic.bins.shape[1] + 1)
        in_bins = np.histogram(np.rint(own * 1e6), edges)[0]
        assert np.abs(sums.authentic.bins[place] - in_bins).sum() <= 2  # at an edge, by another rounding
    assert sums.authentic.bins.any()

    # By a pattern, on one machine and in blocks as on a cluster: the same bytes.
    alone: dict[str, Any] = {"save": "distribution", "exclude_same": r"_(\d{8})_\d+$"}
    match_features(*sides, tmp_path / "alone", "CM", **alone)
    for tiles in (1, 2):
        match_features(*sides, tmp_path / f"blocks{tiles}", "CM", counter=BlockCounter(tiles), **alone)
        for name in ("CM_scores.npz", "CM_people.npz"):
            whole = (tmp_path / "alone" / name).read_bytes()
            assert (tmp_path / f"blocks{tiles}" / name).read_bytes() == whole
            assert (tmp_path / "pairs" / name).read_bytes() == whole


def test_impostor_scores_do_not_depend_on_sessions(tmp_path: Path, mkl: None) -> None:
    source = write_matrix(tmp_path / "f", nd_names(400, 40, 2, 1), 0)
    with_days = match_features(source, None, tmp_path / "days", "CM", dataset="ND_GENDERS_V3")
    without = match_features(source, None, tmp_path / "all", "CM", dataset="MORPH")
    assert without.excluded is None
    assert with_days.authentic + (with_days.excluded or 0) == without.authentic
    one, other = (tmp_path / run / "CM_impostor.npy" for run in ("days", "all"))
    assert one.read_bytes() == other.read_bytes()


def test_a_subject_whose_authentic_pairs_are_all_left_out_has_none(tmp_path: Path) -> None:
    days = ["1_f_c_1_d1_1", "1_f_c_1_d1_2", "2_f_c_1_d1_1", "2_f_c_1_d2_2", "3_f_c_1_d1_1"]
    source = write_list(tmp_path / "f.txt", write_features(tmp_path / "f", days))
    out = match_features(source, None, tmp_path / "out", "CM", dataset="ND_GENDERS_V3")
    assert (out.authentic, out.impostor, out.excluded, out.subjects) == (1, 8, 1, 3)
    sums = load_subject_sums(tmp_path / "out" / "CM_people.npz")
    assert sums.subjects.tolist() == ["1", "2", "3"]
    assert sums.authentic.count.tolist() == [0, 1, 0]
    assert sums.impostor.count.tolist() == [6, 6, 4]


def test_the_command_leaves_out_pairs_from_one_day(tmp_path: Path, run: Run) -> None:
    names = [nd_names(40, 6, 3, 1), nd_names(30, 6, 3, 2)]
    lists = [
        write_list(tmp_path / f"s{side}.txt", write_features(tmp_path / f"s{side}", names[side], seed=side))
        for side in (0, 1)
    ]
    labels = [sorted(f"s{side}/{name}" for name in names[side]) for side in (0, 1)]
    door = ("./face_matching/", "-p", lists[0])
    for cross in (False, True):
        gallery = ("-g", lists[1]) if cross else ()
        expected = brute_force(labels[0], labels[1] if cross else None, day, by_label=False)
        assert expected.excluded
        options = {
            "nd": ("-d", "ND_GENDERS_V3"),
            "regex": ("-d", "MORPH", "--exclude-same", "_([0-9]{8})_")
            if cross
            else ("--subject-pattern", "/([0-9]+)", "--exclude-same", "[0-9]{8}"),
        }
        for name, given_options in options.items():
            out = tmp_path / f"{name}{cross}"
            done = run(*door, *gallery, *given_options, "-o", out, "-gr", "CM")
            assert (done.returncode, done.stderr) == (0, "")
            words = "of the same day" if name == "nd" else f"with equal matches of '{given_options[-1]}'"
            pairs = f"{len(expected.excluded)} authentic pair{'s' if len(expected.excluded) > 1 else ''}"
            assert f"; left out {pairs} {words}; " in done.stdout
            authentic = np.load(out / "CM_authentic.npy")
            assert [tuple(pair) for pair in authentic[:, :2].astype(int).tolist()] == expected.authentic
            told = json.loads((out / "run.json").read_text())
            assert told["counts"]["CM"]["excluded"] == len(expected.excluded)
            assert told["settings"]["CM"]["exclude_same"] == (None if name == "nd" else given_options[-1])
            for file in ("CM_scores.npz", "CM_people.npz", "CM_authentic.npy", "CM_impostor.npy"):
                assert (out / file).read_bytes() == (tmp_path / f"nd{cross}" / file).read_bytes()


def test_without_other_days_the_lack_of_authentic_pairs_is_reported(tmp_path: Path, run: Run) -> None:
    names = ["1_f_c_1_d1_1", "1_f_c_1_d1_2", "2_f_c_1_d1_1"]
    source = write_list(tmp_path / "f.txt", write_features(tmp_path / "f", names))
    done = run("./face_matching/", "-p", source, "-o", tmp_path / "out", "-d", "ND_GENDERS_V3", "-gr", "CM")
    assert done.returncode == 0
    assert done.stderr == ("facepart: CM: no authentic pairs: all of them are of the same day, and left out\n")


def test_a_convention_that_is_recognised_leaves_out_pairs_as_one_that_is_given(tmp_path: Path, run: Run) -> None:
    names = [f"0000{person}_f_c_1_2008031{photo // 2}_{photo}" for person in range(2) for photo in range(4)]
    source = write_list(tmp_path / "f.txt", write_features(tmp_path / "f", names))
    done = run("./face_matching/", "-p", source, "-o", tmp_path / "out", "-gr", "CM")
    assert (done.returncode, done.stderr) == (0, "")
    assert "subjects by the ND_GENDERS_V3 convention" in done.stdout
    assert "; left out 4 authentic pairs of the same day; " in done.stdout


@pytest.mark.parametrize(
    ("names", "options", "status", "reason"),
    [
        (
            ["1_f_c_1_d1_1", "2_f_c"],
            ["-d", "ND_GENDERS_V3"],
            1,
            "f/2_f_c: no day can be read from this name by -d ND_GENDERS_V3",
        ),
        (
            ["1_d1", "2"],
            ["-d", "MORPH", "--exclude-same", r"_(d\d)"],
            1,
            r"f/2: does not match --exclude-same '_(d\d)'",
        ),
        (
            ["1_d1", "2_d"],
            ["--exclude-same", r"_d(\d)?"],
            1,
            "f/2_d: --exclude-same '_d(\\d)?' matches an empty text",
        ),
        (["1_1", "2_1"], ["--exclude-same", "("], 2, "--exclude-same '(' is not a regular expression"),
        (["12_1", "photo"], ["-d", "AGEDB"], 1, "f/photo: no subject can be read from this name by -d AGEDB (second"),
        (["a", "bc"], ["-d", "CHIYA"], 1, "f/a: no subject can be read from this name by -d CHIYA"),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path, run: Run, names: list[str], options: list[str], status: int, reason: str
) -> None:
    source = write_list(tmp_path / "f.txt", write_features(tmp_path / "f", names))
    done = run("./face_matching/", "-p", source, "-o", tmp_path / "out", "-gr", "CM", *options)
    assert done.returncode == status
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_one_group_of_several_with_a_wrong_name_stops_before_anything_is_written(tmp_path: Path) -> None:
    good = write_list(tmp_path / "f.txt", write_features(tmp_path / "f", ["1_f_c_1_d1_1", "2_f_c_1_d1_1"]))
    bad = write_list(tmp_path / "g.txt", write_features(tmp_path / "g", ["1_f_c_1_d1_1", "2_1"]))
    with pytest.raises(FacepartError, match=r"^g/2_1: no day can be read"):
        match_features(good, bad, tmp_path / "out", "CM", dataset="ND_GENDERS_V3")
    assert not (tmp_path / "out").exists()
