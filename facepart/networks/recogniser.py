"""A file of weights -> a recogniser that the engines run, whatever kind of file it is."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from facepart.data.resize import Size
from facepart.errors import FacepartError, UsageError
from facepart.networks.engine import Engine, Network, Preprocessing
from facepart.networks.engine_choice import open_engine
from facepart.networks.mxnet.checkpoint import find_checkpoint, read_parameters, read_symbol
from facepart.networks.onnx.file import describe_onnx

if TYPE_CHECKING:
    from torch import nn

_STATE_DICTS = (".pt", ".pth")
_EXPECTED = (
    "expected an .onnx file, an MXNet checkpoint (its .params file, its folder, or prefix,epoch) "
    "or a PyTorch state dict (.pt, .pth)"
)

# What ArcFace networks take where neither the model list nor the graph says otherwise.
_ARCFACE = Preprocessing(112, 112, "rgb", (127.5, 127.5, 127.5), (127.5, 127.5, 127.5))


@dataclass(frozen=True)
class Recogniser:
    """A network that turns faces into embeddings.

    Attributes:
        network: a float32 module in evaluation mode, or the path of an ONNX file.
        preprocessing: how 8-bit RGB becomes its input.
        dimension: length of the embedding.
    """

    network: Network
    preprocessing: Preprocessing
    dimension: int


def choose_size(path: Path, preprocessing: Preprocessing | None, size: Size) -> Size | None:
    """Find out whether a recogniser can take faces of a size, as far as its file says.

    Args:
        path: see :func:`load_recogniser`; likewise `preprocessing`.
        preprocessing: see there.
        size: rows and columns.

    Returns:
        `size`, or None where that is the network's own size: what it takes unless told otherwise.

    Raises:
        FacepartError: the network takes faces of another size only; or its file is missing or no recogniser.
    """
    usual = preprocessing or _ARCFACE
    own = usual.height, usual.width
    if path.suffix.lower() == ".onnx" and path.is_file():
        _refuse_text(path)
        described = describe_onnx(path)
        own = described.height or own[0], described.width or own[1]
        if (described.height or size[0], described.width or size[1]) != size:
            raise FacepartError(
                f"{path}: takes faces of {_spelt(own)} only, not {_spelt(size)}; without --image-size, photos of any "
                f"size are resized to {_spelt(own)}"
            )
    return None if size == own else size


def load_recogniser(path: Path, preprocessing: Preprocessing | None = None, size: Size | None = None) -> Recogniser:
    """Load a recogniser.

    Args:
        path: an ``.onnx`` file; an MXNet checkpoint, as :func:`find_checkpoint` takes it; or a ``.pt`` or ``.pth``
            file with a state dict of arcface_torch's iresnet or MobileFaceNet.
        preprocessing: from the model list; None for what the file says of itself, and else 112x112 RGB,
            (x - 127.5) / 127.5. A graph that normalises its input itself gets raw values in either case.
        size: rows and columns of the faces that it shall take, of :func:`choose_size`; None for its own.

    Raises:
        FacepartError: the file is missing, damaged or no recogniser, or the network does not run on faces of that
            size; the message names the file, and what was expected.
    """
    suffix = path.suffix.lower()
    if path.is_file():
        _refuse_text(path)
        if suffix == ".onnx":
            return _load_onnx(path, preprocessing, size)
        if suffix in _STATE_DICTS:
            # Imported here, like all that needs PyTorch: ONNX files, and networks that were compiled before, do not.
            from facepart.networks.state_dict import read_network

            network = read_network(path)
            wanted = _at(preprocessing or _ARCFACE, size)
            return Recogniser(network, wanted, _embedding_length(network, wanted, path))
    if suffix == ".params" or path.is_dir() or "," in path.name:
        return _load_mxnet(path, _at(preprocessing or _ARCFACE, size))
    raise FacepartError(f"{path}: {'is no recogniser' if path.exists() else 'no such file or folder'}; {_EXPECTED}")


def open_recogniser(
    path: Path,
    preprocessing: Preprocessing | None = None,
    device: str = "auto",
    precision: str = "auto",
    kept: Path | None = None,
    threads: int | None = None,
    size: Size | None = None,
) -> Engine:
    """Put a recogniser on a device.

    Args:
        path: see :func:`load_recogniser`; likewise `preprocessing` and `size`.
        preprocessing: see there.
        device: see :func:`facepart.networks.open_engine`; likewise `precision`, `kept` and `threads`.
        precision: see there.
        kept: see there.
        threads: see there.
        size: see :func:`load_recogniser`.

    Returns:
        An engine that takes faces of the size in its `preprocessing` and gives embeddings, float32 (n, d), whose
        length is not 1 yet.

    Raises:
        FacepartError: the file holds no recogniser; UsageError: the device or the precision is not there.
    """

    def load() -> tuple[Network, Preprocessing]:
        recogniser = load_recogniser(path, preprocessing, size)
        return recogniser.network, recogniser.preprocessing

    if kept and size:
        kept = kept.with_name(f"{kept.name}-{_spelt(size)}")
    try:
        return open_engine(load, device, precision, kept=kept, threads=threads)
    except UsageError:
        raise
    except FacepartError as error:
        if size is None:
            raise
        # Many networks end in a layer that fits one size only, which shows when they run.
        raise FacepartError(f"{error}; leave out --image-size for the network's own size") from error


def _load_onnx(path: Path, preprocessing: Preprocessing | None, size: Size | None) -> Recogniser:
    described = describe_onnx(path)
    wanted = preprocessing or _ARCFACE
    height, width = described.height or wanted.height, described.width or wanted.width
    if preprocessing and (height, width) != (preprocessing.height, preprocessing.width):
        listed = f"{preprocessing.height}x{preprocessing.width}"
        raise FacepartError(
            f"{path}: takes faces of {height}x{width}, where the model list says {listed}: a wrong file?"
        )
    wanted = _at(wanted, size or (height, width))
    return Recogniser(path, _raw(wanted) if described.normalises else wanted, described.dimension)


def _load_mxnet(path: Path, preprocessing: Preprocessing) -> Recogniser:
    from facepart.networks.mxnet.network import MXNetNetwork, normalises_itself

    symbol, parameters = find_checkpoint(path)
    _refuse_text(parameters)
    nodes, arrays = read_symbol(symbol), read_parameters(parameters)
    try:
        network = MXNetNetwork(nodes, arrays)
    except FacepartError as error:
        raise FacepartError(f"{parameters} with {symbol.name}: {error}") from error
    dimension = _embedding_length(network, preprocessing, parameters)
    return Recogniser(network, _raw(preprocessing) if normalises_itself(nodes) else preprocessing, dimension)


def _embedding_length(network: "nn.Module", preprocessing: Preprocessing, path: Path) -> int:
    """Run a network once, on an empty picture: one that does not hold together is told here, with its file."""
    import torch

    size = _spelt((preprocessing.height, preprocessing.width))
    try:
        with torch.inference_mode():
            out = network(torch.zeros(1, 3, preprocessing.height, preprocessing.width))
    except (RuntimeError, TypeError, IndexError) as error:
        reason = " ".join(str(error).split())[:200]
        raise FacepartError(f"{path}: does not run on faces of {size}: {reason}") from error
    if out.ndim != 2 or not bool(torch.isfinite(out).all()):
        shape = tuple(out.shape)
        raise FacepartError(f"{path}: gives no usable embedding (of shape {shape}); the weights may be damaged")
    return int(out.shape[1])


def _at(preprocessing: Preprocessing, size: Size | None) -> Preprocessing:
    """Change the size of the faces."""
    return preprocessing if size is None else replace(preprocessing, height=size[0], width=size[1])


def _spelt(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


def _raw(preprocessing: Preprocessing) -> Preprocessing:
    """Let the values of 0..255 through."""
    return replace(preprocessing, mean=(0.0, 0.0, 0.0), scale=(1.0, 1.0, 1.0))


def _refuse_text(path: Path) -> None:
    """Refuse what a failed download leaves: an empty file, a web page, a pointer to a file kept elsewhere."""
    try:
        with path.open("rb") as stream:
            start = stream.read(64)
    except OSError as error:
        raise FacepartError(f"{path}: cannot be read: {error.strerror}") from error
    if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in start):
        what = "a text file, perhaps of a failed download" if start else "an empty file"
        raise FacepartError(f"{path}: is {what}; {_EXPECTED}")
