"""Places that are no path of the file system, but an address such as ``s3://bucket/folder``.

An address stands wherever a path may stand, and is typed as one: ``universal_pathlib`` gives addresses the methods of
paths, over any file system that ``fsspec`` knows. What paths cannot do there is done here. An object store has no
folders, renames by copying, and shows an object whole or not at all; asking for one costs a round trip. So files
are completed on this machine and sent in one piece, and what a folder holds is listed once, not asked for file by
file.
"""

import os
import re
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import Any, BinaryIO, NamedTuple, cast

from facepart.errors import FacepartError, UsageError, first_line

_MARK = "://"
# RFC 3986, section 3.1; `::` chains file systems, as fsspec writes it.
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.:-]*://")
_LOCAL = "file://"
# What is read of a file at a time where only pieces of it are wanted: an array of a shard takes half of that.
_PIECE = 1 << 20
# Keys of a listing that identify the version of an object; stores differ in which they have.
_STAMPS = ("ETag", "etag", "md5Hash", "LastModified", "mtime", "created")


class Listed(NamedTuple):
    """A file in a listing, and a stamp that changes if the file is replaced."""

    path: Path
    stamp: str


def place(text: str) -> Path:
    """Return the path, or the address, that a user wrote.

    Addresses need the extra ``facepart[remote]`` and, for each kind, what ``fsspec`` needs for it: ``s3fs`` for
    ``s3://``, ``gcsfs`` for ``gs://``. ``file://`` is a path.

    Raises:
        FacepartError: the address is of an unknown kind, or what it needs is not installed; or the text is empty, as
            that of a shell variable that was never set.
    """
    if not text:
        raise FacepartError("a path is empty: is a variable of the shell not set?")
    if text.startswith(_LOCAL):
        return Path(text.removeprefix(_LOCAL))
    if not _ADDRESS.match(text):
        return Path(text)
    try:
        from upath import UPath
    except ImportError as error:
        raise FacepartError(
            f'{text}: addresses need universal_pathlib, which is not installed: pip install "facepart[remote]"'
        ) from error
    try:
        kind, rest = text.split(_MARK, 1)
        # Listings that fsspec remembers would hide what workers write meanwhile.
        found = UPath(f"{kind}{_MARK}{re.sub('/+', '/', rest)}", use_listings_cache=False)
        found.fs  # noqa: B018 - looks whether what it needs is there
    except ImportError as error:
        raise FacepartError(f"{text}: {first_line(error)} (pip install)") from error
    except ValueError as error:
        raise FacepartError(f"{text}: is not a known kind of address ({first_line(error)})") from error
    return cast(Path, found)


def reachable(text: str) -> Path:
    """Return the path, or the address, that a user wrote, once it has been seen that there is a store behind it.

    Raises:
        FacepartError: as :func:`place`; or the store cannot be reached, or does not let us in.
    """
    found = place(text)
    if is_address(found):
        with _telling(found, "cannot be reached"):
            found.exists()
    return found


def is_address(path: Path) -> bool:
    """Return whether a path is an address."""
    return not isinstance(cast(object, path), PurePath)


@contextmanager
def _telling(path: Path, what: str, *others: type[Exception]) -> Iterator[None]:
    """Turn errors at an address in the block into one line: stores raise errors of many kinds.

    Raises:
        FacepartError: the block raised something, of whatever kind; FacepartError and `others` go on as they are.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, (FacepartError, *others)):
            raise
        raise FacepartError(f"{path}: {what}: {first_line(error)}") from error


@contextmanager
def sending(path: Path) -> Iterator[Path]:
    """Yield a path on this machine; send what is there to the address `path` if the block ends without an error.

    Raises:
        FacepartError: it cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="facepart-") as folder:
        temporary = Path(folder) / path.name
        try:
            yield temporary
        except OSError as error:
            raise FacepartError(f"{path}: cannot be written: {error.strerror or error}") from error
        with _telling(path, "cannot be written"):
            _system(path).put_file(str(temporary), _inside(path))


def send(path: Path, data: bytes) -> None:
    """Write bytes to an address, in one piece.

    Raises:
        FacepartError: they cannot be written.
    """
    with _telling(path, "cannot be written"):
        _system(path).pipe_file(_inside(path), data)


@contextmanager
def on_disk(path: Path) -> Iterator[Path]:
    """Yield a path on this machine with a file's contents: its own, or that of a copy as long as the block lasts.

    Raises:
        FileNotFoundError: there is no such file. FacepartError: it is at an address, and cannot be read.
    """
    if not is_address(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="facepart-") as folder:
        copy = Path(folder) / path.name
        with _telling(path, "cannot be read", FileNotFoundError):
            _system(path).get_file(_inside(path), str(copy))
        yield copy


def read_whole(path: Path) -> bytes:
    """Read all of a file.

    Raises:
        OSError: it cannot be read; of an address, stores raise errors of many kinds.
    """
    return cast(bytes, _system(path).cat_file(_inside(path))) if is_address(path) else path.read_bytes()


