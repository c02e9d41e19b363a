"""The matching runner and its command: the files it writes, against the original program's on real faces."""

import copy
import json
import os
import signal
import subprocess
import sys
import time
import weakref
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from facepart.analysis.metrics import d_prime
from facepart.data.group_files import group_prefix
from facepart.errors import FacepartError, UsageError
from facepart.files.progress import Progress
from facepart.matching import output
from facepart.matching.counting import count_scores
from facepart.matching.faces import Faces
from facepart.matching.match import match_features
from facepart.matching.rank_counter import RankCounter
from facepart.matching.subject_statistics import SubjectTailCounts
from facepart.scores import GroupScores, ScoreDistribution, load_scores
from tests.conftest import ROOT, Run
from tests.test_matching_features import record, write_features, write_list

NAMES = ["001_1", "001_2", "002_1", "002_2", "003_1"]


def listed(folder: Path, names: list[str] = NAMES, seed: int = 0) -> Path:
    return write_list(folder.with_suffix(".txt"), write_features(folder, names, seed=seed))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("run_name", ["within", "cross"])
def test_the_original_programs_files(shared: Path, tmp_path: Path, run_name: str) -> None:
    golden = shared / "golden" / "match"
    original = write_list(tmp_path / "o.txt", sorted((golden / "features" / "original").iterdir(), reverse=True))
    softened = write_list(tmp_path / "s.txt", list((golden / "features" / "softened").iterdir()))
    if run_name == "within":
        match_features(original, None, tmp_path / "out", "CM")
    else:
        match_features(softened, original, tmp_path / "out", "CM", include_same_photo=True)
    expected = {path.name for path in (golden / run_name).iterdir()}
    assert {path.name for path in (tmp_path / "out").iterdir()} == expected | {
        "run.json",
        "CM_scores.npz",
        "CM_people.npz",
    }
    for name in expected:
        path = golden / run_name / name
        if path.suffix == ".txt":
            assert (tmp_path / "out" / name).read_text() == path.read_text()
            continue
        ours, theirs = np.load(tmp_path / "out" / name), np.load(path)
        assert ours.dtype == theirs.dtype
        assert np.array_equal(ours[:, :2], theirs[:, :2])
        # In whole steps of 1e-6, because the original stores float32: 0.940595 stands there as 0.94059497.
        steps = np.abs(np.rint(ours[:, 2] * 1e6) - np.rint(theirs[:, 2] * 1e6))
        assert steps.max() <= 1
        # The original's float32 scores are a step off the exact ones for 17 % of these authentic and 1.4 % of the
        # impostor pairs.
        assert np.mean(steps > 0) < (0.02 if "impostor" in name else 0.25)
    authentic, impostor = (np.load(tmp_path / "out" / f"CM_{kind}.npy")[:, 2] for kind in ("authentic", "impostor"))
    counted = load_scores(tmp_path / "out" / "CM_scores.npz")
    assert counted == (ScoreDistribution.of(authentic), ScoreDistribution.of(impostor))
    assert d_prime(*counted) == pytest.approx(d_prime(authentic, impostor), abs=1e-12)
    expected_d = {"within": 12.642097749140145, "cross": 12.371978023494995}[run_name]
    assert d_prime(authentic, impostor) == pytest.approx(expected_d, abs=1e-6)


