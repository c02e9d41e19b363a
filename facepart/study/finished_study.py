"""A finished study, read back from its folder: pandas DataFrames, and figures as Matplotlib axes."""

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facepart.analysis.ranking import tied_ranks
from facepart.analysis.results import ALL_GROUPS
from facepart.errors import FacepartError, UsageError
from facepart.files.addresses import place, read_whole
from facepart.files.json_input import read_object
from facepart.files.record import RECORD_FILE, read_record
from facepart.report.criterion_names import criterion
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
from facepart.study.study_scores import StudyScores
from facepart.study.typed_table import table_columns
from facepart.suggestion import did_you_mean

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

_AGAIN = "run the study again"


@dataclass(frozen=True, eq=False)
class StudyTables:
    """What a study found, as DataFrames; `docs/study.md` explains the columns.

    In all tables, missing values are NaN, and ``<metric>_low`` and ``<metric>_high`` are the 95 % CI.

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
        where: where the scores are; :meth:`scores`, :meth:`plot_scores` and :meth:`plot_ranking` read and draw them.
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
    where: StudyScores

    def scores(
        self, condition: str = "baseline", group: str | None = None, recogniser: str | None = None
    ) -> "pandas.DataFrame":
        """Return a score distribution: how often each score occurs, in steps of 1e-6, exactly.

        Args:
            condition: ``baseline``, a part (occluded vs occluded), ``cross_<part>`` ...: a folder of ``matches/``.
            group: None for the only one.
            recogniser: None for the first.

        Returns:
            Columns ``kind`` (``authentic`` or ``impostor``), ``score`` (ascending within a kind) and ``count``.

        Raises:
            FacepartError: there is no such condition, group or recogniser, or several groups; or the scores cannot
                be read.
        """
        found = self.where.read(condition, group, recogniser)._asdict()
        frames = [
            pandas_module().DataFrame({"kind": kind, "score": each.scores, "count": each.counts})
            for kind, each in found.items()
        ]
        return pandas_module().concat(frames, ignore_index=True)

    def plot_scores(
        self, *parts: str, kind: str = "histogram", group: str | None = None, recogniser: str | None = None
    ) -> "Axes":
        """Draw the baseline scores and those with parts occluded (occluded vs occluded).

        With one part, all scores are of the photos in which it was detected; with several, the baseline is that of
        all photos.

        Args:
            parts: at least one.
            kind: ``histogram``, ``roc``, ``det`` or ``fmr_fnmr``, as of ``facepart plot --kind``. A ROC figure has
                95 % confidence bands.
            group: None for the only one.
            recogniser: None for the first.

        Returns:
            The axes, in a figure of their own (``axes.figure``).

        Raises:
            UsageError: there is no such kind, or no part is named. FacepartError: as of :meth:`scores`.
        """
        from facepart.plots.plot_files import figure_of

        if not parts:
            raise UsageError("name the parts whose scores are drawn")
        return figure_of(self.where.sets(parts, group, recogniser), kind, bands=kind == "roc").axes[0]

    def plot_ranking(self, recogniser: str | None = None) -> "Axes":
        """Draw the effect of each part in each group, with its 95 % CI, in the order of the ranking.

        Args:
            recogniser: None for the first.

        Returns:
            The axes, in a figure of their own (``axes.figure``).

        Raises:
            FacepartError: there is no such recogniser, no part has a rank, or there are more than twelve groups.
        """
        from facepart.plots.ranking import Effect, ranking_axes

        known = list(dict.fromkeys(self.rankings["recogniser"]))
        if recogniser is not None and recogniser not in known:
            raise FacepartError(
                f"recogniser {recogniser!r}: unknown{did_you_mean(recogniser, known)}; known: {', '.join(known)}"
            )
        rows = self.rankings[self.rankings["recogniser"] == (recogniser or next(iter(known), None))]
        effects: dict[str, dict[str, Effect]] = {}
        for row in rows.itertuples():
            found = effects.setdefault(row.group, {})
            found[row.part] = Effect(row.effect, row.effect_low, row.effect_high)
        order = list(next(iter(effects.values()), {}))
        groups = {name: found for name, found in effects.items() if name != ALL_GROUPS or len(effects) == 1}
        by = next(iter(rows["criterion"]), "")
        return ranking_axes(groups or {ALL_GROUPS: {}}, order, criterion(by).label if by else "")

    def __repr__(self) -> str:
        frame = pandas_module().DataFrame
        found = {name: table for name, table in vars(self).items() if isinstance(table, frame)}
        return f"StudyTables({', '.join(f'{name}: {len(table)} rows' for name, table in found.items())})"


def read_study(output: Path | str) -> StudyTables:
    """Read the results of a finished study from its folder.

    Args:
        output: the folder, OUT of ``facepart study -o OUT``.

    Raises:
        FacepartError: pandas is not installed; or the folder does not hold a study, holds one that is not finished
            or that another version of facepart wrote, or one of its files is damaged.
    """
    folder = place(output) if isinstance(output, str) else output
    pandas_module()
    record = read_record(folder)
    if record is None:
        raise FacepartError(f"{folder}: is not the folder of a study: it has no {RECORD_FILE}")
    if record.get("stage") != STAGE:
        raise FacepartError(f"{folder}: holds the outputs of `{record.get('stage')}`, not of `{STAGE}`")
    if record.get("counts") is None:
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
        text = read_whole(path).decode("utf-8")
        if not text.endswith("\n"):
            raise ValueError("its end is missing")
        return pandas.DataFrame(table_columns(text))
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
    results = read_table(folder / CSV_FILE)
    if len(results) != len(found["results"]):
        raise FacepartError(f"{folder / CSV_FILE}: is damaged; {_AGAIN}")
    return StudyTables(
        results=results,
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
        where=StudyScores.from_results(folder, found),
    )


def _ranked(rankings: Mapping[str, Sequence[Mapping[str, Any]]], **about: str) -> list[dict[str, Any]]:
    """Return the rows of rankings, group -> its parts in order."""
    found = []
    for group, rows in rankings.items():
        ranks = tied_ranks([math.nan if row["effect"] is None else row["effect"] for row in rows])
        found += [{**about, "group": group, "rank": rank, **row} for rank, row in zip(ranks, rows, strict=True)]
    return found


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
