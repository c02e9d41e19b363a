"""The runners of the plots: scores -> ``<name>.png``, ``.svg``..., the points as ``.csv``, the numbers as ``.txt``.

Tables without a figure are written as ``.csv`` and ``.txt`` alone.
"""

import io
import logging
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from facepart.errors import UsageError
from facepart.files.atomic import write_bytes, write_text
from facepart.files.csv_text import csv_text
from facepart.files.figure_formats import DEFAULT_FORMATS, PGF, choose_formats
from facepart.files.lock import output_lock
from facepart.plots import curves, histogram, style
from facepart.plots.cmc import DEFAULT_RANKS, RankSet, cmc_curves, cmc_table, rank_statistics
from facepart.plots.pgf import pgf_bytes
from facepart.plots.sets import ScoreSet
from facepart.plots.statistics import Statistics, all_statistics, statistics_table
from facepart.suggestion import did_you_mean

_Draw = Callable[[Sequence[ScoreSet], str | None], Figure]
_Rows = Iterator[tuple[object, ...]]
_Table = Callable[[Sequence[ScoreSet]], _Rows]
ROC = "roc"
# What can be drawn: the figure, and the points in it.
PLOT_KINDS: dict[str, tuple[_Draw, _Table]] = {
    "histogram": (histogram.score_histogram, histogram.histogram_table),
    ROC: (curves.roc_curves, curves.supported_table),
    "det": (curves.det_curves, curves.supported_table),
    "fmr_fnmr": (curves.fmr_fnmr_curves, curves.curve_table),
}
DEFAULT_KIND = "histogram"
# Each is a point of the figure and a row of its table.
_MOST_RANKS = 100_000
# How matplotlib warns of a character that the font lacks.
_GLYPH = re.compile(r"Glyph (\d+) ")
# Metadata without the time of day: the same figure gives the same file.
_UNDATED: dict[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}


@dataclass(frozen=True)
class PlotOutcome:
    """What a run drew.

    Attributes:
        statistics: the numbers of each set, as in ``<name>.txt``.
        files: the files written.
    """

    statistics: list[Statistics]
    files: list[Path]


def plot(
    sets: Sequence[ScoreSet],
    folder: Path,
    name: str,
    title: str | None = None,
    kind: str = DEFAULT_KIND,
    *,
    bands: bool = False,
    min_tmr: float | None = None,
    formats: Sequence[str] = DEFAULT_FORMATS,
) -> PlotOutcome:
    """Draw sets of scores in one figure and write it with its points and numbers; older files are replaced.

    Args:
        sets: one to six, or for ROC and DET one to twelve; the others are compared with the first.
        folder: where to write to; made if missing.
        name: the files' name, without extension.
        title: stands on top of the figure.
        kind: a key of :data:`PLOT_KINDS`.
        bands: of ROC alone: also the confidence bands.
        min_tmr: of ROC alone: where the TMR axis begins, from 0 to below 1; None for what the curves need.
        formats: of the figure; some of :data:`facepart.files.figure_formats.FORMATS`.

    Raises:
        FacepartError: the sets cannot be drawn, or the files not be written.
        UsageError: `name` is no file name, a format is unknown, or `bands` or `min_tmr` are not for such a figure.
    """
    refuse_path(name)
    formats = choose_formats(formats)
    if kind != ROC and (bands or min_tmr is not None):
        raise UsageError(f"--bands and --ylim are for --kind {ROC}, not {kind}")
    if min_tmr is not None and not 0 <= min_tmr < 1:
        raise UsageError(f"--ylim {min_tmr:g}: the axis of the TMR begins at a rate from 0 to below 1")
    statistics = all_statistics(sets)
    figure = figure_of(sets, kind, title, bands=bands, min_tmr=min_tmr)
    points = curves.curve_table(sets, whole=False, bands=True) if bands else PLOT_KINDS[kind][1](sets)
    numbers = statistics_table([entry.label for entry in sets], statistics)
    return PlotOutcome(statistics, save_files(folder, name, points, numbers, figure, formats))


def figure_of(
    sets: Sequence[ScoreSet],
    kind: str,
    title: str | None = None,
    *,
    bands: bool = False,
    min_tmr: float | None = None,
) -> Figure:
    """Draw sets of scores; the arguments are those of :func:`plot`.

    Raises:
        FacepartError: the sets cannot be drawn. UsageError: the kind is unknown.
    """
    if kind not in PLOT_KINDS:
        raise UsageError(f"kind {kind!r}: unknown{did_you_mean(kind, PLOT_KINDS)}; known: {' '.join(PLOT_KINDS)}")
    if kind == ROC:
        return curves.roc_curves(sets, title, bands=bands, min_tmr=min_tmr)
    return PLOT_KINDS[kind][0](sets, title)


