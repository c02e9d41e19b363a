"""The original study's extraction, option by option, as a user's processes in the root of the checkout."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper

import facepart
from facepart.data.photo_input import read_photo
from facepart.data.resize import distorts
from tests.conftest import ROOT, Run
from tests.small_faces import LENGTH, draw, write_network
from tests.test_recogniser_weights_mxnet import write_tiny
from tests.witness.onnx_graphs import onnxruntime_answer

# Two folders with two subjects each, two photos a subject.
NAMES = ["CF/1_0", "CF/1_1", "CF/2_0", "CF/2_1", "CM/11_0", "CM/11_1", "CM/12_0", "CM/12_1"]
ON_CPU = ["--device", "cpu", "--precision", "fp32"]
no_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="is about machines without a CUDA device")
cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.fixture(scope="module")
def free(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recogniser for faces of any size."""
    return write_network(tmp_path_factory.mktemp("network") / "free.onnx", "h", "w")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for seed, name in enumerate(NAMES):
        draw(folder / f"{name}.png", seed)
    return folder


def write_list(path: Path, photos: list[Path]) -> Path:
    path.write_text("".join(f"{photo}\n" for photo in photos))
    return path


def errors(stderr: str) -> list[str]:
    """The lines on standard error, without the warning of photos that are no aligned crops."""
    return [line for line in stderr.splitlines() if "need aligned crops" not in line]


def settings(folder: Path) -> dict[str, object]:
    return json.loads((folder / "run.json").read_text())["settings"]


def load(folder: Path, names: list[str] = NAMES) -> NDArray[np.float32]:
    return np.stack([np.load(folder / f"{name}.npy") for name in names])


def by_onnxruntime(network: Path, faces: list[NDArray[np.uint8]]) -> NDArray[np.float64]:
    """Embeddings of faces that have the size already, by another runtime: RGB, (x - 127.5) / 127.5, at length 1."""
    inputs = (np.stack(faces).transpose(0, 3, 1, 2).astype(np.float32) - 127.5) / np.float32(127.5)
    answers = onnxruntime_answer(network, inputs).astype(np.float64)
    return answers / np.linalg.norm(answers, axis=1, keepdims=True)


def test_a_network_of_free_size_gets_the_size_that_is_asked_for(tmp_path: Path, run: Run, free: Path, photos: Path):
    command = ["./face_matching/", "-s", photos, "--model", free, *ON_CPU]
    asked = run(*command, "-d", tmp_path / "asked", "--image-size", "160,160")
    assert asked.returncode == 0, asked.stderr
    # The photos are of that size, so that nothing is resized.
    expected = by_onnxruntime(free, [read_photo(photos / f"{name}.png") for name in NAMES])
    np.testing.assert_allclose(load(tmp_path / "asked"), expected, atol=1e-5)
    usual = run(*command, "-d", tmp_path / "usual")
    assert usual.returncode == 0, usual.stderr
    assert np.abs(load(tmp_path / "usual") - expected).max() > 1e-4
    named = run(*command, "-d", tmp_path / "named", "--image-size", "112,112")
    assert named.returncode == 0, named.stderr
    np.testing.assert_array_equal(load(tmp_path / "named"), load(tmp_path / "usual"))


def test_the_size_decides_what_is_done_again(tmp_path: Path, run: Run, free: Path, photos: Path):
    command = ["./face_matching/", "-s", photos, "-d", tmp_path / "f", "--model", free, *ON_CPU]
    # What the network gets anyway is no other setting, and neither is what earlier releases did not record.
    assert run(*command, "--image-size", "112,112").returncode == 0
    assert settings(tmp_path / "f")["image_size"] is None
    record = json.loads((tmp_path / "f" / "run.json").read_text())
    del record["settings"]["image_size"]
    (tmp_path / "f" / "run.json").write_text(json.dumps(record))
    assert "embedded 0 photos" in run(*command).stdout
    usual = load(tmp_path / "f")
    other = run(*command, "--image-size", "128,128")
    assert other.returncode == 1
    (line,) = errors(other.stderr)
    assert "was made with image_size None, this run has [128, 128]; choose another folder, or redo" in line
    np.testing.assert_array_equal(load(tmp_path / "f"), usual)
    redone = run(*command, "--image-size", "128,128", "--overwrite")
    assert f"embedded {len(NAMES)} photos" in redone.stdout, redone.stderr
    assert not np.array_equal(load(tmp_path / "f"), usual)
    assert settings(tmp_path / "f")["image_size"] == [128, 128]
    back = run(*command)
    assert back.returncode == 1
    assert "was made with image_size [128, 128], this run has None" in back.stderr


