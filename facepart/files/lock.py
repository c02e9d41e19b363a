"""One run at a time in an output folder.

A run holds ``.facepart.lock`` in each folder that it writes to. A second run is refused in one line, which names the
process. The lock is a ``flock``, which ends with its process however that ends; the file says who holds it: process,
host, system boot, and the start of the process. What a killed run leaves is told apart and taken over:

- On the same system, that is, under the same boot of the same kernel, also from another container: if the ``flock``
  is free, the process is gone.
- On another host: the process renews the file's time every 15 seconds. If it has not for a minute, the process is
  gone. That matters on file systems that several hosts share without sharing ``flock``.
- On file systems without ``flock``: by the process's number and start on this host, by the file's time on others.

Addresses have no lock. Workers of a cluster write under the lock of the run that started them.
"""

import errno
import hashlib
import json
import os
import secrets
import signal
import socket
import stat
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import FrameType

from facepart.errors import FacepartError
from facepart.files.addresses import is_address
from facepart.files.atomic import is_temporary
from facepart.files.json_input import parse_json

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCK_FILE = ".facepart.lock"
# Seconds.
_RENEWED_EVERY = 15.0
_GONE_AFTER = 60.0
# A lock file is removed by its holder at the moment at which another opens it: tried again so many times.
_TRIES = 100
_MOMENT = 0.05
_LOOKS = 10
_WITHOUT_FLOCK = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EINVAL)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

# Of this process: folder and name of a lock -> the lock.
_held: "dict[str, _Lock]" = {}
_guard = threading.Lock()


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, as its file says.

    Attributes:
        process: its number.
        host: the name of its machine.
        boot: of the machine, identifies one boot of one kernel; empty if the system does not say.
        started: of the process, in the system's clock ticks since boot; empty if the system does not say.
        command: the program and its command.
        since: when it took the lock, local time.
    """

    process: int
    host: str
    boot: str
    started: str
    command: str
    since: str

    def __str__(self) -> str:
        """Return the process in words, for messages."""
        here = (self.host, self.boot) == (socket.gethostname(), _boot())
        place = "" if here else f" on {self.host}"
        return f"process {self.process}{place} ({self.command}, since {self.since})"


@contextmanager
def output_lock(*folders: Path, name: str = "") -> Iterator[None]:
    """Hold folders that a run writes to, as long as the block lasts.

    Missing folders are made, and removed afterwards if they stay empty. A lock that a killed run left is taken over,
    and the temporary files that it left in the folder and below are removed. In one thread, the block may hold the
    same folder again.

    Args:
        folders: of the outputs; addresses are passed over.
        name: of the outputs, for runs that may write to one folder at once under different names; empty for all.

    Raises:
        FacepartError: another run holds one of them, or one cannot be made or written to.
    """
    with ExitStack() as stack:
        # In one order, whatever the order in which they were given.
        for folder in sorted({folder for folder in folders if not is_address(folder)}, key=os.path.realpath):
            stack.enter_context(_locked(folder, name))
        yield


@dataclass
class _Lock:
    """A lock that this process holds, or will hold.

    Attributes:
        path: its file.
        descriptor: of the open file.
        thread: that took it.
        depth: blocks that hold it.
    """

    path: Path
    descriptor: int
    thread: int = field(default_factory=threading.get_ident)
    depth: int = 1

    def is_in_place(self) -> bool:
        """Return whether the file at the path is the open one: another run may have removed it."""
        return _is_at(self.descriptor, self.path)

    def renew(self) -> None:
        """Tell other hosts that this process lives."""
        with suppress(OSError):
            if self.is_in_place():
                os.utime(self.path)

    def release(self) -> None:
        """Remove the file while it is locked, so that nobody locks one that is about to go; then let go."""
        try:
            with suppress(OSError):
                if self.is_in_place():
                    self.path.unlink()
        finally:
            os.close(self.descriptor)


@contextmanager
def _locked(folder: Path, name: str) -> Iterator[None]:
    """Hold one folder."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    path = Path(os.path.realpath(folder)) / (f".facepart-{digest}.lock" if name else LOCK_FILE)
    made: list[Path] = []
    taken = False
    try:
        with _signals_wait():
            made += _make(folder)
            _take(path, folder)
            taken = True
        yield
    finally:
        if taken:
            _let_go(path)
        for each in reversed(made):
            with suppress(OSError):
                each.rmdir()  # only if it is empty


