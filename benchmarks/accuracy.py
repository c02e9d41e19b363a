"""What the fast precision changes: label maps, embeddings, accuracy on LFW's pairs and d', against 32-bit floats.

Usage: python -m benchmarks.accuracy PHOTOS PAIRS [--model NAME|PATH ...] [--maps N] [--device cpu|cuda]

PHOTOS is a folder of photos of people, named by MORPH's rule (`<subject>_...`), such as the London set; PAIRS is
LFW's pairs.txt, with the folder `images` beside it. The precision that is chosen by default on this machine is
compared with fp32, both on the same device, by the same engine, on the same crops (faces found, aligned to 224x224
pixels):

- label maps: the share of pixels with the same class, on at most N photos as they are and on N crops of LFW;
- embeddings: mean and lowest cosine between the two of each crop, for each recogniser;
- the accuracy at the best single threshold over LFW's pairs, in both;
- d' of PHOTOS, original and with one part blurred, in both: parser and recogniser in the same precision.

Each has a bound, printed beside it; the exit status is 1 if one is broken.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.lfw_pairs import best_accuracy, read_pairs
from benchmarks.machine import describe
from facepart.analysis.metrics.dprime import d_prime
from facepart.cli.progress_bar import ProgressBar
from facepart.data.naming_conventions import naming_rule
from facepart.data.photo_input import PhotoError, read_photo
from facepart.data.photos import Photo as PhotoFile
from facepart.data.photos import find_photos
from facepart.data.resize import resize
from facepart.errors import FacepartError
from facepart.files.progress import StepTimes
from facepart.networks.alignment import align_photo
from facepart.networks.catalogue import DEFAULT_PARSER, DETECTOR, default_recogniser, obtain
from facepart.networks.embedding import unit_embedding
from facepart.networks.engine import Engine
from facepart.networks.engine_choice import choose_device, choose_precision
from facepart.networks.face_detector import FaceDetector
from facepart.networks.face_parser import fit_photo, open_parser
from facepart.networks.recogniser import open_recogniser
from facepart.occlusion.occlusion import BASELINE, Occlusion, Region
from facepart.occlusion.parts import PARTS
from facepart.pipeline.batches import DEFAULT_BATCH, default_workers
from facepart.pipeline.network_files import NetworkFiles, Networks
from facepart.pipeline.worker import PhotoTask, PhotoWorker
from tests.witness.checkpoints import cosines

SIZE = 224
PART = "nose"
# Lowest share of equal pixels and mean cosine; largest change of the accuracy and of d'.
PIXELS, COSINE, ACCURACY, D_PRIME = 0.995, 0.999, 0.002, 0.01

Photo = NDArray[np.uint8]


class Verdicts:
    """Prints figures beside their bounds, and remembers whether one is broken."""

    def __init__(self) -> None:
        self.broken = 0

    def at_least(self, what: str, value: float, bound: float) -> None:
        """Print a figure that shall be at least `bound`."""
        self._tell(what, f"{value:.5f}", f"at least {bound:g}", value >= bound)

    def alike(self, what: str, fast: float, exact: float, change: float, bound: float) -> None:
        """Print a figure in both precisions; `change` between them shall be at most `bound`."""
        self._tell(what, f"{fast:.5f}, fp32 {exact:.5f}, change {change:.5f}", f"at most {bound:g}", change <= bound)

    def _tell(self, what: str, figures: str, bound: str, holds: bool) -> None:
        self.broken += not holds
        print(f"  {what:54}{figures}   ({bound}: {'holds' if holds else 'BROKEN'})")


def align(paths: Sequence[Path], detector: FaceDetector) -> dict[Path, Photo]:
    """Align the face of each photo, uint8 (224, 224, 3); photos without one are left out."""
    crops = {}
    with ProgressBar("align") as progress:
        for number, path in enumerate(paths, start=1):
            try:
                crops[path] = align_photo(read_photo(path), detector, SIZE)
            except FacepartError as error:
                print(f"left out: {path.name}: {error}")
            progress(number, len(paths))
    return crops


def equal_pixels(photos: Sequence[Photo], fast: Engine, exact: Engine) -> tuple[float, float]:
    """Return the share of pixels that both parsers give the same class: over all photos, and in the worst one."""
    shares = []
    for first in range(0, len(photos), DEFAULT_BATCH):
        fitted = np.stack([fit_photo(photo) for photo in photos[first : first + DEFAULT_BATCH]])
        shares += list((fast(fitted) == exact(fitted)).mean(axis=(1, 2)))
    return float(np.mean(shares)), float(np.min(shares))


def embed(crops: Sequence[Photo], recogniser: Engine) -> NDArray[np.float32]:
    """Embed aligned crops: float32 (n, d), rows of length 1."""
    fit = recogniser.preprocessing
    outputs = recogniser(np.stack([resize(crop, fit.height, fit.width) for crop in crops]))
    return np.stack([unit_embedding(each[None]) for each in outputs])


def pairs_accuracy(embeddings: NDArray[np.float32], names: Sequence[str], pairs: Sequence[tuple[str, str]]) -> float:
    """Return the accuracy at the best threshold over the pairs whose photos both have embeddings."""
    row = {name: index for index, name in enumerate(names)}
    there = [pair for pair in pairs if pair[0] in row and pair[1] in row]
    first, second = (np.array([row[pair[side]] for pair in there]) for side in (0, 1))
    same = np.array([one.partition("/")[0] == other.partition("/")[0] for one, other in there])
    return best_accuracy((embeddings[first] * embeddings[second]).sum(axis=1), same)[0]


def d_prime_within(embeddings: NDArray[np.float32], subjects: Sequence[str]) -> float:
    """Return d' over all pairs of these photos."""
    scores = np.asarray(embeddings, np.float64) @ np.asarray(embeddings, np.float64).T
    rows, columns = np.triu_indices(len(scores), 1)
    same = np.asarray(subjects)[rows] == np.asarray(subjects)[columns]
    return d_prime(scores[rows, columns][same], scores[rows, columns][~same])


