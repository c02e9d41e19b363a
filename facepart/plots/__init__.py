"""Scores -> pictures and tables.

The drawing functions take distributions and give a :class:`matplotlib.figure.Figure`; they
keep no state, need no display and leave matplotlib's own settings alone. :mod:`~facepart.plots.plot_files` adds the
files.
"""

from facepart.plots.cmc import RankSet, cmc_curves
from facepart.plots.curves import det, fmr_fnmr, roc
from facepart.plots.histogram import score_histogram
from facepart.plots.plot_files import KINDS, PlotOutcome, plot, plot_ranks
from facepart.plots.sets import ScoreSet

__all__ = [
    "KINDS",
    "PlotOutcome",
    "RankSet",
    "ScoreSet",
    "cmc_curves",
    "det",
    "fmr_fnmr",
    "plot",
    "plot_ranks",
    "roc",
    "score_histogram",
]
