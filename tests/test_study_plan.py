"""What a study is said to cost: by hand, by what files and memory really take, and by the command."""

import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from facepart.analysis.design import BASELINE_CONDITION, Condition
from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from facepart.networks.catalogue import DETECTOR, find
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.occlusion.parts import PARTS
from facepart.pipeline.embedded_photo import EmbeddedPhoto
from facepart.pipeline.embedding_store import EmbeddingStore
from facepart.study.cost import (
    GroupSize,
    MatchCost,
    PhotoCost,
    StudySize,
    bytes_of_rows,
    disk_by_kind,
    memory_here,
    memory_to_match,
    scaled,
    seconds_to_embed,
    seconds_to_match,
)
from facepart.study.match_cost import measure_matching
from tests.conftest import Run

pytestmark = pytest.mark.slow

MATCHING = MatchCost(pair=20e-9, face=50e-6)
PHOTO = PhotoCost(seconds=0.5, dimensions=(512,), kept=1000.0)
NOSE = Occlusion(Region(PARTS["nose"]))
CONDITIONS = [BASELINE_CONDITION, Condition(NOSE), Condition(NOSE, "cross")]


def size_of(groups: list[GroupSize], todo: int | None = None, keep: tuple[str, ...] = ()) -> StudySize:
    photos = sum(group.photos for group in groups)
    return StudySize(groups, CONDITIONS, occlusions=1, todo=photos if todo is None else todo, keep=keep)


def test_a_sample_stands_for_a_set() -> None:
    sample = [GroupSize("CM", 60, 12), GroupSize("CF", 40, 10)]
    assert scaled(sample, 1.0) == sample
    assert scaled(sample, 10_000) == [("CM", 600_000, 120_000), ("CF", 400_000, 100_000)]


def test_pairs_are_counted_in_every_condition() -> None:
    size = size_of([GroupSize("CM", 60, 12), GroupSize("CF", 40, 10)])
    assert size.pairs == 2 * (60 * 59 + 40 * 39) // 2 + 60 * 60 + 40 * 40
    assert seconds_to_match(size, MATCHING, 4) == pytest.approx(size.pairs * 5e-9 + 300 * 50e-6)


def test_photos_are_shared_by_the_workers() -> None:
    size = size_of([GroupSize("CM", 64_000, 100)], todo=6_000)
    assert seconds_to_embed(size, PHOTO, 1) == pytest.approx(3000)
    assert seconds_to_embed(size, PHOTO, 100) == pytest.approx(30)


def test_memory_by_hand() -> None:
    groups = [GroupSize("CM", 100_000, 25_000), GroupSize("CF", 50_000, 25_000)]
    size = size_of(groups)
    # The larger group's embeddings four times over, and 600 + 2 * 230 bytes a photo.
    matching = 0.45e9 + 4 * 100_000 * 512 * 4 + 150_000 * 1060
    assert memory_to_match(size, [512]) == memory_here(size, [512]) == pytest.approx(matching)
    # Of few photos the networks take most, unless all are embedded.
    few = [GroupSize("CM", 100, 25)]
    assert memory_here(size_of(few), [512]) == pytest.approx(0.9e9, rel=0.01)
    assert memory_here(size_of(few, todo=0), [512]) == pytest.approx(0.45e9, rel=0.01)


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
    occlusions = [Occlusion(Region(PARTS[name])) for name in names]
    store = EmbeddingStore(tmp_path, occlusions)
    for number in range(512):
        embeddings = dict.fromkeys(["baseline", *names], np.zeros(4, np.float32))
        shares = dict.fromkeys(names, 0.001 * number)
        store.add(
            EmbeddedPhoto(
                f"folder/photo_{number:06}", f"1-{number}", embeddings, dict.fromkeys(PARTS, number), shares
            )
        )
    store.flush()
    tracemalloc.start()
    again = EmbeddingStore(tmp_path, occlusions)
    measured = tracemalloc.get_traced_memory()[0] / len(again.photos)
    tracemalloc.stop()
    size = StudySize([GroupSize("all", 1, 1)], CONDITIONS, len(names), 1, ())
    # Besides the rows, what tells a photo's path.
    assert measured < bytes_of_rows(size) < measured + 1000


def test_matching_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facepart.study.match_cost._MANY", 4096)
    faster, slower = (measure_matching(dimension) for dimension in (32, 1024))
    # Counting alone takes nanoseconds, whatever the processor; products of more values take longer.
    assert 0 < faster.pair < slower.pair < 1e-6
    assert 0 <= faster.face < 1e-2


