"""Whose photos a report shows: a few subjects, or without faces the average of one photo of each subject, or none."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from facepart.analysis.choices import AVERAGED_PHOTOS, SHOWN_SUBJECTS
from facepart.data.photos import Photo
from facepart.pipeline.thumbnails import THUMBNAIL, Thumbnails
from facepart.study.experiment import _finish_images
from facepart.study.report_images import ReportImages, may_average, read_report_images, remove_report_images
from facepart.study.request import Request

# Subjects with 1, 2, 3, 1, 2 ... photos, and one with a hundred.
COUNTS = [*(1 + number % 3 for number in range(70)), 100]
SUBJECTS = {f"{who:03}_{place}": f"{who:03}" for who, count in enumerate(COUNTS) for place in range(count)}


def grey(name: str) -> int:
    """The shade of a photo: that of nobody else."""
    return int(name[:3]) * 3


def take(folder: Path, **shown: bool) -> ReportImages:
    """Choose the photos, and take thumbnails of all that are missing."""
    for name in SUBJECTS:
        if not (folder / name).exists():
            (folder / name).touch()
    photos = [Photo(folder / name, name) for name in SUBJECTS]
    images = ReportImages(folder, photos, SUBJECTS, [], {}, **shown)
    for name in images.missing:
        images.take(name, Thumbnails(np.full((THUMBNAIL, THUMBNAIL, 3), grey(name), np.uint8), {}, {}))
    return images


def test_with_faces_a_few_subjects_and_the_average_of_all_photos(tmp_path: Path) -> None:
    images = take(tmp_path)
    images.finish()
    found = read_report_images(images.file, [])
    assert found is not None
    assert len({example.subject for example in found[1]}) == SHOWN_SUBJECTS
    assert SHOWN_SUBJECTS < images.taken <= AVERAGED_PHOTOS + SHOWN_SUBJECTS
    # The subject of the hundred photos is in the average as often as among the photos.
    assert sum(name.startswith("070") for name in images.missing) > 20


def test_without_faces_no_subject_is_in_the_average_twice_and_none_is_shown(tmp_path: Path) -> None:
    images = take(tmp_path, examples=False)
    subjects = [SUBJECTS[name] for name in images.missing]
    assert len(subjects) == len(set(subjects)) == AVERAGED_PHOTOS == images.taken
    images.finish()
    found = read_report_images(images.file, [])
    assert found is not None and found[0] is not None
    assert found[1] == []
    expected = round(sum(grey(name) for name in images.missing) / AVERAGED_PHOTOS)
    assert (found[0].photo == expected).all()
    with np.load(images.file) as arrays:
        assert set(arrays) == {"photo", "names"} and arrays["names"].size == 0
    # The same choice is found again.
    assert not take(tmp_path, examples=False).missing


def test_without_an_average_nothing_is_taken(tmp_path: Path) -> None:
    images = take(tmp_path, examples=False, average=False)
    assert not images.missing and not images.taken and not images.any


def test_a_group_that_is_left_out_later_does_not_bring_an_average_back(tmp_path: Path) -> None:
    """Its photos failed: the groups that are left would have an average, for which no photo was chosen."""
    images = take(tmp_path, examples=False, average=False)
    setup: Any = SimpleNamespace(request=Request(tmp_path, tmp_path, no_faces=True))
    members: Any = SimpleNamespace(subjects={"A": 60})
    assert _finish_images(setup, members, images) == (None, [])


@pytest.mark.parametrize(
    ("subjects", "enough"),
    [([50, 500], True), ([49], False), ([500, 49], False)],
)
def test_every_group_needs_enough_subjects(subjects: list[int], enough: bool) -> None:
    assert may_average(subjects) is enough


def test_images_of_earlier_runs_are_removed(tmp_path: Path) -> None:
    remove_report_images(tmp_path, None)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a.npz", "b.npz", "mine.txt"):
        (folder / name).touch()
    remove_report_images(tmp_path, folder / "a.npz")
    assert sorted(path.name for path in folder.iterdir()) == ["a.npz", "mine.txt"]
    remove_report_images(tmp_path, None)
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
