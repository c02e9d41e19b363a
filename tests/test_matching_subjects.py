"""Sums by subject: those of all pairs, looked at one by one."""

import numpy as np
import pytest
import torch

from facepart.matching.cosine import unit_rows
from facepart.matching.counting import count_scores
from facepart.matching.faces import Faces
from facepart.matching.subject_statistics import (
    SubjectTailCounts,
    authentic_scores,
    authentic_sums,
    choose_first_bin,
    impostor_moments,
)
from facepart.scores.subject_sums import BIN, SubjectSums, Sums

PEOPLE = 60


def make_faces(seed: int, subjects: np.ndarray, photos: np.ndarray) -> Faces:
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((PEOPLE, 24))
    rows = centres[subjects] + rng.standard_normal((len(subjects), 24)) + 0.4
    return Faces(unit_rows(rows.astype(np.float32)), subjects, photos)


def make_sides(cross: bool) -> tuple[Faces, Faces | None]:
    rng = np.random.default_rng(5)
    subjects = np.concatenate([np.arange(PEOPLE), rng.integers(0, PEOPLE, 150)])
    photos = np.arange(len(subjects))
    probe = make_faces(1, subjects, photos)
    # The other side lacks some photos, and shows them in another order.
    order = rng.permutation(len(subjects))[:180]
    return probe, make_faces(2, subjects[order], photos[order]) if cross else None


def sum_up(probe: Faces, gallery: Faces | None, tile: int | None = None) -> SubjectSums:
    authentic = authentic_scores(probe, gallery)
    tails = SubjectTailCounts(PEOPLE, choose_first_bin(probe, gallery, authentic[1]))
    count_scores(probe, gallery, workers=2, tails=tails, tile=tile)
    names = np.array([f"{number:02}" for number in range(PEOPLE)])
    impostor = Sums(*impostor_moments(PEOPLE, probe, gallery), tails.bins())
    return SubjectSums(names, tails.first_bin, authentic_sums(PEOPLE, authentic, tails.first_bin), impostor)


@pytest.mark.parametrize("cross", [False, True])
def test_sums_are_those_of_every_pair_of_a_subject(cross: bool) -> None:
    probe, gallery = make_sides(cross)
    sums = sum_up(probe, gallery)
    other = gallery or probe
    scores = probe.embeddings.astype(np.float64) @ other.embeddings.astype(np.float64).T
    compared = probe.photos[:, None] != other.photos
    if not cross:
        compared &= np.triu(np.ones_like(compared), 1)
    same = probe.subjects[:, None] == other.subjects
    for subject in range(PEOPLE):
        has_part = (probe.subjects[:, None] == subject) | (other.subjects == subject)
        for found, pairs in ((sums.authentic, same), (sums.impostor, ~same)):
            own = scores[compared & pairs & has_part]
            assert found.count[subject] == len(own)
            assert found.total[subject] == pytest.approx(own.sum(), abs=1e-4)
            assert found.squares[subject] == pytest.approx((own**2).sum(), abs=1e-4)
            edges = sums.lowest + BIN * np.arange(found.bins.shape[1] + 1)
            expected = np.histogram(np.rint(own * 1e6), edges)[0]
            # A score a float's error away from an edge may lie in the next bin.
            assert np.abs(found.bins[subject] - expected).sum() <= 2


@pytest.mark.parametrize("cross", [False, True])
def test_neither_tiles_nor_the_order_of_the_faces_change_the_counts(cross: bool) -> None:
    probe, gallery = make_sides(cross)
    whole = sum_up(probe, gallery, tile=512)
    order = np.random.default_rng(0).permutation(len(probe.subjects))
    shuffled = Faces(probe.embeddings[order], probe.subjects[order], probe.photos[order])
    for other in (sum_up(probe, gallery, tile=64), sum_up(shuffled, gallery, tile=128)):
        for kind in ("authentic", "impostor"):
            ours, theirs = getattr(whole, kind), getattr(other, kind)
            np.testing.assert_array_equal(ours.count, theirs.count)
            np.testing.assert_allclose(ours.total, theirs.total, atol=1e-4)
            np.testing.assert_allclose(ours.squares, theirs.squares, atol=1e-4)
            lowest = max(whole.lowest, other.lowest)
            first, second = (
                each.bins[:, (lowest - sums.lowest) // BIN :] for each, sums in ((ours, whole), (theirs, other))
            )
            # A product on tiles of another size may differ in its last bit, and a score lie in the next bin.
            assert np.abs(first.astype(int) - second).sum() <= 4


def test_the_bins_reach_down_to_what_is_asked_of_them() -> None:
    probe, _ = make_sides(cross=False)
    authentic = authentic_scores(probe, None)[1]
    lowest = choose_first_bin(probe, None, authentic)
    scores = count_scores(probe, workers=1)
    assert scores.impostor.share_from(lowest / 1e6) >= 0.015
    missed, matched = scores.authentic.share_below(lowest / 1e6), scores.impostor.share_from(lowest / 1e6)
    assert missed <= matched * 1.2  # the EER lies above
    assert choose_first_bin(probe, None, authentic, min_threshold=-0.3) == -300_000
    assert lowest % BIN == 0


def test_without_a_second_photo_there_are_no_authentic_scores() -> None:
    subjects = np.arange(PEOPLE)
    sums = sum_up(make_faces(0, subjects, subjects), None)
    assert not sums.authentic.count.any()
    assert (sums.impostor.count == PEOPLE - 1).all()


def test_the_number_of_threads_around_changes_no_digit() -> None:
    rng = np.random.default_rng(4)
    embeddings = unit_rows(rng.standard_normal((1000, 48), np.float32) + 0.3)
    faces = Faces(embeddings, rng.integers(0, 250, 1000), np.arange(1000))
    threads = torch.get_num_threads()
    found = []
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            found.append([each.tobytes() for each in impostor_moments(250, faces, None)])
    finally:
        torch.set_num_threads(threads)
    assert found[0] == found[1]
