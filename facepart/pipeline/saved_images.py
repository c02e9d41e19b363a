"""What a study writes besides its answer, if asked to: the files that the scripts would write, in their places."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.data.path_lists import write_list
from facepart.data.photo_output import write_image
from facepart.data.photos import Photo
from facepart.errors import UsageError
from facepart.files.addresses import presence
from facepart.files.atomic import write_npy
from facepart.files.record import make_record, remove_outdated, write_record
from facepart.occlusion.versions import Made, Version
from facepart.pipeline.embedding_store import Store
from facepart.pipeline.image_paths import blurred_path, mask_path

STAGE = "study"
# What can be kept, and in which folder.
KEPT = {"masks": "masks", "photos": "blurred", "features": "features", "pairs": "matches"}
# Photos that were aligned, as they were before a part was blurred.
ALIGNED_FOLDER = "photos"


def choose_kept(names: Sequence[str]) -> tuple[str, ...]:
    """Check what is to be kept.

    Raises:
        UsageError: a name is not known.
    """
    unknown = [name for name in names if name not in KEPT]
    if unknown:
        raise UsageError(f"--keep {unknown[0]!r}: unknown; known: {' '.join(KEPT)}")
    return tuple(name for name in KEPT if name in names)


@dataclass(frozen=True)
class KeptPictures:
    """The masks and photos that are kept of each photo.

    Attributes:
        output: the study's folder.
        what: of :data:`KEPT`.
        aligned: whether photos are aligned first.
        versions: of which there are files: the parts, lost in the study's main way.
    """

    output: Path
    what: Collection[str]
    aligned: bool
    versions: Sequence[Version]

    @property
    def folders(self) -> list[Path]:
        """Where the files are, sorted."""
        names = {KEPT[what] for what in self.what} | ({ALIGNED_FOLDER} if self.keeps_aligned else set())
        return [self.output / name for name in sorted(names)]

    def lacking(self, photos: Iterable[Photo]) -> set[str]:
        """Name the photos of which a file is missing."""
        is_there = presence(self.folders)
        return {photo.name for photo in photos if not all(map(is_there, self.files(photo)))}

    def files(self, photo: Photo) -> list[Path]:
        """Give the files of a photo."""
        wanted = [path for version in self.versions for path in self._of_part(photo, version.part).values()]
        return [*wanted, self._aligned(photo)] if self.keeps_aligned else wanted

    def write(self, photo: Photo, face: NDArray[np.uint8], made: Mapping[Version, Made]) -> None:
        """Write the files of a photo; see :data:`facepart.pipeline.embed.Keep`."""
        for version in self.versions:
            if version in made:
                pictures = {"masks": made[version].mask, "photos": made[version].photo}
                for what, path in self._of_part(photo, version.part).items():
                    write_image(path, pictures[what])
        if self.keeps_aligned:
            write_image(self._aligned(photo), face)

    @property
    def keeps_aligned(self) -> bool:
        """Whether the aligned photos are kept, too."""
        return self.aligned and "photos" in self.what

    def _aligned(self, photo: Photo) -> Path:
        return self.output / ALIGNED_FOLDER / f"{photo.name}.png"

    def _of_part(self, photo: Photo, part: str) -> dict[str, Path]:
        paths = {
            "masks": mask_path(self.output / KEPT["masks"], photo, part),
            "photos": blurred_path(self.output / KEPT["photos"], photo, part),
        }
        return {what: path for what, path in paths.items() if what in self.what}


def remove_outdated_pictures(
    output: Path, kept: KeptPictures, photos: Sequence[Photo], settings: Mapping[str, Any]
) -> None:
    """Remove kept masks and photos that were made with other settings, and record what those to come are made with.

    Raises:
        FacepartError: a folder holds pictures that this study would not make anew.
    """
    wanted = {path for photo in photos for path in kept.files(photo)}
    for folder in kept.folders:
        remove_outdated(folder, STAGE, settings, wanted, folder.rglob("*.png"))
        write_record(folder, make_record(STAGE, settings, {"output": output}, ("numpy", "opencv-python-headless")))


def write_features(
    output: Path, store: Store, conditions: Sequence[str], names: Sequence[str], settings: Mapping[str, Any]
) -> None:
    """Write the features of photos that are not there yet, and a list of them, a folder a condition.

    Raises:
        FacepartError: a folder holds features of other settings that this study would not make anew.
    """
    for condition in conditions:
        folder = output / KEPT["features"] / condition
        paths = {name: folder / f"{name}.npy" for name in names}
        remove_outdated(folder, STAGE, settings, set(paths.values()), folder.rglob("*.npy"))
        write_record(folder, make_record(STAGE, settings, {"output": output}, ("numpy",)))
        is_there = presence([folder])
        missing = [name for name, path in paths.items() if not is_there(path)]
        for name, embedding in zip(missing, store.embeddings(condition, missing), strict=True):
            write_npy(paths[name], embedding)
        write_list(folder / "list.txt", sorted(paths.values(), key=str))
