"""The batch runner of matching: features on disk -> score files.

For a group ``CM`` it writes ``CM_authentic.npy`` and ``CM_impostor.npy`` (float64, (n, 3): probe row, gallery row,
cosine), ``CM_labels.txt`` and, with a gallery, ``CM_gallery_labels.txt`` (``row folder/stem``), and ``run.json``,
which tells of all groups in the folder. A score file is one result of all features, so there is nothing to resume:
a run computes it anew and replaces it when it is whole.
"""

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from facepart.errors import FacepartError, UsageError
from facepart.files.atomic import replacing, write_text
from facepart.files.progress import Progress, silent
from facepart.files.record import make_record, read_record, write_record
from facepart.matching.cosine import unit_rows
from facepart.matching.features import Features, read_features, refuse_unlike
from facepart.matching.pairs import Faces, count_pairs, number, pair_blocks
from facepart.subjects import Rule, naming_rule, split_label

DEFAULT_DATASET = "MORPH"
STAGE = "match"


@dataclass(frozen=True)
class MatchOutcome:
    """What a run compared.

    Attributes:
        probes: faces looked for.
        gallery: faces they were compared with; None if with each other.
        subjects: people on either side.
        authentic: authentic scores written.
        impostor: impostor scores written.
        left_out: pairs not compared because both sides are the same photo.
    """

    probes: int
    gallery: int | None
    subjects: int
    authentic: int
    impostor: int
    left_out: int


def match(
    probe: Path,
    gallery: Path | None,
    output: Path,
    group: str,
    *,
    dataset: str = DEFAULT_DATASET,
    subject_pattern: str | None = None,
    include_same_photo: bool = False,
    progress: Progress = silent,
) -> MatchOutcome:
    """Compare features and write the score files of a group.

    Args:
        probe: a list of features, or a matrix ``features.npy``.
        gallery: what they are compared with, of either form; None compares the probes with each other.
        output: the folder to write to.
        group: what the files' names begin with.
        dataset: the naming rule that tells who is on a photo (:data:`facepart.subjects.DATASETS`).
        subject_pattern: a regular expression instead of a rule.
        include_same_photo: across two lists, compare a photo also with its own other version (same subject and
            same name, another folder), as the original program does. It is left out by default, because a photo
            and its blurred copy share all but the part: such pairs inflate the authentic scores.
        progress: told (pairs compared, pairs in all).

    Raises:
        FacepartError: a feature cannot be used (see :func:`~facepart.matching.features.read_features`), there are
            no impostor pairs because all photos show one subject, or the output cannot be written. That there are
            no authentic pairs is no error: one photo a person gives the impostor scores, which are half of the
            answer, and an empty authentic file; the outcome says so.
        UsageError: the data set is not known, or the group's name cannot begin a file's name.
    """
    if not group or group.startswith(".") or any(sign in group for sign in "/\\\0"):
        raise UsageError(f"-gr {group!r}: a group's name begins the names of its files; give one without / or \\")
    rule = naming_rule(dataset, subject_pattern)
    probes = read_features(probe)
    others = None if gallery is None else read_features(gallery)
    if others is not None:
        refuse_unlike(probes, others)

    subject_numbers: dict[Hashable, int] = {}
    photo_numbers: dict[Hashable, int] = {}
    by_label = include_same_photo or others is None
    left = _faces(probes, rule, by_label, subject_numbers, photo_numbers)
    right = None if others is None else _faces(others, rule, by_label, subject_numbers, photo_numbers)
    counts = count_pairs(left, right)
    if not counts.impostor:
        sources = str(probe) if gallery is None else f"{probe} and {gallery}"
        raise FacepartError(
            f"{sources}: all features show one subject, {next(iter(subject_numbers))!r}, so there are no impostor "
            f"pairs; if it should be more, the naming rule does not fit: try another -d or --subject-pattern"
        )
    outcome = MatchOutcome(
        probes=len(probes.labels),
        gallery=None if others is None else len(others.labels),
        subjects=len(subject_numbers),
        authentic=counts.authentic,
        impostor=counts.impostor,
        left_out=counts.left_out,
    )

    model = probes.model or (others.model if others is not None else None)
    settings = {
        "probe": str(probe),
        "gallery": None if gallery is None else str(gallery),
        "dataset": None if subject_pattern else dataset.upper(),
        "subject_pattern": subject_pattern,
        "include_same_photo": include_same_photo,
        "model": model and {"name": model.name, "sha256": model.sha256},
    }
    _record(output, group, settings, None)
    _write_labels(output / f"{group}_labels.txt", probes.labels)
    gallery_labels = output / f"{group}_gallery_labels.txt"
    if others is None:
        gallery_labels.unlink(missing_ok=True)  # left by an earlier run of this group that had a gallery
    else:
        _write_labels(gallery_labels, others.labels)
    _write_pairs(output, group, left, right, outcome, progress)
    _record(output, group, settings, asdict(outcome))
    return outcome


def _faces(
    features: Features,
    rule: Rule,
    by_label: bool,
    subject_numbers: dict[Hashable, int],
    photo_numbers: dict[Hashable, int],
) -> Faces:
    """Normalise the embeddings and number the people and photos; a photo is its label, or its subject and name."""
    subjects = [rule(label) for label in features.labels]
    photos: list[Hashable]
    if by_label:
        photos = list(features.labels)
    else:
        photos = [(subject, split_label(label)[1]) for subject, label in zip(subjects, features.labels, strict=True)]
    return Faces(unit_rows(features.matrix), number(subjects, subject_numbers), number(photos, photo_numbers))


def _write_pairs(
    output: Path, group: str, left: Faces, right: Faces | None, outcome: MatchOutcome, progress: Progress
) -> None:
    total, done = outcome.authentic + outcome.impostor, 0
    with (
        _npy_rows(output / f"{group}_authentic.npy", outcome.authentic) as authentic_file,
        _npy_rows(output / f"{group}_impostor.npy", outcome.impostor) as impostor_file,
    ):
        for authentic, impostor in pair_blocks(left, right):
            authentic_file.write(authentic.data)
            impostor_file.write(impostor.data)
            done += len(authentic) + len(impostor)
            progress(done, total)


@contextmanager
def _npy_rows(path: Path, rows: int) -> Iterator[BinaryIO]:
    """Open a ``.npy`` of float64, (rows, 3), for its rows to be written one block after another."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.float64)), "fortran_order": False}
        np.lib.format.write_array_header_1_0(file, {**header, "shape": (rows, 3)})
        yield file


def _write_labels(path: Path, labels: Sequence[str]) -> None:
    write_text(path, "".join(f"{row} {label}\n" for row, label in enumerate(labels)))


def _record(output: Path, group: str, settings: dict[str, Any], counts: dict[str, Any] | None) -> None:
    """Write the group's entry into ``run.json``, beside those of the other groups in the folder."""
    earlier = read_record(output)
    if earlier is not None and earlier.get("stage") != STAGE:
        raise FacepartError(f"{output}: holds the outputs of `{earlier.get('stage')}`; choose another folder with -o")
    all_settings = {**(earlier["settings"] if earlier else {}), group: settings}
    all_counts = {**((earlier and earlier.get("counts")) or {}), group: counts}
    write_record(output, make_record(STAGE, all_settings, {"output": output}, ("numpy",), all_counts))
