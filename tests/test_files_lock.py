"""One run at a time in an output folder: what lives is respected, what is gone is taken over."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from facepart.errors import FacepartError
from facepart.files import lock
from facepart.files.lock import LOCK_FILE, output_lock
from tests.conftest import ROOT

HOLD = """
import sys, time
from pathlib import Path
from facepart.files.lock import output_lock
with output_lock(*map(Path, sys.argv[1:])):
    print("held", flush=True)
    time.sleep(600)
"""


class Holding:
    """Another process that holds folders."""

    def __init__(self, *folders: Path) -> None:
        command = [sys.executable, "-c", HOLD, *map(str, folders)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "held\n"

    def end(self, number: int = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        self.process.wait()

    def __enter__(self) -> "Holding":
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def record(folder: Path, **changes) -> Path:
    """Write the lock file of a process as it would be on this system; `changes` make it another's."""
    holder = {
        "process": 1,
        "host": socket.gethostname(),
        "boot": lock._boot(),
        "started": "1",
        "command": "facepart match",
        "since": "2020-01-01 00:00:00 +0000",
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LOCK_FILE).write_text(json.dumps({**holder, **changes}))
    return folder / LOCK_FILE


def test_a_second_run_is_refused_in_one_line_that_names_the_process(tmp_path):
    with Holding(tmp_path / "out") as other:
        with pytest.raises(FacepartError) as caught, output_lock(tmp_path / "out"):
            pass
        text = str(caught.value)
        assert text.startswith(f"{tmp_path / 'out'}: another run is writing there: process {other.process.pid} (")
        assert text.endswith("; wait for it, or choose another folder")
        assert "\n" not in text


def test_a_stopped_process_still_holds_its_folder(tmp_path):
    with Holding(tmp_path) as other:
        other.process.send_signal(signal.SIGSTOP)
        os.utime(tmp_path / LOCK_FILE, (0, 0))
        with pytest.raises(FacepartError, match="another run"), output_lock(tmp_path):
            pass


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_what_an_ended_process_left_is_taken_over(tmp_path, number):
    with Holding(tmp_path) as other:
        other.end(number)
    with output_lock(tmp_path):
        assert json.loads((tmp_path / LOCK_FILE).read_text())["process"] == os.getpid()
    assert not list(tmp_path.iterdir())


