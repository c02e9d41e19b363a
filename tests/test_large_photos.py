"""Large photos are worked on piece by piece: the pixels are those of the whole at once, and memory stays bounded."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from facepart.data import photo_input, photo_output
from facepart.occlusion import occlude, overlap, soften
from facepart.occlusion.method import OcclusionMethod
from facepart.occlusion.occlude import apply_occlusions, blend, occlude_parts
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.occlusion.parts import PARTS
from facepart.occlusion.replace import blur, blur_around
from tests.soft_masks import truncating_gaussian

DICE = np.random.default_rng(0)


def noise(height: int, width: int) -> np.ndarray:
    return DICE.integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("box", [3, 15, 101, 401])
@pytest.mark.parametrize("width", [830, 1001, 1277])
def test_a_place_is_blurred_as_in_the_whole_photo(box, width) -> None:
    photo = noise(900, width)
    whole = blur(photo, box)
    for _ in range(12):
        top, bottom = sorted(DICE.choice(901, 2, replace=False))
        left, right = sorted(DICE.choice(width + 1, 2, replace=False))
        place = slice(int(top), int(bottom)), slice(int(left), int(right))
        assert np.array_equal(blur_around(photo, place, box), whole[place])


def test_blending_in_strips_is_exact(monkeypatch) -> None:
    photo, other, mask = noise(97, 61), noise(97, 61), noise(97, 61)[:, :, 0]
    monkeypatch.setattr(occlude, "_BLENDED_PIXELS", 500)
    share = mask[:, :, None].astype(np.int64)
    expected = (share * other + (255 - share) * photo) // 255
    assert np.array_equal(blend(photo, other, mask), expected)


def test_an_occluded_large_photo_is_what_it_would_be_as_a_small_one(monkeypatch) -> None:
    photo, mask = noise(1200, 1100), np.zeros((512, 512), np.uint8)
    mask[150:250, 100:400] = 255
    masks = {"eyes": mask, "skin": np.full((512, 512), 255, np.uint8)}
    before = occlude_parts(photo, masks)
    monkeypatch.setattr(occlude, "_WHOLE_PIXELS", 1000)
    monkeypatch.setattr(occlude, "_BLENDED_PIXELS", 5000)
    after = occlude_parts(photo, masks)
    for part, each in before.items():
        assert np.array_equal(after[part].photo, each.photo), part
        assert not np.array_equal(each.photo, photo)


def test_an_occluded_large_photo_in_opencvs_order(monkeypatch) -> None:
    photo, labels = noise(300, 260), np.zeros((512, 512), np.uint8)
    labels[200:320, 150:330] = PARTS["nose"].classes[0]
    method = OcclusionMethod("blur", 5)
    occlusions = [Occlusion(Region(PARTS[part]), method) for part in ("nose", "hair")]
    before = apply_occlusions(photo, labels, occlusions)
    monkeypatch.setattr(occlude, "_WHOLE_PIXELS", 1000)
    monkeypatch.setattr(occlude, "_REPLACED_PIXELS", 3000)
    after = apply_occlusions(photo, labels, occlusions)
    for occlusion in occlusions:
        expected = before[occlusion].photo[:, :, ::-1]
        assert np.array_equal(before[occlusion].bgr(), expected)
        for rows in (7, after[occlusion].rows_at_once, 1000):
            for photo_of in (before, after):
                strips = [photo_of[occlusion].bgr(top, top + rows) for top in range(0, 300, rows)]
                assert np.array_equal(np.concatenate(strips), expected)
        assert np.array_equal(after[occlusion].photo, before[occlusion].photo)
    assert not np.array_equal(after[occlusions[0]].photo, photo)


@pytest.mark.parametrize("sigma", [1.3, 9.0, 40.0])
@pytest.mark.parametrize("shape", [(700, 512), (333, 1023), (1, 900), (900, 1)])
def test_a_mask_is_filtered_in_strips_as_at_once(sigma, shape, monkeypatch) -> None:
    mask = np.where(DICE.random(shape) < 0.4, 255, 0).astype(np.uint8)
    whole = truncating_gaussian(mask, sigma)
    monkeypatch.setattr(soften, "_FILTERED_PIXELS", 5000)
    assert np.array_equal(truncating_gaussian(mask, sigma), whole)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_large_photo_is_turned_while_it_is_converted(orientation, mode, tmp_path, monkeypatch) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(noise(40, 71)).convert(mode).save(tmp_path / "a.jpg", exif=exif)
    with Image.open(tmp_path / "a.jpg") as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    monkeypatch.setattr(photo_input, "LARGE_PIXELS", 100)
    monkeypatch.setattr(photo_input, "_STRIP_PIXELS", 500)
    found = photo_input.read_photo(tmp_path / "a.jpg")
    assert np.array_equal(found, expected)
    assert found.flags.c_contiguous and found.flags.writeable


@pytest.mark.parametrize("rows", [1, 10, 53, 1000])
def test_a_large_png_is_encoded_some_rows_at_a_time(rows, tmp_path, monkeypatch) -> None:
    photo = noise(53, 37)
    photo[20:40] = photo[20]

    def rows_of(top: int, bottom: int) -> np.ndarray:
        return np.ascontiguousarray(photo[top:bottom, :, ::-1])

    monkeypatch.setattr(photo_output, "_LARGE", 100)
    size = photo_output.write_by_rows(tmp_path / "new" / "a.png", photo.shape, rows_of, rows)
    assert size == (tmp_path / "new" / "a.png").stat().st_size
    assert photo_output.is_whole_image(tmp_path / "new" / "a.png")
    with Image.open(tmp_path / "new" / "a.png") as image:
        assert np.array_equal(np.asarray(image), photo)
    by_opencv = cv2.imread(str(tmp_path / "new" / "a.png"), cv2.IMREAD_UNCHANGED)
    assert by_opencv is not None
    assert np.array_equal(by_opencv, photo[..., ::-1])
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.png"]
    photo_output.write_by_rows(tmp_path / "a.bmp", photo.shape, rows_of, rows)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.bmp")), photo)


def test_overlaps_are_counted_some_rows_at_a_time(monkeypatch) -> None:
    labels = DICE.integers(0, 19, (512, 512), dtype=np.uint8)
    softs = {"a": soften.Patch(3, 5, noise(200, 90)[:, :, 0]), "none": soften.Patch(0, 0, np.zeros((0, 0), np.uint8))}
    before = overlap.removed_shares(labels, softs, 300, 211)
    monkeypatch.setattr(overlap, "_COUNTED_PIXELS", 1000)
    after = overlap.removed_shares(labels, softs, 300, 211)
    assert all(np.array_equal(before[name], after[name], equal_nan=True) for name in softs)
    assert before["a"].max() > 0
