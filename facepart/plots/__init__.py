"""Scores -> figures, as pictures and as numbers.

The drawing functions take arrays and give a :class:`matplotlib.figure.Figure`; they keep no state, need no display
and leave matplotlib's own settings alone. :mod:`~facepart.plots.run` adds the files.
"""

from facepart.plots.contact_sheet import contact_sheet
from facepart.plots.histogram import score_histogram
from facepart.plots.run import PlotOutcome, plot
from facepart.plots.scores import ScoreSet, read_scores

__all__ = ["PlotOutcome", "ScoreSet", "contact_sheet", "plot", "read_scores", "score_histogram"]
