"""A study's scores -> its answer: the figures, their ranking, and the report."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facepart.errors import FacepartError
from facepart.files.atomic import write_text
from facepart.files.failures import Failure
from facepart.files.record import Record, make_record, write_record
from facepart.models import Weights
from facepart.report.content import Content, GroupContent
from facepart.report.figures import results_csv, results_json
from facepart.report.page import render_report
from facepart.report.results import CROSS, WITHIN, PartResult, Ranked, part_result
from facepart.study.kept import STAGE
from facepart.study.matching import Members, cross_condition, read_group_scores
from facepart.study.pictures import read_pictures
from facepart.study.setup import Setup
from facepart.study.store import ORIGINAL

CSV_FILE, JSON_FILE, REPORT_FILE = "results.csv", "results.json", "report.html"

_PACKAGES = ("numpy", "opencv-python-headless", "pillow", "openvino", "torch", "matplotlib")


def read_groups(setup: Setup, members: Members) -> list[GroupContent]:
    """Read the scores of every group in every condition."""
    output = setup.request.output
    crossed = setup.parts if setup.request.cross else ()
    return [
        GroupContent(
            name=group,
            photos=len(names),
            people=members.people[group],
            original=read_group_scores(output, ORIGINAL, group),
            blurred={part: read_group_scores(output, part, group) for part in setup.parts},
            crossed={part: read_group_scores(output, cross_condition(part), group) for part in crossed},
        )
        for group, names in members.groups.items()
    ]


def measure(setup: Setup, members: Members, groups: Sequence[GroupContent]) -> list[PartResult]:
    """Compute the figures of every part in every group."""
    results = []
    for group in groups:
        rows = [setup.store.rows[name] for name in members.groups[group.name]]
        for comparison, compared in ((WITHIN, group.blurred), (CROSS, group.crossed)):
            for part, scores in compared.items():
                results.append(
                    part_result(
                        group.original,
                        scores,
                        group=group.name,
                        part=part,
                        comparison=comparison,
                        photos=group.photos,
                        people=group.people,
                        missing=sum(not row.pixels[part] for row in rows),
                        share=float(np.mean([row.pixels[part] / max(row.head, 1) for row in rows])),
                    )
                )
    return results


def write_answer(
    setup: Setup,
    groups: Sequence[GroupContent],
    results: Sequence[PartResult],
    rankings: Mapping[str, Sequence[Ranked]],
    pictures: Path,
    failures: Sequence[Failure],
) -> Path:
    """Write ``results.csv``, ``results.json``, ``report.html`` and the record; give the report's path.

    Files whose content would not change are left as they are.

    Raises:
        FacepartError: a file cannot be written, or the pictures cannot be read.
    """
    output = setup.request.output
    sizes = {group.name: {"photos": group.photos, "people": group.people} for group in groups}
    record = make_study_record(setup, {"groups": sizes, "failed": len(failures)})
    found = read_pictures(pictures, setup.parts)
    if found is None:
        raise FacepartError(f"{pictures}: cannot be read; remove it and run again")
    content = Content(
        title=setup.request.title,
        parts=setup.parts,
        groups=groups,
        results=results,
        rankings=rankings,
        face=found[0],
        samples=found[1],
        facts=_facts(setup, record),
        failures=[(str(failure.path), failure.stage, failure.reason) for failure in failures],
    )
    about = {"settings": record["settings"], "groups": sizes}
    _write_changed(output / CSV_FILE, results_csv(results))
    _write_changed(output / JSON_FILE, results_json(results, rankings, about))
    _write_changed(output / REPORT_FILE, render_report(content))
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
        "recipe": setup.settings["recipe"],
        "parts": list(setup.parts),
        "cross": request.cross,
        "dataset": None if request.subject_pattern else request.dataset.upper(),
        "subject_pattern": request.subject_pattern,
        "group_column": request.group_column if request.people else None,
    }
    inputs = {"source": request.source, "output": request.output}
    if request.people:
        inputs["people"] = request.people
    return make_record(STAGE, settings, inputs, _PACKAGES, counts, setup.device)


def _facts(setup: Setup, record: Record) -> dict[str, str]:
    """Say in words how the study was made."""
    request, recipe = setup.request, setup.settings["recipe"]
    facts = {
        "Photos": str(request.source),
        "Groups": f"{request.people}, column {request.group_column}" if request.people else "one, of all photos",
        "Face parser": _in_words(setup.parser),
        "Recogniser": _in_words(setup.recogniser) + (", with the mirrored face added" if request.flip else ""),
        "Alignment": f"faces found by {_in_words(setup.detector)}"
        if setup.detector
        else "none: the photos as they are",
        "Arithmetic": f"{setup.precision} on {setup.device}",
        "Blur": f"a box of {recipe['box']} pixels, blended over a mask softened by a Gaussian of sigma "
        f"{recipe['mask_sigma']:g}, at 224x224; scaled with the photo",
        "Who is who": request.subject_pattern or f"by the naming rule {request.dataset.upper()}",
    }
    versions = ", ".join(f"{package} {version}" for package, version in record["versions"].items() if version)
    return {**facts, "Versions": versions}


def _named(weights: Weights) -> dict[str, str]:
    return {"name": weights.model.name if weights.model else weights.path.name, "sha256": weights.sha256}


def _in_words(weights: Weights) -> str:
    named = _named(weights)
    licence = f", licence {weights.model.licence}" if weights.model else ""
    return f"{named['name']} (sha256 {named['sha256']}{licence})"


def _write_changed(path: Path, text: str) -> None:
    if not path.exists() or path.read_bytes() != text.encode("utf-8"):
        write_text(path, text)
