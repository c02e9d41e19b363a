"""The ranking as a table for LaTeX: its cells are the figures, and no name in it is a command."""

import re

import pytest

from facepart.files.latex_text import escape_latex
from facepart.report.latex import ranking_tex
from facepart.report.report_data import ReportData
from tests.report_data import make_data, with_recognisers

HOSTILE = r"50%_of $x^2$ \input{a} & #1 ~ [b]*"
ONE = make_data(("all",), ("nose", HOSTILE), people=12, photos=2)
FEW = make_data(("all",), ("nose", "mouth"), people=4, photos=1)
MANY = with_recognisers(make_data(("CM", "CF"), ("eyes", "nose"), people=15), sface=("eyes", "nose"))


def unescape(text: str) -> str:
    """What LaTeX shows of a text."""
    text = text.replace(r"\textbackslash{}", "\0").replace(r"\textasciitilde{}", "~")
    text = text.replace(r"\textasciicircum{}", "^").replace("$'$", "\u2032")
    text = re.sub(r"(?<!\\)\{([\[\]*])\}", r"\1", text)
    return re.sub(r"\\([&%$#_{}])", r"\1", text).replace("\0", "\\")


def cells_of(row: str) -> list[str]:
    assert row.endswith(r" \\")
    return re.split(r" (?<!\\)& ", row.removesuffix(r" \\"))


@pytest.mark.parametrize("data", [ONE, FEW, MANY], ids=["one", "few", "many"])
def test_the_rows_are_the_ranking(data: ReportData) -> None:
    lines = ranking_tex(data).splitlines()
    assert lines[1:3] == [r"\begin{tabular}{llll}", r"\toprule"]
    assert lines[-2:] == [r"\bottomrule", r"\end{tabular}"]
    rows = [cells_of(line) for line in lines[3:-2] if line != r"\midrule" and not line.startswith(r"\multicolumn")]
    assert rows[0][0] == "part" and {len(row) for row in rows} == {4}
    every = [each.figures for each in data.recognisers] or [data.figures]
    group = "all"
    expected = [(rank, each) for found in every for rank, each in enumerate(found.ranking[group], 1)]
    assert len(expected) == len(rows) - 1 > 1
    for (label, effect, ranks, first), (rank, each) in zip(rows[1:], expected, strict=True):
        assert unescape(label) == data.label(each.part)
        numbers = [float(number) for number in re.findall(r"\$([+-][0-9.]+)\$", effect)]
        interval = [each.effect.low, each.effect.high] if data is not FEW else []
        assert numbers == pytest.approx([each.effect.value, *interval], abs=5e-5)
        whole = [int(number) for number in re.findall(r"\d+", ranks)]
        assert whole == ([rank, each.rank_low, each.rank_high] if interval else [rank])
        assert first == ("--" if not interval else "yes" if each.may_be_first else "no")
    headings = [line for line in lines if line.startswith(r"\multicolumn")]
    assert len(headings) == len(data.recognisers)
    for line, figures in zip(headings, data.recognisers, strict=True):
        assert figures.name in line and "impostor shift" in line


def test_names_are_text() -> None:
    escaped = escape_latex(HOSTILE)
    assert unescape(escaped) == HOSTILE
    rest = re.sub(r"\\(?:[&%$#_{}]|text[a-z]+\{\})|\{[\[\]*]\}", "", escaped)
    assert not set(rest) & set(r"\&%$#_{}~^[]*")
    assert escape_latex("d\u2032\n\n of") == "d$'$ of"
