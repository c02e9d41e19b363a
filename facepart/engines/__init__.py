"""A network on a device, fast: OpenVINO on the CPU, PyTorch on CUDA and as the float32 reference.

The engines themselves, :mod:`~facepart.engines.openvino` and :mod:`~facepart.engines.pytorch`, are loaded when one is
opened: each takes seconds. Telemetry is turned off here, since this package is imported before them.
"""

from facepart.engines.base import PRECISIONS, Engine, Network, Preprocessing
from facepart.engines.open import choose_device, choose_gpu, choose_precision, open_engine
from facepart.engines.quiet import disable_telemetry

__all__ = [
    "PRECISIONS",
    "Engine",
    "Network",
    "Preprocessing",
    "choose_device",
    "choose_gpu",
    "choose_precision",
    "open_engine",
]

disable_telemetry()
