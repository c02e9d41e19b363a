"""The study: its figures are those of the scripts chained by hand, and nothing is lost or done twice."""

import csv
import html
import json
import multiprocessing
import random
import re
import shutil
import sys
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import cv2
import numpy as np
import pytest

from facepart.analysis.metrics import d_prime, kolmogorov_smirnov, wasserstein
from facepart.cli import main
from facepart.data.path_lists import write_list
from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from facepart.errors import FacepartError, UsageError
from facepart.matching.match import match_features
from facepart.pipeline import embedding_store
from facepart.pipeline.blur import blur_photos
from facepart.pipeline.extract import extract_features
from facepart.scores import load_scores
from facepart.scores.ranks import load_ranks
from facepart.study import Request, run_study
from tests.conftest import Run
from tests.small_network import save_small_network

pytestmark = pytest.mark.slow

PARTS = ["eyes", "nose"]
ONE_GROUP = "subject,group\n000,all\n001,all\n002,all\n"


@pytest.fixture(scope="module")
def photos(tmp_path_factory, face_paths) -> Path:
    """Three people with two photos each, small; one person's photos in a folder of their own."""
    folder = tmp_path_factory.mktemp("photos")
    for number, path in enumerate(face_paths[:6]):
        name = f"{number // 2:03}_{number % 2}.png"
        write_image(folder / ("sub" if number > 3 else "") / name, read_photo(path)[::2, ::2].copy())
    return folder


@pytest.fixture(scope="module")
def settings(bisenet_weights, tmp_path_factory) -> dict[str, object]:
    """Of a study with the parser by default."""
    del bisenet_weights
    model = save_small_network(tmp_path_factory.mktemp("network") / "small.onnx")
    return {"model": str(model), "device": "cpu", "precision": "fp32", "parts": PARTS}


@pytest.fixture(scope="module")
def drawn(settings, drawn_parser) -> dict[str, object]:
    """Of a study with a parser that takes no time, where it does not matter which parts are where."""
    return settings | {"parser": drawn_parser}


def request_for(photos: Path, out: Path, settings: dict[str, object], **changes: object) -> Request:
    options = {key: value for key, value in settings.items() if key != "model"} | {"models": [settings["model"]]}
    return Request(source=photos, output=out, **{"dataset": "MORPH", **options, **changes})  # type: ignore[arg-type]


def write_people(path: Path, text: str = "subject,group\n000,CM\n001,CM\n002,CF\n") -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def answer(out: Path) -> dict[str, bytes]:
    """The files of the answer that must not depend on how a study came to its end."""
    files = ["results.csv", "results.json", "report.html"]
    for kind in ("scores.npz", "ranks.csv"):
        files += sorted(str(path.relative_to(out)) for path in out.glob(f"matches/*/*_{kind}"))
    return {name: (out / name).read_bytes() for name in files}


@pytest.fixture(scope="module")
def finished(photos, settings, tmp_path_factory) -> Path:
    """A study of all photos as one group, with cross matching."""
    out = tmp_path_factory.mktemp("finished")
    run_study(request_for(photos, out, settings, cross=True))
    return out


