"""Photos in every kind of file come out as 8-bit RGB; what is no photo is told."""

import os

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from facepart.data.photo_input import PhotoError, read_photo
from facepart.data.photo_output import encode_image, write_image, write_indexed_png
from facepart.data.photos import find_photos
from facepart.data.resize import resize, resize_around
from facepart.errors import FacepartError
from facepart.files.failures import write_failures


@pytest.fixture
def photo():
    """A picture with smooth areas and edges, uint8 (40, 60, 3)."""
    y, x = np.mgrid[:40, :60]
    return np.stack([x * 4, y * 6, (x + y) * 2], axis=2).astype(np.uint8)


def names(source, exclude=()):
    return [found.name for found in find_photos(source, exclude)[0]]


@pytest.mark.parametrize("extension", ["png", "PNG", "bmp", "ppm", "tif", "TIFF"])
def test_lossless_kinds_are_read_exactly(tmp_path, photo, extension):
    path = tmp_path / f"photo.{extension}"
    Image.fromarray(photo).save(path)
    np.testing.assert_array_equal(read_photo(path), photo)
    assert names(tmp_path) == ["photo"]


def test_lossless_webp_and_pgm(tmp_path, photo):
    Image.fromarray(photo).save(tmp_path / "a.webp", lossless=True)
    np.testing.assert_array_equal(read_photo(tmp_path / "a.webp"), photo)
    Image.fromarray(photo[:, :, 0]).save(tmp_path / "b.pgm")
    np.testing.assert_array_equal(read_photo(tmp_path / "b.pgm"), np.repeat(photo[:, :, :1], 3, axis=2))


