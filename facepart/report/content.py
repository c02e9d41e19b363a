"""What the report is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facepart.report.results import PartResult, Ranked
from facepart.scores import GroupScores


@dataclass(frozen=True)
class GroupContent:
    """One group's scores.

    Attributes:
        name: the group's; ``all`` where the study has no table of people.
        photos: how many were compared.
        people: on them.
        original: the scores of the original photos.
        blurred: part -> the scores of photos with that part blurred, among themselves.
        crossed: part -> the scores of photos with that part blurred against the original ones; empty unless asked
            for.
    """

    name: str
    photos: int
    people: int
    original: GroupScores
    blurred: Mapping[str, GroupScores]
    crossed: Mapping[str, GroupScores]


@dataclass(frozen=True)
class Sample:
    """A photo in the contact sheet.

    Attributes:
        name: the person's.
        photo: uint8 (h, w, 3), RGB.
        blurred: part -> the photo with it blurred, likewise.
        masks: part -> uint8 (h, w), 255 where the part is.
    """

    name: str
    photo: NDArray[np.uint8]
    blurred: Mapping[str, NDArray[np.uint8]]
    masks: Mapping[str, NDArray[np.uint8]]


@dataclass(frozen=True)
class AverageFace:
    """The mean of all photos.

    Attributes:
        photo: uint8 (s, s, 3), RGB.
        parts: part -> float32 (s, s), the share of the photos in which the part covers this place, 0..1.
    """

    photo: NDArray[np.uint8]
    parts: Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Content:
    """All of a report.

    Attributes:
        title: stands on top.
        parts: those that were blurred, in their usual order.
        groups: in the order in which they are shown; at least one.
        results: a row a group and part, and where asked for a row for blurred against original.
        rankings: group, or ``all``, -> parts, the one whose loss raises impostor scores most first.
        face: the average face, coloured by the shift.
        samples: a few photos with each part blurred.
        facts: how it was made, in the order shown: what -> value (models and hashes, precision, recipe, versions).
        failures: (photo, stage, reason) of photos that could not be worked on.
    """

    title: str
    parts: Sequence[str]
    groups: Sequence[GroupContent]
    results: Sequence[PartResult]
    rankings: Mapping[str, Sequence[Ranked]]
    face: AverageFace
    samples: Sequence[Sample]
    facts: Mapping[str, str]
    failures: Sequence[tuple[str, str, str]]
