"""A study's scores -> its answer: the figures, their ranking, and the report."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

from facepart import __version__
from facepart.errors import FacepartError
from facepart.files.atomic import write_text
from facepart.files.failures import Failure
from facepart.files.record import Record, make_record, write_record
from facepart.models import Weights
from facepart.occlusion.recipe import describe
from facepart.report.content import Content, GroupContent
from facepart.report.figures import differentials_csv, results_csv, results_json, shift_differences_csv
from facepart.report.methods import MethodFacts, Network, methods
from facepart.report.page import render_report
from facepart.report.ranking import compare_ways
from facepart.report.ways import in_words
from facepart.scores import GroupScores
from facepart.study.kept import STAGE
from facepart.study.matching import UNCHANGED, Condition, Members, read_group_scores
from facepart.study.measuring import RESAMPLINGS, SEED, Figures, controls_of
from facepart.study.pictures import read_pictures
from facepart.study.setup import Setup, shown_versions
from facepart.study.versions import Version

CSV_FILE, JSON_FILE, REPORT_FILE = "results.csv", "results.json", "report.html"
METHODS_FILE = "methods.txt"
DIFFERENTIALS_FILE, DIFFERENCES_FILE = "differentials.csv", "shift_differences.csv"

_PACKAGES = ("numpy", "opencv-python-headless", "pillow", "openvino", "torch", "matplotlib")


def read_groups(setup: Setup, members: Members) -> list[GroupContent]:
    """Read the scores of every group in the conditions that the report shows: those of the main way."""
    main = {version.part: version for version in setup.versions if version.way == setup.ways[0] and not version.draw}
    crossed = main if setup.request.cross else {}
    controlled = main if setup.request.control else {}

    def read(group: str, condition: Condition) -> GroupScores:
        return read_group_scores(setup.request.output, condition, group)

    def control(group: str, version: Version) -> GroupScores:
        first, *rest = (read(group, Condition(name)) for name in controls_of(setup, version))
        return reduce(GroupScores.merged_with, rest, first)

    return [
        GroupContent(
            name=group,
            photos=len(names),
            people=members.people[group],
            original=read(group, UNCHANGED),
            blurred={part: read(group, Condition(version.name)) for part, version in main.items()},
            crossed={part: read(group, Condition(version.name, cross=True)) for part, version in crossed.items()},
            controls={part: control(group, version) for part, version in controlled.items()},
        )
        for group, names in members.groups.items()
    ]


def write_answer(
    setup: Setup, members: Members, figures: Figures, pictures: Path, failures: Sequence[Failure]
) -> Path:
    """Write the figures, the report, the methods paragraphs and the record; give the report's path.

    Where there are several groups, also how they compare: ``differentials.csv`` and ``shift_differences.csv``. Files
    whose content would not change are left as they are.

    Raises:
        FacepartError: a file cannot be written, or the pictures cannot be read.
    """
    output, main = setup.request.output, setup.ways[0].name
    groups = read_groups(setup, members)
    sizes = {group.name: {"photos": group.photos, "people": group.people} for group in groups}
    record = make_study_record(setup, {"groups": sizes, "failed": len(failures)})
    found = read_pictures(pictures, shown_versions(setup))
    if found is None:
        raise FacepartError(f"{pictures}: cannot be read; remove it and run again")
    content = Content(
        title=setup.request.title,
        parts=setup.parts,
        groups=groups,
        results=figures.results,
        occlusion=main,
        draws=setup.request.control,
        resamplings=RESAMPLINGS,
        ranked_by=figures.ranked_by,
        rankings=figures.rankings,
        agreements=compare_ways(figures.results, main),
        shift_differences=figures.shift_differences,
        differentials=figures.differentials,
        face=found[0],
        samples=found[1],
        facts=_facts(setup, record),
        failures=[(str(failure.path), failure.stage, failure.reason) for failure in failures],
    )
    content = replace(content, methods=methods(content, _method_facts(setup)))
    texts = {
        CSV_FILE: results_csv(figures.results),
        JSON_FILE: results_json(content, {"settings": record["settings"], "groups": sizes}),
        METHODS_FILE: "\n\n".join(content.methods) + "\n",
        REPORT_FILE: render_report(content),
    }
    if figures.differentials:
        texts[DIFFERENTIALS_FILE] = differentials_csv(figures.differentials)
        texts[DIFFERENCES_FILE] = shift_differences_csv(figures.shift_differences)
    for name, text in texts.items():
        _write_changed(output / name, text)
    write_record(output, record)
    return output / REPORT_FILE


def make_study_record(setup: Setup, counts: Mapping[str, Any] | None) -> Record:
    """Put together the study's ``run.json``."""
    request = setup.request
    settings = {
        "parser": _named(setup.parser),
        "recogniser": _named(setup.recogniser),
        "detector": _named(setup.detector) if setup.detector else None,
        "precision": setup.precision,
        "flip": request.flip,
        "recipe": describe(setup.ways[0]),
        "ways": [way.name for way in setup.ways],
        "control": request.control,
        "threshold_group": request.threshold_group,
        "parts": list(setup.parts),
        "cross": request.cross,
        "dataset": None if request.subject_pattern else request.dataset.upper(),
        "subject_pattern": request.subject_pattern,
        "exclude_same": request.exclude_same,
        "group_column": request.group_column if request.people else None,
    }
    inputs = {"source": request.source, "output": request.output}
    if request.people:
        inputs["people"] = request.people
    return make_record(STAGE, settings, inputs, _PACKAGES, counts, setup.device)


