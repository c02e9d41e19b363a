"""Done means there, and whole: what earlier runs of `extract` and `blur` wrote is checked before it is relied on."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facepart.data.photo_input import read_photo
from facepart.data.photo_output import is_whole_image, write_image
from facepart.errors import FacepartError
from facepart.matching.features import read_features
from facepart.pipeline import finished_photos
from facepart.pipeline.blur import blur_photos
from facepart.pipeline.extract import ExtractOutcome, extract_features
from facepart.pipeline.finished_photos import FINISHED_FILE
from tests.small_network import LENGTH, SIDE, save_small_network, save_small_parser

NAMES = ["p/1", "p/2", "q/1", "top"]


def draw(path: Path, seed: int) -> None:
    # Not quite square: then no face is looked for to warn of photos that are not aligned.
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (SIDE, SIDE - 1, 3), np.uint8)
    Image.fromarray(pixels).save(path, format="BMP")  # all of one size


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_small_network(tmp_path_factory.mktemp("network") / "small.onnx")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for seed, name in enumerate(NAMES):
        draw(tmp_path / "photos" / f"{name}.bmp", seed)
    return tmp_path / "photos"


Extract = Callable[..., ExtractOutcome]


@pytest.fixture(params=[False, True], ids=["files", "matrix"])
def extract(request: pytest.FixtureRequest, network: Path, photos: Path, tmp_path: Path) -> Extract:
    """Extract the photos into `f`, as single files or as a matrix."""

    def call(folder: Path | None = None, **options) -> ExtractOutcome:
        options = {"matrix": request.param, "source": photos, **options}
        features = folder or tmp_path / "f"
        return extract_features(
            features=features, model=str(network), precision="fp32", device="cpu", workers=1, **options
        )

    return call


def outputs(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in ("run.json", "list.txt")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def features(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.npy"))


def with_values(change: Callable[[np.ndarray], None]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        values = np.load(path)
        change(values)
        np.save(path, values)

    return damage


def flip_an_exponent(values: np.ndarray) -> None:
    flat = values.reshape(-1)
    flat.view(np.uint32)[np.abs(flat).argmax()] ^= 1 << 25


def zero_half(values: np.ndarray) -> None:
    values[..., LENGTH // 2 :] = 0


DAMAGES: dict[str, Callable[[Path], object]] = {
    "gone": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "cut in the header": lambda path: os.truncate(path, 50),
    "cut": lambda path: os.truncate(path, path.stat().st_size - 1),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "noise": lambda path: path.write_bytes(bytes(range(256))),
    "a bracket": lambda path: path.write_bytes(path.read_bytes().replace(b"}", b"]", 1)),
    "an exponent": with_values(flip_an_exponent),
    "half zero": with_values(zero_half),
    "not a number": with_values(lambda values: values.reshape(-1).__setitem__(3, np.nan)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_feature_is_extracted_anew(extract: Extract, tmp_path: Path, damage: str) -> None:
    extract()
    whole = outputs(tmp_path / "f")
    path = features(tmp_path / "f")[0]
    DAMAGES[damage](path)
    outcome = extract()
    assert outcome.done in (1, len(NAMES))
    assert outputs(tmp_path / "f") == whole
    assert extract().done == 0


@pytest.mark.parametrize("damage", ["another shape", "a row less", "names swapped", "labels gone", "a name lost"])
def test_a_damaged_matrix_is_made_anew(network: Path, photos: Path, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "f"
    options: dict[str, Any] = {"model": str(network), "precision": "fp32", "device": "cpu", "matrix": True}
    extract_features(photos, folder, **options)
    whole = outputs(folder)
    matrix, names = np.load(folder / "features.npy"), (folder / "names.txt").read_text().splitlines()
    if damage == "another shape":
        np.save(folder / "features.npy", matrix.reshape(-1, LENGTH // 2))
    elif damage == "a row less":
        np.save(folder / "features.npy", matrix[:-1])
    elif damage == "names swapped":
        (folder / "names.txt").write_text("".join(f"{name}\n" for name in [*names[1::-1], *names[2:]]))
    elif damage == "labels gone":
        (folder / "labels.txt").unlink()
    else:
        (folder / "names.txt").write_text("".join(f"{name}\n" for name in names[:-1]))
    assert extract_features(photos, folder, **options).done >= 1
    assert outputs(folder) == whole


def test_a_replaced_photo_is_extracted_anew(extract: Extract, photos: Path, tmp_path: Path) -> None:
    """Also by one of the same size, or an older one; a copy of the same photo is none."""
    extract()
    before = outputs(tmp_path / "f")
    draw(tmp_path / "other.bmp", 9)
    status = (photos / "p" / "1.bmp").stat()
    os.utime(tmp_path / "other.bmp", ns=(status.st_atime_ns, status.st_mtime_ns - 10**12))
    shutil.move(tmp_path / "other.bmp", photos / "p" / "1.bmp")
    shutil.copy(photos / "p" / "2.bmp", tmp_path / "same.bmp")
    shutil.move(tmp_path / "same.bmp", photos / "p" / "2.bmp")
    assert (extract().done, extract().done) == (1, 0)
    after = outputs(tmp_path / "f")
    extract(tmp_path / "anew" / "f")
    assert {name: data for name, data in after.items() if name != FINISHED_FILE} == {
        name: data for name, data in outputs(tmp_path / "anew" / "f").items() if name != FINISHED_FILE
    }
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"p/1.npy", "features.npy", FINISHED_FILE}


def test_the_feature_of_a_photo_that_is_replaced_by_a_broken_one_goes(
    extract: Extract, photos: Path, tmp_path: Path
) -> None:
    extract()
    (photos / "q" / "1.bmp").write_bytes(b"no photo")
    for _ in range(2):
        outcome = extract()
        assert (outcome.done, len(outcome.failures), outcome.skipped) == (0, 1, len(NAMES) - 1)
        assert sorted(read_features(outcome.features_list).labels) == ["f/top", "p/1", "p/2"]
    assert not (tmp_path / "f" / "q" / "1.npy").exists()


@pytest.mark.parametrize("text", ["", "{}", '{"photos": []}', '{"photos": {"p/1": ["1", 2]}}', "[" * 100000, "gone"])
def test_a_damaged_list_of_finished_photos_counts_as_missing(
    extract: Extract, tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    extract()
    before = outputs(tmp_path / "f")
    path = tmp_path / "f" / FINISHED_FILE
    if text == "gone":
        path.unlink()
    else:
        path.write_text(text)
    assert extract().done == 0
    assert len(caplog.messages) == (text != "gone") + sum("not square" in message for message in caplog.messages)
    assert json.loads(path.read_text())["photos"].keys() == set(NAMES)
    assert {**outputs(tmp_path / "f"), FINISHED_FILE: b""} == {**before, FINISHED_FILE: b""}


def test_a_photo_that_is_not_in_the_list_is_compared_with_the_age_of_its_feature(
    network: Path, photos: Path, tmp_path: Path
) -> None:
    """As after a killed run."""
    folder = tmp_path / "f"
    options: dict[str, Any] = {"model": str(network), "precision": "fp32", "device": "cpu"}
    extract_features(photos, folder, **options)
    (folder / FINISHED_FILE).write_text('{"photos": {}}')
    draw(photos / "p" / "1.bmp", 9)
    assert extract_features(photos, folder, **options).done == 1
    assert extract_features(photos, folder, **options).done == 0


def test_a_killed_run_goes_on_from_what_it_saved_meanwhile(
    network: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saving after every photo, to a matrix; the folder is copied as a run that was killed then would leave it."""
    options: dict[str, Any] = {"model": str(network), "precision": "fp32", "device": "cpu", "matrix": True}
    monkeypatch.setattr(finished_photos, "_INTERVAL", -1)

    def copy(done: int, total: int, note: str = "") -> None:
        shutil.copytree(tmp_path / "f", tmp_path / str(done) / "f")

    extract_features(photos, tmp_path / "f", progress=copy, **options)
    for done in range(len(NAMES) + 1):
        assert extract_features(photos, tmp_path / str(done) / "f", **options).done == len(NAMES) - done
        assert outputs(tmp_path / str(done) / "f") == outputs(tmp_path / "f")


