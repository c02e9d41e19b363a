"""A study's embeddings -> the scores of each group in each condition, as files of the matcher.

The scores of a condition lie in ``matches/<condition>``: ``original``, a version's name (photos of that version,
among themselves; :mod:`facepart.study.versions`) or ``cross_<version>`` (those against the original photos). What was
compared already, of the same photos with the same settings, is not compared again.
"""

import hashlib
import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from facepart.errors import FacepartError
from facepart.files.atomic import write_text
from facepart.images import Photo
from facepart.lists.features import label_of
from facepart.lists.people import People
from facepart.matching.features import Features
from facepart.matching.groups import Group, split_by_people
from facepart.matching.output import Save
from facepart.matching.run import match_groups
from facepart.metrics import supports, threshold_at_fmr
from facepart.report.differentials import TARGETS, common_threshold
from facepart.report.results import ALL_GROUPS
from facepart.scores import GroupScores, load_scores
from facepart.scores.people import load_people, people_path
from facepart.scores.ranks import load_ranks, ranks_by_subject, ranks_path
from facepart.study.store import ORIGINAL, Store
from facepart.study.versions import Version
from facepart.subjects import Exclusion, Rule
from facepart.uncertainty.influence import PeopleScores

MATCHES_FOLDER = "matches"
_DONE_FILE = "compared.json"
_CROSS = "cross_"
# Of thresholds down to which scores are counted by person.
_ROUNDING = 0.02


@dataclass(frozen=True)
class Members:
    """Who is in which group.

    Attributes:
        groups: group -> the names of its photos, sorted.
        people: group -> how many people they show.
        without_row: people without a row in the table, sorted.
        without_group: people whose row names no group, sorted.
    """

    groups: dict[str, list[str]]
    people: dict[str, int]
    without_row: list[str]
    without_group: list[str]

    def of(self, photos: Sequence[Photo]) -> list[Photo]:
        """Give the photos that are in a group."""
        named = {name for names in self.groups.values() for name in names}
        return [photo for photo in photos if photo.name in named]

    def only(self, names: Collection[str], rule: Rule) -> "Members":
        """Give the same groups without the photos that are not among `names`."""
        chosen = set(names)
        groups = {group: [name for name in found if name in chosen] for group, found in self.groups.items()}
        people = {group: _count_people(found, rule) for group, found in groups.items()}
        return replace(self, groups=groups, people=people)


@dataclass(frozen=True)
class Condition:
    """What is compared.

    Attributes:
        probe: ``original``, or a version's name.
        cross: whether with the original photos; else with each other.
    """

    probe: str
    cross: bool = False

    @property
    def name(self) -> str:
        """Its name, fit for a file."""
        return f"{_CROSS}{self.probe}" if self.cross else self.probe

    def pairs(self, photos: int) -> int:
        """Count the pairs of so many photos, those that are left out among them."""
        return photos * photos if self.cross else photos * (photos - 1) // 2


UNCHANGED = Condition(ORIGINAL)


def conditions_of(versions: Sequence[Version], cross: bool) -> list[Condition]:
    """List the conditions of a study, the original photos first; parts lost in the main way are crossed."""
    main = versions[0].way
    crossed = [version for version in versions if version.way == main and not version.draw] if cross else []
    return [
        UNCHANGED,
        *(Condition(version.name) for version in versions),
        *(Condition(version.name, cross=True) for version in crossed),
    ]


def assign_groups(names: Sequence[str], people: People | None, rule: Rule, wanted: Sequence[str]) -> Members:
    """Sort photos into groups, by the table of people; without one, all are one group.

    Raises:
        FacepartError: the table has no such group, one named ``all`` among others, or none of the photos belongs to
            one.
    """
    if people is None:
        return Members({ALL_GROUPS: sorted(names)}, {ALL_GROUPS: _count_people(names, rule)}, [], [])
    paths = [_feature(ORIGINAL, name) for name in sorted(names)]
    labels = [label_of(path) for path in paths]
    photos = Features(Path("the photos"), np.empty((len(paths), 0), np.float32), labels, paths, None)
    split = split_by_people(photos, None, people, rule, wanted)
    groups = {group.name: [_name_of(path) for path in group.probe.paths] for group in split.groups}
    if ALL_GROUPS in groups and len(groups) > 1:
        raise FacepartError(
            f"{people.source}: has a group {ALL_GROUPS!r}, which is the name of all groups together; rename it, or "
            "choose the others with --groups"
        )
    counts = {group: _count_people(found, rule) for group, found in groups.items()}
    return Members(groups, counts, split.without_row, split.without_group)


def refuse_single_people(members: Members, source: Path) -> None:
    """Refuse a group that shows one person.

    Raises:
        FacepartError: there is such a group, so that it has no impostor pairs.
    """
    for group, count in members.people.items():
        if count < 2:  # none where no photo of the group could be embedded
            shown = f"{'' if group == ALL_GROUPS else f'of group {group!r} '}show {'one' if count else 'no'} person"
            raise FacepartError(
                f"{source}: the photos {shown}, so there are no impostor pairs; "
                "if it should be more, try another -d or --subject-pattern, else choose other groups with --groups"
            )


