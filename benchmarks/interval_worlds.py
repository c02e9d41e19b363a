"""Worlds in which the truth of every figure is known, and draws of photos from them.

An embedding is a common part, the subject's own part and noise; a score is the product of two embeddings. Part of a
subject's own lies along the common part, so that some subjects are similar to everyone: a subject effect. Occluding a
part shrinks what is the subject's own and adds to what is in common, more for some subjects than for others; the
control does less of both. Intervals that take scores as independent hold the truth in few draws of such worlds.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.contrasts import PairSums, pair_sums
from facepart.analysis.influence import SubjectScores
from facepart.scores import GroupScores, ScoreDistribution
from facepart.scores.distribution import STEPS
from facepart.scores.ranks import SubjectRanks
from facepart.scores.subject_sums import BIN, SubjectSums, Sums, bins_from

BASELINE, OCCLUDED, CONTROL = "baseline", "occluded", "control"
CONDITIONS = (BASELINE, OCCLUDED, CONTROL)
# Values of an embedding, and the length of the common part.
LENGTH, COMMON = 48, 0.3
# Truths are figures of the scores of so many subjects, block by block, and the products of mean embeddings of more.
_BLOCKS, _MORE_BLOCKS, _BLOCK = 100, 600, 2000
# The share of a subject's own part that is left, what comes in its place, and by how much the common part moves.
_LEFT = {BASELINE: 1.0, OCCLUDED: 0.9, CONTROL: 0.97}
_OTHER = {BASELINE: 0.0, OCCLUDED: 0.2, CONTROL: 0.1}
_MOVED = {BASELINE: 0.0, OCCLUDED: 0.05, CONTROL: 0.01}

Photos = Mapping[str, NDArray[np.float64]]


def sums_by_subject(who: NDArray[np.int64], scores: NDArray[np.float64], people: int, lowest: int) -> Sums:
    """Sum up scores by subject, one score at a time.

    Args:
        who: (k * n,), the subjects of the n scores, one after the other for each of the k sides that they count for.
        scores: (n,).
        people: how many subjects there are.
        lowest: where the bins begin, in millionths.
    """
    width, own = bins_from(lowest), np.tile(scores, len(who) // max(len(scores), 1))
    bins = np.minimum((np.rint(own * STEPS).astype(np.int64) - lowest) // BIN, width - 1)
    places = (who * width + bins)[bins >= 0]
    return Sums(
        np.bincount(who, minlength=people),
        np.bincount(who, own, minlength=people).astype(np.float64),
        np.bincount(who, own**2, minlength=people).astype(np.float64),
        np.bincount(places, minlength=people * width).reshape(people, width).astype(np.int32),
    )


@dataclass(frozen=True)
class World:
    """What photos are drawn from.

    Attributes:
        name: of the setting.
        photos: of each subject.
        own: spread of a subject's own part.
        along: how much larger that is along the common part.
        noise: spread of a photo about its subject.
        quality: spread, over subjects, of the logarithm of their noise; that of single photos is as large.
        lognormal: sigma of a lognormal subject effect along the common part; 0 for a normal one.
        part_spread: spread, over subjects, of the factor by which the part moves the common part.
        missing: share of the photos on which a second part is not detected.
    """

    name: str
    photos: tuple[int, ...]
    own: float = 0.12
    along: float = 1.0
    noise: float = 0.08
    quality: float = 0.25
    lognormal: float = 0.0
    part_spread: float = 0.5
    missing: float = 0.3

    @property
    def subjects(self) -> NDArray[np.int64]:
        """The subject of each photo."""
        return np.repeat(np.arange(len(self.photos)), self.photos)

    def without_photos(self) -> "World":
        """Return the world alone, of which truths are kept."""
        return replace(self, name="", photos=())

    def draw(self, rng: np.random.Generator, photos: Sequence[int]) -> Photos:
        """Draw subjects with so many photos each; return the embeddings in each condition, (n, d), of length 1."""
        people = len(photos)
        whose = np.repeat(np.arange(people), photos)
        own = rng.standard_normal((people, LENGTH)) * self.own
        if self.lognormal:
            sigma = self.lognormal
            drawn = np.exp(sigma * rng.standard_normal(people))
            mean, variance = math.exp(sigma**2 / 2), (math.exp(sigma**2) - 1) * math.exp(sigma**2)
            own[:, 0] = self.own * (drawn - mean) / math.sqrt(variance)
        own[:, 0] *= self.along
        factor = 1 + self.part_spread * rng.standard_normal(people)
        spoilt = rng.standard_normal(people)[whose] + rng.standard_normal(len(whose))
        noise = rng.standard_normal((len(whose), LENGTH)) * (self.noise * np.exp(self.quality * spoilt))[:, None]
        apart = rng.standard_normal((people, LENGTH)) * self.own
        found = {}
        for name in CONDITIONS:
            rows = own * _LEFT[name] + apart * _OTHER[name]
            rows[:, 0] += COMMON + _MOVED[name] * factor
            photo = rows[whose] + noise
            found[name] = photo / np.linalg.norm(photo, axis=1, keepdims=True)
        return found


def truth_of(world: World) -> Mapping[str, GroupScores]:
    """Return condition -> the scores of very many subjects, whatever their photos."""
    return _scores_of_many(world.without_photos())


@cache
def _scores_of_many(world: World) -> Mapping[str, GroupScores]:
    rng = np.random.default_rng(0)
    impostor, authentic = (np.zeros((len(CONDITIONS), 2 * STEPS + 1), np.int64) for _ in range(2))
    upper = np.triu_indices(_BLOCK, 1)
    for _ in range(_BLOCKS):
        photos = world.draw(rng, [2] * _BLOCK)
        for number, rows in enumerate(photos.values()):
            impostor[number] += _table((rows[::2] @ rows[1::2].T)[upper])
            authentic[number] += _table((rows[::2] * rows[1::2]).sum(axis=1))
    return {
        name: GroupScores(ScoreDistribution.of_table(authentic[number]), ScoreDistribution.of_table(impostor[number]))
        for number, name in enumerate(CONDITIONS)
    }


@cache
def mean_vectors(world: World) -> Mapping[str, NDArray[np.float64]]:
    """Return condition -> the mean embedding, (d,): products of these are true mean impostor scores."""
    rng = np.random.default_rng(1)
    blocks = [world.draw(rng, [1] * _BLOCK) for _ in range(_MORE_BLOCKS)]
    return {name: np.mean([each[name].mean(axis=0) for each in blocks], axis=0) for name in CONDITIONS}


def _table(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.bincount(np.rint(scores * STEPS).astype(np.int64) + STEPS, minlength=2 * STEPS + 1)


@dataclass
class Group:
    """One draw of a world: its scores in each condition, and the sums of its embeddings."""

    scores: Mapping[str, SubjectScores]
    sums: Mapping[str, PairSums]
    crossed: PairSums
    partial: Mapping[str, PairSums] = field(default_factory=dict)


class Drawer:
    """Draws groups from a world."""

    def __init__(self, world: World, lowest: float) -> None:
        """Take a world, and the score from which on scores are counted by subject."""
        self._world, self._lowest = world, int(lowest * STEPS // BIN) * BIN
        self._subjects = world.subjects
        self._people = len(world.photos)
        first, second = np.triu_indices(len(self._subjects), 1)
        same = self._subjects[first] == self._subjects[second]
        self._pairs = {"authentic": (first[same], second[same]), "impostor": (first[~same], second[~same])}
        self._same = self._subjects[:, None] == self._subjects

    def draw(self, rng: np.random.Generator) -> Group:
        """Draw a group."""
        photos = self._world.draw(rng, self._world.photos)
        sums = {name: self._pair_sums(rows, np.ones(len(rows), bool)) for name, rows in photos.items()}
        counts, before = sums[BASELINE].photos, sums[BASELINE].vectors
        detected = rng.random(len(self._subjects)) >= self._world.missing
        partial = {name: self._pair_sums(rows, detected) for name, rows in photos.items()}
        scores = {name: self._scores(photos[name]) for name in (BASELINE, OCCLUDED)}
        return Group(scores, sums, pair_sums(counts, sums[OCCLUDED].vectors, before), partial)

    def _pair_sums(self, rows: NDArray[np.float64], chosen: NDArray[np.bool_]) -> PairSums:
        vectors = np.zeros((self._people, LENGTH))
        np.add.at(vectors, self._subjects[chosen], rows[chosen])
        return pair_sums(np.bincount(self._subjects[chosen], minlength=self._people), vectors)

    def _scores(self, rows: NDArray[np.float64]) -> SubjectScores:
        products = rows @ rows.T
        scores, sums = {}, {}
        for kind, (first, second) in self._pairs.items():
            found = products[first, second]
            scores[kind] = ScoreDistribution.of(found)
            sides = (first, second) if kind == "impostor" else (first,)
            sums[kind] = sums_by_subject(
                np.concatenate([self._subjects[each] for each in sides]), found, self._people, self._lowest
            )
        names = np.array([f"{number:05}" for number in range(self._people)])
        return SubjectScores(
            GroupScores(scores["authentic"], scores["impostor"]),
            SubjectSums(names, self._lowest, sums["authentic"], sums["impostor"]),
            self._ranks(products),
        )

    def _ranks(self, products: NDArray[np.float64]) -> SubjectRanks:
        mated = self._same.copy()
        np.fill_diagonal(mated, False)
        best = np.where(mated, products, -np.inf).max(axis=1)
        known = np.isfinite(best)
        above = ((products > best[:, None]) & ~self._same).sum(axis=1)
        return SubjectRanks(self._people, self._subjects[known], 1 + above[known])
