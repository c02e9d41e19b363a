"""A study's answer for a terminal; its words stand in ``templates/terminal.txt`` and ``recognisers.txt``."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from facepart.analysis.choices import IMPORTANCE, SHIFT, Weight
from facepart.analysis.design import Design
from facepart.analysis.differentials import EACH_GROUP, Differential, ShiftDifference
from facepart.analysis.intervals import Interval
from facepart.analysis.keep_only import kept_parts
from facepart.analysis.measure import Figures
from facepart.analysis.ranking import Ranked, compare_methods
from facepart.analysis.recogniser_agreement import RecogniserAgreement
from facepart.analysis.results import (
    ALL_GROUPS,
    CROSS,
    EQUAL_AREA_PATCH,
    NOT_CONTROLLABLE,
    WITHIN,
    PartResult,
)
from facepart.report.agreement_words import agreement_words
from facepart.report.coverage import is_on_few_photos, often_undetected, why_no_rank
from facepart.report.formatting import supported_decimals
from facepart.report.missing_intervals import (
    MissingIntervals,
    has_few_positions,
    missing_intervals,
    why_no_interval_of,
)
from facepart.report.report_data import measured_on, ranks_by_part
from facepart.report.templating import render

TIED, UNDECIDED = "=", "?"

# A row of a table: column -> cell.
Row = Mapping[str, str]


@dataclass(frozen=True)
class GroupTable:
    """What is printed of a group.

    Attributes:
        name: the group's name.
        photos: how many it has.
        subjects: how many it has.
        fullest: the part detected on most photos: the baseline is of these.
        detected: on how many that is.
        d_prime: of the baseline.
        impostor_mean: of the baseline.
        effective: effective subjects of impostor and of authentic scores of the baseline.
        rows: its parts in the order of their ranking, then those without a rank.
        missing: its ranked parts without a CI.
        crossed: the same for occluded probes against the baseline gallery; may be empty.
        patched: the same for equal-area patches; may be empty.
        kept: its parts alone, the largest d' first; may be empty.
    """

    name: str
    photos: int
    subjects: int
    fullest: str
    detected: int
    d_prime: str
    impostor_mean: str
    effective: tuple[float, float]
    rows: Sequence[Row]
    missing: MissingIntervals
    crossed: Sequence[Row]
    patched: Sequence[Row]
    kept: Sequence[Row]

    @property
    def has_effective(self) -> bool:
        """Whether the effective subjects are known."""
        return math.isfinite(self.effective[0])


@dataclass(frozen=True)
class RecogniserTable:
    """The ranking by a recogniser.

    Attributes:
        name: the recogniser's name.
        ranked_by: the criterion.
        rows: the parts in the order of their ranking.
    """

    name: str
    ranked_by: str
    rows: Sequence[Row]


class GroupDifferences(NamedTuple):
    """How the groups differ in an effect of the parts.

    Attributes:
        name: of the effect.
        tested: how many differences have a CI.
        why_no_ci: why the others have none.
        significant: those that are significant.
    """

    name: str
    tested: int
    why_no_ci: str
    significant: Sequence[Row]


def results_text(figures: Figures, by_recogniser: Mapping[str, Figures] | None = None, draws: int = 0) -> str:
    """Lay the answer out: for each group its parts in the order of their ranking, and what the columns mean.

    Args:
        figures: those of the main occlusion method first; of the first recogniser, if there are several.
        by_recogniser: recogniser -> its figures; the ranking by each is shown where there are several.
        draws: how many positions each control has.
    """
    results = figures.results
    main, controlled = results[0].occlusion, figures.ranked_by == IMPORTANCE
    rows = {(row.group, row.part, row.comparison): row for row in results if row.occlusion == main}
    names = list(dict.fromkeys(row.group for row in results))
    compared = {key[:2]: row for key, row in rows.items() if key[2] == WITHIN}
    groups = [_group_table(name, figures, rows) for name in names]
    agreements = compare_methods(results, main, figures.weight)
    others = [row for row in agreements if row.occlusion != main and row.group == agreements[0].group]
    taus = sorted({round(row.tau, 2) for row in others if math.isfinite(row.tau)})
    ranking = ALL_GROUPS if len(names) > 1 else names[0]
    differentials = _at_common_threshold(figures.differentials)
    differences = [each for each in figures.shift_differences if each.occlusion == main]
    by_effect = {
        name: [each for each in differences if each.effect == effect]
        for effect, name in ((SHIFT, "impostor shift"), (IMPORTANCE, "importance"))
    }
    # A single group may be called that, too.
    of_all = figures.ranking.get(ALL_GROUPS, []) if len(names) > 1 else []
    mean = [_ranked_row(*each) for each in ranks_by_part(of_all).values()]
    recognisers = [
        RecogniserTable(
            name,
            each.ranked_by,
            [_ranked_row(*found) for found in ranks_by_part(each.ranking.get(ranking, [])).values()],
        )
        for name, each in (by_recogniser or {}).items()
    ]
    tables = [
        mean,
        *(each.rows for each in recognisers),
        *(rows for each in groups for rows in (each.rows, each.kept)),
    ]
    text = render(
        "terminal.txt",
        ranked_by=figures.ranked_by,
        by_subjects=figures.weight == "subjects",
        controlled=controlled,
        few_positions=has_few_positions(figures, draws),
        draws=draws,
        groups=groups,
        undetected=often_undetected(compared),
        kept=any(row.undetected and row.photos_compared == row.photos for row in compared.values()),
        mean_rows=mean,
        recognisers=recognisers,
        criteria={
            name: " = ".join(part for part, (rank, _) in ranks_by_part(found[ranking]).items() if rank == 1)
            for name, found in figures.rankings.items()
            if found.get(ranking)
        },
        group_differences=[_group_differences(name, found) for name, found in by_effect.items() if found],
        differentials=differentials,
        others=others,
        differing=[row for row in others if not row.same_first],
        taus=taus,
        has_intervals=any(math.isfinite(row.weighted("impostor_shift", figures.weight).low) for row in results),
        has_undecided=any(row["rank"].endswith(UNDECIDED) for rows in tables for row in rows),
        uncontrollable=controlled
        and any(row.control == NOT_CONTROLLABLE and not is_on_few_photos([row]) for row in compared.values()),
        has_inequity=any(math.isfinite(row.inequity_fmr) for row in differentials),
        parts={part for _, part in compared},
    )
    return text.rstrip("\n")


def agreement_text(agreement: RecogniserAgreement, design: Design) -> str:
    """Lay out how far recognisers agree: in a sentence, by their taus, and by their joint ranking."""
    words = agreement_words(agreement, design)
    if words is None:
        return render("recognisers.txt", words=None).rstrip("\n")
    main = agreement.groups[0]
    text = render(
        "recognisers.txt",
        agreement=agreement,
        words=words,
        main=main,
        rows=[
            _ranked_row(*found) | {name: f"{ranks[place]}" for name, ranks in main.ranks.items()}
            for place, found in enumerate(ranks_by_part(agreement.joint_ranking[main.group]).values())
        ],
        has_intervals=math.isfinite(main.w.low),
    )
    return text.rstrip("\n")


def _group_table(name: str, figures: Figures, rows: Mapping[tuple[str, str, str], PartResult]) -> GroupTable:
    ranked = {part: _ranked_row(*found) for part, found in ranks_by_part(figures.ranking.get(name, [])).items()}
    results = {part: row for (group, part, compared), row in rows.items() if (group, compared) == (name, WITHIN)}
    order = [*ranked, *(part for part in results if part not in ranked)]
    known = [row for row in results.values() if row.impostor_n]
    # Scores of all photos, whatever part is detected, are not among the figures.
    first = max(known or results.values(), key=_photos_compared)
    lines = []
    for part in order:
        row = results[part]
        measured = rows.get((name, part, measured_on(figures.ranked_by)), row) if part in ranked else row
        lines.append(
            {
                **ranked.get(part, _unranked_row(row, figures)),
                **_result_cells(row, figures.weight),
                "photos": f"{measured.photos_compared:,}",
            }
        )
    return GroupTable(
        name=name,
        photos=first.photos,
        subjects=first.subjects,
        fullest=first.part,
        detected=first.photos_compared,
        d_prime=_with_interval(first.d_prime_baseline, 3),
        impostor_mean=_with_interval(first.impostor_mean_baseline, 4),
        effective=(first.impostor_effective, first.authentic_effective),
        rows=lines,
        missing=missing_intervals(figures, name),
        crossed=_other_rows(name, order, rows, CROSS, figures.weight),
        patched=_other_rows(name, order, rows, EQUAL_AREA_PATCH, figures.weight),
        kept=_kept_rows(name, figures),
    )


def _group_differences(name: str, differences: Sequence[ShiftDifference]) -> GroupDifferences:
    """Lay out how the groups differ in an effect of the parts."""
    return GroupDifferences(
        name,
        sum(math.isfinite(each.difference.low) for each in differences),
        why_no_interval_of([each.difference for each in differences]),
        [_difference(each) for each in differences if each.is_significant],
    )


def _difference(found: ShiftDifference) -> Row:
    """Lay out the difference of an effect in two groups."""
    return {"part": found.part, "groups": f"{found.first} - {found.second}", "difference": _change(found.difference)}


def _ranked_row(rank: int, ranked: Ranked) -> dict[str, str]:
    return {
        "rank": f"{rank}.{TIED if ranked.tied else UNDECIDED if ranked.undecided else ' '}",
        "part": ranked.part,
        "effect": _change(ranked.effect),
        "ranks": _ranks(ranked),
    }


def _ranks(ranked: Ranked) -> str:
    if math.isnan(ranked.effect.low):
        return "- "
    ends = dict.fromkeys([f"{ranked.rank_low}", f"{ranked.rank_high}"])
    return "-".join(ends) + ("*" if ranked.may_be_first else " ")


def _unranked_row(row: PartResult, figures: Figures) -> dict[str, str]:
    # A table has no room for the whole reason; the legend has it.
    short = "no rank: too few photos" if is_on_few_photos([row]) else why_no_rank([row], figures)
    return {"rank": "-  ", "part": row.part, "effect": short, "ranks": "- "}


def _other_rows(
    name: str,
    order: Sequence[str],
    rows: Mapping[tuple[str, str, str], PartResult],
    comparison: str,
    weight: Weight,
) -> list[Row]:
    return [
        {
            "rank": "   ",
            "part": part,
            "effect": _change(row.weighted("impostor_shift", weight)),
            **_result_cells(row, weight),
        }
        for part in order
        if (row := rows.get((name, part, comparison)))
    ]


def _kept_rows(name: str, figures: Figures) -> list[Row]:
    """Lay out the parts of a group alone."""
    ranking = figures.keep_only_rankings.get(name, [])
    ranked = {part: _ranked_row(*found) for part, found in ranks_by_part(ranking).items()}
    unranked = {"rank": "-  ", "ranks": "- "}
    return [
        {
            **ranked.get(part, unranked),
            "part": part,
            "effect": _change(row.weighted("impostor_shift", figures.weight)),
            "d_prime": _with_interval(row.d_prime, 3),
            "fnmr": _with_interval(row.fnmr_1e3.scaled(100), 2),
            "photos": f"{row.photos_compared:,}",
        }
        for part, _, row in kept_parts(figures.results, name)
    ]


def _result_cells(row: PartResult, weight: Weight) -> dict[str, str]:
    return {
        "impostor_shift": _number(row.weighted("impostor_shift", weight), "+.4f"),
        "fmr_ratio": _number(row.fmr_ratio_1e3, ".2f"),
        "authentic_shift": _change(row.weighted("authentic_shift", weight)),
        "d_prime": _number(row.d_prime, f".{supported_decimals(row.d_prime, 3)}f"),
        "photos": f"{row.photos_compared:,}",
    }


def _at_common_threshold(differentials: Sequence[Differential]) -> list[Differential]:
    """Choose the rows at the threshold that all groups share, for the first target; none if no group has rates."""
    common = [row for row in differentials if row.threshold_of != EACH_GROUP]
    found = [row for row in common if row.target == common[0].target]
    return found if any(not group.refused for row in found for group in row.groups) else []


def _photos_compared(row: PartResult) -> int:
    return row.photos_compared


def _change(figure: Interval) -> str:
    return f"{_number(figure, '+.4f'):>7} {_ends(figure, '+.4f')}".rstrip()


def _with_interval(figure: Interval, decimals: int) -> str:
    """Write a figure and its interval, to the digits that the interval supports."""
    form = f".{supported_decimals(figure, decimals)}f"
    return f"{_number(figure, form)} {_ends(figure, form)}".strip()


def _number(figure: Interval, form: str) -> str:
    return "-" if math.isnan(figure.value) else format(figure.value, form)


def _ends(figure: Interval, form: str) -> str:
    return "" if math.isnan(figure.low) else f"[{figure.low:{form}}, {figure.high:{form}}]"
