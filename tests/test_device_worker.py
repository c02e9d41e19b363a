"""Photos that stay on the device of the networks give what photos on the host give; here that device is the CPU."""

import copy
import os

import cv2
import numpy as np
import pytest
import torch

from facepart.data.photo_input import PhotoError, read_photo
from facepart.data.photos import find_photos
from facepart.files.progress import StepTimes
from facepart.networks.bisenet import load_bisenet
from facepart.networks.engine import Preprocessing
from facepart.networks.face_parser import PREPROCESSING
from facepart.networks.iresnet import IResNet
from facepart.networks.label_map import CLASSES
from facepart.networks.pytorch_engine import PyTorchEngine
from facepart.occlusion.average_face import AverageFaces
from facepart.occlusion.method import OcclusionMethod
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.occlusion.parts import BUILT_IN, PARTS, find_part
from facepart.pipeline.device_worker import DeviceWorker
from facepart.pipeline.network_files import NetworkFiles, Networks
from facepart.pipeline.saved_images import SavedImages
from facepart.pipeline.worker import PhotoTask, PhotoWorker

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not torch.cuda.is_available() and not os.environ.get("FACEPART_TEST_DEVICE"),
        reason="takes minutes without a GPU; FACEPART_TEST_DEVICE=1 runs it on the CPU",
    ),
]

BATCH = 2  # of an engine; batches of the worker have four photos
ALIGNED = Preprocessing(112, 112, "rgb", (127.5,) * 3, (127.5,) * 3)
TALL = Preprocessing(112, 96, "bgr", (127.5,) * 3, (127.5,) * 3)
STANDARD = tuple(Occlusion(Region(part)) for part in PARTS.values())
DEVICES = ["cpu", pytest.param("cuda:0", marks=pytest.mark.cuda)]


@pytest.fixture(scope="module")
def photos(tmp_path_factory, face_paths):
    """Seven photos of 224x224, two of them of other sizes, and a file that is no photo."""
    folder = tmp_path_factory.mktemp("photos")
    for number, path in enumerate(face_paths[:7]):
        size = {2: (180, 200), 5: (300, 260)}.get(number, (224, 224))
        cv2.imwrite(str(folder / f"{number}_a.png"), cv2.resize(read_photo(path)[..., ::-1], size))
    (folder / "9_a.png").write_bytes(b"no photo")
    return find_photos(folder)[0]


@pytest.fixture(scope="module")
def bisenet(bisenet_weights):
    return load_bisenet(bisenet_weights)


