"""How many processors a job may use, and that threads go by it: affinity, and quotas of both versions of cgroups."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from facepart import processors as job
from facepart.networks import openvino_engine
from facepart.networks.catalogue import obtain
from facepart.networks.openvino_engine import OpenVinoEngine
from facepart.networks.recogniser import open_recogniser
from facepart.pipeline import batches
from facepart.pipeline.executor import LOCAL
from facepart.processors import processors
from tests.conftest import ROOT

V2 = "0::/job.slice/step\n"
V1 = "12:memory:/job\n4:cpu,cpuacct:/job/step\n0::/\n"


def tree(folder: Path, groups: str, files: dict[str, str]) -> Path:
    """A file system with what the kernel shows of the groups of a process."""
    for name, text in {"proc/self/cgroup": groups, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        (V2, {"sys/fs/cgroup/job.slice/step/cpu.max": "200000 100000\n"}, 2),
        (V2, {"sys/fs/cgroup/job.slice/step/cpu.max": "max 100000\n"}, 64),
        (V2, {"sys/fs/cgroup/job.slice/step/cpu.max": "150000 100000\n"}, 2),
        (V2, {"sys/fs/cgroup/job.slice/step/cpu.max": "1000 100000\n"}, 1),
        # The tightest of the groups above holds.
        (
            *(
                V2,
                {
                    "sys/fs/cgroup/job.slice/step/cpu.max": "max 100000",
                    "sys/fs/cgroup/job.slice/cpu.max": "3000 1000",
                },
            ),
            3,
        ),
        # A container sees its own group as the root, whatever the path says.
        (V2, {"sys/fs/cgroup/cpu.max": "400000 100000\n"}, 4),
        ("0::/../outside\n", {"sys/fs/cgroup/outside/cpu.max": "500000 100000\n"}, 5),
        ("0::/\n", {"sys/fs/cgroup/unified/cpu.max": "600000 100000\n"}, 6),
        (
            V1,
            {
                "sys/fs/cgroup/cpu,cpuacct/job/step/cpu.cfs_quota_us": "250000\n",
                "sys/fs/cgroup/cpu,cpuacct/job/step/cpu.cfs_period_us": "100000\n",
            },
            3,
        ),
        (
            V1,
            {
                "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": "700000\n",
                "sys/fs/cgroup/cpu/job/cpu.cfs_period_us": "100000\n",
                "sys/fs/cgroup/cpu/job/step/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/job/step/cpu.cfs_period_us": "100000\n",
            },
            7,
        ),
        # More than the machine has, nothing at all, and what is no number.
        (V2, {"sys/fs/cgroup/job.slice/step/cpu.max": "9900000 100000\n"}, 64),
        ("", {}, 64),
        ("nonsense\n0::\n", {"sys/fs/cgroup/cpu.max": "0 0\n", "sys/fs/cgroup/unified/cpu.max": "x y z\n"}, 64),
    ],
)
def test_the_quota_of_the_group_is_the_limit(groups, files, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    assert processors(tree(tmp_path, groups, files)) == expected


def test_affinity_is_the_limit_where_it_is_tighter(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    assert processors(tree(tmp_path, V2, {"sys/fs/cgroup/cpu.max": "400000 100000\n"})) == 2
    assert processors(tmp_path / "nothing") == 2


@pytest.mark.parametrize(("limit", "expected"), [(None, 64), (500_000_000, 1), (5_000_000_000, 4), (2**40, 64)])
def test_a_limit_of_addresses_is_one_of_threads(limit, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr(job, "memory_limit", lambda: limit)
    assert processors(tmp_path) == expected


def test_all_defaults_go_by_it(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(2)), raising=False)
    assert (batches.default_workers(), LOCAL.capacity().processors) == (4, 2)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(256)), raising=False)
    if processors() < 256:
        pytest.skip("this job has a quota")
    assert batches.default_workers() == 32  # more readers than two batches would only take memory


@pytest.mark.slow
def test_a_process_on_one_processor_starts_threads_for_one():
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs two processors, on Linux")
    code = (
        "import os, sys; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from facepart.cli import main\n"
        "for command in ('extract', 'match'):\n"
        "    try: main([command, '-h'])\n"
        "    except SystemExit: pass\n"
        "import torch; from facepart.networks.openvino_engine import _options\n"
        "print('THREADS', torch.get_num_threads(), _options('fp32', None)['INFERENCE_NUM_THREADS'])"
    )
    environment = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    text = " ".join(done.stdout.split())
    assert "I/O threads; results do not depend on it (default here: 3)" in text
    assert "threads on the CPU (default here: 1)" in text
    assert text.endswith("THREADS 1 1")


def test_a_network_with_fewer_threads_gives_the_same_embeddings(monkeypatch, recogniser_weights):
    weights = obtain("faceplugin", "recogniser")
    assert weights.path == recogniser_weights
    assert weights.model is not None
    photos = np.random.default_rng(1).integers(0, 256, (3, 112, 112, 3), np.uint8)
    found = []
    for limit in (None, 1):
        monkeypatch.setattr(openvino_engine, "thread_limit", lambda limit=limit: limit)
        engine = open_recogniser(weights.path, weights.model.preprocessing, "cpu", "fp32", None)
        assert isinstance(engine, OpenVinoEngine)
        if limit:
            assert engine._compiled.get_property("INFERENCE_NUM_THREADS") == limit
        size = engine.preprocessing
        found.append(engine(np.resize(photos, (3, size.height, size.width, 3))))
    np.testing.assert_array_equal(found[0], found[1])
