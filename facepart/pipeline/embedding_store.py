"""The embeddings of a study on disk, in shards that are only ever added, so that a killed run loses little.

A shard is ``shard-<number>.npz``: some photos, and for each the embeddings in some conditions: the original, and
versions of it (:mod:`facepart.occlusion.versions`). A version that is asked for later comes in shards of its own. A
photo that was replaced on disk is embedded again, and its rows in older shards are passed over. Photos that gave no
embedding are kept with the reason.
"""

import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.data.photos import Photo
from facepart.errors import FacepartError
from facepart.files.addresses import open_in_pieces, stamp_of
from facepart.files.atomic import replacing

ORIGINAL = "original"
# Photos in a shard: what a killed run loses at most, some ten seconds' work on two cores.
SHARD_PHOTOS = 256
# Shards that are read at once: from a store, most of the time is waiting.
_THREADS = 8


@dataclass
class Row:
    """What is known of a photo.

    Attributes:
        signature: size and time of the photo's file.
        failure: stage and reason, if it gave no embedding.
        head: pixels of the label map that show the head.
        pixels: part -> pixels that it covers.
        shares: version -> how much of the photo was replaced, 0..1.
        controls: version -> the kind of control, where it is one.
        places: condition -> number of the shard and row in it.
    """

    signature: str
    failure: tuple[str, str] | None = None
    head: int = 0
    pixels: dict[str, int] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    controls: dict[str, str] = field(default_factory=dict)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """A photo to be added: its name, and either its embeddings by condition or why there are none."""

    name: str
    signature: str
    embeddings: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    pixels: Mapping[str, int] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    controls: Mapping[str, str] = field(default_factory=dict)
    head: int = 0
    failure: tuple[str, str] | None = None


def signature(photo: Photo) -> str:
    """Tell a photo's file from one that replaces it; empty if it cannot be looked at."""
    try:
        return photo.stamp or stamp_of(photo.path)
    except OSError:
        return ""


class Store:
    """The rows in a folder of shards.

    Attributes:
        rows: photo's name -> what is known of it.
    """

    def __init__(self, folder: Path) -> None:
        """Read what the shards in `folder` hold, but for the embeddings themselves.

        Raises:
            FacepartError: a shard cannot be read.
        """
        self.rows: dict[str, Row] = {}
        self._folder = folder
        self._waiting: list[Entry] = []
        numbers = [int(path.stem.partition("-")[2]) for path in folder.glob("shard-*.npz")]
        self._next = max(numbers, default=0) + 1
        numbers.sort()
        with ThreadPoolExecutor(_THREADS) as pool:
            for number, lines in zip(numbers, pool.map(self._index, numbers), strict=True):
                for line in lines:
                    self._take(number, line)

    def add(self, entry: Entry) -> None:
        """Take a photo in; it is on disk once its shard is full, or after :meth:`flush`."""
        self._waiting.append(entry)
        if len(self._waiting) >= SHARD_PHOTOS:
            self.flush()

    def flush(self) -> None:
        """Write what waits to disk.

        Raises:
            FacepartError: it cannot be written.
        """
        if not self._waiting:
            return
        index: list[dict[str, Any]] = []
        conditions = sorted({condition for entry in self._waiting for condition in entry.embeddings})
        rows: dict[str, list[NDArray[np.float32]]] = {condition: [] for condition in conditions}
        for entry in self._waiting:
            places = {condition: len(rows[condition]) for condition in entry.embeddings}
            for condition, embedding in entry.embeddings.items():
                rows[condition].append(embedding)
            index.append(
                {
                    "name": entry.name,
                    "signature": entry.signature,
                    "failure": entry.failure,
                    "head": entry.head,
                    "pixels": dict(entry.pixels),
                    "shares": dict(entry.shares),
                    "controls": dict(entry.controls),
                    "conditions": places,
                }
            )
        arrays = {f"embeddings_{condition}": np.stack(found) for condition, found in rows.items()}
        told = np.frombuffer(json.dumps(index).encode(), np.uint8)
        path = self._path(self._next)
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, index=told, **arrays)
        for line in index:
            self._take(self._next, line)
        self._next += 1
        self._waiting.clear()

    def embeddings(self, condition: str, names: Iterable[str]) -> NDArray[np.float32]:
        """Read the embeddings of photos in one condition, float32 (n, d), in the order of `names`.

        Every photo has one there.

        Raises:
            FacepartError: a shard cannot be read.
        """
        wanted: dict[int, list[tuple[int, int]]] = {}
        count = 0
        for place, name in enumerate(names):
            shard, row = self.rows[name].places[condition]
            wanted.setdefault(shard, []).append((place, row))
            count += 1
        if not wanted:
            return np.empty((0, 0), np.float32)
        array = f"embeddings_{condition}"
        first, *others = wanted
        found = self._read(first, array)
        matrix = np.empty((count, found.shape[1]), np.float32)

        def fill(shard: int, found: NDArray[np.float32]) -> None:
            places, rows = zip(*wanted[shard], strict=True)
            matrix[list(places)] = found[list(rows)]

        fill(first, found)
        with ThreadPoolExecutor(_THREADS) as pool:
            for _ in pool.map(lambda shard: fill(shard, self._read(shard, array)), others):
                pass
        return matrix

    def lacking(self, photo: Photo, conditions: Sequence[str]) -> list[str]:
        """Give the conditions in which a photo has still to be embedded; none if it is known to fail."""
        row = self.rows.get(photo.name)
        if row is None or row.signature != signature(photo):
            return list(conditions)
        return [] if row.failure else [condition for condition in conditions if condition not in row.places]

    def _take(self, shard: int, line: Mapping[str, Any]) -> None:
        row = self.rows.get(line["name"])
        if row is None or row.signature != line["signature"] or line["failure"]:
            row = self.rows[line["name"]] = Row(line["signature"])
        row.failure = tuple(line["failure"]) if line["failure"] else None
        row.head = line["head"] or row.head
        row.pixels |= line["pixels"]
        row.shares |= line["shares"]
        row.controls |= line["controls"]
        row.places |= {condition: (shard, place) for condition, place in line["conditions"].items()}

    def _index(self, shard: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self._read(shard, "index").tobytes())
        return found

    def _read(self, shard: int, name: str) -> NDArray[Any]:
        path = self._path(shard)
        try:
            with open_in_pieces(path) as file, np.load(file, allow_pickle=False) as arrays:
                found: NDArray[Any] = arrays[name]
                return found
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            reason = " ".join(str(error).split())
            raise FacepartError(
                f"{path}: cannot be read ({reason}); remove it, and its photos are embedded anew"
            ) from error

    def _path(self, number: int) -> Path:
        return self._folder / f"shard-{number:05}.npz"
