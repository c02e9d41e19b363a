"""Files are whole or absent; records refuse what does not belong to them."""

import csv
import errno
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from facepart.errors import FacepartError
from facepart.files.atomic import is_temporary, remove_abandoned, replacing, write_bytes, write_npy, write_text
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


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    target = tmp_path / "result.txt"
    with replacing(target) as first:
        first.write_text("whole")
        with replacing(target) as second:
            second.write_text("wh")
            assert first.read_text() == "whole"
            second.write_text("whole")
    assert first != second
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("result.txt", "whole")]


def test_temporary_names_cannot_be_guessed_or_planted(tmp_path, monkeypatch):
    victim = tmp_path / "victim.txt"
    victim.write_text("mine")
    names = set()
    for _ in range(20):
        with replacing(tmp_path / "result.txt") as temporary:
            names.add(temporary.name)
            assert is_temporary(temporary.name)
    assert len(names) == 20
    # Were the name known all the same, what lies there, also a link to elsewhere, would not be written through.
    monkeypatch.setattr("secrets.token_hex", lambda count: "0" * (2 * count))
    (tmp_path / f".result.txt.{'0' * 16}.part").symlink_to(victim)
    with pytest.raises(FacepartError, match=r"result\.txt: cannot be written: File exists"):
        write_text(tmp_path / "result.txt", "planted")
    assert victim.read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["n" * 255, "ö" * 127, "." + "x" * 254, b"\xff".decode("utf-8", "surrogateescape") * 255]
)
def test_a_name_as_long_as_the_system_allows_is_written(tmp_path, name):
    write_bytes(tmp_path / name, b"whole")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(name, b"whole")]


def test_a_file_reaches_the_disk_before_its_name_does(tmp_path, monkeypatch):
    happened = []
    fsync, replace = os.fsync, Path.replace

    def syncing(descriptor):
        happened.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def renaming(path, target):
        happened.append("name")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(Path, "replace", renaming)
    write_text(tmp_path / "result.txt", "whole")
    assert happened == ["file", "name", "folder"]
    happened.clear()
    write_bytes(tmp_path / "photo.png", b"one of many", sync=False)
    assert happened == ["name"]


@pytest.mark.parametrize("where", ["open", "write", "fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EDQUOT])
def test_a_fault_at_any_step_is_one_line_and_leaves_the_old_file(tmp_path, monkeypatch, where, number):
    target = tmp_path / "result.txt"
    write_text(target, "old")

    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        owner, name = {"write": (Path, "write_bytes"), "replace": (Path, "replace")}.get(where, (os, where))
        patch.setattr(owner, name, fail)
        with pytest.raises(FacepartError, match=r"result\.txt: cannot be written: ") as caught:
            write_text(target, "new")
    assert str(caught.value) == f"{target}: cannot be written: {os.strerror(number)}"
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("result.txt", "old")]


def test_a_file_system_that_cannot_sync_folders_is_written_to(tmp_path, monkeypatch):
    fsync = os.fsync

    def files_only(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", files_only)
    write_text(tmp_path / "result.txt", "whole")
    assert (tmp_path / "result.txt").read_text() == "whole"


def test_only_old_temporary_files_are_taken_for_abandoned(tmp_path):
    old, new = (tmp_path / f".net.openvino.{digit * 16}.part" for digit in "01")
    others = [tmp_path / name for name in ("net.openvino", ".hidden.part", "thesis.part", f".net.{'g' * 16}.part")]
    for path in (old, new, *others):
        path.write_text("x")
    for path in (old, *others):
        os.utime(path, (0, 0))
    remove_abandoned(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([new, *others])
    remove_abandoned(tmp_path / "missing")


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
