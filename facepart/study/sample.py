"""A few photos of a study -> what one costs; nothing is written."""

import os
import pickle
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.data.photo_input import PhotoError
from facepart.data.photo_output import encode_image
from facepart.data.photos import Photo
from facepart.errors import FacepartError
from facepart.files.progress import StepTimes
from facepart.occlusion.versions import Made, Version
from facepart.pipeline.embed import embed_versions
from facepart.pipeline.embedding import Found
from facepart.pipeline.embedding_store import SHARD_PHOTOS, Entry, Store
from facepart.pipeline.executor import Opened, Spread
from facepart.pipeline.saved_images import KeptPictures
from facepart.study.cost import PhotoCost
from facepart.study.experiment import open_networks
from facepart.study.report_images import choose_evenly
from facepart.study.setup import NetworkFiles, Setup

# How many photos are embedded to learn how long one takes; as many go before them, unmeasured.
_PHOTOS = 8


def measure_photo(setup: Setup, photos: Sequence[Photo], spread: Spread, processors: int | None) -> PhotoCost:
    """Embed a few photos, and put made-up rows into a store, to learn what a photo costs.

    Args:
        setup: of the study.
        photos: a few are chosen among these.
        spread: who embeds them.
        processors: of a worker, for which this process may stand; None for all that this machine has.

    Raises:
        FacepartError: the networks cannot be opened, or the worker died.
    """
    chosen = choose_evenly(photos, _PHOTOS)
    open_work = partial(_open_sample, setup.networks, setup.versions, setup.kept, processors)
    opened = spread.open(open_work, StepTimes(), (setup.request.source,))
    results = [result for _, result in opened.work(chosen)]
    if isinstance(results[0], PhotoError):
        raise FacepartError(f"{chosen[0].path}: {results[0]}")
    found: _Sample = results[0]
    names = [version.name for version in setup.versions]
    return PhotoCost(
        seconds=found.seconds,
        dimension=found.dimension,
        kept=found.kept,
        read=sum(photo.path.stat().st_size for photo in chosen) / len(chosen),
        taken_in=_time_taking_in(names, found.dimension),
    )


class _Sample(NamedTuple):
    """What a worker learned: see :class:`facepart.study.cost.PhotoCost`."""

    seconds: float
    dimension: int
    kept: float


def _open_sample(
    files: NetworkFiles,
    versions: tuple[Version, ...],
    kept: KeptPictures,
    processors: int | None,
    times: StepTimes,
    threads: int | None,
) -> Opened[Photo, _Sample]:
    """Open the networks, for a few photos that are measured."""
    here = threads or (processors and min(processors, os.cpu_count() or 1))
    networks = open_networks(files, times, here)

    def measure(photos: Sequence[Photo]) -> Iterator[tuple[Photo, _Sample]]:
        sizes: list[int] = []

        def weigh(photo: Photo, face: NDArray[np.uint8], made: Mapping[Version, Made]) -> None:
            del photo, face
            for version in kept.versions:
                pictures = {"photos": made[version].photo, "masks": made[version].mask}
                sizes.extend(len(encode_image(".png", pictures[what])) for what in kept.what)

        for keep in (None, weigh):
            begun = time.perf_counter()
            results = embed_versions(
                photos,
                networks.read,
                networks.parser,
                networks.recogniser,
                versions,
                name=lambda photo: photo.name,
                flip=networks.flip,
                keep=keep,
            )
            usable = sum(not isinstance(result, PhotoError) for _, result in results)
            seconds = (time.perf_counter() - begun) / len(photos) * ((here or 1) / (processors or here or 1))
        sample = _Sample(seconds, int(np.prod(networks.recogniser.output_shape)), sum(sizes) / max(usable, 1))
        for photo in photos:
            yield photo, sample

    return Opened(measure)


def _time_taking_in(versions: Sequence[str], dimension: int) -> float:
    """Time how the command puts into a store what workers hand back; give a processor's seconds a photo.

    Args:
        versions: names of what is made of a photo.
        dimension: values of an embedding.
    """
    rows = np.random.default_rng(0).standard_normal((SHARD_PHOTOS, 1 + len(versions), dimension), np.float32)
    shares = dict.fromkeys(versions, 0.1)
    conditions = ("original", *versions)
    found = [
        Found(Entry(f"{number}", "", dict(zip(conditions, each, strict=True)), shares=shares), None)
        for number, each in enumerate(rows)
    ]
    handed = pickle.dumps(found, pickle.HIGHEST_PROTOCOL)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        begun = time.process_time()
        for each in pickle.loads(handed):  # noqa: S301 - was made just now
            store.add(each.entry)
        store.flush()
        return (time.process_time() - begun) / SHARD_PHOTOS
