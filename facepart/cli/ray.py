"""The option ``--ray`` of the commands that work on photos."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facepart.pipeline.executor import Executor


def add_ray_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--ray``."""
    parser.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="work on a Ray cluster: auto (this machine is a node of it), local (started here), HOST:6379, or "
        "ray://HOST:10001; does not change the results",
    )


@contextmanager
def executor_for(address: str | None, device: str) -> "Iterator[Executor]":
    """Yield who does the work: a cluster, or without an address this process.

    Args:
        address: see :func:`facepart.cluster.connect.connect`.
        device: see :class:`facepart.cluster.executor.RayExecutor`.

    Raises:
        FacepartError: the cluster cannot be reached, or has no such device. UsageError: that is no address, or no
            device of a cluster.
    """
    if address is None:
        from facepart.pipeline.executor import LOCAL

        yield LOCAL
        return
    from facepart.cluster.connect import connect

    with connect(address):
        from facepart.cluster.executor import RayExecutor

        yield RayExecutor(device)
