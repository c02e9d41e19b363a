"""A request -> what it means on this machine: photos, groups, design, networks, and what was done before."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from facepart.analysis.choices import AUTHENTIC_CROSS, CRITERION_NAMES, EQUAL_AREA, IMPORTANCE
from facepart.analysis.design import Design
from facepart.data.group_files import group_prefix
from facepart.data.labels import nfc
from facepart.data.naming_conventions import Exclusion, check_naming, find_exclusion, naming_rule
from facepart.data.photos import Photo, find_photos
from facepart.data.recognise_convention import Convention, recognise_convention
from facepart.data.subject_table import SMALLEST_GROUP, People, read_people
from facepart.errors import FacepartError, UsageError
from facepart.files.failures import Failure
from facepart.files.figure_formats import choose_formats
from facepart.files.record import RECORD_FILE, read_record
from facepart.networks.catalogue import DETECTOR, Weights, catalogue, choose_recogniser, obtain
from facepart.networks.face_parser import MIN_SIDE
from facepart.occlusion.occlusion import BASELINE
from facepart.occlusion.parts import Part, choose_parts
from facepart.occlusion.parts_file import read_parts
from facepart.pipeline.calibration import with_calibration
from facepart.pipeline.embedding_store import EmbeddingStore
from facepart.pipeline.executor import Executor
from facepart.pipeline.network_files import NetworkFiles
from facepart.pipeline.parser_choice import (
    ChosenParser,
    choose_parser,
    refuse_maps_of_other_photos,
    refuse_unknown_classes,
)
from facepart.pipeline.saved_images import SavedImages
from facepart.study.average_face import with_average
from facepart.study.groups import Members, PhotoRule, assign_groups, photo_rules
from facepart.study.kept_files import ALIGNED_FOLDER, KEPT, choose_kept, kept_images
from facepart.study.request import Request
from facepart.study.settings import embedding_settings, image_settings, recorded_recognisers, settings_folder

EMBEDDINGS_FOLDER, MATCHES_FOLDER = "embeddings", "matches"
# Where a folder that a study writes has its record.
_RECORDS = (RECORD_FILE, f"{BASELINE.name}/{RECORD_FILE}")
# What records name beside a pattern, which is read instead.
_UNUSED_DATASET = "MORPH"


@dataclass(frozen=True)
class StudyRecogniser:
    """A recogniser of a study.

    Attributes:
        weights: its weights.
        settings: what its embeddings depend on.
        store: its embeddings of earlier runs.
        folder: what its folders are called, below ``matches`` and ``features``; empty for the only recogniser, whose
            files are there themselves.
    """

    weights: Weights
    settings: dict[str, Any]
    store: EmbeddingStore
    folder: str

    @property
    def name(self) -> str:
        """Its name in the catalogue, or the name of its file."""
        return self.weights.name


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
        parser: its weights, or the folder of label maps.
        recognisers: at least one.
        recogniser_note: which they are and why, in a line; empty if the request names them.
        detector: its weights; None unless faces are aligned.
        landmarks: the weights of what finds landmarks; None unless faces are aligned, or a part needs them.
        device: where the networks run.
        precision: of their arithmetic.
        files: the networks, before they are opened.
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
    parser: ChosenParser
    recognisers: list[StudyRecogniser]
    recogniser_note: str
    detector: Weights | None
    landmarks: Weights | None
    device: str
    precision: str
    files: NetworkFiles
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
    def stores(self) -> list[EmbeddingStore]:
        """The embeddings by each recogniser."""
        return [each.store for each in self.recognisers]

    @property
    def first(self) -> StudyRecogniser:
        """The first recogniser. What is known of the photos themselves is the same in the stores of all."""
        return self.recognisers[0]

    @property
    def image_settings(self) -> dict[str, Any]:
        """What occluded photos depend on."""
        return image_settings(self.first.settings)

    def count_small(self, names: Iterable[str]) -> int:
        """Count the photos, of those named, whose faces are smaller than the parser needs."""
        photos = self.first.store.photos
        return sum(0 < photos[name].record.side < MIN_SIDE for name in names)

    def with_several_faces(self, names: Iterable[str]) -> list[str]:
        """Return the photos, of those named, in which several faces were found and one was aligned."""
        photos = self.first.store.photos
        return [name for name in names if photos[name].record.faces > 1]

    def matches_of(self, recogniser: StudyRecogniser) -> Path:
        """Return the folder of a recogniser's scores."""
        return self.request.output / MATCHES_FOLDER / recogniser.folder

    def networks(self, recognisers: Sequence[StudyRecogniser]) -> NetworkFiles:
        """Return the networks, with some of the recognisers, before they are opened."""
        return replace(self.files, recognisers=tuple(each.weights for each in recognisers))


