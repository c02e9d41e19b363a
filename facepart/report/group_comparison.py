"""How groups differ, in error rates, impostor shifts and importances: data for ``templates/groups.html``."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from facepart.analysis.choices import SHIFT
from facepart.analysis.differentials import EACH_GROUP, Differential, GroupRates, ShiftDifference
from facepart.analysis.intervals import Interval
from facepart.occlusion.occlusion import BASELINE
from facepart.report.formatting import excludes, listed
from facepart.report.missing_intervals import why_no_interval_of
from facepart.report.report_data import ReportData

# Pairs of groups that are counted one by one: those of four groups.
_MOST_PAIRS = 6


@dataclass(frozen=True)
class RatesAtThreshold:
    """The groups' error rates at thresholds set in one way.

    Attributes:
        rows: of the baseline photos, then with each part occluded.
        excluded: see :func:`excluded_groups`.
    """

    rows: Sequence[Differential]
    excluded: Mapping[str, str]

    @property
    def baseline(self) -> Differential:
        """The rates of the baseline photos."""
        return self.rows[0]

    @property
    def is_compared(self) -> bool:
        """Whether any group is not excluded."""
        return any(not group.refused for row in self.rows for group in row.groups)

    def has_rates(self, kind: str) -> bool:
        """Return whether any ``fmr`` or ``fnmr`` is known."""
        return any(
            not group.refused and math.isfinite(getattr(group, kind).value)
            for row in self.rows
            for group in row.groups
        )

    def has_ratios(self, kind: str, row: Differential | None = None) -> bool:
        """Return whether any ratio of ``fmr`` or ``fnmr`` is known and above 0, of all rows or of one."""
        figures = [getattr(ratio, kind).value for each in ([row] if row else self.rows) for ratio in each.ratios]
        return any(math.isfinite(value) and value > 0 for value in figures)

    @property
    def extremes(self) -> tuple[GroupRates, GroupRates] | None:
        """The groups with the lowest and the highest baseline FMR; None if fewer than two can be compared."""
        known = [group for group in self.baseline.groups if not group.refused and math.isfinite(group.fmr.value)]
        ordered = sorted(known, key=_fmr)
        return (ordered[0], ordered[-1]) if len(ordered) > 1 else None

    @property
    def pairs(self) -> int:
        """How many pairs of groups have a CI of the ratio of their baseline FMRs."""
        return sum(math.isfinite(ratio.fmr.low) for ratio in self.baseline.ratios)

    @property
    def pairs_apart(self) -> int:
        """How many of these differ significantly."""
        return sum(excludes(ratio.fmr, 1) for ratio in self.baseline.ratios)

    def cells(self, row: Differential) -> dict[str, GroupRates | None]:
        """Return a row's rates by group, in the order of the baseline; None where a part was not compared."""
        found = {group.group: group for group in row.groups}
        return {group.group: found.get(group.group) for group in self.baseline.groups}

    def ratios(self, kind: str) -> dict[tuple[str, str], list[Interval | None]]:
        """Return the ratios of each pair of groups, row by row, for ``fmr`` or ``fnmr``; None where there is none."""
        by_row = [{(ratio.first, ratio.second): getattr(ratio, kind) for ratio in row.ratios} for row in self.rows]
        pairs = dict.fromkeys(pair for ratios in by_row for pair in ratios)
        return {pair: [ratios.get(pair) for ratios in by_row] for pair in pairs}


class DifferenceCounts(NamedTuple):
    """How many differences of an effect there are between groups.

    Attributes:
        groups: the two groups; empty for all pairs of groups together.
        total: how many differences.
        with_ci: how many of these have a CI.
        significant: how many are significant at 5 %, with Holm's correction over all tests of this effect.
    """

    groups: tuple[str, ...]
    total: int
    with_ci: int
    significant: int


