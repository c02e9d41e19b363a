"""What a study is asked for, and what that means here: photos, weights, settings, and what is still to be done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facepart.engines.spread import choose_engine
from facepart.engines.stream import DEFAULT_BATCH
from facepart.errors import FacepartError, UsageError
from facepart.files.failures import Failure
from facepart.images import Photo, find_photos
from facepart.lists.people import People, read_people
from facepart.models import DEFAULT_PARSER, DETECTOR, Weights, default_recogniser, obtain
from facepart.occlusion.recipe import describe
from facepart.occlusion.way import STANDARD, Way, choose_way, sweep
from facepart.parts import PARTS, choose_parts
from facepart.study.kept import ALIGNED_FOLDER, KEPT, KeptPictures, choose_kept
from facepart.study.settings import embedding_settings, settings_folder
from facepart.study.store import Store
from facepart.study.versions import Version, versions_of
from facepart.subjects import DEFAULT_DATASET, Exclusion, Rule, find_exclusion, naming_rule

EMBEDDINGS_FOLDER = "embeddings"


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        source: a folder of photos, or a list of them.
        output: the study's folder.
        people: a table of people or photos and their groups; None for one group of all.
        group_column: the table's column of groups.
        groups: the groups wanted; all of the table if none are named.
        dataset: the naming rule that tells who is on a photo.
        subject_pattern: a regular expression instead of a rule.
        exclude_same: a regular expression that finds a photo's session: authentic pairs of one session are left out.
        parts: which parts are lost.
        occlusions: how (:data:`facepart.occlusion.way.OCCLUSIONS`); the first is the main way.
        sweeps: further ways that differ from the main one in a number (:func:`facepart.occlusion.way.sweep`).
        control: draws of the size control for each photo and part; 0 for no control.
        threshold_group: whose original photos' scores set the threshold at which groups are compared; None for those
            of all groups.
        model: the recogniser: a name of the model list, or a path; None for the default.
        align: find and align the faces first.
        flip: add the embedding of the mirrored face.
        cross: compare photos with a part blurred also with the original ones.
        keep: what else is written, of :data:`facepart.study.kept.KEPT`.
        device: where the networks run.
        precision: of their arithmetic.
        batch: photos given to a network at once.
        workers: threads beside it; None for the default.
        title: stands on top of the report.
    """

    source: Path
    output: Path
    people: Path | None = None
    group_column: str = "group"
    groups: Sequence[str] = ()
    dataset: str = DEFAULT_DATASET
    subject_pattern: str | None = None
    exclude_same: str | None = None
    parts: Sequence[str] = tuple(PARTS)
    occlusions: Sequence[str] = (STANDARD.occlusion,)
    sweeps: Sequence[str] = ()
    control: int = 0
    threshold_group: str | None = None
    model: str | None = None
    align: bool = False
    flip: bool = False
    cross: bool = False
    keep: Sequence[str] = ()
    device: str = "auto"
    precision: str = "auto"
    batch: int = DEFAULT_BATCH
    workers: int | None = None
    title: str = "Which parts of a face does the recogniser rely on?"


@dataclass(frozen=True)
class NetworkFiles:
    """The networks of a study, before they are opened.

    Attributes:
        parser: its weights.
        recogniser: likewise.
        detector: likewise; None unless faces are aligned.
        device: where they run.
        precision: of their arithmetic.
        flip: whether the mirrored face is added.
    """

    parser: Weights
    recogniser: Weights
    detector: Weights | None
    device: str
    precision: str
    flip: bool


@dataclass(frozen=True)
class Setup:
    """What that means here.

    Attributes:
        request: what was asked for.
        parts: which parts are lost, in their usual order.
        ways: how, the main way first.
        versions: all that is made of a photo.
        photos: those that were found, sorted by name.
        failures: what could not be looked at.
        rule: tells who is on a photo.
        exclusion: which authentic pairs are left out; None if none are.
        people: the table of groups.
        parser: its weights.
        recogniser: likewise.
        detector: likewise; None unless faces are aligned.
        device: where the networks run.
        precision: of their arithmetic.
        settings: what the embeddings depend on.
        store: the embeddings that are there.
        kept: the pictures that are kept.
    """

    request: Request
    parts: tuple[str, ...]
    ways: tuple[Way, ...]
    versions: tuple[Version, ...]
    photos: list[Photo]
    failures: list[Failure]
    rule: Rule
    exclusion: Exclusion | None
    people: People | None
    parser: Weights
    recogniser: Weights
    detector: Weights | None
    device: str
    precision: str
    settings: dict[str, Any]
    store: Store
    kept: KeptPictures

    @property
    def networks(self) -> NetworkFiles:
        """What opens the networks."""
        return NetworkFiles(
            self.parser, self.recogniser, self.detector, self.device, self.precision, self.request.flip
        )


