"""``faces.csv``: the face of each photo that was aligned, and the photos in which no face was found.

Columns: ``photo`` (its name, without extension), ``status`` (``found``, ``several``: the largest of several faces
near the centre was taken, ``given``: the landmarks came from a file, or ``not found``), ``faces`` (how many the
detector found), ``score`` (the detector's confidence, 0..1), ``next_area`` (area of the largest other face, relative
to the chosen one), ``side`` (of the crop, in pixels of the photo), and the five landmarks, x and y in pixels of the
photo as it is displayed, whole numbers being the centres of pixels: ``eye1`` and ``mouth1`` are on the left of the
photo, ``eye2`` and ``mouth2`` on its right. Landmarks are written so that reading them gives the same numbers.
"""

import csv
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.data.image_names import without_extension
from facepart.data.labels import nfc
from facepart.data.photo_input import PhotoError
from facepart.data.photos import Photo
from facepart.errors import FacepartError, one_line
from facepart.files.atomic import write_text
from facepart.files.csv_text import csv_text, plain_cell
from facepart.networks.alignment import FoundFace, crop_side
from facepart.pipeline.worker import PhotoResult
from facepart.suggestion import did_you_mean

FACES_FILE = "faces.csv"
FOUND, SEVERAL, GIVEN, NOT_FOUND = "found", "several", "given", "not found"

_POINTS = ("eye1", "eye2", "nose", "mouth1", "mouth2")
LANDMARK_COLUMNS = tuple(f"{point}_{axis}" for point in _POINTS for axis in "xy")
COLUMNS = ("photo", "status", "faces", "score", "next_area", "side", *LANDMARK_COLUMNS)


class FaceRow(NamedTuple):
    """A photo's row, as it is in the file.

    Attributes:
        status: one of :data:`FOUND`, :data:`SEVERAL`, :data:`GIVEN` and :data:`NOT_FOUND`.
        faces: how many faces the detector found; empty if the landmarks were given.
        score: the detector's confidence; likewise.
        next_area: area of the largest other face, relative to the chosen one; likewise.
        side: of the crop, in pixels of the photo; empty if no face was found.
        landmarks: float32 (5, 2), x and y; None if no face was found.
    """

    status: str
    faces: str = ""
    score: str = ""
    next_area: str = ""
    side: str = ""
    landmarks: NDArray[np.float32] | None = None


class FacesTable:
    """The rows of ``faces.csv`` in a folder; a :class:`facepart.pipeline.photo_run.RunTable`.

    Attributes:
        rows: photo -> its row.
    """

    def __init__(self, folder: Path, *, anew: bool = False) -> None:
        """Read the table, if there is one.

        Args:
            folder: the table is, or will be, in it.
            anew: take no notice of a table that is there.

        Raises:
            FacepartError: the file is there but is not such a table.
        """
        self._path = folder / FACES_FILE
        there = not anew and self._path.exists()
        self.rows = _read(self._path, "remove it, and the run writes it again") if there else {}

    def add(self, photo: Photo, result: PhotoResult | PhotoError) -> None:
        """Give a photo the row of its face, or one without landmarks if none was found; else it has no row."""
        if isinstance(result, PhotoError):
            self.rows.pop(photo.name, None)
            if result.stage == "align":
                self.rows[photo.name] = FaceRow(NOT_FOUND)
        elif result.face:
            self.rows[photo.name] = _row_of_face(result.face)

    def count_several(self, names: Collection[str]) -> int:
        """Count the photos, of those named, with several faces; the largest near the centre was aligned."""
        return sum(row.status == SEVERAL for name, row in self.rows.items() if name in names)

    def write(self) -> None:
        """Write the table, sorted by photo."""
        rows: list[list[object]] = [list(COLUMNS)]
        for photo, row in sorted(self.rows.items()):
            points = [""] * len(LANDMARK_COLUMNS) if row.landmarks is None else map(str, row.landmarks.flat)
            rows.append([photo, *row[:-1], *points])
        write_text(self._path, csv_text(rows))


