"""Embeddings and people -> authentic and impostor scores.

Read in this order: :mod:`~facepart.matching.features` (files -> a matrix with labels),
:mod:`~facepart.matching.faces` (which pairs are authentic, which impostor, which neither),
:mod:`~facepart.matching.cosine` (two matrices -> cosines, tile by tile), :mod:`~facepart.matching.counting` (all
pairs -> distributions), :mod:`~facepart.matching.pairs` (all pairs, row by row), :mod:`~facepart.matching.match` (all
of it, with files), :mod:`~facepart.matching.match_listed` (the pairs of a list alone, with files).
"""
