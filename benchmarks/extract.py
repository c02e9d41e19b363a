"""How fast embeddings are extracted, files in and files out, against MXNet, ONNX Runtime and the bare network.

Usage: python -m benchmarks.extract MODELS PHOTOS [--faces N] [--device cpu|cuda] [--no-mxnet]

MODELS is the folder `models` of the shared data, for the graph of ArcFace r100, which gets random weights: they
change nothing about speed. PHOTOS is a folder of photos; their faces are aligned to 224x224 pixels first, as PNG
files, and every side reads the same ones. The default recogniser, which is far faster, gets five times as many: links
to the same files. All sides run in turn, three rounds, and the medians are printed:

- ours: `facepart extract` in the precision that is chosen by default, and in 32-bit floats;
- bare network: the same engine on faces that lie in memory at the network's size, nothing read or written;
- MXNet 1.9.1: as the original extractor does, one photo at a time (read, resize, run, normalise, write), in an
  environment of its own, which is built at first; r100 only;
- ONNX Runtime, 32-bit floats: the same loop, one photo at a time and, where the file allows it, 16 at a time.

Starting up (loading and compiling the network) is on no side's time; how long ours takes is printed. So that it is
seen that all compute the same, so is the lowest cosine between a side's features and ours in 32-bit floats. With
--device cuda, ours and the bare network run there, the others on the processor.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from benchmarks.extract_by_onnxruntime import by_onnxruntime, export_onnx
from benchmarks.machine import describe
from benchmarks.material import align_some, link_often, make_r100
from facepart.cli.run_summary import times_table
from facepart.data.path_lists import read_list, write_list
from facepart.data.photo_input import read_photo
from facepart.data.resize import resize
from facepart.files.progress import StepTimes
from facepart.networks.catalogue import default_recogniser, obtain
from facepart.networks.engine import Engine
from facepart.networks.recogniser import RecogniserFile, open_recogniser
from facepart.pipeline.extract import extract_features
from tests.witness.checkpoints import cosines
from tests.witness.mxnet_parity import mxnet_python

ROUNDS = 3
BATCH = 16
REPEATS = 5
# Of r100 on a processor with AMX: what ours in the default precision shall be to each side.
TARGETS = {"MXNet": 12.0, "ONNX Runtime": 5.0, "bare network": 0.9}
# The newest that works with the NumPy that MXNet needs.
_OPENCV = ("opencv-python-headless<4.11", "numpy<1.24")


@dataclass(frozen=True)
class Run:
    """One run of ours: seconds from the first photo to the last file, seconds before that, and what took them."""

    seconds: float
    start: float
    times: StepTimes


def by_ours(listed: Path, out: Path, model: str, device: str, precision: str) -> Run:
    """Extract the listed photos with facepart."""
    times, begun = StepTimes(), time.perf_counter()
    started = begun

    def tell(done: int, total: int, note: str = "") -> None:
        nonlocal started
        if done == 0:
            started = time.perf_counter()

    extract_features(listed, out, model=model, device=device, precision=precision, progress=tell, times=times)
    return Run(time.perf_counter() - started, started - begun, times)


def find_mxnet() -> Path:
    """Return the Python that has MXNet and OpenCV, in the environment of `make parity-mxnet`."""
    python = mxnet_python()
    if subprocess.run([python, "-c", "import cv2"], capture_output=True).returncode:
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", *_OPENCV]
        subprocess.run([str(python), *install], check=True)
    return python


def by_mxnet(python: Path, params: Path, listed: Path, out: Path) -> float:
    """Extract the listed photos with MXNet; return the seconds."""
    prefix = str(params).removesuffix("-0000.params")
    script = Path(__file__).with_name("extract_by_mxnet.py")
    done = subprocess.run([python, script, prefix, listed, out], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"MXNet failed:\n{done.stderr}")
    return float(done.stdout.split()[-1])


def by_network(engine: Engine, faces: NDArray[np.uint8]) -> float:
    """Return the seconds that the bare network takes on faces in memory."""
    start = time.perf_counter()
    engine(faces)
    return time.perf_counter() - start


def measure(
    listed: Path, model: str, device: str, mxnet: Path | None, rounds: int = ROUNDS
) -> tuple[dict[str, list[float]], list[Run]]:
    """Run all sides in turn on the listed photos; print how far their features agree.

    Args:
        listed: a list of aligned photos.
        model: the recogniser, as extract_features takes it.
        device: where ours and the bare network run.
        mxnet: the Python that has MXNet, for a recogniser that is a checkpoint of its; None leaves that side out.
        rounds: how often.

    Returns:
        Seconds of each side in each round, and our runs in the default precision.
    """
    paths = read_list(listed)
    weights = obtain(model, "recogniser")
    preprocessing = weights.model.preprocessing if weights.model else None
    network, fit = RecogniserFile(weights.path, preprocessing).load()
    faces = np.stack([resize(read_photo(path), fit.height, fit.width) for path in paths])
    fast, exact = (
        open_recogniser(weights.path, preprocessing, device, precision, weights.compiled)
        for precision in ("auto", "fp32")
    )
    for engine in (fast, exact):
        engine(faces[:BATCH])  # the first is slower
    runs: list[Run] = []
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        session = onnxruntime.InferenceSession(export_onnx(network, fit, folder / "network.onnx"))
        batches = (1,) if session.get_inputs()[0].shape[0] == 1 else (1, BATCH)
        for number in range(rounds):
            out = folder / f"round{number}"
            runs.append(by_ours(listed, out / "default", model, device, "auto"))
            took = {
                f"ours, {fast.precision} (default)": runs[-1].seconds,
                f"bare network, {fast.precision} (default)": by_network(fast, faces),
                "ours, fp32": by_ours(listed, out / "fp32", model, device, "fp32").seconds,
                "bare network, fp32": by_network(exact, faces),
            }
            for batch in batches:
                name = f"ONNX Runtime, {batch} at a time"
                took[name] = by_onnxruntime(session, fit, paths, out / f"ONNX Runtime, {batch} at a time", batch)
            if mxnet:
                took["MXNet"] = by_mxnet(mxnet, weights.path, listed, out / "MXNet")
            for name, each in took.items():
                seconds.setdefault(name, []).append(each)
        lowest = compare(folder / "round0", "fp32")
        print("  lowest cosine to ours in fp32: " + "; ".join(f"{side} {low:.6f}" for side, low in lowest.items()))
    return seconds, runs


def compare(folder: Path, reference: str) -> dict[str, float]:
    """Return the lowest cosine between the features in each folder of `folder` and those in its `reference`."""
    files = {side.name: {path.name: path for path in side.rglob("*.npy")} for side in folder.iterdir()}
    names = sorted(files[reference])
    sides = {
        side: np.stack([np.load(found[name], allow_pickle=False) for name in names]) for side, found in files.items()
    }
    exact = sides.pop(reference)
    return {name: float(cosines(features, exact).min()) for name, features in sorted(sides.items())}


def tell(
    faces: int, seconds: Mapping[str, Sequence[float]], runs: Sequence[Run], targets: Mapping[str, float]
) -> None:
    """Print the medians of the rounds, what ours is to each side, and where our time goes."""
    rates = {name: faces / np.array(each) for name, each in seconds.items()}
    for name, each in rates.items():
        print(f"  {name:30}{np.median(each):9.2f} faces/s   ({each.min():.2f} to {each.max():.2f})")
    medians = {name: float(np.median(each)) for name, each in rates.items()}
    kinds = [name.removeprefix("ours, ") for name in medians if name.startswith("ours, ")]
    print(f"  {'ours over':23}" + "".join(f"{kind:>16}" for kind in kinds))
    for side in ("MXNet", "ONNX Runtime", "bare network"):
        best = max((rate for name, rate in medians.items() if name.startswith(side)), default=None)
        if best is None:
            continue
        # The bare network is taken in the same precision, the others as fast as they are.
        ratios = [medians[f"ours, {kind}"] / medians.get(f"{side}, {kind}", best) for kind in kinds]
        target = f"   (target with AMX: {targets[side]:g})" if side in targets else ""
        print(f"  {side:23}" + "".join(f"{ratio:16.2f}" for ratio in ratios) + target)
    print(f"  ours started in {np.median([run.start for run in runs]):.1f} s; then, in the last round by default:")
    print("    " + times_table(runs[-1].times, faces).replace("\n", "\n    "))


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, metavar="MODELS")
    parser.add_argument("photos", type=Path, metavar="PHOTOS")
    parser.add_argument("--faces", type=int, default=204, help="how many at most (default: %(default)s)")
    parser.add_argument("--device", default="cpu", help="where ours runs (default: %(default)s)")
    parser.add_argument("--no-mxnet", action="store_true", help="leave MXNet out, which needs Python 3.10 or 3.11")
    arguments = parser.parse_args()
    print(describe())
    mxnet = None if arguments.no_mxnet else find_mxnet()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        faces = align_some(arguments.photos, arguments.faces, folder / "faces")
        write_list(folder / "faces.txt", faces)
        r100 = make_r100(arguments.models, folder)
        print(f"\nArcFace r100, random weights: {len(faces)} faces, {ROUNDS} rounds")
        try:
            tell(len(faces), *measure(folder / "faces.txt", str(r100), arguments.device, mxnet), TARGETS)
        finally:
            # Compiled, for this benchmark alone.
            compiled = obtain(str(r100), "recogniser").compiled
            for path in compiled.folder.glob(f"{compiled.sha256[:32]}-*"):
                path.unlink()
        links = link_often(faces, REPEATS * len(faces), folder / "links")
        write_list(folder / "links.txt", links)
        print(f"\n{default_recogniser()}: {len(links)} faces, {ROUNDS} rounds")
        tell(len(links), *measure(folder / "links.txt", default_recogniser(), arguments.device, None), {})


if __name__ == "__main__":
    main()
