"""Photos, features and results in a store that speaks S3, from commands and on a Ray cluster."""

import re
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from facepart.files.addresses import files_in, place
from facepart.files.atomic import write_bytes
from tests.cluster_features import skip_without_ray, write_features
from tests.conftest import Run

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """A server that answers as S3 does; gives its address."""
    skip_without_ray()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-c", f"from moto.server import main; main(['-p', '{port}'])"], stderr=subprocess.DEVNULL
    )
    while server.poll() is None:
        with socket.socket() as asked:
            if not asked.connect_ex(("127.0.0.1", port)):
                break
        time.sleep(0.1)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": url}.items():
            patch.setenv(name, value)
        yield url
    server.kill()
    server.wait()


@pytest.fixture
def bucket(store: str) -> Path:
    import s3fs

    name = f"bucket-{secrets.token_hex(4)}"
    s3fs.S3FileSystem().mkdir(name)
    return place(f"s3://{name}")


def contents(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name not in ("run.json", "report.html")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_a_study_on_a_cluster(
    bucket: Path,
    face_paths: list[Path],
    bisenet_weights: Path,
    recogniser_weights: Path,
    tmp_path: Path,
    run: Run,
    run_process: Run,
) -> None:
    for number, path in enumerate(face_paths[:6]):
        photo = tmp_path / "photos" / f"{number // 2:03}_{number % 2}.png"
        write_image(photo, read_photo(path)[::4, ::4].copy())
        write_bytes(bucket / "photos" / photo.name, photo.read_bytes())
    common = ["--parts", "eyes", "--keep", "photos,features", "--model", recogniser_weights, "--device", "cpu"]
    here = run("-m", "facepart", "study", "-s", tmp_path / "photos", "-o", tmp_path / "out", *common)
    assert here.returncode == 0, here.stderr
    there = run_process(
        "-m", "facepart", "study", "-s", f"{bucket}/photos", "-o", f"{bucket}/out", "--ray", "local", *common
    )
    assert there.returncode == 0, there.stderr
    expected = contents(tmp_path / "out")
    found = {str(each.path.relative_to(bucket / "out")): each.path.read_bytes() for each in files_in(bucket / "out")}
    same = [name for name in expected if not name.startswith(("embeddings", "pictures", "matches/"))]
    same += [name for name in expected if name.endswith(".npz") and name.startswith("matches/")]
    same = [name for name in same if not name.endswith("list.txt")]
    assert len(same) > 20
    assert [name for name in same if found.get(name) != expected[name]] == []
    again = run_process("-m", "facepart", "study", "-s", f"{bucket}/photos", "-o", f"{bucket}/out", *common)
    assert "embedded 0 photos, skipped 6 (already processed); computed 0 sets of scores" in again.stdout


def test_a_match_of_a_matrix(bucket: Path, tmp_path: Path, run: Run, run_process: Run) -> None:
    source = write_features(tmp_path / "features", 1, 1000)
    for path in source.parent.iterdir():
        write_bytes(bucket / "features" / path.name, path.read_bytes())
    options = ["-gr", "CM", "--save", "both"]
    assert run("-m", "facepart", "match", "-p", source, "-o", tmp_path / "out", *options).returncode == 0
    done = run_process(
        "-m", "facepart", "match", "-p", f"{bucket}/features/features.npy", "-o", f"{bucket}/out", *options
    )
    assert done.returncode == 0, done.stderr
    expected = contents(tmp_path / "out")
    assert len(expected) == 5
    assert {name: (bucket / "out" / name).read_bytes() for name in expected} == expected


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "cannot be reached: "),
        ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "HOME": "/"}, "cannot be reached: "),
        ({}, "no such folder or list of photos"),
    ],
)
def test_a_store_that_does_not_exist_is_reported_in_one_line(
    store: str, variables, said: str, run_process: Run, tmp_path: Path
):
    variables = {"AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true", **variables}
    done = run_process("-m", "facepart", "extract", "-s", "s3://no-such-bucket/photos", "-d", tmp_path, **variables)
    assert done.returncode == 1
    assert done.stderr.startswith("facepart: s3://no-such-bucket/photos: " + said)
    assert len(done.stderr.splitlines()) == 1


def test_a_bucket_that_does_not_exist_is_reported_before_the_work(
    store: str, face_paths: list[Path], run_process: Run
) -> None:
    done = run_process("-m", "facepart", "extract", "-s", face_paths[0].parent, "-d", "s3://no-such-bucket/out")
    assert done.returncode == 1
    assert re.fullmatch(r"facepart: s3://no-such-bucket/out: .*bucket does not exist\n", done.stderr)
