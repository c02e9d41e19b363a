"""A PyTorch state dict, as insightface's arcface_torch saves it -> the network that it belongs to."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from facepart.errors import FacepartError, one_line
from facepart.networks.iresnet import BLOCKS, IResNet, blocks_in
from facepart.networks.mobilefacenet import MobileFaceNet, shape_in
from facepart.networks.state_file import read_state

_EXPECTED = "expected a state dict of arcface_torch's iresnet18, 34, 50, 100 or MobileFaceNet"

# A key that each MobileFaceNet, or each iresnet, has.
_MOBILEFACENET, _IRESNET = "conv_sep.layers.0.weight", "layer1.0.prelu.weight"

# Keys that identify other common networks.
_OTHERS = {
    "cp.resnet.conv1.weight": "a BiSeNet face parser",
    "layer1.0.conv1.weight": "a ResNet for ImageNet",
    "input_layer.0.weight": "an IR network of another project, such as AdaFace",
}


def read_network(path: Path) -> nn.Module:
    """Read a state dict and load it into its network; the kind and the depth of the network follow from the keys.

    The keys must be exactly those of the network, but for what wrappers put before them and around them; see
    :mod:`facepart.networks.state_file`. The values may have any precision.

    Returns:
        The network in float32 and evaluation mode: (n, 3, 112, 112) -> (n, d).

    Raises:
        FacepartError: the file is damaged, contains more than weights, or belongs to another network.
    """
    state = read_state(path, (_MOBILEFACENET, _IRESNET), _EXPECTED.removeprefix("expected "))
    try:
        # On the meta device: no memory is used for values that those of the file replace at once.
        with torch.device("meta"):
            network = _lay_out(state, path)
        network.load_state_dict(state, strict=True, assign=True)
    except (RuntimeError, KeyError, ValueError) as error:
        raise FacepartError(f"{path}: does not fit the network that its keys belong to: {one_line(error)}") from error
    return network.eval().requires_grad_(False)


def _lay_out(state: Mapping[str, Tensor], path: Path) -> nn.Module:
    if _MOBILEFACENET in state:
        return MobileFaceNet(shape_in(state))
    if _IRESNET in state:
        blocks = blocks_in(state)
        if blocks not in BLOCKS.values():
            raise FacepartError(f"{path}: is an iresnet of unknown depth, with {blocks} blocks; {_EXPECTED}")
        return IResNet(blocks, state["fc.weight"].shape[0])
    seems = next(
        (what for end, what in _OTHERS.items() if any(f".{key}".endswith(f".{end}") for key in state)),
        f"another network ({one_line(next(iter(state)))} ...)",
    )
    raise FacepartError(f"{path}: seems to be {seems}; {_EXPECTED}")
