"""A study with Shapley values: what is embedded and compared for them, and what is written."""

import csv
import json
import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facepart.errors import UsageError
from facepart.matching.features import Features
from facepart.matching.groups import Group
from facepart.matching.match import match_groups, score_by_subject
from facepart.pipeline.worker import PhotoWorker
from facepart.scores import load_scores
from facepart.scores.subject_sums import load_subject_sums, subject_sums_path
from facepart.study import Request, run_study
from facepart.study.finished_study import read_study
from facepart.study.plan import make_plan
from tests.small_faces import save_two_photos_each
from tests.small_network import save_small_network, save_small_parser

pytestmark = pytest.mark.slow

PARTS = ["eyes", "nose", "mouth", "eyes_brows"]
PLAYERS = ["eyes", "nose", "mouth"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory, face_paths: list[Path]) -> Path:
    """Twelve subjects with two photos each, small; one photo is too dark for its eyes to be found."""
    folder = tmp_path_factory.mktemp("photos")
    save_two_photos_each(folder, face_paths, ("CM", "CF"))
    return folder


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_small_network(tmp_path_factory.mktemp("networks") / "first.onnx"))


def request_for(photos: Path, out: Path, network: str, **changes: Any) -> Request:
    options: dict[str, Any] = {
        "dataset": "MORPH",
        "parts": PARTS,
        "models": [network],
        "parser": str(Path(network).with_name("drawn.onnx")),
        "device": "cpu",
        "precision": "fp32",
        "shapley": True,
    }
    return Request(source=photos, output=out, **options | changes)


@pytest.fixture(scope="module", autouse=True)
def parser(network: str) -> Path:
    """A face parser beside the recogniser."""
    return save_small_parser(Path(network).with_name("drawn.onnx"))


