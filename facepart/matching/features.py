"""Features on disk -> one matrix with a label a row.

A source is a path list of ``.npy`` files, one feature each, or a matrix ``features.npy`` with its ``labels.txt``
beside it. A label is ``folder/stem`` of the feature's path. The features of a list are taken in the code-point
order of their paths, whatever the order of the lines, because the rows of the score files bear their numbers;
the rows of a matrix stay as they are.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.files.record import RECORD_FILE, read_record
from facepart.lists.features import label_of
from facepart.lists.paths import read_list

LABELS_FILE = "labels.txt"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Model:
    """The network that made a feature, as the ``run.json`` of the extraction says."""

    name: str
    sha256: str
    record: Path


@dataclass(frozen=True)
class Features:
    """The features of one source.

    Attributes:
        source: the list or the matrix they were read from.
        matrix: float32, (n, d), finite, no row all zero; not normalised.
        labels: n labels ``folder/stem``.
        paths: the file of each row (n times the same for a matrix), for messages.
        model: the network that made them; None if no ``run.json`` tells.
    """

    source: Path
    matrix: NDArray[np.float32]
    labels: Sequence[str]
    paths: Sequence[Path]
    model: Model | None


def read_features(source: Path) -> Features:
    """Read a list of features, or a matrix of them.

    Args:
        source: a text file with one path a line, or a ``.npy`` of shape (n, d).

    Raises:
        FacepartError: a file is missing, holds no feature (not a numeric array, not finite, all zero), or does not
            go with the others (another length, another model). The message names the file.
    """
    if source.is_dir():
        raise FacepartError(f"{source}: is a folder; give a list of the features in it (`facepart lists` writes one)")
    features = _read_matrix(source) if source.suffix.lower() == ".npy" else _read_listed(source)
    repeated = len(features.labels) - len(set(features.labels))
    if repeated:
        _logger.warning(
            "%s: %d features repeat the folder/name of another and are not compared with it", source, repeated
        )
    return features


def refuse_unlike(probe: Features, gallery: Features) -> None:
    """Refuse to compare features that do not belong to one space.

    Raises:
        FacepartError: their lengths differ, or their models are known and differ.
    """
    lengths = probe.matrix.shape[1], gallery.matrix.shape[1]
    if lengths[0] != lengths[1]:
        raise FacepartError(_other_length(probe.paths[0], lengths[0], gallery.paths[0], lengths[1]))
    if probe.model and gallery.model and probe.model.sha256 != gallery.model.sha256:
        raise FacepartError(_other_model(probe.model, gallery.model))


def _read_listed(source: Path) -> Features:
    paths = sorted(read_list(source), key=str)
    models: dict[Path, Model | None] = {}
    known: Model | None = None
    matrix = np.empty((0, 0), np.float32)
    for row, path in enumerate(paths):
        try:
            feature = _load(path)
        except FileNotFoundError as error:
            missing = sum(not path.exists() for path in paths)
            raise FacepartError(f"{source}: names {missing} missing of {len(paths)} files; first: {path}") from error
        if feature.ndim == 2 and len(feature) == 1:
            feature = feature[0]
        if feature.ndim != 1 or not feature.size:
            raise FacepartError(f"{path}: is not one feature: its shape is {feature.shape}, not (d,) or (1, d)")
        if row == 0:
            matrix = np.empty((len(paths), feature.size), np.float32)
        elif feature.size != matrix.shape[1]:
            raise FacepartError(_other_length(paths[0], matrix.shape[1], path, feature.size))
        _refuse_unusable(feature[None], path)
        matrix[row] = feature
        model = _model_of(path.parent, models)
        if known and model and model.sha256 != known.sha256:
            raise FacepartError(_other_model(known, model))
        known = known or model
    return Features(source, matrix, [label_of(path) for path in paths], paths, known)


def _read_matrix(source: Path) -> Features:
    try:
        matrix = _load(source)
    except FileNotFoundError as error:
        raise FacepartError(f"{source}: no such matrix of features") from error
    if matrix.ndim != 2 or not matrix.size:
        raise FacepartError(f"{source}: is not a matrix of features (n, d): its shape is {matrix.shape}")
    _refuse_unusable(matrix, source)
    beside = source.with_name(LABELS_FILE)
    try:
        lines = beside.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FacepartError(f"{beside}: cannot be read, but {source.name} needs it: a label a line") from error
    labels = [line.strip() for line in lines if line.strip()]
    if len(labels) != len(matrix):
        raise FacepartError(f"{beside}: has {len(labels)} labels, {source.name} has {len(matrix)} features")
    return Features(source, matrix, labels, [source] * len(labels), _model_of(source.absolute().parent, {}))


def _load(path: Path) -> NDArray[np.float32]:
    """Load a numeric array as float32; a missing file raises FileNotFoundError."""
    try:
        array: Any = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise FacepartError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, EOFError) as error:
        raise FacepartError(f"{path}: is not a feature: not a whole .npy file of numbers") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise FacepartError(f"{path}: is not a feature: it holds no real numbers")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, which is refused next
        return array.astype(np.float32, copy=False)


def _refuse_unusable(rows: NDArray[np.float32], path: Path) -> None:
    """Refuse rows without a direction, among them those whose length float32 cannot hold."""
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    usable = np.isfinite(lengths) & (lengths > 0)
    if not usable.all():
        row = int(np.argmin(usable))
        what = "is all zero" if lengths[row] == 0 else "has values that are not finite"
        raise FacepartError(f"{path}: {what}{f' (row {row})' if len(rows) > 1 else ''}; extract it again")


def _model_of(folder: Path, models: dict[Path, Model | None]) -> Model | None:
    """Find the nearest record of an extraction in `folder` or above; `models` remembers the answers."""
    if folder not in models:
        try:
            record = read_record(folder)
        except FacepartError:
            record = None  # some other program's run.json
        settings = record["settings"] if record and record.get("stage") == "extract" else {}
        if settings.get("sha256"):
            models[folder] = Model(str(settings.get("model")), str(settings["sha256"]), folder / RECORD_FILE)
        else:
            models[folder] = None if folder == folder.parent else _model_of(folder.parent, models)
    return models[folder]


def _other_length(path: Path, length: int, other: Path, other_length: int) -> str:
    return f"{other}: has {other_length} values, but {path} has {length}: they are not of one network"


def _other_model(model: Model, other: Model) -> str:
    return (
        f"features of different networks cannot be compared: {model.name} ({model.record}) "
        f"and {other.name} ({other.record}); extract all with one"
    )
