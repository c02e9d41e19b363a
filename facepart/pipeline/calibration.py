"""Networks in INT8: calibrated on photos of the run itself, and judged on others before they are used.

Which photos calibrate and which judge depends on their names alone, so that the same photos give the same networks.
Both are worked on as the run would work on them, in fp32: the parser and the recognisers see what they would see.
What fp32 and INT8 answer about the judging photos is compared; a network that differs too much is refused.

A network that was calibrated lies in the cache under the digest of all that made it, with a file beside it that says
how far it agrees.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart import __version__
from facepart.data.photo_input import PhotoError
from facepart.data.photos import Photo
from facepart.errors import FacepartError, UsageError
from facepart.files.atomic import write_text
from facepart.files.json_input import read_object
from facepart.files.progress import StepTimes
from facepart.networks.catalogue import Weights
from facepart.networks.catalogue.hashes import sha256_of
from facepart.networks.cpu_precisions import processor_key
from facepart.networks.engine import INT8_PARSER, Engine
from facepart.networks.face_parser import open_parser, parser_identity
from facepart.networks.int8 import nncf_version
from facepart.networks.label_folder import LabelFolder
from facepart.networks.recogniser import open_recogniser
from facepart.occlusion.label_overlap import part_overlaps, total_overlaps
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.occlusion.parts import PARTS
from facepart.pipeline.executor import io_threads
from facepart.pipeline.network_files import NetworkFiles, Networks
from facepart.pipeline.worker import PhotoTask, PhotoWorker

# NNCF's statistics change little beyond some 64 photos.
CALIBRATING, JUDGING = 64, 32
# Raise it if the same photos come to calibrate another network.
_RECIPE = 1
# What is accepted: see docs/precision.md for what these do to a study's figures.
LEAST_IOU = 0.95
LEAST_COSINE = 0.997
MEAN_COSINE, LOWEST_COSINE = "mean cosine", "lowest cosine"


class PrecisionAgreement(NamedTuple):
    """How far a network in INT8 agrees with itself in fp32, on photos that did not calibrate it.

    Attributes:
        figures: of a parser, the IoU of each part; of a recogniser, the mean and the lowest cosine of embeddings.
    """

    figures: Mapping[str, float]

    @property
    def of_recogniser(self) -> bool:
        """Whether the network is a recogniser."""
        return MEAN_COSINE in self.figures

    @property
    def least(self) -> float:
        """What the mean cosine, or the IoU of every part, must reach."""
        return LEAST_COSINE if self.of_recogniser else LEAST_IOU

    @property
    def accepted(self) -> bool:
        """Whether the network may be used."""
        judged = self.figures[MEAN_COSINE] if self.of_recogniser else min(self.figures.values())
        return judged >= self.least

    @property
    def text(self) -> str:
        """The figures, in words."""
        if self.of_recogniser:
            return (
                f"{MEAN_COSINE} with fp32 {self.figures[MEAN_COSINE]:.4f}, {LOWEST_COSINE} "
                f"{self.figures[LOWEST_COSINE]:.4f}"
            )
        return "IoU with fp32: " + ", ".join(f"{part} {value:.3f}" for part, value in self.figures.items())


def with_calibration(files: NetworkFiles, photos: Sequence[Photo]) -> NetworkFiles:
    """Add the digest of what calibrates networks in INT8: the photos, and how they are worked on.

    Args:
        files: the networks.
        photos: all photos of the run.

    Returns:
        The networks; unchanged for another precision.

    Raises:
        FacepartError: NNCF is not installed, or there are too few photos.
    """
    if files.precision not in ("int8", INT8_PARSER):
        return files
    if files.precision == INT8_PARSER and not isinstance(files.parser, Weights):
        raise UsageError(f"--precision {INT8_PARSER}: there is no parser in this run")
    if len(photos) < CALIBRATING + JUDGING:
        raise FacepartError(
            f"--precision {files.precision}: needs at least {CALIBRATING + JUDGING} photos to calibrate and "
            f"judge the networks; there are {len(photos)}"
        )
    source = files.parser
    parser: Any = None
    if isinstance(source, LabelFolder):
        parser = source.settings()
    elif source:
        parser = parser_identity(source, files.label_set)
    made_of = [
        *(_RECIPE, __version__, processor_key(), nncf_version(), parser),
        *(files.detector.sha256 if files.detector else None, files.align, files.flip, files.size),
        [(photo.name, _file_hash(photo.path)) for photos in _choose(photos) for photo in photos],
    ]
    digest = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:16]
    return replace(files, calibration=digest)


def calibrate(files: NetworkFiles, photos: Sequence[Photo], crop: int | None = None) -> None:
    """Calibrate the networks of a run that are not in the cache yet; nothing for precisions other than INT8.

    Args:
        files: the networks, of :func:`with_calibration`.
        photos: all photos of the run.
        crop: see :class:`facepart.pipeline.worker.PhotoWorker`.

    Raises:
        FacepartError: a network agrees too little, or cannot be calibrated; or none of the photos can be used.
    """
    if not files.calibration:
        return
    found = read_agreements(files)
    networks = _weights(files)
    if any(each.name not in found for each in networks):
        recognisers = tuple(each for each in networks if each is not files.parser)
        recorded = replace(files, recognisers=recognisers)
        exact = replace(recorded, precision="fp32", calibration="").open()
        calibrating, judging = (_record(recorded, exact, chosen, crop) for chosen in _choose(photos))
        for weights, inputs, judged in zip(networks, calibrating, judging, strict=True):
            if weights.name not in found:
                found[weights.name] = _judge(files, weights, inputs, judged)
    for name, agreement in found.items():
        if not agreement.accepted:
            has_parser = isinstance(files.parser, Weights)
            advice = f", or use --precision {INT8_PARSER}" if agreement.of_recogniser and has_parser else ""
            raise FacepartError(
                f"--precision int8: {name} is not exact enough in INT8 ({agreement.text}, on {JUDGING} photos that "
                f"did not calibrate it; at least {agreement.least:g} is needed); leave out --precision{advice}"
            )


def read_agreements(files: NetworkFiles) -> dict[str, PrecisionAgreement]:
    """Return how far the calibrated networks agree with fp32, by name; of those that are in the cache."""
    if not files.calibration:
        return {}
    read = {each.name: _read_agreement(files, each) for each in _weights(files)}
    return {name: agreement for name, agreement in read.items() if agreement}


def _weights(files: NetworkFiles) -> list[Weights]:
    """Return the weights of the networks in INT8: of the parser, if there is one, and of the recognisers."""
    there = [each for each in (files.parser, *files.recognisers) if isinstance(each, Weights)]
    return [each for each in there if files.precision_of(each) == "int8"]


class _Recorder:
    """An engine that keeps what it is given and what it answers; see :class:`facepart.networks.engine.Engine`."""

    def __init__(self, engine: Engine) -> None:
        self.device, self.precision, self.runtime = engine.device, engine.precision, engine.runtime
        self.preprocessing, self.output_shape = engine.preprocessing, engine.output_shape
        self._engine = engine
        self._inputs: list[NDArray[np.uint8]] = []
        self._answers: list[NDArray[Any]] = []

    def __call__(self, photos: NDArray[np.uint8]) -> NDArray[Any]:
        answers = self._engine(photos)
        self._inputs.append(photos)
        self._answers.append(answers)
        return answers

    @property
    def inputs(self) -> NDArray[np.uint8]:
        """All that it was given, uint8 (n, h, w, 3)."""
        return np.concatenate(self._inputs)

    @property
    def answers(self) -> NDArray[Any]:
        """What it answered, first axis n."""
        return np.concatenate(self._answers)


def _choose(photos: Sequence[Photo]) -> tuple[list[Photo], list[Photo]]:
    """Choose the photos that calibrate and those that judge: those whose names have the smallest hashes."""
    ordered = sorted(photos, key=lambda photo: hashlib.sha256(photo.name.encode()).digest())
    return ordered[:CALIBRATING], ordered[CALIBRATING : CALIBRATING + JUDGING]


def _file_hash(path: Path) -> str:
    """Return the hash of a photo's file; empty if it cannot be read, which the run will say."""
    try:
        return sha256_of(path)
    except FacepartError:
        return ""


