"""The files of a group: which are written, how large they become, and the writing of pairs beside their counting."""

import shutil
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.files.addresses import is_address
from facepart.files.atomic import replacing, write_text
from facepart.files.lock import output_lock
from facepart.files.progress import Progress
from facepart.files.record import make_record, read_record_of, write_record
from facepart.matching.faces import PairCounts, PairRows
from facepart.matching.groups import Group
from facepart.scores import STEPS, GroupScores, ScoreDistribution
from facepart.scores.files import pairs_paths, scores_path
from facepart.scores.ranks import ranks_path
from facepart.scores.subject_sums import subject_sums_path

_STAGE = "match"

Save = Literal["pairs", "distribution", "both"]
_SAVED = {"pairs": "the pairs alone", "distribution": "the distribution alone", "both": "both"}
SAVES: tuple[Save, ...] = ("pairs", "distribution", "both")

# Up to so many pairs both are written by default: 1.2 GB.
MOST_PAIRS = 50_000_000
BYTES_A_PAIR = 24

# Blocks of either kind that may wait for the disk, 1.5 MB each.
_WRITTEN_AHEAD = 32

# What a distribution takes at most is little beside pairs; room for it and the labels.
_SPARE = 64 << 20


class Plan(NamedTuple):
    """What will be written of a group.

    Attributes:
        group: its features.
        counts: how many pairs there are of each kind.
        saved: the score files.
        by_subject: whether sums by subject go with a distribution.
    """

    group: Group
    counts: PairCounts
    saved: Save
    by_subject: bool = True


def choose_save(save: Save | None, counts: PairCounts) -> Save:
    """Return what is written of a group: what was asked for, by default both where the pairs are not too many."""
    return save or ("both" if counts.authentic + counts.impostor <= MOST_PAIRS else "distribution")


def size_of_pairs(counts: PairCounts) -> int:
    """Return how many bytes the pair files of a group take."""
    return BYTES_A_PAIR * (counts.authentic + counts.impostor)


@contextmanager
def locked_output(
    output: Path, plans: Sequence[Plan], *, ranks: bool = False, listed: bool = False
) -> Iterator[None]:
    """Hold a folder for the files of groups, once they can be written there.

    Args:
        output: the folder, which need not be there yet.
        plans: what will be written.
        ranks: whether ranks will be, too.
        listed: whether the pairs of a list are compared.

    Raises:
        FacepartError: another run is writing there; there is a file of an earlier run that this one would not write
            anew; or the disk has no room for the pairs.
    """
    with output_lock(output):
        for plan in plans:
            _refuse_leftovers(output, plan, ranks, listed)
        _refuse_full_disk(output, [plan for plan in plans if plan.saved != "distribution"])
        yield


