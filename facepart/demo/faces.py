"""Photographs -> the demo's photos: faces found, aligned to 224x224 pixels, one folder.

The crop is ArcFace's own, at twice its size: the blur's recipe is for photos of 224x224 pixels framed like this, and
resized to 112 they are what the recogniser expects. What a run finds already made, it leaves.
"""

import os
import warnings
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.data.photo_input import read_photo
from facepart.data.photo_output import is_whole_image, write_image
from facepart.data.photos import Photo, find_photos, photo_stamp
from facepart.demo.captures import simulate_captures
from facepart.demo.photographs import fetch_photographs
from facepart.errors import FacepartError
from facepart.files.cache import cache_folder
from facepart.files.failures import Failure, Outcome
from facepart.files.lock import output_lock
from facepart.files.progress import Progress, StepTimes, silent
from facepart.files.record import make_record, read_record, write_record
from facepart.networks.catalogue import DETECTOR, obtain
from facepart.networks.face_detector import Face, FaceDetector, choose_face
from facepart.pipeline.executor import LOCAL
from facepart.pipeline.network_files import NetworkFiles
from facepart.pipeline.photo_run import PHOTO_PACKAGES, PhotoRun
from facepart.pipeline.saved_images import SavedImages
from facepart.pipeline.worker import PhotoTask, PhotoWorker

CAPTURE_SIZE = 224

# Of LFW: the number of subjects, the first in the alphabet with enough photos, and the number of photos of each.
_LFW_PEOPLE = 20
_LFW_PHOTOS = 6

_STAGE = "demo"


def make_captures(folder: Path, captures: int, progress: Progress = silent) -> Outcome:
    """Make the default photos: simulated captures of nine subjects, from photographs in public packages.

    Files are named ``<subject>_<photograph>_<capture>.png``, by the MORPH convention; capture 00 is the aligned face
    as it is.

    Args:
        folder: where to write the photos.
        captures: photos per subject, divided evenly among the subject's photographs.
        progress: called with (photos done, photos in all).

    Raises:
        FacepartError: the photographs or the detector cannot be fetched, or the folder cannot be written to.
    """
    with output_lock(folder):
        return _make_captures(folder, captures, progress)


def _make_captures(folder: Path, captures: int, progress: Progress) -> Outcome:
    """Make the captures in a folder that this run holds."""
    settings = {"photographs": "packages", "captures": captures}
    _refuse_another(folder, settings)
    _record(folder, settings)
    photographs = fetch_photographs()
    appearances = Counter(person for people in photographs.values() for person in people)
    seen: Counter[str] = Counter()
    outcome, detector = Outcome(), FaceDetector(obtain(DETECTOR, "detector").path)
    for path, people in photographs.items():
        photo = read_photo(path)
        for person, face in zip(people, _faces_of(photo, detector, len(people)), strict=True):
            name = f"{person}_{seen[person]}"
            share = len(range(seen[person], captures, appearances[person]))
            seen[person] += 1
            for number, picture in enumerate(simulate_captures(photo, face.landmarks, share, CAPTURE_SIZE, name)):
                target = folder / f"{name}_{number:02d}.png"
                if target.exists() and is_whole_image(target):
                    outcome.skipped += 1
                else:
                    write_image(target, picture)
                    outcome.done += 1
                progress(outcome.done + outcome.skipped, captures * len(appearances))
    _record(folder, settings, {"photos": outcome.done + outcome.skipped, "failed": 0})
    return outcome


def align_folder(source: Path, folder: Path, progress: Progress = silent, exclude: Sequence[Path] = ()) -> Outcome:
    """Make the photos out of a user's own: the face of each, under its name.

    Args:
        source: a folder of photos, or a list of them.
        folder: where to write the photos.
        progress: called with (photos done, photos in all).
        exclude: folders inside `source` to leave out, such as the demo's own outputs.

    Raises:
        FacepartError: there are no photos, none shows a face, or the folder cannot be written to.
    """
    photos, failures = find_photos(source, exclude=(folder, *exclude))
    return _align_photos(photos, failures, folder, {"photographs": str(source.absolute())}, progress)


