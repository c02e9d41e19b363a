"""Counting by compiled kernels: against NumPy, score by score, and against PyTorch, byte for byte."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facepart.files.cache import CACHE_VARIABLE
from facepart.matching import tile_kernels
from facepart.matching.cosine import unit_rows
from facepart.matching.counting import Side, arranged, count_strips, subject_order
from facepart.matching.faces import Faces
from facepart.matching.rank_counter import RankCounter, RankedSides
from facepart.matching.subject_statistics import SubjectTailCounts
from facepart.matching.table import AUTHENTIC, VALUES
from facepart.matching.tile_kernels import COMPILED_FROM, Kernels, load_kernels
from facepart.scores import STEPS
from facepart.scores.subject_sums import BIN, bins_from

pytestmark = pytest.mark.slow

SUBJECTS = 6


def kernels() -> Kernels:
    found = load_kernels()
    assert found is not None
    return found


def count_one(
    product: np.ndarray, kinds: np.ndarray, first: int, scale: float, before: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Count the upper left part of a product by the kernels; return the table and the bins of each row and column.

    `before` is what was counted of each value before.
    """
    size, (rows, columns) = len(product), kinds.shape
    low, high = np.full(3 * VALUES, before % 65536, np.uint16), np.full(3 * VALUES, before // 65536, np.uint16)
    places = np.empty(size, np.uint32)
    found, ends = np.empty((size * size + 1, 2), np.uint32), np.empty(size, np.int64)
    given = kinds if kinds.any() else np.empty((0, 0), np.uint8)
    kernels().count_tile(product, scale, rows, columns, given, low, high, first + STEPS, places, found, ends)
    bins = np.zeros((rows + columns, bins_from(first)), np.int32)
    subjects = np.arange(rows + columns)
    kernels().add_tails(found, ends, first + STEPS, subjects[:rows], subjects[rows:], bins)
    return low + 65536 * high.astype(np.int64) - before, bins


# Halves of a step, edges of bins with their neighbours, ends of the range and what is a hair beyond them.
EDGES = [number * BIN + off for number in (-400, -1, 0, 1, 50, 399, 400) for off in (-1, -0.5, 0, 0.5, 1)]
SCORES = st.one_of(st.floats(-2, 2, width=32), st.sampled_from(EDGES).map(lambda step: step / STEPS))


@settings(max_examples=40, deadline=None)
@given(st.data(), st.integers(1, 9))
def test_every_score_of_a_tile_is_counted_in_its_place(data: st.DataObject, size: int) -> None:
    rows, columns = (data.draw(st.integers(1, size)) for _ in range(2))
    values = data.draw(st.lists(SCORES, min_size=size * size, max_size=size * size))
    product = np.array(values, np.float32).reshape(size, size)
    kinds = np.array(data.draw(st.lists(st.integers(0, 2), min_size=rows * columns, max_size=rows * columns)))
    kinds = kinds.reshape(rows, columns).astype(np.uint8) * data.draw(st.integers(0, 1), label="mixed")
    first = BIN * data.draw(st.integers(-400, 400))
    before = data.draw(st.sampled_from([0, 65534, 65535, 3 * 65536 - 1]))
    steps = np.clip(np.rint(product * np.float32(STEPS)), -STEPS, STEPS)
    table = np.bincount(
        (steps[:rows, :columns] + STEPS + kinds * float(VALUES)).astype(np.int64).ravel(), minlength=3 * VALUES
    )
    bins = np.zeros((rows + columns, bins_from(first)), np.int32)
    for i in range(rows):
        for j in range(columns):
            if kinds[i, j] == 0 and steps[i, j] >= first:
                place = int(steps[i, j] - first) // BIN
                bins[i, place] += 1
                bins[rows + j, place] += 1
    for values_of, scale in ((product, STEPS), (steps, 1)):
        found = count_one(values_of, kinds, first, scale, before)
        assert np.array_equal(found[0], table)
        assert np.array_equal(found[1], bins)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 20), st.integers(1, 600), st.integers(0, 2**32 - 1))
