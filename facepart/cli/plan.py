"""The options of ``--dry-run``, which estimates what a study takes."""

import argparse

from facepart.cli.engine import positive
from facepart.errors import UsageError


def add_plan_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--dry-run`` and ``--of``."""
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="estimate time, memory and disk space from a few photos, and run nothing; with --ray, on that cluster",
    )
    parser.add_argument(
        "--of", type=positive, metavar="N", help="with --dry-run: extrapolate the estimate to N photos"
    )


def refuse_wrong_plan(arguments: argparse.Namespace) -> None:
    """Refuse ``--of`` without ``--dry-run``.

    Raises:
        UsageError: it is given without.
    """
    if arguments.of is not None and not arguments.dry_run:
        raise UsageError("--of extrapolates an estimate: use it with --dry-run")
