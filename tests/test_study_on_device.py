"""A study whose photos stay on the device of the networks has the figures of one whose photos do not."""

import csv
import os

import pytest
import torch

from facepart.matching.pair_counter import LocalPairCounter
from facepart.networks.bisenet import load_bisenet
from facepart.networks.face_parser import PREPROCESSING
from facepart.networks.label_map import CLASSES
from facepart.networks.pytorch_engine import PyTorchEngine
from facepart.networks.recogniser import RecogniserFile
from facepart.occlusion.occlusion import BASELINE, Occlusion, Region
from facepart.occlusion.parts import PARTS
from facepart.pipeline.device_worker import DeviceWorker
from facepart.pipeline.embedding_store import EmbeddingStore
from facepart.pipeline.executor import LocalExecutor
from facepart.pipeline.network_files import Networks
from facepart.study import Request, run_study

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not torch.cuda.is_available() and not os.environ.get("FACEPART_TEST_DEVICE"),
        reason="takes minutes without a GPU; FACEPART_TEST_DEVICE=1 runs it on the CPU",
    ),
]

PHOTOS = 24
OCCLUSIONS = [Occlusion(Region(part)) for part in PARTS.values()]


class OnTheCpu(LocalExecutor):
    """Says that networks run on a CUDA device, and opens PyTorch's on the CPU."""

    def __init__(self, parser, recogniser):
        network, preprocessing = RecogniserFile(recogniser).load()
        self._networks = Networks(
            PyTorchEngine(load_bisenet(parser), PREPROCESSING, len(CLASSES), batch=4),
            (PyTorchEngine(network, preprocessing, batch=4),),
            None,
        )
        self.fused = False

    def choose_engine(self, device, precision):
        return "cuda:0", "fp32"

    def start(self, worker, times, paths):
        self.fused |= isinstance(worker, DeviceWorker)
        worker.use(self._networks, times, 2)
        return worker


def read(folder):
    with (folder / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_figures_agree(tmp_path, face_paths, bisenet_weights, sface_weights):
    source = tmp_path / "photos"
    source.mkdir()
    for path in face_paths[:PHOTOS]:
        (source / path.name).symlink_to(path)
    common = {"source": source, "models": ("sface",), "precision": "fp32", "batch": 2, "no_faces": True}
    run_study(Request(output=tmp_path / "host", device="cpu", **common))
    executor = OnTheCpu(bisenet_weights, sface_weights)
    run_study(Request(output=tmp_path / "device", **common), executor=executor, counter=LocalPairCounter(2))
    assert executor.fused
    stores = []
    for name in ("host", "device"):
        (folder,) = (tmp_path / name / "embeddings").iterdir()
        stores.append(EmbeddingStore(folder, OCCLUSIONS))
    names = sorted(stores[0].photos)
    assert sorted(stores[1].photos) == names
    for occlusion in (BASELINE, *OCCLUSIONS):
        one, other = (store.embeddings(occlusion.name, names) for store in stores)
        assert (one * other).sum(1).min() > 0.9999, occlusion.name
    rows, others = read(tmp_path / "host"), read(tmp_path / "device")
    assert len(rows) == len(others) > 0
    for row, other in zip(rows, others, strict=True):
        assert row["part"] == other["part"]
        for column in ("d_prime", "impostor_mean", "authentic_mean"):
            assert float(other[column]) == pytest.approx(float(row[column]), rel=0.01, abs=0.002), (
                row["part"],
                column,
            )