def _record(files: NetworkFiles, networks: Networks, photos: Sequence[Photo], crop: int | None) -> list[_Recorder]:
    """Work on photos by open networks; return what the parser, if there is one, and each recogniser got and answered.

    Recognisers see each photo as it is and, where there are label maps, with one of the parts occluded, in turn.

    Raises:
        FacepartError: none of the photos can be used.
    """
    parser = _Recorder(networks.parser) if networks.parser and isinstance(files.parser, Weights) else None
    recognisers = [_Recorder(each) for each in networks.recognisers]
    worker = PhotoWorker(files, crop=crop)
    recording = replace(networks, parser=parser or networks.parser, recognisers=tuple(recognisers))
    worker.use(recording, StepTimes(), io_threads(None, None))
    occlusions = [Occlusion(Region(part)) for part in PARTS.values()] if files.parser and recognisers else []
    tasks = [
        PhotoTask(photo, (occlusions[number % len(occlusions)],) if occlusions else ())
        for number, photo in enumerate(photos)
    ]
    failures = [result for _, result in worker.map(tasks) if isinstance(result, PhotoError)]
    if len(failures) == len(tasks):
        raise FacepartError(f"INT8: none of {len(tasks)} photos can calibrate the networks; first: {failures[0]}")
    return [*([parser] if parser else []), *recognisers]


