"""A network on a device, fast: OpenVINO on the CPU, PyTorch on CUDA and as the float32 reference."""

from facepart.engines.base import Engine, Network, Preprocessing
from facepart.engines.open import open_engine
from facepart.engines.openvino import OpenVinoEngine
from facepart.engines.pytorch import PyTorchEngine

__all__ = ["Engine", "Network", "OpenVinoEngine", "Preprocessing", "PyTorchEngine", "open_engine"]
