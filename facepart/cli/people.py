"""What commands say of people whom a table of groups does not know."""

import logging
from collections.abc import Sequence
from pathlib import Path

_NAMED = 5  # people, in a warning


def warn_of_unknown(table: Path, without_row: Sequence[str], without_group: Sequence[str]) -> None:
    """Warn of people who are left out because the table has no row, or no group, for them."""
    logger = logging.getLogger(__name__)
    for people, lack in ((without_row, "row"), (without_group, "group")):
        if people:
            named = ", ".join(people[:_NAMED]) + (", ..." if len(people) > _NAMED else "")
            logger.warning("%s: no %s for these people, left out (%d): %s", table, lack, len(people), named)
