"""A study's tables against rows of the oracle: every column, by its name.

A column or key that the oracle does not know fails the comparison, as does one that is missing. COLUMNS holds the
names of the columns, WORDS the words in them: nothing else depends on either.
"""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from tests.witness.figures import Estimate
from tests.witness.study_oracle import (
    ALL_GROUPS,
    ALONE,
    BASELINE_GALLERY,
    CONTROL,
    FEW_SCORES,
    FEW_SUBJECTS,
    NO_THRESHOLD,
    OCCLUDED,
    OWN_THRESHOLDS,
    PATCH,
)

# What the oracle calls a figure -> the column of the tables, and the key of the JSON file.
COLUMNS = {
    "group": "group",
    "part": "part",
    "occlusion": "occlusion",
    "comparison": "comparison",
    "photos": "photos",
    "subjects": "subjects",
    "photos without part": "undetected",
    "photos compared": "photos_compared",
    "subjects compared": "subjects_compared",
    "share of head": "share",
    "share replaced": "replaced",
    "kind of control": "control",
    "authentic scores": "authentic_n",
    "impostor scores": "impostor_n",
    "effective authentic subjects": "authentic_effective",
    "effective impostor subjects": "impostor_effective",
    "baseline d'": "d_prime_baseline",
    "d'": "d_prime",
    "d' change": "d_prime_change",
    "baseline impostor mean": "impostor_mean_baseline",
    "impostor mean": "impostor_mean",
    "impostor shift": "impostor_shift",
    "impostor shift, subjects alike": "impostor_shift_subjects",
    "impostor shift per 1 % of image": "shift_per_percent",
    "control shift": "control_shift",
    "control shift, subjects alike": "control_shift_subjects",
    "importance": "importance",
    "importance, subjects alike": "importance_subjects",
    "impostor mode": "impostor_mode",
    "impostor mode shift": "impostor_mode_shift",
    "impostor Kolmogorov-Smirnov": "impostor_ks",
    "impostor Wasserstein": "impostor_wasserstein",
    "impostor d'": "impostor_d_prime",
    "authentic mean": "authentic_mean",
    "authentic shift": "authentic_shift",
    "authentic shift, subjects alike": "authentic_shift_subjects",
    "authentic Kolmogorov-Smirnov": "authentic_ks",
    "authentic Wasserstein": "authentic_wasserstein",
    "EER": "eer",
    "baseline EER": "eer_baseline",
    "FMR at baseline threshold 1e3": "fmr_at_baseline_1e3",
    "FMR ratio 1e3": "fmr_ratio_1e3",
    "FMR at baseline threshold 1e4": "fmr_at_baseline_1e4",
    "FMR ratio 1e4": "fmr_ratio_1e4",
    "FNMR 1e3": "fnmr_1e3",
    "baseline FNMR 1e3": "fnmr_1e3_baseline",
    "FNMR 1e4": "fnmr_1e4",
    "baseline FNMR 1e4": "fnmr_1e4_baseline",
    "rank-1 rate": "rank1_rate",
    "baseline rank-1 rate": "rank1_rate_baseline",
    "rank-1 rate change": "rank1_rate_change",
    "rank-10 rate": "rank10_rate",
    "baseline rank-10 rate": "rank10_rate_baseline",
    "rank-10 rate change": "rank10_rate_change",
    # Rankings and agreements.
    "effect": "effect",
    "ranked first": "ranked_first",
    "lead": "difference_to_next",
    "best rank": "rank_low",
    "worst rank": "rank_high",
    "may be first": "may_be_first",
    "tied": "tied",
    "parts": "parts",
    "Kendall's tau": "tau",
    "same part first": "same_first",
    # Groups compared.
    "first group": "first",
    "second group": "second",
    "groups share subjects": "paired",
    "difference": "difference",
    "p": "p_value",
    "Holm's p": "p_holm",
    "equivalent": "equivalent",
    "target": "target",
    "threshold of": "threshold_of",
    "threshold": "threshold",
    "FMR": "fmr",
    "FNMR": "fnmr",
    "refused": "refused",
    "ratio to": "ratio_to",
    "ratio of FMR": "ratio_fmr",
    "ratio of FNMR": "ratio_fnmr",
    "inequity of FMR": "inequity_fmr",
    "inequity of FNMR": "inequity_fnmr",
    "GARBE": "garbe",
    "fairness discrepancy rate": "fairness_discrepancy",
    "groups": "groups",
    "ratios": "ratios",
    # At the top of the JSON file.
    "format": "version",
    "settings": "settings",
    "ranked by": "ranked_by",
    "resamples": "resamples",
    "control draws": "draws",
    "undetected parts": "undetected",
    "weight": "weight",
    "margin": "margin",
    "rankings by all criteria": "rankings_by_criterion",
    "rankings by all recognisers": "by_recogniser",
    "order by keep-only": "keep_only_rankings",
    "overlaps": "overlaps",
    "criteria without support": "unsupported_criteria",
    "results": "results",
    "rankings": "rankings",
    "agreements": "agreements",
    "shift differences": "shift_differences",
    "differentials": "differentials",
}
# What the oracle says in a field -> what the tables say there.
WORDS = {
    OCCLUDED: "within",
    BASELINE_GALLERY: "cross",
    CONTROL: "control",
    PATCH: "equal_area",
    ALONE: "keep_only",
    ALL_GROUPS: "all",
    OWN_THRESHOLDS: "each",
    "impostor shift": "impostor_shift",
    "equal area": "equal_area",
    "FMR ratio": "fmr_ratio",
    "d'": "d_prime",
    "FNMR": "fnmr",
    "authentic shift in cross-matching": "authentic_cross",
    FEW_SUBJECTS: "fewer than 10 subjects",
    FEW_SCORES: "too few impostor scores",
    NO_THRESHOLD: "no threshold",
}
# Which recogniser a row is of, which the oracle does not say.
RECOGNISER = "recogniser"
# What a differential has for its part where none is occluded.
NO_PART = "baseline"
RESULTS, DIFFERENTIALS, DIFFERENCES, JSON = (
    "results.csv",
    "differentials.csv",
    "shift_differences.csv",
    "results.json",
)
LOW, HIGH, ERROR, EFFECTIVE, NO_CI = "_low", "_high", "_error", "_effective", "_no_ci"
# By how much a figure may be off where all is computed in 64-bit floats from the same scores.
EXACT = 1e-12
# By how much others may: shares that both sides count over draws of subjects, and what follows from standard errors,
# which are right to 32 bits.
NEAR = {"ranked first": 0.05, "p": 1e-6, "Holm's p": 1e-5, "effective subjects": 1e-6}


