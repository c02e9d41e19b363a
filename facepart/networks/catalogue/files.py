"""The files that a network is made of, and the hash of all of them.

Most networks are one file. An MXNet checkpoint is two, the parameters and the symbol; an ONNX file may keep its
weights in files beside it ("external data"). The SHA-256 of a network of one file is that of the file. That of a
network of several is the SHA-256 of their SHA-256s, in hexadecimal, a line each: first that of the parameters or of
the graph, then that of the symbol or those of the data files, in the order of their names. In the shell::

    sha256sum net.onnx net.onnx.data | cut -c1-64 | sha256sum
"""

import hashlib
import mmap
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from facepart.errors import FacepartError, one_line
from facepart.networks.catalogue.hashes import sha256_of

if TYPE_CHECKING:
    import onnx

# Of ONNX's protobuf messages: ModelProto.graph, GraphProto.initializer, TensorProto.external_data; and how the key
# "location" of external data is stored.
_GRAPH, _INITIALIZER, _EXTERNAL_DATA = 7, 5, 13
_LOCATION = b"\x0a\x08location"
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


def symbol_beside(params: Path) -> Path:
    """Return the path of the graph of an MXNet checkpoint: ``model-symbol.json`` for ``model-0000.params``."""
    return params.with_name(re.sub(r"(-\d+)?\.params$", "", params.name) + "-symbol.json")


def network_files(path: Path) -> list[Path]:
    """Return the files of a network, `path` first.

    Raises:
        FacepartError: the file cannot be read, or names weights outside its folder.
    """
    if path.suffix == ".params":
        symbol = symbol_beside(path)
        return [path, symbol] if symbol.is_file() else [path]
    if path.suffix.lower() != ".onnx":
        return [path]
    return [path, *(_beside(path, location) for location in sorted(_external_locations(path)))]


def network_sha256(path: Path, own: str | None = None) -> str:
    """Return the SHA-256 of a network, all files, in hexadecimal.

    Args:
        path: of the network, as :attr:`facepart.networks.catalogue.weights.Weights.path`.
        own: the SHA-256 of this file alone, if that is known.

    Raises:
        FacepartError: a file is missing or cannot be read.
    """
    first, *others = network_files(path)
    lines = [own or sha256_of(first)]
    for other in others:
        try:
            found = other.is_file()
        except OSError:  # such as a name that is too long
            found = False
        if not found:
            raise FacepartError(f"{path}: keeps weights in {one_line(other.name)}, which is missing beside it")
        lines.append(sha256_of(other))
    if not others:
        return lines[0]
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def _beside(path: Path, location: str) -> Path:
    named = PurePosixPath(location)
    if named.is_absolute() or ".." in named.parts or not named.parts:
        raise FacepartError(
            f"{path}: keeps weights outside its folder ({one_line(repr(location))}); export it with files beside it"
        )
    return path.parent / named


def _external_locations(path: Path) -> set[str]:
    """Return the names of the data files of an ONNX file; none for a file that is damaged or no ONNX file."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            if not _may_have_external_data(view):
                return set()
    except OSError as error:
        raise FacepartError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError:
        return set()  # an empty file
    import onnx

    try:
        model = onnx.load(path, load_external_data=False)
    except Exception:  # protobuf's errors have no common base; whoever loads the network reports them
        return set()
    entries = (entry for tensor in _tensors(model) for entry in tensor.external_data)
    return {entry.value for entry in entries if entry.key == "location"}


def _tensors(message: Any) -> "Iterator[onnx.TensorProto]":
    """Yield all tensors in a protobuf message, however deep."""
    if message.DESCRIPTOR.name == "TensorProto":
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for each in value if hasattr(value, "add") else [value]:
                yield from _tensors(each)


def _may_have_external_data(view: mmap.mmap) -> bool:
    """Return False only for an ONNX file that holds all its weights itself.

    Weights inside the file are stepped over, so that a large file takes no longer than a small one.
    """
    try:
        for field, first, end in _messages(view, 0, len(view)):
            if field != _GRAPH:
                if view.find(_LOCATION, first, end) >= 0:
                    return True
                continue
            for part, begin, stop in _messages(view, first, end):
                if part != _INITIALIZER:
                    if view.find(_LOCATION, begin, stop) >= 0:
                        return True
                elif any(name == _EXTERNAL_DATA for name, *_ in _messages(view, begin, stop)):
                    return True
    except (IndexError, ValueError):
        return True  # not what was expected: ONNX's own reader is to look
    return False


def _messages(view: mmap.mmap, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield the fields of a protobuf message that have a length: number, first byte, end.

    Raises:
        ValueError, IndexError: it is no such message.
    """
    while at < end:
        tag, at = _read_varint(view, at)
        kind = tag & 7
        if kind == _VARINT:
            _, at = _read_varint(view, at)
        elif kind == _LENGTH:
            length, at = _read_varint(view, at)
            if at + length > end:
                raise ValueError("is cut short")
            yield tag >> 3, at, at + length
            at += length
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError("is no protobuf message")


def _read_varint(view: mmap.mmap, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = view[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("is no protobuf message")
