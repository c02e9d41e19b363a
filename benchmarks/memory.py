"""How much memory `facepart extract` with ArcFace r100 and `facepart blur` take, and whether photos make it grow.

Usage: python -m benchmarks.memory MODELS PHOTOS [--counts FEW MANY] [--faces N] [--only extract|blur]

MODELS is the folder `models` of the shared data, for the graph of r100, which gets random weights. PHOTOS is a folder
of photos; the faces of the first N are aligned to 224x224 pixels, and the photos of a run are links to these, so that
MANY (10,000 by default) cost no more disk than what is written. Each command runs on the processor, as a process of
its own, three times: with FEW photos when it has to compile the network first, with FEW (1,000 by default), and with
MANY. Of each run is printed, in MiB:

- the peak: the largest resident size that the process ever had, as the system counts it;
- the level: the median resident size, seen every tenth of a second (Linux only), in the second half of the run, which
  would show growth that stays below the peak of the start.

The bounds: no peak above 1.5 GB (10^9 bytes), and neither figure more than 5 % higher with MANY photos than with FEW.
The exit status is 1 if one is broken. Each photo more adds its path and its rows in the records, 1 to 2 KiB; what the
threads' allocators keep still grows over the first thousand photos, so FEW should not be much below that.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.machine import describe
from benchmarks.material import align_some, link_often, make_r100
from facepart.networks.catalogue import DEFAULT_PARSER, obtain

PEAK = 1.5e9
GROWTH = 1.05
MIB = 2**20


def watch(command: Sequence[str], home: Path) -> Mapping[str, float]:
    """Run a program by watch.py, which see; nothing of what it prints is shown unless it fails.

    Args:
        command: the program and its arguments.
        home: FACEPART_HOME, where compiled networks are kept.
    """
    watched = [sys.executable, str(Path(__file__).with_name("watch.py")), *command]
    environment = {**os.environ, "FACEPART_HOME": str(home)}
    run = subprocess.run(watched, env=environment, capture_output=True, text=True)
    usage: Mapping[str, float] = json.loads(run.stdout.splitlines()[-1])
    if usage["status"]:
        sys.exit(f"{' '.join(command)} failed:\n{run.stdout}{run.stderr}")
    return usage


def command_for(stage: str, photos: Path, out: Path, model: str) -> list[str]:
    """Return the command line of a stage, on the processor."""
    outputs = ["-d", str(out)] if stage == "extract" else ["-m", str(out / "masks"), "-d", str(out / "blurred")]
    chosen = ["--model", model, "--device", "cpu"]
    return [sys.executable, "-m", "facepart", stage, "-s", str(photos), *outputs, *chosen]


def measure(stage: str, faces: Sequence[Path], model: str, counts: tuple[int, int], folder: Path) -> bool:
    """Run a stage thrice and print what it took; tell whether the bounds hold."""
    few, many = counts
    runs = []
    for title, count in ((f"{few}, compiling first", few), (str(few), few), (str(many), many)):
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            link_often(faces, count, Path(temporary) / "photos")
            command = command_for(stage, Path(temporary) / "photos", Path(temporary) / "out", model)
            usage = watch(command, folder / f"home-{stage}")
        peak, level = (f"{usage[each] / MIB:5.0f} MiB" for each in ("peak", "level"))
        print(f"  {stage:9}{title:24}peak {peak}   level {level}   {usage['seconds']:7.1f} s")
        runs.append(usage)
    highest = max(usage["peak"] for usage in runs)
    growth = max(runs[2]["peak"] / runs[1]["peak"], runs[2]["level"] / (runs[1]["level"] or 1))
    more = max(runs[2][each] - runs[1][each] for each in ("peak", "level")) / (many - few)
    print(f"  {stage:9}highest peak {highest / 1e9:.2f} GB (at most {PEAK / 1e9:g}: {_verdict(highest <= PEAK)})")
    judged = f"at most {GROWTH:g}: {_verdict(growth <= GROWTH)}"
    print(f"  {stage:9}{many} to {few} photos {growth:.3f} ({judged}), {more / 1024:.1f} KiB more a photo")
    return highest <= PEAK and growth <= GROWTH


def _verdict(holds: bool) -> str:
    return "holds" if holds else "BROKEN"


def main() -> int:
    """Measure, and print; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, metavar="MODELS")
    parser.add_argument("photos", type=Path, metavar="PHOTOS")
    parser.add_argument("--counts", type=int, nargs=2, default=[1_000, 10_000], metavar=("FEW", "MANY"))
    parser.add_argument("--faces", type=int, default=16, help="different photos (default: %(default)s)")
    parser.add_argument("--only", choices=["extract", "blur"], help="one of the two")
    arguments = parser.parse_args()
    print(describe())
    few, many = arguments.counts
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        faces = align_some(arguments.photos, arguments.faces, folder / "faces")
        print(f"{few} and {many} photos of 224x224 pixels, links to {len(faces)} files")
        holds = True
        if arguments.only != "blur":
            holds &= measure("extract", faces, str(make_r100(arguments.models, folder)), (few, many), folder)
        if arguments.only != "extract":
            parser_weights = obtain(DEFAULT_PARSER, "parser").path
            holds &= measure("blur", faces, str(parser_weights), (few, many), folder)
    return int(not holds)


if __name__ == "__main__":
    sys.exit(main())
