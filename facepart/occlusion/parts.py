"""The parts of a face: a table of those that are built in, unions of them, and the masks that follow.

Adding a part is adding a row: masks, recipe, help, plots and report read the table. The first seven rows are those of
the original study (github.com/abhatta1234/computerVisionI, face_parsing_BiSeNet_v2), whose folders call eyes_brows
``eyeswbrows`` and mouth ``mouthwlips``. Parts of one's own come from a file (:mod:`facepart.occlusion.parts_file`).

Left and right are the person's: a left eye is on the right of the photo. The classes of the label map are named the
same way, but the parser confuses the two now and then, so the side is told by the face
(:mod:`facepart.occlusion.face_regions`).
"""

import hashlib
import json
import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.errors import UsageError
from facepart.networks.label_map import CLASSES
from facepart.occlusion.face_regions import ZONES, Zone
from facepart.occlusion.landmarks import Landmarks
from facepart.suggestion import did_you_mean

# Between the members of a union.
PLUS = "+"

# Of the table of parts.
_COLUMNS = 80


@dataclass(frozen=True)
class Part:
    """A part of the face.

    Attributes:
        name: as in commands, folders and tables.
        classes: the label-map classes that it is made of, numbers of :data:`facepart.networks.label_map.CLASSES`;
            none if it is all of a zone.
        dilations: how often its mask is dilated with a 5x5 square, on a photo of 224x224.
        label: its name in a sentence.
        plural: whether a sentence says "are" of it, not "is".
        places: where its control regions lie, one place for each draw: by how many rows down and columns to the right
            its mask is moved, in pixels of the label map. None for a part that fits nowhere else on a face, or whose
            places have not been looked for: it has no control.
        where: the zone of the face to which it is confined, a key of
            :data:`facepart.occlusion.face_regions.ZONES`; empty if it lies anywhere.
        members: the parts that it is the union of; each grows by its own dilations.
    """

    name: str
    classes: tuple[int, ...]
    dilations: int
    label: str
    plural: bool = False
    places: tuple[tuple[int, int], ...] = ()
    where: str = ""
    members: "tuple[Part, ...]" = ()

    @property
    def controllable(self) -> bool:
        """Whether it can have a control: places elsewhere on a face are known."""
        return bool(self.places)

    @property
    def zone(self) -> Zone | None:
        """The zone of the face to which it is confined; None if it lies anywhere."""
        return ZONES[self.where] if self.where else None

    @property
    def needs_landmarks(self) -> bool:
        """Whether it can only be found by the landmarks of the face."""
        by_landmarks = self.zone is not None and self.zone.by_landmarks is not None
        return by_landmarks or any(member.needs_landmarks for member in self.members)

    @property
    def needs_nose(self) -> bool:
        """Whether it can only be found by the nose, through which the axis of the face runs."""
        if self.members:
            return all(member.needs_nose for member in self.members)
        return self.zone is not None and self.zone.by_axis is not None

    @property
    def single_parts(self) -> "tuple[Part, ...]":
        """The parts that it is made of: its members, or itself."""
        return self.members or (self,)

    def recipe(self) -> dict[str, Any]:
        """Return what its mask depends on besides the face, as JSON values; the same definition gives the same."""
        if self.members:
            return {"union": [member.recipe() for member in self.members]}
        found: dict[str, Any] = {"classes": list(self.classes), "dilations_5x5": self.dilations}
        return {**found, "where": [self.where, self.zone.version]} if self.zone else found

    @property
    def key(self) -> str:
        """What tells it from all others, also of the same name: its name, with a digest unless it is standard."""
        if PARTS.get(self.name) == self:
            return self.name
        text = json.dumps(self.recipe(), sort_keys=True)
        return f"{self.name} {hashlib.sha256(text.encode()).hexdigest()[:12]}"

    def describe(self) -> str:
        """Say in words what it is made of: "nose"; "skin (pixels on the left side of the face only)"."""
        if self.members:
            return "; ".join(f"{member.name}: {member.describe()}" for member in self.members)
        classes = ", ".join(CLASSES[number] for number in self.classes)
        zone = self.zone.words if self.zone else ""
        found = f"{classes} (pixels {zone} only)" if classes and zone else classes or zone
        return found + _NOTES.get(self.name, "")


