"""Scores -> pictures and tables.

The drawing functions take distributions and give a :class:`matplotlib.figure.Figure`; they
keep no state, need no display and leave matplotlib's own settings alone. :mod:`~facepart.plots.plot_files` adds the
files.
"""

from facepart.plots.cmc import RankSet, cmc_curves
from facepart.plots.curves import det_curves, fmr_fnmr_curves, roc_curves
from facepart.plots.histogram import score_histogram
from facepart.plots.plot_files import PLOT_KINDS, PlotOutcome, plot, plot_ranks
from facepart.plots.sets import ScoreSet

__all__ = [
    "PLOT_KINDS",
    "PlotOutcome",
    "RankSet",
    "ScoreSet",
    "cmc_curves",
    "det_curves",
    "fmr_fnmr_curves",
    "plot",
    "plot_ranks",
    "roc_curves",
    "score_histogram",
]
