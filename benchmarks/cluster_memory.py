"""How much memory matching on a cluster takes, for more faces than one has the hours to compare.

Usage: python -m benchmarks.cluster_memory [--count 1000000] [--one-in 64]

Random features of 512 values, four a person, are matched within one matrix by a Ray cluster of this machine, as
``facepart match --ray local`` does it: reading, blocks, tasks, sums and files. Only the pairs are not all counted: of
the strips of every two blocks (512 faces against a block), a task takes one in so many, and the rest is left out.
Every task takes place with all its blocks and tables, so that the sizes are those of a whole run but for one: a
person has fewer different high scores, and what tasks hand on is smaller. With --one-in 1 all pairs are counted.

Printed are, in MiB, of the processes that this program started: memory of their own, shared memory (Ray's store), and
pages of files (programs, libraries and the matrix of features, which the system takes back where it needs memory);
what several share is divided among them (Linux, Pss in /proc/PID/smaps_rollup). The peak of each figure is the
largest that was seen, twice a second. The features take 2 GB of disk for a million faces, Ray's store 2 GB of memory.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.looking import looking
from benchmarks.machine import describe
from facepart.cluster import blocks, ray_pair_counter
from facepart.cluster.connect import connect
from facepart.matching import counting
from facepart.matching.counting import strips_of
from facepart.matching.faces import Faces
from facepart.matching.match import match_features
from facepart.scores import GroupScores

SIZE = 512
EACH = 4  # faces of a person
KINDS = ("Pss_Anon", "Pss_Shmem", "Pss_File")
# What Ray calls its processes, and what they are called here; the first that fits.
ROLES = {"ray::": "a worker", "raylet": "Ray's store (raylet)", "": "the rest of Ray, together"}


def make_features(folder: Path, count: int) -> Path:
    """Write a matrix of random features with its labels, in little memory."""
    folder.mkdir()
    generator = np.random.default_rng(count)
    common = 0.3 * generator.standard_normal(SIZE, dtype=np.float32)
    with (folder / "features.npy").open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (count, SIZE)}
        np.lib.format.write_array_header_1_0(file, header)
        for first in range(0, count, 4096):
            rows = np.arange(first, min(first + 4096, count))
            people = generator.standard_normal((len(rows) // EACH + 1, SIZE), dtype=np.float32)
            faces = people[(rows - first) // EACH] + generator.standard_normal((len(rows), SIZE), dtype=np.float32)
            file.write((faces + common).tobytes())
    (folder / "labels.txt").write_text("".join(f"photos/{row // EACH:07}_{row}\n" for row in range(count)))
    return folder / "features.npy"


def counts_some(one_in: int) -> Callable[..., blocks.Found]:
    """Return what a task does here instead of counting all pairs of two blocks: one strip in so many."""

    def count(rows: Faces, columns: Faces | None, lowest: int, threads: int, version: str) -> blocks.Found:
        with mock.patch.object(counting, "strips_of", lambda *sizes: strips_of(*sizes)[::one_in]):
            return blocks.count_block(rows, columns, lowest, threads, version)

    return count


class Memory:
    """What was seen of the memory that this process and those that it started hold.

    Attributes:
        peaks: role -> kind -> the most that one process of that role held (of all together, for the rest of Ray), in
            bytes; ``all`` for all processes together, with the kinds added up as ``sum``, without pages of files.
        phases: phase -> the most that this process held of its own while it lasted.
    """

    def __init__(self) -> None:
        self.peaks: dict[str, dict[str, int]] = {}
        self.phases: dict[str, int] = {}
        self.phase = "starting"

    def look(self) -> None:
        """Look once."""
        now: dict[str, dict[str, int]] = {"all": dict.fromkeys((*KINDS, "sum"), 0)}
        for process in family(os.getpid()):
            held = memory_of(process)
            role = "the command" if process == os.getpid() else role_of(process)
            together = now.setdefault(role, dict.fromkeys(KINDS, 0))
            for kind in KINDS:
                one = held[kind] + together[kind] if role == ROLES[""] else max(held[kind], together[kind])
                together[kind] = one
                now["all"][kind] += held[kind]
            if role == "the command":
                self.phases[self.phase] = max(self.phases.get(self.phase, 0), held["Pss_Anon"])
        now["all"]["sum"] = now["all"]["Pss_Anon"] + now["all"]["Pss_Shmem"]
        for role, kinds in now.items():
            peak = self.peaks.setdefault(role, dict.fromkeys(kinds, 0))
            peak.update({kind: max(peak[kind], size) for kind, size in kinds.items()})


def family(process: int) -> list[int]:
    """List a process and all that descend from it."""
    found = [process]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in children.read_text(encoding="ascii").split()]
            except OSError:
                continue  # it ended
    return found


def role_of(process: int) -> str:
    """Tell what a process of Ray does."""
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")[0].decode()
    except OSError:
        return ROLES[""]
    return next(role for sign, role in ROLES.items() if sign in command)


def memory_of(process: int) -> dict[str, int]:
    """Return the bytes of each kind that a process holds now; none where it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return dict.fromkeys(KINDS, 0)
    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}
    return {kind: sizes.get(kind, 0) for kind in KINDS}


