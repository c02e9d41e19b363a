"""Listed pairs: their scores are those of the full match, and what the runner and its command say of the others."""

import csv
import json
import random
import unicodedata
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from facepart.data.pair_list import read_pair_list
from facepart.errors import FacepartError
from facepart.matching.cosine import unit_rows
from facepart.matching.features import read_features
from facepart.matching.groups import Group, read_group
from facepart.matching.listed_pairs import ListedOutcome
from facepart.matching.match import match_features
from facepart.matching.match_listed import match_pairs
from facepart.matching.output import Save
from facepart.matching.pair_scores import score_pairs
from facepart.scores import ScoreDistribution, load_scores
from facepart.scores.subject_sums import BIN, load_subject_sums, load_subject_sums_of
from tests.conftest import Run
from tests.test_matching import listed
from tests.test_matching_features import write_list

pytestmark = pytest.mark.slow

Rows = list[dict[str, str]]
PEOPLE, PHOTOS = 250, 5


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A matrix of 1,250 faces of 250 subjects, three tiles of them, and of their copies with a part occluded."""
    folder = tmp_path_factory.mktemp("faces")
    rng = np.random.default_rng(0)
    matrix = np.repeat(rng.normal(size=(PEOPLE, 512)), PHOTOS, axis=0) + rng.normal(size=(PEOPLE * PHOTOS, 512))
    labels = "".join(f"{{}}/{person:03d}_{photo}\n" for person in range(PEOPLE) for photo in range(PHOTOS))
    for name, more in (("baseline", 0.0), ("nose", 0.5)):
        (folder / name).mkdir()
        occluded = matrix + more * rng.normal(size=matrix.shape)
        np.save(folder / name / "features.npy", occluded.astype(np.float32))
        (folder / name / "labels.txt").write_text(labels.replace("{}", name))
    return folder


def pairs_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "pairs.txt"
    path.write_text(text)
    return path


def score(group: Group, pairs: Path, output: Path, **options: object) -> ListedOutcome:
    (outcome,) = match_pairs([group], read_pair_list(pairs), output, workers=2, **options)  # type: ignore[arg-type]
    return outcome


def csv_rows(path: Path) -> Rows:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def some_of_all_scores(folder: Path, group: str, count: int) -> dict[tuple[str, str], tuple[str, str]]:
    """The label and the score of some pairs, and of every third authentic one, from the files of a full match.

    Asserts that each of `count` pairs is there once.
    """
    ours = [line.split(" ", 1)[1] for line in (folder / f"{group}_labels.txt").read_text().splitlines()]
    path = folder / f"{group}_gallery_labels.txt"
    theirs = [line.split(" ", 1)[1] for line in path.read_text().splitlines()] if path.exists() else ours
    by_kind = {kind: np.load(folder / f"{group}_{kind}.npy") for kind in ("authentic", "impostor")}
    rows = np.concatenate(list(by_kind.values()))
    assert len(rows) == len(np.unique(rows[:, 0] * len(theirs) + rows[:, 1])) == count
    authentic = len(by_kind["authentic"])
    found = {}
    for number in [*random.Random(0).sample(range(count), 20_000), *range(0, authentic, 3)]:
        probe, gallery, value = rows[number].tolist()
        kind = "authentic" if number < authentic else "impostor"
        found[ours[int(probe)], theirs[int(gallery)]] = kind, f"{value:.6f}"
    return found


@pytest.mark.parametrize("cross", [False, True])
def test_scores_are_to_the_last_digit_those_of_the_full_match(
    faces: Path, tmp_path: Path, cross: bool, mkl: None
) -> None:
    probe, gallery = (faces / name / "features.npy" for name in ("nose", "baseline"))
    match_features(probe, gallery if cross else None, tmp_path / "full", "CM")
    full = some_of_all_scores(tmp_path / "full", "CM", 1250 * 1249 if cross else 1250 * 1249 // 2)
    # Some of them twice.
    chosen = [*full, *[pair for pair in full if full[pair][0] == "authentic"][::3]]
    random.Random(1).shuffle(chosen)
    lines = [
        f"{one}\t{other}" if cross or place % 2 else f"{other}\t{one}" for place, (one, other) in enumerate(chosen)
    ]
    group = read_group("CM", probe, gallery if cross else None)
    outcome = score(group, pairs_file(tmp_path, "\n".join(lines)), tmp_path / "out")
    found = csv_rows(tmp_path / "out" / "CM_pairs.csv")
    assert [(row["label"], row["score"]) for row in found] == [full[pair] for pair in chosen]
    assert [row["line"] for row in found] == [str(line) for line in range(1, len(chosen) + 1)]
    assert [f"{row['probe']}\t{row['gallery']}" for row in found] == lines
    assert outcome.compared == outcome.pairs == len(chosen)
    assert outcome.repeated.count == len(chosen) - len(set(chosen)) > 0


def test_scores_are_cosines_whatever_the_tile_or_the_threads(faces: Path, mkl: None) -> None:
    matrix = np.load(faces / "baseline" / "features.npy")
    other = np.load(faces / "nose" / "features.npy")
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, len(matrix), (2, 3000))
    first[:500], second[500:1000] = 7, 9  # one face in many pairs, on either side
    same = first // PHOTOS == second // PHOTOS
    for gallery in (None, other):
        theirs = matrix if gallery is None else gallery
        ours, others = (side.astype(np.float64) for side in (matrix[first], theirs[second]))
        lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(others, axis=1)
        cosines = (ours * others).sum(1) / lengths
        found = score_pairs(matrix, gallery, first, second, same, workers=1)
        assert np.abs(found / 1e6 - cosines).max() < 1.2e-6
        for tile, workers in ((64, 3), (512, 3), (2048, 1)):
            again = score_pairs(matrix, gallery, first, second, same, workers=workers, tile=tile)
            assert np.array_equal(found, again)
        order = rng.permutation(3000)
        assert np.array_equal(
            found[order], score_pairs(matrix, gallery, first[order], second[order], same[order], workers=1)
        )


def test_all_files_agree_with_brute_force(faces: Path, tmp_path: Path) -> None:
    features = read_features(faces / "baseline" / "features.npy")
    rng = np.random.default_rng(3)
    first, second = rng.integers(0, 400, (2, 5000))
    pairs = [(i, j) for i, j in zip(first.tolist(), second.tolist(), strict=True) if i != j]
    path = pairs_file(tmp_path, "\n".join(f"{features.labels[i]}, {features.labels[j]}" for i, j in pairs))
    outcome = score(Group("CM", features, None), path, tmp_path / "out")
    units = unit_rows(features.matrix).astype(np.float64)
    cosines = np.array([units[i] @ units[j] for i, j in pairs])
    same = np.array([i // PHOTOS == j // PHOTOS for i, j in pairs])
    assert (outcome.authentic, outcome.impostor) == (same.sum(), (~same).sum())
    scores, rows = load_scores(tmp_path / "out" / "CM_scores.npz"), {}
    for kind, chosen in (("authentic", same), ("impostor", ~same)):
        rows[kind] = np.load(tmp_path / "out" / f"CM_{kind}.npy")
        assert rows[kind].dtype == np.float64
        assert rows[kind][:, :2].tolist() == [list(pair) for pair, keep in zip(pairs, chosen, strict=True) if keep]
        np.testing.assert_allclose(rows[kind][:, 2], cosines[chosen], rtol=0, atol=1.2e-6)
        assert getattr(scores, kind) == ScoreDistribution.of(rows[kind][:, 2])
    sums = load_subject_sums_of(tmp_path / "out" / "CM_people.npz", scores._asdict())
    assert sums.subjects.tolist() == sorted({f"{i // PHOTOS:03d}" for pair in pairs for i in pair})
    assert outcome.subjects == len(sums.subjects)
    for number, name in enumerate(sums.subjects.tolist()):
        for kind, found in (("authentic", sums.authentic), ("impostor", sums.impostor)):
            of_subject = [value for i, j, value in rows[kind] if int(name) in (i // PHOTOS, j // PHOTOS)]
            assert found.count[number] == len(of_subject)
            assert found.total[number] == pytest.approx(sum(of_subject), abs=1e-5)
            assert found.squares[number] == pytest.approx(sum(value**2 for value in of_subject), abs=1e-5)
            bins = [int((round(value * 1e6) - sums.lowest) // BIN) for value in of_subject]
            expected = np.bincount([place for place in bins if place >= 0], minlength=found.bins.shape[1])
            assert np.array_equal(found.bins[number], expected)


@pytest.mark.parametrize("save", ["pairs", "distribution", "both"])
def test_what_is_saved_is_what_was_asked_for(tmp_path: Path, save: Save) -> None:
    group = read_group("CM", listed(tmp_path / "f"), None)
    path = pairs_file(tmp_path, "f/001_1 f/001_2\nf/001_1 f/003_1\n")
    assert score(group, path, tmp_path / "out", save=save).saved == save
    found = {each.name for each in (tmp_path / "out").iterdir()} - {"run.json", "CM_labels.txt", "CM_pairs.csv"}
    pairs, distribution = {"CM_authentic.npy", "CM_impostor.npy"}, {"CM_scores.npz", "CM_people.npz"}
    assert found == {"pairs": pairs, "distribution": distribution, "both": pairs | distribution}[save]


def test_photos_go_by_label_path_or_name(tmp_path: Path) -> None:
    one, other = listed(tmp_path / "x" / "f"), listed(tmp_path / "y" / "f", ["001_1", "009_1", "010_1.v2"])
    source = write_list(
        tmp_path / "all.txt", [Path(line) for each in (one, other) for line in each.read_text().split()]
    )
    group = read_group("CM", source, None)
    text = (
        "f/001_2,002_1\nphotos/CM/f/001_2.jpg,002_1.png\n./f/001_2.npy,f\\002_1\n"
        f"{tmp_path}/x/f/001_1.npy,y/f/001_1\nf/010_1.v2,010_1.v2.jpg\n010_1.v2,009_1\n"
    )
    score(group, pairs_file(tmp_path, text), tmp_path / "out", subject_pattern=r".*/(\w+)")
    rows = csv_rows(tmp_path / "out" / "CM_pairs.csv")
    assert [(row["probe"], row["gallery"]) for row in rows[:3]] == [("x/f/001_2", "x/f/002_1")] * 3
    assert len({row["score"] for row in rows[:3]}) == 1
    # Labels with more folders tell the two 001_1 apart.
    assert (rows[3]["probe"], rows[3]["gallery"]) == ("x/f/001_1", "y/f/001_1")
    assert [row["note"] for row in rows] == ["", "", "", "", "same photo", ""]
    with pytest.raises(
        FacepartError, match=r"pairs.txt: line 2: 'f/001_1' fits 2 features .*/x/f/001_1.npy and .*/y/f"
    ):
        score(
            group, pairs_file(tmp_path, "001_2 002_1\n002_1 f/001_1\n"), tmp_path / "out", subject_pattern=r".*/(\w+)"
        )
    # Another folder's photo of that name is another photo.
    with pytest.raises(
        FacepartError, match=r"no pair of 1 can be compared: 1 photo without an embedding in .*g/001_2"
    ):
        score(group, pairs_file(tmp_path, "002_1 g/001_2\n"), tmp_path / "out", subject_pattern=r".*/(\w+)")


@pytest.mark.parametrize(("root", "more"), [("", []), ("", ["Bob/1/1.5"]), ("/data/frames/", ["Bob/1/1.5"])])
def test_a_photo_without_a_feature_does_not_take_that_of_another_subject(
    tmp_path: Path, root: str, more: list[str]
) -> None:
    """Frames have the same folder and name whoever they show; no face was found in Bob's first video."""
    names = ["Ann/0/0.12", "Ann/1/1.5", "Cy/0/0.7", "Cy/1/1.5", *more]
    for number, name in enumerate(names):
        (tmp_path / "f" / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / "f" / f"{name}.npy", np.eye(8, dtype=np.float32)[number])
    source = write_list(tmp_path / "list.txt", [tmp_path / "f" / f"{name}.npy" for name in names])
    lines = [("Ann/0/0.12", "Ann/1/1.5"), ("Bob/0/0.12", "Cy/0/0.7"), ("Bob/0/0.12", "Ann/1/1.5")]
    pairs = pairs_file(tmp_path, "".join(f"{root}{one}.jpg {root}{other}.jpg\n" for one, other in lines))
    done = score(read_group("YT", source, None), pairs, tmp_path / "out", subject_pattern="([^/]+)/[^/]+/[^/]+$")
    assert (done.authentic, done.impostor) == (1, 0)
    rows = csv_rows(tmp_path / "out" / "YT_pairs.csv")
    assert [row["note"] for row in rows] == ["", *["no feature of the probe"] * 2]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_are_found_in_any_normal_form(tmp_path: Path, form: Literal["NFC", "NFD"]) -> None:
    names = ["Zo\u00eb_1", "Zo\u00eb_2", "Ann_1"]
    probe = listed(tmp_path / "f", [unicodedata.normalize(form, name) for name in names])
    gallery = listed(tmp_path / "g", [unicodedata.normalize("NFC", name) for name in names])
    text = unicodedata.normalize("NFD" if form == "NFC" else "NFC", f"{names[0]} {names[1]}\n{names[2]} {names[0]}\n")
    text += f"{names[0]} {names[0]}\n"
    for source in (None, gallery):
        done = score(read_group("CM", probe, source), pairs_file(tmp_path, text), tmp_path / "out", dataset="MORPH")
        assert (done.authentic, done.impostor, done.same_photo.count) == (1, 1, 1)