def plot_ranks(
    sets: Sequence[RankSet],
    folder: Path,
    name: str,
    title: str | None = None,
    ranks: int = DEFAULT_RANKS,
    *,
    formats: Sequence[str] = DEFAULT_FORMATS,
) -> PlotOutcome:
    """Draw the CMC curves of a few sets in one figure and write it with its points and numbers.

    Args:
        sets: the ranks; those after the first are compared with it.
        folder: where to write to; made if missing.
        name: the files' name, without extension.
        title: stands on top of the figure.
        ranks: the highest rank that is drawn, at least 1.
        formats: as in :func:`plot`.

    Raises:
        FacepartError: the sets cannot be drawn, or the files not be written.
        UsageError: `name` is no file name, a format is unknown, or `ranks` is below 1 or above 100,000.
    """
    refuse_path(name)
    formats = choose_formats(formats)
    if ranks > _MOST_RANKS:
        raise UsageError(f"--ranks {ranks}: a figure shows at most {_MOST_RANKS} ranks")
    figure, statistics = cmc_curves(sets, ranks, title), rank_statistics(sets, ranks)
    numbers = statistics_table([entry.label for entry in sets], statistics)
    return PlotOutcome(statistics, save_files(folder, name, cmc_table(sets, ranks), numbers, figure, formats))


def refuse_path(name: str) -> None:
    """Raise UsageError unless `name` is a file name, without a folder."""
    if not name or any(sign in name for sign in "/\\\0"):
        raise UsageError(f"-n {name!r}: is not a file name; the folder is given with -d")


def save_files(
    folder: Path,
    name: str,
    points: _Rows,
    numbers: str = "",
    figure: Figure | None = None,
    formats: Sequence[str] = (),
) -> list[Path]:
    """Write what a figure or a table holds; older files are replaced.

    Args:
        folder: where to write to; made if missing.
        name: the files' name, without extension; see :func:`refuse_path`.
        points: the rows of ``<name>.csv``, a header first.
        numbers: the text of ``<name>.txt``; without any, there is no such file.
        figure: see :func:`save_figure`; None for a table alone.
        formats: likewise.

    Returns:
        The paths: the figure's, then those of the points and the numbers.

    Raises:
        FacepartError: a file cannot be written, or LaTeX cannot set a text.
    """
    with output_lock(folder, name=name):
        files = save_figure(figure, folder, name, formats) if figure else []
        files.append(folder / f"{name}.csv")
        write_text(files[-1], csv_text(points))
        if numbers:
            files.append(folder / f"{name}.txt")
            write_text(files[-1], numbers)
    return files


def save_figure(figure: Figure, folder: Path, name: str, formats: Sequence[str] = DEFAULT_FORMATS) -> list[Path]:
    """Write a figure in some formats as ``<name>.png`` and so on, the same bytes for the same figure.

    PGF changes the figure's texts to those of LaTeX; it comes last in
    :data:`facepart.files.figure_formats.FORMATS`.

    Args:
        figure: drawn in the house style.
        folder: where to write to; made if missing.
        name: the files' name, without extension.
        formats: in the order of :data:`facepart.files.figure_formats.FORMATS`.

    Returns:
        The paths, in the order of the formats.

    Raises:
        FacepartError: a file cannot be written, or LaTeX cannot set a text.
    """
    files = []
    with _missing_glyphs(folder / name):
        for kind in formats:
            path = folder / f"{name}.{kind}"
            with style.house_style():
                data = pgf_bytes(figure) if kind == PGF else _image_bytes(figure, kind)
            write_bytes(path, data)
            files.append(path)
    return files


@contextmanager
def _missing_glyphs(figure: Path) -> Iterator[None]:
    """Warn once, in one line, of the characters that the font lacks; matplotlib does of each, and in each format."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", message=_GLYPH.pattern)
        yield
    missing = [_GLYPH.match(str(warning.message)) for warning in caught]
    for warning, glyph in zip(caught, missing, strict=True):
        if glyph is None:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    characters = "".join(dict.fromkeys(chr(int(glyph[1])) for glyph in missing if glyph))
    if characters:
        logging.getLogger(__name__).warning("%s: the font has no %s, drawn as boxes", figure, characters)


def _image_bytes(figure: Figure, kind: str) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=style.DPI, metadata=_UNDATED.get(kind, {}))
    return buffer.getvalue()
