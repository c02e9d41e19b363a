"""Errors of any kind are one readable line and a status; absurd values of options are wrong calls."""

import errno
import os
import re
import shlex
import signal
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from facepart.cli.guard import Guard, print_error, report
from facepart.cli.run_summary import print_last_line
from facepart.cli.stop_signals import StopSignals
from facepart.data import pattern_search
from facepart.data.naming_conventions import find_exclusion, naming_rule
from facepart.errors import FacepartError, UsageError
from facepart.files.failures import Failure, Outcome
from facepart.memory import memory_error
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    """An error as it is caught, raised for a cause."""
    try:
        raise error from cause
    except BaseException as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (FacepartError("a: no such list"), 1, "a: no such list"),
        (UsageError("unknown device"), 2, "unknown device"),
        (KeyboardInterrupt(), 130, "interrupted; run the same command again to finish"),
        (PermissionError(errno.EACCES, "Permission denied", "a.npy"), 1, "a.npy: Permission denied"),
        (OSError(errno.EIO, "Input/output error"), 1, "Input/output error"),
        (
            KeyError("settings"),
            1,
            "unexpected error: KeyError: 'settings' (outside facepart); please report it, with what "
            "FACEPART_TRACEBACK=1 shows",
        ),
        (
            RuntimeError("\n\n  first\nsecond"),
            1,
            "unexpected error: RuntimeError: first (outside facepart); please report it, with what "
            "FACEPART_TRACEBACK=1 shows",
        ),
    ],
)
def test_an_error_is_one_line_and_a_status(error, status, line, capsys):
    assert report(raised(error)) == status
    assert capsys.readouterr() == ("", f"facepart: {line}\n")


def test_an_unexpected_error_says_where_and_shows_its_traceback_if_asked(capsys, monkeypatch):
    try:
        naming_rule("MORPH")(None)  # type: ignore[arg-type]
    except AttributeError as error:
        caught = error
    assert report(caught) == 1
    assert re.search(r"\(facepart/data/\w+\.py, line \d+\); please report it", capsys.readouterr().err)
    monkeypatch.setenv("FACEPART_TRACEBACK", "1")
    report(caught)
    assert "Traceback (most recent call last)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "cause",
    [
        MemoryError(),
        np._core._exceptions._ArrayMemoryError((9,), np.dtype("f8")),  # type: ignore[attr-defined]
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("Exception from src/inference/src/cpp/core.cpp:\nstd::bad_alloc\n"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
    ],
)
def test_a_lack_of_memory_is_called_that_whatever_was_made_of_it(cause, capsys):
    mistaken = raised(FacepartError("yunet.onnx: is not the face detector YuNet"), cause)
    assert report(mistaken) == 1
    assert capsys.readouterr().err.startswith("facepart: there is not enough memory")


def test_opencv_says_so_by_a_code():
    with pytest.raises(cv2.error) as found:
        cv2.resize(np.zeros((8, 8), np.uint8), (2**30, 2**30))
    assert (memory_error(found.value) is not None) == (found.value.code == cv2.Error.StsNoMem)
    assert memory_error(raised(FacepartError("a.onnx: is not a network"), ValueError("bad magic"))) is None
    # Text of a user's is not a library's.
    assert memory_error(FacepartError("out of memory.txt: no such list")) is None


def test_a_long_message_is_cut_and_moves_no_cursor(capsys):
    print_error("start" + "x" * 10_000_000 + "end")
    print_error("a\x1b[31mb\rc")
    long, strange, _ = capsys.readouterr().err.split("\n")
    assert len(long) < 3000
    assert re.fullmatch(r"facepart: startx+ \.\.\. \(\d+ characters left out\) \.\.\. x+end", long)
    assert strange == r"facepart: a\x1b[31mb\x0dc"


def test_a_signal_that_a_library_turns_into_another_error_still_ends_the_command(capsys):
    with Guard() as guard:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)
        except KeyboardInterrupt as error:
            raise ImportError("cannot import name 'multiarray'") from error
    assert guard.status == 143
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert "interrupted (SIGTERM)" in capsys.readouterr().err


def test_a_signal_in_a_destructor_is_sent_again(capsys):
    class Sender:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)

    signals = StopSignals()
    try:
        with pytest.raises(KeyboardInterrupt):
            one = Sender()
            del one
            time.sleep(10)
    finally:
        signals.restore()
    assert signals.received == signal.SIGTERM
    assert capsys.readouterr().err == ""


def test_a_terminal_that_closes_interrupts_once():
    signals = StopSignals()
    try:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGHUP)
            time.sleep(10)
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)  # what is being closed goes on
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(10)
    finally:
        signals.restore()
    assert signals.received == signal.SIGHUP


