"""MXNet's two files, read without MXNet: the symbol (a graph, as JSON) and the parameters (arrays, as binary).

A checkpoint is ``<prefix>-symbol.json`` and ``<prefix>-<epoch, four digits>.params``. The parameter file is a list of
arrays (``mx.nd.save``), little-endian: the number 0x112, a reserved number and the count of arrays (uint64 each); the
arrays; the count of names and the names (uint64 length, bytes), which have the prefix ``arg:`` or ``aux:``.
One array is: a magic number, which is that of the version; from version 2 on the storage type; the shape; the device
(two int32); the type flag; the values. Files from before the magic numbers begin with the number of dimensions.
Source: ``NDArray::Save`` and ``NDArray::Load`` in Apache MXNet 1.9.1, src/ndarray/ndarray.cc.
"""

import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from facepart.counts import count_of
from facepart.errors import FacepartError, one_line
from facepart.files.json_input import parse_object

LIST_MAGIC = 0x112
_MAGIC_1, _MAGIC_2, _MAGIC_3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
_DENSE = 0
_MOST_DIMENSIONS = 32
_TYPES = {0: "<f4", 1: "<f8", 2: "<f2", 3: "u1", 4: "<i4", 5: "i1", 6: "<i8"}

_SYMBOL_SUFFIX = "-symbol.json"
_PARAMETERS_NAME = re.compile(r"(?P<prefix>.+)-(?P<epoch>\d{4,})\.params")
_PREFIX_AND_EPOCH = re.compile(r"(?P<prefix>.+),\s*(?P<epoch>\d+)")


@dataclass(frozen=True)
class SymbolNode:
    """A node of a symbol.

    Attributes:
        operator: its kind, e.g. ``Convolution``; ``null`` for an input or a parameter.
        name: its name, e.g. ``fc1``.
        attributes: the operator's settings, as MXNet writes them: all strings.
        inputs: indices of the nodes whose (first) outputs it takes, in order.
    """

    operator: str
    name: str
    attributes: Mapping[str, str]
    inputs: tuple[int, ...]


def find_checkpoint(path: Path) -> tuple[Path, Path]:
    """Find the two files of a checkpoint.

    Args:
        path: a ``.params`` file, a folder with one checkpoint (its newest epoch is used), or a prefix and
            an epoch, ``folder/model,0``, as the original programs take them.

    Returns:
        The symbol file and the parameter file; both exist.

    Raises:
        FacepartError: either is missing, or the folder has checkpoints with several prefixes.
    """
    spelt = _PREFIX_AND_EPOCH.fullmatch(path.name)
    if path.is_dir():
        parameters = _newest(path)
    elif spelt and not path.exists():
        parameters = path.with_name(f"{spelt['prefix']}-{int(spelt['epoch']):04d}.params")
    else:
        parameters = path
    if not parameters.is_file():
        raise FacepartError(f"{parameters}: no such file (the parameters of an MXNet checkpoint)")
    named = _PARAMETERS_NAME.fullmatch(parameters.name)
    symbol = parameters.with_name((named["prefix"] if named else parameters.stem) + _SYMBOL_SUFFIX)
    if not symbol.is_file():
        raise FacepartError(f"{symbol}: no such file; put the checkpoint's symbol beside {parameters.name}")
    return symbol, parameters


def _newest(folder: Path) -> Path:
    found = [(match, path) for path in folder.iterdir() if (match := _PARAMETERS_NAME.fullmatch(path.name))]
    prefixes = sorted({match["prefix"] for match, _ in found})
    if not found:
        raise FacepartError(
            f"{folder}: has no MXNet checkpoint (model-0000.params with model-symbol.json); "
            "name an ONNX or PyTorch file itself"
        )
    if len(prefixes) > 1:
        raise FacepartError(
            f"{folder}: has several checkpoints ({one_line(', '.join(prefixes))}); name one .params file"
        )
    return max((int(match["epoch"]), path) for match, path in found)[1]


