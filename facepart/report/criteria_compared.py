"""The rankings by all criteria side by side, as data for ``templates/criteria.html``."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from facepart.analysis.criteria import compare_criteria
from facepart.analysis.ranking import Ranked
from facepart.analysis.results import ALL_GROUPS
from facepart.report.report_data import ReportData, ranks_by_part


@dataclass(frozen=True)
class CriterionRanking:
    """The ranking of a group's parts by a criterion.

    Attributes:
        criterion: the criterion.
        ranked: part -> its place, from 1, and what is known of it; of parts that have a rank.
        first: the part that is ranked first of those that the study's ranking has, too; empty if there are none.
        tau: Kendall's tau-b between this ranking and the study's, over the parts that both have; NaN for fewer than
            two such parts.
        same_first: whether the study's ranking has the same part first, of these.
    """

    criterion: str
    ranked: Mapping[str, tuple[int, Ranked]]
    first: str
    tau: float
    same_first: bool


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
        return self.rankings[0].first

    @property
    def differing(self) -> list[CriterionRanking]:
        """The rankings by other criteria in which another part is first."""
        return [each for each in self.rankings[1:] if each.first and not each.same_first]

    @property
    def agreeing(self) -> list[str]:
        """The other criteria that rank the same part first of all parts."""
        return [each.criterion for each in self.rankings[1:] if next(iter(each.ranked), "") == self.first]

    @property
    def first_elsewhere(self) -> dict[str, list[str]]:
        """The parts that the study's ranking does not have, but that are first by other criteria: part -> these."""
        found: dict[str, list[str]] = {}
        for each in self.rankings[1:]:
            part = next(iter(each.ranked), "")
            if part and part not in self.rankings[0].ranked:
                found.setdefault(part, []).append(each.criterion)
        return found


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
            tables.append(_criteria_table(title, found, data.parts))
    return tables


def _criteria_table(group: str, by_criterion: Mapping[str, Sequence[Ranked]], parts: Sequence[str]) -> CriteriaTable:
    """Put the rankings of a group together; the first criterion is the study's."""
    names = list(by_criterion)
    effects = {name: {each.part: each.effect.value for each in found} for name, found in by_criterion.items()}
    # Each criterion beside the study's.
    agreements = {row.second: row for row in compare_criteria(effects) if row.first == names[0]}
    main = [each.part for each in by_criterion[names[0]]]
    rankings = []
    for name, found in by_criterion.items():
        agreement = agreements.get(name)
        rankings.append(
            CriterionRanking(
                criterion=name,
                ranked=ranks_by_part(found),
                first=next((each.part for each in found if each.part in main), ""),
                tau=agreement.tau if agreement else math.nan,
                same_first=agreement is None or agreement.same_first,
            )
        )
    return CriteriaTable(group, [*main, *(part for part in parts if part not in main)], rankings)
