"""Reaching a Ray cluster, or starting one on this machine."""

import logging
import os
import re
import secrets
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from facepart.errors import FacepartError, UsageError, first_line

AUTO, LOCAL = "auto", "local"
# Of what Ray sends home, prints and warns of, nothing is wanted.
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
# A node whose power is cut closes no connection. Ray takes it for dead after a minute, but waits for what its workers
# were asked until it has looked after the connection, which by itself it does after five minutes, and waits two more.
# Workers refuse to be looked after more often than once a minute.
_WATCHFUL = {
    "RAY_grpc_client_keepalive_time_ms": "70000",
    "RAY_grpc_client_keepalive_timeout_ms": "20000",
}
# A node that is there answers within milliseconds; Ray itself would try for minutes.
_PATIENCE = 10.0


@contextmanager
def connect(address: str) -> Iterator[None]:
    """Use a cluster as long as the block lasts; what was started here is stopped after it.

    Where this process is connected already, that connection is used, and left as it is.

    Args:
        address: ``local`` starts Ray on this machine, with all its processors; ``auto`` finds a cluster of which this
            machine is a node; ``host:6379`` is the head of such a cluster; ``ray://host:10001`` reaches one from
            outside.

    Raises:
        FacepartError: Ray is not installed, or the cluster cannot be reached.
        UsageError: that is no address.
    """
    if find_spec("ray") is None:
        raise FacepartError("--ray needs Ray, which is not installed: pip install facepart[ray]")
    for name, value in {**_QUIET, **_WATCHFUL}.items():
        os.environ.setdefault(name, value)
    token = {} if address != LOCAL or "ray" in sys.modules or "RAY_AUTH_MODE" in os.environ else _own_token()
    os.environ.update(token)
    try:
        with _connected(address):
            yield
    finally:
        for name in token:
            del os.environ[name]


@contextmanager
def _connected(address: str) -> Iterator[None]:
    there: Any = sys.modules.get("ray")
    if there is not None and there.is_initialized():
        yield
        return
    found = os.environ.get("RAY_ADDRESS", AUTO) if address == AUTO else address
    if found not in (AUTO, LOCAL):
        _refuse_unreachable(found)
    import ray

    options: dict[str, Any] = {"include_dashboard": False} if found == LOCAL else {}
    try:
        with warnings.catch_warnings(action="ignore"):
            ray.init(address=found, logging_level=logging.ERROR, log_to_driver=False, **options)
    except Exception as error:  # Ray raises errors of many kinds, down to bare ones
        raise FacepartError(_why_not(found, error)) from error
    try:
        with _silenced():
            yield
    finally:
        ray.shutdown()


def _own_token() -> dict[str, str]:
    """Give the variables by which a cluster lets in nobody but those that know its token.

    Without them Ray writes a token of its own into the home folder, and every cluster that is started later by hand
    asks for it.
    """
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(16)}


@contextmanager
def _silenced() -> Iterator[None]:
    """Keep Ray from printing to standard output what it has to tell of nodes that die, dozens of lines each.

    There is no setting for that, only the function itself; where a release has it elsewhere, its lines are seen.
    """
    from ray._private import worker

    printing = getattr(worker, "print_to_stdstream", None)
    worker.print_to_stdstream = lambda *_, **__: None
    try:
        yield
    finally:
        worker.print_to_stdstream = printing


def _refuse_unreachable(address: str) -> None:
    """Look whether there is anything at an address.

    Raises:
        FacepartError: there is nothing.
        UsageError: that is no address.
    """
    parts = re.fullmatch(r"(?:ray://)?(?P<host>[^\s/:]+|\[[^\s/]+\]):(?P<port>\d{1,5})", address)
    if parts is None or int(parts["port"]) > 65535:
        raise UsageError(f"--ray {address}: give auto, local, HOST:6379 or ray://HOST:10001")
    try:
        socket.create_connection((parts["host"].strip("[]"), int(parts["port"])), _PATIENCE).close()
    except OSError as error:
        reason = error.strerror or error
        raise FacepartError(
            f"--ray {address}: there is no cluster ({reason}); start one with `ray start --head`, or use --ray local"
        ) from error


def _why_not(address: str, error: Exception) -> str:
    """Say in one line why there is no connection."""
    if address == AUTO:
        return (
            "--ray auto: this machine is not a node of a cluster; start one with `ray start --head`, join one with "
            "`ray start --address HOST:6379`, or use --ray local"
        )
    reason = first_line(error)
    return f"--ray {address}: cannot be reached ({reason}); if it asks for a token, set RAY_AUTH_MODE=token here, too"
