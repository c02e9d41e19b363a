"""A file of weights, in any of the supported formats -> a recogniser that the engines run."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from facepart.data.resize import Size
from facepart.errors import FacepartError, UsageError, one_line
from facepart.networks.catalogue.files import network_sha256
from facepart.networks.compiled_cache import CompiledCache
from facepart.networks.engine import Engine, Network, Preprocessing
from facepart.networks.engine_choice import open_engine
from facepart.networks.input_range import choose_range
from facepart.networks.mxnet.checkpoint import find_checkpoint, read_parameters, read_symbol

if TYPE_CHECKING:
    from torch import nn

_STATE_DICTS = (".pt", ".pth")
_EXPECTED = (
    "expected an .onnx file, an MXNet checkpoint (its .params file, its folder, or prefix,epoch) "
    "or a PyTorch state dict (.pt, .pth)"
)

# The input of ArcFace networks, unless the catalogue or the graph says otherwise.
_ARCFACE = Preprocessing(112, 112, "rgb", (127.5, 127.5, 127.5), (127.5, 127.5, 127.5))


def choose_size(path: Path, preprocessing: Preprocessing | None, size: Size) -> Size | None:
    """Check whether a recogniser takes faces of a size, as far as its file says.

    Args:
        path: see :class:`RecogniserFile`.
        preprocessing: see there.
        size: rows and columns.

    Returns:
        `size`, or None if that is the network's own size, the default.

    Raises:
        FacepartError: the network only takes faces of another size, or its file is missing or not a recogniser.
    """
    usual = preprocessing or _ARCFACE
    own = usual.height, usual.width
    if path.suffix.lower() == ".onnx" and path.is_file():
        _refuse_text(path)
        # Imported here: a network that was compiled before needs no ONNX.
        from facepart.networks.onnx.file import describe_onnx

        described = describe_onnx(path)
        own = described.height or own[0], described.width or own[1]
        if (described.height or size[0], described.width or size[1]) != size:
            taken = _format_size(own)
            raise FacepartError(
                f"{path}: only takes faces of {taken}, not {_format_size(size)}; "
                f"leave out --image-size to resize photos of any size to {taken}"
            )
    return None if size == own else size


@dataclass(frozen=True)
class RecogniserFile:
    """The weights of a recogniser: a :class:`~facepart.networks.engine.NetworkSource`.

    Attributes:
        path: an ``.onnx`` file; an MXNet checkpoint, see :func:`~facepart.networks.mxnet.checkpoint.find_checkpoint`;
            or a ``.pt`` or ``.pth`` file with a state dict of arcface_torch's iresnet or MobileFaceNet.
        preprocessing: from the catalogue; None for what the file itself says, or else 112x112 RGB,
            (x - 127.5) / 127.5. A graph that normalises its own input gets the values that it normalises in either
            case; see :mod:`facepart.networks.input_range`.
        size: rows and columns of the faces, from :func:`choose_size`; None for the network's own size.
    """

    path: Path
    preprocessing: Preprocessing | None = None
    size: Size | None = None

    def load(self) -> tuple[Network, Preprocessing]:
        """Load the recogniser.

        Returns:
            The network, a float32 module in evaluation mode or the path of an ONNX file, and how 8-bit RGB becomes
            its input.

        Raises:
            FacepartError: the file is missing, damaged or not a recogniser, or the network does not run on faces of
                that size; the message names the file and what was expected.
        """
        path, suffix = self.path, self.path.suffix.lower()
        expected = _with_size(self.preprocessing or _ARCFACE, self.size)
        if path.is_file():
            _refuse_text(path)
            if suffix == ".onnx":
                return _load_onnx(path, self.preprocessing, self.size)
            if suffix in _STATE_DICTS:
                # Imported here: ONNX files and networks that were compiled before do not need PyTorch.
                from facepart.networks.state_dict import read_network

                network = read_network(path)
                _refuse_unusable(network, expected, path)
                return network, expected
        if suffix == ".params" or path.is_dir() or "," in path.name:
            return _load_mxnet(path, expected, known=self.preprocessing is not None)
        raise FacepartError(
            f"{path}: {'is not a recogniser' if path.exists() else 'no such file or folder'}; {_EXPECTED}"
        )

    def sha256(self) -> str:
        """Return the hash of the checkpoint, all files."""
        return network_sha256(self.path)


def open_recogniser(
    path: Path,
    preprocessing: Preprocessing | None = None,
    device: str = "auto",
    precision: str = "auto",
    compiled: CompiledCache | None = None,
    threads: int | None = None,
    size: Size | None = None,
    calibration: NDArray[np.uint8] | None = None,
) -> Engine:
    """Put a recogniser on a device.

    Args:
        path: see :class:`RecogniserFile`.
        preprocessing: see there.
        device: see :func:`facepart.networks.engine_choice.open_engine`.
        precision: see there.
        compiled: see there.
        threads: see there.
        size: see :class:`RecogniserFile`.
        calibration: see :func:`facepart.networks.engine_choice.open_engine`.

    Returns:
        An engine that takes faces of the size in its `preprocessing` and returns embeddings, float32 (n, d), which
        are not normalised to unit length.

    Raises:
        FacepartError: the file is not a recogniser; UsageError: the device or the precision is not available.
    """
    source = RecogniserFile(path, preprocessing, size)
    if compiled and size:
        compiled = compiled._replace(variant=_format_size(size))
    try:
        return open_engine(source, device, precision, compiled=compiled, threads=threads, calibration=calibration)
    except UsageError:
        raise
    except FacepartError as error:
        if size is None:
            raise
        # Many networks end in a layer that fits one size only, which is noticed when they run.
        raise FacepartError(f"{error}; leave out --image-size for the network's own size") from error


def _load_onnx(path: Path, preprocessing: Preprocessing | None, size: Size | None) -> tuple[Network, Preprocessing]:
    # Imported here: a network that was compiled before needs no ONNX.
    from facepart.networks.onnx.file import choose_input, describe_onnx

    described = describe_onnx(path)
    expected = preprocessing or _ARCFACE
    height, width = described.height or expected.height, described.width or expected.width
    if preprocessing and (height, width) != (preprocessing.height, preprocessing.width):
        listed = f"{preprocessing.height}x{preprocessing.width}"
        raise FacepartError(
            f"{path}: takes faces of {height}x{width}, but the catalogue says {listed}: is it the right file?"
        )
    expected = _with_size(expected, size or (height, width))
    return path, choose_input(path, described.model, expected, known=preprocessing is not None)


def _load_mxnet(path: Path, preprocessing: Preprocessing, known: bool) -> tuple[Network, Preprocessing]:
    from facepart.networks.mxnet.network import MXNetArithmetic, MXNetNetwork

    symbol, parameters = find_checkpoint(path)
    _refuse_text(parameters)
    nodes, arrays = read_symbol(symbol), read_parameters(parameters)
    try:
        network = MXNetNetwork(nodes, arrays)
    except FacepartError as error:
        raise FacepartError(f"{parameters} with {symbol.name}: {error}") from error
    _refuse_unusable(network, preprocessing, parameters)
    try:
        taken = choose_range(MXNetArithmetic(nodes, arrays), preprocessing)
    except FacepartError as error:
        if not known:
            raise FacepartError(f"{parameters} with {symbol.name}: {error}") from error
        taken = preprocessing
    return network, taken


def _refuse_unusable(network: "nn.Module", preprocessing: Preprocessing, path: Path) -> None:
    """Run a network once, on a black image; refuse it if it fails or its output is no embedding."""
    import torch

    size = _format_size((preprocessing.height, preprocessing.width))
    try:
        with torch.inference_mode():
            out = network(torch.zeros(1, 3, preprocessing.height, preprocessing.width))
    except (RuntimeError, TypeError, IndexError) as error:
        raise FacepartError(f"{path}: does not run on faces of {size}: {one_line(error)}") from error
    if out.ndim != 2 or not bool(torch.isfinite(out).all()):
        shape = tuple(out.shape)
        raise FacepartError(
            f"{path}: its output (of shape {shape}) is not a usable embedding; the weights may be damaged"
        )


def _with_size(preprocessing: Preprocessing, size: Size | None) -> Preprocessing:
    """Return the preprocessing for faces of another size."""
    return preprocessing if size is None else replace(preprocessing, height=size[0], width=size[1])


def _format_size(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


def _refuse_text(path: Path) -> None:
    """Refuse the result of a failed download: an empty file, a web page, or a pointer such as Git LFS's."""
    try:
        with path.open("rb") as stream:
            start = stream.read(64)
    except OSError as error:
        raise FacepartError(f"{path}: cannot be read: {error.strerror}") from error
    if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in start):
        what = "a text file, perhaps from a failed download" if start else "an empty file"
        raise FacepartError(f"{path}: is {what}; {_EXPECTED}")