@pytest.mark.parametrize("folder", ["", "f/", "/photos/", "/photos/f/"])
def test_photos_of_a_matrix_go_by_labels_with_more_folders(tmp_path: Path, folder: str) -> None:
    np.save(tmp_path / "features.npy", np.eye(4, dtype=np.float32))
    labels = ["x/0/1", "x/1/1", "y/0/1", "y/1/1"]
    (tmp_path / "labels.txt").write_text("".join(f"{label}\n" for label in labels))
    group = read_group("CM", tmp_path / "features.npy", None)
    path = pairs_file(tmp_path, f"{folder}x/0/1.jpg {folder}x/1/1.jpg\n{folder}x/0/1.jpg {folder}y/1/1.jpg\n")
    score(group, path, tmp_path / "out", subject_pattern=r"^(\w+)/")
    rows = csv_rows(tmp_path / "out" / "CM_pairs.csv")
    assert [(row["probe"], row["gallery"]) for row in rows] == [("x/0/1", "x/1/1"), ("x/0/1", "y/1/1")]
    with pytest.raises(FacepartError, match="'0/1' fits 2 features"):
        score(group, pairs_file(tmp_path, "0/1 x/1/1\n"), tmp_path / "out", subject_pattern=r"^(\w+)/")


def test_pairs_that_are_not_compared_are_named_and_keep_their_row(tmp_path: Path, run_process: Run, run: Run) -> None:
    source, gallery = listed(tmp_path / "f"), listed(tmp_path / "g", seed=1)
    text = "f/001_1,f/001_2\nf/001_1,f/404_1\nf/002_1,f/002_1\nf/001_2,f/001_1\nf/405_1,f/404_1\nf/003_1,f/001_1\n"
    path = pairs_file(tmp_path, text)
    command = ["-m", "facepart", "match", "-p", source, "-gr", "CM", "-o", tmp_path / "out", "--pairs", path]
    done = run_process(*command)
    assert done.returncode == 0
    assert "CM: compared 3 of 6 pairs: 2 authentic and 1 impostor score, written to" in done.stdout
    assert done.stderr.splitlines() == [
        "facepart: CM: 2 of 6 pairs are not compared, because 2 photos have no embedding, e.g. f/404_1 "
        f"({path}, line 2)",
        f"facepart: CM: 1 pair of a photo with itself left out, e.g. line 3 of {path}",
        f"facepart: CM: 1 pair repeats an earlier one, e.g. line 4 of {path}; each counts",
    ]
    rows = csv_rows(tmp_path / "out" / "CM_pairs.csv")
    assert [row["line"] for row in rows] == list("123456")
    assert [row["label"] for row in rows] == ["authentic", "", "authentic", "authentic", "", "impostor"]
    assert [bool(row["score"]) for row in rows] == [True, False, False, True, False, True]
    assert [row["note"] for row in rows] == [
        *("", "no feature of the gallery photo", "same photo", "", "no feature of the probe", "")
    ]
    assert (rows[1]["gallery"], rows[4]["probe"]) == ("f/404_1", "f/405_1")
    assert rows[0]["score"] == rows[3]["score"]
    counts = json.loads((tmp_path / "out" / "run.json").read_text())["counts"]["CM"]
    assert (counts["compared"], counts["without_feature"], counts["photos_without"]) == (3, 2, 2)
    # With a gallery, the second photo is looked up there; a photo and its own other version only if asked for.
    command += ["-g", gallery]
    path.write_text("001_1,001_2\n001_2,001_1\n001_1,001_1\n003_1,001_1\n")
    done = run(*command)
    assert "CM: compared 3 of 4 pairs: 2 authentic" in done.stdout
    assert "CM: 1 pair of a photo with itself left out, e.g. line 3" in done.stderr
    assert "repeat" not in done.stderr
    rows = csv_rows(tmp_path / "out" / "CM_pairs.csv")
    assert (rows[0]["probe"], rows[0]["gallery"]) == ("f/001_1", "g/001_2")
    done = run(*command, "--include-same-photo")
    assert "CM: compared 4 of 4 pairs: 3 authentic" in done.stdout