def test_the_figures_are_those_of_the_scripts_chained_by_hand(photos, finished, settings, tmp_path) -> None:
    blurred = tmp_path / "blurred"
    blur_photos(photos, tmp_path / "masks", blurred, parts=PARTS, device="cpu", precision="fp32")
    sources = {"baseline": photos} | {part: blurred / f"blurred_{part}" for part in PARTS}
    options = {key: settings[key] for key in ("model", "device", "precision")}
    lists = {
        condition: extract_features(source, tmp_path / "features" / condition, **options).features_list
        for condition, source in sources.items()
    }
    with (finished / "results.csv").open(newline="") as file:
        rows = {(row["part"], row["comparison"]): row for row in csv.DictReader(file)}
    match_features(lists["baseline"], None, tmp_path / "m" / "baseline", "all", ranks=True, dataset="MORPH")
    original = load_scores(tmp_path / "m" / "baseline" / "all_scores.npz")
    first = load_ranks(tmp_path / "m" / "baseline" / "all_ranks.csv").ranks
    assert set(rows) == {(part, how) for part in PARTS for how in ("within", "cross")}
    for (part, how), row in rows.items():
        gallery = lists["baseline"] if how == "cross" else None
        match_features(lists[part], gallery, tmp_path / "m" / how / part, "all", ranks=True, dataset="MORPH")
        scores = load_scores(tmp_path / "m" / how / part / "all_scores.npz")
        condition = part if how == "within" else f"cross_{part}"
        assert load_scores(finished / "matches" / condition / "all_scores.npz") == scores
        ranks = load_ranks(tmp_path / "m" / how / part / "all_ranks.csv").ranks
        assert load_ranks(finished / "matches" / condition / "all_ranks.csv").ranks.tolist() == ranks.tolist()
        expected = {
            "d_prime": d_prime(*scores),
            "d_prime_change": d_prime(*scores) - d_prime(*original),
            "impostor_mean": scores.impostor.mean,
            "impostor_shift": scores.impostor.mean - original.impostor.mean,
            "authentic_shift": scores.authentic.mean - original.authentic.mean,
            "impostor_ks": kolmogorov_smirnov(original.impostor, scores.impostor),
            "authentic_wasserstein": wasserstein(original.authentic, scores.authentic),
            "rank1_rate": np.mean(ranks == 1),
            "rank1_rate_baseline": np.mean(first == 1),
            "rank1_rate_change": np.mean(ranks == 1) - np.mean(first == 1),
            "rank10_rate": 1,
        }
        for name, value in expected.items():
            assert float(row[name]) == pytest.approx(value, abs=1e-6), name
        assert (row["photos"], row["subjects"], row["authentic_n"]) == ("6", "3", str(scores.authentic.n))
        assert row["fmr_ratio_1e3"] == ""  # 12 impostor scores do not support an FMR of 1e-3
    found = json.loads((finished / "results.json").read_text())
    shifts = {each["part"]: each["effect"] for each in found["rankings"]["all"]}
    assert list(shifts.values()) == sorted(shifts.values(), reverse=True)
    assert shifts == {part: pytest.approx(float(rows[part, "within"]["impostor_shift"])) for part in PARTS}
    assert (finished / "report.html").read_text().startswith("<!")


def test_an_unchanged_rerun_does_no_work(photos, finished, settings, monkeypatch) -> None:
    times = {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.is_file()}
    monkeypatch.setattr("facepart.pipeline.network_files.open_parser", lambda *_: pytest.fail("a network was loaded"))
    outcome = run_study(request_for(photos, finished, settings, cross=True))
    assert (outcome.embedded, outcome.skipped, outcome.compared) == (0, 6, 0)
    changed = {path.name for path, stamp in times.items() if path.stat().st_mtime_ns != stamp}
    assert changed <= {"run.json"}


def test_the_crate_lists_the_folder_and_keeps_its_day(photos, finished, settings, tmp_path) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    crate = out / "ro-crate-metadata.json"
    there = {f"{path.name}{'/' * path.is_dir()}" for path in out.iterdir() if not path.name.startswith(".")}
    root = next(each for each in json.loads(crate.read_text())["@graph"] if each["@id"] == "./")
    assert {each["@id"] for each in root["hasPart"]} == there - {crate.name}
    assert str(photos) not in crate.read_text()

    earlier = crate.read_text().replace(root["datePublished"], "2020-02-29")
    for before, after in ((earlier, earlier), ("{}", earlier.replace("2020-02-29", root["datePublished"]))):
        crate.write_text(before)
        run_study(request_for(photos, out, settings, cross=True))
        assert crate.read_text() == after


