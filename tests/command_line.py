"""Command lines, run in a process of their own or, far faster, in that of the tests."""

import logging
import os
import runpy
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from unittest.mock import patch

Done = subprocess.CompletedProcess[str]

CHECKOUT = Path(__file__).resolve().parent.parent


def run_process(*arguments: str | Path, **variables: str | None) -> Done:
    """Run Python with `arguments` as a user's process, in the root of the checkout.

    Keyword arguments become environment variables; None removes one.
    """
    environment = {**os.environ, **{key: value for key, value in variables.items() if value is not None}}
    for key in [key for key, value in variables.items() if value is None]:
        environment.pop(key, None)
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=600)


def run_here(*arguments: str | Path, folder: Path = CHECKOUT, **variables: str) -> Done:
    """Run Python with `arguments` in this process, in `folder`: a module after ``-m``, or a folder or file.

    A process spends most of its time loading libraries, which are loaded here. Output is captured below Python, as by
    a pipe; logging and warnings are set up as in a new process. Keyword arguments become environment variables.
    """
    words = [str(argument) for argument in arguments]
    program = words[:2] if words[0] == "-m" else words[:1]
    before = sys.argv, list(sys.path), logging.root.handlers
    with (
        _captured("stdout") as stdout,
        _captured("stderr") as stderr,
        chdir(folder),
        patch.dict(os.environ, variables),
        warnings.catch_warnings(),
    ):
        warnings.showwarning = _print_warning  # type: ignore[assignment]
        logging.root.handlers = []
        sys.argv = [program[-1], *words[len(program) :]]
        status: object = 0
        try:
            if program[0] == "-m":
                runpy.run_module(program[1], run_name="__main__", alter_sys=True)
            else:
                runpy.run_path(program[0], run_name="__main__")
        except SystemExit as end:
            status = end.code or 0
        finally:
            sys.argv, sys.path[:], logging.root.handlers = before
    assert isinstance(status, int)
    return subprocess.CompletedProcess(words, status, stdout[0], stderr[0])


def _print_warning(message: Warning | str, category: type[Warning], place: str, line: int, *_: object) -> None:
    """Write a warning where a process writes it."""
    sys.stderr.write(warnings.formatwarning(message, category, place, line))


@contextmanager
def _captured(name: str) -> Iterator[list[str]]:
    """Capture a standard stream, below Python too, while the block lasts; then the list has its text."""
    python, text = getattr(sys, name), list[str]()
    python.flush()
    number = {"stdout": 1, "stderr": 2}[name]
    kept = os.dup(number)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), number)
        try:
            with open(number, "w", encoding="utf-8", closefd=False) as stream:
                setattr(sys, name, stream)
                yield text
        finally:
            setattr(sys, name, python)
            os.dup2(kept, number)
            os.close(kept)
            file.seek(0)
            text.append(file.read().decode())
