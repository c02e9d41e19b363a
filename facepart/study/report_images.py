"""The images of a study's report: the average face, and a few photos with each part occluded.

Without photos of faces, the average of one photo of each subject is all that there may be, if it is of enough
subjects. The images are thumbnails of some photos, taken while these are embedded, or afterwards for photos
that an earlier run embedded.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.choices import AVERAGED_PHOTOS, MIN_AVERAGED_SUBJECTS, SHOWN_SUBJECTS
from facepart.data.photos import Photo, photo_stamp
from facepart.errors import FacepartError
from facepart.files.array_input import open_arrays
from facepart.files.atomic import replacing
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.pipeline.thumbnails import THUMBNAIL, Thumbnails
from facepart.report.report_data import AverageFace, ExamplePhoto, OccludedExample, Shown

FOLDER = "pictures"

Item = TypeVar("Item")


class ReportImages:
    """The images that a report needs, as far as they have been taken.

    Attributes:
        file: where they are kept, named after all that they depend on.
        any: whether any photo is shown, or has part in the average face.
        missing: photos whose thumbnails were missing when the run began, by name.
        shown: the occlusions that they show.
    """

    def __init__(
        self,
        output: Path,
        photos: Sequence[Photo],
        subjects: Mapping[str, str],
        occlusions: Sequence[Occlusion],
        settings: Any,
        *,
        examples: bool = True,
        average: bool = True,
    ) -> None:
        """Choose the photos.

        Args:
            output: the study's folder.
            photos: those of the study's groups.
            subjects: photo's name -> who is on it.
            occlusions: which are shown: each part, and one draw of its control, its equal-area patch and keep-only,
                if any.
            settings: what else the images depend on.
            examples: whether photos of subjects are shown.
            average: whether an average face is shown; without examples, it is that of one photo of each subject, so
                that nobody with many photos can be recognised in it.
        """
        firsts = _one_each(photos, subjects)
        shown = choose_evenly(firsts, SHOWN_SUBJECTS) if examples else []
        self._shown = {photo.name: subjects[photo.name] for photo in shown}
        of_all = choose_evenly(photos if examples else firsts, AVERAGED_PHOTOS) if average else []
        averaged = {photo.name for photo in of_all}
        chosen = [photo for photo in photos if photo.name in averaged | self._shown.keys()]
        basis = [
            settings,
            [(occlusion.name, occlusion.recipe()) for occlusion in occlusions],
            self._shown,
            [(photo.name, photo_stamp(photo, ask_store=True)) for photo in chosen],
        ]
        digest = hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()
        self.file = output / FOLDER / f"{digest[:12]}.npz"
        self.any = bool(chosen)
        there = not chosen or read_report_images(self.file, occlusions) is not None
        self.missing = {} if there else {photo.name: photo for photo in chosen}
        self.shown = tuple(occlusions)
        self._taken: dict[str, Thumbnails] = {}

    def take(self, name: str, thumbnails: Thumbnails) -> None:
        """Take the thumbnails of one of the missing photos."""
        self._taken[name] = thumbnails

    @property
    def taken(self) -> int:
        """How many photos have thumbnails."""
        return len(self._taken)

    def finish(self) -> None:
        """Write the file; photos that could not be read are left out."""
        with replacing(self.file) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **self._arrays())

    def _arrays(self) -> dict[str, NDArray[Any]]:
        # In the order in which they were chosen: threads take them in any, and sums must not depend on it.
        taken = [(name, self._taken[name]) for name in self.missing if name in self._taken]
        count = max(len(taken), 1)
        total = np.sum([each.photo for _, each in taken], axis=0, dtype=np.int64) / count
        arrays: dict[str, NDArray[Any]] = {
            "photo": np.broadcast_to(total.round(), (THUMBNAIL, THUMBNAIL, 3)).astype(np.uint8)
        }
        for occlusion in self.shown:
            share = np.sum([each.masks[occlusion] for _, each in taken], axis=0, dtype=np.int64) / (255 * count)
            arrays[f"share_{occlusion.name}"] = np.broadcast_to(share, (THUMBNAIL, THUMBNAIL)).astype(np.float32)
        samples = [(self._shown[name], each) for name, each in taken if name in self._shown]
        for place, (_, each) in enumerate(samples):
            arrays[f"sample{place}_photo"] = each.photo
            for occlusion in self.shown:
                mask = np.where(each.masks[occlusion] > 127, 255, 0).astype(np.uint8)
                arrays[f"sample{place}_occluded_{occlusion.name}"] = each.occluded[occlusion]
                arrays[f"sample{place}_mask_{occlusion.name}"] = mask
        return {**arrays, "names": np.array([name for name, _ in samples], dtype=np.str_)}


def read_report_images(path: Path, occlusions: Sequence[Occlusion]) -> tuple[AverageFace, list[ExamplePhoto]] | None:
    """Read what :meth:`ReportImages.finish` wrote; None if it does not exist, or is damaged."""
    parts = {each.part: each.name for each in occlusions if _what(each.region) == "part"}
    try:
        with open_arrays(path, "images of a report") as archive:
            file = archive.read_all()
            if not all(array.shape[:2] == (THUMBNAIL, THUMBNAIL) for name, array in file.items() if name != "names"):
                return None
            face = AverageFace(file["photo"], {part: file[f"share_{name}"] for part, name in parts.items()})
            samples = []
            for place, person in enumerate(file["names"].tolist()):
                occluded: dict[Shown, dict[str, OccludedExample]] = {}
                for each in occlusions:
                    what = _what(each.region)
                    # With keep-only, the part itself is outlined.
                    outlined = parts[each.part] if what == "keep_only" else each.name
                    occluded.setdefault(what, {})[each.part] = OccludedExample(
                        file[f"sample{place}_occluded_{each.name}"], file[f"sample{place}_mask_{outlined}"]
                    )
                samples.append(ExamplePhoto(str(person), file[f"sample{place}_photo"], occluded))
            return face, samples
    except (OSError, FacepartError, KeyError, TypeError):
        return None


def _what(region: Region) -> Shown:
    """Say what the report shows with a region occluded."""
    if region.draw:
        return "control"
    if region.patch:
        return "patch"
    return "keep_only" if region.keep_only else "part"


def may_average(subjects: Iterable[int]) -> bool:
    """Return whether every group has enough subjects for an average face to stand in for photos."""
    return all(count >= MIN_AVERAGED_SUBJECTS for count in subjects)


def remove_report_images(output: Path, kept: Path | None) -> None:
    """Remove the images of earlier runs of a study, which may show faces.

    Args:
        output: the study's folder.
        kept: the file that stays; None for none.
    """
    for path in (output / FOLDER).glob("*.npz"):
        if path != kept:
            path.unlink()


def choose_evenly(photos: Sequence[Item], count: int) -> list[Item]:
    """Choose photos, or tasks with them, evenly from all."""
    step = max(len(photos) / count, 1)
    return [photos[int(place * step)] for place in range(min(count, len(photos)))]


def _one_each(photos: Sequence[Photo], subjects: Mapping[str, str]) -> list[Photo]:
    """Return the first photo of each subject."""
    first: dict[str, Photo] = {}
    for photo in photos:
        first.setdefault(subjects[photo.name], photo)
    return list(first.values())
