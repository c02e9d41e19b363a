"""The options of ``--dry-run``, which estimates what a study takes."""

import argparse

from facepart.cli.command_parser import positive
from facepart.errors import UsageError


def add_dry_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the group "estimate": ``--dry-run`` and ``--of``."""
    group = parser.add_argument_group("estimate")
    group.add_argument(
        "--dry-run",
        action="store_true",
        help="estimate time, memory and disk space from a few photos, without running the study; with --ray, on that "
        "cluster",
    )
    group.add_argument(
        "--of",
        type=positive,
        metavar="N",
        help="with --dry-run: extrapolate the estimate to N photos (default: the photos of the study)",
    )


def refuse_size_without_dry_run(arguments: argparse.Namespace) -> None:
    """Refuse ``--of`` without ``--dry-run``.

    Raises:
        UsageError: ``--of`` is given without ``--dry-run``.
    """
    if arguments.of is not None and not arguments.dry_run:
        raise UsageError("--of extrapolates an estimate: use it with --dry-run")
