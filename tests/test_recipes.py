"""Results of an earlier release's recipe are redone or refused, never mixed with those of this one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from facepart.data.photo_input import read_photo
from facepart.data.resize import resize
from facepart.errors import FacepartError, UsageError
from facepart.networks.alignment import align_photo
from facepart.networks.catalogue import Weights, model, obtain
from facepart.networks.face_detector import FaceDetector
from facepart.networks.face_parser import PARSING_RECIPE
from facepart.networks.input_range import INPUT_RECIPE
from facepart.pipeline.blur import blur_photos
from facepart.pipeline.extract import extract_features
from facepart.study import Request, run_study
from facepart.study.settings import embedding_settings, open_settings_folders, settings_folder
from tests.conftest import Run

pytestmark = pytest.mark.slow

HEIGHT, WIDTH, BLOCK = 112, 96, 8
FP32: dict[str, Any] = {"device": "cpu", "precision": "fp32"}


def write_readable(path: Path, height: int = HEIGHT, width: int = WIDTH) -> Path:
    """Write a recogniser whose embedding is the face in blocks of 8x8 pixels, its mean taken off."""
    length = 3 * (height // BLOCK) * (width // BLOCK)
    centring = (np.eye(length) - 1 / length).astype(np.float32)
    nodes = [
        helper.make_node("AveragePool", ["x"], ["p"], kernel_shape=[BLOCK] * 2, strides=[BLOCK] * 2),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("MatMul", ["f", "c"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "readable",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, height, width])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", length])],
        [numpy_helper.from_array(centring, "c")],
    )
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), path)
    return path


def readable(face: np.ndarray) -> np.ndarray:
    """The same by NumPy, of length 1."""
    rows, columns = (side // BLOCK for side in face.shape[:2])
    blocks = face.astype(np.float64).reshape(rows, BLOCK, columns, BLOCK, 3).mean((1, 3)).transpose(2, 0, 1).ravel()
    centred = blocks - blocks.mean()
    return centred / np.linalg.norm(centred)


@pytest.fixture
def sources(tmp_path: Path, face_paths: list[Path]) -> Path:
    path = tmp_path / "faces.txt"
    path.write_text("".join(f"{each}\n" for each in face_paths[:4]))
    return path


def names(face_paths: list[Path]) -> list[str]:
    return [f"{path.parent.name}/{path.stem}" for path in face_paths[:4]]


def test_a_face_for_112x96_is_cut_not_squashed(tmp_path, run: Run, sources, face_paths, detector_weights) -> None:
    network = write_readable(tmp_path / "narrow.onnx")
    done = run("-m", "facepart", "extract", "-s", sources, "-d", tmp_path / "f", "--align", "--model", network,
               "--device", "cpu", "--precision", "fp32")  # fmt: skip
    assert done.returncode == 0, done.stderr
    detector = FaceDetector(detector_weights)
    for path, name in zip(face_paths, names(face_paths), strict=False):
        crop = align_photo(read_photo(path), detector, HEIGHT)
        found = np.load(tmp_path / "f" / f"{name}.npy")
        assert found @ readable(crop[:, 8:104]) > 0.9999
        assert found @ readable(resize(crop, HEIGHT, WIDTH)) < 0.99
    refused = run("-m", "facepart", "extract", "-s", sources, "-d", tmp_path / "g", "--align", "--model",
                  write_readable(tmp_path / "flat.onnx", 96, 112), "--device", "cpu")  # fmt: skip
    assert refused.returncode == 2
    assert "flat.onnx gets faces of 96x112; align the photos yourself and leave out --align" in refused.stderr
    assert not (tmp_path / "g").exists()


def test_image_size_and_align_cut_too(tmp_path, sources, face_paths, detector_weights) -> None:
    network = write_readable(tmp_path / "narrow.onnx")
    done = extract_features(
        sources, tmp_path / "f", model=str(network), image_size=(HEIGHT, WIDTH), align=True, **FP32
    )
    assert (done.done, done.failures) == (4, [])
    crop = align_photo(read_photo(face_paths[0]), FaceDetector(detector_weights), HEIGHT)
    assert np.load(tmp_path / "f" / f"{names(face_paths)[0]}.npy") @ readable(crop[:, 8:104]) > 0.9999


def test_a_study_cuts_the_face_too(tmp_path, sources, face_paths, bisenet_weights, detector_weights) -> None:
    del bisenet_weights
    network = write_readable(tmp_path / "narrow.onnx")
    request = Request(
        source=sources,
        output=tmp_path / "out",
        models=[str(network)],
        parts=["nose"],
        align=True,
        keep=["features"],
        subject_pattern=r"(\d+)_",
        **FP32,
    )
    run_study(request)
    detector = FaceDetector(detector_weights)
    found = {path.stem: np.load(path) for path in (tmp_path / "out").rglob("*.npy") if "nose" not in str(path)}
    for path in face_paths[:4]:
        crop = align_photo(read_photo(path), detector, 224)
        assert found[path.stem] @ readable(resize(crop[:, 16:208], HEIGHT, WIDTH)) > 0.9999
    with pytest.raises(UsageError, match=r"flat\.onnx gets faces of 96x112"):
        run_study(
            Request(
                source=sources,
                output=tmp_path / "refused",
                models=[str(write_readable(tmp_path / "flat.onnx", 96, 112))],
                parts=["nose"],
                align=True,
                subject_pattern=r"(\d+)_",
                **FP32,
            )
        )


def test_embed_faces_cuts_square_crops(tmp_path, faces) -> None:
    import facepart

    network = str(write_readable(tmp_path / "narrow.onnx"))
    crops = facepart.align_faces(faces, size=HEIGHT)
    for row, crop in zip(facepart.embed_faces(crops, model=network, **FP32), crops, strict=True):
        assert row @ readable(crop[:, 8:104]) > 0.9999
    cut = [crop[:, 8:104] for crop in crops]
    np.testing.assert_allclose(
        facepart.embed_faces(cut, model=network, **FP32), facepart.embed_faces(crops, model=network, **FP32)
    )


def settings_of(recogniser: Weights) -> dict[str, object]:
    parser = Weights(Path("parser.pth"), model("bisenet-resnet18"), "1" * 64)
    return embedding_settings(parser, recogniser, None, "fp32", False)


@pytest.mark.parametrize(
    ("key", "before", "words"),
    [
        ("parsing_recipe", None, "the way photos are parsed has changed"),
        ("parsing_recipe", PARSING_RECIPE - 1, "the way photos are parsed has changed"),
        ("input", None, "the way the recogniser's input is prepared has changed"),
    ],
)
def test_a_study_of_an_older_recipe_is_embedded_anew(tmp_path, key, before, words) -> None:
    now = settings_of(Weights(Path("own.onnx"), None, "2" * 64))
    assert (now["parsing_recipe"], now["input"]) == (PARSING_RECIPE, {"deduced": INPUT_RECIPE})
    older = {name: value for name, value in now.items() if name != key} | ({} if before is None else {key: before})
    open_settings_folders(tmp_path, [older])
    (change,) = open_settings_folders(tmp_path, [now])
    old_folder, new_folder = settings_folder(tmp_path, older), settings_folder(tmp_path, now)
    assert new_folder != old_folder
    assert f"{change} has changed" == words
    assert open_settings_folders(tmp_path, [now]) == [""]


def test_what_the_catalogue_says_of_an_input_is_kept_as_before() -> None:
    known = settings_of(Weights(Path("fr_feature.onnx"), model("faceplugin"), "2" * 64))["input"]
    assert isinstance(known, dict)
    assert known["mean"] == (127.5,) * 3
    assert settings_of(Weights(Path("model-0000.params"), model("arcface-r100"), "2" * 64))["input"] is None


def test_masks_of_an_older_recipe_are_refused_in_one_line(tmp_path, sources, bisenet_weights) -> None:
    assert obtain("bisenet-resnet18", "parser").path == bisenet_weights
    masks, blurred = tmp_path / "masks", tmp_path / "blurred"
    blur_photos(sources, masks, blurred, parts=["nose"], **FP32)
    assert blur_photos(sources, masks, blurred, parts=["nose"], **FP32).skipped == 4
    for before in (PARSING_RECIPE - 1, None):
        for folder in (masks, blurred):
            record = json.loads((folder / "run.json").read_text())
            assert record["settings"].pop("parsing_recipe") in (PARSING_RECIPE, PARSING_RECIPE - 1)
            record["settings"] |= {} if before is None else {"parsing_recipe": before}
            (folder / "run.json").write_text(json.dumps(record))
        with pytest.raises(FacepartError, match=rf"was made with parsing_recipe {before}, this run has 2") as told:
            blur_photos(sources, masks, blurred, parts=["nose"], **FP32)
        assert "\n" not in str(told.value)
    assert blur_photos(sources, masks, blurred, parts=["nose"], overwrite=True, **FP32).done == 4
    assert json.loads((masks / "run.json").read_text())["settings"]["parsing_recipe"] == PARSING_RECIPE
