"""What is still to be done with the photos of a study, and where the results go."""

from collections.abc import Collection, Iterable, Sequence

from facepart.data.photo_input import PhotoError
from facepart.data.photos import Photo, photo_stamp
from facepart.files.progress import StepTimes
from facepart.occlusion.occlusion import BASELINE, Occlusion
from facepart.pipeline.embedded_photo import EmbeddedPhoto
from facepart.pipeline.embedding_store import EmbeddingStore
from facepart.pipeline.saved_images import SavedImages
from facepart.pipeline.worker import PhotoResult, PhotoTask
from facepart.study.report_images import ReportImages
from facepart.study.study_progress import StudyProgress


def list_tasks(
    photos: Sequence[Photo], stores: Sequence[EmbeddingStore], occlusions: Sequence[Occlusion], saved: SavedImages
) -> list[PhotoTask]:
    """List the photos that are to be embedded, each with the occlusions that are missing by each recogniser.

    A photo of which an image is missing that is to be kept is done again as a whole.

    Args:
        photos: those of the study.
        stores: the embeddings by each recogniser.
        occlusions: besides the baseline.
        saved: the images that are kept.
    """
    incomplete = {photo.name for photo in saved.incomplete(photos)}
    tasks = []
    for photo in photos:
        stored = [store.photos.get(photo.name) for store in stores]
        again = photo.name in incomplete and not any(each and each.record.failure for each in stored)
        wanted = tuple(tuple(occlusions) if again else _missing(photo, store, occlusions) for store in stores)
        if any(each is not None for each in wanted):
            made = tuple(each for each in occlusions if any(some and each in some for some in wanted))
            tasks.append(PhotoTask(photo, made, photo_stamp(photo, ask_store=True), wanted=wanted))
    return tasks


def recognisers_of(tasks: Iterable[PhotoTask]) -> list[int]:
    """Return the numbers of the recognisers that embed a photo of :func:`list_tasks`."""
    return sorted({number for task in tasks for number, each in enumerate(task.wanted or ()) if each is not None})


def with_recognisers(tasks: Iterable[PhotoTask], numbers: Sequence[int]) -> list[PhotoTask]:
    """Return tasks of :func:`list_tasks` for a worker that has only the recognisers of these numbers."""
    return [task._replace(wanted=tuple((task.wanted or ())[number] for number in numbers)) for task in tasks]


def with_thumbnails(
    tasks: Iterable[PhotoTask], missing: Collection[Photo], shown: Sequence[Occlusion]
) -> list[PhotoTask]:
    """Have thumbnails taken: of photos that are embedded with all occlusions shown, or else in tasks of their own.

    Args:
        tasks: of :func:`list_tasks`.
        missing: photos whose thumbnails are missing.
        shown: the occlusions that thumbnails show.
    """
    names = {photo.name for photo in missing}
    found = [
        task._replace(thumbnails=task.photo.name in names and set(task.occlusions) >= set(shown)) for task in tasks
    ]
    taken = {task.photo.name for task in found if task.thumbnails}
    own = [photo for photo in missing if photo.name not in taken]
    return found + [PhotoTask(photo, tuple(shown), embed=False, thumbnails=True) for photo in own]


def store_results(
    results: Iterable[tuple[PhotoTask, PhotoResult | PhotoError]],
    stores: Sequence[EmbeddingStore],
    images: ReportImages,
    progress: StudyProgress,
    times: StepTimes,
) -> None:
    """Store the results of photos, which may come in any order; what is done is on disk also when the run is stopped.

    Args:
        results: of :meth:`facepart.pipeline.worker.PhotoWorker.map`.
        stores: of the worker's recognisers, in order; they take the embeddings, or the reasons why there are none.
        images: takes the thumbnails.
        progress: is called after each photo.
        times: of the steps, for the bottleneck that progress shows.

    Raises:
        FacepartError: a file cannot be written.
    """
    done = 0
    try:
        for task, result in results:
            if task.embed:
                for number, store in enumerate(stores):
                    if task.wanted_by(number) is not None:
                        store.add(_record_of(task, result, number))
                done += 1
                progress.photos(done, times.bottleneck())
            if not isinstance(result, PhotoError) and result.thumbnails:
                images.take(task.photo.name, result.thumbnails)
    finally:
        for store in stores:
            store.flush()


def _missing(photo: Photo, store: EmbeddingStore, occlusions: Sequence[Occlusion]) -> tuple[Occlusion, ...] | None:
    """Return the occlusions with which a recogniser still has to embed a photo; None if there is nothing to do."""
    missing = store.missing(photo, (BASELINE, *occlusions))
    if BASELINE in missing:
        return tuple(occlusions)
    return tuple(missing) or None


def _record_of(task: PhotoTask, result: PhotoResult | PhotoError, recogniser: int) -> EmbeddedPhoto:
    """Return what a recogniser, by its number, gave for a photo that it was to embed."""
    if isinstance(result, PhotoError):
        return EmbeddedPhoto(task.photo.name, task.signature, failure=(result.stage, str(result)))
    record = result.records[recogniser]
    assert record is not None  # noqa: S101 - the worker embeds what is wanted
    return record
