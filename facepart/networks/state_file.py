"""A file of PyTorch weights -> the state dict of one network in it.

Training programs leave the network's tensors under a name: in a dict beside the epoch and the optimiser's state
(``state_dict``, ``model``, ``ema`` ...), and with the names of what the network was wrapped in before each key
(``module.`` of data parallelism, ``_orig_mod.`` of ``torch.compile``, ``backbone.`` of a model with a training head).
All of these are a common beginning of the keys here, and come off together: the network is what follows it.
"""

import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from facepart.errors import FacepartError, one_line

_DEEPEST = 4  # dicts in dicts
_PIECE = 1 << 20  # bytes that are read at a time


def read_state(path: Path, anchors: tuple[str, ...], expected: str) -> dict[str, Tensor]:
    """Read the state dict of a network.

    Args:
        path: the file.
        anchors: keys of which each network of the wanted kinds has one. What comes before it in the file is taken off
            all keys, and keys without it, such as those of a training head, are left out. Where there is none, the
            keys are those of the file.
        expected: what is expected, for messages.

    Returns:
        The network's tensors, in float32 (integers as they are).

    Raises:
        FacepartError: the file is damaged, contains more than weights, is no state dict, or has several such
            networks.
    """
    try:
        _refuse_damaged(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as of an unusual version, before the error that follows from it
            stored: Any = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise FacepartError(
            f"{path}: cannot be read: {error.strerror or one_line(error)}; expected {expected}"
        ) from error
    except MemoryError as error:
        raise FacepartError(f"{path}: there is not enough memory for its weights") from error
    except Exception as error:  # a damaged file raises whatever the unpickler stumbles over
        raise FacepartError(f"{path}: is damaged, or contains more than weights; expected {expected}") from error
    state = dict(_tensors(stored)) if isinstance(stored, Mapping) else {}
    if not state:
        raise FacepartError(f"{path}: is not a state dict; expected {expected}")
    prefixes = sorted(
        {key.removesuffix(anchor) for key in state for anchor in anchors if f".{key}".endswith(f".{anchor}")}
    )
    if len(prefixes) > 1:
        named = one_line(" and ".join(prefix or "(no name)" for prefix in prefixes))
        raise FacepartError(f"{path}: has {len(prefixes)} networks, under the names {named}; save one of them alone")
    prefix = prefixes[0] if prefixes else ""
    return {
        key.removeprefix(prefix): value.float() if value.is_floating_point() else value
        for key, value in state.items()
        if key.startswith(prefix)
    }


def _refuse_damaged(path: Path) -> None:
    """Raise an error of any kind if a member of a zip, as which PyTorch saves, does not have its checksum.

    PyTorch does not look: a bit lost in a weight would give other embeddings. Without checksums, which
    ``torch.serialization.set_crc32_options`` allows, all are 0.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.CRC and not member.is_dir():
                with archive.open(member) as file:
                    while file.read(_PIECE):
                        pass  # at the end, zipfile compares the checksum


def _tensors(stored: Mapping[Any, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors in dicts in dicts; the keys on the way are joined by dots."""
    for key, value in stored.items():
        if isinstance(value, Tensor):
            yield f"{before}{key}", value
        elif isinstance(value, Mapping) and depth < _DEEPEST:
            yield from _tensors(value, f"{before}{key}.", depth + 1)
