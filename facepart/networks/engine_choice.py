"""A network, the name of a device and a precision -> an engine."""

import logging
import re
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError, UsageError
from facepart.memory import OPENVINO_NEEDS, refuse_little_memory
from facepart.networks.compiled_cache import CompiledCache
from facepart.networks.cpu_precisions import cpu_precisions
from facepart.networks.cuda_devices import count_cuda_devices, find_cuda_devices
from facepart.networks.engine import EITHER_16, INT8_PARSER, PRECISIONS, Engine, NetworkSource
from facepart.suggestion import did_you_mean

_logger = logging.getLogger(__name__)


def open_engine(
    source: NetworkSource,
    device: str = "auto",
    precision: str = "auto",
    *,
    classes: int | None = None,
    compiled: CompiledCache | None = None,
    threads: int | None = None,
    calibration: NDArray[np.uint8] | None = None,
) -> Engine:
    """Put a network on a device.

    Args:
        source: where the network comes from; not loaded if the network was compiled before.
        device: ``cpu``, ``cuda``, ``cuda:1`` ..., or ``auto``; see :func:`choose_device`.
        precision: ``fp32``, ``bf16``, ``fp16``, ``int8``, or ``auto``; see :func:`choose_precision`. A network in
            INT8 was calibrated by :mod:`facepart.pipeline.calibration`, and is in the cache.
        classes: if given, the network scores that many classes at each pixel, (n, classes, h, w), and the engine
            returns the number of the best one instead, uint8 (n, h, w).
        compiled: where the compiled network is cached, under the hash of its weights. A file there that is damaged,
            or was made of other weights, is made anew. None caches nothing.
        threads: on the CPU, the number of threads of the network; None for one per processor that this
            process may use. The answers do not depend on it.
        calibration: the photos that calibrate a network in INT8, uint8 (n, h, w, 3), RGB, of its size; None if it is
            in the cache.

    Raises:
        UsageError: the device or the precision is unknown or not available: a device or a precision that is named is
            never replaced by another.
        FacepartError: the network does not run on the device, or its weights are replaced at this moment.
    """
    device = choose_device(device)
    precision = choose_precision(device, precision)
    if device != "cpu":
        from facepart.networks.pytorch_engine import PyTorchEngine

        return PyTorchEngine(*source.load(), classes, precision, device)
    refuse_little_memory(OPENVINO_NEEDS)
    from facepart.networks.openvino_engine import OpenVinoEngine

    if precision == INT8_PARSER or (precision == "int8" and (compiled is None or not compiled.calibration)):
        raise UsageError(f"precision {precision}: networks are calibrated by the commands, on the photos of a run")
    if compiled is None:
        return OpenVinoEngine(*source.load(), classes, precision, threads)
    engine = OpenVinoEngine.from_compiled(compiled, precision, classes, threads)
    if engine is None and precision == "int8" and calibration is None:
        raise FacepartError(f"{compiled.path(precision)}: the calibrated network is damaged; remove it and run again")
    if engine is None:
        engine = OpenVinoEngine(*source.load(), classes, precision, threads, calibration)
        if source.sha256() != compiled.sha256:
            raise FacepartError("the weights were replaced while they were read; run it again")
        # A cache that cannot be written costs time and nothing else.
        with suppress(FacepartError):
            engine.save_compiled(compiled)
    return engine


def choose_precision(device: str, precision: str) -> str:
    """Return the precision that a name means on a device of :func:`choose_device`.

    ``auto`` is bf16 on a CPU that supports it in hardware, fp32 on other CPUs, and fp16 on CUDA, but there bf16 for a
    network that overflows in fp16 (small networks divide by norms that fp16 cannot tell from zero). It is never int8.

    Raises:
        UsageError: the precision is unknown, or the processor or the device does not support it in hardware.
    """
    # What a run chose is what its workers are asked for.
    chosen = (EITHER_16,) if device != "cpu" else ()
    known = (*PRECISIONS, INT8_PARSER)
    if precision not in ("auto", *known, *chosen):
        near = did_you_mean(precision, known)
        raise UsageError(f"unknown precision {precision!r}{near}; known: auto, {', '.join(known)}")
    if device != "cpu":
        if precision in ("int8", INT8_PARSER):
            raise UsageError(
                f"--precision {precision}: networks are computed in INT8 on the CPU only; use --device cpu"
            )
        if precision == "bf16":
            from facepart.networks.pytorch_engine import computes_in_bf16

            if not computes_in_bf16(device):
                raise UsageError(f"{device} does not compute in bf16; it computes in fp32, fp16")
        return EITHER_16 if precision == "auto" else precision
    available = cpu_precisions()
    if precision == "auto":
        return "bf16" if "bf16" in available else "fp32"
    if ("int8" if precision == INT8_PARSER else precision) not in available:
        raise UsageError(f"this processor does not compute in {precision}; it computes in {', '.join(available)}")
    return precision


def choose_gpu(number: int) -> str:
    """Return the device that a GPU number means, as in the original study's programs.

    Returns:
        ``cuda:<number>``; ``cpu`` if the number is negative or PyTorch finds no CUDA device.

    Raises:
        UsageError: there are CUDA devices, but not that many.
    """
    return choose_device(f"cuda:{number}") if number >= 0 and count_cuda_devices() else "cpu"


def choose_device(device: str) -> str:
    """Return the device that a name means on this machine: ``cpu`` or ``cuda:<number>``.

    ``auto`` is CUDA if PyTorch finds such a device, otherwise the CPU.

    Raises:
        UsageError: the device is unknown or not available.
    """
    named = re.fullmatch(r"cuda(?::(?P<number>[0-9]{1,9}))?", device)
    if device not in ("auto", "cpu") and named is None:
        near = did_you_mean(device, ("auto", "cpu", "cuda"))
        raise UsageError(f"unknown device {device!r}{near}; known: auto, cpu, cuda, cuda:<number>")
    if device == "cpu":
        return "cpu"
    found = find_cuda_devices()
    if device == "auto":
        if found.complaint:
            _logger.warning("CUDA is not used: %s", found.complaint)
        return "cuda:0" if found.usable else "cpu"
    number = int((named and named["number"]) or 0)
    if number >= found.usable:
        reason = found.complaint or f"PyTorch finds {found.usable} CUDA devices"
        raise UsageError(f"device {device!r} is not available: {reason}; use --device cpu")
    return f"cuda:{number}"
