"""`facepart parse`, and label maps that are given to `blur` and `study`, by the commands."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from facepart.arrays import parse_faces
from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from facepart.demo.faces import align_folder
from facepart.errors import FacepartError
from facepart.files.progress import silent
from facepart.networks.face_parser import PREPROCESSING, fit_photo, open_parser
from facepart.networks.label_map import CLASSES
from facepart.networks.label_sets import LABEL_SETS
from tests.command_line import Done
from tests.conftest import Run
from tests.opened_networks import parser_of

pytestmark = pytest.mark.slow

PARTS = ["--parts", "eyes", "nose", "left_eye"]


@pytest.fixture(scope="module")
def photos(
    tmp_path_factory: pytest.TempPathFactory, face_paths: list[Path], bisenet_weights: Path, detector_weights: Path
) -> Path:
    """Two subjects of two photos: ``photos``, and the same aligned: ``aligned``."""
    del bisenet_weights, detector_weights
    folder = tmp_path_factory.mktemp("parse")
    for number, path in enumerate(face_paths[:4]):
        write_image(folder / "photos" / f"{number // 2:03}_{number % 2}.png", read_photo(path)[::2, ::2].copy())
    align_folder(folder / "photos", folder / "aligned", silent)
    return folder


@pytest.fixture(scope="module")
def labels(photos: Path, run_process: Run) -> Path:
    """The label maps of the aligned photos, by the command as a process."""
    done = facepart(run_process, "parse", "-s", photos / "aligned", "-o", photos / "labels")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"parsed 4 photos into {photos / 'labels'}\n"
    return photos / "labels"


def facepart(run: Run, *words: str | Path) -> Done:
    return run("-m", "facepart", *words, "--device", "cpu", "--precision", "fp32")


def numbers_of(path: Path) -> NDArray[np.uint8]:
    image = Image.open(path)
    assert image.mode == "P"
    return np.asarray(image)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_parse_writes_the_parsers_label_maps(photos: Path, labels: Path, bisenet_weights: Path, run: Run) -> None:
    paths = sorted((photos / "aligned").glob("*.png"))
    expected = parser_of(bisenet_weights)(np.stack([fit_photo(read_photo(path)) for path in paths]))
    for path, each in zip(paths, expected, strict=True):
        assert np.array_equal(numbers_of(labels / path.name), each)
    again = facepart(run, "parse", "-s", photos / "aligned", "-o", labels)
    assert again.stdout == f"parsed 0 photos into {labels}, skipped 4 (already parsed)\n"
    record = json.loads((labels / "run.json").read_text())
    assert record["stage"] == "parse"
    assert record["settings"]["model"] == "bisenet-resnet18"


def test_parse_compares_with_other_label_maps(photos: Path, labels: Path, tmp_path: Path, run: Run) -> None:
    """A LaPa map of each photo but one; the oracle counts pixels photo by photo."""
    against, order = tmp_path / "lapa", LABEL_SETS["lapa"].classes
    against.mkdir()
    both, either, seen = (dict.fromkeys(("nose", "hair", "eyes_brows"), 0) for _ in range(3))
    classes = {"nose": [10], "hair": [17], "eyes_brows": [2, 3, 4, 5, 6]}
    for path in sorted(labels.glob("*.png"))[1:]:
        ours = numbers_of(path)
        moved = np.roll(ours, 9, axis=1)
        lapa = np.array([order.index(each) if each in order else 0 for each in range(19)], np.uint8)[moved]
        Image.fromarray(lapa).save(against / path.name)
        theirs = np.array(order)[lapa]
        for name, numbers in classes.items():
            one, two = np.isin(ours, numbers), np.isin(theirs, numbers)
            both[name] += int((one & two).sum())
            either[name] += int((one | two).sum())
            seen[name] += int((one | two).any())
    words: list[str | Path] = ["--against", against, "--against-label-set", "lapa"]
    done = facepart(run, "parse", "-s", photos / "aligned", "-o", labels, *words)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert f"compared 3 photos with {against}" in done.stdout
    assert "; 1 photo without a label map there" in done.stdout
    rows = {(row["kind"], row["name"]): row for row in rows_of(labels / "iou.csv")}
    assert ("class", "left ear") not in rows
    assert ("part", "ears") not in rows
    assert ("part", "periocular") not in rows
    for key in (("class", "nose"), ("part", "nose"), ("part", "hair"), ("part", "eyes_brows")):
        row, name = rows[key], key[1]
        assert (int(row["intersection"]), int(row["union"])) == (both[name], either[name]), key
        assert float(row["iou"]) == pytest.approx(both[name] / either[name], abs=1e-6)
        assert int(row["photos"]) == seen[name]
    table = {tuple(line.split()[:2]): line.split()[2:] for line in done.stdout.splitlines()}
    assert table["part", "nose"] == [f"{both['nose'] / either['nose']:.3f}", str(seen["nose"])]


def test_a_study_of_label_maps_equals_that_of_the_parser(
    photos: Path, labels: Path, tmp_path: Path, run: Run, recogniser_weights: Path
) -> None:
    words: list[str | Path] = ["-s", photos / "aligned", "--model", recogniser_weights, *PARTS, "--control", "1"]
    given = tmp_path / "given"
    order = LABEL_SETS["celebamask-hq"].classes
    for path in labels.glob("*.png"):
        given.mkdir(exist_ok=True)
        Image.fromarray(np.argsort(order).astype(np.uint8)[numbers_of(path)]).save(given / path.name)
    by_labels: list[str | Path] = ["--labels", given, "--label-set", "celebamask-hq"]
    nothing: list[str | Path] = []
    for name, more in (("parsed", nothing), ("given", by_labels)):
        done = facepart(run, "study", *words, *more, "-o", tmp_path / "out" / name)
        assert done.returncode == 0, done.stderr
    one, two = (tmp_path / "out" / name for name in ("parsed", "given"))
    assert (one / "results.csv").read_bytes() == (two / "results.csv").read_bytes()
    text = " ".join((two / "methods.txt").read_text().split())
    assert "using supplied label maps, one for each photo, with classes in the order of celebamask-hq" in text
    assert "no face parser was run" in text
    assert "bisenet" not in text.lower()
    parser = json.loads((two / "run.json").read_text())["settings"]["parser"]
    assert (parser["name"], parser["label_set"], parser["classes"]) == ("label maps", "celebamask-hq", list(order))

    # Another label map: that photo alone is embedded anew. One that is damaged is named, and the others go on.
    Image.fromarray(np.zeros((512, 512), np.uint8)).save(given / "000_0.png")
    (given / "001_1.png").write_bytes(b"damaged")
    again = facepart(run, "study", *words, *by_labels, "-o", two)
    assert again.returncode == 0, again.stderr
    assert "embedded 1 photo, skipped 2" in again.stdout
    assert f"{given / '001_1.png'}: is not a PNG file" in again.stderr
    assert "001_1" in (two / "failures.csv").read_text()
    changed = json.loads((two / "run.json").read_text())["settings"]["parser"]
    assert changed["sha256"] != parser["sha256"]


def test_labels_of_whole_photos_are_warped_with_them(photos: Path, tmp_path: Path, run: Run) -> None:
    """A label map that is made of the photo's own brightness stays where the photo is bright."""
    source, labels = tmp_path / "photos", tmp_path / "labels"
    labels.mkdir()
    shutil.copytree(photos / "photos", source)
    for path in source.glob("*.png"):
        photo = read_photo(path)
        bright = photo.mean(axis=2) > 128
        Image.fromarray(np.where(bright, 10, 1).astype(np.uint8)).save(labels / path.name)
    words: list[str | Path] = ["-s", source, "-o", tmp_path / "out", "--labels", labels, "--align", "--parts", "nose"]
    done = facepart(run, "study", *words, "--keep", "masks,photos", "--model", "sface")
    assert done.returncode == 0, done.stderr
    for mask in (tmp_path / "out" / "masks" / "mask_nose").glob("*.png"):
        found = np.asarray(Image.open(mask)) > 0
        crop = read_photo(tmp_path / "out" / "photos" / mask.name.replace("_annotation", ""))
        expected = fit_photo(crop).mean(axis=2) > 128
        assert np.mean(found == expected) > 0.95, mask


