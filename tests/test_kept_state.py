"""State that is damaged, or of another shape: one line says what to remove, or it is made anew; never believed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facepart.analysis.design import BASELINE_CONDITION, Cell
from facepart.errors import FacepartError
from facepart.files.record import read_record, refuse_other_settings, remove_outdated, with_earlier
from facepart.matching.features import read_features
from facepart.matching.match import match_features
from facepart.networks.mxnet.checkpoint import read_symbol
from facepart.pipeline.embedded_photo import EmbeddedPhoto
from facepart.pipeline.embedding_store import EmbeddingStore
from facepart.pipeline.parts_table import read_parts_table
from facepart.scores import load_scores, read_kind
from facepart.scores.pair_ranks import PairFiles, ranks_of_pairs
from facepart.scores.ranks import COLUMNS, read_ranks
from facepart.scores.subject_sums import load_subject_sums, load_subject_sums_of
from facepart.study.comparisons import Comparisons, read_group_scores, read_scores
from facepart.study.kept_files import write_features
from facepart.study.report_images import read_report_images
from facepart.study.settings import open_settings_folders
from tests.conftest import Run

RNG = np.random.default_rng(0)
NAMES = [f"{person:03}_{shot}" for person in range(4) for shot in range(2)]


def unit_rows(count: int, length: int = 32) -> np.ndarray:
    rows = RNG.standard_normal((count, length)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def put_features(folder: Path, **settings: object) -> Path:
    """Features as `extract` writes them, with their record; return the list."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, row in zip(NAMES, unit_rows(len(NAMES)), strict=True):
        np.save(folder / f"{name}.npy", row)
    settings = {"model": "net", "sha256": "a1", "dimension": 32, **settings}
    (folder / "run.json").write_text(json.dumps({"stage": "extract", "settings": settings}))
    (folder / "list.txt").write_text("".join(f"{name}.npy\n" for name in NAMES))
    return folder / "list.txt"


def assert_one_line(error: BaseException, *words: str) -> None:
    assert type(error) is FacepartError
    assert len(str(error).splitlines()) == 1
    assert len(str(error)) < 600
    assert all(word in str(error) for word in words)


# Records.

RECORDS: dict[str, str | bytes] = {
    "a list": "[]",
    "null": "null",
    "no settings": '{"stage": "match"}',
    "settings a list": '{"stage": "match", "settings": []}',
    "settings null": '{"stage": "match", "settings": null}',
    "counts a list": '{"stage": "match", "settings": {}, "counts": [1]}',
    "counts a number": '{"stage": "match", "settings": {}, "counts": 1}',
    "deep": "[" * 100_000,
    "cut": '{"stage": "match", "sett',
    "not UTF-8": b"\xff\xfe{}",
    "empty": "",
}


@pytest.mark.parametrize("what", RECORDS)
def test_a_record_of_another_shape_is_one_line(tmp_path: Path, what: str) -> None:
    text = RECORDS[what]
    path = tmp_path / "m" / "run.json"
    path.parent.mkdir()
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    listed = put_features(tmp_path / "f")
    calls: list[Callable[[], object]] = [
        lambda: read_record(path.parent),
        lambda: refuse_other_settings(path.parent, "match", {"a": 1}),
        lambda: with_earlier(path.parent, "recipes", {"recipes": {}}),
        lambda: remove_outdated(path.parent, "match", {"a": 1}, [], []),
        lambda: match_features(listed, None, path.parent, "A"),
    ]
    for call in calls:
        with pytest.raises(FacepartError) as caught:
            call()
        assert_one_line(caught.value, str(path), "remove it or choose another folder")


@pytest.mark.parametrize("stage", ["match", "extract"])
def test_a_stage_or_settings_that_are_no_text_are_one_line(tmp_path: Path, stage: str) -> None:
    listed = put_features(tmp_path / "f")
    record = {"stage": [stage], "settings": {"A": [1]}, "counts": None}
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "run.json").write_text(json.dumps(record))
    with pytest.raises(FacepartError) as caught:
        match_features(listed, None, tmp_path / "m", "A")
    assert_one_line(caught.value, "choose another folder")
    # Beside features, such a record is another program's.
    (tmp_path / "f" / "run.json").write_text(json.dumps(record))
    assert read_features(listed).model is None


# Features that `extract` wrote, as its record says.


