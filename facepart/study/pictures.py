"""The pictures of a study's report: the average face, and a few photos with each part blurred."""

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.engines.stream import stream
from facepart.files.atomic import replacing
from facepart.images import Photo, PhotoError
from facepart.images.resize import resize
from facepart.occlusion.blur import blur_parts
from facepart.parsing.parser import fit_photo
from facepart.parts import part_mask
from facepart.report.content import AverageFace, Sample
from facepart.study.embedding import Networks
from facepart.study.store import Store

# The average of so many photos is smooth; more only take longer.
AVERAGED = 60
SAMPLES = 4
# Pixels on a side, in the report.
_AVERAGE_SIZE = 160
_SAMPLE_SIZE = 160


def choose_photos(photos: Sequence[Photo], count: int) -> list[Photo]:
    """Choose photos evenly from all."""
    step = max(len(photos) / count, 1)
    return [photos[int(place * step)] for place in range(min(count, len(photos)))]


def pictures_file(output: Path, store: Store, photos: Sequence[Photo], parts: Sequence[str], settings: Any) -> Path:
    """Give the file that the pictures are kept in, named after all that they depend on."""
    chosen = [(photo.name, store.rows[photo.name].signature) for photo in choose_photos(photos, AVERAGED)]
    told = json.dumps([settings, list(parts), chosen], sort_keys=True)
    return output / "pictures" / f"{hashlib.sha256(told.encode()).hexdigest()[:12]}.npz"


def make_pictures(
    path: Path, photos: Sequence[Photo], networks: Networks, parts: Sequence[str], people: Mapping[str, str]
) -> None:
    """Parse some photos again, average them, blur a few, and keep the pictures in a file.

    Args:
        path: see :func:`pictures_file`.
        photos: those of the study that were embedded.
        networks: the parser is used, and what reads a photo.
        parts: which parts to show.
        people: photo's name -> who is on it.
    """
    chosen = choose_photos(photos, AVERAGED)
    shown = {photo.name for photo in choose_photos(_one_each(photos, people), SAMPLES)}
    chosen += [photo for photo in photos if photo.name in shown and photo not in chosen]
    total = np.zeros((_AVERAGE_SIZE, _AVERAGE_SIZE, 3))
    covered = {part: np.zeros((_AVERAGE_SIZE, _AVERAGE_SIZE)) for part in parts}
    arrays: dict[str, NDArray[Any]] = {}
    names: list[str] = []
    count = 0

    def prepare(photo: Photo) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        face = networks.read(photo)
        return face, fit_photo(face)[None]

    def finish(
        _photo: Photo, face: NDArray[np.uint8], labels: NDArray[np.uint8]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        return face, labels[0]

    for photo, result in stream(chosen, prepare, networks.parser, finish):
        if isinstance(result, PhotoError):
            continue  # gone since it was embedded
        face, labels = result
        count += 1
        total += resize(face, _AVERAGE_SIZE, _AVERAGE_SIZE)
        masks = {part: part_mask(labels, part) for part in parts}
        for part, mask in masks.items():
            covered[part] += cv2.resize(mask, (_AVERAGE_SIZE, _AVERAGE_SIZE), interpolation=cv2.INTER_AREA) / 255
        if photo.name in shown:
            blurred = blur_parts(face, masks)
            key = f"sample{len(names)}"
            names.append(people[photo.name])
            arrays[f"{key}_photo"] = resize(face, _SAMPLE_SIZE, _SAMPLE_SIZE)
            for part in parts:
                arrays[f"{key}_blurred_{part}"] = resize(blurred[part], _SAMPLE_SIZE, _SAMPLE_SIZE)
                small = cv2.resize(masks[part], (_SAMPLE_SIZE, _SAMPLE_SIZE), interpolation=cv2.INTER_AREA)
                arrays[f"{key}_mask_{part}"] = np.where(small > 127, 255, 0).astype(np.uint8)
    arrays["photo"] = (total / max(count, 1)).round().astype(np.uint8)
    arrays |= {f"part_{part}": (found / max(count, 1)).astype(np.float32) for part, found in covered.items()}
    arrays["names"] = np.array(names)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_pictures(path: Path, parts: Sequence[str]) -> tuple[AverageFace, list[Sample]] | None:
    """Read what :func:`make_pictures` kept; None if it is not there, or damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            face = AverageFace(file["photo"], {part: file[f"part_{part}"] for part in parts})
            samples = [
                Sample(
                    name=str(name),
                    photo=file[f"sample{place}_photo"],
                    blurred={part: file[f"sample{place}_blurred_{part}"] for part in parts},
                    masks={part: file[f"sample{place}_mask_{part}"] for part in parts},
                )
                for place, name in enumerate(file["names"])
            ]
            return face, samples
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _one_each(photos: Sequence[Photo], people: Mapping[str, str]) -> list[Photo]:
    """Give the first photo of each person."""
    first: dict[str, Photo] = {}
    for photo in photos:
        first.setdefault(people[photo.name], photo)
    return list(first.values())
