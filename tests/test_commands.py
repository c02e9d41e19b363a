"""The user's own command lines, as processes, on real faces: what they write, and that a killed run continues."""

import csv
import hashlib
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from facepart.networks.bisenet import ResNet18
from facepart.occlusion.parts import PARTS
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def photos(tmp_path_factory, face_paths):
    """A folder of photos of three people, two photos each, named as in MORPH."""
    folder = tmp_path_factory.mktemp("photos")
    for path in face_paths[:6]:
        with Image.open(path) as image:
            # The size of the original study's photos; the faces need not be aligned for what is tested here.
            image.convert("RGB").resize((224, 224)).save(folder / f"{path.stem}.png")
    return folder


@pytest.fixture(scope="module")
def many(tmp_path_factory, photos):
    """The photos, and twelve more links to each: features come so fast that a few are there all at once."""
    folder = tmp_path_factory.mktemp("many")
    for photo in photos.iterdir():
        for copy in ["", *(f"_copy{number}" for number in range(12))]:
            (folder / f"{photo.stem}{copy}.png").symlink_to(photo)
    return folder


# One photo after the other, so that a run can be killed between two.
SLOWLY = ["--batch-size", "1", "--workers", "1"]


@pytest.fixture(scope="module")
def work(tmp_path_factory, photos, run_process, bisenet_weights, recogniser_weights):
    """The outputs of the user's command lines, run as written, each as a process."""
    out = tmp_path_factory.mktemp("work")
    model = ["--model", "faceplugin"]  # the same wherever the tests run
    cm = ["-d", "MORPH", "-gr", "CM"]
    gallery = ["-g", out / "original/list.txt"]
    original = ["-a1", out / "m/original/CM_authentic.npy", "-i1", out / "m/original/CM_impostor.npy"]
    eyes = ["-a2", out / "m/eyes/CM_authentic.npy", "-i2", out / "m/eyes/CM_impostor.npy"]
    plot = ["-d", out / "plots", "-n", "output"]
    steps = [
        ["./face_parsing_BiSeNet/", "-s", photos, "-m", out / "masks", "-d", out / "blurred"],
        ["./face_matching/", "-s", photos, "-d", out / "original", *model],
        ["./face_matching/", "-s", out / "blurred" / "blurred_eyes", "-d", out / "eyes", *model],
        ["./face_matching/", "-p", out / "original/list.txt", "-o", out / "m/original", *cm],
        ["./face_matching/", "-p", out / "eyes/list.txt", "-o", out / "m/eyes", *cm],
        ["./face_matching/", "-p", out / "eyes/list.txt", *gallery, "-o", out / "m/cross", *cm],
        ["./face_matching/Plots/", *original, "-l1", "Original", *eyes, "-l2", "No eyes", "-t", "Title", *plot],
    ]
    for step in steps:
        result = run_process(*step)
        assert result.returncode == 0, (step, result.stdout, result.stderr)
        assert "Traceback" not in result.stderr
    return out


def test_blur_writes_masks_and_blurred_photos_of_every_part(work, photos):
    stems = sorted(path.stem for path in photos.iterdir())
    for part in PARTS:
        masks = sorted((work / "masks" / f"mask_{part}").iterdir())
        assert [path.name for path in masks] == [f"{stem}_annotation.png" for stem in stems]
        blurred = sorted((work / "blurred" / f"blurred_{part}").iterdir())
        assert [path.name for path in blurred] == [f"{stem}.png" for stem in stems]
        with Image.open(masks[0]) as mask, Image.open(blurred[0]) as photo:
            assert (mask.size, mask.mode) == ((512, 512), "L")
            assert set(np.unique(np.asarray(mask))) <= {0, 255}
            assert (photo.size, photo.mode) == ((224, 224), "RGB")
    with (work / "blurred" / "parts.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(stems) * len(PARTS)
    skin = [float(row["share"]) for row in rows if row["part"] == "skin"]
    assert 0.05 < np.mean(skin) < 0.8
    for folder in ("masks", "blurred"):
        record = json.loads((work / folder / "run.json").read_text())
        assert record["settings"]["model"] == "bisenet-resnet18"
        assert record["counts"]["photos"] == len(stems)


def test_extract_writes_unit_features_and_their_list(work, photos):
    lines = (work / "original" / "list.txt").read_text().splitlines()
    assert [Path(line).stem for line in lines] == sorted(path.stem for path in photos.iterdir())
    features = np.stack([np.load(line) for line in lines])
    assert features.dtype == np.float32
    assert features.shape == (len(lines), 512)
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-6)
    assert json.loads((work / "original" / "run.json").read_text())["settings"]["model"] == "faceplugin"