def _facts(setup: Setup, record: Record) -> dict[str, str]:
    """Say in words how the study was made."""
    request, recipe = setup.request, describe(setup.ways[0])
    facts = {
        "Photos": str(request.source),
        "Groups": f"{request.people}, column {request.group_column}" if request.people else "one, of all photos",
        "Face parser": _in_words(setup.parser),
        "Recogniser": _in_words(setup.recogniser) + (", with the mirrored face added" if request.flip else ""),
        "Alignment": f"faces found by {_in_words(setup.detector)}"
        if setup.detector
        else "none: the photos as they are",
        "Arithmetic": f"{setup.precision} on {setup.device}",
        "Parts are": f"{in_words(setup.ways[0].name)}, borders softened by a Gaussian of sigma "
        f"{recipe['mask_sigma']:g} pixels; at 224x224, scaled with the photo",
        "Who is who": request.subject_pattern or f"by the naming rule {request.dataset.upper()}",
    }
    if setup.exclusion:
        facts["Left out"] = f"authentic pairs {setup.exclusion.words}"
    if len(setup.ways) > 1:
        facts["Other ways"] = "; ".join(in_words(way.name) for way in setup.ways[1:])
    if request.control:
        facts["Control"] = f"draws a photo and part: {request.control}"
    versions = ", ".join(f"{package} {version}" for package, version in record["versions"].items() if version)
    return {**facts, "Versions": versions}


def _method_facts(setup: Setup) -> MethodFacts:
    """Put together what the methods paragraph says of the networks and of who is who."""
    request = setup.request

    def network(weights: Weights) -> Network:
        return Network(**_named(weights))

    return MethodFacts(
        software=f"facepart {__version__}",
        parser=network(setup.parser),
        recogniser=network(setup.recogniser),
        detector=network(setup.detector) if setup.detector else None,
        precision=setup.precision,
        flip=request.flip,
        naming=f"by the pattern {request.subject_pattern!r} in its name"
        if request.subject_pattern
        else f"by its name, after the rule {request.dataset.upper()}",
        seed=SEED,
        excluded=setup.exclusion.words if setup.exclusion else "",
    )


def _named(weights: Weights) -> dict[str, str]:
    return {"name": weights.model.name if weights.model else weights.path.name, "sha256": weights.sha256}


def _in_words(weights: Weights) -> str:
    named = _named(weights)
    licence = f", licence {weights.model.licence}" if weights.model else ""
    return f"{named['name']} (sha256 {named['sha256']}{licence})"


def _write_changed(path: Path, text: str) -> None:
    if not path.exists() or path.read_bytes() != text.encode("utf-8"):
        write_text(path, text)
