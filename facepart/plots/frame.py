"""What the figures share: the axes, and above them, where it covers nothing, the legend and the title."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath
from matplotlib.transforms import ScaledTranslation

from facepart.plots import palette, style


def make_axes() -> tuple[Figure, Axes]:
    """Make an empty figure; to be called, as all that draws, in the house style."""
    figure = Figure(figsize=(style.FIGURE_WIDTH, style.AXES_HEIGHT), layout="constrained")
    return figure, figure.add_subplot()


def add_legend(axes: Axes, labels: Sequence[str], title: str | None, key: Mapping[str, Any]) -> None:
    """Put the key of the lines, the sets and the title above the axes, and make the figure as much higher.

    Args:
        axes: of :func:`make_axes`.
        labels: what to call each set; the first has the first of :data:`facepart.plots.style.SET_LOOKS`, and so on;
            none for one set that needs no name.
        title: stands on top.
        key: what kinds of lines or marks there are -> their looks, in grey.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None  # noqa: S101
    rows = 0.0
    if key:
        grey = {"color": palette.GREY, "linewidth": palette.LINE_WIDTH}
        handles = [Line2D([], [], **(grey | looks)) for looks in key.values()]
        axes.add_artist(axes.legend(handles, list(key), **(style.LEGEND | {"ncols": len(key)})))
        rows = 1
    if labels:
        rows += _add_names(axes, labels, rows)
    if title:
        wrapped = textwrap.fill(title, style.TITLE_CHARACTERS)
        figure.suptitle(wrapped, fontsize=style.TITLE_SIZE)
        rows += 1.2 * (wrapped.count("\n") + 1)
    figure.set_figheight(style.AXES_HEIGHT + rows * style.LINE_HEIGHT)


def _add_names(axes: Axes, labels: Sequence[str], rows: float) -> float:
    """Put the names of the sets above the axes, over so many rows; return how many rows they take."""
    figure = axes.get_figure(root=True)
    assert figure is not None  # noqa: S101
    columns = 2 if max(map(_width, labels)) <= style.LEGEND_COLUMN else 1
    labels = [textwrap.fill(label, style.LEGEND_CHARACTERS) for label in labels]
    width = 2.5 * palette.LINE_WIDTH
    patches = [
        Line2D([], [], color=colour, linestyle=line, linewidth=width if line == style.AUTHENTIC_LINE else width / 2)
        for colour, line in style.SET_LOOKS
    ]
    higher = ScaledTranslation(0, rows * style.LINE_HEIGHT, figure.dpi_scale_trans)
    axes.legend(
        patches[: len(labels)],
        labels,
        **(style.LEGEND | {"ncols": columns, "bbox_transform": axes.transAxes + higher}),
    )
    return sum(label.count("\n") + 1 for label in labels) / columns


def _width(label: str) -> float:
    """Measure a legend's text, in inches."""
    size = style.LEGEND_SIZE
    return float(TextPath((0, 0), label, size=size).get_extents().width) / style.POINTS
