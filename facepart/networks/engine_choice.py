"""A network, the name of a device and a precision -> an engine."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from facepart.errors import FacepartError, UsageError
from facepart.networks.engine import PRECISIONS, Engine, Network, Preprocessing


def open_engine(
    load: Callable[[], tuple[Network, Preprocessing]],
    device: str = "auto",
    precision: str = "auto",
    *,
    classes: int | None = None,
    kept: Path | None = None,
    threads: int | None = None,
) -> Engine:
    """Put a network on a device.

    Args:
        load: gives the network, and how 8-bit RGB becomes its input; not called if the network was compiled before.
        device: ``cpu``, ``cuda``, ``cuda:1`` ..., or ``auto``; see :func:`choose_device`.
        precision: ``fp32``, ``bf16``, ``fp16``, or ``auto``; see :func:`choose_precision`.
        classes: if given, the network scores that many classes at each pixel, (n, classes, h, w), and the engine
            gives the number of the best one instead, uint8 (n, h, w).
        kept: a path that stands for these weights and no others; compiled networks are kept at it, with the
            precision added to its name. None keeps none.
        threads: on the CPU, how many the network may take; None for one a processor. It does not change the answers.

    Raises:
        UsageError: the device or the precision is not known, or not there: what is asked for by name is never
            replaced by something else.
        FacepartError: the network does not run there.
    """
    device = choose_device(device)
    precision = choose_precision(device, precision)
    if device != "cpu":
        from facepart.networks.pytorch_engine import PyTorchEngine

        return PyTorchEngine(*load(), classes, precision, device)
    from facepart.networks.openvino_engine import OpenVinoEngine

    if kept is None:
        return OpenVinoEngine(*load(), classes, precision, threads)
    kept = kept.with_name(f"{kept.name}-{precision}.openvino")
    engine = OpenVinoEngine.kept(kept, threads)
    if engine is None:
        engine = OpenVinoEngine(*load(), classes, precision, threads)
        # A cache that cannot be written to costs time and nothing else.
        with suppress(FacepartError):
            engine.keep(kept)
    return engine


def choose_precision(device: str, precision: str) -> str:
    """Give the precision that a name means on a device of :func:`choose_device`.

    ``auto`` is bf16 where the hardware has it; else fp32 on the CPU, and fp16 on CUDA.

    Raises:
        UsageError: the precision is not known, or the processor does not have it in hardware.
    """
    if precision not in ("auto", *PRECISIONS):
        raise UsageError(f"unknown precision {precision!r}; known: auto, {', '.join(PRECISIONS)}")
    if device != "cpu":
        if precision != "auto":
            return precision
        import torch

        # bf16 before fp16: small networks divide by norms that fp16 cannot tell from zero.
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    from facepart.networks.openvino_engine import cpu_precisions

    there = cpu_precisions()
    if precision == "auto":
        return "bf16" if "bf16" in there else "fp32"
    if precision not in there:
        raise UsageError(f"this processor does not compute in {precision}; it has {', '.join(there)}")
    return precision


def choose_gpu(number: int) -> str:
    """Give the device that a GPU's number means, as the original study's programs take it.

    Returns:
        ``cuda:<number>``; ``cpu`` where the number is negative, or PyTorch finds no CUDA device.

    Raises:
        UsageError: there are CUDA devices, but not that many.
    """
    if number < 0:
        return "cpu"
    import torch

    return choose_device(f"cuda:{number}") if torch.cuda.device_count() else "cpu"


def choose_device(device: str) -> str:
    """Give the device that a name means on this machine: ``cpu`` or ``cuda:<number>``.

    ``auto`` is CUDA where PyTorch finds such a device, else the CPU.

    Raises:
        UsageError: the device is not known, or not there.
    """
    name, _, index = device.partition(":")
    if device not in ("auto", "cpu") and (name != "cuda" or (index and not index.isdigit())):
        raise UsageError(f"unknown device {device!r}; known: auto, cpu, cuda, cuda:<number>")
    if device == "cpu":
        return "cpu"
    # Imported here: on a CPU that is asked for by name, PyTorch, which takes seconds to load, may not be needed.
    import torch

    found = torch.cuda.device_count()
    if device == "auto":
        return "cuda:0" if found else "cpu"
    if int(index or 0) >= found:
        raise UsageError(f"device {device!r} is not there: PyTorch finds {found} CUDA devices; use --device cpu")
    return f"cuda:{int(index or 0)}"