def test_a_feature_whose_length_is_not_1_is_refused_beside_a_record(tmp_path: Path) -> None:
    listed = put_features(tmp_path / "f")
    victim = tmp_path / "f" / "002_0.npy"
    whole = np.load(victim)
    exponent, half = whole.copy(), whole.copy()
    exponent.view(np.uint32)[np.abs(whole).argmax()] ^= 1 << 25
    half[16:] = 0
    for damaged in (exponent, half, whole * np.float32(1.002)):
        np.save(victim, damaged)
        with pytest.raises(
            FacepartError, match=r"002_0\.npy: has length .*run\.json it is one of `facepart"
        ) as caught:
            read_features(listed)
        assert_one_line(caught.value, "extract it again")
    np.save(victim, whole * np.float32(1.0002))
    read_features(listed)
    # Features of other programs have any length.
    np.save(victim, half)
    (tmp_path / "f" / "run.json").unlink()
    read_features(listed)


def test_features_of_another_dimension_than_the_record_are_refused(tmp_path: Path) -> None:
    listed = put_features(tmp_path / "f", dimension=33)
    with pytest.raises(FacepartError, match=r"has 32 values, and .*run\.json says 33: extract it again"):
        read_features(listed)


def put_matrix(folder: Path, names: list[str]) -> Path:
    put_features(folder)
    np.save(folder / "features.npy", unit_rows(len(names)))
    (folder / "labels.txt").write_text("".join(f"{'/'.join(['f', *name.split('/')][-2:])}\n" for name in names))
    (folder / "names.txt").write_text("".join(f"{name}\n" for name in names))
    return folder / "features.npy"


def test_rows_and_labels_of_a_matrix_are_those_that_extract_wrote(tmp_path: Path) -> None:
    names = ["a/b/1", "a/b/2", "a/3", "4"]
    path = put_matrix(tmp_path / "f", names)
    labels = tmp_path / "f" / "labels.txt"
    assert read_features(path).labels == ["b/1", "b/2", "a/3", "f/4"]
    whole = labels.read_text()
    for other, line in (("b/1\nc/2\na/3\nf/4\n", 2), ("b/2\nb/1\na/3\nf/4\n", 1), ("b/1\nb/2\na/3\nf/5\n", 4)):
        labels.write_text(other)
        with pytest.raises(FacepartError, match=rf"labels\.txt: does not go with names\.txt .* line {line} on"):
            read_features(path)
    labels.write_text(whole)
    matrix = np.load(path)
    matrix[2] *= 0.7
    np.save(path, matrix)
    with pytest.raises(FacepartError, match=r"features\.npy: has length 0\.7.* \(row 2\); extract it again"):
        read_features(path)


# Shards of embeddings.


def put_store(folder: Path) -> EmbeddingStore:
    store = EmbeddingStore(folder, [])
    for name, row in zip(NAMES, unit_rows(len(NAMES)), strict=True):
        store.add(EmbeddedPhoto(name, f"1-{name}", embeddings={"baseline": row}))
    store.flush()
    return store


def with_shard(folder: Path, **arrays: np.ndarray | None) -> None:
    path = folder / "shard-00001.npz"
    with np.load(path) as file:
        found = {**dict(file), **arrays}
    np.savez(path, **{name: array for name, array in found.items() if array is not None})


def as_index(value: Any) -> np.ndarray:
    return np.frombuffer(json.dumps(value).encode(), np.uint8)


def test_a_copy_of_a_shard_is_not_one(tmp_path: Path) -> None:
    put_store(tmp_path)
    (tmp_path / "shard-00001 (copy).npz").write_bytes(b"")
    (tmp_path / "shard-x.npz").write_bytes(b"")
    assert EmbeddingStore(tmp_path, []).photos.keys() == set(NAMES)


LINE = {
    "name": "000_0",
    "signature": "1-1",
    "pixels": {},
    "shares": {},
    "controls": {},
    "head": 0,
    "failure": None,
    "places": {"baseline": 0},
    "recipes": {"baseline": {}},
}


@pytest.mark.parametrize(
    "index",
    [
        1,
        {"a": 1},
        [1],
        [None],
        [[]],
        [{}],
        [{**LINE, "name": 1}],
        [{**LINE, "places": {"baseline": -1}}],
        [{**LINE, "places": {"baseline": "0"}}],
        [{**LINE, "places": [0]}],
        [{**LINE, "recipes": {}}],
        [{**LINE, "pixels": {"eyes": -5}}],
        [{**LINE, "shares": {"eyes": 7.5}}],
        [{**LINE, "failure": "read"}],
        [{**LINE, "failure": ["read"]}],
    ],
    ids=repr,
)
def test_an_index_of_another_shape_is_one_line(tmp_path: Path, index: Any) -> None:
    put_store(tmp_path)
    with_shard(tmp_path, index=as_index([LINE]))
    EmbeddingStore(tmp_path, [])
    for array in (as_index(index), np.frombuffer(b"[" * 100_000, np.uint8), np.array([300.5])):
        with_shard(tmp_path, index=array)
        with pytest.raises(FacepartError) as caught:
            EmbeddingStore(tmp_path, [])
        assert_one_line(caught.value, "shard-00001.npz", "remove it, and its photos are embedded anew")