class PhasedCounter:
    """Counts on Ray, and notes the phases."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.pairs: ray_pair_counter.RayPairs | None = None

    def load(self, probe: Faces, gallery: Faces | None) -> "PhasedCounter":
        """Put the faces into the store."""
        self.memory.phase = "into the store"
        self.pairs = ray_pair_counter.RayPairCounter().load(probe, gallery)
        return self

    def count(self, **options: Any) -> GroupScores:
        """Count the pairs."""
        assert self.pairs is not None
        self.memory.phase = "counting"
        found = self.pairs.count(**options)
        self.memory.phase = "writing"
        return found


def run(source: Path, folder: Path, one_in: int, memory: Memory) -> None:
    """Match, noting the phases: before the faces are loaded, putting them into the store, counting, and after."""
    memory.phase = "reading, sums by subject"
    with mock.patch.object(ray_pair_counter, "count_block", counts_some(one_in)):
        counter = PhasedCounter(memory)
        match_features(source, None, folder / "out", "CM", save="distribution", dataset="MORPH", counter=counter)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000, help="faces (default: %(default)s)")
    parser.add_argument("--one-in", type=int, default=64, help="strips for one counted (default: %(default)s)")
    arguments = parser.parse_args()
    print(describe())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        source = make_features(folder / "features", arguments.count)
        memory = Memory()
        with looking(memory.look), connect("local"):
            begun = time.perf_counter()
            run(source, folder, arguments.one_in, memory)
            seconds = time.perf_counter() - begun
        files = {path.name: path.stat().st_size / 2**20 for path in sorted((folder / "out").iterdir())}
    share = "all pairs counted" if arguments.one_in == 1 else f"1 strip of {arguments.one_in} counted, NOT all pairs"
    print(f"{arguments.count} faces of {-(-arguments.count // EACH)} people, {share}: {seconds:.0f} s")
    print(f"  {'peak, MiB':28}{'own':>8}{'store':>8}{'files':>8}")
    for role, kinds in memory.peaks.items():
        if role != "all":
            print(f"  {role:28}" + "".join(f"{kinds[kind] / 2**20:8.0f}" for kind in KINDS))
    together = memory.peaks["all"]
    print(f"  {'all processes':28}" + "".join(f"{together[kind] / 2**20:8.0f}" for kind in KINDS))
    print(f"  all processes, own and store at one time: {together['sum'] / 2**20:.0f} MiB")
    print("  the command's own: " + "; ".join(f"{name} {size / 2**20:.0f}" for name, size in memory.phases.items()))
    print("  files: " + ", ".join(f"{name} {size:.1f} MiB" for name, size in files.items()))


if __name__ == "__main__":
    main()
