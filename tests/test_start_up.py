"""What commands load before they work: each in a process of its own, which says what it has imported."""

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from facepart.networks import cpu_precisions
from facepart.networks.openvino_engine import cpu_precisions as ask_openvino

# Runs a command, and prints which of these it has imported.
PROGRAM = """
import sys
from facepart.cli import main
status = main(sys.argv[1:])
print("LOADED", *sorted({"torch", "openvino", "onnx", "matplotlib", "pandas", "ray"} & set(sys.modules)))
raise SystemExit(status)
"""


@pytest.fixture(scope="module")
def photos(tmp_path_factory, faces) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for number in range(2):
        Image.fromarray(faces[0]).save(folder / f"00{number}_a.png")
    return folder


@pytest.fixture
def load(run_process):
    """Run a command; returns what it printed, and what it had imported in the end."""

    def load(*arguments: str | Path, status: int = 0) -> tuple[str, list[str]]:
        done = run_process("-c", PROGRAM, *arguments)
        assert done.returncode == status, done.stderr
        printed, loaded = done.stdout.split("LOADED")
        return printed, loaded.split()

    return load


@pytest.mark.slow
def test_extract_loads_pytorch_for_no_compiled_network_and_nothing_if_its_work_is_done(
    load, photos, tmp_path, sface_weights
):
    command = ("extract", "-s", photos, "-d", tmp_path / "features", "--model", sface_weights)
    load(*command)
    (tmp_path / "features" / "000_a.npy").unlink()
    printed, loaded = load(*command)
    assert "embedded 1 photo " in printed
    assert loaded == ["openvino"]
    record = (tmp_path / "features" / "run.json").read_bytes()
    printed, loaded = load(*command)
    assert "embedded 0 photos " in printed
    assert loaded == []
    assert (tmp_path / "features" / "run.json").read_bytes() == record


@pytest.mark.slow
def test_blur_loads_pytorch_for_no_compiled_network_and_nothing_if_its_work_is_done(
    load, photos, tmp_path, bisenet_weights
):
    masks, blurred = tmp_path / "masks", tmp_path / "blurred"
    command = ("blur", "-s", photos, "-m", masks, "-d", blurred, "--parts", "nose", "--model", bisenet_weights)
    load(*command)
    (masks / "mask_nose" / "000_a_annotation.png").unlink()
    printed, loaded = load(*command)
    assert "blurred 1 photo " in printed
    assert loaded == ["openvino"]
    printed, loaded = load(*command)
    assert "blurred 0 photos " in printed
    assert loaded == []


def test_a_run_with_other_settings_is_refused_also_if_its_work_is_done(run, photos, tmp_path, sface_weights):
    command = ("-m", "facepart", "extract", "-s", photos, "-d", tmp_path, "--model", sface_weights)
    assert run(*command, "--precision", "fp32").returncode == 0
    refused = run(*command, "--precision", "fp32", "--flip")
    assert refused.returncode == 1
    assert "was made with flip False, this run has True" in refused.stderr
    if "bf16" in ask_openvino():
        refused = run(*command)
        assert refused.returncode == 1
        assert "was made with precision 'fp32', this run has 'bf16'" in refused.stderr


def edit_record(folder: Path, **changes: object) -> None:
    path = folder / "run.json"
    record = json.loads(path.read_text())
    for key, value in changes.items():
        record["settings" if key != "versions" else key].update(value)
    path.write_text(json.dumps(record))


@pytest.mark.parametrize("key", ["sha256", "model", "dimension"])
def test_the_record_of_other_weights_is_refused(run, photos, tmp_path, sface_weights, key):
    command = ("-m", "facepart", "extract", "-s", photos, "-d", tmp_path, "--model", sface_weights)
    assert run(*command).returncode == 0
    edit_record(tmp_path, settings={key: 64 if key == "dimension" else "other"})
    refused = run(*command)
    assert refused.returncode == 1
    reason = "holds float32 of shape (128,), not float32 (64,)" if key == "dimension" else f"was made with {key}"
    assert reason in refused.stderr


@pytest.mark.slow
def test_the_network_is_opened_if_another_release_made_the_record(load, photos, tmp_path, sface_weights):
    command = ("extract", "-s", photos, "-d", tmp_path, "--model", sface_weights)
    load(*command)
    edit_record(tmp_path, versions={"facepart": "0.0.1"})
    assert load(*command)[1] == ["openvino"]
    assert load(*command)[1] == []


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("FACEPART_HOME", str(tmp_path))
    return tmp_path / "precisions.json"


def test_the_precisions_are_asked_once_for_each_processor(cache, monkeypatch):
    assert cpu_precisions.cpu_precisions() == ask_openvino()
    kept = json.loads(cache.read_text())
    assert list(map(tuple, kept.values())) == [ask_openvino()]

    asked = []

    def answer() -> tuple[str, ...]:
        asked.append(1)
        return ("fp32", "fp16")

    monkeypatch.setattr("facepart.networks.openvino_engine.cpu_precisions", answer)
    assert cpu_precisions.cpu_precisions() == ask_openvino()
    assert not asked
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    for processor in [None, "flags\t\t: fpu avx2\n\nflags : sse", "Features : asimd"]:
        if processor:
            (cache.parent / "cpuinfo").write_text(processor)
            monkeypatch.setattr(cpu_precisions, "_PROCESSORS", cache.parent / "cpuinfo")
        for _ in range(2):
            assert cpu_precisions.cpu_precisions() == ("fp32", "fp16")
    assert len(asked) == 3
    assert len(json.loads(cache.read_text())) == 4


@pytest.mark.parametrize(
    "text", ["{half", "[]", '{"KEY": []}', '{"KEY": ["int4"]}', '{"KEY": [["fp32"]]}', '{"KEY": 1}']
)
def test_a_damaged_record_of_precisions_is_made_anew(cache, text):
    cache.write_text(text.replace("KEY", cpu_precisions.processor_key()))
    assert cpu_precisions.cpu_precisions() == ask_openvino()
    assert tuple(json.loads(cache.read_text())[cpu_precisions.processor_key()]) == ask_openvino()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_cache_that_cannot_be_written_costs_only_time(cache):
    cache.parent.chmod(0o500)
    assert cpu_precisions.cpu_precisions() == ask_openvino()
    assert not cache.exists()


def test_a_processor_that_is_not_described_is_asked_every_time(cache, monkeypatch):
    monkeypatch.setattr(cpu_precisions, "_PROCESSORS", cache.parent / "missing")
    assert cpu_precisions.cpu_precisions() == ask_openvino()
    assert not cache.exists()
