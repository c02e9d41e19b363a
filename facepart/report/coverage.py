"""On how many photos each part was detected, and why a part has no rank."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from facepart.analysis.choices import IMPORTANCE
from facepart.analysis.measure import Figures
from facepart.analysis.results import NOT_CONTROLLABLE, PartResult

# A reader is warned from this share of photos without the part in a group, or where the shares of two groups are this
# far apart.
MANY, APART = 0.05, 0.02
FEW_PHOTOS, TOO_FEW_SCORES = "no rank: detected in under half of the photos", "no rank: too few scores"
# By (group, part).
Rows = Mapping[tuple[str, str], PartResult]


class Undetected(NamedTuple):
    """A part that was not detected on many photos, or on more in one group than in another.

    Attributes:
        part: the part.
        shares: group -> the share of its photos in which the part was not detected, 0..1.
    """

    part: str
    shares: Mapping[str, float]


def often_undetected(rows: Rows) -> list[Undetected]:
    """List the parts that a reader is warned of.

    These are not detected on 5 % of a group's photos or more, or on 2 points more than of another group's.
    """
    found = []
    for part in dict.fromkeys(part for _, part in rows):
        shares = {group: row.undetected / row.photos for (group, of), row in rows.items() if of == part}
        if max(shares.values()) >= MANY or max(shares.values()) - min(shares.values()) >= APART:
            found.append(Undetected(part, shares))
    return found


def is_on_few_photos(rows: Sequence[PartResult]) -> bool:
    """Return whether a part has no rank because it was detected on too few photos; `rows` as :func:`why_no_rank`."""
    return any(row.is_on_few_photos for row in rows)


def why_no_rank(rows: Sequence[PartResult], figures: Figures) -> str:
    """Say why a part has no rank.

    Args:
        rows: the part's results, of the group or of all groups that are ranked together.
        figures: the study's.
    """
    if is_on_few_photos(rows):
        return FEW_PHOTOS
    if figures.ranked_by == IMPORTANCE and any(row.control == NOT_CONTROLLABLE for row in rows):
        return NOT_CONTROLLABLE
    unsupported = figures.unsupported.get(figures.ranked_by, {})
    reasons = [found for row in rows if (found := unsupported.get(row.group, {}).get(row.part))]
    return f"no rank: {reasons[0]}" if reasons else TOO_FEW_SCORES
