"""Networks in INT8: calibrated on photos of the run, judged on others, kept, and refused where they are not exact."""

import json
import shutil
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from facepart.errors import FacepartError, UsageError
from facepart.files.cache import CACHE_VARIABLE
from facepart.networks.engine_choice import choose_precision
from facepart.networks.int8 import nncf_version
from facepart.networks.openvino_engine import cpu_precisions
from facepart.occlusion.parts import PARTS
from facepart.pipeline.calibration import LEAST_COSINE, LEAST_IOU, PrecisionAgreement, cosine_figures, parts_iou
from tests.small_faces import LENGTH, draw, write_network
from tests.small_network import save_small_parser

pytest.importorskip("nncf", reason="needs NNCF, the extra int8")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("int8" not in cpu_precisions(), reason="this processor does not compute in INT8"),
]

# 64 calibrate, 32 judge, and one is left over.
COUNT = 97


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_network(tmp_path_factory.mktemp("network") / "plain.onnx", 112, 112)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for number in range(COUNT):
        draw(folder / f"{number // 2:03d}_{number % 2}.png", number, 112, 112)
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of compiled networks of the test's own."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def write_fragile(path: Path, network: Path) -> Path:
    """Write a recogniser whose embedding is the small difference of two large values: 8 bits do not hold it."""
    model = onnx.load(network)
    weight = numpy_helper.to_array(model.graph.initializer[0])
    rng = np.random.default_rng(5)
    # Twice as many channels: large ones, and the same with something added that is 2,000 times smaller.
    large = np.abs(weight) + 0.2
    pairs = np.concatenate([large, large + rng.normal(size=large.shape).astype(np.float32) / 2000])
    difference = np.concatenate([-np.eye(LENGTH), np.eye(LENGTH)]).astype(np.float32)
    del model.graph.initializer[:]
    model.graph.initializer.extend(
        [numpy_helper.from_array(pairs.astype(np.float32), "weight"), numpy_helper.from_array(difference, "minus")]
    )
    model.graph.node[-1].output[0] = "both"
    model.graph.node.append(helper.make_node("MatMul", ["both", "minus"], ["embedding"]))
    onnx.save(model, path)
    return path


def extract(run, photos: Path, features: Path, network: Path, precision: str):
    arguments = ["-s", photos, "-d", features, "--model", network, "--precision", precision, "--device", "cpu"]
    return run("-m", "facepart", "extract", *arguments)


def read(folder: Path) -> dict[str, np.ndarray]:
    return {path.name: np.load(path) for path in folder.glob("*.npy")}


def test_extract_in_int8_is_near_fp32_and_the_same_again(run, photos, network, cache, tmp_path):
    for name, precision in {"exact": "fp32", "first": "int8"}.items():
        assert extract(run, photos, tmp_path / name, network, precision).returncode == 0
    exact, first = read(tmp_path / "exact"), read(tmp_path / "first")
    assert len(first) == COUNT
    cosines = [
        float(first[name] @ exact[name] / np.linalg.norm(first[name]) / np.linalg.norm(exact[name])) for name in exact
    ]
    assert np.mean(cosines) > LEAST_COSINE
    assert any((first[name] != exact[name]).any() for name in exact), "it was not computed in INT8"
    # With another cache, it is calibrated anew: the same photos give the same network.
    shutil.rmtree(cache)
    assert extract(run, photos, tmp_path / "second", network, "int8").returncode == 0
    second = read(tmp_path / "second")
    assert all((second[name] == first[name]).all() for name in first)
    told = [json.loads((tmp_path / name / "run.json").read_text())["settings"] for name in ("first", "second")]
    assert told[0] == told[1]
    assert told[0]["precision"] == "int8"
    # A rerun finds its work done, and a folder does not mix two sets of calibrating photos.
    assert "embedded 0 photos" in extract(run, photos, tmp_path / "first", network, "int8").stdout
    other = shutil.copytree(photos, tmp_path / "other")
    for path in other.iterdir():
        draw(path, 1000 + int(path.stem[:3]), 112, 112)
    refused = extract(run, other, tmp_path / "first", network, "int8")
    assert refused.returncode == 1
    assert "calibration" in refused.stderr


def test_a_network_that_8_bits_ruin_is_refused_with_its_figures(run, photos, network, cache, tmp_path):
    fragile = write_fragile(tmp_path / "fragile.onnx", network)
    assert extract(run, photos, tmp_path / "exact", fragile, "fp32").returncode == 0
    for _ in range(2):  # the second time by what is in the cache
        refused = extract(run, photos, tmp_path / "features", fragile, "int8")
        assert refused.returncode == 1
        assert refused.stderr.count("\n") == 1
        assert "fragile.onnx is not exact enough in INT8 (mean cosine with fp32 " in refused.stderr
        assert not (tmp_path / "features" / "run.json").exists()


