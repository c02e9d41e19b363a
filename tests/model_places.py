"""For the tests of looking models up: folders of models of our own, and a small model to put into them."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

import facepart
from facepart.networks.catalogue import Model, entries, model, weights

CONTENT = b"the weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SYMBOL = b"{}"
# Of a checkpoint: the weights are its parameters.
CHECKPOINT_SHA256 = hashlib.sha256(f"{SHA256}\n{hashlib.sha256(SYMBOL).hexdigest()}\n".encode()).hexdigest()


def empty_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Give the folders of models, none of which exists yet, in the order in which they are looked through."""
    checkout, home, here = tmp_path / "checkout", tmp_path / "home", tmp_path / "here"
    for folder in (checkout / "facepart", home, here):
        folder.mkdir(parents=True)
    (checkout / "pyproject.toml").touch()
    monkeypatch.setattr(facepart, "__file__", str(checkout / "facepart" / "__init__.py"))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("FACEPART_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(here)
    return {
        "here": here / "insightface" / "models",
        "checkout": checkout / "insightface" / "models",
        "home": home / ".insightface" / "models",
        "cache": tmp_path / "cache" / "models",
    }


def know_small(monkeypatch: pytest.MonkeyPatch) -> Model:
    """Replace the catalogue by one recogniser called small, with CONTENT for weights and no source."""
    entry = replace(model("buffalo_l"), name="small", sha256=SHA256, sources=())
    for module in (entries, weights):
        monkeypatch.setattr(module, "catalogue", lambda: {"small": entry})
    return entry


def put(folder: Path, location: str, content: bytes = CONTENT) -> Path:
    """Write a file below `folder`."""
    path = folder / location
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def put_checkpoint(folder: Path) -> Path:
    """Put an MXNet checkpoint where arcface-r100 is expected; give its .params file."""
    put(folder, "model-r100-ii/model-symbol.json", SYMBOL)
    return put(folder, "model-r100-ii/model-0000.params")
