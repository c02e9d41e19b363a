"""A name -> the file on this machine, with its hash checked. Nothing is fetched here."""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from facepart.errors import FacepartError
from facepart.networks.catalogue.entries import Model, model
from facepart.networks.catalogue.files import network_sha256, symbol_beside
from facepart.networks.catalogue.folders import models_folders
from facepart.networks.catalogue.hashes import record, record_file, recorded, sha256_of

# ok, wrong: compared with the catalogue. For models without a hash there: new, recorded, or changed since.
# unreadable: such as a file of another user's in a shared cache.
State = Literal["ok", "wrong", "new", "recorded", "changed", "unreadable"]
USABLE: tuple[State, ...] = ("ok", "new", "recorded")

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelFile:
    """A file in one of the locations of a model.

    Attributes:
        path: the file; for an MXNet checkpoint, the .params file.
        sha256: of the network, all files; empty if it cannot be read.
        state: the result of checking its hash.
    """

    path: Path
    sha256: str
    state: State


def look_up(entry: Model) -> Iterator[ModelFile]:
    """Yield the files in the locations of `entry`, in the order of the folders, each with its state.

    Raises:
        FacepartError: the record of hashes, or a file beside one, cannot be read.
    """
    for path in _candidates(entry):
        if not os.access(path, os.R_OK):
            yield ModelFile(path, "", "unreadable")
            continue
        own = sha256_of(path)
        if entry.sha256 is not None:
            yield ModelFile(path, own, "ok" if own == entry.sha256 else "wrong")
            continue
        sha256, before = network_sha256(path, own), recorded(entry.name)
        # Earlier releases recorded the hash of the parameters of a checkpoint alone.
        new = before is None or (before == own != sha256)
        yield ModelFile(path, sha256, "new" if new else "recorded" if sha256 == before else "changed")


def locate(entry: Model) -> ModelFile | None:
    """Return the first file that can be used as `entry`; None if there is no such file.

    A file with a wrong hash, or without permission to read it, is skipped with a warning. If the catalogue has no
    hash of the model, the hash of the file is recorded on its first use.

    Raises:
        FacepartError: the file has changed since its hash was recorded, or a file cannot be read.
    """
    for found in look_up(entry):
        if found.state == "wrong":
            warning = "%s: skipped: its sha256 is %s, that of %s is %s"
            _logger.warning(warning, found.path, found.sha256, entry.name, entry.sha256)
            continue
        if found.state == "unreadable":
            _logger.warning("%s: skipped: no permission to read it", found.path)
            continue
        if found.state == "changed":
            raise FacepartError(
                f"{found.path}: has changed since its first use: its sha256 is {found.sha256}, it was "
                f"{recorded(entry.name)}; put the old file back, or remove {entry.name} from {record_file()}"
            )
        if found.state == "new":
            _record(entry, found)
        return found
    return None


def find(name: str) -> Path | None:
    """Return the file of the model called `name` on this machine; None if there is none.

    Raises:
        UsageError: there is no such model.
        FacepartError: as in :func:`locate`.
    """
    found = locate(model(name))
    return None if found is None else found.path


def is_file(path: Path) -> bool:
    """Return whether there is a file; False where that may not be known, such as in another user's folder."""
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises PermissionError there


def _candidates(entry: Model) -> Iterator[Path]:
    for folder in models_folders():
        for location in entry.locations:
            path = folder / location
            if is_whole(path):
                yield path
            elif is_file(path):
                _logger.warning("%s: skipped: %s must be beside it", path, symbol_beside(path).name)


def is_whole(path: Path) -> bool:
    """Return whether there is a file and, for an MXNet checkpoint, its symbol beside it."""
    return is_file(path) and (path.suffix != ".params" or is_file(symbol_beside(path)))


def _record(entry: Model, found: ModelFile) -> None:
    try:
        record(entry.name, found.sha256)
    except FacepartError as error:
        # The weights can be used even if the cache cannot be written.
        _logger.warning("the sha256 of %s could not be recorded: %s", entry.name, error)