class _Waiting:
    """Signals that came while they had to wait."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take a signal, as its handler."""
        del frame
        self.numbers.append(number)


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Let signals that end a command wait until the block ends: what it has made is then known, and removed.

    They are not blocked, since another thread would take them for this one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers run in the main thread alone
        return
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {each: signal.getsignal(each) for each in numbers}
    waiting = _Waiting()
    replaced = [each for each, handler in before.items() if handler not in (signal.SIG_IGN, None)]
    for each in replaced:
        signal.signal(each, waiting)
    try:
        yield
    finally:
        for each in replaced:
            signal.signal(each, before[each])
        for each in waiting.numbers[:1]:
            signal.raise_signal(each)


def _make(folder: Path) -> list[Path]:
    """Make a folder; return what was missing, the outermost first."""
    try:
        missing = []
        for each in (folder, *folder.parents):
            if each.exists():
                break
            missing.append(each)
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise FacepartError(f"{folder}: cannot be written: is not a folder") from error
    except OSError as error:
        raise FacepartError(f"{folder}: cannot be written: {error.strerror or error}") from error
    return missing[::-1]


def _take(path: Path, folder: Path) -> None:
    with _guard:
        held = _held.get(str(path))
        if held is not None and held.thread == threading.get_ident():
            held.depth += 1
            return
        if held is not None:
            raise _refusal(folder, _this_process())
        try:
            found = _acquire(path, folder)
        except OSError as error:
            raise FacepartError(f"{folder}: cannot be written: {error.strerror or error}") from error
        _held[str(path)] = found
        _renewal.start()


def _let_go(path: Path) -> None:
    with _guard:
        held = _held[str(path)]
        held.depth -= 1
        if not held.depth:
            del _held[str(path)]
            held.release()


def _acquire(path: Path, folder: Path) -> _Lock:
    """Lock the file, and write into it who holds it.

    Raises:
        FacepartError: another process holds it. OSError: it cannot be opened.
    """
    for _ in range(_TRIES):
        try:
            descriptor, writable = _open(path)
        except FileNotFoundError:
            # The run that had made the folder ended at this moment, and removed it because it was empty.
            folder.mkdir(parents=True, exist_ok=True)
            continue
        try:
            if _acquired(descriptor, writable, path, folder):
                return _Lock(path, descriptor)
            os.close(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
    raise _refusal(folder, None)


def _acquired(descriptor: int, writable: bool, path: Path, folder: Path) -> bool:
    """Lock an open file; False if it has gone meanwhile, and has to be opened again."""
    free = _lock(descriptor)
    if not _is_at(descriptor, path):
        return False
    holder = _read_when_written(descriptor) if free is False else _read(descriptor)
    if free is False or (holder is not None and _lives(holder, path, flocked=free is True)):
        raise _refusal(folder, holder)
    if os.fstat(descriptor).st_size:
        _remove_temporary(folder)
    if not writable:
        # A file that another user's run left is replaced; if it cannot be, the lock on it is enough.
        return not _removed(path)
    own = _this_process()
    _write(descriptor, own)
    if free is None:
        # Two runs may have taken over one file: the later one has it.
        time.sleep(_MOMENT)
        if _read(descriptor) != own or not _is_at(descriptor, path):
            raise _refusal(folder, _read(descriptor))
    return True


def _read_when_written(descriptor: int) -> Holder | None:
    """Read who holds a lock; a moment after it was taken, the file may still be empty."""
    for _ in range(_LOOKS):
        if holder := _read(descriptor):
            return holder
        time.sleep(_MOMENT)
    return None


def _open(path: Path) -> tuple[int, bool]:
    """Open or create a lock file, never through a link; return its descriptor, and whether it may be written."""
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor, writable = os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o666), True
    except PermissionError:
        if not path.exists():
            raise
        descriptor, writable = os.open(path, os.O_RDONLY | flags), False
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EEXIST, f"{path.name} is not a file")
    return descriptor, writable