def test_names_that_a_spreadsheet_would_run_are_text_in_the_table(tmp_path: Path) -> None:
    group = read_group("CM", listed(tmp_path / "=f", ["001_1", "001_2"]), None)
    path = pairs_file(tmp_path, '=f/001_1,=f/001_2\n=f/001_1,"@SUM(1,2)/001_9"\n')
    score(group, path, tmp_path / "out", subject_pattern=r".*/(\d+)")
    rows = csv_rows(tmp_path / "out" / "CM_pairs.csv")
    assert [(row["probe"], row["gallery"]) for row in rows] == [
        ("'=f/001_1", "'=f/001_2"),
        ("'=f/001_1", "'@SUM(1,2)/001_9"),
    ]
    assert float(rows[0]["score"]) < 1


def test_labels_of_the_list_are_used_and_contradictions_named(tmp_path: Path, run: Run) -> None:
    source = listed(tmp_path / "f")
    path = pairs_file(tmp_path, "f/001_1 f/001_2 same\nf/001_1 f/002_1 same\nf/001_1 f/003_1 different\n")
    command = ["-m", "facepart", "match", "-p", source, "-gr", "CM", "-o", tmp_path / "out", "--pairs", path]
    done = run(*command)
    assert done.returncode == 0
    assert "2 authentic and 1 impostor score" in done.stdout
    assert f"CM: the labels of 1 pair, e.g. line 2 of {path}, are not those of the naming convention" in done.stderr
    assert not (tmp_path / "out" / "CM_people.npz").exists()
    # A rule that does not fit at all is needed only where there are no labels.
    done = run(*command, "--subject-pattern", "(x)")
    assert done.returncode == 0
    assert "does not match --subject-pattern '(x)'; the labels of the list are used" in done.stderr
    path.write_text("f/001_1 f/001_2\nf/001_1 f/003_1\n")
    assert run(*command, "--subject-pattern", "(x)").returncode == 1
    assert run(*command).returncode == 0
    assert load_subject_sums(tmp_path / "out" / "CM_people.npz").subjects.tolist() == ["001", "003"]
    path.write_text("f/001_1 f/001_2 1\nf/003_1 f/001_2 0\nf/001_2 f/001_1 0\n")
    done = run(*command)
    assert done.returncode == 1
    assert done.stderr == f"facepart: {path}: lines 1 and 3 list one pair with different labels; correct them\n"


