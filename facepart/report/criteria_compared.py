"""The rankings by all criteria side by side, as data for ``templates/criteria.html``."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from facepart.analysis.criteria import compare_criteria
from facepart.analysis.ranking import Ranked
from facepart.analysis.results import ALL_GROUPS, CONTROL
from facepart.report.criterion_names import criterion
from facepart.report.report_data import ReportData, ranks_by_part


@dataclass(frozen=True)
class CriterionRanking:
    """The ranking of a group's parts by a criterion.

    Attributes:
        criterion: the criterion.
        ranked: part -> its place, from 1, and what is known of it; of parts that have a rank.
        common_firsts: the part with the largest effect of those that the study's ranking has, too; several if their
            effects are equal.
        tau: Kendall's tau-b between this ranking and the study's, over the parts that both have; NaN for fewer than
            two such parts, or if all effects are equal.
    """

    criterion: str
    ranked: Mapping[str, tuple[int, Ranked]]
    common_firsts: Sequence[str]
    tau: float

    @property
    def firsts(self) -> list[str]:
        """The part with the largest effect of all that this criterion ranks; several if their effects are equal."""
        return [part for part, (rank, _) in self.ranked.items() if rank == 1]


@dataclass(frozen=True)
class CriteriaTable:
    """A group's parts, ranked by every criterion that the study supports.

    Attributes:
        group: the group's name; empty for the mean of several groups.
        parts: in the order of the study's ranking, then those that it does not rank.
        rankings: the study's ranking, then the others.
    """

    group: str
    parts: Sequence[str]
    rankings: Sequence[CriterionRanking]

    @property
    def first(self) -> str:
        """The part that is first in the study's ranking."""
        return self.rankings[0].firsts[0]

    @property
    def differing(self) -> list[CriterionRanking]:
        """The rankings by other criteria in which another part is first, of those that the study's ranking has."""
        return [
            each for each in self.rankings[1:] if each.common_firsts and not self._firsts & set(each.common_firsts)
        ]

    @property
    def tied(self) -> list[CriterionRanking]:
        """The rankings in which several parts are first, of those that the study's ranking has."""
        return [each for each in self.rankings if len(each.common_firsts) > 1]

    @property
    def agreeing(self) -> list[str]:
        """The other criteria that rank the same part first of all parts, for readers, with what limits that."""
        return [_limited(each, self.rankings[0]) for each in self.rankings[1:] if self.first in each.firsts]

    @property
    def other_firsts(self) -> list[str]:
        """The other parts in the study's ranking that are first of all parts by other criteria."""
        ranked = self.rankings[0].ranked
        firsts = [part for each in self.rankings[1:] if not self._firsts & set(each.firsts) for part in each.firsts]
        return list(dict.fromkeys(part for part in firsts if part in ranked))

    @property
    def first_elsewhere(self) -> dict[str, list[str]]:
        """The parts that the study's ranking does not have, but that are first by other criteria: part -> these."""
        found: dict[str, list[str]] = {}
        for each in self.rankings[1:]:
            for part in each.firsts:
                if part not in self.rankings[0].ranked:
                    found.setdefault(part, []).append(each.criterion)
        return found

    @property
    def _firsts(self) -> set[str]:
        return set(self.rankings[0].firsts)


def criteria_tables(data: ReportData) -> list[CriteriaTable]:
    """Compare the rankings by all criteria, of all groups together first; empty if there is only one criterion."""
    by_criterion = data.figures.rankings
    if len(by_criterion) < 2 or not data.main_ranking:
        return []
    names = [data.ranked_by, *(each for each in by_criterion if each != data.ranked_by)]
    tables = []
    for group in [ALL_GROUPS] * data.several_groups + [group.name for group in data.groups]:
        title = "" if group == ALL_GROUPS and data.several_groups else group
        # Some groups, or all together, may not support a criterion.
        found = {name: by_criterion[name][group] for name in names if by_criterion[name].get(group)}
        if data.ranked_by in found:
            tables.append(criteria_table(title, found, data.parts))
    return tables


def criteria_table(group: str, by_criterion: Mapping[str, Sequence[Ranked]], parts: Sequence[str]) -> CriteriaTable:
    """Put the rankings of a group together.

    Args:
        group: see :class:`CriteriaTable`.
        by_criterion: criterion -> its ranking, which has a part; the first criterion is the study's.
        parts: of the study.
    """
    names = list(by_criterion)
    # Equal effects may differ in their last bits.
    effects = {name: {each.part: round(each.effect.value, 12) for each in by_criterion[name]} for name in names}
    # Each criterion beside the study's.
    taus = {row.second: row.tau for row in compare_criteria(effects) if row.first == names[0]}
    main = [each.part for each in by_criterion[names[0]]]
    rankings = []
    for name, found in by_criterion.items():
        common = ranks_by_part([each for each in found if each.part in main])
        rankings.append(
            CriterionRanking(
                criterion=name,
                ranked=ranks_by_part(found),
                common_firsts=[part for part, (rank, _) in common.items() if rank == 1],
                tau=taus.get(name, math.nan),
            )
        )
    return CriteriaTable(group, [*main, *(part for part in parts if part not in main)], rankings)


def falls_beyond_control(data: ReportData) -> dict[str, list[str]]:
    """List the parts with which d' falls by more than with their control regions occluded.

    Returns:
        Group -> these parts, by their estimates; empty if d' is not known with any control.
    """
    occluded, controls = data.main_rows(), data.main_rows(CONTROL)
    known = {key: row for key, row in controls.items() if math.isfinite(row.d_prime_change.value)}
    found: dict[str, list[str]] = {group: [] for group, _ in known}
    for (group, part), control in known.items():
        if occluded[group, part].d_prime_change.value < min(control.d_prime_change.value, 0.0):
            found[group].append(part)
    return found


def _limited(ranking: CriterionRanking, main: CriterionRanking) -> str:
    """Return a criterion's name, and in parentheses whether it ranks several parts first, or leaves out some."""
    limits = ["tied"] * (len(ranking.firsts) > 1)
    common = sum(part in ranking.ranked for part in main.ranked)
    if common < len(main.ranked):
        limits.append(f"{common} of {len(main.ranked)} parts ranked")
    label = criterion(ranking.criterion).label
    return f"{label} ({'; '.join(limits)})" if limits else label
