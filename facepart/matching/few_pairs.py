"""Few pairs of faces -> how often every score occurs, and the high ones by subject, from the rows of the score files.

The tables of :mod:`facepart.matching.table` have room for every score, 24 MB and more, and filling and emptying them
takes longer than to compare a few hundred faces.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from facepart.matching.cosine import one_thread_each
from facepart.matching.counting import arranged, subject_order
from facepart.matching.faces import Faces
from facepart.matching.pairs import pair_blocks
from facepart.matching.rank_counter import RankCounter
from facepart.matching.subject_statistics import SubjectTailCounts
from facepart.scores import STEPS, GroupScores, ScoreDistribution

# So many pairs are compared faster one block after the other than with tables of all score values.
FEW_PAIRS = 1 << 20


def count_few(
    probe: Faces, gallery: Faces | None, *, tails: SubjectTailCounts, ranks: RankCounter | None
) -> GroupScores:
    """Count scores as :func:`facepart.matching.counting.count_scores` does, of at most :data:`FEW_PAIRS` pairs."""
    rows, columns = _by_subject(probe), None if gallery is None else _by_subject(gallery)
    blocks = pair_blocks(rows, columns, workers=1, ranks=ranks)
    counted = list(with_tails(blocks, rows, rows if columns is None else columns, tails))
    scores = (np.concatenate([block[:, 2] for block in kind]) for kind in zip(*counted, strict=True))
    return GroupScores(*map(ScoreDistribution.of, scores))


def with_tails(
    blocks: Iterable[tuple[NDArray[np.float64], NDArray[np.float64]]],
    left: Faces,
    right: Faces,
    tails: SubjectTailCounts,
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Yield the rows of the score files, and count the high impostor scores among them by subject."""
    # Beside what the caller does with the rows, and by one thread: on so few scores, PyTorch's threads would wait for
    # each other longer than they work.
    with one_thread_each(1) as alone:
        for authentic, impostor in blocks:
            counted = alone.submit(_count_tails, impostor, left, right, tails)
            yield authentic, impostor
            counted.result()


def _by_subject(faces: Faces) -> Faces:
    return arranged(faces, subject_order(faces), 1)


def _count_tails(impostor: NDArray[np.float64], left: Faces, right: Faces, tails: SubjectTailCounts) -> None:
    """Count the high scores among some rows of the score files."""
    rows = impostor[impostor[:, 2] * STEPS >= tails.first_bin - 0.5]
    subjects = (side.subjects[rows[:, place].astype(np.int64)] for place, side in enumerate((left, right)))
    tails.add(*(torch.from_numpy(found) for found in (*subjects, np.rint(rows[:, 2] * STEPS))))
