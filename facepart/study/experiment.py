"""The whole study: photos and a table of subjects -> how the scores move when a part is occluded, and the report.

The photos are embedded as they are and with each occlusion (parsed once, no files between), matched within each group
and condition, and the answer is written: ``results.csv``, ``results.json``, ``report.html``. Finished work of earlier
runs is kept; see :mod:`facepart.pipeline.embedding_store` and :mod:`facepart.study.comparisons`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from facepart.analysis.choices import MIN_AVERAGED_SUBJECTS
from facepart.analysis.design import Condition, Design
from facepart.analysis.measure import Figures, measure
from facepart.analysis.recogniser_agreement import RecogniserAgreement, compare_recognisers, impostor_spread
from facepart.analysis.shapley_figures import ShapleyFigures, measure_shapley
from facepart.counts import are, count_of
from facepart.data.photos import Photo
from facepart.errors import FacepartError
from facepart.files.failures import Failure, write_failures
from facepart.files.lock import output_lock
from facepart.files.progress import Progress, StepTimes, silent
from facepart.files.record import read_record_of, write_record
from facepart.matching.pair_counter import PairCounter
from facepart.networks.alignment import CROP_SIZE
from facepart.networks.alignment_check import refuse_unalignable, warn_of_unaligned
from facepart.networks.engine_choice import choose_device
from facepart.occlusion.average_face import AverageFaces
from facepart.pipeline.calibration import calibrate
from facepart.pipeline.executor import LOCAL, Executor
from facepart.pipeline.worker import PhotoTask, PhotoWorker
from facepart.report.report_data import AverageFace, ExamplePhoto
from facepart.study.answer import CSV_FILE, write_answer
from facepart.study.average_face import KeptAverage, average_of, make_average
from facepart.study.coalition_scores import CoalitionScores
from facepart.study.comparisons import Comparisons, min_thresholds
from facepart.study.finished_study import read_table
from facepart.study.groups import Members
from facepart.study.kept_files import STAGE, remove_outdated_images, write_features
from facepart.study.photo_sets import PhotoSets
from facepart.study.report_images import ReportImages, may_average, read_report_images, remove_report_images
from facepart.study.request import Request
from facepart.study.settings import RECOGNISER_CHANGED, open_settings_folders
from facepart.study.setup import EMBEDDINGS_FOLDER, Setup, StudyRecogniser, set_up
from facepart.study.study_group import StudyGroup
from facepart.study.study_progress import StudyProgress
from facepart.study.study_record import make_study_record
from facepart.study.tasks import list_tasks, recognisers_of, store_results, with_recognisers, with_thumbnails

if TYPE_CHECKING:
    import pandas

# Occlusions that are named in a note.
_NAMED = 7


@dataclass(frozen=True)
class StudyOutcome:
    """What a study found.

    Attributes:
        by_recogniser: recogniser -> the results of each group and part, the rankings, and the groups compared; in the
            order in which the recognisers were named.
        agreement: how far several recognisers agree; None for one, or if they cannot be compared.
        shapley: recogniser -> the Shapley values of the parts; empty if they were not asked for.
        design: what was compared.
        embedded: photos embedded in this run.
        skipped: photos that were embedded before, or are known to fail.
        left_out: photos that belong to none of the groups.
        compared: cells of the design compared in this run.
        failures: photos that could not be worked on.
        subjects_shown: subjects whose photos the report shows.
        shows_average: whether it shows an average face.
        small: photos whose faces are smaller than the parser needs
            (:data:`facepart.networks.face_parser.MIN_SIDE`).
        several: photos in which several faces were found; the largest near the centre was aligned.
        members: who is in which group.
        report: the report's file.
    """

    by_recogniser: Mapping[str, Figures]
    agreement: RecogniserAgreement | None
    shapley: Mapping[str, ShapleyFigures]
    design: Design
    embedded: int
    skipped: int
    left_out: int
    compared: int
    failures: list[Failure]
    subjects_shown: int
    shows_average: bool
    small: int
    several: list[str]
    members: Members
    report: Path

    @property
    def figures(self) -> Figures:
        """The results with the first recogniser, or the only one."""
        return next(iter(self.by_recogniser.values()))

    def __repr__(self) -> str:
        groups = ", ".join(f"{group} {count}" for group, count in self.members.subjects.items())
        results = sum(len(figures.results) for figures in self.by_recogniser.values())
        return f"StudyOutcome({results} results; subjects: {groups}; report: {self.report})"

    def to_frame(self) -> "pandas.DataFrame":
        """Return ``results.csv`` as a DataFrame of pandas, a row a recogniser, group, part, method and comparison.

        Raises:
            FacepartError: pandas is not installed.
        """
        return read_table(self.report.with_name(CSV_FILE))


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
        return _run(request, executor, counter, StudyProgress(progress, on_note), times or StepTimes())


def _run(
    request: Request, executor: Executor, counter: PairCounter | None, steps: StudyProgress, times: StepTimes
) -> StudyOutcome:
    """Run a study in a folder that this run holds; see :func:`run_study`."""
    setup = set_up(request, executor)
    # Before anything is done: a group that cannot be compared must not be found out after hours.
    setup.members.refuse_single_subjects(request.source)
    steps.note(setup.naming_note)
    steps.note(setup.recogniser_note)
    photos = setup.members.of(setup.photos)
    read_record_of(request.output, STAGE)  # refuses the outputs of another stage
    # First, or images that are about to go would pass for finished ones.
    remove_outdated_images(setup.saved, photos, setup.image_settings)
    tasks = list_tasks(photos, setup.stores, setup.design.embedded, setup.saved)
    _begin(setup, tasks, steps)
    sizes = [len(names) for names in setup.members.groups.values()]
    coalitions = map(Condition, setup.design.coalition_occlusions)
    conditions = [*setup.design.conditions, *coalitions] * len(setup.recognisers)
    steps.begin(len(tasks), sizes, conditions)
    images = _choose_images(setup, photos)
    _embed(setup, tasks, images, executor, steps, times)
    embedded, failures = _split_failures(setup, photos)
    write_failures(request.output, failures)
    if not embedded:
        first = failures[0]
        raise FacepartError(f"no photo could be embedded; first: {first.path}: {first.reason}")

    names = [photo.name for photo in embedded]
    members = setup.members.only(names, setup.rule)
    if request.people and request.leaves_out_small:
        # Photos that could not be embedded may have been of a group that has too few now.
        members = members.without_small(request.people, request.smallest_group)
        members.refuse_without_threshold_group(request.threshold_group)
        setup = replace(setup, design=replace(setup.design, groups=tuple(members.groups)))
    members.refuse_single_subjects(request.source)
    if "features" in request.keep:
        for each in setup.recognisers:
            occlusions = setup.design.occlusions
            write_features(request.output, each.store, occlusions, names, each.settings, each.folder)
    sets = {
        group: PhotoSets(found, setup.rule, setup.first.store, setup.design)
        for group, found in members.groups.items()
    }
    compared = sum(_compare(setup, each, sets, steps, counter) for each in setup.recognisers)
    groups = {each.name: _read_groups(setup, each, sets) for each in setup.recognisers}
    figures = {
        name: measure(setup.design.of_recogniser(name), found, request.threshold_group)
        for name, found in groups.items()
    }
    agreement = _compare_recognisers(figures, groups)
    shapley: dict[str, ShapleyFigures] = {}
    for each in setup.recognisers if setup.design.shapley else ():
        shapley[each.name], count = _measure_shapley(setup, each, sets, steps, counter)
        compared += count
    shown = _finish_images(setup, members, images)
    report = write_answer(setup, members, sets, figures, agreement, shapley, shown, failures)
    return StudyOutcome(
        by_recogniser=figures,
        agreement=agreement,
        shapley=shapley,
        design=setup.design,
        embedded=len({task.photo.name for task in tasks}.intersection(names)),
        skipped=len(photos) - len(tasks),
        left_out=len(setup.photos) - len(photos),
        compared=compared,
        failures=failures,
        subjects_shown=len(shown[1]),
        shows_average=shown[0] is not None,
        small=setup.count_small(names),
        several=setup.with_several_faces(names),
        members=members,
        report=report,
    )


def _begin(setup: Setup, tasks: Sequence[PhotoTask], steps: StudyProgress) -> None:
    """Say what is redone and why, and leave a record."""
    output = setup.request.output
    changed = open_settings_folders(output / EMBEDDINGS_FOLDER, [each.settings for each in setup.recognisers])
    for number, change in enumerate(changed):
        steps.note(_note(setup, tasks, number, change))
    write_record(output, make_study_record(setup, None))


def _note(setup: Setup, tasks: Sequence[PhotoTask], number: int, change: str) -> str:
    """Say which photos a recogniser, by its number, embeds anew or with more occlusions; empty if it does not.

    Args:
        setup: of the study.
        tasks: the photos to be embedded.
        number: of the recogniser.
        change: what has changed since the last run (:func:`facepart.study.settings.open_settings_folders`).
    """
    found = [wanted for task in tasks if (wanted := task.wanted_by(number)) is not None]
    several = len(setup.recognisers) > 1
    name = f"{setup.recognisers[number].name}: " if several else ""
    photos = f"{count_of(len(found), 'photo')} {are(len(found))} embedded"
    if change and found:
        # Of several recognisers, one that is new has changed nothing.
        return (
            f"{name}{photos}"
            if several and change == RECOGNISER_CHANGED
            else f"{name}{change} has changed: {photos} anew"
        )
    count = len(setup.design.embedded)
    added = dict.fromkeys(each.name for wanted in found if len(wanted) < count for each in wanted)
    named = [*list(added)[:_NAMED], *(["..."] if len(added) > _NAMED else [])]
    return f"{name}{photos} with more occlusions: {', '.join(named)}" if added else ""


def _choose_images(setup: Setup, photos: Sequence[Photo]) -> ReportImages:
    subjects = {photo.name: setup.rule(photo.name) for photo in photos}
    faces = not setup.request.no_faces
    return ReportImages(
        *(setup.request.output, photos, subjects, setup.design.shown, setup.image_settings),
        examples=faces,
        average=faces or may_average(setup.members.subjects.values()),
    )


def _finish_images(
    setup: Setup, members: Members, images: ReportImages
) -> tuple[AverageFace | None, Sequence[ExamplePhoto]]:
    """Write the report's images, and return them: the average face, if it is shown, and example photos.

    Raises:
        FacepartError: they cannot be written or read.
    """
    no_faces = setup.request.no_faces
    # Of the subjects that are left: photos may have failed, and with them a group for which no photo was chosen.
    shown = images.any and (not no_faces or may_average(members.subjects.values()))
    if no_faces:
        remove_report_images(setup.request.output, images.file if shown else None)
    if not shown:
        return None, []
    if images.missing:
        if no_faces and images.taken < MIN_AVERAGED_SUBJECTS:
            return None, []
        images.finish()
    found = read_report_images(images.file, images.shown)
    if found is None:
        raise FacepartError(f"{images.file}: cannot be read; remove it and run again")
    return found


def _embed(
    setup: Setup,
    tasks: Sequence[PhotoTask],
    images: ReportImages,
    executor: Executor,
    steps: StudyProgress,
    times: StepTimes,
) -> None:
    """Embed the photos, and take the thumbnails that are missing; only the recognisers that are needed are opened."""
    request, numbers = setup.request, recognisers_of(tasks)
    recognisers = [setup.recognisers[number] for number in numbers]
    whole = with_thumbnails(with_recognisers(tasks, numbers), images.missing.values(), images.shown)
    if not whole:
        return
    if setup.files.calibration:
        with times.measure("calibrate the networks"):
            calibrate(setup.networks(recognisers), setup.photos, CROP_SIZE)
    averages = _obtain_average(setup, executor, steps, times)
    worker = _worker_class(setup.device)(
        setup.networks(recognisers),
        saved=setup.saved,
        shown=images.shown,
        crop=CROP_SIZE,
        parts=setup.design.measured_parts,
        averages=averages,
        batch=request.batch,
        workers=request.workers,
    )
    session = executor.start(
        worker, times, (request.source, request.output, *([request.labels] if request.labels else []))
    )
    sizes = [(info.preprocessing.height, info.preprocessing.width) for info in session.info]
    if setup.detector:
        for each, size in zip(recognisers, sizes, strict=True):
            refuse_unalignable(each.name, *size)
    else:
        for size in dict.fromkeys(sizes):
            warn_of_unaligned(tasks[0].photo, size)
    store_results(session.map(whole), [each.store for each in recognisers], images, steps, times)


def _worker_class(device: str) -> type[PhotoWorker]:
    """Return what works on photos where the networks are."""
    if device == "cpu":
        return PhotoWorker
    # Imported here: it loads PyTorch.
    from facepart.pipeline.device_worker import DeviceWorker

    return DeviceWorker


def _obtain_average(setup: Setup, executor: Executor, steps: StudyProgress, times: StepTimes) -> AverageFaces | None:
    """Read the average face of the study or, if it is not there, make and write it; None if no method uses it."""
    digest = average_of(setup.design.methods)
    if not digest:
        return None
    kept = KeptAverage(setup.request.output, digest)
    averages = kept.read()
    if averages is None:
        photos = setup.members.of(setup.photos)
        steps.note(kept.note(len(photos)))
        request = setup.request
        averages = make_average(
            setup.networks([]),
            *(setup.members.groups, photos, CROP_SIZE, executor, times),
            paths=(request.source, request.output),
            batch=request.batch,
            workers=request.workers,
        )
        kept.write(averages)
    return averages


def _split_failures(setup: Setup, photos: Sequence[Photo]) -> tuple[list[Photo], list[Failure]]:
    """Separate the photos that have embeddings by all recognisers from those that failed.

    The photos compared are the same for all recognisers: one that fails with any of them is left out.
    """
    embedded, failures = [], list(setup.failures)
    for photo in photos:
        found = {each.name: each.store.photos[photo.name].record.failure for each in setup.recognisers}
        failed = {name: failure for name, failure in found.items() if failure}
        if not failed:
            embedded.append(photo)
            continue
        name, (stage, reason) = next(iter(failed.items()))
        of_one = len(failed) < len(found)
        failures.append(Failure(photo.path, stage, f"{name}: {reason}" if of_one else reason))
    return embedded, failures


def _read_groups(setup: Setup, recogniser: StudyRecogniser, sets: Mapping[str, PhotoSets]) -> dict[str, StudyGroup]:
    """Return the groups with the scores of one recogniser, which are read when they are asked for."""
    matches = setup.matches_of(recogniser)
    return {group: StudyGroup(group, found, setup.rule, recogniser.store, matches) for group, found in sets.items()}


def _compare_recognisers(
    figures: Mapping[str, Figures], groups: Mapping[str, Mapping[str, StudyGroup]]
) -> RecogniserAgreement | None:
    """Compare the rankings of several recognisers by the criterion of the first.

    Returns:
        None for one recogniser, if not all have effects by the criterion, or if the scores of one are all alike.
    """
    ranked_by = next(iter(figures.values())).ranked_by
    effects = {name: each.effects[ranked_by] for name, each in figures.items() if ranked_by in each.effects}
    # Before scores are read, which takes long.
    if len(figures) < 2 or len(effects) < len(figures):
        return None
    spreads = {name: impostor_spread(found) for name, found in groups.items()}
    return compare_recognisers(effects, ranked_by, spreads) if all(each > 0 for each in spreads.values()) else None


def _measure_shapley(
    setup: Setup,
    recogniser: StudyRecogniser,
    groups: Mapping[str, PhotoSets],
    steps: StudyProgress,
    counter: PairCounter | None,
) -> tuple[ShapleyFigures, int]:
    """Compute the Shapley values by a recogniser; return also how many coalitions there were to compare."""
    design = setup.design
    scores = CoalitionScores(
        *(setup.matches_of(recogniser), recogniser.store, design, setup.rule, recogniser.settings, setup.naming),
        depth=setup.rule.depth,
        counter=counter,
    )
    worths = {group: scores.measure(group, sets.names, steps) for group, sets in groups.items()}
    players = [part.name for part in design.players]
    left_out = [name for name in design.part_names if name not in players]
    return measure_shapley(recogniser.name, players, left_out, design.coalitions, worths), scores.computed


def _compare(
    setup: Setup,
    recogniser: StudyRecogniser,
    groups: Mapping[str, PhotoSets],
    steps: StudyProgress,
    counter: PairCounter | None,
) -> int:
    """Compare every cell of a recogniser; return how many there were to do.

    Baselines of the same photos are compared once, and photos of fewer than two subjects not at all.
    """
    request, compared, matches = setup.request, 0, setup.matches_of(recogniser)
    design = setup.design.of_recogniser(recogniser.name)
    comparisons = Comparisons(
        *(matches, recogniser.store, recogniser.settings, setup.naming),
        depth=setup.rule.depth,
        keep_pairs="pairs" in request.keep,
        counter=counter,
        # A cluster's devices may not be this machine's.
        device="cpu" if setup.device == "cpu" else choose_device("auto"),
    )
    baselines = [cell for cell in design.cells() if not cell.condition.occlusion.part]
    others = [cell for cell in design.cells() if cell.condition.occlusion.part]
    thresholds = dict.fromkeys(groups, 1.0)
    # The baselines first: at their thresholds error rates are computed afterwards.
    for cells in (baselines, others):
        for cell in cells:
            sets, region = groups[cell.group], cell.condition.photos_of
            if sets.is_comparable(region) and sets.resolve(cell.condition) == cell.condition:
                compared += comparisons.run(cell, sets.of(region), thresholds[cell.group])
            steps.pairs(cell.condition.pairs(len(sets.names)))
        if cells is baselines:
            thresholds = min_thresholds(matches, groups, design.baselines, request.threshold_group)
    return compared
