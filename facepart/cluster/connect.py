"""Reaching a Ray cluster, or starting one on this machine."""

import logging
import os
import re
import secrets
import socket
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
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
# With this a node listens on the loopback interface alone, not on all: the default on the systems in its name.
_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
# Ray keeps sockets in its folder, whose paths may have 103 characters on some systems; what follows this takes 77.
_LONGEST_TEMPORARY = 26
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
    there: Any = sys.modules.get("ray")
    if there is not None and there.is_initialized():
        yield
        return
    found = os.environ.get("RAY_ADDRESS", AUTO) if address == AUTO else address
    if found == LOCAL:
        with _started():
            yield
        return
    if found != AUTO:
        _refuse_unreachable(found)
    with _connected(found):
        yield


@contextmanager
def _started() -> Iterator[None]:
    """Start a cluster that only this machine can reach, and that connects to nothing and leaves nothing behind."""
    token = {} if "ray" in sys.modules or "RAY_AUTH_MODE" in os.environ else _own_token()
    with _variables(token), _session_folder() as folder:
        # Ray reads the token when it is imported.
        from ray._private import ray_constants, services

        with (
            _variables(_LOOPBACK),  # for the processes that are started; this one reads it once, in the next line
            _replaced(ray_constants, "ENABLE_RAY_CLUSTER", False),
            _replaced(services, "start_api_server", _start_no_api_server),
            _connected(LOCAL, include_dashboard=False, _temp_dir=folder),
        ):
            yield


@contextmanager
def _connected(address: str, **options: Any) -> Iterator[None]:
    import ray
    from ray._private import worker

    try:
        with warnings.catch_warnings(action="ignore"):
            ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False, **options)
    except Exception as error:  # Ray raises errors of many kinds, down to bare ones
        raise FacepartError(_why_not(address, error)) from error
    try:
        # It prints what it has to tell of nodes that die, dozens of lines each.
        with _replaced(worker, "print_to_stdstream", _print_nothing):
            yield
    finally:
        ray.shutdown()


@contextmanager
def _variables(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables as long as the block lasts."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _session_folder() -> Iterator[str | None]:
    """Yield a folder for what Ray writes, removed after the block; None if the user chose one, ``RAY_TMPDIR``."""
    if "RAY_TMPDIR" in os.environ:
        yield None
        return
    root = tempfile.gettempdir()
    if os.name == "posix" and len(root) > _LONGEST_TEMPORARY:
        root = "/tmp"  # noqa: S108 - the folder in it has a random name
    with tempfile.TemporaryDirectory(prefix="ray-", dir=root, ignore_cleanup_errors=True) as folder:
        yield folder


def _print_nothing(*_: Any, **__: Any) -> None:
    """Stand for the function by which Ray prints to standard output."""


def _start_no_api_server(*_: Any, **__: Any) -> tuple[None, None]:
    """Stand for the function that starts Ray's API server; return what it returns where that cannot be started.

    Without a dashboard the server has one task: to find out in which cloud it runs, by asking the metadata services
    of three clouds, even where usage statistics are off. There is no setting for that.
    """
    return None, None


@contextmanager
def _replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    """Replace what Ray has no setting for. Where a release has it elsewhere, nothing changes."""
    before = getattr(module, name, None)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


def _own_token() -> dict[str, str]:
    """Return the variables by which a cluster lets in nobody but those that know its token.

    Without them Ray writes a token of its own into the home folder, and every cluster that is started later by hand
    asks for it.
    """
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(16)}


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
