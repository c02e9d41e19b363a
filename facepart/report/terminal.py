"""A study's answer for a terminal; its words stand in ``templates/terminal.txt``."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from facepart.analysis.choices import IMPORTANCE, SHIFT
from facepart.analysis.differentials import EACH_GROUP, Differential
from facepart.analysis.intervals import Interval
from facepart.analysis.ranking import Ranked, compare_methods
from facepart.analysis.results import ALL_GROUPS, CROSS, WITHIN, PartResult
from facepart.report.formatting import share_of_resamples
from facepart.report.templating import render

TIED = "="

# A row of a table: column -> cell.
Row = Mapping[str, str]


@dataclass(frozen=True)
class GroupTable:
    """What is printed of a group: its size, its baseline, its parts in the order of their ranking."""

    name: str
    photos: int
    subjects: int
    d_prime: str
    impostor_mean: str
    rows: Sequence[Row]
    crossed: Sequence[Row]


def results_text(
    results: Sequence[PartResult],
    rankings: Mapping[str, Sequence[Ranked]],
    ranked_by: str = SHIFT,
    differentials: Sequence[Differential] = (),
) -> str:
    """Lay the answer out: for each group its parts in the order of their ranking, and what the columns mean.

    Args:
        results: those of the main occlusion method first.
        rankings: see :class:`facepart.report.report_data.ReportData`; likewise the others.
        ranked_by: see there.
        differentials: see there.
    """
    main, controlled = results[0].occlusion, ranked_by == IMPORTANCE
    rows = {(row.group, row.part, row.comparison): row for row in results if row.occlusion == main}
    names = list(dict.fromkeys(row.group for row in results))
    groups = [_group_table(name, rankings[name], rows) for name in names]
    agreements = compare_methods(results, main)
    others = [row for row in agreements if row.occlusion != main and row.group == agreements[0].group]
    taus = sorted({round(row.tau, 2) for row in others if math.isfinite(row.tau)})
    text = render(
        "terminal.txt",
        controlled=controlled,
        groups=groups,
        mean_rows=_ranked_rows(rankings[ALL_GROUPS]) if len(names) > 1 else [],
        differentials=_at_common_threshold(differentials),
        others=others,
        differing=[row for row in others if not row.same_first],
        taus=taus,
        has_intervals=any(math.isfinite(row.impostor_shift.low) for row in results),
        any_d_prime=not controlled or any(group.crossed for group in groups),
    )
    return text.rstrip("\n")


def _group_table(name: str, ranked: Sequence[Ranked], rows: Mapping[tuple[str, str, str], PartResult]) -> GroupTable:
    first = rows[name, ranked[0].part, WITHIN]
    order = [each.part for each in ranked]
    crossed = [rows[name, part, CROSS] for part in order if (name, part, CROSS) in rows]
    return GroupTable(
        name=name,
        photos=first.photos,
        subjects=first.subjects,
        d_prime=_with_interval(first.d_prime_baseline, ".3f"),
        impostor_mean=_with_interval(first.impostor_mean_baseline, ".4f"),
        rows=[
            {**cells, **_result_cells(rows[name, part, WITHIN])}
            for part, cells in zip(order, _ranked_rows(ranked), strict=True)
        ],
        crossed=[
            {"rank": "   ", "part": row.part, "effect": _change(row.impostor_shift), **_result_cells(row)}
            for row in crossed
        ],
    )


def _ranked_rows(ranked: Sequence[Ranked]) -> list[dict[str, str]]:
    return [
        {
            "rank": f"{rank}.{TIED if each.tied else ' '}",
            "part": each.part,
            "effect": _change(each.effect),
            "ranked_first": "-" if math.isnan(each.ranked_first) else _share(each.ranked_first),
        }
        for rank, each in enumerate(ranked, 1)
    ]


def _result_cells(row: PartResult) -> dict[str, str]:
    return {
        "impostor_shift": _number(row.impostor_shift, "+.4f"),
        "control_shift": _number(row.control_shift, "+.4f"),
        "fmr_ratio": _number(row.fmr_ratio_1e3, ".2f"),
        "authentic_shift": _change(row.authentic_shift),
        "d_prime": _number(row.d_prime, ".3f"),
        "undetected": f"{row.undetected}",
    }


def _at_common_threshold(differentials: Sequence[Differential]) -> list[Differential]:
    """Choose the rows at the threshold that all groups share, for the first target."""
    common = [row for row in differentials if row.threshold_of != EACH_GROUP]
    return [row for row in common if row.target == common[0].target]


def _change(figure: Interval) -> str:
    return f"{_number(figure, '+.4f'):>7} {_ends(figure, '+.4f')}".rstrip()


def _with_interval(figure: Interval, form: str) -> str:
    return f"{_number(figure, form)} {_ends(figure, form)}".strip()


def _number(figure: Interval, form: str) -> str:
    return "-" if math.isnan(figure.value) else format(figure.value, form)


def _ends(figure: Interval, form: str) -> str:
    return "" if math.isnan(figure.low) else f"[{figure.low:{form}}, {figure.high:{form}}]"


def _share(share: float) -> str:
    return "".join(share_of_resamples(share).split())
