"""Ranks counted along with all pairs: those of brute force over the pairs."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facepart import __version__
from facepart.cluster.blocks import BlockProbes, add_found, block_pairs, count_block
from facepart.errors import FacepartError
from facepart.matching.cosine import TILE, unit_rows
from facepart.matching.counting import arranged, count_scores, subject_order
from facepart.matching.faces import Faces
from facepart.matching.match import match_features
from facepart.matching.pairs import pair_blocks
from facepart.matching.rank_counter import RankCounter, best_authentic, count_above
from facepart.scores.ranks import Ranks, load_ranks, save_ranks
from tests.conftest import Run
from tests.rank_pairs import ranks_of_pairs

pytestmark = pytest.mark.slow

SUBJECTS = 40
KINDS = ("authentic", "impostor")
NAMES = ("1_1", "1_2", "2_1", "3_1")


def draw_faces(seed: int, count: int, *, coarse: bool = False, sessions: bool = False) -> Faces:
    """Faces of some subjects; some have one photo, some photos stand twice. Coarse ones have many equal scores."""
    rng = np.random.default_rng(seed)
    subjects = np.minimum(rng.integers(0, SUBJECTS + 8, count), SUBJECTS - 1)
    subjects[:3] = SUBJECTS + 3 * (seed % 2) + np.arange(3)  # of these there is one photo, and none on the other side
    photos = subjects * 100 + rng.integers(0, 20, count)
    if coarse:
        rows = rng.integers(-1, 2, (count, 4)) + np.array([0, 0, 0, 3])
    else:
        rows = np.random.default_rng(7).normal(size=(SUBJECTS + 6, 16))[subjects] + rng.normal(size=(count, 16))
    session = subjects * 3 + rng.integers(0, 3, count) if sessions else None
    return Faces(unit_rows(rows.astype(np.float32)), subjects, photos, session)


def ranks_by_pairs(probe: Faces, gallery: Faces | None) -> list[tuple[int, float, float] | None]:
    blocks = list(pair_blocks(probe, gallery, workers=1))
    authentic, impostor = (np.concatenate(rows).tolist() for rows in zip(*blocks, strict=True))
    return ranks_of_pairs(len(probe.subjects), authentic, impostor, gallery is None)


def as_ranks(counter: RankCounter, best: np.ndarray, order: np.ndarray) -> list[tuple[int, float, float] | None]:
    places, above, highest = counter.counts()
    np.testing.assert_array_equal(places, np.arange(len(best)))
    found: list[tuple[int, float, float] | None] = [None] * len(best)
    for place, probe in enumerate(order):
        if np.isfinite(best[probe]) and np.isfinite(highest[place]):
            own, other = (float(steps) / 1_000_000 for steps in (best[probe], highest[place]))
            found[probe] = (int(above[place]) + 1, own, other)
    return found


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(4, 150), *[st.booleans()] * 3, st.sampled_from([60, 64, 512]))
def test_ranks_are_those_of_every_pair(
    seed: int, count: int, cross: bool, coarse: bool, sessions: bool, tile: int
) -> None:
    probe = draw_faces(seed, count, coarse=coarse, sessions=sessions)
    gallery = draw_faces(seed + 1, count + 5, coarse=coarse, sessions=sessions) if cross else None
    expected, best = ranks_by_pairs(probe, gallery), best_authentic(probe, gallery)
    order, as_listed = subject_order(probe), np.arange(count)
    counter = RankCounter(best[order])
    count_scores(probe, gallery, workers=2, tile=tile, ranks=counter)
    assert as_ranks(counter, best, order) == expected
    counter = RankCounter(best)
    for _ in pair_blocks(probe, gallery, workers=2, tile=tile, ranks=counter):
        pass
    assert as_ranks(counter, best, as_listed) == expected


@pytest.mark.parametrize("cross", [False, True])
def test_ranks_over_several_tiles_and_blocks(cross: bool) -> None:
    """As tasks of a cluster count them, who know their own blocks alone."""
    probe = draw_faces(1, 2 * TILE + 70)
    gallery = draw_faces(2, TILE + 33) if cross else None
    best, order = best_authentic(probe, gallery, workers=2), subject_order(probe)
    counter = RankCounter(best[order])
    count_scores(probe, gallery, workers=2, ranks=counter)
    found = as_ranks(counter, best, order)
    assert found == ranks_by_pairs(probe, gallery)
    assert len({each[0] for each in found if each}) > 20

    def cut(faces: Faces) -> list[Faces]:
        rows = subject_order(faces)
        return [arranged(faces, rows[first : first + TILE], TILE) for first in range(0, len(rows), TILE)]

    rows, columns = cut(probe), cut(gallery) if gallery else None
    probes = [BlockProbes(first, counter.best(first, first + TILE)) for first in range(0, len(best), TILE)]
    sizes = [[len(block.subjects) for block in side] for side in (rows, columns or rows)]
    parts = []
    for i, j, _ in block_pairs(sizes[0], sizes[1] if cross else None):
        sides = rows[i], None if j is None else (columns or rows)[j]
        theirs = None if cross or j is None else probes[j]
        parts.append(count_block(*sides, 0, 1, __version__, probes[i], theirs))
    whole = add_found(add_found(*parts[::2]), *parts[1::2])
    added = RankCounter(best[order])
    assert whole.ranks is not None
    added.take(whole.ranks)
    assert as_ranks(added, best, order) == found
    assert add_found(count_block(rows[0], None, 0, 1, __version__)).ranks is None


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(1, 40), st.integers(1, 40), st.booleans(), st.floats(-1, 1))
def test_scores_above_are_counted_however_the_tile_lies(seed, rows, columns, transposed, bar) -> None:
    """Few or many of them, in any shape; what adds 8 at a time has to fit their number."""
    rng = np.random.default_rng(seed)
    shape = (rows * rng.choice([1, 8, 24]), columns * rng.choice([1, 8, 60]))
    scores = rng.integers(-9, 9, shape).astype(np.float32)
    scores = np.asfortranarray(scores) if transposed else scores
    best = rng.integers(-9, 9, shape[0]).astype(np.float32) + np.float32(9 * bar)
    found = count_above(scores, best, scores.max(1))
    expected = [sum(score > each for score in row) for row, each in zip(scores, best, strict=True)]
    assert (found.tolist() if found is not None else [0] * shape[0]) == expected


def test_best_authentic_scores_are_those_of_the_score_files() -> None:
    probe, gallery = draw_faces(3, 300), draw_faces(4, 250)
    blocks = [authentic for authentic, _ in pair_blocks(probe, gallery, workers=1)]
    expected = np.full(300, -np.inf)
    for i, _, score in np.concatenate(blocks):
        expected[int(i)] = max(expected[int(i)], score)
    found = best_authentic(probe, gallery)
    assert np.isneginf(expected).any()
    np.testing.assert_array_equal(found, np.rint(expected * 1e6))


def write_matrix(folder: Path, faces: Faces) -> Path:
    folder.mkdir()
    np.save(folder / "features.npy", faces.embeddings)
    labels = [f"p/{subject:02}_{photo}" for subject, photo in zip(faces.subjects, faces.photos, strict=True)]
    (folder / "labels.txt").write_text("".join(f"{label}\n" for label in labels))
    return folder / "features.npy"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("cross", [False, True])
def test_the_file_is_that_of_the_pairs_however_it_is_counted(cross: bool, tmp_path: Path) -> None:
    probe = write_matrix(tmp_path / "probe", draw_faces(5, 150))
    gallery = write_matrix(tmp_path / "gallery", draw_faces(6, 130)) if cross else None
    outcomes = [
        match_features(probe, gallery, tmp_path / save, "CM", save=save, ranks=True)
        for save in ("both", "distribution")
    ]
    written = [(tmp_path / save / "CM_ranks.csv").read_bytes() for save in ("both", "distribution")]
    assert written[0] == written[1]
    authentic, impostor = (np.load(tmp_path / "both" / f"CM_{kind}.npy").tolist() for kind in KINDS)
    expected = ranks_of_pairs(150, authentic, impostor, not cross)
    labels = (tmp_path / "both" / "CM_labels.txt").read_text().splitlines()
    rows = list(csv.DictReader((tmp_path / "both" / "CM_ranks.csv").open()))
    assert len(rows) == 150
    for row, label, each in zip(rows, labels, expected, strict=True):
        assert row["probe"] == label.partition(" ")[2]
        assert row["subject"] == row["probe"][2:4]
        if each is None:
            assert row["rank"] == row["margin"] == ""
        else:
            rank, best, other = each
            assert (int(row["rank"]), float(row["best_authentic"]), float(row["best_impostor"])) == (
                rank,
                best,
                other,
            )
            assert row["margin"] == f"{best - other:.6f}"
    ranked = [each[0] for each in expected if each]
    assert 0 < len(ranked) < 150
    for outcome in outcomes:
        assert (outcome.ranked, outcome.ranked_first) == (len(ranked), ranked.count(1))
    assert match_features(probe, gallery, tmp_path / "none", "CM").ranked is None
    assert not (tmp_path / "none" / "CM_ranks.csv").exists()


def test_the_same_photo_across_lists_is_left_out_unless_asked_for(tmp_path: Path) -> None:
    rows = np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 1, 0.2], [0.9, 0, 0.1]], np.float32)
    for name in ("blurred", "original"):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "features.npy", rows)
        (tmp_path / name / "labels.txt").write_text("".join(f"{name}/{stem}\n" for stem in NAMES))
    sides = tmp_path / "blurred" / "features.npy", tmp_path / "original" / "features.npy"
    match_features(*sides, tmp_path / "out", "CM", ranks=True)
    found = load_ranks(tmp_path / "out" / "CM_ranks.csv")
    # The photos of subject 1 are 0.8 alike; 3_1 is more like the first of them, and not so the second.
    assert found.ranks.tolist() == [2, 1, 0, 0]
    assert np.isnan(found.authentic[2:]).all()
    assert np.isfinite(found.impostor).all()
    match_features(*sides, tmp_path / "out", "CM", ranks=True, include_same_photo=True)
    found = load_ranks(tmp_path / "out" / "CM_ranks.csv")
    assert found.ranks.tolist() == [1, 1, 1, 1]
    assert found.authentic.tolist() == [1, 1, 1, 1]


def test_ties_do_not_worsen_a_rank(tmp_path: Path) -> None:
    """Impostor scores as high as the best authentic score count as lower, as in the original program."""
    (tmp_path / "features").mkdir()
    np.save(tmp_path / "features" / "features.npy", np.array([[1, 0], [1, 1], [1, 1], [1, -1], [0, 1]], np.float32))
    (tmp_path / "features" / "labels.txt").write_text("p/1_1\np/1_2\np/2_1\np/3_1\np/4_1\n")
    match_features(tmp_path / "features" / "features.npy", None, tmp_path / "out", "CM", ranks=True)
    found = load_ranks(tmp_path / "out" / "CM_ranks.csv")
    # 1_1 is as like 1_2 as it is like 2_1 and 3_1; 1_2 is more like 2_1, and as like 4_1.
    assert found.ranks.tolist() == [1, 2, 0, 0, 0]


def test_ranks_of_an_earlier_run_are_not_left_beside_other_scores(tmp_path: Path) -> None:
    probe = write_matrix(tmp_path / "probe", draw_faces(5, 20))
    match_features(probe, None, tmp_path / "out", "CM", ranks=True)
    with pytest.raises(FacepartError, match=r"CM_ranks\.csv: was written by an earlier run.*add --ranks"):
        match_features(probe, None, tmp_path / "out", "CM")
    match_features(probe, None, tmp_path / "out", "CF")


def test_ranks_are_read_as_they_were_written(tmp_path: Path) -> None:
    nan = float("nan")
    scores = np.array([0.25, nan, -0.5]), np.array([0.125, 0.75, nan])
    ranks = Ranks(["a/1, 2", 'b/"\u2028'], ["1", "2"], np.array([1, 0]), scores[0][:2], scores[1][:2])
    save_ranks(tmp_path / "CM_ranks.csv", ranks)
    text = (tmp_path / "CM_ranks.csv").read_text(encoding="utf-8").split("\n")
    assert text[1] == '"a/1, 2",1,0.250000,0.125000,0.125000,1'
    found = load_ranks(tmp_path / "CM_ranks.csv")
    assert (list(found.probes), list(found.subjects), found.ranks.tolist()) == (ranks.probes, ranks.subjects, [1, 0])
    np.testing.assert_array_equal(found.authentic, ranks.authentic)
    np.testing.assert_array_equal(found.impostor, ranks.impostor)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "its first line is not"),
        ("a,b\n1,2\n", "its first line is not"),
        ("probe,rank,best_authentic,best_impostor,margin,subject\na,1\n", "a line does not have 6 values"),
        ("probe,rank,best_authentic,best_impostor,margin,subject\na,x,1,1,0,s\n", "damaged"),
        # A quote that is not closed takes the rows behind it for one cell.
        ('probe,rank,best_authentic,best_impostor,margin,subject\na,1,1,1,0,"s\nb,2,1,1,0,s\n', "unexpected end"),
        ("probe,rank,best_authentic,best_impostor,margin,subject\na,-1,1,1,0,s\n", "below 1"),
    ],
)
def test_a_file_that_is_not_of_ranks_is_reported(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(FacepartError, match=reason):
        load_ranks(tmp_path / "x.csv")
    with pytest.raises(FacepartError, match="no such file of ranks"):
        load_ranks(tmp_path / "y.csv")


def test_the_command_says_how_many_have_rank_1(tmp_path: Path, run: Run) -> None:
    (tmp_path / "f").mkdir()
    np.save(tmp_path / "f" / "features.npy", np.array([[1, 0], [0.9, 0.1], [0, 1]], np.float32))
    (tmp_path / "f" / "labels.txt").write_text("p/1_1\np/1_2\np/2_1\n")
    command = ("./face_matching/", "-p", tmp_path / "f" / "features.npy", "-o", tmp_path / "out", "-d", "MORPH")
    done = run(*command, "-gr", "CM", "--ranks")
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        "CM_ranks.csv: 2 of 2 probes have rank 1, 1 without a rank (no authentic or no impostor pair)" in done.stdout
    )
    done = run(*command, "-gr", "CM")
    assert done.returncode == 1
    assert done.stderr.startswith("facepart: ")
    assert done.stderr.count("\n") == 1