def test_a_matrix_gives_what_its_list_gives(tmp_path: Path) -> None:
    source = listed(tmp_path / "original")
    paths = sorted((tmp_path / "original").iterdir())
    np.save(tmp_path / "features.npy", np.stack([np.load(path) for path in paths]))
    (tmp_path / "labels.txt").write_text("".join(f"original/{path.stem}\n" for path in paths))
    match_features(source, None, tmp_path / "a", "CM")
    match_features(tmp_path / "features.npy", None, tmp_path / "b", "CM")
    for name in ("CM_authentic.npy", "CM_impostor.npy", "CM_labels.txt", "CM_scores.npz"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


class CopyingCounter:
    """Counts copies of the faces, as a cluster does; when it counts, the faces themselves are gone."""

    def load(self, probe: Faces, gallery: Faces | None) -> "CopyingCounter":
        self.given = [weakref.ref(side.embeddings) for side in (probe, gallery) if side]
        self.sides = copy.deepcopy((probe, gallery))
        return self

    def count(self, *, tails: SubjectTailCounts, ranks: RankCounter | None, progress: Progress) -> GroupScores:
        assert [each() for each in self.given] == [None] * len(self.given)
        return count_scores(*self.sides, workers=1, tails=tails, ranks=ranks, progress=progress)


@pytest.mark.parametrize("cross", [False, True])
def test_faces_that_are_loaded_elsewhere_are_let_go_of(tmp_path: Path, cross: bool) -> None:
    """Those of a million take 2 GB, which a cluster has in its own memory."""
    probe, gallery = listed(tmp_path / "a"), listed(tmp_path / "b", seed=1) if cross else None

    match_features(probe, gallery, tmp_path / "here", "CM", save="distribution", ranks=True)
    match_features(
        probe, gallery, tmp_path / "there", "CM", save="distribution", ranks=True, counter=CopyingCounter()
    )
    for name in ("CM_scores.npz", "CM_people.npz", "CM_ranks.csv"):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()


def test_the_same_photo_is_left_out_across_lists_unless_asked_for(tmp_path: Path) -> None:
    probe, gallery = listed(tmp_path / "blurred", seed=1), listed(tmp_path / "original", seed=2)
    out = match_features(probe, gallery, tmp_path / "out", "CM")
    rows = np.load(tmp_path / "out" / "CM_authentic.npy")
    assert rows[:, :2].tolist() == [[0, 1], [1, 0], [2, 3], [3, 2]]
    assert (out.authentic, out.impostor, out.left_out, out.subjects) == (4, 16, 5, 3)
    out = match_features(probe, gallery, tmp_path / "out", "CM", include_same_photo=True)
    assert (out.authentic, out.impostor, out.left_out) == (9, 16, 0)
    assert len(np.load(tmp_path / "out" / "CM_authentic.npy")) == 9
    # One list against itself: labels are equal, so that the photo is left out either way, as in the original.
    out = match_features(gallery, gallery, tmp_path / "out", "CM", include_same_photo=True)
    assert (out.authentic, out.impostor, out.left_out) == (4, 16, 5)


def test_one_photo_per_subject_still_gives_impostor_scores(tmp_path: Path) -> None:
    out = match_features(listed(tmp_path / "f", ["1_1", "2_1", "3_1"]), None, tmp_path / "out", "CM")
    assert (out.authentic, out.impostor) == (0, 3)
    assert np.load(tmp_path / "out" / "CM_authentic.npy").shape == (0, 3)


def test_one_subject_alone_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    source = listed(tmp_path / "f", ["img_1", "img_2", "img_3"])
    with pytest.raises(FacepartError, match="all features show one subject, 'img'") as caught:
        match_features(source, None, tmp_path / "out", "CM")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
    assert match_features(source, None, tmp_path / "out", "CM", subject_pattern=r"img_\d").impostor == 3


def test_a_group_without_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="-gr"):
        match_features(listed(tmp_path / "f"), None, tmp_path / "out", "")


@pytest.mark.parametrize("group", ["a/b", "..", "a\\b"])
def test_a_group_that_is_not_a_file_name_has_files_of_a_safe_name(tmp_path: Path, group: str) -> None:
    assert match_features(listed(tmp_path / "f"), None, tmp_path / "out", group).impostor == 8
    assert (tmp_path / "out" / f"{group_prefix(group)}_authentic.npy").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {"f", "f.txt", "out"}
    assert all(path.is_file() for path in (tmp_path / "out").iterdir())
    assert list(json.loads((tmp_path / "out" / "run.json").read_text())["settings"]) == [group]


def test_the_record_has_every_group_in_the_folder(tmp_path: Path) -> None:
    source = listed(tmp_path / "f")
    record(tmp_path / "f", "abc")
    match_features(source, None, tmp_path / "out", "CM")
    match_features(source, source, tmp_path / "out", "CF", dataset="morph")
    told = json.loads((tmp_path / "out" / "run.json").read_text())
    assert told["settings"]["CM"]["model"] == {"name": "net-abc", "sha256": "abc"}
    assert told["settings"]["CM"]["gallery"] is None
    assert told["settings"]["CM"]["device"] == "cpu"
    assert told["counts"]["CM"]["saved"] == "both"
    assert told["settings"]["CF"]["dataset"] == "MORPH"
    assert told["counts"]["CM"]["impostor"] == 8
    assert told["counts"]["CF"]["impostor"] == 16
    # Written among the features, it would replace the record that tells their network.
    with pytest.raises(FacepartError, match="holds the outputs of `extract`"):
        match_features(source, None, tmp_path / "f", "CM")


def test_labels_of_an_earlier_gallery_do_not_stay(tmp_path: Path) -> None:
    source = listed(tmp_path / "f")
    match_features(source, source, tmp_path / "out", "CM")
    assert (tmp_path / "out" / "CM_gallery_labels.txt").read_text().startswith("0 f/001_1\n1 f/001_2\n")
    match_features(source, None, tmp_path / "out", "CM")
    assert not (tmp_path / "out" / "CM_gallery_labels.txt").exists()


@pytest.mark.parametrize("save", ["pairs", "distribution", "both"])
def test_what_is_saved_is_what_was_asked_for(tmp_path: Path, save: output.Save, mkl: None) -> None:
    source = listed(tmp_path / "f")
    assert match_features(source, None, tmp_path / "out", "CM", save=save).saved == save
    found = {path.name for path in (tmp_path / "out").iterdir()} - {"run.json", "CM_labels.txt"}
    pairs, distribution = {"CM_authentic.npy", "CM_impostor.npy"}, {"CM_scores.npz", "CM_people.npz"}
    assert found == {"pairs": pairs, "distribution": distribution, "both": pairs | distribution}[save]
    match_features(source, None, tmp_path / "both", "CM")
    for name in found:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "both" / name).read_bytes()


