"""Embedded photos on disk, in shards that are only ever added, so that a killed run loses little.

A shard is ``shard-<number>.npz``: the records of some photos, and for each occlusion, the baseline among them, the
embeddings of those that have it, and which share of every part it removed. An occlusion that is asked for later comes
in shards of its own; one whose recipe has changed since is passed over, and so are the rows of a photo that was
replaced on disk. Photos that gave no embedding are kept with the reason.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.data.photo_input import OPEN, WRITE
from facepart.data.photos import Photo, photo_stamp
from facepart.errors import FacepartError, first_line
from facepart.files.array_input import open_arrays
from facepart.files.atomic import replacing
from facepart.files.json_input import parse_json
from facepart.occlusion.occlusion import BASELINE, Occlusion
from facepart.occlusion.parts import PARTS, Part
from facepart.pipeline.embedded_photo import EmbeddedPhoto

# A share that was not measured.
UNKNOWN = -1.0
# Photos in a shard: what a killed run loses at most, some ten seconds' work on two cores.
SHARD_PHOTOS = 256
# Shards that are read at once: from a remote store, most of the time is waiting.
_THREADS = 8

_REMEDY = "remove it, and its photos are embedded anew"
_SHARD = re.compile(r"shard-(\d{5,})\.npz")


@dataclass
class StoredPhoto:
    """A photo in the store.

    Attributes:
        record: all that is known of it, but for the embeddings and overlaps themselves.
        places: name of an occlusion -> number of the shard, and row in it.
    """

    record: EmbeddedPhoto
    places: dict[str, tuple[int, int]] = field(default_factory=dict)


def shards_in(folder: Path) -> dict[int, Path]:
    """Return the shards in a folder, by their numbers; a copy under another name is none."""
    found = ((_SHARD.fullmatch(path.name), path) for path in folder.glob("shard-*.npz"))
    return {int(named[1]): path for named, path in found if named}


class EmbeddingStore:
    """The embedded photos in a folder of shards.

    Attributes:
        photos: name -> what is stored of a photo.
        parts: of which overlaps are stored.
    """

    def __init__(
        self, folder: Path, occlusions: Iterable[Occlusion], parts: Sequence[Part] = tuple(PARTS.values())
    ) -> None:
        """Read what the shards in `folder` hold, but for the embeddings themselves.

        Args:
            folder: of the shards; it may be missing.
            occlusions: those that are wanted; what is stored of them by another recipe is passed over.
            parts: of which overlaps are stored; those of other parts in earlier shards are passed over.

        Raises:
            FacepartError: a shard cannot be read.
        """
        self.photos: dict[str, StoredPhoto] = {}
        self.parts = tuple(parts)
        occlusions = [BASELINE, *occlusions]
        self._recipes = {each.name: each.recipe() for each in occlusions}
        self._part_of = {each.name: each.part for each in occlusions}
        self._folder = folder
        self._waiting: list[EmbeddedPhoto] = []
        numbers = sorted(shards_in(folder))
        self._next = max(numbers, default=0) + 1
        with ThreadPoolExecutor(_THREADS) as pool:
            for number, lines in zip(numbers, pool.map(self._index, numbers), strict=True):
                for line in lines:
                    self._take(number, line)

    def add(self, photo: EmbeddedPhoto) -> None:
        """Add a photo; it is on disk once its shard is full, or after :meth:`flush`.

        Raises:
            FacepartError: a shard cannot be written.
        """
        self._waiting.append(photo)
        if len(self._waiting) >= SHARD_PHOTOS:
            self.flush()

    def flush(self) -> None:
        """Write the photos that are not on disk yet.

        Raises:
            FacepartError: the shard cannot be written.
        """
        if not self._waiting:
            return
        rows: dict[str, list[NDArray[np.float32]]] = {}
        overlaps: dict[str, list[NDArray[np.float32]]] = {}
        index: list[dict[str, Any]] = []
        unknown = np.full(len(self.parts), np.nan, np.float32)
        for photo in self._waiting:
            places = {name: len(rows.setdefault(name, [])) for name in photo.embeddings}
            for name, embedding in photo.embeddings.items():
                rows[name].append(embedding)
                overlaps.setdefault(name, []).append(photo.overlaps.get(name, unknown))
            line = {key: value for key, value in vars(photo).items() if key not in ("embeddings", "overlaps")}
            index.append({**line, "places": places, "recipes": {name: self._recipes[name] for name in places}})
        arrays = {f"embeddings_{name}": np.stack(rows[name]) for name in sorted(rows)}
        arrays |= {f"overlaps_{name}": np.stack(overlaps[name]) for name in sorted(rows) if name != BASELINE.name}
        arrays["parts"] = np.array([part.key for part in self.parts], dtype=np.str_)
        path = self._path(self._next)
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, index=np.frombuffer(json.dumps(index).encode(), np.uint8), **arrays)
        for line in index:
            self._take(self._next, line)
        self._next += 1
        self._waiting.clear()

    def embeddings(self, occlusion: str, names: Sequence[str]) -> NDArray[np.float32]:
        """Read the embeddings of photos with one occlusion, float32 (n, d), in the order of `names`.

        Every photo has one.

        Raises:
            FacepartError: a shard cannot be read.
        """
        wanted = self._places(occlusion, names)
        if not wanted:
            return np.empty((0, 0), np.float32)
        array = f"embeddings_{occlusion}"
        # The first tells the length of an embedding; the others are read several at once.
        first, *others = wanted
        found = self._read(first, array)
        matrix = np.empty((len(names), found.shape[-1] if found.ndim else 0), np.float32)
        self._copy(first, found, wanted[first], matrix)

        def read_and_copy(shard: int) -> None:
            self._copy(shard, self._read(shard, array), wanted[shard], matrix)

        with ThreadPoolExecutor(_THREADS) as pool:
            for copied in [pool.submit(read_and_copy, shard) for shard in others]:
                copied.result()
        return matrix

    def overlaps(self, occlusion: str, names: Sequence[str]) -> NDArray[np.float32]:
        """Read which share of every part an occlusion removed on photos.

        Returns:
            float32 (n, parts), 0..1, in the order of `names` and of :attr:`parts`; NaN for a part that was not
            detected, and :data:`UNKNOWN` in shards of earlier versions, or from before the part was added.

        Raises:
            FacepartError: a shard cannot be read.
        """
        wanted = self._places(occlusion, names)
        matrix = np.full((len(names), len(self.parts)), UNKNOWN, np.float32)
        order = {part.key: column for column, part in enumerate(self.parts)}
        for shard, places in wanted.items():
            found = self._read_arrays(shard, ("parts", f"overlaps_{occlusion}"))
            if not found:
                continue
            if len(found) == 1:
                # Both are written, or neither: the name of one is damaged, which is not read and has no checksum.
                raise _unreadable(self._path(shard), f"it has no overlaps of {occlusion}")
            rows, stored = zip(*places, strict=True)
            if found[1].ndim != 2 or found[0].shape != found[1].shape[1:] or max(stored) >= len(found[1]):
                raise _unreadable(self._path(shard), f"its overlaps are of shape {found[1].shape}")
            for column, part in enumerate(found[0].tolist()):
                if part in order:
                    matrix[list(rows), order[part]] = found[1][list(stored), column]
        return matrix

    def missing(self, photo: Photo, occlusions: Sequence[Occlusion]) -> list[Occlusion]:
        """Return the occlusions with which a photo is still to be embedded; none if it is known to fail.

        A photo that could not be opened, or whose files could not be written, is tried again: that may be mended
        without a change of the photo.
        """
        stored = self.photos.get(photo.name)
        if stored is None or stored.record.signature != photo_stamp(photo, ask_store=True):
            return list(occlusions)
        if stored.record.failure:
            return list(occlusions) if stored.record.failure[0] in (OPEN, WRITE) else []
        return [occlusion for occlusion in occlusions if occlusion.name not in stored.places]

    def _take(self, shard: int, line: Mapping[str, Any]) -> None:
        """Merge a shard's line with what is known of its photo."""
        stored = self.photos.get(line["name"])
        if stored is None or stored.record.signature != line["signature"] or line["failure"]:
            stored = self.photos[line["name"]] = StoredPhoto(EmbeddedPhoto(line["name"], line["signature"]))
        current = {name for name in line["places"] if self._recipes.get(name) == line["recipes"][name]}
        # A part's pixels go with its occlusions: by another definition it has others.
        defined = {self._part_of[name] for name in current}
        before = stored.record
        stored.record = replace(
            before,
            failure=tuple(line["failure"]) if line["failure"] else None,
            head=line["head"] or before.head,
            side=line.get("side", 0) or before.side,
            faces=line.get("faces", 0) or before.faces,
            pixels={**before.pixels, **_only(line["pixels"], defined)},
            shares={**before.shares, **_only(line["shares"], current)},
            controls={**before.controls, **_only(line["controls"], current)},
        )
        stored.places |= {name: (shard, place) for name, place in line["places"].items() if name in current}

    def _places(self, occlusion: str, names: Sequence[str]) -> dict[int, list[tuple[int, int]]]:
        """Say where photos with an occlusion are: shard -> (place among `names`, row of the shard) of each in it."""
        found: dict[int, list[tuple[int, int]]] = {}
        for row, name in enumerate(names):
            shard, place = self.photos[name].places[occlusion]
            found.setdefault(shard, []).append((row, place))
        return found

    def _copy(
        self, shard: int, block: NDArray[Any], places: Sequence[tuple[int, int]], matrix: NDArray[np.float32]
    ) -> None:
        """Copy rows of a shard to where they are wanted: (row of `matrix`, row of `block`)."""
        rows, found = zip(*places, strict=True)
        if block.dtype != np.float32 or block.shape[1:] != matrix.shape[1:] or max(found) >= len(block):
            raise _unreadable(self._path(shard), f"it has {block.dtype} of shape {block.shape}")
        matrix[list(rows)] = block[list(found)]

    def _index(self, shard: int) -> list[dict[str, Any]]:
        data = self._read(shard, "index").tobytes()
        try:
            return [_checked_line(line) for line in parse_json(data)]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _unreadable(self._path(shard), f"its index is damaged: {first_line(error)}") from error

    def _read(self, shard: int, name: str) -> NDArray[Any]:
        found = self._read_arrays(shard, (name,))
        if not found:
            raise _unreadable(self._path(shard), f"it has no {name}")
        return found[0]

    def _read_arrays(self, shard: int, names: Sequence[str]) -> list[NDArray[Any]]:
        """Read those of several arrays that a shard has."""
        path = self._path(shard)
        try:
            with open_arrays(path, "a shard of embeddings") as arrays:
                return [arrays.read(name) for name in names if name in arrays.names]
        except FileNotFoundError as error:
            raise _unreadable(path, "it is missing") from error
        except FacepartError as error:
            raise FacepartError(f"{error}; {_REMEDY}") from error

    def _path(self, number: int) -> Path:
        return self._folder / f"shard-{number:05}.npz"


def _checked_line(line: dict[str, Any]) -> dict[str, Any]:
    """Check what a shard says of a photo.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: it is something else.
    """
    texts = [line["name"], line["signature"], *line["recipes"], *line["controls"].values(), *(line["failure"] or ())]
    # Shards of earlier releases do not have the last two.
    whole = [*line["places"].values(), *line["pixels"].values(), line["head"]]
    whole += [line.get(name, 0) for name in ("side", "faces")]
    shares = line["shares"].values()
    if not all(isinstance(text, str) for text in texts) or len(line["failure"] or (0, 0)) != 2:
        raise TypeError("a text is something else")
    if not all(isinstance(number, int) and number >= 0 for number in whole):
        raise ValueError("a number is not whole, or negative")
    if not all(0 <= share <= 1 for share in shares) or line["places"].keys() != line["recipes"].keys():
        raise ValueError("a share is not between 0 and 1, or an occlusion has no recipe")
    return line


def _unreadable(path: Path, reason: str) -> FacepartError:
    return FacepartError(f"{path}: cannot be read ({reason}); {_REMEDY}")


def _only(values: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in names}
