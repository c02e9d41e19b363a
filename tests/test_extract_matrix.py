"""Extracting into one matrix: it is the list's features and order, wherever the run was interrupted."""

import logging
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from facepart.errors import FacepartError
from facepart.matching.features import read_features
from facepart.matching.match import match_features
from facepart.networks.recogniser import open_recogniser
from facepart.pipeline import embedding_store, network_files
from facepart.pipeline import feature_matrix as module
from facepart.pipeline.extract import ExtractOutcome, extract_features
from tests.conftest import ROOT
from tests.small_network import LENGTH, SIDE, save_small_network

pytestmark = pytest.mark.slow

# Names whose order differs between the photos' paths and the features', and labels that stand twice.
NAMES = [
    *("a/1.jpg", "a/1.k.jpg", "a-b/1.png", "1.JPG", "1.a.png", "features.png", "x/a/1.png", "y/a/1.png", "é/ö.png"),
    *(f"p{person}/{person}_{shot}.png" for person in range(4) for shot in range(3)),
]
MATRIX_FILES = [".photos.json", "features.npy", "labels.txt", "names.txt", "run.json"]


class Killed(BaseException):
    """What stops a run in these tests; nothing in the library catches it."""


def draw(path: Path, seed: int) -> None:
    # Not quite square: then no face is looked for to warn of photos that are not aligned.
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (SIDE, SIDE - 1, 3), np.uint8)
    Image.fromarray(pixels).save(path, format="PNG")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recogniser that is small enough to be opened dozens of times."""
    return save_small_network(tmp_path_factory.mktemp("network") / "small.onnx")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for seed, name in enumerate(NAMES):
        draw(folder / name, seed)
    return folder


Extract = Callable[..., ExtractOutcome]


@pytest.fixture
def extract(network: Path, photos: Path) -> Extract:
    """Extract the photos into a folder, in small batches and with one worker, so that a run stops where told."""

    def call(folder: Path, source: Path = photos, **options) -> ExtractOutcome:
        return extract_features(
            source, folder, model=str(network), precision="fp32", device="cpu", batch=2, workers=1, **options
        )

    return call


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory, network: Path, photos: Path) -> Path:
    """The list that extracting without a matrix writes, in a folder of the same name as the matrices'."""
    folder = tmp_path_factory.mktemp("list") / "FEATURES"
    extract_features(photos, folder, model=str(network), precision="fp32", device="cpu", batch=2)
    return folder / "list.txt"


def same_as_list(folder: Path, listed: Path) -> None:
    matrix, single = read_features(folder / "features.npy"), read_features(listed)
    assert list(matrix.labels) == list(single.labels)
    assert np.array_equal(matrix.matrix, single.matrix)
    assert np.load(folder / "features.npy").flags.c_contiguous
    assert np.load(folder / "features.npy").dtype == np.float32
    assert not (folder / module.SHARDS_FOLDER).exists()
    assert sorted(path.name for path in folder.iterdir()) == MATRIX_FILES


def stop_after(monkeypatch: pytest.MonkeyPatch, faces: int) -> None:
    """Let the engine raise when it has had so many faces."""

    def opened(*arguments, **options):
        engine = open_recogniser(*arguments, **options)
        had = 0

        class Stopping:
            def __getattr__(self, name: str):
                return getattr(engine, name)

            def __call__(self, faces_now):
                nonlocal had
                had += len(faces_now)
                if had > faces:
                    raise Killed
                return engine(faces_now)

        return Stopping()

    monkeypatch.setattr(network_files, "open_recogniser", opened)


