"""The mean impostor scores of a group in every condition, and their differences, from the embeddings themselves."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.contrasts import PairSums, contrast, pair_sums, resampled_means
from facepart.analysis.group_data import GroupData
from facepart.analysis.influence import Influence
from facepart.occlusion.occlusion import BASELINE, Occlusion

# Of sums by subject, which are made of embeddings on disk; those of 13,000 subjects with one occlusion take 54 MB.
_CACHE_BYTES = 250_000_000


class GroupMeans:
    """The mean impostor scores of a group in all conditions; embeddings are read as they are needed."""

    def __init__(self, data: GroupData) -> None:
        """Take a group."""
        self._data = data
        self._vectors: dict[Occlusion, NDArray[np.float64]] = {}

    def sums(self, occlusion: Occlusion, *, cross: bool = False) -> PairSums:
        """Return the sums of a condition's scores, by pairs of subjects."""
        gallery = self._subject_vectors(BASELINE) if cross else None
        return pair_sums(self._data.photo_counts, self._subject_vectors(occlusion), gallery)

    def mean(self, occlusion: Occlusion, *, cross: bool = False) -> Influence:
        """Return the mean itself."""
        return contrast([self.sums(occlusion, cross=cross)], [1])

    def shift(self, occlusion: Occlusion, *, cross: bool = False) -> Influence:
        """Return the shift of the mean from that of the baseline."""
        return contrast([self.sums(occlusion, cross=cross), self.sums(BASELINE)], [1, -1])

    def control_shift(self, controls: Sequence[Occlusion]) -> Influence:
        """Return the mean shift over the draws of a control."""
        sums = [self.sums(each) for each in (*controls, BASELINE)]
        return contrast(sums, [*[1 / len(controls)] * len(controls), -1])

    def net_of_control(self, occlusion: Occlusion, controls: Sequence[Occlusion]) -> Influence:
        """Return how far an occlusion's mean is from that of its control, over all draws."""
        sums = [self.sums(each) for each in (occlusion, *controls)]
        return contrast(sums, [1, *[-1 / len(controls)] * len(controls)])

    def difference(self, first: Sequence[Occlusion], second: Sequence[Occlusion]) -> Influence:
        """Return how much larger one effect is than another; each occlusion is followed by its controls, if any."""
        sums, weights = [], []
        for sign, occlusions in ((1, first), (-1, second)):
            sums += [self.sums(each) for each in occlusions]
            weights += [sign, *(-sign / (len(occlusions) - 1) for _ in occlusions[1:])]
        return contrast(sums, weights)

    def resampled(self, occlusion: Occlusion, weights: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the mean with an occlusion over resampled subjects, (b,)."""
        return resampled_means([self.sums(occlusion)], weights)[:, 0]

    def _subject_vectors(self, occlusion: Occlusion) -> NDArray[np.float64]:
        """Return the sum of each subject's embeddings; those used last are kept."""
        found = self._vectors.pop(occlusion, None)
        if found is None:
            found = self._data.subject_vectors(occlusion)
        self._vectors[occlusion] = found
        while len(self._vectors) > 1 and len(self._vectors) * found.nbytes > _CACHE_BYTES:
            del self._vectors[next(iter(self._vectors))]
        return found
