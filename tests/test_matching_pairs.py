"""Pairs and their distributions, against brute force in float64 and against each other."""

import itertools
from collections.abc import Hashable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facepart.matching.cosine import unit_rows
from facepart.matching.counting import count_scores
from facepart.matching.faces import Faces, count_pairs, number
from facepart.matching.pairs import pair_blocks
from facepart.scores import GroupScores, ScoreDistribution

pytestmark = pytest.mark.slow

# A float32 product may fall on the other side of a rounding step than the exact one, never further.
ONE_STEP = 1.0000001e-6


Row = tuple[int, int, float]


def brute_force(probe: Faces, gallery: Faces | None) -> tuple[list[Row], list[Row]]:
    """The original's rule, pair by pair, in exact arithmetic but for the last rounding."""
    other = gallery or probe
    rows: tuple[list[Row], list[Row]] = ([], [])
    for i, j in itertools.product(range(len(probe.subjects)), range(len(other.subjects))):
        if (gallery is None and j <= i) or probe.photos[i] == other.photos[j]:
            continue
        cosine = float(probe.embeddings[i].astype(np.float64) @ other.embeddings[j].astype(np.float64))
        rows[int(probe.subjects[i] != other.subjects[j])].append((i, j, round(cosine, 6)))
    return rows


FACES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=25)


def make_sides(left, right) -> tuple[Faces, Faces | None]:
    known: dict[Hashable, int] = {}

    def side(faces, seed: int) -> Faces:
        embeddings = unit_rows(np.random.default_rng(seed).normal(size=(len(faces), 24)).astype(np.float32))
        return Faces(embeddings, np.array([person for person, _ in faces]), number(faces, known))

    return side(left, 0), None if right is None else side(right, 1)


@settings(max_examples=30, deadline=None)
@given(FACES, st.one_of(st.none(), FACES), st.integers(1, 200))
def test_every_pair_is_there_once_in_order_and_exact(left, right, block_pairs) -> None:
    probe, gallery = make_sides(left, right)
    expected = brute_force(probe, gallery)
    blocks = list(pair_blocks(probe, gallery, workers=1, tile=64, block_pairs=block_pairs))
    counts = count_pairs(probe, gallery)
    for kind, rows in enumerate(expected):
        found = np.concatenate([block[kind] for block in blocks])
        assert found.dtype == np.float64
        assert counts[kind] == len(rows) == len(found)
        assert found[:, :2].tolist() == [list(row[:2]) for row in rows]
        np.testing.assert_allclose(found[:, 2], [row[2] for row in rows], rtol=0, atol=ONE_STEP)


@settings(max_examples=30, deadline=None)
@given(FACES, st.one_of(st.none(), FACES), st.sampled_from([1, 2, 7, 64]))
def test_every_pair_is_counted_once_as_its_kind(left, right, tile) -> None:
    probe, gallery = make_sides(left, right)
    found = count_scores(probe, gallery, workers=2, tile=tile)
    for kind, rows in zip(found, brute_force(probe, gallery), strict=True):
        scores = np.repeat(kind.scores, kind.counts)
        # Rounding can only swap neighbours in order, so that sorted scores are within a step of each other.
        np.testing.assert_allclose(scores, np.sort([row[2] for row in rows]), rtol=0, atol=ONE_STEP)


