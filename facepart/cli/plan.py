"""The options of ``--dry-run``: for how many photos, and for which machines, it plans."""

import argparse
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from facepart.cli.engine import positive
from facepart.cli.ray import spread_over
from facepart.errors import UsageError

if TYPE_CHECKING:
    from facepart.cluster.machines import Node
    from facepart.pipeline.executor import Spread


def add_plan_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--dry-run``, ``--of`` and ``--on``."""
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="say what there is to do, how long it takes and what it needs; with --ray, on that cluster",
    )
    parser.add_argument(
        "--of", type=positive, metavar="N", help="with --dry-run: PHOTOS are a sample, plan for N photos like them"
    )
    parser.add_argument(
        "--on",
        metavar="NODESxPROCESSORS",
        help="with --dry-run: plan for a cluster that is not there, such as 16x64, or 16x64x8 with 8 GPUs a node",
    )


def refuse_wrong_plan(arguments: argparse.Namespace) -> None:
    """Refuse options of a plan that is not asked for.

    Raises:
        UsageError: there are such, or two clusters are named.
    """
    for option in ("of", "on"):
        if getattr(arguments, option) is not None and not arguments.dry_run:
            raise UsageError(f"--{option} plans, and does nothing: give --dry-run with it")
    if arguments.on is not None and arguments.ray is not None:
        raise UsageError("--on plans for a cluster that is not there, and --ray for one that is: give one of them")


@contextmanager
def planned_on(arguments: argparse.Namespace) -> "Iterator[tuple[Spread, str, Sequence[Node] | None]]":
    """Yield who embeds a few photos, on which device, and the nodes that are planned for; None for this machine.

    Raises:
        UsageError: the nodes are not well named, or have not that device.
        FacepartError: see :func:`facepart.cli.ray.spread_over`.
    """
    nodes, device = None, arguments.device
    if arguments.on is not None:
        nodes = _read_nodes(arguments.on)
        if device == "auto":
            device = "cuda" if nodes[0].gpus else "cpu"
        if device != "cpu" and not nodes[0].gpus:
            raise UsageError(f"--device {device}: --on {arguments.on} has no GPUs; {arguments.on}x1 has one a node")
    with spread_over(arguments.ray, device) as spread:
        if arguments.ray is not None:
            from facepart.cluster.machines import nodes_there

            nodes = nodes_there()
        yield spread, device, nodes


def _read_nodes(text: str) -> "list[Node]":
    """Read nodes that are all alike."""
    from facepart.cluster.machines import Node

    found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,3})(?:x(\d{1,3}))?", text)
    if found is None:
        raise UsageError(f"--on {text}: give nodes x processors of each, such as 16x64, or 16x64x8 with 8 GPUs each")
    count, processors, gpus = (int(each or 0) for each in found.groups())
    return [Node(processors, gpus)] * count