def test_a_damaged_calibrated_network_is_not_used(run, photos, network, cache, tmp_path):
    assert extract(run, photos, tmp_path / "first", network, "int8").returncode == 0
    (compiled,) = cache.rglob("*-int8-*.openvino")
    whole = bytearray(compiled.read_bytes())
    whole[-100] ^= 1
    compiled.write_bytes(whole)
    done = extract(run, photos, tmp_path / "second", network, "int8")
    assert done.returncode == 1
    assert str(compiled) in done.stderr
    compiled.unlink()
    assert extract(run, photos, tmp_path / "second", network, "int8").returncode == 0
    first, second = read(tmp_path / "first"), read(tmp_path / "second")
    assert all((second[name] == first[name]).all() for name in first)


def test_too_few_photos_are_refused(run, photos, network, cache, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    for path in sorted(photos.iterdir())[:95]:
        shutil.copy(path, few)
    refused = extract(run, few, tmp_path / "features", network, "int8")
    assert refused.returncode == 1
    assert "needs at least 96 photos" in refused.stderr


def test_without_nncf_it_says_what_to_install(photos, network, monkeypatch):
    def lacking(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("facepart.networks.int8.version", lacking)
    with pytest.raises(FacepartError, match=r'pip install "facepart\[int8\]"'):
        nncf_version()


def test_int8_is_refused_on_cuda():
    with pytest.raises(UsageError, match="on the CPU only"):
        choose_precision("cuda:0", "int8")


def test_arrays_refuse_int8(network):
    import facepart

    with pytest.raises(UsageError, match="calibrated by the commands"):
        facepart.embed_faces([np.zeros((112, 112, 3), np.uint8)], model=str(network), device="cpu", precision="int8")


def test_iou_of_parts_is_that_of_masks_by_hand():
    maps = np.zeros((3, 512, 512), np.uint8)
    maps[:, 100:300, 100:300] = PARTS["nose"].classes[0]
    maps[:, 350:400, 100:300] = PARTS["hair"].classes[0]
    other = maps.copy()
    other[:, 100:150, 100:300] = 0
    other[0] = 0
    found = parts_iou(maps, other)
    # Over the photos together: 2 of 3 have the nose, and of each of these 150 of 200 rows.
    assert found["nose"] == pytest.approx(2 * 150 / (3 * 200), abs=1e-12)
    assert found["hair"] == pytest.approx(2 / 3)
    assert set(found) == {"nose", "hair"}
    assert parts_iou(maps, maps) == {"nose": 1.0, "hair": 1.0}


def test_cosines_are_those_by_hand():
    one = np.array([[3.0, 4.0], [1.0, 0.0], [1.0, 0.0]], np.float32)
    two = np.array([[6.0, 8.0], [0.0, 2.0], [np.nan, 1.0]], np.float32)
    assert cosine_figures(one, two) == {"mean cosine": pytest.approx(0.0), "lowest cosine": -1.0}


@pytest.mark.parametrize(
    ("figures", "accepted"),
    [
        ({"mean cosine": 0.998, "lowest cosine": 0.5}, True),
        ({"mean cosine": 0.996, "lowest cosine": 0.98}, False),
        ({"eyes": 0.99, "nose": 0.96}, True),
        ({"eyes": 0.99, "nose": 0.5}, False),
    ],
)
def test_what_is_accepted(figures, accepted):
    assert PrecisionAgreement(figures).accepted == accepted


def test_the_parser_alone_in_int8(run, photos, network, cache, tmp_path):
    parser = save_small_parser(tmp_path / "drawn.onnx")
    arguments = ["study", "-s", photos, "-o", tmp_path / "study", "--precision", "int8-parser", "--parts", "nose"]
    done = run("-m", "facepart", *arguments, "--parser", parser, "--model", network, "--device", "cpu", "--no-faces")
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "study" / "run.json").read_text())["settings"]
    assert told["precision"] == "int8-parser"
    assert list(told["int8"]) == ["drawn.onnx"]
    assert min(told["int8"]["drawn.onnx"].values()) > LEAST_IOU
    text = " ".join((tmp_path / "study" / "methods.txt").read_text().split())
    assert "calibrated on 64 of the photos, and compared with their 32-bit floating-point form on 32 others" in text
    usual = "bf16" if "bf16" in cpu_precisions() else "fp32"
    assert f"; {usual} arithmetic" in text


def test_extract_has_no_parser_for_int8_parser(run, photos, network, cache, tmp_path):
    refused = extract(run, photos, tmp_path / "features", network, "int8-parser")
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "there is no parser in this run" in refused.stderr
