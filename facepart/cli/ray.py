"""The option ``--ray``, and the executor that it chooses."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from facepart.cli.guard import Guard

if TYPE_CHECKING:
    from facepart.pipeline.executor import Executor


def add_ray_argument(group: argparse._ArgumentGroup, work: str) -> None:
    """Add ``--ray``; `work` says what the cluster does, in the imperative."""
    group.add_argument(
        "--ray",
        metavar="ADDRESS",
        help=f"{work} on a Ray cluster: auto (this machine is a node of it), local (start one on this machine), "
        "HOST:6379 or ray://HOST:10001; results do not depend on it (default: no cluster)",
    )


@contextmanager
def executor_for(address: str | None, device: str) -> "Iterator[Executor]":
    """Yield the executor for the photos: a cluster or, without an address, this process.

    Args:
        address: see :func:`facepart.cluster.connect.connect`.
        device: see :class:`facepart.cluster.ray_executor.RayExecutor`.

    Raises:
        FacepartError: the cluster cannot be reached, or has no such device.
        UsageError: `address` is not an address, or `device` not a device of a cluster.
    """
    if address is None:
        from facepart.pipeline.executor import LOCAL

        yield LOCAL
        return
    from facepart.cluster.connect import connect

    with connect(address):
        Guard.retake_signals()  # Ray takes SIGTERM for itself
        from facepart.cluster.ray_executor import RayExecutor

        yield RayExecutor(device)
