"""SHA-256 of weights, and the record of hashes that are not in the catalogue.

A model without a published hash is trusted on its first use: its hash is then written to ``hashes.json`` in the
cache, and must be the same on every later use.
"""

import hashlib
import json
from pathlib import Path

from facepart.errors import FacepartError
from facepart.files.atomic import write_text
from facepart.files.cache import cache_folder
from facepart.files.json_input import read_object


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's contents, in hexadecimal.

    Raises:
        FacepartError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FacepartError(f"{path}: cannot be read: {error.strerror}") from error


def record_file() -> Path:
    """Return the path of the file of recorded hashes."""
    return cache_folder() / "hashes.json"


def recorded(name: str) -> str | None:
    """Return the recorded hash of a model; None if it has not been used before, or the record is not to be read.

    Raises:
        FacepartError: the record is damaged.
    """
    try:
        return _read().get(name)
    except FacepartError as error:
        # Another user's, in a shared cache: it does not stop what can be done without.
        if isinstance(error.__cause__, PermissionError):
            return None
        raise


def record(name: str, sha256: str) -> None:
    """Record the hash of a model that was used for the first time.

    Raises:
        FacepartError: the record is damaged or cannot be written.
    """
    write_text(record_file(), json.dumps(_read() | {name: sha256}, indent=2) + "\n")


def _read() -> dict[str, str]:
    path = record_file()
    hashes = read_object(path, "a record of hashes", "remove it") or {}
    if not all(isinstance(sha256, str) for sha256 in hashes.values()):
        raise FacepartError(f"{path}: is not a record of hashes; remove it")
    return hashes
