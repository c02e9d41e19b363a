"""Features on disk -> one matrix with a label a row.

A source is a path list of ``.npy`` files, one feature each, or a matrix ``features.npy`` with its ``labels.txt``
beside it. Labels are those of :mod:`facepart.data.labels`. The features of a list are taken in the code-point
order of their paths, whatever the order of the lines, because the rows of the score files bear their numbers;
the rows of a matrix stay as they are.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from facepart.counts import are, count_of
from facepart.data.feature_files import LABELS_FILE, LIST_FILE, NAMES_FILE
from facepart.data.labels import cut_labels, distinct_depth, names_below
from facepart.data.path_lists import BLANKS, read_list
from facepart.errors import FacepartError
from facepart.files.addresses import read_start, read_whole
from facepart.files.array_input import read_array, read_header
from facepart.files.record import read_record
from facepart.matching.extraction import ExtractionModel, compare_models, find_model
from facepart.pipeline.feature_check import UNIT_TOLERANCE
from facepart.pipeline.feature_matrix_files import goes_with, read_names

# The files of a list are read by a few threads, hundreds at a time. Measured, for 31,706 files on an SSD: from the
# disk 1.3 s instead of 3.0 s by one thread; from memory, 0.3 s more.
_THREADS = 4
_BLOCK = 256

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Features:
    """The features of one source.

    Attributes:
        source: the list or the matrix they were read from.
        matrix: float32, (n, d), finite, no row all zero; not normalised. That of a file may lie there alone, mapped
            and read-only: the system brings its pages into memory, and takes them out again, as they are needed.
        labels: n labels, ``folder/stem`` or with more folders.
        paths: the file of each row (n times the same for a matrix), for messages.
        model: the network that made them; None if there is no ``run.json``.
        names: n names of which labels are the ends, for labels with more folders; none if the labels are all.
        photos: n names of the photos themselves, which an occluded photo has in common with its baseline; none if
            only the paths tell.
    """

    source: Path
    matrix: NDArray[np.float32]
    labels: Sequence[str]
    paths: Sequence[Path]
    model: ExtractionModel | None
    names: Sequence[str] = ()
    photos: Sequence[str] = ()

    @property
    def longest(self) -> Sequence[str]:
        """The longest labels that there can be."""
        return self.names or self.labels

    def with_depth(self, depth: int) -> "Features":
        """Return the same features with labels of a depth (:func:`facepart.data.labels.cut_labels`)."""
        return replace(self, labels=cut_labels(self.longest, depth))


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
        verb = "repeats" if repeated == 1 else "repeat"
        _logger.warning(
            "%s: %s of another and %s not compared with it",
            *(source, f"{count_of(repeated, 'embedding')} {verb} the label", are(repeated)),
        )
    return features


def unread_features(
    source: Path, names: Sequence[str], paths: Sequence[Path], photos: Sequence[str] = ()
) -> Features:
    """Return features without their values: for what their names say.

    Args:
        source: where they are from, for messages.
        names: n names, with as many folders as there are.
        paths: the file of each.
        photos: see :class:`Features`.
    """
    return Features(source, np.empty((len(names), 0), np.float32), names, paths, None, photos=photos)


def refuse_unlike(probe: Features, gallery: Features) -> None:
    """Refuse to compare features that do not belong to one space; warn if they were made with different settings.

    Different precision, device, mirroring, alignment or size of the faces is warned about, as far as the records of
    both tell.

    Raises:
        FacepartError: their lengths differ, or their models, or what these were fed, are known and differ.
    """
    lengths = probe.matrix.shape[1], gallery.matrix.shape[1]
    if lengths[0] != lengths[1]:
        raise FacepartError(_other_length(probe.paths[0], lengths[0], gallery.paths[0], lengths[1]))
    compare_models([model for model in (probe.model, gallery.model) if model])


def _read_listed(source: Path) -> Features:
    paths = sorted(read_list(source), key=str)
    _refuse_cut(source)
    models: dict[Path, ExtractionModel | None] = {}
    folders = dict.fromkeys(path.parent for path in paths)
    found = [model for folder in folders if (model := find_model(folder, models))]
    compare_models(found)
    try:
        matrix = _read_files(paths, [models[path.parent] for path in paths])
    except FileNotFoundError as error:
        missing = sum(not path.exists() for path in paths)
        raise FacepartError(
            f"{source}: names {missing} missing of {count_of(len(paths), 'file')}; first: {error.filename}"
        ) from error
    _refuse_other_dimension(paths[0], matrix.shape[1], models[paths[0].parent])
    names = names_below(paths)
    labels = cut_labels(names, distinct_depth(names))
    return Features(source, matrix, labels, paths, found[0] if found else None, names)


def _refuse_cut(source: Path) -> None:
    """Refuse a list that `facepart extract` wrote, beside its record, if it ends in the middle of a line.

    Raises:
        FacepartError: it does; what is left of the line may be the name of another feature.
    """
    if source.name != LIST_FILE or read_whole(source).endswith(b"\n"):
        return
    try:
        record = read_record(source.absolute().parent)
    except FacepartError:
        return  # some other program's run.json
    if record and record.get("stage") == "extract":
        raise FacepartError(
            f"{source}: ends in the middle of a line: run `facepart extract` again, which keeps the features, or add "
            "a line feed if you changed the list"
        )


def _read_files(paths: Sequence[Path], models: Sequence[ExtractionModel | None]) -> NDArray[np.float32]:
    """Read features, one a file, of which records of extractions tell; a missing file raises FileNotFoundError."""
    feature = _load_feature(paths[0])
    matrix = np.empty((len(paths), feature.size), np.float32)
    header = read_header(paths[0], "a feature")
    start = read_start(paths[0], header.length)
    # A whole file like the first: its header, and its values.
    layout = np.dtype([("header", np.void, header.length), ("values", header.dtype, feature.shape)])

    def fill(first: int) -> None:
        block, rows = paths[first : first + _BLOCK], matrix[first : first + _BLOCK]
        contents = [read_start(path, layout.itemsize + 1) for path in block]
        if all(len(content) == layout.itemsize and content.startswith(start) for content in contents):
            with np.errstate(over="ignore"):
                rows[:] = np.frombuffer(b"".join(contents), layout)["values"]
        else:
            for row, path in zip(rows, block, strict=True):
                feature = _load_feature(path)
                if feature.size != row.size:
                    raise FacepartError(_other_length(paths[0], row.size, path, feature.size))
                row[:] = feature
        unusable = _find_unusable(rows, models[first : first + _BLOCK])
        if unusable:
            raise FacepartError(f"{block[unusable[0]]}: {unusable[1]}; extract it again")

    with ThreadPoolExecutor(_THREADS) as pool:
        # In the order of the paths, so that the first unusable feature is reported.
        for _ in pool.map(fill, range(0, len(paths), _BLOCK)):
            pass
    return matrix


def _read_matrix(source: Path) -> Features:
    # An extraction that replaces a matrix removes its labels first and writes them last. So labels that are the same
    # before and after the matrix is read belong to it.
    labels = _read_labels(source)
    try:
        matrix = _load(source, mapped=True)
    except FileNotFoundError as error:
        raise FacepartError(f"{source}: no such matrix of features") from error
    if _read_labels(source) != labels:
        raise FacepartError(f"{source}: was replaced while it was read; run it again")
    if matrix.ndim != 2 or not matrix.size:
        raise FacepartError(f"{source}: is not a matrix of features (n, d): its shape is {matrix.shape}")
    if len(labels) != len(matrix):
        raise FacepartError(
            f"{source.with_name(LABELS_FILE)}: has {count_of(len(labels), 'label')}, {source.name} has "
            f"{count_of(len(matrix), 'feature')}"
        )
    _refuse_other_names(source, labels)
    model = find_model(source.absolute().parent, {})
    _refuse_other_dimension(source, matrix.shape[1], model)
    unusable = _find_unusable(matrix, [model] * len(labels))
    if unusable:
        raise FacepartError(f"{source}: {unusable[1]} (row {unusable[0]}); extract it again")
    names = _read_names(source, labels)
    if len(set(labels)) < len(set(names)):
        labels = cut_labels(names, distinct_depth(names))
    return Features(source, matrix, labels, [source] * len(labels), model, names)


def _read_labels(matrix: Path) -> list[str]:
    path = matrix.with_name(LABELS_FILE)
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        if not matrix.exists():
            raise FacepartError(f"{matrix}: no such matrix of features") from error
        raise FacepartError(
            f"{path}: cannot be read, but {matrix.name} needs it: a label a line; if its extraction was interrupted, "
            "run that again"
        ) from error
    return [stripped for line in lines if (stripped := line.strip(BLANKS))]


def _read_names(matrix: Path, labels: Sequence[str]) -> list[str]:
    """Read the names of the photos of a matrix, which may have more folders than labels; none if others wrote it."""
    path = matrix.with_name(NAMES_FILE)
    if not path.exists():
        return []
    names = read_names(path)
    ends = [PurePosixPath(label).name for label in labels]
    if ends != [PurePosixPath(name).name for name in names]:
        return []
    # As from a list: the folder of the features belongs to the names if any lies in it itself.
    above = next((label for name, label in zip(names, labels, strict=True) if "/" not in name), "").split("/")[:-1]
    return ["/".join([*above[-1:], name]) for name in names]


def _load_feature(path: Path) -> NDArray[np.float32]:
    """Load one feature, (d,); a missing file raises FileNotFoundError."""
    feature = _load(path)
    if feature.ndim == 2 and len(feature) == 1:
        feature = feature[0]
    if feature.ndim != 1 or not feature.size:
        raise FacepartError(f"{path}: is not one feature: its shape is {feature.shape}, not (d,) or (1, d)")
    return feature


def _load(path: Path, mapped: bool = False) -> NDArray[np.float32]:
    """Load a numeric array as float32, or map a file of it; a missing file raises FileNotFoundError."""
    array = read_array(path, "a feature", mapped=mapped)
    if array.dtype.kind not in "fiu":
        raise FacepartError(f"{path}: is not a feature: it holds no real numbers")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, which is refused next
        return np.asarray(array).astype(np.float32, copy=False)


def _find_unusable(rows: NDArray[np.float32], models: Sequence[ExtractionModel | None]) -> tuple[int, str] | None:
    """Find the first row that is damaged; say how.

    That is one without a direction, also one whose length float32 cannot hold; and one that `facepart extract` wrote,
    as the record beside it says, but whose length is not 1.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        other_length = np.abs(lengths - 1) > UNIT_TOLERANCE
    usable = np.isfinite(lengths) & (lengths > 0)
    # Some other program's record does not say how many values an embedding has.
    recorded = np.array([model is not None and "dimension" in model.settings for model in models])
    damaged = ~usable | (recorded & other_length)
    if not damaged.any():
        return None
    row = int(np.argmax(damaged))
    if not usable[row]:
        return row, "is all zero" if lengths[row] == 0 else "has values that are not finite"
    model = models[row]
    assert model is not None  # noqa: S101 - one without a record may have any length
    return row, f"has length {lengths[row]:.3g}, but by {model.record} it is one of `facepart extract`, of length 1"


