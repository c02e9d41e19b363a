"""Features of two sides -> what identifies the photo of each: equal where an occluded photo and its baseline meet.

The folders of the sides differ, since a photo and its occluded copy are in different ones, and so may the extensions
that the names of features have kept (``001.jpg``, ``001.png``). The name alone is enough where it stands once for a
subject on each side. Where it does not (``person/1/a``, ``person/2/a``), folders count, too, as far as both sides
have them. The folder that holds all of a side does not count, where photos lie in it itself on both sides.
"""

from collections.abc import Sequence

from facepart.data.image_names import without_extension
from facepart.data.labels import cut_labels, nfc
from facepart.matching.features import Features

# A subject, and a photo's name or the end of its path.
PhotoKey = tuple[str, str]


def photo_keys(sides: Sequence[Features], shown: Sequence[Sequence[str]]) -> list[list[PhotoKey]]:
    """Return what identifies the photo of each feature on two sides.

    Args:
        sides: the features.
        shown: the subject of each feature of each side.
    """
    if all(side.photos for side in sides):
        return [list(zip(names, side.photos, strict=True)) for side, names in zip(sides, shown, strict=True)]
    names = _below_roots([[nfc(without_extension(name)) for name in side.longest] for side in sides])
    different = [len({*zip(*each, strict=True)}) for each in zip(shown, names, strict=True)]
    deepest = max(name.count("/") + 1 for side in names for name in side)
    by_depth = []
    for depth in range(1, deepest + 1):
        ends = [cut_labels(side, depth) for side in names]
        by_depth.append([list(zip(*each, strict=True)) for each in zip(shown, ends, strict=True)])
        if [len(set(keys)) for keys in by_depth[-1]] == different:
            break
    while len(by_depth) > 1 and set(by_depth[-1][0]).isdisjoint(by_depth[-1][1]):
        by_depth.pop()
    return by_depth[-1]


def _below_roots(sides: Sequence[list[str]]) -> list[list[str]]:
    """Leave out the folder that holds all of a side, if photos lie in it itself on both sides."""
    for side in sides:
        if min(name.count("/") for name in side) != 1 or len({name.partition("/")[0] for name in side}) > 1:
            return list(sides)
    return [[f"/{name.partition('/')[2]}" for name in side] for side in sides]
