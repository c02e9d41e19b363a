"""A study's scores -> its answer: the figures, their ranking, and the report."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from facepart import __version__
from facepart.analysis.design import BASELINE_CONDITION, Condition
from facepart.analysis.measure import Figures
from facepart.analysis.ranking import RESAMPLES, SEED, compare_methods
from facepart.analysis.recogniser_agreement import RecogniserAgreement
from facepart.analysis.shapley_figures import ShapleyFigures
from facepart.counts import are, count_of
from facepart.data.naming import DATASETS
from facepart.data.subject_table import small_groups_text
from facepart.errors import FacepartError
from facepart.files.atomic import write_bytes
from facepart.files.failures import Failure
from facepart.files.figure_formats import choose_formats
from facepart.files.json_input import read_object
from facepart.files.record import Record, make_record, write_record
from facepart.networks.catalogue import Weights
from facepart.networks.face_parser import MIN_SIDE
from facepart.networks.label_folder import LabelFolder
from facepart.occlusion.patch import PIXELS
from facepart.occlusion.recipe import SIGMA
from facepart.pipeline.calibration import CALIBRATING, JUDGING, read_agreements
from facepart.pipeline.embedding_store import EmbeddingStore
from facepart.report.export import (
    differentials_csv,
    interactions_csv,
    results_csv,
    results_json,
    shapley_csv,
    shift_differences_csv,
)
from facepart.report.latex import ranking_tex
from facepart.report.method_names import method_phrase
from facepart.report.methods import MethodFacts, NetworkFacts, methods
from facepart.report.page import render_report
from facepart.report.report_data import AverageFace, ExamplePhoto, RecogniserFigures, ReportData, ReportGroup
from facepart.report.ro_crate import CONTENTS, CRATE_FILE, crate_json
from facepart.scores import GroupScores
from facepart.study.alignment import aligned_before, misalignment_of_sample
from facepart.study.average_face import KeptAverage, average_of
from facepart.study.comparisons import read_group_scores
from facepart.study.figures import FIGURES_FOLDER, write_figures
from facepart.study.groups import Members
from facepart.study.kept_files import STAGE
from facepart.study.photo_sets import PhotoSets
from facepart.study.request import Request
from facepart.study.setup import Setup
from facepart.study.study_scores import StudyScores, scores_record
from facepart.study.table_columns import parquet_bytes

CSV_FILE, PARQUET_FILE = "results.csv", "results.parquet"
JSON_FILE, REPORT_FILE = "results.json", "report.html"
METHODS_FILE, TEX_FILE = "methods.txt", "results.tex"
DIFFERENTIALS_FILE, DIFFERENCES_FILE = "differentials.csv", "shift_differences.csv"
SHAPLEY_FILE, INTERACTIONS_FILE = "shapley.csv", "shapley_interactions.csv"

_PACKAGES = ("numpy", "opencv-python-headless", "pillow", "openvino", "torch", "matplotlib")


def read_groups(setup: Setup, members: Members, sets: Mapping[str, PhotoSets]) -> list[ReportGroup]:
    """Read the scores of every group in the conditions that the report shows: those of the main method.

    They are those of the first recogniser.
    """
    return [_GroupReader(setup, group, sets[group]).read(members.subjects[group]) for group in members.groups]


class _GroupReader:
    """Reads the scores of one group."""

    def __init__(self, setup: Setup, group: str, sets: PhotoSets) -> None:
        self._design, self._group, self._sets = setup.design, group, sets
        self._matches = setup.matches_of(setup.first)

    def read(self, subjects: int) -> ReportGroup:
        """Read all that the report shows of the group; what was not compared is left out."""
        design = self._design
        occlusions = [design.of_part(name) for name in design.part_names]
        controls = {each.part: map(design.condition, design.controls_of(each)) for each in occlusions}
        draws = {part: self._known(conditions) for part, conditions in controls.items()}
        return ReportGroup(
            name=self._group,
            photos=len(self._sets.names),
            subjects=subjects,
            baseline=self._read(BASELINE_CONDITION),
            baselines=self._by_part({each.part: design.baseline_of(each) for each in occlusions}),
            occluded=self._by_part({each.part: design.condition(each) for each in occlusions}),
            crossed=self._by_part(
                {each.part: design.condition(each, "cross") for each in occlusions if design.cross}
            ),
            controls={part: reduce(GroupScores.merged_with, found) for part, found in draws.items() if found},
        )

    def _by_part(self, conditions: Mapping[str, Condition]) -> dict[str, GroupScores]:
        """Read the scores of one condition a part, of those that were compared."""
        return {
            part: self._read(condition)
            for part, condition in conditions.items()
            if self._sets.is_comparable(condition.photos_of)
        }

    def _known(self, conditions: Iterable[Condition]) -> list[GroupScores]:
        """Read the scores of those conditions that were compared."""
        return [self._read(each) for each in conditions if self._sets.is_comparable(each.photos_of)]

    def _read(self, condition: Condition) -> GroupScores:
        return read_group_scores(self._matches, self._sets.resolve(condition), self._group)


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
    output, main = setup.request.output, setup.design.main.name
    names = [name for found in members.groups.values() for name in found]
    groups = read_groups(setup, members, sets)
    sizes = {group.name: {"photos": group.photos, "subjects": group.subjects} for group in groups}
    record = make_study_record(setup, {"groups": sizes, "failed": len(failures)})
    digest = average_of(setup.design.methods)
    if digest:
        record["settings"]["average_face"] = KeptAverage(output, digest).files()
    data = ReportData(
        title=setup.request.title,
        design=setup.design,
        figures=figures[setup.first.name],
        recognisers=[RecogniserFigures(name, each) for name, each in figures.items()],
        agreement=agreement,
        shapley=shapley,
        groups=groups,
        overlaps=_overlaps(setup, sets.values()),
        resamples=RESAMPLES,
        agreements=compare_methods(figures[setup.first.name].results, main, setup.design.weight),
        face=images[0],
        examples=images[1],
        provenance=_provenance(setup, record, count_small(setup.first.store, names), members.small),
        failures=[(str(failure.path), failure.stage, failure.reason) for failure in failures],
        unaligned=misalignment_of_sample(setup),
    )
    data = replace(data, methods=methods(data, _method_facts(setup)))
    where = scores_record(setup, sets)
    texts = {
        CSV_FILE: results_csv([row for each in figures.values() for row in each.results]),
        JSON_FILE: results_json(data, {"settings": record["settings"], "groups": sizes, **where}),
        METHODS_FILE: "\n\n".join(data.methods) + "\n",
        TEX_FILE: ranking_tex(data),
        REPORT_FILE: render_report(data),
    }
    differentials = [row for each in figures.values() for row in each.differentials]
    if differentials:
        differences = [row for each in figures.values() for row in each.shift_differences]
        texts[DIFFERENTIALS_FILE] = differentials_csv(differentials)
        texts[DIFFERENCES_FILE] = shift_differences_csv(differences)
    if shapley:
        texts[SHAPLEY_FILE] = shapley_csv([row for each in shapley.values() for row in each.values])
        texts[INTERACTIONS_FILE] = interactions_csv([row for each in shapley.values() for row in each.interactions])
    for name in (DIFFERENTIALS_FILE, DIFFERENCES_FILE, SHAPLEY_FILE, INTERACTIONS_FILE):
        if name not in texts:
            (output / name).unlink(missing_ok=True)  # of an earlier run
    for name, text in texts.items():
        _write_changed(output / name, text.encode("utf-8"))
    table = parquet_bytes(texts[CSV_FILE])
    if table is None:
        (output / PARQUET_FILE).unlink(missing_ok=True)  # of an earlier run: it may hold other results
    else:
        _write_changed(output / PARQUET_FILE, table)
    scores = StudyScores.from_results(output, where)
    write_figures(data, scores, output / FIGURES_FOLDER, choose_formats(setup.request.formats))
    write_record(output, record)
    _write_crate(setup, record)
    return output / REPORT_FILE


def _overlaps(setup: Setup, groups: Collection[PhotoSets]) -> dict[str, dict[str, float]]:
    """Return which share of every other part the control of each part removes, averaged over draws and photos.

    Returns:
        Part that has a control -> other part of the study -> share, 0..1; a part that is on no photo is left out.
    """
    design = setup.design
    order = [part.name for part in design.measured_parts]
    found: dict[str, dict[str, float]] = {}
    for part in design.part_names:
        draws = design.controls_of(design.of_part(part))
        names = [name for sets in groups for name in sets.of(design.region_of(draws[0]))] if draws else []
        if not names:
            continue
        removed = np.concatenate([setup.first.store.overlaps(draw.name, names) for draw in draws])
        others = [other for other in design.part_names if other != part]
        columns = {other: removed[:, order.index(other)] for other in others}
        found[part] = {
            other: float(np.nanmean(column)) for other, column in columns.items() if np.isfinite(column).any()
        }
    return found


def count_small(store: EmbeddingStore, names: Iterable[str]) -> int:
    """Count the photos whose faces are smaller than the parser needs."""
    return sum(0 < store.photos[name].record.side < MIN_SIDE for name in names)


def make_study_record(setup: Setup, counts: Mapping[str, Any] | None) -> Record:
    """Put together the study's ``run.json``."""
    request = setup.request
    settings = {
        "parser": setup.parser.record(setup.photos),
        "recognisers": [_named(each.weights) for each in setup.recognisers],
        "detector": _named(setup.detector) if setup.detector else None,
        **({"landmarks": _named(setup.landmarks)} if setup.landmarks and not setup.detector else {}),
        "precision": setup.precision,
        **setup.files.calibration_setting,
        **({"int8": _int8_figures(setup)} if setup.files.calibration else {}),
        "flip": request.flip,
        "methods": [method.name for method in setup.design.methods],
        "recipes": {each.part: each.recipe() for each in map(setup.design.of_part, setup.design.part_names)},
        "control": request.control,
        "equal_area": request.equal_area,
        "keep_only": request.keep_only,
        "undetected": request.undetected,
        "weight": request.weight,
        "rank_by": request.rank_by,
        "margin": request.margin,
        **({"shapley": True} if request.shapley else {}),
        "threshold_group": request.threshold_group,
        "parts": setup.design.part_names,
        "cross": request.cross,
        "dataset": None if request.subject_pattern else setup.dataset.upper(),
        "subject_pattern": request.subject_pattern,
        "exclude_same": request.exclude_same,
        "no_faces": request.no_faces,
        "group_column": request.group_column if request.people else None,
        "smallest_group": request.smallest_group if request.people else None,
    }
    inputs = {"source": request.source, "output": request.output}
    if request.people:
        inputs["people"] = request.people
    if request.labels:
        inputs["labels"] = request.labels
    return make_record(STAGE, settings, inputs, _PACKAGES, counts, setup.device)


