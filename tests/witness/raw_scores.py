"""A study's photos, and the list of all their scores: what the oracle computes from.

Nothing of facepart is imported here. A score is a whole number of millionths, since scores are rounded to 6 decimals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MILLION = 1_000_000
# A part's control has to fit on at least this share of the photos on which the part was found, and a part that has a
# rank is found on this share of a group's photos.
HALF = 0.5
# The places that a part's control is drawn from.
# Parts that fit nowhere else on a face.
FIXED = ("hair", "skin")


class Version(NamedTuple):
    """What was done to photos: a part occluded by some method; or, from 1 on, a draw of its control; or its patch;
    or all but the part."""

    part: str
    occlusion: str
    draw: int = 0
    patch: bool = False
    keep_only: bool = False


BASELINE = Version("", "")


@dataclass(frozen=True)
class Design:
    """What is compared; the first occlusion is the main one, which alone has controls and patches, is crossed,
    and is used for keep-only."""

    parts: Sequence[str]
    occlusions: Sequence[str]
    draws: int
    cross: bool
    threshold_group: str | None = None
    patches: bool = False
    keep_only: bool = False
    keeps_undetected: bool = False
    subjects_alike: bool = False
    rank_by: str = ""
    margin: float | None = None

    @property
    def main(self) -> str:
        return self.occlusions[0]

    @property
    def occluded(self) -> list[Version]:
        """Every part by every method."""
        return [Version(part, occlusion) for occlusion in self.occlusions for part in self.parts]

    @property
    def versions(self) -> list[Version]:
        controls = [each for part in self.parts for each in self.controls_of(Version(part, self.main))]
        patches = [self.patch_of(part) for part in self.parts if self.patches]
        return self.occluded + patches + controls + [self.keep_only_of(part) for part in self.parts if self.keep_only]

    def controls_of(self, version: Version) -> list[Version]:
        has_control = version.occlusion == self.main and version.part not in FIXED
        return [version._replace(draw=draw) for draw in range(1, self.draws + 1) if has_control]

    def patch_of(self, part: str) -> Version:
        return Version(part, self.main, patch=True)

    def keep_only_of(self, part: str) -> Version:
        return Version(part, self.main, keep_only=True)


@dataclass(frozen=True, eq=False)
class Probes:
    """The photos that are looked for among all others that they were compared with.

    Attributes:
        subjects: int64 (n,), who is on each; they are numbered.
        ranks: int64 (n,), from 1; 0 for a probe that has no authentic or no impostor score.
        authentic: float64 (n,), the best authentic score, in millionths; NaN where there is none.
        impostor: float64 (n,), the best impostor score, likewise.
    """

    subjects: NDArray[np.int64]
    ranks: NDArray[np.int64]
    authentic: NDArray[np.float64]
    impostor: NDArray[np.float64]


@dataclass(eq=False)
class Scores:
    """Raw scores: a list of authentic pairs and one of impostor pairs.

    Attributes:
        names: str (p,), the subjects; elsewhere they are numbered.
        authentic: int64 (a,), in millionths.
        exact: float64 (a,), the same before they were rounded.
        owner: int64 (a,), whose both photos are.
        impostor: int64 (i,), in millionths.
        first: int64 (i,), who is on one photo.
        second: int64 (i,), who is on the other.
        probes: the same scores by probe.
    """

    names: NDArray[np.str_]
    authentic: NDArray[np.int64]
    exact: NDArray[np.float64]
    owner: NDArray[np.int64]
    impostor: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    probes: Probes

    @cached_property
    def with_authentic(self) -> int:
        """How many subjects have authentic scores."""
        return len(np.unique(self.owner))

    @property
    def impostor_owners(self) -> list[NDArray[np.int64]]:
        return [self.first, self.second]


@dataclass(eq=False)
class Group:
    """The photos of a group.

    Attributes:
        subjects: str (n,), who is on each photo.
        embeddings: of each version float64 (n, d), rows of length 1.
        head: int (n,), pixels of the head.
        pixels: of each part int (n,), pixels that it covers.
        replaced: of each version (n,), share of the photo that was replaced; 0 where there was nothing to occlude.
        scores: of each version, and whether it is compared with the baseline; computed from `embeddings` if missing.
    """

    subjects: NDArray[np.str_]
    embeddings: Mapping[Version, NDArray[np.float64]]
    head: NDArray[np.int64]
    pixels: Mapping[str, NDArray[np.int64]]
    replaced: Mapping[Version, NDArray[np.float64]]
    scores: dict[tuple[Version, bool], Scores] = field(default_factory=dict)
    chosen: dict[bytes, "Group"] = field(default_factory=dict)

    @cached_property
    def names(self) -> NDArray[np.str_]:
        """The subjects, sorted."""
        return np.unique(self.subjects)

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        return np.searchsorted(self.names, self.subjects)

    @property
    def is_comparable(self) -> bool:
        """Whether there are impostor pairs."""
        return len(self.names) > 1

    def only(self, found: NDArray[np.bool_]) -> "Group":
        """Choose some of the photos."""
        if found.all():
            return self
        if found.tobytes() not in self.chosen:
            self.chosen[found.tobytes()] = Group(
                subjects=self.subjects[found],
                embeddings={version: rows[found] for version, rows in self.embeddings.items()},
                head=self.head[found],
                pixels={part: pixels[found] for part, pixels in self.pixels.items()},
                replaced={version: shares[found] for version, shares in self.replaced.items()},
            )
        return self.chosen[found.tobytes()]

    def found(self, version: Version, design: Design) -> NDArray[np.bool_]:
        """The photos on which there is something to occlude: the part, a place for its control, or a patch of it.

        Methods differ in how they occlude, and draws in where: neither counts. A part is kept where it is found.
        """
        found = version._replace(occlusion=design.main, draw=min(version.draw, 1), keep_only=False)
        return self.replaced[found] > 0

    def compared(self, version: Version, design: Design) -> "Group":
        """The photos that are compared with a version, and as they are for its baseline.

        None if the version left all photos as they are: it is the baseline.
        """
        if version != BASELINE and not self.replaced[version].any():
            return self.only(np.zeros(len(self.subjects), bool))
        if version == BASELINE or (design.keeps_undetected and not version.draw and not version.keep_only):
            return self
        return self.only(self.found(version, design))

    def cosines(self, version: Version, cross: bool) -> NDArray[np.float64]:
        """All cosines, before they are rounded, (n, n)."""
        gallery = self.embeddings[BASELINE if cross else version]
        return self.embeddings[version] @ gallery.T

    def compare(self, version: Version, cross: bool = False) -> Scores:
        """List the scores of all pairs; a photo is not compared with itself, nor with its own other version."""
        if (version, cross) not in self.scores:
            cosines = self.cosines(version, cross)
            count = len(cosines)
            i, j = np.nonzero(~np.eye(count, dtype=bool)) if cross else np.triu_indices(count, 1)
            self.scores[version, cross] = list_pairs(self.subjects, i, j, cosines[i, j], both_ways=not cross)
        return self.scores[version, cross]


def list_pairs(
    subjects: NDArray[np.str_],
    i: NDArray[np.int64],
    j: NDArray[np.int64],
    cosines: NDArray[np.float64],
    *,
    both_ways: bool,
) -> Scores:
    """Round the cosines of pairs of photos, and part them into authentic and impostor ones.

    Impostor scores are products in 32-bit floats, authentic ones in 64-bit floats.

    Args:
        subjects: (n,), who is on each photo.
        i: (k,), one photo of each pair, the probe.
        j: (k,), the other.
        cosines: (k,).
        both_ways: whether the other photo is a probe as well.
    """
    names, numbers = np.unique(subjects, return_inverse=True)
    same = numbers[i] == numbers[j]
    impostor = np.rint(cosines.astype(np.float32) * np.float32(MILLION)).astype(np.int64)
    steps = np.where(same, np.rint(cosines * MILLION).astype(np.int64), impostor)
    return Scores(
        names=names,
        authentic=steps[same],
        exact=cosines[same],
        owner=numbers[i][same],
        impostor=steps[~same],
        first=numbers[i][~same],
        second=numbers[j][~same],
        probes=rank_probes(numbers, i, j, steps, both_ways=both_ways),
    )


def rank_probes(
    numbers: NDArray[np.int64],
    i: NDArray[np.int64],
    j: NDArray[np.int64],
    steps: NDArray[np.int64],
    *,
    both_ways: bool,
) -> Probes:
    """The rank of each probe: 1 plus the number of its impostor scores above the best of its authentic ones."""
    table = np.full((len(numbers), len(numbers)), np.nan)
    table[i, j] = steps
    if both_ways:
        table[j, i] = steps
    ranks, best = np.zeros(len(numbers), np.int64), np.full((2, len(numbers)), np.nan)
    for probe, row in enumerate(table):
        compared, same = ~np.isnan(row), numbers == numbers[probe]
        authentic, impostor = row[compared & same], row[compared & ~same]
        for place, scores in enumerate((authentic, impostor)):
            best[place, probe] = scores.max() if len(scores) else np.nan
        if len(authentic) and len(impostor):
            ranks[probe] = 1 + int((impostor > authentic.max()).sum())
    return Probes(numbers, ranks, *best)
