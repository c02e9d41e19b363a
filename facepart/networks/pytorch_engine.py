"""Networks by PyTorch: on CUDA devices, and on the CPU as the float32 reference.

On CUDA, weights and activations have 16 bits and are stored channels-last, the layout that tensor cores use; only
classes are scored and chosen in 32 bits. Photos are copied to the device as 8 bits from pinned memory while the batch
before them is still computed, and only answers are copied back.
"""

import copy
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facepart.errors import FacepartError, one_line
from facepart.networks.engine import ClassNetwork, Network, Preprocessing

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class PyTorchEngine:
    """A network on a PyTorch device; see :class:`facepart.networks.engine.Engine`."""

    runtime = "torch"

    def __init__(
        self,
        network: Network,
        preprocessing: Preprocessing,
        classes: int | None = None,
        precision: str = "fp32",
        device: str = "cpu",
        batch: int = 32,
    ) -> None:
        """Put `network` on `device`; it runs on at most `batch` photos at once.

        `classes` is as in :func:`facepart.networks.engine_choice.open_engine`.

        Raises:
            FacepartError: the network does not run on photos of the size in `preprocessing`, or does not score that
                many classes.
        """
        # cuDNN would round convolutions to TF32, 10 bits, while `precision` says fp32.
        torch.backends.cudnn.allow_tf32 = False
        self.device = device
        self.precision = precision
        self.preprocessing = preprocessing
        self._batch = batch
        self._lock = threading.Lock()
        self._classes = classes
        self._dtype = _DTYPES[precision]
        if isinstance(network, Path):
            from facepart.networks.onnx.network import load_onnx

            module = load_onnx(network, preprocessing.height, preprocessing.width)
        else:
            module = network
        # A copy of the layer that stays in float32, before its weights are rounded with the others.
        exact = copy.deepcopy(module.scorer) if classes is not None and isinstance(module, ClassNetwork) else None
        self._module = module.eval().to(device, self._dtype)
        if exact is not None and isinstance(module, ClassNetwork):
            module.scorer.to(torch.float32).load_state_dict(exact.state_dict())
        self._module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        # (3, 1, 1), to broadcast over rows and columns.
        self._mean = torch.tensor(preprocessing.mean, device=device)[:, None, None]
        self._scale = torch.tensor(preprocessing.scale, device=device)[:, None, None]
        name = str(network) if isinstance(network, Path) else type(network).__name__
        nothing = np.zeros((1, preprocessing.height, preprocessing.width, 3), np.uint8)
        try:
            with torch.inference_mode():
                self.output_shape = tuple(self._run(self._send(nothing)).shape[1:])
        except RuntimeError as error:
            size = f"{preprocessing.height}x{preprocessing.width}"
            raise FacepartError(f"{name}: does not run on photos of {size}: {one_line(error)}") from error
        except FacepartError as error:
            raise FacepartError(f"{name}: {error}") from error

    def __call__(self, photos: NDArray[np.uint8]) -> NDArray[Any]:
        """Run the network on uint8 photos (n, height, width, 3), RGB; n may be anything."""
        with self._lock, torch.inference_mode():
            answers = [answer.cpu().numpy() for answer in self._answers(photos)]
        if answers:
            return np.concatenate(answers)
        return np.empty((0, *self.output_shape), np.uint8 if self._classes else np.float32)

    def _answers(self, photos: NDArray[np.uint8]) -> Iterator[Tensor]:
        """Yield each batch's answer, still on the device, after the next batch has been sent and started."""
        before: Tensor | None = None
        for start in range(0, len(photos), self._batch):
            answer = self._run(self._send(photos[start : start + self._batch]))
            if before is not None:
                yield before
            before = answer
        if before is not None:
            yield before

    def _send(self, photos: NDArray[np.uint8]) -> Tensor:
        batch = torch.from_numpy(np.ascontiguousarray(photos))
        if self.device.startswith("cuda"):
            batch = batch.pin_memory()
        return batch.to(self.device, non_blocking=True)

    def _run(self, photos: Tensor) -> Tensor:
        # NHWC viewed as NCHW is channels-last already.
        x = photos.permute(0, 3, 1, 2)
        if self.preprocessing.colour == "bgr":
            x = x.flip(1)
        # In float32, where 8-bit values minus the mean are exact; the network's own precision comes after.
        x = ((x.float() - self._mean) / self._scale).to(self._dtype, memory_format=torch.channels_last)
        out: Tensor = self._module(x)
        if self._classes is None:
            return out.float()
        if out.ndim != 4 or out.shape[1] != self._classes:
            raise FacepartError(
                f"its output is {list(out.shape)}, expected scores for {self._classes} classes: name its classes by "
                "--label-set"
            )
        if out.shape[2:] != x.shape[2:]:
            # In float32, or the scores of the two best classes would be equal in many pixels.
            out = torch.nn.functional.interpolate(out.float(), x.shape[2:], mode="bilinear", align_corners=False)
        return out.argmax(1).to(torch.uint8)