def test_the_last_line_and_standard_error_name_failures(capsys):
    failures = [Failure(Path("photos/b.jpg"), "read", "is a folder"), Failure(Path("photos/c.jpg"), "read", "x")]
    assert print_last_line("embedded", Outcome(17, 0, failures), Path("out")) == 0
    out, errors = capsys.readouterr()
    assert out == "embedded 17 photos into out, 2 failed (see out/failures.csv)\n"
    assert errors == "facepart: 2 photos failed; first: photos/b.jpg: is a folder\n"
    assert print_last_line("embedded", Outcome(0, 0, failures), Path("out")) == 1
    assert capsys.readouterr().err == (
        "facepart: no photo could be embedded; first failure: photos/b.jpg: is a folder\n"
    )
    assert print_last_line("embedded", Outcome(1), Path("out")) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "pattern", ["", "((", "(?P<subject>", "a{99999999999999999999}", "(" * 5000 + ")" * 5000, "[z-a]"]
)
def test_what_is_no_pattern_is_a_wrong_call(pattern):
    with pytest.raises(UsageError, match="--subject-pattern '"):
        naming_rule("MORPH", pattern)
    with pytest.raises(UsageError, match="--exclude-same '"):
        find_exclusion("MORPH", None, pattern)


@pytest.mark.parametrize("pattern", ["(a+)+!", "(a|aa)+!", "(.*a){20}!"])
def test_a_pattern_that_would_take_for_ever_is_a_wrong_call(pattern, monkeypatch):
    monkeypatch.setattr(pattern_search, "LONGEST", 0.05)
    rule = naming_rule("MORPH", pattern)
    with pytest.raises(UsageError, match=r"takes more than 0\.05 seconds for 'a+'; write it without"):
        rule("a" * 60)
    monkeypatch.setattr(pattern_search, "LONGEST", 20)
    assert set(rule("a" * 20 + "!")) == {"a"}
    assert signal.getsignal(signal.SIGVTALRM) == signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0, 0)


NEEDED = {
    "extract": "-s photos -d out",
    "match": "-p list.txt -gr x -o out",
    "plot": "-s1 x.npz -l1 a",
    "study": "-s photos -o out",
}


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("extract", "--workers -1"),
        ("extract", "--workers 0"),
        ("extract", "--workers 1e3"),
        ("extract", "--workers 1000000"),
        ("match", "--workers 99999999999999999999"),
        ("extract", "--batch-size 99999999999999999999"),
        ("extract", f"--batch-size {'9' * 5000}"),
        ("extract", "--gpu x"),
        ("plot", "--kind table --fmr nan"),
        ("plot", "--kind table --fmr 0.1,inf"),
        ("plot", "--kind table --threshold 1e400"),
        ("plot", "--kind roc -d out -n a --ylim nan"),
        ("study", "--margin inf"),
        ("study", "--margin -1"),
        ("study", "--sweep blur=nan"),
        ("study", "--sweep dilation=1e400"),
        ("study", "--dry-run --of 1e400"),
        ("study", "--dry-run --of 99999999999999999999"),
        ("nonsense", ""),
        ("x" * 100_000, ""),
        ("", ""),
    ],
)
def test_absurd_values_are_wrong_calls_in_one_line(command, options, run, tmp_path):
    words = shlex.split(f"{NEEDED.get(command, '')} {options}")
    done = run("-m", "facepart", command, *words, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("facepart: ")
    assert done.stderr.count("\n") == 1
    assert len(done.stderr) < 3000 + len("facepart: \n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "device", ["cuda:999", "nonsense", "cuda:", "cuda:-1", "cuda:²", "cuda:٣", f"cuda:{'9' * 5000}", "", "CPU"]
)
def test_a_device_that_is_not_there_is_a_wrong_call(device, run, tmp_path):
    np.save(tmp_path / "001_0.npy", np.ones(4, np.float32))
    np.save(tmp_path / "002_0.npy", np.eye(1, 4, dtype=np.float32)[0])
    (tmp_path / "list.txt").write_text("001_0.npy\n002_0.npy\n")
    done = run(
        *("-m", "facepart", "match", "-p", "list.txt", "-gr", "x", "-o", "out", "--device", device), folder=tmp_path
    )
    assert (done.returncode, done.stdout) == (2, "subjects by the MORPH convention: 001_0 -> 001\n")
    assert re.match(r"facepart: (unknown )?device '", done.stderr)
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_exit_statuses_are_documented(run):
    done = run("-m", "facepart", "-h")
    assert "128 + n terminated by signal n" in done.stdout
    table = (ROOT / "docs" / "by-hand.md").read_text().partition("## In a batch job")[2]
    statuses = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")][1:5]
    assert statuses == ["0", "1", "2", "129, 130, 143"]
    expected = {128 + number for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}
    assert {int(word) for word in statuses[3].split(", ")} == expected


def test_nothing_of_the_guard_stays_in_this_process(run):

    before = sys.stdout, sys.stderr, signal.getsignal(signal.SIGINT), sys.unraisablehook
    run("-m", "facepart", "models", "where", "nonsense")
    assert (sys.stdout, sys.stderr, signal.getsignal(signal.SIGINT), sys.unraisablehook) == before