@pytest.mark.parametrize(
    "rows",
    [
        None,
        np.ones(3, np.float32),
        np.array(1.0, np.float32),
        np.ones((len(NAMES), 32)),
        np.ones((len(NAMES) - 1, 32), np.float32),
        np.array(["a"]),
    ],
    ids=lambda rows: "none" if rows is None else f"{rows.dtype}{rows.shape}",
)
def test_embeddings_of_another_shape_are_one_line(tmp_path: Path, rows: np.ndarray | None) -> None:
    put_store(tmp_path)
    with_shard(tmp_path, embeddings_baseline=rows)
    with pytest.raises(FacepartError) as caught:
        EmbeddingStore(tmp_path, []).embeddings("baseline", NAMES)
    assert_one_line(caught.value, "shard-00001.npz", "remove it, and its photos are embedded anew")


def test_shards_of_two_lengths_and_one_that_vanished_are_one_line(tmp_path: Path) -> None:
    put_store(tmp_path)
    store = EmbeddingStore(tmp_path, [])
    store.add(EmbeddedPhoto("other", "1-1", embeddings={"baseline": np.ones(5, np.float32)}))
    store.flush()
    with pytest.raises(FacepartError) as caught:
        store.embeddings("baseline", [*NAMES, "other"])
    assert_one_line(caught.value, "shard-00002.npz", "remove it")
    (tmp_path / "shard-00002.npz").unlink()
    with pytest.raises(FacepartError) as caught:
        store.embeddings("baseline", ["other"])
    assert_one_line(caught.value, "shard-00002.npz", "it is missing")


# Scores.


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    match_features(put_features(tmp_path / "f"), None, tmp_path / "m", "A", save="both", ranks=True)
    return tmp_path / "m"


def changed(path: Path, **arrays: Any) -> None:
    with np.load(path) as file:
        found = dict(file)
    for name, change in arrays.items():
        found[name] = change(found[name])
    np.savez(path, **found)


def negative(array: np.ndarray) -> np.ndarray:
    found = array.copy()
    found.reshape(-1)[np.argmax(array)] *= -1
    return found


def lost(array: np.ndarray) -> np.ndarray:
    found = array.copy()
    found.reshape(-1)[np.argmax(array)] = 0
    return found


def moved(array: np.ndarray) -> np.ndarray:
    """A high score in another bin."""
    return np.roll(array, 1, axis=1)


SUMS: dict[str, dict[str, Callable[[np.ndarray], np.ndarray]]] = {
    "a negative count": {"impostor_count": negative},
    "a negative bin": {"impostor_bins": negative},
    "a missing count": {"authentic_count": lost},
    "a missing bin": {"impostor_bins": lost},
    "other bins": {"impostor_bins": moved},
    "bins that are missing": {"authentic_bins": lambda array: array[:, :-1]},
    "more in bins than there are": {"authentic_bins": lambda array: array * 50},
    "no numbers": {"authentic_total": lambda array: array * np.nan},
    "infinite squares": {"impostor_squares": lambda array: array + np.inf},
    "sums that are too large": {"impostor_total": lambda array: array + 100},
    "counts as floats": {"authentic_count": lambda array: array.astype(float)},
    "one number": {"authentic_count": lambda array: array.sum()},
    "one subject": {"people": lambda array: array[0]},
    "subjects in another order": {"people": lambda array: array[::-1]},
    "a subject twice": {"people": lambda array: np.array([array[0], *array[:-1]])},
    "subjects as numbers": {"people": lambda array: np.arange(len(array))},
    "a lowest that is a list": {"lowest": lambda array: np.array([array, array])},
    "a lowest beyond": {"lowest": lambda array: np.array(-9_000_000)},
    "another lowest": {"lowest": lambda array: array + 2500},
}


@pytest.mark.parametrize("what", SUMS)
def test_sums_by_subject_that_are_damaged_are_one_line(scores: Path, what: str) -> None:
    path = scores / "A_people.npz"
    known = load_scores(scores / "A_scores.npz")._asdict()
    load_subject_sums_of(path, known)
    changed(path, **SUMS[what])
    with pytest.raises(FacepartError) as caught:
        load_subject_sums_of(path, known)
    assert_one_line(caught.value, str(path), "run `facepart match` again")


