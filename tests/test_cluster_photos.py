"""Photos on a Ray cluster: the bytes of one machine, whatever dies."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facepart.cluster import shard_queue
from facepart.cluster.capacity import Node, WorkerSize, room_now
from facepart.cluster.connect import connect
from facepart.cluster.ray_executor import RayExecutor
from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from facepart.data.photos import Photo
from facepart.errors import FacepartError, UsageError
from facepart.pipeline.blur import blur_photos
from facepart.pipeline.executor import LOCAL
from facepart.pipeline.extract import extract_features
from facepart.pipeline.parse import parse_photos
from facepart.pipeline.worker import PhotoTask
from facepart.study import Request, run_study
from tests.cluster_features import skip_without_ray
from tests.cluster_planted import DeadlyCluster
from tests.conftest import ROOT, Run

pytestmark = pytest.mark.slow

PARTS = ["eyes", "nose"]
OPTIONS: dict[str, Any] = {"device": "cpu", "precision": "fp32"}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory, face_paths: list[Path]) -> Path:
    """Five people with two photos each, small, and a photo that cannot be read in their midst."""
    folder = tmp_path_factory.mktemp("photos")
    for number, path in enumerate(face_paths[:10]):
        write_image(folder / f"{number // 2:03}_{number % 2}.png", read_photo(path)[::4, ::4].copy())
    (folder / "002_2.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    return folder


@pytest.fixture(scope="module")
def nodes():
    """Two raylets with a processor each, so two workers, and this process connected to them."""
    skip_without_ray()
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster as Raylets

    store = {"object_store_memory": 100 << 20}
    found = Raylets(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False, **store})
    found.add_node(num_cpus=1, **store)
    with connect(found.address):
        yield found
    found.shutdown()


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_queue, "SHARD", 3)


def contents(folder: Path, *ignored: str) -> dict[str, bytes]:
    """The files of a folder; without records, which name the folder."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name not in ("run.json", *ignored)]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def blurred(photos: Path, bisenet_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one machine makes of the photos."""
    out = tmp_path_factory.mktemp("blurred")
    blur_photos(photos, out / "masks", out / "blurred", parts=PARTS, save_labels=True, **OPTIONS)
    return out


def blur_on(executor: RayExecutor, photos: Path, out: Path, **options):
    return blur_photos(
        photos, out / "masks", out / "blurred", parts=PARTS, save_labels=True, executor=executor, **OPTIONS, **options
    )


def test_blurred_photos_are_those_of_one_machine(photos, blurred, nodes, small_shards, tmp_path: Path) -> None:
    outcome = blur_on(RayExecutor("cpu"), photos, tmp_path)
    assert (outcome.done, [failure.stage for failure in outcome.failures]) == (10, ["read"])
    assert contents(tmp_path) == contents(blurred)
    assert blur_on(RayExecutor("cpu"), photos, tmp_path).skipped == 10


@pytest.mark.parametrize("matrix", [False, True])
def test_features_are_those_of_one_machine(matrix: bool, photos, recogniser_weights, nodes, small_shards, tmp_path):
    options: dict[str, Any] = {"model": str(recogniser_weights), "matrix": matrix, "flip": True, **OPTIONS}
    found = []
    for parent, executor in (("here", LOCAL), ("there", RayExecutor("cpu"))):
        extract_features(photos, tmp_path / parent / "f", executor=executor, **options)
        found.append(contents(tmp_path / parent / "f", "list.txt"))
    assert found[0] == found[1]
    assert "failures.csv" in found[0]


@pytest.fixture(scope="module")
def request_of(photos: Path, bisenet_weights: Path, recogniser_weights: Path):
    def make(out: Path) -> Request:
        return Request(
            photos, out, models=[str(recogniser_weights)], parts=PARTS, keep=["masks", "photos"], **OPTIONS
        )

    return make