def test_match_compares_all_pairs(work):
    n = len((work / "original" / "list.txt").read_text().splitlines())
    authentic, impostor = (np.load(work / f"m/original/CM_{kind}.npy") for kind in ("authentic", "impostor"))
    assert len(authentic) + len(impostor) == n * (n - 1) // 2
    assert authentic[:, 2].mean() > impostor[:, 2].mean()
    crossed = sum(len(np.load(work / f"m/cross/CM_{kind}.npy")) for kind in ("authentic", "impostor"))
    # A photo is not compared with its own blurred version.
    assert crossed == n * n - n
    features = np.stack([np.load(line) for line in (work / "original" / "list.txt").read_text().splitlines()])
    i, j = impostor[0, :2].astype(int)
    assert impostor[0, 2] == pytest.approx(float(features[i] @ features[j]), abs=1.1e-6)


def test_plot_draws_the_scores_and_writes_the_figures(work):
    assert (work / "plots/output.svg").exists()
    with Image.open(work / "plots/output.png") as image:
        assert min(image.size) > 400
    text = (work / "plots/output.txt").read_text()
    assert "Original" in text
    assert "No eyes" in text


def test_the_other_plots_folder_is_the_same_command(work, run):
    scores = ["-a1", work / "m/cross/CM_authentic.npy", "-i1", work / "m/cross/CM_impostor.npy", "-l1", "Cross"]
    assert run("./Plots/", *scores, "-t", "Cross", "-d", work / "plots2", "-n", "cross").returncode == 0
    assert (work / "plots2/cross.png").exists()


