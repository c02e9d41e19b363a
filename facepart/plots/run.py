"""The runner of the plots: score files -> ``<name>.png``, ``<name>.svg`` and ``<name>.txt``."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from facepart.errors import UsageError
from facepart.files.atomic import write_bytes, write_text
from facepart.plots import style
from facepart.plots.histogram import score_histogram
from facepart.plots.scores import ScoreSet
from facepart.plots.statistics import Statistics, all_statistics, statistics_table


@dataclass(frozen=True)
class PlotOutcome:
    """What a run drew.

    Attributes:
        statistics: the numbers of each set, as in ``<name>.txt``.
        files: the files written.
    """

    statistics: list[Statistics]
    files: list[Path]


def plot(sets: Sequence[ScoreSet], folder: Path, name: str, title: str | None = None) -> PlotOutcome:
    """Draw the histograms of up to four sets and write them with their numbers; older files are replaced.

    Args:
        sets: one to four sets of scores; the others are compared with the first.
        folder: where to write to; made if missing.
        name: the files' name, without extension.
        title: stands on top of the figure.

    Raises:
        FacepartError: the sets cannot be drawn, or the files not be written.
        UsageError: `name` is no file name.
    """
    if not name or any(sign in name for sign in "/\\\0"):
        raise UsageError(f"-n {name!r}: is not a file name; the folder is given with -d")
    statistics = all_statistics(sets)
    files = save_figure(score_histogram(sets, title), folder, name)
    table = folder / f"{name}.txt"
    write_text(table, statistics_table(sets, statistics))
    return PlotOutcome(statistics, [*files, table])


def save_figure(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write a figure as ``<name>.png`` and ``<name>.svg``, the same bytes for the same figure; give their paths."""
    files = []
    for kind, metadata in (("png", {}), ("svg", {"Date": None})):
        buffer = io.BytesIO()
        with style.house_style():
            figure.savefig(buffer, format=kind, dpi=style.DPI, metadata=metadata)
        path = folder / f"{name}.{kind}"
        write_bytes(path, buffer.getvalue())
        files.append(path)
    return files
