"""How long commands take that have next to nothing to do, which is their start-up.

Usage: python -m benchmarks.start_up [--rounds N] [--before CHECKOUT] [--telemetry]

All sides run in turn, as processes of their own: the bare import of PyTorch, `facepart match` on 2,000 random
features, `extract` of one photo, and `extract` and `blur` again with nothing left to do. Printed are the medians:
seconds on the clock, seconds of processors, which other work on the machine moves less, peak memory, and the median
of the ratios to the import of PyTorch in the same round. With `--before`, the commands of another checkout run in
turn with these, in folders of their own.

With `--telemetry`, `extract` of one photo runs with and without OpenVINO's telemetry instead: as facepart starts now,
and as it started before, with openvino_telemetry within OpenVINO's reach. Nothing is sent: names are looked up by a
function that fails, at once or, as where no name server answers, after a minute. Every process has an empty home
folder, into which the telemetry writes.

The networks are on disk, compiled.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

import facepart
from benchmarks.machine import describe
from facepart.files.cache import cache_folder
from facepart.networks.catalogue import DEFAULT_PARSER, obtain

MODEL = "sface"
FEATURES = 2000
DIMENSION = 512
TORCH = "import torch"

# The process itself says how much memory it had: what the system counts begins with the size of its parent.
_WITH_PEAK = """
import atexit
atexit.register(lambda: print(*(line for line in open("/proc/self/status") if line.startswith("VmHWM:"))))
"""
_RUN = "from facepart.cli import run; run()"
_BEFORE = f"""
import socket, sys, time
import facepart.networks
def look_up(*_, **__):
    time.sleep({{seconds}})
    raise OSError("no such name")
