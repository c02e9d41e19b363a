"""A study's scores and embeddings -> its figures: every part, way and group, the rankings, and groups compared."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from facepart.report.differentials import (
    EACH_GROUP,
    TARGETS,
    Differential,
    ShiftDifference,
    differential,
    shift_differences,
)
from facepart.report.ranking import IMPORTANCE, SHIFT, Lead, Ranked, Worth, order_parts, rank_parts
from facepart.report.results import ALL_GROUPS, CONTROL, CROSS, WITHIN, About, PartResult, part_result
from facepart.scores.files import GroupScores
from facepart.scores.people import merged
from facepart.scores.ranks import SubjectRanks
from facepart.study.matching import UNCHANGED, Condition, Members, read_scores
from facepart.study.means import GroupMeans
from facepart.study.setup import Setup
from facepart.study.store import ORIGINAL
from facepart.study.versions import Version
from facepart.uncertainty.contrasts import draw_people
from facepart.uncertainty.influence import Influence, PeopleScores
from facepart.uncertainty.intervals import FEWEST_PEOPLE, UNKNOWN, interval

# How often people are drawn anew, and what seeds the draws, along with the group's name. With 2,000 draws, a share of
# first places is known to about 0.02.
RESAMPLINGS = 2000
SEED = 20231


@dataclass(frozen=True)
class Figures:
    """All figures of a study; see :class:`facepart.report.content.Content`."""

    results: list[PartResult]
    ranked_by: str
    rankings: dict[str, list[Ranked]]
    shift_differences: list[ShiftDifference]
    differentials: list[Differential]


def measure(setup: Setup, members: Members) -> Figures:
    """Compute all figures."""
    results: list[PartResult] = []
    shifts: dict[Version, dict[str, Influence]] = {}
    worths: dict[str, Worth] = {}
    means = {group: GroupMeans(setup, names) for group, names in members.groups.items()}
    for group, names in members.groups.items():
        found = _measure_group(setup, group, names, means[group])
        results += found.results
        worths[group] = found.worth
        for version, shift in found.shifts.items():
            shifts.setdefault(version, {})[group] = shift
    people = {group: list(each.people) for group, each in means.items()}
    apart = [
        each
        for version, by_group in shifts.items()
        for each in shift_differences(version.part, version.way.name, by_group, people)
    ]
    return Figures(
        results=results,
        ranked_by=IMPORTANCE if setup.request.control else SHIFT,
        rankings=rank_parts(worths, _leads(setup, worths, means)),
        shift_differences=apart,
        differentials=list(_differentials(setup, members)),
    )


@dataclass(frozen=True)
class _GroupFigures:
    results: list[PartResult]
    shifts: dict[Version, Influence]
    worth: Worth


def _measure_group(setup: Setup, group: str, names: Sequence[str], means: GroupMeans) -> _GroupFigures:
    """Compute the figures of every part in a group."""
    output, people = setup.request.output, len(means.people)
    original = read_scores(output, UNCHANGED, group)
    resamplings = RESAMPLINGS if people >= FEWEST_PEOPLE else 0
    weights = draw_people(people, resamplings, SEED + zlib.crc32(group.encode()))
    unchanged = means.resampled(ORIGINAL, weights)
    results: list[PartResult] = []
    shifts: dict[Version, Influence] = {}
    parts: dict[str, Influence] = {}
    draws: dict[str, NDArray[np.float64]] = {}
    for version in setup.versions:
        if version.draw:
            continue
        shifts[version] = shift = means.shift(version.name)
        controls = controls_of(setup, version)
        scores = read_scores(output, Condition(version.name), group)
        control_shift = importance = None
        if controls:
            control_shift, importance = means.control_shift(controls), means.beyond(version.name, controls)
        if version.way == setup.ways[0]:
            parts[version.part] = importance or shift
            drawn = [means.resampled(each, weights) for each in controls]
            base = np.mean(drawn, axis=0) if controls else unchanged
            draws[version.part] = means.resampled(version.name, weights) - base
        results.append(
            part_result(
                _about(setup, group, names, people, version, WITHIN),
                original,
                scores,
                interval(shift, people),
                control_shift=interval(control_shift, people) if control_shift else UNKNOWN,
                importance=interval(importance, people) if importance else UNKNOWN,
            )
        )
        if controls and control_shift:
            lost = merged_scores([read_scores(output, Condition(each), group) for each in controls])
            about = _about(setup, group, names, people, version, CONTROL)
            results.append(part_result(about, original, lost, interval(control_shift, people)))
        if setup.request.cross and version.way == setup.ways[0]:
            crossed = read_scores(output, Condition(version.name, cross=True), group)
            about = _about(setup, group, names, people, version, CROSS)
            shift = means.shift(version.name, cross=True)
            results.append(part_result(about, original, crossed, interval(shift, people)))
    return _GroupFigures(results, shifts, Worth(parts, people, draws))


def controls_of(setup: Setup, version: Version) -> list[str]:
    """Name the draws of a version's control; none for other ways than the main one."""
    return [
        each.name for each in setup.versions if each.draw and (each.part, each.way) == (version.part, version.way)
    ]