_NOTES = {
    "eyes": " (not eyes behind glasses)",
    "eyes_brows": " (with eyeglasses, as in the original study)",
}

# As `python -m benchmarks.control_places` printed them for the London set: for each part, places as far apart as
# twelve can be that fit on at least 85 % of its 204 photos, in random order. Multiples of 4; see `control.STEP`.
# fmt: off
_PLACES: dict[str, tuple[tuple[int, int], ...]] = {
    "eyes": (
        (164, 16), (68, -60), (108, -8), (44, 52), (220, 4), (-128, -20),
        (124, 60), (-56, -36), (-88, 20), (48, -4), (-44, 56), (156, -44),
    ),
    "brows": (
        (84, 28), (48, -12), (116, 20), (48, 20), (188, 16), (128, -20),
        (204, -12), (120, 52), (160, -12), (152, 28), (-48, -4), (96, -40),
    ),
    "eyes_brows": (
        (148, 36), (176, 8), (120, 36), (172, 32), (112, -36), (196, -16),
        (160, -40), (220, -8), (116, -8), (168, -16), (136, -36), (152, 8),
    ),
    "nose": (
        (-128, -108), (-60, -124), (-28, 128), (-48, 132), (-76, 104), (-80, -116),
        (-56, 112), (-100, 108), (-84, 124), (-124, 100), (8, 136), (-40, -124),
    ),
    "mouth": (
        (-184, -4), (-116, -60), (-164, -100), (-172, 64), (-228, 92), (-88, -116),
        (-316, 4), (-92, 112), (-264, 44), (-244, -56), (-88, 32), (-304, -60),
    ),
}
# fmt: on

_TABLE = (
    Part("eyes", (4, 5), 4, "eyes", plural=True, places=_PLACES["eyes"]),
    Part("brows", (2, 3), 2, "brows", plural=True, places=_PLACES["brows"]),
    # Glasses hide the eyes, so the original counts them in here, and not among the eyes alone.
    Part("eyes_brows", (2, 3, 4, 5, 6), 4, "eyes and brows", plural=True, places=_PLACES["eyes_brows"]),
    Part("nose", (10,), 3, "nose", places=_PLACES["nose"]),
    Part("mouth", (11, 12, 13), 4, "mouth", places=_PLACES["mouth"]),
    Part("hair", (17,), 4, "hair"),
    Part("skin", (1,), 0, "skin"),
)
# Dilations of these follow the original's: as for eyes, brows and hair where they are alike; a lip grows by little,
# or it would take the other lip away, too; what is large does not grow.
_MORE = (
    Part("left_eye", (4, 5), 4, "left eye", where="left side"),
    Part("right_eye", (4, 5), 4, "right eye", where="right side"),
    Part("left_brow", (2, 3), 2, "left brow", where="left side"),
    Part("right_brow", (2, 3), 2, "right brow", where="right side"),
    Part("eyeglasses", (6,), 4, "eyeglasses", plural=True),
    Part("eyes_or_glasses", (4, 5, 6), 4, "eyes or glasses", plural=True),
    Part("ears", (7, 8), 4, "ears", plural=True),
    Part("upper_lip", (12,), 1, "upper lip"),
    Part("lower_lip", (13,), 1, "lower lip"),
    Part("neck", (14,), 0, "neck"),
    Part("head_covering", (18,), 4, "head covering"),
    Part("background", (0,), 0, "background"),
    Part("periocular", (), 0, "periocular region", where="around the eyes"),
    Part("lower_face", (1, 11, 12, 13), 0, "lower face", where="below the nose"),
)

# The parts of the original study, by name: the default everywhere.
PARTS: dict[str, Part] = {part.name: part for part in _TABLE}

# All parts that are built in, by name, those of the original study first.
BUILT_IN: dict[str, Part] = {part.name: part for part in _TABLE + _MORE}

# The classes of the head: all but background, neck, necklace, cloth and hat.
HEAD = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 17)