def tree(folder):
    """All files below a folder, by relative path, with the hash of what they hold."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def kill_when(condition, *arguments):
    """Start a command, kill it without warning once `condition` holds; whether it was killed in time."""
    process = subprocess.Popen(
        [sys.executable, *map(str, arguments)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and not condition():
        time.sleep(0.002)
    process.kill()
    return process.wait() == -signal.SIGKILL


def test_blurring_killed_and_run_again_gives_the_same_files(tmp_path, work, run, photos):
    masks, blurred = tmp_path / "masks", tmp_path / "blurred"
    command = ["-m", "facepart", "blur", "-s", photos, "-m", masks, "-d", blurred]
    assert kill_when(lambda: (blurred / "blurred_nose").exists(), *command, *SLOWLY)
    there = len(list(blurred.rglob("*.png")))
    assert 0 < there < 7 * 6, "killed in the middle"
    assert run(*command).returncode == 0
    for name, folder in [("masks", masks), ("blurred", blurred)]:
        left, right = tree(work / name), tree(folder)
        # The records tell where the outputs are, and these are elsewhere.
        assert left.pop("run.json") != right.pop("run.json")
        assert left == right


def test_extracting_killed_and_run_again_gives_the_same_files(tmp_path, work, run, many):
    features = tmp_path / "features"
    command = ["-m", "facepart", "extract", "-s", many, "-d", features, "--model", "faceplugin"]
    assert kill_when(lambda: any(features.glob("*.npy")), *command, *SLOWLY)
    assert not (features / "list.txt").exists(), "killed in the middle"
    assert run(*command).returncode == 0
    for path in (work / "original").glob("*.npy"):
        assert path.read_bytes() == (features / path.name).read_bytes()
    assert len((features / "list.txt").read_text().splitlines()) == len(list(many.iterdir()))


def test_run_again_nothing_is_done_twice(work, run, photos):
    before = {path: path.stat().st_mtime_ns for path in work.rglob("*.p*") if path.suffix in (".png", ".npy")}
    again = run("./face_parsing_BiSeNet/", "-s", photos, "-m", work / "masks", "-d", work / "blurred")
    assert "blurred 0 photos" in again.stdout
    assert f"skipped {len(list(photos.iterdir()))} (already blurred)" in again.stdout
    again = run("./face_matching/", "-s", photos, "-d", work / "original", "--model", "faceplugin")
    assert "embedded 0 photos" in again.stdout
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_outputs_of_two_settings_are_never_mixed(work, run, photos):
    result = run("./face_matching/", "-s", photos, "-d", work / "original", "--model", "faceplugin", "--flip")
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "was made with flip False, this run has True" in result.stderr


def test_redone_with_other_settings_and_killed_a_folder_holds_no_outputs_of_both(
    tmp_path, run, many, recogniser_weights
):
    features = tmp_path / "features"
    command = ["-m", "facepart", "extract", "-s", many, "-d", features, "--model", "faceplugin"]
    assert run(*command).returncode == 0
    before = {path.name: path.read_bytes() for path in features.glob("*.npy")}
    redo = [*command, "--flip", "--overwrite"]
    begun = '"flip": true'
    assert kill_when(
        lambda: begun in (features / "run.json").read_text() and any(features.glob("*.npy")), *redo, *SLOWLY
    )
    assert 0 < len(list(features.glob("*.npy"))) < len(before), "killed in the middle"
    assert run(*redo[:-1]).returncode == 0
    after = {path.name: path.read_bytes() for path in features.glob("*.npy")}
    assert after.keys() == before.keys()
    assert not [name for name in after if after[name] == before[name]]


def test_bad_photos_are_reported_and_the_others_processed(tmp_path, run, photos, bisenet_weights, recogniser_weights):
    source = tmp_path / "photos"
    source.mkdir()
    good = sorted(photos.iterdir())[0]
    shutil.copy(good, source / "good_1.png")
    Image.open(good).save(source / "short.jpg")
    (source / "short.jpg").write_bytes((source / "short.jpg").read_bytes()[:-500])
    (source / "text.jpg").write_text("not a photo")
    blur = run("./face_parsing_BiSeNet/", "-s", source, "-m", tmp_path / "m", "-d", tmp_path / "b", "--parts", "nose")
    extract = run("./face_matching/", "-s", source, "-d", tmp_path / "f", "--model", "faceplugin")
    for result, folder in [(blur, "b"), (extract, "f")]:
        assert result.returncode == 0, result.stderr
        assert "2 failed" in result.stdout.splitlines()[-1]
        with (tmp_path / folder / "failures.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [(Path(row["path"]).name, row["stage"]) for row in rows] == [
            ("short.jpg", "read"),
            ("text.jpg", "read"),
        ]
    # Mended, they are done, and nothing is left to tell.
    for name in ("short.jpg", "text.jpg"):
        Image.open(good).save(source / name)
    assert run("./face_matching/", "-s", source, "-d", tmp_path / "f", "--model", "faceplugin").returncode == 0
    assert not (tmp_path / "f" / "failures.csv").exists()


def test_a_list_with_a_missing_photo_does_the_rest(tmp_path, run, photos, recogniser_weights):
    paths = sorted(photos.iterdir())[:2]
    (tmp_path / "list.txt").write_text(f"{paths[0]}\r\n\r\n{paths[1]}  \n{photos / 'gone.png'}\n")
    result = run("./face_matching/", "-s", tmp_path / "list.txt", "-d", tmp_path / "f", "--model", "faceplugin")
    assert result.returncode == 0
    assert "embedded 2 photos" in result.stdout
    assert "no such file" in (tmp_path / "f" / "failures.csv").read_text()


def test_mistakes_are_one_clear_line_each(tmp_path, run, photos, bisenet_weights, recogniser_weights):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.jpg").write_text("no")
    (tmp_path / "file").write_text("in the way")
    torch.save(ResNet18().state_dict(), tmp_path / "resnet.pth")
    out = ["-m", tmp_path / "m", "-d", tmp_path / "b"]
    cases = [
        (["blur", "-s", tmp_path / "empty", *out], 1, "has no photos"),
        (["blur", "-s", tmp_path / "none", *out], 1, "no such folder or list of photos"),
        (["blur", "-s", photos, *out, "--model", recogniser_weights], 2, "is a recogniser, not a parser"),
        (["blur", "-s", photos, *out, "--model", tmp_path / "resnet.pth"], 1, "is another network"),
        (["blur", "-s", photos, *out, "--model", "bisenet"], 2, "bisenet-resnet18"),
        (["blur", "-s", photos, *out, "--parts", "ear"], 2, "unknown part 'ear' (did you mean ears?); known: eyes"),
        (["blur", "-s", photos, *out, "--occlusion", "haze"], 2, "unknown occlusion 'haze'; known: blur mean grey"),
        (["blur", "-s", photos, *out, "--device", "cuda:7"], 2, "is not available"),
        (["blur", "-s", photos, "-m", tmp_path / "file" / "m", "-d", tmp_path / "b"], 1, "cannot be written"),
        (
            ["extract", "-s", tmp_path / "text", "-d", tmp_path / "f"],
            1,
            "no photo could be embedded; first failure: ",
        ),
        (["extract", "-s", photos, "-d", tmp_path / "g", "--model", bisenet_weights], 2, "is a parser, not a"),
        (["extract", "-s", photos, "-d", tmp_path / "g", "--model", tmp_path / "resnet.pth"], 1, "resnet.pth"),
        (["extract", "-s", photos, "-d", tmp_path / "g", "--model", tmp_path / "file"], 1, "file"),
    ]
    for arguments, status, words in cases:
        result = run("-m", "facepart", *arguments)
        assert result.returncode == status, (arguments, result.stderr)
        assert words in result.stderr, (arguments, result.stderr)
        assert "Traceback" not in result.stderr
        assert result.stderr.rstrip().count("\n") == 0, (arguments, result.stderr)
    assert not [path for folder in "mbg" for path in (tmp_path / folder).rglob("*")], "nothing half-begun"


def test_without_network_and_weights_one_line_says_where_to_put_them(tmp_path, run_process, photos):
    result = run_process(
        *["./face_parsing_BiSeNet/", "-s", photos, "-m", tmp_path / "m", "-d", tmp_path / "b"],
        FACEPART_HOME=str(tmp_path / "home"),
        HOME=str(tmp_path),
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=str(tmp_path),
        PIP_EXTRA_INDEX_URL=None,
        npm_config_offline="true",
        https_proxy="http://127.0.0.1:9",
    )
    assert result.returncode == 1
    assert "79999_iter.pth" in result.stderr
    assert "468e13ca" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("door", [["./face_matching/"], ["-m", "facepart"], ["-m", "facepart", "blr"]])
def test_an_incomplete_call_says_where_the_usage_is(run, door):
    result = run(*door)
    assert result.returncode == 2
    assert "usage:" in result.stderr or result.stderr.endswith("(see `facepart -h`)\n")


def test_unaligned_photos_give_one_warning_and_align_fixes_it(
    tmp_path, run, photos, recogniser_weights, detector_weights
):
    wide = tmp_path / "wide"
    shifted = tmp_path / "shifted"
    for folder in (wide, shifted):
        folder.mkdir()
    for path in sorted(photos.iterdir())[:2]:
        with Image.open(path) as image:
            canvas = Image.new("RGB", (400, 300))
            canvas.paste(image, (150, 50))
            canvas.save(wide / path.name)
            canvas = Image.new("RGB", (448, 448))
            canvas.paste(image, (200, 200))
            canvas.save(shifted / path.name)
    for folder, words in [(wide, "is 400x300, not square"), (shifted, "of the side away")]:
        result = run("./face_matching/", "-s", folder, "-d", tmp_path / "f" / folder.name, "--model", "faceplugin")
        assert result.returncode == 0
        assert words in result.stderr
        assert result.stderr.count("Recognisers need aligned crops") == 1
        aligned = tmp_path / "a" / folder.name
        result = run("./face_matching/", "-s", folder, "-d", aligned, "--model", "faceplugin", "--align")
        assert result.returncode == 0
        assert not result.stderr
    # However the photo is framed, the aligned face is the same one.
    for path in (tmp_path / "a" / "wide").glob("*.npy"):
        assert np.load(path) @ np.load(tmp_path / "a" / "shifted" / path.name) > 0.9


def test_other_metrics_than_the_cosine_are_refused_in_one_line(tmp_path, run) -> None:
    done = run("./face_matching/", "-p", "list.txt", "-o", tmp_path / "m", "-d", "MORPH", "-gr", "CM", "-m", "2")
    assert done.returncode == 2
    assert done.stderr.startswith("facepart: -m 2: scores are cosines, -m 1;")
    assert len(done.stderr.splitlines()) == 1
