"""`facepart models` as a process, and what the documents say of each model."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from facepart.networks.catalogue import catalogue, model
from tests.conftest import ROOT
from tests.model_places import put, put_checkpoint

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package outside the checkout, so that the checkout's own insightface/models is not looked at."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "facepart", folder / "facepart", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def command(tmp_path: Path, package: Path) -> Command:
    """Run `facepart models ...` in an empty folder, with an empty home and cache, and without a network."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(package),
        "HOME": str(tmp_path / "home"),
        "FACEPART_HOME": str(tmp_path / "cache"),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": "",
        "npm_config_offline": "true",
        "npm_config_cache": str(tmp_path / "npm"),
        "https_proxy": "http://localhost:9",
    }

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "facepart", "models", *arguments]
        return subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)

    return call


def test_list_names_every_model_with_its_licence_and_place(command, tmp_path):
    path = put_checkpoint(tmp_path / "insightface" / "models")
    wrong = put(tmp_path / "cache" / "models", model("yunet").locations[0])
    result = command("list")
    assert (result.returncode, result.stderr) == (0, "")
    rows = {line.split()[0]: re.split("  +", line) for line in result.stdout.splitlines()[1:]}
    assert list(rows) == list(catalogue())
    places = {"arcface-r100": str(path), "yunet": f"{wrong} (wrong sha256)"}
    for entry in catalogue().values():
        dimension = str(entry.dimension or "-")
        assert rows[entry.name] == [
            entry.name,
            entry.task,
            dimension,
            entry.licence,
            entry.trained_on,
            places.get(entry.name, "not found"),
        ]
    assert not (tmp_path / "cache" / "hashes.json").exists()


def test_where_prints_the_path_or_says_how_to_get_it(command, tmp_path):
    result = command("where", "arcface-r100")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("facepart: arcface-r100: not found; `facepart models fetch arcface-r100`")
    assert result.stderr.count("\n") == 1
    path = put_checkpoint(tmp_path / "home" / ".insightface" / "models")
    result = command("where", "arcface-r100")
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{path}\n", "")


@pytest.mark.parametrize("action", ["where", "fetch", "check"])
def test_unknown_name_is_a_wrong_call(command, action):
    result = command(action, "nobody")
    assert result.returncode == 2
    assert result.stderr.startswith("facepart: unknown model 'nobody'; known: bisenet-resnet18, ")
    assert result.stderr.count("\n") == 1


def test_check_records_unknown_hashes_and_reports_wrong_ones(command, tmp_path):
    path = put_checkpoint(tmp_path / "insightface" / "models")
    result = command("check")
    assert result.returncode == 0
    expected = {name: f"{name}: not found" for name in catalogue()}
    expected["arcface-r100"] = f"arcface-r100: no known sha256, now recorded: {path}"
    assert result.stdout.splitlines() == list(expected.values())
    assert command("check", "arcface-r100").stdout == f"arcface-r100: recorded: {path}\n"
    path.write_bytes(b"changed")
    result = command("check", "arcface-r100")
    assert result.returncode == 1
    assert result.stdout.startswith("arcface-r100: changed, its sha256 is ")
    wrong = put(tmp_path / "insightface" / "models", model("yunet").locations[0])
    result = command("check", "yunet")
    assert result.returncode == 1
    assert result.stdout.startswith("yunet: wrong, its sha256 is ")
    assert result.stdout.endswith(f", not {model('yunet').sha256}: {wrong}\n")


def test_check_of_true_weights(command, tmp_path, recogniser_weights):
    path = tmp_path / "insightface" / "models" / model("faceplugin").locations[-1]
    path.parent.mkdir(parents=True)
    path.symlink_to(recogniser_weights.resolve())
    result = command("check", "faceplugin")
    assert (result.returncode, result.stdout) == (0, f"faceplugin: ok: {path}\n")
    result = command("fetch", "faceplugin")
    assert (result.returncode, result.stdout) == (0, f"faceplugin: {path}\n")


def test_fetch_without_a_network_reports_each_source_and_tries_the_next(command, tmp_path):
    names = ["bisenet-resnet18", "faceplugin", "arcface-r100"]
    result = command("fetch", *names)
    assert result.returncode == 1
    attempts = [source for name in names for source in model(name).sources]
    told = [line.partition(" from ")[2] for line in result.stdout.splitlines()]
    assert told == [str(source) for source in attempts]
    complaints = result.stderr.splitlines()
    assert len(complaints) == len(names)
    for name, complaint in zip(names, complaints, strict=True):
        assert complaint.startswith(f"facepart: {name} cannot be fetched: ")
        for source in model(name).sources:
            assert f"{source}: " in complaint
        assert (
            str(tmp_path / "cache" / "models" / model(name).locations[0]).removesuffix("/model-0000.params")
            in complaint
        )
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


@pytest.mark.parametrize("entry", catalogue().values(), ids=lambda entry: entry.name)
def test_documents_tell_of_each_model(entry):
    for document in ("insightface/README.md", "docs/models.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        rows = [line for line in text.splitlines() if f"`{entry.name}`" in line and entry.licence in line]
        assert rows, f"{document} has no line with {entry.name} and its licence"
    models = (ROOT / "docs" / "models.md").read_text(encoding="utf-8").splitlines()
    assert any(f"| `{entry.name}` |" in line and f"| {entry.trained_on} |" in line for line in models)
    readme = (ROOT / "insightface" / "README.md").read_text(encoding="utf-8")
    assert f"`{entry.locations[0]}`" in readme
    assert entry.sha256 is None or entry.sha256 in readme


def test_documents_tell_of_each_command():
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    for action in ("list", "fetch", "where", "check"):
        assert f"facepart models {action}" in text
