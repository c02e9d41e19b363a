"""The runner of `parse`: photos on disk -> label maps on disk, and how far these agree with others.

Finished photos are left alone, so that a run that was stopped goes on where it was.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from facepart.data.photo_input import read_size
from facepart.data.photos import Photo, find_photos, photo_stamp
from facepart.errors import FacepartError, UsageError
from facepart.files.addresses import refuse_overwriting
from facepart.files.atomic import write_text
from facepart.files.csv_text import csv_text
from facepart.files.failures import Failure, Outcome, write_failures
from facepart.files.lock import output_lock
from facepart.files.progress import Progress, StepTimes, silent
from facepart.networks.face_parser import PARSING_RECIPE
from facepart.networks.label_folder import LabelFolder, fit_labels
from facepart.networks.label_map import CLASSES
from facepart.networks.label_sets import OWN_SET, find_label_set
from facepart.occlusion.label_overlap import Overlap, class_overlaps, part_overlaps, total_overlaps
from facepart.occlusion.parts import BUILT_IN, Part
from facepart.pipeline.batches import DEFAULT_BATCH, default_workers
from facepart.pipeline.calibration import calibrate, with_calibration
from facepart.pipeline.executor import LOCAL, Executor
from facepart.pipeline.network_files import NetworkFiles
from facepart.pipeline.parser_choice import choose_parser, lacking_classes
from facepart.pipeline.photo_run import PhotoRun
from facepart.pipeline.saved_images import SavedImages
from facepart.pipeline.worker import PhotoTask, PhotoWorker

STAGE, IOU_FILE = "parse", "iou.csv"


@dataclass(frozen=True)
class LabelAgreement:
    """How far label maps agree with others.

    Attributes:
        classes: class -> its overlap, summed over photos; those that the other label set lacks are left out.
        parts: part -> the same.
        photos: photos that were compared.
    """

    classes: dict[str, Overlap]
    parts: dict[str, Overlap]
    photos: int


@dataclass
class ParseOutcome(Outcome):
    """What a run did; besides :class:`Outcome`, how far the label maps agree with others, if that was asked for."""

    agreement: LabelAgreement | None = None
    uncompared: int = 0


def parse_photos(
    source: Path,
    labels: Path,
    *,
    parser: str | None = None,
    label_set: str | None = None,
    against: Path | None = None,
    against_label_set: str | None = None,
    device: str = "auto",
    precision: str = "auto",
    overwrite: bool = False,
    batch: int = DEFAULT_BATCH,
    workers: int | None = None,
    executor: Executor = LOCAL,
    progress: Progress = silent,
    times: StepTimes | None = None,
) -> ParseOutcome:
    """Write the label maps of photos, ``<name>.png`` in `labels`, and compare them with others.

    They are PNGs with a palette, 512x512, in facepart's order of classes, whatever the parser's. Beside them are
    ``run.json``, ``failures.csv`` where photos failed, and ``iou.csv`` if they were compared.

    Args:
        source: a folder of photos, or a list of them.
        labels: folder of the label maps.
        parser: a name from `facepart models list`, or a path; None for the default.
        label_set: the order of the parser's classes; None for what its file says, else facepart's.
        against: a folder of label maps to compare with (:mod:`facepart.networks.label_folder`).
        against_label_set: the order of their classes; None for facepart's.
        device: see :func:`facepart.networks.engine_choice.open_engine`.
        precision: see there.
        overwrite: overwrite existing label maps.
        batch: see :func:`facepart.pipeline.batches.run_batches`; likewise `workers`.
        workers: see there.
        executor: does the work.
        progress: is called with how far the run is.
        times: collects the time of each step.

    Raises:
        FacepartError: nothing to work on, no weights, other settings in the folder, another run that is writing
            there, a folder that cannot be written, or nothing to compare with. UsageError: an unknown name, or
            `against` is `labels`.
    """
    if against is None and against_label_set is not None:
        raise UsageError("--against-label-set: names the classes of the label maps of --against, which is missing")
    refuse_overwriting([against], [labels])
    others = None
    if against is not None:
        others = LabelFolder(against, find_label_set(against_label_set) if against_label_set else OWN_SET)
    chosen = choose_parser(parser, label_set=label_set)
    saved = SavedImages(occlusions=(), labels=labels)
    with output_lock(labels):
        photos, failures = find_photos(source, exclude=(labels, *([against] if against else [])))
        if others is not None:
            others.refuse_none(photos)
        outcome = ParseOutcome(failures=failures)
        device, precision = executor.choose_engine(device, precision)
        networks = NetworkFiles(chosen.source, (), None, device, precision, align=False, label_set=chosen.label_set)
        networks = with_calibration(networks, photos)
        settings = {
            "model": chosen.name,
            "sha256": chosen.sha256,
            "precision": precision,
            **networks.calibration_setting,
            "parsing_recipe": PARSING_RECIPE,
        }
        inputs = {"source": source, "labels": labels, **({"against": against} if against else {})}
        run = PhotoRun(STAGE, [labels], saved, inputs, settings, device=device, overwrite=overwrite)
        todo = photos if overwrite else saved.incomplete(photos, run.finished)
        outcome.skipped = len(photos) - len(todo)
        times = times or StepTimes()
        worker = PhotoWorker(networks, saved=saved, batch=batch, workers=workers)
        if todo:
            calibrate(networks, photos)
        session = executor.start(worker, times, (source, labels)) if todo else None
        run.begin(photos)
        tasks = [PhotoTask(photo, (), photo_stamp(photo)) for photo in todo]
        failed = run.work(session, tasks, outcome, progress, times)
        if others is not None:
            without = {failure.path for failure in failed}
            written = [photo for photo in photos if photo.path not in without]
            # Often only some photos are annotated: the others are counted, and are no failures.
            both = [photo for photo in written if others.path_of(photo.name).exists()]
            outcome.uncompared = len(written) - len(both)
            outcome.agreement, wrong = compare_label_maps(both, LabelFolder(labels, OWN_SET), others)
            write_text(labels / IOU_FILE, iou_csv(outcome.agreement))
            outcome.failures += wrong
            write_failures(labels, outcome.failures)
        run.end(outcome)
        return outcome


def compare_label_maps(
    photos: Sequence[Photo], labels: LabelFolder, others: LabelFolder
) -> tuple[LabelAgreement, list[Failure]]:
    """Compare the label maps of photos in two folders, at 512x512.

    Args:
        photos: those to compare.
        labels: one folder.
        others: the other. Classes that its label set lacks are left out, as are parts made of them alone and parts
            that need landmarks.

    Returns:
        The overlaps, and the photos that could not be compared.

    Raises:
        FacepartError: none could be compared.
    """
    parts = [
        part for part in BUILT_IN.values() if not part.needs_landmarks and not lacking_classes(part, others.label_set)
    ]
    comparison = _Comparison(labels, others, parts)
    with ThreadPoolExecutor(default_workers()) as pool:
        results = list(pool.map(comparison.compare, photos))
    compared = [result for result in results if not isinstance(result, Failure)]
    failures = [result for result in results if isinstance(result, Failure)]
    if not compared:
        first = f"; first: {failures[0].reason}" if failures else ""
        raise FacepartError(f"{others.folder}: no label map could be compared{first}")
    sums = total_overlaps(compared)
    classes = {name: sums[number] for number, name in enumerate(CLASSES) if number in others.label_set.known}
    by_part = dict(zip((part.name for part in parts), sums[len(CLASSES) :], strict=True))
    return LabelAgreement(classes, by_part, len(compared)), failures


def iou_csv(agreement: LabelAgreement) -> str:
    """Return the overlaps as the text of ``iou.csv``: a row a class, then a row a part."""
    rows: list[list[object]] = [["kind", "name", "iou", "photos", "intersection", "union"]]
    for kind, overlaps in (("class", agreement.classes), ("part", agreement.parts)):
        for name, each in overlaps.items():
            iou = f"{each.iou:.6f}" if each.union else ""
            rows.append([kind, name, iou, each.photos, each.intersection, each.union])
    return csv_text(rows)


class _Comparison:
    """Compares the label maps of one photo after the other."""

    def __init__(self, labels: LabelFolder, others: LabelFolder, parts: Sequence[Part]) -> None:
        self._labels, self._others, self._parts = labels, others, parts

    def compare(self, photo: Photo) -> list[Overlap] | Failure:
        """Return the overlaps of the classes, then of the parts; or why there are none."""
        try:
            size = read_size(photo.path)
            one, two = (fit_labels(each.read(photo.name, size)) for each in (self._labels, self._others))
        except FacepartError as error:
            return Failure(photo.path, "compare", str(error))
        return class_overlaps(one, two) + part_overlaps(one, two, self._parts)
