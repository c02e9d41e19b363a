"""A study's photos on a GPU: parse -> occlude -> resize -> embed; label maps and occluded photos never leave it.

Threads decode and align photos. Each batch of photos of one size is sent once, as 8 bits; what comes back are its
embeddings and a few numbers per photo. While a batch is computed, the next ones are read, and the answers of the one
before it become records. All batches have one size, the last ones filled up with black photos.

What this does not cover is worked on as ever, by :class:`~facepart.pipeline.worker.PhotoWorker`: photos that are
written or shown in the report, inpainting, label maps from a folder, parsers with classes or an input size of their
own, large photos, and photos of a size that few others have.
"""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facepart.data.photo_input import PhotoError, large_photos_in_turn
from facepart.errors import FacepartError
from facepart.files.progress import NETWORK, WAITING
from facepart.full_float32 import full_float32
from facepart.networks.alignment import template_columns
from facepart.networks.cuda_errors import cuda_errors
from facepart.networks.device_copies import Copy, DeviceCopies
from facepart.networks.label_map import SIZE
from facepart.networks.pytorch_engine import NOT_FINITE, PyTorchEngine
from facepart.occlusion.device_occlusion import ON_HOST, DeviceOccluder, fit_photos, resize_photos
from facepart.occlusion.method import AVERAGE
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.occlusion.parts import HEAD, Part
from facepart.occlusion.replace import noise
from facepart.pipeline.batches import attempt
from facepart.pipeline.embedded_photo import EmbeddedPhoto
from facepart.pipeline.worker import Located, PhotoResult, PhotoTask, PhotoWorker, count_faces, shorter_side

# Photos of a batch, as a multiple of what a network gets at once: 64 by default.
_BATCHES = 4
# Batches that are on the device at once.
_IN_FLIGHT = 2
# Photos of more pixels are worked on one by one.
_LARGEST = 1 << 20
# Kinds of batches that wait for more photos at once, each with up to a batch of photos in memory.
_KINDS = 8
_ADVICE = "lower --batch-size, or use --device cpu"

Answer = tuple[PhotoTask, PhotoResult | PhotoError]


class _Read(NamedTuple):
    """A photo that was read.

    Attributes:
        face: uint8 (h, w, 3), RGB.
        located: the face that was found on it; None if none was looked for.
        noise: the pixels of the occlusion by noise, uint8 (h, w, 3); None if it is not among the occlusions.
    """

    face: NDArray[np.uint8]
    located: Located | None
    noise: NDArray[np.uint8] | None


class _Kind(NamedTuple):
    """What photos of a batch have in common."""

    height: int
    width: int
    occlusions: tuple[Occlusion, ...]
    wanted: tuple[tuple[Occlusion, ...] | None, ...] | None


@dataclass
class _Started:
    """A batch on the device; answers are on their way to the host.

    Attributes:
        tasks: its photos.
        read: likewise.
        kind: what they have in common.
        parts: whose pixels were counted.
        measured: occlusions for which it is known how much of each part they remove.
        controls: region -> for each photo, the kind of control region.
        embeddings: by recogniser, float32 (n, versions, views, d); None for one that does not embed these photos.
        numbers: name -> pixels (n, parts), shares (n, occlusions), removed (n, measured, parts), head (n,) and
            finite (n,).
    """

    tasks: list[PhotoTask]
    read: list[_Read]
    kind: _Kind
    parts: list[Part]
    measured: list[Occlusion]
    controls: dict[Region, list[str]]
    embeddings: list[Copy | None] = field(default_factory=list)
    numbers: dict[str, Copy] = field(default_factory=dict)


