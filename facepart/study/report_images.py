"""The pictures of a study's report: the average face, and a few photos with each part blurred.

They are taken of some photos while these are embedded; of those that were embedded in an earlier run, beside it.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.data.photos import Photo
from facepart.data.resize import resize
from facepart.files.addresses import open_in_pieces
from facepart.files.atomic import replacing
from facepart.occlusion.versions import Made, Version
from facepart.pipeline.embedding_store import signature
from facepart.report.content import AverageFace, Sample

# The average of so many photos is smooth; more only take longer.
AVERAGED = 60
SAMPLES = 4
# Pixels on a side, in the report.
_SIZE = 160


class Picture(NamedTuple):
    """A photo in the report's size: itself, and version -> what was made of it, and where."""

    photo: NDArray[np.uint8]
    lost: dict[Version, NDArray[np.uint8]]
    masks: dict[Version, NDArray[np.uint8]]


class Album:
    """The pictures that a report needs, as far as they have been taken.

    Attributes:
        file: where they are kept, named after all that they depend on.
        missing: photos of which there was no picture when the run began, by name.
        shown: the versions that pictures are of.
    """

    def __init__(
        self,
        output: Path,
        photos: Sequence[Photo],
        people: Mapping[str, str],
        versions: Sequence[Version],
        settings: Any,
    ) -> None:
        """Choose the photos.

        Args:
            output: the study's folder.
            photos: those of the study's groups.
            people: photo's name -> who is on it.
            versions: which are shown: of each part one, and where there is a control one draw of it.
            settings: what else the pictures depend on.
        """
        self._shown = {photo.name: people[photo.name] for photo in choose_evenly(_one_each(photos, people), SAMPLES)}
        averaged = {photo.name for photo in choose_evenly(photos, AVERAGED)}
        chosen = [photo for photo in photos if photo.name in averaged | self._shown.keys()]
        told = [
            settings,
            [version.name for version in versions],
            self._shown,
            [(photo.name, signature(photo)) for photo in chosen],
        ]
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        self.file = output / "pictures" / f"{digest[:12]}.npz"
        self.missing = {} if read_pictures(self.file, versions) else {photo.name: photo for photo in chosen}
        self.shown = tuple(versions)
        self._taken: dict[str, Picture] = {}

    def take(self, name: str, picture: Picture) -> None:
        """Take in the picture of one of the photos that were missing."""
        self._taken[name] = picture

    def finish(self) -> None:
        """Keep the pictures in the file; photos that could not be read are left out."""
        with replacing(self.file) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **self._arrays())

    def _arrays(self) -> dict[str, NDArray[Any]]:
        # In the order in which they were chosen: threads take them in any, and sums must not depend on it.
        taken = [(name, self._taken[name]) for name in self.missing if name in self._taken]
        count = max(len(taken), 1)
        total = np.sum([picture.photo for _, picture in taken], axis=0, dtype=np.int64) / count
        arrays: dict[str, NDArray[Any]] = {
            "photo": np.broadcast_to(total.round(), (_SIZE, _SIZE, 3)).astype(np.uint8)
        }
        for version in self.shown:
            share = np.sum([picture.masks[version] for _, picture in taken], axis=0, dtype=np.int64) / (255 * count)
            arrays[f"share_{version.name}"] = np.broadcast_to(share, (_SIZE, _SIZE)).astype(np.float32)
        samples = [(self._shown[name], picture) for name, picture in taken if name in self._shown]
        for place, (_, picture) in enumerate(samples):
            arrays[f"sample{place}_photo"] = picture.photo
            for version in self.shown:
                mask = np.where(picture.masks[version] > 127, 255, 0).astype(np.uint8)
                arrays[f"sample{place}_lost_{version.name}"] = picture.lost[version]
                arrays[f"sample{place}_mask_{version.name}"] = mask
        return {**arrays, "names": np.array([name for name, _ in samples], dtype=np.str_)}


def take_picture(face: NDArray[np.uint8], made: Mapping[Version, Made], versions: Sequence[Version]) -> Picture:
    """Take a photo's picture.

    Args:
        face: the photo, uint8 (h, w, 3).
        made: what was made of it.
        versions: those that are shown; all were made.
    """
    return Picture(
        resize(face, _SIZE, _SIZE),
        {version: resize(made[version].photo, _SIZE, _SIZE) for version in versions},
        {version: _shrunk(made[version].mask) for version in versions},
    )


def read_pictures(path: Path, versions: Sequence[Version]) -> tuple[AverageFace, list[Sample]] | None:
    """Read what :meth:`Album.finish` kept; None if it is not there, or damaged."""
    parts = {version.part: version.name for version in versions if not version.draw}
    controls = {version.part: version.name for version in versions if version.draw}
    try:
        with open_in_pieces(path) as opened, np.load(opened, allow_pickle=False) as file:
            face = AverageFace(file["photo"], {part: file[f"share_{name}"] for part, name in parts.items()})
            samples = [
                Sample(
                    name=str(person),
                    photo=file[f"sample{place}_photo"],
                    blurred={part: file[f"sample{place}_lost_{name}"] for part, name in parts.items()},
                    masks={part: file[f"sample{place}_mask_{name}"] for part, name in parts.items()},
                    controls={part: file[f"sample{place}_lost_{name}"] for part, name in controls.items()},
                    control_masks={part: file[f"sample{place}_mask_{name}"] for part, name in controls.items()},
                )
                for place, person in enumerate(file["names"])
            ]
            return face, samples
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def choose_evenly(photos: Sequence[Photo], count: int) -> list[Photo]:
    """Choose photos evenly from all."""
    step = max(len(photos) / count, 1)
    return [photos[int(place * step)] for place in range(min(count, len(photos)))]


def _one_each(photos: Sequence[Photo], people: Mapping[str, str]) -> list[Photo]:
    """Give the first photo of each person."""
    first: dict[str, Photo] = {}
    for photo in photos:
        first.setdefault(people[photo.name], photo)
    return list(first.values())


def _shrunk(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cv2.resize(mask, (_SIZE, _SIZE), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
