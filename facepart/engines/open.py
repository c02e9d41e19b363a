"""A network and the name of a device -> an engine."""

import torch

from facepart.engines.base import Engine, Network, Preprocessing
from facepart.engines.openvino import OpenVinoEngine
from facepart.engines.pytorch import PyTorchEngine
from facepart.errors import UsageError


def open_engine(
    network: Network, preprocessing: Preprocessing, device: str = "auto", classes: int | None = None
) -> Engine:
    """Put a network on a device.

    Args:
        network: a PyTorch module or the path of an ONNX file.
        preprocessing: how 8-bit RGB becomes its input.
        device: ``cpu``, ``cuda``, ``cuda:1`` ..., or ``auto``: CUDA where there is such a device and the network
            can run there, else the CPU. A device that is asked for by name and missing is an error, never
            another device.
        classes: if given, the network scores that many classes at each pixel, (n, classes, h, w), and the engine
            gives the number of the best one instead, uint8 (n, h, w).

    Raises:
        UsageError: the device is not known, or not there.
        FacepartError: the network does not run there.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() and isinstance(network, torch.nn.Module) else "cpu"
    if device == "cpu":
        return OpenVinoEngine(network, preprocessing, classes)
    name, _, index = device.partition(":")
    if name != "cuda" or (index and not index.isdigit()):
        raise UsageError(f"unknown device {device!r}; known: auto, cpu, cuda, cuda:<number>")
    found = torch.cuda.device_count()
    if int(index or 0) >= found:
        raise UsageError(f"device {device!r} is not there: PyTorch finds {found} CUDA devices; use --device cpu")
    return PyTorchEngine(network, preprocessing, classes, device)
