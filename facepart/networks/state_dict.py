"""A PyTorch state dict, as insightface's arcface_torch saves it -> the network that it belongs to."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from facepart.errors import FacepartError
from facepart.networks.iresnet import BLOCKS, IResNet, blocks_in
from facepart.networks.mobilefacenet import MobileFaceNet, shape_in

_EXPECTED = "expected a state dict of arcface_torch's iresnet18, 34, 50, 100 or MobileFaceNet"

# The keys under which training programs save the state of the network itself.
_WRAPPERS = ("state_dict", "state_dict_backbone", "model", "backbone", "net")

# Keys that identify other common networks.
_OTHERS = {
    "cp.resnet.conv1.weight": "a BiSeNet face parser",
    "layer1.0.conv1.weight": "a ResNet for ImageNet",
    "input_layer.0.weight": "an IR network of another project, such as AdaFace",
}


def read_network(path: Path) -> nn.Module:
    """Read a state dict and load it into its network; the kind and the depth of the network follow from the keys.

    The keys must be exactly those of the network. The state may be wrapped in a dict under a usual name, its keys may
    begin with ``module.``, and its values may have any precision.

    Returns:
        The network in float32 and evaluation mode: (n, 3, 112, 112) -> (n, d).

    Raises:
        FacepartError: the file is damaged, contains more than weights, or belongs to another network.
    """
    state = _read_state(path)
    try:
        # On the meta device: no memory is used for values that those of the file replace at once.
        with torch.device("meta"):
            network = _lay_out(state, path)
        network.load_state_dict(state, strict=True, assign=True)
    except (RuntimeError, KeyError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        raise FacepartError(f"{path}: does not fit the network that its keys belong to: {reason}") from error
    return network.eval().requires_grad_(False)


def _lay_out(state: Mapping[str, Tensor], path: Path) -> nn.Module:
    if "conv_sep.layers.0.weight" in state:
        return MobileFaceNet(shape_in(state))
    if "layer1.0.prelu.weight" in state:
        blocks = blocks_in(state)
        if blocks not in BLOCKS.values():
            raise FacepartError(f"{path}: is an iresnet of unknown depth, with {blocks} blocks; {_EXPECTED}")
        return IResNet(blocks, state["fc.weight"].shape[0])
    seems = next(
        (what for key, what in _OTHERS.items() if key in state), f"another network ({next(iter(state))} ...)"
    )
    raise FacepartError(f"{path}: seems to be {seems}; {_EXPECTED}")


def _read_state(path: Path) -> dict[str, Tensor]:
    """Read a state dict, unwrapped, in float32 and without the prefix ``module.``."""
    try:
        stored: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, OSError) as error:
        raise FacepartError(f"{path}: is damaged, or contains more than weights; {_EXPECTED}") from error
    if isinstance(stored, dict):
        stored = next((stored[key] for key in _WRAPPERS if isinstance(stored.get(key), dict)), stored)
    if not isinstance(stored, dict) or not stored or not all(isinstance(value, Tensor) for value in stored.values()):
        raise FacepartError(f"{path}: is not a state dict; {_EXPECTED}")
    return {
        str(key).removeprefix("module."): value.float() if value.is_floating_point() else value
        for key, value in stored.items()
    }
