"""What an engine is: a network on a device that takes batches of 8-bit photos and returns arrays."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    # Not at run time: PyTorch takes seconds to load, and a network that was compiled before needs none.
    from pathlib import Path

    from torch import nn

Colour = Literal["rgb", "bgr"]
PRECISIONS = ("fp32", "bf16", "fp16", "int8")
# The parser in INT8, and recognisers in the precision that is the default on the machine's CPU.
INT8_PARSER = "int8-parser"
# The default on CUDA: fp16, which is 8 times as exact as bf16, but bf16 for a network that overflows in it.
EITHER_16 = "fp16/bf16"

# What a network is before it is put on a device: a PyTorch module (float32, evaluation mode, one input
# (n, 3, height, width), one output), or an ONNX file whose first output counts.
Network: TypeAlias = "nn.Module | Path"


@runtime_checkable
class ClassNetwork(Protocol):
    """A PyTorch module that scores classes at each pixel, and whose end can stay in float32.

    In 16 bits, the scores of the two best classes are equal in many pixels, and the rounded weights of the last layer
    favour some classes over others: all masks would be too large, or too small, in the same way.

    Attributes:
        scorer: the module's last layer with weights; where its weights are float32, so is all that follows.
    """

    @property
    def scorer(self) -> "nn.Module":
        """See above."""
        ...


@dataclass(frozen=True)
class Preprocessing:
    """How 8-bit RGB becomes a network's input: channel c is ``(x[c] - mean[c]) / scale[c]``.

    Attributes:
        height: rows of the network's input.
        width: columns of the network's input.
        colour: the order in which the network takes the channels.
        mean: per channel, in the network's order, in units of 0..255.
        scale: per channel, in the network's order, in units of 0..255.
    """

    height: int
    width: int
    colour: Colour = "rgb"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)


class NetworkSource(Protocol):
    """A file of weights that can be loaded; it is not, where the network was compiled before."""

    def load(self) -> tuple[Network, Preprocessing]:
        """Return the network, and how 8-bit RGB becomes its input.

        Raises:
            FacepartError: the file does not contain such a network.
        """
        ...

    def sha256(self) -> str:
        """Return the hash of all files that the network is made of, as they are now.

        Raises:
            FacepartError: a file cannot be read.
        """
        ...


class Engine(Protocol):
    """A network on a device.

    Attributes:
        device: where it runs, e.g. ``cpu`` or ``cuda:0``.
        precision: of its arithmetic, one of :data:`PRECISIONS`.
        runtime: the distribution that runs it, ``openvino`` or ``torch``.
        preprocessing: what it expects.
        output_shape: of its output for one photo, without the batch.
        batch: how many photos it computes at once, padding smaller batches; 1 if it pads none.
    """

    device: str
    precision: str
    runtime: str
    preprocessing: Preprocessing
    output_shape: tuple[int, ...]
    batch: int

    def __call__(self, photos: NDArray[np.uint8]) -> NDArray[Any]:
        """Run the network; calls from several threads wait for each other.

        Args:
            photos: uint8, (n, height, width, 3), RGB, of the size in `preprocessing`; n may be anything.

        Returns:
            The network's output for each photo, first axis n.
        """
        ...