def _judge(files: NetworkFiles, weights: Weights, calibrating: _Recorder, judging: _Recorder) -> PrecisionAgreement:
    """Calibrate a network, and compare its answers with those in fp32.

    Raises:
        FacepartError: it cannot be calibrated, or the cache cannot be written.
    """
    path, compiled, photos = weights.path, files.compiled(weights), calibrating.inputs
    if weights is files.parser:
        engine = open_parser(path, files.device, "int8", compiled, label_set=files.label_set, calibration=photos)
        figures = parts_iou(judging.answers, engine(judging.inputs))
    else:
        fit = weights.model.preprocessing if weights.model else None
        engine = open_recogniser(path, fit, files.device, "int8", compiled, size=files.size, calibration=photos)
        figures = cosine_figures(judging.answers, engine(judging.inputs))
    write_text(_agreement_file(files, weights), json.dumps(figures, indent=2) + "\n")
    return PrecisionAgreement(figures)


def parts_iou(labels: NDArray[np.uint8], other: NDArray[np.uint8]) -> dict[str, float]:
    """Compare label maps, uint8 (n, 512, 512): part -> IoU, 0..1; no part that is in none of them."""
    parts = list(PARTS.values())
    sums = total_overlaps(part_overlaps(one, two, parts) for one, two in zip(labels, other, strict=True))
    return {part.name: overlap.iou for part, overlap in zip(parts, sums, strict=True) if overlap.union}


def cosine_figures(embeddings: NDArray[np.floating], other: NDArray[np.floating]) -> dict[str, float]:
    """Compare embeddings, (n, d), of any length: mean and lowest cosine; -1 where one is not finite or zero."""
    one, two = embeddings.astype(np.float64), other.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines = (one * two).sum(axis=1) / (np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1))
    cosines = np.where(np.isfinite(cosines), cosines, -1.0)
    return {MEAN_COSINE: float(cosines.mean()), LOWEST_COSINE: float(cosines.min())}


def _agreement_file(files: NetworkFiles, weights: Weights) -> Path:
    return files.compiled(weights).path("int8").with_suffix(".json")


def _read_agreement(files: NetworkFiles, weights: Weights) -> PrecisionAgreement | None:
    """Return how far a calibrated network agrees; None if it is not in the cache, or what is there is no answer."""
    if not files.compiled(weights).is_there("int8"):
        return None
    try:
        figures = read_object(_agreement_file(files, weights), "how far a network agrees", "remove it") or {}
    except FacepartError:
        return None
    usable = all(isinstance(value, float) and -1 <= value <= 1 for value in figures.values())
    return PrecisionAgreement(figures) if figures and usable else None
