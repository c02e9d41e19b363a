"""What the report's tests show: photos of drawn people with parts occluded, compared, and a drawn face."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np

from facepart.analysis.contrasts import contrast, resample_subjects, resampled_means
from facepart.analysis.differentials import EACH_GROUP, Differential, differential, shift_differences
from facepart.analysis.influence import Influence, SubjectScores
from facepart.analysis.intervals import UNKNOWN, interval
from facepart.analysis.metrics import STUDY_FMRS
from facepart.analysis.ranking import (
    IMPORTANCE,
    SHIFT,
    PairwiseDifference,
    PartEffects,
    compare_methods,
    order_parts,
    rank_parts,
)
from facepart.analysis.results import ALL_GROUPS, CONTROL, CROSS, WITHIN, PartResult, RowKey, part_result
from facepart.occlusion.parts import PARTS
from facepart.report.methods import MethodFacts, NetworkFacts, methods
from facepart.report.report_data import ReportData, ReportGroup
from tests import report_faces
from tests.report_faces import Faces, between, compare, embed
from tests.report_images import draw_average, draw_examples, draw_mask

# How far blurring a part moves impostor scores, in the drawn data.
SHIFTS = dict(zip(PARTS, (0.05, 0.03, 0.09, 0.158, 0.028, -0.015, 0.16), strict=True))
# How far other places of the same size do: skin is merely large.
SIZES = {"skin": 0.15, "hair": 0.03}
RESAMPLES = 200
FACTS = MethodFacts(
    software="facepart 0.1.0",
    parser=NetworkFacts("bisenet-resnet18", "01" * 32),
    recogniser=NetworkFacts("faceplugin", "23" * 32),
    detector=NetworkFacts("yunet", "45" * 32),
    precision="bf16",
    flip=False,
    naming_rule="MORPH",
    seed=20231,
)


@dataclass(frozen=True)
class Compared:
    """A group's photos in all conditions."""

    name: str
    baseline: Faces
    occluded: dict[str, dict[str, Faces]]  # method -> part -> photos
    controls: dict[str, Faces]


@cache
def make_data(
    groups: tuple[str, ...] = ("CM", "CF", "AAM", "AAF"),
    parts: tuple[str, ...] = tuple(PARTS),
    *,
    people: int = 60,
    photos: int = 3,
    crossed: bool = False,
    control: bool = False,
    other_methods: tuple[str, ...] = (),
    title: str = "Parts of the face",
) -> ReportData:
    """Make all that a report shows, as a study does."""
    rng = np.random.default_rng(7)
    compared = []
    for number, name in enumerate(groups):
        drawn = report_faces.resample_subjects(rng, people, photos)
        # Hair matters more from group to group, and at last comes first.
        shifts = {part: SHIFTS.get(part, 0.04) + (part == "hair") * 0.06 * number for part in parts}
        occluded = {"blur": {part: embed(drawn, rng, shift) for part, shift in shifts.items()}}
        for place, method in enumerate(other_methods):
            occluded[method] = {
                part: embed(drawn, rng, shift * (0.5 + 0.4 * place)) for part, shift in shifts.items()
            }
        controls = {part: embed(drawn, rng, SIZES.get(part, 0.005)) for part in parts} if control else {}
        compared.append(Compared(name, embed(drawn, rng, 0), occluded, controls))
    results = [row for group in compared for row in measure(group, crossed)]
    ranked_by = IMPORTANCE if control else SHIFT
    effects = {group.name: effects_of(group) for group in compared}
    differences = {}
    for name, order in order_parts(effects).items():
        for group in compared if name == ALL_GROUPS and len(groups) > 1 else [g for g in compared if g.name == name]:
            for part, after in pairwise(order):
                differences[group.name, part, after] = PairwiseDifference(effect(group, part, after), people)
    several = len(groups) > 1
    data = ReportData(
        title=title,
        parts=parts,
        groups=[scores_of(group, crossed) for group in compared],
        results=results,
        main_method="blur",
        draws=2 if control else 0,
        resamples=RESAMPLES,
        ranked_by=ranked_by,
        rankings=rank_parts(effects, differences),
        agreements=compare_methods(results, "blur"),
        shift_differences=[
            row
            for part in parts
            for row in shift_differences(
                part,
                "blur",
                {group.name: shift(group, group.occluded["blur"][part]) for group in compared},
                {name: [f"{name} {number}" for number in range(people)] for name in groups},
            )
        ]
        if several
        else [],
        differentials=compare_groups(compared, parts) if several else [],
        face=draw_average(parts),
        examples=draw_examples(parts, control),
        provenance={
            "recogniser": "faceplugin (sha256 " + "0123456789abcdef" * 4 + ")",
            "parser": "bisenet-resnet18",
            "precision": "bf16",
            "recipe": "box blur 15x15, sigma 5, at 224x224",
        },
        failures=[("people/a/1.jpg", "align", "no face found")],
    )
    return replace(data, methods=methods(data, FACTS))