def test_a_network_of_another_size_is_reported_in_one_line_and_nothing_is_written(
    tmp_path: Path, run: Run, photos: Path, recogniser_weights: Path
):
    fixed = write_network(tmp_path / "fixed.onnx", 160, 160)
    # Its graph leaves the size open, its last layer does not.
    flat = write_network(tmp_path / "flat.onnx", "h", "w")
    model = onnx.load(flat)
    model.graph.node.pop()
    model.graph.node.pop()
    model.graph.initializer.append(numpy_helper.from_array(np.ones((LENGTH * 27 * 27, LENGTH), np.float32), "last"))
    model.graph.node.extend(
        [
            helper.make_node("Flatten", ["positive"], ["flat"]),
            helper.make_node("MatMul", ["flat", "last"], ["embedding"]),
        ]
    )
    onnx.save(model, flat)
    for network, size, words in [
        (
            recogniser_weights,
            "160,160",
            "only takes faces of 112x112, not 160x160; leave out --image-size to resize photos of any size",
        ),
        (fixed, "112,112", "only takes faces of 160x160, not 112x112"),
        (fixed, "160,112", "only takes faces of 160x160, not 160x112"),
        (flat, "160,160", "does not run on photos of 160x160"),
    ]:
        done = run("./face_matching/", "-s", photos, "-d", tmp_path / "f", "--model", network, "--image-size", size)
        assert done.returncode == 1, (network, size, done.stderr)
        (line,) = errors(done.stderr)
        assert words in line
        assert "--image-size" in line
        assert not (tmp_path / "f").exists()
    done = run("./face_matching/", "-s", photos, "-d", tmp_path / "f", "--model", fixed, "--image-size", "160,160")
    assert done.returncode == 0, done.stderr
    assert settings(tmp_path / "f")["image_size"] is None


