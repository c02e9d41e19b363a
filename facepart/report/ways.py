"""Names of occlusion methods, in words."""

from facepart.occlusion.method import BOXED, STANDARD_BOX

_DONE = {
    "blur": "blurred",
    "mean": "replaced by the photo’s mean colour",
    "grey": "replaced by mid-grey",
    "noise": "replaced by random noise",
    "pixelate": "pixelated",
    "inpaint": "filled in from around them",
}


def in_words(way: str) -> str:
    """Say what was done to parts; the name itself if it is none of a way.

    Example:
        >>> in_words("pixelate-9-dilation-0.5")
        'pixelated by a box of 9 pixels, masks grown 0.5 times as far'
    """
    occlusion, *rest = way.split("-")
    if occlusion not in _DONE:
        return way
    dilation = rest[rest.index("dilation") + 1] if "dilation" in rest else None
    box = rest[0] if rest and rest[0] != "dilation" else str(STANDARD_BOX)
    said = _DONE[occlusion]
    if occlusion in BOXED:
        said += f" by a box of {box} pixels"
    return f"{said}, masks grown {dilation} times as far" if dilation else said
