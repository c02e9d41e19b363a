"""A study's folder as an RO-Crate: `rocrate` reads it, and it lists what the folder holds and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from facepart.report.ro_crate import CONTENTS, CRATE_FILE, crate_json

RECORD: dict[str, Any] = {
    "settings": {
        "parser": {"name": "bisenet", "sha256": "aa"},
        "recognisers": [{"name": "sface", "sha256": "bb"}, {"name": "mine.onnx", "sha256": "cc"}],
        "detector": None,
        "landmarks": {"name": "yunet", "sha256": "dd"},
        "parts": ["eyes", "nose"],
        "methods": ["blur"],
    },
    "inputs": {"source": "/home/ann/photos"},
    "versions": {"facepart": "0.2.0"},
}
LICENCES = {"bisenet": "MIT", "sface": "Apache-2.0", "yunet": "MIT"}


def make_crate(folder: Path, names: list[str]) -> dict[str, dict[str, Any]]:
    """Make a folder with a study's files and folders, and describe it; return its entities by their ids."""
    folder.mkdir()
    for name in names:
        if name.endswith("/"):
            (folder / name).mkdir()
            (folder / name / "file").write_text("x")
        else:
            (folder / name).write_text("x")
    text = crate_json("Which parts?", names, RECORD, LICENCES, "2026-11-26")
    (folder / CRATE_FILE).write_text(text)
    return {entity["@id"]: entity for entity in json.loads(text)["@graph"]}


def references(value: Any) -> list[str]:
    """The ids that an entity refers to."""
    if isinstance(value, list):
        return [found for each in value for found in references(each)]
    if isinstance(value, dict):
        return [value["@id"]] if set(value) == {"@id"} else references(list(value.values()))
    return []


@pytest.mark.parametrize("names", [["report.html", "results.csv", "run.json", "matches/"], list(CONTENTS)])
def test_an_independent_reader_finds_what_the_folder_holds(tmp_path: Path, names: list[str]) -> None:
    rocrate = pytest.importorskip("rocrate.rocrate")
    make_crate(tmp_path / "study", names)

    crate = rocrate.ROCrate(tmp_path / "study")

    assert crate.name == "Which parts?" and crate.datePublished.isoformat().startswith("2026-11-26")
    assert sorted(entity.id for entity in crate.data_entities) == sorted(names)
    files = [entity.id for entity in crate.data_entities if entity.type == "File"]
    assert files == [name for name in names if not name.endswith("/")]
    (action,) = crate.get_by_type("CreateAction")
    instruments = {each["name"]: each for each in action["instrument"]}
    assert instruments["facepart"]["softwareVersion"] == "0.2.0"
    assert {name: each.get("identifier") for name, each in instruments.items() if name != "facepart"} == {
        "bisenet": "sha256:aa",
        "sface": "sha256:bb",
        "mine.onnx": "sha256:cc",
        "yunet": "sha256:dd",
    }
    assert instruments["sface"]["license"] == "Apache-2.0" and "license" not in instruments["mine.onnx"]
    assert [each.id for each in action["result"]] == names
    crate.write(tmp_path / "copy")
    assert (tmp_path / "copy" / names[0]).exists()


def test_all_that_is_referred_to_is_described(tmp_path: Path) -> None:
    entities = make_crate(tmp_path / "study", list(CONTENTS))
    known = {*entities, "https://w3id.org/ro/crate/1.1"}
    assert {name for entity in entities.values() for name in references(list(entity.values()))} <= known


def test_it_warns_of_photos_and_embeddings_and_tells_no_folder_of_the_machine(tmp_path: Path) -> None:
    entities = make_crate(tmp_path / "study", list(CONTENTS))
    for name in ("report.html", "embeddings/", "features/", "average/", "pictures/", "blurred/", "photos/"):
        assert "check" in entities[name]["description"].lower(), name
    assert "/home" not in (tmp_path / "study" / CRATE_FILE).read_text()


def test_label_maps_are_no_network() -> None:
    settings = RECORD["settings"] | {
        "parser": {"name": "label maps", "label_set": "bisenet", "classes": ["skin"], "sha256": "ee"}
    }
    text = crate_json("t", [], RECORD | {"settings": settings}, {}, "2026-11-26")
    assert "label maps" not in text
