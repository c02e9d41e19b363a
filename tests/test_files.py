"""Files are whole or absent; records refuse what does not belong to them."""

import csv

import numpy as np
import pytest

from facepart.errors import FacepartError
from facepart.files import atomic
from facepart.files.atomic import name_writer, replacing, write_npy, write_text
from facepart.files.failures import Failure, write_failures
from facepart.files.record import make_record, read_record, refuse_other_settings, remove_outdated, write_record


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    target = tmp_path / "a" / "result.txt"
    write_text(target, "old")
    with pytest.raises(ValueError, match="stop"), replacing(target) as temporary:
        temporary.write_text("half")
        raise ValueError("stop")
    assert target.read_text() == "old"
    assert [path.name for path in target.parent.iterdir()] == ["result.txt"]


def test_a_leftover_of_a_killed_run_is_written_over_and_renamed_away(tmp_path):
    target = tmp_path / "result.txt"
    (tmp_path / ".result.txt.part").write_text("half of a much longer text")
    write_text(target, "whole")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("result.txt", "whole")]


def test_two_workers_that_write_one_file_do_not_meet(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "_writer", "")
    target = tmp_path / "result.txt"
    with replacing(target) as first:
        first.write_text("whole")
        name_writer("another.")
        with replacing(target) as second:
            second.write_text("wh")
            assert first.read_text() == "whole"
            second.write_text("whole")
    assert first != second
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("result.txt", "whole")]


def test_a_file_in_the_way_of_a_folder_is_one_clear_line(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(FacepartError, match=r"out/x\.npy: cannot be written") as caught:
        write_npy(tmp_path / "out" / "x.npy", np.zeros(3))
    assert "\n" not in str(caught.value)


def test_arrays_come_back_as_they_were(tmp_path):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    write_npy(tmp_path / "x.npy", array)
    back = np.load(tmp_path / "x.npy", allow_pickle=False)
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, array)


def test_failures_are_a_table_and_go_away_when_there_are_none(tmp_path):
    write_failures(tmp_path, [Failure(tmp_path / 'odd, "name".jpg', "read", "is not an image")])
    with (tmp_path / "failures.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [{"path": str(tmp_path / 'odd, "name".jpg'), "stage": "read", "reason": "is not an image"}]
    write_failures(tmp_path, [])
    assert not (tmp_path / "failures.csv").exists()


def test_a_record_comes_back_and_refuses_other_settings(tmp_path):
    settings = {"model": "a", "mean": (127.5, 127.5, 127.5), "flip": False}
    write_record(tmp_path, make_record("extract", settings, {"source": tmp_path}, ("numpy", "no-such-package")))
    record = read_record(tmp_path)
    assert record is not None
    assert record["versions"]["numpy"] == np.__version__
    assert record["versions"]["no-such-package"] is None
    refuse_other_settings(tmp_path, "extract", settings)
    with pytest.raises(FacepartError, match="was made with flip False, this run has True"):
        refuse_other_settings(tmp_path, "extract", settings | {"flip": True})
    with pytest.raises(FacepartError, match="holds the outputs of `extract`"):
        refuse_other_settings(tmp_path, "blur", settings)


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', "\x00"])
def test_a_damaged_record_is_reported(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(FacepartError, match=r"run\.json"):
        read_record(tmp_path)


def test_outputs_of_other_settings_are_removed_before_they_are_made_anew(tmp_path):
    old = [tmp_path / "a.npy", tmp_path / "b.npy"]
    for path in old:
        path.touch()
    write_record(tmp_path, make_record("extract", {"flip": False}, {}, ()))
    # The same settings: nothing is removed.
    remove_outdated(tmp_path, "extract", {"flip": False}, {old[0]}, old)
    assert all(path.exists() for path in old)
    with pytest.raises(FacepartError, match=r"other settings that this run would not redo, such as b\.npy"):
        remove_outdated(tmp_path, "extract", {"flip": True}, {old[0]}, old)
    assert all(path.exists() for path in old)
    remove_outdated(tmp_path, "extract", {"flip": True}, {*old, tmp_path / "new.npy"}, old)
    assert not any(path.exists() for path in old)
