"""Networks by PyTorch: on CUDA devices, and on the CPU as the float32 reference."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from facepart.engines.base import Network, Preprocessing
from facepart.errors import FacepartError


class PyTorchEngine:
    """A PyTorch module on a device; see :class:`facepart.engines.base.Engine`."""

    precision = "fp32"
    runtime = "torch"

    def __init__(
        self,
        network: Network,
        preprocessing: Preprocessing,
        classes: int | None = None,
        device: str = "cpu",
        batch: int = 16,
    ) -> None:
        """Put `network` on `device`; it runs on at most `batch` photos at once.

        `classes` is as in :func:`facepart.engines.open_engine`.

        Raises:
            FacepartError: the network is an ONNX file, which PyTorch does not run.
        """
        if isinstance(network, Path):
            raise FacepartError(f"{network}: ONNX networks run on the CPU only; use --device cpu")
        # cuDNN would round convolutions to TF32, 10 bits, while `precision` says fp32.
        torch.backends.cudnn.allow_tf32 = False
        self.device = device
        self.preprocessing = preprocessing
        self._batch = batch
        self._classes = classes
        self._network = network.eval().to(device)
        # (3, 1, 1), to stretch over rows and columns.
        self._mean = torch.tensor(preprocessing.mean, device=device)[:, None, None]
        self._scale = torch.tensor(preprocessing.scale, device=device)[:, None, None]

    def __call__(self, photos: NDArray[np.uint8]) -> NDArray[Any]:
        """Run the network on uint8 photos (n, height, width, 3), RGB; n may be anything."""
        parts = [self._run(photos[start : start + self._batch]) for start in range(0, len(photos), self._batch)]
        return np.concatenate(parts) if parts else self._run(photos)

    def _run(self, photos: NDArray[np.uint8]) -> NDArray[Any]:
        with torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(photos)).to(self.device).permute(0, 3, 1, 2)
            if self.preprocessing.colour == "bgr":
                x = x.flip(1)
            out: torch.Tensor = self._network((x.float() - self._mean) / self._scale)
            if self._classes is not None:
                if out.ndim != 4 or out.shape[1] != self._classes:
                    shape = list(out.shape)
                    raise FacepartError(f"the network gives {shape}, not a score for each of {self._classes} classes")
                out = out.argmax(1).to(torch.uint8)
            array: NDArray[Any] = out.cpu().numpy()
        return array
