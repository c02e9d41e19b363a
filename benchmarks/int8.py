"""What INT8 gains and what it moves: rates of networks beside bfloat16, and a study's figures beside fp32.

Usage: python -m benchmarks.int8 rates PHOTOS [--seconds S]
       python -m benchmarks.int8 moves FP32 INT8

`rates` runs the face parser, the default recogniser and ArcFace's r100 (with random weights) in bf16 and in INT8, in
turn, on photos of the folder PHOTOS, and prints photos a second, their ratio and how far INT8 agrees with fp32.
`moves` compares two studies of the same photos, with --precision fp32 and int8, by their folders: how far
d' and the impostor shifts of each recogniser differ. The bounds are printed beside: d' within 1 %, shifts within a
tenth of their standard error.
"""

import argparse
import csv
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.machine import describe
from facepart.data.photo_input import read_photo
from facepart.data.photos import find_photos
from facepart.data.resize import resize
from facepart.networks.bisenet import load_bisenet
from facepart.networks.catalogue import DEFAULT_PARSER, default_recogniser, obtain
from facepart.networks.engine import Network, Preprocessing
from facepart.networks.face_parser import PREPROCESSING, fit_photo
from facepart.networks.iresnet import BLOCKS, IResNet
from facepart.networks.label_map import CLASSES
from facepart.networks.openvino_engine import OpenVinoEngine
from facepart.networks.recogniser import RecogniserFile
from facepart.pipeline.calibration import CALIBRATING, JUDGING, cosine_figures, parts_iou

ROUNDS = 5
ARCFACE = Preprocessing(112, 112, "rgb", (127.5, 127.5, 127.5), (127.5, 127.5, 127.5))
# Half the width of a 95 % interval, in standard errors.
HALF_WIDTH = 1.96


def rates(photos: Path, seconds: float) -> None:
    """Print the rates of three networks."""
    paths = [photo.path for photo in find_photos(photos)[0]][: CALIBRATING + JUDGING]
    read = [read_photo(path) for path in paths]
    weights = obtain(default_recogniser(), "recogniser")
    recogniser = RecogniserFile(weights.path, weights.model.preprocessing if weights.model else None)
    torch.manual_seed(0)
    networks: dict[str, tuple[Network, Preprocessing, int | None]] = {
        "BiSeNet": (load_bisenet(obtain(DEFAULT_PARSER, "parser").path), PREPROCESSING, len(CLASSES)),
        weights.name: (*recogniser.load(), None),
        "r100, random weights": (IResNet(BLOCKS[100], 512), ARCFACE, None),
    }
    for name, (network, preprocessing, classes) in networks.items():
        if classes:
            inputs = np.stack([fit_photo(photo) for photo in read])
        else:
            inputs = np.stack([resize(photo, preprocessing.height, preprocessing.width) for photo in read])
        _compare(name, network, preprocessing, classes, inputs, seconds)


def _compare(
    name: str,
    network: Network,
    preprocessing: Preprocessing,
    classes: int | None,
    inputs: NDArray[np.uint8],
    seconds: float,
) -> None:
    calibrating, judging = inputs[:CALIBRATING], inputs[CALIBRATING:]
    exact = OpenVinoEngine(network, preprocessing, classes, "fp32")(judging)
    engines = {
        "bf16": OpenVinoEngine(network, preprocessing, classes, "bf16"),
        "int8": OpenVinoEngine(network, preprocessing, classes, "int8", calibration=calibrating),
    }
    found: dict[str, list[float]] = {precision: [] for precision in engines}
    for _ in range(ROUNDS):
        for precision, engine in engines.items():
            found[precision].append(_rate(engine, judging, seconds))
    ratios = [fast / slow for slow, fast in zip(found["bf16"], found["int8"], strict=True)]
    middle = {precision: statistics.median(values) for precision, values in found.items()}
    print(
        f"{name}: bf16 {middle['bf16']:.1f}/s, INT8 {middle['int8']:.1f}/s; ratio {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f} in {ROUNDS} rounds)"
    )
    for precision, engine in engines.items():
        answers = engine(judging)
        figures = parts_iou(exact, answers) if classes else cosine_figures(exact, answers)
        equal = f"{100 * np.mean(exact == answers):.2f} % of pixels equal; IoU " if classes else ""
        print(
            f"    {precision} and fp32: {equal}" + ", ".join(f"{key} {value:.4f}" for key, value in figures.items())
        )


def _rate(engine: OpenVinoEngine, inputs: NDArray[np.uint8], seconds: float) -> float:
    """Return photos a second."""
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        engine(inputs)
        count += len(inputs)
    return count / (time.perf_counter() - started)


def moves(exact: Path, fast: Path) -> None:
    """Print how far two studies' figures differ."""
    one, two = _rows(exact), _rows(fast)
    for recogniser in dict.fromkeys(key[0] for key in one):
        keys = [key for key in one if key[0] == recogniser and key in two]
        d_primes = {
            (key[1], "baseline"): (float(one[key]["d_prime_baseline"]), float(two[key]["d_prime_baseline"]))
            for key in keys
        } | {key[1:3]: (float(one[key]["d_prime"]), float(two[key]["d_prime"])) for key in keys}
        changes = {key: after / before - 1 for key, (before, after) in d_primes.items()}
        largest = max(changes, key=lambda key: abs(changes[key]))
        print(f"{recogniser}: {len(keys)} rows")
        before, after = d_primes[largest]
        print(
            f"    d': changes by {100 * statistics.median(map(abs, changes.values())):.2f} % in the median, "
            f"at most by {100 * changes[largest]:+.2f} % ({' '.join(largest)}: {before:.3f} and {after:.3f})   "
            "(bound: 1 %)"
        )
        moved = {}
        for key in keys:
            row = one[key]
            error = (float(row["impostor_shift_high"]) - float(row["impostor_shift_low"])) / (2 * HALF_WIDTH)
            moved[key[1:3]] = (float(two[key]["impostor_shift"]) - float(row["impostor_shift"])) / error
        furthest = max(moved, key=lambda key: abs(moved[key]))
        print(
            f"    impostor shift: moves by {statistics.median(map(abs, moved.values())):.3f} standard errors in the "
            f"median, at most by {moved[furthest]:+.3f} ({' '.join(furthest)})   (bound: 0.1)"
        )


def _rows(folder: Path) -> dict[tuple[str, str, str], dict[str, str]]:
    """Read a study's table: recogniser, group, part -> the row."""
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {(row.get("recogniser", ""), row["group"], row["part"]): row for row in rows}


def main() -> None:
    """Run one of the two comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    rating = commands.add_parser("rates")
    rating.add_argument("photos", type=Path)
    rating.add_argument("--seconds", type=float, default=1.0)
    moving = commands.add_parser("moves")
    moving.add_argument("fp32", type=Path)
    moving.add_argument("int8", type=Path)
    arguments = parser.parse_args()
    print(describe())
    if arguments.command == "rates":
        rates(arguments.photos, arguments.seconds)
    else:
        moves(arguments.fp32, arguments.int8)


if __name__ == "__main__":
    main()
