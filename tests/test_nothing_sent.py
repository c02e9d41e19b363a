"""No command sends anything: run under a guard, none looks up a name, connects, or writes outside its folders."""

import ast
import hashlib
import json
import re
import shutil
from functools import partial
from importlib.machinery import PathFinder
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from facepart.demo.photographs import fetch_photographs
from facepart.errors import FacepartError
from facepart.networks.catalogue import model
from facepart.pipeline.finished_photos import FINISHED_FILE
from tests.command_line import run_here
from tests.conftest import ROOT, Run
from tests.guard.watching import Guard

pytestmark = pytest.mark.slow

COMMANDS = """
models list
models where faceplugin
models check
models fetch yunet
align -s photos -d aligned
blur -s photos -m masks -d blurred --parts nose
extract -s photos -d features/all --model faceplugin --align
extract -s blurred/blurred_nose -d features/nose --model faceplugin
lists -s features/all -o lists/all.txt
match -p features/all/list.txt -g features/nose/list.txt -o matches -gr all
plot -s1 matches/all_scores.npz -l1 All -t Title -d plots -n output
study -s photos -o study --parts nose
demo -o demo --parts nose
"""
PROGRAM = ("-m", "facepart")
# The demo on fewer photos.
SHORT_DEMO = (ROOT / "tests" / "short_demo.py",)


class Runs(NamedTuple):
    """Every command, run under the guard, and without it in the process of the tests.

    Attributes:
        guard: which ran them.
        folder: in which they ran.
        guarded: hashes of what each command printed, and of each file, in the first run.
        plain: the same without the guard.
        attempts: what the guard counted.
    """

    guard: Guard
    folder: Path
    guarded: dict[str, str]
    plain: dict[str, str]
    attempts: list[str]


@pytest.fixture(scope="module")
def runs(tmp_path_factory, face_paths, bisenet_weights, recogniser_weights, detector_weights) -> Runs:
    guard = Guard(tmp_path_factory.mktemp("guarded"))
    weights = {"bisenet-resnet18": bisenet_weights, "faceplugin": recogniser_weights, "yunet": detector_weights}
    for name, path in weights.items():
        link = guard.cache / "models" / model(name).locations[0]
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path.resolve())
    try:
        for path in fetch_photographs():
            copy = guard.cache / "photographs" / path.parent.name / path.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    except FacepartError as error:
        pytest.skip(f"needs the demo's photographs, which cannot be had here: {error}")
    folder = tmp_path_factory.mktemp("work")
    guarded = run_all(partial(guard.run, folder=folder), folder, face_paths)
    attempts = guard.attempts()
    shutil.rmtree(folder)
    folder.mkdir()
    plain = run_all(partial(run_here, folder=folder, FACEPART_HOME=str(guard.cache)), folder, face_paths)
    return Runs(guard, folder, guarded, plain, attempts)


def run_all(run: Run, folder: Path, faces: list[Path]) -> dict[str, str]:
    (folder / "photos").mkdir()
    for path in faces[:4]:
        with Image.open(path) as image:
            image.convert("RGB").resize((224, 224)).save(folder / "photos" / f"{path.stem}.png")
    found = {}
    for line in COMMANDS.strip().splitlines():
        done = run(*(SHORT_DEMO if line.startswith("demo") else PROGRAM), *line.split())
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        found[line] = hashed(re.sub(r"\d+\.\d s", "", done.stdout).encode())
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return found | {named(path.relative_to(folder)): hashed(held(path)) for path in files}


def named(path: Path) -> str:
    """Return a path without the digest of the photos' times, which a study keeps."""
    return re.sub(r"(?<=pictures/)\w+", "digest", path.as_posix())


def held(path: Path) -> bytes:
    """Return the contents of a file without the photos' times."""
    if path.name == "compared.json":
        return b""
    if path.name == FINISHED_FILE:
        photos = json.loads(path.read_text())["photos"]
        return json.dumps({name: rest for name, (_, *rest) in photos.items()}).encode()
    if path.name.startswith("shard-"):
        with np.load(path) as arrays:
            return b"".join(arrays[name].tobytes() for name in arrays.files if name != "index")
    return path.read_bytes()


