"""A study's figures for other programs: ``results.csv``, ``results.json``, and tables of the groups compared.

In a table, a figure with an interval takes three columns: ``<name>``, ``<name>_low`` and ``<name>_high``. JSON also
has its standard error as ``<name>_error``, and the effective number of subjects behind it as ``<name>_effective``.
Figures that are not known are empty in a table, and null in JSON, where ``<name>_no_ci`` says why a figure has no CI.

Figures are written to 9 digits, intervals and errors to 6: sums over many scores differ in their last bits with the
order in which threads add them up, and a study that is run again should write the same files.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from facepart.analysis.differentials import Differential, ShiftDifference
from facepart.analysis.intervals import Interval
from facepart.analysis.ranking import Ranked
from facepart.analysis.recogniser_agreement import RecogniserAgreement
from facepart.analysis.results import PartResult, result_columns
from facepart.analysis.shapley_figures import ShapleyInteraction, ShapleyValue
from facepart.files.csv_text import csv_text
from facepart.report.report_data import ReportData

RESULTS_VERSION = 3
_DIGITS, _DIGITS_OF_ERRORS = 9, 6

Row = TypeVar("Row", ShiftDifference, ShapleyValue, ShapleyInteraction)


def results_csv(results: Sequence[PartResult]) -> str:
    """Put the figures into CSV, a row for each recogniser, group, part, occlusion method and comparison."""
    names = [name for column in result_columns() for name in _columns(column.name, column.has_interval)]
    return _csv(names, [_flat_result(row) for row in results])


def rows_csv(kind: type[Row], rows: Sequence[Row]) -> str:
    """Put differences of shifts, Shapley values or interactions of parts into CSV.

    Args:
        kind: the class of the rows, whose fields are the columns.
        rows: of all recognisers; may be empty.
    """
    names = [name for field in fields(kind) for name in _columns(field.name, field.type is Interval)]
    return _csv(names, [_flat(row) for row in rows])


def differentials_csv(differentials: Sequence[Differential]) -> str:
    """Put the groups' error rates into CSV, a row a recogniser, set of photos, threshold and group.

    The figures of all groups together stand in every row of theirs. ``ratio_fmr`` and ``ratio_fnmr`` are the group's
    rates over those of the first group that takes part in the comparison; that group itself has none.
    """
    rows = []
    for each in differentials:
        whole = _flat(each, without=("groups", "ratios"))
        ratios = {ratio.second: ratio for ratio in each.ratios if ratio.first == each.ratios[0].first}
        for group in each.groups:
            row = whole | _flat(group)
            if group.group in ratios:
                ratio = ratios[group.group]
                row |= {"ratio_to": ratio.first, **_inverse("ratio_fmr", ratio.fmr)}
                row |= _inverse("ratio_fnmr", ratio.fnmr)
            rows.append(row)
    names = [
        "recogniser",
        "part",
        "target",
        "threshold_of",
        "group",
        "threshold",
        *_columns("fmr", True),
        *_columns("fnmr", True),
    ]
    names += ["refused", "ratio_to", *_columns("ratio_fmr", True), *_columns("ratio_fnmr", True)]
    names += ["inequity_fmr", "inequity_fnmr", "garbe", "fairness_discrepancy"]
    return _csv(names, rows)


def results_json(data: ReportData, about: Mapping[str, Any]) -> str:
    """Put all that a study found into JSON.

    Rankings stand in ``by_recogniser`` for each recogniser, and by themselves for the first.

    Args:
        data: the report's.
        about: how it was made; its keys stand beside the others.
    """
    every = [each.figures for each in data.by_recogniser]
    whole = {
        "version": RESULTS_VERSION,
        **about,
        "ranked_by": data.ranked_by,
        "resamples": data.resamples,
        "draws": data.draws,
        "results": [_flat_result(row) for figures in every for row in figures.results],
        "undetected": data.design.undetected,
        "weight": data.design.weight,
        "margin": data.design.margin,
        "rankings": _rankings(data.rankings),
        "unsupported_criteria": data.figures.unsupported,
        "rankings_by_criterion": {name: _rankings(found) for name, found in data.figures.rankings.items()},
        "keep_only_rankings": _rankings(data.figures.keep_only_rankings),
        "by_recogniser": {
            each.name: {
                "ranked_by": each.figures.ranked_by,
                "rankings": _rankings(each.figures.ranking),
                "unsupported_criteria": each.figures.unsupported,
                "rankings_by_criterion": {by: _rankings(found) for by, found in each.figures.rankings.items()},
                "keep_only_rankings": _rankings(each.figures.keep_only_rankings),
            }
            for each in data.by_recogniser
        },
        "overlaps": {
            part: {other: _number(share) for other, share in shares.items()} for part, shares in data.overlaps.items()
        },
        "agreements": [
            {**row._asdict(), "parts": list(row.parts), "tau": _number(row.tau)} for row in data.agreements
        ],
        "shift_differences": [_flat(row) for figures in every for row in figures.shift_differences],
        "differentials": [
            _flat(row, without=("groups", "ratios"))
            | {"groups": [_flat(group) for group in row.groups], "ratios": [_flat(ratio) for ratio in row.ratios]}
            for figures in every
            for row in figures.differentials
        ],
    }
    if data.shapley:
        whole["shapley"] = [_flat(row) for each in data.shapley.values() for row in each.values]
        whole["shapley_interactions"] = [_flat(row) for each in data.shapley.values() for row in each.interactions]
    if data.agreement is not None:
        whole["agreement"] = _agreement(data.agreement)
        whole["joint_ranking"] = _rankings(data.agreement.joint_ranking)
    return json.dumps(whole, indent=2, allow_nan=False) + "\n"


def _rankings(rankings: Mapping[str, Sequence[Ranked]]) -> dict[str, list[dict[str, Any]]]:
    return {group: [_flat(each) | {"tied": each.tied} for each in found] for group, found in rankings.items()}


def _agreement(agreement: RecogniserAgreement) -> dict[str, Any]:
    return {
        "recognisers": list(agreement.recognisers),
        "ranked_by": agreement.ranked_by,
        "spreads": {name: _number(spread) for name, spread in agreement.spreads.items()},
        "groups": [
            _flat(group, without=("pairs", "w"))
            | dict(_values(group.w, "w"))
            | {
                "firsts": group.firsts,
                "common_firsts": group.common_firsts,
                "pairs": [_flat(pair) for pair in group.pairs],
            }
            for group in agreement.groups
        ],
    }


def _flat_result(row: PartResult) -> dict[str, Any]:
    """Return the columns of a row, each interval as five, or six where there is no CI."""
    columns = [column.name for column in result_columns()]
    return dict(pair for name in columns for pair in _values(row.figure(name), name))


def _flat(row: Any, without: Sequence[str] = ()) -> dict[str, Any]:
    """Return the fields of a dataclass, each interval as five, or six where there is no CI."""
    return dict(
        pair
        for field in fields(row)
        if field.name not in without
        for pair in _values(getattr(row, field.name), field.name)
    )


def _values(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Interval):
        yield name, _number(value.value)
        for ending in ("low", "high", "error", "effective"):
            yield f"{name}_{ending}", _number(getattr(value, ending), _DIGITS_OF_ERRORS)
        if value.no_ci:
            yield f"{name}_no_ci", value.no_ci
    else:
        yield name, _number(value) if isinstance(value, float) else value


def _inverse(name: str, ratio: Interval) -> dict[str, float | None]:
    """Return one over a ratio, whose interval is one of its logarithm."""
    value, low, high = (1 / end if end else math.nan for end in (ratio.value, ratio.high, ratio.low))
    return {
        name: _number(value),
        f"{name}_low": _number(low, _DIGITS_OF_ERRORS),
        f"{name}_high": _number(high, _DIGITS_OF_ERRORS),
    }


def _number(value: float, digits: int = _DIGITS) -> float | None:
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


def _columns(name: str, with_interval: bool) -> list[str]:
    return [name, f"{name}_low", f"{name}_high"] if with_interval else [name]


def _csv(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    return csv_text([names, *(["" if row.get(name) is None else row[name] for name in names] for row in rows)])
