"""``<group>_scores.npz``: the authentic and the impostor scores of a group, as two distributions in one file.

The arrays, of whole numbers alone, in NumPy's compressed form::

    version                          1
    authentic_value, impostor_value  int32, (k,), millionths, strictly ascending, only values that occur
    authentic_count, impostor_count  int64, (k,), how often each occurs

Equal scores give equal bytes.
"""

import io
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.files.atomic import write_bytes
from facepart.scores.distribution import ScoreDistribution

VERSION = 1
SUFFIX = ".npz"
_KINDS = ("authentic", "impostor")


class GroupScores(NamedTuple):
    """The scores of a group; its authentic ones are none where no subject has two photos."""

    authentic: ScoreDistribution
    impostor: ScoreDistribution

    def merged_with(self, other: "GroupScores") -> "GroupScores":
        """Add the scores of other pairs."""
        return GroupScores(self.authentic + other.authentic, self.impostor + other.impostor)


def save_scores(path: Path, scores: GroupScores) -> None:
    """Write the scores of a group, whole or not at all.

    Raises:
        FacepartError: the file cannot be written.
    """
    arrays: dict[str, NDArray[np.integer]] = {"version": np.array(VERSION)}
    for kind, distribution in zip(_KINDS, scores, strict=True):
        arrays |= {f"{kind}_value": distribution.values, f"{kind}_count": distribution.counts}
    buffer = io.BytesIO()
    # As numpy.savez_compressed, but at the fastest level: at the default one this takes longer than 20 million pairs.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
    write_bytes(path, buffer.getvalue())


def load_scores(path: Path) -> GroupScores:
    """Read and check the scores of a group.

    Raises:
        FacepartError: the file is missing, damaged, of a later version, or not of this form.
    """
    try:
        loaded = np.load(path, allow_pickle=False)
        arrays = {}
        if isinstance(loaded, np.lib.npyio.NpzFile):  # else it is a .npy under another name
            with loaded:
                arrays = dict(loaded)
    except FileNotFoundError as error:
        raise FacepartError(f"{path}: no such score file") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        reason = " ".join(str(error).split())
        raise FacepartError(f"{path}: cannot be read as a score distribution ({reason})") from error
    wanted = {"version"} | {f"{kind}_{what}" for kind in _KINDS for what in ("value", "count")}
    if not wanted <= arrays.keys():
        missing = ", ".join(sorted(wanted - arrays.keys()))
        raise FacepartError(f"{path}: is not a score distribution of `facepart match`: it lacks {missing}")
    version = arrays["version"]
    if version.shape or version.dtype.kind not in "iu" or version != VERSION:
        raise FacepartError(f"{path}: is of version {version}, this program reads version {VERSION}")
    try:
        return GroupScores(*(ScoreDistribution(arrays[f"{kind}_value"], arrays[f"{kind}_count"]) for kind in _KINDS))
    except FacepartError as error:
        raise FacepartError(f"{path}: is damaged: {error}") from error