class DeviceWorker(PhotoWorker):
    """A :class:`~facepart.pipeline.worker.PhotoWorker` that keeps photos on the device of its networks."""

    def map(self, tasks: Iterable[PhotoTask]) -> Iterator[Answer]:
        """Work on photos; results come in any order."""
        networks = self._networks
        parser, recognisers = networks.parser, networks.recognisers
        engines = [each for each in recognisers if isinstance(each, PyTorchEngine)]
        if not isinstance(parser, PyTorchEngine) or not engines or len(engines) < len(recognisers):
            yield from super().map(tasks)
            return
        taken = parser.preprocessing
        if (taken.height, taken.width) != (SIZE, SIZE):
            yield from super().map(tasks)
            return
        left: list[PhotoTask] = []
        yield from _Stream(self, parser, engines).run(tasks, left)
        if left:
            yield from super().map(left)

    def takes(self, task: PhotoTask) -> bool:
        """Return whether a photo can stay on the device."""
        on_host = any(each.method.occluder in ON_HOST for each in task.occlusions)
        return task.embed and not task.thumbnails and not on_host and not (self._saved and self._saved.folders)

    def read_for_device(self, task: PhotoTask) -> _Read | None:
        """Read a photo; None if it is too large.

        Raises:
            PhotoError: see :meth:`~facepart.pipeline.worker.PhotoWorker.read`.
        """
        with large_photos_in_turn():
            face = self.read(task.photo)
            self._find_landmarks(task, face)
        located = self._located.pop(task.photo.name, None)
        if face.shape[0] * face.shape[1] > _LARGEST:
            return None
        occluders = {each.method.occluder for each in task.occlusions}
        if self._averages and AVERAGE in occluders:
            try:
                self._averages.of(*face.shape[:2])
            except FacepartError as error:
                raise PhotoError(str(error), stage="occlude") from error
        return _Read(face, located, noise(face, 0) if "noise" in occluders else None)