def _int8_figures(setup: Setup) -> dict[str, Mapping[str, float]]:
    """Return how far each network in INT8 agrees with fp32; see :mod:`facepart.pipeline.calibration`."""
    return {name: agreement.figures for name, agreement in read_agreements(setup.files).items()}


def _group_source(request: Request, small: Mapping[str, int]) -> str:
    if request.people is None:
        return "one group of all photos"
    left_out = f"; {small_groups_text(small, request.smallest_group)}" if small else ""
    return f"{request.people.name}, column {request.group_column}{left_out}"


def _provenance(setup: Setup, record: Record, small: int, small_groups: Mapping[str, int]) -> dict[str, str]:
    """Describe how the study was made: name -> value, in the order in which the report shows them."""
    request, used = setup.request, setup.design.methods
    provenance = {
        # Without its folders: a report is passed on, and a path tells of the machine.
        "Photos": request.source.name or str(request.source),
        "Groups": _group_source(request, small_groups),
        **_label_source(setup),
        "Recognisers" if len(setup.recognisers) > 1 else "Recogniser": "; ".join(
            _described(each.weights) for each in setup.recognisers
        )
        + (", embedding of the mirrored face added" if request.flip else ""),
        "Alignment": _alignment(setup),
        "Arithmetic": f"{setup.precision} on {setup.device}",
        "Occlusion": f"{method_phrase(used[0].name)}; mask smoothed with a Gaussian of sigma {SIGMA:g} pixels "
        "(all sizes for photos of 224x224)",
        "Subject identity": f"regular expression {request.subject_pattern}"
        if request.subject_pattern
        else f"parsed from file names ({setup.dataset.upper()} convention)",
    }
    if setup.exclusion:
        provenance["Excluded pairs"] = f"authentic pairs {setup.exclusion.words}"
    if setup.landmarks and not setup.detector:
        provenance["Landmarks"] = f"found by {_described(setup.landmarks)}"
    if len(used) > 1:
        provenance["Other occlusion methods"] = "; ".join(method_phrase(method.name) for method in used[1:])
    if small:
        provenance["Small faces"] = (
            f"{count_of(small, 'photo')} {are(small)} smaller than {MIN_SIDE} pixels on a side; part masks of such "
            "faces are unreliable"
        )
    if request.control:
        provenance["Control"] = f"each part's shape at {request.control} places, the same in all photos"
    if request.equal_area:
        provenance["Equal area"] = f"patches of {PIXELS} pixels of the label map (512x512) inside each part"
    if request.keep_only:
        provenance["Keep only"] = "the whole photo but the part, with background and hair, occluded in the same way"
    provenance["Photos compared"] = (
        "those on which the part is detected" if request.undetected == "exclude" else "all, also without the part"
    )
    versions = ", ".join(f"{package} {version}" for package, version in record["versions"].items() if version)
    return {**provenance, "Versions": versions}


