"""Warnings about subjects whose group the table does not give, and about groups that are too small."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from facepart.counts import count_of, first_of
from facepart.data.subject_table import SUBJECTS_NAMED, small_groups_text

_logger = logging.getLogger(__name__)


def warn_of_left_out(table: Path, without_row: Sequence[str], without_group: Sequence[str]) -> None:
    """Warn of subjects that are left out because the table has no row, or no group, for them."""
    for subjects, lack in ((without_row, "row"), (without_group, "group")):
        if subjects:
            left_out, named = count_of(len(subjects), "subject"), first_of(subjects, SUBJECTS_NAMED)
            _logger.warning("%s: left out %s without a %s: %s", table, left_out, lack, named)


def warn_of_small_groups(table: Path, small: Mapping[str, int], smallest: int) -> None:
    """Warn of groups that are left out because they have fewer than `smallest` subjects; all of them are named."""
    if small:
        _logger.warning("%s: %s", table, small_groups_text(small, smallest))