# Tables against rows of the oracle.


def flat(row: Mapping[str, Any], *, errors: bool) -> dict[str, Any]:
    """Name the fields of a row as the tables do, each estimate as several."""
    found: dict[str, Any] = {}
    for key, value in row.items():
        name = COLUMNS[key]
        if isinstance(value, Estimate):
            fields: dict[str, Any] = {name: value.value, name + LOW: value.low, name + HIGH: value.high}
            fields |= {name + ERROR: value.error, name + EFFECTIVE: value.effective} if errors else {}
        else:
            fields = {name: WORDS.get(value, value) if isinstance(value, str) else value}
        assert not fields.keys() & found.keys()
        found |= fields
    return found


def check_value(where: object, found: Any, expected: Any, slack: float) -> None:
    """Compare a field; `slack` is by how much a float may be off besides the digits to which it is written."""
    told = f"{where}: {found!r}, not {expected!r}"
    if expected is None or isinstance(expected, bool | str | int | list):
        assert (found, type(found)) == (expected, type(expected)), told
    elif math.isnan(expected):
        assert found is None, told
    else:
        assert isinstance(found, float), told
        assert found == pytest.approx(expected, rel=6e-9, abs=slack), told


def check_row(
    where: object,
    found: Mapping[str, Any],
    row: Mapping[str, Any],
    *,
    errors: bool = False,
    slack: float = EXACT,
    loose: Mapping[str, float] = MappingProxyType({}),
) -> None:
    """Compare all fields of a row; none may be missing, and none be there that the oracle does not know.

    Args:
        where: which row it is, for the message.
        found: the row under test.
        row: the oracle's.
        errors: whether there are standard errors and effective numbers of subjects beside the intervals.
        slack: by how much figures may be off.
        loose: of some fields, by which share of themselves instead.
    """
    expected = flat(row, errors=errors)
    found = {name: value for name, value in found.items() if name != RECOGNISER}
    if errors:
        # A reason stands where there is a figure without an interval, and nowhere else.
        for name in [COLUMNS[key] for key, value in row.items() if isinstance(value, Estimate)]:
            lacking = found[name] is not None and found[name + LOW] is None
            assert bool(found.get(name + NO_CI)) == lacking, f"{where}: {name}"
        found = {name: value for name, value in found.items() if not name.endswith(NO_CI)}
    assert set(found) == set(expected), f"{where}: {sorted(set(found) ^ set(expected))}"
    for key, value in row.items():
        name, share = COLUMNS[key], loose.get(key, 0.0)
        if not isinstance(value, Estimate):
            near = slack + NEAR.get(key, 0.0) + share * abs(value) if isinstance(value, float) else 0
            check_value((where, name), found[name], expected[name], near)
            continue
        check_value((where, name), found[name], value.value, slack + share * abs(value.value))
        if is_unreached(row, key) and not isinstance(found[name + LOW], float):
            continue
        # Sums by subject are right to 32 bits; ends and errors are written to 6 digits.
        half = 0.0 if math.isnan(value.low) else (value.high - value.low) / 2
        for ending, end in zip((LOW, HIGH, ERROR, EFFECTIVE), value[1:], strict=True):
            if name + ending in expected:
                near = slack + 2e-4 * half + (share + 6e-6) * abs(end)
                check_value((where, name + ending), found[name + ending], end, near)


