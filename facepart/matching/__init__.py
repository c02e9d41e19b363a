"""Embeddings and people -> authentic and impostor scores.

Read in this order: :mod:`~facepart.matching.features` (files -> a matrix with labels),
:mod:`~facepart.matching.cosine` (two matrices -> cosines, strip by strip), :mod:`~facepart.matching.pairs` (which
cosines are authentic, which impostor, which neither), :mod:`~facepart.matching.run` (all of it, with files).
"""

from facepart.matching.cosine import unit_rows
from facepart.matching.features import Features, read_features
from facepart.matching.pairs import Faces, count_pairs, pair_blocks
from facepart.matching.run import MatchOutcome, match

__all__ = [
    "Faces",
    "Features",
    "MatchOutcome",
    "count_pairs",
    "match",
    "pair_blocks",
    "read_features",
    "unit_rows",
]
