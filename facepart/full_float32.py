"""Float32 products that keep all 24 bits, whatever PyTorch was told before.

Since Ampere, GPUs can round the factors of float32 products to TF32, 11 bits; CPUs can round them to bfloat16.
PyTorch does so for convolutions by default, and for matrix products (linear layers and matching among them) if a
program, or the environment variable ``TORCH_ALLOW_TF32_CUBLAS_OVERRIDE``, asks for it. What facepart calls fp32, and
the scores of pairs, would lose their exactness.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

_lock = threading.Lock()
_depth = 0
_before: list[str] = []


@contextmanager
def full_float32() -> Iterator[None]:
    """Compute with all bits of float32 inside the block; what was set before holds again after the outermost block.

    PyTorch's settings are those of the whole process, so blocks may overlap in several threads.
    """
    global _depth
    with _lock:
        if not _depth:
            _before[:] = _settings()
            _set(["ieee"] * len(_before) if _has_new_api() else ["highest", ""])
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if not _depth:
                _set(_before)


def _has_new_api() -> bool:
    """Return whether this PyTorch has ``fp32_precision`` (2.9 or later)."""
    return hasattr(torch.backends, "fp32_precision")


def _backends() -> list[Any]:
    backends: Any = torch.backends
    return [backends.cuda.matmul, backends.cudnn.conv, backends.mkldnn.matmul, backends.mkldnn.conv]


def _settings() -> list[str]:
    # The older flags must not be read where the new ones exist: PyTorch raises an error once the two differ.
    if _has_new_api():
        return [each.fp32_precision for each in _backends()]
    return [torch.get_float32_matmul_precision(), "tf32" if torch.backends.cudnn.allow_tf32 else ""]


def _set(settings: list[str]) -> None:
    if _has_new_api():
        for backend, precision in zip(_backends(), settings, strict=True):
            backend.fp32_precision = precision
    else:
        torch.set_float32_matmul_precision(settings[0])
        torch.backends.cudnn.allow_tf32 = settings[1] == "tf32"
