"""How fast this machine compares faces, measured on the spot with the functions of a run, in 4 seconds."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart import __version__
from facepart.cluster.blocks import BlockProbes, Found, add_found, count_block
from facepart.cluster.estimate import Rates
from facepart.files.progress import Progress
from facepart.matching.cosine import TILE, unit_rows
from facepart.matching.counting import arranged
from facepart.matching.faces import Faces
from facepart.matching.people import HighScores, authentic_scores, choose_lowest
from facepart.matching.ranks import RankCounter, best_authentic
from facepart.matching.run import Count, match
from facepart.matching.table import VALUES, scores_of_table
from facepart.scores import STEPS, GroupScores

# Faces of one side of the tasks that are timed: little beside a task's own time, and much.
_FEW, _MANY = TILE, 8 * TILE
# Faces of the runs in which nothing but counting is left out.
_RUNS = (2048, 10240)
_FACES_EACH = 4  # of a person
_ADDED = 4  # results that are added up
_ROUNDS = 3


def measure_rates(dimension: int) -> Rates:
    """Measure how fast one processor of this machine compares faces of made-up people.

    Args:
        dimension: values of an embedding.
    """
    (few, _), (many, found) = (_time_task(count, dimension) for count in (_FEW, _MANY))
    pair = max(many - few, 0.0) / (_MANY**2 - _FEW**2)
    results = _bytes_of(found)
    adding = _best(lambda: add_found(*[found] * _ADDED)) / (_ADDED * results)
    faces = make_faces(_MANY, dimension)
    return Rates(
        pair=pair,
        task=max(few - pair * _FEW**2, 0.0),
        added=adding,
        taken=_time_taking_in(found) / results,
        # Arranged, and copied into the store.
        put=_best(lambda: arranged(faces, np.arange(_MANY), TILE).embeddings.copy()) / faces.embeddings.nbytes,
        face=_time_alone(dimension),
    )


def make_faces(count: int, dimension: int, first: int = 0) -> Faces:
    """Make up faces of people who look alike on their photos: authentic scores of about 0.5, impostor ones of 0.

    Args:
        count: how many faces, four a person.
        dimension: values of an embedding.
        first: the number of the first person; others have other faces.
    """
    generator = np.random.default_rng([first, count])
    centres = generator.standard_normal((-(-count // _FACES_EACH), dimension), dtype=np.float32)
    rows = generator.standard_normal((count, dimension), dtype=np.float32)
    rows += np.repeat(centres, _FACES_EACH, axis=0)[:count]
    numbers = np.arange(count)
    return Faces(unit_rows(rows), numbers // _FACES_EACH + first, numbers + _FACES_EACH * first)


def _time_task(count: int, dimension: int) -> tuple[float, Found]:
    """Time a task of two blocks of so many faces; give also what it found."""
    rows, columns = make_faces(count, dimension), make_faces(count, dimension, first=count)
    lowest = choose_lowest(rows, None, authentic_scores(rows, None)[1])
    # With ranks, as a study counts them: the slower case.
    probes = [BlockProbes(place * count, best_authentic(side, None)) for place, side in enumerate((rows, columns))]

    def task() -> Found:
        return count_block(rows, columns, lowest, 1, __version__, *probes)

    return _best(task), task()


def _time_taking_in(found: Found) -> float:
    """Time how the command takes in a sum."""
    table = np.zeros(3 * VALUES, np.int64)
    high = HighScores(int(found.high.places.max()) + 1, STEPS)  # one bin a person: every place is there

    def take() -> None:
        table[found.scores.places] += found.scores.counts
        high.take(found.high.places, found.high.counts)

    return _best(take)


def _time_alone(dimension: int) -> float:
    """Give the seconds a face of a run in which the pairs are not counted; most of it is done by one processor."""
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for count in _RUNS:
            source = _write(Path(folder) / str(count), make_faces(count, dimension).embeddings)
            begun = time.process_time()
            match(source, None, source.parent / "matches", "all", save="distribution", count=_take_over_none)
            seconds.append(time.process_time() - begun)
    return max(seconds[1] - seconds[0], 0.0) / (_RUNS[1] - _RUNS[0])


def _write(folder: Path, rows: NDArray[np.float32]) -> Path:
    folder.mkdir()
    np.save(folder / "features.npy", rows)
    labels = "".join(f"photos/{row // _FACES_EACH}_{row}\n" for row in range(len(rows)))
    (folder / "labels.txt").write_text(labels, encoding="utf-8")
    return folder / "features.npy"


def _take_over_none(probe: Faces, gallery: Faces | None = None) -> Count:
    """Stand in for what counts scores, and find none."""
    del probe, gallery

    def count(*, high: HighScores, ranks: RankCounter | None, progress: Progress) -> GroupScores:
        del high, ranks, progress
        return scores_of_table(np.zeros(3 * VALUES, np.int64))

    return count


def _bytes_of(found: Found) -> int:
    return sum(array.nbytes for counts in (found.scores, found.high) for array in counts)


def _best(work: Callable[[], Any]) -> float:
    """Give the seconds of the fastest of some rounds.

    They are a processor's, for what one does alone: others at work beside it do not count.
    """
    seconds = []
    for _ in range(_ROUNDS):
        begun = time.process_time()
        work()
        seconds.append(time.process_time() - begun)
    return min(seconds)