def align_lfw(folder: Path, progress: Progress = silent) -> Outcome:
    """Make the photos out of Labeled Faces in the Wild, which scikit-learn downloads: 20 subjects with 6 photos each.

    Raises:
        FacepartError: scikit-learn is not installed, the data set cannot be had, or as in :func:`align_folder`.
    """
    people = (sorted(person.glob("*.jpg")) for person in sorted(fetch_lfw().iterdir()))
    chosen = islice((paths for paths in people if len(paths) >= _LFW_PHOTOS), _LFW_PEOPLE)
    photos = [Photo(path, path.stem) for paths in chosen for path in paths[:_LFW_PHOTOS]]
    return _align_photos(photos, [], folder, {"photographs": "lfw"}, progress)


def fetch_lfw() -> Path:
    """Return the folder of LFW's photos, with one folder per subject; scikit-learn downloads it if it is missing.

    Raises:
        FacepartError: scikit-learn is not installed, or the data set cannot be had.
    """
    try:
        from sklearn.datasets import fetch_lfw_people
    except ImportError as error:
        raise FacepartError("LFW is fetched by scikit-learn, which is missing: pip install scikit-learn") from error
    home = _lfw_home()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one per attempt; the last error is reported
            # As arrays all photos take 10 GB: the call is for the files it leaves, and loads as little as it may.
            fetch_lfw_people(data_home=home, min_faces_per_person=100, resize=0.1)
    except (OSError, ValueError, EOFError) as error:
        reason = " ".join(str(error).split())
        raise FacepartError(f"scikit-learn cannot fetch LFW ({reason}); run the demo without --dataset") from error
    return home / "lfw_home" / "lfw_funneled"


def _lfw_home() -> Path:
    """Return scikit-learn's own folder if the user chose it or LFW is in it, else a folder in the cache."""
    chosen = os.environ.get("SCIKIT_LEARN_DATA")
    usual = Path(chosen or "~/scikit_learn_data").expanduser()
    return usual if chosen or (usual / "lfw_home").is_dir() else cache_folder() / "scikit_learn_data"


def _align_photos(
    photos: Sequence[Photo], failures: list[Failure], folder: Path, settings: dict[str, Any], progress: Progress
) -> Outcome:
    """Align the face of each photo; photos that cannot be read or show no face are failures."""
    with output_lock(folder):
        _refuse_another(folder, settings)
        saved = SavedImages((), aligned=folder)
        run = PhotoRun(_STAGE, [folder], saved, {"photos": folder}, settings)
        todo = saved.incomplete(photos, run.finished)
        outcome = Outcome(skipped=len(photos) - len(todo), failures=failures)
        networks = NetworkFiles(None, (), obtain(DETECTOR, "detector"), "cpu", "fp32")
        times = StepTimes()
        worker = PhotoWorker(networks, saved=saved, crop=CAPTURE_SIZE)
        session = LOCAL.start(worker, times, (folder,)) if todo else None
        run.begin(photos)
        tasks = [PhotoTask(photo, signature=photo_stamp(photo)) for photo in todo]
        run.work(session, tasks, outcome, progress, times)
        run.end(outcome)
    if not outcome.succeeded:
        first = outcome.failures[0]
        raise FacepartError(f"no photo could be used; first: {first.path}: {first.reason}")
    return outcome


def _faces_of(photo: NDArray[np.uint8], detector: FaceDetector, count: int) -> list[Face]:
    """Return the face that a photo is of, or its `count` faces from left to right."""
    faces = detector.detect(photo)
    return [choose_face(faces, photo.shape)] if count == 1 else sorted(faces, key=lambda face: face.box[0])


def _refuse_another(folder: Path, settings: dict[str, Any]) -> None:
    """Refuse a folder with the photos of another demo."""
    earlier = read_record(folder)
    if earlier is not None and earlier["settings"] != settings:
        raise FacepartError(f"{folder}: holds the photos of another demo; choose another folder with -o")


def _record(folder: Path, settings: dict[str, Any], counts: dict[str, int] | None = None) -> None:
    write_record(folder, make_record(_STAGE, settings, {"photos": folder}, PHOTO_PACKAGES, counts))
