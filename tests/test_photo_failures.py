"""A photo that cannot be read or written is that photo's failure; what is no photo is counted; the run goes on."""

import csv
import errno
import logging
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facepart.data import photo_kinds
from facepart.data.photo_input import OPEN, WRITE, PhotoError, read_photo
from facepart.data.photo_output import write_image
from facepart.data.photos import Photo, find_photos, photo_stamp
from facepart.errors import FacepartError
from facepart.files.atomic import write_npy
from facepart.files.failures import of_one_file
from facepart.occlusion.occlusion import BASELINE
from facepart.pipeline import worker as worker_module
from facepart.pipeline.embedded_photo import EmbeddedPhoto
from facepart.pipeline.embedding_store import EmbeddingStore
from facepart.pipeline.extract import extract_features

LONG = "L" * 250  # with .jpg, 254 of the 255 bytes that a name may have


def names(source):
    return [photo.name for photo in find_photos(source)[0]]


def failures_of(folder):
    with (folder / "failures.csv").open(newline="", encoding="utf-8") as file:
        return {Path(row["path"]).name: (row["stage"], row["reason"]) for row in csv.DictReader(file)}


@pytest.fixture
def source(tmp_path, face_paths):
    """A folder with two good photos, 000_0 and 001_0."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, path in enumerate(face_paths[:2]):
        Image.open(path).convert("RGB").resize((160, 160)).save(folder / f"00{number}_0.jpg")
    return folder


# What is found


@pytest.mark.parametrize("heif", [False, True])
def test_files_of_other_kinds_are_counted_in_one_line(tmp_path, monkeypatch, caplog, heif):
    monkeypatch.setattr(photo_kinds, "has_heif", lambda: heif)
    for name in ("a.JFIF", "b.jpe", "c.gif", "d.avif", "e.heic", "f.HEIC", "g.cr2", "h.mov", "README", "notes.txt"):
        (tmp_path / name).touch()
    for name in ("people.csv", "run.json", ".hidden.cr2", "features.npy", "below/x.cr2"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with caplog.at_level(logging.WARNING):
        assert names(tmp_path) == ["a", "b", "c", "d", *(["e", "f"] if heif else [])]
    hint = "6 files of other kinds were passed over: 2 .cr2, 2 .heic, 1 without an extension, 1 .mov (HEIC needs "
    expected = "4 files of other kinds were passed over: 2 .cr2, 1 without an extension, 1 .mov"
    assert len(caplog.records) == 1
    assert caplog.records[0].message.startswith(f"{tmp_path}: {expected if heif else hint}")


def test_many_kinds_are_still_one_short_line(tmp_path, caplog):
    (tmp_path / "a.png").touch()
    for number in range(40):
        (tmp_path / f"x.k{number:02}").touch()
    find_photos(tmp_path)
    line = f"{tmp_path}: 40 files of other kinds were passed over: 1 .k00, 1 .k01, 1 .k02, 1 .k03, 1 .k04, 1 .k05, "
    assert caplog.messages == [line + "34 others"]


def test_a_folder_of_other_kinds_alone_is_one_line(tmp_path):
    (tmp_path / "a.cr2").touch()
    with pytest.raises(FacepartError, match=r"has no photos .*; 1 file of another kind was passed over: 1 .cr2"):
        find_photos(tmp_path)


def test_lists_and_tables_beside_photos_are_not_worth_a_line(tmp_path, caplog):
    for name in ("a.png", "list.txt", "people.csv", "run.json"):
        (tmp_path / name).touch()
    assert names(tmp_path) == ["a"]
    assert not caplog.records


def test_a_photo_of_a_usual_kind_comes_before_another_of_its_name(tmp_path):
    for name in ("a.gif", "a.jpg", "b.avif", "b.png", "c.gif"):
        (tmp_path / name).touch()
    photos, failures = find_photos(tmp_path)
    assert [photo.path.name for photo in photos] == ["a.jpg", "b.png", "c.gif"]
    assert [(failure.path.name, failure.reason) for failure in failures] == [
        ("a.gif", "its outputs would overwrite those of a.jpg: rename one"),
        ("b.avif", "its outputs would overwrite those of b.png: rename one"),
    ]


def test_links_to_themselves_and_in_circles_are_found_once_or_fail_alone(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "up").symlink_to(tmp_path)
    (tmp_path / "below" / "a.png").touch()
    assert names(tmp_path) == ["below/a", "loop"]
    assert names(tmp_path / "below") == ["a", "up/loop"]
    for path in (tmp_path / "loop", tmp_path / ("x" * 5000)):
        with pytest.raises(FacepartError, match="no such folder or list"):
            find_photos(path)
    photos, _ = find_photos(tmp_path / "below", exclude=[tmp_path / "loop", tmp_path / "one"])
    assert len(photos) == 2


# Runs


def test_bad_apples_of_every_kind_leave_the_run_going(tmp_path, source, run, recogniser_weights):
    good = source / "000_0.jpg"
    shutil.copy(good, source / f"{LONG}.jpg")
    (source / "loop.jpg").symlink_to("loop.jpg")
    (source / "dangling.jpg").symlink_to("nowhere")
    os.mkfifo(source / "pipe.jpg")
    (source / "zero.jpg").symlink_to("/dev/zero")
    (source / "folder.jpg").mkdir()
    shutil.copy(good, source / "folder.jpg" / "002_0.jpg")
    (source / "blocked").mkdir()
    shutil.copy(good, source / "blocked" / "003_0.jpg")
    shutil.copy(good, source / "taken.jpg")
    (source / "line.jpg").write_bytes(good.read_bytes())
    Image.fromarray(np.zeros((1, 1, 3), np.uint8)).save(source / "dot.png")
    Image.fromarray(np.zeros((1, 40000, 3), np.uint8)).save(source / "wide.png")
    features = tmp_path / "features"
    features.mkdir()
    (features / "blocked").write_text("a file where a folder should be")
    (features / "taken.npy").mkdir()
    (features / "taken.npy" / "full").touch()
    command = ["-m", "facepart", "extract", "-s", source, "-d", features, "--model", "faceplugin"]
    for _ in range(2):
        done = run(*command)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        failed = failures_of(features)
        assert {name: stage for name, (stage, _) in failed.items()} == {
            "loop.jpg": OPEN,
            "dangling.jpg": OPEN,
            "pipe.jpg": OPEN,
            "zero.jpg": OPEN,
            "003_0.jpg": WRITE,
            "taken.jpg": WRITE,
        }
        assert f"{len(failed)} failed (see {features / 'failures.csv'})" in done.stdout.splitlines()[-1]
        listed = {Path(line).stem for line in (features / "list.txt").read_text().splitlines()}
        assert listed >= {"000_0", "001_0", "002_0", "line", "dot", "wide", LONG}
        assert "taken" not in listed
    # Mended without a change of the photo, it is done.
    (features / "blocked").unlink()
    assert run(*command).returncode == 0
    assert (features / "blocked" / "003_0.npy").exists()
    assert "003_0.jpg" not in failures_of(features)


def test_blur_of_a_name_without_room_for_more(tmp_path, source, run, bisenet_weights):
    shutil.copy(source / "000_0.jpg", source / f"{'N' * 245}.jpg")
    command = ["-m", "facepart", "blur", "-s", source, "-m", tmp_path / "m", "-d", tmp_path / "b", "--parts", "nose"]
    for expected in ("blurred 2 photos", "skipped 2"):
        done = run(*command)
        assert done.returncode == 0, done.stderr
        assert expected in done.stdout
        [(stage, reason)] = failures_of(tmp_path / "b").values()
        assert stage == WRITE
        assert reason.endswith("cannot be written: File name too long")
    assert len(list((tmp_path / "b" / "blurred_nose").iterdir())) == 2


def test_blur_in_the_photos_own_format(tmp_path, source, run, bisenet_weights):
    (source / "000_0.jpg").rename(source / "000_0.jfif")
    Image.open(source / "001_0.jpg").save(source / "002_0.gif")
    out = ["-m", tmp_path / "m", "-d", tmp_path / "b", "--parts", "nose", "--format", "same"]
    done = run("-m", "facepart", "blur", "-s", source, *out)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "b" / "blurred_nose").iterdir()} == {"000_0.jfif", "001_0.jpg"}
    with Image.open(tmp_path / "b" / "blurred_nose" / "000_0.jfif") as image:
        assert image.format == "JPEG"
    [(stage, reason)] = failures_of(tmp_path / "b").values()
    assert stage == WRITE
    assert "no image can be written in this format; use PNG" in reason


def test_a_photo_that_vanishes_or_cannot_be_opened_fails_alone(tmp_path, source, monkeypatch, recogniser_weights):
    read = read_photo

    def vanishing(path):
        if path.name == "000_0.jpg":
            path.unlink(missing_ok=True)
        return read(path)

    monkeypatch.setattr(worker_module, "read_photo", vanishing)
    outcome = extract_features(source, tmp_path / "f", model="faceplugin", device="cpu")
    assert outcome.done == 1
    assert [(failure.path.name, failure.stage, failure.reason) for failure in outcome.failures] == [
        ("000_0.jpg", OPEN, "no such file")
    ]


@pytest.mark.parametrize(
    ("number", "alone"),
    [
        (errno.ENAMETOOLONG, True),
        (errno.EACCES, True),
        (errno.ENOTDIR, True),
        (errno.EISDIR, True),
        (errno.EILSEQ, True),
        (errno.ENOSPC, False),
        (errno.EDQUOT, False),
        (errno.EROFS, False),
        (errno.EIO, False),
    ],
)
def test_a_full_disk_ends_the_run_and_a_bad_name_does_not(
    tmp_path, source, monkeypatch, recogniser_weights, number, alone
):
    write = write_npy

    def failing(path, array, **options):
        if path.name != "000_0.npy":
            return write(path, array, **options)
        raise FacepartError(f"{path}: cannot be written: {os.strerror(number)}") from OSError(number, "")

    monkeypatch.setattr(worker_module, "write_npy", failing)
    if alone:
        outcome = extract_features(source, tmp_path / "f", model="faceplugin", device="cpu")
        assert [(failure.path.name, failure.stage) for failure in outcome.failures] == [("000_0.jpg", WRITE)]
        assert (tmp_path / "f" / "001_0.npy").exists()
    else:
        with pytest.raises(FacepartError, match=os.strerror(number)) as caught:
            extract_features(source, tmp_path / "f", model="faceplugin", device="cpu")
        assert not isinstance(caught.value, PhotoError)
    assert not (tmp_path / "f" / "000_0.npy").exists()


def test_an_error_of_a_store_is_not_that_of_one_file():
    error = FacepartError("s3://bucket/a: cannot be written: Access Denied")
    error.__cause__ = ConnectionError("no route")
    assert not of_one_file(error)


def test_a_format_that_is_not_written_is_refused_before_opencv_complains(tmp_path, capfd):
    for extension in ("gif", "avif", "heic", "xyz"):
        with pytest.raises(FacepartError, match="no image can be written in this format"):
            write_image(tmp_path / f"a.{extension}", np.zeros((9, 9, 3), np.uint8))
    assert capfd.readouterr() == ("", "")


# Studies remember failures


@pytest.mark.parametrize(("stage", "again"), [(OPEN, True), (WRITE, True), ("read", False), ("align", False)])
def test_what_may_be_mended_without_the_photo_is_tried_again(tmp_path, stage, again):
    (tmp_path / "a.png").write_bytes(b"x")
    photo = Photo(tmp_path / "a.png", "a")
    store = EmbeddingStore(tmp_path / "shards", [])
    store.add(EmbeddedPhoto("a", photo_stamp(photo, ask_store=True), failure=(stage, "for some reason")))
    store.flush()
    later = EmbeddingStore(tmp_path / "shards", [])
    assert bool(later.missing(photo, [BASELINE])) is again


@pytest.mark.slow
def test_a_study_goes_on_beside_a_photo_that_cannot_be_written(tmp_path, source, run, bisenet_weights):
    for person in range(3):
        for number in range(2):
            shutil.copy(source / f"00{number}_0.jpg", source / f"p{person}_{number}.jpg")
    long = "p0_" + "N" * 242
    shutil.copy(source / "000_0.jpg", source / f"{long}.jpg")
    (source / "p1_loop.jpg").symlink_to("p1_loop.jpg")
    given = ["-s", source, "-o", tmp_path / "out", "--subject-pattern", "^.*/([^_]*)", "--parts", "nose"]
    for _ in range(2):
        done = run("-m", "facepart", "study", *given, "--keep", "masks", "--model", "faceplugin")
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        failed = failures_of(tmp_path / "out")
        assert {name: stage for name, (stage, _) in failed.items()} == {f"{long}.jpg": WRITE, "p1_loop.jpg": OPEN}
