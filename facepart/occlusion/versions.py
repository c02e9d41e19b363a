"""What a photo is made into before it is embedded: with a part lost, in some way, or with the part's control lost.

The versions of a photo are named ``<part>``, with ``_<way>`` unless it is the original study's blur, and with
``_control<draw>`` for a control: ``nose``, ``nose_grey``, ``nose_blur-25``, ``nose_control2``.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.occlusion.control import control_mask
from facepart.occlusion.method import STANDARD, Way
from facepart.occlusion.occlude import occlude_parts
from facepart.occlusion.parts import PARTS, part_mask


@dataclass(frozen=True)
class Version:
    """A photo with something lost.

    Attributes:
        part: the part.
        way: how it is lost.
        draw: 0 for the part itself; from 1 on the draws of its control, which is lost in the same way.
    """

    part: str
    way: Way = STANDARD
    draw: int = 0

    @property
    def name(self) -> str:
        """Its name, fit for a file."""
        way = "" if self.way == STANDARD else f"_{self.way.name}"
        return f"{self.part}{way}{f'_control{self.draw}' if self.draw else ''}"


class Made(NamedTuple):
    """A version of a photo.

    Attributes:
        photo: uint8 (h, w, 3), RGB.
        mask: uint8 (512, 512), 0 or 255: where the part or its control is; empty where the part is not found.
        share: how much of the photo was replaced, 0..1.
        control: the kind of control (:mod:`facepart.occlusion.control`); empty where it is none.
    """

    photo: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    share: float
    control: str


def versions_of(parts: Sequence[str], ways: Sequence[Way] = (STANDARD,), draws: int = 0) -> list[Version]:
    """List the versions of a study: every part in every way, and the controls of the first way."""
    lost = [Version(part, way) for way in ways for part in parts]
    return lost + [Version(part, ways[0], draw) for draw in range(1, draws + 1) for part in parts]


def make_versions(
    photo: NDArray[np.uint8], labels: NDArray[np.uint8], versions: Iterable[Version], name: str
) -> dict[Version, Made]:
    """Make versions of a photo.

    Args:
        photo: uint8 (h, w, 3), RGB.
        labels: its label map, uint8 (512, 512).
        versions: which ones.
        name: the photo's; it seeds the draws of its controls, so that they do not depend on anything else.
    """
    alike: dict[tuple[Way, int], list[Version]] = {}
    for version in versions:
        alike.setdefault((version.way, version.draw), []).append(version)
    made: dict[Version, Made] = {}
    for (way, draw), found in alike.items():
        masks: dict[str, NDArray[np.uint8]] = {}
        kinds: Mapping[str, str] = {}
        if draw:
            controls = {each.part: control_mask(labels, each.part, _seed(name, each), way) for each in found}
            masks = {part: control.mask for part, control in controls.items()}
            kinds = {part: control.kind for part, control in controls.items()}
        else:
            masks = {each.part: part_mask(labels, each.part) for each in found}
        occluded = occlude_parts(photo, masks, way)
        for version in found:
            part = version.part
            made[version] = Made(occluded[part].photo, masks[part], occluded[part].share, kinds.get(part, ""))
    return made


def _seed(name: str, version: Version) -> tuple[int, ...]:
    return zlib.crc32(name.encode()), list(PARTS).index(version.part), version.draw
