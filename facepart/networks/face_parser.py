"""Photo -> label map.

The recipe is the original study's: the photo is resized to 512x512 (bilinear, as Pillow does it), scaled to 0..1,
normalised by ImageNet's mean and standard deviation, and each pixel gets the class with the highest score.

Other parsers are ONNX files: photos (n, 3, h, w) -> scores (n, classes, h', w'). Scores of another size than the
photo are upsampled bilinearly, in fp32, before the best class is chosen. Such a file may have beside it, or above a
folder ``onnx``, what the library Transformers writes: ``preprocessor_config.json``, for the normalisation and the
size of the input, and ``config.json``, for the order of the classes (:mod:`facepart.networks.label_sets`).
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facepart.errors import FacepartError, UsageError
from facepart.networks.catalogue import Weights
from facepart.networks.catalogue.files import network_sha256
from facepart.networks.compiled_cache import CompiledCache
from facepart.networks.engine import Colour, Engine, Network, Preprocessing
from facepart.networks.engine_choice import open_engine
from facepart.networks.label_folder import fit_labels
from facepart.networks.label_map import SIZE
from facepart.networks.label_sets import OWN_SET, LabelSet, label_set_beside, read_beside

# The least side, in pixels, of an aligned crop whose part masks can be relied on. On 48 London photos shrunk to 80
# pixels, the median IoU with the masks at 224 pixels is at least 0.85 for every part; at 64 it is 0.78 for the brows,
# and at 32 parts go undetected (docs/study.md).
MIN_SIDE = 80

# Of label maps, kept with everything that is made of them: raise it if the same weights at the same precision give
# other label maps. 2: at bfloat16, the scores are upsampled and the classes chosen in fp32.
PARSING_RECIPE = 2

# torchvision's ImageNet statistics, in units of 0..255.
PREPROCESSING = Preprocessing(
    height=SIZE,
    width=SIZE,
    mean=(0.485 * 255, 0.456 * 255, 0.406 * 255),
    scale=(0.229 * 255, 0.224 * 255, 0.225 * 255),
)

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ParserFile:
    """The weights of a face parser: a :class:`~facepart.networks.engine.NetworkSource`.

    Attributes:
        path: the BiSeNet checkpoint, or an ``.onnx`` file; see above.
    """

    path: Path

    def load(self) -> tuple[Network, Preprocessing]:
        """Return the network and its preprocessing.

        Raises:
            FacepartError: the file is not a checkpoint of BiSeNet, or no ONNX file; or it cannot be told which values
                an ONNX file takes.
        """
        if self.path.suffix.lower() == ".onnx":
            # Imported here, as below.
            from facepart.networks.onnx.file import choose_parser_input

            described = _described_input(self.path)
            return self.path, choose_parser_input(self.path, described or PREPROCESSING, known=described is not None)
        # Imported here: PyTorch takes seconds to load, and a network that was compiled before does not need it.
        from facepart.networks.bisenet import load_bisenet

        return load_bisenet(self.path), PREPROCESSING

    def sha256(self) -> str:
        """Return the hash of the parser, all files."""
        return network_sha256(self.path)


class TranslatedParser:
    """A parser with another label set or another input size, as an engine that returns facepart's label maps.

    See :class:`facepart.networks.engine.Engine`.
    """

    output_shape: tuple[int, ...] = (SIZE, SIZE)

    def __init__(self, engine: Engine, label_set: LabelSet) -> None:
        self.device, self.precision, self.runtime = engine.device, engine.precision, engine.runtime
        self.preprocessing, self.batch = engine.preprocessing, engine.batch
        self._engine, self._label_set = engine, label_set

    def __call__(self, photos: NDArray[np.uint8]) -> NDArray[Any]:
        """Return label maps, uint8 (n, 512, 512), of photos of the parser's size."""
        labels = self._label_set.translate(self._engine(photos))
        return np.stack([fit_labels(each) for each in labels]) if len(labels) else np.empty((0, SIZE, SIZE), np.uint8)


def open_parser(
    path: Path,
    device: str = "auto",
    precision: str = "auto",
    compiled: CompiledCache | None = None,
    threads: int | None = None,
    label_set: LabelSet = OWN_SET,
    calibration: NDArray[np.uint8] | None = None,
) -> Engine:
    """Put a face parser on a device.

    Args:
        path: the BiSeNet checkpoint, or an ``.onnx`` file that scores the classes of the label set.
        device: see :func:`facepart.networks.engine_choice.open_engine`.
        precision: see there.
        compiled: see there.
        threads: see there.
        label_set: the classes that it scores, in their order.
        calibration: see :func:`facepart.networks.engine_choice.open_engine`.

    Returns:
        An engine that takes uint8 photos (n, h, w, 3), RGB, of the size in its preprocessing, and returns uint8 label
        maps (n, 512, 512).

    Raises:
        FacepartError: the file is not such a parser; UsageError: the device or the precision is not available.
    """
    described = _described_input(path)
    if compiled is not None and described is not None:
        text = json.dumps(_described_values(described))
        compiled = compiled._replace(variant=hashlib.sha256(text.encode()).hexdigest()[:12])
    classes = len(label_set.classes)
    engine = open_engine(
        *(ParserFile(path), device, precision),
        classes=classes,
        compiled=compiled,
        threads=threads,
        calibration=calibration,
    )
    taken = engine.preprocessing
    if label_set.is_own and (taken.height, taken.width) == (SIZE, SIZE):
        return engine
    return TranslatedParser(engine, label_set)