def choose_parts(names: Sequence[str], own: Mapping[str, Part] | None = None) -> tuple[Part, ...]:
    """Find parts by their names; return them without repeats.

    They come in the order of :data:`BUILT_IN`, then those of one's own in the order of their file, then unions in the
    order in which they are named.

    Args:
        names: of parts, or of unions such as ``eyes+nose``.
        own: parts of one's own, by name.

    Raises:
        UsageError: a name is unknown, or there is no name.
    """
    known = {**BUILT_IN, **(own or {})}
    if not names:
        raise UsageError(f"no part named; known: {' '.join(known)}")
    order = list(known)
    chosen = dict.fromkeys(find_part(name, known) for name in names)
    return tuple(sorted(chosen, key=lambda part: order.index(part.name) if part.name in known else len(order)))


def find_part(name: str, known: Mapping[str, Part] = BUILT_IN) -> Part:
    """Find a part, or make the union that a name such as ``eyes+nose`` means.

    The members of a union come in the order of `known`, so that ``nose+eyes`` is ``eyes+nose``.

    Raises:
        UsageError: the name, or that of a member, is unknown.
    """
    if name in known:
        return known[name]
    words = [word.strip() for word in name.split(PLUS)]
    for word in words:
        if word not in known:
            inside = f" in {name!r}" if word and len(words) > 1 else ""
            raise UsageError(
                f"unknown part {word or name!r}{inside}{did_you_mean(word, known)}; known: {' '.join(known)}"
            )
    members = tuple(part for part in known.values() if part.name in words)
    return unite(members)


def parts_table() -> str:
    """Return the built-in parts as a table of text, 80 columns wide: name and classes."""
    width = max(map(len, BUILT_IN))
    lines = []
    for name, part in BUILT_IN.items():
        begin, indent = f"  {name.ljust(width)}  ", " " * (width + 4)
        lines += textwrap.wrap(part.describe(), _COLUMNS, initial_indent=begin, subsequent_indent=indent)
    return "\n".join(lines)


def unite(members: Sequence[Part]) -> Part:
    """Return the union of several parts; of one part, that part."""
    if len(members) == 1:
        return members[0]
    labels = [member.label for member in members]
    last = ", and " if any(" and " in label for label in labels) else " and "
    return Part(
        name=PLUS.join(member.name for member in members),
        classes=tuple(sorted({number for member in members for number in member.classes})),
        dilations=max(member.dilations for member in members),
        label=last.join([", ".join(labels[:-1]), labels[-1]]),
        plural=True,
        members=tuple(members),
    )


def class_mask(labels: NDArray[np.uint8], classes: Collection[int]) -> NDArray[np.uint8]:
    """Return the mask of some classes of a label map.

    Args:
        labels: uint8 (h, w), values 0..18.
        classes: in any order; they need not follow each other.

    Returns:
        uint8 (h, w): 255 where the label is one of `classes`, else 0.
    """
    # Imported here: every command reads the table for its help, and OpenCV takes as long to load as all the rest.
    import cv2

    low, high = min(classes), max(classes)
    if high - low + 1 == len(set(classes)):
        # Faster than a look-up table.
        return cv2.inRange(labels, low, high).astype(np.uint8, copy=False)
    table = np.zeros(256, np.uint8)
    table[list(classes)] = 255
    return cv2.LUT(labels, table).astype(np.uint8, copy=False)


def part_mask(labels: NDArray[np.uint8], part: Part, landmarks: Landmarks | None = None) -> NDArray[np.uint8]:
    """Return the mask of a part.

    Args:
        labels: uint8 (512, 512), values 0..18.
        part: the part.
        landmarks: of the face; a part that needs them is not found without.

    Returns:
        uint8 (512, 512): 255 in the part, else 0.
    """
    masks = [mask for mask, _ in part_layers(labels, part, landmarks)]
    return masks[0] if len(masks) == 1 else np.maximum.reduce(masks)


def part_layers(
    labels: NDArray[np.uint8], part: Part, landmarks: Landmarks | None = None
) -> Iterator[tuple[NDArray[np.uint8], int]]:
    """Yield the masks of the parts that a part is made of, each with its dilations; see :func:`part_mask`."""
    for each in part.single_parts:
        masks = [class_mask(labels, each.classes)] if each.classes else []
        if each.zone:
            masks.append(each.zone.find(labels, landmarks))
        yield reduce(np.bitwise_and, masks), each.dilations
