"""Models from https addresses and out of archives: a real TLS server on this machine, well and badly behaved."""

import os
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from facepart.errors import FacepartError
from facepart.networks.catalogue import Source, fetch
from facepart.networks.catalogue.archives import ArchiveError, take
from tests.model_sources import CONTENT, OTHER, fetch_small, own_cache, server, sha256, tarred, zipped

ARCHIVE = zipped({"weights": CONTENT, "else": OTHER})


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return own_cache(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate for a local server")
    folder = tmp_path_factory.mktemp("certificate")
    options = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    command = ["openssl", *options.split(), "-keyout", str(folder / "key"), "-out", str(folder / "certificate")]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "certificate", folder / "key"


@pytest.fixture
def https(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a TLS server whose certificate is trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    monkeypatch.setenv("no_proxy", "localhost")
    with server({"/file": CONTENT, "/other": OTHER, "/archive.zip": ARCHIVE}, context) as address:
        yield address


@pytest.mark.parametrize("archived", [zipped, tarred])
def test_take_reads_by_name_and_writes_only_its_target(tmp_path, archived):
    archive = tmp_path / "archive"
    archive.write_bytes(archived({"../../outside": OTHER, "/absolute": OTHER, "folder/weights": CONTENT}))
    (tmp_path / "deep" / "folder").mkdir(parents=True)
    take(archive, "folder/weights", tmp_path / "deep" / "folder" / "taken")
    take(archive, "../../outside", tmp_path / "deep" / "folder" / "odd")
    assert (tmp_path / "deep" / "folder" / "taken").read_bytes() == CONTENT
    assert (tmp_path / "deep" / "folder" / "odd").read_bytes() == OTHER
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["archive", "deep", "folder", "odd", "taken"]


def test_take_follows_no_link_and_reports_missing_files(tmp_path):
    archive = tmp_path / "archive"
    archive.write_bytes(tarred({"real": CONTENT}, links={"link": "real", "away": "/etc/passwd"}))
    for member in ("link", "away", "absent"):
        with pytest.raises(ArchiveError, match=f"has no file {member}"):
            take(archive, member, tmp_path / "taken")
    archive.write_bytes(b"no archive at all")
    with pytest.raises(ArchiveError, match="cannot be unpacked"):
        take(archive, "real", tmp_path / "taken")


def test_file_is_put_into_place_and_nothing_else(cache, https):
    path = fetch_small(Source("https", f"{https}/file"))
    assert path == cache / "models" / "a" / "b.onnx"
    assert path.read_bytes() == CONTENT
    assert sorted(file.name for file in cache.rglob("*")) == ["a", "b.onnx", "models"]


def test_redirection_is_followed(cache, https):
    assert fetch_small(Source("https", f"{https}/moved")).read_bytes() == CONTENT


def test_file_in_an_archive(cache, https):
    source = Source("https", f"{https}/archive.zip", sha256(ARCHIVE), "weights")
    assert fetch_small(source).read_bytes() == CONTENT


def test_every_source_is_tried_and_reported(cache, https, caplog):
    sources = [
        (Source("https", f"{https}/absent"), "answers 404 Not Found"),
        (Source("https", f"{https}/to-http"), "redirected to http://localhost/file, which is not https"),
        (Source("https", f"{https}/cut"), "delivered another file"),
        (Source("https", f"{https}/other"), f"delivered another file (sha256 {sha256(OTHER)[:12]}..., not"),
        (Source("https", f"{https}/archive.zip", sha256(OTHER), "weights"), f"not {sha256(OTHER)[:12]}..."),
        (Source("https", f"{https}/archive.zip", sha256(ARCHIVE), "absent"), "has no file absent"),
        (Source("https", f"{https}/archive.zip", sha256(ARCHIVE), "else"), f"sha256 {sha256(OTHER)[:12]}..."),
        (Source("https", "http://localhost/file"), "is not an https address"),
        (Source("https", "https://localhost:9/file"), "cannot be reached: [Errno"),
        (Source("https", "https://no.such.host.invalid/file"), "cannot be reached: "),
    ]
    with pytest.raises(FacepartError) as error:
        fetch_small(*(source for source, _ in sources))
    message = str(error.value)
    assert "\n" not in message
    told, _, advice = message.removeprefix("small cannot be fetched: ").rpartition(". ")
    for (source, reason), words in zip(sources, told.split("; "), strict=True):
        assert words.startswith(f"{source}: ")
        assert reason in words
    assert advice == f"Put it by hand at {cache / 'models' / 'a' / 'b.onnx'} (sha256 {sha256(CONTENT)})"
    assert list(cache.rglob("*")) == []
    # A user who waits is told of each attempt.
    attempts = [f"fetching small ({len(CONTENT) / 1e6} MB, as you like) from {source}" for source, _ in sources]
    assert [record.getMessage() for record in caplog.records] == attempts


def test_later_source_serves_where_the_first_fails(cache, https):
    path = fetch_small(Source("https", f"{https}/absent"), Source("https", f"{https}/file"))
    assert path.read_bytes() == CONTENT


def test_model_that_is_here_is_not_fetched_again_but_a_wrong_one_is(cache, https, caplog):
    source = Source("https", f"{https}/file")
    path = fetch_small(source)
    caplog.clear()
    assert fetch_small(source) == path
    assert caplog.records == []
    path.write_bytes(OTHER)
    assert fetch_small(source).read_bytes() == CONTENT
    assert ": skipped: its sha256 is " in caplog.records[0].getMessage()


def test_licence_is_shown_on_the_first_fetch_only(cache, https, caplog):
    for _ in range(2):
        fetch_small(Source("https", f"{https}/file"), commercial=False)
        assert caplog.text.count("small is not for commercial use; its licence: as you like") == 1


def test_untrusted_certificate_is_refused(cache, https, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(FacepartError, match="certificate verify failed"):
        fetch_small(Source("https", f"{https}/file"))


def test_cache_that_cannot_be_written_to_is_reported(cache, https):
    cache.write_bytes(b"a file where the cache should be")
    with pytest.raises(FacepartError, match=f"{cache}: cannot be written.*set FACEPART_HOME"):
        fetch_small(Source("https", f"{https}/file"))


def test_model_without_a_source_says_where_to_put_it(cache):
    with pytest.raises(FacepartError) as error:
        fetch("arcface-r100")
    folder = cache / "models" / "model-r100-ii"
    assert f"Put model-0000.params and model-symbol.json by hand into {folder}" in str(error.value)


def test_killed_fetch_leaves_nothing_that_is_taken_for_a_model(cache, https):
    program = f"""
from facepart.networks.catalogue import Source
from tests.model_sources import fetch_small
fetch_small(Source("https", "{https}/stalled"))
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
    with subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=subprocess.DEVNULL) as process:
        while not any(file.stat().st_size for file in cache.glob("fetch-*/download")):
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()
    [abandoned] = cache.iterdir()
    assert fetch_small(Source("https", f"{https}/file")).read_bytes() == CONTENT
    assert abandoned.exists()
    # What it left is cleared away when it is surely abandoned.
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(abandoned, (two_days_ago, two_days_ago))
    shutil.rmtree(cache / "models")
    fetch_small(Source("https", f"{https}/file"))
    assert not abandoned.exists()
