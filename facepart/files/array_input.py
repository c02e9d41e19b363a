"""Arrays in files, read: NumPy's ``.npy`` and ``.npz``, of numbers and text, never pickles.

All arrays are read here. A file may be damaged, or made to do harm: what its header claims is compared with what the
file holds before any memory is taken, and whatever goes wrong is one line that names the file.
"""

import io
import math
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.files.addresses import on_disk, open_in_pieces

_SUFFIX = ".npy"
_MAGIC = b"\x93NUMPY"
# Bytes of the length of the header, by the format's version; 3 is for columns with names, which are not read.
_LENGTH_BYTES = {1: 2, 2: 4}
# The longest header that is parsed; NumPy's have 128 bytes.
_LONGEST_HEADER = 4096
# A header is a dictionary in Python's syntax. It is read as text: Python's own parser can be made to raise nearly
# anything. `L` follows long numbers of Python 2.
_QUOTE = r"""['"]"""
_ITEM = (
    rf"\s*{_QUOTE}(?P<key>descr|fortran_order|shape){_QUOTE}\s*:\s*"
    rf"(?:{_QUOTE}(?P<dtype>[<>=|]?[biufcSU]\d+){_QUOTE}|(?P<truth>True|False)|\((?P<shape>[\d\sL,]*)\))"
)
_PLAIN_ITEM = re.sub(r"\?P<\w+>", "?:", _ITEM)
_HEADER = re.compile(rf"\{{{_PLAIN_ITEM}(?:\s*,{_PLAIN_ITEM}){{2}}\s*(?:,\s*)?\}}\s*")


class ArrayHeader(NamedTuple):
    """What a ``.npy`` says of its array.

    Attributes:
        length: of the header itself, in bytes.
        shape: of the array.
        dtype: of its values.
        by_columns: whether the values are stored column by column (Fortran order).
    """

    length: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    by_columns: bool

    @property
    def size(self) -> int:
        """Number of bytes of a whole file with this header."""
        return self.length + math.prod(self.shape) * self.dtype.itemsize


def read_array(path: Path, what: str, *, mapped: bool = False, shown: Path | None = None) -> NDArray[Any]:
    """Read a ``.npy``.

    Args:
        path: the file.
        what: what it is, for the message, e.g. ``a feature``.
        mapped: leave the values on disk, and map them, read-only; those at an address are read.
        shown: the file's name in messages, where `path` is a copy.

    Raises:
        FileNotFoundError: there is no such file. FacepartError: it cannot be read, or is not a whole ``.npy`` of
            numbers or text.
    """
    wording = f"is not {what}: not a whole .npy file of numbers"
    with _one_line(shown or path, wording), on_disk(path) as here, here.open("rb") as file:
        found = _read_header(file, here.stat().st_size)
        file.seek(0)
        order: Literal["C", "F"] = "F" if found.by_columns else "C"
        if mapped and here == path and math.prod(found.shape) * found.dtype.itemsize:
            return np.memmap(file, found.dtype, "r", found.length, found.shape, order)
        return _parse(file.read(found.size), found)


def read_header(path: Path, what: str) -> ArrayHeader:
    """Read what a whole ``.npy`` says of its array; raises what :func:`read_array` raises."""
    with _one_line(path, f"is not {what}: not a whole .npy file of numbers"), open_in_pieces(path) as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        return _read_header(file, size)


class ArrayArchive:
    """An open ``.npz``.

    Attributes:
        names: of its arrays.
    """

    def __init__(self, path: Path, what: str, archive: zipfile.ZipFile) -> None:
        self._path, self._what, self._archive = path, what, archive
        members = [name for name in archive.namelist() if name.endswith(_SUFFIX)]
        self.names = frozenset(name.removesuffix(_SUFFIX) for name in members)

    def read(self, name: str) -> NDArray[Any]:
        """Read an array; it cannot be written to.

        Raises:
            FacepartError: it is not there, or is damaged (the archive has a checksum of each).
        """
        with _one_line(self._path, f"is not {self._what}: not a whole .npz file"):
            if name not in self.names:
                raise ValueError(f"it has no {name}")
            # As a whole, and only then as an array: what is not there takes no memory, whatever the headers say.
            data = self._archive.read(f"{name}{_SUFFIX}")
            return _parse(data, _read_header(io.BytesIO(data), len(data)))

    def read_all(self) -> dict[str, NDArray[Any]]:
        """Read all arrays; raises what :meth:`read` raises."""
        return {name: self.read(name) for name in sorted(self.names)}


@contextmanager
def open_arrays(path: Path, what: str) -> Iterator[ArrayArchive]:
    """Open a ``.npz``; of one at an address, only what is wanted is read.

    Args:
        path: the file.
        what: what it is, for messages, e.g. ``a score distribution``.

    Raises:
        FileNotFoundError: there is no such file. FacepartError: it cannot be read, or is not a ``.npz``.
    """
    wording = f"is not {what}: not a whole .npz file"
    with _one_line(path, wording):
        file = open_in_pieces(path)
    with file:
        with _one_line(path, wording):
            archive = ArrayArchive(path, what, zipfile.ZipFile(file))
        yield archive


@contextmanager
def _one_line(path: Path, wording: str) -> Iterator[None]:
    """Turn whatever a damaged file makes NumPy or zipfile raise in the block into one line."""
    try:
        yield
    except (FacepartError, FileNotFoundError):
        raise
    except OSError as error:
        raise FacepartError(f"{path}: cannot be read: {error.strerror or error}") from error
    except Exception as error:
        # ValueError, TypeError, EOFError, MemoryError, OverflowError, BadZipFile, zlib.error, KeyError, struct.error,
        # NotImplementedError (a compression method), RuntimeError (a password) ...
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise FacepartError(f"{path}: {wording} ({reason})") from error


def _read_header(file: BinaryIO, size: int) -> ArrayHeader:
    """Read the header of a ``.npy`` of `size` bytes.

    Raises:
        Exception: it is none that NumPy writes for numbers or text, or the file has another length than it says.
    """
    if not size:
        raise ValueError("it is empty")
    start = file.read(_LONGEST_HEADER)
    if not start.startswith(_MAGIC):
        raise ValueError("it does not begin as one")
    width = _LENGTH_BYTES.get(start[len(_MAGIC)])
    if width is None:
        raise ValueError("its format is of another version")
    first = len(_MAGIC) + 2 + width
    length = first + int.from_bytes(start[first - width : first], "little")
    text = start[first:length].decode("latin-1")
    items = list(re.finditer(_ITEM, text)) if length <= len(start) and _HEADER.fullmatch(text) else []
    given = {item["key"]: item for item in items}
    if len(given) < 3:
        raise ValueError("its header is damaged, or it holds no numbers")
    numbers = given["shape"]["shape"].replace("L", "").split(",")
    shape = tuple(int(number) for number in numbers if number.strip())
    header = ArrayHeader(length, shape, np.dtype(given["descr"]["dtype"]), given["fortran_order"]["truth"] == "True")
    if header.size != size:
        wrong = "is cut short" if header.size > size else "is too long"
        raise ValueError(f"it {wrong}: {size} bytes instead of {header.size}")
    return header


def _parse(data: bytes, header: ArrayHeader) -> NDArray[Any]:
    """Return the array that begins after a header."""
    count = math.prod(header.shape)
    values = np.frombuffer(data, header.dtype, count, header.length) if count else np.empty(0, header.dtype)
    return values.reshape(header.shape, order="F" if header.by_columns else "C")
