"""What the report's tests show: photos of drawn people with parts occluded, compared, and a drawn face."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np

from facepart.analysis.design import BASELINE_CONDITION, Design
from facepart.analysis.measure import measure
from facepart.analysis.ranking import PartEffects, compare_methods, rank_mean
from facepart.analysis.recogniser_agreement import compare_recognisers
from facepart.analysis.results import ALL_GROUPS
from facepart.occlusion.method import OcclusionMethod
from facepart.occlusion.occlusion import BASELINE, Occlusion
from facepart.occlusion.parts import BUILT_IN, PARTS, Part
from facepart.report.methods import MethodFacts, NetworkFacts, methods
from facepart.report.report_data import RecogniserFigures, ReportData, ReportGroup
from facepart.scores import GroupScores
from tests.report_faces import Cover, DrawnGroup, draw_people, embed
from tests.report_images import draw_average, draw_examples, draw_mask

# How far blurring a part moves impostor scores, in the drawn data.
SHIFTS = dict(zip(PARTS, (0.05, 0.03, 0.09, 0.158, 0.028, -0.015, 0.16), strict=True))
# How far its control does, and its equal-area patch.
CONTROL_SHIFT, PATCH_SHARE = 0.005, 0.6
# How far keep-only does, beyond what occluding the part does.
KEEP_ONLY_SHIFT = 0.3
# Hair is not found on so many photos of each group.
BALD = 3
RESAMPLES = 200
FACTS = MethodFacts(
    software="facepart 0.1.0",
    parser=NetworkFacts("bisenet-resnet18", "01" * 32),
    recognisers=[NetworkFacts("faceplugin", "23" * 32)],
    detector=NetworkFacts("yunet", "45" * 32),
    precision="bf16",
    flip=False,
    naming_rule="MORPH: name up to the first _",
    seed=20231,
)


class DrawnLater(ReportData):
    """Report data that are drawn when one of their values is first asked for, and are then what was drawn.

    Modules have their data as constants: collecting the tests, which each worker does for all modules, draws none.
    """

    def __init__(self, draw: Callable[[], ReportData]) -> None:
        object.__setattr__(self, "__dict__", {"draw": draw})

    def __getattribute__(self, name: str) -> Any:
        # pytest looks for marks of its own on all that a module holds.
        if not name.startswith("_"):
            values = vars(object.__getattribute__(self, "__dict__")["draw"]())
            object.__setattr__(self, "__dict__", dict(values))
            object.__setattr__(self, "__class__", ReportData)
        return object.__getattribute__(self, name)


@cache
def make_data(*arguments: Any, **options: Any) -> ReportData:
    """Make all that a report shows, when it is first asked for; see :func:`_draw_data`."""
    return DrawnLater(partial(_draw_data, *arguments, **options))


def with_values(data: ReportData, **changes: Any) -> ReportData:
    """Return a report's data with other values, likewise."""
    return DrawnLater(partial(replace, data, **changes))


def with_recognisers(data: ReportData, **swapped: tuple[str, str]) -> ReportData:
    """Return a report's data with further recognisers, likewise: with scores ten times as large, and two parts
    swapped."""
    return DrawnLater(partial(_draw_recognisers, data, swapped))


def _draw_data(
    groups: tuple[str, ...] = ("CM", "CF", "AAM", "AAF"),
    parts: tuple[str, ...] = tuple(PARTS),
    *,
    people: int = 60,
    photos: int = 3,
    crossed: bool = False,
    control: bool = False,
    equal_area: bool = False,
    keep_only: bool = False,
    keep_undetected: bool = False,
    other_methods: tuple[str, ...] = (),
    undetected: tuple[tuple[str, str, int], ...] = (),
    margin: float | None = None,
    title: str = "Parts of the face",
) -> ReportData:
    """Make all that a report shows, as a study does.

    `undetected` are groups, parts, and on how many photos they are not found.
    """
    design = Design(
        recognisers=("faceplugin",),
        parts=tuple(map(_part, parts)),
        methods=tuple(OcclusionMethod(name) for name in ("blur", *other_methods)),
        draws=2 if control else 0,
        cross=crossed,
        groups=groups,
        patches=equal_area,
        keep_only=keep_only,
        undetected="keep" if keep_undetected else "exclude",
        margin=margin,
    )
    rng = np.random.default_rng(7)
    drawn = {
        name: _draw_group(design, name, rng, people, photos, {part: n for of, part, n in undetected if of == name})
        for name in groups
    }
    figures = measure(design, drawn, None)
    data = ReportData(
        title=title,
        design=design,
        figures=figures,
        groups=(groups_of := [_scores_of(design, group) for group in drawn.values()]),
        subjects=sum(group.subjects for group in groups_of),
        overlaps=draw_overlaps(parts) if control else {},
        resamples=RESAMPLES,
        agreements=compare_methods(figures.results, "blur"),
        face=draw_average(parts),
        examples=draw_examples(parts, control, keep_only),
        provenance={
            "recogniser": "faceplugin (sha256 " + "0123456789abcdef" * 4 + ")",
            "parser": "bisenet-resnet18",
            "precision": "bf16",
            "recipe": "box blur 15x15, sigma 5, at 224x224",
        },
        failures=[("people/a/1.jpg", "align", "no face found")],
    )
    return replace(data, methods=methods(data, FACTS))


