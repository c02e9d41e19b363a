"""Photos on disk -> features on disk, one ``.npy`` a photo or all in a matrix; see :func:`extract_features`."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facepart.engines import Preprocessing
from facepart.engines.spread import HERE, Opened, Spread, reading_threads
from facepart.engines.stream import DEFAULT_BATCH, stream
from facepart.errors import FacepartError, UsageError
from facepart.files.addresses import presence
from facepart.files.atomic import write_npy
from facepart.files.failures import Failure, Outcome, sorted_failures, write_failures
from facepart.files.progress import Progress, StepTimes, silent
from facepart.files.record import make_record, refuse_other_settings, remove_outdated, write_record
from facepart.images import Photo, PhotoError, find_photos
from facepart.images.resize import Size, distorts, resize
from facepart.lists.features import MATRIX_FILE
from facepart.lists.paths import write_list
from facepart.models import DETECTOR, Weights, default_recogniser, obtain, obtain_again
from facepart.recognition.embed import unit_embedding, views
from facepart.recognition.load import choose_size, open_recogniser
from facepart.recognition.matrix import MatrixRows, holds_matrix
from facepart.recognition.read import face_reader
from facepart.recognition.unaligned import warn_of_unaligned

LIST_FILE = "list.txt"
_PACKAGES = ("numpy", "opencv-python-headless", "pillow", "openvino", "torch")


@dataclass
class ExtractOutcome(Outcome):
    """What a run did; besides :class:`Outcome`, the recogniser's name and where the list, or matrix, is."""

    model: str = ""
    features_list: Path = Path()


def extract_features(
    source: Path,
    features: Path,
    *,
    model: str | None = None,
    image_size: Size | None = None,
    device: str = "auto",
    precision: str = "auto",
    flip: bool = False,
    align: bool = False,
    matrix: bool = False,
    overwrite: bool = False,
    batch: int = DEFAULT_BATCH,
    workers: int | None = None,
    spread: Spread = HERE,
    progress: Progress = silent,
    times: StepTimes | None = None,
) -> ExtractOutcome:
    """Extract the embedding of every photo.

    Writes ``<name>.npy`` (float32, L2 norm 1) for each photo into `features`, and there ``list.txt`` (the absolute
    paths of this source's features, sorted), ``run.json`` and, where photos failed, ``failures.csv``. A photo
    whose feature is there is skipped. The name is the photo's path below the source folder; the photos of a list are
    named ``<folder>/<stem>``, as the original study's program does. Of two photos of one name, the second fails.

    With `matrix`, no files of single features are written but ``features.npy`` (float32, (n, d)), ``labels.txt`` and
    ``names.txt`` (see :mod:`facepart.recognition.matrix`), rows in the order that the list would have. Features that
    are there in files of their own go into the matrix, too, unless all is to be redone. Once a folder holds a
    matrix, all of its features go there: without `matrix` it is refused.

    Args:
        source: a folder of photos, or a list of them.
        features: folder for the features.
        model: the recogniser: a name of the model list, or a path; None for the default.
        image_size: rows and columns that the network gets, for networks that take any; photos of other proportions
            then fail. None for the network's own size, to which all photos are resized.
        device: see :func:`facepart.engines.open_engine`; likewise `precision`.
        precision: see there.
        flip: add the embedding of the mirrored face.
        align: find the face and warp it to the ArcFace template first; without it, photos must be aligned crops.
        matrix: write one matrix instead of a file a photo.
        overwrite: extract all photos again; a matrix is removed first.
        batch: see :func:`facepart.engines.stream.stream`; likewise `workers`.
        workers: see there.
        spread: who does the work.
        progress: told how far the run is.
        times: what the time of each step is added to.

    Raises:
        FacepartError: nothing to work on, no weights, a network that does not take `image_size`, other settings or
            another kind of features in the folder, or it cannot be written. UsageError: an unknown device or
            precision; or faces are to be aligned, to crops that are square, for a network that takes no squares.
    """
    photos, failures = find_photos(source, exclude=(features,), by_folder=True)
    # The order in which matching takes the files of a list, whatever the photos' own extensions.
    photos.sort(key=lambda photo: str(_feature(features, photo)))
    weights = obtain(model or default_recogniser(), "recogniser")
    preprocessing = weights.model.preprocessing if weights.model else None
    size = choose_size(weights.path, preprocessing, image_size) if image_size else None
    detector = obtain(DETECTOR, "detector") if align else None
    name = weights.model.name if weights.model else weights.path.name
    device, precision = spread.choose(device, precision)
    times = times or StepTimes()
    open_work = partial(
        _open_extraction,
        *(weights, detector, device, precision),
        size=size,
        undistorted=image_size is not None,
        flip=flip,
        folder=None if matrix else features,
        batch=batch,
        workers=workers,
    )
    # Before anything is written: a wrong network must not leave a record of itself.
    opened = spread.open(open_work, times, (source, features))
    fit, dimension = opened.about
    if align and fit.height != fit.width:
        raise UsageError(f"--align makes square crops, and {name} gets faces of {fit.height}x{fit.width}")
    settings = {
        "model": name,
        "sha256": weights.sha256,
        "precision": precision,
        "dimension": dimension,
        "colour": fit.colour,
        "mean": fit.mean,
        "scale": fit.scale,
        # None for the network's own, which records of earlier releases do not name.
        "image_size": size,
        "flip": flip,
        "align": detector.sha256 if detector else None,
    }
    if not overwrite:
        refuse_other_settings(features, "extract", settings)
    files = {photo.name: _feature(features, photo) for photo in photos}
    if matrix:
        rows = MatrixRows(features, dimension, overwrite=overwrite)
        there = rows.find(files, source)
    elif holds_matrix(features):
        raise FacepartError(f"{features}: holds a matrix of features; go on with --matrix, or choose another folder")
    else:
        rows = None
        is_there = presence([features])
        there = set() if overwrite else {name for name, path in files.items() if is_there(path)}
    todo = [photo for photo in photos if photo.name not in there]
    outcome = ExtractOutcome(
        skipped=len(photos) - len(todo),
        failures=failures,
        model=name,
        features_list=features / (MATRIX_FILE if matrix else LIST_FILE),
    )
    inputs = {"source": source, "features": features}
    if overwrite and rows:
        rows.clear()
    elif overwrite:
        remove_outdated(features, "extract", settings, set(files.values()), _features_in(features))
    write_record(features, make_record("extract", settings, inputs, _PACKAGES, device=device))
    failed: list[Failure] = []
    progress(0, len(todo))
    try:
        if todo:
            if not align:
                warn_of_unaligned(todo[0], (fit.height, fit.width), undistorted=image_size is not None)
            for worked, (photo, result) in enumerate(opened.work(todo), start=1):
                if isinstance(result, PhotoError):
                    failed.append(Failure(photo.path, result.stage, str(result)))
                else:
                    if rows:
                        rows.add(photo.name, result)
                    outcome.done += 1
                progress(worked, len(todo), times.bottleneck())
    finally:
        # Also when the run is stopped: what was done shall be kept, and what failed so far be told.
        outcome.failures += sorted_failures(failed, (photo.path for photo in todo))
        if rows:
            rows.flush()
        write_failures(features, outcome.failures)
    if rows:
        written = rows.merge(files)
    else:
        listed = list(filter(presence([features]), files.values()))
        if listed:
            write_list(outcome.features_list, listed)
        written = len(listed)
    counts = {"photos": written, "failed": len(outcome.failures)}
    write_record(features, make_record("extract", settings, inputs, _PACKAGES, counts, device))
    return outcome


