"""Arrays to a device and back; on CUDA, beside its work rather than in turns with it.

Each direction has a stream of its own, and goes through pinned memory. Work on the device waits for the input that it
takes, and an answer is copied when it is computed: not when what was started after it is.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Copy:
    """An answer on its way to the host."""

    def __init__(self, values: Tensor, done: "torch.cuda.Event | None" = None) -> None:
        self._values, self._done = values, done

    def wait(self) -> NDArray[Any]:
        """Return the array when it is there."""
        if self._done is not None:
            self._done.synchronize()
        return self._values.numpy()


class DeviceCopies:
    """Copies arrays to one device, and answers back."""

    def __init__(self, device: str) -> None:
        self._device = torch.device(device)
        self._cuda = self._device.type == "cuda"
        if self._cuda:
            self._in = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
            self._out = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]

    def send(self, array: NDArray[Any]) -> Tensor:
        """Return a copy of an array on the device, which the current stream may use right away."""
        values = torch.from_numpy(np.ascontiguousarray(array))
        if not self._cuda:
            return values.to(self._device)
        with torch.cuda.stream(self._in):
            there = values.pin_memory().to(self._device, non_blocking=True)
        working = torch.cuda.current_stream(self._device)
        working.wait_stream(self._in)
        # Its memory was taken for the other stream: it must not be used again before this one is done with it.
        there.record_stream(working)
        return there

    def fetch(self, answer: Tensor) -> Copy:
        """Begin to copy an answer of the current stream to the host."""
        if not self._cuda:
            return Copy(answer)
        self._out.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._out):
            values = torch.empty(answer.shape, dtype=answer.dtype, pin_memory=True)
            values.copy_(answer, non_blocking=True)
            done = torch.cuda.Event()  # type: ignore[no-untyped-call]
            done.record(self._out)
        answer.record_stream(self._out)
        return Copy(values, done)
