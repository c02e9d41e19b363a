"""Counting by pairs of blocks and adding up, without a cluster: what one machine counts at once."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facepart import __version__
from facepart.cluster.blocks import (
    add_found,
    arithmetic,
    block_pairs,
    count_block,
    results_at_once,
    sizes_of_blocks,
    tiles_a_block,
)
from facepart.cluster.capacity import PROCESSORS, Node, room_for, size_of_tasks, size_of_workers
from facepart.cluster.sparse import added, sparse
from facepart.errors import FacepartError
from facepart.matching.cosine import TILE, unit_rows
from facepart.matching.counting import arranged, count_scores
from facepart.matching.faces import Faces
from facepart.matching.subject_statistics import SubjectTailCounts
from facepart.matching.table import VALUES, scores_of_table

pytestmark = pytest.mark.slow

PEOPLE = 400
LOWEST = 50_000


def make_faces(seed: int, count: int) -> Faces:
    rng = np.random.default_rng(seed)
    subjects = rng.integers(0, PEOPLE, count)
    # Some photos stand twice, and on both sides; those are not compared.
    photos = subjects * 10 + rng.integers(0, 10, count)
    embeddings = unit_rows(rng.normal(size=(count, 32)).astype(np.float32) + 0.3)
    return Faces(embeddings, subjects, photos)


def cut(faces: Faces, tiles: int) -> list[Faces]:
    order = np.argsort(faces.subjects, kind="stable")
    size = tiles * TILE
    blocks = [arranged(faces, order[first : first + size], TILE) for first in range(0, len(order), size)]
    for block in blocks:
        for values in block:
            if values is not None:
                values.flags.writeable = False  # as in the store of a cluster
    return blocks


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("tiles", [1, 2, 9])
@pytest.mark.parametrize("cross", [False, True])
def test_blocks_add_up_to_what_is_counted_at_once(cross: bool, tiles: int) -> None:
    probe, gallery = make_faces(1, 4 * TILE + 70), make_faces(2, 2 * TILE + 33) if cross else None
    rows = cut(probe, tiles)
    columns = cut(gallery, tiles) if gallery else None
    sizes = [[len(block.subjects) for block in side] for side in (rows, columns or [])]
    pairs = block_pairs(sizes[0], sizes[1] if cross else None)
    found = [
        count_block(rows[i], None if j is None else (columns or rows)[j], LOWEST, 1, __version__) for i, j, _ in pairs
    ]
    # In some order, and bracketed somehow.
    whole = add_found(add_found(*found[::2]), *found[1::2])

    expected_high = SubjectTailCounts(PEOPLE, LOWEST)
    expected = count_scores(probe, gallery, workers=2, tails=expected_high)
    table = np.zeros(3 * VALUES, np.int64)
    table[whole.scores.places] = whole.scores.counts
    assert scores_of_table(table) == expected
    tails = SubjectTailCounts(PEOPLE, LOWEST)
    tails.take(whole.tails.places, whole.tails.counts)
    assert expected_high.bins().any()
    np.testing.assert_array_equal(tails.bins(), expected_high.bins())
    assert len(whole.arithmetic) == 1


def test_a_task_counts_for_its_own_subjects_alone() -> None:
    """A block of few people in a list of millions is counted in no more memory than in a list of its own."""
    faces = make_faces(1, 300)
    far = Faces(faces.embeddings, faces.subjects + 10**12, faces.photos)
    (near_block,), (far_block,) = cut(faces, 1), cut(far, 1)
    near, found = (
        count_block(near_block, None, LOWEST, 1, __version__),
        count_block(far_block, None, LOWEST, 1, __version__),
    )
    np.testing.assert_array_equal(near.tails.counts, found.tails.counts)
    assert found.tails.places.min() > 10**14


COUNTS = st.lists(st.integers(0, 3), min_size=1, max_size=30)


@settings(deadline=None)
@given(st.lists(COUNTS, min_size=1, max_size=6), st.integers(1, 40))
def test_sparse_counts_add_up_like_tables(tables, at_once: int) -> None:
    length = max(map(len, tables))
    padded = [np.array(table + [0] * (length - len(table))) for table in tables]
    with mock.patch("facepart.cluster.sparse._AT_ONCE", at_once):
        whole = added([sparse(table) for table in padded])
    expected = sparse(np.sum(padded, axis=0))
    np.testing.assert_array_equal(whole.places, expected.places)
    np.testing.assert_array_equal(whole.counts, expected.counts)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_every_pair_of_faces_is_in_one_pair_of_blocks(rows, columns) -> None:
    assert sum(size for *_, size in block_pairs(rows, columns)) == sum(rows) * sum(columns)
    within = block_pairs(rows, None)
    assert sum(size for *_, size in within) == sum(rows) * (sum(rows) - 1) // 2
    assert [size for *_, size in within] == sorted((size for *_, size in within), reverse=True)


@given(st.integers(1, 20_000), st.one_of(st.none(), st.integers(1, 20_000)), st.integers(1, 5000))
def test_tasks_are_neither_too_few_nor_too_small(rows, columns, processors) -> None:
    size = tiles_a_block(rows, columns, processors)
    assert 8 <= size <= 64
    blocks = [-(-side // size) for side in (rows, columns or rows)]
    tasks = blocks[0] * (blocks[0] + 1) // 2 if columns is None else blocks[0] * blocks[1]
    products = rows * (rows + 1) // 2 if columns is None else rows * columns
    # Unless there is too little to do, every processor gets several.
    assert tasks >= 2 * processors or size == 8 or products < 64 * processors


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 60_000), st.one_of(st.none(), st.integers(1, 60_000)), st.integers(1, 2000))
def test_tasks_hold_every_pair_once(probes: int, gallery: int | None, processors: int) -> None:
    nodes = [Node(processors)]
    sides = [side for side in (probes, gallery) if side is not None]
    tiles = [-(-side // TILE) for side in sides]
    step = tiles_a_block(tiles[0], tiles[1] if gallery else None, room_for(nodes, size_of_tasks(nodes)))
    blocks = [sizes_of_blocks(side, step) for side in sides]
    assert [sum(sizes) for sizes in blocks] == sides
    assert all(size == step * TILE for sizes in blocks for size in sizes[:-1])
    tasks = block_pairs(blocks[0], blocks[1] if gallery else None)
    pairs = probes * (probes - 1) // 2 if gallery is None else probes * gallery
    assert sum(size for *_, size in tasks) == pairs
    at_once = results_at_once(len(tasks))
    sums = -(-len(tasks) // at_once)
    assert (sums - 1) * at_once < len(tasks) <= sums * at_once


def test_blocks_worked_out_by_hand() -> None:
    # A million faces on a node of 64 processors: 1,954 tiles; the largest blocks, of 64 tiles, are 31, and make
    # 31 * 32 / 2 tasks.
    nodes = [Node(64)]
    blocks = sizes_of_blocks(1_000_000, tiles_a_block(1954, None, room_for(nodes, size_of_tasks(nodes))))
    tasks = block_pairs(blocks, None)
    assert (len(blocks), len(tasks), tasks[0][2]) == (31, 496, 32768**2)
    assert [results_at_once(count) for count in (1, 16, 24, 25, 496, 10_000)] == [4, 4, 4, 5, 22, 100]


SIZES = st.lists(st.tuples(st.integers(0, 130), st.integers(0, 9)), min_size=1, max_size=5)


@given(SIZES, st.booleans())
def test_workers_are_those_that_fit(sizes: list[tuple[int, int]], on_gpus: bool) -> None:
    nodes = [Node(*size) for size in sizes]
    worker = size_of_workers(nodes, on_gpus)
    # Started one by one on any node that has room, as Ray does.
    started = 0
    for processors, gpus in sizes:
        while processors >= worker.processors and gpus >= worker.gpus:
            processors, gpus, started = processors - worker.processors, gpus - worker.gpus, started + 1
    assert started == room_for(nodes, worker)
    assert on_gpus or worker.processors <= PROCESSORS


def test_another_version_is_refused() -> None:
    (block,) = cut(make_faces(1, 20), 1)
    with pytest.raises(FacepartError, match=r"the program is version 9\.9, but a node"):
        count_block(block, None, LOWEST, 1, "9.9")


def test_machines_are_distinguished_by_how_they_add() -> None:
    assert arithmetic(64) == arithmetic.__wrapped__(64)
    assert arithmetic(64) != arithmetic(65)
