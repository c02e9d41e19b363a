"""``facepart align`` and ``blur --align``: by hand, raw photos give the numbers of a study with ``--align``."""

import csv
import json
import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from facepart.networks.alignment import align_face, align_photo
from facepart.networks.face_detector import FaceDetector
from facepart.pipeline.faces_table import COLUMNS, LANDMARK_COLUMNS, FaceRow, FacesTable, read_landmarks
from facepart.study.alignment import aligned_before
from tests.conftest import Run
from tests.small_network import save_small_parser

ON_CPU = ("--device", "cpu", "--precision", "fp32")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory, face_paths: list[Path]) -> Path:
    """Six raw photos of three subjects: each in the corner of a larger frame, of a size of its own."""
    folder = tmp_path_factory.mktemp("raw") / "photos"
    for number, path in enumerate(face_paths[:6]):
        face = read_photo(path)
        photo = np.pad(face, ((40 + 9 * number, 60), (30, 90 + 7 * number), (0, 0)), mode="edge")
        write_image(folder / f"{path.stem}.png", photo)
    return folder


def rows_of(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "faces.csv").open(newline="") as file:
        return {row["photo"]: row for row in csv.DictReader(file)}


def write_rows(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["photo", *LANDMARK_COLUMNS], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def points_of(row: dict[str, str]) -> NDArray[np.float32]:
    return np.array([row[name] for name in LANDMARK_COLUMNS], np.float32).reshape(5, 2)


def images(folder: Path) -> dict[str, NDArray[np.uint8]]:
    found = (path for path in sorted(folder.rglob("*.png")))
    return {path.relative_to(folder).as_posix(): read_photo(path) for path in found}


def distributions(folder: Path, group: str) -> dict[str, list[int]]:
    with np.load(folder / f"{group}_scores.npz") as arrays:
        return {name: arrays[name].tolist() for name in arrays.files if name.endswith(("_value", "_count"))}


@pytest.mark.slow
def test_by_hand_raw_photos_give_the_numbers_of_a_study(
    tmp_path: Path,
    run: Run,
    run_process: Run,
    photos: Path,
    recogniser_weights: Path,
    detector_weights: Path,
) -> None:
    del detector_weights
    # It takes no time, and where the nose is does not matter here.
    parser = save_small_parser(tmp_path / "drawn.onnx")
    model = ("--model", recogniser_weights, *ON_CPU)
    nose = ("--parts", "nose", "--model", parser, *ON_CPU)
    studied = ("--parts", "nose", "-d", "MORPH", "--parser", parser, *model)
    aligned, blurred, direct = tmp_path / "aligned", tmp_path / "blurred", tmp_path / "direct"
    lines: list[tuple[str | Path, ...]] = [
        ("align", "-s", photos, "-d", aligned),
        ("blur", "-s", aligned, "-m", tmp_path / "masks", "-d", blurred, *nose),
        ("extract", "-s", aligned, "-d", tmp_path / "features", *model),
        ("extract", "-s", blurred / "blurred_nose", "-d", tmp_path / "features_nose", *model),
        # Without a folder of aligned photos.
        ("extract", "-s", photos, "-d", tmp_path / "direct_features", "--align", *model),
        ("blur", "-s", photos, "-m", tmp_path / "m", "-d", direct, "--align", *nose),
    ]
    for line in lines:
        done = (run_process if line[0] == "align" else run)("-m", "facepart", *line)
        assert done.returncode == 0, (line, done.stderr)
        assert "aligned crops" not in done.stderr
    for condition, features in (("baseline", "features"), ("nose", "features_nose")):
        listed = tmp_path / features / "list.txt"
        done = run("-m", "facepart", "match", "-p", listed, "-o", tmp_path / condition, "-gr", "all", "-d", "MORPH")
        assert done.returncode == 0, done.stderr
    study = tmp_path / "study"
    done = run(
        *("-m", "facepart", "study", "-s", photos, "-o", study, "--align", "--keep", "features", "photos"), *studied
    )
    assert done.returncode == 0, done.stderr

    for condition in ("baseline", "nose"):
        by_hand = distributions(tmp_path / condition, "all")
        assert by_hand == distributions(study / "matches" / condition, "all")
        assert sum(by_hand["impostor_count"]) == 12
    on_crops = tmp_path / "on_crops"
    done = run("-m", "facepart", "study", "-s", aligned, "-o", on_crops, *studied)
    assert done.returncode == 0, done.stderr
    assert distributions(on_crops / "matches" / "nose", "all") == distributions(study / "matches" / "nose", "all")
    said = [" ".join((folder / "methods.txt").read_text().split()) for folder in (on_crops, study)]
    assert all("Faces were detected with yunet" in text for text in said)
    kept = images(study / "photos")
    assert len(kept) == 6
    crops = images(aligned)
    assert crops.keys() == kept.keys()
    assert all(np.array_equal(crops[name], kept[name]) for name in kept)
    ours, theirs = images(blurred / "blurred_nose"), images(direct / "blurred_nose")
    assert ours.keys() == theirs.keys() == kept.keys()
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    assert (direct / "faces.csv").read_bytes() == (aligned / "faces.csv").read_bytes()
    for path in (tmp_path / "features").rglob("*.npy"):
        again = np.load(tmp_path / "direct_features" / path.name)
        np.testing.assert_allclose(np.load(path), again, rtol=0, atol=1e-6)


@pytest.fixture(scope="module")
def aligned(tmp_path_factory: pytest.TempPathFactory, run: Run, photos: Path, detector_weights: Path) -> Path:
    del detector_weights
    folder = tmp_path_factory.mktemp("aligned") / "out"
    done = run("-m", "facepart", "align", "-s", photos, "-d", folder, "--size", "112")
    assert done.returncode == 0, done.stderr
    return folder


def test_the_table_has_the_landmarks_by_which_each_face_was_cut(
    photos: Path, aligned: Path, detector_weights: Path
) -> None:
    rows = rows_of(aligned)
    assert tuple(next(iter(rows.values()))) == COLUMNS
    detector = FaceDetector(detector_weights)
    for name, crop in images(aligned).items():
        photo, row = read_photo(photos / name), rows[name.removesuffix(".png")]
        assert np.array_equal(crop, align_photo(photo, detector, 112))
        # What is written is what was used, to the last bit.
        assert np.array_equal(crop, align_face(photo, points_of(row), 112))
        faces = detector.detect(photo)
        assert int(row["faces"]) == len(faces)
        assert row["status"] == ("several" if len(faces) > 1 else "found")
        assert any(abs(float(row["score"]) - face.score) < 1e-4 for face in faces)


def test_a_photo_without_a_face_and_one_with_two(
    tmp_path: Path, run: Run, photos: Path, detector_weights: Path
) -> None:
    del detector_weights
    first, second = sorted(photos.iterdir())[:2]
    source, out = tmp_path / "photos", tmp_path / "out"
    shutil.copytree(photos, source, ignore=lambda _, names: names)
    shutil.copy(first, source / "one.png")
    write_image(source / "grey.png", np.full((200, 200, 3), 90, np.uint8))
    (source / "damaged.png").write_bytes(first.read_bytes()[:300])
    write_pair(source / "two.png", first, second)

    done = run("-m", "facepart", "align", "-s", source, "-d", out)

    assert done.returncode == 0
    before = aligned_before(out)
    assert before is not None
    assert (before.detector.name, before.given, before.several) == ("yunet", 0, 1)
    assert aligned_before(source) is None
    assert (
        f"several faces in 1 photo: the largest near the centre was aligned (see status and next_area in {out}"
        in (done.stdout)
    )
    assert f"aligned 2 photos into {out}, 2 failed (see {out / 'failures.csv'})" in done.stdout
    rows = rows_of(out)
    assert {name: row["status"] for name, row in rows.items()} == {
        "grey": "not found",
        "one": "found",
        "two": "several",
    }
    assert rows["grey"]["eye1_x"] == rows["grey"]["score"] == ""
    assert 0.1 < float(rows["two"]["next_area"]) < 0.5
    with (out / "failures.csv").open(newline="") as file:
        failures = {Path(row["path"]).name: row["stage"] for row in csv.DictReader(file)}
    assert failures == {"grey.png": "align", "damaged.png": "read"}
    assert json.loads((out / "run.json").read_text())["counts"] == {
        "photos": 2,
        "failed": 2,
        "several": 1,
        "given": 0,
    }


def write_pair(path: Path, first: Path, second: Path) -> None:
    """Write a photo of two faces: one, and beside it a smaller one."""
    large, small = read_photo(first), read_photo(second)[::2, ::2]
    pair = np.zeros((large.shape[0], large.shape[1] + small.shape[1], 3), np.uint8)
    pair[:, : large.shape[1]] = large
    pair[: small.shape[0], large.shape[1] :] = small
    write_image(path, pair)


def test_a_study_and_extract_name_photos_of_several_faces(
    tmp_path: Path, run: Run, photos: Path, recogniser_weights: Path, detector_weights: Path
) -> None:
    del detector_weights
    source = shutil.copytree(photos, tmp_path / "photos")
    first, second = sorted(source.iterdir())[:2]
    write_pair(first, first, second)
    model = ("--model", recogniser_weights, *ON_CPU)
    features, parser = tmp_path / "features", save_small_parser(tmp_path / "drawn.onnx")
    extract = ("-m", "facepart", "extract", "-s", source, "-d", features, "--align", *model)
    options = ("--align", "-d", "MORPH", "--parts", "nose", "--parser", parser, *model)
    study = ("-m", "facepart", "study", "-s", source, "-o", tmp_path / "study", *options)

    # Also where nothing is left to do.
    for _ in range(2):
        done = run(*extract)
        assert done.returncode == 0, done.stderr
        assert "several faces in 1 photo: the largest near the centre was aligned" in done.stdout
        done = run(*study)
        assert done.returncode == 0, done.stderr
        assert (
            f"several faces in 1 photo, such as {first.stem}: the largest near the centre was aligned" in done.stderr
        )
    assert rows_of(features)[first.stem]["status"] == "several"
    assert "in 1 photo; the largest near the centre was aligned" in (tmp_path / "study" / "report.html").read_text()


def test_own_landmarks_are_taken_and_only_what_changed_is_redone(
    tmp_path: Path, run: Run, photos: Path, aligned: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(aligned, out)
    detected = rows_of(aligned)
    name, other = sorted(detected)[:2]
    moved = points_of(detected[name]) + np.array([3, -2], np.float32)
    own = detected[name] | dict(zip(LANDMARK_COLUMNS, map(str, moved.flat), strict=True))
    # A photo with an extension, one that is not there, and one whose landmarks are left to the detector.
    empty = {"photo": other} | dict.fromkeys(LANDMARK_COLUMNS, "")
    table = write_rows(tmp_path / "own.csv", [own | {"photo": f"{name}.png"}, empty, own | {"photo": "elsewhere"}])
    command = ("-m", "facepart", "align", "-s", photos, "-d", out, "--size", "112")

    done = run(*command, "--landmarks", table)

    assert f"landmarks from {table}: 1 photo\n" in done.stdout
    assert f"aligned 1 photo into {out}, skipped 5 (already aligned)" in done.stdout
    assert f"{table}: 1 photo is not found in {photos}, first: elsewhere" in done.stderr
    assert rows_of(out)[name]["status"] == "given"
    before = aligned_before(out)
    assert before is not None and before.given == 1
    assert np.array_equal(read_photo(out / f"{name}.png"), align_face(read_photo(photos / f"{name}.png"), moved, 112))
    assert "skipped 6" in run(*command, "--landmarks", table).stdout
    # Without the table, the face is detected again.
    assert "aligned 1 photo" in run(*command).stdout
    assert (out / "faces.csv").read_bytes() == (aligned / "faces.csv").read_bytes()
    assert np.array_equal(read_photo(out / f"{name}.png"), read_photo(aligned / f"{name}.png"))
    done = run(*command[:-1], "224")
    assert (done.returncode, done.stderr.count("was made with size 112, this run has 224")) == (1, 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda points: points + 10_000, "the landmarks lie outside the photo"),
        (lambda points: points[[1, 0, 2, 4, 3]], "the landmarks are those of a mirrored face"),
        (lambda points: points[[0, 0, 0, 0, 0]], "the landmarks are those of a mirrored face"),
    ],
)
def test_landmarks_that_cannot_be_are_failures(
    tmp_path: Path, run: Run, photos: Path, aligned: Path, change, reason: str
) -> None:
    name, row = min(rows_of(aligned).items())
    wrong = row | dict(zip(LANDMARK_COLUMNS, map(str, change(points_of(row)).flat), strict=True))
    table = write_rows(tmp_path / "own.csv", [wrong])
    (tmp_path / "one").mkdir()
    shutil.copy(photos / f"{name}.png", tmp_path / "one")
    done = run("-m", "facepart", "align", "-s", tmp_path / "one", "-d", tmp_path / "out", "--landmarks", table)
    assert done.returncode == 1
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("photo,x\na,1\n", "has no column 'eye1_x'"),
        (f"photo,{','.join(LANDMARK_COLUMNS)}\na,1,2,3,4,5,6,7,8,9,x\n", "landmarks are ten numbers"),
        (f"photo,{','.join(LANDMARK_COLUMNS)}\na,1,2,3,4,5,6,7,8,9,nan\n", "landmarks are ten finite numbers"),
        (f"photo,{','.join(LANDMARK_COLUMNS)}\na,1,2,3,4,5,6,7,8,9,1e300\n", "landmarks are ten finite numbers"),
        (f"photo,{','.join(LANDMARK_COLUMNS)}\na,1,2,3,4,5,6,7,8,9,1_0\n", "landmarks are ten numbers"),
        (f'photo,{",".join(LANDMARK_COLUMNS)}\n"a,1,2,3,4,5,6,7,8,9,10\n', "is not a CSV file"),
        (f"photo,{','.join(LANDMARK_COLUMNS)}\na\n", "has no landmarks"),
        (f"photo,{','.join(LANDMARK_COLUMNS)}\na,1,2,3,4,5,6,7,8,9,10\na.png\n", "has 'a' a second time"),
        (f"photo,{','.join(LANDMARK_COLUMNS)}\na,1,2,3,4,5,6,7,8,9,10\n", "names none of the photos of"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_wrong_table_of_landmarks_is_one_line(
    tmp_path: Path, run: Run, photos: Path, text: str | None, reason: str
) -> None:
    table = tmp_path / "own.csv"
    if text is not None:
        table.write_text(text)
    done = run("-m", "facepart", "align", "-s", photos, "-d", tmp_path / "out", "--landmarks", table)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert reason in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_table_of_landmarks_names_photos_in_any_form(tmp_path: Path) -> None:
    numbers = ",1,2,3,4,5,6,7,8,9,10\n"
    table, composed = tmp_path / "own.csv", unicodedata.normalize("NFC", "Zoe\u0308")
    decomposed = unicodedata.normalize("NFD", composed)
    cells = (f"{composed}.jpg", " plain ", " lead", "twice.jpg", "twice", "elsewhere.png")
    table.write_text(f"photo,{','.join(LANDMARK_COLUMNS)}\n" + "".join(f"{cell}{numbers}" for cell in cells))
    found = read_landmarks(table, [decomposed, "plain", " lead", "twice.jpg", "twice"])
    assert list(found) == [decomposed, "plain", " lead", "twice.jpg", "twice", "elsewhere"]


def test_photos_whose_names_end_like_images_keep_their_rows(tmp_path: Path) -> None:
    table = FacesTable(tmp_path)
    table.rows.update({"a.jpg": FaceRow("not found"), "a": FaceRow("not found"), " b": FaceRow("not found")})
    table.write()
    assert FacesTable(tmp_path).rows == table.rows


def test_a_size_that_no_crop_has_is_a_wrong_call(tmp_path: Path, run: Run) -> None:
    done = run("-m", "facepart", "align", "-s", tmp_path, "-d", tmp_path / "out", "--size", "8")
    assert done.returncode == 2
    assert "'8' is not a number of pixels from 32 to 4096" in done.stderr
