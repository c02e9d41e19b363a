"""Photo -> label map -> occluded photos -> embeddings: the one loop of `blur`, `extract` and `study`.

The pixels are those that the four scripts would write to files and read again, so the embeddings are the same, too:
occluded photos are written as PNG there, which loses nothing.
"""

import math
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.data.photo_input import LARGE_PIXELS, WRITE, PhotoError, large_photos_in_turn, read_photo
from facepart.data.photos import Photo
from facepart.data.resize import Size, distorts, resize
from facepart.errors import FacepartError, UsageError
from facepart.files.atomic import write_npy
from facepart.files.failures import of_one_file
from facepart.files.progress import StepTimes
from facepart.networks.alignment import (
    FoundFace,
    align_face,
    align_labels,
    aligned_landmarks,
    check_landmarks,
    crop_side,
    cut_to_template,
    find_face,
    find_landmarks,
)
from facepart.networks.embedding import unit_embedding, views
from facepart.networks.engine import Preprocessing
from facepart.networks.face_detector import FaceDetector
from facepart.networks.face_parser import fit_photo
from facepart.networks.label_folder import LabelFolder, fit_labels
from facepart.networks.label_map import SIZE
from facepart.occlusion.average_face import AverageFaces
from facepart.occlusion.landmarks import Landmarks
from facepart.occlusion.occlude import OccludedPhoto, apply_occlusions
from facepart.occlusion.occlusion import BASELINE, Occlusion, Region
from facepart.occlusion.overlap import removed_shares
from facepart.occlusion.parts import HEAD, PARTS, Part, class_mask, part_mask
from facepart.pipeline.batches import DEFAULT_BATCH, io_threads, run_batches
from facepart.pipeline.embedded_photo import EmbeddedPhoto
from facepart.pipeline.network_files import NetworkFiles, Networks
from facepart.pipeline.saved_images import SavedImages
from facepart.pipeline.thumbnails import Thumbnails, take_thumbnails
from facepart.processors import thread_limit


class PhotoTask(NamedTuple):
    """What is to be done with a photo.

    Attributes:
        photo: the photo.
        occlusions: which ones; the baseline is embedded in any case.
        signature: of the photo's file before it is read: one that is replaced meanwhile is noticed in the next run.
        embed: whether the photo is embedded and its images are written; else only thumbnails are taken.
        thumbnails: whether thumbnails are taken for the report.
        wanted: for each recogniser, those of the occlusions that it embeds; None for a recogniser that does not embed
            the photo. Without this, every recogniser embeds all of them.
    """

    photo: Photo
    occlusions: tuple[Occlusion, ...] = ()
    signature: str = ""
    embed: bool = True
    thumbnails: bool = False
    wanted: tuple[tuple[Occlusion, ...] | None, ...] | None = None

    def wanted_by(self, recogniser: int) -> tuple[Occlusion, ...] | None:
        """Return the occlusions that a recogniser, by its number, embeds; None if it does not embed the photo."""
        if not self.embed:
            return None
        return self.occlusions if self.wanted is None else self.wanted[recogniser]


class PhotoResult(NamedTuple):
    """What a photo gave.

    Attributes:
        records: what is known of it. One for each recogniser, with its embeddings or its failure, None for a
            recogniser that did not embed the photo; a single one without embeddings if nothing was embedded.
        thumbnails: those for the report, if they were taken.
        sizes: the images that were written of it, and their sizes in bytes; see
            :meth:`facepart.pipeline.saved_images.SavedImages.outputs`. None if none were.
        face: the face that was aligned; None if none was.
        pixels: the photo itself, aligned if there is a detector, uint8 (h, w, 3), RGB; None unless it is kept.
    """

    records: tuple[EmbeddedPhoto | None, ...]
    thumbnails: Thumbnails | None = None
    sizes: Mapping[str, int] | None = None
    face: FoundFace | None = None
    pixels: NDArray[np.uint8] | None = None

    @property
    def record(self) -> EmbeddedPhoto:
        """The first record."""
        return next(each for each in self.records if each is not None)


