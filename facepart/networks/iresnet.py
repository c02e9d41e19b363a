"""The improved ResNet of ArcFace (LResNet-E-IR): 112x112 faces -> embeddings.

A residual block is BN, conv, BN, PReLU, conv, BN; only its second convolution strides, and the trunk keeps the
image's full size until the first of four stages. Then BN, one linear layer over the 7x7 map, and a BN whose gamma
is 1. Layers have the names of insightface's arcface_torch, so that its published state dicts load as they are.
Source: Deng et al., ArcFace: Additive Angular Margin Loss for Deep Face Recognition, CVPR 2019, section 3.1.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

# Depth -> blocks in each of the four stages.
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3)}

_WIDTHS = (64, 128, 256, 512)
_MAP = 7  # rows and columns of the last map: 112 halved four times
_EPS = 1e-5


class _Block(nn.Module):
    """A residual block; the first of a stage halves the map and has a convolution beside it."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels, eps=_EPS)
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width, eps=_EPS)
        self.prelu = nn.PReLU(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(width, eps=_EPS)
        self.downsample: nn.Sequential | None = None
        if stride > 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels, width, 1, stride=stride, bias=False), nn.BatchNorm2d(width, eps=_EPS)
            )

    def forward(self, x: Tensor) -> Tensor:
        residual = self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x))))))
        return residual + (x if self.downsample is None else self.downsample(x))


class IResNet(nn.Module):
    """ArcFace's network: (n, 3, 112, 112), RGB, (x - 127.5) / 127.5 -> (n, dimension), not normalised."""

    def __init__(self, blocks: tuple[int, ...], dimension: int) -> None:
        """Build the network.

        Args:
            blocks: residual blocks in each of the four stages, e.g. ``BLOCKS[100]``.
            dimension: length of the embedding.
        """
        super().__init__()
        self.conv1 = nn.Conv2d(3, _WIDTHS[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(_WIDTHS[0], eps=_EPS)
        self.prelu = nn.PReLU(_WIDTHS[0])
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            nn.Sequential(
                _Block(before, width, stride=2), *[_Block(width, width, stride=1) for _ in range(count - 1)]
            )
            for before, width, count in zip((_WIDTHS[0], *_WIDTHS[:-1]), _WIDTHS, blocks, strict=True)
        )
        self.bn2 = nn.BatchNorm2d(_WIDTHS[-1], eps=_EPS)
        self.fc = nn.Linear(_WIDTHS[-1] * _MAP * _MAP, dimension)
        self.features = nn.BatchNorm1d(dimension, eps=_EPS)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the embeddings. Dropout, which the published network has before `fc`, is for training only."""
        x = self.prelu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.features(self.fc(torch.flatten(self.bn2(x), 1)))


def blocks_in(keys: Iterable[str]) -> tuple[int, ...]:
    """Count the residual blocks of each stage in a state dict's keys, ``layer<stage>.<block>.<layer>.<what>``."""
    present = {tuple(key.split(".")[:2]) for key in keys}
    return tuple(sum(stage == f"layer{number}" for stage, *_ in present) for number in (1, 2, 3, 4))
