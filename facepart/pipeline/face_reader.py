"""Photos -> aligned faces, for what needs the faces of a whole study before they are occluded."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from facepart.data.photo_input import PhotoError, large_photos_in_turn
from facepart.pipeline.batches import run_batches_of_several
from facepart.pipeline.worker import PhotoTask, PhotoWorker


class FaceReader(PhotoWorker):
    """Reads photos, and aligns their faces if it has a detector; nothing is parsed or embedded."""

    def map(  # type: ignore[override]
        self, tasks: Iterable[PhotoTask]
    ) -> Iterator[tuple[PhotoTask, NDArray[np.uint8] | PhotoError]]:
        """Read photos, in order: uint8 (h, w, 3), RGB, as they are parsed."""
        yield from run_batches_of_several(
            *(tasks, self._face, (), self._same), batch=self._batch, workers=self._threads, times=self._times
        )

    def _face(self, task: PhotoTask) -> tuple[NDArray[np.uint8], tuple[()]]:
        with large_photos_in_turn():
            face = self.read(task.photo)
            self._located.pop(task.photo.name, None)
            return face, ()

    def _same(self, task: PhotoTask, face: NDArray[np.uint8], outputs: object) -> NDArray[np.uint8]:
        del task, outputs
        return face
