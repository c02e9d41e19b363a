"""Reading features: what is read, and the one line that each kind of unusable feature gives."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facepart.errors import FacepartError
from facepart.files import array_input
from facepart.matching import features as module
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


def record(folder: Path, sha256: str, stage: str = "extract", device: str | None = None, **more: object) -> None:
    settings = {"model": f"net-{sha256}", "sha256": sha256, **more}
    beside = {} if device is None else {"device": device}
    (folder / "run.json").write_text(json.dumps({"stage": stage, "settings": settings, **beside}))


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


def test_a_matrix_replaced_while_it_is_read_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "features.npy", np.ones((2, 4), np.float32))
    (tmp_path / "labels.txt").write_text("a/1\na/2\n")
    load = array_input.read_array

    def replace_then_load(path, what, **options):
        # As an extraction does it: labels removed, matrix replaced, labels written; all after the first look at them.
        np.save(tmp_path / "features.npy", 2 * np.ones((2, 4), np.float32))
        (tmp_path / "labels.txt").write_text("a/2\na/3\n")
        return load(path, what, **options)

    monkeypatch.setattr(module, "read_array", replace_then_load)
    with pytest.raises(FacepartError, match=r"features\.npy: was replaced while it was read"):
        read_features(tmp_path / "features.npy")
    monkeypatch.undo()
    assert read_features(tmp_path / "features.npy").labels == ["a/2", "a/3"]


def test_an_unusable_row_of_a_matrix_is_reported_by_its_number(tmp_path: Path) -> None:
    matrix = np.ones((3, 4), np.float32)
    matrix[1, 2] = np.inf
    np.save(tmp_path / "features.npy", matrix)
    (tmp_path / "labels.txt").write_text("a/1\na/2\na/3\n")
    with pytest.raises(FacepartError, match=r"features\.npy: has values that are not finite \(row 1\)"):
        read_features(tmp_path / "features.npy")
    with pytest.raises(FacepartError, match=r"no such matrix"):
        read_features(tmp_path / "none" / "features.npy")


TYPES = ("<f4", ">f4", "<f8", "<f2", "<i4", "<u1")


@pytest.mark.parametrize("kind", TYPES)
def test_a_matrix_of_any_type_is_read_and_one_of_float32_stays_on_disk(tmp_path: Path, kind: str) -> None:
    matrix = np.random.default_rng(0).integers(1, 200, (5, 8)).astype(kind)
    np.save(tmp_path / "features.npy", matrix)
    (tmp_path / "labels.txt").write_text("".join(f"a/{row}\n" for row in range(5)))
    found = read_features(tmp_path / "features.npy").matrix
    assert type(found) is np.ndarray
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, matrix.astype(np.float32))
    assert isinstance(found.base, np.memmap) == (kind == "<f4")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kinds=st.lists(
        st.tuples(st.sampled_from(TYPES), st.booleans(), st.sampled_from([1, 2])), min_size=1, max_size=12
    ),
    block=st.integers(1, 5),
    unusable=st.sampled_from([None, "zero", "nan", "long"]),
    where=st.integers(0, 11),
)
def test_files_of_any_kind_are_read_as_numpy_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kinds, block: int, unusable: str | None, where: int
) -> None:
    """Whatever the headers, and wherever a block ends: the values of np.load, or the file that is at fault."""
    monkeypatch.setattr(module, "_BLOCK", block)
    rng = np.random.default_rng(0)
    paths = []
    for row, (kind, flat, version) in enumerate(kinds):
        values = rng.integers(1, 200, 8).astype(kind)
        path = tmp_path / f"{row:02d}.npy"
        with path.open("wb") as file:
            np.lib.format.write_array(file, values if flat else values[None], version=(version, 0))
        paths.append(path)
    listed = write_list(tmp_path / "list.txt", paths)
    if unusable is None:
        assert np.array_equal(read_features(listed).matrix, np.stack([np.load(path).ravel() for path in paths]))
        return
    where %= len(paths)
    values = np.ones(8 if unusable != "long" else 9, np.float32) * {"zero": 0, "nan": np.nan, "long": 1}[unusable]
    np.save(paths[where], values)
    if len(paths) == 1 and unusable == "long":
        return  # the only one says what the length is
    with pytest.raises(FacepartError) as caught:
        read_features(listed)
    # If the first is of another length, that is told of the second.
    named = paths[1] if unusable == "long" and where == 0 else paths[where]
    assert str(caught.value).startswith(f"{named}: ")


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


def test_features_of_two_networks_are_distinguished_by_their_records(tmp_path: Path) -> None:
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


@pytest.mark.parametrize(
    ("one", "two", "told"),
    [
        ({"precision": "fp32"}, {"precision": "bf16"}, "precision fp32 and bf16"),
        ({"device": "cpu"}, {"device": "cuda:0"}, "device cpu and cuda"),
        ({"device": "cuda:1"}, {"device": "cuda:0"}, None),
        ({"flip": True}, {"flip": False}, "flip yes and no"),
        ({"align": None}, {"align": "8f2383e4dd3cfbb4"}, "align no and by 8f2383e4"),
        (
            {"precision": "fp32", "flip": False},
            {"precision": "bf16", "flip": True},
            "precision fp32 and bf16, flip no",
        ),
        ({"precision": "fp32", "device": "cpu"}, {}, None),
        ({"precision": "fp32"}, {"precision": "fp32"}, None),
    ],
)
def test_features_made_with_different_settings_give_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, one, two, told: str | None
) -> None:
    paths = {name: write_features(tmp_path / name, ["1", "2"]) for name in ("one", "two")}
    record(tmp_path / "one", "aaa", **one)
    record(tmp_path / "two", "aaa", **two)
    sides = [read_features(write_list(tmp_path / f"{name}.txt", paths[name])) for name in paths]
    with caplog.at_level(logging.WARNING):
        refuse_unlike(*sides)  # probe and gallery
        read_features(write_list(tmp_path / "both.txt", [*paths["one"], *paths["two"]]))  # one list of both
    messages = [message for message in caplog.messages if "different extractions" in message]
    assert len(messages) == (2 if told else 0)
    assert all(
        str(told) in message and "one/run.json" in message and "two/run.json" in message for message in messages
    )
    assert not any("\n" in message for message in messages)


def test_features_of_one_network_that_was_fed_differently_are_refused(tmp_path: Path) -> None:
    paths = {name: write_features(tmp_path / name, ["1", "2"]) for name in ("one", "two")}
    record(tmp_path / "one", "aaa", colour="rgb", mean=[127.5, 127.5, 127.5])
    record(tmp_path / "two", "aaa", colour="bgr", mean=[127.5, 127.5, 127.5])
    sides = [read_features(write_list(tmp_path / f"{name}.txt", paths[name])) for name in paths]
    with pytest.raises(
        FacepartError, match=r"with different preprocessing cannot be compared: colour rgb and bgr \("
    ):
        refuse_unlike(*sides)


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


def test_labels_tell_photos_apart_or_their_repetition_is_warned_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths = write_features(tmp_path, ["x/a/1", "y/a/1", "x/a/2"])
    with caplog.at_level(logging.WARNING):
        features = read_features(write_list(tmp_path / "list.txt", paths))
    assert (features.labels, caplog.text) == (["x/a/1", "x/a/2", "y/a/1"], "")
    np.save(tmp_path / "features.npy", features.matrix)
    (tmp_path / "labels.txt").write_text("a/1\na/2\na/1\n")
    with caplog.at_level(logging.WARNING):
        assert read_features(tmp_path / "features.npy").labels == ["a/1", "a/2", "a/1"]
    assert "1 embedding repeats the label of another and is not compared with it" in caplog.text
    # Unless the extraction's names tell them apart.
    (tmp_path / "names.txt").write_text("x/a/1\nx/a/2\ny/a/1\n")
    assert read_features(tmp_path / "features.npy").labels == ["x/a/1", "x/a/2", "y/a/1"]


def test_a_list_of_an_extraction_that_is_cut_in_a_line_is_refused_and_others_are_not(tmp_path: Path) -> None:
    paths = write_features(tmp_path / "f", ["001_1", "001_2", "001_2.npy"])
    whole = write_list(tmp_path / "f" / "list.txt", paths).read_bytes()
    # What is left of the last line is another feature's name.
    (tmp_path / "f" / "list.txt").write_bytes(whole[: -len(".npy\n")])
    assert len(read_features(tmp_path / "f" / "list.txt").labels) == 3  # a list of someone's own
    record(tmp_path / "f", "a")
    with pytest.raises(FacepartError, match=r"f/list\.txt: ends in the middle of a line: run "):
        read_features(tmp_path / "f" / "list.txt")
    for own in (tmp_path / "list.txt", tmp_path / "f" / "some.txt"):
        own.write_bytes(whole.rstrip())
        assert len(read_features(own).labels) == 3
    (tmp_path / "f" / "list.txt").write_bytes(whole)
    assert len(read_features(tmp_path / "f" / "list.txt").labels) == 3
    (tmp_path / "f" / "list.txt").write_text("001_1.npy\r\n001_2.npy\r\n")  # changed by hand
    assert len(read_features(tmp_path / "f" / "list.txt").labels) == 2
