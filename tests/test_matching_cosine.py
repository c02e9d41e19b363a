"""Products of tiles: their rounding, and what the exactness of the counts rests on."""

import operator
from fractions import Fraction

import numpy as np
import pytest
import torch

from facepart.matching.cosine import TILE, padded, tile_steps, unit_rows
from facepart.matching.faces import Faces
from facepart.matching.pairs import score_strips
from facepart.matching.threads import one_thread_each


def unit(count: int, seed: int, size: int = 512) -> np.ndarray:
    return unit_rows(np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32))


@pytest.mark.parametrize("size", [24, 128, 512])
def test_a_product_does_not_depend_on_place_tile_or_side(mkl: None, size: int) -> None:
    one, other = (torch.from_numpy(unit(TILE, seed, size)) for seed in (0, 1))
    whole = (one @ other.T).numpy()
    rng = np.random.default_rng(2)
    for rows, columns in ((TILE, TILE), (256, 512), (333, 100), (64, 64), (40, 512)):
        i, j = rng.permutation(TILE)[:rows], rng.permutation(TILE)[:columns]
        left, right = one[i], other[j]
        assert np.array_equal((left @ right.T).numpy(), whole[np.ix_(i, j)])
        assert np.array_equal((right @ left.T).numpy().T, whole[np.ix_(i, j)])


@pytest.mark.parametrize("workers", [1, 3])
def test_strips_come_in_order_and_leave_out_only_what_was_seen(workers: int) -> None:
    embeddings = unit(5 * 64 + 9, 4, 40)
    count = len(embeddings)
    faces = Faces(embeddings, np.arange(count) // 7, np.arange(count))
    exact = embeddings.astype(np.float64) @ embeddings.T.astype(np.float64)
    seen: list[int] = []
    for row, column, steps in score_strips(faces, workers=workers, tile=64):
        assert column <= row
        seen += range(row, row + len(steps))
        np.testing.assert_allclose(steps / 1e6, exact[row : row + len(steps), column:], rtol=0, atol=1e-6)
    assert seen == list(range(count))


def test_authentic_scores_are_exact() -> None:
    # Near 1, where float32 products are worst: faces of a subject that differ little.
    rng = np.random.default_rng(0)
    people = np.repeat(rng.normal(size=(30, 512)), 4, axis=0)
    embeddings = unit_rows((people + 0.3 * rng.normal(size=people.shape)).astype(np.float32))
    subjects = torch.arange(120) // 4
    same = subjects[:, None] == subjects
    faces = torch.from_numpy(embeddings)
    found = tile_steps(faces, faces, same, torch.empty(120, 120))
    # Python's own whole numbers, rounded once.
    units = [[round(float(x) * 2**26) for x in row] for row in embeddings]
    exact = np.array(
        [[round(Fraction(sum(map(operator.mul, one, other)), 2**52) * 10**6) for other in units] for one in units]
    )
    assert np.array_equal(found[same].numpy(), exact[same.numpy()])
    floats = embeddings.astype(np.float64) @ embeddings.astype(np.float64).T
    assert np.abs(exact / 1e6 - floats).max() < 5.3e-7  # half a step, and the rounding to units
    assert np.abs(found.numpy() - exact).max() == 1  # the impostor scores are of float32: some are a step off
    assert torch.equal(tile_steps(faces, faces, None, torch.empty(120, 120))[~same], found[~same])


def test_scores_are_rounded_to_even_and_kept_in_their_range() -> None:
    probe = torch.tensor([[1.0000012], [-0.1234565], [2.5e-6], [-1.5e-6]])
    found = tile_steps(probe, torch.ones(1, 1), None, torch.empty(4, 1))
    assert found.flatten().tolist() == [1_000_000, pytest.approx(-123456.5, abs=0.6), 2, -2]
    assert tile_steps(-probe, torch.ones(1, 1), None, torch.empty(4, 1))[0].item() == -1_000_000


def test_padding_is_rows_of_zeros_at_the_end() -> None:
    rows = unit(5, 0, 3)
    found = padded(rows, 4).numpy()
    assert found.shape == (8, 3)
    assert np.array_equal(found[:5], rows)
    assert not found[5:].any()
    order = np.array([4, 0, 3, 1, 2])
    assert np.array_equal(padded(rows, 5, order).numpy(), rows[order])
    assert padded(rows[:0], 4).shape == (4, 3)


def test_the_threads_of_the_program_around_stay_as_they_are() -> None:
    before = torch.get_num_threads()
    with one_thread_each(2) as pool:
        assert list(pool.map(lambda _: torch.get_num_threads(), range(2))) == [1, 1]
    assert torch.get_num_threads() == before


def test_lengths_are_one_whatever_the_number_of_rows() -> None:
    rows = unit_rows(np.random.default_rng(0).normal(size=(9000, 30)).astype(np.float32) * 40)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows.astype(np.float64), axis=1), 1, atol=6e-8)
