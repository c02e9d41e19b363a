"""What the tests share: where the real data lie, the program as a process, weights and faces."""

import gc
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, lru_cache, partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from facepart.data.photo_input import read_photo
from facepart.demo.faces import make_captures
from facepart.errors import FacepartError
from facepart.files.progress import silent
from facepart.networks.catalogue import obtain
from tests import command_line
from tests.small_network import LENGTH, save_small_parser

ROOT = command_line.CHECKOUT
SHARED = ROOT.parent / "shared"


def _take_note(number: int, frame: object) -> None:
    """Do nothing."""


# Processes that tests start inherit what this one ignores, as in the background of a shell or under nohup; a signal
# with a handler is not inherited. Tests that send signals would wait for processes that do not end.
for _number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, _take_note)

Run = Callable[..., command_line.Done]

# No test measures time: how long an example takes depends on what else the machine does.
settings.register_profile("facepart", deadline=None)
settings.load_profile("facepart")
# On a busy machine, a test may take so long that a line of progress is due.
os.environ.setdefault("FACEPART_PROGRESS", "0")

# Libraries that take seconds to load are imported in the functions that use them: the process that hands out tests
# loads this module, too, and those that run the tests start after that.


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the modules that are slow, so that none of them is left for one process at the end.

    Tests that need a CUDA device are skipped without one.
    """
    import torch

    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("cuda"):
                item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


def pytest_collection_finish() -> None:
    """Tell the garbage collector to leave alone what is loaded by now: it stays, and takes long to look through."""
    gc.freeze()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real faces, weights and the original programs' answers; skips where it is missing."""
    if not (SHARED / "design.md").exists():
        pytest.skip("needs ../shared (real faces, weights and golden answers), which a public clone lacks")
    return SHARED


@pytest.fixture(scope="session")
def run() -> Run:
    """Run Python with the given arguments in this process; see :func:`tests.command_line.run_here`."""
    return command_line.run_here


@pytest.fixture(scope="session")
def run_process() -> Run:
    """Run Python with the given arguments as a user's process; see :func:`tests.command_line.run_process`."""
    return command_line.run_process


@pytest.fixture(scope="session", autouse=True)
def matching_is_measured_once() -> Iterator[None]:
    """Measure once, not for each estimate of a study's cost, how fast this machine compares faces.

    The faces are those of small networks: no test depends on what it costs to compare longer ones.
    """
    from facepart.study import plan
    from facepart.study.match_cost import measure_matching

    measured = cache(partial(measure_matching, LENGTH))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(plan, "measure_matching", lambda dimension: measured())
        yield


@pytest.fixture(scope="session", autouse=True)
def files_need_not_reach_the_disk() -> Iterator[None]:
    """Do not wait for the disk at each file that is written in this process: it only matters if the power fails.

    That files are synced, in which order, and what happens where that fails, is tested by operations that are
    counted (:mod:`tests.test_files`, :mod:`tests.test_write_faults`); processes that tests start do sync them.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", os.fstat)  # which fails as fsync does for what is no open file
        yield


@pytest.fixture(scope="session")
def drawn_parser(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A face parser that takes no time, for tests in which it does not matter which parts are where."""
    return str(save_small_parser(tmp_path_factory.mktemp("parser") / "drawn.onnx"))


@pytest.fixture(scope="session")
def mkl() -> None:
    """Skips where PyTorch's BLAS is not the one whose sums are known not to depend on the place in a product."""
    import torch

    if not torch.backends.mkl.is_available():
        pytest.skip("needs PyTorch with MKL, as on x86-64: elsewhere a score may move by one step of 1e-6")


@lru_cache
def _fetch_default() -> None:
    """Fetch the default recogniser before all others, so that the default stays the same while the tests run."""
    with suppress(FacepartError):
        obtain("sface", "recogniser")


def _weights(name: str, task: str) -> Path:
    """Weights as a user gets them: found on this machine, or fetched once and kept."""
    _fetch_default()
    try:
        return obtain(name, task).path
    except FacepartError as error:
        pytest.skip(f"needs the weights of {name}, which cannot be had here: {error}")


@pytest.fixture(scope="session")
def bisenet_weights() -> Path:
    """The BiSeNet checkpoint."""
    return _weights("bisenet-resnet18", "parser")


@pytest.fixture(scope="session")
def recogniser_weights() -> Path:
    """A recogniser that anyone can fetch, by npm."""
    return _weights("faceplugin", "recogniser")


@pytest.fixture(scope="session")
def sface_weights() -> Path:
    """The default recogniser, which anyone can fetch, by pip."""
    return _weights("sface", "recogniser")


@pytest.fixture(scope="session")
def detector_weights() -> Path:
    """The face detector."""
    return _weights("yunet", "detector")


@pytest.fixture(scope="session")
def face_paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Photos of faces, two a person, named as in MORPH: the London set where it lies beside the checkout, else the
    demo's simulated captures."""
    if SHARED.exists():
        return sorted((SHARED / "data" / "london" / "images").glob("*.jpg"))
    folder = tmp_path_factory.mktemp("captures")
    try:
        make_captures(folder, 2, silent)
    except FacepartError as error:
        pytest.skip(f"needs photographs, which cannot be had here: {error}")
    return sorted(folder.glob("*.png"))


@pytest.fixture(scope="session")
def faces(face_paths: list[Path]) -> list[NDArray[np.uint8]]:
    """A few of the photos, read."""
    return [read_photo(path) for path in face_paths[:4]]
