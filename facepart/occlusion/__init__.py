"""Part masks -> soft masks -> photos with one part gone."""

from facepart.occlusion.occlude import Occluded, blend, occlude_parts
from facepart.occlusion.run import BlurOutcome, blur_photos
from facepart.occlusion.soften import soft_mask

__all__ = ["BlurOutcome", "Occluded", "blend", "blur_photos", "occlude_parts", "soft_mask"]
