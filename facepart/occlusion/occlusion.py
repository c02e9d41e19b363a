"""What is occluded in a photo, and how: a region and a method.

The occlusion of nothing is the baseline. An occlusion's name is fit for a file: ``baseline``, ``<part>``, with
``_<method>`` unless it is the original study's blur, and with ``_control<draw>`` for a control region: ``nose``,
``nose_grey``, ``nose_blur-25``, ``nose_control2``.
"""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.occlusion import control
from facepart.occlusion.method import BOXED, STANDARD, OcclusionMethod
from facepart.occlusion.parts import PARTS, part_mask
from facepart.occlusion.recipe import REFERENCE, SIGMA


@dataclass(frozen=True)
class Region:
    """Where a photo is occluded.

    Attributes:
        part: a part of the face, a key of :data:`facepart.occlusion.parts.PARTS`; empty for nowhere.
        draw: 0 for the part itself; from 1 on, a draw of its area-matched control region.
    """

    part: str = ""
    draw: int = 0
    patch: bool = False

    def find(self, labels: NDArray[np.uint8], name: str, method: OcclusionMethod) -> control.Control:
        """Find the region on a label map.

        Args:
            labels: uint8 (512, 512).
            name: the photo's name. It seeds the draw of a control region, so that it depends on nothing else.
            method: its dilation matters for a control region.
        """
        if not self.draw:
            return control.Control(part_mask(labels, self.part), "")
        seed = zlib.crc32(name.encode()), list(PARTS).index(self.part), self.draw
        return control.control_mask(labels, self.part, seed, method)


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
        """The part that is occluded, or whose control region is; empty for the baseline."""
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
            "dilations_5x5": part.dilations,
            "dilation": float(self.method.dilation),
            "mask_sigma": SIGMA,
            "reference_size": REFERENCE,
        }
        if self.method.occluder in BOXED:
            described["box"] = self.method.box
        if self.region.draw:
            described["control"] = {"version": control.VERSION, "draw": self.region.draw}
        return described


BASELINE = Occlusion()
