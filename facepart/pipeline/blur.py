"""Photos on disk -> part masks and photos with one part blurred, on disk.

One pass of the parser a photo gives all parts. What is there already is left alone, so that a run that was stopped
goes on where it was; see :func:`blur_photos`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facepart.data.photo_input import PhotoError, read_photo
from facepart.data.photo_output import write_image, write_indexed_png
from facepart.data.photos import Photo, find_photos
from facepart.files.addresses import presence
from facepart.files.failures import Failure, Outcome, sorted_failures, write_failures
from facepart.files.progress import Progress, StepTimes, silent
from facepart.files.record import make_record, refuse_other_settings, remove_outdated, write_record
from facepart.networks.catalogue import DEFAULT_PARSER, Weights, obtain, obtain_again
from facepart.networks.face_parser import fit_photo, open_parser
from facepart.networks.label_map import PALETTE
from facepart.occlusion.method import STANDARD, Way
from facepart.occlusion.occlude import occlude_parts
from facepart.occlusion.parts import PARTS, choose_parts, part_mask
from facepart.occlusion.recipe import describe
from facepart.pipeline.batches import DEFAULT_BATCH, stream
from facepart.pipeline.executor import HERE, Opened, Spread, reading_threads
from facepart.pipeline.image_paths import blurred_path, mask_path
from facepart.pipeline.parts_table import PartsTable, read_parts_table, write_parts_table

_PACKAGES = ("numpy", "opencv-python-headless", "pillow", "openvino", "torch")


@dataclass
class BlurOutcome(Outcome):
    """What a run did; besides :class:`Outcome`, in how many photos of the source each part was not found."""

    missing: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Layout:
    """Where the outputs for a photo go."""

    masks: Path
    blurred: Path
    parts: tuple[str, ...]
    image_format: str
    save_labels: bool

    def mask(self, photo: Photo, part: str) -> Path:
        return mask_path(self.masks, photo, part)

    def photo(self, photo: Photo, part: str) -> Path:
        extension = photo.path.suffix if self.image_format == "same" else f".{self.image_format}"
        return blurred_path(self.blurred, photo, part, extension)

    def labels(self, photo: Photo) -> Path:
        return self.masks / "labels" / f"{photo.name}.png"

    def outputs(self, photo: Photo) -> Iterator[Path]:
        for part in self.parts:
            yield self.mask(photo, part)
            yield self.photo(photo, part)
        if self.save_labels:
            yield self.labels(photo)

    def incomplete(self, photos: Iterable[Photo]) -> list[Photo]:
        is_there = presence((self.masks, self.blurred))
        return [photo for photo in photos if not all(map(is_there, self.outputs(photo)))]

    def there(self, folder: Path) -> Iterator[Path]:
        """Yield what earlier runs wrote into `folder` for photos."""
        for below in ("mask_*", "blurred_*", "labels"):
            yield from (path for path in folder.glob(f"{below}/**/*") if path.is_file())


def blur_photos(
    source: Path,
    masks: Path,
    blurred: Path,
    *,
    parts: Sequence[str] = tuple(PARTS),
    way: Way = STANDARD,
    model: str = DEFAULT_PARSER,
    device: str = "auto",
    precision: str = "auto",
    image_format: str = "png",
    save_labels: bool = False,
    overwrite: bool = False,
    batch: int = DEFAULT_BATCH,
    workers: int | None = None,
    spread: Spread = HERE,
    progress: Progress = silent,
    times: StepTimes | None = None,
) -> BlurOutcome:
    """Segment photos and blur one part at a time, or take it away in another way.

    Writes ``mask_<part>/<name>_annotation.png`` into `masks` and ``blurred_<part>/<name>.png`` into `blurred`, and
    beside them ``run.json``; into `blurred` also ``parts.csv`` (see :mod:`facepart.pipeline.parts_table`) and, where
    photos failed, ``failures.csv``. A photo whose outputs are all there is skipped. Photos and masks inside the output
    folders are never taken for input.

    Args:
        source: a folder of photos, or a list of them.
        masks: folder for the masks.
        blurred: folder for the blurred photos.
        parts: which parts, keys of :data:`facepart.occlusion.parts.PARTS`.
        way: how a part is lost. The folders are called ``blurred`` for all ways; ``run.json`` tells which it was.
        model: the parser: a name of the model list, or a path.
        device: see :func:`facepart.networks.open_engine`; likewise `precision`.
        precision: see there.
        image_format: ``png`` (lossless), or ``same`` for the photo's own format.
        save_labels: also write the label maps, ``labels/<name>.png`` in `masks`, as PNGs with a palette.
        overwrite: do all photos again.
        batch: see :func:`facepart.pipeline.batches.stream`; likewise `workers`.
        workers: see there.
        spread: who does the work.
        progress: told how far the run is.
        times: what the time of each step is added to.

    Raises:
        FacepartError: nothing to work on, no weights, other settings in the folders, or a folder that cannot be
            written. UsageError: an unknown part, device or precision.
    """
    layout = _Layout(masks, blurred, choose_parts(parts), image_format, save_labels)
    photos, failures = find_photos(source, exclude=(masks, blurred))
    outcome = BlurOutcome(failures=failures)
    weights = obtain(model, "parser")
    device, precision = spread.choose(device, precision)
    settings = {
        "model": weights.model.name if weights.model else weights.path.name,
        "sha256": weights.sha256,
        "precision": precision,
        "format": image_format,
        "recipe": describe(way),
    }
    if not overwrite:
        for folder in (masks, blurred):
            refuse_other_settings(folder, "blur", settings)
    todo = photos if overwrite else layout.incomplete(photos)
    outcome.skipped = len(photos) - len(todo)

    # Before anything is written: a wrong network must not leave a record of itself.
    times = times or StepTimes()
    open_work = partial(
        _open_blurring, weights, device, precision, layout=layout, way=way, batch=batch, workers=workers
    )
    opened = spread.open(open_work, times, (source, masks, blurred)) if todo else None
    if overwrite:
        outputs = {path for photo in photos for path in layout.outputs(photo)}
        for folder in (masks, blurred):
            remove_outdated(folder, "blur", settings, outputs, layout.there(folder))
    inputs = {"source": source, "masks": masks, "blurred": blurred}
    for folder in (masks, blurred):
        write_record(folder, make_record("blur", settings, inputs, _PACKAGES, device=device))
    table = read_parts_table(blurred)
    failed: list[Failure] = []
    progress(0, len(todo))
    try:
        if opened:
            for worked, (photo, result) in enumerate(opened.work(todo), start=1):
                if isinstance(result, PhotoError):
                    failed.append(Failure(photo.path, result.stage, str(result)))
                else:
                    table |= {(photo.name, part): pixels for part, pixels in result.items()}
                    outcome.done += 1
                progress(worked, len(todo), times.bottleneck())
        _recount(photos, layout, table)
    finally:
        # Also when the run is stopped: the rows of the photos that are done must not be lost.
        outcome.failures += sorted_failures(failed, (photo.path for photo in todo))
        write_parts_table(blurred, table)
        write_failures(blurred, outcome.failures)

    named = {photo.name for photo in photos}
    outcome.missing.update(
        part for (name, part), pixels in table.items() if name in named and part in layout.parts and not pixels
    )
    counts = {
        "photos": outcome.done + outcome.skipped,
        "failed": len(outcome.failures),
        "without": {part: outcome.missing[part] for part in layout.parts},
    }
    for folder in (masks, blurred):
        write_record(folder, make_record("blur", settings, inputs, _PACKAGES, counts, device))
    return outcome


def _open_blurring(
    weights: Weights,
    device: str,
    precision: str,
    times: StepTimes,
    threads: int | None,
    *,
    layout: _Layout,
    way: Way,
    batch: int,
    workers: int | None,
) -> Opened[Photo, dict[str, int]]:
    """Open the parser, for photos of which everything is written; a result is the pixels of each part."""
    if threads is not None:
        weights = obtain_again(weights, "parser")
    parser = open_parser(weights.path, device, precision, weights.kept, threads)

    def blur(photos: Sequence[Photo]) -> Iterator[tuple[Photo, dict[str, int] | PhotoError]]:
        return stream(
            photos,
            lambda photo: _fit(photo, times),
            parser,
            lambda photo, pixels, labels: _write(photo, pixels, labels[0], layout, way, times),
            batch=batch,
            workers=reading_threads(workers, threads),
            times=times,
        )

    return Opened(blur)


def _fit(photo: Photo, times: StepTimes) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Give the photo, and its copy at the parser's size as a batch of one."""
    with times.measure("read photo"):
        pixels = read_photo(photo.path)
    with times.measure("resize to the parser's size"):
        return pixels, fit_photo(pixels)[None]


def _write(
    photo: Photo, pixels: NDArray[np.uint8], labels: NDArray[np.uint8], layout: _Layout, way: Way, times: StepTimes
) -> dict[str, int]:
    """Write all outputs for a photo; give the pixels of each part."""
    with times.measure("blur parts"):
        masks = {part: part_mask(labels, part) for part in layout.parts}
        occluded = occlude_parts(pixels, masks, way)
    with times.measure("write files"):
        for part in layout.parts:
            write_image(layout.mask(photo, part), masks[part])
            write_image(layout.photo(photo, part), occluded[part].photo)
        if layout.save_labels:
            write_indexed_png(layout.labels(photo), labels, PALETTE)
    return {part: int(np.count_nonzero(mask)) for part, mask in masks.items()}


def _recount(photos: Sequence[Photo], layout: _Layout, table: PartsTable) -> None:
    """Fill in rows that a killed run did not get to write, from its masks on disk."""
    for photo in photos:
        for part in layout.parts:
            if (photo.name, part) not in table and layout.mask(photo, part).exists():
                table[photo.name, part] = int(np.count_nonzero(read_photo(layout.mask(photo, part))[:, :, 0]))