@pytest.fixture
def photos(tmp_path: Path, face_paths: list[Path], bisenet_weights: Path) -> Path:
    del bisenet_weights
    for number, path in enumerate(face_paths[:4]):
        write_image(tmp_path / "photos" / f"{number // 2:03}_{number % 2}.png", read_photo(path)[::2, ::2].copy())
    return tmp_path / "photos"


def test_the_command(photos: Path, recogniser_weights: Path, run: Run) -> None:
    out = photos.parent / "out"
    options = ["-s", photos, "-o", out, "--parts", "nose", "--model", recogniser_weights, "--dry-run"]
    done = run("-m", "facepart", "study", *options, "--of", "1000000")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    unaligned = "000_0.png has its face 15% of the side away from where ArcFace expects it; --align detects"
    assert sum(unaligned in line for line in lines) == (find(DETECTOR) is not None)
    lines = [line for line in lines if unaligned not in line]
    assert lines[:5] == [
        "subjects by the MORPH convention: 000_0.png -> 000",
        "estimate for 1000000 photos, extrapolated from 4",
        "1000000 photos, 1000000 of them to embed",
        "per photo: the baseline and 1 occluded part (2 embeddings)",
        "all: 1000000 photos of 500000 subjects, 999,999,000,000 pairs in 2 conditions",
    ]
    assert re.fullmatch(r"time: about \d.* h .* \(\d.* for the photos, \d.* for the pairs\)", lines[5])
    # The embeddings of a group four times over, and its rows.
    memory = re.fullmatch(r"memory: about ([\d.]+) GB", lines[6])
    assert memory
    assert float(memory[1]) == pytest.approx(0.45 + 4 * 1e6 * 512 * 4 / 1e9 + 1e6 * 1060 / 1e9, rel=0.01)
    disk = re.fullmatch(r"disk: about ([\d.]+) GB \(embeddings ([\d.]+), scores ([\d.]+)\)", lines[-1])
    assert disk
    assert float(disk[2]) == pytest.approx(1e6 * 2 * 512 * 4 / 1e9, rel=0.01)
    assert not out.exists()


def test_photos_without_a_row_of_their_own_are_counted(photos: Path, recogniser_weights: Path, run: Run) -> None:
    table = photos.parent / "people.csv"
    write_image(photos / "002_0.png", read_photo(photos / "000_0.png"))
    rows = "000_0,000,CM\n001_0,001,CM\n002_1,002,CM\n002_2,002,CF\n"
    table.write_text(f"image,subject,group\n{rows}")
    options = ["-s", photos, "-o", photos.parent / "out", "--parts", "nose", "--model", recogniser_weights]
    done = run("-m", "facepart", "study", *options, "--dry-run", "--people", table)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "left out photos without a row of 1 subject with rows in several groups: 002" in lines
    assert "2 photos have no row and take the group of their subject's other photos, e.g. 000_1" in lines
    assert "without a row in the table" not in done.stdout


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--of", "5"], "--of extrapolates an estimate: use it with --dry-run"),
        (["--dry-run", "--of", "0"], "argument --of: '0' is not a whole number of at least 1"),
    ],
)
def test_wrong_plans_are_one_line(tmp_path: Path, run: Run, options: list[str], reason: str) -> None:
    done = run("-m", "facepart", "study", "-s", tmp_path, "-o", tmp_path / "out", *options)
    assert done.returncode == 2
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1


def test_subjects_with_most_of_the_photos_are_noticed(photos: Path, recogniser_weights: Path, run: Run) -> None:
    source = photos.parent / "many"
    source.mkdir()
    # Twelve subjects, one of whom has 40 of the 62 photos.
    for number, subject in enumerate([0] * 40 + [1 + each // 2 for each in range(22)]):
        (source / f"{subject:03}_{number}.png").symlink_to(photos / "000_0.png")
    options = ["-s", source, "-o", photos.parent / "out", "--parts", "nose", "--model", recogniser_weights]
    done = run("-m", "facepart", "study", *options, "--dry-run", "--occlusion", "average")
    assert done.returncode == 0, done.stderr
    counts = np.array([40] + [2] * 11)
    pairs = counts * (62 - counts)
    effective = pairs.sum() ** 2 / (pairs**2).sum()
    said = f"all: {int(10 * effective) / 10} effective subjects, so effects have no CI; 10 are needed. "
    assert said + "--weight subjects may give one" in done.stdout.splitlines()
    assert "the average face is made first, of 62 photos: about " in done.stdout
    weighted = run("-m", "facepart", "study", *options, "--dry-run", "--weight", "subjects")
    assert weighted.returncode == 0, weighted.stderr
    assert "effective subjects" not in weighted.stdout and "average face" not in weighted.stdout
