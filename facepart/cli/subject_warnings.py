"""Warnings about subjects and photos whose group the table does not give, and about groups that are too small."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from facepart.counts import count_of, first_of
from facepart.data.subject_table import (
    SUBJECTS_NAMED,
    in_several_text,
    small_groups_text,
    without_own_row_text,
)

if TYPE_CHECKING:
    from facepart.matching.groups import Split
    from facepart.study.groups import Members

_logger = logging.getLogger(__name__)


def warn_of_left_out(table: Path, found: "Split | Members") -> None:
    """Warn of photos that have no row in the table: of those that are left out, and of those that are not.

    Subjects whose row has no group are left out, too.
    """
    without_row = [subject for subject in found.without_row if subject not in found.in_several]
    for subjects, lack in ((without_row, "row"), (found.without_group, "group")):
        if subjects:
            left_out, named = count_of(len(subjects), "subject"), first_of(subjects, SUBJECTS_NAMED)
            _logger.warning("%s: left out %s without a %s: %s", table, left_out, lack, named)
    if found.in_several:
        _logger.warning("%s: left out %s", table, in_several_text(found.in_several))
    if found.without_own_row:
        _logger.warning("%s: %s", table, without_own_row_text(found.without_own_row))


def warn_of_small_groups(table: Path, small: Mapping[str, int], smallest: int) -> None:
    """Warn of groups that are left out because they have fewer than `smallest` subjects; all of them are named."""
    if small:
        _logger.warning("%s: %s", table, small_groups_text(small, smallest))
