"""A study's figures for other programs and for a terminal: ``results.csv``, ``results.json``, and lines of text."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from facepart.report.results import ALL_GROUPS, CROSS, WITHIN, PartResult, Ranked

VERSION = 1


def results_csv(results: Sequence[PartResult]) -> str:
    """Put the figures into CSV, a row a group, part and comparison; figures that are not known are left empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([field.name for field in fields(PartResult)])
    for result in results:
        writer.writerow(["" if _unknown(value) else value for value in asdict(result).values()])
    return buffer.getvalue()


def results_json(
    results: Sequence[PartResult], rankings: Mapping[str, Sequence[Ranked]], about: Mapping[str, Any]
) -> str:
    """Put the figures into JSON: ``version``, `about`, ``results`` as in the CSV, and ``rankings``.

    Figures that are not known are null.
    """
    rows = [{key: None if _unknown(value) else value for key, value in asdict(row).items()} for row in results]
    ranked = {group: [asdict(each) for each in found] for group, found in rankings.items()}
    whole = {"version": VERSION, **about, "results": rows, "rankings": ranked}
    return json.dumps(whole, indent=2, allow_nan=False) + "\n"


def results_text(results: Sequence[PartResult], rankings: Mapping[str, Sequence[Ranked]]) -> str:
    """Lay the answer out for a terminal: for each group its parts, the one that moves impostor scores most first."""
    several = len(rankings) > 1
    lines: list[str] = []
    for group, ranked in rankings.items():
        if not (several and group == ALL_GROUPS):
            lines += [*_group_lines(group, ranked, results), ""]
    if several:
        places = [
            f"{place}. {each.part} {each.impostor_shift:+.4f}" for place, each in enumerate(rankings[ALL_GROUPS], 1)
        ]
        lines.append(f"over all {len(rankings) - 1} groups: {', '.join(places)}")
    return "\n".join(lines).rstrip()


def _group_lines(group: str, ranked: Sequence[Ranked], results: Sequence[PartResult]) -> list[str]:
    mine = {(row.part, row.comparison): row for row in results if row.group == group}
    first = mine[ranked[0].part, WITHIN]
    lines = [
        f"{group}: {first.photos} photos of {first.people} people; original: d' "
        f"{_shown(first.d_prime_original, '.3f')}, mean impostor score {first.impostor_mean_original:.4f}",
        f"{'':4}{'blurred':12}{'impostor':>10}{'shift':>9}{'x FMR 1e-3':>12}{'authentic':>11}{'shift':>9}"
        f"{'d-prime':>9}{'without':>9}",
    ]
    for place, each in enumerate(ranked, 1):
        lines.append(_line(f"{place}.", each.part, mine[each.part, WITHIN]))
    crossed = [mine[each.part, CROSS] for each in ranked if (each.part, CROSS) in mine]
    if crossed:
        lines.append(f"{'':4}against the original photos:")
        lines += [_line("", row.part, row) for row in crossed]
    return lines


def _line(number: str, name: str, row: PartResult) -> str:
    return (
        f"{number:4}{name:12}{row.impostor_mean:10.4f}{row.impostor_shift:+9.4f}"
        f"{_shown(row.times_more_1e3, '.2f'):>12}{_shown(row.authentic_mean, '.4f'):>11}"
        f"{_shown(row.authentic_shift, '+.4f'):>9}{_shown(row.d_prime, '.3f'):>9}{row.missing:9}"
    )


def _shown(value: float, form: str) -> str:
    return "-" if math.isnan(value) else format(value, form)


def _unknown(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
