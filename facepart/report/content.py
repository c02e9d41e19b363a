"""What the report is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.differentials import Differential, ShiftDifference
from facepart.analysis.ranking import Agreement, Ranked
from facepart.analysis.results import PartResult
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
        controls: part -> the scores of photos with other places of the same size blurred, of all draws together;
            empty without a control.
    """

    name: str
    photos: int
    people: int
    original: GroupScores
    blurred: Mapping[str, GroupScores]
    crossed: Mapping[str, GroupScores]
    controls: Mapping[str, GroupScores]


@dataclass(frozen=True)
class Sample:
    """A photo in the contact sheet.

    Attributes:
        name: the person's.
        photo: uint8 (h, w, 3), RGB.
        blurred: part -> the photo with it blurred, likewise.
        masks: part -> uint8 (h, w), 255 where the part is.
        controls: part -> the photo with another place of the same size blurred, one draw; empty without a control.
        control_masks: part -> uint8 (h, w), 255 where that place is; likewise.
    """

    name: str
    photo: NDArray[np.uint8]
    blurred: Mapping[str, NDArray[np.uint8]]
    masks: Mapping[str, NDArray[np.uint8]]
    controls: Mapping[str, NDArray[np.uint8]]
    control_masks: Mapping[str, NDArray[np.uint8]]


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
        results: a row a group and part; where asked for also for blurred against original, for the control, and for
            other ways to lose a part.
        occlusion: the main way, in which parts are lost but where a row says otherwise.
        draws: of the control for each photo and part; 0 without a control.
        resamplings: of people, behind the shares of first places.
        ranked_by: ``impostor_shift`` or, with a control, ``importance``: see :mod:`facepart.analysis.ranking`.
        rankings: group, or ``all``, -> parts, the one that is worth most first.
        agreements: how parts rank in each way in which they were lost; one way, or several.
        shift_differences: shifts of every two groups, compared.
        differentials: error rates of the groups, compared; none for one group.
        face: the average face, coloured by the shift.
        samples: a few photos with each part blurred.
        facts: how it was made, in the order shown: what -> value (models and hashes, precision, recipe, versions).
        failures: (photo, stage, reason) of photos that could not be worked on.
        methods: paragraphs for a paper's methods section, of :func:`facepart.report.methods.methods`; there may be
            none.
    """

    title: str
    parts: Sequence[str]
    groups: Sequence[GroupContent]
    results: Sequence[PartResult]
    occlusion: str
    draws: int
    resamplings: int
    ranked_by: str
    rankings: Mapping[str, Sequence[Ranked]]
    agreements: Sequence[Agreement]
    shift_differences: Sequence[ShiftDifference]
    differentials: Sequence[Differential]
    face: AverageFace
    samples: Sequence[Sample]
    facts: Mapping[str, str]
    failures: Sequence[tuple[str, str, str]]
    methods: Sequence[str] = ()
