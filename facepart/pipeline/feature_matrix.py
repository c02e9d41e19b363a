"""Many features in one file: ``features.npy`` (n, d), safe to interrupt while it comes to be.

While a run goes on, finished embeddings are kept in ``.shards``, an
:class:`~facepart.pipeline.embedding_store.EmbeddingStore`; a run that was killed continues from it. At the end it is
exported as three files, a row or line each photo: ``features.npy``, ``labels.txt`` (which matching reads, see
:mod:`facepart.data.labels`) and ``names.txt`` (the photo's whole name).

Three files cannot be renamed at once. So the new ones are completed inside ``.shards`` first, ``labels.txt`` last;
then the old ``labels.txt`` is removed, and they are moved, ``labels.txt`` last again. A reader thus never finds
labels beside a matrix that they do not belong to, and a run that finds ``.shards/labels.txt`` knows that it has to
finish a move.
"""

import itertools
import logging
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facepart.counts import count_of
from facepart.data.feature_files import LABELS_FILE, MATRIX_FILE, NAMES_FILE
from facepart.data.labels import labels_of
from facepart.data.photo_input import PhotoError
from facepart.data.photos import Photo
from facepart.errors import FacepartError
from facepart.files.addresses import ExistingPaths, move, read_whole, remove_if_empty
from facepart.files.atomic import replacing, write_text
from facepart.occlusion.occlusion import BASELINE
from facepart.pipeline.embedding_store import EmbeddingStore, shards_in
from facepart.pipeline.feature_check import whole_features
from facepart.pipeline.feature_matrix_files import (
    find_whole_rows,
    goes_with,
    load_rows,
    matrix_on_disk,
    read_names,
)
from facepart.pipeline.worker import PhotoResult

SHARDS_FOLDER = ".shards"

# Rows that are read at a time.
_BLOCK_ROWS = 1024

_logger = logging.getLogger(__name__)


def holds_matrix(folder: Path) -> bool:
    """Return whether an extraction has put a matrix into `folder`, or has begun to."""
    return (folder / NAMES_FILE).exists() or (folder / SHARDS_FOLDER).exists()


