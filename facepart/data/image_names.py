"""Names of image files -> names of photos, without the extension.

Only extensions of images are cut off. A dot may be part of a name: ``subject01.happy``, as in the Yale Face Database,
is the whole name of a photo, and so is ``J.Smith.neutral``.
"""

from facepart.data.photo_kinds import READABLE

# Also of formats that cannot be read: a list, or a table of groups, may name the photos as they once were.
IMAGE_EXTENSIONS = READABLE | {".dng", ".jxl", ".pcx", ".psd", ".ras", ".raw", ".sgi"}


def without_extension(name: str) -> str:
    """Return a name, or a path, without the extension of an image.

    Example:
        >>> [without_extension(name) for name in ("a/001.JPG", "subject01.happy", "subject01.happy.png")]
        ['a/001', 'subject01.happy', 'subject01.happy']
    """
    stem, dot, extension = name.rpartition(".")
    if not dot or f".{extension.lower()}" not in IMAGE_EXTENSIONS or not stem or stem.endswith("/"):
        return name
    return stem
