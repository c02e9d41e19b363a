"""How the time of a comparison goes down with the nodes of a cluster: measured on few processors, simulated on many.

Usage: python -m benchmarks.cluster_scaling [--faces 31706 60000] [--photos FOLDER]

Made-up faces of 512 values, four a person. Printed are:

- rates, measured on this machine with the functions of a run (facepart.cluster.rates), one process alone and as many
  at a time as there are processors; and what a task costs the command, with Ray, while few and many are on their way;
- for Ray with 1 processor and with all: the seconds that FACES really took, those simulated, and the error; and
  likewise the processor time of the workers, which other work on the machine does not change;
- simulated: a million and ten million faces on clusters of nodes of 64 processors, with 10 and 100 Gbit/s; beside it
  what the planner (facepart study --dry-run --on) estimates;
- photos: how many a second the command takes in and writes, and with --photos (aligned crops), how many workers of 4
  processors that is enough for.

What the simulation takes for granted: see benchmarks/cluster_simulation.py.
"""

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.cluster_simulation import Simulation
from benchmarks.machine import cores, describe
from facepart.cluster.estimate import DEVIATION, Rates, cut, seconds_to_compare
from facepart.cluster.machines import PROCESSORS, Node
from facepart.cluster.matching import take_over
from facepart.cluster.rates import make_faces, measure_rates
from facepart.files.progress import silent
from facepart.matching.subject_sums import HighScores, authentic_scores, choose_lowest
from facepart.pipeline.executor import HERE
from facepart.study.sample import measure_photo
from facepart.study.setup import Request, set_up

DIMENSION = 512
OF_RANDOM = DIMENSION**-0.5  # standard deviation of the scores of random directions
COUNTS = (1_000_000, 10_000_000)
NODES = (1, 4, 16, 64, 256)
NODE = Node(64)
GIGABITS = (10, 100)
WAITING = (128, 16384)  # tasks on their way


def rates_of(processes: int) -> Rates:
    """Measure in so many processes at a time; give the means."""
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        found = list(pool.map(measure_rates, [DIMENSION] * processes))
    return Rates(*(statistics.mean(each) for each in zip(*found, strict=True)))


