"""Label sets: which class of a face each number of a label map stands for.

Annotated label maps and face parsers number the classes in orders of their own. A label set is the list of the
classes in such an order; each is one of the 19 of :data:`facepart.networks.label_map.CLASSES`, and several numbers
may stand for the same one. A class that a set lacks never occurs in its label maps.

Built in are

- ``bisenet``: the order of github.com/zllrunning/face-parsing.PyTorch, which is that of facepart;
- ``celebamask-hq``: that of the authors' own program (github.com/switchablenorms/CelebAMask-HQ,
  face_parsing/Data_preprocessing/g_mask.py), which SegFormer face parsers follow;
- ``lapa``: that of LaPa (Liu et al., "A New Dataset and Boundary-Attention Semantic Segmentation for Face Parsing",
  AAAI 2020): no glasses, ears, neck, cloth or hat.

Another one is a TOML file with the classes in order, from number 0 on:

    classes = ["background", "skin", "nose", "glasses", "left eye", "right eye"]
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError, UsageError
from facepart.files.json_input import read_object
from facepart.files.text_input import read_toml
from facepart.networks.label_map import CLASSES

# Of label maps, which have 8 bits.
_MOST_NUMBERS = 256
_UNKNOWN = 255

# CelebAMask-HQ's own short names of classes.
_SHORT_NAMES = {
    "eye_g": "glasses",
    "l_eye": "left eye",
    "r_eye": "right eye",
    "l_brow": "left brow",
    "r_brow": "right brow",
    "l_ear": "left ear",
    "r_ear": "right ear",
    "u_lip": "upper lip",
    "l_lip": "lower lip",
    "ear_r": "earring",
    "neck_l": "necklace",
}


@dataclass(frozen=True)
class LabelSet:
    """What the numbers of a label map stand for.

    Attributes:
        name: as it was given: a built-in name, or the name of the file.
        classes: for each number, from 0 on, the number of its class in :data:`facepart.networks.label_map.CLASSES`.
    """

    name: str
    classes: tuple[int, ...]

    @property
    def is_own(self) -> bool:
        """Whether its order is that of facepart."""
        return self.classes == OWN_SET.classes

    @property
    def known(self) -> frozenset[int]:
        """The numbers, in facepart's order, of the classes that it has."""
        return frozenset(self.classes)

    @property
    def digest(self) -> str:
        """What tells it from sets of other classes or of another order, whatever its name."""
        return hashlib.sha256(json.dumps(self.classes).encode()).hexdigest()[:12]

    def translate(self, numbers: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a label map in facepart's order.

        Args:
            numbers: uint8, any shape, in the order of this set.

        Returns:
            uint8, the same shape, values 0..18.

        Raises:
            FacepartError: a number is not one of this set.
        """
        table = np.full(_MOST_NUMBERS, _UNKNOWN, np.uint8)
        table[: len(self.classes)] = self.classes
        highest = int(numbers.max(initial=0))
        if highest >= len(self.classes):
            last = len(self.classes) - 1
            raise FacepartError(f"has the value {highest}; the label set {self.name} has values from 0 to {last}")
        return table[numbers]


def _built_in(name: str, *classes: str) -> LabelSet:
    return LabelSet(name, tuple(CLASSES.index(each) for each in classes))


OWN_SET = _built_in("bisenet", *CLASSES)

# fmt: off
LABEL_SETS: dict[str, LabelSet] = {
    each.name: each
    for each in (
        OWN_SET,
        _built_in(
            "celebamask-hq",
            "background", "skin", "nose", "glasses", "left eye", "right eye", "left brow", "right brow", "left ear",
            "right ear", "mouth", "upper lip", "lower lip", "hair", "hat", "earring", "necklace", "neck", "cloth",
        ),
        _built_in(
            "lapa",
            "background", "skin", "left brow", "right brow", "left eye", "right eye", "nose", "upper lip", "mouth",
            "lower lip", "hair",
        ),
    )
}
# fmt: on


def find_label_set(name_or_path: str) -> LabelSet:
    """Return a built-in label set, or read one from a TOML file.

    Raises:
        UsageError: there is no such set, or the text is not a path that ends in ``.toml``.
        FacepartError: the file cannot be read or is wrong.
    """
    if name_or_path in LABEL_SETS:
        return LABEL_SETS[name_or_path]
    if not name_or_path.lower().endswith(".toml"):
        raise UsageError(f"unknown label set {name_or_path!r}; known: {', '.join(LABEL_SETS)}, or a .toml file")
    path = Path(name_or_path)
    table = read_toml(path, "label set")
    try:
        return LabelSet(path.name, _read_classes(table))
    except FacepartError as error:
        raise FacepartError(f"{path}: {error}") from error


def label_set_beside(network: Path) -> LabelSet | None:
    """Return the label set that the ``config.json`` of a network names; None if there is none.

    Programs of the library Transformers write the names of the classes there, as ``id2label``. The file is looked for
    beside the network, and above a folder ``onnx``.

    Raises:
        FacepartError: it cannot be read, or names a class that facepart does not know.
    """
    found = read_beside(network, "config.json")
    names = found.get("id2label") if found else None
    if not isinstance(names, dict) or not names:
        return None
    ordered = [names.get(str(number)) for number in range(len(names))]
    classes = [_SHORT_NAMES.get(str(name), str(name).replace("_", " ")) for name in ordered]
    unknown = [name for name, each in zip(ordered, classes, strict=True) if each not in CLASSES]
    if unknown:
        raise FacepartError(
            f"{network}: its config.json names a class {unknown[0]!r} that is not known: name the classes by "
            "--label-set"
        )
    numbers = tuple(CLASSES.index(each) for each in classes)
    same = [each for each in LABEL_SETS.values() if each.classes == numbers]
    return same[0] if same else LabelSet("config.json", numbers)


def read_beside(network: Path, name: str) -> dict[str, Any] | None:
    """Read a JSON file beside a network, or above its folder if that is called ``onnx``; None if there is none.

    Raises:
        FacepartError: it cannot be read.
    """
    folders = [network.parent, *([network.parent.parent] if network.parent.name == "onnx" else [])]
    for folder in folders:
        found = read_object(folder / name, "a description of a network", "remove it, or replace it by a whole one")
        if found is not None:
            return found
    return None


def _read_classes(table: dict[str, Any]) -> tuple[int, ...]:
    """Return the numbers of the classes that a file lists.

    Raises:
        FacepartError: it has other keys, no classes, or an unknown one.
    """
    unknown = [key for key in table if key != "classes"]
    if unknown:
        raise FacepartError(f"unknown key {unknown[0]!r}; known: classes")
    classes: Sequence[Any] = table.get("classes", ())
    if not isinstance(classes, list) or not 0 < len(classes) < _MOST_NUMBERS:
        raise FacepartError(
            f"needs classes, a list of 1 to {_MOST_NUMBERS - 1} names in the order of their numbers, from 0 on"
        )
    wrong = [each for each in classes if each not in CLASSES]
    if wrong:
        raise FacepartError(f"unknown class {wrong[0]!r}; known: {', '.join(CLASSES)}")
    return tuple(CLASSES.index(each) for each in classes)