def test_jpeg_pixels_are_those_that_opencv_reads(shared):
    path = min((shared / "data" / "lfw" / "images").rglob("*.jpg"))
    by_opencv = cv2.imread(str(path))
    assert by_opencv is not None
    np.testing.assert_array_equal(read_photo(path), by_opencv[:, :, ::-1])


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "CMYK", "1"])
def test_other_modes_become_rgb(tmp_path, photo, mode):
    path = tmp_path / ("photo.tif" if mode == "CMYK" else "photo.png")
    image = (
        Image.fromarray(photo).convert("L").convert(mode) if mode == "LA" else Image.fromarray(photo).convert(mode)
    )
    image.save(path)
    read = read_photo(path)
    assert read.shape == photo.shape
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("extension", ["png", "tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits_keep_their_upper_8(tmp_path, photo, extension, channels):
    deep = photo.astype(np.uint16) * 257 if channels == 3 else photo[:, :, 0].astype(np.uint16) * 257
    path = tmp_path / f"photo.{extension}"
    assert cv2.imwrite(str(path), deep[:, :, ::-1] if channels == 3 else deep)
    expected = photo if channels == 3 else np.repeat(photo[:, :, :1], 3, axis=2)
    np.testing.assert_array_equal(read_photo(path), expected)


def test_a_16_bit_pgm_keeps_its_upper_8(tmp_path, photo):
    assert cv2.imwrite(str(tmp_path / "a.pgm"), photo[:, :, 0].astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_photo(tmp_path / "a.pgm")[:, :, 0], photo[:, :, 0])


def test_exif_orientation_is_applied(tmp_path, photo):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    Image.fromarray(photo).save(tmp_path / "photo.png", exif=exif)
    np.testing.assert_array_equal(read_photo(tmp_path / "photo.png"), np.rot90(photo, -1))


def test_files_that_are_not_photos_are_reported_in_a_few_words(tmp_path, photo):
    whole = tmp_path / "whole.jpg"
    Image.fromarray(photo).save(whole)
    (tmp_path / "short.jpg").write_bytes(whole.read_bytes()[:-200])
    (tmp_path / "text.jpg").write_text("not a photo")
    (tmp_path / "empty.png").touch()
    (tmp_path / "folder.jpg").mkdir()
    for name, reason in [
        ("short.jpg", "truncated"),
        ("text.jpg", "not an image"),
        ("empty.png", "not an image"),
        ("folder.jpg", "is a folder"),
        ("gone.jpg", "no such file"),
    ]:
        with pytest.raises(PhotoError, match=reason) as caught:
            read_photo(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_photos_are_found_sorted_below_a_folder(tmp_path, photo):
    for name in ["b/2.jpg", "b/10.JPG", "a.PnG", "b/c/x.y.webp", ".hidden.png", "notes.txt", "out/1.png"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "circle").symlink_to(tmp_path)
    assert names(tmp_path, exclude=[tmp_path / "out"]) == ["a", "b/10", "b/2", "b/c/x.y"]


def test_a_list_names_photos_relative_to_itself(tmp_path):
    for name in ["p/one/1.png", "p/two/2.png"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbfp/two/2.png  \r\n\r\np/one/1.png\r\np/one/1.png\r\n")
    photos, failures = find_photos(tmp_path / "list.txt")
    assert [photo.name for photo in photos] == ["one/1", "two/2"]
    assert [photo.path for photo in photos] == [tmp_path / "p/one/1.png", tmp_path / "p/two/2.png"]
    assert not failures


def test_photos_that_differ_in_extension_alone_would_overwrite_each_other(tmp_path):
    (tmp_path / "a.jpg").touch()
    (tmp_path / "a.png").touch()
    photos, failures = find_photos(tmp_path)
    assert [photo.path.name for photo in photos] == ["a.jpg"]
    assert [(failure.path.name, failure.reason) for failure in failures] == [
        ("a.png", "its outputs would overwrite those of a.jpg: rename one")
    ]


def test_a_source_that_gives_nothing_is_an_error(tmp_path):
    (tmp_path / "empty.txt").write_text("\n \n")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    for source, reason in [
        (tmp_path, "has no photos"),
        (tmp_path / "none", "no such folder or list"),
        (tmp_path / "empty.txt", "the list is empty"),
        (tmp_path / "binary.txt", "not a text file"),
    ]:
        with pytest.raises(FacepartError, match=reason):
            find_photos(source)


def test_a_subfolder_that_cannot_be_opened_is_a_failure_and_the_others_are_read(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.png").touch()
    scandir = os.scandir

    # The permission itself is no use to a test that may run as root.
    def guarded(path):
        if path.name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    photos, failures = find_photos(tmp_path)
    assert [photo.name for photo in photos] == ["a"]
    assert [failure.reason for failure in failures] == ["cannot be opened: Permission denied"]
    with pytest.raises(FacepartError, match="closed: cannot be opened"):
        find_photos(tmp_path / "closed")


@pytest.mark.parametrize("extension", ["png", "bmp", "ppm", "tiff"])
def test_written_pictures_come_back(tmp_path, photo, extension):
    write_image(tmp_path / f"x.{extension}", photo)
    np.testing.assert_array_equal(read_photo(tmp_path / f"x.{extension}"), photo)


def test_every_known_extension_can_be_written(tmp_path, photo):
    for extension in ["jpg", "jpeg", "JPG", "webp", "pgm", "tif"]:
        write_image(tmp_path / f"x.{extension}", photo)
        assert read_photo(tmp_path / f"x.{extension}").shape == photo.shape
    with pytest.raises(FacepartError, match="no image can be written"):
        write_image(tmp_path / "x.docx", photo)


def test_label_maps_keep_their_numbers_and_show_colours(tmp_path):
    labels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    palette = np.arange(36, dtype=np.uint8).reshape(12, 3)
    write_indexed_png(tmp_path / "labels.png", labels, palette)
    with Image.open(tmp_path / "labels.png") as image:
        assert image.mode == "P"
        np.testing.assert_array_equal(np.asarray(image), labels)
    np.testing.assert_array_equal(read_photo(tmp_path / "labels.png"), palette[labels])


def test_pngs_of_photos_are_no_larger_than_opencvs(faces):
    for face in faces:
        expected = cv2.imencode(".png", face, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
        assert len(encode_image(".png", face)) < 1.15 * len(expected)


sizes = st.sampled_from([(512, 512), (224, 224), (112, 112), (250, 200), (97, 300), (640, 480)])


@settings(max_examples=100, deadline=None)
@given(sizes, sizes, st.data(), st.integers(0, 99))
def test_resizing_around_a_place_gives_what_resizing_all_gives_there(old, new, data, seed):
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (*old, 3)).astype(np.uint8)
    bounds = [sorted((data.draw(st.integers(0, side - 1)), data.draw(st.integers(0, side - 1)))) for side in old]
    place = slice(bounds[0][0], bounds[0][1] + 1), slice(bounds[1][0], bounds[1][1] + 1)
    other = pixels.copy()
    other[place] = generator.integers(0, 256, other[place].shape)
    expected = resize(other, *new)
    result = resize(pixels, *new).copy()
    there, patch = resize_around(other, place, *new)
    result[there] = patch
    # OpenCV computes where a pixel falls from the start of what it is given, in floating point.
    assert np.abs(result.astype(int) - expected).max() <= 1


def test_names_that_no_list_can_hold_are_reported(tmp_path):
    for name in (b"line\nbreak.png", b"latin-\xe9.png", b"\xc3\xa9t\xc3\xa9.png"):
        (tmp_path / os.fsdecode(name)).touch()
    photos, failures = find_photos(tmp_path)
    assert [photo.name for photo in photos] == ["été"]
    assert {failure.reason for failure in failures} == {
        "its name has a line break (U+000A), which ends a line in lists: rename it",
        "its name is not UTF-8 (byte 0xE9), which lists and tables are: rename it",
    }
    write_failures(tmp_path, failures)
    assert (tmp_path / "failures.csv").read_text(encoding="utf-8").count("rename it") == 2