def _open_extraction(
    weights: Weights,
    detector: Weights | None,
    device: str,
    precision: str,
    times: StepTimes,
    threads: int | None,
    *,
    size: Size | None,
    undistorted: bool,
    flip: bool,
    folder: Path | None,
    batch: int,
    workers: int | None,
) -> Opened[Photo, NDArray[np.float32]]:
    """Open the recogniser, for photos whose embedding, the result, is written into `folder` unless that is None.

    Told about it: what it expects, and the embedding's length.
    """
    if threads is not None:
        weights = obtain_again(weights, "recogniser")
        detector = detector and obtain_again(detector, "detector")
    preprocessing = weights.model.preprocessing if weights.model else None
    engine = open_recogniser(weights.path, preprocessing, device, precision, weights.kept, threads, size)
    prepare = _reader(engine.preprocessing, flip, undistorted, detector.path if detector else None, times)

    def finish(photo: Photo, kept: None, outputs: NDArray[np.float32]) -> NDArray[np.float32]:
        embedding = unit_embedding(outputs)
        if folder is not None:
            with times.measure("write features"):
                write_npy(_feature(folder, photo), embedding)
        return embedding

    def extract(photos: Sequence[Photo]) -> Iterator[tuple[Photo, NDArray[np.float32] | PhotoError]]:
        threads_beside = reading_threads(workers, threads)
        return stream(photos, prepare, engine, finish, batch=batch, workers=threads_beside, times=times)

    return Opened(extract, (engine.preprocessing, math.prod(engine.output_shape)))


def _feature(features: Path, photo: Photo) -> Path:
    return features / f"{photo.name}.npy"


def _features_in(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*.npy") if not path.name.startswith("."))


def _reader(
    fit: Preprocessing, flip: bool, undistorted: bool, detector: Path | None, times: StepTimes
) -> Callable[[Photo], tuple[None, NDArray[np.uint8]]]:
    """Give the function that reads a photo and makes it the network's input, for use in threads."""
    read_face = face_reader(detector, fit.height, times)

    def read(photo: Photo) -> tuple[None, NDArray[np.uint8]]:
        face = read_face(photo)
        height, width = face.shape[:2]
        if undistorted and distorts((height, width), (fit.height, fit.width)):
            reason = f"is {height}x{width}, and the network gets {fit.height}x{fit.width}: it would be distorted"
            raise PhotoError(f"{reason}; crop it, or leave out --image-size", stage="resize")
        with times.measure("resize to the recogniser's size"):
            return None, views(resize(face, fit.height, fit.width), flip)

    return read