def test_sums_that_are_no_arrays_of_ours_are_one_line(scores: Path) -> None:
    path = scores / "A_people.npz"
    for content in (b"", b"PK\3\4" + bytes(50), (scores / "A_impostor.npy").read_bytes()):
        path.write_bytes(content)
        for load in (load_subject_sums, load_scores):
            with pytest.raises(FacepartError) as caught:
                load(path)
            assert_one_line(caught.value, str(path), "not a whole .npz file")


@pytest.mark.parametrize("kind", ["authentic", "impostor"])
def test_pair_files_that_are_damaged_are_one_line(scores: Path, kind: str) -> None:
    path = scores / f"A_{kind}.npy"
    files = PairFiles(scores / "A_authentic.npy", scores / "A_impostor.npy", scores / "A_labels.txt", None)
    whole = path.read_bytes()
    damages = {
        "cut": whole[:-8],
        "a bracket": whole.replace(b"}", b"]", 1),
        "terabytes": whole.replace(b"), }" + b" " * 12, b"000000000000), }", 1),
        "empty": b"",
    }
    for damaged in damages.values():
        assert damaged != whole
        path.write_bytes(damaged)
        for read in (lambda: read_kind(path, kind), lambda: ranks_of_pairs(files, lambda label: label.split("_")[0])):
            with pytest.raises(FacepartError) as caught:
                read()
            assert_one_line(caught.value, str(path))


@pytest.mark.parametrize(
    "text",
    [
        ",".join(COLUMNS) + "\n" + "a" * 140_000 + ",1,1,1,1,a\n",
        ",".join(COLUMNS) + "\na," + "9" * 30 + ",1,1,1,a\n",
        ",".join(COLUMNS) + "\na," + "9" * 5000 + ",1,1,1,a\n",
        ",".join(COLUMNS) + "\na,-1,1,1,1,a\n",
        '"' + "\0" * 10,
    ],
    ids=lambda text: text[-12:].strip(),
)
def test_ranks_that_are_damaged_are_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "A_ranks.csv"
    path.write_text(text)
    with pytest.raises(FacepartError) as caught:
        read_ranks(path)
    assert_one_line(caught.value, str(path))
    (tmp_path / "ranks.txt").write_text("1\n" + "9" * 30 + "\n")
    with pytest.raises(FacepartError, match=r"ranks\.txt: is not a file of ranks"):
        read_ranks(tmp_path / "ranks.txt")


def test_a_table_of_parts_that_is_damaged_is_one_line(tmp_path: Path) -> None:
    for text in (
        "photo,part,pixels,share\n" + "a" * 140_000 + ",eyes,1,0\n",
        "photo\na\n",
        "photo,part,pixels\na,b,c\n",
    ):
        (tmp_path / "parts.csv").write_text(text)
        with pytest.raises(FacepartError, match=r"parts\.csv: .*remove it") as caught:
            read_parts_table(tmp_path)
        assert_one_line(caught.value)


# A study's state.

CELL = Cell("net", BASELINE_CONDITION, "CM")


def compare(output: Path, store: EmbeddingStore) -> bool:
    naming = {"dataset": "MORPH", "subject_pattern": None, "exclude_same": None}
    return Comparisons(output, store, {}, naming, keep_pairs=True, counter=None).run(CELL, NAMES, 1.0)


@pytest.mark.parametrize("file", ["scores.npz", "people.npz", "ranks.csv", "authentic.npy", "impostor.npy"])
@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "a bit"])
def test_scores_of_a_study_that_are_damaged_are_computed_anew(tmp_path: Path, file: str, damage: str) -> None:
    store = put_store(tmp_path / "embeddings")
    assert compare(tmp_path, store)
    assert not compare(tmp_path, store)
    path = tmp_path / "baseline" / f"CM_{file}"
    whole = path.read_bytes()
    at = len(whole) // 2
    damaged = {"empty": b"", "cut": whole[:-3], "a bit": whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :]}
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(damaged[damage])
    if damage == "a bit" and file.endswith(".npy"):
        return  # of pairs, which nothing but the user reads, only the size is looked at
    assert compare(tmp_path, store)
    assert path.read_bytes() == whole
    assert not compare(tmp_path, store)


@pytest.mark.parametrize(
    "text", ["[]", '{"CM": 1}', '{"CM": {"photos": 1}}', "[" * 100_000, "", "\0", '{"CM": "abc"}']
)
def test_a_damaged_list_of_comparisons_counts_as_missing(tmp_path: Path, text: str) -> None:
    store = put_store(tmp_path / "embeddings")
    compare(tmp_path, store)
    (tmp_path / "baseline" / "compared.json").write_text(text)
    assert compare(tmp_path, store)
    assert not compare(tmp_path, store)


