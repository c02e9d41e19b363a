"""A request -> what it means on this machine: photos, groups, design, networks, and what was done before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from facepart.analysis.choices import AUTHENTIC_CROSS, CRITERION_NAMES, EQUAL_AREA, IMPORTANCE
from facepart.analysis.design import Design
from facepart.data.conventions import Convention
from facepart.data.labels import nfc
from facepart.data.naming import Exclusion, check_naming, find_exclusion, naming_rule
from facepart.data.photos import Photo, find_photos
from facepart.data.subject_table import People, read_people
from facepart.errors import FacepartError, UsageError
from facepart.files.failures import Failure
from facepart.files.record import RECORD_FILE, read_record
from facepart.networks.catalogue import DEFAULT_PARSER, DETECTOR, Weights, choose_recogniser, obtain
from facepart.occlusion.occlusion import BASELINE
from facepart.occlusion.parts import PARTS, choose_parts
from facepart.pipeline.embedding_store import EmbeddingStore
from facepart.pipeline.executor import Executor
from facepart.pipeline.network_files import NetworkFiles
from facepart.pipeline.saved_images import SavedImages
from facepart.study.groups import Members, PhotoRule, assign_groups, photo_rules, recognise_photos
from facepart.study.kept_files import ALIGNED_FOLDER, KEPT, choose_kept, kept_images
from facepart.study.request import Request
from facepart.study.settings import embedding_settings, recorded_recogniser, settings_folder

EMBEDDINGS_FOLDER = "embeddings"
# Where a folder that a study writes has its record.
_RECORDS = (RECORD_FILE, f"{BASELINE.name}/{RECORD_FILE}")
# What records name beside a pattern, which is read instead.
_UNUSED_DATASET = "MORPH"


@dataclass(frozen=True)
class Setup:
    """What a request means on this machine.

    Attributes:
        request: the request.
        design: what is compared.
        photos: those that were found, sorted by name.
        failures: what could not be looked at.
        dataset: the naming convention, as it was given or recognised; what a pattern is given instead of, if any.
        convention: the one that was recognised; None if the request says which, or a pattern.
        rule: says who is on a photo, by its name.
        exclusion: which authentic pairs are left out; None if none are.
        members: who is in which group.
        parser: its weights.
        recogniser: its weights.
        recogniser_note: which it is and why, in a line; empty if the request names it.
        detector: its weights; None unless faces are aligned.
        device: where the networks run.
        precision: of their arithmetic.
        settings: what all embeddings depend on.
        store: the embeddings of earlier runs.
        saved: the images that are kept.
    """

    request: Request
    design: Design
    photos: list[Photo]
    failures: list[Failure]
    dataset: str
    convention: Convention | None
    rule: PhotoRule
    exclusion: Exclusion | None
    members: Members
    parser: Weights
    recogniser: Weights
    recogniser_note: str
    detector: Weights | None
    device: str
    precision: str
    settings: dict[str, Any]
    store: EmbeddingStore
    saved: SavedImages

    @property
    def naming(self) -> dict[str, str | None]:
        """How subjects are read from names, as options of :func:`facepart.matching.match.match_groups`."""
        return {
            "dataset": self.dataset,
            "subject_pattern": self.request.subject_pattern,
            "exclude_same": self.request.exclude_same,
        }

    @property
    def naming_note(self) -> str:
        """Which convention was recognised, with an example; empty if none was."""
        return self.convention.sentence(self.photos[0].extension) if self.convention else ""

    @property
    def networks(self) -> NetworkFiles:
        """The networks, before they are opened."""
        return NetworkFiles(
            *(self.parser, self.recogniser, self.detector, self.device, self.precision, self.request.flip)
        )


def set_up(request: Request, executor: Executor) -> Setup:
    """Find out what a request means; nothing is written.

    Raises:
        FacepartError: no photos, a table that cannot be read or lacks a group, weights that cannot be had, or
            embeddings that cannot be read. UsageError: an unknown part, occlusion, data set, device or precision.
    """
    parts, keep, methods = choose_parts(request.parts), choose_kept(request.keep), request.methods()
    if request.control < 0:
        raise UsageError(f"--control {request.control}: must be a number of draws, 0 or more")
    _refuse_too_many_draws(request, parts)
    _refuse_unsupported_criterion(request)
    check_naming(request.dataset, request.subject_pattern, request.exclude_same)
    device, precision = executor.choose_engine(request.device, request.precision)
    people = None if request.people is None else read_people(request.people, request.group_column)
    _refuse_unknown_groups(request, people)
    photos, failures = _find_photos(request)
    names = [photo.name for photo in photos]
    given = request.dataset is not None or request.subject_pattern is not None
    convention = None if given else recognise_photos(names, request.source)
    dataset = convention.dataset if convention else request.dataset or _UNUSED_DATASET
    exclusion = find_exclusion(dataset, request.subject_pattern, request.exclude_same)
    rule, session = photo_rules(names, naming_rule(dataset, request.subject_pattern), exclusion)
    members = assign_groups(names, people, rule, request.groups)
    members.refuse_photos_without_session(session)
    chosen = choose_recogniser(request.model, recorded_recogniser(read_record(request.output)))
    parser, recogniser = obtain(DEFAULT_PARSER, "parser"), chosen.weights
    detector = obtain(DETECTOR, "detector") if request.align else None
    design = Design(
        recognisers=(recogniser.name,),
        parts=parts,
        methods=methods,
        draws=request.control,
        cross=request.cross,
        groups=tuple(members.groups),
        patches=request.equal_area,
        undetected=request.undetected,
        weight=request.weight,
        rank_by=request.rank_by or "",
        margin=request.margin,
    )
    settings = embedding_settings(parser, recogniser, detector, precision, request.flip)
    return Setup(
        request=request,
        design=design,
        photos=photos,
        failures=failures,
        dataset=dataset,
        convention=convention,
        rule=rule,
        exclusion=exclusion,
        members=members,
        parser=parser,
        recogniser=recogniser,
        recogniser_note=chosen.note,
        detector=detector,
        device=device,
        precision=precision,
        settings=settings,
        store=EmbeddingStore(settings_folder(request.output / EMBEDDINGS_FOLDER, settings), design.occlusions),
        saved=kept_images(request.output, keep, request.align, [design.of_part(part) for part in parts]),
    )


def _refuse_too_many_draws(request: Request, parts: Sequence[str]) -> None:
    """Refuse more draws of the control than there are places for.

    Raises:
        UsageError: there are more.
    """
    places = min((len(PARTS[part].places) for part in parts if PARTS[part].controllable), default=request.control)
    if request.control > places:
        raise UsageError(f"--control {request.control}: there are places for {places} control draws")


def _refuse_unsupported_criterion(request: Request) -> None:
    """Refuse to rank by what the study would not compute, and a margin that is none.

    Raises:
        UsageError: the criterion is unknown, or needs another option; or the margin is not above 0.
    """
    name = request.rank_by
    if name is not None and name not in CRITERION_NAMES:
        raise UsageError(f"--rank-by {name}: is not a criterion; known: {' '.join(CRITERION_NAMES)}")
    needed = {IMPORTANCE: request.control, EQUAL_AREA: request.equal_area, AUTHENTIC_CROSS: request.cross}
    options = {IMPORTANCE: "--control", EQUAL_AREA: "--equal-area", AUTHENTIC_CROSS: "--cross"}
    if name is not None and not needed.get(name, True):
        raise UsageError(f"--rank-by {name}: needs {options[name]}")
    if request.margin is not None and not request.margin > 0:
        raise UsageError(f"--margin {request.margin}: must be above 0")


def _refuse_unknown_groups(request: Request, people: People | None) -> None:
    """Refuse groups that the table does not have.

    Raises:
        FacepartError: there is such a group, or no table.
    """
    if people is None and request.groups:
        raise FacepartError("--groups chooses from a table of people: give it with --people")
    threshold_group = request.threshold_group
    named = list(request.groups)
    if people is not None:
        named = people.find_groups(request.groups)
        people.find_groups([threshold_group] if threshold_group else [])
    if threshold_group and (people is None or (named and nfc(threshold_group) not in named)):
        raise FacepartError(f"--threshold-group {threshold_group}: is not one of the study's groups")


def _find_photos(request: Request) -> tuple[list[Photo], list[Failure]]:
    """Find the photos; outputs that lie inside the source are not input.

    The whole output folder is left out or, where the source is the study's own folder, what a study has written: a
    folder of the user's that is called ``photos`` has no record of a run.
    """
    output = request.output
    excluded = [output]
    if output.resolve() == request.source.resolve():
        own = [output / name for name in (*KEPT.values(), ALIGNED_FOLDER)]
        excluded = [folder for folder in own if any((folder / below).exists() for below in _RECORDS)]
    return find_photos(request.source, exclude=excluded)
