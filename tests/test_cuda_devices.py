"""Whether there is a CUDA device is found out without PyTorch, unless there may be one."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from facepart.networks import cuda_devices
from facepart.networks.cuda_devices import count_cuda_devices
from facepart.networks.engine_choice import choose_device, choose_gpu

COUNT = """
import sys
from facepart.networks.cuda_devices import count_cuda_devices
print(count_cuda_devices(), "torch" in sys.modules)
"""
# What a driver says: the status of cuInit, that of cuDeviceGetCount, and the count.
DRIVER = """
int cuInit(unsigned int flags) {{ return {init}; }}
int cuDeviceGetCount(int *count) {{ *count = {count}; return {status}; }}
"""


@pytest.fixture
def make_driver(tmp_path):
    """Compile a library of the CUDA driver's name; returns its folder."""

    def make(source: str) -> Path:
        code, library = tmp_path / "driver.c", tmp_path / "libcuda.so.1"
        code.write_text(source)
        try:
            subprocess.run(["cc", "-shared", "-fPIC", "-o", library, code], check=True, capture_output=True)
        except FileNotFoundError:
            pytest.skip("needs a C compiler")
        return tmp_path

    return make


def pretend_build(folder: Path, name: str) -> Path:
    """Write metadata of PyTorch that are found before the true ones."""
    info = folder / "site" / f"torch-{name}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: torch\nVersion: {name}\n")
    return info.parent


def count(run_process, site: Path | None = None, drivers: Path | None = None) -> str:
    """Count the devices in a process of its own, with another PyTorch's metadata and another driver."""
    root = Path(cuda_devices.__file__).resolve().parents[2]
    path = ":".join(str(folder) for folder in (site, root) if folder)
    done = run_process("-c", COUNT, PYTHONPATH=path, LD_LIBRARY_PATH=str(drivers) if drivers else None)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_the_count_is_that_of_pytorch():
    assert count_cuda_devices() == torch.cuda.device_count()
    assert choose_device("auto") == ("cuda:0" if torch.cuda.is_available() else "cpu")
    assert choose_gpu(-1) == "cpu"


@pytest.mark.skipif(not version("torch").endswith("+cpu"), reason="needs a build of PyTorch for CPUs")
def test_a_build_for_cpus_is_not_imported_whatever_the_driver(run_process, make_driver):
    drivers = make_driver(DRIVER.format(init=0, status=0, count=1))
    assert count(run_process, drivers=drivers) == "0 False"


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's name of the driver")
@pytest.mark.parametrize(
    ("init", "status", "devices", "asked"),
    [(0, 0, 1, True), (0, 0, 0, False), (100, 0, 1, False), (0, 3, 1, False)],
    ids=["a device", "no device", "not initialised", "not counted"],
)
def test_a_build_for_cuda_is_asked_only_if_the_driver_has_a_device(
    run_process, make_driver, tmp_path, init, status, devices, asked
):
    site = pretend_build(tmp_path, "2.13.0+cu128")
    drivers = make_driver(DRIVER.format(init=init, status=status, count=devices))
    assert count(run_process, site, drivers) == f"{torch.cuda.device_count()} {asked}"


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's name of the driver")
@pytest.mark.skipif(torch.cuda.is_available(), reason="is about machines without a CUDA device")
@pytest.mark.parametrize(("build", "asked"), [("2.13.0+cu128", False), ("2.13.0", False), ("2.13.0+rocm6.4", True)])
def test_without_a_driver_only_other_kinds_of_device_are_asked_for(run_process, tmp_path, build, asked):
    assert count(run_process, pretend_build(tmp_path, build)) == f"0 {asked}"


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's name of the driver")
def test_a_library_of_that_name_which_is_no_driver_has_no_device(run_process, make_driver, tmp_path):
    site = pretend_build(tmp_path, "2.13.0+cu128")
    assert count(run_process, site, make_driver("int other(void) { return 0; }")) == "0 False"