def test_an_array_of_others_is_not_replaced(extract: Extract, tmp_path: Path) -> None:
    for array in (np.ones(LENGTH, np.float64), np.ones((1, LENGTH), np.float32), np.ones(LENGTH + 1, np.float32)):
        path = tmp_path / "f" / "p" / "1.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, array)
        data = path.read_bytes()
        with pytest.raises(FacepartError, match=r"p/1\.npy: holds float.* of shape .*; remove it, or choose another"):
            extract()
        assert path.read_bytes() == data


def test_failures_csv_that_is_a_folder_is_one_line(extract: Extract, tmp_path: Path) -> None:
    (tmp_path / "f" / "failures.csv").mkdir(parents=True)
    with pytest.raises(FacepartError, match=r"failures\.csv: cannot be removed: "):
        extract()


@pytest.mark.parametrize("extension", ["png", "jpg", "webp", "bmp", "tiff"])
def test_an_image_that_is_cut_is_not_whole(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a.{extension}"
    size = write_image(path, np.random.default_rng(0).integers(0, 255, (20, 31, 3), np.uint8))
    assert size == path.stat().st_size
    assert is_whole_image(path)
    data = path.read_bytes()
    for length in [0] if extension == "tiff" else [0, 1, 7, size // 2, size - 1]:
        path.write_bytes(data[:length])
        assert not is_whole_image(path)
    path.unlink()
    assert not is_whole_image(path)


PARTS = ("eyes", "nose")


@pytest.mark.slow
def test_damaged_images_and_replaced_photos_are_done_anew(face_paths: list[Path], tmp_path: Path) -> None:
    """A mask or a blurred photo that is gone, empty, cut or replaced; a photo that is replaced; each anew, alone."""
    for number, path in enumerate(face_paths[:3]):
        write_image(tmp_path / "photos" / f"{number}.png", read_photo(path)[::4, ::4].copy())

    parser = str(save_small_parser(tmp_path / "drawn.onnx"))

    def blur(folder: Path = tmp_path, **options):
        options = {"parts": PARTS, "model": parser, **options}
        return blur_photos(tmp_path / "photos", folder / "m", folder / "b", **options)

    assert blur().done == 3
    whole = outputs(tmp_path / "b") | {f"m/{name}": data for name, data in outputs(tmp_path / "m").items()}
    victims = [
        tmp_path / "m" / "mask_eyes" / "0_annotation.png",
        tmp_path / "b" / "blurred_nose" / "1.png",
        tmp_path / "b" / "blurred_eyes" / "1.png",
    ]
    for damage in ("empty", "cut", "longer", "noise"):
        for path in victims[: 2 if damage == "cut" else 1]:
            DAMAGES[damage](path)
        assert blur().done == (2 if damage == "cut" else 1)
        found = outputs(tmp_path / "b") | {f"m/{name}": data for name, data in outputs(tmp_path / "m").items()}
        assert found == whole
    # Without the list, as in folders of earlier releases, whole images are believed, and cut ones are not.
    (tmp_path / "b" / FINISHED_FILE).unlink()
    DAMAGES["cut"](victims[2])
    assert blur().done == 1
    assert blur().done == 0
    # Other parts of a photo that was replaced are done anew when they are asked for.
    write_image(tmp_path / "photos" / "2.png", read_photo(face_paths[5])[::4, ::4].copy())
    assert (blur(parts=("eyes",)).done, blur(parts=("eyes",)).done) == (1, 0)
    assert (blur().done, blur().done) == (1, 0)
    blur(tmp_path / "anew")
    assert {**outputs(tmp_path / "b"), FINISHED_FILE: b""} == {**outputs(tmp_path / "anew" / "b"), FINISHED_FILE: b""}
    # A photo that cannot be read any more has no images.
    (tmp_path / "photos" / "0.png").write_bytes(b"no photo")
    assert len(blur().failures) == 1
    assert not victims[0].exists()
