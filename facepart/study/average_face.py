"""The average face of a study: made once from the photos of its groups, and kept in ``average`` in its folder.

It is named after what it depends on: the photos, their groups, and how they are aligned. With others it is another,
and what was occluded by the earlier one is made anew.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from facepart.counts import count_of
from facepart.data.photo_input import PhotoError, read_photo
from facepart.data.photo_output import write_image
from facepart.data.photos import Photo, photo_stamp
from facepart.files.atomic import write_text
from facepart.files.json_input import read_object
from facepart.files.progress import StepTimes
from facepart.networks.label_folder import LABELS_MARK
from facepart.occlusion.average_face import AverageFaces, FaceSums
from facepart.occlusion.method import AVERAGE, OcclusionMethod
from facepart.pipeline.executor import Executor
from facepart.pipeline.network_files import NetworkFiles
from facepart.pipeline.worker import PhotoTask, PhotoWorker

AVERAGE_FOLDER = "average"
_VERSION = 1


def with_average(
    methods: Sequence[OcclusionMethod], groups: Mapping[str, Sequence[str]], photos: Sequence[Photo], settings: Any
) -> tuple[OcclusionMethod, ...]:
    """Return the methods of a study; those by the average face say of which photos it is.

    Args:
        methods: of the request.
        groups: group -> the names of its photos.
        photos: those of the study.
        settings: what else aligned photos depend on, as JSON values.
    """
    if all(method.occluder != AVERAGE for method in methods):
        return tuple(methods)
    signatures = {photo.name: _stamp_of(photo) for photo in photos}
    basis = [
        _VERSION,
        settings,
        sorted(sorted((name, signatures[name]) for name in names) for names in groups.values()),
    ]
    digest = hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()
    return tuple(replace(method, average=digest) if method.occluder == AVERAGE else method for method in methods)


def average_of(methods: Sequence[OcclusionMethod]) -> str:
    """Return which average face the methods of a study use; empty if none does."""
    return next((method.average for method in methods if method.average), "")


def make_average(
    networks: NetworkFiles,
    groups: Mapping[str, Sequence[str]],
    photos: Sequence[Photo],
    crop: int,
    executor: Executor,
    times: StepTimes,
    *,
    paths: Sequence[Path] = (),
    batch: int,
    workers: int | None = None,
) -> AverageFaces:
    """Average the faces of photos; those that cannot be read, or show no face, are left out.

    Args:
        networks: those of the study; only the detector is used.
        groups: group -> the names of its photos.
        photos: those of the groups.
        crop: pixels on a side of an aligned face.
        executor: reads the photos.
        times: collects the time of each step.
        paths: folders that are read.
        batch: see :class:`facepart.pipeline.worker.PhotoWorker`, likewise `workers`.
        workers: see there.

    Raises:
        FacepartError: there are too few photos of a size.
    """
    group_of = {name: group for group, names in groups.items() for name in names}
    reader = PhotoWorker(detector_alone(networks), crop=crop, keep_pixels=True, batch=batch, workers=workers)
    session = executor.start(reader, times, paths)
    sums = FaceSums(list(groups), len(photos))
    for task, result in session.map([PhotoTask(photo) for photo in photos]):
        if not isinstance(result, PhotoError) and result.pixels is not None:
            sums.add(group_of[task.photo.name], result.pixels)
    return sums.averages()


def detector_alone(networks: NetworkFiles) -> NetworkFiles:
    """Return those of the networks of a study that its average face needs."""
    return replace(networks, parser=None, recognisers=())


class KeptAverage:
    """The average face in a study's folder: a PNG for each size of photo, and a list of them with their SHA-256."""

    def __init__(self, output: Path, digest: str) -> None:
        """Name the files; `digest` is that of :func:`average_of`."""
        self._folder, self._name = output / AVERAGE_FOLDER, digest[:12]

    @property
    def _list(self) -> Path:
        return self._folder / f"{self._name}.json"

    def files(self) -> dict[str, str]:
        """Return the PNGs and their SHA-256; none if the average has not been made."""
        found = read_object(self._list, "the list of average faces", "remove it") if self._list.exists() else None
        return {str(name): str(sha256) for name, sha256 in (found or {}).items()}

    def read(self) -> AverageFaces | None:
        """Read the average; None if it has not been made, or a file is damaged."""
        pixels = {}
        for name, sha256 in self.files().items():
            path = self._folder / name
            if Path(name).name != name or not path.is_file() or _sha256(path) != sha256:
                return None
            image = read_photo(path)
            pixels[image.shape[0], image.shape[1]] = image
        return AverageFaces(pixels) if pixels else None

    def write(self, average: AverageFaces) -> None:
        """Write the average; its list comes last, so that a stopped run leaves none."""
        files = {}
        for (height, width), pixels in average.pixels.items():
            path = self._folder / f"{self._name}-{height}x{width}.png"
            write_image(path, pixels)
            files[path.name] = _sha256(path)
        write_text(self._list, json.dumps(files, indent=2) + "\n")
        # An earlier average may show people who have left the study.
        for path in self._folder.iterdir():
            if not path.name.startswith(self._name):
                path.unlink()

    def note(self, photos: int) -> str:
        """Say that the average is made, and whether it replaces another."""
        if self._folder.exists() and any(self._folder.glob("*.json")):
            changed = "the photos, their groups or the alignment have changed"
            return f"{changed}: the average face is made of {count_of(photos, 'photo')}"
        return f"the average face is made of {count_of(photos, 'photo')}"


def _stamp_of(photo: Photo) -> str:
    """Return the stamp of a photo, without that of its label map: the average does not depend on it."""
    return photo_stamp(photo, ask_store=True).partition(LABELS_MARK)[0]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
