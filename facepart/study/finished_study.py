"""A finished study, read back from its folder as DataFrames of pandas."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facepart.errors import FacepartError
from facepart.files.addresses import read_whole
from facepart.files.csv_text import plain_cell
from facepart.files.json_input import read_object
from facepart.files.record import RECORD_FILE, read_record
from facepart.report.export import RESULTS_VERSION
from facepart.study.answer import (
    CSV_FILE,
    DIFFERENCES_FILE,
    DIFFERENTIALS_FILE,
    INTERACTIONS_FILE,
    JSON_FILE,
    SHAPLEY_FILE,
)
from facepart.study.kept_files import STAGE

if TYPE_CHECKING:
    import pandas

# Columns that are not numbers. Text is text whatever it looks like: a group may be called NA, or 01.
_TEXT = {"recogniser", "group", "part", "occlusion", "comparison", "control"}
_TEXT |= {"first", "second", "threshold_of", "refused", "ratio_to", "figure", "method", "reason"}
_FLAGS = {"paired", "equivalent"}
_TRUTH = {"True": True, "False": False}
_AGAIN = "run the study again"


@dataclass(frozen=True, eq=False)
class StudyTables:
    """What a study found, as DataFrames; `docs/study.md` explains the columns.

    In all tables, unknown figures are NaN, and ``<figure>_low`` and ``<figure>_high`` are the 95 % CI.

    Attributes:
        results: ``results.csv``: a row a recogniser, group, part, occlusion method and comparison.
        rankings: the study's ranking: a row a recogniser, group (``all``: over all groups) and part that has a rank,
            with ``rank`` from 1, ``effect``, ``rank_low``, ``rank_high``, ``may_be_first``, ``ranked_first``,
            ``difference_to_next`` and ``tied``; ``criterion`` is what the parts are ranked by.
        rankings_by_criterion: the same by every criterion that the study supports.
        keep_only: the parts alone in the order of their d', with the columns of a ranking; None without keep-only.
        differentials: ``differentials.csv``; None for one group.
        shift_differences: ``shift_differences.csv``; None for one group.
        shapley: ``shapley.csv``; None without Shapley values.
        shapley_interactions: ``shapley_interactions.csv``; None without Shapley values.
        agreement: a row a group and pair of recognisers: Kendall's ``tau``, over ``pairs`` of parts, of which
            ``alike`` and ``opposed`` are significantly so, and Kendall's ``w`` over all recognisers; None if it is
            not known, as with one recogniser.
        joint_ranking: that of all recognisers together; None likewise.
    """

    results: "pandas.DataFrame"
    rankings: "pandas.DataFrame"
    rankings_by_criterion: "pandas.DataFrame"
    keep_only: "pandas.DataFrame | None"
    differentials: "pandas.DataFrame | None"
    shift_differences: "pandas.DataFrame | None"
    shapley: "pandas.DataFrame | None"
    shapley_interactions: "pandas.DataFrame | None"
    agreement: "pandas.DataFrame | None"
    joint_ranking: "pandas.DataFrame | None"

    def __repr__(self) -> str:
        found = {name: table for name, table in vars(self).items() if table is not None}
        return f"StudyTables({', '.join(f'{name}: {len(table)} rows' for name, table in found.items())})"


def read_study(output: Path | str) -> StudyTables:
    """Read the results of a finished study from its folder.

    Args:
        output: the folder, OUT of ``facepart study -o OUT``.

    Raises:
        FacepartError: pandas is not installed; or the folder does not hold a study, holds one that is not finished
            or that another version of facepart wrote, or one of its files is damaged.
    """
    folder = Path(output)
    pandas_module()
    record = read_record(folder)
    if record is None:
        raise FacepartError(f"{folder}: is not the folder of a study: it has no {RECORD_FILE}")
    if record.get("stage") != STAGE:
        raise FacepartError(f"{folder}: holds the outputs of `{record.get('stage')}`, not of `{STAGE}`")
    if record["counts"] is None:
        raise FacepartError(f"{folder}: the study is not finished; {_AGAIN}")
    path = folder / JSON_FILE
    found = read_object(path, "the results of a study", _AGAIN)
    if found is None:
        raise FacepartError(f"{path}: is missing; {_AGAIN}")
    if found.get("version") != RESULTS_VERSION:
        raise FacepartError(
            f"{path}: has format version {found.get('version')}, this facepart reads {RESULTS_VERSION}; {_AGAIN}"
        )
    try:
        return _tables(folder, found)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FacepartError(f"{path}: is damaged; {_AGAIN}") from error


def read_table(path: Path) -> "pandas.DataFrame":
    """Read a CSV file of a study as a DataFrame.

    Raises:
        FacepartError: pandas is not installed, or the file cannot be read or is damaged.
    """
    pandas = pandas_module()
    try:
        header, *rows = csv.reader(io.StringIO(read_whole(path).decode("utf-8"), newline=""))
        columns = zip(header, zip(*rows, strict=True) if rows else [()] * len(header), strict=True)
        return pandas.DataFrame({name: _column(name, cells) for name, cells in columns})
    except OSError as error:
        raise FacepartError(f"{path}: cannot be read ({error.strerror}); {_AGAIN}") from error
    except (ValueError, KeyError, csv.Error) as error:
        raise FacepartError(f"{path}: is damaged; {_AGAIN}") from error


def pandas_module() -> Any:
    """Return the module pandas.

    Raises:
        FacepartError: it is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise FacepartError("a DataFrame needs pandas: pip install 'facepart[pandas]'") from error
    return pandas