def set_up(request: Request, choose: Callable[[str, str], tuple[str, str]] = choose_engine) -> Setup:
    """Find out what is asked for; nothing is written.

    Args:
        request: what is asked for.
        choose: see :meth:`facepart.engines.spread.Spread.choose`.

    Raises:
        FacepartError: no photos, a table that cannot be read or lacks a group, weights that cannot be had, or
            embeddings that cannot be read. UsageError: an unknown part, way, data set, device or precision.
    """
    parts, keep = choose_parts(request.parts), choose_kept(request.keep)
    ways = _choose_ways(request)
    rule = naming_rule(request.dataset, request.subject_pattern)
    exclusion = find_exclusion(request.dataset, request.subject_pattern, request.exclude_same)
    device, precision = choose(request.device, request.precision)
    people = None if request.people is None else read_people(request.people, request.group_column)
    if people is None and request.groups:
        raise FacepartError("--groups chooses from a table of people: give it with --people")
    wanted = request.threshold_group
    for group in [*request.groups, *([wanted] if wanted else [])]:
        if people is not None:
            people.refuse_unknown(group)
    if wanted and (people is None or (request.groups and wanted not in request.groups)):
        raise FacepartError(f"--threshold-group {wanted}: is none of the study's groups")
    below = (*KEPT.values(), ALIGNED_FOLDER)
    # Outputs that lie inside the source are no input; the whole folder is left out, or, where the source is the
    # study's own folder of photos, what the study makes.
    output = request.output
    excluded = [output] if output.resolve() != request.source.resolve() else [output / name for name in below]
    photos, failures = find_photos(request.source, exclude=excluded)
    parser, recogniser = obtain(DEFAULT_PARSER, "parser"), obtain(request.model or default_recogniser(), "recogniser")
    detector = obtain(DETECTOR, "detector") if request.align else None
    settings = embedding_settings(parser, recogniser, detector, precision, request.flip)
    main = [Version(part, ways[0]) for part in parts]
    kept = KeptPictures(output, [what for what in keep if what in ("masks", "photos")], request.align, main)
    store = Store(settings_folder(output / EMBEDDINGS_FOLDER, settings))
    return Setup(
        request=request,
        parts=parts,
        ways=ways,
        versions=tuple(versions_of(parts, ways, request.control)),
        photos=photos,
        failures=failures,
        rule=rule,
        exclusion=exclusion,
        people=people,
        parser=parser,
        recogniser=recogniser,
        detector=detector,
        device=device,
        precision=precision,
        settings=settings,
        store=store,
        kept=kept,
    )


def picture_settings(setup: Setup) -> dict[str, Any]:
    """Put together what masks and photos that are kept depend on: the embeddings' settings, and the main way."""
    return {**setup.settings, "recipe": describe(setup.ways[0])}


def shown_versions(setup: Setup) -> list[Version]:
    """Choose the versions that the report shows pictures of: each part, and one draw of its control."""
    return [version for version in setup.versions if version.way == setup.ways[0] and version.draw < 2]


def _choose_ways(request: Request) -> tuple[Way, ...]:
    """Give the ways in which parts are lost, each once, the main one first."""
    if not request.occlusions:
        raise UsageError("--occlusion: none named")
    if request.control < 0:
        raise UsageError(f"--control {request.control}: is a number of draws, from 0 on")
    named = [choose_way(name) for name in request.occlusions]
    swept = [way for text in request.sweeps for way in sweep(text, named[0])]
    return tuple(dict.fromkeys([*named, *swept]))
