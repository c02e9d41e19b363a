"""Photos, features and results at addresses: what is written there is what is written to a folder, byte for byte."""

import csv
import secrets
from pathlib import Path
from typing import Any

import pytest

from facepart.data.feature_files import find_features
from facepart.data.path_lists import read_list, write_list
from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from facepart.data.photos import find_photos
from facepart.errors import FacepartError
from facepart.files.addresses import ExistingPaths, common_folder, files_in, is_address, place, stamp_of
from facepart.files.atomic import replacing, write_bytes
from facepart.matching.match import match_features
from facepart.pipeline.blur import blur_photos
from facepart.pipeline.extract import extract_features
from facepart.scores import read_both, read_kind
from facepart.study import Request, run_study
from facepart.study.finished_study import read_study
from tests.conftest import Run

pytestmark = pytest.mark.slow

pytest.importorskip("upath", reason="needs the extra facepart[remote]")

PARTS = ["eyes", "nose"]
OPTIONS: dict[str, Any] = {"device": "cpu", "precision": "fp32"}


@pytest.fixture
def bucket() -> Path:
    """An address of its own, in the memory of this process."""
    return place(f"memory://bucket-{secrets.token_hex(4)}")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory, face_paths: list[Path]) -> Path:
    """Four people with two photos each, small, in folders; one that cannot be read, one that is hidden."""
    folder = tmp_path_factory.mktemp("photos")
    for number, path in enumerate(face_paths[:8]):
        write_image(folder / "faces" / f"{number // 2:03}_{number % 2}.png", read_photo(path)[::4, ::4].copy())
    write_bytes(folder / "faces" / "002_2.png", b"\x89PNG\r\n\x1a\nbroken")
    write_bytes(folder / ".hidden.png", b"no photo")
    return folder


def copied(folder: Path, address: Path) -> Path:
    for path in folder.rglob("*"):
        if path.is_file():
            write_bytes(address / path.relative_to(folder).as_posix(), path.read_bytes())
    return address


def contents(folder: Path, *ignored: str) -> dict[str, bytes]:
    """The files of a folder or an address; without records, which name it, and stamps of photos, which differ."""
    files = [each.path for each in files_in(folder)] if is_address(folder) else folder.rglob("*")
    paths = [path for path in files if path.is_file() and path.name not in ("run.json", ".photos.json", *ignored)]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_paths_stay_paths() -> None:
    assert [place(text) for text in ("a/b", "/a", "file:///a/b c")] == [Path("a/b"), Path("/a"), Path("/a/b c")]
    assert not is_address(place("file:///a"))
    assert str(place("memory://bucket//a///b")) == str(place("memory://bucket/a/b"))


