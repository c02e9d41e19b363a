"""A study by several recognisers: of each, the numbers are those of a study by it alone."""

import argparse
import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facepart.cli import main
from facepart.cli.list_action import NetworkListAction
from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from facepart.errors import UsageError
from facepart.networks import recogniser
from facepart.pipeline import embedding_store, network_files
from facepart.study import Request, run_study
from facepart.study.plan import make_plan
from tests.small_network import save_small_network, save_small_parser

pytestmark = pytest.mark.slow

PARTS = ["eyes", "nose"]
# It takes no time, and which parts are where does not matter here.
PARSER = "drawn.onnx"
GROUPS = "subject,group\n000,CM\n001,CM\n002,CF\n003,CF\n"


@pytest.fixture(scope="module")
def photos(tmp_path_factory, face_paths) -> Path:
    """Four subjects with two photos each, small."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(8):
        photo = read_photo(face_paths[number % len(face_paths)])[::2, ::2]
        write_image(folder / f"{number // 2:03}_{number % 2}.png", np.roll(photo, number, axis=1).copy())
    (folder / "people.csv").write_text(GROUPS)
    return folder


@pytest.fixture(scope="module")
def networks(tmp_path_factory) -> list[str]:
    """Two recognisers, whose faces and embeddings are of different sizes, and beside them a face parser."""
    folder = tmp_path_factory.mktemp("networks")
    save_small_parser(folder / PARSER)
    first = save_small_network(folder / "first.onnx")
    second = save_small_network(folder / "second.onnx", seed=1, side=96, length=96)
    return [str(first), str(second)]


def request_for(photos: Path, out: Path, models: list[str], **changes: Any) -> Request:
    options: dict[str, Any] = {
        "people": photos / "people.csv",
        "dataset": "MORPH",
        "parts": PARTS,
        "device": "cpu",
        "precision": "fp32",
        "cross": True,
        "control": 1,
        "parser": str(Path(models[0]).with_name(PARSER)),
    }
    return Request(source=photos, output=out, models=models, **options | changes)


@pytest.fixture(scope="module")
def together(photos, networks, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("together")
    run_study(request_for(photos, out, networks))
    return out


def rows_by(out: Path, file: str) -> dict[str, list[dict[str, str]]]:
    """The rows of a table by recogniser."""
    with (out / file).open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {name: [row for row in rows if row["recogniser"] == name] for name in {row["recogniser"] for row in rows}}


def matches_in(folder: Path) -> dict[str, bytes]:
    """Score files, ranks and sums by subject, below a folder."""
    paths = [path for path in folder.glob("*/*") if path.name.endswith((".npz", "_ranks.csv"))]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def shards_in(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.glob("embeddings/*/*.npz")}


def answer(out: Path) -> dict[str, bytes]:
    """All that must not depend on how a study came to its end."""
    tables = ["results.csv", "results.json", "differentials.csv", "shift_differences.csv", "methods.txt"]
    files = {name: (out / name).read_bytes() for name in tables}
    return files | {
        f"{name}/{key}": data
        for name in ("first.onnx", "second.onnx")
        for key, data in matches_in(out / "matches" / name).items()
    }


@pytest.mark.parametrize("options", [{}, {"precision": "bf16", "flip": True, "batch": 3}], ids=["fp32", "bf16"])
def test_each_recogniser_has_the_numbers_of_a_study_by_it_alone(
    photos, networks, together, tmp_path, options
) -> None:
    if options:
        together = tmp_path / "together"
        run_study(request_for(photos, together, networks, **options))
    found = json.loads((together / "results.json").read_text())
    assert list(found["by_recogniser"]) == ["first.onnx", "second.onnx"]
    for place, network in enumerate(networks):
        name, alone = Path(network).name, tmp_path / str(place)
        run_study(request_for(photos, alone, [network], **options))
        for file in ("results.csv", "differentials.csv", "shift_differences.csv"):
            assert rows_by(together, file)[name] == rows_by(alone, file)[name], file
            assert len(rows_by(together, file)) == 2
        assert matches_in(alone / "matches")
        assert matches_in(together / "matches" / name) == matches_in(alone / "matches")
        assert shards_in(alone).items() <= shards_in(together).items()
        by_it = json.loads((alone / "results.json").read_text())
        assert found["by_recogniser"][name] == by_it["by_recogniser"][name]
        assert by_it["by_recogniser"][name]["rankings"] == by_it["rankings"]
    first, second = (rows_by(together, "results.csv")[name] for name in ("first.onnx", "second.onnx"))
    assert [row["impostor_mean"] for row in first] != [row["impostor_mean"] for row in second]


def test_one_that_is_added_later_embeds_alone_and_equals_one_given_first(
    photos, networks, together, tmp_path, monkeypatch
) -> None:
    opened: list[str] = []
    really = recogniser.open_recogniser

    def note(path: Path, *options: Any) -> Any:
        opened.append(path.name)
        return really(path, *options)

    monkeypatch.setattr(network_files, "open_recogniser", note)
    told: list[str] = []
    out = tmp_path / "out"
    keep = {"keep": ["photos"]}
    run_study(request_for(photos, out, networks[:1], **keep))
    ages = {path: path.stat().st_mtime_ns for path in out.rglob("embeddings/*/*")}
    outcome = run_study(request_for(photos, out, networks, **keep), on_note=told.append)
    assert opened == ["first.onnx", "second.onnx"]
    assert told == ["second.onnx: 8 photos are embedded"]
    assert outcome.embedded == 8
    assert all(path.stat().st_mtime_ns == age for path, age in ages.items())
    assert answer(out) == answer(together)
    # In another order: nothing is embedded or compared; only the answer is about the other recogniser first.
    outcome = run_study(request_for(photos, out, networks[::-1], **keep), on_note=told.append)
    assert (outcome.embedded, outcome.compared, len(opened), len(told)) == (0, 0, 2, 1)
    assert list(outcome.by_recogniser) == ["second.onnx", "first.onnx"]
    assert outcome.figures is outcome.by_recogniser["second.onnx"]
    # A part that is added is embedded by both.
    outcome = run_study(request_for(photos, out, networks, parts=[*PARTS, "mouth"]), on_note=told.append)
    assert sorted(opened[2:]) == ["first.onnx", "second.onnx"]
    assert told[1:] == [
        f"{name}: 8 photos are embedded with more occlusions: mouth, mouth_control1"
        for name in ("first.onnx", "second.onnx")
    ]


def test_a_study_that_was_stopped_goes_on(photos, networks, together, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(embedding_store, "SHARD_PHOTOS", 3)
    out = tmp_path / "out"

    def stop(done: int, total: int, note: str = "") -> None:
        del total, note
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(request_for(photos, out, networks, batch=2), progress=stop)
    lost = sorted(out.glob("embeddings/*/shard-00002.npz"))
    assert len(lost) == 2
    lost[0].unlink()  # as if it had been killed between the stores
    outcome = run_study(request_for(photos, out, networks))
    assert outcome.embedded == 5
    assert answer(out) == answer(together)


def test_a_photo_that_fails_by_one_recogniser_is_left_out_for_all(photos, networks, tmp_path) -> None:
    mine = tmp_path / "photos"
    shutil.copytree(photos, mine)
    write_image(mine / "003_1.png", np.zeros((112, 112, 3), np.uint8))
    blind = save_small_network(tmp_path / "blind.onnx", seed=2, blind_to_black=True)
    out = tmp_path / "out"
    outcome = run_study(request_for(mine, out, [networks[0], str(blind)]))
    (failure,) = outcome.failures
    assert (failure.path.name, failure.stage) == ("003_1.png", "embed")
    assert failure.reason.startswith("blind.onnx: the embedding is not finite")
    (mine / "003_1.png").unlink()
    run_study(request_for(mine, tmp_path / "without", [networks[0]]))
    kept, without = (rows_by(folder, "results.csv") for folder in (out, tmp_path / "without"))
    assert kept["first.onnx"] == without["first.onnx"]
    assert {row["photos"] for row in kept["blind.onnx"] if row["group"] == "CF"} == {"3"}
    assert "left out for all" in (out / "methods.txt").read_text()


def test_the_command_shows_and_names_all_recognisers(photos, networks, together, capsys) -> None:
    options = [
        *("study", "-s", str(photos), "-o", str(together), "--people", str(photos / "people.csv"), "-d", "MORPH"),
        *("--parts", "eyes,nose", "--control", "1", "--cross", "--device", "cpu", "--precision", "fp32"),
    ]
    options += ["--parser", str(Path(networks[0]).with_name(PARSER))]
    assert main([*options, "--model", ",".join(networks)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("recogniser: first.onnx; the rankings with second.onnx follow below")
    below = text[text.index("ranking with each recogniser, mean of 2 groups") :]
    assert below.index("    first.onnx") < below.index("    second.onnx")
    assert "embedded 0 photos, skipped 8" in text
    report = (together / "report.html").read_text()
    assert "Agreement of recognisers" in report
    for name in ("first.onnx", "second.onnx"):
        assert f"<h4>{name}</h4>" in report
        assert f"{name} (SHA-256" in (together / "methods.txt").read_text()
    record = json.loads((together / "run.json").read_text())
    assert [each["name"] for each in record["settings"]["recognisers"]] == ["first.onnx", "second.onnx"]


def test_kept_features_lie_in_a_folder_of_each_recogniser(photos, networks, together) -> None:
    run_study(request_for(photos, together, networks, keep=["features"]))
    lengths = {
        name: len(np.load(together / "features" / name / "nose" / "000_0.npy"))
        for name in ("first.onnx", "second.onnx")
    }
    assert lengths == {"first.onnx": 64, "second.onnx": 96}


def test_the_plan_counts_all_networks(photos, networks, tmp_path) -> None:
    one, two = (
        "\n".join(make_plan(request_for(photos, tmp_path / "out", models))) for models in (networks[:1], networks)
    )
    assert "recognisers: first.onnx, second.onnx" in two
    pairs = [int(text.split(" pairs in ")[0].split(", ")[-1].replace(",", "")) for text in (one, two)]
    assert pairs[1] == 2 * pairs[0]
    assert " with 2 recognisers" in two


def test_what_is_refused(photos, networks, tmp_path) -> None:
    (tmp_path / "other").mkdir()
    same_name = save_small_network(tmp_path / "other" / "First.onnx", seed=5)
    copied = shutil.copy(networks[0], tmp_path / "copied.onnx")
    with pytest.raises(UsageError, match="have the same name; rename one of the two"):
        run_study(request_for(photos, tmp_path / "out", [networks[0], str(same_name)]))
    with pytest.raises(UsageError, match="are the same network; name it once"):
        run_study(request_for(photos, tmp_path / "out", [networks[0], str(copied)]))


@pytest.mark.parametrize(
    ("arguments", "models"),
    [
        (["sface,edgeface-xs", "x.onnx"], ["sface", "edgeface-xs", "x.onnx"]),
        (["sface, ", "r100/model,0,other", "a,b.onnx"], ["sface", "r100/model,0", "other", "a,b.onnx"]),
        (["sface", "--model", "r100/model,0"], ["sface", "r100/model,0"]),
        ([], []),
    ],
)
def test_names_are_separated_by_blanks_or_commas(tmp_path, monkeypatch, arguments, models) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a,b.onnx").write_bytes(b"")
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", action=NetworkListAction, default=[])
    assert parser.parse_args(["--model", *arguments] if arguments else []).model == models


def test_an_empty_list_of_names_is_refused(capsys) -> None:
    assert main(["study", "-s", "photos", "-o", "out", "--model", ","]) == 2
    assert "--model: the list is empty" in capsys.readouterr().err