def read_landmarks(path: Path, photos: Collection[str]) -> dict[str, NDArray[np.float32]]:
    """Read landmarks that a user gives: a table with the columns ``photo`` and those of the landmarks.

    Args:
        path: the table. It may name a photo with its extension, with blanks around it, and in any normal form of
            Unicode.
        photos: names of the photos, without extension.

    Returns:
        Photo -> float32 (5, 2); photos whose landmarks are empty are left out.

    Raises:
        FacepartError: the file is missing or cannot be read, lacks a column, has no landmarks, or a number is none.
    """
    known = {nfc(photo): photo for photo in photos} | {photo: photo for photo in photos}
    rows = _read(path, f"it needs the columns photo, {', '.join(LANDMARK_COLUMNS)}", known)
    found = {photo: row.landmarks for photo, row in rows.items() if row.landmarks is not None}
    if not found:
        raise FacepartError(f"{path}: has no landmarks")
    return found


def _read(path: Path, remedy: str, known: Mapping[str, str] | None = None) -> dict[str, FaceRow]:
    """Read a table; without `known`, names are those that a run wrote, and stay as they are."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            # Strict: a quote that is opened and not closed would take all rows behind it for one cell.
            reader = csv.DictReader(file, strict=True)
            missing = [name for name in ("photo", *LANDMARK_COLUMNS) if name not in (reader.fieldnames or ())]
            if missing:
                near = did_you_mean(missing[0], reader.fieldnames or ())
                raise FacepartError(f"{path}: has no column {missing[0]!r}{near}; {remedy}")
            rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise FacepartError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise FacepartError(f"{path}: is not a CSV file in UTF-8 ({one_line(error)}); {remedy}") from error
    table: dict[str, FaceRow] = {}
    for line, row in rows:
        if any(row.get(None) or ()):
            raise FacepartError(f"{path}, line {line}: has more cells than the header; {remedy}")
        cell = plain_cell(row["photo"] or "")
        photo = cell if known is None else _find_photo(cell, known)
        if photo in table:
            raise FacepartError(f"{path}, line {line}: has {photo!r} a second time; leave one of its rows")
        table[photo] = _row(row, f"{path}, line {line}")
    return table


def _find_photo(cell: str, known: Mapping[str, str]) -> str:
    """Return the photo that a cell names; without extension and blanks if none is known by it."""
    plain = without_extension(nfc(cell.strip()))
    return next((known[name] for name in (cell, nfc(cell), plain) if name in known), plain)


def _row(row: Mapping[str, str | None], where: str) -> FaceRow:
    cells = [(row[name] or "").strip() for name in LANDMARK_COLUMNS]
    status, faces, score, next_area, side = (row.get(name) or "" for name in COLUMNS[1:6])
    if not any(cells):
        return FaceRow(status or NOT_FOUND)
    try:
        # Python reads 1_0 as 10.
        numbers = [float(cell.replace("_", " ")) for cell in cells]
    except ValueError as error:
        raise FacepartError(f"{where}: landmarks are ten numbers, or all empty") from error
    with np.errstate(over="ignore"):
        landmarks = np.array(numbers, np.float32).reshape(5, 2)
    if not np.isfinite(landmarks).all():
        raise FacepartError(f"{where}: landmarks are ten finite numbers, or all empty")
    return FaceRow(status, faces, score, next_area, side, landmarks)


def _row_of_face(face: FoundFace) -> FaceRow:
    landmarks = np.asarray(face.landmarks, np.float32)
    side = str(round(crop_side(landmarks)))
    if face.score is None:
        return FaceRow(GIVEN, side=side, landmarks=landmarks)
    status = SEVERAL if face.faces > 1 else FOUND
    return FaceRow(status, str(face.faces), f"{face.score:.4f}", f"{face.next_area:.4f}", side, landmarks)
