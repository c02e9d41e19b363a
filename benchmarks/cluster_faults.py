"""What becomes of a run on a cluster of three nodes when one of them is killed, and what it costs.

Usage: python -m benchmarks.cluster_faults PHOTOS [--stages NAME ...] [--kills N] [--silent] [--photos N] ...

The cluster is three raylets with a processor each, on this machine (:mod:`benchmarks.raylets`). Each stage runs as a
command: without Ray; on the cluster, undisturbed; and some times with a node killed by SIGKILL, at moments that are
spread from 10 % to 90 % of the stage's own progress bar; a new node is started at once. The node of the command is
never killed. All files have to be those of the run without Ray, byte for byte, but for records, which name their
folder, and a study's embeddings, whose rows may stand in any order.

Photos are the first of the folder PHOTOS, by links; features are random. Photos go out in shards of 8 instead of 64,
so that a hundred are several rounds for three workers; --shard 64 is what the program does.
"""

import argparse
import os
import pty
import re
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.machine import describe
from benchmarks.match import make_features
from benchmarks.raylets import Raylets
from facepart.data.photos import find_photos

STAGES = ("blur", "extract", "match", "study")
# Seconds after which a run is taken to hang: Ray needs more than one minute to miss a node that fell silent.
LIMIT = 600.0
# Files that name the folder they are in.
_NAMING = ("run.json", "list.txt")
_PERCENT = re.compile(r"(\d+)%\|")
# What the program says, on a line of its own or after its bar.
_SAID = re.compile(r"facepart: [^\r\n]*")

Run = tuple[Sequence[str | Path], Mapping[str, str] | None]


def arguments_of(stage: str, photos: Path, features: Path, out: Path) -> list[str | Path]:
    """Return a stage's command line, without the program."""
    of_photos: list[str | Path] = [stage, "-s", photos, "--device", "cpu"]
    found: dict[str, list[str | Path]] = {
        "blur": [*of_photos, "-m", out / "masks", "-d", out / "blurred"],
        "extract": [*of_photos, "-d", out / "features", "--align"],
        "match": [stage, "-p", features, "-o", out, "-d", "MORPH", "-gr", "CM", "--save", "distribution"],
        "study": [*of_photos, "-o", out, "--align", "--keep", "masks,photos"],
    }
    return found[stage]


def contents(out: Path) -> dict[str, bytes]:
    """Read all files that have to be the same."""
    paths = [path for path in out.rglob("*") if path.is_file() and path.name not in _NAMING]
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in paths
        if path.relative_to(out).parts[0] != "embeddings"
    }


def differences(out: Path, expected: Mapping[str, bytes]) -> str:
    """Say whether the files in `out` are those that are expected."""
    found = contents(out)
    wrong = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
    return f"DIFFERS: {', '.join(wrong[:5])}{' ...' * (len(wrong) > 5)}" if wrong else f"same ({len(expected)} files)"


def watch(run: Run, percent: float = 101.0, then: Callable[[], None] = lambda: None) -> tuple[float, list[str]]:
    """Run a command on a terminal of its own; call `then` once, when its bar shows so many percent.

    Returns:
        Its seconds, and what it warned of.

    Raises:
        RuntimeError: it failed or hangs, or was done before its bar showed as much.
    """
    command, environment = run
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (24, 100))  # no bar is drawn where there is no room for it
    begun = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), env=environment, stdout=its, stderr=its)
    os.close(its)
    text, waiting = "", percent <= 100
    while time.monotonic() - begun < LIMIT:
        if not select.select([ours], [], [], 1.0)[0]:
            continue
        try:
            text += os.read(ours, 1 << 16).decode(errors="replace")
        except OSError:  # the last process has left the terminal
            break
        shown = _PERCENT.findall(text)
        if waiting and shown and int(shown[-1]) >= percent:
            waiting = False
            then()
    else:
        process.kill()
    status, seconds = process.wait(), time.monotonic() - begun
    os.close(ours)
    said = _SAID.findall(text)
    if status or waiting:
        reason = f"ended with {status}" if status else f"never showed {percent:.0f} %"
        raise RuntimeError(f"{reason} after {seconds:.0f} s:\n{text[-2000:]}")
    return seconds, said


def disturb(raylets: Raylets, silent: bool) -> None:
    """Kill a node, and start another."""
    raylets.kill(silent)
    raylets.add()


def measure(stage: str, raylets: Raylets, parsed: argparse.Namespace, photos: Path, features: Path) -> None:
    """Run a stage locally, on the cluster and with nodes killed, and print the results."""
    # What the command does, with smaller shards.
    code = (
        f"from facepart.cluster import shard_queue; shard_queue.SHARD = {parsed.shard}; "
        "import sys; from facepart.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    with tempfile.TemporaryDirectory() as folder:
        here, there = Path(folder, "here"), Path(folder, "there")
        local, _ = watch(([sys.executable, "-m", "facepart", *arguments_of(stage, photos, features, here)], None))
        expected = contents(here)

        def on_cluster(out: Path) -> Run:
            line = arguments_of(stage, photos, features, out)
            return raylets.on_head([sys.executable, "-c", code, *line, "--ray", raylets.address])

        undisturbed, _ = watch(on_cluster(there))
        print(f"{stage}: {local:.1f} s without Ray, {undisturbed:.1f} s on the cluster", flush=True)
        print(f"  {differences(there, expected)}", flush=True)
        seconds = []
        for number in range(parsed.kills):
            percent = 10 + 80 * number / max(parsed.kills - 1, 1)
            out = Path(folder, str(number))
            took, said = watch(on_cluster(out), percent, lambda: disturb(raylets, parsed.silent))
            seconds.append(took)
            messages = "".join(f"\n    {line}" for line in said)
            print(f"  killed at {percent:.0f} %: {took:.1f} s, {differences(out, expected)}{messages}", flush=True)
            raylets.settle()
        if seconds:
            median = statistics.median(seconds)
            print(
                f"  {len(seconds)} kills: median {median:.1f} s, largest {max(seconds):.1f} s; extra time per kill: "
                f"median {median - undisturbed:.1f} s, largest {max(seconds) - undisturbed:.1f} s",
                flush=True,
            )


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("source", type=Path, metavar="PHOTOS")
    add("--stages", nargs="+", choices=STAGES, default=STAGES, metavar="NAME", help="default: all four")
    add("--kills", type=int, default=10, help="of each stage (default: %(default)s)")
    add("--silent", action="store_true", help="unplug a node before it is killed, as when the power is cut")
    add("--photos", type=int, default=100, help="how many at most (default: %(default)s)")
    add("--features", type=int, default=31_706, help="how many are matched (default: %(default)s)")
    add("--shard", type=int, default=8, help="photos that go out together (default: %(default)s)")
    parsed = parser.parse_args()
    # Also when it is ended from outside, all is taken down again.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(describe())
    with tempfile.TemporaryDirectory() as folder, Raylets() as raylets:
        where = "in network namespaces of their own" if raylets.isolated else "at addresses of one host"
        print(
            f"three raylets {where}; {parsed.photos} photos in shards of {parsed.shard}, {parsed.features} features"
        )
        photos = Path(folder, "photos")
        photos.mkdir()
        for photo in find_photos(parsed.source)[0][: parsed.photos]:
            (photos / photo.path.name).symlink_to(photo.path.absolute())
        features = make_features(Path(folder, "features"), parsed.features)
        for stage in parsed.stages:
            try:
                measure(stage, raylets, parsed, photos, features)
            except RuntimeError as error:
                print(f"{stage}: FAILED: {error}", flush=True)


if __name__ == "__main__":
    main()
