"""What is still to be done with the photos of a study, and where the results go."""

from collections.abc import Collection, Iterable, Sequence

from facepart.data.photo_input import PhotoError
from facepart.data.photos import Photo
from facepart.files.progress import StepTimes
from facepart.occlusion.occlusion import BASELINE, Occlusion
from facepart.pipeline.embedded_photo import EmbeddedPhoto
from facepart.pipeline.embedding_store import EmbeddingStore, file_signature
from facepart.pipeline.saved_images import SavedImages
from facepart.pipeline.worker import PhotoResult, PhotoTask
from facepart.study.report_images import ReportImages
from facepart.study.study_progress import StudyProgress


def list_tasks(
    photos: Sequence[Photo], store: EmbeddingStore, occlusions: Sequence[Occlusion], saved: SavedImages
) -> list[PhotoTask]:
    """List the photos that are to be embedded, each with the occlusions that are missing.

    A photo of which an image is missing that is to be kept is done again as a whole.
    """
    incomplete = {photo.name for photo in saved.incomplete(photos)}
    tasks = []
    for photo in photos:
        missing = store.missing(photo, (BASELINE, *occlusions))
        stored = store.photos.get(photo.name)
        if BASELINE in missing or (photo.name in incomplete and not (stored and stored.record.failure)):
            missing = [BASELINE, *occlusions]
        if missing:
            wanted = tuple(occlusion for occlusion in missing if occlusion != BASELINE)
            tasks.append(PhotoTask(photo, wanted, file_signature(photo)))
    return tasks


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
    store: EmbeddingStore,
    images: ReportImages,
    progress: StudyProgress,
    times: StepTimes,
) -> None:
    """Store the results of photos, which may come in any order; what is done is on disk also when the run is stopped.

    Args:
        results: of :meth:`facepart.pipeline.worker.PhotoWorker.map`.
        store: takes the embeddings, or the reasons why there are none.
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
                store.add(_failed(task, result) if isinstance(result, PhotoError) else result.record)
                done += 1
                progress.photos(done, times.bottleneck())
            if not isinstance(result, PhotoError) and result.thumbnails:
                images.take(task.photo.name, result.thumbnails)
    finally:
        store.flush()


def _failed(task: PhotoTask, error: PhotoError) -> EmbeddedPhoto:
    return EmbeddedPhoto(task.photo.name, task.signature, failure=(error.stage, str(error)))
