"""The hash of a network covers all its files: ONNX with external data, MXNet checkpoints; one file as ever."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from facepart.errors import FacepartError
from facepart.networks.catalogue.files import network_files, network_sha256
from facepart.networks.catalogue.weights import obtain, obtain_on_worker
from facepart.networks.recogniser import open_recogniser


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def graph(seed: int) -> onnx.ModelProto:
    """A recogniser: a random projection of the shrunk face, in two steps."""
    generator = np.random.default_rng(seed)
    weights = {"first": generator.normal(size=(192, 64)), "second": generator.normal(size=(64, 128))}
    nodes = [
        helper.make_node("AveragePool", ["x"], ["p"], kernel_shape=[14, 14], strides=[14, 14]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("MatMul", ["f", "first"], ["h"]),
        helper.make_node("MatMul", ["h", "second"], ["y"]),
    ]
    face = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 112, 112])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 128])
    stored = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]
    made = helper.make_graph(nodes, "g", [face], [out], stored)
    return helper.make_model(made, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


def save(path: Path, seed: int, location: str | None = None, together: bool = True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.glob("net.onnx*"):
        old.unlink()  # ONNX would add to the data
    if location is None and together:
        onnx.save_model(graph(seed), path)
    else:
        onnx.save_model(
            graph(seed),
            path,
            save_as_external_data=True,
            all_tensors_to_one_file=together,
            location=location,
            size_threshold=0,
        )
    return path


def by_hand(*paths: Path) -> str:
    return hashlib.sha256("".join(f"{sha256(path)}\n" for path in paths).encode()).hexdigest()


def test_a_network_of_one_file_has_the_hash_of_the_file(tmp_path, monkeypatch):
    path = save(tmp_path / "net.onnx", 1)
    # It is not read by ONNX for it, however large it is.
    monkeypatch.setattr(onnx, "load", None)
    assert network_files(path) == [path]
    assert network_sha256(path) == sha256(path)
    state = tmp_path / "net.pth"
    state.write_bytes(b"weights")
    assert network_sha256(state) == sha256(state)


def test_external_data_counts_and_the_shell_computes_the_same(tmp_path):
    path = save(tmp_path / "net.onnx", 1, "net.onnx.data")
    data = tmp_path / "net.onnx.data"
    assert network_files(path) == [path, data]
    assert network_sha256(path) == by_hand(path, data)
    if shutil.which("sha256sum"):
        command = "sha256sum net.onnx net.onnx.data | cut -c1-64 | sha256sum"
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stdout.split()[0] == network_sha256(path)
    before, graph_before = network_sha256(path), sha256(path)
    values = bytearray(data.read_bytes())
    values[1000] ^= 1
    data.write_bytes(values)
    assert sha256(path) == graph_before
    assert network_sha256(path) != before


def test_every_data_file_counts_in_the_order_of_the_names(tmp_path):
    path = save(tmp_path / "net.onnx", 1, together=False)
    others = sorted(each for each in tmp_path.iterdir() if each != path)
    assert len(others) == 2
    assert network_sha256(path) == by_hand(path, *others)


def test_external_data_in_an_attribute_and_in_a_subgraph_count(tmp_path):
    """A constant of a node keeps its value in a file, and so does one of a branch."""
    value = numpy_helper.from_array(np.ones(64, np.float32), "v")
    for place, name in enumerate(("outer.bin", "inner.bin")):
        tensor = TensorProto()
        tensor.CopyFrom(value)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=name)
        (tmp_path / name).write_bytes(value.raw_data)
        inner = helper.make_node("Constant", [], [f"c{place}"], value=tensor)
        node = inner
        if place:
            branch = helper.make_graph(
                [inner], "b", [], [helper.make_tensor_value_info("c1", TensorProto.FLOAT, [64])]
            )
            node = helper.make_node("If", ["x"], ["i"], then_branch=branch, else_branch=branch)
        model = helper.make_model(helper.make_graph([node], "g", [], []))
        path = tmp_path / f"{place}.onnx"
        path.write_bytes(model.SerializeToString())
        assert network_files(path) == [path, tmp_path / name]


def test_weights_that_look_like_a_location_are_weights(tmp_path):
    tensor = TensorProto(
        name="W", data_type=TensorProto.UINT8, dims=[26], raw_data=b"\x0a\x08location\x12\x04abcd" + bytes(10)
    )
    path = tmp_path / "net.onnx"
    path.write_bytes(helper.make_model(helper.make_graph([], "g", [], [], [tensor])).SerializeToString())
    assert network_files(path) == [path]


def test_a_missing_data_file_is_one_line(tmp_path):
    path = save(tmp_path / "net.onnx", 1, "net.onnx.data")
    (tmp_path / "net.onnx.data").unlink()
    with pytest.raises(FacepartError, match=r"net\.onnx: keeps weights in net\.onnx\.data, which is missing"):
        network_sha256(path)


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/hostname", "a/../../b"])
def test_weights_outside_the_folder_are_refused(tmp_path, location):
    tensor = TensorProto(name="W", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    made = helper.make_graph([], "g", [], [], [tensor])
    path = tmp_path / "net.onnx"
    path.write_bytes(helper.make_model(made).SerializeToString())
    with pytest.raises(FacepartError, match="keeps weights outside its folder"):
        network_sha256(path)


def test_a_file_that_is_no_network_is_left_to_its_reader(tmp_path):
    generator = np.random.default_rng(5)
    whole = save(tmp_path / "whole.onnx", 1, "net.onnx.data").read_bytes()
    damaged = [b"", b"<html>location</html>", b"\x0a\x08location", bytes(64), b"\xff" * 64]
    damaged += [whole[: int(at)] for at in generator.integers(0, len(whole), 30)]
    for each in damaged:
        path = tmp_path / "net.onnx"
        path.write_bytes(each)
        assert network_files(path)[0] == path


def test_a_checkpoint_of_mxnet_is_its_parameters_and_its_symbol(tmp_path):
    params, symbol = tmp_path / "model-0000.params", tmp_path / "model-symbol.json"
    params.write_bytes(b"parameters")
    symbol.write_text("{}")
    assert network_sha256(params) == by_hand(params, symbol)
    before = network_sha256(params)
    symbol.write_text("{ }")
    assert network_sha256(params) != before
    # It is the same under another prefix.
    for old, new in [(params, "other-0007.params"), (symbol, "other-symbol.json")]:
        shutil.copy(old, tmp_path / new)
    assert network_sha256(tmp_path / "other-0007.params") == network_sha256(params)


def test_new_weights_beside_the_same_graph_are_another_network_with_its_own_features(tmp_path, monkeypatch):
    """As exporters write it: the cached network of the old weights is not used for the new ones."""
    monkeypatch.setenv("FACEPART_HOME", str(tmp_path / "home"))
    faces = np.random.default_rng(0).integers(0, 255, (2, 112, 112, 3)).astype(np.uint8)
    found = []
    for seed in (1, 2):
        path = save(tmp_path / "net.onnx", seed, "net.onnx.data")
        weights = obtain(str(path), "recogniser")
        engine = open_recogniser(path, None, "cpu", "fp32", weights.compiled)
        fresh = open_recogniser(path, None, "cpu", "fp32")
        np.testing.assert_array_equal(engine(faces), fresh(faces))
        found.append((weights, engine(faces)))
    assert sha256(tmp_path / "net.onnx") == sha256(save(tmp_path / "again" / "net.onnx", 1, "net.onnx.data"))
    assert found[0][0].sha256 != found[1][0].sha256
    assert not np.allclose(found[0][1], found[1][1])
    with pytest.raises(FacepartError, match="differs from the weights of that name"):
        obtain_on_worker(found[0][0], "recogniser")
    assert obtain_on_worker(found[1][0], "recogniser") == found[1][0]