class MatrixRows:
    """The rows of a matrix, from earlier runs and from this one; a :class:`facepart.pipeline.photo_run.RunTable`."""

    def __init__(self, folder: Path, dimension: int, *, overwrite: bool = False) -> None:
        """Find the rows that `folder` holds; finish the move that a killed run left half done.

        Args:
            folder: the matrix is, or will be, in it; it may be missing.
            dimension: d, the length of the embeddings.
            overwrite: take no notice of rows that are there; :meth:`clear` removes them.

        Raises:
            FacepartError: the folder holds a ``features.npy`` that is none of ours, or files that cannot be read.
        """
        self._folder = folder
        self._shards = folder / SHARDS_FOLDER
        self._dimension = dimension
        self._overwrite = overwrite
        if (self._shards / LABELS_FILE).exists():
            self._move()
        if (folder / MATRIX_FILE).exists() and not (folder / NAMES_FILE).exists():
            raise FacepartError(
                f"{folder / MATRIX_FILE}: was not written by `facepart extract` ({NAMES_FILE} is missing beside it); "
                "choose another folder"
            )
        # Without labels, a run that was to redo everything was killed while it removed what was there.
        whole = (folder / LABELS_FILE).exists() and not overwrite
        self._matrix_names = self._read_names() if whole else []
        # An empty folder's store, until :meth:`clear` has emptied it.
        self._store = EmbeddingStore(self._shards / "none" if overwrite else self._shards, [])
        rows = find_whole_rows(folder / MATRIX_FILE, self._matrix_names, dimension) if self._matrix_names else {}
        # A photo that is in the store, too, was done again: its row was damaged, or its file was replaced.
        self._rows = {name: row for name, row in rows.items() if name not in self._store.photos}

    def find(
        self, features: Mapping[str, Path], stamps: Mapping[str, str], replaced: Set[str], source: Path
    ) -> set[str]:
        """Tell which photos are done: those that have a row here, or a file of their own.

        Rows of other photos are warned about: the matrix will be without them.

        Args:
            features: the photos' names, and the ``.npy`` file that each has, or would have.
            stamps: their names, and the stamps of their files; empty for one that is not known.
            replaced: the names of those whose file is another than the one that the row, or the feature, is of.
            source: where the photos come from, for messages.

        Raises:
            FacepartError: all rows are of other photos, so it is not the source that they came from; or everything
                is to be redone, and some photos have files of their own, which would stay as they are.
        """
        known = {*filter(None, self._matrix_names), *self._store.photos}
        strange = known.difference(features)
        if strange and strange == known:
            raise FacepartError(
                f"{self._folder}: holds a matrix of {count_of(len(strange), 'other photo')}, none of which is in "
                f"{source}; choose another folder, or replace it with --overwrite"
            )
        if strange:
            _logger.warning(
                "%s: left out from now on: %s of photos that are not in %s (first: %s)",
                *(self._folder, count_of(len(strange), "feature"), source, min(strange)),
            )
        single = self._single(features)
        if single and self._overwrite:
            raise FacepartError(
                f"{self._folder}: holds {count_of(len(single), 'feature')} in files of their own (first: "
                f"{min(single)}.npy), which a matrix does not redo; remove them, or choose another folder"
            )
        for name in replaced:
            self._rows.pop(name, None)
        for name, photo in list(self._store.photos.items()):
            before, now = photo.record.signature, stamps.get(name)
            if before and now and before != now:
                del self._store.photos[name]
        return self._known().intersection(features) | (single.keys() - replaced)

    def clear(self) -> None:
        """Remove the matrix and the shards, the labels first: without them, the rest counts for nothing."""
        for name in (LABELS_FILE, MATRIX_FILE, NAMES_FILE):
            (self._folder / name).unlink(missing_ok=True)
        self._remove_shards()

    def add(self, photo: Photo, result: PhotoResult | PhotoError) -> None:
        """Keep the embedding of a photo; it is on disk with its shard, or when it is written."""
        del photo  # the embedding has its name
        if not isinstance(result, PhotoError):
            self._store.add(result.record)

    def write(self) -> None:
        """Write the embeddings that wait for their shard to be full."""
        self._store.flush()

    def merge(self, features: Mapping[str, Path]) -> int:
        """Write the matrix, from the rows and from single files, in bounded memory; remove the shards.

        Where the matrix is already what it would be, it is left untouched.

        Args:
            features: the photos' names in the order of the rows, and the ``.npy`` file that each has, or would
                have: it gives the label, and the row of a photo that has none here. Photos with neither row nor
                file are left out.

        Returns:
            How many rows the matrix has.

        Raises:
            FacepartError: a row is not (d,), or something cannot be read or written.
        """
        self.write()
        known = self._known()
        single = self._single({name: path for name, path in features.items() if name not in known})
        files = {name: path for name, path in features.items() if name in known or name in single}
        if not files:
            if self._matrix_names:
                self.clear()  # of photos that were replaced, or of damaged rows
            return 0
        labels = "".join(f"{label}\n" for label in labels_of([path.absolute() for path in files.values()]))
        as_they_are = list(files) == self._matrix_names and files.keys() == self._rows.keys()
        if not as_they_are or read_whole(self._folder / LABELS_FILE) != labels.encode():
            self._write_matrix(files)
            write_text(self._shards / NAMES_FILE, "".join(f"{name}\n" for name in files))
            write_text(self._shards / LABELS_FILE, labels)
            self._move()
            self._matrix_names = list(files)
            self._rows = {name: row for row, name in enumerate(files)}
        self._remove_shards()
        return len(files)

    def _known(self) -> set[str]:
        return self._rows.keys() | self._store.photos.keys()

    def _read_names(self) -> list[str]:
        """Read the names of the rows; those that do not go with their labels are empty."""
        try:
            names, labels = read_names(self._folder / NAMES_FILE), read_names(self._folder / LABELS_FILE)
        except FacepartError:
            return []
        pairs = itertools.zip_longest(names, labels, fillvalue="")
        return [name if goes_with(label, name) else "" for name, label in pairs]

    def _single(self, features: Mapping[str, Path]) -> dict[str, Path]:
        """Return the features that have whole files of their own."""
        # A photo may be called "features": then its file would be where the matrix is.
        own = {name: path for name, path in features.items() if path != self._folder / MATRIX_FILE}
        whole = whole_features(ExistingPaths([self._folder]), own, self._dimension)
        return {name: path for name, path in own.items() if name in whole}

    def _write_matrix(self, files: Mapping[str, Path]) -> None:
        places = {name: row for row, name in enumerate(files)}
        with replacing(self._shards / MATRIX_FILE) as temporary, temporary.open("wb") as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": (len(files), self._dimension)}
            np.lib.format.write_array_header_1_0(file, header)
            start = file.tell()
            for path, names, rows in self._blocks():
                self._check(rows, path)
                for name, row in zip(names, rows, strict=True):
                    if (place := places.pop(name, None)) is not None:
                        file.seek(start + place * row.nbytes)
                        file.write(row.tobytes())
            for name, place in places.items():
                row = load_rows(files[name], files[name])
                self._check(row[None], files[name])
                file.seek(start + place * row.nbytes)
                file.write(row.tobytes())

    def _blocks(self) -> Iterator[tuple[Path, list[str], NDArray[np.float32]]]:
        """Yield all rows, a block of them at a time, with their names and the file they are in."""
        path = self._folder / MATRIX_FILE
        if self._rows:
            with matrix_on_disk(path) as matrix:
                for first in range(0, len(self._matrix_names), _BLOCK_ROWS):
                    # Mapped anew each time, so that the pages read so far do not stay with the process.
                    rows = load_rows(matrix, path, mapped=True)
                    some = self._matrix_names[first : first + _BLOCK_ROWS]
                    whole = [place for place, name in enumerate(some) if self._rows.get(name) == first + place]
                    yield path, [some[place] for place in whole], rows[first : first + _BLOCK_ROWS][whole]
        names = iter(self._store.photos)
        while block := list(itertools.islice(names, _BLOCK_ROWS)):
            yield self._shards, block, self._store.embeddings(BASELINE.name, block)

    def _check(self, rows: NDArray[np.float32], path: Path) -> None:
        if rows.dtype != np.float32 or rows.ndim != 2 or rows.shape[1] != self._dimension:
            raise FacepartError(
                f"{path}: holds {rows.dtype} of shape {rows.shape}, not float32 (n, {self._dimension}); "
                "remove it, or choose another folder"
            )

    def _move(self) -> None:
        try:
            (self._folder / LABELS_FILE).unlink(missing_ok=True)
            for name in (MATRIX_FILE, NAMES_FILE, LABELS_FILE):
                if (self._shards / name).exists():
                    move(self._shards / name, self._folder / name)
        except OSError as error:
            raise FacepartError(f"{self._folder}: cannot be written: {error.strerror}") from error

    def _remove_shards(self) -> None:
        """Remove what runs put into the shards' folder; and the folder, if that was all."""
        ours = [*shards_in(self._shards).values(), *self._shards.glob(".*.part")]
        for path in [*ours, *(self._shards / name for name in (LABELS_FILE, MATRIX_FILE, NAMES_FILE))]:
            path.unlink(missing_ok=True)
        self._store = EmbeddingStore(self._shards, [])
        remove_if_empty(self._shards)