def _lock(descriptor: int) -> bool | None:
    """Lock an open file; return whether that was possible, or None on file systems that cannot."""
    if fcntl is None:
        return None  # type: ignore[unreachable]  # Windows
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _WITHOUT_FLOCK:
            return None
        if error.errno == errno.EACCES:
            return False
        raise
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    opened = os.fstat(descriptor)
    try:
        there = path.lstat()
    except OSError:
        return False
    return (opened.st_dev, opened.st_ino) == (there.st_dev, there.st_ino)


def _read(descriptor: int) -> Holder | None:
    """Read who holds, or held, a lock; None if the file does not say."""
    try:
        found = parse_json(os.pread(descriptor, 4096, 0))
        return Holder(**{key: kind(found[key]) for key, kind in Holder.__annotations__.items()})
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None


def _write(descriptor: int, holder: Holder) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(vars(holder)).encode() + b"\n", 0)


def _removed(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True


def _lives(holder: Holder, path: Path, *, flocked: bool) -> bool:
    """Return whether the process that a lock file names may still write.

    Args:
        holder: the process.
        path: the lock file.
        flocked: whether this process got the file's ``flock``.
    """
    same_host = holder.host == socket.gethostname()
    same_system = holder.boot == _boot() if holder.boot else same_host
    if same_system and flocked:
        return False
    if same_system and same_host and holder.started:
        return holder.started == _start_of(holder.process)
    return _seconds_since_renewal(path) < _GONE_AFTER


def _seconds_since_renewal(path: Path) -> float:
    """Return the age of a lock file, by the clock of its file system: hosts' clocks differ."""
    probe = path.with_name(f".{LOCK_FILE}.{secrets.token_hex(8)}.part")
    os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        return probe.stat().st_mtime - path.stat().st_mtime
    finally:
        probe.unlink()


def _remove_temporary(folder: Path) -> None:
    """Remove temporary files of a killed run, but not from folders below that a run of their own holds, or held."""
    for current, folders, names in os.walk(folder):
        if current != str(folder) and LOCK_FILE in names:
            folders.clear()
            continue
        for name in filter(is_temporary, names):
            with suppress(OSError):
                Path(current, name).unlink()


def _refusal(folder: Path, holder: Holder | None) -> FacepartError:
    who = f": {holder}" if holder else ""
    return FacepartError(f"{folder}: another run is writing there{who}; wait for it, or choose another folder")


def _this_process() -> Holder:
    return Holder(
        process=os.getpid(),
        host=socket.gethostname(),
        boot=_boot(),
        started=_start_of(os.getpid()),
        command=_command(sys.argv),
        since=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S %z"),
    )


def _command(arguments: list[str]) -> str:
    """Return a program's name and its command, without paths."""
    program, *others = arguments or [""]
    name = Path(program).name
    name = Path(program).parent.name if name == "__main__.py" else name
    named = [each for each in others[:1] if each.isalpha()]
    return " ".join([name or "python", *named])


def _boot() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def _start_of(process: int) -> str:
    """Return when a process of this system started, in clock ticks since boot; empty if there is no such process."""
    try:
        # The second field, the command in parentheses, may hold blanks; the start is the 22nd.
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


class _Renewal:
    """A thread that renews the locks of this process, as long as there are any."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._process = 0

    def start(self) -> None:
        """Start the thread if it does not run in this process; called with the guard held."""
        if self._thread is None or not self._thread.is_alive() or self._process != os.getpid():
            self._process = os.getpid()
            self._thread = threading.Thread(target=self._run, name="facepart lock", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(_RENEWED_EVERY)
            with _guard:
                if not _held:
                    self._thread = None
                    return
                for held in _held.values():
                    held.renew()


_renewal = _Renewal()


def _forget_inherited() -> None:
    """Hold no lock in a process that was forked: they are its parent's."""
    global _guard
    _guard = threading.Lock()
    for held in _held.values():
        os.close(held.descriptor)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_inherited)
