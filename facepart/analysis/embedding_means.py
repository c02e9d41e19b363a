"""The mean impostor scores of a group, and effects on them, from the embeddings themselves."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.choices import Weight
from facepart.analysis.contrasts import PairSums, contrast, pair_sums, subject_weighted_sums
from facepart.analysis.group_data import GroupData
from facepart.analysis.influence import Influence
from facepart.analysis.place_variance import place_variance
from facepart.occlusion.occlusion import BASELINE, Occlusion, Region

# Of sums by subject, which are made of embeddings on disk; those of 13,000 subjects with one occlusion take 54 MB.
_CACHE_BYTES = 250_000_000


class Effect(NamedTuple):
    """A weighted sum of the mean impostor scores of the same photos under several occlusions.

    Attributes:
        occlusions: the baseline may be among them.
        weights: of their means, as many.
        region: the photos are those in which it was found; None for all photos of the group.
    """

    occlusions: tuple[Occlusion, ...]
    weights: tuple[float, ...]
    region: Region | None


def shift_of(occlusions: Sequence[Occlusion], region: Region | None) -> Effect:
    """Return the shift from the baseline: that of an occlusion, or the mean over several."""
    return Effect((*occlusions, BASELINE), (*[1 / len(occlusions)] * len(occlusions), -1.0), region)


def net_of(occlusion: Occlusion, controls: Sequence[Occlusion], region: Region | None) -> Effect:
    """Return an occlusion's shift minus the mean shift of its controls."""
    return Effect((occlusion, *controls), (1.0, *[-1 / len(controls)] * len(controls)), region)


class GroupMeans:
    """The mean impostor scores of a group; embeddings are read as they are needed."""

    def __init__(self, data: GroupData) -> None:
        """Take a group."""
        self._data = data
        self._vectors: dict[tuple[Occlusion, Region | None], NDArray[np.float64]] = {}

    def mean(self, occlusion: Occlusion, region: Region | None, *, cross: bool = False) -> Influence:
        """Return the mean impostor score with an occlusion, over the photos of a region."""
        return contrast([self._sums(occlusion, region, "pairs", cross=cross)], [1])

    def effect(self, effect: Effect, weight: Weight) -> Influence:
        """Return an effect; `weight` says what counts alike, pairs of photos or pairs of subjects."""
        return contrast(self._all_sums(effect, weight), effect.weights)

    def effect_with_places(self, effect: Effect, controls: Sequence[Occlusion], weight: Weight) -> Influence:
        """Return an effect that the mean shift of a control is part of, with the variance between its places."""
        shifts = self.control_shifts(effect, controls, weight)
        return self.effect(effect, weight)._replace(places=place_variance(shifts))

    def control_shifts(self, effect: Effect, controls: Sequence[Occlusion], weight: Weight) -> NDArray[np.float64]:
        """Return the shift by each draw of an effect's control, (n,)."""
        return np.array([self.effect(shift_of([each], effect.region), weight).value for each in controls])

    def cross_shift(self, occlusion: Occlusion, region: Region | None, weight: Weight) -> Influence:
        """Return the shift of the mean when occluded probes are compared with the baseline gallery."""
        crossed = self._sums(occlusion, region, weight, cross=True)
        return contrast([crossed, self._sums(BASELINE, region, weight)], [1, -1])

    def difference(self, first: Effect, second: Effect, weight: Weight) -> Influence:
        """Return how much larger one effect is than another, paired by subject."""
        sums = [*self._all_sums(first, weight), *self._all_sums(second, weight)]
        return contrast(sums, [*first.weights, *(-each for each in second.weights)])

    def _all_sums(self, effect: Effect, weight: Weight) -> list[PairSums]:
        return [self._sums(each, effect.region, weight) for each in effect.occlusions]

    def _sums(self, occlusion: Occlusion, region: Region | None, weight: Weight, *, cross: bool = False) -> PairSums:
        """Return the sums of a condition's scores, by pairs of subjects."""
        gallery = self._subject_vectors(BASELINE, region) if cross else None
        sums = pair_sums(self._data.photo_counts(region), self._subject_vectors(occlusion, region), gallery)
        return subject_weighted_sums(sums) if weight == "subjects" else sums

    def _subject_vectors(self, occlusion: Occlusion, region: Region | None) -> NDArray[np.float64]:
        """Return the sum of each subject's embeddings; those used last are kept."""
        key = occlusion, self._data.first_alike(region)
        found = self._vectors.pop(key, None)
        if found is None:
            found = self._data.subject_vectors(*key)
        self._vectors[key] = found
        while len(self._vectors) > 1 and len(self._vectors) * found.nbytes > _CACHE_BYTES:
            del self._vectors[next(iter(self._vectors))]
        return found
