"""Reading features: what is read, and the one line that each kind of unusable feature gives."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest

from facepart.errors import FacepartError
from facepart.matching.features import read_features, refuse_unlike


def write_features(folder: Path, names: list[str], length: int = 16, seed: int = 0) -> list[Path]:
    rng = np.random.default_rng(seed)
    paths = [folder / f"{name}.npy" for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, rng.normal(size=length).astype(np.float32))
    return paths


def write_list(path: Path, paths: list[Path]) -> Path:
    path.write_text("".join(f"{entry}\n" for entry in paths))
    return path


def record(folder: Path, sha256: str, stage: str = "extract") -> None:
    settings = {"model": f"net-{sha256}", "sha256": sha256}
    (folder / "run.json").write_text(json.dumps({"stage": stage, "settings": settings}))


def test_a_list_is_read_in_the_order_of_its_paths(tmp_path: Path) -> None:
    names = ["b/001", "a/010", "a/01", "a/01-1", "a/01_1", "B/001"]
    paths = write_features(tmp_path, names)
    features = read_features(write_list(tmp_path / "list.txt", paths))
    expected = sorted(str(path) for path in paths)
    assert [str(path) for path in features.paths] == expected
    assert features.labels == ["B/001", "a/01-1", "a/01", "a/010", "a/01_1", "b/001"]
    assert np.array_equal(features.matrix, np.stack([np.load(path) for path in expected]))
    assert features.matrix.dtype == np.float32


def test_relative_paths_other_shapes_and_types_are_read(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    np.save(tmp_path / "f" / "1.npy", np.array([[1, 2, 3]], dtype=np.float64))
    np.save(tmp_path / "f" / "2.npy", np.array([1, 2, 3], dtype=np.float16))
    (tmp_path / "list.txt").write_bytes("\ufeffsub/../f/2.npy  \r\n\r\nf/1.npy\r\n".encode())
    (tmp_path / "sub").mkdir()
    features = read_features(tmp_path / "list.txt")
    assert features.matrix.tolist() == [[1, 2, 3], [1, 2, 3]]
    assert features.labels == ["f/1", "f/2"]


def test_a_matrix_with_labels_beside_it(tmp_path: Path) -> None:
    matrix = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    np.save(tmp_path / "features.npy", matrix)
    (tmp_path / "labels.txt").write_text("a/3\na/1\nb/2\n")
    features = read_features(tmp_path / "features.npy")
    assert features.labels == ["a/3", "a/1", "b/2"]  # a matrix keeps its order
    assert np.array_equal(features.matrix, matrix)
    (tmp_path / "labels.txt").write_text("a/3\na/1\n")
    with pytest.raises(FacepartError, match=r"labels\.txt: has 2 labels, features\.npy has 3 features"):
        read_features(tmp_path / "features.npy")
    (tmp_path / "labels.txt").unlink()
    with pytest.raises(FacepartError, match=r"labels\.txt: cannot be read"):
        read_features(tmp_path / "features.npy")


def test_missing_features_are_counted_and_the_first_named(tmp_path: Path) -> None:
    paths = [*write_features(tmp_path, ["a/1"]), tmp_path / "a" / "2.npy", tmp_path / "a" / "3.npy"]
    with pytest.raises(FacepartError, match=r"list\.txt: names 2 missing of 3 files; first: .*2\.npy$"):
        read_features(write_list(tmp_path / "list.txt", paths))


def save(path: Path, value: object) -> None:
    np.save(path, np.asarray(value), allow_pickle=True)


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (lambda path: path.write_bytes(b"\xff\xd8\xff\xe0 not an array"), "not a whole .npy file of numbers"),
        (lambda path: path.write_bytes(b""), "not a whole .npy file of numbers"),
        (lambda path: save(path, [1.0, {"a": "dict"}]), "not a whole .npy file of numbers"),
        (lambda path: save(path, ["one", "two"]), "no real numbers"),
        (lambda path: save(path, [1j, 2]), "no real numbers"),
        (lambda path: save(path, np.ones((2, 16))), "its shape is (2, 16)"),
        (lambda path: save(path, 1.0), "its shape is ()"),
        (lambda path: save(path, np.zeros(16)), "is all zero"),
        (lambda path: save(path, [1.0] * 15 + [np.nan]), "not finite"),
        (lambda path: save(path, [1.0] * 15 + [1e300]), "not finite"),
        (lambda path: save(path, np.ones(8)), "has 8 values, but"),
    ],
)
def test_an_unusable_feature_is_named_with_its_reason(tmp_path: Path, write, reason: str) -> None:
    paths = write_features(tmp_path, ["a/1", "a/2"])
    write(paths[1])
    with pytest.raises(FacepartError) as caught:
        read_features(write_list(tmp_path / "list.txt", paths))
    message = str(caught.value)
    assert reason in message
    assert str(paths[1]) in message
    assert "\n" not in message


def test_a_truncated_feature_is_refused(tmp_path: Path) -> None:
    (path,) = write_features(tmp_path, ["a/1"])
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(FacepartError, match="not a whole"):
        read_features(write_list(tmp_path / "list.txt", [path]))


def test_a_folder_instead_of_a_list(tmp_path: Path) -> None:
    with pytest.raises(FacepartError, match="is a folder; give a list"):
        read_features(tmp_path)


def test_features_of_two_networks_are_told_apart_by_their_records(tmp_path: Path) -> None:
    one = write_features(tmp_path / "one", ["sub/1", "sub/2"])
    two = write_features(tmp_path / "two", ["1", "2"])
    record(tmp_path / "one", "aaa")
    record(tmp_path / "two", "bbb")
    with pytest.raises(FacepartError, match=r"net-aaa \(.*one/run\.json\) and net-bbb \(.*two/run\.json\)"):
        read_features(write_list(tmp_path / "both.txt", [*one, *two]))
    probe = read_features(write_list(tmp_path / "one.txt", one))
    gallery = read_features(write_list(tmp_path / "two.txt", two))
    assert probe.model
    assert probe.model.sha256 == "aaa"
    with pytest.raises(FacepartError, match="different networks"):
        refuse_unlike(probe, gallery)
    record(tmp_path / "two", "aaa")
    refuse_unlike(probe, read_features(tmp_path / "two.txt"))


def test_records_of_others_do_not_count(tmp_path: Path) -> None:
    paths = write_features(tmp_path / "a", ["1"]) + write_features(tmp_path / "b", ["1"])
    record(tmp_path, "aaa", stage="blur")
    (tmp_path / "a" / "run.json").write_text("[1, 2]")
    record(tmp_path / "b", "bbb")
    features = read_features(write_list(tmp_path / "list.txt", paths))
    assert features.model
    assert features.model.sha256 == "bbb"


def test_probe_and_gallery_of_other_lengths(tmp_path: Path) -> None:
    probe = read_features(write_list(tmp_path / "p.txt", write_features(tmp_path / "p", ["1"], length=16)))
    gallery = read_features(write_list(tmp_path / "g.txt", write_features(tmp_path / "g", ["2"], length=8)))
    with pytest.raises(FacepartError, match=r"g/2\.npy: has 8 values, but .*p/1\.npy has 16"):
        refuse_unlike(probe, gallery)


def test_repeated_labels_are_warned_about(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    paths = write_features(tmp_path, ["x/a/1", "y/a/1", "x/a/2"])
    with caplog.at_level(logging.WARNING):
        read_features(write_list(tmp_path / "list.txt", paths))
    assert "1 features repeat the folder/name of another" in caplog.text