def _tables(folder: Path, found: Mapping[str, Any]) -> StudyTables:
    by = found["by_recogniser"]
    several = bool(found["differentials"])
    kept = [row for name, each in by.items() for row in _ranked(each["keep_only_rankings"], recogniser=name)]
    agreement = found.get("agreement")
    return StudyTables(
        results=read_table(folder / CSV_FILE),
        rankings=_ranking_frame(
            row
            for name, each in by.items()
            for row in _ranked(each["rankings"], recogniser=name, criterion=each["ranked_by"])
        ),
        rankings_by_criterion=_ranking_frame(
            row
            for name, each in by.items()
            for criterion, rankings in each["rankings_by_criterion"].items()
            for row in _ranked(rankings, recogniser=name, criterion=criterion)
        ),
        keep_only=_frame(kept) if kept else None,
        differentials=read_table(folder / DIFFERENTIALS_FILE) if several else None,
        shift_differences=read_table(folder / DIFFERENCES_FILE) if several else None,
        shapley=read_table(folder / SHAPLEY_FILE) if found.get("shapley") else None,
        shapley_interactions=read_table(folder / INTERACTIONS_FILE) if found.get("shapley") else None,
        agreement=_frame(_agreement_rows(agreement)) if agreement else None,
        joint_ranking=_ranking_frame(_ranked(found["joint_ranking"], criterion=agreement["ranked_by"]))
        if agreement
        else None,
    )


def _ranked(rankings: Mapping[str, Sequence[Mapping[str, Any]]], **about: str) -> list[dict[str, Any]]:
    """Return the rows of rankings, group -> its parts in order."""
    return [
        {**about, "group": group, "rank": rank, **row}
        for group, rows in rankings.items()
        for rank, row in enumerate(rows, 1)
    ]


def _agreement_rows(agreement: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each group and pair of recognisers, with the group's W."""
    rows = []
    for group in agreement["groups"]:
        of_all = {key: value for key, value in group.items() if key == "w" or key.startswith("w_")}
        rows += [{"group": group["group"], **pair, **of_all} for pair in group["pairs"]]
    return rows


def _ranking_frame(rows: Iterable[Mapping[str, Any]]) -> "pandas.DataFrame":
    """Return rankings as a DataFrame, which has its columns also if no part has a rank."""
    found = list(rows)
    columns = ("recogniser", "criterion", "group", "rank", "part", "effect", "effect_low", "effect_high")
    return _frame(found) if found else pandas_module().DataFrame({name: [] for name in columns})


def _frame(rows: Sequence[Mapping[str, Any]]) -> "pandas.DataFrame":
    """Return rows of JSON as a DataFrame; numbers that are null everywhere are NaN."""
    frame = pandas_module().DataFrame(list(rows))
    unknown = [name for name in frame if frame[name].isna().all()]
    return frame.astype(dict.fromkeys(unknown, float))


def _column(name: str, cells: Sequence[str]) -> list[Any]:
    """Return the cells of a column as what they mean; empty ones are None, or NaN among numbers."""
    if name in _TEXT:
        return [plain_cell(cell) or None for cell in cells]
    if name in _FLAGS:
        return [_TRUTH[cell] if cell else None for cell in cells]
    if cells and all(cell.removeprefix("-").isdecimal() for cell in cells):
        return [int(cell) for cell in cells]
    return [float(cell or "nan") for cell in cells]
