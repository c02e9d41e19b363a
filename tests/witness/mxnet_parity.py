"""Compare the embeddings of MXNet checkpoints with Apache MXNet's own, computed afresh.

`python -m tests.witness.mxnet_parity` builds `.venv-mxnet` (mxnet 1.9.1 needs NumPy below 1.24, and that a Python
below 3.12), runs MXNet there and facepart here, on both runtimes, and prints the lowest cosine between the answers
for each checkpoint. It exits 1 if one is below 0.99999 or the comparison cannot be made. The checkpoints: a small one
made of the operators that the others lack, and those of ../shared where that exists.
"""
# ruff: noqa: T201 - a program, which prints

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facepart.networks.mxnet.checkpoint import read_symbol
from facepart.networks.openvino_engine import OpenVinoEngine
from facepart.networks.pytorch_engine import PyTorchEngine
from facepart.networks.recogniser import RecogniserFile
from tests.witness.checkpoints import cosines, golden_parameters, write_parameters

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED = ROOT.parent / "shared"
ENVIRONMENT = ROOT / ".venv-mxnet"
REQUIREMENTS = ("mxnet==1.9.1", "numpy<1.24")
LOWEST_COSINE = 0.99999


def mxnet_python() -> Path:
    """Give the Python that has MXNet, in an environment that is built if need be."""
    python = ENVIRONMENT / "bin" / "python"
    if _imports_mxnet(python):
        return python
    base = sys.executable if sys.version_info < (3, 12) else None
    base = base or shutil.which("python3.11") or shutil.which("python3.10")
    if base is None:
        sys.exit("mxnet 1.9.1 needs Python 3.10 or 3.11, and neither python3.10 nor python3.11 is there: install one")
    print(f"building {ENVIRONMENT.name} with {' and '.join(REQUIREMENTS)}", flush=True)
    subprocess.run([base, "-m", "venv", "--clear", ENVIRONMENT], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *REQUIREMENTS]
    if subprocess.run(install).returncode:
        sys.exit(f"{' and '.join(REQUIREMENTS)} could not be installed; see above")
    if not _imports_mxnet(python):
        sys.exit(f"MXNet is installed but does not start (libgomp missing?): {python} -c 'import mxnet'")
    return python


def _imports_mxnet(python: Path) -> bool:
    return python.exists() and not subprocess.run([python, "-c", "import mxnet"], capture_output=True).returncode


def lay_out_shared(folder: Path) -> list[str]:
    """Put the checkpoints of ../shared and their golden inputs into `folder`; return the checkpoints' names."""
    golden, models = SHARED / "golden" / "mxnet", SHARED / "models"
    for name in ("symbol.json", "0000.params"):
        shutil.copy(models / "mobilefacenet-y1" / f"model-{name}", folder / f"mobilefacenet-y1-{name}")
    np.save(folder / "mobilefacenet-y1-input.npy", np.load(golden / "faces_bgr_112.npy")[..., ::-1])

    symbol = models / "arcface-r100-random" / "model-symbol.json"
    shutil.copy(symbol, folder / "arcface-r100-random-symbol.json")
    write_parameters(folder / "arcface-r100-random-0000.params", golden_parameters(read_symbol(symbol)))
    noise = np.random.default_rng(123).integers(0, 256, (2, 3, 112, 112)).astype(np.uint8)
    np.save(folder / "arcface-r100-random-input.npy", noise.transpose(0, 2, 3, 1))
    return ["mobilefacenet-y1", "arcface-r100-random"]


def compare(folder: Path, name: str) -> bool:
    """Print how well facepart's answers agree with MXNet's; tell whether well enough."""
    photos: NDArray[np.uint8] = np.load(folder / f"{name}-input.npy")
    expected = np.load(folder / f"{name}-answer.npy")
    network, preprocessing = RecogniserFile(folder / f"{name}-saved-0000.params").load()
    good = True
    for engine in (
        OpenVinoEngine(network, preprocessing),
        PyTorchEngine(network, preprocessing),
    ):
        answer = engine(photos)
        lowest = float(cosines(answer, expected).min())
        largest = float(np.abs(answer - expected).max())
        good &= lowest >= LOWEST_COSINE
        print(
            f"{name:20} {engine.runtime:9} {expected.shape[0]} faces, {expected.shape[1]}-d: "
            f"lowest cosine {lowest:.10f} (1 - {1 - lowest:.1e}), largest difference {largest:.1e}"
        )
    return good


def main() -> None:
    """Run MXNet, then compare."""
    python = mxnet_python()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        names = lay_out_shared(folder) if SHARED.is_dir() else []
        if not names:
            print("without ../shared the two recognisers are left out, and only the operators compared", flush=True)
        script = Path(__file__).with_name("mxnet_answers.py")
        if subprocess.run([python, script, folder, *names]).returncode:
            sys.exit("MXNet failed; see above")
        agreed = [compare(folder, name) for name in ("operators", *names)]
        if not all(agreed):
            sys.exit(f"MXNet and facepart disagree: a cosine is below {LOWEST_COSINE}")


if __name__ == "__main__":
    main()
