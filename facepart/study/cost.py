"""The size of a study, and what a photo and a pair cost -> its time, memory and disk space."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from facepart.analysis.design import BASELINE_CONDITION, Condition
from facepart.matching.output import BYTES_A_PAIR

# What the networks, compiled before, and the program itself take, and a matching with its tables; measured with
# ArcFace r100 and two threads (benchmarks/memory.py, benchmarks/match.py).
NETWORKS_BYTES, _MATCHING_BYTES = 900e6, 450e6
# Of the embeddings of a group, those that are held at a time while it is matched.
_COPIES = 4
# What is known of a photo, in the command's memory: in each condition, and besides (tracemalloc, 2,560 photos in
# 8 and in 29 conditions: 1.8 and 6.2 KB, and 0.6 KB of its paths).
_ROW_BYTES, _PHOTO_BYTES = 230, 600
# The distributions of a group in a condition, the sums by person (10,500 features of 2,625 people: 177 a person), and
# a line of the ranks, with names of 20 characters.
_SCORES_BYTES, _PERSON_BYTES, _RANK_BYTES = 2e6, 200, 70


class GroupSize(NamedTuple):
    """A group: its name, its photos and its subjects."""

    name: str
    photos: int
    subjects: int


class PhotoCost(NamedTuple):
    """What one photo costs, measured on a few.

    Attributes:
        seconds: in which one worker embeds it by all recognisers, the baseline and every occlusion.
        dimensions: values of an embedding by each recogniser.
        kept: bytes of the images that are kept of it.
        seconds_to_average: that one worker takes to read and align it for the average face; 0 if none is made.
    """

    seconds: float
    dimensions: tuple[int, ...]
    kept: float
    seconds_to_average: float = 0.0


class MatchCost(NamedTuple):
    """What matching costs, in seconds, measured on made-up faces.

    Attributes:
        pair: per pair of faces, on one processor.
        face: per face, for everything but the pairs: reading, sums by subject, files. Most of it runs on one
            processor.
    """

    pair: float
    face: float


@dataclass(frozen=True)
class StudySize:
    """How large a study is.

    Attributes:
        groups: what is compared.
        conditions: in which.
        occlusions: of each photo, besides the baseline.
        todo: photos to be embedded.
        keep: of :data:`facepart.study.kept_files.KEPT`.
        recognisers: how many there are.
        further_networks: bytes of the weights of all recognisers but the first.
        coalitions: of parts, whose scores are compared and not kept.
    """

    groups: Sequence[GroupSize]
    conditions: Sequence[Condition]
    occlusions: int
    todo: int
    keep: Collection[str]
    recognisers: int = 1
    further_networks: float = 0.0
    coalitions: int = 0

    @property
    def photos(self) -> int:
        """Photos of all groups."""
        return sum(group.photos for group in self.groups)

    @property
    def pairs(self) -> int:
        """Pairs of all groups in all conditions, by all recognisers."""
        return sum(self.pairs_of(group) for group in self.groups) * self.recognisers

    def pairs_of(self, group: GroupSize) -> int:
        """Pairs of a group in all conditions and coalitions, by one recogniser."""
        pairs = sum(condition.pairs(group.photos) for condition in self.conditions)
        return pairs + self.coalitions * BASELINE_CONDITION.pairs(group.photos)

    @property
    def network_bytes(self) -> float:
        """Bytes of memory of the networks of one worker, and of the program."""
        return NETWORKS_BYTES + self.further_networks

    def embedding_bytes(self, dimensions: Sequence[int]) -> float:
        """Bytes of a photo's embeddings with all occlusions, by all recognisers."""
        return (1 + self.occlusions) * sum(dimensions) * 4.0


def scaled(groups: Sequence[GroupSize], times: float) -> list[GroupSize]:
    """Return the groups of a set that is so many times as large, with as many photos per subject as in the sample."""
    return [GroupSize(name, round(photos * times), round(subjects * times)) for name, photos, subjects in groups]


def seconds_to_embed(size: StudySize, photo: PhotoCost, workers: int) -> float:
    """Estimate how long the photos of a study take so many workers, with the average face that is made first."""
    return (size.todo * photo.seconds + size.photos * photo.seconds_to_average) / workers


def seconds_to_match(size: StudySize, cost: MatchCost, processors: int) -> float:
    """Estimate how long the pairs of a study take so many processors."""
    faces = size.photos * (len(size.conditions) + size.coalitions) * size.recognisers
    return size.pairs * cost.pair / processors + faces * cost.face


def memory_to_match(size: StudySize, dimensions: Sequence[int]) -> float:
    """Estimate the bytes of memory that the command needs while it matches, one recogniser after the other."""
    largest = max(group.photos for group in size.groups)
    return _MATCHING_BYTES + _COPIES * largest * max(dimensions) * 4 + bytes_of_rows(size)


def memory_here(size: StudySize, dimensions: Sequence[int]) -> float:
    """Estimate the bytes of memory of a study on one machine, where the networks run in the same process."""
    networks = size.network_bytes + bytes_of_rows(size) if size.todo else 0.0
    return max(networks, memory_to_match(size, dimensions))


def bytes_of_rows(size: StudySize) -> float:
    """Estimate what the command holds in memory of the photos besides their embeddings."""
    return size.photos * (_PHOTO_BYTES + size.recognisers * (1.0 + size.occlusions) * _ROW_BYTES)


def disk_by_kind(size: StudySize, photo: PhotoCost) -> dict[str, float]:
    """Estimate the bytes that a study's folder takes, by what they are."""
    people = sum(group.subjects for group in size.groups)
    embeddings = size.photos * size.embedding_bytes(photo.dimensions)
    found = {
        "embeddings": embeddings,
        "scores": size.recognisers
        * len(size.conditions)
        * (len(size.groups) * _SCORES_BYTES + people * _PERSON_BYTES + size.photos * _RANK_BYTES),
        "pictures": size.photos * photo.kept,
        "features": embeddings * ("features" in size.keep),
        "pairs": size.pairs * BYTES_A_PAIR * ("pairs" in size.keep),
    }
    return {kind: each for kind, each in found.items() if each}
