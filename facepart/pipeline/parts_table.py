"""``parts.csv``: how much of each photo each part covers, and which parts were not found.

A bald head has no hair and a photo may be cropped at the mouth: a study must know, since such a photo is left
unchanged where the part should have been blurred. Columns: ``photo`` (its name, without extension), ``part``,
``pixels`` (of the 512x512 label map) and ``share`` (of the photo, 0..1).
"""

import csv
from collections.abc import Mapping
from pathlib import Path

from facepart.data.photo_input import PhotoError
from facepart.data.photos import Photo
from facepart.errors import FacepartError
from facepart.files.atomic import write_text
from facepart.files.csv_text import csv_text, plain_cell
from facepart.networks.label_map import SIZE
from facepart.occlusion.parts import BUILT_IN
from facepart.pipeline.worker import PhotoResult

PARTS_FILE = "parts.csv"


class PartsTable:
    """The rows of ``parts.csv`` in a folder; a :class:`facepart.pipeline.photo_run.RunTable`.

    Attributes:
        pixels: (photo, part) -> pixels of the label map.
    """

    def __init__(self, folder: Path) -> None:
        """Read the table, if there is one; raises what :func:`read_parts_table` raises."""
        self._folder = folder
        self.pixels = read_parts_table(folder)

    def add(self, photo: Photo, result: PhotoResult | PhotoError) -> None:
        """Take how much each part covers."""
        if not isinstance(result, PhotoError):
            self.pixels |= {(photo.name, part): pixels for part, pixels in result.record.pixels.items()}

    def write(self) -> None:
        """Write the table."""
        write_parts_table(self._folder, self.pixels)


def read_parts_table(folder: Path) -> dict[tuple[str, str], int]:
    """Read ``parts.csv`` in `folder`; empty where there is none.

    Returns:
        (photo, part) -> pixels of the label map.

    Raises:
        FacepartError: the file is there but is not such a table.
    """
    path = folder / PARTS_FILE
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {
                (plain_cell(row["photo"]), row["part"]): int(row["pixels"])
                for row in csv.DictReader(file, strict=True)
            }
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise FacepartError(f"{path}: is not a table of parts; remove it, and the run writes it again") from error


def write_parts_table(folder: Path, table: Mapping[tuple[str, str], int]) -> None:
    """Write ``parts.csv`` into `folder`, sorted by photo, then by part in the order of :data:`BUILT_IN`."""
    order = {part: number for number, part in enumerate(BUILT_IN)}
    rows: list[list[object]] = [["photo", "part", "pixels", "share"]]
    for photo, part in sorted(table, key=lambda key: (key[0], order.get(key[1], len(order)), key[1])):
        pixels = table[photo, part]
        rows.append([photo, part, pixels, f"{pixels / SIZE**2:.6f}"])
    write_text(folder / PARTS_FILE, csv_text(rows))
