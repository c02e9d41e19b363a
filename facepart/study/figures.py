"""The figures of a study as files: the ranking, and the score histogram and ROC curve of each part in each group."""

from collections.abc import Sequence
from pathlib import Path

from facepart.data.group_files import group_prefix
from facepart.files.figure_formats import FORMATS
from facepart.report.criterion_names import criterion
from facepart.report.report_data import ReportData
from facepart.study.study_scores import StudyScores

FIGURES_FOLDER = "figures"
_RANKING = "ranking"
# Ending of a file's name -> kind of figure.
_KINDS = {"scores": "histogram", "roc": "roc"}


def write_figures(data: ReportData, scores: StudyScores, folder: Path, formats: Sequence[str]) -> None:
    """Write the figures, by the first recogniser; those of an earlier run that are not written again are removed.

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
    endings = (f"_{ending}" for ending in _KINDS)
    for pattern in (_RANKING, *(f"*{ending}" for ending in endings)):
        for kind in FORMATS:
            for path in set(folder.glob(f"{pattern}.{kind}")).difference(written):
                path.unlink()


def _write(data: ReportData, scores: StudyScores, folder: Path, formats: Sequence[str]) -> list[Path]:
    # Imported here, so that a study without figures does not wait for matplotlib.
    from facepart.plots.plot_files import figure_of, save_figure
    from facepart.plots.ranking import Effect, ranking_axes

    written: list[Path] = []
    if data.main_ranking:
        effects = {
            group.name: {
                data.label(each.part): Effect(each.effect.value, each.effect.low, each.effect.high)
                for each in data.ranking_of(group.name)
            }
            for group in data.groups
        }
        parts = [data.label(part) for part in data.parts_in_order]
        axes = ranking_axes(effects, parts, f"{criterion(data.ranked_by).label} (95 % CI)")
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
                written += save_figure(figure, folder, f"{group_prefix(group.name)}_{part}_{ending}", formats)
    return written
