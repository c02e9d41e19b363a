"""The figures of a study as files: the ranking, and the score histogram and ROC curve of each part in each group."""

from collections.abc import Sequence
from pathlib import Path

from facepart.data.group_files import group_prefix
from facepart.files.figure_formats import FORMATS
from facepart.occlusion.parts import BUILT_IN
from facepart.report.criterion_names import criterion
from facepart.report.report_data import ReportData
from facepart.study.study_scores import StudyScores

FIGURES_FOLDER = "figures"
_RANKING = "ranking"
# Ending of a file's name -> kind of figure.
_KINDS = {"scores": "histogram", "roc": "roc"}


def write_drawings(data: ReportData, scores: StudyScores, folder: Path, formats: Sequence[str]) -> None:
    """Write the figures, by the first recogniser.

    Those that an earlier run wrote of these groups, and that are not written again, are removed.

    ``ranking.<format>``; ``<group>_<part>_scores.<format>`` and ``<group>_<part>_roc.<format>``, the latter with
    95 % confidence bands and only where there are authentic scores.

    Args:
        data: that of the report.
        scores: the study's.
        folder: of the figures.
        formats: chosen by :func:`facepart.files.figure_formats.choose_formats`; may be empty.

    Raises:
        FacepartError: scores cannot be read, or a figure cannot be written.
    """
    written = _write(data, scores, folder, formats) if formats else []
    if not folder.is_dir():
        return
    parts = {*BUILT_IN, *data.parts}
    names = {_name(group.name, part, ending) for group in data.groups for part in parts for ending in _KINDS}
    for path in {folder / f"{name}.{kind}" for name in (_RANKING, *names) for kind in FORMATS}.difference(written):
        path.unlink(missing_ok=True)


def _write(data: ReportData, scores: StudyScores, folder: Path, formats: Sequence[str]) -> list[Path]:
    # Imported here, so that a study without figures does not wait for matplotlib.
    from facepart.plots.plot_files import figure_of, save_figure
    from facepart.plots.ranking import MOST_GROUPS, Effect, ranking_axes

    written: list[Path] = []
    if data.main_ranking:
        rankings = {group.name: data.ranking_of(group.name) for group in data.groups}
        if len(rankings) > MOST_GROUPS:
            rankings = {"mean": data.main_ranking}
        effects = {
            name: {
                data.label(each.part): Effect(each.effect.value, each.effect.low, each.effect.high)
                for each in ranking
            }
            for name, ranking in rankings.items()
        }
        parts = [data.label(part) for part in data.parts_in_order]
        axes = ranking_axes(effects, parts, criterion(data.ranked_by).label)
        figure = axes.get_figure(root=True)
        assert figure is not None  # noqa: S101
        written += save_figure(figure, folder, _RANKING, formats)
    for group in data.groups:
        if group.name in data.without_authentic:
            continue
        for part in group.occluded:
            sets = scores.sets([part], group.name, None)
            for ending, kind in _KINDS.items():
                figure = figure_of(sets, kind, group.name if data.several_groups else None, bands=kind == "roc")
                written += save_figure(figure, folder, _name(group.name, part, ending), formats)
    return written


def _name(group: str, part: str, ending: str) -> str:
    """Return the name of a figure's file, without its format."""
    return f"{group_prefix(group)}_{part}_{ending}"