@pytest.fixture(scope="module")
def studied(request_of, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("studied")
    run_study(request_of(out))
    return out


def answer(out: Path) -> dict[str, bytes]:
    """All that a study leaves but for its store, whose rows may stand in any order."""
    return {name: data for name, data in contents(out).items() if not name.startswith("embeddings")}


def test_a_study_is_that_of_one_machine_also_if_a_worker_dies(
    studied: Path, request_of, nodes, small_shards, tmp_path: Path
) -> None:
    from facepart.cluster.ray_pair_counter import RayPairCounter

    (tmp_path / "notes").mkdir()
    deadly = DeadlyCluster(tmp_path / "notes", once=["001_1"])
    outcome = run_study(request_of(tmp_path / "out"), executor=deadly, counter=RayPairCounter())
    assert (outcome.embedded, len(outcome.failures)) == (10, 1)
    assert len(list((tmp_path / "notes").glob("001_1-*"))) == 2
    found, expected = answer(tmp_path / "out"), answer(studied)
    assert found.keys() == expected.keys()
    assert [name for name in found if found[name] != expected[name]] == []


@pytest.mark.parametrize(
    "options",
    [
        {"occlusions": ["average", "blur"], "keep_only": True},
        {"occlusions": ["average"], "parts": ["nose", "mouth"], "shapley": True, "with_labels": True},
    ],
    ids=["average face and keep-only", "label maps and Shapley values"],
)
def test_studies_of_all_kinds_are_those_of_one_machine(
    options: dict[str, Any], photos, bisenet_weights, recogniser_weights, nodes, small_shards, tmp_path: Path
) -> None:
    from facepart.cluster.ray_pair_counter import RayPairCounter

    options = {"parts": PARTS, "models": [str(recogniser_weights)], "keep": ["photos"], **OPTIONS, **options}
    if options.pop("with_labels", False):
        parse_photos(photos, tmp_path / "labels", parser=str(bisenet_weights), **OPTIONS)
        options["labels"] = tmp_path / "labels"
    found = []
    for name, run in (
        ("here", run_study),
        ("there", partial(run_study, executor=RayExecutor("cpu"), counter=RayPairCounter())),
    ):
        outcome = run(Request(photos, tmp_path / name, **options))
        assert (outcome.embedded, len(outcome.failures)) == (10, 1)
        found.append(answer(tmp_path / name))
    assert found[0].keys() == found[1].keys()
    assert [name for name in found[0] if found[0][name] != found[1][name]] == []


def test_a_photo_that_kills_every_worker_is_set_aside(
    photos: Path, blurred: Path, nodes, small_shards, tmp_path: Path
) -> None:
    (tmp_path / "notes").mkdir()
    outcome = blur_on(DeadlyCluster(tmp_path / "notes", always=["001_0"]), photos, tmp_path)
    assert (outcome.done, len(outcome.failures)) == (9, 2)
    with (tmp_path / "blurred" / "failures.csv").open() as file:
        assert list(csv.reader(file))[1] == [str(photos / "001_0.png"), "worker", "its worker died three times"]
    assert len(list((tmp_path / "notes").glob("001_0-*"))) == 3
    shutil.rmtree(tmp_path / "notes")
    # It is tried again in the next run, like any that failed; its files were there but for its row of parts.csv.
    blur_on(RayExecutor("cpu"), photos, tmp_path)
    assert contents(tmp_path) == contents(blurred)


def test_a_node_that_dies_takes_nothing_with_it(
    photos: Path, blurred: Path, nodes, small_shards, tmp_path: Path
) -> None:
    doomed = nodes.add_node(num_cpus=1, object_store_memory=100 << 20)
    had: list[int] = []

    def kill(done: int, total: int, note: str = "") -> None:
        if done and not had:
            nodes.remove_node(doomed, allow_graceful=False)
        had.append(done)

    outcome = blur_on(RayExecutor("cpu"), photos, tmp_path, progress=kill)
    assert (outcome.done, len(outcome.failures), had[-1]) == (10, 1, 11)
    assert contents(tmp_path) == contents(blurred)


def test_when_all_nodes_are_gone_one_waits_for_others(
    photos: Path, blurred: Path, nodes, small_shards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog
) -> None:
    """The only worker dies, and there is no room for another for two looks."""
    rooms = iter([1, 1, 1, 1, 0, 0])
    monkeypatch.setattr("facepart.cluster.pool.room_now", lambda size: next(rooms, 2))
    monkeypatch.setattr("facepart.cluster.pool._LOOK", 0.5)
    (tmp_path / "notes").mkdir()
    outcome = blur_on(DeadlyCluster(tmp_path / "notes", once=["001_1"]), photos, tmp_path)
    assert (outcome.done, len(outcome.failures)) == (10, 1)
    shutil.rmtree(tmp_path / "notes")
    assert contents(tmp_path) == contents(blurred)
    assert "a worker died: its photos are handed out again, one at a time" in caplog.text


def test_busy_processors_are_reported(nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    taken = tmp_path / "taken"
    taken.touch()

    def take() -> None:
        while taken.exists():
            time.sleep(0.05)

    others = []
    while ray.available_resources().get("CPU", 0):
        others.append(ray.remote(num_cpus=1)(take).remote())
        time.sleep(0.5)
    told: list[str] = []

    def warn(message: str) -> None:
        told.append(message)
        taken.unlink()  # so that this ends only if it was told

    monkeypatch.setattr("facepart.cluster.nodes._log.warning", warn)
    monkeypatch.setattr("facepart.cluster.nodes._PATIENCE", 0.2)
    assert RayExecutor("cpu").choose_engine("cpu", "fp32") == ("cpu", "fp32")
    assert told == ["--ray: waiting for processors of the cluster; all are in use"]
    ray.get(others)


def test_the_driver_is_killed_and_started_again(
    studied: Path, photos: Path, recogniser_weights: Path, tmp_path: Path
) -> None:
    skip_without_ray()
    # Shards of two photos, so that there is something to find.
    code = (
        "import facepart.pipeline.embedding_store as s, facepart.cluster.shard_queue as h; "
        "s.SHARD_PHOTOS = h.SHARD = 2; import sys; from facepart.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    options = ["-s", photos, "-o", tmp_path, "--parts", *PARTS, "--keep", "masks,photos", "--ray", "local"]
    options += ["--model", recogniser_weights, *(f"--{name}={value}" for name, value in OPTIONS.items())]

    def start() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, "study", *map(str, options)]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    killed = start()
    while killed.poll() is None and not list(tmp_path.glob("embeddings/*/shard-*.npz")):
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    again = start()
    text, _ = again.communicate(timeout=120)
    assert again.returncode == 0, text
    assert "(already processed)" in text
    found, expected = answer(tmp_path), answer(studied)
    assert [name for name in expected if found[name] != expected[name]] == []


def test_impossible_requests_are_reported_in_one_line(photos: Path, nodes, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="every worker has a GPU of its own; give --device cuda"):
        RayExecutor("cuda:1")
    with pytest.raises(FacepartError, match="no node of the cluster has a GPU; give --device cpu"):
        RayExecutor("cuda")
    (tmp_path / "wrong.onnx").write_bytes(b"no network" * 100)
    with pytest.raises(FacepartError, match=r"^--ray: .*wrong\.onnx"):
        blur_on(RayExecutor("cpu"), photos, tmp_path, model=str(tmp_path / "wrong.onnx"))
    assert not (tmp_path / "masks").exists()


@pytest.mark.parametrize(
    ("device", "there", "size", "workers"),
    [
        ("auto", [(1, 0), (1, 0)], (1, 0), 2),
        ("auto", [(64, 0), (6, 0), (0, 0)], (4, 0), 17),  # the head of a cluster may lend no processors
        ("auto", [(32, 4), (8, 1), (64, 0)], (8, 1), 5),
        ("cuda", [(2, 4)], (1, 1), 2),
        ("cpu", [(32, 4)], (4, 0), 8),
    ],
)
def test_workers_fit_the_nodes(device: str, there, size, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    alive = [{"Resources": {"CPU": float(processors), "GPU": float(gpus)}} for processors, gpus in there]
    monkeypatch.setattr("facepart.cluster.capacity.alive_nodes", lambda: alive)
    assert RayExecutor(device)._size() == size
    assert room_now(WorkerSize(*size)) == workers
    assert RayExecutor(device).capacity() == (workers, sum(processors for processors, _ in there))


def test_a_smaller_node_that_joins_takes_no_worker_of_those_there(monkeypatch: pytest.MonkeyPatch) -> None:
    alive = [{"Resources": {"CPU": 8.0}}, {"Resources": {"CPU": 1.0}}]
    monkeypatch.setattr("facepart.cluster.capacity.alive_nodes", lambda: alive)
    assert room_now(WorkerSize(4, 0)) == 2


def test_a_cluster_without_processors_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facepart.cluster.ray_executor.nodes_there", lambda: [Node(0)])
    with pytest.raises(FacepartError, match="the cluster has no processors; add nodes"):
        RayExecutor("auto")._size()


def test_without_the_option_ray_is_not_imported(
    photos: Path, recogniser_weights: Path, tmp_path: Path, run_process: Run
):
    script = (
        "import sys; from facepart.cli import main; import facepart.cluster.ray_executor; "
        "assert main(['extract', '--device', 'cpu', *sys.argv[1:]]) == 0; assert 'ray' not in sys.modules"
    )
    done = run_process("-c", script, "-s", photos, "-d", tmp_path, "--model", recogniser_weights)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("seed", range(20))
def test_every_item_ends_once_and_only_killers_are_set_aside(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three workers that take what they are given, of whom some die, with nodes dying beside them."""
    monkeypatch.setattr(shard_queue, "SHARD", 5)
    rng = np.random.default_rng(seed)
    tasks = [PhotoTask(Photo(Path(f"{number:02}.png"), str(number))) for number in range(40)]
    killers = {tasks[number] for number in rng.choice(40, rng.integers(0, 5), replace=False)}
    queue, ended, tried = shard_queue.Queue(tasks), [], []

    def rounds() -> Iterator[list[shard_queue.Shard]]:
        while len(queue):
            had: list[shard_queue.Shard] = []
            while (
                len(had) < 2 and not any(shard.worker_deaths for shard in had) and (shard := queue.next(idle=not had))
            ):
                had.append(shard)
            yield had

    for had in rounds():
        items = [item for shard in had for item in shard.items]
        tried += [item for item in items if item in killers]
        node_died = rng.random() < 0.1
        if node_died or killers.intersection(items):
            aside = [each for shard in had for each in queue.take_back(shard, node_died)]
            assert {item for item, _ in aside} <= killers
            ended += [item for item, _ in aside]
        else:
            ended += items
    assert sorted(ended) == tasks
    assert all(tried.count(killer) >= 3 for killer in killers)
