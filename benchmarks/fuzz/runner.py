"""Runs damaged inputs in a process of their own: one that crashes or hangs is counted, and the rest goes on."""

import logging
import multiprocessing
import os
import random
import resource
import shutil
import tempfile
import traceback
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.fuzz.damages import damage
from benchmarks.fuzz.kind import Kind, MadeAnewError, digest
from facepart.errors import FacepartError

# Modules of kinds, those that load PyTorch and OpenVINO last.
MODULES = ("photos", "texts", "arrays", "state", "networks")
SECONDS = 60
BYTES = 2_000_000_000
# What the process may ask for beyond that, before it gets none: more than BYTES is a fault, this is for the machine.
_SPARE = 2_000_000_000
LONGEST = 500
# Outcomes, columns of the table; all after the first four are faults.
REFUSED, SAME, OTHER, ANEW = "refused", "as before", "another value", "made anew"
TRACEBACK, MESSAGE, SILENT, HANG, MEMORY, CRASH, NOISE = (
    *("traceback", "message", "silent change", "hang", "over 2 GB", "crash", "noise"),
)
FINE = (REFUSED, ANEW, SAME, OTHER)
FAULTS = (TRACEBACK, MESSAGE, SILENT, HANG, MEMORY, CRASH, NOISE)


@dataclass(frozen=True)
class Result:
    """What became of one damaged input.

    Attributes:
        kind: of the input.
        family: of the kind.
        number: of the input; with the seed, it is made again.
        damage: what was done to it.
        outcome: one of FINE and FAULTS.
        said: the message, or where it went wrong.
    """

    kind: str
    family: str
    number: int
    damage: str
    outcome: str
    said: str


def all_kinds(modules: Sequence[str] = MODULES) -> dict[str, Kind]:
    """Return the kinds of some modules by their names."""
    kinds = [kind for name in modules for kind in import_module(f"benchmarks.fuzz.{name}").KINDS]
    found: dict[str, Kind] = {kind.name: kind for kind in kinds}
    assert len(found) == len(kinds)
    return found


def run(
    modules: Sequence[str], wanted: Sequence[str], inputs: int, seed: int, only: int | None = None
) -> Iterator[Result]:
    """Read damaged inputs in another process, and yield what became of each.

    Args:
        modules: of :data:`MODULES`.
        wanted: names of kinds; all of the modules if there are none.
        inputs: how many there are of a kind of the usual share.
        seed: of the damages.
        only: the number of the only input of each kind that is read.
    """
    context = multiprocessing.get_context("spawn")
    after: tuple[str, int] | None = None
    while True:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(
            target=_work, args=(theirs, modules, wanted, inputs, seed, only, after), daemon=True
        )
        process.start()
        theirs.close()
        begun: Result | None = None
        try:
            while True:
                # The first message comes after libraries have been loaded.
                if not _wait(ours, SECONDS if begun else 4 * SECONDS):
                    raise TimeoutError
                message: Result | str | None = ours.recv()
                if message is None:
                    return
                if isinstance(message, str):
                    raise RuntimeError(message)
                if message.outcome:
                    yield message
                else:
                    begun = message
                    after = begun.kind, begun.number
        except (EOFError, TimeoutError) as error:
            process.join(5)
            process.kill()
            process.join()
            if begun is None:
                raise RuntimeError("the process that reads inputs does not start") from error
            outcome = HANG if isinstance(error, TimeoutError) else CRASH
            yield Result(begun.kind, begun.family, begun.number, begun.damage, outcome, f"status {process.exitcode}")
        finally:
            process.kill()
            process.join()
            ours.close()


def _wait(connection: Connection, seconds: int) -> bool:
    """Return whether there is a message in so many seconds, without those in which this process is suspended."""
    return any(connection.poll(1) for _ in range(seconds))


class _Messages(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, entry: logging.LogRecord) -> None:
        self.texts.append(entry.getMessage())


def _work(connection: Connection, *arguments: Any) -> None:
    """Read inputs; a fault of this program itself is sent as a text."""
    try:
        _read_all(connection, *arguments)
    except Exception:
        connection.send(traceback.format_exc())


