"""Labels: what a photo is called in files, and where its subject is read from.

A label is the end of the photo's path without extension: ``folder/name``, and as many more folders as it takes to
tell the photos of a source apart (``person/session/name``). All labels of a source have the same depth. Subjects and
sessions are read from labels; if a pattern is found in none of them, they take one more folder, up to the folder that
holds all photos.

Labels keep the characters of the path. What is read from them, and what it is compared with, is normalised to NFC:
macOS writes ``é`` as two characters, keyboards as one.
"""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from facepart.errors import FacepartError
from facepart.files.addresses import tidy

# Folder and name, the least that a label has.
LEAST_DEPTH = 2

_FEATURE = ".npy"


def nfc(text: str) -> str:
    """Return a text in Unicode's normal form C, in which equal texts have equal characters."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def path_parts(path: str) -> list[str]:
    r"""Return the folders and the name of a path as a list or table has it, without those that say nothing.

    Example:
        >>> path_parts("./Ann//1.jpg"), path_parts(r"..\Ann\1.jpg")
        (['Ann', '1.jpg'], ['Ann', '1.jpg'])
    """
    return [part for part in path.replace("\\", "/").split("/") if part not in ("", ".", "..")]


def names_below(paths: Sequence[Path]) -> list[str]:
    """Name files by their paths below the deepest folder that holds all of them.

    If any file lies in that folder itself, it belongs to the names: they are at least folder and name.

    Args:
        paths: absolute, or addresses; ``.npy`` is left out of the names, other extensions are not.

    Returns:
        A name for each path, with ``/`` between folders.
    """
    texts = (str(path) for path in paths)
    tidied = (str(tidy(Path(text))) if "/.." in text and "://" not in text else text for text in texts)
    parts = [text.removesuffix(_FEATURE).split("/") for text in tidied]
    if not parts:
        return []
    first, last = min(parts), max(parts)
    shared = 0
    while shared < min(len(first), len(last)) - 1 and first[shared] == last[shared]:
        shared += 1
    shared = min([shared, *(max(len(each) - LEAST_DEPTH, 0) for each in parts)])
    return ["/".join(each[shared:]).lstrip("/") for each in parts]


def cut_labels(names: Iterable[str], depth: int) -> list[str]:
    """Return labels of a depth: the last folders, and the name, of each name.

    Example:
        >>> cut_labels(["Ann/0/0.12", "Ann/1/1.4"], 2)
        ['0/0.12', '1/1.4']
    """
    return [name if name.count("/") < depth else "/".join(name.rsplit("/", depth)[-depth:]) for name in names]


def labels_of(paths: Sequence[Path]) -> list[str]:
    """Return the labels of features: as short as tells them apart."""
    names = names_below(paths)
    return cut_labels(names, distinct_depth(names))


def distinct_depth(names: Sequence[str]) -> int:
    """Return the least depth of labels at which different names have different labels.

    Example:
        >>> distinct_depth(["Ann/0/0.12", "Bob/0/0.12"])
        3
    """
    deepest, depth = _deepest(names), LEAST_DEPTH
    different = len(set(names)) if deepest > depth else 0
    while depth < deepest and len(set(cut_labels(names, depth))) < different:
        depth += 1
    return depth


def readable_depth(sides: Sequence[Sequence[str]], rules: Sequence[Callable[[str], str]]) -> int:
    """Return the least depth of labels that tells photos apart and from which rules can read something.

    Args:
        sides: names, of one source each.
        rules: read the subject or the session from a label; FacepartError for a label that they do not fit. A rule
            that fits no label at a depth is tried with one more folder.
    """
    depth = max((distinct_depth(names) for names in sides), default=LEAST_DEPTH)
    deepest = max((_deepest(names) for names in sides), default=LEAST_DEPTH)
    every = [name for names in sides for name in names]
    while depth < deepest and not all(_fits_any(rule, every, depth) for rule in rules):
        depth += 1
    return depth


def _deepest(names: Sequence[str]) -> int:
    return max((name.count("/") + 1 for name in names), default=LEAST_DEPTH)


def _fits_any(rule: Callable[[str], str], names: Sequence[str], depth: int) -> bool:
    for name in names:
        try:
            rule(cut_labels([name], depth)[0])
        except FacepartError:
            continue
        return True
    return False
