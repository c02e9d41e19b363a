"""The nodes of a cluster, which come and go, whose processors may be in use by others, and whose work may fail."""

import logging
from typing import Any

from facepart.errors import FacepartError, first_line

_log = logging.getLogger(__name__)

# Seconds after which waiting is reported.
_PATIENCE = 30.0


class Nodes:
    """The nodes that lend processors; warns when one is gone."""

    def __init__(self) -> None:
        """Begin without any node."""
        self._seen: set[str] = set()

    def look(self) -> int:
        """Count the processors that the cluster has now; warn if a node is gone since the last call."""
        there = {node["NodeID"]: int(node["Resources"].get("CPU", 0)) for node in alive_nodes()}
        lending = {name for name, processors in there.items() if processors}
        if self._seen - lending:
            _log.warning(
                "a node of the cluster is gone: %s",
                "its unfinished work is done on the others" if lending else "waiting for another to join",
            )
        self._seen = lending
        return sum(there.values())


def alive_nodes() -> list[dict[str, Any]]:
    """Return Ray's description of each node that is alive."""
    import ray

    return [node for node in ray.nodes() if node["Alive"]]


def wait_for_room(processors: int = 1, gpus: int = 0) -> None:
    """Wait until a node has free processors and GPUs; warn if that takes long."""
    import ray

    task: Any = ray.remote(num_cpus=processors, num_gpus=gpus)(_nothing)
    reference = task.remote()
    if not ray.wait([reference], timeout=_PATIENCE)[0]:
        _log.warning("--ray: waiting for processors of the cluster; all are in use")
        ray.wait([reference])


def why(error: Exception) -> FacepartError:
    """Return an error that says in one line why work on the cluster failed."""
    cause = getattr(error, "cause", None) or error
    if isinstance(cause, FacepartError):
        return type(cause)(f"--ray: {cause}")
    text = str(cause)
    if "No module named 'facepart" in text or "No module named 'torch" in text:
        return FacepartError(
            "--ray: a node of the cluster cannot import facepart; install the same version on every node"
        )
    return FacepartError(f"--ray: a worker failed ({type(cause).__name__}: {first_line(cause)})")


def _nothing() -> None:
    """Do nothing: that it runs shows that there is room."""
