"""What a study writes besides its answer, if asked to: the files that the scripts would write, in their places."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from facepart.data.path_lists import write_list
from facepart.data.photos import Photo
from facepart.errors import UsageError
from facepart.files.addresses import ExistingPaths, is_address, read_start
from facepart.files.atomic import npy_bytes, write_bytes
from facepart.files.record import make_record, remove_outdated, with_earlier, write_record
from facepart.occlusion.occlusion import BASELINE, Occlusion
from facepart.pipeline.embedding_store import EmbeddingStore
from facepart.pipeline.saved_images import SavedImages
from facepart.suggestion import did_you_mean

STAGE = "study"
# What can be kept, and in which folder.
KEPT = {"masks": "masks", "photos": "blurred", "features": "features", "pairs": "matches"}
# Aligned photos, before a part is occluded.
ALIGNED_FOLDER = "photos"
# What the settings of kept files have that follows from which photos the study has: the digests of the average face
# and of the photos that calibrate networks.
_OF_ALL_PHOTOS = ("average", "calibration")


def choose_kept(names: Sequence[str]) -> tuple[str, ...]:
    """Check what is to be kept.

    Raises:
        UsageError: a name is unknown.
    """
    unknown = [name for name in names if name not in KEPT]
    if unknown:
        raise UsageError(f"--keep {unknown[0]!r}: unknown{did_you_mean(unknown[0], KEPT)}; known: {' '.join(KEPT)}")
    return tuple(name for name in KEPT if name in names)


def kept_images(output: Path, keep: Collection[str], align: bool, occlusions: Sequence[Occlusion]) -> SavedImages:
    """Return the images that a study writes: those of each part, occluded by the main method."""
    return SavedImages(
        occlusions=tuple(occlusions) if {"masks", "photos"} & set(keep) else (),
        masks=output / KEPT["masks"] if "masks" in keep else None,
        photos=output / KEPT["photos"] if "photos" in keep else None,
        aligned=output / ALIGNED_FOLDER if align and "photos" in keep else None,
    )


def remove_outdated_images(saved: SavedImages, photos: Sequence[Photo], settings: Mapping[str, Any]) -> None:
    """Remove kept images that were made by other settings, and record the settings of those to come.

    Raises:
        FacepartError: a folder holds images that this study would not make anew.
    """
    wanted = {path for photo in photos for path in saved.paths(photo)}
    own = {**settings, "recipes": {each.part: each.recipe() for each in saved.occlusions}}
    for folder in saved.folders:
        now = with_earlier(folder, "recipes", own)
        remove_outdated(folder, STAGE, now, wanted, saved.earlier_files(folder), _OF_ALL_PHOTOS, "recipes")
        packages = ("numpy", "opencv-python-headless")
        write_record(folder, make_record(STAGE, now, {"output": folder.parent}, packages))


def write_features(
    output: Path,
    store: EmbeddingStore,
    occlusions: Sequence[Occlusion],
    names: Sequence[str],
    settings: Mapping[str, Any],
    recogniser: str = "",
) -> None:
    """Write the features of photos, and a list of them, in a folder for the baseline and each occlusion.

    Features that are there already, as the store has them, are left alone.

    Args:
        output: the study's folder.
        store: the embeddings of a recogniser.
        occlusions: besides the baseline.
        names: of the photos.
        settings: what the embeddings depend on.
        recogniser: the recogniser's own folder among the features; empty if it has none.

    Raises:
        FacepartError: a folder holds features of other settings that this study would not make anew.
    """
    for occlusion in (BASELINE, *occlusions):
        folder = output / KEPT["features"] / recogniser / occlusion.name
        paths = {name: folder / f"{name}.npy" for name in names}
        own = {**settings, "recipe": occlusion.recipe()}
        remove_outdated(folder, STAGE, own, set(paths.values()), folder.rglob("*.npy"), _OF_ALL_PHOTOS)
        write_record(folder, make_record(STAGE, own, {"output": output}, ("numpy",)))
        existing = ExistingPaths([folder])
        for path, embedding in zip(paths.values(), store.embeddings(occlusion.name, names), strict=True):
            data = npy_bytes(embedding)
            same_size = existing.size(path) == len(data)
            # Reading a file at an address takes as long as writing it; that it is whole is certain.
            if not same_size or (not is_address(path) and read_start(path, len(data)) != data):
                write_bytes(path, data, sync=False)
        write_list(folder / "list.txt", sorted(paths.values(), key=str))
