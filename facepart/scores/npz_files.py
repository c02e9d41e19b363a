"""Arrays in one file, with a version: NumPy's ``.npz`` without pickles, equal arrays in equal bytes."""

import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.files.array_input import open_arrays
from facepart.files.atomic import write_bytes


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays, whole or not at all.

    Raises:
        FacepartError: the file cannot be written.
    """
    buffer = io.BytesIO()
    # As numpy.savez_compressed, but at the fastest level: at the default one this takes longer than 20 million pairs.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
    write_bytes(path, buffer.getvalue())


def read_arrays(path: Path, what: str, version: int, wanted: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Read the arrays of a file.

    Args:
        path: the file.
        what: what it holds, for the message.
        version: that it has to say it has.
        wanted: which arrays there have to be, beside ``version``.

    Raises:
        FacepartError: the file is missing, damaged, of another version, or lacks an array.
    """
    try:
        with open_arrays(path, what) as archive:
            arrays = archive.read_all()
    except FileNotFoundError as error:
        raise FacepartError(f"{path}: no such score file") from error
    missing = sorted({"version", *wanted} - arrays.keys())
    if missing:
        raise FacepartError(f"{path}: does not hold {what} of `facepart match`: it lacks {', '.join(missing)}")
    found = arrays["version"]
    if found.shape or found.dtype.kind not in "iu" or found != version:
        raise FacepartError(f"{path}: is of version {found}, this program reads version {version}")
    return arrays