def hashed(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_no_command_looks_up_a_name_connects_or_forks(runs):
    assert runs.attempts == []


def test_the_outputs_are_those_without_the_guard(runs):
    assert len(runs.guarded) > 100
    assert runs.guarded == runs.plain


def test_nothing_is_left_in_the_home_folder_or_among_temporary_files(runs):
    assert list(runs.guard.home.iterdir()) == []
    assert list(runs.guard.temporary.iterdir()) == []


def test_the_system_sees_no_connection_and_no_file_elsewhere(runs):
    if not runs.guard.traced:
        pytest.skip("needs strace, with the right to watch processes: what is outside Python is not watched")
    assert runs.guard.addresses() == []
    assert runs.guard.written(runs.folder) == []


def test_the_guard_counts_what_a_child_of_a_child_tries(tmp_path):
    guard = Guard(tmp_path / "guard")
    connect = "import socket; socket.create_connection(('127.0.0.1', 9))"
    child = f"import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', {connect!r}]).returncode)"
    done = guard.run("-c", child, folder=tmp_path)
    assert "forbidden by the tests' guard" in done.stderr
    assert guard.attempts() == ["socket.getaddrinfo 127.0.0.1"]
    native = "import ctypes; ctypes.CDLL(None).connect(3, bytes([2, 0, 0, 9, 127, 0, 0, 1] + 8 * [0]), 16)"
    guard.run("-c", f"import socket; held = socket.socket(); {native}", folder=tmp_path)
    guard.run("-c", "open('inside', 'w'); open('../outside', 'w')", folder=guard.cache)
    if guard.traced:
        assert guard.addresses() == ["connect 127.0.0.1"]
        assert guard.written(guard.home) == [str(guard.home.parent / "outside")]


SMALL = """
from torch import nn
from facepart.networks.engine import Preprocessing
from facepart.networks.engine_choice import open_engine
network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
class Source:
    def load(self):
        return network, Preprocessing(height=16, width=16)
open_engine(Source(), "cpu", "fp32")
"""
SPAWNED = """
import multiprocessing
from facepart.networks.openvino_engine import cpu_precisions
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(cpu_precisions)
"""


@pytest.mark.parametrize("consent", [None, "1", "0"])
def test_a_network_is_converted_in_silence_whatever_consent_is_on_file(tmp_path, consent):
    guard = Guard(tmp_path / "guard")
    if consent is not None:
        (guard.home / "intel").mkdir()
        (guard.home / "intel" / "openvino_telemetry").write_text(consent)
    before = sorted(guard.home.rglob("*"))
    done = guard.run("-c", SMALL, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert guard.attempts() == []
    assert sorted(guard.home.rglob("*")) == before


def test_a_spawned_process_is_as_silent(tmp_path):
    guard = Guard(tmp_path / "guard")
    (tmp_path / "script.py").write_text(SPAWNED)
    done = guard.run("script.py", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert guard.attempts() == []


@pytest.mark.skipif(not PathFinder.find_spec("openvino_telemetry"), reason="needs the package openvino-telemetry")
def test_after_an_import_of_openvino_by_the_caller_nothing_more_is_sent(tmp_path):
    guard = Guard(tmp_path / "guard")
    assert guard.run("-c", "import openvino", folder=tmp_path).returncode == 0
    alone = guard.attempts()
    assert "socket.getaddrinfo www.google-analytics.com" in alone, "the guard sees what would be sent"
    done = guard.run("-c", f"import openvino\n{SMALL}", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert guard.attempts() == alone


def test_onnx_runtime_of_the_tests_keeps_no_events(tmp_path):
    guard = Guard(tmp_path / "guard")
    for package in ("tests", "benchmarks"):
        assert guard.run("-c", f"import {package}, onnxruntime", folder=tmp_path).returncode == 0
    assert list(guard.home.iterdir()) == []


def test_openvino_is_imported_where_its_telemetry_is_off():
    importing = {
        path.relative_to(ROOT).as_posix()
        for folder in ("facepart", "benchmarks", "tests", "docs")
        for path in (ROOT / folder).rglob("*.py")
        if any(name.split(".")[0] == "openvino" for name in imported(path))
    }
    assert importing == {f"facepart/networks/{name}.py" for name in ("int8", "openvino_engine", "telemetry")}


def imported(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.append(node.module or "")
    return found
