"""Pairs and cosines, against brute force in float64."""

import itertools
from collections.abc import Hashable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facepart.matching.cosine import COLUMNS, ROWS, cosine_strips, rounded, unit_rows
from facepart.matching.pairs import Faces, count_pairs, number, pair_blocks

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


@settings(max_examples=60, deadline=None)
@given(FACES, st.one_of(st.none(), FACES), st.integers(1, 200))
def test_every_pair_is_there_once_in_order_and_exact(left, right, block_pairs) -> None:
    known: dict[Hashable, int] = {}

    def side(faces, seed: int) -> Faces:
        embeddings = unit_rows(np.random.default_rng(seed).normal(size=(len(faces), 24)).astype(np.float32))
        return Faces(embeddings, np.array([person for person, _ in faces]), number(faces, known))

    probe = side(left, 0)
    gallery = None if right is None else side(right, 1)
    expected = brute_force(probe, gallery)
    blocks = list(pair_blocks(probe, gallery, block_pairs))
    counts = count_pairs(probe, gallery)
    for kind, rows in enumerate(expected):
        found = np.concatenate([block[kind] for block in blocks])
        assert found.dtype == np.float64
        assert counts[kind] == len(rows) == len(found)
        assert found[:, :2].tolist() == [list(row[:2]) for row in rows]
        np.testing.assert_allclose(found[:, 2], [row[2] for row in rows], rtol=0, atol=ONE_STEP)


def many_faces(count: int, seed: int) -> Faces:
    rng = np.random.default_rng(seed)
    subjects = rng.integers(0, count // 3, count)
    embeddings = unit_rows(rng.normal(size=(count, 40)).astype(np.float32))
    return Faces(embeddings, subjects, np.arange(count) + 10_000 * seed)


@pytest.mark.parametrize("with_gallery", [False, True])
def test_lists_longer_than_a_tile(with_gallery: bool) -> None:
    probe = many_faces(COLUMNS + ROWS + 77, 1)  # several strips; within a list, several columns of tiles
    gallery = many_faces(COLUMNS + 5, 2) if with_gallery else None
    other = gallery or probe
    exact = probe.embeddings.astype(np.float64) @ other.embeddings.T.astype(np.float64)
    chosen = np.ones(exact.shape, bool) if with_gallery else np.triu(np.ones(exact.shape, bool), 1)
    same = probe.subjects[:, None] == other.subjects
    blocks = list(pair_blocks(probe, gallery))
    for kind, mask in enumerate((chosen & same, chosen & ~same)):
        found = np.concatenate([block[kind] for block in blocks])
        i, j = np.nonzero(mask)
        assert np.array_equal(found[:, 0], i)
        assert np.array_equal(found[:, 1], j)
        np.testing.assert_allclose(found[:, 2], exact[mask], rtol=0, atol=7e-7)  # half a step, and float32


def all_rows(faces: Faces, gallery: Faces | None, block_pairs: int) -> np.ndarray:
    rows = np.concatenate([np.concatenate(block) for block in pair_blocks(faces, gallery, block_pairs)])
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]


def test_scores_are_the_same_bits_whatever_the_blocks_and_whatever_else_is_in_the_list() -> None:
    faces = many_faces(1400, 3)
    whole = all_rows(faces, None, 1 << 20)
    assert np.array_equal(whole, all_rows(faces, None, 3 * 1400))
    short = Faces(faces.embeddings[:700], faces.subjects[:700], faces.photos[:700])
    of_short = whole[whole[:, 1] < 700]
    assert np.array_equal(of_short, all_rows(short, None, 1 << 20))
    # Nor does it matter that both sides are one list: against a gallery of the same faces, the same scores.
    elsewhere = Faces(faces.embeddings.copy(), faces.subjects, faces.photos)
    across = all_rows(faces, elsewhere, 1 << 20)
    assert np.array_equal(across[across[:, 0] < across[:, 1]], whole)


def test_a_strip_within_a_list_leaves_out_only_what_was_seen() -> None:
    embeddings = many_faces(COLUMNS + 2 * ROWS, 4).embeddings
    exact = embeddings.astype(np.float64) @ embeddings.T.astype(np.float64)
    for row, column, scores in cosine_strips(embeddings):
        assert column <= row
        np.testing.assert_allclose(scores, exact[row : row + len(scores), column:], rtol=0, atol=1e-6)


def test_rounding_keeps_the_score_in_its_range() -> None:
    scores = np.array([1.0000002, -1.0000002, 0.9999996, -0.1234565, 0.0], dtype=np.float32)
    found = rounded(scores)
    assert found.tolist() == [1.0, -1.0, 1.0, pytest.approx(-0.1234565, abs=6e-7), 0.0]
    assert np.array_equal(np.round(found, 6), found)
