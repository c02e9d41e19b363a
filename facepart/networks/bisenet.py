"""BiSeNet with a ResNet-18 context path, as trained for faces.

Architecture: Yu et al., "BiSeNet: Bilateral Segmentation Network for Real-time Semantic Segmentation", ECCV 2018
(arXiv 1808.00897), in the variant of github.com/zllrunning/face-parsing.PyTorch: there the spatial path is the
context path's own output at 1/8 of the input. Parameter names follow that repository, so that its checkpoint
``79999_iter.pth`` loads strictly. The two auxiliary heads are for training only; their weights are dropped.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everyone knows it by

from facepart.errors import FacepartError
from facepart.networks.label_map import CLASSES
from facepart.networks.state_file import read_state

_AUXILIARY = ("conv_out16.", "conv_out32.")
# A key that each BiSeNet has.
_ANCHOR = "cp.resnet.conv1.weight"
# Keys that identify other networks which are given as face parsers, and what to do about them.
_OTHERS = {
    "fpn.backbone.conv1.weight": "is BiSeNet of github.com/yakhyo/face-parsing: give its .onnx file",
    "segformer.encoder.patch_embeddings.0.proj.weight": "is a SegFormer: export it to ONNX and give the .onnx file",
    "layer1.0.prelu.weight": "is a recogniser: give it with --model",
    "conv_sep.layers.0.weight": "is a recogniser: give it with --model",
}


class ConvBNReLU(nn.Module):
    """Convolution without bias, batch normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, padding: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h, w)."""
        return F.relu(self.bn(self.conv(x)))


class BasicBlock(nn.Module):
    """ResNet's block of two 3x3 convolutions (He et al. 2016, arXiv 1512.03385)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h/stride, w/stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + shortcut)


class ResNet18(nn.Module):
    """ResNet-18 without its classifier; returns the features at 1/8, 1/16 and 1/32 of the input."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(BasicBlock(64, 64, 1), BasicBlock(64, 64, 1))
        self.layer2 = nn.Sequential(BasicBlock(64, 128, 2), BasicBlock(128, 128, 1))
        self.layer3 = nn.Sequential(BasicBlock(128, 256, 2), BasicBlock(256, 256, 1))
        self.layer4 = nn.Sequential(BasicBlock(256, 512, 2), BasicBlock(512, 512, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(n, 3, h, w) -> (n, 128, h/8, w/8), (n, 256, h/16, w/16), (n, 512, h/32, w/32)."""
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, stride=2, padding=1)
        eighth = self.layer2(self.layer1(x))
        sixteenth = self.layer3(eighth)
        return eighth, sixteenth, self.layer4(sixteenth)


class AttentionRefinement(nn.Module):
    """Features, each channel weighted by a function of the means over the image (section 3.2)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = ConvBNReLU(inputs, outputs)
        self.conv_atten = nn.Conv2d(outputs, outputs, 1, bias=False)
        self.bn_atten = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h, w)."""
        features = self.conv(x)
        weights = self.bn_atten(self.conv_atten(features.mean((2, 3), keepdim=True)))
        return features * weights.sigmoid()


class ContextPath(nn.Module):
    """The backbone, and upsampling from 1/32 to 1/8 (section 3.2)."""

    def __init__(self) -> None:
        super().__init__()
        self.resnet = ResNet18()
        self.arm16 = AttentionRefinement(256, 128)
        self.arm32 = AttentionRefinement(512, 128)
        self.conv_head32 = ConvBNReLU(128, 128)
        self.conv_head16 = ConvBNReLU(128, 128)
        self.conv_avg = ConvBNReLU(512, 128, kernel=1, padding=0)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 3, h, w) -> backbone features (n, 128, h/8, w/8), context features (n, 128, h/8, w/8)."""
        eighth, sixteenth, thirtysecond = self.resnet(x)
        context = self.arm32(thirtysecond) + self.conv_avg(thirtysecond.mean((2, 3), keepdim=True))
        context = self.conv_head32(F.interpolate(context, scale_factor=2.0, mode="nearest"))
        context = self.arm16(sixteenth) + context
        return eighth, self.conv_head16(F.interpolate(context, scale_factor=2.0, mode="nearest"))


class FeatureFusion(nn.Module):
    """Spatial and context features joined and reweighted (section 3.2)."""

    def __init__(self) -> None:
        super().__init__()
        self.convblk = ConvBNReLU(256, 256, kernel=1, padding=0)
        self.conv1 = nn.Conv2d(256, 64, 1, bias=False)
        self.conv2 = nn.Conv2d(64, 256, 1, bias=False)

    def forward(self, spatial: Tensor, context: Tensor) -> Tensor:
        """Twice (n, 128, h, w) -> (n, 256, h, w)."""
        features = self.convblk(torch.cat([spatial, context], dim=1))
        weights = self.conv2(F.relu(self.conv1(features.mean((2, 3), keepdim=True)))).sigmoid()
        return features * weights + features


class Head(nn.Module):
    """Features -> one score per class."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = ConvBNReLU(256, 256)
        self.conv_out = nn.Conv2d(256, len(CLASSES), 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 256, h, w) -> (n, 19, h, w), in the precision of the last layer's weights."""
        return self.conv_out(self.conv(x).to(self.conv_out.weight.dtype))


class BiSeNet(nn.Module):
    """The face parser: normalised photos -> scores of the 19 classes."""

    def __init__(self) -> None:
        super().__init__()
        self.cp = ContextPath()
        self.ffm = FeatureFusion()
        self.conv_out = Head()

    @property
    def scorer(self) -> nn.Module:
        """The layer that scores the classes; see :class:`facepart.networks.engine.ClassNetwork`."""
        return self.conv_out.conv_out

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, h, w), h and w multiples of 32 -> (n, 19, h, w)."""
        scores = self.conv_out(self.ffm(*self.cp(x)))
        return F.interpolate(scores, scale_factor=8.0, mode="bilinear", align_corners=True)


def load_bisenet(path: Path) -> BiSeNet:
    """Load a checkpoint of the original training code, strictly.

    What wrappers put before and around its keys comes off; see :mod:`facepart.networks.state_file`.

    Raises:
        FacepartError: the file is not a PyTorch checkpoint, or is one of another network.
    """
    expected = "a BiSeNet face parser (79999_iter.pth; `facepart models fetch bisenet-resnet18` gets it)"
    state = read_state(path, (_ANCHOR,), expected)
    network = BiSeNet()
    tensors = {key: value for key, value in state.items() if not key.startswith(_AUXILIARY)}
    try:
        network.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        seems = next(
            (what for end, what in _OTHERS.items() if any(f".{key}".endswith(f".{end}") for key in state)), None
        )
        if seems:
            raise FacepartError(f"{path}: {seems}; a checkpoint must be {expected}") from error
        unknown = len(tensors.keys() - network.state_dict().keys())
        missing = len(network.state_dict().keys() - tensors.keys())
        raise FacepartError(
            f"{path}: is another network ({missing} tensors are missing, {unknown} are unknown, "
            f"{len(tensors) - unknown} have a known name); expected {expected}"
        ) from error
    return network.eval()
