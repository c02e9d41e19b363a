"""Whether the ranking holds with other occlusion methods, as data for ``templates/other_methods.html``."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from facepart.analysis.intervals import Interval
from facepart.analysis.ranking import MethodAgreement
from facepart.analysis.results import WITHIN
from facepart.report.report_data import ReportData


@dataclass(frozen=True)
class MethodComparison:
    """How each method ranks the parts of a group, or of all groups together.

    Attributes:
        group: the group, or ``all``.
        agreements: the main method's ranking, then the others.
        shifts: (method, part) -> impostor shift; empty for all groups together.
    """

    group: str
    agreements: Sequence[MethodAgreement]
    shifts: Mapping[tuple[str, str], Interval]

    @property
    def parts(self) -> Sequence[str]:
        """The parts in the order of the main method."""
        return self.agreements[0].parts

    @property
    def first_part(self) -> str:
        """The part with the largest shift by the main method."""
        return self.parts[0]

    @property
    def others(self) -> int:
        """How many other methods there are."""
        return len(self.agreements) - 1

    @property
    def same(self) -> int:
        """By how many other methods the same part has the largest shift."""
        return sum(row.same_first for row in self.agreements[1:])

    @property
    def taus(self) -> list[float]:
        """Kendall's tau of the other methods as far as it is known, in ascending order."""
        return sorted(round(row.tau, 2) for row in self.agreements[1:] if math.isfinite(row.tau))


def compare_rankings(data: ReportData) -> list[MethodComparison]:
    """Compare the methods' rankings, of all groups together first; empty if there is only one method."""
    if not data.other_methods:
        return []
    shifts: dict[str, dict[tuple[str, str], Interval]] = {}
    for row in data.results:
        if row.comparison == WITHIN:
            shift = row.weighted("impostor_shift", data.design.weight)
            shifts.setdefault(row.group, {})[row.occlusion, row.part] = shift
    names = dict.fromkeys(row.group for row in data.agreements)
    return [
        MethodComparison(name, [row for row in data.agreements if row.group == name], shifts.get(name, {}))
        for name in names
    ]