def read_start(path: Path, size: int) -> bytes:
    """Read the beginning of a file in as few calls as can be; nothing of one that cannot be read."""
    try:
        if is_address(path):
            return read_whole(path)[:size]
        with path.open("rb", buffering=0) as file:
            return file.read(size)
    except OSError:
        return b""


def open_in_pieces(path: Path) -> BinaryIO:
    """Open a file of which only pieces will be read."""
    if is_address(path):
        return cast(BinaryIO, cast(Any, path).open("rb", block_size=_PIECE))
    return path.open("rb")


def move(path: Path, target: Path) -> None:
    """Return a file another name in its folder or in one beside it, in place of what is there."""
    if is_address(path):
        cast(Any, path).rename(target)  # by copying and removing; the copy is there whole or not at all
    else:
        path.replace(target)


def remove_if_empty(folder: Path) -> None:
    """Remove a folder that holds nothing; at an address, such a folder is not there any more."""
    if not is_address(folder):
        with suppress(OSError):
            folder.rmdir()


class ExistingPaths:
    """Which files exist below some folders.

    On a file system that is looked up for each path; the files at addresses are listed once, when this is made.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        """List what is below those of `folders` that are addresses.

        Raises:
            FacepartError: an address cannot be listed.
        """
        remote = [folder for folder in folders if is_address(folder)]
        self._listed = {
            _inside(path): cast(int | None, info.get("size")) for folder in remote for path, info in _listing(folder)
        }

    def __contains__(self, path: Path) -> bool:
        if is_address(path):
            return _inside(path) in self._listed
        return os.path.exists(path)  # noqa: PTH110 - Path.exists raises for a name that is too long

    def size(self, path: Path) -> int | None:
        """Return the size of a file in bytes; None if there is none, or a store that does not say."""
        if is_address(path):
            return self._listed.get(_inside(path))
        try:
            status = path.stat()
        except OSError:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None


def files_in(folder: Path) -> Iterator[Listed]:
    """Yield what is at an address and below, sorted, without what is hidden below it.

    Raises:
        FacepartError: it cannot be listed.
    """
    for path, info in _listing(folder):
        yield Listed(path, _stamp(info))


def _listing(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield what is at an address and below, as :func:`files_in`, with what the store says of it."""
    root = _inside(folder).rstrip("/")
    with _telling(folder, "cannot be listed"):
        found: dict[str, dict[str, Any]] = _system(folder).find(root, detail=True)
    for name in sorted(found):
        relative = name.removeprefix(root).lstrip("/")
        if relative and not any(part.startswith(".") for part in relative.split("/")):
            yield folder / relative, found[name]


def stamp_of(path: Path) -> str:
    """Return a stamp that changes if a file is replaced: its size and modification time, or what its store offers.

    Raises:
        OSError: it cannot be looked at.
    """
    if is_address(path):
        return _stamp(_system(path).info(_inside(path)))
    status = path.stat()
    return f"{status.st_size}-{status.st_mtime_ns}"


def tidy(path: Path) -> Path:
    """Remove ``.`` and ``..`` from a path; addresses are not changed."""
    return path if is_address(path) else Path(os.path.normpath(path))


def real_path(path: Path) -> Path:
    """Return a path without links; of a link to itself, as it is."""
    return path.resolve() if is_address(path) else Path(os.path.realpath(path))


def refuse_overwriting(inputs: Iterable[Path | None], outputs: Iterable[Path]) -> None:
    """Refuse to write to what a run reads.

    Args:
        inputs: files or folders; None for one that is not given.
        outputs: files or folders that the run would write.

    Raises:
        UsageError: an output is an input, also under another name or behind a link.
    """
    read = {real_path(path) for path in inputs if path is not None}
    for path in outputs:
        if real_path(path) in read:
            raise UsageError(f"{path}: is an input, which the outputs would overwrite; choose another place for them")


def common_folder(paths: Sequence[Path]) -> Path:
    """Return the deepest folder that holds all of some absolute paths.

    Raises:
        FacepartError: some are addresses, and others are not, or of another store.
    """
    folders = [path.parent for path in paths]
    kinds = {(str(getattr(folder, "protocol", "")), is_address(folder)) for folder in folders}
    if len(kinds) > 1:
        raise FacepartError(f"{paths[0]} and {paths[-1]}: a list names files of one place, not of several")
    if not is_address(folders[0]):
        return Path(os.path.commonpath(folders))
    common = os.path.commonpath([_inside(folder) for folder in folders])
    return place(f"{cast(Any, folders[0]).protocol}{_MARK}{common}")


def _stamp(info: dict[str, Any]) -> str:
    version = next((info[key] for key in _STAMPS if info.get(key)), "")
    return f"{info.get('size')}-{str(version).strip(chr(34))}"


def _system(path: Path) -> Any:
    """Return the file system of an address."""
    return cast(Any, path).fs


def _inside(path: Path) -> str:
    """Return what an address is called inside its file system."""
    return cast(str, cast(Any, path).path)