def test_photos_that_would_be_distorted_are_reported(tmp_path: Path, run: Run, free: Path):
    narrow = ["./face_matching/", "-d", tmp_path / "f", "--model", free, "--image-size", "112,96", *ON_CPU]
    for seed, (name, height, width) in enumerate([("a", 112, 96), ("b", 224, 192), ("c", 112, 112), ("d", 225, 192)]):
        draw(tmp_path / "photos" / f"{name}.png", seed, height, width)
    some = run(*narrow, "-s", tmp_path / "photos")
    assert some.returncode == 0, some.stderr
    (warning,) = errors(some.stderr)
    assert warning.startswith("facepart: 1 photo failed; first: ")
    assert "c.png: is 112x112, and the network gets 112x96" in warning
    assert some.stdout.splitlines()[-1].startswith("embedded 3 photos")
    with (tmp_path / "f" / "failures.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (Path(row["path"]).name, row["stage"]) == ("c.png", "resize")
    assert row["reason"].startswith("is 112x112, and the network gets 112x96: it would be distorted")
    expected = by_onnxruntime(free, [read_photo(tmp_path / "photos" / "a.png")])
    np.testing.assert_allclose(load(tmp_path / "f", ["a"]), expected, atol=1e-5)
    draw(tmp_path / "square" / "1.png", 1)
    none = run(*narrow, "-s", tmp_path / "square")
    assert none.returncode == 1
    (line,) = errors(none.stderr)
    assert "no photo could be embedded; first failure: " in line
    assert "it would be distorted" in line


@pytest.mark.parametrize(
    ("size", "target", "distorted"),
    [
        ((224, 224), (112, 112), False),
        ((225, 224), (112, 112), False),  # a pixel is rounding
        ((227, 224), (112, 112), True),
        ((112, 112), (112, 96), True),
        ((67, 57), (112, 96), False),  # 57.4 columns would be exact
        ((67, 60), (112, 96), True),
    ],
)
def test_what_counts_as_distorted(size: tuple[int, int], target: tuple[int, int], distorted: bool):
    assert distorts(size, target) == distorted


def test_with_align_the_crop_has_that_size(tmp_path: Path, run: Run, free: Path, face_paths: list[Path],
                                           detector_weights: Path):  # fmt: skip
    source = write_list(tmp_path / "faces.txt", face_paths[:4])
    command = ["-m", "facepart", "extract", "-s", source, "--model", free, "--align", *ON_CPU]
    done = run(*command, "-d", tmp_path / "f", "--image-size", "160,160")
    assert done.returncode == 0, done.stderr
    from facepart.networks.alignment import align_photo
    from facepart.networks.face_detector import FaceDetector

    detector = FaceDetector(detector_weights)
    crops = [align_photo(read_photo(path), detector, 160) for path in face_paths[:4]]
    names = [f"{path.parent.name}/{path.stem}" for path in face_paths[:4]]
    np.testing.assert_allclose(load(tmp_path / "f", names), by_onnxruntime(free, crops), atol=1e-4)
    refused = run(*command, "-d", tmp_path / "g", "--image-size", "160,120")
    assert (refused.returncode, errors(refused.stderr)) == (
        2,
        [
            "facepart: --align makes square crops and crops of 112x96, and free.onnx gets faces of 160x120; align "
            "the photos yourself and leave out --align"
        ],
    )
    assert not (tmp_path / "g").exists()


def test_with_a_matrix_the_features_are_the_same(tmp_path: Path, run: Run, free: Path, photos: Path):
    command = ["./face_matching/", "-s", photos, "--model", free, "--image-size", "128,128", *ON_CPU]
    assert run(*command, "-d", tmp_path / "single").returncode == 0
    assert run(*command, "-d", tmp_path / "matrix", "--matrix").returncode == 0
    np.testing.assert_array_equal(np.load(tmp_path / "matrix" / "features.npy"), load(tmp_path / "single"))


def test_features_of_two_sizes_are_compared_with_a_warning(tmp_path: Path, run: Run, free: Path, photos: Path):
    for size in ("112,112", "128,128"):
        done = run("./face_matching/", "-s", photos, "-d", tmp_path / size, "--model", free, "--image-size", size)
        assert done.returncode == 0, done.stderr
    lists = ["-p", tmp_path / "112,112" / "list.txt", "-g", tmp_path / "128,128" / "list.txt"]
    matched = run("./face_matching/", *lists, "-o", tmp_path / "m", "-d", "MORPH", "-gr", "G")
    assert matched.returncode == 0, matched.stderr
    assert "image_size the network's own and 128x128" in matched.stderr


@pytest.mark.parametrize("size", ["112", "112,112,3", "0,112", "112x112", "-1,5"])
def test_an_invalid_size_is_refused(tmp_path: Path, run: Run, photos: Path, size: str):
    done = run("./face_matching/", "-s", photos, "-d", tmp_path / "f", f"--image-size={size}")
    assert done.returncode == 2
    assert done.stderr == (
        f"facepart: argument --image-size: {size!r} is not a height and a width in pixels, such as 112,112 "
        "(see `face_matching -h`)\n"
    )


def test_a_number_after_flip_says_whether_the_mirrored_face_is_added(
    tmp_path: Path, run: Run, free: Path, photos: Path
):
    asked = {"none": [], "bare": ["--flip"], "0": ["--flip", "0"], "1": ["--flip", "1"], "2": ["--flip=2"]}
    for name, flip in asked.items():
        size = ["--image-size", "160,160"]
        done = run("./face_matching/", "-s", photos, "-d", tmp_path / name, "--model", free, *flip, *size, *ON_CPU)
        assert done.returncode == 0, done.stderr
    faces = [read_photo(photos / f"{name}.png") for name in NAMES]
    inputs = (np.stack(faces).transpose(0, 3, 1, 2).astype(np.float32) - 127.5) / np.float32(127.5)
    plain, mirrored = onnxruntime_answer(free, inputs), onnxruntime_answer(free, inputs[..., ::-1].copy())
    both = plain + mirrored
    both /= np.linalg.norm(both, axis=1, keepdims=True)
    plain /= np.linalg.norm(plain, axis=1, keepdims=True)
    assert np.abs(both - plain).max() > 1e-3
    for name, expected in [("none", plain), ("bare", both), ("0", plain), ("1", both), ("2", both)]:
        np.testing.assert_allclose(load(tmp_path / name), expected, atol=1e-5, err_msg=name)
    refused = run("./face_matching/", "-s", photos, "-d", tmp_path / "f", "--flip", "3")
    assert refused.returncode == 2
    assert "invalid choice" in refused.stderr


def test_options_without_effect_are_accepted_and_reported_in_one_line(
    tmp_path: Path, run: Run, free: Path, photos: Path
):
    command = ["./face_matching/", "-s", photos, "--model", free, *ON_CPU]
    options = [
        "--det",
        "0",
        "--threshold",
        "1.24",
        "--ga-model",
        "../models/gamodel-r50/model,0",
        "--gender_model",
        "",
    ]
    assert run(*command, "-d", tmp_path / "plain").stderr.count("no effect") == 0
    all_given = run(*command, "-d", tmp_path / "all", *options)
    assert all_given.returncode == 0, all_given.stderr
    assert errors(all_given.stderr) == [
        "facepart: --det, --threshold, --ga-model, --gender_model have no effect here: features do not depend on it"
    ]
    np.testing.assert_array_equal(load(tmp_path / "all"), load(tmp_path / "plain"))
    one = run(*command, "-d", tmp_path / "one", *options[:2])
    assert errors(one.stderr) == ["facepart: --det has no effect here: features do not depend on it"]


@no_cuda
@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("0", "facepart: --gpu 0 needs CUDA, and PyTorch finds no CUDA device: the network runs on the CPU"),
        ("-1", "facepart: --gpu -1 is negative: the network runs on the CPU"),
    ],
)
def test_without_cuda_a_gpu_falls_back_to_the_cpu_with_a_message(
    tmp_path: Path, run: Run, free: Path, photos: Path, number: str, told: str
):
    command = ["./face_matching/", "-s", photos, "--model", free, "--precision", "fp32"]
    done = run(*command, "-d", tmp_path / "gpu", "--gpu", number)
    assert (done.returncode, errors(done.stderr)) == (0, [told])
    assert run(*command, "-d", tmp_path / "cpu", "--device", "cpu").returncode == 0
    np.testing.assert_array_equal(load(tmp_path / "gpu"), load(tmp_path / "cpu"))
    assert json.loads((tmp_path / "gpu" / "run.json").read_text())["device"] == "cpu"


