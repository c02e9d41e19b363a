"""Extract one file from an archive by name; nothing else is unpacked."""

import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from facepart.errors import one_line


class ArchiveError(Exception):
    """The archive is damaged or lacks the file; the message is a few words."""


def take(archive: Path, member: str, target: Path) -> None:
    """Copy the file called `member` out of a zip or tar archive to `target`.

    The name in the archive decides only what is read, never where it is written.

    Raises:
        ArchiveError: the archive has no such file, or cannot be read.
    """
    try:
        opened = _zip_member if zipfile.is_zipfile(archive) else _tar_member
        with opened(archive, member) as file, target.open("wb") as copy:
            shutil.copyfileobj(file, copy)
    except KeyError as error:
        raise ArchiveError(f"has no file {member}") from error
    except tarfile.ReadError as error:
        raise ArchiveError("cannot be unpacked: it is damaged, or not a zip or tar archive") from error
    except Exception as error:
        # OSError, BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError (a way of compressing) ...
        raise ArchiveError(f"cannot be unpacked: {one_line(error)}") from error


@contextmanager
def _zip_member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(archive) as opened, opened.open(member) as file:
        yield file


@contextmanager
def _tar_member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    with tarfile.open(archive) as opened:
        information = opened.getmember(member)
        # A link or a device is not a file of weights, whatever it points to.
        file = opened.extractfile(information) if information.isreg() else None
        if file is None:
            raise KeyError(member)
        with file:
            yield file
