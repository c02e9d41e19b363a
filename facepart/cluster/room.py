"""What the cluster has room for: nodes come and go, and their processors may be taken by others."""

import logging
from typing import Any

_log = logging.getLogger(__name__)

# Seconds after which it is said that one waits.
_PATIENCE = 30.0


class Nodes:
    """The nodes that lend processors, looked at again and again; warns when one is gone."""

    def __init__(self) -> None:
        """Know of none."""
        self._seen: set[str] = set()

    def look(self) -> int:
        """Count the processors that the cluster has now; say in one line if a node is gone since the last look."""
        there = {node["NodeID"]: int(node["Resources"].get("CPU", 0)) for node in alive_nodes()}
        lending = {name for name, processors in there.items() if processors}
        if self._seen - lending:
            _log.warning(
                "a node of the cluster is gone: %s",
                "what it had not finished is done on the others" if lending else "waiting for one that joins",
            )
        self._seen = lending
        return sum(there.values())


def alive_nodes() -> list[dict[str, Any]]:
    """Return what Ray knows of the nodes that are alive."""
    import ray

    return [node for node in ray.nodes() if node["Alive"]]


def wait_for_room(processors: int = 1, gpus: int = 0) -> None:
    """Wait until some processors of a node, and GPUs, are not taken by others; say in one line if that takes long."""
    import ray

    task: Any = ray.remote(num_cpus=processors, num_gpus=gpus)(_nothing)
    reference = task.remote()
    if not ray.wait([reference], timeout=_PATIENCE)[0]:
        _log.warning("--ray: waiting for processors of the cluster, all are taken")
        ray.wait([reference])


def _nothing() -> None:
    """Show that there is room."""
