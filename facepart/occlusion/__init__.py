"""Part masks -> soft masks -> photos with one part gone."""

from facepart.occlusion.control import BLOBS, MOVED, Control, control_mask
from facepart.occlusion.occlude import Occluded, blend, occlude_parts
from facepart.occlusion.run import BlurOutcome, blur_photos
from facepart.occlusion.soften import soft_mask
from facepart.occlusion.way import OCCLUSIONS, STANDARD, Way, choose_way, sweep

__all__ = [
    "BLOBS",
    "MOVED",
    "OCCLUSIONS",
    "STANDARD",
    "BlurOutcome",
    "Control",
    "Occluded",
    "Way",
    "blend",
    "blur_photos",
    "choose_way",
    "control_mask",
    "occlude_parts",
    "soft_mask",
    "sweep",
]