@cuda
def test_with_cuda_a_gpu_is_that_device(tmp_path: Path, run: Run, free: Path, photos: Path):
    command = ["./face_matching/", "-s", photos, "--model", free, "--precision", "fp32"]
    done = run(*command, "-d", tmp_path / "gpu", "--gpu", "0")
    assert (done.returncode, errors(done.stderr)) == (0, [])
    assert json.loads((tmp_path / "gpu" / "run.json").read_text())["device"] == "cuda:0"
    absent = run(*command, "-d", tmp_path / "absent", "--gpu", str(torch.cuda.device_count()))
    assert absent.returncode == 2
    assert "is not available" in absent.stderr
    below = run(*command, "-d", tmp_path / "below", "--gpu", "-1")
    assert errors(below.stderr) == ["facepart: --gpu -1 is negative: the network runs on the CPU"]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (["--device", "cpu"], "--gpu 0 and --device cpu both choose the device; leave out one of them"),
        (["--device", "auto"], "--gpu 0 and --device auto both choose the device; leave out one of them"),
        (["--ray", "local"], "--gpu is a GPU of this machine; with --ray, give --device cuda or --device cpu"),
    ],
)
def test_a_gpu_beside_another_choice_of_device_is_refused(
    tmp_path: Path, run: Run, photos: Path, other: list[str], told: str
):
    done = run("./face_matching/", "-s", photos, "-d", tmp_path / "f", "--gpu", "0", *other)
    assert (done.returncode, done.stderr) == (2, f"facepart: {told}\n")
    assert not (tmp_path / "f").exists()


