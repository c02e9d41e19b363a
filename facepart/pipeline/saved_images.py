"""The images that a run writes of each photo: part masks, occluded photos, aligned photos, label maps."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facepart.data.photo_output import write_by_rows, write_image, write_indexed_png
from facepart.data.photos import Photo
from facepart.files.addresses import ExistingPaths
from facepart.networks.label_map import PALETTE
from facepart.occlusion.occlude import OccludedPhoto
from facepart.occlusion.occlusion import Occlusion
from facepart.pipeline.finished_photos import FinishedPhotos


@dataclass(frozen=True)
class SavedImages:
    """Which images are written, and where; a folder that is None means that its images are not.

    Attributes:
        occlusions: those whose masks and photos are written, at most one for each part.
        masks: folder of ``mask_<part>/<photo>_annotation.png``: uint8 (512, 512), 0 or 255.
        photos: folder of ``blurred_<part>/<photo>.png``, whatever the method: the photo with the part occluded.
        aligned: folder of ``<photo>.png``: the aligned photo itself.
        labels: folder of ``<photo>.png``: the label map, as a PNG with a palette.
        image_format: ``png``, or ``same`` for occluded photos in the photo's own format.
    """

    occlusions: tuple[Occlusion, ...]
    masks: Path | None = None
    photos: Path | None = None
    aligned: Path | None = None
    labels: Path | None = None
    image_format: str = "png"

    @property
    def folders(self) -> list[Path]:
        """The folders that are written into."""
        return [folder for folder in (self.masks, self.photos, self.aligned, self.labels) if folder is not None]

    def mask_path(self, photo: Photo, occlusion: Occlusion) -> Path | None:
        """Return the file of an occlusion's mask."""
        return self.masks and self.masks / f"mask_{occlusion.part}" / f"{photo.name}_annotation.png"

    def photo_path(self, photo: Photo, occlusion: Occlusion) -> Path | None:
        """Return the file of the occluded photo."""
        extension = photo.path.suffix if self.image_format == "same" else f".{self.image_format}"
        return self.photos and self.photos / f"blurred_{occlusion.part}" / f"{photo.name}{extension}"

    def aligned_path(self, photo: Photo) -> Path | None:
        """Return the file of the aligned photo."""
        return self.aligned and self.aligned / f"{photo.name}.png"

    def labels_path(self, photo: Photo) -> Path | None:
        """Return the file of the label map."""
        return self.labels and self.labels / f"{photo.name}.png"

    def outputs(self, photo: Photo) -> dict[str, Path]:
        """Return what is written of a photo, and its files."""
        found = {"aligned": self.aligned_path(photo), "labels": self.labels_path(photo)}
        for occlusion in self.occlusions:
            found[f"mask_{occlusion.part}"] = self.mask_path(photo, occlusion)
            found[f"blurred_{occlusion.part}"] = self.photo_path(photo, occlusion)
        return {output: path for output, path in found.items() if path is not None}

    def paths(self, photo: Photo) -> list[Path]:
        """Return all files of a photo."""
        return list(self.outputs(photo).values())

    def incomplete(self, photos: Iterable[Photo], finished: FinishedPhotos | None = None) -> list[Photo]:
        """Return the photos of which a file is missing or damaged.

        Args:
            photos: those that may be finished.
            finished: what earlier runs recorded; photos that were replaced since are returned, too. None where that
                is known otherwise.
        """
        finished = finished or FinishedPhotos(None)
        existing = ExistingPaths(self.folders)
        return [photo for photo in photos if not finished.holds(photo, self.outputs(photo), existing)]

    def earlier_files(self, folder: Path) -> Iterator[Path]:
        """Yield the images that earlier runs wrote into one of :attr:`folders`."""
        patterns = (
            *((self.masks, "mask_*"), (self.masks, "labels"), (self.photos, "blurred_*")),
            *((self.aligned, ""), (self.labels, "")),
        )
        for root, below in patterns:
            if root == folder:
                found = folder.glob(f"{below}/**/*") if below else folder.rglob("*.png")
                yield from (path for path in found if path.is_file())

    def write(
        self,
        photo: Photo,
        face: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        occluded: Mapping[Occlusion, OccludedPhoto],
    ) -> dict[str, int]:
        """Write the files of a photo; occlusions that were not made this time are left as they are.

        Returns:
            Those of :meth:`outputs` that were written, and their sizes in bytes.

        Raises:
            FacepartError: a file cannot be written.
        """
        written: dict[str, int] = {}
        for occlusion in self.occlusions:
            if occlusion in occluded:
                done, part = occluded[occlusion], occlusion.part
                if path := self.mask_path(photo, occlusion):
                    written[f"mask_{part}"] = write_image(path, done.mask)
                if path := self.photo_path(photo, occlusion):
                    written[f"blurred_{part}"] = write_by_rows(path, face.shape, done.bgr, done.rows_at_once)
        if path := self.labels_path(photo):
            written["labels"] = write_indexed_png(path, labels, PALETTE)
        return written | self.write_aligned(photo, face)

    def write_aligned(self, photo: Photo, face: NDArray[np.uint8]) -> dict[str, int]:
        """Write the aligned photo, if it is to be written; see :meth:`write`."""
        path = self.aligned_path(photo)
        return {"aligned": write_image(path, face)} if path else {}