class FreeSize(torch.nn.Module):
    """A network for faces of any size."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(3, 16, 5, 4), torch.nn.Tanh(), torch.nn.AdaptiveAvgPool2d(4)
        )

    def forward(self, x):
        return self.layers(x).flatten(1)


@pytest.fixture(scope="module")
def networks(bisenet):
    def make(device="cpu", **more):
        torch.manual_seed(0)
        engines = [
            PyTorchEngine(network.eval(), taken, None, "fp32", device, BATCH)
            for network, taken in [(IResNet((1, 1, 1, 1), 64), ALIGNED), (FreeSize(), TALL)]
        ]
        parser = PyTorchEngine(copy.deepcopy(bisenet), PREPROCESSING, len(CLASSES), "fp32", device, BATCH)
        return Networks(parser, tuple(engines), more.pop("detector", None), **more)

    return make


def work(kind, networks, tasks, **more):
    worker = kind(NetworkFiles(None, (), None, "cpu", "fp32"), batch=1, **more)
    worker.use(networks, StepTimes(), 2)
    found = list(worker.map(tasks))
    assert len(found) == len(tasks)
    return {task.photo.name: result for task, result in found}


def compare(expected, found):
    assert found.keys() == expected.keys()
    for name, one in expected.items():
        other = found[name]
        if isinstance(one, PhotoError):
            assert isinstance(other, PhotoError)
            assert (str(other), other.stage) == (str(one), one.stage)
            continue
        assert (other.face is None) == (one.face is None)
        for wanted, record in zip(one.records, other.records, strict=True):
            assert (wanted is None) == (record is None)
            if wanted is None:
                continue
            assert wanted.embeddings.keys() == record.embeddings.keys()
            for each, embedding in wanted.embeddings.items():
                assert float(embedding @ record.embeddings[each]) > 0.9999, (name, each)
                assert record.embeddings[each].dtype == np.float32
            for field in ("name", "signature", "pixels", "controls", "head", "side", "failure"):
                assert getattr(record, field) == getattr(wanted, field), (name, field)
            assert record.shares == pytest.approx(wanted.shares, rel=1e-4, abs=1e-5)
            assert record.overlaps.keys() == wanted.overlaps.keys()
            for each, removed in wanted.overlaps.items():
                np.testing.assert_allclose(record.overlaps[each], removed, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("device", DEVICES)
def test_the_standard_study(photos, networks, device):
    tasks = [PhotoTask(photo, STANDARD, "stamp") for photo in photos]
    expected = work(PhotoWorker, networks(), tasks)
    assert isinstance(expected["9_a"], PhotoError)
    compare(expected, work(DeviceWorker, networks(device), tasks))


def test_other_regions_methods_and_mirror_images(photos, networks, detector_weights):
    """Controls and patches, which the host finds; regions by landmarks; keep-only; unions; pixels from the host."""
    grey, noise, average = (OcclusionMethod(name) for name in ("grey", "noise", "average"))
    occlusions = (
        Occlusion(Region(PARTS["nose"], draw=1)),
        Occlusion(Region(PARTS["nose"], draw=2), grey),
        Occlusion(Region(PARTS["skin"], patch=True)),
        Occlusion(Region(PARTS["mouth"], keep_only=True), noise),
        Occlusion(Region(find_part("eyes+nose")), average),
        Occlusion(Region(BUILT_IN["periocular"])),
        Occlusion(Region(BUILT_IN["left_eye"])),
        Occlusion(Region(BUILT_IN["lower_face"]), noise),
    )
    rng = np.random.default_rng(0)
    sizes = [(224, 224), (300, 260)]  # none of 200x180, whose photo fails
    averages = AverageFaces({(w, h): rng.integers(0, 256, (w, h, 3), np.uint8) for h, w in sizes})
    parts = (*PARTS.values(), BUILT_IN["periocular"])
    tasks = [PhotoTask(photo, occlusions) for photo in photos]
    opened = {"flip": True, "detector": detector_weights, "align": False}
    options = {"averages": averages, "parts": parts}
    expected = work(PhotoWorker, networks(**opened), tasks, **options)
    assert sum(isinstance(each, PhotoError) for each in expected.values()) == 2
    compare(expected, work(DeviceWorker, networks(**opened), tasks, **options))


def test_aligned_faces_are_cut_to_the_proportions_of_each_recogniser(photos, networks, detector_weights):
    tasks = [PhotoTask(photo, STANDARD[:3]) for photo in photos]
    expected = work(PhotoWorker, networks(detector=detector_weights), tasks, crop=224)
    assert any(not isinstance(each, PhotoError) and each.face for each in expected.values())
    compare(expected, work(DeviceWorker, networks(detector=detector_weights), tasks, crop=224))


def test_recognisers_embed_what_they_lack(photos, networks):
    one, two = STANDARD[:2]
    wanted = [((one, two), (two,)), (None, (one, two)), ((), ())]
    tasks = [PhotoTask(photo, (one, two), wanted=wanted[at % 3]) for at, photo in enumerate(photos)]
    compare(work(PhotoWorker, networks(), tasks), work(DeviceWorker, networks(), tasks))


def test_what_stays_on_the_host(photos, networks, tmp_path):
    """Photos for the report, images that are kept, and inpainting: all of it is done, and the same."""
    inpainted = Occlusion(Region(PARTS["nose"]), OcclusionMethod("inpaint"))
    tasks = [PhotoTask(photo, STANDARD[:2], thumbnails=at == 1) for at, photo in enumerate(photos)]
    tasks[3] = tasks[3]._replace(occlusions=(inpainted,))
    again = photos[0]._replace(name="again")
    tasks.append(PhotoTask(again, STANDARD[:2], embed=False, thumbnails=True))
    options = {"shown": STANDARD[:1]}
    found = work(DeviceWorker, networks(), tasks, **options)
    assert found["1_a"].thumbnails is not None
    compare(
        work(PhotoWorker, networks(), tasks[:-1], **options), {name: found[name] for name in found if name != "again"}
    )
    saved = SavedImages(STANDARD[:1], photos=tmp_path / "images")
    work(DeviceWorker, networks(), tasks[:3], saved=saved, **options)
    assert len(list((tmp_path / "images").rglob("*.png"))) == 3


def test_photos_of_many_sizes_do_not_fill_the_memory(photos, networks, monkeypatch):
    """Batches of few sizes wait at once; photos of the others are worked on one by one."""
    monkeypatch.setattr("facepart.pipeline.device_worker._KINDS", 1)
    tasks = [PhotoTask(photo, STANDARD[:2]) for photo in photos]
    compare(work(PhotoWorker, networks(), tasks), work(DeviceWorker, networks(), tasks))


def test_scores_that_are_not_finite_end_the_run(photos, networks):
    from facepart.errors import FacepartError

    opened = networks()
    opened.parser._mean += float("nan")
    with pytest.raises(FacepartError, match="the parser's scores are not finite in fp32"):
        work(DeviceWorker, opened, [PhotoTask(photos[0], STANDARD[:1])])
