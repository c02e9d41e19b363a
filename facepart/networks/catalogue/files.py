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

# How an ONNX file stores the key "location", which all external data have. Weights may have these bytes by chance;
# then ONNX's own reader finds no external data.
_LOCATION = b"\x0a\x08location"


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
            if view.find(_LOCATION) < 0:
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