def refuse_photos_without_session(members: Members, exclusion: Exclusion | None) -> None:
    """Refuse photos whose names do not tell their session, if authentic pairs of one session are left out.

    Raises:
        FacepartError: there is such a photo in a group.
    """
    if exclusion is not None:
        for names in members.groups.values():
            for name in names:
                exclusion.session(label_of(_feature(ORIGINAL, name)))


def subject_of(name: str, rule: Rule) -> str:
    """Tell who is on a photo."""
    return rule(label_of(_feature(ORIGINAL, name)))


def features_of(store: Store, condition: str, names: Sequence[str]) -> Features:
    """Give the embeddings of photos as the matcher takes them, with the labels that their files would have."""
    paths = [_feature(condition, name) for name in names]
    labels = [label_of(path) for path in paths]
    return Features(Path(condition), store.embeddings(condition, names), labels, paths, None)


def compare_group(
    output: Path,
    store: Store,
    condition: Condition,
    group: str,
    names: Sequence[str],
    *,
    down_to: float,
    settings: Mapping[str, Any],
    keep_pairs: bool,
    options: Mapping[str, Any],
) -> bool:
    """Compare the photos of a group in one condition, unless that was done before.

    Args:
        output: the study's folder.
        store: the embeddings.
        condition: one of :func:`conditions_of`.
        group: the group's name.
        names: its photos.
        down_to: see :func:`facepart.matching.run.match_groups`.
        settings: what else the scores depend on: that of the embeddings, the naming rule.
        keep_pairs: whether the pairs are written, too.
        options: of :func:`facepart.matching.run.match_groups`.

    Returns:
        Whether there was something to do.
    """
    folder = output / MATCHES_FOLDER / condition.name
    told = [settings, condition.name, down_to, [(name, store.rows[name].signature) for name in names]]
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    done = _read_done(folder)
    files = [folder / f"{group}_scores.npz", people_path(folder, group), ranks_path(folder, group)]
    pairs = [folder / f"{group}_{kind}.npy" for kind in ("authentic", "impostor")]
    # Pairs that an earlier run kept are made anew with the rest, so that they never belong to other scores.
    with_pairs = keep_pairs or any(path.exists() for path in pairs)
    if done.get(group) == digest and all(path.exists() for path in files + pairs * with_pairs):
        return False
    gallery = features_of(store, ORIGINAL, names) if condition.cross else None
    whole = Group(group, features_of(store, condition.probe, names), gallery)
    save: Save = "both" if with_pairs else "distribution"
    for _ in match_groups([whole], folder, save=save, ranks=True, down_to=down_to, **options):
        write_text(folder / _DONE_FILE, json.dumps({**done, group: digest}, indent=2) + "\n")
    return True


def lowest_thresholds(output: Path, members: Members, threshold_group: str | None) -> dict[str, float]:
    """Give, for each group, the lowest threshold at which error rates are asked for with parts lost.

    These are the thresholds for FMR 1e-3 of the group's original photos and of those that all groups share; a little
    lower, so that another group that is added moves them seldom.
    """
    originals = {group: read_group_scores(output, UNCHANGED, group).impostor for group in members.groups}
    common = common_threshold(originals, TARGETS[0], threshold_group or ALL_GROUPS)
    found = {}
    for group, scores in originals.items():
        own = threshold_at_fmr(scores, TARGETS[0]) if supports(scores, TARGETS[0]) else 1.0
        found[group] = math.floor(min(own, 1.0 if common is None else common) / _ROUNDING) * _ROUNDING
    return found


def read_group_scores(output: Path, condition: Condition, group: str) -> GroupScores:
    """Read the scores that :func:`compare_group` wrote."""
    return load_scores(output / MATCHES_FOLDER / condition.name / f"{group}_scores.npz")


def read_scores(output: Path, condition: Condition, group: str) -> PeopleScores:
    """Read the scores that :func:`compare_group` wrote, their sums by person, which are large, and the ranks."""
    folder = output / MATCHES_FOLDER / condition.name
    sums = load_people(people_path(folder, group))
    ranks = ranks_by_subject(load_ranks(ranks_path(folder, group)), sums.people)
    return PeopleScores(read_group_scores(output, condition, group), sums, ranks)


def _feature(condition: str, name: str) -> Path:
    return Path(condition) / f"{name}.npy"


def _name_of(feature: Path) -> str:
    return feature.relative_to(ORIGINAL).as_posix().removesuffix(".npy")


def _count_people(names: Sequence[str], rule: Rule) -> int:
    return len({subject_of(name, rule) for name in names})


def _read_done(folder: Path) -> dict[str, str]:
    """Read what was compared before; a file that is none is as good as none."""
    try:
        found = json.loads((folder / _DONE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