def _refuse_other_dimension(path: Path, values: int, model: ExtractionModel | None) -> None:
    """Refuse features that have not as many values as the record of their extraction says.

    Raises:
        FacepartError: they have more or fewer.
    """
    recorded = values if model is None else model.settings.get("dimension", values)
    if model is not None and recorded != values:
        raise FacepartError(f"{path}: has {values} values, and {model.record} says {recorded}: extract it again")


def _refuse_other_names(matrix: Path, labels: Sequence[str]) -> None:
    """Refuse labels that are not those of the photos whose names `facepart extract` wrote beside the matrix.

    Raises:
        FacepartError: a label is another photo's.
    """
    path = matrix.with_name(NAMES_FILE)
    if not path.exists():
        return
    names = read_names(path)
    pairs = zip(labels, names, strict=False)
    row = next((row for row, pair in enumerate(pairs) if not goes_with(*pair)), min(len(labels), len(names)))
    if row < max(len(labels), len(names)):
        raise FacepartError(
            f"{matrix.with_name(LABELS_FILE)}: does not go with {path.name} beside it from line {row + 1} on: one of "
            f"them is damaged; extract again, or remove {path.name} if you changed the labels"
        )


def _other_length(path: Path, length: int, other: Path, other_length: int) -> str:
    return f"{other}: has {count_of(other_length, 'value')}, but {path} has {length}: they are not of one network"