def test_a_folder_without_label_maps_is_refused_before_photos_are_parsed(
    photos: Path, tmp_path: Path, run: Run
) -> None:
    none = tmp_path / "none"
    done = facepart(run, "parse", "-s", photos / "aligned", "-o", tmp_path / "out", "--against", none)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{none}: has no label map of any of the photos, such as {none / '000_0.png'}\n" in done.stderr
    assert not (tmp_path / "out").exists()


def test_blur_takes_label_maps(photos: Path, labels: Path, tmp_path: Path, run: Run) -> None:
    given = tmp_path / "given"
    shutil.copytree(labels, given)
    common: list[str | Path] = ["-s", photos / "aligned", "--parts", "nose", "eyes"]
    parsed: list[str | Path] = ["-m", tmp_path / "a", "-d", tmp_path / "a"]
    by_labels: list[str | Path] = ["-m", tmp_path / "b", "-d", tmp_path / "b", "--labels", given]
    for more in (parsed, by_labels):
        done = facepart(run, "blur", *common, *more)
        assert done.returncode == 0, done.stderr
    for path in (tmp_path / "a").rglob("*.png"):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()
    assert "skipped 4" in facepart(run, "blur", *common, *by_labels).stdout
    Image.fromarray(np.full((512, 512), 10, np.uint8)).save(given / "000_0.png")
    again = facepart(run, "blur", *common, *by_labels)
    assert again.stdout.splitlines()[-1].startswith("blurred 1 photo into")
    mask = np.asarray(Image.open(tmp_path / "b" / "mask_nose" / "000_0_annotation.png"))
    assert mask.min() == 255
    other = facepart(run, "blur", *common, *by_labels[:4])
    assert other.returncode == 1
    assert "was made with model 'label maps', this run has 'bisenet-resnet18'" in other.stderr


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["--labels", "{}/none"], 1, "none: has no label map of any of the photos, such as"),
        (["--labels", "{}", "--parser", "bisenet-resnet18"], 2, "--parser and --labels exclude each other"),
        (
            ["--labels", "{}", "--label-set", "lapa", "--parts", "ears"],
            2,
            "label set lapa has no left ear and no right",
        ),
        (["--label-set", "helen"], 2, "unknown label set 'helen'; known: bisenet, celebamask-hq, lapa"),
        (["--label-set", "{}/wrong.toml"], 1, "wrong.toml: unknown class 'chin'"),
        (["--label-set", "lapa", "--parts", "nose"], 2, "the classes of bisenet-resnet18 are known"),
        (["--parser", "sface"], 2, "sface is a recogniser, not a parser"),
    ],
)
@pytest.mark.parametrize("command", ["blur", "study"])
def test_mistakes_are_one_line(
    photos: Path, labels: Path, tmp_path: Path, run: Run, command: str, words: list[str], status: int, message: str
) -> None:
    del labels
    (tmp_path / "wrong.toml").write_text('classes = ["chin"]\n')
    out = ["-o", tmp_path / "out"] if command == "study" else ["-m", tmp_path / "out", "-d", tmp_path / "out"]
    done = run("-m", "facepart", command, "-s", photos / "aligned", *out, *(word.format(tmp_path) for word in words))
    assert done.returncode == status, done.stderr
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_label_maps_of_crops_and_of_the_photos_they_were_cut_from_are_told_apart(
    photos: Path, tmp_path: Path, run: Run
) -> None:
    raw, crops = photos / "photos", tmp_path / "crops"
    done = run("-m", "facepart", "align", "-s", raw, "-d", crops)
    assert done.returncode == 0, done.stderr
    maps = {"raw": tmp_path / "of_raw", "crops": tmp_path / "of_crops"}
    for source, of in ((raw, "raw"), (crops, "crops")):
        assert facepart(run, "parse", "-s", source, "-o", maps[of]).returncode == 0
    words: tuple[str | Path, ...]
    for words, of, said in (
        ((raw, "--align"), "crops", "give the crops as the photos, without --align"),
        ((crops,), "raw", "were cut: run `facepart parse` on the crops"),
    ):
        out = tmp_path / f"refused_{of}"
        for command in (
            ("study", "-o", out, "-d", "MORPH", "--model", "sface"),
            ("blur", "-m", out / "masks", "-d", out / "blurred"),
        ):
            done = facepart(run, *command, "-s", *words, "--labels", maps[of], "--parts", "nose")
            assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
            assert said in done.stderr
        assert not out.exists()
    for words, of in (((raw, "--align"), "raw"), ((crops,), "crops")):
        out = tmp_path / f"blurred_{of}"
        done = facepart(run, "blur", "-m", out, "-d", out, "-s", *words, "--labels", maps[of], "--parts", "nose")
        assert done.returncode == 0, done.stderr


