"""What a study would do, how long it would take and what it would need, without doing it."""

import os
import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from facepart.files.progress import StepTimes
from facepart.images import Photo, PhotoError
from facepart.images.write import encode_image
from facepart.matching.cosine import unit_rows
from facepart.matching.counting import count_scores
from facepart.matching.faces import Faces
from facepart.matching.output import BYTES_A_PAIR
from facepart.study.embed import embed_versions
from facepart.study.embedding import find_work
from facepart.study.matching import assign_groups, conditions_of
from facepart.study.pictures import choose_evenly
from facepart.study.run import open_networks
from facepart.study.setup import Request, Setup, set_up
from facepart.study.versions import Made, Version

# How many photos are embedded to learn how long one takes; as many go before them, unmeasured.
_SAMPLE = 8
# Faces that are compared to learn how long a pair takes.
_FACES = 3000
# What the networks, compiled before, and the program itself take, and a matching with its tables; measured with
# ArcFace r100 and two threads (benchmarks/memory.py, benchmarks/match.py).
_NETWORKS_BYTES, _MATCHING_BYTES = 900e6, 450e6
# The distributions of a group in a condition.
_SCORES_BYTES = 2e6


def make_plan(request: Request) -> list[str]:
    """Find out what a study would do.

    A few photos are embedded to learn how long one takes; nothing is written but what networks keep when they are
    first compiled.

    Returns:
        Lines for a person.

    Raises:
        FacepartError: as :func:`facepart.study.run.run_study` before it begins.
    """
    setup = set_up(request)
    members = assign_groups([photo.name for photo in setup.photos], setup.people, setup.rule, request.groups)
    photos = members.of(setup.photos)
    work = find_work(photos, setup.store, setup.versions, setup.kept)
    todo = sum(map(len, work.values()))
    conditions = conditions_of(setup.versions, request.cross)
    lines = [
        f"{len(photos)} photos, {todo} of them to be embedded: as they are, and in "
        f"{len(setup.versions)} versions{_versions_in_words(setup)}"
    ]
    pairs = 0
    for group, names in members.groups.items():
        each = sum(condition.pairs(len(names)) for condition in conditions)
        pairs += each
        lines.append(
            f"{group}: {len(names)} photos of {members.people[group]} people, {each:,} pairs in "
            f"{len(conditions)} conditions"
        )
    if len(photos) < len(setup.photos):
        lines.append(f"{len(setup.photos) - len(photos)} more photos belong to none of these groups and are left out")

    networks = open_networks(setup.networks, StepTimes()) if todo else None
    seconds, dimension, photo_bytes = 0.0, 512, 0.0
    if networks:
        dimension = int(np.prod(networks.recogniser.output_shape))
        sizes: list[int] = []

        def weigh(photo: Photo, face: NDArray[np.uint8], made: Mapping[Version, Made]) -> None:
            del photo, face
            for version in setup.kept.versions:
                pictures = {"photos": made[version].photo, "masks": made[version].mask}
                sizes.extend(len(encode_image(".png", pictures[what])) for what in setup.kept.what)

        sample = choose_evenly([photo for photos in work.values() for photo in photos], _SAMPLE)
        for keep in (None, weigh):
            begun = time.perf_counter()
            results = embed_versions(
                sample,
                networks.read,
                networks.parser,
                networks.recogniser,
                setup.versions,
                name=lambda photo: photo.name,
                flip=request.flip,
                keep=keep,
            )
            usable = sum(not isinstance(result, PhotoError) for _, result in results)
            seconds = (time.perf_counter() - begun) / len(sample)
        photo_bytes = sum(sizes) / max(usable, 1)
    embedding, comparing = todo * seconds, pairs * _seconds_a_pair(dimension)
    lines.append(
        f"time: about {_duration(embedding + comparing)} ({_duration(embedding)} for the photos, "
        f"{_duration(comparing)} for the pairs)"
    )
    largest = max(map(len, members.groups.values()))
    memory = max(_NETWORKS_BYTES if todo else 0, _MATCHING_BYTES + 4 * largest * dimension * 4)
    lines.append(f"memory: about {memory / 1e9:.1f} GB")
    disk = _disk(setup, len(photos), dimension, photo_bytes, pairs, len(members.groups))
    lines.append(f"disk: about {disk / 1e9:.2f} GB")
    return lines


def _versions_in_words(setup: Setup) -> str:
    """Say what the versions are made of."""
    count, draws = len(setup.parts), setup.request.control
    said = [f"{count} parts lost"]
    if len(setup.ways) > 1:
        said.append(f"in {len(setup.ways)} ways")
    if draws:
        said.append(f"and {draws} draw{'' if draws == 1 else 's'} of a control for each")
    return f" ({' '.join(said)})"


def _disk(setup: Setup, photos: int, dimension: int, photo_bytes: float, pairs: int, groups: int) -> float:
    """Estimate the bytes that a study's folder takes."""
    keep, conditions = setup.request.keep, len(conditions_of(setup.versions, setup.request.cross))
    embeddings = photos * (1 + len(setup.versions)) * dimension * 4.0
    kept = photos * photo_bytes + embeddings * ("features" in keep) + pairs * BYTES_A_PAIR * ("pairs" in keep)
    return embeddings + kept + groups * conditions * _SCORES_BYTES


def _seconds_a_pair(dimension: int) -> float:
    """Compare some random faces, to learn how long a pair takes."""
    rows = unit_rows(np.random.default_rng(0).normal(size=(_FACES, dimension)).astype(np.float32))
    faces = Faces(rows, np.arange(_FACES) // 4, np.arange(_FACES))
    begun = time.perf_counter()
    count_scores(faces, workers=os.cpu_count() or 1)
    return (time.perf_counter() - begun) / (_FACES * (_FACES - 1) / 2)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
