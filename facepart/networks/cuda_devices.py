"""How many CUDA devices there are; PyTorch, which takes seconds to load, is only imported if there may be one."""

import ctypes
import sys
import warnings
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

# The library of NVIDIA's driver, through which every CUDA program finds its devices, by platform.
_DRIVERS = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}


class CudaDevices(NamedTuple):
    """The CUDA devices of this machine.

    Attributes:
        usable: how many PyTorch can use.
        complaint: what PyTorch says of devices that it cannot use, in a line; empty if it says nothing.
    """

    usable: int
    complaint: str = ""


def count_cuda_devices() -> int:
    """Return how many CUDA devices PyTorch can use on this machine."""
    return find_cuda_devices().usable


def find_cuda_devices() -> CudaDevices:
    """Ask PyTorch for the CUDA devices that it can use on this machine.

    NVML's count, which is what ``torch.cuda.device_count`` gives, is not enough: it includes devices that PyTorch
    cannot use, such as those of a driver that is too old for it.
    """
    if not _may_have_cuda():
        return CudaDevices(0)
    import torch

    from facepart.networks.cuda_errors import device_error

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
    if available:
        return CudaDevices(torch.cuda.device_count())
    lines = [device_error(RuntimeError(str(each.message))) for each in told]
    return CudaDevices(0, next(filter(None, lines), ""))


def _may_have_cuda() -> bool:
    """Return False only if PyTorch would find no device: it is built without CUDA, or the driver has none."""
    build = _local_version("torch")
    if build.startswith("cpu"):
        return False
    # ROCm's devices are CUDA devices to PyTorch, but have another driver.
    return build.startswith("rocm") or sys.platform not in _DRIVERS or _driver_has_device(_DRIVERS[sys.platform])


def _local_version(package: str) -> str:
    """Return the part of a version after ``+``, which names PyTorch's kind of build: cpu, cu128, rocm6.4.

    Builds from some sources name none, which is an empty text, as of a package without metadata.
    """
    try:
        return version(package).partition("+")[2]
    except PackageNotFoundError:
        return ""


def _driver_has_device(library: str) -> bool:
    """Return whether NVIDIA's driver is on this machine and has a device.

    It is asked through ``cuInit`` and ``cuDeviceGetCount`` of the CUDA driver API, which return 0 for success.
    PyTorch asks the same driver and sees the same devices: both obey ``CUDA_VISIBLE_DEVICES``.
    """
    try:
        driver = ctypes.CDLL(library)
        count = ctypes.c_int(0)
        return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
    except (OSError, AttributeError):  # no such library, or one that is not the driver
        return False
