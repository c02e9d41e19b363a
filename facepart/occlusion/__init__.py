"""Part masks -> soft masks -> photos with one part gone."""

from facepart.occlusion.blur import blend, blur_parts
from facepart.occlusion.run import BlurOutcome, blur_photos
from facepart.occlusion.soften import soft_mask

__all__ = ["BlurOutcome", "blend", "blur_parts", "blur_photos", "soft_mask"]
