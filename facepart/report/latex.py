"""The main ranking as a table for LaTeX, in the style of the package ``booktabs``."""

import math
from collections.abc import Sequence

from facepart.analysis.ranking import Ranked
from facepart.files.latex_text import escape_latex
from facepart.report.criterion_names import criterion
from facepart.report.report_data import ReportData, ranks_by_part


def ranking_tex(data: ReportData) -> str:
    """Put the main ranking, of each recogniser if there are several, into a ``tabular`` of LaTeX.

    Its columns are the part, what it is ranked by with its 95 % CI, its rank with its 95 % CI, and whether it may be
    ranked first. Parts without a rank are left out.
    """
    named = data.by_recogniser
    rows: list[str] = []
    for each in named:
        rows.append(r"\midrule")
        by = escape_latex(criterion(each.figures.ranked_by).label)
        if len(named) > 1:
            rows += [rf"\multicolumn{{4}}{{l}}{{{escape_latex(each.name)}: {by}}} \\", r"\midrule"]
        rows += _rows(data, each.figures.ranking.get(data.main_group, []))
    effect = "effect" if len(named) > 1 else escape_latex(criterion(data.ranked_by).label)
    return "\n".join(
        [
            r"% Needs \usepackage{booktabs}.",
            r"\begin{tabular}{llll}",
            r"\toprule",
            rf"part & {effect} (95\,\% CI) & rank (95\,\% CI) & may be first \\",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def _rows(data: ReportData, ranking: Sequence[Ranked]) -> list[str]:
    """Return a row of the table for each part; a figure without a CI has none."""
    rows = []
    for rank, each in ranks_by_part(ranking).values():
        low, high = each.effect.low, each.effect.high
        effect, ranks, first = f"${each.effect.value:+.4f}$", f"{rank}", "--"
        if math.isfinite(low):
            effect += f" [${low:+.4f}$, ${high:+.4f}$]"
            ranks += f" [{each.rank_low}, {each.rank_high}]"
            first = "yes" if each.may_be_first else "no"
        rows.append(rf"{escape_latex(data.label(each.part))} & {effect} & {ranks} & {first} \\")
    return rows
