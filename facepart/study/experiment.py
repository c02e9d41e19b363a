"""The whole study: photos and a table of subjects -> how the scores move when a part is occluded, and the report.

The photos are embedded as they are and with each occlusion (parsed once, no files between), matched within each group
and condition, and the answer is written: ``results.csv``, ``results.json``, ``report.html``. Finished work of earlier
runs is kept; see :mod:`facepart.pipeline.embedding_store` and :mod:`facepart.study.comparisons`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from facepart.analysis.measure import Figures, measure
from facepart.counts import are, count_of
from facepart.data.photos import Photo
from facepart.errors import FacepartError
from facepart.files.failures import Failure, write_failures
from facepart.files.lock import output_lock
from facepart.files.progress import Progress, StepTimes, silent
from facepart.files.record import read_record_of, write_record
from facepart.matching.pair_counter import PairCounter
from facepart.networks.alignment_check import refuse_unalignable, warn_of_unaligned
from facepart.pipeline.executor import LOCAL, Executor
from facepart.pipeline.worker import PhotoTask, PhotoWorker
from facepart.study.answer import CSV_FILE, count_small, make_study_record, write_answer
from facepart.study.comparisons import Comparisons, min_thresholds
from facepart.study.groups import Members
from facepart.study.kept_files import STAGE, remove_outdated_images, write_features
from facepart.study.photo_sets import PhotoSets
from facepart.study.report_images import ReportImages
from facepart.study.request import Request
from facepart.study.settings import open_settings_folder
from facepart.study.setup import EMBEDDINGS_FOLDER, Setup, set_up
from facepart.study.study_group import StudyGroup
from facepart.study.study_progress import StudyProgress
from facepart.study.tasks import list_tasks, store_results, with_thumbnails

if TYPE_CHECKING:
    import pandas

# Pixels on a side of an aligned crop: twice ArcFace's, as the demo's photos.
ALIGNED_SIZE = 224
# Occlusions that are named in a note.
_NAMED = 7


@dataclass(frozen=True)
class StudyOutcome:
    """What a study found.

    Attributes:
        figures: of each group and part, the rankings, and the groups compared.
        embedded: photos embedded in this run.
        skipped: photos that were embedded before, or are known to fail.
        left_out: photos that belong to none of the groups.
        compared: cells of the design compared in this run.
        failures: photos that could not be worked on.
        small: photos whose faces are smaller than the parser needs
            (:data:`facepart.networks.face_parser.MIN_SIDE`).
        members: who is in which group.
        report: the report's file.
    """

    figures: Figures
    embedded: int
    skipped: int
    left_out: int
    compared: int
    failures: list[Failure]
    small: int
    members: Members
    report: Path

    def __repr__(self) -> str:
        groups = ", ".join(f"{group} {count}" for group, count in self.members.subjects.items())
        return f"StudyOutcome({len(self.figures.results)} results; subjects: {groups}; report: {self.report})"

    def to_frame(self) -> "pandas.DataFrame":
        """Return ``results.csv`` as a pandas DataFrame, a row for each group, part, method and comparison.

        Raises:
            FacepartError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise FacepartError("a DataFrame needs pandas: pip install 'facepart[pandas]'") from error
        return pandas.read_csv(self.report.with_name(CSV_FILE))


def run_study(
    request: Request,
    *,
    executor: Executor = LOCAL,
    counter: PairCounter | None = None,
    on_note: Callable[[str], None] | None = None,
    progress: Progress = silent,
    times: StepTimes | None = None,
) -> StudyOutcome:
    """Run a study, or continue one.

    Args:
        request: what is asked for.
        executor: embeds the photos.
        counter: compares them; see :func:`facepart.matching.match.match_groups`.
        on_note: is called with what was chosen where the request does not say, and what is redone and why, before
            that begins.
        progress: is called with how far the whole is, in photos; ten million pairs count as one.
        times: collects the time of each step.

    Raises:
        FacepartError: as the stages raise it; another run is writing to the folder; or no photo could be embedded.
            UsageError: see
            :func:`facepart.study.setup.set_up`.
    """
    with output_lock(request.output):
        return _run(request, executor, counter, on_note, progress, times or StepTimes())


