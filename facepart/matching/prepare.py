"""The features of a group -> two sides with numbered subjects and photos, and the number of pairs to compare."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.data.labels import readable_depth
from facepart.data.naming_conventions import Exclusion, Rule
from facepart.errors import FacepartError
from facepart.matching.faces import Faces, PairCounts, count_pairs, number
from facepart.matching.features import Features, refuse_unlike
from facepart.matching.groups import Group
from facepart.matching.output import Save, choose_save, group_settings, size_of_pairs
from facepart.matching.same_photo import photo_keys


@dataclass(frozen=True)
class MatchOutcome:
    """What a run compared.

    Attributes:
        group: its name.
        probes: faces looked for.
        gallery: faces they were compared with; None if with each other.
        subjects: number of subjects on both sides.
        authentic: authentic scores written.
        impostor: impostor scores written.
        left_out: pairs not compared because both sides are the same photo.
        excluded: authentic pairs not compared because both photos are from one session; None without such a rule.
        saved: what was written: ``pairs``, ``distribution`` or ``both``.
        pair_bytes: how large the files of the pairs are, or would be.
        ranked: probes that have a rank; None if ranks were not counted.
        ranked_first: those of them with rank 1; likewise.
    """

    group: str
    probes: int
    gallery: int | None
    subjects: int
    authentic: int
    impostor: int
    left_out: int
    excluded: int | None
    saved: Save
    pair_bytes: int
    ranked: int | None = None
    ranked_first: int | None = None


@dataclass(frozen=True)
class Prepared:
    """A group ready to be compared.

    Attributes:
        group: its features.
        subjects: their names by number, sorted.
        left: the probes, not normalised yet.
        right: the gallery, likewise; None if the probes are compared with each other.
        counts: how many pairs there are.
        outcome: what will have been compared.
        settings: for the record.
    """

    group: Group
    subjects: NDArray[np.str_]
    left: Faces
    right: Faces | None
    counts: PairCounts
    outcome: MatchOutcome
    settings: dict[str, Any]


def label_depth(groups: Sequence[Group], rule: Rule, exclusion: Exclusion | None) -> int:
    """Return the depth of labels that tells all photos of some groups apart, and shows what is read from them."""
    sides = [side.longest for group in groups for side in group.sides]
    return readable_depth(sides, [rule] if exclusion is None else [rule, exclusion.session])


def prepare(
    group: Group, rule: Rule, exclusion: Exclusion | None, common: dict[str, Any], save: Save | None
) -> Prepared:
    """Number the subjects and photos, and count the pairs to compare.

    Args:
        group: its features, with labels of the depth that they are to have.
        rule: the naming convention: label -> subject.
        exclusion: which authentic pairs are left out; None if none are.
        common: settings that all groups share, for the record.
        save: what was asked to be written.

    Raises:
        FacepartError: all photos show one subject, the features of the two sides do not go together, or a label does
            not fit a rule.
    """
    probe, gallery = group.probe, group.gallery
    if gallery is not None:
        refuse_unlike(probe, gallery)
    sides = [probe] if gallery is None else [probe, gallery]
    shown = [[rule(label) for label in side.labels] for side in sides]
    # Sorted, as in the file of sums by subject.
    subjects = sorted(set().union(*shown))
    subject_numbers: dict[Hashable, int] = {name: place for place, name in enumerate(subjects)}
    photo_numbers: dict[Hashable, int] = {}
    session_numbers: dict[Hashable, int] = {}
    by_label = common["include_same_photo"] or gallery is None
    photos = [side.labels for side in sides] if by_label else photo_keys(sides, shown)
    left, *rest = (
        Faces(
            side.matrix,
            number(names, subject_numbers),
            number(keys, photo_numbers),
            None if exclusion is None else number(_sessions(side, names, exclusion), session_numbers),
        )
        for side, names, keys in zip(sides, shown, photos, strict=True)
    )
    right = rest[0] if rest else None
    counts = count_pairs(left, right)
    if not counts.impostor:
        sources = str(probe.source) if gallery is None else f"{probe.source} and {gallery.source}"
        raise FacepartError(
            f"{sources}: all features {f'of group {group.name!r} ' if group.people else ''}show one subject, "
            f"{subjects[0]!r}, so there are no impostor pairs; if there should be more, the naming convention "
            "does not fit: try another -d or --subject-pattern"
        )
    outcome = MatchOutcome(
        group=group.name,
        probes=len(probe.labels),
        gallery=None if gallery is None else len(gallery.labels),
        subjects=len(subjects),
        authentic=counts.authentic,
        impostor=counts.impostor,
        left_out=counts.left_out,
        excluded=None if exclusion is None else counts.excluded,
        saved=choose_save(save, counts),
        pair_bytes=size_of_pairs(counts),
    )
    names = np.array(subjects, dtype=np.str_)
    return Prepared(group, names, left, right, counts, outcome, group_settings(group, common))


def _sessions(features: Features, subjects: Sequence[str], exclusion: Exclusion) -> Sequence[Hashable]:
    """Return the session of each face, with its subject, since a session may have several subjects."""
    return [(subject, exclusion.session(label)) for subject, label in zip(subjects, features.labels, strict=True)]