def test_beyond_so_many_pairs_the_distribution_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "MOST_PAIRS", 9)
    outcome = match_features(listed(tmp_path / "f"), None, tmp_path / "out", "CM")
    assert (outcome.saved, outcome.pair_bytes) == ("distribution", 240)
    assert not (tmp_path / "out" / "CM_impostor.npy").exists()
    assert match_features(listed(tmp_path / "f"), None, tmp_path / "asked", "CM", save="both").saved == "both"
    monkeypatch.setattr(output, "MOST_PAIRS", 10)
    assert match_features(listed(tmp_path / "f"), None, tmp_path / "few", "CM").saved == "both"


def test_a_full_disk_is_reported_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=60 << 20))
    with pytest.raises(FacepartError, match=r"pairs of CM take 0.1 GB, but 0.1 GB are free .*--save distribution"):
        match_features(listed(tmp_path / "f"), None, tmp_path / "deep" / "out", "CM")
    assert not (tmp_path / "deep").exists()
    assert match_features(listed(tmp_path / "f"), None, tmp_path / "out", "CM", save="distribution").impostor == 8


def test_scores_of_an_earlier_run_do_not_stay_beside_those_of_another(tmp_path: Path) -> None:
    source = listed(tmp_path / "f")
    match_features(source, None, tmp_path / "out", "CM", save="pairs")
    before = contents(tmp_path / "out")
    with pytest.raises(FacepartError, match=r"CM_authentic.npy: was written by an earlier run.*--save both"):
        match_features(source, None, tmp_path / "out", "CM", save="distribution")
    assert contents(tmp_path / "out") == before
    match_features(source, None, tmp_path / "out", "CF", save="distribution")  # another group is no matter
    match_features(source, None, tmp_path / "out", "CM", save="both")


@pytest.mark.slow
def test_killed_and_run_again_the_files_are_those_of_one_run(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.save(tmp_path / "features.npy", rng.normal(size=(4000, 64)).astype(np.float32))
    (tmp_path / "labels.txt").write_text("".join(f"f/{i % 700}_{i}\n" for i in range(4000)))
    killed = tmp_path / "out"
    command = ["-m", "facepart", "match", "-p", tmp_path / "features.npy", "-gr", "CM", "-o", killed]
    process = subprocess.Popen([sys.executable, *map(str, command)], cwd=ROOT, stdout=subprocess.DEVNULL)
    while process.poll() is None and not any(killed.glob(".CM_impostor.npy.*")):
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL
    assert not (killed / "CM_impostor.npy").exists()
    for folder in (killed, tmp_path / "whole"):
        match_features(tmp_path / "features.npy", None, folder, "CM")
    ours, whole = contents(killed), contents(tmp_path / "whole")
    ours["run.json"] = ours["run.json"].replace(os.fsencode(killed), os.fsencode(tmp_path / "whole"))
    assert ours == whole


def test_the_original_command_lines(tmp_path: Path, run: Run) -> None:
    probe, gallery = listed(tmp_path / "blurred", seed=1), listed(tmp_path / "original", seed=2)
    done = run("./face_matching/", "-p", probe, "-o", tmp_path / "within", "-d", "MORPH", "-gr", "CM")
    assert (done.returncode, done.stderr) == (0, "")
    assert "compared 5 embeddings of 3 subjects with each other: 2 authentic and 8 impostor scores" in done.stdout
    done = run("./face_matching/", "-p", probe, "-g", gallery, "-o", tmp_path / "across", "-d", "MORPH", "-gr", "CM")
    assert (done.returncode, done.stderr) == (0, "")
    assert "4 authentic and 16 impostor" in done.stdout
    assert "left out 5 pairs of the same photo" in done.stdout
    # The long forms of the original program give the same.
    long = ("-probe", probe, "-gallery", gallery, "-output", tmp_path / "b", "-dataset", "MORPH", "-group", "CM")
    done = run("-m", "facepart", "match", *long)
    assert (done.returncode, done.stderr) == (0, "")
    for name, content in contents(tmp_path / "across").items():
        if name != "run.json":
            assert (tmp_path / "b" / name).read_bytes() == content


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        (["-p", "missing.txt"], 1, "missing.txt: no such list"),
        (["-p", "empty.txt"], 1, "empty.txt: the list is empty"),
        (["-p", "f.txt", "--subject-pattern", "("], 2, "not a regular expression"),
        (["-p", "f.txt", "-gr", " "], 2, "-gr: the list is empty"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, run: Run, arguments: list[str], status: int, reason: str) -> None:
    listed(tmp_path / "f")
    (tmp_path / "empty.txt").write_text("\n\n")
    paths = [str(tmp_path / argument) if argument.endswith(".txt") else argument for argument in arguments]
    group = [] if "-gr" in arguments else ["-gr", "CM"]
    done = run("-m", "facepart", "match", *paths, "-o", tmp_path / "out", *group)
    assert done.returncode == status
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