def start_ray(processors: int) -> Any:
    """Start Ray on this machine with so many processors."""
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 32}
    import ray

    ray.init("local", num_cpus=processors, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    return ray


def do_nothing() -> None:
    """Stand for a task."""


def measure_handing(ray: Any) -> tuple[float, float]:
    """Measure what a task costs the command: fixed seconds, and those for each that is on its way."""
    nothing = ray.remote(num_cpus=1)(do_nothing)
    ray.get(nothing.remote())
    found = []
    for count in WAITING:
        there = dict.fromkeys([nothing.remote() for _ in range(count)])
        rounds = min(count, 200)
        begun = time.perf_counter()
        for _ in range(rounds):
            (ready,), _ = ray.wait([*there], fetch_local=False)
            del there[ready]
            ray.cluster_resources()
            there[nothing.remote()] = None
        found.append((time.perf_counter() - begun) / rounds)
        ray.wait([*there], num_returns=len(there))
    each = max(found[1] - found[0], 0.0) / (WAITING[1] - WAITING[0])
    return found[0] - each * WAITING[0], each


def really(count: int) -> float:
    """Compare so many faces by Ray; give the seconds."""
    faces = make_faces(count, DIMENSION)
    high = HighScores(count // 4 + 1, choose_lowest(faces, None, authentic_scores(faces, None)[1]))
    begun = time.perf_counter()
    take_over(faces)(high=high, progress=silent)
    return time.perf_counter() - begun


def worked() -> float:
    """Give the processor time of the workers of this process's Ray: they are the raylet's children, as it is ours."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # it ended
        found[path.parent.name] = fields[1], int(fields[11]) + int(fields[12])
    ours = [ticks for parent, ticks in found.values() if found.get(parent, ("",))[0] == str(os.getpid())]
    return sum(ours) / os.sysconf("SC_CLK_TCK")


def validate(counts: Sequence[int]) -> Rates:
    """Compare what is simulated with what this machine does; give the rates of all its processors at work."""
    for processors in sorted({1, cores()}):
        rates = rates_of(processors)
        ray = start_ray(processors)
        handed, waited = measure_handing(ray)
        rates = rates._replace(handed=handed, waited=waited)
        print(f"{processors} processor{'s' * (processors > 1)}: {tell(rates)}", flush=True)
        really(5000)  # the workers load PyTorch
        for count in counts:
            before = worked()
            seconds = really(count)
            work = worked() - before
            tasks = cut(count, None, count // 4, [Node(processors)], OF_RANDOM)
            run = Simulation(tasks, DIMENSION, [Node(processors)], rates).run()
            at_work = run.processors * run.seconds * processors
            expected = run.seconds + 4.0 * DIMENSION * count * rates.put
            print(
                f"  {count} faces: {seconds:.1f} s, simulated {expected:.1f} s ({expected / seconds - 1:+.0%}); "
                f"at work {work:.1f} s, simulated {at_work:.1f} s ({at_work / work - 1:+.0%})",
                flush=True,
            )
        ray.shutdown()
    return rates


def tell(rates: Rates) -> str:
    """Put rates into words."""
    return (
        f"{rates.pair * 1e9:.1f} ns a pair, {rates.task:.3f} s a task, {rates.added * 1e9:.2f} ns a byte added up, "
        f"{rates.taken * 1e9:.2f} taken in, {rates.put * 1e9:.2f} put; {rates.face * 1e6:.0f} us a face alone; "
        f"handing out {rates.handed * 1e3:.2f} ms and {rates.waited * 1e6:.2f} us for each on its way"
    )


def table(count: int, rates: Rates) -> None:
    """Simulate a comparison of so many faces on clusters of all sizes, and print it."""
    print(f"{count:,} faces of {count // 4:,} people, nodes of {NODE.processors} processors; seconds:")
    print(f"{'Gbit/s':>7}{'nodes':>6}{'tasks':>7}{'counting':>10}{'whole':>8}{'planned':>9}{'efficiency':>11}  limit")
    for gigabits in GIGABITS:
        one = 0.0
        for many in NODES:
            nodes, here = [NODE] * many, rates._replace(network=gigabits / 8 * 1e9)
            tasks = cut(count, None, count // 4, [NODE] * many, DEVIATION)
            run = Simulation(tasks, DIMENSION, nodes, here).run()
            planned = seconds_to_compare(tasks, DIMENSION, nodes, here)
            whole = planned.before + run.seconds + planned.after
            one = one or whole
            limit = "alone" if planned.before + planned.after > run.seconds else run.limit
            shares = f"{run.processors:.0%} processors, {run.network:.0%} network, {run.command:.0%} command"
            print(
                f"{gigabits:7}{many:6}{len(tasks.pairs):7}{run.seconds:10.1f}{whole:8.1f}{planned.total:9.1f}"
                f"{one / many / whole:11.0%}  {limit} (while counting: {shares})",
                flush=True,
            )


def photos(folder: Path) -> None:
    """Measure what photos cost, and tell how many workers the command can serve."""
    with tempfile.TemporaryDirectory() as out:
        setup = set_up(Request(folder, Path(out), device="cpu"))
        cost = measure_photo(setup, setup.photos, HERE, PROCESSORS)
    print(
        f"photos in 8 conditions: the command takes in {1 / cost.taken_in:.0f} a second; a worker of {PROCESSORS} "
        f"processors embeds {1 / cost.seconds:.1f} a second (as far as fewer processors tell) and reads "
        f"{cost.read / cost.seconds / 1e6:.2f} MB a second: enough for {cost.seconds / cost.taken_in:.0f} workers"
    )


def main() -> None:
    """Measure, simulate, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, nargs="+", default=[31_706, 60_000])
    parser.add_argument("--photos", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    print(describe())
    rates = validate(arguments.faces)
    for count in COUNTS:
        table(count, rates)
    if arguments.photos:
        photos(arguments.photos)


if __name__ == "__main__":
    main()
