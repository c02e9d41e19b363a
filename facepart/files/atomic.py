"""Files that are whole or absent, never half-written.

A file is written under a temporary name in its own folder, synced and renamed, so that neither a killed run nor a
power cut leaves anything that a later run could take for a result. The temporary name,
``.<name>.<16 hex digits>.part``, is random and created exclusively: two runs never share it, and nobody can plant it.
What a killed run leaves behind is removed by the next one that writes to the folder
(:mod:`facepart.files.lock`). What goes to an address (:mod:`facepart.files.addresses`) is completed on this machine
first.

A file that is replaced keeps its mode, its group and, if the system allows it, its owner. If a path is a link, the
file that it points to is replaced. A device or a pipe, such as ``/dev/null`` or ``/dev/stdout``, is written into.
"""

import errno
import io
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.files.addresses import is_address, send, sending

# Bytes of a file's name that its temporary name repeats: names have 255 at most.
_NAME_BYTES = 200
_TEMPORARY = re.compile(r"\..*\.[0-9a-f]{16}\.part")
_ABANDONED_AFTER = 24 * 3600  # seconds
# Errors of file systems that cannot sync a folder, or of folders that may be written to but not opened.
_UNSYNCABLE = (errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EPERM, errno.EBADF, errno.EISDIR)
_DESCRIPTORS = "/proc/"
_MOST_LINKS = 40


@contextmanager
def replacing(path: Path, *, sync: bool = True) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; rename it to `path` if the block ends without an error.

    The file at the temporary path exists, and is empty. For an address, a device or a pipe, the temporary path is in
    a temporary folder of this machine, and its contents are sent or written in one piece. Missing parent folders are
    made. If the block raises, the temporary file is removed and an older file at `path` stays as it was.

    Args:
        path: the file.
        sync: whether the contents, and then the name, reach the disk before the block ends. Without, a power cut may
            leave an empty file: only for the many files of which a later run checks that they are whole.

    Raises:
        FacepartError: the folder cannot be made or written to (no permission, disk full, a file in the way).
    """
    if is_address(path):
        with sending(path) as temporary:
            yield temporary
        return
    with _reported(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        before, linked = _status(path), path.is_symlink()
    if (before is not None and not stat.S_ISREG(before.st_mode)) or (linked and _is_descriptor(path)):
        with _written_into(path, before) as temporary:
            yield temporary
        return
    target = Path(os.path.realpath(path)) if linked else path
    with _reported(path):
        temporary = _create(target, 0o666 if before is None else before.st_mode & 0o666)
        try:
            yield temporary
            if before is not None:
                _keep_access(temporary, before)
            if sync:
                _sync(temporary)
            temporary.replace(target)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        if sync:
            _sync_folder(target.parent)


def write_bytes(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Write `data` to `path`, whole or not at all. `sync` and what is raised are those of :func:`replacing`."""
    if is_address(path):
        send(path, data)
        return
    with replacing(path, sync=sync) as temporary:
        temporary.write_bytes(data)


def write_if_changed(path: Path, data: bytes) -> None:
    """Write `data` to `path` as :func:`write_bytes` does; a file that has these bytes is left as it is."""
    if not path.exists() or path.read_bytes() != data:
        write_bytes(path, data)


def encoded(text: str) -> bytes:
    """Encode a text as UTF-8, with escapes for what it cannot hold, as in file names that are not UTF-8."""
    return text.encode("utf-8", "backslashreplace")


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8 with plain line feeds, whole or not at all.

    Bytes of a folder's name that are not UTF-8 are written as escapes.
    """
    write_bytes(path, encoded(text))


def write_npy(path: Path, array: NDArray[Any], *, sync: bool = True) -> None:
    """Write `array` to `path` in NumPy's .npy format (no pickle), whole or not at all."""
    write_bytes(path, npy_bytes(array), sync=sync)


def npy_bytes(array: NDArray[Any]) -> bytes:
    """Return an array in NumPy's .npy format."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def is_temporary(name: str) -> bool:
    """Return whether a file is called as :func:`replacing` calls its temporary files."""
    return _TEMPORARY.fullmatch(name) is not None


def remove_abandoned(folder: Path) -> None:
    """Remove the temporary files in a folder that are older than a day: those of killed runs."""
    with suppress(OSError):
        for path in [each for each in folder.iterdir() if is_temporary(each.name)]:
            # Another run may remove it at this moment, or it is another user's.
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _ABANDONED_AFTER:
                    path.unlink()


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    """Turn a system error in the block into one line about `path`."""
    try:
        yield
    except OSError as error:
        raise FacepartError(f"{path}: cannot be written: {error.strerror or error}") from error


def _status(path: Path) -> os.stat_result | None:
    """Return the status of what is at a path, links followed; None if there is nothing."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _create(target: Path, mode: int) -> Path:
    """Create an empty file in the folder of `target`, under a name that nothing had."""
    name = os.fsencode(target.name)[:_NAME_BYTES].decode("utf-8", "ignore")
    temporary = target.with_name(f".{name}.{secrets.token_hex(8)}.part")
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode | stat.S_IWUSR))
    return temporary


def _keep_access(temporary: Path, before: os.stat_result) -> None:
    """Return the temporary file the mode, the group and, if possible, the owner of the file that it replaces."""
    now = temporary.stat()
    if hasattr(os, "chown") and (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        try:
            os.chown(temporary, before.st_uid, before.st_gid)
        except OSError:
            with suppress(OSError):  # a group that this user is not in
                os.chown(temporary, -1, before.st_gid)
    mode = stat.S_IMODE(before.st_mode) & 0o777
    if stat.S_IMODE(now.st_mode) != mode:
        with suppress(PermissionError):  # a process that may give files away, but not change others'
            temporary.chmod(mode)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    try:
        _sync(folder)
    except OSError as error:
        if error.errno not in _UNSYNCABLE:
            raise


def _is_descriptor(path: Path) -> bool:
    """Return whether a path names an open file of this process, as ``/dev/stdout`` and ``/dev/fd/3`` do."""
    for _ in range(_MOST_LINKS):
        if not path.is_symlink():
            return False
        if os.path.realpath(path.parent).startswith(_DESCRIPTORS):
            return True
        path = path.parent / path.readlink()
    return False


@contextmanager
def _written_into(path: Path, before: os.stat_result | None) -> Iterator[Path]:
    """Yield a temporary path elsewhere; write what is there into a device or a pipe.

    Raises:
        FacepartError: nobody reads the pipe, or it is a folder, a disk or a socket.
    """
    if before is not None and stat.S_ISDIR(before.st_mode):
        raise FacepartError(f"{path}: cannot be written: is a folder")
    if before is not None and (stat.S_ISBLK(before.st_mode) or stat.S_ISSOCK(before.st_mode)):
        raise FacepartError(f"{path}: cannot be written: is a {'disk' if stat.S_ISBLK(before.st_mode) else 'socket'}")
    with tempfile.TemporaryDirectory(prefix="facepart-") as folder:
        temporary = Path(folder) / "output"
        yield temporary
        with _reported(path):
            # Not blocking: a pipe that nobody reads would keep the run waiting for ever.
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY)
            except OSError as error:
                if error.errno == errno.ENXIO:
                    raise FacepartError(f"{path}: cannot be written: no process reads this pipe") from error
                raise
            os.set_blocking(descriptor, True)
            with os.fdopen(descriptor, "wb") as special, temporary.open("rb") as written:
                shutil.copyfileobj(written, special)