@pytest.mark.parametrize("text", ["nonsense://bucket/folder", "gs://bucket/folder"])
def test_an_invalid_address_is_reported_in_one_line(text: str, run: Run) -> None:
    done = run("-m", "facepart", "extract", "-s", text, "-d", "features")
    assert done.returncode == 1
    assert done.stderr.startswith(f"facepart: {text}: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_file_is_there_whole_or_not_at_all(bucket: Path) -> None:
    with replacing(bucket / "a.bin") as temporary:
        temporary.write_bytes(b"one")
        assert not (bucket / "a.bin").exists()
    with pytest.raises(KeyError), replacing(bucket / "a.bin") as temporary:
        temporary.write_bytes(b"tw")
        raise KeyError
    assert (bucket / "a.bin").read_bytes() == b"one"
    assert not temporary.exists()


def test_presence_and_stamps_follow_the_files(bucket: Path, tmp_path: Path) -> None:
    for folder in (bucket, tmp_path):
        write_bytes(folder / "x" / "one", b"1")
        existing = ExistingPaths([folder / "x", folder / "not there"])
        assert [folder / "x" / name in existing for name in ("one", "two")] == [True, False]
        before = stamp_of(folder / "x" / "one")
        assert stamp_of(folder / "x" / "one") == before
        write_bytes(folder / "x" / "one", b"another")
        assert stamp_of(folder / "x" / "one") != before


def test_a_list_may_name_addresses(bucket: Path, tmp_path: Path) -> None:
    files = [bucket / "a" / "b" / "1.png", bucket / "a" / "c" / "2.png"]
    write_list(tmp_path / "list.txt", files)
    assert read_list(tmp_path / "list.txt") == files
    assert common_folder(files) == bucket / "a"
    write_bytes(bucket / "list.txt", b"a/b/1.png\n/x/2.png\n")
    assert read_list(bucket / "list.txt") == [files[0], Path("/x/2.png")]
    with pytest.raises(FacepartError, match="of one place"):
        find_photos(bucket / "list.txt")


def test_photos_are_found_as_in_a_folder(photos: Path, bucket: Path) -> None:
    there, failures = find_photos(copied(photos, bucket), exclude=[bucket / "faces" / "out"])
    here, _ = find_photos(photos)
    assert not failures
    assert [photo.name for photo in there] == [photo.name for photo in here]
    assert len({photo.stamp for photo in there}) > 1
    with pytest.raises(FacepartError, match="is the folder of the photos, and also of the outputs"):
        find_photos(bucket / "faces", exclude=[bucket / "faces"])
    with pytest.raises(FacepartError, match="has no photos"):
        find_photos(bucket, exclude=[bucket / "faces"])
    with pytest.raises(FacepartError, match="no such folder or list"):
        find_photos(bucket / "nothing")


def test_blurred_photos(photos: Path, drawn_parser: str, bucket: Path, tmp_path: Path) -> None:
    source = copied(photos, bucket / "photos")

    def blur(source: Path, out: Path):
        return blur_photos(source, out / "m", out / "b", parts=PARTS, model=drawn_parser, save_labels=True, **OPTIONS)

    blur(photos, tmp_path)
    outcome = blur(source, bucket / "out")
    assert (outcome.done, len(outcome.failures)) == (8, 1)
    assert contents(bucket / "out", "failures.csv") == contents(tmp_path, "failures.csv")
    with (bucket / "out" / "b" / "failures.csv").open() as file:
        assert list(csv.reader(file))[1][:2] == [str(source / "faces" / "002_2.png"), "read"]
    (bucket / "out" / "b" / "blurred_nose" / "faces" / "001_0.png").unlink()
    again = blur(source, bucket / "out")
    assert (again.done, again.skipped) == (1, 7)
    assert contents(bucket / "out", "failures.csv") == contents(tmp_path, "failures.csv")


@pytest.mark.parametrize("matrix", [False, True])
def test_features_and_scores(matrix: bool, photos: Path, recogniser_weights: Path, bucket: Path, tmp_path: Path):
    options: dict[str, Any] = {"model": str(recogniser_weights), "matrix": matrix, **OPTIONS}
    source = copied(photos, bucket / "photos")
    name = "features.npy" if matrix else "list.txt"
    for folder, photographs in ((tmp_path, photos), (bucket, source)):
        extract_features(photographs, folder / "f", **options)
        assert extract_features(photographs, folder / "f", **options).skipped == 8
        match_features(folder / "f" / name, None, folder / "s", "CM", save="both")
        match_features(folder / "f" / name, folder / "f" / name, folder / "x", "CM", save="distribution")
    assert contents(bucket / "f", "failures.csv", "list.txt") == contents(tmp_path / "f", "failures.csv", "list.txt")
    assert contents(bucket / "s") == contents(tmp_path / "s")
    assert contents(bucket / "x") == contents(tmp_path / "x")
    assert read_both(bucket / "s" / "CM_scores.npz") == read_both(tmp_path / "s" / "CM_scores.npz")
    assert read_kind(bucket / "s" / "CM_impostor.npy", "impostor").n == 24
    if not matrix:
        assert [path.name for path in find_features(bucket / "f")] == [
            f"{i:03}_{j}.npy" for i in range(4) for j in (0, 1)
        ]


def test_a_matrix_grows_and_is_redone(photos: Path, recogniser_weights: Path, bucket: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"model": str(recogniser_weights), "matrix": True, **OPTIONS}
    source = copied(photos, bucket / "photos")
    whole = extract_features(photos, tmp_path / "f", **options)
    (source / "faces" / "000_0.png").unlink()
    assert extract_features(source, bucket / "f", **options).done == 7
    write_bytes(source / "faces" / "000_0.png", (photos / "faces" / "000_0.png").read_bytes())
    assert extract_features(source, bucket / "f", **options).done == whole.done - 7
    assert contents(bucket / "f", "failures.csv") == contents(tmp_path / "f", "failures.csv")
    extract_features(source, bucket / "f", overwrite=True, **options)
    assert contents(bucket / "f", "failures.csv") == contents(tmp_path / "f", "failures.csv")


def test_a_study(photos: Path, drawn_parser: str, recogniser_weights: Path, bucket: Path, tmp_path: Path) -> None:
    source = copied(photos, bucket / "photos")

    def study(source: Path, out: Path):
        networks: dict[str, Any] = {"models": [str(recogniser_weights)], "parser": drawn_parser}
        return run_study(
            Request(source, out, parts=PARTS, keep=["masks", "photos", "features"], **networks, **OPTIONS)
        )

    def answer(out: Path) -> dict[str, bytes]:
        found = contents(out, "failures.csv", "list.txt", "compared.json", "report.html")
        return {name: data for name, data in found.items() if not name.startswith(("embeddings", "pictures"))}

    study(photos, tmp_path)
    first = study(source, bucket / "out")
    assert answer(bucket / "out") == answer(tmp_path)
    assert (first.embedded, first.skipped, len(first.failures)) == (8, 0, 1)
    found = read_study(str(bucket / "out"))
    assert (set(found.results["part"]), set(found.scores()["kind"])) == (set(PARTS), {"authentic", "impostor"})
    again = study(source, bucket / "out")
    assert (again.embedded, again.skipped, again.compared) == (0, 9, 0)
    # A photo that is replaced is embedded anew.
    write_bytes(source / "faces" / "000_0.png", (photos / "faces" / "003_1.png").read_bytes())
    assert study(source, bucket / "out").embedded == 1


def test_missing_packages_are_reported(bucket: Path) -> None:
    with pytest.raises(FacepartError, match=r"memory://.*features.npy: no such matrix"):
        match_features(bucket / "features.npy", None, bucket / "out", "CM")
    with pytest.raises(FacepartError, match="no such list"):
        match_features(bucket / "list.txt", None, bucket / "out", "CM")
    with pytest.raises(FacepartError, match="no such folder of features"):
        find_features(bucket / "features")