@pytest.fixture(scope="module")
def out(photos: Path, network: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    run_study(request_for(photos, folder, network))
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_values_add_up_to_the_total_effect(out: Path) -> None:
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows_of(out / "shapley.csv"):
        assert (row["recogniser"], row["group"], row["method"]) == ("first.onnx", "all", "exact")
        found[row["criterion"]].append(row)
    assert list(found) == ["impostor_shift", "d_prime", "fmr_ratio"]
    for figure, rows in found.items():
        assert [row["part"] for row in rows] == PLAYERS
        if figure == "fmr_ratio":
            # 264 impostor scores support no FMR of 0.1 %.
            assert {(row["value"], row["reason"]) for row in rows} == {("", "fewer than ten expected false matches")}
            continue
        total = float(rows[0]["total"])
        assert total != 0
        assert sum(float(row["value"]) for row in rows) == pytest.approx(total, abs=1e-6)
        for row in rows:
            assert float(row["value_low"]) < float(row["value"]) < float(row["value_high"])


def test_deletion_alone_is_that_of_the_results_where_the_photos_are_the_same(out: Path) -> None:
    results = {row["part"]: row for row in rows_of(out / "results.csv")}
    compared = 0
    for row in rows_of(out / "shapley.csv"):
        of_part = results[row["part"]]
        assert row["photos_compared"] == "23"
        if of_part["photos_compared"] == row["photos_compared"] and row["criterion"] != "fmr_ratio":
            column, sign = {"impostor_shift": ("impostor_shift", 1), "d_prime": ("d_prime_change", -1)}[
                row["criterion"]
            ]
            assert float(row["alone"]) == pytest.approx(sign * float(of_part[column]), abs=1e-8)
            compared += 1
    assert compared


def test_interactions_are_of_every_pair(out: Path) -> None:
    rows = [row for row in rows_of(out / "shapley_interactions.csv") if row["criterion"] == "impostor_shift"]
    assert [(row["first"], row["second"]) for row in rows] == [
        ("eyes", "nose"),
        ("eyes", "mouth"),
        ("nose", "mouth"),
    ]
    # Of three players, a value is what the part adds alone and half of its interactions, with a third of the term of
    # all three, which is what is left of the total.
    values = {row["part"]: row for row in rows_of(out / "shapley.csv") if row["criterion"] == "impostor_shift"}
    for part in PLAYERS:
        own = sum(float(row["value"]) for row in rows if part in (row["first"], row["second"]))
        last, alone = float(values[part]["last"]), float(values[part]["alone"])
        assert own == pytest.approx(last - alone, abs=1e-6)


def test_coalitions_are_neither_results_nor_scores(out: Path) -> None:
    assert {row["part"] for row in rows_of(out / "results.csv")} == set(PARTS)
    folders = {path.name for path in (out / "matches").iterdir()}
    assert "shapley" in folders
    assert not any("+" in name for name in folders)
    assert len(list((out / "matches" / "shapley").iterdir())) == 8
    found = json.loads((out / "results.json").read_text())
    assert len(found["shapley"]) == 9
    assert found["shapley"][0]["value_error"] > 0
    assert len(found["shapley_interactions"]) == 9


def test_they_are_read_back_as_data_frames(out: Path) -> None:
    pytest.importorskip("pandas")
    tables = read_study(out)
    for found, name in ((tables.shapley, "shapley.csv"), (tables.shapley_interactions, "shapley_interactions.csv")):
        rows = rows_of(out / name)
        assert found is not None and list(found.columns) == list(rows[0])
        assert found["criterion"].tolist() == [row["criterion"] for row in rows]
        values = [float(row["value"]) if row["value"] else math.nan for row in rows]
        assert found["value"].tolist() == pytest.approx(values, nan_ok=True)


def answer(folder: Path) -> dict[str, bytes]:
    tables = ["shapley.csv", "shapley_interactions.csv", "results.csv", "results.json", "methods.txt", "report.html"]
    files = {name: (folder / name).read_bytes() for name in tables}
    return files | {path.name: path.read_bytes() for path in sorted((folder / "matches" / "shapley").iterdir())}


def test_added_later_it_embeds_what_is_missing_and_equals_one_from_the_start(
    photos: Path, network: str, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_study(request_for(photos, tmp_path, network, shapley=False))
    assert not (tmp_path / "shapley.csv").exists()
    embedded: set[str] = set()
    really = PhotoWorker.occlude

    def note(self: PhotoWorker, task: Any, *rest: Any) -> Any:
        embedded.update(each.name for each in task.occlusions)
        return really(self, task, *rest)

    monkeypatch.setattr(PhotoWorker, "occlude", note)
    notes: list[str] = []
    outcome = run_study(request_for(photos, tmp_path, network), on_note=notes.append)
    assert embedded == {"eyes+nose", "eyes+mouth", "nose+mouth", "eyes+nose+mouth"}
    assert any("more occlusions: eyes+nose, eyes+mouth, nose+mouth, eyes+nose+mouth" in note for note in notes)
    assert (outcome.embedded, outcome.compared) == (24, 8)
    assert answer(tmp_path) == {
        name: data.replace(str(out).encode(), str(tmp_path).encode()) for name, data in answer(out).items()
    }
    again = run_study(request_for(photos, tmp_path, network))
    assert (again.embedded, again.compared) == (0, 0)
    # A damaged file is computed anew.
    file = next((tmp_path / "matches" / "shapley").iterdir())
    whole = file.read_bytes()
    file.write_bytes(whole[:100])
    assert run_study(request_for(photos, tmp_path, network)).compared == 1
    assert file.read_bytes() == whole
    # Tables that a run does not make are not left beside its own.
    run_study(request_for(photos, tmp_path, network, shapley=False))
    assert not list(tmp_path.glob("shapley*.csv"))


def test_groups_are_equally_weighted_and_a_recogniser_has_its_own_values(
    photos: Path, network: str, tmp_path: Path
) -> None:
    second = str(save_small_network(tmp_path / "second.onnx", seed=1, side=96, length=96))
    folder = tmp_path / "out"
    run_study(
        request_for(photos, folder, network, models=[network, second], people=photos / "people.csv", keep_only=True)
    )
    rows = rows_of(folder / "shapley.csv")
    assert len(rows) == 2 * 3 * 3 * 3
    values = {(row["recogniser"], row["group"], row["criterion"], row["part"]): row["value"] for row in rows}
    for name in ("first.onnx", "second.onnx"):
        for part in PLAYERS:
            one, other = (float(values[name, group, "impostor_shift", part]) for group in ("CM", "CF"))
            assert float(values[name, "all", "impostor_shift", part]) == pytest.approx((one + other) / 2, abs=1e-8)
    page = (folder / "report.html").read_text()
    assert page.count('<th scope="col">only part visible</th>') == 2 * 3
    kept = {row["part"]: row for row in rows_of(folder / "results.csv") if row["comparison"] == "keep_only"}
    assert set(PLAYERS) <= set(kept)
    assert values["first.onnx", "CM", "d_prime", "nose"] != values["second.onnx", "CM", "d_prime", "nose"]


def test_the_plan_counts_the_coalitions(photos: Path, network: str, tmp_path: Path) -> None:
    lines = "\n".join(make_plan(request_for(photos, tmp_path, network)))
    assert "per photo: the baseline, 4 occluded parts, and 4 combinations of parts (9 embeddings)" in lines
    assert "and 8 combinations of parts" in lines


def test_it_needs_two_parts_that_do_not_overlap(photos: Path, network: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least two parts that do not overlap"):
        run_study(request_for(photos, tmp_path, network, parts=["eyes", "eyes_brows"]))


def test_report_and_methods_show_them_beside_the_parts_alone(out: Path) -> None:
    page = (out / "report.html").read_text()
    assert 'id="shapley"' in page
    row = rows_of(out / "shapley.csv")[0]
    counts = f"in the {row['photos_compared']} photos of {row['subjects_compared']} subjects"
    assert f"{counts} in which all of these were detected: all 8 combinations of them were occluded." in page
    assert "Left out, because they overlap with these: “eyes and brows”." in page
    assert "No Shapley values by FMR ratio (log): fewer than ten expected false matches." in page
    assert "Interactions of pairs of parts, by impostor shift" in page
    text = (out / "methods.txt").read_text()
    assert "8 combinations of these parts (the empty one included) were occluded" in text
    assert "L. S. Shapley" in text
    assert "Grabisch" in text


def test_scores_in_memory_are_those_of_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    embeddings = rng.standard_normal((60, 16)).astype(np.float32) + np.float32(0.5)
    names = [f"{number // 3:03}_{number % 3}" for number in range(60)]
    paths = [Path("p") / f"{name}.npy" for name in names]
    features = Features(Path("p"), embeddings, [f"p/{name}" for name in names], paths, None, photos=names)
    naming: dict[str, Any] = {"dataset": "MORPH", "subject_pattern": None, "exclude_same": None, "depth": 2}
    list(match_groups([Group("all", features, None)], tmp_path, save="distribution", min_threshold=0.3, **naming))
    wanted = load_scores(tmp_path / "all_scores.npz")
    sums = load_subject_sums(subject_sums_path(tmp_path, "all"))
    for few in (1 << 20, 0):
        monkeypatch.setattr("facepart.matching.pair_counter.FEW_PAIRS", few)
        scores, by_subject = score_by_subject(features, "all", **naming, min_threshold=0.3, counter=None)
        assert scores == wanted
        assert by_subject.lowest == sums.lowest
        for kind in ("authentic", "impostor"):
            found, expected = getattr(by_subject, kind), getattr(sums, kind)
            assert all(np.array_equal(getattr(found, name), value) for name, value in vars(expected).items())


def test_the_command_says_what_it_writes_and_refuses_parts_that_overlap(
    photos: Path, network: str, tmp_path: Path, run: Any
) -> None:
    words = ["-m", "facepart", "study", "-s", photos, "-o", tmp_path / "out", "-d", "MORPH", "--model", network]
    words += ["--parser", Path(network).with_name("drawn.onnx")]
    done = run(*words, "--shapley", "--parts", "eyes", "eyes_brows")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("--shapley: needs at least two parts that do not overlap")
    done = run(*words, "--shapley", "--parts", "nose", "mouth", "nose+mouth", "--people", photos / "people.csv")
    assert done.returncode == 0, done.stderr
    rows = rows_of(tmp_path / "out" / "shapley.csv")
    assert [(row["group"], row["part"]) for row in rows if row["criterion"] == "d_prime"] == [
        (group, part) for group in ("all", "CF", "CM") for part in ("nose", "mouth")
    ]
    assert {(row["first"], row["second"]) for row in rows_of(tmp_path / "out" / "shapley_interactions.csv")} == {
        ("nose", "mouth")
    }