def test_without_faces_no_photo_is_in_the_report_nor_in_its_pictures(
    photos, finished, settings, tmp_path, monkeypatch
) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    assert list((out / "pictures").iterdir())
    with np.load(next((out / "pictures").iterdir())) as before:
        assert {"photo", "sample0_photo"} <= set(before)
    pictures = re.compile(r"data:image|<image|<img")
    assert pictures.search((out / "report.html").read_text())
    command = ["study", "-s", str(photos), "-o", str(out), "--parts", *PARTS, "--cross", "--no-faces"]
    command += ["--model", settings["model"], "--device", "cpu", "--precision", "fp32"]
    command += ["-d", "MORPH", "--people", str(write_people(tmp_path / "secret" / "people.csv", ONE_GROUP))]
    assert main(command) == 0
    assert json.loads((out / "run.json").read_text())["settings"]["no_faces"] is True
    page = (out / "report.html").read_text()
    assert not pictures.search(page)
    assert "people.csv, column group" in page and "secret" not in page
    assert not list((out / "pictures").iterdir())

    # With subjects enough, one photo of each makes an average face.
    for module in ("report_images", "experiment"):
        monkeypatch.setattr(f"facepart.study.{module}.MIN_AVERAGED_SUBJECTS", 3)
    assert main(command) == 0
    rows = (out / "results.tex").read_text().splitlines()
    assert sorted(line[:4] for line in rows if line[:4] in PARTS) == PARTS
    assert len(pictures.findall((out / "report.html").read_text())) == 2 * len(PARTS)
    (file,) = (out / "pictures").iterdir()
    with np.load(file) as images:
        assert images["names"].size == 0
        assert set(images) == {"names", "photo", *(f"share_{part}" for part in PARTS)}
        firsts = [read_photo(photos / name) for name in ("000_0.png", "001_0.png", "sub/002_0.png")]
        small = [cv2.resize(photo, (160, 160), interpolation=cv2.INTER_AREA) for photo in firsts]
        assert np.abs(images["photo"] - np.mean(small, axis=0)).mean() < 2


def test_a_changed_setting_redoes_what_depends_on_it_and_says_why(photos, drawn, tmp_path) -> None:
    told: list[str] = []
    one = request_for(photos, tmp_path / "out", drawn, parts=["eyes"])
    run_study(one)
    outcome = run_study(request_for(photos, tmp_path / "out", drawn), on_note=told.append)
    assert (outcome.embedded, outcome.compared) == (6, 1)
    assert told == ["6 photos are embedded with more occlusions: nose"]
    # Groups: nothing is embedded, the groups are compared.
    people = write_people(tmp_path / "people.csv")
    grouped = request_for(photos, tmp_path / "out", drawn, people=people, groups=["CM"])
    outcome = run_study(grouped, on_note=told.append)
    assert (outcome.embedded, outcome.compared, len(told)) == (0, 3, 1)
    # The mirrored face: everything, and why; and back again: nothing.
    outcome = run_study(request_for(photos, tmp_path / "out", drawn, flip=True), on_note=told.append)
    assert (outcome.embedded, outcome.compared) == (6, 3)
    assert told[1:] == ["the mirroring has changed: 6 photos are embedded anew"]
    assert run_study(request_for(photos, tmp_path / "out", drawn), on_note=told.append).embedded == 0
    # What was reached by changes is what a study in one go gives.
    run_study(request_for(photos, tmp_path / "fresh", drawn))
    ours, fresh = answer(tmp_path / "out"), answer(tmp_path / "fresh")
    for name in fresh:
        if name != "report.html":
            assert ours[name] == fresh[name], name