def _run(
    request: Request,
    executor: Executor,
    counter: PairCounter | None,
    on_note: Callable[[str], None] | None,
    progress: Progress,
    times: StepTimes,
) -> StudyOutcome:
    """Run a study in a folder that this run holds; the arguments are those of :func:`run_study`."""
    setup = set_up(request, executor)
    # Before anything is done: a group that cannot be compared must not be found out after hours.
    setup.members.refuse_single_subjects(request.source)
    if setup.convention and on_note:
        on_note(setup.naming_note)
    if setup.recogniser_note and on_note:
        on_note(setup.recogniser_note)
    photos = setup.members.of(setup.photos)
    read_record_of(request.output, STAGE)  # refuses the outputs of another stage
    # First, or images that are about to go would pass for finished ones.
    remove_outdated_images(setup.saved, photos, setup.settings)
    tasks = list_tasks(photos, setup.store, setup.design.occlusions, setup.saved)
    _begin(setup, tasks, on_note)
    sizes = [len(names) for names in setup.members.groups.values()]
    steps = StudyProgress(len(tasks), sizes, setup.design.conditions, progress)
    images = _choose_images(setup, photos)
    _embed(setup, tasks, images, executor, steps, times)
    embedded, failures = _split_failures(setup, photos)
    write_failures(request.output, failures)
    if not embedded:
        first = failures[0]
        raise FacepartError(f"no photo could be embedded; first: {first.path}: {first.reason}")

    names = [photo.name for photo in embedded]
    members = setup.members.only(names, setup.rule)
    members.refuse_single_subjects(request.source)
    if "features" in request.keep:
        write_features(request.output, setup.store, setup.design.occlusions, names, setup.settings)
    sets = {group: PhotoSets(found, setup.rule, setup.store, setup.design) for group, found in members.groups.items()}
    compared = _compare(setup, sets, steps, counter)
    groups = {
        group: StudyGroup(group, found, setup.rule, setup.store, request.output) for group, found in sets.items()
    }
    figures = measure(setup.design, groups, request.threshold_group)
    if images.missing:
        images.finish()
    report = write_answer(setup, members, sets, figures, images.file, failures)
    return StudyOutcome(
        figures=figures,
        embedded=len({task.photo.name for task in tasks}.intersection(names)),
        skipped=len(photos) - len(tasks),
        left_out=len(setup.photos) - len(photos),
        compared=compared,
        failures=failures,
        small=count_small(setup.store, names),
        members=members,
        report=report,
    )


def _begin(setup: Setup, tasks: Sequence[PhotoTask], on_note: Callable[[str], None] | None) -> None:
    """Say what is redone and why, and leave a record."""
    output, count = setup.request.output, len(setup.design.occlusions)
    _, reason = open_settings_folder(output / EMBEDDINGS_FOLDER, setup.settings)
    partial = [task for task in tasks if len(task.occlusions) < count]
    added = dict.fromkeys(occlusion.name for task in partial for occlusion in task.occlusions)
    note = ""
    if reason and tasks:
        note = f"{reason}: {_tasks(tasks)} embedded anew"
    elif added:
        named = [*list(added)[:_NAMED], *(["..."] if len(added) > _NAMED else [])]
        note = f"{_tasks(tasks)} embedded with more occlusions: {', '.join(named)}"
    if note and on_note:
        on_note(note)
    write_record(output, make_study_record(setup, None))


def _tasks(tasks: Sequence[PhotoTask]) -> str:
    return f"{count_of(len(tasks), 'photo')} {are(len(tasks))}"


def _choose_images(setup: Setup, photos: Sequence[Photo]) -> ReportImages:
    subjects = {photo.name: setup.rule(photo.name) for photo in photos}
    return ReportImages(setup.request.output, photos, subjects, setup.design.shown, setup.settings)


def _embed(
    setup: Setup,
    tasks: Sequence[PhotoTask],
    images: ReportImages,
    executor: Executor,
    steps: StudyProgress,
    times: StepTimes,
) -> None:
    """Embed the photos, and take the thumbnails that are missing."""
    request = setup.request
    whole = with_thumbnails(tasks, images.missing.values(), images.shown)
    if not whole:
        return
    worker = PhotoWorker(
        setup.networks,
        saved=setup.saved,
        shown=images.shown,
        crop=ALIGNED_SIZE,
        batch=request.batch,
        workers=request.workers,
    )
    session = executor.start(worker, times, (request.source, request.output))
    size = session.info.preprocessing.height, session.info.preprocessing.width
    if setup.detector:
        refuse_unalignable(setup.recogniser.name, *size)
    elif tasks:
        warn_of_unaligned(tasks[0].photo, size)
    store_results(session.map(whole), setup.store, images, steps, times)


def _split_failures(setup: Setup, photos: Sequence[Photo]) -> tuple[list[Photo], list[Failure]]:
    """Separate the photos that have embeddings from those that failed."""
    embedded, failures = [], list(setup.failures)
    for photo in photos:
        failure = setup.store.photos[photo.name].record.failure
        if failure:
            failures.append(Failure(photo.path, *failure))
        else:
            embedded.append(photo)
    return embedded, failures


def _compare(setup: Setup, groups: Mapping[str, PhotoSets], steps: StudyProgress, counter: PairCounter | None) -> int:
    """Compare every cell of the design; return how many there were to do.

    Baselines of the same photos are compared once, and photos of fewer than two subjects not at all.
    """
    request, compared = setup.request, 0
    comparisons = Comparisons(
        *(request.output, setup.store, setup.settings, setup.naming),
        depth=setup.rule.depth,
        keep_pairs="pairs" in request.keep,
        counter=counter,
    )
    baselines = [cell for cell in setup.design.cells() if not cell.condition.occlusion.part]
    others = [cell for cell in setup.design.cells() if cell.condition.occlusion.part]
    thresholds = dict.fromkeys(groups, 1.0)
    # The baselines first: at their thresholds error rates are computed afterwards.
    for cells in (baselines, others):
        for cell in cells:
            sets, region = groups[cell.group], cell.condition.photos_of
            if sets.is_comparable(region) and sets.resolve(cell.condition) == cell.condition:
                compared += comparisons.run(cell, sets.of(region), thresholds[cell.group])
            steps.pairs(cell.condition.pairs(len(sets.names)))
        if cells is baselines:
            conditions = setup.design.baselines
            thresholds = min_thresholds(request.output, groups, conditions, request.threshold_group)
    return compared
