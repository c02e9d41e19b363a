"""What is occluded in a photo, and how: a region and a method.

The occlusion of nothing is the baseline. An occlusion's name is fit for a file: ``baseline``, ``<part>``, with
``_<method>`` unless it is the original study's blur, and with ``_control<draw>`` for a control region: ``nose``,
``nose_grey``, ``nose_blur-25``, ``nose_control2``. An equal-area patch is ``<part>_patch``, likewise with
``_<method>``: ``nose_patch``, ``nose_patch_grey``.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.errors import UsageError
from facepart.occlusion import control, patch
from facepart.occlusion.method import BOXED, STANDARD, OcclusionMethod
from facepart.occlusion.parts import PARTS, part_mask
from facepart.occlusion.recipe import PATCH_SIGMA, REFERENCE, SIGMA


@dataclass(frozen=True)
class Region:
    """Where a photo is occluded.

    Attributes:
        part: a part of the face, a key of :data:`facepart.occlusion.parts.PARTS`; empty for nowhere.
        draw: 0 for the part itself; from 1 on, a draw of its area-matched control region.
        patch: whether it is the equal-area patch inside the part.

    Raises:
        UsageError: the part has places, but fewer than `draw`; or a patch with a draw.
    """

    part: str = ""
    draw: int = 0
    patch: bool = False

    def __post_init__(self) -> None:
        places = len(PARTS[self.part].places) if self.part else 0
        if places and self.draw > places:
            raise UsageError(f"{self.draw} control draws: there are places for {places}")
        if self.patch and self.draw:
            raise UsageError("equal-area patches have no control")

    def find(self, labels: NDArray[np.uint8], method: OcclusionMethod) -> control.Control:
        """Find the region on a label map.

        Args:
            labels: uint8 (512, 512).
            method: its dilation matters for a control region.
        """
        if self.patch:
            return control.Control(patch.patch_mask(labels, self.part), "")
        if not self.draw:
            return control.Control(part_mask(labels, self.part), "")
        return control.control_mask(labels, self.part, self.draw, method)


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
        """The part that is occluded, or whose control region or patch is; empty for the baseline."""
        return self.region.part

    @property
    def name(self) -> str:
        """Its name, fit for a file."""
        if not self.part:
            return "baseline"
        method = "" if self.method == STANDARD else f"_{self.method.name}"
        draw = f"_control{self.region.draw}" if self.region.draw else ""
        return f"{self.part}{'_patch' if self.region.patch else ''}{method}{draw}"

    def recipe(self) -> dict[str, Any]:
        """Return all that the occluded photo depends on besides the photo and its label map, as JSON values.

        Different occlusions of one name have different recipes: when a constant or a part's classes change, what was
        made before is known to be outdated.
        """
        if not self.part:
            return {}
        part = PARTS[self.part]
        described: dict[str, Any] = {
            "occluder": self.method.occluder,
            "classes": list(part.classes),
            "dilations_5x5": 0 if self.region.patch else part.dilations,
            "dilation": float(self.method.dilation),
            "mask_sigma": PATCH_SIGMA if self.region.patch else SIGMA,
            "reference_size": REFERENCE,
        }
        if self.method.occluder in BOXED:
            described["box"] = self.method.box
        if self.region.draw:
            place = list(part.places[self.region.draw - 1]) if part.places else None
            described["control"] = {"version": control.VERSION, "draw": self.region.draw, "place": place}
        if self.region.patch:
            described["patch"] = {"version": patch.VERSION, "pixels": patch.PIXELS}
        return described


BASELINE = Occlusion()
