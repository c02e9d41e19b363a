"""Where masks and blurred photos lie."""

from pathlib import Path

from facepart.data.photos import Photo


def mask_path(masks: Path, photo: Photo, part: str) -> Path:
    """Give the file of a part's mask below the folder of masks."""
    return masks / f"mask_{part}" / f"{photo.name}_annotation.png"


def blurred_path(blurred: Path, photo: Photo, part: str, extension: str = ".png") -> Path:
    """Give the file of a photo with a part blurred, below the folder of blurred photos."""
    return blurred / f"blurred_{part}" / f"{photo.name}{extension}"
