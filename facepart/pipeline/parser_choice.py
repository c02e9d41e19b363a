"""Where the label maps of a run come from: a face parser, or a folder."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facepart.data.photos import Photo
from facepart.errors import FacepartError, UsageError
from facepart.files.record import read_record_of
from facepart.networks.catalogue import DEFAULT_PARSER, Weights, obtain
from facepart.networks.face_parser import parser_identity, parser_label_set
from facepart.networks.label_folder import LabelFolder, label_maps_digest
from facepart.networks.label_map import CLASSES, NOSE
from facepart.networks.label_sets import OWN_SET, LabelSet, find_label_set
from facepart.occlusion.parts import Part


@dataclass(frozen=True)
class ChosenParser:
    """A face parser or a folder of label maps.

    Attributes:
        source: the parser's weights, or the folder.
        label_set: the classes of its label maps, in their order.
        sha256: what label maps depend on besides the photo: a hash, and what else is known. Of a folder, that is the
            order of the classes; what its files hold goes into the stamps of the photos.
    """

    source: Weights | LabelFolder
    label_set: LabelSet
    sha256: str

    @property
    def name(self) -> str:
        """The parser's name, or ``label maps``."""
        return self.source.name if isinstance(self.source, Weights) else "label maps"

    @property
    def folder(self) -> Path | None:
        """The folder of label maps; None for a parser."""
        return self.source.folder if isinstance(self.source, LabelFolder) else None

    def stamped(self, photos: list[Photo]) -> list[Photo]:
        """Return photos whose stamps change with their label maps, too, if these are in a folder.

        Raises:
            FacepartError: it has no label map of any of the photos.
        """
        return self.source.stamped(photos) if isinstance(self.source, LabelFolder) else photos

    def record(self, photos: Sequence[Photo]) -> dict[str, Any]:
        """Return what a record says of it, as JSON values.

        Args:
            photos: of :meth:`stamped`.
        """
        if isinstance(self.source, LabelFolder):
            return {**self.source.settings(), "sha256": label_maps_digest(photos)}
        named: dict[str, Any] = {"name": self.source.name, "sha256": self.source.sha256}
        return named if self.label_set.is_own else {**named, "label_set": self.label_set.name}


def choose_parser(parser: str | None, labels: Path | None = None, label_set: str | None = None) -> ChosenParser:
    """Find the parser, or the folder of label maps.

    Args:
        parser: a name from `facepart models list`, or a path; None for the default.
        labels: a folder of label maps instead.
        label_set: the order of the classes; None for the parser's, or facepart's.

    Raises:
        UsageError: both are given, or a name is unknown. FacepartError: there are no such weights, or the file of the
            label set is wrong.
    """
    named = None if label_set is None else find_label_set(label_set)
    if labels is not None:
        if parser is not None:
            raise UsageError("--parser and --labels exclude each other: label maps come from one of them")
        classes = named or OWN_SET
        return ChosenParser(LabelFolder(labels, classes), classes, f"label maps, classes {classes.digest}")
    weights = obtain(parser or DEFAULT_PARSER, "parser")
    classes = parser_label_set(weights, named)
    return ChosenParser(weights, classes, parser_identity(weights, classes))


def refuse_maps_of_other_photos(labels: Path, source: Path) -> None:
    """Refuse label maps of crops for the photos that these were cut from, and the other way round.

    By their size alone they would be taken: a 512x512 label map is one of a photo of any size. What label maps and
    crops are of stands in the records of `parse` and `align`, if these made them.

    Args:
        labels: the folder of label maps.
        source: the photos.

    Raises:
        UsageError: they are of the others.
    """
    mapped = _source_of(labels, "parse")
    if mapped is None:
        return
    if _source_of(mapped, "align") == source.resolve():
        raise UsageError(
            f"--labels {labels}: these label maps are of the crops in {mapped}, which were cut from {source}: give "
            "the crops as the photos, without --align"
        )
    if _source_of(source, "align") == mapped:
        raise UsageError(
            f"--labels {labels}: these label maps are of the photos in {mapped}, from which the crops in {source} "
            f"were cut: run `facepart parse` on the crops, or give {mapped} as the photos, with --align"
        )


def _source_of(folder: Path, stage: str) -> Path | None:
    """Return what a stage read to make the outputs in a folder; None if there is no such record."""
    try:
        record = read_record_of(folder, stage)
    except FacepartError:
        return None  # a record of something else
    source = record and record.get("inputs", {}).get("source")
    return Path(source).resolve() if isinstance(source, str) else None


def refuse_unknown_classes(parts: Iterable[Part], label_set: LabelSet) -> None:
    """Refuse parts that label maps of a set can never have.

    Raises:
        UsageError: there is one.
    """
    for part in parts:
        lacking = lacking_classes(part, label_set)
        if lacking:
            raise UsageError(f"--parts {part.name}: the label set {label_set.name} has no {' and no '.join(lacking)}")


def lacking_classes(part: Part, label_set: LabelSet) -> list[str]:
    """Return the classes for want of which a part can never be found by a label set; none if it can.

    One of its classes is enough, and a part of a side, or below the nose, needs the nose as well.
    """
    if not all(each.classes for each in part.single_parts):
        return []  # a member is told by landmarks alone
    if not label_set.known.intersection(part.classes):
        return [CLASSES[number] for number in part.classes]
    if part.needs_nose and NOSE not in label_set.known:
        return [CLASSES[NOSE]]
    return []
