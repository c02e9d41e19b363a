"""Extract features as the original extractor does: run by the Python that has MXNet, in a process of its own.

`extract_by_mxnet.py PREFIX LIST OUT` runs the checkpoint PREFIX (epoch 0) on the photos that LIST names, one at a
time and on all cores, writes `OUT/<photo>.npy`, and prints the seconds that took, without the start; see extract.py.
"""

import sys
import time
from pathlib import Path
from typing import Any

import cv2
import mxnet as mx  # type: ignore[import-not-found]
import numpy as np

SIZE = 112


def open_module(prefix: str) -> Any:
    """Bind the checkpoint, up to its embedding, to one face at a time."""
    symbol, parameters, states = mx.model.load_checkpoint(prefix, 0)
    module = mx.mod.Module(symbol=symbol.get_internals()["fc1_output"], context=mx.cpu(), label_names=None)
    module.bind(data_shapes=[("data", (1, 3, SIZE, SIZE))], for_training=False)
    module.set_params(parameters, states)
    return module


def extract(module: Any, path: Path, feature: Path) -> None:
    """Read a photo, run the network, write the feature."""
    face = cv2.cvtColor(np.asarray(cv2.imread(str(path))), cv2.COLOR_BGR2RGB)
    data = cv2.resize(face, (SIZE, SIZE)).transpose(2, 0, 1)[None]
    module.forward(mx.io.DataBatch(data=(mx.nd.array(data),)), is_train=False)
    embedding = module.get_outputs()[0].asnumpy()[0]
    np.save(feature, embedding / np.linalg.norm(embedding))


def main() -> None:
    """Extract all, and print the seconds."""
    prefix, listed, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    paths = [Path(line) for line in listed.read_text(encoding="utf-8").split("\n") if line]
    out.mkdir(parents=True)
    module = open_module(prefix)
    extract(module, paths[0], out / f"{paths[0].stem}.npy")  # the first is slower: memory, the choice of kernels
    start = time.perf_counter()
    for path in paths:
        extract(module, path, out / f"{path.stem}.npy")
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