def test_a_matrix_matches_byte_for_byte_as_the_list_does(tmp_path: Path, extract: Extract, listed: Path) -> None:
    outcome = extract(tmp_path / "FEATURES", matrix=True)
    assert outcome.done == len(NAMES)
    assert outcome.features_list == tmp_path / "FEATURES" / "features.npy"
    same_as_list(tmp_path / "FEATURES", listed)
    for source, output in [(outcome.features_list, "from_matrix"), (listed, "from_list")]:
        match_features(source, None, tmp_path / output, "G", dataset="MORPH")
    for name in ("G_authentic.npy", "G_impostor.npy", "G_labels.txt"):
        assert (tmp_path / "from_matrix" / name).read_bytes() == (tmp_path / "from_list" / name).read_bytes()
    # The lines of the list are in the order of the rows, and each row has its photo's name.
    paths = [Path(line) for line in listed.read_text().splitlines()]
    names = [path.relative_to(listed.parent).with_suffix("").as_posix() for path in paths]
    assert (tmp_path / "FEATURES" / "names.txt").read_text().splitlines() == names
    assert sorted(names) == sorted(Path(name).with_suffix("").as_posix() for name in NAMES)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stops=st.lists(st.integers(0, len(NAMES)), max_size=3), rows=st.integers(1, 9))
@example(stops=[0, 5, 5, 20], rows=3)
def test_a_run_interrupted_anywhere_gives_the_same_matrix(
    tmp_path_factory, extract: Extract, listed: Path, stops: Sequence[int], rows: int
) -> None:
    folder = tmp_path_factory.mktemp("interrupted") / "FEATURES"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedding_store, "SHARD_PHOTOS", rows)
        patch.setattr(module, "_BLOCK_ROWS", rows)
        for stop in stops:
            with pytest.MonkeyPatch.context() as stopping:
                stop_after(stopping, stop)
                try:
                    extract(folder, matrix=True)
                except Killed:
                    assert not (folder / "features.npy").exists()
        outcome = extract(folder, matrix=True)
        assert outcome.done + outcome.skipped == len(NAMES)
        same_as_list(folder, listed)


