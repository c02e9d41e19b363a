"""What a study is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from facepart.analysis.choices import Undetected, Weight
from facepart.data.subject_table import SMALLEST_GROUP
from facepart.errors import UsageError
from facepart.files.addresses import place
from facepart.occlusion.method import STANDARD, OcclusionMethod, parse_sweep
from facepart.occlusion.parts import PARTS
from facepart.pipeline.batches import DEFAULT_BATCH

_PATHS = ("source", "output", "people", "parts_file", "labels")
_LISTS = ("groups", "parts", "occlusions", "sweeps", "models", "keep", "formats")
_CHOICES = {"undetected": get_args(Undetected), "weight": get_args(Weight)}
_COUNTS = ("batch", "workers")


@dataclass(frozen=True)
class Request:
    """What a study is asked for.

    Paths may be given as text. UsageError is raised if a word is none of those that may be chosen, a text stands
    where a list belongs, or a count is below 1.

    Attributes:
        source: a folder of photos, or a list of them.
        output: the study's folder.
        people: a table of subjects or photos and their groups; None for one group of all.
        group_column: the table's column of groups, several that are crossed, or bins of numbers: ``sex,age:18,30``
            (:mod:`facepart.data.group_columns`).
        groups: which groups; all of the table if none are named.
        smallest_group: subjects that a group needs, if no groups are named; smaller ones are left out.
        dataset: the naming convention from which subjects are parsed; None to recognise it from the names.
        subject_pattern: a regular expression instead of a convention.
        exclude_same: a regular expression that finds a photo's session: authentic pairs of one session are left out.
        parts: which parts are occluded: names of built-in ones, of those in `parts_file`, or unions: ``eyes+nose``.
        parts_file: a file of parts of one's own (:mod:`facepart.occlusion.parts_file`).
        occlusions: by what (:data:`facepart.occlusion.method.OCCLUDERS`); the first is the main method.
        sweeps: further methods that differ from the main one in a number
            (:func:`facepart.occlusion.method.parse_sweep`).
        control: positions of the area-matched control per photo and part; 0 for no control.
        equal_area: occlude also an area of the same size within each part.
        keep_only: occlude also everything except each part.
        undetected: ``exclude`` photos from the results of a part that was not detected in them, or ``keep`` them.
        weight: whether mean scores weight all ``pairs`` of photos equally, or all pairs of ``subjects``.
        rank_by: a criterion (:data:`facepart.analysis.criteria.CRITERIA`); None for the default.
        margin: a difference of shifts between groups up to which they count as equivalent; None for no such test.
        shapley: divide the joint effect of the parts that do not overlap among them
            (:mod:`facepart.analysis.shapley`).
        threshold_group: whose baseline scores set the common threshold of the groups; None for those of all, pooled.
        models: the recognisers: names of the model list, or paths; none for those of the earlier run in `output`,
            else the default. The report's pictures and charts are about the first.
        parser: the face parser: a name of the model list, or a path; None for the default.
        labels: a folder of label maps instead (:mod:`facepart.networks.label_folder`).
        label_set: the order of their classes, or of the parser's (:mod:`facepart.networks.label_sets`).
        align: find and align the faces first.
        flip: sum the embeddings of the face and of its mirror image.
        cross: compare occluded photos also with the baseline photos.
        keep: what else is written, of :data:`facepart.study.kept_files.KEPT`.
        device: where the networks run.
        precision: of their arithmetic.
        batch: photos given to a network at once.
        workers: threads that read and write beside it; None for the default.
        title: stands on top of the report.
        formats: of the figures that are written, of :data:`facepart.files.figure_formats.FORMATS`; none for no
            figures.
        no_faces: leave photos of faces out of the report; an average face stays if every group has at least 50
            subjects.
    """

    source: Path
    output: Path
    people: Path | None = None
    group_column: str = "group"
    groups: Sequence[str] = ()
    smallest_group: int = SMALLEST_GROUP
    dataset: str | None = None
    subject_pattern: str | None = None
    exclude_same: str | None = None
    parts: Sequence[str] = tuple(PARTS)
    parts_file: Path | None = None
    occlusions: Sequence[str] = (STANDARD.occluder,)
    sweeps: Sequence[str] = ()
    control: int = 0
    equal_area: bool = False
    keep_only: bool = False
    undetected: Undetected = "exclude"
    weight: Weight = "pairs"
    rank_by: str | None = None
    margin: float | None = None
    shapley: bool = False
    threshold_group: str | None = None
    models: Sequence[str] = ()
    parser: str | None = None
    labels: Path | None = None
    label_set: str | None = None
    align: bool = False
    flip: bool = False
    cross: bool = False
    keep: Sequence[str] = ()
    device: str = "auto"
    precision: str = "auto"
    batch: int = DEFAULT_BATCH
    workers: int | None = None
    title: str = "Which parts of a face does the recogniser rely on?"
    formats: Sequence[str] = ()
    no_faces: bool = False

    def __post_init__(self) -> None:
        """Check what a program may get wrong; the command's own options are checked where they are read."""
        for name in _PATHS:
            path = getattr(self, name)
            if isinstance(path, str):
                object.__setattr__(self, name, place(path))
        for name in _LISTS:
            value = getattr(self, name)
            if isinstance(value, str):
                raise UsageError(f"{name}: is a list, not one text: [{value!r}]")
        for name, words in _CHOICES.items():
            value = getattr(self, name)
            if value not in words:
                raise UsageError(f"{name}: {value!r} is none of {', '.join(words)}")
        for name in _COUNTS:
            count = getattr(self, name)
            if count is not None and count < 1:
                raise UsageError(f"{name}: at least 1, not {count}")

    @property
    def leaves_out_small(self) -> bool:
        """Whether groups that are too small are left out: those that are named are compared, or refused."""
        return self.people is not None and not self.groups

    def methods(self) -> tuple[OcclusionMethod, ...]:
        """Return the methods of occlusion, each once, the main one first.

        Raises:
            UsageError: an unknown occlusion or sweep, or none.
        """
        if not self.occlusions:
            raise UsageError("--occlusion: none named")
        named = [OcclusionMethod(name) for name in self.occlusions]
        swept = [method for text in self.sweeps for method in parse_sweep(text, named[0])]
        return tuple(dict.fromkeys([*named, *swept]))
