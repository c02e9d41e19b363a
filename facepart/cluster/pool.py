"""The workers on a cluster, and the shards that each of them has.

A worker has two shards at a time: while the networks process one, the other is read or written. No more are handed
out, so that neither shards nor results pile up. :mod:`facepart.cluster.shard_queue` decides which shard is next, and
what happens to shards whose worker or node died. A worker that died is replaced, and nodes that join get workers.
"""

import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facepart import __version__
from facepart.cluster.actor import Actor, Done, Start
from facepart.cluster.capacity import WorkerSize, room_now
from facepart.cluster.nodes import Nodes, alive_nodes, why
from facepart.cluster.shard_queue import Queue, Shard
from facepart.data.photo_input import PhotoError
from facepart.errors import FacepartError, first_line
from facepart.files.progress import StepTimes
from facepart.pipeline.worker import PhotoResult, PhotoTask, PhotoWorker, RecogniserInfo

_log = logging.getLogger(__name__)

# Shards that a worker has at a time.
_AHEAD = 2
# Seconds after which nodes that joined, or left, are looked for.
_LOOK = 2.0
# Times one after the other that workers may die before they have opened their networks; those that die within a look
# count once, as many may die with one node.
_MOST_STARTUP_FAILURES = 10


@dataclass
class _WorkerHandle:
    """A worker, seen from here.

    Attributes:
        actor: Ray's handle of it.
        opening: the reference of what it gives once its networks are open.
        node: where it is; empty until then.
        shards: what it works on, by the reference of the results.
    """

    actor: Any
    opening: Any
    node: str = ""
    shards: dict[Any, Shard] = field(default_factory=dict)

    def takes_more(self) -> bool:
        return (
            bool(self.node)
            and len(self.shards) < _AHEAD
            and not any(each.worker_deaths for each in self.shards.values())
        )


class Pool:
    """Workers that do one kind of work, on the cluster that this process is connected to."""

    def __init__(self, worker: PhotoWorker, size: WorkerSize, times: StepTimes, paths: Sequence[Path]) -> None:
        """Start one worker, and wait until its networks are open.

        Args:
            worker: works on the items, in as many copies as there is room for.
            size: of each worker.
            times: what the seconds that workers spend are added to.
            paths: folders and files that every node must see; those that are missing here are not asked for.
        """
        import ray

        self._size = size
        self._nodes, self._room, self._looked = Nodes(), 0, -math.inf
        self._times, self._paths = times, paths
        # Once for all workers: it lies in Ray's store.
        self._worker = ray.put(worker)
        self._handles: list[_WorkerHandle] = []
        self._startup_failures, self._last_startup_failure = 0, -math.inf
        self._start_workers(1)
        self.info = self._wait_for_one()

    def _wait_for_one(self) -> tuple[RecogniserInfo, ...]:
        """Wait until a worker has opened its networks, and return its description of them.

        Raises:
            FacepartError: they cannot be opened.
        """
        while True:
            if not self._handles:  # all nodes are gone
                time.sleep(_LOOK)
            for handle in self._handles:
                try:
                    return self._opened(handle)
                except _DiedError as death:
                    self._retire(handle, Queue([]), death)
                    break
            self._start_workers(1)

    def map(self, items: Sequence[PhotoTask]) -> Iterator[tuple[PhotoTask, PhotoResult | PhotoError]]:
        """Process items; yield each with its result, or with the reason why there is none, in any order.

        The workers are stopped at the end.

        Raises:
            FacepartError: as the work raises it; or workers die before they have a shard.
        """
        import ray

        queue = Queue(items)
        paths = [path for path in self._paths if path.exists()]
        try:
            while len(queue) or any(handle.shards for handle in self._handles):
                self._start_workers(len(queue) + sum(bool(handle.shards) for handle in self._handles))
                for handle in self._handles:
                    while handle.takes_more() and (shard := queue.next(idle=not handle.shards)):
                        handle.shards[handle.actor.work.remote(list(shard.items), paths)] = shard
                owners = {
                    ref: handle
                    for handle in self._handles
                    for ref in (handle.shards if handle.node else [handle.opening])
                }
                if not owners:  # all nodes are gone: others may join
                    time.sleep(_LOOK)
                    continue
                for ready in ray.wait(list(owners), timeout=_LOOK)[0]:
                    handle = owners[ready]
                    try:
                        if not handle.node:
                            self._opened(handle)
                            continue
                        done: Done = _get(ready)
                    except _DiedError as death:
                        yield from self._retire(handle, queue, death)
                        continue
                    self._times.add(done.seconds)
                    yield from zip(handle.shards.pop(ready).items, done.results, strict=True)
        finally:
            for handle in self._handles:
                ray.kill(handle.actor)
            self._handles = []

    def _start_workers(self, useful: int) -> None:
        """Start workers where the cluster has room for more, up to as many as are of use."""
        import ray

        if time.monotonic() - self._looked > _LOOK:
            self._nodes.look()
            self._room, self._looked = room_now(self._size), time.monotonic()
        while len(self._handles) < min(useful, self._room):
            threads = self._size.processors
            start = Start(__version__, Path.cwd(), threads)
            kind: Any = ray.remote(num_cpus=threads, num_gpus=self._size.gpus, max_concurrency=_AHEAD)(Actor)
            actor = kind.remote()
            self._handles.append(_WorkerHandle(actor, actor.open.remote(self._worker, start)))

    def _opened(self, handle: _WorkerHandle) -> tuple[RecogniserInfo, ...]:
        handle.node, info = _get(handle.opening)
        self._startup_failures = 0
        return info

    def _retire(self, handle: _WorkerHandle, queue: Queue, death: "_DiedError") -> list[tuple[PhotoTask, PhotoError]]:
        """Remove a worker that died, and return its shards to the queue; return the items that are given up."""
        import ray

        ray.kill(handle.actor)  # it may only be out of reach
        self._handles.remove(handle)
        if not handle.node and time.monotonic() - self._last_startup_failure > _LOOK:
            self._startup_failures, self._last_startup_failure = self._startup_failures + 1, time.monotonic()
            if self._startup_failures > _MOST_STARTUP_FAILURES:
                raise FacepartError(f"--ray: workers die before they have opened their networks ({death})")
        self._looked = -math.inf
        alive = {node["NodeID"] for node in alive_nodes()}
        node_died = handle.node not in alive or death.out_of_reach
        if handle.shards and handle.node in alive:
            what, how = ("is out of reach", "") if node_died else ("died", ", one at a time")
            _log.warning("a worker %s: its photos are handed out again%s", what, how)
        aside = [queue.take_back(shard, node_died) for shard in handle.shards.values()]
        return [each for found in aside for each in found]


class _DiedError(Exception):
    """A worker died, or can no longer be reached."""

    def __init__(self, reason: str, out_of_reach: bool) -> None:
        super().__init__(reason)
        self.out_of_reach = out_of_reach


def _get(reference: Any) -> Any:
    """Return what a worker handed back.

    Raises:
        _DiedError: it died. FacepartError: as it raised it, or of what else it failed.
    """
    from ray import exceptions, get

    try:
        return get(reference)
    except (exceptions.ActorUnavailableError, exceptions.NodeDiedError, exceptions.ObjectLostError) as error:
        raise _DiedError(first_line(error), out_of_reach=True) from error
    except (exceptions.RayActorError, exceptions.WorkerCrashedError, exceptions.OutOfMemoryError) as error:
        raise _DiedError(first_line(error), out_of_reach=False) from error
    except exceptions.RayError as error:
        raise why(error) from error