def _read_all(
    connection: Connection,
    modules: Sequence[str],
    wanted: Sequence[str],
    inputs: int,
    seed: int,
    only: int | None,
    after: tuple[str, int] | None,
) -> None:
    """Read all inputs after one; send each before and after it is read."""
    os.environ["OMP_NUM_THREADS"] = "1"
    kinds = all_kinds(modules)
    messages = _Messages()
    logging.getLogger().addHandler(messages)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place, tempfile.TemporaryFile() as noise:
        folder = Path(place) / "in"
        os.environ["FACEPART_HOME"] = str(folder)
        os.dup2(noise.fileno(), 2)
        skipping = after is not None
        for name, kind in kinds.items():
            if (wanted and name not in wanted) or (after and skipping and name != after[0]):
                continue
            reader = _Reader(kind, folder, messages, noise.fileno())
            numbers = range(max(1, round(inputs * kind.share))) if only is None else (only,)
            for number in numbers:
                if after and skipping and number <= after[1]:
                    continue
                dice = random.Random(f"{seed} {name} {number}")
                victim, done = reader.prepare(dice)
                connection.send(Result(name, kind.family, number, f"{victim}: {done}", "", ""))
                connection.send(Result(name, kind.family, number, f"{victim}: {done}", *reader.outcome(victim)))
            skipping = False
    connection.send(None)


class _Reader:
    """Reads damaged inputs of one kind."""

    def __init__(self, kind: Kind, folder: Path, messages: _Messages, noise: int) -> None:
        self._kind, self._folder, self._messages, self._noise = kind, folder, messages, noise
        _clear(folder)
        kind.make(folder)
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        self._files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        self._victims = kind.victims or tuple(self._files)
        self._restore({})
        # Twice: what a library allocates once is no input's.
        self._expected = digest(kind.read(folder))
        self._restore({})
        assert digest(kind.read(folder)) == self._expected, kind.name
        _limit_memory()

    def prepare(self, dice: random.Random) -> tuple[str, str]:
        """Put a damaged input into the folder; return which file was damaged, and how."""
        victim = dice.choice(self._victims)
        done, data = damage(self._files[victim], self._kind.damages, dice)
        self._restore({victim: data})
        return victim, done

    def outcome(self, victim: str) -> tuple[str, str]:
        """Read the input; return what became of it."""
        self._messages.texts.clear()
        os.ftruncate(self._noise, 0)
        os.lseek(self._noise, 0, os.SEEK_SET)
        damaged = (self._folder / victim).read_bytes()
        before = _peak(reset=True)
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("default")
            outcome, said = self._read()
        grown = _peak() - before
        texts = [said] * (outcome == REFUSED) + self._messages.texts
        # A warning is printed in two lines.
        shown = [
            each for each in warned if not issubclass(each.category, DeprecationWarning | PendingDeprecationWarning)
        ]
        if outcome in FINE and grown > BYTES:
            return MEMORY, f"{grown / 1e9:.1f} GB"
        if outcome in FINE and (bad := next((text for text in texts if _is_unclear(text)), None)) is not None:
            return MESSAGE, f"{len(bad)} characters: {bad[:300]!r}"
        if outcome in FINE and (shown or os.fstat(self._noise).st_size):
            return NOISE, str(shown[0].message) if shown else repr(os.pread(self._noise, 300, 0))
        if outcome == OTHER:
            (self._folder / victim).write_bytes(damaged)
            if self._could_tell(victim):
                return SILENT, said
        return outcome, said

    def _read(self) -> tuple[str, str]:
        try:
            found = digest(self._kind.read(self._folder))
        except FacepartError as error:
            return REFUSED, str(error)
        except MadeAnewError:
            return ANEW, ""
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)
            ours = [
                f"{frame.filename.rpartition('facepart/')[2]}:{frame.lineno}"
                for frame in where
                if "facepart/" in frame.filename
            ]
            return TRACEBACK, f"{type(error).__name__}: {str(error)[:200]!r} at {ours[-1] if ours else where[-1]}"
        return (SAME, "") if found == self._expected else (OTHER, "")

    def _could_tell(self, victim: str) -> bool:
        try:
            return self._kind.could_tell(self._folder, victim)
        except Exception:  # the file is not even one of its form
            return True

    def _restore(self, changed: dict[str, bytes]) -> None:
        _clear(self._folder)
        for name, data in {**self._files, **changed}.items():
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            os.utime(path, (1e9, 1e9))


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


def _is_unclear(text: str) -> bool:
    return len(text.splitlines()) > 1 or len(text) > LONGEST or not text.strip()


def _limit_memory() -> None:
    """Let this process have so much more memory than it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + BYTES + _SPARE
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _peak(*, reset: bool = False) -> int:
    """Return the most memory that this process has had, in bytes, since the peak was reset."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
