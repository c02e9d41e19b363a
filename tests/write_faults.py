"""Faults of writing: one create, write, sync or rename after the other fails, as on a disk that is full or broken."""

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES)


class Faults:
    """Counts the operations that write below a folder, and makes one of them fail.

    Attributes:
        done: what was done, in order: an operation, and the name of the file.
    """

    def __init__(self, folder: Path, failing: int = -1, error: int = errno.ENOSPC) -> None:
        self._folder, self._failing, self._error = str(folder), failing, error
        self.done: list[tuple[str, str]] = []

    def step(self, what: str, path: object) -> None:
        """Count an operation; raises OSError if it is the one that fails."""
        name = os.fspath(path) if isinstance(path, str | os.PathLike) else str(path)
        if not str(name).startswith(self._folder):
            return
        self.done.append((what, Path(str(name)).name))
        if len(self.done) - 1 == self._failing:
            raise OSError(self._error, os.strerror(self._error), name)


class _File(io.FileIO):
    """A file whose writes are counted."""

    def __init__(self, path: Path, faults: Faults, mode: str) -> None:
        super().__init__(path, mode)
        self._faults = faults

    def write(self, data: Any) -> int:
        self._faults.step("write", self.name)
        return super().write(data)


@contextmanager
def injected(faults: Faults) -> Iterator[None]:
    """Have the operations of this process in the block counted, and one of them fail."""
    real_open, real_path_open, real_fsync, real_replace = os.open, Path.open, os.fsync, os.replace

    def make(path: Any, flags: int, *rest: Any, **options: Any) -> int:
        if flags & os.O_CREAT:
            faults.step("create", path)
        return real_open(path, flags, *rest, **options)

    def open_file(path: Path, mode: str = "r", *rest: Any, **options: Any) -> Any:
        if mode != "wb":
            return real_path_open(path, mode, *rest, **options)
        return io.BufferedWriter(_File(path, faults, mode))

    def sync(descriptor: int) -> None:
        faults.step("sync", Path(f"/proc/self/fd/{descriptor}").readlink())
        real_fsync(descriptor)

    def rename(source: Any, target: Any, **options: Any) -> None:
        faults.step("rename", target)
        real_replace(source, target, **options)

    with (
        patch.object(os, "open", make),
        patch.object(Path, "open", open_file),
        patch.object(os, "fsync", sync),
        patch.object(os, "replace", rename),
    ):
        yield
