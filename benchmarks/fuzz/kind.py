"""A kind of input: how a good one is made, how the program reads it, and what tells a damaged one."""

import dataclasses
import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from benchmarks.fuzz.damages import ANY, Damage


class Kind:
    """One kind of input.

    Attributes:
        name: of the kind.
        family: what the issue of damaged files calls it; kinds of one family are one row of the table.
        damages: in what ways its files are damaged.
        victims: the files that are damaged, one at a time; those of the good input if there are none.
        share: how many inputs of this kind there are for one of the usual kind.
    """

    name: ClassVar[str]
    family: ClassVar[str]
    damages: ClassVar[tuple[Damage, ...]] = ANY
    victims: ClassVar[tuple[str, ...]] = ()
    share: ClassVar[float] = 1.0

    def make(self, folder: Path) -> None:
        """Write a good input into an empty folder; equal bytes each time."""
        raise NotImplementedError

    def read(self, folder: Path) -> object:
        """Read the input in a folder, as the program does; return what it found.

        Raises:
            FacepartError: the input is refused, in one line.
        """
        raise NotImplementedError

    def could_tell(self, folder: Path, victim: str) -> bool:
        """Return whether a checksum, or a record beside it, shows that the damaged file is not the original."""
        return False


class MadeAnewError(Exception):
    """The program took the input for missing, and makes it anew: as good as one clear line."""


def breaks_checksums(path: Path) -> bool:
    """Return whether a zip is none, or has a member that does not have its CRC-32."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is not None
    except Exception:  # what zipfile raises for a damaged file, of any kind
        return True


def digest(value: object) -> str:
    """Return a hash of a value: numbers, texts, arrays, and containers and data classes of them."""
    found = hashlib.sha256()
    _add(found, value)
    return found.hexdigest()


def _add(found: Any, value: object) -> None:
    if isinstance(value, np.ndarray):
        found.update(f"{value.dtype.str}{value.shape}".encode())
        # Texts with their padding, numbers by their bits.
        found.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, Mapping):
        found.update(f"mapping {len(value)}".encode())
        for key in sorted(value, key=repr):
            _add(found, key)
            _add(found, value[key])
    elif isinstance(value, list | tuple):
        found.update(f"list {len(value)}".encode())
        for each in value:
            _add(found, each)
    elif isinstance(value, set | frozenset):
        _add(found, sorted(value, key=repr))
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        _add(found, {field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
    else:
        found.update(repr(value).encode("utf-8", "surrogatepass"))
