"""Writing where a path is no plain file: links, pipes, devices; and what is kept of a file that is replaced."""

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from facepart.errors import FacepartError
from facepart.files.atomic import write_bytes, write_text
from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs links, pipes and modes")


def test_the_target_of_a_link_is_replaced_and_the_link_stays(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    real, link = tmp_path / "elsewhere" / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    link.symlink_to(Path("elsewhere") / "real.txt")
    (tmp_path / "second.txt").symlink_to(link)
    inode = real.stat().st_ino
    write_text(tmp_path / "second.txt", "new")
    assert real.read_text() == "new"
    assert real.stat().st_ino != inode, "replaced, not written over"
    assert link.is_symlink()
    assert (tmp_path / "second.txt").is_symlink()
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["real.txt"]


def test_a_link_to_nothing_makes_its_target(tmp_path):
    (tmp_path / "link.txt").symlink_to("later.txt")
    write_text(tmp_path / "link.txt", "whole")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "later.txt").read_text() == "whole"


@pytest.mark.parametrize("target", ["link.txt", "missing/real.txt", "folder"])
def test_a_link_that_leads_nowhere_is_refused_in_one_line(tmp_path, target):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.txt").symlink_to(target)
    with pytest.raises(FacepartError, match=r"link\.txt: cannot be written: "):
        write_text(tmp_path / "link.txt", "lost")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["folder", "link.txt"]


def test_a_pipe_is_written_into(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    data = os.urandom(1 << 20)  # more than a pipe holds
    found = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    while True:  # until the reader has opened it
        try:
            write_bytes(pipe, data)
            break
        except FacepartError:
            continue
    reader.join()
    assert found == [data]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_pipe_without_a_reader_is_refused_and_nothing_waits(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FacepartError, match="pipe: cannot be written: no process reads this pipe"):
        write_text(tmp_path / "pipe", "unread")


@pytest.mark.parametrize("way", ["device", "link"])
def test_a_device_is_written_into_and_stays(tmp_path, way):
    path = tmp_path / "null"
    if way == "link":
        path.symlink_to("/dev/null")
    else:
        try:
            os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        except OSError as error:
            pytest.skip(f"devices cannot be made here: {error.strerror}")
    write_text(path, "gone")
    assert stat.S_ISCHR(path.stat().st_mode)
    assert [each.name for each in tmp_path.iterdir()] == ["null"]


def test_a_full_device_is_one_line(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with pytest.raises(FacepartError, match=f"/dev/full: cannot be written: {os.strerror(errno.ENOSPC)}"):
        write_text(Path("/dev/full"), "x" * 100_000)


@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/fd/1"])
@pytest.mark.parametrize("into", ["pipe", "file"])
def test_an_open_file_of_the_process_is_written_into(tmp_path, path, into):
    if not Path("/dev/fd").exists():
        pytest.skip("needs /dev/fd")
    code = (
        f"from pathlib import Path; from facepart.files.atomic import write_text; write_text(Path({path!r}), 'a\\nb')"
    )
    command = [sys.executable, "-c", code]
    if into == "pipe":
        out = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    else:
        with (tmp_path / "out.txt").open("wb") as file:
            inode = (tmp_path / "out.txt").stat().st_ino
            subprocess.run(command, cwd=ROOT, stdout=file, check=True)
        assert (tmp_path / "out.txt").stat().st_ino == inode
        out = (tmp_path / "out.txt").read_bytes()
    assert out == b"a\nb"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o666, 0o444])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path, mode):
    path = tmp_path / "result.txt"
    path.write_text("old")
    path.chmod(mode)
    write_text(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_text() == "new"


def test_a_new_file_has_the_mode_of_the_umask(tmp_path):
    (tmp_path / "usual.txt").write_text("x")
    write_text(tmp_path / "result.txt", "x")
    assert (tmp_path / "result.txt").stat().st_mode == (tmp_path / "usual.txt").stat().st_mode


def test_a_file_that_is_replaced_keeps_its_group(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("old")
    others = [group for group in os.getgroups() if group != path.stat().st_gid]
    group = 4321 if os.getuid() == 0 else next(iter(others), None)
    if group is None:
        pytest.skip("needs a second group")
    os.chown(path, -1, group)
    write_text(path, "new")
    assert path.stat().st_gid == group


def test_root_leaves_a_file_to_its_owner(tmp_path):
    if os.getuid() != 0:
        pytest.skip("needs root")
    path = tmp_path / "result.txt"
    path.write_text("old")
    os.chown(path, 4321, 4322)
    path.chmod(0o600)
    write_text(path, "new")
    status = path.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (4321, 4322, 0o600)