@dataclass(frozen=True)
class EffectDifferences:
    """How an effect of the parts differs between the groups, by the main method.

    Attributes:
        effect: ``impostor_shift`` or ``importance``.
        by_pair: (group, group) -> part -> the difference; a part that has the effect in one of the two alone is left
            out.
    """

    effect: str
    by_pair: Mapping[tuple[str, str], Mapping[str, ShiftDifference]]

    @property
    def counts(self) -> list[DifferenceCounts]:
        """The counts of each pair of groups; of many pairs, those of all together."""
        if len(self.by_pair) > _MOST_PAIRS:
            return [_counts((), self._differences())]
        return [_counts(pair, list(by_part.values())) for pair, by_part in self.by_pair.items()]

    @property
    def with_ci(self) -> int:
        """How many differences have a CI."""
        return sum(math.isfinite(each.difference.low) for each in self._differences())

    @property
    def why_no_ci(self) -> str:
        """Why differences have no CI."""
        return why_no_interval_of([each.difference for each in self._differences()])

    @property
    def apart(self) -> int:
        """How many of these CIs exclude 0."""
        return sum(excludes(each.difference, 0) for each in self._differences())

    @property
    def significant_parts(self) -> list[str]:
        """The parts with a significant difference (Holm-corrected)."""
        return list(dict.fromkeys(each.part for each in self._differences() if each.is_significant))

    def _differences(self) -> list[ShiftDifference]:
        return [each for by_part in self.by_pair.values() for each in by_part.values()]


@dataclass(frozen=True)
class GroupComparison:
    """How the groups differ.

    Attributes:
        settings: the rates at each kind of threshold: one for all groups first, and the larger FMR first, since more
            scores support it.
        differences: of the impostor shifts; with a control also of the importances.
    """

    settings: Sequence[RatesAtThreshold]
    differences: Sequence[EffectDifferences]


def compare_groups(data: ReportData) -> GroupComparison | None:
    """Arrange the comparison of the groups; None if there is only one group."""
    if not data.differentials:
        return None
    settings: dict[tuple[bool, float, str], list[Differential]] = {}
    for row in data.differentials:
        key = (row.threshold_of == EACH_GROUP, -row.target, row.threshold_of)
        settings.setdefault(key, []).append(row)
    found: dict[str, dict[tuple[str, str], dict[str, ShiftDifference]]] = {SHIFT: {}}
    for each in data.shift_differences:
        if each.occlusion == data.main_method:
            found.setdefault(each.effect, {}).setdefault((each.first, each.second), {})[each.part] = each
    return GroupComparison(
        [RatesAtThreshold(settings[key], excluded_groups(settings[key], data.label)) for key in sorted(settings)],
        [EffectDifferences(effect, by_pair) for effect, by_pair in found.items()],
    )


def excluded_groups(rows: Sequence[Differential], label: Callable[[str], str]) -> dict[str, str]:
    """Return which groups are not compared: group -> why.

    A group that is compared on its baseline photos, but not with some parts occluded, is excluded for these alone;
    they are named.

    Args:
        rows: at one FMR.
        label: returns a part's name in a sentence.
    """
    found: dict[str, str] = {}
    parts: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        for group in row.groups:
            if group.refused and row.part == BASELINE.name:
                found[group.group] = group.refused
            elif group.refused:
                parts.setdefault(group.group, {}).setdefault(group.refused, []).append(label(row.part))
    for name, reasons in parts.items():
        told = [
            f"with {listed(list(dict.fromkeys(labels)))} occluded: {reason}" for reason, labels in reasons.items()
        ]
        found.setdefault(name, "; ".join(told))
    return found


def _counts(pair: tuple[str, ...], differences: Sequence[ShiftDifference]) -> DifferenceCounts:
    return DifferenceCounts(
        pair,
        len(differences),
        sum(math.isfinite(each.difference.low) for each in differences),
        sum(each.is_significant for each in differences),
    )


def _fmr(group: GroupRates) -> float:
    return group.fmr.value
