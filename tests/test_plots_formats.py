"""Formats of figures: PDF with fonts that publishers take, PGF that LaTeX reads, and one line where it is missing."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from facepart.errors import FacepartError, UsageError
from facepart.files.figure_formats import TEX_ENGINES, choose_formats
from facepart.plots import plot
from tests.conftest import Run
from tests.test_plots import make_set

HOSTILE = r"50%_of $x$ & {a} #1 ~ ^ \b d′"
needs_tex = pytest.mark.skipif(
    not any(map(shutil.which, TEX_ENGINES)), reason=f"needs LaTeX: one of {', '.join(TEX_ENGINES)}"
)


def test_formats_are_chosen_by_name() -> None:
    assert choose_formats(["pdf", "png", "pdf"]) == ("png", "pdf")
    with pytest.raises(
        UsageError, match=r"--formats 'pfd': unknown \(did you mean p[dg]f\?\); known: png svg pdf pgf"
    ):
        choose_formats(["pfd"])


def test_only_the_formats_that_are_asked_for_are_written_and_pdf_is_the_same_every_time(tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        files = plot([make_set(n=400)], tmp_path / name, "figure", "Title", formats=["pdf"]).files
        assert [path.name for path in files] == ["figure.pdf", "figure.csv", "figure.txt"]
        written.append(files[0].read_bytes())
    assert written[0] == written[1]
    assert written[0].startswith(b"%PDF")
    # Type 3 fonts are refused by publishers.
    assert b"/TrueType" in written[0] or b"/CIDFontType2" in written[0]
    assert b"/Type3" not in written[0]


def test_without_latex_pgf_is_refused_in_one_line_before_anything_is_written(
    tmp_path: Path, run_process: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FacepartError, match="needs LaTeX, which measures the text") as told:
        plot([make_set(n=400)], tmp_path / "plots", "figure", formats=["png", "pgf"])
    assert "\n" not in str(told.value)
    assert not (tmp_path / "plots").exists()
    scores = tmp_path / "a.txt"
    scores.write_text("\n".join(["0.5", "0.25"] * 10))
    command = ("-m", "facepart", "plot", "-a1", scores, "-i1", scores, "-d", tmp_path / "plots", "-n", "x")
    done = run_process(*command, "--formats", "pgf")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "needs LaTeX" in done.stderr
    assert not (tmp_path / "plots").exists()


@pytest.mark.slow
@needs_tex
@pytest.mark.parametrize("kind", ["histogram", "roc", "det", "fmr_fnmr"])
def test_latex_reads_pgf_whatever_the_names_are(tmp_path: Path, kind: str) -> None:
    sets = [make_set(HOSTILE, n=400), make_set("No eyes", n=400, shift=0.1, seed=1)]
    plot(sets, tmp_path, "figure", HOSTILE, kind, formats=["png", "pgf"])
    text = (tmp_path / "figure.pgf").read_text()
    assert r"50\%\_of" in text and r"\$x\$" in text
    if kind == "roc":
        assert "10$^{-3}$" in text and not re.search("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]", text)
    engine = next(filter(None, map(shutil.which, TEX_ENGINES)))
    lines = (r"\documentclass{article}", r"\usepackage{pgf}", r"\begin{document}", r"\input{figure.pgf}")
    (tmp_path / "document.tex").write_text("\n".join([*lines, r"\end{document}"]))
    done = subprocess.run(
        [engine, "-interaction=nonstopmode", "-halt-on-error", "document.tex"],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        errors="replace",
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "document.pdf").stat().st_size > 5000
