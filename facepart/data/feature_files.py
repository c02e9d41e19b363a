"""Which features a folder holds."""

from pathlib import Path

from facepart.errors import FacepartError
from facepart.files.array_input import read_header
from facepart.files.failures import Failure
from facepart.files.folders import files_below

# A matrix of many features (n, d): no feature itself. The feature (d,) of a photo called features has the same name.
MATRIX_FILE = "features.npy"
# Beside a matrix: the label of each row, and the whole name of its photo.
LABELS_FILE = "labels.txt"
NAMES_FILE = "names.txt"
# The list of the features in a folder.
LIST_FILE = "list.txt"


def find_features(folder: Path) -> list[Path]:
    """Find the ``.npy`` files below a folder, links followed, in the code-point order of their absolute paths.

    Matrices named ``features.npy`` are left out, and so is what is hidden; the feature of a photo called ``features``
    is not.

    Raises:
        FacepartError: the folder is missing, cannot be opened, or holds no features.
    """
    if not folder.is_dir():
        raise FacepartError(f"{folder}: no such folder of features")
    unopened: list[Failure] = []
    arrays = [each.path for each in files_below(folder.absolute(), unopened) if each.path.suffix == ".npy"]
    if unopened:
        raise FacepartError(f"{unopened[0].path}: {unopened[0].reason}")
    found = [path for path in arrays if not is_matrix(path)]
    if arrays and not found:
        raise FacepartError(
            f"{arrays[0]}: is a matrix of embeddings, which needs no list: give it to match -p itself"
        )
    if not found:
        raise FacepartError(f"{folder}: holds no features (.npy files); `facepart extract` writes them")
    return sorted(found, key=str)


def is_matrix(path: Path) -> bool:
    """Return whether a file is a matrix of many features: one that is called so and has two dimensions.

    A damaged file counts as a feature, so that it is reported when it is read.
    """
    if path.name != MATRIX_FILE:
        return False
    try:
        return len(read_header(path, "a feature").shape) > 1
    except Exception:
        # Stores have errors of their own.
        return False
