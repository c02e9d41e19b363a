"""Matching on a device: the same code as on the CPU, so that most of it is tested there."""

import numpy as np
import pytest

from facepart.matching.cosine import unit_rows
from facepart.matching.counting import count_scores
from facepart.matching.faces import Faces
from facepart.matching.subject_statistics import (
    SubjectTailCounts,
    _sums_of_faces,
    _sums_on_device,
    impostor_moments,
)
from facepart.scores import STEPS

CUDA = pytest.param("cuda:0", marks=pytest.mark.cuda)


def make_faces(count: int, people: int, seed: int = 0) -> Faces:
    rng = np.random.default_rng(seed)
    subjects = np.sort(rng.integers(0, people, count))
    centres = rng.standard_normal((people, 64))
    rows = centres[subjects] + rng.standard_normal((count, 64))
    return Faces(unit_rows(rows.astype(np.float32)), subjects, np.arange(count))


def cosines(one: Faces, other: Faces) -> np.ndarray:
    return one.embeddings.astype(np.float64) @ other.embeddings.astype(np.float64).T


@pytest.mark.parametrize("device", ["cpu", CUDA])
@pytest.mark.parametrize("within", [True, False])
def test_sums_on_a_device_are_those_of_all_pairs(device, within):
    probe, gallery = make_faces(700, 50), make_faces(900, 50, 1)
    other = probe if within else gallery
    found = _sums_on_device(probe, other, device)
    scores = cosines(probe, other)
    np.testing.assert_allclose(found, [scores.sum(1), (scores**2).sum(1)], rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(found, _sums_of_faces(probe, other), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("device", ["cpu", CUDA])
def test_counts_on_a_device_are_those_of_all_pairs(device):
    """Few people, so that whole tiles are authentic pairs; tiles that do not divide the faces."""
    faces = make_faces(1100, 3)
    tails = SubjectTailCounts(3, 0, device)
    found = count_scores(faces, workers=2, device=device, tile=256, tails=tails)
    scores = cosines(faces, faces)
    above = np.triu(np.ones(scores.shape, bool), 1)
    same = faces.subjects[:, None] == faces.subjects
    authentic = np.sort(np.rint(scores[above & same] * STEPS))
    there = np.repeat(found.authentic.values, found.authentic.counts)
    assert len(there) == len(authentic)
    assert np.abs(there - authentic).max() <= 1
    impostor = np.sort(np.rint(scores[above & ~same] * STEPS))
    assert int(found.impostor.counts.sum()) == len(impostor)
    # Float32 products move a score by one step at most.
    assert np.abs(np.repeat(found.impostor.values, found.impostor.counts) - impostor).max() <= 1
    assert int(tails.bins().sum()) == pytest.approx(2 * np.count_nonzero(impostor >= 0), rel=1e-4)


@pytest.mark.cuda
def test_moments_on_cuda_are_those_on_the_cpu():
    faces = make_faces(3000, 400)
    for one, other in zip(
        impostor_moments(400, faces, None), impostor_moments(400, faces, None, "cuda:0"), strict=True
    ):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-3)
