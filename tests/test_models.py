"""Models by name: the catalogue, where files are looked for, and what their hashes decide."""

import hashlib
import json
import logging
import re
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from facepart.errors import FacepartError, UsageError
from facepart.networks.catalogue import (
    DEFAULT_PARSER,
    DETECTOR,
    Model,
    catalogue,
    choose_recogniser,
    default_recogniser,
    find,
    model,
)
from facepart.networks.catalogue.files import symbol_beside
from tests.model_places import CHECKPOINT_SHA256, SHA256, empty_places, know_small, put, put_checkpoint


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    return empty_places(tmp_path, monkeypatch)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Model:
    return know_small(monkeypatch)


@pytest.mark.parametrize("entry", catalogue().values(), ids=lambda entry: entry.name)
def test_entry_is_well_formed(entry):
    assert entry.task in ("parser", "recogniser", "detector")
    assert entry.format in ("onnx", "torch", "mxnet")
    assert entry.colour in ("rgb", "bgr")
    assert (entry.dimension is None) == (entry.task != "recogniser")
    assert entry.summary
    assert entry.licence
    assert entry.trained_on
    assert entry.sha256 is None or re.fullmatch("[0-9a-f]{64}", entry.sha256)
    for location in entry.locations:
        path = PurePosixPath(location)
        assert not path.is_absolute()
        assert ".." not in path.parts
        assert (path.suffix == ".params") == (entry.format == "mxnet")
    for source in entry.sources:
        if source.kind == "https":
            assert source.spec.startswith("https://")
            assert (source.sha256 is None) == (source.member is None)
        else:
            assert re.fullmatch(r"[\w-]+(==|@)[\d.]+", source.spec)
            assert source.member
        assert (source.archive is None) == (source.kind != "pip")
        assert source.sha256 is None or re.fullmatch("[0-9a-f]{64}", source.sha256)
        # Without either hash nobody could tell what was fetched.
        assert source.sha256 or entry.sha256


def test_defaults_are_in_the_catalogue():
    assert model(DEFAULT_PARSER).task == "parser"
    assert model(DETECTOR).task == "detector"


def test_parser_takes_imagenet_statistics():
    preprocessing = model("bisenet-resnet18").preprocessing
    assert preprocessing is not None
    np.testing.assert_allclose(np.array(preprocessing.mean) / 255, [0.485, 0.456, 0.406], rtol=1e-12)
    np.testing.assert_allclose(np.array(preprocessing.scale) / 255, [0.229, 0.224, 0.225], rtol=1e-12)
    assert (preprocessing.height, preprocessing.width, preprocessing.colour) == (512, 512, "rgb")


def test_graph_that_normalises_itself_has_no_preprocessing():
    assert model("arcface-r100").preprocessing is None
    adaface = model("adaface-ir101").preprocessing
    assert adaface is not None
    assert adaface.colour == "bgr"


def test_unknown_model_lists_the_known():
    with pytest.raises(
        UsageError, match=r"unknown model 'arcface' \(did you mean arcface-r100\?\); known: bisenet-resnet18, .*yunet"
    ):
        model("arcface")


def test_folders_are_looked_through_in_order(places, small):
    assert find("small") is None
    for name in reversed(places):
        path = put(places[name], small.locations[-1])
        assert find("small") == path, name


def test_locations_in_a_folder_are_tried_in_order(places, small):
    for location in reversed(small.locations):
        path = put(places["home"], location)
        assert find("small") == path


def test_package_outside_a_checkout_looks_at_no_checkout(places, small):
    put(places["checkout"], small.locations[0])
    assert find("small") is not None
    (places["checkout"].parent.parent / "pyproject.toml").unlink()
    assert find("small") is None


def test_file_with_a_wrong_hash_is_passed_over(places, small, caplog):
    wrong = put(places["here"], small.locations[0], b"something else")
    right = put(places["cache"], small.locations[0])
    assert find("small") == right
    [warning] = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert str(wrong) in warning
    assert hashlib.sha256(b"something else").hexdigest() in warning
    assert SHA256 in warning


def test_unknown_hash_is_recorded_and_checked_from_then_on(places):
    path = put_checkpoint(places["home"])
    record = places["cache"].parent / "hashes.json"
    assert not record.exists()
    assert find("arcface-r100") == path
    assert json.loads(record.read_text()) == {"arcface-r100": CHECKPOINT_SHA256}
    assert find("arcface-r100") == path
    for changed in (path, path.with_name("model-symbol.json")):
        before = changed.read_bytes()
        changed.write_bytes(b"changed")
        with pytest.raises(
            FacepartError, match=rf"{path}: has changed since its first use.*{CHECKPOINT_SHA256}"
        ) as error:
            find("arcface-r100")
        assert str(record) in str(error.value)
        assert "\n" not in str(error.value)
        changed.write_bytes(before)
    path.write_bytes(b"changed")
    record.unlink()
    assert find("arcface-r100") == path


def test_a_record_of_the_parameters_alone_is_completed(places):
    """Earlier releases hashed one of the two files of a checkpoint."""
    path = put_checkpoint(places["home"])
    record = put(places["cache"].parent, "hashes.json", json.dumps({"arcface-r100": SHA256}).encode())
    assert find("arcface-r100") == path
    assert json.loads(record.read_text()) == {"arcface-r100": CHECKPOINT_SHA256}


def test_damaged_record_is_reported(places):
    put_checkpoint(places["home"])
    record = put(places["cache"].parent, "hashes.json", b"{half")
    with pytest.raises(FacepartError, match=rf"{record}: is not a record of hashes"):
        find("arcface-r100")


def test_cache_that_cannot_be_written_to_does_not_forbid_use(places, caplog):
    path = put_checkpoint(places["home"])
    places["cache"].parent.write_bytes(b"a file where the cache should be")
    assert find("arcface-r100") == path
    assert "could not be recorded" in caplog.text


def test_checkpoint_without_its_symbol_is_not_used(places, caplog):
    path = put_checkpoint(places["here"])
    symbol_beside(path).unlink()
    assert find("arcface-r100") is None
    assert "model-0000.params: skipped: model-symbol.json must be beside it" in caplog.text


def test_default_recogniser_is_the_studys_only_where_it_lies_in_insightface_models(places):
    assert default_recogniser() == "sface"
    put_checkpoint(places["home"])
    assert default_recogniser() == "sface"
    path = put_checkpoint(places["checkout"])
    assert default_recogniser() == "arcface-r100"
    symbol_beside(path).unlink()
    assert default_recogniser() == "sface"
    put_checkpoint(places["here"])
    assert default_recogniser() == "arcface-r100"
    chosen = choose_recogniser()
    assert chosen.weights.path == places["here"] / "model-r100-ii/model-0000.params"
    assert chosen.note == "recogniser: arcface-r100 (default: the original study's is on this machine)"