def test_what_was_finished_before_an_interruption_is_not_done_again(
    tmp_path: Path, extract: Extract, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stop_after(patch, 10)
        with pytest.raises(Killed):
            extract(tmp_path, matrix=True)
    # Batches of two: the last of those that the network finished may have been on its way to the shard.
    assert 8 <= extract(tmp_path, matrix=True).skipped <= 10


@pytest.mark.parametrize("change", ["photo added", "photo removed", "photo exchanged", "everything redone"])
@pytest.mark.parametrize("operation", ["replace", "unlink"])
def test_stopped_between_any_two_files_no_reader_is_misled(
    tmp_path: Path, extract: Extract, monkeypatch: pytest.MonkeyPatch, change: str, operation: str
) -> None:
    """Stop before each renaming and each removal in turn: a reader gets the old rows, the new rows or an error."""
    source = tmp_path / "photos"
    for seed, name in enumerate(["a/1.png", "a/3.png", "b/1.png"]):
        draw(source / name, seed)

    def changed() -> dict[str, bool]:
        if change in ("photo added", "photo exchanged"):
            draw(source / "a/2.png", 9)
        if change in ("photo removed", "photo exchanged"):  # both: as many labels as before
            (source / "a/3.png").unlink()
        if change == "everything redone":
            draw(source / "a/3.png", 9)  # the same labels, and another row
        return {"overwrite": change == "everything redone"}

    def rows(folder: Path) -> dict[str, bytes]:
        features = read_features(folder / "features.npy")
        return {label: row.tobytes() for label, row in zip(features.labels, features.matrix, strict=True)}

    extract(tmp_path / "old", source, matrix=True)
    options = changed()
    extract(tmp_path / "new", source, matrix=True)
    old, new = rows(tmp_path / "old"), rows(tmp_path / "new")
    assert old != new
    real = getattr(Path, operation)
    for step in range(30):
        folder, left = shutil.copytree(tmp_path / "old", tmp_path / f"{step}"), step

        def stopping(*arguments, **named):
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            return real(*arguments, **named)

        stopped = False
        with monkeypatch.context() as patch:
            patch.setattr(Path, operation, stopping)
            try:
                extract(folder, source, matrix=True, **options)
            except Killed:
                stopped = True
        try:
            assert rows(folder) in (old, new)
        except FacepartError as error:
            assert stopped
            assert "features.npy" in str(error)
        # Run again, without --overwrite: what is to be redone was removed before anything else happened.
        extract(folder, source, matrix=True)
        if not stopped:
            break
        assert rows(folder) == new or (change == "everything redone" and step == 0)
    assert step > 1
    assert not stopped
    assert rows(folder) == new
    assert sorted(path.name for path in folder.iterdir()) == MATRIX_FILES


def test_a_run_killed_without_warning_continues_from_its_shards(
    tmp_path: Path, extract: Extract, network: Path, photos: Path, listed: Path
) -> None:
    folder = tmp_path / "FEATURES"
    script = f"""
import sys, time
from pathlib import Path
from facepart.pipeline import embedding_store
from facepart.pipeline.extract import extract_features
embedding_store.SHARD_PHOTOS = 3
extract_features(Path({str(photos)!r}), Path({str(folder)!r}), model={str(network)!r}, precision="fp32", device="cpu",
                 matrix=True, batch=2, workers=1, progress=lambda done, *rest: time.sleep(0.05))
"""
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    shard = folder / module.SHARDS_FOLDER / "shard-00002.npz"
    while process.poll() is None and not shard.exists():
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -signal.SIGKILL, "killed in the middle"
    assert not (folder / "features.npy").exists()
    with pytest.raises(FacepartError, match="holds a matrix of features; continue with --matrix"):
        extract(folder)
    outcome = extract(folder, matrix=True)
    assert 6 <= outcome.skipped < len(NAMES)
    assert outcome.done == len(NAMES) - outcome.skipped
    same_as_list(folder, listed)


def test_run_again_it_does_nothing_and_new_photos_are_added_in_order(
    tmp_path: Path, extract: Extract, photos: Path
) -> None:
    folder, source = tmp_path / "FEATURES", tmp_path / "photos.txt"
    # The labels of a list's photos are their names, so each must stand once.
    paths = [photos / name for name in NAMES if name not in ("x/a/1.png", "y/a/1.png")]
    source.write_text("".join(f"{path}\n" for path in paths if path.name != "1_1.png" and path.parent.name != "a-b"))
    assert extract(folder, source, matrix=True).done == len(paths) - 2
    before = {name: (folder / name).stat().st_mtime_ns for name in MATRIX_FILES[:3]}
    again = extract(folder, source, matrix=True)
    assert (again.done, again.skipped) == (0, len(paths) - 2)
    assert {name: (folder / name).stat().st_mtime_ns for name in MATRIX_FILES[:3]} == before
    source.write_text("".join(f"{path}\n" for path in paths))
    more = extract(folder, source, matrix=True)
    assert (more.done, more.skipped) == (2, len(paths) - 2)
    extract(tmp_path / "single" / "FEATURES", source)
    same_as_list(folder, tmp_path / "single" / "FEATURES" / "list.txt")


def test_missing_photos_are_reported_and_another_source_is_refused(
    tmp_path: Path, extract: Extract, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a/1.png", "a/2.png", "b/1.png"):
        draw(tmp_path / "photos" / name, 1)
    draw(tmp_path / "others" / "c/1.png", 1)
    folder = tmp_path / "features"
    extract(folder, tmp_path / "photos", matrix=True)
    with pytest.raises(FacepartError, match=r"holds a matrix of 3 other photos, none of which is in .*others"):
        extract(folder, tmp_path / "others", matrix=True)
    (tmp_path / "photos" / "a" / "2.png").unlink()
    with caplog.at_level(logging.WARNING):
        extract(folder, tmp_path / "photos", matrix=True)
    assert "left out from now on: 1 feature of photos that are not in" in caplog.text
    assert read_features(folder / "features.npy").labels == ["a/1", "b/1"]


def test_an_interrupted_overwrite_resumes_with_new_outputs(
    tmp_path: Path, extract: Extract, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in range(8):
        draw(tmp_path / "photos" / f"{name}_1.png", name)
    folder = tmp_path / "features"
    extract(folder, tmp_path / "photos", matrix=True)
    old = np.load(folder / "features.npy")
    with pytest.raises(FacepartError, match="was made with flip False, this run has True"):
        extract(folder, tmp_path / "photos", matrix=True, flip=True)
    with monkeypatch.context() as patch:
        stop_after(patch, 8)  # with its mirror image, each photo is two faces
        with pytest.raises(Killed):
            extract(folder, tmp_path / "photos", matrix=True, flip=True, overwrite=True)
    # Nothing of the old settings is left that the new record would vouch for.
    assert not (folder / "features.npy").exists()
    assert 2 <= extract(folder, tmp_path / "photos", matrix=True, flip=True).skipped <= 4
    extract(tmp_path / "anew", tmp_path / "photos", matrix=True, flip=True)
    assert np.array_equal(np.load(folder / "features.npy"), np.load(tmp_path / "anew" / "features.npy"))
    assert not np.array_equal(np.load(folder / "features.npy"), old)


def test_single_features_from_before_go_into_the_matrix(tmp_path: Path, extract: Extract, listed: Path) -> None:
    folder = tmp_path / "FEATURES"
    extract(folder)
    with pytest.raises(
        FacepartError, match=r"holds \d+ features in files of their own \(first: .*\), which a matrix"
    ):
        (folder / "features.npy").rename(tmp_path / "aside.npy")
        extract(folder, matrix=True, overwrite=True)
    (tmp_path / "aside.npy").rename(folder / "features.npy")
    # There is a photo called features, whose own file is where the matrix would be.
    with pytest.raises(FacepartError, match=r"features\.npy: was not written by `facepart extract`"):
        extract(folder, matrix=True)
    (folder / "features.npy").unlink()
    outcome = extract(folder, matrix=True)
    assert (outcome.done, outcome.skipped) == (1, len(NAMES) - 1)
    assert (folder / "p0" / "0_1.npy").exists()
    matrix, single = read_features(folder / "features.npy"), read_features(listed)
    assert np.array_equal(matrix.matrix, single.matrix)
    assert list(matrix.labels) == list(single.labels)
    for options in ({}, {"overwrite": True}):
        with pytest.raises(FacepartError, match="holds a matrix of features; continue with --matrix"):
            extract(folder, **options)


def test_photos_that_cannot_be_read_have_no_row(tmp_path: Path, extract: Extract) -> None:
    for name in range(3):
        draw(tmp_path / "photos" / f"p/{name}.png", name)
    (tmp_path / "photos" / "p" / "1.png").write_bytes(b"no photo")
    outcome = extract(tmp_path / "features", tmp_path / "photos", matrix=True)
    assert (outcome.done, len(outcome.failures)) == (2, 1)
    assert read_features(tmp_path / "features" / "features.npy").labels == ["p/0", "p/2"]
    draw(tmp_path / "photos" / "p" / "1.png", 1)
    assert extract(tmp_path / "features", tmp_path / "photos", matrix=True).done == 1
    assert read_features(tmp_path / "features" / "features.npy").labels == ["p/0", "p/1", "p/2"]
    (tmp_path / "photos" / "p" / "1.png").write_bytes(b"no photo")
    for name in (0, 2):
        (tmp_path / "photos" / "p" / f"{name}.png").unlink()
    assert not extract(tmp_path / "none", tmp_path / "photos", matrix=True).succeeded
    assert not (tmp_path / "none" / "features.npy").exists()


def test_a_damaged_shard_and_a_feature_of_another_length_are_named(
    tmp_path: Path, extract: Extract, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in range(6):
        draw(tmp_path / "photos" / f"p/{name}.png", name)
    with monkeypatch.context() as patch:
        stop_after(patch, 4)
        with pytest.raises(Killed):
            extract(tmp_path / "features", tmp_path / "photos", matrix=True)
    (shard,) = (tmp_path / "features" / module.SHARDS_FOLDER).iterdir()
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-100])
    with pytest.raises(FacepartError, match=r"shard-00001\.npz: is not a shard .* \(.*\); remove it"):
        extract(tmp_path / "features", tmp_path / "photos", matrix=True)
    shard.write_bytes(whole)
    (tmp_path / "features" / "p").mkdir()
    np.save(tmp_path / "features" / "p" / "5.npy", np.ones(LENGTH + 1, np.float32))
    with pytest.raises(FacepartError, match=r"p/5\.npy: holds float32 of shape \(65,\), not float32 \(64,\)"):
        extract(tmp_path / "features", tmp_path / "photos", matrix=True)
    (tmp_path / "features" / "p" / "5.npy").unlink()
    assert extract(tmp_path / "features", tmp_path / "photos", matrix=True).skipped == 2
    assert len(read_features(tmp_path / "features" / "features.npy").labels) == 6