@pytest.mark.parametrize(
    ("given", "where"),
    [
        # The default of insightface's own scripts, which stand in insightface/deploy.
        ("../models/made-for-test/model,0", "insightface/models/made-for-test"),
        ("../insightface/models/made-for-test/model,0", "insightface/models/made-for-test"),
        # The default of the original script: from face_matching it leads to an insightface beside the checkout.
        ("../../insightface/models/made-for-test/model,0", "../insightface/models/made-for-test"),
        # Or to that of the checkout, where none is beside it.
        ("../../insightface/models/made-for-test/model,0", "insightface/models/made-for-test"),
        ("insightface/models/made-for-test/model,0", "insightface/models/made-for-test"),
    ],
)
def test_a_checkpoint_is_found_from_where_the_original_scripts_stood(
    tmp_path: Path, photos: Path, given: str, where: str
):
    # A checkout of its own, since the test puts weights into it and beside it.
    checkout = tmp_path / "work" / "checkout"
    for name in ("facepart", "face_matching", "pyproject.toml"):
        checkout.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, checkout / name)
    folder = checkout / where
    folder.mkdir(parents=True)
    write_tiny(folder)
    extract = ["./face_matching/", "-s", str(photos), "-d", str(tmp_path / "f"), "--model", given, *ON_CPU]
    variables = {**os.environ, "PYTHONPATH": str(checkout)}
    done = subprocess.run(
        [sys.executable, *extract], cwd=checkout, env=variables, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert f"recogniser: {folder.name}" in done.stdout
    found = (folder / "model-0000.params").resolve()
    told = [f"facepart: {given}: not found from the current folder; using {found}"]
    assert errors(done.stderr) == (told if given.startswith("..") else [])


def test_a_missing_checkpoint_is_reported_in_one_line(tmp_path: Path, run: Run, photos: Path):
    for given, more in [
        ("../models/none/model,0", "; it is not below face_matching/ or insightface/deploy/ either"),
        (f"{tmp_path}/model,0", ""),
    ]:
        done = run("./face_matching/", "-s", photos, "-d", tmp_path / "f", "--model", given)
        assert done.returncode == 1
        params = given.replace(",0", "-0000.params")
        assert done.stderr == (
            f"facepart: {params}: no such file; {given} means this file, with model-symbol.json beside it{more}\n"
        )


def test_features_of_a_list_lie_below_the_photos_own_folders(tmp_path: Path, run: Run, free: Path, photos: Path):
    paths = [photos / f"{name}.png" for name in NAMES]
    shutil.copytree(photos / "CM", tmp_path / "deep" / "er" / "CM2")
    paths += sorted((tmp_path / "deep" / "er" / "CM2").iterdir())
    # In any order, relative to the list, by a way round, and twice.
    lines = [*map(str, reversed(paths)), "deep/er/../er/CM2/11_0.png", str(paths[0])]
    (tmp_path / "list.txt").write_text("\n".join(lines) + "\n")
    command = ["./face_matching/", "-d", tmp_path / "f", "--model", free, *ON_CPU]
    done = run(*command, "-s", tmp_path / "list.txt")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"embedded {len(paths)} photos into {tmp_path / 'f'}"
    expected = sorted(str(tmp_path / "f" / path.parent.name / f"{path.stem}.npy") for path in paths)
    assert sorted(map(str, (tmp_path / "f").rglob("*.npy"))) == expected
    assert (tmp_path / "f" / "list.txt").read_text().splitlines() == expected
    assert not (tmp_path / "f" / "failures.csv").exists()
    # Each is the feature of its photo: below a folder, the same photos are named by their paths.
    assert run(*command[:1], "-d", tmp_path / "g", *command[3:], "-s", photos).returncode == 0
    np.testing.assert_array_equal(load(tmp_path / "f"), load(tmp_path / "g"))
    again = run(*command, "-s", write_list(tmp_path / "part.txt", paths[:2]))
    assert again.stdout.splitlines()[-1].startswith("embedded 0 photos")
    assert "skipped 2 (already embedded)" in again.stdout


def test_photos_of_one_folder_in_a_list_keep_its_name(tmp_path: Path, run: Run, free: Path, photos: Path):
    source = write_list(tmp_path / "list.txt", sorted((photos / "CM").iterdir()))
    done = run("./face_matching/", "-s", source, "-d", tmp_path / "f", "--model", free, "--matrix", *ON_CPU)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "f" / "labels.txt").read_text().splitlines() == [name for name in NAMES if name[:2] == "CM"]


