"""Networks by PyTorch: on CUDA devices, and on the CPU as the float32 reference.

On CUDA, weights and activations have 16 bits and are stored channels-last, the layout that tensor cores use; only
classes are scored and chosen, and statistics of BatchNorm applied, in 32 bits. All batches have one size, the last
one filled up with photos that nobody looks at: cuDNN chooses its algorithms by the shape, so that an answer would
otherwise depend on how many photos it was computed with. Copies to and from the device go on beside its work
(:mod:`facepart.networks.device_copies`).
"""

import gc
import logging
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facepart.errors import FacepartError, one_line
from facepart.full_float32 import full_float32
from facepart.networks.batch_norm import fold_batch_norms
from facepart.networks.cuda_errors import cuda_errors
from facepart.networks.device_copies import Copy, DeviceCopies
from facepart.networks.engine import EITHER_16, ClassNetwork, Network, Preprocessing
from facepart.networks.graph_network import GraphNetwork

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
# Label of a pixel whose scores are not finite.
NOT_FINITE = 255
# Batches that are on the device at once: one is computed while the answer of the one before it is copied.
_IN_FLIGHT = 2
_logger = logging.getLogger(__name__)


class PyTorchEngine:
    """A network on a PyTorch device; see :class:`facepart.networks.engine.Engine`.

    Attributes:
        batch: photos on the device at once; fewer are filled up to so many if batches have one size.
    """

    runtime = "torch"

    def __init__(
        self,
        network: Network,
        preprocessing: Preprocessing,
        classes: int | None = None,
        precision: str = "fp32",
        device: str = "cpu",
        batch: int = 32,
        one_size: bool | None = None,
    ) -> None:
        """Put `network` on `device`.

        Args:
            network: the network; its module is changed.
            preprocessing: what it takes.
            classes: as in :func:`facepart.networks.engine_choice.open_engine`.
            precision: one of :data:`facepart.networks.engine.PRECISIONS`, or
                :data:`facepart.networks.engine.EITHER_16`.
            device: ``cpu``, ``cuda:0`` ..., or ``meta``, which computes shapes alone.
            batch: photos on the device at once; halved where its memory does not suffice.
            one_size: whether all batches have that size; None for whether the device is CUDA.

        Raises:
            FacepartError: the network does not run on photos of the size in `preprocessing`, does not score that
                many classes, or is not finite in that precision; or the device does not work.
        """
        self.device, self.preprocessing, self.batch = device, preprocessing, batch
        self._lock = threading.Lock()
        self._classes = classes
        self._one_size = device.startswith("cuda") if one_size is None else one_size
        if isinstance(network, Path):
            from facepart.networks.onnx.network import load_onnx

            module = load_onnx(network, preprocessing.height, preprocessing.width)
        else:
            module = network
        self._module = module.eval()
        name = str(network) if isinstance(network, Path) else type(network).__name__
        try:
            with cuda_errors(device):
                self._copies = DeviceCopies(device)
                # (3, 1, 1), to broadcast over rows and columns.
                self._mean = torch.tensor(preprocessing.mean, device=device)[:, None, None]
                self._scale = torch.tensor(preprocessing.scale, device=device)[:, None, None]
                self.precision = self._round(precision)
                with torch.inference_mode(), full_float32():
                    self.output_shape = tuple(self.run(self._copies.send(self._black(1))).shape[1:])
        except RuntimeError as error:
            size = f"{preprocessing.height}x{preprocessing.width}"
            raise FacepartError(f"{name}: does not run on photos of {size}: {one_line(error)}") from error
        except FacepartError as error:
            raise FacepartError(f"{name}: {error}") from error

    def __call__(self, photos: NDArray[np.uint8]) -> NDArray[Any]:
        """Run the network on uint8 photos (n, height, width, 3), RGB; n may be anything.

        Raises:
            FacepartError: the device fails, its memory does not suffice for a single photo, or the scores of classes
                are not finite.
        """
        with self._lock, torch.inference_mode(), full_float32(), cuda_errors(self.device):
            answers = self._with_enough_memory(photos)
        if not answers:
            return np.empty((0, *self.output_shape), np.uint8 if self._classes else np.float32)
        answer = np.concatenate(answers)
        if self._classes and self._may_overflow and (answer == NOT_FINITE).any():
            raise FacepartError(f"the parser's scores are not finite in {self.precision}; use --precision fp32")
        return answer

    def run(self, photos: Tensor) -> Tensor:
        """Run the network on photos on the device, where the answer stays; for callers in ``torch.inference_mode``.

        Args:
            photos: uint8 (n, height, width, 3), RGB.

        Returns:
            float32 (n, ...); or, if the network scores classes, uint8 (n, height, width), where 255 means that the
            scores are not finite.
        """
        # NHWC viewed as NCHW is channels-last already.
        x = self._normalise(photos.permute(0, 3, 1, 2))
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
            out = nn.functional.interpolate(out.float(), x.shape[2:], mode="bilinear", align_corners=False)
        best, labels = out.max(1)
        return labels.to(torch.uint8).masked_fill_(~best.isfinite(), NOT_FINITE)

    def _normalise(self, photos: Tensor) -> Tensor:
        if self.preprocessing.colour == "bgr":
            photos = photos.flip(1)
        # In float32, where 8-bit values minus the mean are exact; the network's own precision comes after.
        x = (photos.float() - self._mean) / self._scale
        return x.to(self._dtype, memory_format=torch.channels_last)

    def _with_enough_memory(self, photos: NDArray[np.uint8]) -> list[NDArray[Any]]:
        """Return the answers of all batches; batches become smaller until the device's memory suffices."""
        while True:
            try:
                return list(self._answers(photos))
            except torch.OutOfMemoryError:
                if self.batch == 1:
                    raise
                self.batch //= 2
            # Here, where the error and what it refers to are gone.
            gc.collect()
            torch.cuda.empty_cache()
            _logger.warning(
                "%s: not enough memory for %d photos at once; from here on %d, which may change the last digits of "
                "results",
                *(self.device, 2 * self.batch, self.batch),
            )

    def _answers(self, photos: NDArray[np.uint8]) -> Iterator[NDArray[Any]]:
        """Yield each batch's answer; the batch after it has been started by then."""
        started: deque[tuple[Copy, int]] = deque()
        for start in range(0, len(photos), self.batch):
            batch = photos[start : start + self.batch]
            count = len(batch)
            if self._one_size and count < self.batch:
                batch = np.concatenate([batch, self._black(self.batch - count)])
            started.append((self._copies.fetch(self.run(self._copies.send(batch))), count))
            if len(started) == _IN_FLIGHT:
                copy, count = started.popleft()
                yield copy.wait()[:count]
        for copy, count in started:
            yield copy.wait()[:count]

    def _black(self, count: int) -> NDArray[np.uint8]:
        return np.zeros((count, self.preprocessing.height, self.preprocessing.width, 3), np.uint8)

    def _round(self, precision: str) -> str:
        """Bring the network to the device and to a precision; return the precision that it has then.

        Raises:
            FacepartError: it is not finite in that precision.
        """
        self._may_overflow = precision != "fp32"
        if precision != "fp32":
            fold_batch_norms(self._module)
        # What can become a precision that bears more is kept until it is known whether it has to.
        whole = {name: value.clone() for name, value in _tensors(self._module)} if precision == EITHER_16 else {}
        self._set_precision("fp16" if precision == EITHER_16 else precision)
        if precision in ("fp32", "bf16") or self.device == "meta" or self._is_finite():
            return "fp16" if precision == EITHER_16 else precision
        if precision == "fp16":
            raise FacepartError("its answers are not finite in fp16; use --precision bf16 or fp32")
        self._module.to("cpu")
        for name, value in _tensors(self._module):
            value.data = whole[name]
        wider = "bf16" if computes_in_bf16(self.device) else "fp32"
        self._set_precision(wider)
        return wider

    def _set_precision(self, precision: str) -> None:
        self._dtype = dtype = _DTYPES[precision]
        module = self._module.to(self.device)
        kept = {id(each) for each in _kept_in_float32(module, self._classes)}
        for _, value in _tensors(module):
            if value.is_floating_point() and id(value) not in kept:
                value.data = value.data.to(dtype)
            if value.ndim == 4:
                value.data = value.data.contiguous(memory_format=torch.channels_last)

    def _is_finite(self) -> bool:
        """Return whether the answers to black, white, and random photos are finite."""
        size = (self.preprocessing.height, self.preprocessing.width, 3)
        noise = np.random.default_rng(0).integers(0, 256, (2, *size), np.uint8)
        probe = np.concatenate([self._black(1), ~self._black(1), noise])
        with torch.inference_mode(), full_float32():
            out = self._module(self._normalise(self._copies.send(probe).permute(0, 3, 1, 2)))
            return bool(out.isfinite().all())


def computes_in_bf16(device: str) -> bool:
    """Return whether a device computes in bfloat16 by itself: CUDA devices since Ampere."""
    if not device.startswith("cuda"):
        return True
    with cuda_errors(device), torch.cuda.device(device):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def _tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from module.named_parameters()
    yield from module.named_buffers()


def _kept_in_float32(module: nn.Module, classes: int | None) -> Iterator[Tensor]:
    """Yield the tensors that are not rounded: those that score classes, and statistics of BatchNorm."""
    for each in module.modules():
        if isinstance(each, nn.BatchNorm1d | nn.BatchNorm2d):
            yield from (value for _, value in _tensors(each))
        elif isinstance(each, GraphNetwork):
            yield from each.exact
    if classes is not None and isinstance(module, ClassNetwork):
        yield from module.scorer.parameters()