def test_authentic_pairs_of_one_session_are_left_out_in_every_condition(photos, drawn, tmp_path) -> None:
    def run(**changes: object):
        return run_study(request_for(photos, tmp_path / "out", drawn, cross=True, **changes))

    run(keep=["features"])
    # Both photos of 000, and those of 001, are of one session; those of 002 are not.
    pattern = "(00[01]|_[0-9])"
    outcome = run(exclude_same=pattern)
    assert (outcome.embedded, outcome.compared) == (0, 5)
    for condition in ("baseline", *PARTS, "cross_eyes", "cross_nose"):
        part = condition.removeprefix("cross_")
        probe, original = (tmp_path / "out" / "features" / name / "list.txt" for name in (part, "baseline"))
        gallery = original if condition != part else None
        out = match_features(
            probe, gallery, tmp_path / condition, "all", save="distribution", exclude_same=pattern, dataset="MORPH"
        )
        assert (out.authentic, out.excluded) == ((2, 4) if gallery else (1, 2))
        assert load_scores(tmp_path / "out" / "matches" / condition / "all_scores.npz") == load_scores(
            tmp_path / condition / "all_scores.npz"
        )
    with (tmp_path / "out" / "results.csv").open(newline="") as file:
        assert {row["comparison"]: row["authentic_n"] for row in csv.DictReader(file)} == {
            "within": "1",
            "cross": "2",
        }
    assert json.loads((tmp_path / "out" / "run.json").read_text())["settings"]["exclude_same"] == pattern
    words = f"uthentic pairs with equal matches of '{pattern}'"
    assert f"A{words} were left out." in (tmp_path / "out" / "methods.txt").read_text()
    assert f"a{words}" in html.unescape((tmp_path / "out" / "report.html").read_text())
    # Another pattern, and none, are compared anew; the same one is not.
    assert run(exclude_same=pattern).compared == 0
    assert run(exclude_same="_[0-9]").compared == 5
    assert run().compared == 5
    with pytest.raises(FacepartError, match=r"baseline/000_0: no day can be read from this name by -d ND_GENDERS_V3"):
        run_study(request_for(photos, tmp_path / "fresh", drawn, dataset="ND_GENDERS_V3"))
    assert not (tmp_path / "fresh").exists()


def test_a_photo_that_was_replaced_or_added_is_embedded_and_only_that(photos, drawn, tmp_path) -> None:
    mine = tmp_path / "photos"
    shutil.copytree(photos, mine)
    run_study(request_for(mine, tmp_path / "out", drawn))
    shutil.copy(mine / "000_0.png", mine / "003_0.png")
    write_image(mine / "001_1.png", read_photo(mine / "001_1.png")[:, ::-1].copy())
    outcome = run_study(request_for(mine, tmp_path / "out", drawn))
    assert (outcome.embedded, outcome.compared) == (2, 3)
    run_study(request_for(mine, tmp_path / "fresh", drawn))
    assert answer(tmp_path / "out") | {"report.html": b""} == answer(tmp_path / "fresh") | {"report.html": b""}