def set_up(request: Request, executor: Executor) -> Setup:
    """Find out what a request means; nothing is written.

    Raises:
        FacepartError: no photos, a table that cannot be read or lacks a group, a wrong file of parts, weights that
            cannot be had, or embeddings that cannot be read. UsageError: an unknown part, occlusion, data set, device
            or precision.
    """
    parts = choose_parts(request.parts, read_parts(request.parts_file) if request.parts_file else None)
    keep, methods = choose_kept(request.keep), request.methods()
    choose_formats(request.formats)
    if request.control < 0:
        raise UsageError(f"--control {request.control}: must be a number of positions, 0 or more")
    _refuse_too_many_draws(request, parts)
    _refuse_unsupported_criterion(request)
    check_naming(request.dataset, request.subject_pattern, request.exclude_same)
    device, precision = executor.choose_engine(request.device, request.precision)
    people = None if request.people is None else read_people(request.people, request.group_column)
    if request.smallest_group < SMALLEST_GROUP:
        raise UsageError(f"--smallest-group {request.smallest_group}: must be {SMALLEST_GROUP} or more")
    _refuse_unknown_groups(request, people)
    parser = choose_parser(request.parser, request.labels, request.label_set)
    refuse_unknown_classes(parts, parser.label_set)
    if request.labels:
        refuse_maps_of_other_photos(request.labels, request.source)
    photos, failures = _find_photos(request)
    photos = parser.stamped(photos)
    names = [photo.name for photo in photos]
    given = request.dataset is not None or request.subject_pattern is not None
    # The table of subjects may decide between conventions.
    known = people.subjects if people else ()
    convention = None if given else recognise_convention([names], str(request.source), known)
    dataset = convention.dataset if convention else request.dataset or _UNUSED_DATASET
    exclusion = find_exclusion(dataset, request.subject_pattern, request.exclude_same)
    rule, session = photo_rules(names, naming_rule(dataset, request.subject_pattern), exclusion)
    members = assign_groups(names, people, rule, request.groups)
    if people and request.leaves_out_small:
        members = members.without_small(people.source, request.smallest_group)
    members.refuse_without_threshold_group(request.threshold_group)
    members.refuse_photos_without_session(session)
    recognisers, recogniser_note = _choose_recognisers(request)
    _refuse_same_recognisers(recognisers)
    needs_landmarks = request.align or any(part.needs_landmarks for part in parts)
    landmarks = obtain(DETECTOR, "detector") if needs_landmarks else None
    detector = landmarks if request.align else None
    files = NetworkFiles(
        *(parser.source, tuple(recognisers), landmarks, device, precision, request.flip),
        align=request.align,
        label_set=parser.label_set,
    )
    files = with_calibration(files, photos)
    settings = {"align": detector.sha256 if detector else None}
    methods = with_average(methods, members.groups, photos, settings)
    design = Design(
        recognisers=tuple(each.name for each in recognisers),
        parts=parts,
        methods=methods,
        draws=request.control,
        cross=request.cross,
        groups=tuple(members.groups),
        patches=request.equal_area,
        keep_only=request.keep_only,
        undetected=request.undetected,
        weight=request.weight,
        rank_by=request.rank_by or "",
        margin=request.margin,
        shapley=request.shapley,
    )
    if request.shapley and len(design.players) < 2:
        raise UsageError("--shapley: needs at least two parts that do not overlap")
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
        recognisers=[
            _set_up_recogniser(
                request.output,
                design,
                each,
                embedding_settings(parser, each, detector, precision, request.flip, files.calibration_setting),
            )
            for each in recognisers
        ],
        recogniser_note=recogniser_note,
        detector=detector,
        landmarks=landmarks,
        device=device,
        precision=precision,
        files=files,
        saved=kept_images(request.output, keep, request.align, [design.of_part(name) for name in design.part_names]),
    )


def _set_up_recogniser(output: Path, design: Design, weights: Weights, settings: dict[str, Any]) -> StudyRecogniser:
    folder = settings_folder(output / EMBEDDINGS_FOLDER, settings)
    store = EmbeddingStore(folder, design.embedded, design.measured_parts)
    matches = group_prefix(weights.name) if len(design.recognisers) > 1 else ""
    return StudyRecogniser(weights, settings, store, matches)


def _choose_recognisers(request: Request) -> tuple[list[Weights], str]:
    """Return the recognisers, and which they are and why, in a line; empty if the request names them.

    Raises:
        FacepartError: one cannot be had. UsageError: there is no such model, or the earlier run used several, of
            which not all are known by name.
    """
    if request.models:
        return [obtain(model, "recogniser") for model in request.models], ""
    earlier = recorded_recognisers(read_record(request.output))
    if len(earlier) > 1 and not all(name in catalogue() for name in earlier):
        raise UsageError(f"{request.output}: the earlier run used {' and '.join(earlier)}: name them with --model")
    chosen = [choose_recogniser(None, name) for name in earlier] or [choose_recogniser()]
    return [each.weights for each in chosen], "; ".join(each.note for each in chosen if each.note)


def _refuse_same_recognisers(recognisers: Sequence[Weights]) -> None:
    """Refuse a recogniser that is named twice, and two of one name, whose files would be the same.

    Raises:
        UsageError: there is one.
    """
    names: dict[str, Weights] = {}
    networks: dict[str, Weights] = {}
    for each in recognisers:
        name = names.setdefault(group_prefix(each.name).casefold(), each)
        same = networks.setdefault(each.sha256, each)
        if same is not each:
            raise UsageError(f"--model: {each.path} and {same.path} are the same network; name it once")
        if name is not each:
            raise UsageError(f"--model: {name.path} and {each.path} have the same name; rename one of the two")


def _refuse_too_many_draws(request: Request, parts: Sequence[Part]) -> None:
    """Refuse more draws of the control than there are places for.

    Raises:
        UsageError: there are more.
    """
    places = min((len(part.places) for part in parts if part.controllable), default=request.control)
    if request.control > places:
        raise UsageError(f"--control {request.control}: there are {places} control positions")


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
    if request.labels:
        excluded = [*excluded, request.labels]
    return find_photos(request.source, exclude=excluded)
