"""A comparison of faces on a cluster, simulated event by event: for benchmarks/cluster_scaling.py.

What it takes for granted: every node fetches each block that it needs once, from the command's node alone
(Ray also lets nodes that have it hand it on); every node gives and takes in at the same speed at a time, however many
it talks to; nothing dies; Ray's own scheduling costs nothing but what it costs here.
"""

import heapq
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from facepart.cluster.blocks import AHEAD
from facepart.cluster.estimate import Rates, Tasks
from facepart.cluster.machines import Node

BLOCK, ADD = "block", "add"  # kinds of tasks


class Simulated(NamedTuple):
    """A run that was simulated: its seconds, and the shares of them in which each of three was at work."""

    seconds: float
    processors: float
    network: float
    command: float

    @property
    def limit(self) -> str:
        """What was at work most of the time."""
        return max(("processors", "network", "command"), key=lambda name: getattr(self, name))


class Place:
    """A node: what it has, and what it is to do."""

    def __init__(self, tasks: int) -> None:
        self.tasks = self.free = tasks  # at a time
        self.there: dict[int, float] = {}  # block -> when it arrives
        self.ready: deque[tuple[str, float]] = deque()
        self.load = 0
        self.receiving = 0.0  # until when results come in


class Simulation:
    """A comparison, event by event. The first node is that of the command, and has all blocks."""

    def __init__(self, tasks: Tasks, dimension: int, nodes: Sequence[Node], rates: Rates) -> None:
        self.tasks, self.rates = tasks, rates
        self.nodes = [Place(node.processors // tasks.threads) for node in nodes]
        self.workers = sum(node.tasks for node in self.nodes)
        self.network = rates.network if len(nodes) > 1 else float("inf")
        self.block = 4.0 * dimension * sum(tasks.blocks) / len(tasks.blocks)
        self.events: list[tuple[float, int, str, str, int, float]] = []
        self.number = self.counted = 0
        self.command = self.sending = 0.0  # until when they are busy
        self.worked = self.sent = self.commanded = 0.0

    def run(self) -> Simulated:
        """Go through all events."""
        waiting, on_their_way = deque(self.tasks.pairs), 0
        while waiting or self.events:
            while waiting and on_their_way < AHEAD * self.workers:
                self.hand_out(waiting.popleft(), on_their_way)
                on_their_way += 1
            now, _, what, kind, place, seconds = heapq.heappop(self.events)
            node = self.nodes[place]
            if what == "ready":
                node.ready.append((kind, seconds))
            else:
                node.free += 1
                node.load -= 1
                on_their_way -= kind == BLOCK
                self.take_note(now, kind, last=not (waiting or on_their_way))
            while node.free and node.ready:
                kind, seconds = node.ready.popleft()
                node.free -= 1
                self.worked += seconds
                self.tell(now + seconds, "done", kind, place, 0.0)
        total = self.command
        return Simulated(total, self.worked / total / self.workers, self.sent / total, self.commanded / total)

    def hand_out(self, pair: tuple[int, int | None, int], on_their_way: int) -> None:
        """Give the pairs of two blocks to the node that has least to do, and send what blocks it lacks."""
        self.keep_busy(self.command, self.rates.handed + self.rates.waited * on_their_way)
        place = self.least()
        node, arrives = self.nodes[place], self.command
        for block in {pair[0], pair[0] if pair[1] is None else pair[1]} if place else ():
            if block not in node.there:
                self.sending = max(self.sending, self.command) + self.block / self.network
                self.sent += self.block / self.network
                node.there[block] = self.sending
            arrives = max(arrives, node.there[block])
        self.tell(arrives, "ready", BLOCK, place, self.rates.task + pair[2] * self.rates.pair / self.tasks.threads)

    def take_note(self, now: float, kind: str, last: bool) -> None:
        """Have results added up once there are enough, and take in sums."""
        if kind == ADD:
            self.keep_busy(now, self.tasks.total * (1 / self.network + self.rates.taken))
            return
        self.counted += 1
        if self.counted == self.tasks.at_once or (last and self.counted):
            size = self.counted * self.tasks.result
            self.counted = 0
            place = self.least()
            node = self.nodes[place]
            node.receiving = max(node.receiving, now, self.command) + size / self.network
            self.tell(node.receiving, "ready", ADD, place, size * self.rates.added)

    def least(self) -> int:
        """Choose the node that has least to do for what it can do at a time."""
        place = min(range(len(self.nodes)), key=lambda each: self.nodes[each].load / self.nodes[each].tasks)
        self.nodes[place].load += 1
        return place

    def keep_busy(self, now: float, seconds: float) -> None:
        """Have the command do one thing after the other."""
        self.command = max(self.command, now) + seconds
        self.commanded += seconds

    def tell(self, when: float, what: str, kind: str, place: int, seconds: float) -> None:
        """Note what will happen."""
        self.number += 1
        heapq.heappush(self.events, (when, self.number, what, kind, place, seconds))
