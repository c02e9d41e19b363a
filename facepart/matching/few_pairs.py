"""Few pairs of faces -> how often every score occurs, and the high ones by subject, from the rows of the score files.

The tables of :mod:`facepart.matching.table` have room for every score, 24 MB and more, and filling and emptying them
takes longer than to compare a few hundred faces.
"""

import numpy as np

from facepart.matching.counting import arranged, subject_order
from facepart.matching.faces import Faces
from facepart.matching.pairs import pair_blocks
from facepart.matching.rank_counter import RankCounter
from facepart.matching.subject_statistics import SubjectTailCounts
from facepart.scores import GroupScores, ScoreDistribution

# So many pairs are compared faster one block after the other than with tables of all score values.
FEW_PAIRS = 1 << 20


def count_few(
    probe: Faces, gallery: Faces | None, *, tails: SubjectTailCounts, ranks: RankCounter | None
) -> GroupScores:
    """Count scores as :func:`facepart.matching.counting.count_scores` does, of at most :data:`FEW_PAIRS` pairs."""
    rows, columns = _by_subject(probe), None if gallery is None else _by_subject(gallery)
    blocks = list(pair_blocks(rows, columns, workers=1, tails=tails, ranks=ranks))
    scores = (np.concatenate([rows[:, 2] for rows in kind]) for kind in zip(*blocks, strict=True))
    return GroupScores(*map(ScoreDistribution.of, scores))


def _by_subject(faces: Faces) -> Faces:
    return arranged(faces, subject_order(faces), 1)