def merged_scores(draws: Sequence[PeopleScores]) -> PeopleScores:
    """Add up the scores of several draws of a control."""
    scores = reduce(GroupScores.merged_with, (draw.scores for draw in draws))
    ranks = [draw.ranks for draw in draws if draw.ranks is not None]
    all_ranks = reduce(SubjectRanks.merged_with, ranks) if ranks else None
    return PeopleScores(scores, merged([draw.sums for draw in draws]), all_ranks)


def _about(setup: Setup, group: str, names: Sequence[str], people: int, version: Version, comparison: str) -> About:
    """Say what a row is about, and how much of the photos is lost there."""
    rows = [setup.store.rows[name] for name in names]
    controls = controls_of(setup, version)
    lost = controls if comparison == CONTROL else [version.name]
    kinds = [row.controls[each] for row in rows for each in controls if each in row.controls]
    return About(
        group=group,
        part=version.part,
        occlusion=version.way.name,
        comparison=comparison,
        photos=len(names),
        people=people,
        missing=sum(not row.pixels[version.part] for row in rows),
        share=float(np.mean([row.pixels[version.part] / max(row.head, 1) for row in rows])),
        replaced=float(np.mean([row.shares[each] for row in rows for each in lost])),
        control=_in_words(kinds),
    )


def _in_words(kinds: Sequence[str]) -> str:
    """Name the kinds of control, with their shares where there are several."""
    found = sorted(set(kinds), key=lambda kind: -kinds.count(kind))
    if len(found) < 2:
        return "".join(found)
    return ", ".join(f"{kind} {kinds.count(kind) / len(kinds):.1%}" for kind in found)


def _leads(
    setup: Setup, worths: Mapping[str, Worth], means: Mapping[str, GroupMeans]
) -> dict[tuple[str, str, str], Lead]:
    """Compare each part with the next, in every order in which they are ranked."""
    versions = {version.part: version for version in setup.versions if version.way == setup.ways[0]}
    named = {part: [Version(part, each.way).name, *controls_of(setup, each)] for part, each in versions.items()}
    found: dict[tuple[str, str, str], Lead] = {}
    for name, order in order_parts(worths).items():
        for group in means if name == ALL_GROUPS else [name]:
            for first, second in pairwise(order):
                if (group, first, second) not in found:
                    difference = means[group].lead(named[first], named[second])
                    found[group, first, second] = Lead(difference, worths[group].people)
    return found


def _differentials(setup: Setup, members: Members) -> Iterator[Differential]:
    """Compare the error rates of the groups, if there are several: of the original photos, then of each part."""
    if len(members.groups) < 2:
        return
    output, common = setup.request.output, setup.request.threshold_group or ALL_GROUPS
    originals = {group: read_scores(output, UNCHANGED, group) for group in members.groups}
    impostor = {group: each.scores.impostor for group, each in originals.items()}
    for photos in (ORIGINAL, *setup.parts):
        groups = originals
        if photos != ORIGINAL:
            condition = Condition(Version(photos, setup.ways[0]).name)
            groups = {group: read_scores(output, condition, group) for group in members.groups}
        for target in TARGETS:
            for threshold_of in (common, EACH_GROUP):
                yield differential(photos, groups, impostor, target, threshold_of)