def test_a_study_does_not_mix_scores_and_sums_of_two_runs(tmp_path: Path) -> None:
    compare(tmp_path, put_store(tmp_path / "embeddings"))
    read_scores(tmp_path, BASELINE_CONDITION, "CM")
    folder = tmp_path / "baseline"
    compare(tmp_path / "other", put_store(tmp_path / "others"))
    (tmp_path / "other" / "baseline" / "CM_people.npz").replace(folder / "CM_people.npz")
    with pytest.raises(FacepartError, match=r"CM_people\.npz: does not belong to the .* scores beside it"):
        read_scores(tmp_path, BASELINE_CONDITION, "CM")
    assert read_group_scores(tmp_path, BASELINE_CONDITION, "CM").impostor.n == 24


def test_kept_features_are_those_of_the_store(tmp_path: Path) -> None:
    """Of a photo that was replaced, a damaged one, and a missing one, too."""
    store, folder = put_store(tmp_path / "embeddings"), tmp_path / "features" / "baseline"
    write_features(tmp_path, store, [], NAMES, {})
    whole = {path.name: path.read_bytes() for path in folder.glob("*.npy")}
    assert len(whole) == len(NAMES)
    ages = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.npy")}
    np.save(folder / "000_0.npy", unit_rows(1)[0])
    (folder / "000_1.npy").write_bytes(b"")
    (folder / "001_0.npy").unlink()
    write_features(tmp_path, store, [], NAMES, {})
    assert {path.name: path.read_bytes() for path in folder.glob("*.npy")} == whole
    same = {name for name, age in ages.items() if (folder / name).stat().st_mtime_ns == age}
    assert same == whole.keys() - {"000_0.npy", "000_1.npy", "001_0.npy"}


@pytest.mark.parametrize("text", ["[]", "null", "1", "[" * 100_000, "{", "\0"])
def test_settings_of_a_study_of_another_shape_are_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "0123456789ab" / "settings.json"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(FacepartError) as caught:
        open_settings_folders(tmp_path, [{"parser": "a"}])
    assert_one_line(caught.value, str(path), "remove it")


def test_images_of_a_report_of_another_shape_are_taken_anew(tmp_path: Path) -> None:
    path = tmp_path / "images.npz"
    good: dict[str, Any] = {"photo": np.zeros((160, 160, 3), np.uint8), "names": np.array([], dtype=np.str_)}
    np.savez(path, **good)
    assert read_report_images(path, []) is not None
    damages: list[dict[str, Any]] = [
        {"photo": np.zeros(3)},
        {"photo": np.array("a")},
        {"names": np.array(1)},
        {"names": np.array(["a"])},
    ]
    for other in damages:
        np.savez(path, **{**good, **other})
        assert read_report_images(path, []) is None
    for content in (b"", b"PK\3\4" + bytes(60), b"\x93NUMPY"):
        path.write_bytes(content)
        assert read_report_images(path, []) is None


@pytest.mark.parametrize(
    "text", ["[]", '{"nodes": 1}', '{"nodes": [{"op": [], "name": "a", "inputs": []}]}', "[" * 100_000]
)
def test_a_symbol_of_another_shape_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a-symbol.json"
    path.write_text(text)
    with pytest.raises(FacepartError, match="is not an MXNet symbol") as caught:
        read_symbol(path)
    assert_one_line(caught.value, str(path))


def test_the_command_prints_one_line(tmp_path: Path, run: Run) -> None:
    """A damaged feature, and a damaged record, as a user sees them."""
    listed = put_features(tmp_path / "f")
    (tmp_path / "f" / "001_1.npy").write_bytes(b"\x93NUMPY\1\0\x76\0{'descr': '<f4'" + b" " * 90)
    done = run("-m", "facepart", "match", "-p", listed, "-o", tmp_path / "m", "-gr", "A")
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"facepart: {tmp_path / 'f' / '001_1.npy'}: is not a feature: not a whole .npy file"
    )
    assert len(done.stderr.splitlines()) == 1
    put_features(tmp_path / "f")
    (tmp_path / "m").mkdir(exist_ok=True)
    (tmp_path / "m" / "run.json").write_text('{"stage": "match", "settings": []}')
    done = run("-m", "facepart", "match", "-p", listed, "-o", tmp_path / "m", "-gr", "A")
    assert done.returncode == 1
    expected = f"facepart: {tmp_path / 'm' / 'run.json'}: is not a record of facepart; remove it or choose another"
    assert done.stderr.startswith(expected)
    assert len(done.stderr.splitlines()) == 1