class _Stream:
    """One run of a worker over photos."""

    def __init__(self, worker: DeviceWorker, parser: PyTorchEngine, recognisers: Sequence[PyTorchEngine]) -> None:
        self._worker, self._parser, self._recognisers = worker, parser, recognisers
        self._copies = DeviceCopies(parser.device)
        self._size = _BATCHES * worker._batch
        self._occluders: dict[tuple[int, int], DeviceOccluder] = {}

    def run(self, tasks: Iterable[PhotoTask], left: list[PhotoTask]) -> Iterator[Answer]:
        """Yield the results of photos that can stay on the device; the others are appended to `left`."""
        waiting: dict[_Kind, list[tuple[PhotoTask, _Read]]] = {}
        started: deque[_Started] = deque()
        with ThreadPoolExecutor(self._worker._threads) as pool:
            try:
                for task, read in self._read_all(tasks, left, pool):
                    if isinstance(read, PhotoError):
                        yield task, read
                        continue
                    if read is None:
                        left.append(task)
                        continue
                    height, width = read.face.shape[:2]
                    kind = _Kind(height, width, task.occlusions, task.wanted)
                    if kind not in waiting and len(waiting) == _KINDS:
                        left.append(task)
                        continue
                    batch = waiting.setdefault(kind, [])
                    batch.append((task, read))
                    if len(batch) == self._size:
                        started.append(self._start(kind, waiting.pop(kind), pool))
                    if len(started) == _IN_FLIGHT:
                        yield from self._finish(started.popleft(), pool)
                for kind, batch in waiting.items():
                    started.append(self._start(kind, batch, pool))
                    if len(started) == _IN_FLIGHT:
                        yield from self._finish(started.popleft(), pool)
                for each in started:
                    yield from self._finish(each, pool)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _read_all(
        self, tasks: Iterable[PhotoTask], left: list[PhotoTask], pool: ThreadPoolExecutor
    ) -> Iterator[tuple[PhotoTask, _Read | PhotoError | None]]:
        """Read photos in threads, in order, two batches ahead."""
        remaining = self._taken(tasks, left)
        reading: deque[tuple[PhotoTask, Future[_Read | PhotoError | None]]] = deque()
        for task in itertools.chain(remaining, itertools.repeat(None)):
            if task is not None:
                reading.append((task, pool.submit(attempt, self._worker.read_for_device, task)))
                if len(reading) < 2 * self._size:
                    continue
            if not reading:
                return
            first, future = reading.popleft()
            with self._worker._times.measure(WAITING):
                read = future.result()
            yield first, read

    def _taken(self, tasks: Iterable[PhotoTask], left: list[PhotoTask]) -> Iterator[PhotoTask]:
        for task in tasks:
            if self._worker.takes(task):
                yield task
            else:
                left.append(task)

    def _start(self, kind: _Kind, photos: list[tuple[PhotoTask, _Read]], pool: ThreadPoolExecutor) -> _Started:
        """Start a batch; the device is at work when this returns."""
        tasks, read = [task for task, _ in photos], [each for _, each in photos]
        with (
            self._worker._times.measure(NETWORK),
            torch.inference_mode(),
            full_float32(),
            cuda_errors(self._parser.device, _ADVICE),
        ):
            return self._compute(kind, tasks, read, pool)

    def _compute(self, kind: _Kind, tasks: list[PhotoTask], read: list[_Read], pool: ThreadPoolExecutor) -> _Started:
        copies, parts = self._copies, self._worker._parts
        by = self._occluders.setdefault(
            (kind.height, kind.width), DeviceOccluder(kind.height, kind.width, self._parser.device)
        )
        photos = self._send([each.face for each in read])
        labels = self._parser.run(fit_photos(photos, SIZE, SIZE, by).permute(0, 2, 3, 1))
        landmarks = [each.located.landmarks if each.located else None for each in read]
        landmarks += [None] * (self._size - len(read))
        masks, controls = self._find_on_host(kind.occlusions, labels, landmarks, len(read), pool)
        batch = by.occlude(photos, labels, landmarks, masks, self._pixels(kind, read))
        versions = {number: [self._views(photos, number)] for number in self._embedding(kind)}
        shares, softs = [], []
        for occlusion in kind.occlusions:
            occluded = batch.occlude(occlusion)
            shares.append(occluded.shares)
            if occlusion.region.part in parts:
                softs.append(occluded.soft)
            for number, views in versions.items():
                if occlusion in (tasks[0].wanted_by(number) or ()):
                    views.append(self._views(occluded.photos, number))
        counted = list(dict.fromkeys(each.region.part for each in kind.occlusions if each.region.part))
        measured = [each for each in kind.occlusions if each.region.part in parts]
        started = _Started(tasks, read, kind, counted, measured, controls)
        for number in range(len(self._recognisers)):
            found = torch.stack(versions[number], 1) if number in versions else None
            started.embeddings.append(None if found is None else copies.fetch(found[: len(read)]))
        head = torch.isin(labels, torch.tensor(HEAD, dtype=torch.uint8, device=labels.device))
        numbers = {
            "pixels": _stack([batch.part_mask(each).sum((1, 2)) for each in counted], labels),
            "shares": _stack(shares, labels),
            "removed": batch.removed(softs, parts) if softs else labels[:, :0, :0],
            "head": head.sum((1, 2)),
            "finite": (labels != NOT_FINITE).flatten(1).all(1),
        }
        started.numbers = {name: copies.fetch(values[: len(read)]) for name, values in numbers.items()}
        return started

    def _send(self, photos: Sequence[NDArray[np.uint8]]) -> Tensor:
        """Send photos, uint8 (h, w, 3), filled up to a batch; return them as uint8 (n, 3, h, w)."""
        batch = np.zeros((self._size, *photos[0].shape), np.uint8)
        np.stack(photos, out=batch[: len(photos)])
        return self._copies.send(batch).permute(0, 3, 1, 2).contiguous()

    def _pixels(self, kind: _Kind, read: Sequence[_Read]) -> dict[str, Tensor]:
        """Return what takes a part's place where that is made on the host."""
        pixels = {}
        noises = [each.noise for each in read if each.noise is not None]
        if noises:
            pixels["noise"] = self._send(noises)
        averages = self._worker._averages
        if averages and any(each.method.occluder == AVERAGE for each in kind.occlusions):
            average = averages.of(kind.height, kind.width)
            pixels[AVERAGE] = self._copies.send(average).permute(2, 0, 1)
        return pixels

    def _find_on_host(
        self,
        occlusions: Sequence[Occlusion],
        labels: Tensor,
        landmarks: Sequence[Any],
        count: int,
        pool: ThreadPoolExecutor,
    ) -> tuple[dict[Region, Tensor], dict[Region, list[str]]]:
        """Find controls and patches, which are searched for pixel by pixel: their masks, and kinds of controls."""
        regions = {each.region: each for each in occlusions if each.region.draw or each.region.patch}
        masks: dict[Region, Tensor] = {}
        kinds: dict[Region, list[str]] = {}
        if not regions:
            return masks, kinds
        maps = self._copies.fetch(labels[:count]).wait()
        for region, occlusion in regions.items():
            found = list(pool.map(region.find, maps, [occlusion.method] * count, landmarks[:count]))
            filled = np.zeros((self._size, SIZE, SIZE), np.bool_)
            np.stack([each.mask > 0 for each in found], out=filled[:count])
            masks[region] = self._copies.send(filled)
            kinds[region] = [each.kind for each in found]
        return masks, kinds

    def _embedding(self, kind: _Kind) -> list[int]:
        """Return the numbers of the recognisers that embed photos of a kind."""
        numbers = range(len(self._recognisers))
        return [number for number in numbers if kind.wanted is None or kind.wanted[number] is not None]

    def _views(self, photos: Tensor, number: int) -> Tensor:
        """Embed photos, uint8 (n, 3, h, w), and their mirror images if wanted: float32 (n, views, d)."""
        engine, networks = self._recognisers[number], self._worker._networks
        height, width = engine.preprocessing.height, engine.preprocessing.width
        if networks.aligns:
            photos = photos[..., template_columns(photos.shape[3], height, width)]
        size = (photos.shape[2], photos.shape[3])
        by = self._occluders.setdefault(size, DeviceOccluder(*size, self._parser.device))
        fitted = resize_photos(photos, height, width, by)
        views = [fitted, fitted.flip(3)] if networks.flip else [fitted]
        return torch.stack([engine.run(each.permute(0, 2, 3, 1)).flatten(1) for each in views], 1)

    def _finish(self, started: _Started, pool: ThreadPoolExecutor) -> Iterator[Answer]:
        """Wait for a batch, and make its records."""
        with self._worker._times.measure(NETWORK), cuda_errors(self._parser.device, _ADVICE):
            embeddings = [None if each is None else each.wait() for each in started.embeddings]
            numbers = {name: each.wait() for name, each in started.numbers.items()}
        if not numbers["finite"].all():
            raise FacepartError(
                f"the parser's scores are not finite in {self._parser.precision}; use --precision fp32"
            )
        places = range(len(started.tasks))
        answers = [pool.submit(attempt, self._record, started, place, embeddings, numbers) for place in places]
        for task, answer in zip(started.tasks, answers, strict=True):
            yield task, answer.result()

    def _record(
        self,
        started: _Started,
        place: int,
        embeddings: Sequence[NDArray[np.float32] | None],
        numbers: Mapping[str, NDArray[Any]],
    ) -> PhotoResult:
        task, (face, located, _) = started.tasks[place], started.read[place]
        names = [each.name for each in started.kind.occlusions]
        record = EmbeddedPhoto(
            name=task.photo.name,
            signature=task.signature,
            pixels=dict(zip([each.name for each in started.parts], map(int, numbers["pixels"][place]), strict=True)),
            shares=dict(zip(names, map(float, numbers["shares"][place]), strict=True)),
            controls={
                each.name: started.controls[each.region][place]
                for each in started.kind.occlusions
                if each.region in started.controls and started.controls[each.region][place]
            },
            overlaps={
                each.name: numbers["removed"][place, number].copy() for number, each in enumerate(started.measured)
            },
            head=int(numbers["head"][place]),
            side=shorter_side(face, located),
            faces=count_faces(located),
        )
        result = PhotoResult((record,), None, None, located.face if located else None)
        # (versions x views, d) of each recogniser, nothing of one that does not embed the photo.
        outputs = [
            np.empty(0, np.float32) if each is None else each[place].reshape(-1, each.shape[-1])
            for each in embeddings
        ]
        return self._worker.embed(task, result, outputs)


def _stack(values: Sequence[Tensor], like: Tensor) -> Tensor:
    """Stack numbers of photos, (n,) each: (n, k), also if there are none."""
    return torch.stack(list(values), 1) if values else like[:, :0, 0]
