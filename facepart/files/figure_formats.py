"""The file formats of figures: what is known, and what a user chose."""

import shutil
from collections.abc import Sequence

from facepart.errors import FacepartError, UsageError
from facepart.suggestion import did_you_mean

PGF = "pgf"
FORMATS = ("png", "svg", "pdf", PGF)
DEFAULT_FORMATS = ("png", "svg")
# They measure text: where a label ends depends on the fonts of LaTeX.
TEX_ENGINES = ("xelatex", "lualatex", "pdflatex")


def choose_formats(names: Sequence[str]) -> tuple[str, ...]:
    """Check which formats are asked for, and return them in their usual order.

    Raises:
        UsageError: a name is unknown. FacepartError: PGF is asked for, and there is no TeX engine.
    """
    for name in names:
        if name not in FORMATS:
            raise UsageError(f"--formats {name!r}: unknown{did_you_mean(name, FORMATS)}; known: {' '.join(FORMATS)}")
    if PGF in names:
        tex_engine()
    return tuple(name for name in FORMATS if name in names)


def tex_engine() -> str:
    """Return the TeX engine that measures the text of PGF figures.

    Raises:
        FacepartError: there is none on the path.
    """
    for name in TEX_ENGINES:
        if shutil.which(name):
            return name
    raise FacepartError(
        f"--formats {PGF}: needs LaTeX, which measures the text: none of {', '.join(TEX_ENGINES)} is on the path "
        "(on Debian: apt-get install texlive-latex-base texlive-pictures)"
    )
