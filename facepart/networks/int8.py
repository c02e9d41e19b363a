"""A network in 8-bit whole numbers (INT8), by NNCF, from how its values spread on photos that calibrate it.

NNCF is the extra ``int8``; nothing else needs it, and a network that was calibrated before does not either.
"""

import logging
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError, one_line
from facepart.networks.engine import Preprocessing

if TYPE_CHECKING:
    # Not at run time: a run that finds its work done needs no OpenVINO.
    import openvino as ov


def nncf_version() -> str:
    """Return the release of NNCF.

    Raises:
        FacepartError: it is not installed.
    """
    try:
        return version("nncf")
    except PackageNotFoundError as error:
        raise FacepartError('--precision int8: needs NNCF; install it with: pip install "facepart[int8]"') from error


def quantise(
    model: "ov.Model", photos: NDArray[np.uint8], preprocessing: Preprocessing, exact: Sequence[str]
) -> "ov.Model":
    """Replace the arithmetic of a network by that of 8-bit whole numbers, as far as NNCF does.

    Args:
        model: the network, in float32; it is changed.
        photos: those that calibrate it, uint8 (n, h, w, 3), RGB, of the size in `preprocessing`.
        preprocessing: how they become its input.
        exact: the names of operators that stay as they are.

    Raises:
        FacepartError: NNCF is not installed, or cannot do it.
    """
    nncf_version()
    import nncf
    import rich
    from openvino.passes import ConstantFolding, Manager

    nncf.set_log_level(logging.ERROR)
    console = rich.get_console()
    quiet, console.quiet = console.quiet, True  # its progress bars would be among the command's output
    # NNCF takes weights that are constants, not those that a graph computes from constants.
    passes = Manager()
    passes.register_pass(ConstantFolding())
    passes.run_passes(model)
    inputs = [_network_input(photo, preprocessing) for photo in photos]
    try:
        quantised: ov.Model = nncf.quantize(
            model,
            nncf.Dataset(inputs),
            # Activations of PReLU and the like have negative values, too.
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(photos),
            ignored_scope=nncf.IgnoredScope(names=list(exact)),
        )
    except Exception as error:
        # Its errors have no base of their own.
        raise FacepartError(f"NNCF cannot compute this network in INT8: {one_line(error)}") from error
    finally:
        console.quiet = quiet
    return quantised


def last_convolution(model: "ov.Model") -> list[str]:
    """Return the name of the convolution that a network's output comes from; none if there is none.

    The way back goes along the first input of each operator.
    """
    node = model.outputs[0].get_node()
    while node.get_input_size():
        if node.get_type_name() == "Convolution":
            return [node.get_friendly_name()]
        node = node.input_value(0).get_node()
    return []


def _network_input(photo: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.float32]:
    """A photo, uint8 (h, w, 3) -> what the network takes, float32 (1, 3, h, w)."""
    ordered = photo[:, :, ::-1] if preprocessing.colour == "bgr" else photo
    values = (ordered.astype(np.float32) - np.array(preprocessing.mean, np.float32)) / np.array(
        preprocessing.scale, np.float32
    )
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None])
