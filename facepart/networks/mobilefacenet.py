"""MobileFaceNet as insightface's arcface_torch builds it: 112x112 faces -> embeddings.

Inverted residual blocks (1x1 convolution up, 3x3 depthwise, 1x1 down) with PReLU, then a 7x7 depthwise convolution in
place of an average, and one linear layer. Layers have arcface_torch's names, so that its published state dicts load
as they are; there `mbf` has scale 2 and blocks (1, 4, 6, 2), `mbf_large` scale 4 and (2, 8, 12, 4).
Source: Chen et al., MobileFaceNets: Efficient CNNs for Accurate Real-Time Face Verification on Mobile Devices, 2018.
"""

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor, nn

_LAST = 512  # channels of the last map
_STAGES = 4


class Shape(NamedTuple):
    """What distinguishes one MobileFaceNet from another.

    Attributes:
        scale: widths are 64 and 128 times this.
        blocks: residual blocks at each of the four resolutions; 1 at the first means a plain convolution.
        dimension: length of the embedding.
    """

    scale: int
    blocks: tuple[int, ...]
    dimension: int


class _Convolution(nn.Module):
    """Convolution, BN and, unless linear, PReLU."""

    def __init__(
        self, channels: int, width: int, kernel: int, stride: int, groups: int, linear: bool = False
    ) -> None:
        super().__init__()
        # The 7x7 kernel covers the whole map, so it has no padding.
        padding = 1 if kernel == 3 else 0
        layers = [
            nn.Conv2d(channels, width, kernel, stride=stride, padding=padding, groups=groups, bias=False),
            nn.BatchNorm2d(width),
        ]
        self.layers = nn.Sequential(*layers, *([] if linear else [nn.PReLU(width)]))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class _Bottleneck(nn.Module):
    """Up, depthwise, down; with stride 1 the input is added."""

    def __init__(self, channels: int, width: int, inner: int, stride: int) -> None:
        super().__init__()
        self.residual = stride == 1
        self.layers = nn.Sequential(
            _Convolution(channels, inner, 1, 1, 1),
            _Convolution(inner, inner, 3, stride, inner),
            _Convolution(inner, width, 1, 1, 1, linear=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        out = self.layers(x)
        return x + out if self.residual else out


class _Chain(nn.Module):
    """Layers one after another, under the name ``layers``."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def _stage(width: int, inner: int, count: int) -> _Chain:
    return _Chain(*[_Bottleneck(width, width, inner, 1) for _ in range(count)])


class MobileFaceNet(nn.Module):
    """The network: (n, 3, 112, 112), RGB, (x - 127.5) / 127.5 -> (n, dimension), not normalised."""

    def __init__(self, shape: Shape) -> None:
        """Build the network."""
        super().__init__()
        narrow, wide = 64 * shape.scale, 128 * shape.scale
        first, second, third, fourth = shape.blocks
        self.layers = nn.Sequential(
            _Convolution(3, narrow, 3, 2, 1),
            _Convolution(narrow, narrow, 3, 1, 64) if first == 1 else _stage(narrow, 128, first),
            _Bottleneck(narrow, narrow, 128, 2),
            _stage(narrow, 128, second),
            _Bottleneck(narrow, wide, 256, 2),
            _stage(wide, 256, third),
            _Bottleneck(wide, wide, 512, 2),
            _stage(wide, 256, fourth),
        )
        self.conv_sep = _Convolution(wide, _LAST, 1, 1, 1)
        self.features = _Chain(
            _Convolution(_LAST, _LAST, 7, 1, _LAST, linear=True),
            nn.Flatten(),
            nn.Linear(_LAST, shape.dimension, bias=False),
            nn.BatchNorm1d(shape.dimension),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Compute the embeddings."""
        return self.features(self.conv_sep(self.layers(x)))


def shape_in(state: Mapping[str, Tensor]) -> Shape:
    """Return the shape of the network that a state dict of a MobileFaceNet belongs to.

    Raises:
        KeyError: the state dict lacks its first or its last convolution.
    """
    blocks = []
    for stage in range(1, 2 * _STAGES, 2):
        prefix = f"layers.{stage}.layers."
        numbers = {key.removeprefix(prefix).split(".")[0] for key in state if key.startswith(prefix)}
        # A plain convolution has no blocks: its own three layers have the keys of blocks.
        blocks.append(1 if f"{prefix}0.weight" in state else len(numbers))
    scale = state["layers.0.layers.0.weight"].shape[0] // 64
    return Shape(scale, tuple(blocks), state["features.layers.2.weight"].shape[0])