def _method_facts(setup: Setup) -> MethodFacts:
    """Put together what the methods text says of the networks and of subject identity."""
    request = setup.request
    return MethodFacts(
        software=f"facepart {__version__}",
        parser=NetworkFacts(setup.parser.name, setup.parser.record(setup.photos)["sha256"]),
        label_maps=setup.parser.folder is not None,
        label_set=setup.parser.label_set.name,
        recognisers=[NetworkFacts(**_named(each.weights)) for each in setup.recognisers],
        detector=NetworkFacts(**_named(setup.detector)) if setup.detector else aligned_before(request.source),
        precision=setup.files.precision_of(setup.first.weights),
        calibrating=CALIBRATING,
        judging=JUDGING,
        int8={name: agreement.text for name, agreement in read_agreements(setup.files).items()},
        flip=request.flip,
        naming_rule=setup.dataset.upper(),
        subject_in_folder=not request.subject_pattern and DATASETS[setup.dataset.upper()].reads == "folder",
        subject_pattern=request.subject_pattern or "",
        seed=SEED,
        excluded=setup.exclusion.words if setup.exclusion else "",
    )


def _alignment(setup: Setup) -> str:
    """Describe how the photos were aligned, in this study or before it."""
    if setup.detector:
        return f"faces detected by {_described(setup.detector)}"
    before = aligned_before(setup.request.source)
    if before:
        return f"by facepart align before this study, faces detected by {before.name} (sha256 {before.sha256})"
    return "none"