def test_leftovers_of_another_kind_of_run_are_refused(tmp_path: Path) -> None:
    source = listed(tmp_path / "f")
    group = read_group("CM", source, None)
    path = pairs_file(tmp_path, "f/001_1 f/001_2 1\nf/001_1 f/003_1 0\n")
    score(group, path, tmp_path / "out")
    with pytest.raises(
        FacepartError, match=r"CM_pairs.csv: was written by an earlier run, and this run, without --p"
    ):
        match_features(source, None, tmp_path / "out", "CM")
    match_features(source, None, tmp_path / "full", "CM", ranks=True)
    with pytest.raises(FacepartError, match=r"CM_ranks.csv: was written by an earlier run.*folder with -o$"):
        score(group, path, tmp_path / "full")
    path.write_text("f/001_1 f/001_2 0\nf/001_1 f/003_1 0\n")
    with pytest.raises(
        FacepartError, match=r"CM_people.npz: was written by an earlier run, and this run, whose labels"
    ):
        score(group, path, tmp_path / "out")


@pytest.mark.parametrize(
    "option", [["--people", "x.csv"], ["--exclude-same", "x"], ["--ranks"], ["--ray", "auto"], ["--device", "cuda"]]
)
def test_options_that_do_not_go_with_a_list(tmp_path: Path, run: Run, option: list[str]) -> None:
    source, path = listed(tmp_path / "f"), pairs_file(tmp_path, "f/001_1 f/001_2\n")
    done = run("-m", "facepart", "match", "-p", source, "-gr", "CM", "-o", tmp_path / "o", "--pairs", path, *option)
    assert done.returncode == 2
    assert f"leave out {' '.join(option[: 1 + (option[0] == '--device')])} or --pairs" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def lfw_file(tmp_path: Path, folds: int, size: int) -> Path:
    """Write pairs of subjects 000 to 249 in the form of LFW."""
    rng = random.Random(0)
    rows = [f"{folds}\t{size}"]
    for _ in range(folds):
        rows += [f"{rng.randrange(250):03d}\t{rng.randrange(1, 3)}\t{rng.randrange(3, 6)}" for _ in range(size)]
        for _ in range(size):
            one, other = rng.sample(range(250), 2)
            rows.append(f"{one:03d}\t{rng.randrange(1, 6)}\t{other:03d}\t{rng.randrange(1, 6)}")
    return pairs_file(tmp_path, "\n".join(rows) + "\n")


