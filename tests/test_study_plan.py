"""What a study is said to cost: by hand, by what files and memory really take, and by the command."""

import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from facepart.cluster.estimate import Rates
from facepart.cluster.machines import Node
from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from facepart.occlusion.parts import PARTS
from facepart.pipeline.embedding_store import Entry, Store
from facepart.study.cluster_plan import plan_on_cluster
from facepart.study.cost import (
    GroupSize,
    PhotoCost,
    StudySize,
    bytes_of_rows,
    compare_on,
    disk_by_kind,
    of_a_set,
    seconds_here,
    seconds_to_embed,
)
from facepart.study.matching import Condition
from tests.conftest import Run

RATES = Rates(pair=20e-9, task=0.08, added=0.5e-9, taken=1e-9, put=0.2e-9, face=50e-6)
PHOTO = PhotoCost(seconds=0.5, dimension=512, kept=1000.0, read=20_000.0, taken_in=50e-6)
CONDITIONS = [Condition("original"), Condition("nose"), Condition("nose", cross=True)]


def size_of(groups: list[GroupSize], todo: int | None = None, keep: tuple[str, ...] = ()) -> StudySize:
    photos = sum(group.photos for group in groups)
    return StudySize(groups, CONDITIONS, versions=1, todo=photos if todo is None else todo, keep=keep)


def test_a_sample_stands_for_a_set() -> None:
    sample = [GroupSize("CM", 60, 12), GroupSize("CF", 40, 10)]
    assert of_a_set(sample, 1.0) == sample
    assert of_a_set(sample, 10_000) == [("CM", 600_000, 120_000), ("CF", 400_000, 100_000)]


def test_pairs_are_counted_in_every_condition() -> None:
    size = size_of([GroupSize("CM", 60, 12), GroupSize("CF", 40, 10)])
    assert size.pairs == 2 * (60 * 59 + 40 * 39) // 2 + 60 * 60 + 40 * 40
    assert seconds_here(size, RATES, 4) == pytest.approx(size.pairs * 5e-9 + 300 * 50e-6)


def test_photos_on_a_cluster_by_hand() -> None:
    size = size_of([GroupSize("CM", 64_000, 100)])
    # 1,000 shards: 100 workers do ten each, and none is idle.
    even = seconds_to_embed(size, PHOTO, 100)
    assert even.total == pytest.approx(320)
    assert even.limit == "the workers"
    # A worker more, and one of them still does its tenth.
    uneven = seconds_to_embed(size, PHOTO, 101)
    assert uneven.total == pytest.approx(320)
    few = seconds_to_embed(size_of([GroupSize("CM", 100, 10)]), PHOTO, 100)
    assert few.total == pytest.approx(32)
    assert few.limit == "the last shard"
    many = seconds_to_embed(size, PHOTO, 50_000)
    assert many.command == pytest.approx(3.2)
    assert many.network == pytest.approx(64_000 * 2 * 512 * 4 / 1.25e9)
    crowd = seconds_to_embed(size_of([GroupSize("CM", 10**9, 10**8)]), PHOTO, 50_000)
    assert crowd.limit == "the command, which takes in the embeddings"


def test_every_condition_of_every_group_is_compared() -> None:
    size = size_of([GroupSize("CM", 6000, 1200), GroupSize("CF", 4000, 1000)])
    times, memory = compare_on([Node(2)], size, 512, RATES)
    assert len(times) == 2 * len(CONDITIONS)
    work = sum(each.counting for each in times)
    assert work > size.pairs * RATES.pair / 2
    assert len(memory) == 4
    alone, _ = compare_on([Node(2)], size_of([GroupSize("CM", 6000, 1200)]), 512, RATES)
    assert times[:3] == alone


def test_disk_by_kind() -> None:
    size = size_of([GroupSize("CM", 600, 120)], keep=("photos", "features", "pairs"))
    disk = disk_by_kind(size, PHOTO)
    assert disk == {
        "embeddings": 600 * 2 * 512 * 4,
        "scores": pytest.approx(3 * 2e6, rel=0.05),
        "pictures": 600_000,
        "features": 600 * 2 * 512 * 4,
        "pairs": 24 * (600 * 599 + 600 * 600),
    }
    assert "pairs" not in disk_by_kind(size_of([GroupSize("CM", 600, 120)]), PHOTO)


