"""Names of occlusion methods in words, for instance ``pixelate-9`` as "pixelated in 9-pixel blocks"."""

from facepart.occlusion.method import BOXED, STANDARD_BOX

_PHRASES = {
    "blur": "blurred with a {box}-pixel box filter",
    "mean": "replaced by the mean colour of the photo",
    "grey": "replaced by mid-grey",
    "noise": "replaced by random noise",
    "pixelate": "pixelated in {box}-pixel blocks",
    "inpaint": "inpainted from their surroundings",
    "average": "replaced by the average face of all photos, with all groups equally weighted",
}
_DILATED = "{phrase}, with {dilation} times the standard mask dilation"


def method_phrase(name: str) -> str:
    """Say what a method does to parts, as the end of "parts are ..."; an unknown name stands for itself.

    Args:
        name: :attr:`facepart.occlusion.method.OcclusionMethod.name`. Sizes are those on a photo of 224x224 pixels.

    Example:
        >>> method_phrase("pixelate-9-dilation-0.5")
        'pixelated in 9-pixel blocks, with 0.5 times the standard mask dilation'
    """
    occluder, *numbers = name.split("-")
    if occluder not in _PHRASES:
        return name
    box = numbers[0] if occluder in BOXED and numbers and numbers[0] != "dilation" else str(STANDARD_BOX)
    phrase = _PHRASES[occluder].format(box=box)
    if "dilation" not in numbers:
        return phrase
    return _DILATED.format(phrase=phrase, dilation=numbers[numbers.index("dilation") + 1])
