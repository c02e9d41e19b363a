r"""Figures as PGF: drawing commands for ``\input`` in a LaTeX document, which sets their text in its own font."""

import io
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.backends.backend_pgf import LatexError
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import Formatter

from facepart.errors import FacepartError
from facepart.files.figure_formats import PGF, tex_engine
from facepart.files.latex_text import escape_latex


class _LatexTicks(Formatter):
    """Labels the ticks of an axis as another formatter does, for LaTeX."""

    def __init__(self, plain: Formatter) -> None:
        self._plain = plain

    def __call__(self, value: float, position: int | None = None) -> str:
        return _as_latex(self._plain(value, position))

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        return [_as_latex(label) for label in self._plain.format_ticks(list(values))]


def pgf_bytes(figure: Figure) -> bytes:
    """Return a figure as PGF; its texts are changed to those of LaTeX.

    Raises:
        FacepartError: there is no TeX engine, or it cannot read a text of the figure.
    """
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(_LatexTicks(axis.get_major_formatter()))
    for text in figure.findobj(Text):
        assert isinstance(text, Text)  # noqa: S101
        text.set_text(_as_latex(text.get_text()))
    buffer = io.BytesIO()
    with mpl.rc_context({"pgf.texsystem": tex_engine(), "pgf.rcfonts": False}):
        try:
            figure.savefig(buffer, format=PGF)
        except (LatexError, RuntimeError, OSError) as error:
            reason = str(error).strip().splitlines()[-1]
            raise FacepartError(f"--formats {PGF}: LaTeX cannot set a text of the figure ({reason})") from error
    return buffer.getvalue()


def _as_latex(text: str) -> str:
    return "\n".join(map(escape_latex, text.split("\n")))