def _refuse_full_disk(output: Path, plans: Sequence[Plan]) -> None:
    """Refuse to begin what the disk has no room for: the pairs of groups, beside older files of the same name."""
    if is_address(output):
        return  # a store does not say how much room it has
    needed = sum(size_of_pairs(plan.counts) for plan in plans) + _SPARE * bool(plans)
    there = next(folder for folder in (output.absolute(), *output.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if needed > free:
        names = ", ".join(plan.group.name for plan in plans)
        raise FacepartError(
            f"{output}: the pairs of {names} take {needed / 1e9:.1f} GB, but {free / 1e9:.1f} GB are free there; "
            "--save distribution writes the exact distributions instead, in a few MB"
        )


def _refuse_leftovers(output: Path, plan: Plan, ranks: bool, listed: bool) -> None:
    """Refuse to leave score files of an earlier run of a group beside those of another."""
    group, sums = plan.group.prefix, subject_sums_path(output, plan.group.prefix)
    distribution = [scores_path(output, group), sums]
    unwritten = {"pairs": distribution, "distribution": pairs_paths(output, group), "both": []}[plan.saved]
    for path in unwritten:
        if path.exists():
            raise FacepartError(
                f"{path}: was written by an earlier run, and this run, which saves {_SAVED[plan.saved]} of "
                f"{group}, would not replace it; remove it, choose another folder with -o, or add --save both"
            )
    others = [] if ranks else [(ranks_path(output, group), "--ranks")]
    others += [] if listed else [(listed_path(output, group), "--pairs")]
    for path, option in others:
        if path.exists():
            add = "" if listed else f", or add {option}"
            raise FacepartError(
                f"{path}: was written by an earlier run, and this run, without {option}, would not replace it; "
                f"remove it, choose another folder with -o{add}"
            )
    if not plan.by_subject and sums.exists():
        raise FacepartError(
            f"{sums}: was written by an earlier run, and this run, whose labels the naming convention does not "
            "fit, would not replace it; remove it, or choose another folder with -o"
        )


def listed_path(output: Path, group: str) -> Path:
    """Return the file of the pairs of a list, with their scores."""
    return output / f"{group}_pairs.csv"


def write_pairs(
    output: Path,
    group: str,
    counts: PairCounts,
    blocks: Iterable[PairRows],
    progress: Progress,
) -> GroupScores:
    """Write the pair files of a group block by block; return the distributions of just these scores.

    Args:
        output: the folder.
        group: what the files' names begin with.
        counts: how many pairs there will be.
        blocks: see :func:`facepart.matching.pairs.pair_blocks`.
        progress: called with (pairs written, pairs in all).
    """
    total, done = counts.authentic + counts.impostor, 0
    tables = [np.zeros(2 * STEPS + 1, np.int64) for _ in range(2)]
    ahead: deque[Future[int]] = deque()
    authentic, impostor = pairs_paths(output, group)
    with (
        _npy_rows(authentic, counts.authentic) as authentic_file,
        _npy_rows(impostor, counts.impostor) as impostor_file,
        # The disk writes while the next blocks are made.
        ThreadPoolExecutor(1) as writer,
    ):
        for block in blocks:
            for rows, file, table in zip(block, (authentic_file, impostor_file), tables, strict=True):
                ahead.append(writer.submit(file.write, rows.data))
                np.add.at(table, _places(rows), 1)
                done += len(rows)
            while len(ahead) > _WRITTEN_AHEAD:
                ahead.popleft().result()
            progress(done, total)
        for written in ahead:
            written.result()
    return GroupScores(*(ScoreDistribution.of_table(table) for table in tables))


def _places(rows: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return where the scores of rows of the score files are counted in a table of all values."""
    steps = rows[:, 2] * STEPS
    return np.rint(steps, out=steps).astype(np.intp) + STEPS


def group_settings(group: Group, common: dict[str, Any]) -> dict[str, Any]:
    """Return what the record says of a group, besides the `common` settings of all groups of a run."""
    probe, gallery = group.probe, group.gallery
    model = probe.model or (gallery.model if gallery is not None else None)
    return {
        "probe": str(probe.source),
        "gallery": None if gallery is None else str(gallery.source),
        **({} if group.people is None else {"people": str(group.people)}),
        **common,
        "model": model and {"name": model.name, "sha256": model.sha256},
    }


def begin_group(output: Path, group: Group, settings: dict[str, Any]) -> None:
    """Record that a group is at work, and write the labels of its probes and gallery, ``row label`` a line."""
    record_group(output, group.name, settings, None)
    for name, side in (("labels", group.probe), ("gallery_labels", group.gallery)):
        path = output / f"{group.prefix}_{name}.txt"
        if side is None:
            path.unlink(missing_ok=True)  # left by an earlier run of this group that had a gallery
        else:
            write_text(path, "".join(f"{row} {label}\n" for row, label in enumerate(side.labels)))


def record_group(output: Path, group: str, settings: dict[str, Any], counts: dict[str, Any] | None) -> None:
    """Write the group's entry into ``run.json``, beside those of the other groups in the folder."""
    earlier = read_record_of(output, _STAGE)
    all_settings = {**(earlier["settings"] if earlier else {}), group: settings}
    all_counts = {**((earlier and earlier.get("counts")) or {}), group: counts}
    write_record(output, make_record(_STAGE, all_settings, {"output": output}, ("numpy", "torch"), all_counts))


@contextmanager
def _npy_rows(path: Path, rows: int) -> Iterator[BinaryIO]:
    """Open a ``.npy`` of float64, (rows, 3), for its rows to be written one block after another."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.float64)), "fortran_order": False}
        np.lib.format.write_array_header_1_0(file, {**header, "shape": (rows, 3)})
        yield file