def _named(weights: Weights) -> dict[str, str]:
    return {"name": weights.name, "sha256": weights.sha256}


def _described(weights: Weights) -> str:
    named = _named(weights)
    licence = f", licence {weights.model.licence}" if weights.model else ""
    return f"{named['name']} (sha256 {named['sha256']}{licence})"


def _label_source(setup: Setup) -> dict[str, str]:
    """Describe where the label maps come from: name -> value."""
    parser = setup.parser
    if isinstance(parser.source, LabelFolder):
        sha256 = parser.record(setup.photos)["sha256"]
        order = f"classes in the order of {parser.label_set.name}"
        return {"Label maps": f"{parser.source.folder.name}, {order} (sha256 {sha256})"}
    other = "" if parser.label_set.is_own else f", classes in the order of {parser.label_set.name}"
    return {"Face parser": f"{_described(parser.source)}{other}"}


def _write_crate(setup: Setup, record: Record) -> None:
    """Describe the study's folder, with all that is in it by now, for a repository of research data."""
    output = setup.request.output
    networks = [setup.parser.source, *(each.weights for each in setup.recognisers), setup.detector, setup.landmarks]
    known = [each for each in networks if isinstance(each, Weights) and each.model]
    licences = {each.name: each.model.licence for each in known if each.model}
    present = [name for name in CONTENTS if _holds(output / name)]
    text = crate_json(setup.request.title, present, record, licences, _crate_date(output / CRATE_FILE))
    _write_changed(output / CRATE_FILE, text.encode("utf-8"))


def _holds(path: Path) -> bool:
    """Return whether a file is there, or a folder with something in it."""
    return any(path.iterdir()) if path.is_dir() else path.exists()


def _crate_date(path: Path) -> str:
    """Return the day that a crate bears, so that a rerun does not change it; today, if there is none."""
    try:
        entities = (read_object(path, "an RO-Crate", "remove it") or {})["@graph"]
        (found,) = (str(each["datePublished"]) for each in entities if each["@id"] == "./")
        return date.fromisoformat(found).isoformat()
    except (FacepartError, LookupError, TypeError, ValueError):  # none, or damaged: it is written anew
        return datetime.now(UTC).date().isoformat()


def _write_changed(path: Path, data: bytes) -> None:
    if not path.exists() or path.read_bytes() != data:
        write_bytes(path, data)
