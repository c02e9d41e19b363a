"""A study with a size control, other ways to lose a part, and groups: what it makes, and that it goes on."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facepart.analysis.choices import IMPORTANCE
from facepart.analysis.differentials import EACH_GROUP
from facepart.analysis.results import CONTROL, WITHIN
from facepart.data.path_lists import write_list
from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from facepart.errors import FacepartError, UsageError
from facepart.occlusion.method import OcclusionMethod
from facepart.pipeline.blur import blur_photos
from facepart.scores import load_scores
from facepart.scores.ranks import load_ranks
from facepart.study import Request, run_study
from facepart.study.experiment import StudyOutcome
from tests.conftest import Run
from tests.small_network import save_small_network, save_small_parser

pytestmark = pytest.mark.slow

PARTS = ["eyes", "nose"]
GROUPS = {"CM": range(12), "CF": range(12, 23)}


@pytest.fixture(scope="module")
def request_of_all(face_paths, tmp_path_factory) -> Request:
    """23 people of two photos: the same few faces, shown differently."""
    folder = tmp_path_factory.mktemp("evidence")
    rng = np.random.default_rng(0)
    for group in GROUPS.values():
        for person in group:
            face = read_photo(face_paths[person % len(face_paths)])[::2, ::2]
            tint = rng.uniform(0.6, 1.0, 3)
            for capture in range(2):
                moved = np.roll(face, rng.integers(-3, 4, 2), (0, 1))
                write_image(folder / "photos" / f"{person:03}_{capture}.png", (moved * tint).astype(np.uint8))
    rows = "".join(f"{person:03},{name}\n" for name, group in GROUPS.items() for person in group)
    (folder / "people.csv").write_text("subject,group\n" + rows)
    return Request(
        source=folder / "photos",
        output=folder / "out",
        people=folder / "people.csv",
        parts=PARTS,
        occlusions=["blur", "grey"],
        sweeps=["blur=5,15"],
        control=2,
        models=[str(save_small_network(folder / "small.onnx"))],
        parser=str(save_small_parser(folder / "drawn.onnx")),
        device="cpu",
        precision="fp32",
    )


@pytest.fixture(scope="module")
def outcome(request_of_all: Request) -> StudyOutcome:
    return run_study(request_of_all)


def test_every_part_is_lost_in_every_way_and_has_its_control(outcome: StudyOutcome, request_of_all: Request) -> None:
    rows = {(row.group, row.part, row.occlusion, row.comparison): row for row in outcome.figures.results}
    ways = ("blur", "grey", "blur-5")
    expected = {(group, part, way, WITHIN) for group in GROUPS for part in PARTS for way in ways}
    expected |= {(group, part, "blur", CONTROL) for group in GROUPS for part in PARTS}
    assert set(rows) == expected
    for (group, part, way, comparison), row in rows.items():
        folder = request_of_all.output / "matches"
        if comparison == WITHIN:
            scores = load_scores(folder / f"{part}{'' if way == 'blur' else f'_{way}'}" / f"{group}_scores.npz")
            assert row.impostor_n == scores.impostor.n
            assert row.impostor_mean.value == pytest.approx(scores.impostor.mean, abs=1e-6)
        else:
            ranks = [load_ranks(folder / f"{part}_control{draw}" / f"{group}_ranks.csv").ranks for draw in (1, 2)]
            assert row.rank1_rate.value == np.mean(np.concatenate(ranks) == 1)
            draws = [load_scores(folder / f"{part}_control{draw}" / f"{group}_scores.npz") for draw in (1, 2)]
            assert row.impostor_mean.value == pytest.approx(np.mean([draw.impostor.mean for draw in draws]))
            assert row.control == "moved"
            # The same softened shape; only where it reaches the border of the photo, less of it.
            part_row = rows[group, part, "blur", WITHIN]
            assert row.replaced == pytest.approx(part_row.replaced, rel=0.02)
            assert part_row.control_shift.value == row.impostor_shift.value
            # The part's row has the variance between places, too.
            assert part_row.control_shift.error >= row.impostor_shift.error
            assert part_row.importance.value == pytest.approx(
                part_row.impostor_shift.value - row.impostor_shift.value, abs=1e-9
            )
            assert part_row.importance.low < part_row.importance.value < part_row.importance.high


def test_ranked_by_what_goes_beyond_the_control(outcome: StudyOutcome) -> None:
    figures = outcome.figures
    assert figures.ranked_by == IMPORTANCE
    assert list(figures.ranking) == ["all", *sorted(GROUPS)]
    worth = {
        (row.group, row.part): row.importance.value
        for row in figures.results
        if (row.occlusion, row.comparison) == ("blur", WITHIN)
    }
    for group, ranked in figures.ranking.items():
        names = list(GROUPS) if group == "all" else [group]
        values = [each.effect.value for each in ranked]
        assert values == sorted(values, reverse=True)
        assert sum(each.ranked_first for each in ranked) == pytest.approx(1)
        for each in ranked:
            assert each.effect.value == pytest.approx(np.mean([worth[name, each.part] for name in names]))
        assert ranked[0].difference_to_next.value == pytest.approx(values[0] - values[1])


def test_groups_are_compared_at_a_common_threshold_and_at_their_own(
    outcome: StudyOutcome, request_of_all: Request
) -> None:
    found = {(each.part, each.target, each.threshold_of): each for each in outcome.figures.differentials}
    assert set(found) == {
        (photos, target, kind)
        for photos in ("baseline", *PARTS)
        for target in (1e-3, 1e-4)
        for kind in ("all", EACH_GROUP)
    }
    # 946 impostor pairs tell nothing of an FMR of 1e-3: no number, but a reason.
    for each in found.values():
        assert all(row.refused == "too few impostor scores" for row in each.groups)
        assert np.isnan(each.garbe)
        assert not each.ratios
    (difference,) = [
        each for each in outcome.figures.shift_differences if (each.part, each.occlusion) == ("nose", "grey")
    ]
    shifts = {
        row.group: row.impostor_shift.value
        for row in outcome.figures.results
        if (row.part, row.occlusion) == ("nose", "grey")
    }
    assert not difference.paired
    assert difference.difference.value == pytest.approx(shifts[difference.first] - shifts[difference.second])
    assert (request_of_all.output / "differentials.csv").read_text().count("\n") == 1 + len(found) * len(GROUPS)


def test_the_answer_on_disk(outcome: StudyOutcome, request_of_all: Request) -> None:
    out = request_of_all.output
    with (out / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(outcome.figures.results)
    first = outcome.figures.results[0]
    assert float(rows[0]["impostor_shift_low"]) == pytest.approx(first.impostor_shift.low, rel=1e-5)
    whole = json.loads((out / "results.json").read_text())
    assert whole["settings"]["methods"] == ["blur", "grey", "blur-5"]
    assert (whole["settings"]["control"], whole["draws"]) == (2, 2)
    text = (out / "methods.txt").read_text()
    assert "46 photos" in text
    assert "23 subjects" in text
    assert (out / "report.html").read_text().startswith("<!")


def test_an_unchanged_rerun_does_no_work_and_a_draw_more_only_its_own(
    outcome: StudyOutcome, request_of_all: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: (request_of_all.output / name).read_bytes() for name in ("results.csv", "results.json")}
    with monkeypatch.context() as patched:
        patched.setattr("facepart.pipeline.network_files.open_parser", lambda *_: pytest.fail("a network was loaded"))
        again = run_study(request_of_all)
    assert (again.embedded, again.compared) == (0, 0)
    assert before == {name: (request_of_all.output / name).read_bytes() for name in before}
    told: list[str] = []
    more = run_study(replace(request_of_all, control=3), on_note=told.append)
    assert told == [
        "subjects by the MORPH convention: 000_0.png -> 000",
        "46 photos are embedded with more occlusions: eyes_control3, nose_control3",
    ]
    assert more.compared == 4  # two parts in two groups
    # The draws that were there are those of a larger control, too.
    ours, theirs = (
        {(row.group, row.part): row for row in each.figures.results if row.comparison == CONTROL}
        for each in (outcome, more)
    )
    for key, row in ours.items():
        assert theirs[key].impostor_n == row.impostor_n * 3 / 2


def test_masks_of_the_main_method_are_kept_and_never_mixed(request_of_all: Request, tmp_path: Path) -> None:
    some = tmp_path / "some.txt"
    write_list(some, sorted(request_of_all.source.iterdir())[:8])
    changes: dict[str, Any] = {"occlusions": ["grey"], "sweeps": [], "control": 0, "keep": ["masks", "photos"]}
    kept = replace(request_of_all, source=some, output=tmp_path / "out", people=None, **changes)
    run_study(kept)
    grey = OcclusionMethod("grey")
    options: dict[str, Any] = {"parts": PARTS, "device": "cpu", "precision": "fp32", "method": grey}
    options["model"] = request_of_all.parser
    blur_photos(some, tmp_path / "m", tmp_path / "b", **options)
    blurred = list((tmp_path / "b").rglob("*.png"))
    assert len(blurred) == 8 * len(PARTS)
    for path in blurred:
        ours = kept.output / "blurred" / path.relative_to(tmp_path / "b")
        assert ours.read_bytes() == path.read_bytes()
    # The photos of the next study, by another method, are made anew.
    run_study(replace(kept, occlusions=["blur"]))
    assert any(
        (kept.output / "blurred" / path.relative_to(tmp_path / "b")).read_bytes() != path.read_bytes()
        for path in blurred
    )


def test_a_threshold_of_one_group(request_of_all: Request) -> None:
    found = run_study(replace(request_of_all, threshold_group="CF", occlusions=["blur"], sweeps=[], control=0))
    assert {each.threshold_of for each in found.figures.differentials} == {"CF", EACH_GROUP}
    with pytest.raises(FacepartError, match="has no group 'AAM'"):
        run_study(replace(request_of_all, threshold_group="AAM"))
    with pytest.raises(FacepartError, match="--threshold-group CF: is not one of the study's groups"):
        run_study(replace(request_of_all, threshold_group="CF", groups=["CM"]))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"occlusions": ["smear"]}, "unknown occlusion 'smear'"),
        ({"occlusions": []}, "--occlusion: none named"),
        ({"sweeps": ["grey=5"]}, "'grey=5' is not a sweep"),
        ({"sweeps": ["blur=4"]}, "a box of 4 is impossible"),
        ({"control": -1}, "--control -1"),
    ],
)
def test_wrong_calls(request_of_all: Request, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        run_study(replace(request_of_all, **changes))


def test_the_command(request_of_all: Request, outcome: StudyOutcome, run: Run) -> None:
    del outcome
    asked = request_of_all
    options = ["-s", asked.source, "-o", asked.output, "--people", asked.people, "--parts", *PARTS, "--device", "cpu"]
    options += ["--occlusion", "blur,grey", "--sweep", "blur=5,15", "--control", "2", "--precision", "fp32"]
    assert asked.parser is not None
    options += ["--model", *asked.models, "--parser", asked.parser]
    done = run("-m", "facepart", "study", *options)
    assert done.returncode == 0, done.stderr
    assert "importance" in done.stdout
    assert "impostor shift minus that of the control" in done.stdout
    assert "embedded 0 photos, skipped 46 (already processed)" in done.stdout
    dry = run("-m", "facepart", "study", *options, "--dry-run")
    versions = "the baseline, 2 occluded parts by each of 3 methods, and 2 control positions for each of 2 parts"
    assert f"per photo: {versions} (11 embeddings)" in dry.stdout
