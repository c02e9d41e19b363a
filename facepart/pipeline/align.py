"""The runner of `align`: photos on disk -> aligned faces on disk, and ``faces.csv``, which says what was found."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facepart.data.photos import find_photos, photo_stamp
from facepart.errors import FacepartError
from facepart.files.failures import Outcome
from facepart.files.lock import output_lock
from facepart.files.progress import Progress, StepTimes, silent
from facepart.networks.alignment import CROP_SIZE
from facepart.networks.catalogue import DETECTOR, obtain
from facepart.networks.face_parser import MIN_SIDE
from facepart.pipeline.batches import DEFAULT_BATCH
from facepart.pipeline.executor import LOCAL, Executor
from facepart.pipeline.faces_table import GIVEN, FaceRow, FacesTable, read_landmarks
from facepart.pipeline.network_files import NetworkFiles
from facepart.pipeline.photo_run import PhotoRun
from facepart.pipeline.saved_images import SavedImages
from facepart.pipeline.worker import PhotoTask, PhotoWorker


@dataclass
class AlignOutcome(Outcome):
    """What a run did; besides :class:`Outcome`, what ``faces.csv`` says of the photos of the source.

    Attributes:
        several: photos with several faces; the largest near the centre was aligned.
        given: photos whose landmarks were given.
        small: photos whose face fills fewer pixels than part masks need.
        unused: photos in the file of landmarks that are not in the source, sorted.
    """

    several: int = 0
    given: int = 0
    small: int = 0
    unused: list[str] = field(default_factory=list)


def align_photos(
    source: Path,
    aligned: Path,
    *,
    size: int = CROP_SIZE,
    landmarks: Path | None = None,
    overwrite: bool = False,
    batch: int = DEFAULT_BATCH,
    workers: int | None = None,
    executor: Executor = LOCAL,
    progress: Progress = silent,
    times: StepTimes | None = None,
) -> AlignOutcome:
    """Find the face in every photo, and warp it to ArcFace's template.

    Writes ``<name>.png`` for each photo into `aligned`, the pixels that a study with ``align`` works on, and beside
    them ``faces.csv`` (:mod:`facepart.pipeline.faces_table`), ``run.json`` and, where photos failed,
    ``failures.csv``. A photo whose crop exists is skipped, unless the crop is damaged, the photo was replaced since,
    or its landmarks are now others than those given before.

    Args:
        source: a folder of photos, or a list of them.
        aligned: folder of the crops.
        size: pixels on a side of a crop.
        landmarks: a table of landmarks, as ``faces.csv``; photos that it does not name, or without landmarks, are
            given to the detector. None to detect all faces.
        overwrite: overwrite existing outputs.
        batch: photos that are worked on at a time.
        workers: threads that read, detect and write; None for the default.
        executor: does the work.
        progress: is called with how far the run is.
        times: collects the time of each step.

    Raises:
        FacepartError: nothing to work on, no detector, a wrong table of landmarks, other settings in the folder,
            another run that is writing there, or it cannot be written.
    """
    saved = SavedImages((), aligned=aligned)
    with output_lock(aligned):
        photos, failures = find_photos(source, exclude=(aligned,))
        names = {photo.name for photo in photos}
        given = read_landmarks(landmarks, names) if landmarks else {}
        if given and names.isdisjoint(given):
            raise FacepartError(
                f"{landmarks}: names none of the photos of {source}, such as {photos[0].name}; a photo is named by "
                "its path below that folder"
            )
        outcome = AlignOutcome(failures=failures, unused=sorted(set(given) - names))
        detector = obtain(DETECTOR, "detector")
        inputs = {"source": source, "aligned": aligned, **({"landmarks": landmarks} if landmarks else {})}
        settings = {"detector": detector.sha256, "size": size}
        run = PhotoRun("align", [aligned], saved, inputs, settings, overwrite=overwrite)
        table = FacesTable(aligned, anew=overwrite)
        lacking = {photo.name for photo in (photos if overwrite else saved.incomplete(photos, run.finished))}
        todo = [
            photo
            for photo in photos
            if photo.name in lacking or not _is_current(table.rows.get(photo.name), given.get(photo.name))
        ]
        outcome.skipped = len(photos) - len(todo)
        times = times or StepTimes()
        worker = PhotoWorker(
            NetworkFiles(None, (), detector, "cpu", "fp32"),
            saved=saved,
            crop=size,
            landmarks=given,
            batch=batch,
            workers=workers,
        )
        session = executor.start(worker, times, (source, aligned)) if todo else None
        run.begin(photos)
        tasks = [PhotoTask(photo, signature=photo_stamp(photo)) for photo in todo]
        run.work(session, tasks, outcome, progress, times, [table])
        rows = [table.rows[name] for name in names if name in table.rows]
        outcome.several = table.count_several(names)
        outcome.given = sum(row.status == GIVEN for row in rows)
        outcome.small = sum(row.side != "" and int(row.side) < MIN_SIDE for row in rows)
        run.end(outcome, several=outcome.several, given=outcome.given)
        return outcome


def _is_current(row: FaceRow | None, given: NDArray[np.float32] | None) -> bool:
    """Return whether a photo's row is there, and of the landmarks that are now given, if any."""
    if row is None or row.landmarks is None:
        return False
    if given is None:
        return row.status != GIVEN
    return row.status == GIVEN and np.array_equal(row.landmarks, given)