def many_faces(count: int, seed: int) -> Faces:
    rng = np.random.default_rng(seed)
    subjects = rng.integers(0, count // 3, count)
    embeddings = unit_rows(rng.normal(size=(count, 40)).astype(np.float32))
    return Faces(embeddings, subjects, np.arange(count) + 10_000 * seed)


def part(faces: Faces, rows) -> Faces:
    return Faces(faces.embeddings[rows], faces.subjects[rows], faces.photos[rows])


def scores_of_pairs(probe: Faces, gallery: Faces | None, **options: Any) -> GroupScores:
    blocks = list(pair_blocks(probe, gallery, workers=2, **options))
    return GroupScores(
        *(ScoreDistribution.of(np.concatenate([block[kind][:, 2] for block in blocks])) for kind in (0, 1))
    )


@pytest.mark.parametrize("with_gallery", [False, True])
def test_lists_longer_than_a_tile(with_gallery: bool) -> None:
    probe = many_faces(3 * 64 + 17, 1)
    gallery = many_faces(2 * 64 + 5, 2) if with_gallery else None
    other = gallery or probe
    exact = probe.embeddings.astype(np.float64) @ other.embeddings.T.astype(np.float64)
    chosen = np.ones(exact.shape, bool) if with_gallery else np.triu(np.ones(exact.shape, bool), 1)
    same = probe.subjects[:, None] == other.subjects
    blocks = list(pair_blocks(probe, gallery, workers=2, tile=64))
    for kind, mask in enumerate((chosen & same, chosen & ~same)):
        found = np.concatenate([block[kind] for block in blocks])
        i, j = np.nonzero(mask)
        assert np.array_equal(found[:, 0], i)
        assert np.array_equal(found[:, 1], j)
        np.testing.assert_allclose(found[:, 2], exact[mask], rtol=0, atol=7e-7)  # half a step, and float32


@pytest.mark.parametrize("with_gallery", [False, True])
@pytest.mark.parametrize("way", ["by tile", "by workers", "by order", "by parts", "by pairs"])
def test_nothing_changes_the_counts(way: str, with_gallery: bool, mkl: None) -> None:
    """By tile size, number of threads, order of the lists, splitting and merging, or counted off the pair rows."""
    probe = many_faces(1100, 3)
    gallery = many_faces(700, 4) if with_gallery else None
    whole = count_scores(probe, gallery, workers=1)
    counts = count_pairs(probe, gallery)
    assert (whole.authentic.n, whole.impostor.n) == counts[:2]
    rng = np.random.default_rng(0)
    if way == "by tile":
        for tile in (40, 128, 333, 2048):
            assert count_scores(probe, gallery, workers=1, tile=tile) == whole
    if way == "by workers":
        for workers in (2, 5):
            assert count_scores(probe, gallery, workers=workers, tile=128) == whole
    if way == "by order":
        shuffled = gallery and part(gallery, rng.permutation(700))
        assert count_scores(part(probe, rng.permutation(1100)), shuffled, workers=2) == whole
    if way == "by parts":
        first, second = part(probe, np.s_[:450]), part(probe, np.s_[450:])
        parts = [count_scores(each, gallery, workers=2) for each in (first, second)]
        if not gallery:
            parts.append(count_scores(second, first, workers=2))
        merged = parts[0]
        for each in parts[1:]:
            merged = merged.merged_with(each)
        assert merged == whole
    if way == "by pairs":
        assert scores_of_pairs(probe, gallery, tile=128) == whole
        assert scores_of_pairs(probe, gallery, block_pairs=1000) == whole


def test_scores_of_a_pair_do_not_depend_on_what_else_is_in_the_list(mkl: None) -> None:
    faces = many_faces(1400, 3)

    def all_rows(probe: Faces, gallery: Faces | None) -> np.ndarray:
        rows = np.concatenate([np.concatenate(block) for block in pair_blocks(probe, gallery, workers=2)])
        return rows[np.lexsort((rows[:, 1], rows[:, 0]))]

    whole = all_rows(faces, None)
    of_short = whole[whole[:, 1] < 700]
    assert np.array_equal(of_short, all_rows(part(faces, np.s_[:700]), None))
    # Nor does it matter that both sides are one list: against a gallery of the same faces, the same scores.
    elsewhere = Faces(faces.embeddings.copy(), faces.subjects, faces.photos)
    across = all_rows(faces, elsewhere)
    assert np.array_equal(across[across[:, 0] < across[:, 1]], whole)


def test_subjects_with_many_photos_and_a_table_that_fills_up(monkeypatch: pytest.MonkeyPatch) -> None:
    # Two subjects: every tile has pairs of both kinds. The tables of the threads are emptied every few tiles.
    rng = np.random.default_rng(1)
    embeddings = unit_rows(rng.normal(size=(300, 16)).astype(np.float32))
    faces = Faces(embeddings, rng.integers(0, 2, 300), np.arange(300))
    expected = count_scores(faces, workers=2, tile=64)
    monkeypatch.setattr("facepart.matching.table._FULL", 10_000)
    assert count_scores(faces, workers=2, tile=64) == expected
    assert (expected.authentic.n, expected.impostor.n) == count_pairs(faces)[:2]


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_how_far_float32_moves_the_counts(device: str) -> None:
    """Of impostor scores at most 2 in a hundred move, by one step; of authentic ones none. Holds for any BLAS."""
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    rng = np.random.default_rng(5)
    embeddings = unit_rows(rng.normal(size=(2000, 512)).astype(np.float32))
    faces = Faces(embeddings, np.arange(2000) // 4, np.arange(2000))
    found = count_scores(faces, workers=2, device=device)
    exact = embeddings.astype(np.float64) @ embeddings.T.astype(np.float64)
    later = np.triu(np.ones_like(exact, bool), 1)
    same = faces.subjects[:, None] == faces.subjects
    units = np.rint(embeddings.astype(np.float64) * 2**26)
    authentic = (units @ units.T / 2**52)[later & same]  # whole numbers below 2^53: no sum is rounded
    assert found.authentic == ScoreDistribution.of(authentic)
    expected = ScoreDistribution.of(exact[later & ~same])
    # Scores moved up or down a step show in how many are at or below each value.
    grid = np.arange(-1_000_000, 1_000_001) / 1e6
    moved = np.abs(found.impostor.count_below(grid) - expected.count_below(grid))
    assert 0 < moved.sum() < 0.02 * expected.n
