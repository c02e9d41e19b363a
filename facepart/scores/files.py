"""``<group>_scores.npz``: the authentic and the impostor scores of a group, as two distributions in one file.

The arrays, of whole numbers alone, in NumPy's compressed form::

    version                          1
    authentic_value, impostor_value  int32, (k,), millionths, strictly ascending, only values that occur
    authentic_count, impostor_count  int64, (k,), how often each occurs

Equal scores give equal bytes.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.scores.distribution import ScoreDistribution
from facepart.scores.npz_files import read_arrays, write_arrays

SCORES_VERSION = 1
SUFFIX = ".npz"
_KINDS = ("authentic", "impostor")
_SCORES, _PAIRS = "_scores.npz", ("_authentic.npy", "_impostor.npy")
# What follows the group in the names of score files.
SCORE_ENDINGS = (_SCORES, *_PAIRS)


class GroupScores(NamedTuple):
    """The scores of a group; its authentic ones are none where no subject has two photos."""

    authentic: ScoreDistribution
    impostor: ScoreDistribution

    def merged_with(self, other: "GroupScores") -> "GroupScores":
        """Add the scores of other pairs."""
        return GroupScores(self.authentic + other.authentic, self.impostor + other.impostor)


def scores_path(folder: Path, group: str) -> Path:
    """Return the file of a group's scores."""
    return folder / f"{group}{_SCORES}"


def pairs_paths(folder: Path, group: str) -> list[Path]:
    """Return the files of a group's pairs, the authentic and the impostor ones."""
    return [folder / f"{group}{ending}" for ending in _PAIRS]


def save_scores(path: Path, scores: GroupScores) -> None:
    """Write the scores of a group, whole or not at all.

    Raises:
        FacepartError: the file cannot be written.
    """
    arrays: dict[str, NDArray[np.integer]] = {"version": np.array(SCORES_VERSION)}
    for kind, distribution in zip(_KINDS, scores, strict=True):
        arrays |= {f"{kind}_value": distribution.values, f"{kind}_count": distribution.counts}
    write_arrays(path, arrays)


def load_scores(path: Path) -> GroupScores:
    """Read and check the scores of a group.

    Raises:
        FacepartError: the file is missing, damaged, of a later version, or not of this form.
    """
    wanted = [f"{kind}_{what}" for kind in _KINDS for what in ("value", "count")]
    arrays = read_arrays(path, "a score distribution", SCORES_VERSION, wanted)
    try:
        return GroupScores(*(ScoreDistribution(arrays[f"{kind}_value"], arrays[f"{kind}_count"]) for kind in _KINDS))
    except FacepartError as error:
        raise FacepartError(f"{path}: is damaged: {error}; run `facepart match` again") from error
