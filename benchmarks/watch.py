"""Run a program and see how much memory it takes: `watch.py COMMAND ...` prints the answer as JSON on its last line.

Run as a process of its own, and kept small: what the system counts for a process begins with the size of the one that
started it.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

SECONDS = 0.1  # between two looks


def watch(command: list[str]) -> dict[str, float]:
    """Run `command`.

    Returns:
        ``status``, its exit status; ``seconds`` it took; ``peak``, the largest resident size it ever had, in bytes,
        as the system counts it; ``level``, the median of its resident sizes in the second half of its time, in
        bytes, 0 where the system does not tell them.
    """
    begun = time.perf_counter()
    seen: list[int] = []
    process = subprocess.Popen(command)
    while True:
        done, status, usage = os.wait4(process.pid, os.WNOHANG)
        if done:
            break
        seen.append(resident(process.pid))
        time.sleep(SECONDS)
    process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "status": process.returncode,
        "seconds": time.perf_counter() - begun,
        "peak": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        "level": statistics.median(seen[len(seen) // 2 :] or [0]),
    }


def resident(process: int) -> int:
    """Return the bytes that a process holds now, 0 where the system does not tell."""
    try:
        pages = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    print(json.dumps(watch(sys.argv[1:])))
