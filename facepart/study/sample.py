"""A few photos of a study -> what one costs; nothing is written."""

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
from facepart.pipeline.executor import Executor
from facepart.pipeline.saved_images import SavedImages
from facepart.pipeline.worker import PhotoResult, PhotoTask, PhotoWorker
from facepart.study.average_face import detector_alone
from facepart.study.cost import PhotoCost
from facepart.study.report_images import choose_evenly
from facepart.study.setup import Setup

# How many photos are embedded to learn how long one takes; as many go before them, unmeasured.
_PHOTOS = 8
_MEASURED = "work on photos a second time"


def measure_photo(
    setup: Setup, tasks: Sequence[PhotoTask], executor: Executor, *, average: bool = False
) -> PhotoCost:
    """Embed a few photos to learn what one costs.

    Args:
        setup: of the study.
        tasks: what is to be done with the photos; a few are chosen among these.
        executor: embeds them.
        average: whether the average face is made of the photos first.

    Raises:
        FacepartError: the networks cannot be opened, or the worker died.
    """
    chosen = choose_evenly(tasks, _PHOTOS)
    worker = _SampleWorker(
        setup.networks(setup.recognisers),
        averages=_GreyFaces({}),
        saved=_EncodedImages(**vars(setup.saved)),
        crop=CROP_SIZE,
        parts=setup.design.measured_parts,
    )
    times = StepTimes()
    session = executor.start(worker, times, (setup.request.source,))
    results = [result for _, result in session.map(chosen)]
    if isinstance(results[0], PhotoError):
        raise FacepartError(f"{chosen[0].photo.path}: {results[0]}")
    kept = [sum((result.sizes or {}).values()) for result in results if not isinstance(result, PhotoError)]
    dimensions = tuple(info.dimension for info in session.info)
    averaging = _measure_averaging(setup, chosen, executor) if average else 0.0
    return PhotoCost(times.seconds[_MEASURED] / len(chosen), dimensions, sum(kept) / len(kept), averaging)


def _measure_averaging(setup: Setup, chosen: Sequence[PhotoTask], executor: Executor) -> float:
    """Read and align a few photos as for the average face; return the seconds for one."""
    reader = _SampleWorker(detector_alone(setup.networks([])), crop=CROP_SIZE, keep_pixels=True)
    times = StepTimes()
    session = executor.start(reader, times, (setup.request.source,))
    for _ in session.map([PhotoTask(task.photo) for task in chosen]):
        pass
    return times.seconds[_MEASURED] / len(chosen)


class _GreyFaces(AverageFaces):
    """Stands for the average face of the study, which takes all photos to make, and costs the same to use."""

    def of(self, height: int, width: int) -> NDArray[np.uint8]:
        """Return grey of the size of a photo."""
        return np.full((height, width, 3), 128, np.uint8)


class _EncodedImages(SavedImages):
    """Images that are encoded, but not written."""

    def write(
        self,
        photo: Photo,
        face: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        occluded: Mapping[Occlusion, OccludedPhoto],
    ) -> dict[str, int]:
        """Encode a photo's images; return their sizes in bytes."""
        del photo, labels
        sizes: dict[str, int] = {}
        for occlusion in self.occlusions:
            if occlusion in occluded:
                if self.masks:
                    sizes[f"mask_{occlusion.part}"] = len(encode_image(".png", occluded[occlusion].mask))
                if self.photos:
                    sizes[f"blurred_{occlusion.part}"] = len(encode_image(".png", occluded[occlusion].photo))
        if self.aligned:
            sizes["aligned"] = len(encode_image(".png", face))
        return sizes


class _SampleWorker(PhotoWorker):
    """Works on photos twice, and measures the second time."""

    def map(self, tasks: Iterable[PhotoTask]) -> Iterator[tuple[PhotoTask, PhotoResult | PhotoError]]:
        """Work on photos; yield the results of the second time."""
        tasks = list(tasks)
        for _ in super().map(tasks):
            pass
        with self._times.measure(_MEASURED):
            results = list(super().map(tasks))
        yield from results