class CropWorker(PhotoWorker):
    """Works on crops in memory, by the number that is their name."""

    crops: Sequence[NDArray[np.uint8]]

    def read(self, photo: PhotoFile) -> NDArray[np.uint8]:
        """Return the crop."""
        return self.crops[int(photo.name)]


def embed_baseline_and_blurred(crops: Sequence[Photo], parser: Engine, recogniser: Engine) -> NDArray[np.float32]:
    """Embed crops as they are, and with PART blurred: float32 (2, n, d)."""
    worker = CropWorker(NetworkFiles(None, (), None, "cpu", parser.precision))
    worker.crops = crops
    worker.use(Networks(parser, (recogniser,), None), StepTimes(), default_workers())
    occlusion = Occlusion(Region(PARTS[PART]))
    rows = []
    tasks = [PhotoTask(PhotoFile(Path(str(number)), str(number)), (occlusion,)) for number in range(len(crops))]
    for task, result in worker.map(tasks):
        if isinstance(result, PhotoError):
            raise FacepartError(f"crop {task.photo.name}: {result}")
        rows.append(np.stack([result.record.embeddings[each.name] for each in (BASELINE, occlusion)]))
    return np.stack(rows, axis=1)


def judge_parser(sets: Mapping[str, Sequence[Photo]], fast: Engine, exact: Engine, verdicts: Verdicts) -> None:
    """Compare the label maps of each set of photos."""
    print(f"label maps of {DEFAULT_PARSER}: share of equal pixels")
    for title, photos in sets.items():
        share, lowest = equal_pixels(photos, fast, exact)
        verdicts.at_least(f"{title} ({len(photos)}; the worst {lowest:.5f})", share, PIXELS)