socket.getaddrinfo = look_up
del sys.modules["openvino_telemetry"]
{_RUN}
"""
TELEMETRY = {
    "now": _RUN,
    "before, names not found": _BEFORE.format(seconds=0),
    "before, no name server answers": _BEFORE.format(seconds=60),
}


class Cost(NamedTuple):
    """What a process took: seconds on the clock, seconds of processors, and MiB of memory at its peak."""

    clock: float
    processors: float
    memory: float


class Side(NamedTuple):
    """A process to measure.

    Attributes:
        code: what Python runs.
        words: the command's arguments.
        checkout: the folder that has the facepart to run.
        scratch: removed before each run; None if the run leaves nothing that shortens the next.
    """

    code: str
    words: tuple[str, ...] = ()
    checkout: Path = Path(facepart.__file__).parent.parent
    scratch: Path | None = None

    def run(self, variables: Mapping[str, str] | None = None) -> Cost:
        """Run the process to its end."""
        if self.scratch:
            shutil.rmtree(self.scratch, ignore_errors=True)
        environment = {**os.environ, "PYTHONPATH": str(self.checkout), **(variables or {})}
        begun = time.perf_counter()
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(
                [sys.executable, "-c", _WITH_PEAK + self.code, *self.words],
                env=environment,
                cwd=tempfile.gettempdir(),  # not a checkout, which Python would look into first
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            _, status, used = os.wait4(process.pid, 0)
            clock = time.perf_counter() - begun
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            printed = output.read().decode()
        if process.returncode:
            raise SystemExit(f"{' '.join(self.words)}: {printed}")
        return Cost(clock, used.ru_utime + used.ru_stime, int(printed.rpartition("VmHWM:")[2].split()[0]) / 1024)


def write_features(folder: Path) -> Path:
    """Write random features of length 1, eight of each subject, as a matrix; return its path."""
    rows = np.random.default_rng(0).normal(size=(FEATURES, DIMENSION)).astype(np.float32)
    folder.mkdir()
    np.save(folder / "features.npy", rows / np.linalg.norm(rows, axis=1, keepdims=True))
    labels = "".join(f"{row // 8:06d}_{row % 8}\n" for row in range(FEATURES))
    (folder / "labels.txt").write_text(labels, encoding="utf-8")
    return folder / "features.npy"


def write_photo(folder: Path) -> Path:
    """Write one photo of 224x224, of noise; return its folder."""
    folder.mkdir()
    photo = np.random.default_rng(1).integers(0, 256, (224, 224, 3), np.uint8)
    Image.fromarray(photo).save(folder / "a.png")
    return folder


def sides_of(checkout: Path, folder: Path, features: Path, photos: Path, note: str = "") -> dict[str, Side]:
    """Return the commands of a checkout, with outputs in `folder`."""
    match = ("match", "-p", str(features), "-o", str(folder / "matches"), "-gr", "G", "--dataset", "MORPH")
    extract = ("extract", "-s", str(photos), "--model", MODEL, "-d")
    blur = ("blur", "-s", str(photos), "-m", str(folder / "masks"), "-d", str(folder / "blurred"))
    return {
        f"match of {FEATURES} features{note}": Side(_RUN, match, checkout, folder / "matches"),
        f"extract of one photo{note}": Side(_RUN, (*extract, str(folder / "once")), checkout, folder / "once"),
        f"extract again{note}": Side(_RUN, (*extract, str(folder / "again")), checkout),
        f"blur again{note}": Side(_RUN, blur, checkout),
    }


def measure(sides: Mapping[str, Side], rounds: int) -> dict[str, list[Cost]]:
    """Run every side `rounds` times in turn, and once before, so that networks are compiled and files in memory."""
    for side in sides.values():
        side.run()
    costs: dict[str, list[Cost]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            costs[name].append(side.run())
    return costs


def measure_telemetry(folder: Path, photos: Path, rounds: int) -> dict[str, list[Cost]]:
    """Run `extract` of one photo with and without the telemetry, `rounds` times in turn, and once before."""
    costs: dict[str, list[Cost]] = {name: [] for name in TELEMETRY}
    # Telemetry keeps quiet in continuous integration.
    variables = dict.fromkeys(("CI", "TF_BUILD", "JENKINS_URL"), "") | {"FACEPART_HOME": str(cache_folder())}
    for number in range(-1, rounds):
        for name, code in TELEMETRY.items():
            home = folder / f"{name} {number}"
            home.mkdir()
            words = ("extract", "-s", str(photos), "-d", str(home / "features"), "--model", MODEL)
            cost = Side(code, words).run({**variables, "HOME": str(home)})
            if number >= 0:
                costs[name].append(cost)
    return costs


def print_table(costs: Mapping[str, Sequence[Cost]]) -> None:
    """Print the medians of each side, and of its ratios to the first in the same round."""
    first = next(iter(costs.values()))
    print(f"{'':40}{'s':>7}{'ratio':>7}{'core-s':>9}{'ratio':>7}{'MiB':>7}")
    for name, each in costs.items():
        clock, used, memory = (statistics.median(values) for values in zip(*each, strict=True))
        ratios = [
            statistics.median(cost[unit] / base[unit] for cost, base in zip(each, first, strict=True))
            for unit in (0, 1)
        ]
        print(f"{name:40}{clock:7.2f}{ratios[0]:7.2f}{used:9.2f}{ratios[1]:7.2f}{memory:7.0f}")


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: %(default)s")
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="run the commands of this checkout, too")
    parser.add_argument("--telemetry", action="store_true", help="measure OpenVINO's telemetry instead")
    arguments = parser.parse_args()
    print(describe())
    obtain(MODEL, "recogniser")
    obtain(DEFAULT_PARSER, "parser")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = write_photo(folder / "photos")
        if arguments.telemetry:
            print_table(measure_telemetry(folder, photos, arguments.rounds))
            return
        features = write_features(folder / "features")
        sides = {TORCH: Side(TORCH)} | sides_of(Side("").checkout, folder / "now", features, photos)
        if arguments.before:
            sides |= sides_of(arguments.before.absolute(), folder / "before", features, photos, ", before")
        print_table(measure(sides, arguments.rounds))


if __name__ == "__main__":
    main()
