"""The whole study: photos and a table of people -> how the scores move when a part is blurred, and the report.

The photos are embedded as they are and in each version (parsed once, no files between), matched within each group and
condition, and the answer is written: ``results.csv``, ``results.json``, ``report.html``. What is there
already is not made again; see :mod:`facepart.study.store` and :mod:`facepart.study.matching`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from facepart.engines.spread import HERE, Opened, Spread, reading_threads
from facepart.errors import FacepartError
from facepart.files.failures import Failure, write_failures
from facepart.files.progress import Progress, StepTimes, silent
from facepart.files.record import read_record_of, write_record
from facepart.images import Photo, PhotoError
from facepart.matching.run import TakeOver
from facepart.models import obtain_again
from facepart.parsing.parser import open_parser
from facepart.recognition.load import open_recogniser
from facepart.recognition.read import face_reader
from facepart.recognition.unaligned import warn_of_unaligned
from facepart.study.answer import make_study_record, write_answer
from facepart.study.embedding import Found, Keeping, Networks, Wanted, embed_photos, find_work, list_wanted, put_away
from facepart.study.kept import STAGE, remove_outdated_pictures, write_features
from facepart.study.matching import (
    Members,
    assign_groups,
    compare_group,
    conditions_of,
    lowest_thresholds,
    refuse_photos_without_session,
    refuse_single_people,
    subject_of,
)
from facepart.study.measuring import Figures, measure
from facepart.study.pictures import Album
from facepart.study.settings import open_settings_folder
from facepart.study.setup import (
    EMBEDDINGS_FOLDER,
    NetworkFiles,
    Request,
    Setup,
    picture_settings,
    set_up,
    shown_versions,
)
from facepart.study.steps import Steps
from facepart.study.store import ORIGINAL
from facepart.study.versions import Version

# Of an aligned crop: twice ArcFace's, as the demo's photos.
ALIGNED_SIZE = 224
# Versions that are named in a note.
_NAMED = 7


@dataclass(frozen=True)
class StudyOutcome:
    """What a study found.

    Attributes:
        figures: of each group and part, the rankings, and the groups compared.
        embedded: photos embedded in this run.
        skipped: photos that were there already, or are known to fail.
        left_out: photos that belong to none of the groups.
        compared: groups and conditions compared in this run.
        failures: photos that could not be worked on.
        members: who is in which group.
        report: the report's file.
    """

    figures: Figures
    embedded: int
    skipped: int
    left_out: int
    compared: int
    failures: list[Failure]
    members: Members
    report: Path


def run_study(
    request: Request,
    *,
    spread: Spread = HERE,
    count: TakeOver | None = None,
    note: Callable[[str], None] = lambda text: None,
    progress: Progress = silent,
    times: StepTimes | None = None,
) -> StudyOutcome:
    """Run a study, or go on with one.

    Args:
        request: what is asked for.
        spread: who embeds the photos.
        count: what compares them; see :func:`facepart.matching.run.match_groups`.
        note: told what is redone, and why, before that begins.
        progress: told how far the whole is, in photos; ten million pairs count as one.
        times: what the time of each step is added to.

    Raises:
        FacepartError: as the stages raise it; or no photo could be embedded. UsageError: see
            :func:`facepart.study.setup.set_up`.
    """
    times = times or StepTimes()
    setup = set_up(request, spread.choose)
    # Before anything is done: a group that cannot be compared must not be found out after hours.
    members = assign_groups([photo.name for photo in setup.photos], setup.people, setup.rule, request.groups)
    refuse_single_people(members, request.source)
    refuse_photos_without_session(members, setup.exclusion)
    photos = members.of(setup.photos)
    read_record_of(request.output, STAGE)  # refuses the outputs of another stage
    # First, or pictures that are about to go would pass for ones that are there.
    remove_outdated_pictures(request.output, setup.kept, photos, picture_settings(setup))
    work = find_work(photos, setup.store, setup.versions, setup.kept)
    _begin(setup, work, note)
    todo = sum(map(len, work.values()))
    steps = Steps(todo, members, conditions_of(setup.versions, request.cross), progress)
    album = _choose_pictures(setup, photos)
    wanted = list_wanted(work, album)
    if wanted:
        keeping = Keeping(setup.kept, frozenset(album.missing), album.shown)
        open_work = partial(
            _open_embedding, setup.networks, keeping=keeping, batch=request.batch, workers=request.workers
        )
        opened = spread.open(open_work, times, (request.source, request.output))
        put_away(opened.work(wanted), setup.store, album, lambda done: steps.photos(done, times.bottleneck()))
    embedded, failures = _sort_out(setup, photos)
    write_failures(request.output, failures)
    if not embedded:
        first = failures[0]
        raise FacepartError(f"no photo could be embedded; first: {first.path}: {first.reason}")

    names = [photo.name for photo in embedded]
    members = members.only(names, setup.rule)
    refuse_single_people(members, request.source)
    if "features" in request.keep:
        conditions = [ORIGINAL, *(version.name for version in setup.versions)]
        write_features(request.output, setup.store, conditions, names, setup.settings)
    compared = _compare_all(setup, members, steps, count)
    figures = measure(setup, members)
    if album.missing:
        album.finish()
    report = write_answer(setup, members, figures, album.file, failures)
    return StudyOutcome(
        figures=figures,
        embedded=todo,
        skipped=len(photos) - todo,
        left_out=len(setup.photos) - len(photos),
        compared=compared,
        failures=failures,
        members=members,
        report=report,
    )


def _begin(setup: Setup, work: dict[tuple[Version, ...], list[Photo]], note: Callable[[str], None]) -> None:
    """Say what is redone and why, and leave a record."""
    output = setup.request.output
    _, reason = open_settings_folder(output / EMBEDDINGS_FOLDER, setup.settings)
    todo = sum(map(len, work.values()))
    added = dict.fromkeys(each.name for versions in work for each in versions if len(versions) < len(setup.versions))
    if reason and todo:
        note(f"{reason}: {todo} photos are embedded anew")
    elif added:
        named = [*list(added)[:_NAMED], *(["..."] if len(added) > _NAMED else [])]
        note(f"{todo} photos are to be embedded in more versions: {', '.join(named)}")
    if todo and not setup.detector:
        warn_of_unaligned(next(iter(work.values()))[0])
    write_record(output, make_study_record(setup, None))


def open_networks(files: NetworkFiles, times: StepTimes, threads: int | None = None) -> Networks:
    """Put the networks of a study on their device; `threads` is as in :func:`facepart.engines.open_engine`."""
    parser, recogniser, detector = files.parser, files.recogniser, files.detector
    if threads is not None:
        parser, recogniser = obtain_again(parser, "parser"), obtain_again(recogniser, "recogniser")
        detector = detector and obtain_again(detector, "detector")
    preprocessing = recogniser.model.preprocessing if recogniser.model else None
    where = (files.device, files.precision)
    return Networks(
        parser=open_parser(parser.path, *where, parser.kept, threads),
        recogniser=open_recogniser(recogniser.path, preprocessing, *where, recogniser.kept, threads),
        read=face_reader(detector.path if detector else None, ALIGNED_SIZE, times),
        flip=files.flip,
    )


def _open_embedding(
    files: NetworkFiles,
    times: StepTimes,
    threads: int | None,
    *,
    keeping: Keeping,
    batch: int,
    workers: int | None,
) -> Opened[Wanted, Found]:
    """Open the networks, for photos that are embedded."""
    networks = open_networks(files, times, threads)

    def embed(wanted: Sequence[Wanted]) -> Iterator[tuple[Wanted, Found | PhotoError]]:
        beside = reading_threads(workers, threads)
        return embed_photos(wanted, networks, keeping, batch=batch, workers=beside, times=times)

    return Opened(embed)


def _sort_out(setup: Setup, photos: list[Photo]) -> tuple[list[Photo], list[Failure]]:
    """Part the photos that have embeddings from those that failed."""
    embedded, failures = [], list(setup.failures)
    for photo in photos:
        row = setup.store.rows[photo.name]
        if row.failure:
            failures.append(Failure(photo.path, *row.failure))
        else:
            embedded.append(photo)
    return embedded, failures


def _compare_all(setup: Setup, members: Members, steps: Steps, count: TakeOver | None) -> int:
    """Compare each group in each condition; give how many there were to do."""
    request, compared = setup.request, 0
    naming = {
        "dataset": request.dataset,
        "subject_pattern": request.subject_pattern,
        # Only where it is given, so that what was compared before there was this option is not compared again.
        **({} if request.exclude_same is None else {"exclude_same": request.exclude_same}),
    }
    first, *others = conditions_of(setup.versions, request.cross)
    down_to = dict.fromkeys(members.groups, 1.0)
    # The original photos first: at their thresholds error rates are asked for afterwards.
    for conditions in ([first], others):
        for group, names in members.groups.items():
            for condition in conditions:
                compared += compare_group(
                    request.output,
                    setup.store,
                    condition,
                    group,
                    names,
                    down_to=down_to[group],
                    settings={**setup.settings, **naming},
                    keep_pairs="pairs" in request.keep,
                    options={**naming, "count": count},
                )
                steps.pairs(condition.pairs(len(names)))
        if conditions == [first]:
            down_to = lowest_thresholds(request.output, members, request.threshold_group)
    return compared


def _choose_pictures(setup: Setup, photos: list[Photo]) -> Album:
    people = {photo.name: subject_of(photo.name, setup.rule) for photo in photos}
    return Album(setup.request.output, photos, people, shown_versions(setup), setup.settings)
