"""Photos -> the embeddings of the original and of every blurred version, without a file in between.

The same functions as the four scripts run on the same pixels, so the embeddings are those that their files would
give: blurred photos are written as PNG there, which loses nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from facepart.engines import Engine
from facepart.engines.stream import DEFAULT_BATCH, stream
from facepart.files.progress import StepTimes
from facepart.images import PhotoError
from facepart.images.resize import resize
from facepart.occlusion.occlude import occlude_parts
from facepart.parsing.parser import fit_photo
from facepart.parts import HEAD, part_mask
from facepart.recognition.embed import unit_embedding, views

Item = TypeVar("Item")

# An item, its photo, part -> the photo with it blurred, part -> its mask (512x512).
Keep = Callable[[Item, NDArray[np.uint8], Mapping[str, NDArray[np.uint8]], Mapping[str, NDArray[np.uint8]]], None]


@dataclass(frozen=True)
class Embedded:
    """What one photo gives.

    Attributes:
        embeddings: float32 (1 + parts, d), rows of length 1: the original, then each part blurred, in the order in
            which the parts were asked for.
        pixels: part -> pixels of the 512x512 label map that it covers; 0 where it was not found, and its embedding
            is then that of the original.
        head: pixels of the label map that show the head, face and hair.
    """

    embeddings: NDArray[np.float32]
    pixels: Mapping[str, int]
    head: int


@dataclass(frozen=True)
class _Faces:
    """The recogniser's inputs for one photo: uint8 (conditions x views, h, w, 3)."""

    inputs: NDArray[np.uint8]
    pixels: Mapping[str, int]
    head: int


def embed_parts(
    items: Iterable[Item],
    read: Callable[[Item], NDArray[np.uint8]],
    parser: Engine,
    recogniser: Engine,
    parts: Sequence[str],
    *,
    flip: bool = False,
    keep: Keep[Item] | None = None,
    batch: int = DEFAULT_BATCH,
    workers: int | None = None,
    times: StepTimes | None = None,
) -> Iterator[tuple[Item, Embedded | PhotoError]]:
    """Embed each photo as it is and with each part blurred: one parse and 1 + parts embeddings a photo.

    Memory stays bounded however many photos there are; neither `batch` nor `workers` change the results.

    Args:
        items: what to work on.
        read: called in a thread: an item -> its photo, uint8 (h, w, 3), RGB: an aligned crop. May raise PhotoError,
            and the item's result is that error.
        parser: an engine of :func:`facepart.parsing.parser.open_parser`.
        recogniser: an engine of :func:`facepart.recognition.load.open_recogniser`.
        parts: which parts to blur, keys of :data:`facepart.parts.PARTS`.
        flip: add the embedding of the mirrored face.
        keep: called in a thread with an item, its photo, that with each part blurred, and the part masks, before they
            are forgotten.
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

    def blur(item: Item, photo: NDArray[np.uint8], labels: NDArray[np.uint8]) -> _Faces:
        with clock.measure("blur parts"):
            masks = {part: part_mask(labels[0], part) for part in parts}
            blurred = {part: occluded.photo for part, occluded in occlude_parts(photo, masks).items()}
        if keep:
            with clock.measure("write files"):
                keep(item, photo, blurred, masks)
        with clock.measure("resize to the recogniser's size"):
            faces = [resize(face, height, width) for face in (photo, *(blurred[part] for part in parts))]
            inputs = np.concatenate([views(face, flip) for face in faces])
        pixels = {part: int(np.count_nonzero(mask)) for part, mask in masks.items()}
        return _Faces(inputs, pixels, int(np.bincount(labels[0].ravel(), minlength=256)[list(HEAD)].sum()))

    def take(result: tuple[Item, _Faces | PhotoError]) -> tuple[_Faces, NDArray[np.uint8]]:
        faces = result[1]
        if isinstance(faces, PhotoError):
            raise faces
        return faces, faces.inputs

    def embed(result: tuple[Item, _Faces | PhotoError], faces: _Faces, outputs: NDArray[Any]) -> Embedded:
        conditions = outputs.reshape(1 + len(parts), -1, *outputs.shape[1:])
        return Embedded(np.stack([unit_embedding(each) for each in conditions]), faces.pixels, faces.head)

    parsed = stream(items, fit, parser, blur, batch=batch, workers=workers, times=times)
    # The recogniser's waiting for the parser's stream is the parser's work, which that stream has counted.
    for (item, _), embedded in stream(parsed, take, recogniser, embed, batch=batch, workers=1, times=times):
        yield item, embedded
