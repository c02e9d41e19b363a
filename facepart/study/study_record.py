"""The record of a study, ``run.json``: its settings, networks, inputs and counts."""

from collections.abc import Mapping
from typing import Any

from facepart.files.record import Record, make_record
from facepart.networks.catalogue import Weights
from facepart.pipeline.calibration import read_agreements
from facepart.pipeline.photo_run import NETWORK_PACKAGES
from facepart.study.kept_files import STAGE
from facepart.study.setup import Setup

_PACKAGES = (*NETWORK_PACKAGES, "matplotlib")


def make_study_record(setup: Setup, counts: Mapping[str, Any] | None) -> Record:
    """Put together the study's ``run.json``.

    Args:
        setup: of the study.
        counts: of photos and subjects, as JSON values; None if the study has only begun.
    """
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


def _named(weights: Weights) -> dict[str, str]:
    return {"name": weights.name, "sha256": weights.sha256}