class RecogniserInfo(NamedTuple):
    """What a stage needs to know of a recogniser: how it takes faces, and the length of its embeddings."""

    preprocessing: Preprocessing
    dimension: int


class Located(NamedTuple):
    """A face that was found on a photo.

    Attributes:
        landmarks: on the photo as it is parsed.
        side: of the aligned crop in pixels of the photo that it was cut from; None if it was not aligned.
        cut_by: the landmarks on the photo that the crop was cut from, if it was aligned.
        face: the face that was aligned; None if it was not.
    """

    landmarks: Landmarks
    side: int | None
    cut_by: Landmarks | None = None
    face: FoundFace | None = None


class _Prepared(NamedTuple):
    """A photo that is ready for the recognisers.

    Attributes:
        result: what is known so far.
        inputs: for each recogniser: uint8 ((1 + occlusions) x views, h, w, 3).
    """

    result: PhotoResult
    inputs: tuple[NDArray[np.uint8], ...]


_Parsed = tuple[PhotoTask, _Prepared | PhotoError]


class PhotoWorker:
    """Reads, parses, occludes and embeds photos, and writes what is to be kept of them.

    Without a parser, photos are embedded as they are; without a recogniser, they are parsed and occluded only;
    without either, they are aligned only. For several recognisers, photos are read, parsed and occluded once. A
    worker can be pickled before it is opened, and sent to another process. Memory stays bounded however many photos
    there are, and neither `batch` nor `workers` change the results.

    Attributes:
        info: of each recogniser, once they are open.
    """

    def __init__(
        self,
        files: NetworkFiles,
        *,
        saved: SavedImages | None = None,
        features: Path | None = None,
        shown: tuple[Occlusion, ...] = (),
        crop: int | None = None,
        undistorted: bool = False,
        landmarks: Mapping[str, NDArray[np.floating]] | None = None,
        parts: tuple[Part, ...] = tuple(PARTS.values()),
        averages: AverageFaces | None = None,
        keep_pixels: bool = False,
        batch: int = DEFAULT_BATCH,
        workers: int | None = None,
    ) -> None:
        """Describe the work.

        Args:
            files: the networks.
            saved: images that are written of each photo.
            features: folder in which the baseline's embedding is written as ``<photo>.npy``, float32 (d,).
            shown: the occlusions that thumbnails show.
            crop: pixels on a side of an aligned crop; None for the size of the first recogniser.
            undistorted: refuse photos whose proportions are not those of the first recogniser's faces.
            landmarks: photo -> (5, 2), x and y in pixels of the photo, by which its face is aligned; the detector
                finds those of all other photos.
            parts: of which it is measured how much each occlusion removes.
            averages: the average face, for occlusions by it.
            keep_pixels: whether results have the photos themselves, where they are aligned only.
            batch: photos given to the networks at once.
            workers: threads that read and write beside them; None for the default.
        """
        self.info: tuple[RecogniserInfo, ...] = ()
        self._files, self._saved, self._features, self._shown = files, saved, features, shown
        self._crop, self._undistorted, self._batch, self._workers = crop, undistorted, batch, workers
        self._parts, self._averages, self._given = parts, averages, landmarks or {}
        self._keep_pixels = keep_pixels

    def open(self, times: StepTimes, threads: int | None) -> None:
        """Open the networks.

        Args:
            times: collects the time of each step.
            threads: processors that the worker may use; None in the process that started the run, which may use all.

        Raises:
            FacepartError: they cannot be opened.
        """
        limit = thread_limit()
        if threads is None and limit is not None:
            cv2.setNumThreads(limit)
        self.use(self._files.open(threads), times, io_threads(self._workers, threads))

    def use(self, networks: Networks, times: StepTimes, threads: int) -> None:
        """Take networks that are open already, and threads that read and write beside them."""
        self._networks, self._times, self._threads = networks, times, threads
        # OpenCV's detector holds state between its calls: every thread needs its own.
        self._local = threading.local()
        # Of photos that are not occluded yet: name -> the face that was found.
        self._located: dict[str, Located] = {}
        self.info = tuple(
            RecogniserInfo(each.preprocessing, math.prod(each.output_shape)) for each in networks.recognisers
        )

    def map(self, tasks: Iterable[PhotoTask]) -> Iterator[tuple[PhotoTask, PhotoResult | PhotoError]]:
        """Work on photos, in order."""
        parser, recognisers = self._networks.parser, self._networks.recognisers
        parsers = () if parser is None else (parser,)
        # Engines that fill up batches to one size get full ones.
        batch = max([self._batch, *(each.batch for each in (*parsers, *recognisers))])
        workers, times = self._threads, self._times
        if not parsers:
            prepare, finish = (self._prepare, self.embed) if recognisers else (self._align, self._write_aligned)
            yield from run_batches(tasks, prepare, recognisers, finish, batch=batch, workers=workers, times=times)
            return
        parsed = run_batches(tasks, self.fit, parsers, self.occlude, batch=batch, workers=workers, times=times)
        if not recognisers:
            for task, prepared in parsed:
                yield task, prepared if isinstance(prepared, PhotoError) else prepared.result
            return
        # The recognisers' waiting for parsed photos is the parser's work, which was counted there.
        embedded = run_batches(parsed, _hand_on, recognisers, self._embed_parsed, batch=batch, workers=1, times=times)
        for (task, _), result in embedded:
            yield task, result

    def read(self, photo: Photo) -> NDArray[np.uint8]:
        """Read a photo, and find and align its face if there is a detector.

        Returns:
            uint8 (h, w, 3), RGB.

        Raises:
            PhotoError: it cannot be read, or shows no face, or the landmarks are not those of a face in it.
        """
        with self._times.measure("read photo"):
            face = read_photo(photo.path)
        weights = self._networks.detector
        if weights is None or not self._networks.align:
            return face
        with self._times.measure("find and align the face"):
            given = self._given.get(photo.name)
            # Beyond what is the photo's failure: it cannot be opened for any.
            detector = self._detector(weights) if given is None else None
            try:
                if detector is not None:
                    found = find_face(face, detector)
                elif given is not None:
                    check_landmarks(given, face.shape)
                    found = FoundFace(given)
                points = found.landmarks
                size = self._crop or self._recogniser_size()[0]
                landmarks = Landmarks(aligned_landmarks(points, size), size, size)
                on_photo = Landmarks(points, *face.shape[:2])
                self._located[photo.name] = Located(landmarks, round(crop_side(points)), on_photo, found)
                return align_face(face, points, size)
            except FacepartError as error:
                raise PhotoError(str(error), stage="align") from error

    def fit(self, task: PhotoTask) -> tuple[NDArray[np.uint8], tuple[NDArray[np.uint8]]]:
        """Read a photo; return it, and the parser's input, or the label map that is given, as a batch of one.

        A large photo is not kept while it waits: instead of it an empty one is returned, and :meth:`occlude` reads it
        again.
        """
        with large_photos_in_turn():
            face = self.read(task.photo)
            self._find_landmarks(task, face)
            if self._networks.labels:
                with self._times.measure("read label map"):
                    fitted = self._read_labels(self._networks.labels, task.photo.name, face)[None]
            else:
                with self._times.measure("resize to the parser's size"):
                    fitted = fit_photo(face, self._parser_size())[None]
            return face if _pixels(face) <= LARGE_PIXELS else face[:0, :0].copy(), (fitted,)

    def _read_labels(self, labels: LabelFolder, name: str, face: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Read the label map of a photo, uint8 (512, 512); if the face was aligned, it is warped as the face was.

        Raises:
            PhotoError: it cannot be used.
        """
        located = self._located.get(name)
        try:
            if located is None or located.cut_by is None:
                return fit_labels(labels.read(name, (face.shape[0], face.shape[1])))
            size = located.cut_by.height, located.cut_by.width
            return align_labels(labels.read(name, size), size, located.cut_by.points, SIZE)
        except FacepartError as error:
            self._located.pop(name, None)
            raise PhotoError(str(error), stage="labels") from error

    def _parser_size(self) -> Size:
        """Return rows and columns of the photos that the parser takes."""
        assert self._networks.parser is not None  # noqa: S101 - the caller has one
        preprocessing = self._networks.parser.preprocessing
        return preprocessing.height, preprocessing.width

    def occlude(self, task: PhotoTask, face: NDArray[np.uint8], parsed: Sequence[NDArray[np.uint8]]) -> _Prepared:
        """Occlude a parsed photo, write its images, and make the recognisers' inputs.

        Args:
            task: what to do with the photo.
            face: the photo, uint8 (h, w, 3), RGB; empty if it is to be read again.
            parsed: what the one parser gave: its label map, uint8 (1, 512, 512).

        Raises:
            PhotoError: a file of this photo cannot be written, or the photo cannot be read again. FacepartError: no
                file can be written.
        """
        labels = parsed[0][0]
        if not face.size:
            with large_photos_in_turn():
                return self._occlude(task, self.read(task.photo), labels)
        return self._occlude(task, face, labels)

    def _occlude(self, task: PhotoTask, face: NDArray[np.uint8], labels: NDArray[np.uint8]) -> _Prepared:
        located = self._located.pop(task.photo.name, None)
        landmarks = located.landmarks if located else None
        with self._times.measure("occlude parts"):
            occluded = self._apply_occlusions(task, face, labels, landmarks)
        sizes = None
        if self._saved and task.embed:
            with self._times.measure("write files"), _writing():
                sizes = self._saved.write(task.photo, face, labels, occluded)
        parts = dict.fromkeys(each.region.part for each in task.occlusions if each.region.part)
        # The mask of a part that is occluded itself was made already.
        masks = {each.region: found.mask for each, found in occluded.items()}
        record = EmbeddedPhoto(
            name=task.photo.name,
            signature=task.signature,
            pixels={
                each.name: cv2.countNonZero(
                    masks[Region(each)] if Region(each) in masks else part_mask(labels, each, landmarks)
                )
                for each in parts
            },
            shares={occlusion.name: each.share for occlusion, each in occluded.items()},
            controls={occlusion.name: each.control for occlusion, each in occluded.items() if each.control},
            overlaps=self._overlaps(labels, occluded, face.shape[:2], landmarks) if task.embed else {},
            head=int(np.count_nonzero(class_mask(labels, HEAD))),
            side=shorter_side(face, located),
            faces=count_faces(located),
        )
        thumbnails = take_thumbnails(face, occluded, self._shown) if task.thumbnails else None
        result = PhotoResult((record,), thumbnails, sizes, located.face if located else None)
        return _Prepared(result, self._inputs(task, face, occluded))

    def _apply_occlusions(
        self, task: PhotoTask, face: NDArray[np.uint8], labels: NDArray[np.uint8], landmarks: Landmarks | None
    ) -> dict[Occlusion, OccludedPhoto]:
        try:
            return apply_occlusions(face, labels, task.occlusions, landmarks, self._averages)
        except UsageError:
            raise
        except FacepartError as error:
            # The photo was replaced by one of another size while the average face was made.
            raise PhotoError(str(error), stage="occlude") from error

    def embed(self, task: PhotoTask, result: PhotoResult, outputs: Sequence[NDArray[Any]]) -> PhotoResult:
        """Turn the outputs of each recogniser, those of the baseline first, into the embeddings of the records.

        Where several recognisers embed photos, one that fails has a record with the reason, and the others go on.

        Raises:
            PhotoError: an embedding of the only recogniser is not finite, or zero, or its file cannot be written.
                FacepartError: no file can be written.
        """
        if not task.embed:
            return result
        records: list[EmbeddedPhoto | None] = []
        for number, output in enumerate(outputs):
            wanted = task.wanted_by(number)
            if wanted is None:
                records.append(None)
                continue
            try:
                records.append(_embedded(result.record, wanted, output))
            except PhotoError as error:
                if len(outputs) == 1:
                    raise
                records.append(EmbeddedPhoto(task.photo.name, task.signature, failure=(error.stage, str(error))))
        if self._features and records[0]:
            with self._times.measure("write features"), _writing():
                path = self._features / f"{task.photo.name}.npy"
                write_npy(path, records[0].embeddings[BASELINE.name], sync=False)
        return result._replace(records=tuple(records))

    def _overlaps(
        self,
        labels: NDArray[np.uint8],
        occluded: Mapping[Occlusion, OccludedPhoto],
        size: tuple[int, ...],
        landmarks: Landmarks | None,
    ) -> dict[str, NDArray[np.float32]]:
        """Return which share of every part each occlusion removes; nothing where no photo is embedded.

        Of a part that is not measured itself, such as a coalition of parts, it is not measured either.
        """
        if not self._networks.recognisers:
            return {}
        softs = {
            occlusion.name: each.soft for occlusion, each in occluded.items() if occlusion.region.part in self._parts
        }
        with self._times.measure("measure overlaps"):
            return removed_shares(labels, softs, size[0], size[1], self._parts, landmarks)

    def _detector(self, weights: Path) -> FaceDetector:
        """Return this thread's detector."""
        if not hasattr(self._local, "detector"):
            self._local.detector = FaceDetector(weights)
        return self._local.detector

    def _find_landmarks(self, task: PhotoTask, face: NDArray[np.uint8]) -> None:
        """Find the landmarks of a face that was not aligned, if a part needs them; it may have none."""
        weights = self._networks.detector
        needed = any(each.region.needs_landmarks for each in task.occlusions) or (
            task.embed and any(part.needs_landmarks for part in self._parts)
        )
        if weights is None or self._networks.align or not needed:
            return
        with self._times.measure("find landmarks"):
            detector = self._detector(weights)
            try:
                points = find_landmarks(face, detector)
            except FacepartError:
                # Such a part is then not detected, as eyes are where the parser sees none.
                return
        self._located[task.photo.name] = Located(Landmarks(points, *face.shape[:2]), None)

    def _align(self, task: PhotoTask) -> _Prepared:
        """Read a photo and align its face."""
        with large_photos_in_turn():
            face = self.read(task.photo)
            located = self._located.pop(task.photo.name, None)
            record = EmbeddedPhoto(task.photo.name, task.signature, side=shorter_side(face, located))
            return _Prepared(PhotoResult((record,), face=located.face if located else None, pixels=face), ())

    def _write_aligned(self, task: PhotoTask, result: PhotoResult, outputs: Sequence[NDArray[Any]]) -> PhotoResult:
        """Write an aligned face."""
        del outputs  # there is no network
        if self._saved and result.pixels is not None:
            with self._times.measure("write files"), _writing():
                result = result._replace(sizes=self._saved.write_aligned(task.photo, result.pixels))
        return result if self._keep_pixels else result._replace(pixels=None)

    def _prepare(self, task: PhotoTask) -> _Prepared:
        """Read a photo that is not parsed, and make the recognisers' inputs."""
        with large_photos_in_turn():
            face = self.read(task.photo)
            located = self._located.pop(task.photo.name, None)
            size, wanted = face.shape[:2], self._recogniser_size()
            if self._undistorted and not self._networks.aligns and distorts(size, wanted):
                reason = (
                    f"is {size[0]}x{size[1]}, and the network gets {wanted[0]}x{wanted[1]}: it would be distorted"
                )
                raise PhotoError(f"{reason}; crop it, or leave out --image-size", stage="resize")
            record = EmbeddedPhoto(task.photo.name, task.signature)
            result = PhotoResult((record,), face=located.face if located else None)
            return _Prepared(result, self._inputs(task, face, {}))

    def _inputs(
        self, task: PhotoTask, face: NDArray[np.uint8], occluded: Mapping[Occlusion, OccludedPhoto]
    ) -> tuple[NDArray[np.uint8], ...]:
        """Return the inputs of each recogniser: the face and its occluded versions, uint8 (h, w, 3), in its size.

        Recognisers of one size share them.
        """
        shared: dict[tuple[Size, tuple[Occlusion, ...]], NDArray[np.uint8]] = {}
        resized: dict[tuple[Size, Occlusion], NDArray[np.uint8]] = {}
        inputs = []
        with self._times.measure("resize to the recogniser's size"):
            for number, info in enumerate(self.info):
                wanted = task.wanted_by(number)
                if wanted is None:
                    inputs.append(np.empty((0, 0, 0, 3), np.uint8))
                    continue
                size = info.preprocessing.height, info.preprocessing.width
                versions = (BASELINE, *wanted)
                if (size, versions) not in shared:
                    for each in versions:
                        if (size, each) not in resized:
                            resized[size, each] = self._views(
                                face if each == BASELINE else occluded[each].photo, size
                            )
                    shared[size, versions] = np.concatenate([resized[size, each] for each in versions])
                inputs.append(shared[size, versions])
        return tuple(inputs)

    def _views(self, face: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
        """Resize a face; the mirrored one follows it.

        A face that was aligned here is square, and is cut to the recogniser's proportions first.
        """
        if self._networks.aligns:
            face = cut_to_template(face, *size)
        return views(resize(face, *size), self._networks.flip)

    def _recogniser_size(self) -> Size:
        """Return rows and columns of the first recogniser's faces."""
        return self.info[0].preprocessing.height, self.info[0].preprocessing.width

    def _embed_parsed(self, parsed: _Parsed, result: PhotoResult, outputs: Sequence[NDArray[Any]]) -> PhotoResult:
        return self.embed(parsed[0], result, outputs)


def _hand_on(parsed: _Parsed) -> _Prepared:
    """Hand a parsed photo on to the recognisers."""
    prepared = parsed[1]
    if isinstance(prepared, PhotoError):
        raise prepared
    return prepared


def shorter_side(face: NDArray[np.uint8], located: Located | None) -> int:
    """Return the side that is recorded of a photo; see :class:`facepart.pipeline.embedded_photo.EmbeddedPhoto`."""
    return located.side if located and located.side is not None else min(face.shape[:2])


def count_faces(located: Located | None) -> int:
    """Return how many faces were found in a photo, for its record; 0 if that is not known."""
    return located.face.faces if located and located.face else 0


def _embedded(record: EmbeddedPhoto, occlusions: Sequence[Occlusion], outputs: NDArray[Any]) -> EmbeddedPhoto:
    """Return the record of one recogniser: what is known of its occlusions, and the embeddings.

    Raises:
        PhotoError: an embedding is not finite, or zero.
    """
    names = [occlusion.name for occlusion in occlusions]
    each = outputs.reshape(1 + len(names), -1, *outputs.shape[1:])
    unit = [unit_embedding(output) for output in each]
    parts = {occlusion.part for occlusion in occlusions}
    return replace(
        record,
        embeddings=dict(zip([BASELINE.name, *names], unit, strict=True)),
        pixels={part: pixels for part, pixels in record.pixels.items() if part in parts},
        shares={name: share for name, share in record.shares.items() if name in names},
        controls={name: kind for name, kind in record.controls.items() if name in names},
        overlaps={name: overlap for name, overlap in record.overlaps.items() if name in names},
    )


def _pixels(face: NDArray[np.uint8]) -> int:
    return face.shape[0] * face.shape[1]


@contextmanager
def _writing() -> Iterator[None]:
    """Make an error in the block the photo's own if it is about one file, such as a name that is too long."""
    try:
        yield
    except FacepartError as error:
        if of_one_file(error):
            raise PhotoError(str(error), stage=WRITE) from error
        raise