def test_photos_with_one_folder_and_name_are_told_apart_by_another_folder_if_they_have_one(
    tmp_path: Path, run: Run, free: Path, photos: Path
):
    first, second = draw(tmp_path / "a" / "CM" / "1_0.png", 1), draw(tmp_path / "b" / "CM" / "1_0.png", 2)
    other, same = draw(tmp_path / "b" / "CM" / "1_1.png", 3), draw(tmp_path / "b" / "CM" / "1_1.tif", 4)
    source = write_list(tmp_path / "list.txt", [other, same, second, first])
    command = ["./face_matching/", "-s", source, "-d", tmp_path / "f", "--model", free, *ON_CPU]
    done = run(*command, "--image-size", "160,160")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith(f"embedded 3 photos into {tmp_path / 'f'}, 1 failed (see ")
    assert (tmp_path / "f" / "failures.csv").read_text().splitlines()[1:] == [
        f"{same},find,its outputs would overwrite those of {other}: rename one"
    ]
    expected = by_onnxruntime(free, [read_photo(path) for path in (first, second, other)])
    np.testing.assert_allclose(load(tmp_path / "f", ["a/CM/1_0", "b/CM/1_0", "b/CM/1_1"]), expected, atol=1e-5)
    # The photo that has the feature keeps it, whichever is done first.
    again = run(*command, "--image-size", "160,160")
    assert "embedded 0 photos" in again.stdout
    np.testing.assert_allclose(load(tmp_path / "f", ["a/CM/1_0"]), expected[:1], atol=1e-5)


@pytest.mark.parametrize("rule", ["MORPH", "FOLDER"])
def test_from_lists_blurred_photos_meet_their_baseline(
    tmp_path: Path, run: Run, free: Path, photos: Path, bisenet_weights: Path, rule: str
):
    """The chain of the scripts from a list of photos of two folders: the same photo is found and left out."""
    del bisenet_weights  # skips where they cannot be had
    source = write_list(tmp_path / "list.txt", [photos / f"{name}.png" for name in NAMES])
    blurred, model = tmp_path / "blurred", ["--model", free, *ON_CPU]
    eyes = blurred / "blurred_eyes"
    steps = [
        [
            "./face_parsing_BiSeNet/",
            "-s",
            source,
            "-m",
            tmp_path / "masks",
            "-d",
            blurred,
            "--parts",
            "eyes",
            *ON_CPU,
        ],
        ["./face_matching/", "-s", source, "-d", tmp_path / "original", *model],
        ["./face_matching/", "-s", eyes, "-d", tmp_path / "eyes", *model],
    ]
    for step in steps:
        done = run(*step)
        assert done.returncode == 0, done.stderr
    listed = write_list(tmp_path / "eyes.txt", sorted(eyes.rglob("*.png")))
    assert run("./face_matching/", "-s", listed, "-d", tmp_path / "listed", *model).returncode == 0
    for probe in ("eyes", "listed"):
        lists = ["-p", tmp_path / probe / "list.txt", "-g", tmp_path / "original" / "list.txt"]
        out = tmp_path / f"m_{probe}"
        done = run("./face_matching/", *lists, "-o", out, "-d", rule, "-gr", "G")
        assert done.returncode == 0, done.stderr
        labels = [(out / f"G_{side}.txt").read_text().splitlines() for side in ("labels", "gallery_labels")]
        assert labels[0] == labels[1] == [f"{row} {name}" for row, name in enumerate(NAMES)]
        counts = {kind: len(np.load(out / f"G_{kind}.npy")) for kind in ("authentic", "impostor")}
        # Four subjects of two photos each, or two folders of four.
        subjects, each = (4, 2) if rule == "MORPH" else (2, 4)
        assert counts["authentic"] == subjects * (each * each - each)
        assert counts["impostor"] == len(NAMES) ** 2 - subjects * each * each


def test_the_help_of_either_command_is_given(run: Run):
    extract = run("./face_matching/", "-s", "-h")
    assert extract.returncode == 0
    for option in ("--image-size", "--gpu", "--det", "--threshold", "--ga-model", "--gender_model", "--flip"):
        assert option in extract.stdout
    match = run("./face_matching/", "-p", "--help")
    assert match.returncode == 0
    assert "--gallery" in match.stdout


def test_the_program_under_test_is_that_of_this_checkout(run_process: Run):
    assert Path(facepart.__file__).is_relative_to(ROOT)
    done = run_process("-c", "import facepart; print(facepart.__file__)")
    assert Path(done.stdout.strip()).is_relative_to(ROOT), sys.path
