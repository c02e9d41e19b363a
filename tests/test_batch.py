"""``examples/batch.sh`` as a process: stopped and resumed, it gives the scores of one study; stale work is redone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from facepart.scores import load_scores
from tests.conftest import ROOT, Run
from tests.stopped_script import stop_when

STOPPED = "batch.sh: interrupted; run the same command again to finish"

BATCH = ROOT / "examples" / "batch.sh"
PARTS = ["eyes", "nose"]
GROUPS = ["A", "B 2"]
# One list, one match within and across, and one plot a group of each condition: 2 * 3 + 2 * 3 + 2 * 2 + 2 * 2.
ONCE = 20

pytestmark = [pytest.mark.slow, pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")]


@pytest.fixture(scope="module")
def work(tmp_path_factory, face_paths, bisenet_weights, recogniser_weights) -> Path:
    """A folder with a space in its name, photos of a few subjects in the size of the original study, and a table."""
    del bisenet_weights, recogniser_weights
    work = tmp_path_factory.mktemp("batch") / "by hand"
    (work / "some photos").mkdir(parents=True)
    for path in face_paths[:8]:
        with Image.open(path) as image:
            image.convert("RGB").resize((224, 224)).save(work / "some photos" / f"{path.stem}.png")
    write_people(work / "people.csv", 2)
    return work


def write_people(path: Path, every: int) -> None:
    """Put every second (third ...) person into the second group."""
    people = sorted({photo.name.split("_")[0] for photo in (path.parent / "some photos").iterdir()})
    rows = [f"{person},{GROUPS[number % every == 0]}\n" for number, person in enumerate(people)]
    path.write_text("subject,group\n" + "".join(rows))


def start(work: Path, **variables: str) -> subprocess.Popen[str]:
    """Start the script where the photos are, in a process group of its own."""
    given = {"PHOTOS": "some photos", "PEOPLE": "people.csv", "OUT": "out put", "PYTHON": sys.executable}
    given |= {"GROUP_NAMES": ",".join(GROUPS), "PARTS": ",".join(PARTS), **variables}
    return subprocess.Popen(
        ["bash", str(BATCH)],
        cwd=work,
        env={**os.environ, **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a script that must succeed; give its output."""
    stdout, stderr = process.communicate(timeout=900)
    assert process.returncode == 0, (stdout, stderr)
    return stdout


def assert_same_scores(study: Path, matches: Path, groups: list[str], parts: list[str]) -> None:
    """Compare the distributions of every condition and group with those of a study, exactly."""
    for condition in ["baseline", *parts, *(f"cross_{part}" for part in parts)]:
        for group in groups:
            name = Path(condition) / f"{group}_scores.npz"
            scores = load_scores(matches / name)
            assert scores.authentic.n > 0
            assert scores == load_scores(study / "matches" / name), name


def study_of(work: Path, run: Run, groups: list[str], parts: list[str]) -> Path:
    """Run the same as a study."""
    options = ["-s", work / "some photos", "-o", work / "study", "--people", work / "people.csv"]
    options += ["--groups", ",".join(groups), "-d", "MORPH", "--parts", ",".join(parts), "--cross"]
    done = run("-m", "facepart", "study", *options)
    assert done.returncode == 0, done.stderr
    return work / "study"


def stamps(folder: Path) -> dict[Path, int]:
    """When each file of the answer was written."""
    kinds = {".npz", ".npy", ".png", ".svg"}
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.suffix in kinds}


@pytest.fixture(scope="module")
def resumed(work) -> str:
    """The output of the script, after it was stopped twice."""
    out = work / "out put"
    stop_when(out / "blurred" / "blurred_nose", start(work), STOPPED)
    assert not (out / "features").exists(), "stopped while it blurred"
    stop_when(out / "matches" / "baseline" / "A.done", start(work), STOPPED)
    assert not (out / "matches" / "nose" / "B 2.done").exists(), "stopped while it matched"
    return finish(start(work))


def test_stopped_and_resumed_it_equals_a_study(work, resumed, run: Run) -> None:
    out = work / "out put"
    assert 0 < resumed.count("= done before:") < ONCE
    assert_same_scores(study_of(work, run, GROUPS, PARTS), out / "matches", GROUPS, PARTS)
    for part in PARTS:
        for group in GROUPS:
            assert "d_prime" in (out / "plots" / f"{group}_{part}.txt").read_text()


def test_run_again_nothing_is_done_twice(work, resumed) -> None:
    before = stamps(work / "out put")
    assert finish(start(work)).count("= done before:") == ONCE
    assert stamps(work / "out put") == before


def test_what_a_changed_table_makes_stale_is_redone(work, resumed, run: Run) -> None:
    before = load_scores(work / "out put" / "matches" / "nose" / "A_scores.npz")
    write_people(work / "people.csv", 3)
    text = finish(start(work, GROUP_NAMES="A", PARTS="nose"))
    assert "= done before:" not in text
    assert load_scores(work / "out put" / "matches" / "nose" / "A_scores.npz") != before
    assert_same_scores(study_of(work, run, ["A"], ["nose"]), work / "out put" / "matches", ["A"], ["nose"])


@pytest.mark.parametrize(
    ("variables", "arguments", "reason"),
    [
        ({"PHOTOS": ""}, [], "PHOTOS is not set"),
        ({"PHOTOS": "photos", "PEOPLE": ""}, [], "PEOPLE is not set"),
        ({"PHOTOS": "photos", "PEOPLE": "people.csv", "OUT": ""}, [], "OUT is not set"),
        ({}, ["photos"], "takes variables, not arguments, but got photos"),
    ],
)
def test_a_wrong_call_is_one_line(tmp_path, variables, arguments, reason) -> None:
    done = subprocess.run(
        ["bash", BATCH, *arguments], cwd=tmp_path, env=os.environ | variables, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr == f"batch.sh: {reason}; batch.sh -h explains the variables\n"
    assert not list(tmp_path.iterdir())


def test_the_usage_names_every_variable(tmp_path) -> None:
    done = subprocess.run(["bash", BATCH, "-h"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0
    for name in ("PHOTOS", "PEOPLE", "OUT", "GROUP_NAMES", "PARTS", "DATASET", "PYTHON"):
        assert f"\n  {name} " in done.stdout


def test_a_failing_command_stops_it(tmp_path) -> None:
    given = {"PHOTOS": "missing", "PEOPLE": "people.csv", "OUT": "out", "PYTHON": sys.executable}
    done = subprocess.run(["bash", BATCH], cwd=tmp_path, env=os.environ | given, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "facepart: missing: no such folder or list of photos\n"
    assert "2. Extract" not in done.stdout
