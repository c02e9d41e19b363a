"""Batch normalisation before a network is rounded to 16 bits: folded into the layer before it, in 32 bits.

Four rounded numbers per channel (mean, variance, scale, shift) would move an activation more than its own rounding
does. What cannot be folded keeps its numbers in 32 bits (:mod:`facepart.networks.pytorch_engine`). Source: Jacob et
al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", CVPR 2018 (arXiv
1712.05877), section 3.2.
"""

from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

# What PyTorch raises of a module whose steps depend on values.
_NOT_TRACEABLE = (RuntimeError, TypeError, ValueError, AttributeError, LookupError, NotImplementedError)


def fold_batch_norms(network: nn.Module) -> int:
    """Fold each BatchNorm that follows a convolution or a linear layer into it, in place; return how many there were.

    Layers that are called more than once are left as they are, and so is a network whose steps depend on values.

    Args:
        network: float32, in evaluation mode.
    """
    try:
        graph = fx.Tracer().trace(network)
    except _NOT_TRACEABLE:
        return 0
    calls = [node for node in graph.nodes if node.op == "call_module"]
    names = [str(node.target) for node in calls]
    folded = 0
    for node, name in zip(calls, names, strict=True):
        before = node.args[0] if node.args else None
        if not isinstance(before, fx.Node) or before.op != "call_module" or len(before.users) != 1:
            continue
        layer_name = str(before.target)
        if names.count(name) != 1 or names.count(layer_name) != 1:
            continue
        layer, norm = network.get_submodule(layer_name), network.get_submodule(name)
        if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            _replace(network, layer_name, fuse_conv_bn_eval(layer, norm))
        elif isinstance(layer, nn.Linear) and isinstance(norm, nn.BatchNorm1d):
            _replace(network, layer_name, fuse_linear_bn_eval(layer, norm))
        else:
            continue
        _replace(network, name, nn.Identity())
        folded += 1
    return folded


def _replace(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent), last, module)
