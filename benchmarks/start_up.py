"""How long `facepart extract` takes for one photo, which is its start-up, with and without OpenVINO's telemetry.

Usage: python -m benchmarks.start_up [--rounds N]

All sides run in turn, as processes of their own, and the medians are printed: as facepart starts now, and as it
started before, with openvino_telemetry within OpenVINO's reach. Nothing is sent: names are looked up by a function
that fails, at once or, as where no name server answers, after a minute. The networks are on disk, compiled; every
process has an empty home folder, into which the telemetry writes.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.machine import describe
from facepart.files.cache import cache_folder
from facepart.networks.catalogue import obtain

MODEL = "faceplugin"
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
_NOW = "now"
SIDES = {
    _NOW: _RUN,
    "before, names not found": _BEFORE.format(seconds=0),
    "before, no name server answers": _BEFORE.format(seconds=60),
}


def measure(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Run every side `rounds` times on one photo in `folder`, and once before, so that networks are compiled.

    Returns:
        Side -> seconds from the start to the end of the process, in each round.
    """
    photo = np.random.default_rng(1).integers(0, 256, (224, 224, 3), np.uint8)
    (folder / "photos").mkdir()
    Image.fromarray(photo).save(folder / "photos" / "a.png")
    _seconds(folder, "first", _RUN)
    seconds: dict[str, list[float]] = {name: [] for name in SIDES}
    for number in range(rounds):
        for name, program in SIDES.items():
            seconds[name].append(_seconds(folder, f"{name} {number}", program))
    return seconds


def _seconds(folder: Path, name: str, program: str) -> float:
    home = folder / name
    home.mkdir()
    # Telemetry keeps quiet in continuous integration.
    environment = {key: value for key, value in os.environ.items() if key not in ("CI", "TF_BUILD", "JENKINS_URL")}
    environment |= {"HOME": str(home), "FACEPART_HOME": str(cache_folder())}
    options = ["extract", "-s", str(folder / "photos"), "-d", str(home / "features"), "--model", MODEL]
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", program, *options], env=environment, check=True, capture_output=True)
    return time.perf_counter() - begun


def main() -> None:
    """Measure, and print the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: %(default)s")
    rounds = parser.parse_args().rounds
    print(describe())
    obtain(MODEL, "recogniser")
    with tempfile.TemporaryDirectory() as folder:
        seconds = measure(Path(folder), rounds)
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    for name, median in medians.items():
        low, high = min(seconds[name]), max(seconds[name])
        print(f"{name}: {median:.2f} s ({low:.2f} to {high:.2f}), {median / medians[_NOW]:.2f} times the first")


if __name__ == "__main__":
    main()
