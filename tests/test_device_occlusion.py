"""Occlusion by PyTorch operations on batches gives what OpenCV gives photo by photo, to one grey level."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facepart.data.photo_input import read_photo
from facepart.data.resize import resize
from facepart.errors import UsageError
from facepart.networks.face_parser import fit_photo
from facepart.occlusion.average_face import AverageFaces
from facepart.occlusion.device_occlusion import DeviceOccluder, fit_photos, resize_photos
from facepart.occlusion.landmarks import Landmarks
from facepart.occlusion.method import OcclusionMethod
from facepart.occlusion.occlude import apply_occlusions
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.occlusion.overlap import removed_shares
from facepart.occlusion.parts import BUILT_IN, PARTS, find_part, part_mask
from facepart.occlusion.replace import noise
from tests.opened_networks import parser_of

pytestmark = pytest.mark.slow

# Smaller and larger than a label map, as large, and neither square nor even multiples of it.
SIZES = [(224, 224), (112, 96), (250, 250), (512, 512), (600, 400)]
METHODS = [
    OcclusionMethod(),
    OcclusionMethod("blur", 5, 0.5),
    OcclusionMethod("blur", 101),
    OcclusionMethod("mean"),
    OcclusionMethod("grey", dilation=2.0),
    OcclusionMethod("noise"),
    OcclusionMethod("pixelate", 25),
    OcclusionMethod("average"),
]
REGIONS = [
    *(Region(part) for part in BUILT_IN.values()),
    Region(find_part("eyes+nose+lower_face")),
    Region(PARTS["mouth"], keep_only=True),
    Region(PARTS["nose"], draw=2),
    Region(PARTS["skin"], patch=True),
    Region(),
]


def draw_face(rng: np.random.Generator) -> np.ndarray:
    """A label map: ellipses where the classes of a face may be, some of them missing."""
    labels = np.zeros((512, 512), np.uint8)
    middle = 256 + rng.integers(-30, 30, 2)
    places = {17: (0, -60, 190, 210), 1: (0, 0, 150, 190), 2: (60, -70, 40, 12), 3: (-60, -70, 40, 12)}
    places |= {4: (60, -40, 30, 15), 5: (-60, -40, 30, 15), 6: (0, -40, 110, 25), 7: (150, 0, 20, 40)}
    places |= {
        10: (0, 20, 25, 50),
        12: (0, 90, 45, 12),
        11: (0, 102, 40, 8),
        13: (0, 112, 45, 12),
        14: (0, 230, 80, 60),
    }
    places |= {18: (0, -180, 150, 40)}
    for label, (x, y, wide, high) in places.items():
        if rng.random() < (0.2 if label in (6, 18) else 0.9):
            centre = (int(middle[0] + x + rng.integers(-9, 9)), int(middle[1] + y + rng.integers(-9, 9)))
            cv2.ellipse(labels, centre, (wide, high), float(rng.uniform(-20, 20)), 0, 360, label, -1)
    return labels


def make_photos(rng: np.random.Generator, height: int, width: int, count: int = 2):
    photos = rng.integers(0, 256, (count, height, width, 3)).astype(np.uint8)
    photos[0] = cv2.GaussianBlur(photos[0], (0, 0), 5)
    return photos, np.stack([draw_face(rng) for _ in photos])


def to_device(photos: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(photos).permute(0, 3, 1, 2)


def to_host(photos: torch.Tensor) -> np.ndarray:
    return photos.permute(0, 2, 3, 1).numpy()


def compare(photos, labels, occlusions, landmarks) -> tuple[float, float, int]:
    """Return which shares of pixels and of soft masks differ, and by how much at most."""
    height, width = photos.shape[1:3]
    average = np.random.default_rng(1).integers(0, 256, (height, width, 3)).astype(np.uint8)
    expected = [
        apply_occlusions(photo, label, occlusions, landmark, AverageFaces({(height, width): average}))
        for photo, label, landmark in zip(photos, labels, landmarks, strict=True)
    ]
    masks = {
        each.region: torch.from_numpy(np.stack([found[each].mask for found in expected]) > 0)
        for each in occlusions
        if each.region.draw or each.region.patch
    }
    pixels = {
        "noise": to_device(np.stack([noise(photo, 0) for photo in photos])),
        "average": to_device(average[None])[0],
    }
    batch = DeviceOccluder(height, width).occlude(
        to_device(photos), torch.from_numpy(labels), landmarks, masks, pixels
    )
    differing: int = 0
    soft_differing: int = 0
    most = 0
    for occlusion in occlusions:
        found = batch.occlude(occlusion)
        softs = np.stack([each[occlusion].soft.whole(height, width) for each in expected]).astype(int)
        soft_difference = np.abs(found.soft.numpy() - softs)
        shares = np.array([each[occlusion].share for each in expected])
        # What is replaced differs by no more than the soft masks do, in grey levels.
        bound = 1e-4 * shares + 2e-6 + soft_difference.mean((1, 2)) / 255
        assert (np.abs(found.shares.numpy() - shares) <= bound).all()
        for difference in (
            np.abs(to_host(found.photos).astype(int) - np.stack([each[occlusion].photo for each in expected])),
            soft_difference,
        ):
            most = max(most, int(difference.max()))
            if difference.ndim == 4:
                differing += int(np.count_nonzero(difference))
            else:
                soft_differing += int(np.count_nonzero(difference))
    count = len(occlusions) * photos[..., 0].size
    return differing / (3 * count), soft_differing / count, most


def landmarks_of(rng, height, width):
    points = np.array([[170, 215], [340, 215], [256, 300], [190, 370], [320, 370]]) + rng.normal(0, 8, (5, 2))
    return Landmarks(points * (width / 512, height / 512), height, width)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_all_parts_at_all_sizes(size):
    rng = np.random.default_rng(sum(size))
    photos, labels = make_photos(rng, *size)
    landmarks = [landmarks_of(rng, *size), None]
    differing, soft, most = compare(photos, labels, [Occlusion(region) for region in REGIONS], landmarks)
    assert most <= 1
    assert (differing, soft) < (0.01, 0.01)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
@pytest.mark.parametrize("size", [(224, 224), (600, 400)], ids=str)
def test_all_methods(method, size):
    rng = np.random.default_rng(5)
    photos, labels = make_photos(rng, *size)
    regions = [Region(PARTS["eyes_brows"]), Region(PARTS["hair"]), Region(PARTS["nose"], keep_only=True)]
    differing, _, most = compare(photos, labels, [Occlusion(region, method) for region in regions], [None, None])
    assert most <= 1
    assert differing < 0.01


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(METHODS), st.integers(16, 300), st.integers(16, 300))
def test_any_face_any_size(seed, method, height, width):
    rng = np.random.default_rng(seed)
    photos, labels = make_photos(rng, height, width, 1)
    if seed % 2:
        labels = rng.integers(0, 19, (1, 32, 32)).astype(np.uint8).repeat(16, 1).repeat(16, 2)
    regions = [Region(part) for part in (list(BUILT_IN.values())[at] for at in rng.choice(len(BUILT_IN), 4))]
    _, _, most = compare(
        photos, labels, [Occlusion(region, method) for region in regions], [landmarks_of(rng, height, width)]
    )
    assert most <= 1


def test_real_label_maps(shared, bisenet_weights):
    """Of London photos at 224x224 and 512x512, all parts of the original study."""
    paths = sorted((shared / "data" / "london" / "images").glob("*.jpg"))[:6]
    parser = parser_of(bisenet_weights)
    faces = [read_photo(path) for path in paths]
    labels = parser(np.stack([fit_photo(face) for face in faces]))
    occlusions = [Occlusion(Region(part)) for part in PARTS.values()]
    for side in (224, 512):
        photos = np.stack([resize(face, side, side) for face in faces])
        differing, soft, most = compare(photos, labels, occlusions, [None] * len(faces))
        assert most <= 1
        assert differing < 2e-4
        assert soft < 2e-4


def test_a_photo_does_not_depend_on_the_batch():
    rng = np.random.default_rng(3)
    photos, labels = make_photos(rng, 224, 224, 3)
    occlusion = Occlusion(Region(PARTS["hair"]))
    whole = DeviceOccluder(224, 224).occlude(to_device(photos), torch.from_numpy(labels)).occlude(occlusion)
    alone = DeviceOccluder(224, 224).occlude(to_device(photos[1:2]), torch.from_numpy(labels[1:2])).occlude(occlusion)
    assert torch.equal(whole.photos[1], alone.photos[0])


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_overlaps(size):
    rng = np.random.default_rng(7)
    photos, labels = make_photos(rng, *size)
    parts = tuple(BUILT_IN.values())
    landmarks = [landmarks_of(rng, *size), None]
    batch = DeviceOccluder(*size).occlude(to_device(photos), torch.from_numpy(labels), landmarks)
    occlusions = [Occlusion(Region(PARTS[name])) for name in ("nose", "hair")]
    found = batch.removed([batch.occlude(each).soft for each in occlusions], parts)
    for number, (photo, label, landmark) in enumerate(zip(photos, labels, landmarks, strict=True)):
        softs = {each.name: done.soft for each, done in apply_occlusions(photo, label, occlusions, landmark).items()}
        expected = removed_shares(label, softs, size[0], size[1], parts, landmark)
        for place, each in enumerate(occlusions):
            np.testing.assert_allclose(found[number, place], expected[each.name], rtol=1e-3, atol=1e-4)
        for part in parts:
            assert torch.equal(
                batch.part_mask(part)[number], torch.from_numpy(part_mask(label, part, landmark) > 0)
            ), part.name


@pytest.mark.parametrize("size", [*SIZES, (224, 512), (300, 77)], ids=str)
def test_resizing_is_that_of_the_host(size):
    photos = np.random.default_rng(2).integers(0, 256, (2, *size, 3)).astype(np.uint8)
    there, occluder = to_device(photos), DeviceOccluder(*size)
    np.testing.assert_allclose(
        to_host(fit_photos(there, 512, 512, occluder)).astype(int),
        np.stack([fit_photo(photo) for photo in photos]).astype(int),
        atol=1,  # grey level: larger photos are made smaller, with a rounding of Pillow's own
    )
    for target in [(112, 112), (size[0] // 2, size[1] // 2), (160, 160)]:
        found = to_host(resize_photos(there, *target, occluder)).astype(int)
        expected = np.stack([resize(photo, *target) for photo in photos])
        assert np.abs(found - expected).max() <= 1


def test_inpainting_stays_on_the_cpu():
    batch = DeviceOccluder(64, 64).occlude(torch.zeros(1, 3, 64, 64), torch.zeros(1, 512, 512))
    with pytest.raises(UsageError, match="inpaint is done on the CPU"):
        batch.occlude(Occlusion(Region(PARTS["nose"]), OcclusionMethod("inpaint")))


def test_shapes_do_not_depend_on_values():
    """So that steps follow each other on a device without the host's looking at anything."""
    occluder = DeviceOccluder(224, 224, "meta")
    photos = torch.empty(4, 3, 224, 224, dtype=torch.uint8, device="meta")
    labels = torch.empty(4, 512, 512, dtype=torch.uint8, device="meta")
    batch = occluder.occlude(photos, labels)
    found = [batch.occlude(Occlusion(Region(part))) for part in PARTS.values()]
    assert {each.photos.shape for each in found} == {(4, 3, 224, 224)}
    assert batch.removed([each.soft for each in found], tuple(PARTS.values())).shape == (4, 7, 7)
    assert fit_photos(photos, 512, 512, occluder).shape == (4, 3, 512, 512)
    assert resize_photos(photos, 112, 112, occluder).dtype == torch.uint8


@pytest.mark.cuda
@pytest.mark.parametrize("method", [each for each in METHODS if each.occluder not in ("noise", "average")], ids=str)
def test_cuda_gives_what_the_cpu_gives(method):
    rng = np.random.default_rng(1)
    photos, labels = make_photos(rng, 224, 224, 4)
    landmarks = [landmarks_of(rng, 224, 224)] * 4
    occlusions = [Occlusion(Region(part), method) for part in BUILT_IN.values()]
    here, there = (
        DeviceOccluder(224, 224, device).occlude(
            to_device(photos).to(device), torch.from_numpy(labels).to(device), landmarks
        )
        for device in ("cpu", "cuda:0")
    )
    for occlusion in occlusions:
        one, other = here.occlude(occlusion), there.occlude(occlusion)
        difference = (one.photos.int() - other.photos.cpu().int()).abs()
        assert int(difference.max()) <= 1
        assert float((difference > 0).float().mean()) < 0.001
