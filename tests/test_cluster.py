"""Matching on a Ray cluster of three nodes, one of them killed: the bytes of a run on one machine."""

import os
import secrets
import signal
import sys
import time
from pathlib import Path

import pytest

from facepart import __version__
from facepart.cluster.connect import connect
from facepart.cluster.ray_pair_counter import RayPairCounter
from facepart.errors import FacepartError
from facepart.matching.match import match_features
from tests.cluster_features import skip_without_ray, write_features
from tests.conftest import Run

FILES = ("CM_scores.npz", "CM_people.npz", "CM_ranks.csv")
TILES = 11


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("features")
    return write_features(folder / "probe", 1, 512 * TILES - 100), write_features(folder / "gallery", 2, 1700)


@pytest.fixture(scope="module")
def cluster():
    """Three raylets with a processor each, and this process connected to them."""
    skip_without_ray()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        if "ray" not in sys.modules:  # it reads this when it is imported
            # A token for these tests alone: Ray would else use that of whoever runs them.
            patch.setenv("RAY_AUTH_MODE", "token")
            patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(16))
        yield from start_cluster()


def start_cluster():
    from ray.cluster_utils import Cluster

    store = {"object_store_memory": 100 << 20}
    # That a node is dead is known after some 3 s instead of 15.
    system = {"_system_config": {"health_check_period_ms": 1000, "health_check_failure_threshold": 3}}
    head = {"num_cpus": 1, "include_dashboard": False, **store, **system}
    found = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(2):
        found.add_node(num_cpus=1, **store)
    with connect(found.address):
        yield found
    found.shutdown()


def same_bytes(one: Path, other: Path) -> bool:
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in FILES)


@pytest.mark.parametrize("exclude_same", [None, r"\d$"])
@pytest.mark.parametrize("cross", [False, True])
def test_the_files_are_those_of_one_machine(
    cross: bool, exclude_same: str | None, sides, cluster, tmp_path: Path
) -> None:
    probe, gallery = sides[0], sides[1] if cross else None
    here = match_features(
        probe, gallery, tmp_path / "here", "CM", save="distribution", exclude_same=exclude_same, ranks=True
    )
    assert bool(here.excluded) == bool(exclude_same)
    for tiles in (None, 3):
        told: list[tuple[int, int]] = []
        there = match_features(
            probe,
            gallery,
            tmp_path / str(tiles),
            "CM",
            save="distribution",
            exclude_same=exclude_same,
            ranks=True,
            counter=RayPairCounter(tiles),
            progress=lambda done, total, note="", told=told: told.append((done, total)),
        )
        assert there == here
        assert same_bytes(tmp_path / "here", tmp_path / str(tiles))
        assert told[-1] == (here.authentic + here.impostor + here.left_out + (here.excluded or 0),) * 2
        assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_a_node_killed_in_the_middle_changes_nothing(sides, cluster, tmp_path: Path, caplog, capfd) -> None:
    import ray

    match_features(sides[0], None, tmp_path / "here", "CM", save="distribution", ranks=True)
    victim = cluster.add_node(num_cpus=2, object_store_memory=100 << 20)
    calls = 0

    def is_alive() -> bool:
        return any(node["Alive"] for node in ray.nodes() if node["NodeID"] == victim.node_id)

    def kill(done: int, total: int, note: str = "") -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            assert done < total
            (raylet,) = victim.all_processes["raylet"]
            os.kill(raylet.process.pid, signal.SIGKILL)
            # Ray takes some seconds to notice, in which all the rest may be done.
            until = time.monotonic() + 60
            while is_alive() and time.monotonic() < until:
                time.sleep(0.1)

    match_features(
        sides[0],
        None,
        tmp_path / "there",
        "CM",
        save="distribution",
        ranks=True,
        counter=RayPairCounter(2),
        progress=kill,
    )
    assert calls == 21
    assert same_bytes(tmp_path / "here", tmp_path / "there")
    assert not is_alive()
    assert "a node of the cluster is gone" in caplog.text
    assert capfd.readouterr().out == ""  # Ray has much to say of it


def test_a_node_of_another_version_is_reported_in_one_line(sides, cluster, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("facepart.cluster.ray_pair_counter.__version__", "9.9")
    with pytest.raises(FacepartError) as caught:
        match_features(sides[1], None, tmp_path, "CM", save="distribution", counter=RayPairCounter())
    assert str(caught.value) == (
        f"--ray: the program is version 9.9, but a node of the cluster has {__version__}; install the same version "
        "on every node"
    )


def test_nodes_with_different_arithmetics_are_reported(sides, cluster, tmp_path: Path, monkeypatch, caplog) -> None:
    import ray

    get = ray.get

    def of_another_kind(reference):
        return get(reference)._replace(arithmetic=frozenset(["one", "other"]))

    monkeypatch.setattr(ray, "get", of_another_kind)
    match_features(sides[1], None, tmp_path, "CM", save="distribution", counter=RayPairCounter())
    assert "the nodes of the cluster use 2 different arithmetics" in caplog.text


def test_the_command_starts_and_stops_a_cluster(sides, tmp_path: Path, run_process: Run) -> None:
    skip_without_ray()
    match_features(sides[1], None, tmp_path / "here", "CM", save="distribution", ranks=True)
    command = ["-m", "facepart", "match", "-p", sides[1], "-gr", "CM", "--save", "distribution", "--ray", "local"]
    command += ["--ranks"]
    done = run_process(*command, "-o", tmp_path / "there")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nCM: compared 1700 embeddings" in done.stdout
    assert same_bytes(tmp_path / "here", tmp_path / "there")
