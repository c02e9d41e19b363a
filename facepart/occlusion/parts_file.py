"""A file of parts of one's own, in TOML: a table for each part, named after it.

    [earrings]
    classes = ["earring"]   # names or numbers of classes of the label map
    dilation = 2            # times that the mask is dilated with a 5x5 square, at 224x224 (default: 0)
    label = "earrings"      # its name in a sentence (default: the name)
    verb = "are"            # "is" or "are" (default: "is")

``where`` confines it to a zone of :data:`facepart.occlusion.face_regions.ZONES`, such as ``"left side"``.

Such a part stands wherever a built-in part may stand, also in unions. It has no places for a control.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facepart.errors import FacepartError
from facepart.files.text_input import read_toml
from facepart.networks.label_map import CLASSES
from facepart.occlusion.face_regions import ZONES
from facepart.occlusion.method import OCCLUDERS
from facepart.occlusion.parts import BUILT_IN, Part

_KEYS = ("classes", "dilation", "label", "verb", "where")
_VERBS = ("is", "are")
# The original's most is 4; more would grow over the whole face.
_MOST_DILATIONS = 20

# Fit for files on every system, and never taken for an occlusion's name such as nose_grey or nose_control1.
_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_RESERVED = re.compile(rf"all|baseline|cross|photos|patch|keep|control\d*|{'|'.join(OCCLUDERS)}")


def read_parts(path: Path) -> dict[str, Part]:
    """Read a file of parts.

    Returns:
        Name -> part, in the order of the file.

    Raises:
        FacepartError: the file cannot be read, is not TOML, or defines a part wrongly.
    """
    tables = read_toml(path, "file of parts")
    if not tables:
        raise FacepartError(f"{path}: defines no part; a part is a table such as [earrings] with classes = [9]")
    try:
        return {name: make_part(name, table) for name, table in tables.items()}
    except FacepartError as error:
        raise FacepartError(f"{path}: {error}") from error


def make_part(name: str, table: Any) -> Part:
    """Make a part from its table.

    Raises:
        FacepartError: the name or a value is wrong.
    """
    if not isinstance(table, dict):
        raise FacepartError(f"{name!r} is not a table; write [{name}] on a line of its own, above its keys")
    _check_name(name)
    unknown = [key for key in table if key not in _KEYS]
    if unknown:
        raise FacepartError(f"[{name}]: unknown key {unknown[0]!r}; known: {' '.join(_KEYS)}")
    dilation = table.get("dilation", 0)
    if type(dilation) is not int or not 0 <= dilation <= _MOST_DILATIONS:
        raise FacepartError(f"[{name}]: dilation {dilation!r} is not a whole number from 0 to {_MOST_DILATIONS}")
    label = table.get("label", re.sub("[-_]", " ", name))
    if not isinstance(label, str) or not label.strip() or not label.isprintable():
        raise FacepartError(f"[{name}]: label {label!r} is not a line of text")
    verb = table.get("verb", "is")
    if verb not in _VERBS:
        raise FacepartError(f'[{name}]: verb {verb!r} is neither "is" nor "are"')
    where = table.get("where", "")
    if "where" in table and where not in tuple(ZONES):  # it may be no key at all, such as a list
        raise FacepartError(f"[{name}]: where {where!r} is no zone of the face; known: {', '.join(ZONES)}")
    classes = _read_classes(name, table)
    return Part(name, classes, dilation, label.strip(), plural=verb == "are", where=where)


def _check_name(name: str) -> None:
    """Refuse a name that is not fit for files, or means something else.

    Raises:
        FacepartError: it is refused.
    """
    if name in BUILT_IN:
        raise FacepartError(f"[{name}]: is a built-in part; choose another name")
    if not _NAME.fullmatch(name):
        raise FacepartError(
            f"[{name}]: is not a name: use lower-case letters, digits, and single - or _ between them"
        )
    for word in re.split("[-_]", name):
        if _RESERVED.fullmatch(word):
            raise FacepartError(f"[{name}]: {word!r} has a meaning of its own in file names; choose another name")


def _read_classes(name: str, table: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the numbers of a part's classes, in ascending order, each once.

    Raises:
        FacepartError: there are none, or one is wrong.
    """
    classes = table.get("classes")
    if not isinstance(classes, list) or not classes:
        raise FacepartError(f"[{name}]: needs classes, a list of names or numbers from 0 to {len(CLASSES) - 1}")
    numbers = set()
    for each in classes:
        if type(each) is int and 0 <= each < len(CLASSES):
            numbers.add(each)
        elif each in CLASSES:
            numbers.add(CLASSES.index(each))
        else:
            raise FacepartError(
                f"[{name}]: unknown class {each!r}; known: {', '.join(CLASSES)}, or 0 to {len(CLASSES) - 1}"
            )
    return tuple(sorted(numbers))
