"""A few photos of a study -> what one costs; nothing is written."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from facepart.data.photo_input import PhotoError
from facepart.data.photo_output import encode_image
from facepart.data.photos import Photo
from facepart.errors import FacepartError
from facepart.files.progress import StepTimes
from facepart.networks.alignment import CROP_SIZE
from facepart.occlusion.average_face import AverageFaces
from facepart.occlusion.occlude import OccludedPhoto
from facepart.occlusion.occlusion import Occlusion
from facepart.pipeline.executor import Executor, Session
from facepart.pipeline.saved_images import SavedImages
from facepart.pipeline.worker import PhotoTask, PhotoWorker
from facepart.study.cost import PhotoCost
from facepart.study.report_images import choose_evenly
from facepart.study.setup import Setup

# How many photos are embedded to learn how long one takes; as many go before them, unmeasured.
_PHOTOS = 8


def measure_photo(setup: Setup, tasks: Sequence[PhotoTask], executor: Executor) -> PhotoCost:
    """Embed a few photos to learn what one costs.

    Args:
        setup: of the study.
        tasks: what is to be done with the photos; a few are chosen among these.
        executor: embeds them.

    Raises:
        FacepartError: the networks cannot be opened, or the worker died.
    """
    chosen = choose_evenly(tasks, _PHOTOS)
    networks = setup.networks(setup.recognisers)
    worker = _SampleWorker(
        networks, averages=_GreyFaces({}), saved=setup.saved, crop=CROP_SIZE, parts=setup.design.measured_parts
    )
    session: Session[PhotoTask, PhotoCost] = executor.start(worker, StepTimes(), (setup.request.source,))
    results = [result for _, result in session.map(chosen)]
    if isinstance(results[0], PhotoError):
        raise FacepartError(f"{chosen[0].photo.path}: {results[0]}")
    return results[0]


class _GreyFaces(AverageFaces):
    """Stands for the average face of the study, which takes all photos to make, and costs the same to use."""

    def of(self, height: int, width: int) -> NDArray[np.uint8]:
        """Return grey of the size of a photo."""
        return np.full((height, width, 3), 128, np.uint8)


class _SampleWorker(PhotoWorker):
    """Works on photos twice, and measures the second time; images are encoded, but not written."""

    def map(self, tasks: Iterable[PhotoTask]) -> Iterator[tuple[PhotoTask, PhotoCost | PhotoError]]:  # type: ignore[override]
        """Measure what a photo costs; yield that for each, or why it cannot be embedded."""
        tasks = list(tasks)
        for _ in range(2):
            self._sizes: list[int] = []
            begun = time.perf_counter()
            results = list(super().map(tasks))
            seconds = (time.perf_counter() - begun) / len(tasks)
        usable = sum(not isinstance(result, PhotoError) for _, result in results)
        dimensions = tuple(info.dimension for info in self.info)
        cost = PhotoCost(seconds, dimensions, sum(self._sizes) / max(usable, 1))
        for task, result in results:
            yield task, result if isinstance(result, PhotoError) else cost

    def save(
        self,
        saved: SavedImages,
        photo: Photo,
        face: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        occluded: Mapping[Occlusion, OccludedPhoto],
    ) -> dict[str, int]:
        """Encode a photo's images, and note their sizes."""
        del photo, labels
        for occlusion in saved.occlusions:
            if saved.masks:
                self._sizes.append(len(encode_image(".png", occluded[occlusion].mask)))
            if saved.photos:
                self._sizes.append(len(encode_image(".png", occluded[occlusion].photo)))
        if saved.aligned:
            self._sizes.append(len(encode_image(".png", face)))
        return {}