def save_small_parser(path: Path, side: int, classes: int, seed: int = 0) -> Path:
    """Write a parser whose scores are those of 1x1 convolutions of the photo, a quarter of its side."""
    random = np.random.default_rng(seed)
    weight = random.normal(size=(classes, 3, 1, 1)).astype(np.float32)
    nodes = [
        helper.make_node("AveragePool", ["photo"], ["small"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Conv", ["small", "weight", "bias"], ["scores"]),
    ]
    arrays = [
        numpy_helper.from_array(weight, "weight"),
        numpy_helper.from_array(random.normal(size=classes).astype(np.float32), "bias"),
    ]
    size = [side, side] if side else ["h", "w"]
    photo = helper.make_tensor_value_info("photo", TensorProto.FLOAT, ["n", 3, *size])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", classes, "a", "b"])
    graph = helper.make_graph(nodes, "small", [photo], [scores], arrays)
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


def scores_by_hand(
    path: Path, photo: NDArray[np.uint8], mean: NDArray[np.float64], deviation: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the scores (classes, h / 4, w / 4) that the small parser gives a photo (h, w, 3)."""
    weight, bias = (numpy_helper.to_array(each).astype(np.float64) for each in onnx.load(path).graph.initializer)
    values = (photo / 255 - mean) / deviation
    small = values.reshape(len(photo) // 4, 4, -1, 4, 3).mean(axis=(1, 3))
    return np.einsum("kc,ijc->kij", weight[:, :, 0, 0], small) + bias[:, None, None]


def upsampled(scores: NDArray[np.float64], factor: int) -> NDArray[np.float64]:
    """Interpolate linearly between the centres of the pixels, by NumPy."""
    for axis in (1, 2):
        side = scores.shape[axis]
        place = (np.arange(side * factor) + 0.5) / factor - 0.5
        along = [np.interp(place, np.arange(side), line) for line in np.moveaxis(scores, axis, -1).reshape(-1, side)]
        moved = np.moveaxis(scores, axis, -1).shape[:-1]
        scores = np.moveaxis(np.array(along).reshape(*moved, -1), -1, axis)
    return scores


def test_in_python_a_parser_of_ones_own_is_what_it_is_to_the_command(
    tmp_path: Path, faces: list[NDArray[np.uint8]], run: Run
) -> None:
    path, hardware = save_small_parser(tmp_path / "parser.onnx", 256, 11), {"device": "cpu", "precision": "fp32"}
    write_image(tmp_path / "photos" / "1_1.png", faces[0])
    command: list[str | Path] = ["parse", "-s", tmp_path / "photos", "--parser", path, "-o", tmp_path / "maps"]
    with pytest.raises(FacepartError, match="expected scores for 19 classes"):
        parse_faces(faces[:1], model=str(path), **hardware)
    classes = LABEL_SETS["lapa"].classes
    for order in (classes, classes[::-1]):
        (tmp_path / "config.json").write_text(json.dumps({"id2label": {k: CLASSES[c] for k, c in enumerate(order)}}))
        done = facepart(run, *command, "--overwrite")
        assert done.returncode == 0, done.stderr
        expected = numbers_of(tmp_path / "maps" / "1_1.png")
        assert len(np.unique(expected)) > 3
        np.testing.assert_array_equal(parse_faces(faces[:1], model=str(path), **hardware)[0], expected)
        # Another network comes to lie at the same path.
        save_small_parser(path, 256, 11, seed=1)
        assert (parse_faces(faces[:1], model=str(path), **hardware)[0] != expected).any()
        save_small_parser(path, 256, 11)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(("side", "config"), [(0, False), (0, True), (256, False)])
def test_a_parser_of_another_resolution(
    tmp_path: Path, faces: list[NDArray[np.uint8]], precision: str, side: int, config: bool
) -> None:
    """Scores of a quarter of the size are upsampled, and the classes are those of the label set."""
    from facepart.networks.engine_choice import choose_precision

    if precision == "bf16" and choose_precision("cpu", "auto") != "bf16":
        pytest.skip("this processor does not compute in bf16")
    path = save_small_parser(tmp_path / "parser.onnx", side, 11)
    mean, deviation = [np.array(each) / 255 for each in (PREPROCESSING.mean, PREPROCESSING.scale)]
    if config:
        mean, deviation = np.full(3, 0.5), np.full(3, 0.25)
        text = {"image_mean": [0.5] * 3, "image_std": [0.25] * 3, "size": {"height": 384, "width": 384}}
        (tmp_path / "preprocessor_config.json").write_text(json.dumps(text))
    size = side or (384 if config else 512)
    engine = open_parser(path, "cpu", precision, label_set=LABEL_SETS["lapa"])
    assert (engine.preprocessing.height, engine.preprocessing.width) == (size, size)
    photo = fit_photo(faces[0], (size, size))
    found = engine(photo[None])[0]
    scores = upsampled(scores_by_hand(path, photo, mean, deviation), 4)
    expected = np.array(LABEL_SETS["lapa"].classes)[scores.argmax(axis=0)]
    nearest = ((np.arange(512) + 0.5) * size / 512).astype(int)
    assert found.shape == (512, 512)
    wrong = np.mean(found != expected[nearest][:, nearest])
    assert wrong < (1e-3 if precision == "fp32" else 0.02)
