"""The runner of `blur`: photos on disk -> part masks and photos with one part occluded, on disk.

One pass of the parser per photo serves all parts. Finished photos are left alone, so that a run that was stopped goes
on where it was; see :func:`blur_photos`.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from facepart.data.photo_input import PhotoError, read_photo
from facepart.data.photos import Photo, find_photos, photo_stamp
from facepart.errors import UsageError
from facepart.files.addresses import ExistingPaths, refuse_overwriting
from facepart.files.failures import Outcome
from facepart.files.lock import output_lock
from facepart.files.progress import Progress, StepTimes, silent
from facepart.networks.alignment import CROP_SIZE
from facepart.networks.catalogue import DETECTOR, obtain
from facepart.networks.face_parser import PARSING_RECIPE
from facepart.occlusion.method import AVERAGE, STANDARD, OcclusionMethod
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.occlusion.parts import PARTS, choose_parts
from facepart.occlusion.parts_file import read_parts
from facepart.pipeline.batches import DEFAULT_BATCH
from facepart.pipeline.calibration import calibrate, with_calibration
from facepart.pipeline.executor import LOCAL, Executor
from facepart.pipeline.faces_table import FacesTable
from facepart.pipeline.network_files import NetworkFiles
from facepart.pipeline.parser_choice import choose_parser, refuse_maps_of_other_photos, refuse_unknown_classes
from facepart.pipeline.parts_table import PartsTable
from facepart.pipeline.photo_run import PhotoRun
from facepart.pipeline.saved_images import SavedImages
from facepart.pipeline.worker import PhotoTask, PhotoWorker


@dataclass
class BlurOutcome(Outcome):
    """What a run did; besides :class:`Outcome`, in how many photos of the source each part was not detected.

    Attributes:
        undetected: part -> photos.
        several: photos with several faces; the largest near the centre was aligned.
    """

    undetected: Counter[str] = field(default_factory=Counter)
    several: int = 0


def blur_photos(
    source: Path,
    masks: Path,
    blurred: Path,
    *,
    parts: Sequence[str] = tuple(PARTS),
    parts_file: Path | None = None,
    method: OcclusionMethod = STANDARD,
    align: bool = False,
    model: str | None = None,
    labels: Path | None = None,
    label_set: str | None = None,
    device: str = "auto",
    precision: str = "auto",
    image_format: str = "png",
    save_labels: bool = False,
    overwrite: bool = False,
    batch: int = DEFAULT_BATCH,
    workers: int | None = None,
    executor: Executor = LOCAL,
    progress: Progress = silent,
    times: StepTimes | None = None,
) -> BlurOutcome:
    """Segment photos and occlude one part at a time.

    Writes ``mask_<part>/<name>_annotation.png`` into `masks` and ``blurred_<part>/<name>.png`` into `blurred`, and
    beside them ``run.json``; into `blurred` also ``parts.csv`` (see :mod:`facepart.pipeline.parts_table`), with
    `align` ``faces.csv`` (:mod:`facepart.pipeline.faces_table`) and, where photos failed, ``failures.csv``. A photo
    whose outputs all exist is skipped, unless one is damaged or the photo was replaced since. Photos and masks inside
    the output folders are never taken for input.

    Args:
        source: a folder of photos, or a list of them.
        masks: folder for the masks.
        blurred: folder for the blurred photos.
        parts: which parts: names of built-in ones, of those in `parts_file`, or unions such as ``eyes+nose``.
        parts_file: a file of parts of one's own (:mod:`facepart.occlusion.parts_file`).
        method: how parts are occluded. Folders are called ``blurred_<part>`` for all methods; ``run.json`` says which
            it was.
        align: find the face and warp it to the ArcFace template first, as a study does: the occluded photos are crops
            of 224x224. Without it, photos must be aligned crops.
        model: the parser: a name from `facepart models list`, or a path; None for the default.
        labels: a folder of label maps instead of a parser (:mod:`facepart.networks.label_folder`).
        label_set: the order of the classes of these, or of the parser's: a name of
            :data:`facepart.networks.label_sets.LABEL_SETS`, or the path of a file.
        device: see :func:`facepart.networks.engine_choice.open_engine`; likewise `precision`.
        precision: see there.
        image_format: ``png`` (lossless), or ``same`` for the photo's own format.
        save_labels: also write the label maps, ``labels/<name>.png`` in `masks`, as PNGs with a palette.
        overwrite: overwrite existing outputs.
        batch: see :func:`facepart.pipeline.batches.run_batches`; likewise `workers`.
        workers: see there.
        executor: does the work.
        progress: is called with how far the run is.
        times: collects the time of each step.

    Raises:
        FacepartError: nothing to work on, no weights, other settings in the folders, another run that is writing
            there, a folder that cannot be written, or a wrong file of parts. UsageError: an unknown part, device or
            precision, the average face as the method, which only a study has, or `labels` is where label maps would
            be written.
    """
    if method.occluder == AVERAGE:
        raise UsageError("--occlusion average: the average face is that of a study: use facepart study")
    kept_labels = masks / "labels" if save_labels else None
    refuse_overwriting([labels], [kept_labels] if kept_labels else [])
    chosen = choose_parts(parts, read_parts(parts_file) if parts_file else None)
    parts = [part.name for part in chosen]
    occlusions = tuple(Occlusion(Region(part), method) for part in chosen)
    parser = choose_parser(model, labels, label_set)
    refuse_unknown_classes(chosen, parser.label_set)
    if labels:
        refuse_maps_of_other_photos(labels, source)
    saved = SavedImages(
        occlusions=occlusions,
        masks=masks,
        photos=blurred,
        labels=kept_labels,
        image_format=image_format,
    )
    with output_lock(masks, blurred):
        photos, failures = find_photos(source, exclude=(masks, blurred, *([labels] if labels else [])))
        photos = parser.stamped(photos)
        outcome = BlurOutcome(failures=failures)
        needs_detector = align or any(part.needs_landmarks for part in chosen)
        detector = obtain(DETECTOR, "detector") if needs_detector else None
        device, precision = executor.choose_engine(device, precision)
        networks = NetworkFiles(
            *(parser.source, (), detector, device, precision), align=align, label_set=parser.label_set
        )
        networks = with_calibration(networks, photos)
        settings = {
            "model": parser.name,
            "sha256": parser.sha256,
            "precision": precision,
            **networks.calibration_setting,
            "parsing_recipe": PARSING_RECIPE,
            "format": image_format,
            "align": detector.sha256 if align and detector else None,
            "recipes": {occlusion.part: occlusion.recipe() for occlusion in occlusions},
        }
        inputs = {"source": source, "masks": masks, "blurred": blurred, **({"labels": labels} if labels else {})}
        run = PhotoRun(
            *("blur", [masks, blurred], saved, inputs, settings),
            device=device,
            overwrite=overwrite,
            adding="recipes",  # parts that an earlier run occluded stay valid beside those of this one
        )
        table = PartsTable(blurred)
        faces = FacesTable(blurred, anew=overwrite) if align else None
        lacking = {photo.name for photo in (photos if overwrite else saved.incomplete(photos, run.finished))}
        if faces:
            lacking |= {photo.name for photo in photos if photo.name not in faces.rows}
        todo = [photo for photo in photos if photo.name in lacking]
        _recount([photo for photo in photos if photo.name not in lacking], saved, table)
        outcome.skipped = len(photos) - len(todo)
        times = times or StepTimes()
        worker = PhotoWorker(networks, saved=saved, crop=CROP_SIZE, batch=batch, workers=workers)
        if todo:
            calibrate(networks, photos, CROP_SIZE)
        session = executor.start(worker, times, tuple(inputs.values())) if todo else None
        run.begin(photos)
        tasks = [PhotoTask(photo, occlusions, photo_stamp(photo)) for photo in todo]
        run.work(session, tasks, outcome, progress, times, [table, faces] if faces else [table])

        named = {photo.name for photo in photos}
        if faces:
            outcome.several = faces.count_several(named)
        outcome.undetected.update(
            part for (name, part), pixels in table.pixels.items() if name in named and part in parts and not pixels
        )
        run.end(outcome, undetected={part: outcome.undetected[part] for part in parts})
        return outcome


def _recount(photos: Sequence[Photo], saved: SavedImages, table: PartsTable) -> None:
    """Fill in rows that a killed run did not get to write, from its masks on disk."""
    existing = ExistingPaths([saved.masks] if saved.masks else [])
    for photo in photos:
        for occlusion in saved.occlusions:
            mask = saved.mask_path(photo, occlusion)
            if (photo.name, occlusion.part) not in table.pixels and mask and mask in existing:
                # One that was damaged since has no row.
                with suppress(PhotoError):
                    table.pixels[photo.name, occlusion.part] = int(np.count_nonzero(read_photo(mask)[:, :, 0]))
