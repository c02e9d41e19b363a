"""A study's answer for a terminal, in lines of at most 110 characters unless names of groups are long."""

import math
from collections.abc import Mapping, Sequence

from facepart.analysis.differentials import EACH_GROUP, Differential
from facepart.analysis.intervals import MIN_SUBJECTS, Interval
from facepart.analysis.ranking import IMPORTANCE, SHIFT, Agreement, Ranked, compare_methods
from facepart.analysis.results import ALL_GROUPS, CROSS, WITHIN, PartResult

TIED = "="


def results_text(
    results: Sequence[PartResult],
    rankings: Mapping[str, Sequence[Ranked]],
    ranked_by: str = SHIFT,
    differentials: Sequence[Differential] = (),
) -> str:
    """Lay the answer out: for each group its parts, the one that is worth most first.

    Args:
        results: those of the main way first.
        rankings: see :class:`facepart.report.content.Content`; likewise the others.
        ranked_by: see there.
        differentials: see there.
    """
    several, main = len(rankings) > 1, results[0].occlusion
    lines: list[str] = []
    for group, ranked in rankings.items():
        if not (several and group == ALL_GROUPS):
            rows = [row for row in results if (row.group, row.occlusion) == (group, main)]
            lines += [*_group_lines(group, ranked, rows, ranked_by), ""]
    if several:
        lines += [
            f"over all {len(rankings) - 1} groups, each counting alike:",
            *_mean_lines(rankings[ALL_GROUPS]),
            "",
        ]
    lines += _differential_lines(differentials)
    lines += _way_lines(compare_methods(results, main), main)
    what = "shift of the mean impostor score"
    if ranked_by == IMPORTANCE:
        what += " beyond that of places of the same size"
    if all(math.isnan(row.impostor_shift.low) for row in results):
        lines.append(f"worth: {what}; no intervals: fewer than {MIN_SUBJECTS} people in each group")
    else:
        lines.append(f"worth: {what}; in brackets: 95 % intervals")
        lines.append(
            f"first: how often it comes first when people are drawn anew; {TIED}: not told apart from the next"
        )
    return "\n".join(lines)


def _group_lines(group: str, ranked: Sequence[Ranked], rows: Sequence[PartResult], ranked_by: str) -> list[str]:
    mine = {(row.part, row.comparison): row for row in rows}
    first, controlled = mine[ranked[0].part, WITHIN], ranked_by == IMPORTANCE
    lines = [
        f"{group}: {first.photos} photos of {first.subjects} people; original: d' "
        f"{_shown(first.d_prime_baseline, '.3f')}, mean impostor score {_shown(first.impostor_mean_baseline, '.4f')}",
        f"{'':4}{'lost':11}{'worth':>8} {'':19}{'first':>5}"
        + (f"{'shift':>8}{'control':>8}" if controlled else "")
        + _head(not controlled),
    ]
    for place, each in enumerate(ranked, 1):
        row = mine[each.part, WITHIN]
        raw = f"{_number(row.impostor_shift, '+.4f'):>8}{_number(row.control_shift, '+.4f'):>8}" if controlled else ""
        lines.append(f"{_ranked(place, each)}{raw}{_errors(row, not controlled)}")
    crossed = [mine[each.part, CROSS] for each in ranked if (each.part, CROSS) in mine]
    if crossed:
        lines.append(f"{'':4}against the original photos:")
        lines.append(f"{'':4}{'lost':11}{'shift':>8} {'':19}{'':5}{_head(True)}")
        lines += [f"{'':4}{row.part:11}{_wide(row.impostor_shift)}{'':5}{_errors(row, True)}" for row in crossed]
    return lines


def _head(with_d_prime: bool) -> str:
    d_prime = f"{'d-prime':>8}" if with_d_prime else ""
    return f"{'xFMR1e-3':>9}{'authentic':>10} {'':19}{d_prime}{'absent':>7}"


def _errors(row: PartResult, with_d_prime: bool) -> str:
    d_prime = f"{_number(row.d_prime, '.3f'):>8}" if with_d_prime else ""
    times = _number(row.fmr_ratio_1e3, ".2f")
    return (
        f"{times:>9}{_number(row.authentic_shift, '+.4f'):>10} {_ends(row.authentic_shift):19}"
        f"{d_prime}{row.undetected:7}"
    )


def _mean_lines(ranked: Sequence[Ranked]) -> list[str]:
    return [_ranked(place, each) for place, each in enumerate(ranked, 1)]


def _ranked(place: int, each: Ranked) -> str:
    first = "-" if math.isnan(each.ranked_first) else f"{each.ranked_first:.0%}"
    return f"{f'{place}.{TIED if each.tied else str()}':4}{each.part:11}{_wide(each.effect)}{first:>5}"


def _wide(figure: Interval) -> str:
    return f"{_number(figure, '+.4f'):>8} {_ends(figure):19}"


def _differential_lines(differentials: Sequence[Differential]) -> list[str]:
    """Give the groups' FMR at the common threshold: of the original photos, at the first target."""
    shown = [row for row in differentials if row.threshold_of != EACH_GROUP]
    if not shown:
        return []
    first = shown[0]
    whose = "all groups together" if first.threshold_of == ALL_GROUPS else first.threshold_of
    lines = [f"FMR of the groups at one threshold, FMR {first.target:.1%} of the original photos of {whose}:"]
    for row in shown:
        if row.target != first.target:
            continue
        groups = [
            f"{group.group} {'refused' if group.refused else _shown(group.fmr._replace(low=math.nan), '.3%')}"
            for group in row.groups
        ]
        inequity = "" if math.isnan(row.inequity_fmr) else f"; inequity {row.inequity_fmr:.2f}"
        lines.append(f"{'':4}{row.part:11}{', '.join(groups)}{inequity}")
    return [*lines, ""]


def _way_lines(agreements: Sequence[Agreement], main: str) -> list[str]:
    """Say in a line whether the ranking holds when parts are lost in other ways."""
    groups = [row.group for row in agreements if row.occlusion == main]
    others = [row for row in agreements if row.occlusion != main and row.group == groups[0]]
    if not others:
        return []
    differing = [f"{row.occlusion} ({row.parts[0]})" for row in others if not row.same_first]
    said = f"{len(others) - len(differing)} of {len(others)}"
    taus = [row.tau for row in others if math.isfinite(row.tau)]
    agreeing = f"; Kendall's tau {min(taus):.2f} to {max(taus):.2f}" if taus else ""
    differs = f"; another in {', '.join(differing)}" if differing else ""
    return [f"lost in other ways, the same part has the largest shift in {said}{differs}{agreeing}", ""]


def _shown(figure: Interval, form: str) -> str:
    return f"{_number(figure, form)} {_ends(figure, form)}".strip()


def _number(figure: Interval, form: str) -> str:
    return "-" if math.isnan(figure.value) else format(figure.value, form)


def _ends(figure: Interval, form: str = "+.4f") -> str:
    return "" if math.isnan(figure.low) else f"[{figure.low:{form}}, {figure.high:{form}}]"
