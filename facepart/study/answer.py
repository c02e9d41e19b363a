"""A study's scores -> its answer: tables, texts, the report, and the records beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from facepart.analysis.differentials import ShiftDifference
from facepart.analysis.measure import Figures
from facepart.analysis.ranking import RESAMPLES, compare_methods
from facepart.analysis.recogniser_agreement import RecogniserAgreement
from facepart.analysis.shapley_figures import ShapleyFigures, ShapleyInteraction, ShapleyValue
from facepart.files.atomic import encoded, write_if_changed
from facepart.files.failures import Failure
from facepart.files.figure_formats import choose_formats
from facepart.files.record import write_record
from facepart.networks.catalogue import Weights
from facepart.report.export import differentials_csv, results_csv, results_json, rows_csv
from facepart.report.latex import ranking_tex
from facepart.report.methods import methods
from facepart.report.page import render_report
from facepart.report.report_data import AverageFace, ExamplePhoto, RecogniserFigures, ReportData
from facepart.report.ro_crate import write_crate
from facepart.study.alignment import misalignment_of_sample
from facepart.study.average_face import KeptAverage, average_of
from facepart.study.drawings import FIGURES_FOLDER, write_drawings
from facepart.study.groups import Members, count_subjects
from facepart.study.photo_sets import PhotoSets
from facepart.study.provenance import describe_provenance, method_facts
from facepart.study.report_scores import control_overlaps, read_groups
from facepart.study.setup import Setup
from facepart.study.study_record import make_study_record
from facepart.study.study_scores import StudyScores, scores_record
from facepart.study.typed_table import parquet_bytes

CSV_FILE, PARQUET_FILE = "results.csv", "results.parquet"
JSON_FILE, REPORT_FILE = "results.json", "report.html"
METHODS_FILE, TEX_FILE = "methods.txt", "results.tex"
DIFFERENTIALS_FILE, DIFFERENCES_FILE = "differentials.csv", "shift_differences.csv"
SHAPLEY_FILE, INTERACTIONS_FILE = "shapley.csv", "shapley_interactions.csv"


def write_answer(
    setup: Setup,
    members: Members,
    sets: Mapping[str, PhotoSets],
    figures: Mapping[str, Figures],
    agreement: RecogniserAgreement | None,
    shapley: Mapping[str, ShapleyFigures],
    images: tuple[AverageFace | None, Sequence[ExamplePhoto]],
    failures: Sequence[Failure],
) -> Path:
    """Write the figures as tables, the report, the methods paragraphs and the record; return the report's path.

    Where there are several groups, also how they compare: ``differentials.csv`` and ``shift_differences.csv``. With
    Shapley values, ``shapley.csv`` and ``shapley_interactions.csv``; with pyarrow, ``results.parquet``. Files
    whose content would not change are left as they are.

    Args:
        setup: of the study.
        members: who is in which group.
        sets: the photos of each group.
        figures: recogniser -> its figures.
        agreement: how far several recognisers agree; None for one, or if they cannot be compared.
        shapley: recogniser -> its Shapley values; empty if they were not asked for.
        images: the average face, if it is shown, and the example photos.
        failures: photos that could not be worked on.

    Raises:
        FacepartError: a file cannot be written.
    """
    request, output, first = setup.request, setup.request.output, figures[setup.first.name]
    names = [name for found in members.groups.values() for name in found]
    groups = read_groups(setup, members, sets)
    sizes = {group.name: {"photos": group.photos, "subjects": group.subjects} for group in groups}
    record = make_study_record(setup, {"groups": sizes, "failed": len(failures)})
    digest = average_of(setup.design.methods)
    if digest:
        record["settings"]["average_face"] = KeptAverage(output, digest).files()
    data = ReportData(
        title=request.title,
        design=setup.design,
        figures=first,
        recognisers=[RecogniserFigures(name, each) for name, each in figures.items()],
        agreement=agreement,
        shapley=shapley,
        groups=groups,
        subjects=count_subjects(names, setup.rule),
        overlaps=control_overlaps(setup, sets.values()),
        resamples=RESAMPLES,
        agreements=compare_methods(first.results, setup.design.main.name, setup.design.weight),
        face=images[0],
        examples=images[1],
        provenance=describe_provenance(setup, record, names, members.small),
        failures=[(str(failure.path), failure.stage, failure.reason) for failure in failures],
        unaligned=misalignment_of_sample(setup),
    )
    data = replace(data, methods=methods(data, method_facts(setup, names)))
    where = scores_record(setup, sets)
    _write_files(output, data, {"settings": record["settings"], "groups": sizes, **where})
    scores = StudyScores.from_results(output, where)
    write_drawings(data, scores, output / FIGURES_FOLDER, choose_formats(request.formats))
    write_record(output, record)
    write_crate(output, request.title, record, _licences(setup))
    return output / REPORT_FILE


def _write_files(output: Path, data: ReportData, further: Mapping[str, Any]) -> None:
    """Write the tables and texts; one that the study does not have is removed: it is of an earlier run.

    Args:
        output: the study's folder.
        data: that of the report.
        further: what else ``results.json`` says.
    """
    figures = [each.figures for each in data.recognisers]
    results = results_csv([row for each in figures for row in each.results])
    differentials = [row for each in figures for row in each.differentials]
    differences = [row for each in figures for row in each.shift_differences]
    shapley = list(data.shapley.values())
    interactions = [row for each in shapley for row in each.interactions]
    texts = {
        CSV_FILE: results,
        JSON_FILE: results_json(data, further),
        METHODS_FILE: "\n\n".join(data.methods) + "\n",
        TEX_FILE: ranking_tex(data),
        REPORT_FILE: render_report(data),
        DIFFERENTIALS_FILE: differentials_csv(differentials) if differentials else None,
        DIFFERENCES_FILE: rows_csv(ShiftDifference, differences) if differentials else None,
        SHAPLEY_FILE: rows_csv(ShapleyValue, [row for each in shapley for row in each.values]) if shapley else None,
        INTERACTIONS_FILE: rows_csv(ShapleyInteraction, interactions) if shapley else None,
    }
    contents = {name: None if text is None else encoded(text) for name, text in texts.items()}
    contents[PARQUET_FILE] = parquet_bytes(results)
    for name, content in contents.items():
        if content is None:
            (output / name).unlink(missing_ok=True)
        else:
            write_if_changed(output / name, content)


def _licences(setup: Setup) -> dict[str, str]:
    """Return the licences of the weights that are known: network -> licence."""
    networks = [setup.parser.source, *(each.weights for each in setup.recognisers), setup.detector, setup.landmarks]
    return {each.name: each.model.licence for each in networks if isinstance(each, Weights) and each.model}
