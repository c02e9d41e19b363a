"""A plan for a cluster that is there: its nodes are those of Ray, and a worker of it embeds the few photos."""

import os
from pathlib import Path

import pytest

from facepart.counts import count_of
from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from tests.cluster_features import skip_without_ray
from tests.conftest import Run


@pytest.fixture(autouse=True)
def ray() -> None:
    skip_without_ray()


def test_the_command(
    tmp_path: Path, face_paths: list[Path], bisenet_weights: Path, recogniser_weights: Path, run_process: Run
) -> None:
    del bisenet_weights
    for number, path in enumerate(face_paths[:4]):
        write_image(tmp_path / "photos" / f"{number // 2:03}_{number % 2}.png", read_photo(path)[::2, ::2].copy())
    options = ["-s", tmp_path / "photos", "-o", tmp_path / "out", "--parts", "nose", "--model", recogniser_weights]
    done = run_process("-m", "facepart", "study", *options, "--dry-run", "--of", "400", "--ray", "local")
    assert done.returncode == 0, done.stderr
    processors = os.cpu_count() or 1
    # Where the detector is on this machine, another line says that these photos may not be aligned.
    naming, *lines = (line for line in done.stdout.splitlines() if "--align detects" not in line)
    assert naming == "subjects by the MORPH convention: 000_0.png -> 000"
    assert lines[0] == "estimate for 400 photos, extrapolated from 4"
    workers = processors // min(processors, 4)
    assert lines[2] == "per photo: the baseline and 1 occluded part (2 embeddings)"
    assert lines[4] == f"on the cluster: {processors} processors, {count_of(workers, 'photo worker')}"
    assert lines[5].startswith("time: about ")
    assert lines[6].startswith("memory: about ")
    assert lines[6].endswith(" GB on this machine and 0.9 GB for each photo worker")
    assert not (tmp_path / "out").exists()