def test_the_accuracy_by_folds_is_printed_and_recorded(faces: Path, tmp_path: Path, run: Run) -> None:
    # Harder than the features are: much noise.
    rng = np.random.default_rng(5)
    matrix = np.load(faces / "baseline" / "features.npy")
    np.save(tmp_path / "features.npy", (matrix + 2.5 * rng.normal(size=matrix.shape)).astype(np.float32))
    labels = [f"all/{person:03d}_{photo:04d}" for person in range(PEOPLE) for photo in range(1, PHOTOS + 1)]
    (tmp_path / "labels.txt").write_text("\n".join(labels))
    path = lfw_file(tmp_path, 10, 30)
    source, output = tmp_path / "features.npy", tmp_path / "out"
    done = run("-m", "facepart", "match", "-p", source, "-gr", "LFW", "-o", output, "--pairs", path)
    assert done.returncode == 0, done.stderr
    rows = csv_rows(output / "LFW_pairs.csv")
    assert [row["fold"] for row in rows] == [str(fold) for fold in range(1, 11) for _ in range(60)]
    scores = np.array([float(row["score"]) for row in rows])
    same = np.array([row["label"] == "authentic" for row in rows])
    assert np.array_equal(same, np.tile(np.repeat([True, False], 30), 10))
    accuracies = []
    for fold in range(10):
        test = np.arange(600) // 60 == fold
        best = max(np.append(scores[~test], 2), key=lambda t: (np.sum((scores[~test] >= t) == same[~test]), t))
        accuracies.append(np.mean((scores[test] >= best) == same[test]))
    recorded = json.loads((output / "run.json").read_text())["counts"]["LFW"]["accuracy"]
    assert [fold["accuracy"] for fold in recorded["folds"]] == accuracies
    assert recorded["mean"] == pytest.approx(np.mean(accuracies))
    assert recorded["standard_error"] == pytest.approx(np.std(accuracies, ddof=1) / 10**0.5)
    assert 0.6 < recorded["mean"] < 0.999
    said = (
        f"accuracy {100 * recorded['mean']:.2f} %, standard error {100 * recorded['standard_error']:.2f} %, over 10"
    )
    assert said in done.stdout
    # Without the features that some folds need.
    kept = [row for row, label in enumerate(labels) if any(label[4:] in row["probe"] for row in rows[:120])]
    kept += [row for row, label in enumerate(labels) if any(label[4:] in row["gallery"] for row in rows[:120])]
    np.save(tmp_path / "features.npy", np.load(source)[sorted(set(kept))])
    (tmp_path / "labels.txt").write_text("\n".join(labels[row] for row in sorted(set(kept))))
    done = run("-m", "facepart", "match", "-p", source, "-gr", "LFW", "-o", output, "--pairs", path)
    assert done.returncode == 0
    assert "pairs are not compared, because" in done.stderr
    assert csv_rows(output / "LFW_pairs.csv")[:120] == rows[:120]