def read_symbol(path: Path) -> list[SymbolNode]:
    """Read a symbol's nodes, in the order of the file: each after the nodes that compute its inputs.

    Raises:
        FacepartError: the file cannot be read or is not a symbol.
    """
    try:
        stored = parse_object(path.read_bytes())
        return [_node(each, index) for index, each in enumerate(stored["nodes"])]
    except OSError as error:
        raise FacepartError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise FacepartError(f"{path}: is not an MXNet symbol ({type(error).__name__}: {one_line(error)})") from error


def _node(stored: Mapping[str, Any], index: int) -> SymbolNode:
    # The name of the attributes has changed: `param` before MXNet 0.9, `attr` before 1.0, `attrs` since.
    settings = {**stored.get("attr", {}), **stored.get("param", {}), **stored.get("attrs", {})}
    attributes = {name: str(value) for name, value in settings.items()}
    if not all(0 <= source < index for source, *_ in stored["inputs"]):
        raise ValueError(f"the inputs of node {index} are not computed before it")
    if any(output for _, output, *_ in stored["inputs"]):
        raise ValueError(
            f"an input of node {stored['name']!r} is the second output of another node, which is not supported"
        )
    if not isinstance(stored["op"], str) or not isinstance(stored["name"], str):
        raise TypeError(f"node {index} has no name or operator")
    inputs = tuple(int(source) for source, *_ in stored["inputs"])
    return SymbolNode(stored["op"], stored["name"], attributes, inputs)


def read_parameters(path: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of a parameter file.

    Returns:
        Name, without ``arg:`` or ``aux:``, to array, of the type and shape in the file.

    Raises:
        FacepartError: the file cannot be read, is not a parameter file, is cut short or has sparse arrays.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            return _ParameterReader(stream, size).read_list()
    except OSError as error:
        raise FacepartError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise FacepartError(f"{path}: {one_line(error)}") from error


class _ParameterReader:
    """Reads the list of arrays that a parameter file is."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._size = size

    def read_list(self) -> dict[str, NDArray[Any]]:
        if self._size < 8 or self._number("Q") != LIST_MAGIC:
            raise ValueError("is not an MXNet parameter file")
        self._bytes(8)
        arrays = [self._array() for _ in range(self._number("Q"))]
        names = [self._bytes(self._number("Q")).decode("utf-8") for _ in range(self._number("Q"))]
        if len(names) != len(arrays):
            raise ValueError(
                f"is not a checkpoint: it has {count_of(len(arrays), 'array')} but {count_of(len(names), 'name')}"
            )
        return {name.split(":", 1)[-1]: values for name, values in zip(names, arrays, strict=True)}

    def _bytes(self, count: int) -> bytes:
        # Checked before reading: a damaged count must not make Python allocate terabytes.
        if count > self._size - self._stream.tell():
            raise ValueError("is cut short: the download or copy did not finish")
        return self._stream.read(count)

    def _number(self, form: str) -> int:
        value: int = struct.unpack(f"<{form}", self._bytes(struct.calcsize(f"<{form}")))[0]
        return value

    def _array(self) -> NDArray[Any]:
        magic = self._number("I")
        if magic in (_MAGIC_2, _MAGIC_3) and self._number("i") != _DENSE:
            raise ValueError("has sparse arrays, which are not supported")
        known = magic in (_MAGIC_1, _MAGIC_2, _MAGIC_3)
        dimensions = self._number("i") if known else magic
        if dimensions > _MOST_DIMENSIONS:
            raise ValueError("is damaged: an array in it has an impossible shape")
        shape = [self._number("q" if known else "I") for _ in range(dimensions)]
        # An empty array ends here; since version 3 it has -1 dimensions, and 0 stands for a single number.
        if dimensions < 0 or (dimensions == 0 and magic != _MAGIC_3):
            return np.empty(0, dtype=np.float32)
        self._bytes(8)  # the device it was on
        flag = self._number("i")
        if flag not in _TYPES or min(shape, default=0) < 0:
            raise ValueError(f"is damaged, or has values of a type that is not supported (type flag {flag})")
        dtype = np.dtype(_TYPES[flag])
        return np.frombuffer(self._bytes(math.prod(shape) * dtype.itemsize), dtype=dtype).reshape(shape)
