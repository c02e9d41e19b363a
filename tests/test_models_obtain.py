"""What a user may type for a network: a name, a file, a folder, or an MXNet prefix and epoch."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facepart.errors import FacepartError, UsageError
from facepart.networks.catalogue import Model, Weights, obtain
from tests.model_places import CHECKPOINT_SHA256, SHA256, empty_places, know_small, put


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    return empty_places(tmp_path, monkeypatch)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Model:
    return know_small(monkeypatch)


def test_name_is_obtained_with_its_entry_and_hash(places, small):
    path = put(places["home"], small.locations[0])
    assert obtain("small", "recogniser") == Weights(path, small, SHA256)


def test_explicit_file_wins_over_a_name(places, small, tmp_path):
    put(places["here"], small.locations[0])
    file = put(tmp_path / "here", "small", b"mine")
    obtained = obtain("small", "recogniser")
    assert (obtained.path.resolve(), obtained.model) == (file, None)
    assert obtained.sha256 == hashlib.sha256(b"mine").hexdigest()


def test_file_of_the_catalogue_is_recognised_by_its_hash(places, small, tmp_path):
    file = put(tmp_path, "renamed.onnx")
    assert obtain(str(file), "recogniser").model == small
    with pytest.raises(UsageError, match="is a recogniser, not a parser"):
        obtain(str(file), "parser")


def test_wrong_task_lists_the_right_ones():
    with pytest.raises(
        UsageError, match="yunet is a detector, not a recogniser; known recognisers: sface, faceplugin, arcface"
    ):
        obtain("yunet", "recogniser")


def test_real_checkpoint_by_prefix_folder_and_file(shared):
    folder = shared / "models" / "mobilefacenet-y1"
    by_prefix = obtain(f"{folder}/model,0", "recogniser")
    assert by_prefix.path == folder / "model-0000.params"
    assert by_prefix.symbol == folder / "model-symbol.json"
    assert by_prefix.model is None
    assert obtain(str(folder), "recogniser") == by_prefix
    assert obtain(f"{folder}/model-0000.params", "recogniser") == by_prefix
    assert by_prefix.name == "mobilefacenet-y1"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("r50/model-0000.params", "r50"),
        ("r50/model-0016.params", "r50-16"),
        ("r50/other-0000.params", "other-0000.params"),
        ("r50/model.onnx", "model.onnx"),
    ],
)
def test_a_checkpoint_is_called_by_its_folder(file, name):
    assert Weights(Path(file), None, "").name == name


@given(prefix=st.text("ab-_.0, ", min_size=1, max_size=8).map(str.strip).filter(bool), epoch=st.integers(0, 99999))
def test_prefix_and_epoch_name_the_files_that_mxnet_writes(tmp_path_factory, prefix, epoch):
    folder = tmp_path_factory.mktemp("checkpoint")
    params = put(folder, f"{prefix}-{epoch:04d}.params")
    symbol = put(folder, f"{prefix}-symbol.json", b"{}")
    for separator in (",", ", "):
        obtained = obtain(f"{folder}/{prefix}{separator}{epoch}", "recogniser")
        assert (obtained.path, obtained.symbol, obtained.sha256) == (params, symbol, CHECKPOINT_SHA256)


@pytest.mark.parametrize(
    ("given_path", "files", "complaint"),
    [
        ("no/such.onnx", [], r"no/such.onnx: no such file or folder"),
        ("such.onnx", [], r"such.onnx: no such file or folder"),
        ("model,7", ["model-0000.params"], r"model-0007.params: no such file; model,7 means this file"),
        (
            "model,0",
            ["model-0000.params"],
            r"model-0000.params: model-symbol.json, which contains the graph, must be beside it",
        ),
        ("folder", ["folder/readme.txt"], r"folder: contains no network"),
        ("folder", ["folder/a.onnx", "folder/b.pth"], r"folder: contains several networks; name one: a.onnx, b.pth"),
    ],
)
def test_a_path_without_weights_is_reported_in_one_line(places, tmp_path, given_path, files, complaint):
    for file in files:
        put(tmp_path / "here", file)
    with pytest.raises(FacepartError, match=f"^{complaint}") as error:
        obtain(given_path, "recogniser")
    assert "\n" not in str(error.value)
