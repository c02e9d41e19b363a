"""What a study costs in time, memory and disk, worked out from numbers: photos, versions, groups, rates and nodes."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from facepart.cluster.estimate import NETWORK, Memory, Rates, Times, cut, memory_to_compare, seconds_to_compare
from facepart.cluster.handing import SHARD
from facepart.cluster.machines import Node
from facepart.matching.output import BYTES_A_PAIR
from facepart.study.matching import Condition

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
    """A group: its name, its photos and the people they show."""

    name: str
    photos: int
    people: int


class PhotoCost(NamedTuple):
    """What one photo costs, measured on a few.

    Attributes:
        seconds: in which one worker embeds it, as it is and in every version. If the machine that was measured has
            fewer processors than a worker, these are taken to share the work evenly.
        dimension: values of an embedding.
        kept: bytes of the pictures that are kept of it.
        read: bytes of its file.
        taken_in: seconds in which the command takes in its embeddings and writes them.
    """

    seconds: float
    dimension: int
    kept: float
    read: float
    taken_in: float


@dataclass(frozen=True)
class StudySize:
    """How large a study is.

    Attributes:
        groups: what is compared.
        conditions: in which.
        versions: of a photo, besides itself.
        todo: photos to be embedded.
        keep: of :data:`facepart.study.kept.KEPT`.
    """

    groups: Sequence[GroupSize]
    conditions: Sequence[Condition]
    versions: int
    todo: int
    keep: Collection[str]

    @property
    def photos(self) -> int:
        """Photos of all groups."""
        return sum(group.photos for group in self.groups)

    @property
    def pairs(self) -> int:
        """Pairs of all groups in all conditions."""
        return sum(condition.pairs(group.photos) for group in self.groups for condition in self.conditions)

    def embedding_bytes(self, dimension: int) -> float:
        """Bytes of a photo's embeddings in all versions."""
        return (1 + self.versions) * dimension * 4.0


class PhotoTimes(NamedTuple):
    """The seconds of the photos; what goes on side by side has its own.

    Attributes:
        workers: of all workers together, were none ever idle.
        idle: how much longer the last shard takes.
        command: the command, which takes in the embeddings and writes them.
        network: the embeddings' way to the command.
    """

    workers: float
    idle: float
    command: float
    network: float

    @property
    def total(self) -> float:
        """From begin to end."""
        return max(self.workers + self.idle, self.command, self.network)

    @property
    def limit(self) -> str:
        """What takes longest, in words."""
        found = {
            "the workers": self.workers,
            "the last shard": self.idle,
            "the command, which takes in the embeddings": self.command,
            "the network of the command's node": self.network,
        }
        return max(found, key=lambda name: found[name])


def of_a_set(groups: Sequence[GroupSize], times: float) -> list[GroupSize]:
    """Give the groups of a set that is so many times as large; a person has as many photos as in the sample."""
    return [GroupSize(name, round(photos * times), round(people * times)) for name, photos, people in groups]


def seconds_to_embed(size: StudySize, photo: PhotoCost, workers: int) -> PhotoTimes:
    """Estimate how long the photos of a study take on a cluster that has room for so many workers."""
    work, shard = size.todo * photo.seconds / workers, min(SHARD, size.todo) * photo.seconds
    # When the first has nothing more to take, another may just have taken a shard; or each does so many shards.
    end = min(work + shard, math.ceil(size.todo / SHARD / workers) * shard)
    return PhotoTimes(
        workers=work,
        idle=max(end - work, 0.0),
        command=size.todo * photo.taken_in,
        network=size.todo * size.embedding_bytes(photo.dimension) / NETWORK,
    )


def seconds_here(size: StudySize, rates: Rates, processors: int) -> float:
    """Estimate how long the pairs of a study take on one machine."""
    faces = size.photos * len(size.conditions)
    return size.pairs * rates.pair / processors + faces * rates.face


def compare_on(
    nodes: Sequence[Node], size: StudySize, dimension: int, rates: Rates
) -> tuple[list[Times], list[Memory]]:
    """Estimate the times of every comparison of a study on a cluster, and what memory each kind needs."""
    times, memory = [], []
    for group in size.groups:
        for cross in (False, True):
            count = sum(condition.cross == cross for condition in size.conditions)
            if count:
                tasks = cut(group.photos, group.photos if cross else None, group.people, nodes)
                times += [seconds_to_compare(tasks, dimension, nodes, rates)] * count
                memory.append(memory_to_compare(tasks, group.people, dimension, nodes))
    return times, memory


def memory_here(size: StudySize, dimension: int) -> float:
    """Estimate the bytes of memory of a study on one machine."""
    largest = max(group.photos for group in size.groups)
    matching = _MATCHING_BYTES + _COPIES * largest * dimension * 4
    return max(NETWORKS_BYTES if size.todo else 0, matching) + bytes_of_rows(size)


def bytes_of_rows(size: StudySize) -> float:
    """Estimate what the command holds in memory of the photos besides their embeddings."""
    return size.photos * (_PHOTO_BYTES + (1.0 + size.versions) * _ROW_BYTES)


def disk_by_kind(size: StudySize, photo: PhotoCost) -> dict[str, float]:
    """Estimate the bytes that a study's folder takes, by what they are."""
    people = sum(group.people for group in size.groups)
    embeddings = size.photos * size.embedding_bytes(photo.dimension)
    found = {
        "embeddings": embeddings,
        "scores": len(size.conditions)
        * (len(size.groups) * _SCORES_BYTES + people * _PERSON_BYTES + size.photos * _RANK_BYTES),
        "pictures": size.photos * photo.kept,
        "features": embeddings * ("features" in size.keep),
        "pairs": size.pairs * BYTES_A_PAIR * ("pairs" in size.keep),
    }
    return {kind: each for kind, each in found.items() if each}
