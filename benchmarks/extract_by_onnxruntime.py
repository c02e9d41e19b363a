"""Extract features with ONNX Runtime on the processor, in 32-bit floats: read, resize, run, normalise, write."""

import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from facepart.networks.engine import Network, Preprocessing
from facepart.networks.onnx.graph import read_model, reduce_graph


def export_onnx(network: Network, fit: Preprocessing, path: Path) -> Path:
    """Write a recogniser as an ONNX file: one that takes any number of faces, unless it is an ONNX file itself."""
    if isinstance(network, Path):
        model = read_model(network)
        reduce_graph(model)  # ONNX Runtime asks for weights that are listed as inputs
        path.write_bytes(model.SerializeToString())
        return path
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that this exporter is the old one; the new one needs another package
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, fit.height, fit.width),),
            str(path),
            dynamo=False,
            input_names=["faces"],
            output_names=["embeddings"],
            dynamic_axes={"faces": {0: "n"}, "embeddings": {0: "n"}},
        )
    return path


def by_onnxruntime(
    session: onnxruntime.InferenceSession, fit: Preprocessing, paths: Sequence[Path], out: Path, batch: int
) -> float:
    """Extract photos, `batch` at a time.

    Args:
        session: the network.
        fit: how 8-bit RGB becomes its input.
        paths: aligned photos.
        out: folder for ``<photo>.npy``.
        batch: photos given to the network at once.

    Returns:
        Seconds, after a first batch that is not counted: it is slower.
    """
    out.mkdir(parents=True)
    mean, scale = (np.array(each, np.float32)[:, None, None] for each in (fit.mean, fit.scale))

    def read(path: Path) -> NDArray[np.float32]:
        face = cv2.resize(np.asarray(cv2.imread(str(path))), (fit.width, fit.height))
        ordered = face if fit.colour == "bgr" else cv2.cvtColor(face, cv2.COLOR_BGR2RGB)
        return ((ordered.transpose(2, 0, 1) - mean) / scale).astype(np.float32)

    def work(some: Sequence[Path]) -> None:
        embeddings = session.run(None, {session.get_inputs()[0].name: np.stack([read(path) for path in some])})[0]
        for path, embedding in zip(some, embeddings, strict=True):
            np.save(out / f"{path.stem}.npy", embedding.ravel() / np.linalg.norm(embedding))

    work(paths[:batch])
    start = time.perf_counter()
    for first in range(0, len(paths), batch):
        work(paths[first : first + batch])
    return time.perf_counter() - start