def test_the_score_files_are_read_by_plot(tmp_path: Path, run: Run) -> None:
    source = listed(tmp_path / "f", [f"{one}_{number}" for one in "abc" for number in "1234"])
    path = pairs_file(tmp_path, "".join(f"a_{i} {one}_{j}\n" for i in "12" for one in "abc" for j in "34"))
    output = tmp_path / "out"
    done = run("-m", "facepart", "match", "-p", source, "-gr", "CM", "-o", output, "--pairs", path)
    assert done.returncode == 0, done.stderr
    done = run("-m", "facepart", "plot", "-s1", output / "CM_scores.npz", "--kind", "table")
    assert done.returncode == 0
    assert "EER" in done.stdout
    figure = ["-d", tmp_path, "-n", "x"]
    done = run(
        *("-m", "facepart", "plot", "-a1", output / "CM_authentic.npy", "-i1", output / "CM_impostor.npy"), *figure
    )
    assert done.returncode == 0
    assert "4 authentic scores" in done.stdout
    assert "8 impostor scores" in done.stdout


def test_the_pairs_of_lfw_on_matrix_and_list(shared: Path, tmp_path: Path) -> None:
    """The names of the protocol find features of LFW's folders, and of one folder of all."""
    path = shared / "data" / "lfw" / "pairs.txt"
    names = read_pair_list(path).names
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(len(names), 32)).astype(np.float32)
    found = []
    for number, folder in enumerate((None, "all")):
        paths = []
        for name, row in zip(names, matrix, strict=True):
            person, stem = name.split("/")
            paths.append(tmp_path / str(number) / (folder or person) / f"{stem}.npy")
            paths[-1].parent.mkdir(parents=True, exist_ok=True)
            np.save(paths[-1], row)
        source = write_list(tmp_path / f"{number}.txt", paths)
        outcome = score(read_group("LFW", source, None), path, tmp_path / f"out{number}")
        assert (outcome.authentic, outcome.impostor, outcome.without_feature) == (702, 26, 0)
        found.append([row["score"] for row in csv_rows(tmp_path / f"out{number}" / "LFW_pairs.csv")])
    assert found[0] == found[1]
