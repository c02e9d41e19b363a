"""What the report reads of a study's folder: the scores of each group, and what the controls overlap."""

from collections.abc import Collection, Mapping
from functools import reduce

import numpy as np

from facepart.analysis.design import BASELINE_CONDITION, Condition
from facepart.pipeline.embedding_store import UNKNOWN
from facepart.report.report_data import ReportGroup
from facepart.scores import GroupScores
from facepart.study.comparisons import read_group_scores
from facepart.study.groups import Members
from facepart.study.photo_sets import PhotoSets
from facepart.study.setup import Setup


def read_groups(setup: Setup, members: Members, sets: Mapping[str, PhotoSets]) -> list[ReportGroup]:
    """Read the scores of every group in the conditions that the report shows: those of the main method.

    They are those of the first recogniser. What was not compared is left out.

    Args:
        setup: of the study.
        members: who is in which group.
        sets: the photos of each group.

    Raises:
        FacepartError: scores cannot be read.
    """
    return [_read_group(setup, name, sets[name], members.subjects[name]) for name in members.groups]


def _read_group(setup: Setup, name: str, sets: PhotoSets, subjects: int) -> ReportGroup:
    design, matches = setup.design, setup.matches_of(setup.first)
    # An occlusion that changed no photo was compared if photos without the part are kept, but shows nothing.
    records = [setup.first.store.photos[each].record for each in sets.names]
    occlusions = [
        occlusion
        for occlusion in map(design.of_part, design.part_names)
        if any(record.shares[occlusion.name] for record in records)
    ]

    def read(condition: Condition) -> GroupScores:
        return read_group_scores(matches, sets.resolve(condition), name)

    def read_compared(conditions: Mapping[str, Condition]) -> dict[str, GroupScores]:
        return {key: read(each) for key, each in conditions.items() if sets.is_comparable(each.photos_of)}

    controls: dict[str, GroupScores] = {}
    for each in occlusions:
        draws = read_compared({draw.name: design.condition(draw) for draw in design.controls_of(each)})
        if draws:
            controls[each.part] = reduce(GroupScores.merged_with, draws.values())
    return ReportGroup(
        name=name,
        photos=len(sets.names),
        subjects=subjects,
        baseline=read(BASELINE_CONDITION),
        baselines=read_compared({each.part: design.baseline_of(each) for each in occlusions}),
        occluded=read_compared({each.part: design.condition(each) for each in occlusions}),
        crossed=read_compared({each.part: design.condition(each, "cross") for each in occlusions if design.cross}),
        controls=controls,
    )


def control_overlaps(setup: Setup, groups: Collection[PhotoSets]) -> dict[str, dict[str, float]]:
    """Return which share of every other part the control of each part removes, averaged over draws and photos.

    Args:
        setup: of the study.
        groups: the photos of each group.

    Returns:
        Part that has a control -> other part of the study -> share, 0..1; a part that is on no photo is left out,
        and one that was added after some of these controls had been computed.
    """
    design = setup.design
    order = [part.name for part in design.measured_parts]
    found: dict[str, dict[str, float]] = {}
    for part in design.part_names:
        draws = design.controls_of(design.of_part(part))
        names = [name for sets in groups for name in sets.of(design.region_of(draws[0]))] if draws else []
        if not names:
            continue
        removed = np.concatenate([setup.first.store.overlaps(draw.name, names) for draw in draws])
        others = [other for other in design.part_names if other != part]
        columns = {other: removed[:, order.index(other)] for other in others}
        found[part] = {
            other: float(np.nanmean(column))
            for other, column in columns.items()
            if np.isfinite(column).any() and not (column == UNKNOWN).any()
        }
    return found
