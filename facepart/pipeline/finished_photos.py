"""``.photos.json``: which file each finished photo was, and how long its outputs are.

A run that finds outputs of earlier ones relies on them only if the photo is still the same file and the outputs have
the length that they were written with. A photo is the same if its stamp is (size and modification time, or what its
store says) or, on this machine, its size and its CRC-32: a data set may be copied. Photos that are not in the file,
such as those of a killed run's last minute, count as finished if their outputs are whole and not older than they.
Folders of earlier releases have no such file: then whole outputs are believed.

The file is JSON: ``{"photos": {name: [stamp, crc32, {output: bytes}]}}``, sorted by name. It holds nothing that a run
cannot do without: a damaged one counts as missing.
"""

import json
import logging
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from facepart.data.photo_output import is_whole_image
from facepart.data.photos import Photo, photo_stamp
from facepart.errors import FacepartError
from facepart.files.addresses import ExistingPaths, is_address
from facepart.files.atomic import write_text
from facepart.files.json_input import read_object
from facepart.networks.label_folder import labels_in_stamp

FINISHED_FILE = ".photos.json"
# Seconds between two writings of the file while a run goes on.
_INTERVAL = 60.0
# Bytes of a photo that are read at a time.
_PIECE = 1 << 20

_logger = logging.getLogger(__name__)


class _Finished(NamedTuple):
    """The stamp and the CRC-32 of a photo, empty if they are not known, and its outputs with their sizes in bytes."""

    stamp: str
    crc: str
    sizes: dict[str, int]


class FinishedPhotos:
    """The finished photos of an output folder."""

    def __init__(self, folder: Path | None, *, anew: bool = False) -> None:
        """Read what earlier runs finished.

        Args:
            folder: of the outputs; it may be missing. None for outputs of which no record is kept.
            anew: take no notice of earlier runs, because everything is done again.
        """
        self._path = folder and folder / FINISHED_FILE
        found = _read(self._path) if self._path and not anew else None
        self._known = anew or found is not None
        self._photos = found or {}
        self._changed = found is None
        self._saved = time.monotonic()

    def is_replaced(self, photo: Photo, output: Path) -> bool:
        """Return whether a photo is another file than the one that `output` was made of."""
        stamp, before = photo_stamp(photo), self._photos.get(photo.name)
        if before is not None:
            known = stamp and before.stamp
            return bool(known and stamp != before.stamp and not self._is_copy(photo, stamp))
        # Of label maps that are given, it is not known which an output without a record was made of.
        return self._known and (bool(labels_in_stamp(stamp)) or _is_newer(photo.path, output))

    def holds(self, photo: Photo, outputs: Mapping[str, Path], existing: ExistingPaths) -> bool:
        """Return whether all of some images of a photo are there and whole; if so, they are recorded.

        Args:
            photo: the photo.
            outputs: what each is, and its file.
            existing: which files exist.
        """
        sizes = {output: existing.size(path) for output, path in outputs.items()}
        before = self._photos.get(photo.name)
        if before is not None:
            whole = all(size is not None and size == before.sizes.get(output) for output, size in sizes.items())
            return whole and not any(self.is_replaced(photo, path) for path in outputs.values())
        if all(sizes.values()) and all(map(is_whole_image, outputs.values())):
            if any(self.is_replaced(photo, path) for path in outputs.values()):
                return False
            self.believe(photo, {output: size or 0 for output, size in sizes.items()})
            return True
        return False

    def add(self, photo: Photo, stamp: str, sizes: Mapping[str, int] | None = None) -> None:
        """Add a photo whose outputs have just been written.

        Args:
            photo: the photo.
            stamp: of its file, taken before it was read.
            sizes: output -> bytes; what is known of others stays, unless the photo was replaced.
        """
        crc = _crc_of(photo)
        if photo_stamp(photo) != stamp:
            crc = ""  # it was replaced while it was worked on
        before = self._photos.get(photo.name)
        kept = before.sizes if before is not None and before.stamp == stamp else {}
        self._put(photo.name, _Finished(stamp, crc, {**kept, **(sizes or {})}))

    def believe(self, photo: Photo, sizes: Mapping[str, int] | None = None) -> None:
        """Add a photo whose outputs an earlier run wrote without recording it.

        Args:
            photo: the photo.
            sizes: output -> bytes.
        """
        if photo.name not in self._photos:
            self._put(photo.name, _Finished(photo_stamp(photo), _crc_of(photo), dict(sizes or {})))

    def _put(self, name: str, finished: _Finished) -> None:
        self._changed = self._changed or finished != self._photos.get(name)
        self._photos[name] = finished

    def _is_copy(self, photo: Photo, stamp: str) -> bool:
        """Return whether a photo with another stamp has the contents that were worked on; then take the stamp."""
        before = self._photos[photo.name]
        if not before.crc or _size_in(stamp) != _size_in(before.stamp) or _crc_of(photo) != before.crc:
            return False
        if labels_in_stamp(stamp) != labels_in_stamp(before.stamp):
            return False
        self._put(photo.name, before._replace(stamp=stamp))
        return True

    @property
    def is_due(self) -> bool:
        """Whether the file was not saved for a while."""
        return time.monotonic() - self._saved > _INTERVAL

    def save(self) -> None:
        """Write the file, unless nothing has changed.

        Raises:
            FacepartError: it cannot be written.
        """
        self._saved = time.monotonic()
        if self._path is None or not self._changed:
            return
        lines = [f"{json.dumps(name)}: {json.dumps(photo)}" for name, photo in sorted(self._photos.items())]
        write_text(self._path, '{"photos": {\n' + ",\n".join(lines) + "\n}}\n")
        self._changed = False


def _read(path: Path) -> dict[str, _Finished] | None:
    """Read the file; None if it is missing or damaged."""
    try:
        found = read_object(path, "a list of finished photos", "it is written anew")
        return None if found is None else {name: _checked(entry) for name, entry in found["photos"].items()}
    except FacepartError as error:
        _logger.warning("%s", error)
    except (KeyError, TypeError, ValueError, AttributeError):
        _logger.warning("%s: is not a list of finished photos; it is written anew", path)
    return None


def _checked(entry: Any) -> _Finished:
    """Check what the file says of a photo; raises ValueError, TypeError or AttributeError if it is something else."""
    stamp, crc, sizes = entry
    texts = isinstance(stamp, str) and isinstance(crc, str)
    if not texts or not all(isinstance(size, int) for size in sizes.values()):
        raise TypeError("not a stamp, a CRC-32 and sizes")
    return _Finished(stamp, crc, dict(sizes))


def _crc_of(photo: Photo) -> str:
    """Return the CRC-32 of a photo's file in hexadecimal; empty for an address, or if it cannot be read."""
    if is_address(photo.path):
        return ""
    crc = 0
    try:
        with photo.path.open("rb", buffering=0) as file:
            while piece := file.read(_PIECE):
                crc = zlib.crc32(piece, crc)
    except OSError:
        return ""
    return f"{crc:08x}"


def _size_in(stamp: str) -> str:
    """Return the size that a stamp begins with."""
    return stamp.partition("-")[0]


def _is_newer(photo: Path, output: Path) -> bool:
    """Return whether a photo was changed after an output was written; not known of addresses."""
    if is_address(photo) or is_address(output):
        return False
    try:
        return photo.stat().st_mtime_ns > output.stat().st_mtime_ns
    except OSError:
        return False