def parser_label_set(weights: Weights, named: LabelSet | None) -> LabelSet:
    """Return the label set of a parser: the one that is named, else what its ``config.json`` says, else facepart's.

    A warning says so if nothing tells the order of the classes of an ONNX file: in another order of as many classes,
    eyes would pass for brows.

    Raises:
        UsageError: another one is named than that of a parser of the model list, whose order is known.
        FacepartError: the description cannot be read, or names a class that is not known.
    """
    if named is not None:
        if weights.model and not named.is_own:
            raise UsageError(
                f"--label-set {named.name}: the classes of {weights.name} are known to be in the order of "
                f"{OWN_SET.name}; --label-set is for --labels, or for a parser of your own"
            )
        return named
    if weights.model or weights.path.suffix.lower() != ".onnx":
        return OWN_SET  # known, or a checkpoint of BiSeNet
    beside = label_set_beside(weights.path)
    if beside is None:
        _logger.warning(
            "%s: no config.json beside it names its classes, so their order is taken to be that of %s; if it is "
            "another, name it with --label-set",
            *(weights.path, OWN_SET.name),
        )
    return beside or OWN_SET


def parser_identity(weights: Weights, label_set: LabelSet) -> str:
    """Return what label maps depend on besides the precision: a hash, and what is known of classes and input."""
    described = _described_input(weights.path)
    parts = [weights.sha256]
    if not label_set.is_own:
        parts.append(f"classes {label_set.digest}")
    if described is not None:
        order = "" if described.colour == "rgb" else f" {described.colour}"
        parts.append(f"input {described.height}x{described.width} {described.mean} {described.scale}{order}")
    return ", ".join(parts)


def fit_photo(photo: NDArray[np.uint8], size: tuple[int, int] = (SIZE, SIZE)) -> NDArray[np.uint8]:
    """Resize a photo, uint8 (h, w, 3), to a parser's input, rows and columns of which are given, uint8 (h, w, 3)."""
    if photo.shape[:2] == size:
        return photo
    return np.asarray(Image.fromarray(photo).resize(size[::-1], Image.Resampling.BILINEAR))


def _described_input(path: Path) -> Preprocessing | None:
    """Return the input that ``preprocessor_config.json`` describes; None if there is none, or for a checkpoint.

    Raises:
        FacepartError: it cannot be read, or its values are not numbers of a photo's three channels.
    """
    found = read_beside(path, "preprocessor_config.json") if path.suffix.lower() == ".onnx" else None
    if found is None:
        return None
    if found.get("do_center_crop") and found.get("crop_size") != found.get("size"):
        raise FacepartError(
            f"{path}: its preprocessor_config.json has do_center_crop, which facepart does not do: a label map is of "
            "the whole photo"
        )
    try:
        # (x * factor - mean) / deviation, of 8-bit x.
        factor = float(found.get("rescale_factor", 1 / 255)) if found.get("do_rescale", True) else 1.0
        normalises = found.get("do_normalize", True)
        mean = _three(found["image_mean"] if normalises else (0, 0, 0), factor)
        scale = _three(found["image_std"] if normalises else (1, 1, 1), factor)
        height, width = _size_of(found.get("size"))
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise FacepartError(
            f"{path.parent / 'preprocessor_config.json'}: does not describe the input ({error!r})"
        ) from error
    colour: Colour = "bgr" if found.get("do_flip_channel_order") else "rgb"
    return replace(PREPROCESSING, height=height, width=width, mean=mean, scale=scale, colour=colour)


def _described_values(described: Preprocessing) -> list[Any]:
    """Return what tells one described input from another, as JSON values."""
    order = [] if described.colour == "rgb" else [described.colour]
    return [described.height, described.width, described.mean, described.scale, *order]


def _three(values: Any, factor: float) -> tuple[float, float, float]:
    first, second, third = (float(value) / factor for value in values)
    return first, second, third


def _size_of(size: Any) -> tuple[int, int]:
    """Return rows and columns of a size as Transformers writes it: a number, or named sides; 512x512 if neither."""
    if isinstance(size, Mapping):
        if "height" in size:
            return int(size["height"]), int(size["width"])
        size = size.get("shortest_edge")
    return (SIZE, SIZE) if size is None else (int(size), int(size))