def test_authentic_scores_are_the_whole_numbers_of_python(size: int, length: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    probe = unit_rows(generator.normal(size=(size, length)).astype(np.float32))
    # Some equal, some nearly so, some opposite: scores up to 1 and down to -1.
    gallery = unit_rows(probe * generator.choice([-1, 1], (size, 1)) + generator.choice([0, 1e-3, 0.5]) * probe[::-1])
    kinds = generator.integers(0, 3, (size, size)).astype(np.uint8)
    steps = np.full((size, size), 7, np.float32)
    kernels().score_authentic(probe, gallery, kinds, steps)
    for i, j in np.ndindex(size, size):
        if kinds[i, j] == AUTHENTIC:
            total = sum(
                round(float(x) * 2**26) * round(float(y) * 2**26) for x, y in zip(probe[i], gallery[j], strict=True)
            )
            assert steps[i, j] == min(max(round(total / 2**52 * STEPS), -STEPS), STEPS)
        else:
            assert steps[i, j] == 7


FACE = st.tuples(st.integers(0, SUBJECTS - 1), st.integers(0, 5), st.integers(0, 2), st.integers(0, 9))
FACES = st.one_of(
    st.lists(FACE, min_size=1, max_size=40),
    st.lists(FACE.map(lambda face: (0, *face[1:])), min_size=1, max_size=40),  # one subject
)


def side(faces: list[tuple[int, int, int, int]], sessions: bool) -> Faces:
    """Make faces of (subject, photo, session, embedding): equal and opposite embeddings occur."""
    subjects, photos, session, looks = (np.array(each) for each in zip(*faces, strict=True))
    vectors = unit_rows(np.random.default_rng(0).normal(size=(5, 24)).astype(np.float32))
    embeddings = np.concatenate([vectors, -vectors])[looks]
    return Faces(embeddings, subjects, subjects * 10 + photos, subjects * 10 + session if sessions else None)


def counted(
    probe: Faces, gallery: Faces | None, tile: int, workers: int, first: int, by: Kernels | None
) -> list[bytes]:
    rows = Side(arranged(probe, subject_order(probe), tile), tile)
    columns = None if gallery is None else Side(arranged(gallery, subject_order(gallery), tile), tile)
    tails = SubjectTailCounts(int(max(each.subjects.max() for each in (probe, gallery or probe))) + 1, first)
    ranks = RankCounter(np.linspace(-STEPS, STEPS, rows.count).astype(np.float32))
    sides = RankedSides(ranks, ranks if columns is None else None)
    found = []
    with mock.patch("facepart.matching.counting.kernels_for", return_value=by):
        for options in ({"tails": tails}, {"ranks": sides}):
            table = count_strips(rows, columns, workers=workers, **options)
            found.append(table[: 2 * VALUES].tobytes())  # what is left out is counted in diagonal tiles alone
    return [*found, tails.bins().tobytes(), *(each.tobytes() for each in ranks.counts())]


@settings(max_examples=25, deadline=None)
@given(
    FACES, st.one_of(st.none(), FACES), st.booleans(), st.sampled_from([1, 3, 8, 64]), st.integers(1, 3), st.data()
)
def test_kernels_count_what_pytorch_counts(left, right, sessions: bool, tile: int, workers: int, data) -> None:
    probe, gallery = side(left, sessions), None if right is None else side(right, sessions)
    first = BIN * data.draw(st.integers(-400, 400))
    expected = counted(probe, gallery, tile, 1, first, None)
    assert counted(probe, gallery, tile, workers, first, kernels()) == expected


@pytest.mark.parametrize("people", [1, 2, 400])
@pytest.mark.parametrize("cross", [False, True])
def test_kernels_count_the_same_at_full_tiles_in_any_order(people: int, cross: bool, mkl: None) -> None:
    rng = np.random.default_rng(people)

    def draw(count: int, photo: int = 0) -> Faces:
        rows = rng.standard_normal((count, 40), np.float32) + rng.standard_normal(40, np.float32)
        return Faces(unit_rows(rows), rng.permutation(np.arange(count) % people), np.arange(count) + photo)

    probe, gallery = draw(1300), draw(700, 10_000) if cross else None
    expected = counted(probe, gallery, 512, 2, 0, None)
    assert counted(probe, gallery, 512, 2, 0, kernels()) == expected
    order = rng.permutation(1300)
    shuffled = Faces(probe.embeddings[order], probe.subjects[order], probe.photos[order])
    for tile, workers in ((512, 3), (333, 1)):
        found = counted(shuffled, gallery, tile, workers, 0, kernels())
        assert found[:3] == expected[:3]


def test_a_table_that_fills_up_is_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    faces = side([(number % SUBJECTS, number, 0, number % 10) for number in range(90)], sessions=False)
    expected = counted(faces, None, 16, 1, 0, None)
    monkeypatch.setattr("facepart.matching.table._FULL", 1000)
    assert counted(faces, None, 16, 2, 0, kernels()) == expected


def test_kernels_are_loaded_once_they_save_more_than_that_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tile_kernels, "_PAIRS", tile_kernels._Pairs())
    assert tile_kernels.kernels_for(COMPILED_FROM, 2) is None
    assert tile_kernels.kernels_for(2 * COMPILED_FROM - 4, 4) is None
    assert tile_kernels.kernels_for(1, 1) is kernels()
    monkeypatch.setattr(tile_kernels, "_PAIRS", tile_kernels._Pairs())
    assert tile_kernels.kernels_for(2 * COMPILED_FROM, 2) is kernels()


def test_few_pairs_do_not_load_numba() -> None:
    code = (
        "import sys, numpy as np\n"
        "from facepart.matching.counting import count_scores\n"
        "from facepart.matching.faces import Faces\n"
        "faces = Faces(np.eye(9, dtype=np.float32), np.arange(9), np.arange(9))\n"
        "assert count_scores(faces, workers=1).impostor.n == 36\n"
        "assert 'numba' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture
def afresh() -> Iterator[None]:
    load_kernels.cache_clear()
    yield
    load_kernels.cache_clear()


def hits() -> list[int]:
    return [sum(kernel.stats.cache_hits.values()) for kernel in kernels()]  # type: ignore[attr-defined]


@pytest.mark.usefixtures("afresh")
def test_compiled_kernels_are_kept_in_the_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    before = str(numba.config.CACHE_DIR)
    assert hits() == [0, 0, 0]
    assert str(numba.config.CACHE_DIR) == before
    load_kernels.cache_clear()
    assert hits() == [1, 1, 1]
    # Damaged files are removed, and the next run compiles anew.
    files = sorted(tmp_path.rglob("*.nb?"))
    assert len(files) == 6
    for file in files:
        file.write_bytes(file.read_bytes()[:40])
    load_kernels.cache_clear()
    assert hits() == [0, 0, 0]
    load_kernels.cache_clear()
    assert hits() == [0, 0, 0]
    load_kernels.cache_clear()
    assert hits() == [1, 1, 1]


@pytest.mark.usefixtures("afresh")
def test_without_a_cache_folder_kernels_are_compiled_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file" / "cache"))
    table, _ = count_one(np.full((2, 2), 0.5, np.float32), np.zeros((2, 2), np.uint8), 0, STEPS)
    assert table[STEPS + STEPS // 2] == table.sum() == 4


@pytest.mark.usefixtures("afresh")
def test_numba_that_is_told_not_to_compile_leaves_counting_to_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    assert load_kernels() is None
