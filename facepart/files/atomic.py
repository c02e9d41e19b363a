"""Files that are whole or absent, never half-written.

A file is written under a temporary name in its own folder and renamed when complete, so that a killed run
leaves nothing that a later run could take for a result. The temporary name is always the same for the same
file: the run that continues a killed one overwrites the leftover and renames it away. Only in workers of a cluster
does it bear the writer's name, too: one that was cut off but lives may be writing the same file as the one in its
place. What goes to an address (:mod:`facepart.files.addresses`) is completed on this machine first.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.files.addresses import is_address, send, sending

# This process's part of temporary names, see above.
_writer = ""


def name_writer(name: str) -> None:
    """Return this process a name, a word, that its temporary files bear."""
    global _writer
    _writer = name


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; rename it to `path` if the block ends without an error.

    For an address, the temporary path is on this machine, and its contents are sent in one piece. Missing parent
    folders are made. If the block raises, the temporary file is removed and an older file at `path` stays as it was.

    Raises:
        FacepartError: the folder cannot be made or written to (no permission, disk full, a file in the way).
    """
    if is_address(path):
        with sending(path) as temporary:
            yield temporary
        return
    temporary = path.with_name(f".{path.name}.{_writer}part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise FacepartError(f"{path}: cannot be written: {error.strerror or error}") from error
        raise


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all. Raises what :func:`replacing` raises."""
    if is_address(path):
        send(path, data)
        return
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8 with plain line feeds, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_npy(path: Path, array: NDArray[Any]) -> None:
    """Write `array` to `path` in NumPy's .npy format (no pickle), whole or not at all."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    write_bytes(path, buffer.getvalue())
