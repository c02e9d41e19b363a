"""How many processors this process may use, which decides how many threads it starts.

A machine has more processors than a job may use where a scheduler or a container limits it: by affinity (``taskset``,
SLURM, cpusets) or by a quota of processor time (cgroups, as ``docker run --cpus 2`` sets it). More threads than that
take memory and time, and give nothing. Each thread takes addresses, too: where these are limited (``ulimit -v``),
libraries end the process when they cannot start theirs.

Sources: ``sched_getaffinity(2)``; "CPU Interface Files" in the kernel's Documentation/admin-guide/cgroup-v2.rst; and
Documentation/scheduler/sched-bwc.rst for cgroups of version 1.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from facepart.memory import memory_limit

_ROOT = Path("/")
_GROUPS = "sys/fs/cgroup"
# Bytes of addresses for each thread: its stack, what it allocates from, and its share of the work.
_PER_THREAD = 1 << 30
# Variables by which the libraries for linear algebra, when they are loaded, decide how many threads they start.
LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def processors(root: Path = _ROOT) -> int:
    """Count the processors that this process may use: the fewest by the machine, its affinity, quota and memory.

    A quota of a part of a processor counts as a whole one; a limit of addresses counts as one for each GiB.

    Args:
        root: of the file system that has ``proc`` and ``sys``.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [math.ceil(quota) for quota in _quotas(root)]
    memory = memory_limit()
    within = [] if memory is None else [memory // _PER_THREAD]
    return max(min([allowed, *quotas, *within]), 1)


def thread_limit() -> int | None:
    """Return how many threads a library may start that counts all processors of the machine; None for any number.

    None means that this process may use all processors: the library's own choice then stands.
    """
    allowed = processors()
    return None if allowed >= (os.cpu_count() or 1) else allowed


def limit_libraries() -> None:
    """Limit the threads of libraries for linear algebra that are not loaded yet; a variable that is set stands."""
    limit = thread_limit()
    if limit is not None:
        for variable in LIBRARIES:
            os.environ.setdefault(variable, str(limit))


def _quotas(root: Path) -> Iterator[float]:
    """Yield the quotas, in processors, of this process's control group and those above it."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        # `0::/path` for version 2, `4:cpu,cpuacct:/path` for version 1.
        controllers, _, path = line.partition(":")[2].partition(":")
        # A path that leads out of the namespace is below what is mounted.
        inside = PurePosixPath("/", *(part for part in PurePosixPath(path).parts if part != "..")).relative_to("/")
        for group in (inside, *inside.parents):
            if not controllers:
                for mount in (_GROUPS, f"{_GROUPS}/unified"):
                    yield from _share(*_read(root / mount / group / "cpu.max").split())
            elif "cpu" in controllers.split(","):
                for mount in (f"{_GROUPS}/cpu", f"{_GROUPS}/{controllers}"):
                    folder = root / mount / group
                    yield from _share(_read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us"))


def _share(*figures: str) -> Iterator[float]:
    """Yield quota / period, of texts in microseconds; nothing if there is no quota (``max``, -1, no such file)."""
    try:
        quota, period = map(int, figures)
    except ValueError:
        return
    if quota > 0 and period > 0:
        yield quota / period


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
