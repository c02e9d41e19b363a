"""What is occluded in a photo, and how: a region and a method.

The occlusion of nothing is the baseline. An occlusion's name is fit for a file: ``baseline``, ``<part>``, with
``_<method>`` unless it is the original study's blur, and with ``_control<draw>`` for a control region: ``nose``,
``nose_grey``, ``nose_blur-25``, ``nose_control2``, ``eyes+nose``. An equal-area patch is ``<part>_patch``,
likewise with ``_<method>``: ``nose_patch``, ``nose_patch_grey``. Keep-only, which occludes the whole photo but the
part, is ``keep_<part>``: ``keep_nose``, ``keep_nose_grey``.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.errors import UsageError
from facepart.occlusion import control, patch
from facepart.occlusion.landmarks import Landmarks
from facepart.occlusion.method import BOXED, STANDARD, OcclusionMethod
from facepart.occlusion.parts import Part, part_layers
from facepart.occlusion.recipe import PATCH_SIGMA, REFERENCE, SIGMA

# To be raised whenever keep-only comes to leave other pixels of a photo.
KEEP_ONLY_VERSION = 1


class FoundRegion(NamedTuple):
    """A region on a label map.

    Attributes:
        layers: masks, uint8 (512, 512), 0 or 255, each with the dilations by which it grows; a union has several.
        kind: the kind of a control region (:mod:`facepart.occlusion.control`); empty where it is not one.
    """

    layers: tuple[tuple[NDArray[np.uint8], int], ...]
    kind: str = ""

    @property
    def mask(self) -> NDArray[np.uint8]:
        """The region's mask, uint8 (512, 512), 0 or 255."""
        masks = [mask for mask, _ in self.layers]
        return masks[0] if len(masks) == 1 else np.maximum.reduce(masks)


@dataclass(frozen=True)
class Region:
    """Where a photo is occluded.

    Attributes:
        part: a part of the face; None for nowhere.
        draw: 0 for the part itself; from 1 on, a draw of its area-matched control region.
        patch: whether it is the equal-area patch inside the part.
        keep_only: whether it is the whole photo but the part: its soft mask is what that of the part leaves, so that
            the two together are the photo. Where the part is not found, there is no such region.

    Raises:
        UsageError: the part has places, but fewer than `draw`; a patch with a draw; or keep-only of nothing, of a
            draw or of a patch.
    """

    part: Part | None = None
    draw: int = 0
    patch: bool = False
    keep_only: bool = False

    def __post_init__(self) -> None:
        places = len(self.part.places) if self.part else 0
        if places and self.draw > places:
            raise UsageError(f"{self.draw} control positions: there are {places}")
        if self.patch and self.draw:
            raise UsageError("equal-area patches have no control")
        if self.keep_only and (self.part is None or self.draw or self.patch):
            raise UsageError("keep-only is of a part itself, not of a control or a patch")

    @property
    def needs_landmarks(self) -> bool:
        """Whether it can only be found by the landmarks of the face."""
        return self.part is not None and self.part.needs_landmarks

    def find(
        self, labels: NDArray[np.uint8], method: OcclusionMethod, landmarks: Landmarks | None = None
    ) -> FoundRegion:
        """Find the region on a label map; for keep-only, the part that is left.

        Args:
            labels: uint8 (512, 512).
            method: its dilation matters for a control region.
            landmarks: of the face, for a part that needs them.
        """
        if self.part is None:
            return FoundRegion(((np.zeros_like(labels), 0),))
        if self.patch:
            return FoundRegion(((patch.patch_mask(labels, self.part, landmarks), 0),))
        if not self.draw:
            return FoundRegion(tuple(part_layers(labels, self.part, landmarks)))
        mask, kind = control.control_mask(labels, self.part, self.draw, method)
        return FoundRegion(((mask, self.part.dilations),), kind)


@dataclass(frozen=True)
class Occlusion:
    """A region of the face, and the method that occludes it.

    Attributes:
        region: where.
        method: how.
    """

    region: Region = Region()
    method: OcclusionMethod = STANDARD

    @property
    def part(self) -> str:
        """Name of the part that is occluded, whose control or patch is, or that is left; empty for the baseline."""
        return self.region.part.name if self.region.part else ""

    @property
    def name(self) -> str:
        """Its name, fit for a file."""
        if not self.part:
            return "baseline"
        method = "" if self.method == STANDARD else f"_{self.method.name}"
        draw = f"_control{self.region.draw}" if self.region.draw else ""
        keep = "keep_" if self.region.keep_only else ""
        return f"{keep}{self.part}{'_patch' if self.region.patch else ''}{method}{draw}"

    def recipe(self) -> dict[str, Any]:
        """Return all that the occluded photo depends on besides the photo and its label map, as JSON values.

        Different occlusions of one name have different recipes: when a constant or a part's classes change, what was
        made before is known to be outdated.
        """
        part = self.region.part
        if part is None:
            return {}
        described: dict[str, Any] = {
            "occluder": self.method.occluder,
            **part.recipe(),
            **({"dilations_5x5": 0} if self.region.patch else {}),
            "dilation": float(self.method.dilation),
            "mask_sigma": PATCH_SIGMA if self.region.patch else SIGMA,
            "reference_size": REFERENCE,
        }
        if self.method.occluder in BOXED:
            described["box"] = self.method.box
        if self.method.average:
            described["average"] = self.method.average
        if self.region.draw:
            place = list(part.places[self.region.draw - 1]) if part.places else None
            described["control"] = {"version": control.VERSION, "draw": self.region.draw, "place": place}
        if self.region.patch:
            described["patch"] = {"version": patch.VERSION, "pixels": patch.PIXELS}
        if self.region.keep_only:
            described["keep_only"] = {"version": KEEP_ONLY_VERSION}
        return described


BASELINE = Occlusion()