def is_unreached(row: Mapping[str, Any], key: str) -> bool:
    """Whether a figure may have no interval: a control's EER, whose threshold the sums of all draws may not reach."""
    return key == "EER" and row["comparison"] == CONTROL


def read_table(path: Path, expected: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Read a table; what kind of value a field holds is taken from the rows that are expected."""
    with path.open(newline="") as file:
        (first, *header), *rows = csv.reader(file)
    # The oracle's studies have one recogniser.
    assert first == RECOGNISER and len({recogniser for recogniser, *_ in rows}) < 2
    rows = [row for _, *row in rows]
    assert len(header) == len(set(header))
    names = flat(expected[0], errors=False)
    assert set(header) == set(names), f"{path.name}: {sorted(set(header) ^ set(names))}"
    assert len(rows) == len(expected), f"{path.name}: {len(rows)} rows, not {len(expected)}"
    kinds = [flat(row, errors=False) for row in expected]
    return [
        {name: parse(text, kind[name]) for name, text in zip(header, row, strict=True)}
        for row, kind in zip(rows, kinds, strict=True)
    ]


def parse(text: str, kind: Any) -> Any:
    if kind is None or isinstance(kind, bool):
        return {"True": True, "False": False, "": None}.get(text, text)
    if isinstance(kind, str):
        return text
    if isinstance(kind, int):
        return int(text)
    return float(text) if text else None


def check_table(
    path: Path,
    expected: Sequence[Mapping[str, Any]],
    slack: float = EXACT,
    loose: Mapping[str, float] = MappingProxyType({}),
) -> None:
    found = read_table(path, expected)
    for number, (row, wanted) in enumerate(zip(found, expected, strict=True), 2):
        check_row(f"{path.name}, line {number}", row, wanted, slack=slack, loose=loose)


def check_rows(
    where: str, found: Sequence[Mapping[str, Any]], expected: Sequence[Mapping[str, Any]], slack: float = EXACT
) -> None:
    """Compare rows of the JSON file, those inside rows among them."""
    assert len(found) == len(expected), where
    for number, (row, wanted) in enumerate(zip(found, expected, strict=True)):
        # Lists of rows, not of names.
        lists = {key: value for key, value in wanted.items() if isinstance(value, list)}
        inside = [key for key, value in lists.items() if not value or isinstance(value[0], dict)]
        for key in inside:
            check_rows(f"{where} {number} {key}", row[COLUMNS[key]], wanted[key], slack)
        names = {COLUMNS[key] for key in inside}
        rest, rest_wanted = (
            {key: value for key, value in row.items() if key not in names},
            {key: value for key, value in wanted.items() if key not in inside},
        )
        check_row(f"{where} {number}", rest, rest_wanted, errors=True, slack=slack)


def filled(rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """The columns that have a value in some row."""
    named = [flat(row, errors=False) for row in rows]
    return {name for row in named for name, value in row.items() if not is_empty(value)}


def is_empty(value: Any) -> bool:
    return math.isnan(value) if isinstance(value, float) else value in ("", [], None)
