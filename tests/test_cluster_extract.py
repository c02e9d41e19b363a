"""Extracting at another size of faces on a Ray cluster, as a user's process: the features of one machine."""

from pathlib import Path

import numpy as np

from tests.cluster_features import skip_without_ray
from tests.conftest import Run
from tests.small_faces import draw, write_network


def test_faces_of_another_size_on_a_cluster(tmp_path: Path, run: Run, run_process: Run):
    skip_without_ray()
    network = write_network(tmp_path / "free.onnx", "h", "w")
    names = [f"{number}_1" for number in range(4)]
    for seed, name in enumerate(names):
        draw(tmp_path / "photos" / f"{name}.png", seed)
    options = ["--model", network, "--image-size", "128,128", "--device", "cpu", "--precision", "fp32"]
    for folder, program, ray in [("here", run, []), ("there", run_process, ["--ray", "local"])]:
        done = program("./face_matching/", "-s", tmp_path / "photos", "-d", tmp_path / folder, *options, *ray)
        assert done.returncode == 0, done.stderr
    here, there = (
        np.stack([np.load(tmp_path / folder / f"{name}.npy") for name in names]) for folder in ("here", "there")
    )
    np.testing.assert_array_equal(there, here)
