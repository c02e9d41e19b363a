"""A few photos of a study -> what one costs; nothing is written."""

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from facepart.engines.spread import Opened, Spread
from facepart.errors import FacepartError
from facepart.files.progress import StepTimes
from facepart.images import Photo, PhotoError
from facepart.images.write import encode_image
from facepart.study.cost import PhotoCost
from facepart.study.embed import embed_versions
from facepart.study.kept import KeptPictures
from facepart.study.pictures import choose_evenly
from facepart.study.run import open_networks
from facepart.study.setup import NetworkFiles, Setup
from facepart.study.versions import Made, Version

# How many photos are embedded to learn how long one takes; as many go before them, unmeasured.
_PHOTOS = 8


def measure_photo(setup: Setup, photos: Sequence[Photo], spread: Spread) -> PhotoCost:
    """Embed a few photos to learn what one costs.

    Args:
        setup: of the study.
        photos: a few are chosen among these.
        spread: who embeds them.

    Raises:
        FacepartError: the networks cannot be opened, or the worker died.
    """
    chosen = choose_evenly(photos, _PHOTOS)
    open_work = partial(_open_sample, setup.networks, setup.versions, setup.kept)
    opened = spread.open(open_work, StepTimes(), (setup.request.source,))
    results = [result for _, result in opened.work(chosen)]
    if isinstance(results[0], PhotoError):
        raise FacepartError(f"{chosen[0].path}: {results[0]}")
    return results[0]


def _open_sample(
    files: NetworkFiles,
    versions: tuple[Version, ...],
    kept: KeptPictures,
    times: StepTimes,
    threads: int | None,
) -> Opened[Photo, PhotoCost]:
    """Open the networks, for a few photos that are measured."""
    networks = open_networks(files, times, threads)

    def measure(photos: Sequence[Photo]) -> Iterator[tuple[Photo, PhotoCost]]:
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
            seconds = (time.perf_counter() - begun) / len(photos)
        cost = PhotoCost(seconds, int(np.prod(networks.recogniser.output_shape)), sum(sizes) / max(usable, 1))
        for photo in photos:
            yield photo, cost

    return Opened(measure)