def test_groups_failures_and_people_without_a_group(photos, drawn, tmp_path) -> None:
    mine = tmp_path / "photos"
    shutil.copytree(photos, mine)
    (mine / "000_2.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    shutil.copy(photos / "000_0.png", mine / "004_0.png")
    people = write_people(tmp_path / "people.csv", "subject,group\n000,CM\n001,CM\n002,CF\n009,AAF\n004,\n")
    # Named, a group of one subject is an error; otherwise it is left out.
    with pytest.raises(FacepartError, match="the photos of group 'CF' show one subject"):
        run_study(request_for(mine, tmp_path / "out", drawn, people=people, groups=["CM", "CF"]))
    all_groups = run_study(request_for(mine, tmp_path / "all", drawn, people=people))
    assert list(all_groups.members.groups) == ["CM"]
    assert all_groups.members.small == {"CF": 1}
    outcome = run_study(request_for(mine, tmp_path / "out", drawn, people=people, groups=["CM"]))
    assert (outcome.embedded, outcome.skipped, outcome.left_out) == (4, 0, 3)  # only those of the group
    assert [failure.stage for failure in outcome.failures] == ["read"]
    assert "000_2.png" in (tmp_path / "out" / "failures.csv").read_text()
    assert outcome.members.groups == {"CM": ["000_0", "000_1", "001_0", "001_1"]}
    assert outcome.members.without_group == ["004"]
    twice = write_people(tmp_path / "twice.csv", "subject,group\n000,CM\n001,CM\n000,CF\n")
    with pytest.raises(FacepartError, match="puts 000 into two groups"):
        run_study(request_for(mine, tmp_path / "out", drawn, people=twice))


def test_what_is_kept_is_what_the_scripts_write(photos, drawn, tmp_path) -> None:
    keep = ["masks", "photos", "features", "pairs"]
    run_study(request_for(photos, tmp_path / "out", drawn, keep=keep))
    blur_photos(
        photos, tmp_path / "m", tmp_path / "b", parts=PARTS, model=drawn["parser"], device="cpu", precision="fp32"
    )
    for ours, theirs in (("masks", "m"), ("blurred", "b")):
        expected, found = (
            sorted(path.relative_to(folder) for path in folder.rglob("*.png"))
            for folder in (tmp_path / theirs, tmp_path / "out" / ours)
        )
        assert found == expected
        for path in expected:
            assert (tmp_path / "out" / ours / path).read_bytes() == (tmp_path / theirs / path).read_bytes()
    for condition in ("baseline", *PARTS):
        listed = tmp_path / "out" / "features" / condition / "list.txt"
        match_features(listed, None, tmp_path / "again" / condition, "all", dataset="MORPH")
        for name in ("all_scores.npz", "all_impostor.npy", "all_authentic.npy", "all_labels.txt"):
            there = tmp_path / "out" / "matches" / condition / name
            assert there.read_bytes() == (tmp_path / "again" / condition / name).read_bytes()
    # Kept or not, the answer is the same; and a file that is lost is made again.
    run_study(request_for(photos, tmp_path / "plain", drawn))
    for name in ("baseline", *PARTS):
        path = Path("matches") / name / "all_scores.npz"
        assert (tmp_path / "out" / path).read_bytes() == (tmp_path / "plain" / path).read_bytes()
    lost = tmp_path / "out" / "masks" / "mask_nose" / "000_1_annotation.png"
    before = lost.read_bytes()
    lost.unlink()
    outcome = run_study(request_for(photos, tmp_path / "out", drawn, keep=keep))
    assert (outcome.embedded, lost.read_bytes()) == (1, before)
    # Other settings, so other features: the kept ones follow.
    old = np.load(tmp_path / "out" / "features" / "nose" / "000_0.npy")
    run_study(request_for(photos, tmp_path / "out", drawn, keep=keep, flip=True))
    assert not np.array_equal(np.load(tmp_path / "out" / "features" / "nose" / "000_0.npy"), old)
    # And back: the embeddings are there, the pictures are made again.
    assert run_study(request_for(photos, tmp_path / "out", drawn, keep=keep)).compared == 3
    assert np.array_equal(np.load(tmp_path / "out" / "features" / "nose" / "000_0.npy"), old)
    assert lost.read_bytes() == before


def study_in_small_shards(arguments: list[str]) -> None:
    """Run the command with shards of four photos, so that there is something to lose and something to find."""
    embedding_store.SHARD_PHOTOS = 4
    sys.exit(main(["study", *arguments]))


def test_killed_at_random_moments_and_resumed(photos, drawn, tmp_path) -> None:
    many = tmp_path / "photos"
    for copy in range(3):
        shutil.copytree(photos, many, dirs_exist_ok=True)
        for path in list(photos.glob("*.png")):
            shutil.copy(path, many / f"{path.stem}{copy}.png")
    options = ["-s", many, "--parts", *PARTS, "--model", drawn["model"], "--parser", drawn["parser"]]
    options += ["--precision", "fp32", "--device", "cpu"]
    # Processes forked from one that has loaded all libraries: they are killed at work, not while they load.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])

    def start(out: Path) -> BaseProcess:
        process = context.Process(target=study_in_small_shards, args=([*map(str, options), "-o", str(out)],))
        process.start()
        return process

    loading = context.Process(target=int)
    loading.start()
    loading.join()
    begun = time.monotonic()
    whole = start(tmp_path / "whole")
    whole.join()
    assert whole.exitcode == 0
    lasts = time.monotonic() - begun
    dice = random.Random(7)
    for _ in range(7):
        process = start(tmp_path / "killed")
        process.join(dice.uniform(0.1, 0.9) * lasts)
        process.kill()
        process.join()
    last = start(tmp_path / "killed")
    last.join()
    assert last.exitcode == 0
    assert answer(tmp_path / "killed") == answer(tmp_path / "whole")


def test_the_command(photos, settings, tmp_path, run: Run) -> None:
    options = ["-s", photos, "-o", tmp_path / "out", "--parts", "eyes,nose", "--model", settings["model"]]
    dry = run("-m", "facepart", "study", *options, "--dry-run", "--device", "cpu")
    assert dry.returncode == 0, dry.stderr
    assert "6 photos, 6 of them to embed" in dry.stdout
    assert "all: 6 photos of 3 subjects, 45 pairs in 3 conditions" in dry.stdout
    assert not (tmp_path / "out").exists()
    done = run("-m", "facepart", "study", *options, "--device", "cpu", "--profile")
    assert done.returncode == 0, done.stderr
    assert "1." in done.stdout
    assert f"report: {tmp_path / 'out' / 'report.html'}" in done.stdout
    assert "the report shows photos of 3 subjects and an average face; --no-faces leaves them out" in done.stdout
    assert "network" in done.stdout


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        (["-s", "missing"], 1, "missing: no such"),
        (["--parts", "ear"], 2, "unknown part 'ear'"),
        (["--keep", "all"], 2, "--keep 'all': unknown; known: masks photos features pairs"),
        (["--groups", "CM"], 1, "--groups chooses from a table of people"),
        (["--people", "missing.csv"], 1, "no such table of subjects"),
        (["-o", "taken"], 1, "holds the outputs of `match`"),
    ],
)
def test_mistakes_are_one_line(photos, tmp_path, run: Run, changes: list[str], status: int, reason: str) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "run.json").write_text('{"stage": "match", "settings": {}}')
    given = {"-s": str(photos), "-o": str(tmp_path / "out"), **dict([changes])}
    for flag in ("-s", "-o", "--people"):
        if flag in changes:
            given[flag] = str(tmp_path / changes[1])
    done = run("-m", "facepart", "study", *[word for pair in given.items() for word in pair])
    assert done.returncode == status
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_one_line_and_leaves_what_was_there(photos, drawn, tmp_path, monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(np, "savez", full)
        with pytest.raises(FacepartError, match="No space left on device"):
            run_study(request_for(photos, tmp_path / "out", drawn))
    assert not list((tmp_path / "out").rglob("*.part"))
    assert run_study(request_for(photos, tmp_path / "out", drawn)).embedded == 6


def test_a_photo_without_a_face_is_told_and_the_rest_goes_on(face_paths, drawn, detector_weights, tmp_path) -> None:
    del detector_weights
    for number, path in enumerate(face_paths[:4]):
        write_image(tmp_path / "photos" / f"{number // 2:03}_{number % 2}.png", read_photo(path))
    write_image(tmp_path / "photos" / "003_0.png", np.full((300, 300, 3), 127, np.uint8))
    wanted = request_for(tmp_path / "photos", tmp_path / "out", drawn, align=True, keep=["photos"])
    outcome = run_study(wanted)
    assert [(failure.path.name, failure.stage) for failure in outcome.failures] == [("003_0.png", "align")]
    assert "003_0.png" in (tmp_path / "out" / "report.html").read_text()
    assert outcome.members.subjects == {"all": 2}
    assert read_photo(tmp_path / "out" / "photos" / "000_0.png").shape == (224, 224, 3)
    again = run_study(wanted)
    assert (again.embedded, len(again.failures)) == (0, 1)


def test_what_the_library_refuses(photos, drawn, tmp_path) -> None:
    with pytest.raises(UsageError, match="unknown part"):
        run_study(request_for(photos, tmp_path / "out", drawn, parts=["ear"]))
    write_list(tmp_path / "one.txt", [photos / "000_0.png", photos / "000_1.png"])
    with pytest.raises(FacepartError, match="the photos show one subject"):
        run_study(request_for(tmp_path / "one.txt", tmp_path / "out", drawn))
