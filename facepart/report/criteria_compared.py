"""The rankings by all criteria side by side, as data for ``templates/criteria.html``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from facepart.analysis.metrics import kendall_tau
from facepart.analysis.ranking import Ranked
from facepart.analysis.results import ALL_GROUPS
from facepart.report.report_data import ReportData


@dataclass(frozen=True)
class CriterionRanking:
    """The ranking of a group's parts by a criterion.

    Attributes:
        criterion: the criterion.
        ranked: part -> its place, from 1, and what is known of it; of parts that have a rank.
        tau: Kendall's tau-b between this ranking and the study's, over the parts that both rank; NaN for fewer than
            two such parts.
    """

    criterion: str
    ranked: Mapping[str, tuple[int, Ranked]]
    tau: float

    @property
    def first(self) -> str:
        """The part that is ranked first."""
        return next(iter(self.ranked))

    @property
    def possible_firsts(self) -> list[str]:
        """The 95 % set of parts that may be first, in the order of the ranking."""
        return [part for part, (_, each) in self.ranked.items() if each.may_be_first]


@dataclass(frozen=True)
class CriteriaTable:
    """A group's parts, ranked by every criterion that the study supports.

    Attributes:
        group: the group's name; empty for the mean of several groups.
        parts: in the order of the study's ranking.
        rankings: the study's ranking, then the others.
    """

    group: str
    parts: Sequence[str]
    rankings: Sequence[CriterionRanking]

    @property
    def differing(self) -> list[CriterionRanking]:
        """The rankings by other criteria in which another part is first."""
        return [each for each in self.rankings[1:] if each.first != self.rankings[0].first]


def compare_criteria(data: ReportData) -> list[CriteriaTable]:
    """Compare the rankings by all criteria, of all groups together first; empty if there is only one criterion."""
    rankings = data.figures.rankings
    if len(rankings) < 2 or data.ranked_by not in rankings:
        return []
    tables = []
    for name in [ALL_GROUPS] * data.several_groups + [group.name for group in data.groups]:
        main = {each.part: each for each in rankings[data.ranked_by][name]}
        names = [data.ranked_by, *(each for each in rankings if each != data.ranked_by)]
        tables.append(
            CriteriaTable(
                group="" if name == ALL_GROUPS and data.several_groups else name,
                parts=[*main, *(part for part in data.parts if part not in main)],
                rankings=[_ranking(each, rankings[each][name], main) for each in names],
            )
        )
    return tables


def _ranking(criterion: str, found: Sequence[Ranked], main: Mapping[str, Ranked]) -> CriterionRanking:
    common = [each for each in found if each.part in main]
    tau = float("nan")
    if len(common) > 1:
        tau = kendall_tau([main[each.part].effect.value for each in common], [each.effect.value for each in common])
    return CriterionRanking(criterion, {each.part: (rank, each) for rank, each in enumerate(found, 1)}, tau)