def shift(group: Compared, after: Faces) -> Influence:
    return contrast([between(group.baseline), between(after)], [-1, 1])


def effect(group: Compared, part: str, less: str = "") -> Influence:
    """The effect of a part, or how much larger it is than that of another one."""
    conditions, weights = [between(group.baseline)], [0.0]
    for name, sign in ((part, 1.0), *([(less, -1.0)] if less else [])):
        conditions.append(between(group.occluded["blur"][name]))
        weights.append(sign)
        if group.controls:
            conditions.append(between(group.controls[name]))
            weights.append(-sign)
        else:
            weights[0] -= sign
    return contrast(conditions, weights)


def effects_of(group: Compared) -> PartEffects:
    drawn = resample_subjects(len(between(group.baseline).photos), RESAMPLES, 0)
    parts = group.occluded["blur"]
    before = [between((group.controls or dict.fromkeys(parts, group.baseline))[part]) for part in parts]
    after = [between(faces) for faces in parts.values()]
    draws = resampled_means(after, drawn) - resampled_means(before, drawn)
    return PartEffects(
        {part: effect(group, part) for part in parts}, drawn.shape[1], dict(zip(parts, draws.T, strict=True))
    )


def scores_of(group: Compared, crossed: bool) -> ReportGroup:
    baseline = compare(group.baseline).scores
    return ReportGroup(
        name=group.name,
        photos=len(group.baseline.subjects),
        subjects=int(group.baseline.subjects[-1]) + 1,
        baseline=baseline,
        occluded={part: compare(faces).scores for part, faces in group.occluded["blur"].items()},
        crossed={
            part: compare(faces, group.baseline).scores for part, faces in group.occluded["blur"].items() if crossed
        },
        controls={part: compare(faces).scores for part, faces in group.controls.items()},
    )


def measure(group: Compared, crossed: bool) -> list[PartResult]:
    """Compute the rows of a group."""
    original, people = compare(group.baseline), int(group.baseline.subjects[-1]) + 1
    rows = []
    for method, occluded in group.occluded.items():
        for part, faces in occluded.items():
            about = RowKey(
                group=group.name,
                part=part,
                occlusion=method,
                comparison=WITHIN,
                photos=len(group.baseline.subjects),
                subjects=people,
                undetected=3 if part == "hair" else 0,
                share=float((draw_mask(part) > 0).mean()),
                replaced=1.4 * float((draw_mask(part) > 0).mean()),
                control=("blobs" if part in SIZES else "moved") if group.controls and method == "blur" else "",
            )
            moved = interval(shift(group, faces), people)
            if method != "blur":
                rows.append(part_result(about, original, compare(faces), moved))
                continue
            elsewhere = interval(shift(group, group.controls[part]), people) if group.controls else UNKNOWN
            importance = interval(effect(group, part), people) if group.controls else UNKNOWN
            rows.append(
                part_result(about, original, compare(faces), moved, control_shift=elsewhere, importance=importance)
            )
            if group.controls:
                found = compare(group.controls[part])
                rows.append(part_result(replace(about, comparison=CONTROL), original, found, elsewhere))
            if crossed:
                across = contrast([between(group.baseline, group.baseline), between(faces, group.baseline)], [-1, 1])
                found = compare(faces, group.baseline)
                about = replace(about, comparison=CROSS, control="")
                rows.append(part_result(about, original, found, interval(across, people)))
    return rows


def compare_groups(compared: Sequence[Compared], parts: Sequence[str]) -> list[Differential]:
    photos = {"baseline": {group.name: named(group.name, compare(group.baseline)) for group in compared}}
    for part in parts:
        photos[part] = {group.name: named(group.name, compare(group.occluded["blur"][part])) for group in compared}
    originals = {name: group.scores.impostor for name, group in photos["baseline"].items()}
    return [
        differential(name, by_group, originals, target, threshold_of)
        for threshold_of in (ALL_GROUPS, EACH_GROUP)
        for target in STUDY_FMRS
        for name, by_group in photos.items()
    ]


def named(group: str, scores: SubjectScores) -> SubjectScores:
    """Give the people names that no other group has."""
    return scores._replace(
        sums=replace(scores.sums, subjects=np.array([f"{group} {name}" for name in scores.sums.subjects]))
    )
