"""What a comparison takes on a cluster, worked out: against counting it, and against a simulation of it."""

import heapq
import pickle
from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.cluster_simulation import Simulation
from facepart import __version__
from facepart.cluster.blocks import add_found, count_block, results_at_once
from facepart.cluster.estimate import (
    DEVIATION,
    NETWORK,
    Rates,
    cut,
    high_bytes,
    memory_to_compare,
    result_bytes,
    seconds_to_compare,
)
from facepart.cluster.machines import PROCESSORS, Node, room_for, size_of_workers
from facepart.cluster.rates import make_faces
from facepart.matching.cosine import TILE
from facepart.matching.subject_sums import HighScores

RATES = Rates(pair=20e-9, task=0.08, added=0.5e-9, taken=1e-9, put=0.2e-9, face=50e-6)
PEOPLE = 250_000


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 60_000), st.one_of(st.none(), st.integers(1, 60_000)), st.integers(1, 2000))
def test_tasks_hold_every_pair_once(probes: int, gallery: int | None, processors: int) -> None:
    tasks = cut(probes, gallery, 1 + probes // 4, [Node(processors)])
    pairs = probes * (probes - 1) // 2 if gallery is None else probes * gallery
    assert sum(size for *_, size in tasks.pairs) == pairs
    assert sum(tasks.blocks) == probes + (gallery or 0)
    assert (tasks.sums - 1) * tasks.at_once < len(tasks.pairs) <= tasks.sums * tasks.at_once
    assert max(tasks.blocks) % TILE == 0 or len(tasks.blocks) <= 2


def test_blocks_worked_out_by_hand() -> None:
    # 1,954 tiles; the largest blocks, of 64: 31 of them, and 31 * 32 / 2 pairs.
    tasks = cut(1_000_000, None, PEOPLE, [Node(64)])
    assert (len(tasks.blocks), len(tasks.pairs), tasks.pairs[0][2]) == (31, 496, 32768**2)
    assert (tasks.at_once, tasks.sums) == (22, 23)
    assert tasks.people == pytest.approx(2 * 32768 / 4)
    assert [results_at_once(count) for count in (1, 16, 24, 25, 10_000)] == [4, 4, 4, 5, 100]


@pytest.mark.parametrize("dimension", [64, 512])
def test_bytes_of_results_are_those_that_tasks_find(dimension: int) -> None:
    count, deviation = 4 * TILE, dimension**-0.5
    # Where the bins of high scores begin when authentic scores lie far above: see the module.
    lowest = round(2.054 * deviation * 1e6 / 2500) * 2500
    sides = [make_faces(count, dimension, first) for first in (0, 10**6, 2 * 10**6)]
    found = [count_block(sides[0], side, lowest, 1, __version__) for side in sides[1:]]
    for what, pairs, people in ((found[0], count**2, count // 2), (add_found(*found), 2 * count**2, 3 * count // 4)):
        size = len(what.scores.places) * 16 + len(what.high.places) * 12
        assert result_bytes(pairs, people, deviation) == pytest.approx(size, rel=0.1)
        # What Ray sends is little more.
        assert len(pickle.dumps(what, 5)) == pytest.approx(size, rel=0.01)
    assert high_bytes(count, deviation) == pytest.approx(HighScores(count, lowest).bins().nbytes, rel=0.01)


def list_schedule(tasks: Sequence[float], workers: int) -> float:
    """Give each task to the worker that is free first; tell when the last ends."""
    free = [0.0] * workers
    for seconds in tasks:
        heapq.heapreplace(free, free[0] + seconds)
    return max(free)


@settings(deadline=None, max_examples=30)
@given(st.integers(2000, 200_000), st.integers(1, 8), st.integers(1, 64))
def test_the_last_task_ends_within_the_bounds(faces: int, nodes: int, processors: int) -> None:
    tasks = cut(faces, None, faces // 4, [Node(processors)] * nodes)
    rates = RATES._replace(added=0.0)
    times = seconds_to_compare(tasks, 512, [Node(processors)] * nodes, rates._replace(network=np.inf))
    work = [rates.task + pairs * rates.pair / tasks.threads for *_, pairs in tasks.pairs]
    workers = nodes * (processors // tasks.threads)
    assert times.counting == pytest.approx(sum(work) / workers)
    end = list_schedule(work, workers)
    assert times.counting * (1 - 1e-9) <= end <= (times.counting + times.idle) * (1 + 1e-9)


def test_one_processor_does_one_task_after_the_other() -> None:
    tasks = cut(20_000, None, 5000, [Node(1)])
    times = seconds_to_compare(tasks, 512, [Node(1)], RATES)
    work = sum(RATES.task + pairs * RATES.pair for *_, pairs in tasks.pairs)
    results = tasks.sums * tasks.at_once * tasks.result * RATES.added
    assert times.counting == pytest.approx(work + results)
    assert times.idle == pytest.approx(0, abs=1e-9)
    assert times.network == 0
    assert times.before == pytest.approx(20_000 * 512 * 4 * RATES.put)
    assert times.after == pytest.approx(20_000 * RATES.face)
    assert times.limit == "the processors"


def test_every_node_fetches_what_it_needs() -> None:
    tasks = cut(1_000_000, None, PEOPLE, [Node(64)] * 4)
    times = seconds_to_compare(tasks, 512, [Node(64)] * 4, RATES)
    # Each of the three nodes without the command counts some 270 tasks, and so needs all of the 46 blocks.
    assert times.network == pytest.approx(3 * 1_000_000 * 512 * 4 / NETWORK, rel=0.001)


@settings(deadline=None, max_examples=20)
@given(st.integers(1000, 300_000), st.integers(1, 40), st.integers(1, 40))
def test_more_faces_take_longer_and_more_nodes_count_faster(faces: int, nodes: int, more: int) -> None:
    def estimate(faces: int, nodes: int) -> tuple[float, float, float]:
        tasks = cut(faces, None, faces // 4, [Node(16)] * nodes)
        times = seconds_to_compare(tasks, 512, [Node(16)] * nodes, RATES)
        memory = memory_to_compare(tasks, faces // 4, 512, [Node(16)] * nodes)
        return times.counting, times.after, memory.command

    few = estimate(faces, nodes)
    # Twice as many, so that tasks of another size do not outweigh them.
    assert all(np.array(estimate(2 * faces + more * 1000, nodes)) > few)
    assert estimate(faces, 2 * nodes + more)[0] < few[0]


def test_memory_worked_out_by_hand() -> None:
    nodes = [Node(64)] * 4
    tasks = cut(1_000_000, None, PEOPLE, [Node(64)] * 4)
    memory = memory_to_compare(tasks, PEOPLE, 512, nodes)
    features, bins = 1_000_000 * 512 * 4, (1 - 2.054 * DEVIATION) / 0.0025
    assert memory.command == pytest.approx(0.6e9 + features + PEOPLE * bins * 4, rel=0.01)
    assert memory.command_store == pytest.approx(features + 2 * tasks.at_once * tasks.result + tasks.total)
    assert memory.store == pytest.approx(memory.command_store, rel=0.01)  # it needs every block, too
    # Eight workers of eight threads each, one of which adds up.
    assert 8 * 0.5e9 < memory.workers < 8 * 0.7e9


@pytest.mark.parametrize(
    ("faces", "nodes", "processors", "gigabits"),
    [
        *((faces, nodes, 64, 10) for faces, nodes in product([100_000, 1_000_000], [1, 2, 4, 8, 16])),
        (1_000_000, 64, 64, 10),
        (1_000_000, 16, 64, 100),
        (30_000, 1, 2, 10),
    ],
)
def test_a_simulation_agrees(faces: int, nodes: int, processors: int, gigabits: int) -> None:
    rates = RATES._replace(network=gigabits / 8 * 1e9)
    cluster = [Node(processors)] * nodes
    tasks = cut(faces, None, faces // 4, [Node(processors)] * nodes)
    times = seconds_to_compare(tasks, 512, cluster, rates)
    run = Simulation(tasks, 512, cluster, rates).run()
    assert times.total - times.before - times.after == pytest.approx(run.seconds, rel=0.3, abs=2)
    assert run.seconds >= times.counting * 0.98


SIZES = st.lists(st.tuples(st.integers(0, 130), st.integers(0, 9)), min_size=1, max_size=5)


@given(SIZES, st.booleans())
def test_workers_are_those_that_fit(sizes: list[tuple[int, int]], on_gpus: bool) -> None:
    nodes = [Node(*size) for size in sizes]
    worker = size_of_workers(nodes, on_gpus)
    # Started one by one on any node that has room, as Ray does.
    started = 0
    for processors, gpus in sizes:
        while processors >= worker.processors and gpus >= worker.gpus:
            processors, gpus, started = processors - worker.processors, gpus - worker.gpus, started + 1
    assert started == room_for(nodes, worker)
    assert on_gpus or worker.processors <= PROCESSORS
