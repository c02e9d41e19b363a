"""What PyTorch says of a CUDA device that does not work -> one clear line."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from facepart.errors import FacepartError, one_line

# What PyTorch's messages about the driver, the device and NVIDIA's libraries have in common.
_DEVICE = re.compile(r"CUDA|NVIDIA|cuDNN|CUBLAS|cuBLAS|HIP error", re.ASCII)
# Advice to programmers that follows the first sentence or line of a message.
_MORE = re.compile(r"\n|(?<=[a-z)])\. | Please | Compile with | For debugging ")


@contextmanager
def cuda_errors(device: str, advice: str = "use --device cpu") -> Iterator[None]:
    """Turn errors of a device in the block into a :class:`~facepart.errors.FacepartError` of one line.

    Args:
        device: its name, for messages; errors of ``cpu`` are no such errors.
        advice: what to do if its memory does not suffice.
    """
    try:
        yield
    except (RuntimeError, AssertionError) as error:
        line = device_error(error)
        if line is None or device == "cpu":
            raise
        raise FacepartError(f"{device}: {line}; {advice}") from error


def device_error(error: BaseException) -> str | None:
    """Return what an error says of a CUDA device, without the advice to programmers; None for another error."""
    if isinstance(error, torch.OutOfMemoryError):
        return "there is not enough memory on the GPU"
    if not _DEVICE.search(str(error)):
        return None
    return one_line(_MORE.split(str(error).strip(), maxsplit=1)[0]).rstrip(".")