def judge_recogniser(
    crops: Mapping[Path, Photo],
    lfw: Mapping[str, Photo],
    pairs: Sequence[tuple[str, str]],
    engines: Sequence[tuple[Engine, Engine]],
    verdicts: Verdicts,
) -> None:
    """Compare embeddings and what is computed from them.

    Args:
        crops: photos' paths, which name the people -> aligned faces.
        lfw: names of LFW's photos, as in the pairs -> aligned faces.
        pairs: LFW's pairs.
        engines: parser and recogniser, in the fast precision and in fp32.
        verdicts: takes the figures.
    """
    of_lfw = [embed(list(lfw.values()), recogniser) for _, recogniser in engines]
    both = [embed_baseline_and_blurred(list(crops.values()), *each) for each in engines]
    sets = {"photos": [each[0] for each in both], f"photos, {PART} blurred": [each[1] for each in both]}
    for title, (fast, exact) in {**sets, "LFW": of_lfw}.items():
        agreement = cosines(fast, exact)
        verdicts.at_least(
            f"cosine, {title} ({len(fast)}; lowest {agreement.min():.5f})", float(agreement.mean()), COSINE
        )
    one, other = (pairs_accuracy(each, list(lfw), pairs) for each in of_lfw)
    verdicts.alike(f"accuracy on LFW's pairs ({len(pairs)})", one, other, abs(one - other), ACCURACY)
    subject = naming_rule("MORPH")
    subjects = [subject(path.stem) for path in crops]
    for title, each in sets.items():
        one, other = (d_prime_within(embeddings, subjects) for embeddings in each)
        verdicts.alike(f"d', {title}", one, other, abs(one / other - 1), D_PRIME)


def main() -> int:
    """Measure, and print; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, metavar="PHOTOS")
    parser.add_argument("pairs", type=Path, metavar="PAIRS")
    parser.add_argument("--model", action="append", help="a recogniser; may be given several times")
    parser.add_argument("--maps", type=int, default=204, help="label maps a set (default: %(default)s)")
    parser.add_argument("--device", default="cpu", help="default: %(default)s")
    arguments = parser.parse_args()
    print(describe())
    device = choose_device(arguments.device)
    precision = choose_precision(device, "auto")
    if precision == "fp32":
        print("here the default precision is fp32: there is nothing to compare")
        return 0
    print(f"{precision} against fp32 on {device}")

    detector = FaceDetector(obtain(DETECTOR, "detector").path)
    photos = [photo.path for photo in find_photos(arguments.photos)[0]]
    pairs = read_pairs(arguments.pairs)
    names = {arguments.pairs.parent / "images" / f"{name}.jpg": name for name in sorted({*chain(*pairs)})}
    crops = align(photos, detector)
    lfw = {names[path]: crop for path, crop in align(list(names), detector).items()}

    verdicts = Verdicts()
    weights = obtain(DEFAULT_PARSER, "parser")
    parsers = [open_parser(weights.path, device, each, weights.compiled) for each in (precision, "fp32")]
    as_they_are = [read_photo(path) for path in photos[: arguments.maps]]
    sets = {"photos as they are": as_they_are, "LFW, aligned": list(lfw.values())[: arguments.maps]}
    judge_parser(sets, parsers[0], parsers[1], verdicts)
    for model in arguments.model or [default_recogniser()]:
        weights = obtain(model, "recogniser")
        preprocessing = weights.model.preprocessing if weights.model else None
        recognisers = [
            open_recogniser(weights.path, preprocessing, device, each, weights.compiled)
            for each in (precision, "fp32")
        ]
        print(weights.model.name if weights.model else weights.path.name)
        judge_recogniser(crops, lfw, pairs, list(zip(parsers, recognisers, strict=True)), verdicts)
    print(f"{verdicts.broken} bounds broken" if verdicts.broken else "all bounds hold")
    return int(verdicts.broken > 0)


if __name__ == "__main__":
    sys.exit(main())