def test_rows_take_the_memory_that_they_are_said_to(tmp_path: Path) -> None:
    names = list(PARTS)
    store = Store(tmp_path)
    for number in range(512):
        embeddings = dict.fromkeys(["original", *names], np.zeros(4, np.float32))
        shares = dict.fromkeys(names, 0.001 * number)
        store.add(Entry(f"folder/photo_{number:06}", f"1-{number}", embeddings, dict.fromkeys(PARTS, number), shares))
    store.flush()
    tracemalloc.start()
    again = Store(tmp_path)
    measured = tracemalloc.get_traced_memory()[0] / len(again.rows)
    tracemalloc.stop()
    size = StudySize([GroupSize("all", 1, 1)], CONDITIONS, len(names), 1, ())
    # Besides the rows, what tells a photo's path.
    assert measured < bytes_of_rows(size) < measured + 1000


def test_a_plan_in_words() -> None:
    size = size_of([GroupSize("all", 1_000_000, 250_000)])
    lines = plan_on_cluster(size, PHOTO, RATES, [Node(64)] * 16, 256)
    assert lines[0] == "on 16 nodes, 10 Gbit/s from one to the other, 1024 processors in all; workers for photos: 256"
    # 1,953 s of each worker, and a shard of 32 s in which most of them are idle.
    assert "(33 min 4 s for the photos, " in lines[1]
    assert lines[2] == "photos: limited by the workers; read from storage at 10 MB/s"
    assert sum("memory:" in line for line in lines) == 2
    one = plan_on_cluster(size_of([GroupSize("all", 1000, 250)], todo=0), PHOTO, RATES, [Node(8)], 2)
    assert not any(line.startswith("photos") or "other node" in line for line in one)
    kept = plan_on_cluster(size_of([GroupSize("all", 1000, 250)], keep=("pairs",)), PHOTO, RATES, [Node(8)], 2)
    assert any("which alone compares what is kept" in line for line in kept)


@pytest.fixture
def photos(tmp_path: Path, face_paths: list[Path], bisenet_weights: Path) -> Path:
    del bisenet_weights
    for number, path in enumerate(face_paths[:4]):
        write_image(tmp_path / "photos" / f"{number // 2:03}_{number % 2}.png", read_photo(path)[::2, ::2].copy())
    return tmp_path / "photos"


def test_the_command(photos: Path, recogniser_weights: Path, run: Run) -> None:
    out = photos.parent / "out"
    options = ["-s", photos, "-o", out, "--parts", "nose", "--model", recogniser_weights, "--dry-run"]
    done = run("-m", "facepart", "study", *options, "--of", "1000000", "--on", "16x64")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:4] == [
        "4 photos stand for 1000000",
        "1000000 photos, 1000000 of them to be embedded: as they are, and in 1 versions (1 parts lost)",
        "all: 1000000 photos of 500000 people, 999,999,000,000 pairs in 2 conditions",
        "on 16 nodes, 10 Gbit/s from one to the other, 1024 processors in all; workers for photos: 256",
    ]
    assert re.fullmatch(r"time: about \d.* \(\d.* for the photos, \d.* for the pairs\)", lines[4])
    disk = re.fullmatch(r"disk: about ([\d.]+) GB \(embeddings ([\d.]+), scores ([\d.]+)\)", lines[-1])
    assert disk
    assert float(disk[2]) == pytest.approx(1e6 * 2 * 512 * 4 / 1e9, rel=0.01)
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--of", "5"], "--of plans, and does nothing: give --dry-run with it"),
        (["--on", "4x8"], "--on plans, and does nothing: give --dry-run with it"),
        (
            ["--dry-run", "--on", "4x8", "--ray", "auto"],
            "--on plans for a cluster that is not there, and --ray for one",
        ),
        (["--dry-run", "--on", "4 nodes"], "--on 4 nodes: give nodes x processors of each, such as 16x64"),
        (["--dry-run", "--on", "0x8"], "--on 0x8: give nodes x processors"),
        (
            ["--dry-run", "--on", "4x8", "--device", "cuda"],
            "--device cuda: --on 4x8 has no GPUs; 4x8x1 has one a node",
        ),
        (["--dry-run", "--of", "0"], "0 is not at least 1"),
    ],
)
def test_wrong_plans_are_one_line(tmp_path: Path, run: Run, options: list[str], reason: str) -> None:
    done = run("-m", "facepart", "study", "-s", tmp_path, "-o", tmp_path / "out", *options)
    assert done.returncode == 2
    assert reason in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