def test_temporary_files_of_a_killed_run_are_removed_and_no_others(tmp_path):
    left = [tmp_path / f".a.png.{'1' * 16}.part", tmp_path / "deep" / f".b.npy.{'f' * 16}.part"]
    kept = [tmp_path / "a.png", tmp_path / "deep" / ".b.npy.part", tmp_path / "own" / f".c.{'2' * 16}.part"]
    for path in (*left, *kept):
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    record(tmp_path / "own")  # a run of its own, which will tidy up itself
    with output_lock(tmp_path):
        assert all(path.exists() for path in left), "nobody left a lock here: they may be another program's"
    record(tmp_path)
    with output_lock(tmp_path):
        pass
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in kept)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"process": "x"}', "\0" * 400, '{"process": 1}'])
def test_a_lock_file_that_says_nothing_is_taken_over(tmp_path, text):
    (tmp_path / LOCK_FILE).write_text(text)
    with output_lock(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_a_process_on_another_host_holds_as_long_as_it_renews(tmp_path):
    file = record(tmp_path, host="node17", boot="another", process=4711)
    with pytest.raises(FacepartError, match=r"process 4711 on node17 \(facepart match, since"), output_lock(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [LOCK_FILE], "looking leaves nothing"
    then = time.time() - lock._GONE_AFTER - 5
    os.utime(file, (then, then))
    with output_lock(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_another_container_of_this_system_that_is_gone_is_taken_over_at_once(tmp_path):
    if not lock._boot():
        pytest.skip("needs a system that identifies its boot")
    record(tmp_path, host="4f1c0ffee")
    with output_lock(tmp_path):
        pass


@pytest.mark.slow
def test_a_lock_is_renewed(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "_RENEWED_EVERY", 0.02)
    # The thread of an earlier lock of this process may still wait for as long as it was told to.
    monkeypatch.setattr(lock, "_renewal", lock._Renewal())
    with output_lock(tmp_path):
        os.utime(tmp_path / LOCK_FILE, (0, 0))
        end = time.monotonic() + 30
        while (tmp_path / LOCK_FILE).stat().st_mtime == 0 and time.monotonic() < end:
            time.sleep(0.01)
        assert (tmp_path / LOCK_FILE).stat().st_mtime > 0
        # What another host took for gone and took over is not renewed, and not removed.
        (tmp_path / LOCK_FILE).unlink()
        other = record(tmp_path, host="node17", boot="another")
    assert json.loads(other.read_text())["host"] == "node17"


@pytest.mark.parametrize("lives", [True, False])
def test_without_flock_the_process_is_looked_for(tmp_path, monkeypatch, lives):
    if not lock._start_of(os.getpid()):
        pytest.skip("needs /proc")
    monkeypatch.setattr(lock, "_lock", lambda descriptor: None)
    started = lock._start_of(os.getppid()) if lives else "12"
    record(tmp_path, process=os.getppid(), started=started)
    if lives:
        with pytest.raises(FacepartError, match=f"process {os.getppid()} "), output_lock(tmp_path):
            pass
    else:
        with output_lock(tmp_path), pytest.raises(FacepartError, match="another run"):
            in_a_thread(tmp_path)
        assert not list(tmp_path.iterdir())


def in_a_thread(folder: Path) -> None:
    """Hold a folder in another thread, and raise what that raises."""
    errors: list[BaseException] = []

    def hold() -> None:
        try:
            with output_lock(folder):
                pass
        except FacepartError as error:
            errors.append(error)

    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]


def test_within_one_process_a_thread_may_hold_twice_and_another_may_not(tmp_path):
    with output_lock(tmp_path):
        with output_lock(tmp_path / "." / "x" / "..", tmp_path):
            pass
        assert (tmp_path / LOCK_FILE).exists(), "the outer block still holds it"
        with pytest.raises(FacepartError, match=f"process {os.getpid()} "):
            in_a_thread(tmp_path)
    in_a_thread(tmp_path)


def test_a_forked_process_holds_nothing(tmp_path):
    with output_lock(tmp_path):
        child = os.fork()
        if not child:
            status = 1
            try:
                with output_lock(tmp_path):
                    pass
            except FacepartError:
                status = 0
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        command = [sys.executable, "-c", HOLD, str(tmp_path)]
        second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert "another run is writing there" in second.stderr, "the child took nothing with it when it ended"
    in_a_thread(tmp_path)


def test_folders_that_stay_empty_are_removed_again(tmp_path):
    with output_lock(tmp_path / "a" / "b"):
        pass
    assert not list(tmp_path.iterdir())
    with output_lock(tmp_path / "a" / "b"):
        (tmp_path / "a" / "b" / "result").write_text("x")
    assert (tmp_path / "a" / "b" / "result").exists()


def test_runs_of_other_names_share_a_folder(tmp_path):
    with output_lock(tmp_path, name="roc"):
        with output_lock(tmp_path, name="det"):
            pass
        with pytest.raises(FacepartError, match="another run"):
            in_a_thread_named(tmp_path, "roc")
    with output_lock(tmp_path, name="n" * 255):
        pass
    assert not list(tmp_path.iterdir())


def in_a_thread_named(folder: Path, name: str) -> None:
    errors: list[BaseException] = []

    def hold() -> None:
        try:
            with output_lock(folder, name=name):
                pass
        except FacepartError as error:
            errors.append(error)

    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()
    raise errors[0]


@pytest.mark.parametrize("planted", ["link", "folder", "pipe"])
def test_a_planted_lock_file_is_refused_in_one_line(tmp_path, planted):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    path = tmp_path / "out" / LOCK_FILE
    path.parent.mkdir()
    if planted == "link":
        path.symlink_to(victim)
    elif planted == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(FacepartError, match="out: cannot be written: "), output_lock(tmp_path / "out"):
        pass
    assert victim.read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_refused_in_one_line(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(FacepartError, match="cannot be written: "), output_lock(tmp_path / "file" / "out"):
        pass
    with pytest.raises(FacepartError, match="cannot be written: is not a folder"), output_lock(tmp_path / "file"):
        pass


def test_many_that_start_at_once_never_write_together(tmp_path):
    """Each that is not refused finds the folder its own."""
    code = """
import sys, time, os
from pathlib import Path
from facepart.errors import FacepartError
from facepart.files.lock import output_lock
folder = Path(sys.argv[1])
while not Path(sys.argv[2]).exists():
    time.sleep(0.001)
for _ in range(20):
    try:
        with output_lock(folder):
            os.close(os.open(folder / "one", os.O_CREAT | os.O_EXCL))
            time.sleep(0.001)
            (folder / "one").unlink()
            print("held")
    except FacepartError as error:
        assert "another run is writing there" in str(error), error
"""
    go = tmp_path / "go"
    command = [sys.executable, "-c", code, str(tmp_path / "out"), str(go)]
    options = {"cwd": ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **options) for _ in range(6)]  # type: ignore[call-overload]
    time.sleep(1)
    go.touch()
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * 6, outputs
    assert sum(out.count("held") for out, _ in outputs) >= 1
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
