"""Every create, write, sync and rename of a command fails once: nothing half-written; a rerun is whole.

The run ends with one line; or it goes on, if the error is about one photo's file alone.
"""

import errno
import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facepart.data.pair_list import read_pair_list
from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from facepart.errors import FacepartError
from facepart.files.atomic import is_temporary
from facepart.matching.groups import read_group
from facepart.matching.match import match_features
from facepart.matching.match_listed import match_pairs
from facepart.pipeline.align import align_photos
from facepart.pipeline.blur import blur_photos
from facepart.pipeline.extract import extract_features
from facepart.pipeline.network_files import NetworkFiles
from facepart.pipeline.parse import parse_photos
from facepart.plots.plot_files import plot
from facepart.plots.sets import ScoreSet
from facepart.scores.distribution import ScoreDistribution
from facepart.study.experiment import run_study
from facepart.study.request import Request
from tests.small_network import SIDE, save_small_network
from tests.write_faults import ERRORS, Faults, injected

pytestmark = pytest.mark.slow

# What a run that was stopped leaves otherwise than one that ended.
STATE = {"run.json", ".photos.json", "failures.csv", "parts.csv", "faces.csv", "list.txt", "compared.json"}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_small_network(tmp_path_factory.mktemp("network") / "small.onnx")


@pytest.fixture(autouse=True)
def networks_stay_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open networks once, not in each of some hundred runs."""
    monkeypatch.setattr(NetworkFiles, "open", lru_cache(NetworkFiles.open))


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".facepart")
    }


def check(tmp_path: Path, run: Callable[[Path], object], every: int = 1) -> int:
    """Let each operation of `run`, which writes into a folder, fail; return how many there are."""
    # Under one name, since records have paths.
    folder, aside = tmp_path / "out", tmp_path / "whole"
    faults = Faults(folder)
    with injected(faults):
        run(folder)
    folder.rename(aside)
    whole, steps = files_in(aside), faults.done
    assert {"create", "write", "sync", "rename"} == {what for what, _ in steps}
    for number in range(0, len(steps), every):
        error = ERRORS[number // every % len(ERRORS)]
        what = f"{steps[number]} fails with {error}"
        message = ""
        with injected(Faults(folder, number, error)):
            try:
                run(folder)
            except FacepartError as caught:
                message = str(caught)
                assert len(message.splitlines()) == 1, what
                assert len(message) < 500, what
        left = files_in(folder)
        assert not [name for name in left if is_temporary(Path(name).name)], what
        for name, data in left.items():
            if Path(name).name in STATE:
                assert name.endswith((".csv", ".txt")) or json.loads(data), what
            else:
                assert data == whole.get(name, data), f"{what}: {name}"
        if not message and left != whole:  # else a folder that cannot be synced, or a lock
            # A file without permission is its photo's failure; a full or broken disk ends the run.
            assert error == errno.EACCES, what
            assert any(b",write," in data for name, data in left.items() if Path(name).name == "failures.csv"), what
        run(folder)
        assert files_in(folder) == whole, what
        _remove(folder)
    return len(steps)


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


def draw(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (SIDE, SIDE - 1, 3), np.uint8)
    Image.fromarray(pixels).save(path, format="PNG")


@pytest.mark.parametrize("matrix", [False, True], ids=["files", "matrix"])
def test_extract(tmp_path: Path, network: Path, matrix: bool) -> None:
    for number in range(2):
        draw(tmp_path / "photos" / f"{number}.png", number)
    (tmp_path / "photos" / "broken.png").write_bytes(b"no photo")

    def run(folder: Path) -> None:
        extract_features(
            *(tmp_path / "photos", folder), model=str(network), precision="fp32", device="cpu", matrix=matrix
        )

    assert check(tmp_path, run) > 30


@pytest.mark.parametrize("save", ["both", "distribution"])
def test_match(tmp_path: Path, save: Any) -> None:
    rows = np.random.default_rng(0).standard_normal((6, 16)).astype(np.float32)
    np.save(tmp_path / "features.npy", rows)
    (tmp_path / "labels.txt").write_text("".join(f"f/{row // 2:03}_{row % 2}\n" for row in range(6)))

    def run(folder: Path) -> None:
        match_features(tmp_path / "features.npy", None, folder, "A", save=save, ranks=True)

    assert check(tmp_path, run, every=1 if save == "both" else 4) > 20


def test_blur(tmp_path: Path, face_paths: list[Path], drawn_parser: str) -> None:
    write_image(tmp_path / "photos" / "1.png", read_photo(face_paths[0])[::4, ::4].copy())
    (tmp_path / "photos" / "broken.png").write_bytes(b"no photo")

    def run(folder: Path) -> None:
        blur_photos(
            tmp_path / "photos", folder / "m", folder / "b", parts=("nose",), model=drawn_parser, device="cpu"
        )

    assert check(tmp_path, run, every=2) > 40


def test_align(tmp_path: Path, face_paths: list[Path]) -> None:
    write_image(tmp_path / "photos" / "1.png", read_photo(face_paths[0])[::2, ::2].copy())
    (tmp_path / "photos" / "broken.png").write_bytes(b"no photo")

    def run(folder: Path) -> None:
        align_photos(tmp_path / "photos", folder)

    assert check(tmp_path, run, every=2) > 15


def test_parse(tmp_path: Path, face_paths: list[Path], drawn_parser: str) -> None:
    write_image(tmp_path / "photos" / "1.png", read_photo(face_paths[0])[::4, ::4].copy())
    (tmp_path / "photos" / "broken.png").write_bytes(b"no photo")

    def run(folder: Path) -> None:
        parse_photos(tmp_path / "photos", folder, parser=drawn_parser, device="cpu")

    assert check(tmp_path, run, every=2) > 15


def test_match_of_listed_pairs(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).standard_normal((6, 16)).astype(np.float32)
    np.save(tmp_path / "features.npy", rows)
    (tmp_path / "labels.txt").write_text("".join(f"f/{row // 2:03}_{row % 2}\n" for row in range(6)))
    (tmp_path / "pairs.txt").write_text("f/000_0 f/000_1\nf/000_0 f/001_1\nf/002_0 f/002_1\n")

    def run(folder: Path) -> None:
        group = read_group("A", tmp_path / "features.npy", None)
        assert len(list(match_pairs([group], read_pair_list(tmp_path / "pairs.txt"), folder, workers=1))) == 1

    assert check(tmp_path, run) > 20


def test_plot(tmp_path: Path) -> None:
    dice = np.random.default_rng(0)
    authentic, impostor = (ScoreDistribution.of(dice.uniform(-1, 1, 50).round(6)) for _ in range(2))

    def run(folder: Path) -> None:
        plot([ScoreSet("a", authentic, impostor)], folder, "x", "T")

    assert check(tmp_path, run, every=3) > 6


def test_study(tmp_path: Path, face_paths: list[Path], drawn_parser: str, network: Path) -> None:
    """Every fourteenth operation; the study's stages are those above."""
    for number, path in enumerate(face_paths[:4]):
        write_image(tmp_path / "photos" / f"{number // 2:03}_{number % 2}.png", read_photo(path)[::4, ::4].copy())

    def run(folder: Path) -> None:
        request = Request(
            tmp_path / "photos",
            folder,
            parts=("nose",),
            models=[str(network)],
            parser=drawn_parser,
            control=0,
            equal_area=False,
            cross=False,
        )
        run_study(request)

    assert check(tmp_path, run, every=14) > 60
