"""Photos -> the embeddings of the original and of every version, without a file in between.

The same functions as the four scripts run on the same pixels, so the embeddings are those that their files would
give: blurred photos are written as PNG there, which loses nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from facepart.data.photo_input import PhotoError
from facepart.data.resize import resize
from facepart.files.progress import StepTimes
from facepart.networks.embedding import unit_embedding, views
from facepart.networks.engine import Engine
from facepart.networks.face_parser import fit_photo
from facepart.occlusion.parts import HEAD, part_mask
from facepart.occlusion.versions import Made, Version, make_versions
from facepart.pipeline.batches import DEFAULT_BATCH, stream

Item = TypeVar("Item")

# An item, its photo, and the versions that were made of it.
Keep = Callable[[Item, NDArray[np.uint8], Mapping[Version, Made]], None]


@dataclass(frozen=True)
class Embedded:
    """What one photo gives.

    Attributes:
        embeddings: float32 (1 + versions, d), rows of length 1: the original, then each version, in the order in
            which they were asked for. Where the part was not found, that of the original.
        pixels: part -> pixels of the 512x512 label map that it covers; 0 where it was not found.
        shares: for each version, how much of the photo was replaced, 0..1.
        controls: for each version, the kind of control; empty where it is none.
        head: pixels of the label map that show the head, face and hair.
    """

    embeddings: NDArray[np.float32]
    pixels: Mapping[str, int]
    shares: Sequence[float]
    controls: Sequence[str]
    head: int


@dataclass(frozen=True)
class _Faces:
    """The recogniser's inputs for one photo, uint8 ((1 + versions) x views, h, w, 3), and the rest of the above."""

    inputs: NDArray[np.uint8]
    pixels: Mapping[str, int]
    shares: Sequence[float]
    controls: Sequence[str]
    head: int


def embed_versions(
    items: Iterable[Item],
    read: Callable[[Item], NDArray[np.uint8]],
    parser: Engine,
    recogniser: Engine,
    versions: Sequence[Version],
    *,
    name: Callable[[Item], str] = str,
    flip: bool = False,
    keep: Keep[Item] | None = None,
    batch: int = DEFAULT_BATCH,
    workers: int | None = None,
    times: StepTimes | None = None,
) -> Iterator[tuple[Item, Embedded | PhotoError]]:
    """Embed each photo as it is and in each version: one parse and 1 + versions embeddings a photo.

    Memory stays bounded however many photos there are; neither `batch` nor `workers` change the results.

    Args:
        items: what to work on.
        read: called in a thread: an item -> its photo, uint8 (h, w, 3), RGB: an aligned crop. May raise PhotoError,
            and the item's result is that error.
        parser: an engine of :func:`facepart.networks.face_parser.open_parser`.
        recogniser: an engine of :func:`facepart.networks.recogniser.open_recogniser`.
        versions: what to make of each photo (:func:`facepart.occlusion.versions.versions_of`).
        name: gives an item's name, which seeds the draws of its controls.
        flip: add the embedding of the mirrored face.
        keep: called in a thread with an item, its photo, and its versions, before they are forgotten.
        batch: photos given to the networks at once.
        workers: threads beside either network; None for the default.
        times: what the time of each step is added to.

    Yields:
        Each item with its embeddings, or why there are none, in the order of `items`.
    """
    clock = times or StepTimes()
    height, width = recogniser.preprocessing.height, recogniser.preprocessing.width

    def fit(item: Item) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        with clock.measure("read photo"):
            photo = read(item)
        with clock.measure("resize to the parser's size"):
            return photo, fit_photo(photo)[None]

    def lose(item: Item, photo: NDArray[np.uint8], labels: NDArray[np.uint8]) -> _Faces:
        with clock.measure("blur parts"):
            made = make_versions(photo, labels[0], versions, name(item))
        if keep:
            with clock.measure("write files"):
                keep(item, photo, made)
        with clock.measure("resize to the recogniser's size"):
            faces = [resize(face, height, width) for face in (photo, *(made[version].photo for version in versions))]
            inputs = np.concatenate([views(face, flip) for face in faces])
        parts = dict.fromkeys(version.part for version in versions)
        return _Faces(
            inputs=inputs,
            pixels={part: int(np.count_nonzero(part_mask(labels[0], part))) for part in parts},
            shares=[made[version].share for version in versions],
            controls=[made[version].control for version in versions],
            head=int(np.bincount(labels[0].ravel(), minlength=256)[list(HEAD)].sum()),
        )

    def take(result: tuple[Item, _Faces | PhotoError]) -> tuple[_Faces, NDArray[np.uint8]]:
        faces = result[1]
        if isinstance(faces, PhotoError):
            raise faces
        return faces, faces.inputs

    def embed(result: tuple[Item, _Faces | PhotoError], faces: _Faces, outputs: NDArray[Any]) -> Embedded:
        each = outputs.reshape(1 + len(versions), -1, *outputs.shape[1:])
        embeddings = np.stack([unit_embedding(output) for output in each])
        return Embedded(embeddings, faces.pixels, faces.shares, faces.controls, faces.head)

    parsed = stream(items, fit, parser, lose, batch=batch, workers=workers, times=times)
    # The recogniser's waiting for the parser's stream is the parser's work, which that stream has counted.
    for (item, _), embedded in stream(parsed, take, recogniser, embed, batch=batch, workers=1, times=times):
        yield item, embedded
