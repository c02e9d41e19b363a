"""Deletion and keep-only side by side: each part occluded, and all but that part occluded.

Deletion asks what the recogniser loses without a part, keep-only what it can do with that part alone. Both rows of a
part are of the same photos by the same method, unless photos without the part are kept in those of deletion.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from facepart.analysis.results import KEEP_ONLY, WITHIN, PartResult


class KeptPart(NamedTuple):
    """A part of a group, occluded and alone; every figure of a row has its CI.

    Attributes:
        part: the part.
        deletion: the figures with the part occluded.
        keep_only: the figures with all but the part occluded: ``d_prime``, ``fnmr_1e3``, ``impostor_shift``, ...
    """

    part: str
    deletion: PartResult
    keep_only: PartResult


def kept_parts(results: Sequence[PartResult], group: str) -> list[KeptPart]:
    """Find the rows of keep-only, each with that of deletion.

    Args:
        results: of one recogniser, as :attr:`facepart.analysis.measure.Figures.results` has them.
        group: the group.

    Returns:
        The parts that were compared, the largest d' with only that part left first; those whose d' is unknown last.
    """
    rows = {(row.part, row.occlusion, row.comparison): row for row in results if row.group == group}
    found = [
        KeptPart(part, rows[part, occlusion, WITHIN], row)
        for (part, occlusion, comparison), row in rows.items()
        if comparison == KEEP_ONLY
    ]
    return sorted(found, key=_falling_d_prime)


def _falling_d_prime(each: KeptPart) -> float:
    value = each.keep_only.d_prime.value
    return math.inf if math.isnan(value) else -value