# Four groups, all that can be compared, and three methods; several modules look at it.
EVERYTHING = make_data(crossed=True, control=True, equal_area=True, other_methods=("grey", "noise"), people=50)


def with_figures(data: ReportData, **changes: Any) -> ReportData:
    """Return a report's data with other figures."""
    return replace(data, figures=replace(data.figures, **changes))


def with_ranking(data: ReportData, rankings: Mapping[str, Sequence[Any]]) -> ReportData:
    """Return a report's data with another ranking by the study's criterion."""
    return with_figures(data, rankings={data.ranked_by: rankings})


def _draw_recognisers(data: ReportData, swapped: Mapping[str, tuple[str, str]]) -> ReportData:
    """Return a report's data with further recognisers."""
    by, groups = data.ranked_by, data.figures.effects[data.ranked_by]
    figures, spreads = {"faceplugin": data.figures}, {"faceplugin": 0.05}
    for name, (one, other) in swapped.items():
        taken = {one: other, other: one}
        found = {
            group: PartEffects(
                {part: each.effects[taken.get(part, part)].scaled(10) for part in each.effects}, each.subjects
            )
            for group, each in groups.items()
        }
        ranking = {group: rank_mean({group: each}) for group, each in found.items()}
        if len(found) > 1:
            ranking = {ALL_GROUPS: rank_mean(found), **ranking}
        figures[name] = replace(data.figures, rankings={by: ranking}, effects={by: found})
        spreads[name] = 0.5
    return replace(
        data,
        recognisers=[RecogniserFigures(name, each) for name, each in figures.items()],
        agreement=compare_recognisers({name: each.effects[by] for name, each in figures.items()}, by, spreads),
    )


def draw_overlaps(parts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Say of every part that can be moved which share of each other part its control removes."""
    return {
        part: {other: (3 + place + 7 * number) / 100 for number, other in enumerate(parts) if other != part}
        for place, part in enumerate(parts)
        if _part(part).places
    }


def _part(name: str) -> Part:
    """Return a part of any name."""
    return BUILT_IN.get(name, Part(name, (1,), 0, name))


def _draw_group(
    design: Design, name: str, rng: np.random.Generator, people: int, photos: int, undetected: Mapping[str, int]
) -> DrawnGroup:
    drawn, number = draw_people(rng, people, photos), design.groups.index(name)
    faces = {BASELINE: embed(drawn, name, rng, 0)}
    for occlusion in design.occlusions:
        faces[occlusion] = embed(drawn, name, rng, _shift(design, occlusion, number))
    area = {part: float((draw_mask(part) > 0).mean()) for part in design.part_names}
    covers = {part: Cover(share, 1.4 * share) for part, share in area.items()}
    return DrawnGroup(name, design, faces, {"hair": BALD, **undetected}, covers)


def _shift(design: Design, occlusion: Occlusion, number: int) -> float:
    """Return how far an occlusion moves impostor scores in a group."""
    part, place = occlusion.part, design.methods.index(occlusion.method)
    if occlusion.region.draw:
        return CONTROL_SHIFT * occlusion.region.draw
    if occlusion.region.keep_only:
        return KEEP_ONLY_SHIFT - SHIFTS.get(part, 0.04)
    # Hair matters more from group to group, and at last comes first.
    shift = SHIFTS.get(part, 0.04) + (part == "hair") * 0.06 * number
    return shift * (PATCH_SHARE if occlusion.region.patch else 0.5 + 0.4 * (place - 1) if place else 1.0)


def _scores_of(design: Design, group: DrawnGroup) -> ReportGroup:
    """Return what the report shows of a group, as a study reads it."""

    occlusions = {part: design.of_part(part) for part in design.part_names}
    known = {
        part: each
        for part, each in occlusions.items()
        if group.scores(design.condition(each)) is not None and group.undetected(each) < group.photos
    }
    controls: dict[str, GroupScores | None] = {part: group.control_scores(part) for part in occlusions}
    return ReportGroup(
        name=group.name,
        photos=group.photos,
        subjects=len(group.subjects),
        baseline=group.group_scores(BASELINE_CONDITION),
        baselines={part: group.group_scores(design.baseline_of(each)) for part, each in known.items()},
        occluded={part: group.group_scores(design.condition(each)) for part, each in known.items()},
        crossed={
            part: group.group_scores(design.condition(each, "cross")) for part, each in known.items() if design.cross
        },
        controls={part: scores for part, scores in controls.items() if scores is not None},
    )
