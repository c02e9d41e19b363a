"""Features of made-up people, in files, for the tests of matching on a cluster."""

import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest


def write_features(folder: Path, seed: int, count: int) -> Path:
    """Write a matrix with labels; people of all seeds have the same centres."""
    rng = np.random.default_rng(seed)
    people = rng.integers(0, count // 4, count)
    centres = np.random.default_rng(0).normal(size=(count, 48))
    folder.mkdir()
    rows = (centres[people] + rng.normal(size=(count, 48)) + 0.3).astype(np.float32)
    np.save(folder / "features.npy", rows)
    (folder / "labels.txt").write_text("".join(f"photos/{person:05}_{row}\n" for row, person in enumerate(people)))
    return folder / "features.npy"


def skip_without_ray() -> None:
    """Skip unless ``make test-cluster`` runs: with Ray, each module in a process of its own. It fails without Ray.

    Ray reads once, when it is imported, how a cluster lets others in; clusters of several modules would not agree.
    """
    if not os.environ.get("FACEPART_TEST_RAY"):
        pytest.skip("needs Ray, and a process of its own: make test-cluster")
    for module in ("ray", "moto", "s3fs"):
        if find_spec(module) is None:
            pytest.fail(f"needs {module}: pip install -r requirements-cluster.txt")
