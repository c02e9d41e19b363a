"""``docs/tutorial.md``: its commands run as printed in a fresh shell, and print what the page shows."""

import re
from pathlib import Path

import pytest

from docs.align_picture import PHOTOS, draw
from docs.tutorial_photos import make_snapshots
from facepart.cli.command_parser import CommandParser
from facepart.cli.study import add_arguments
from facepart.data.photo_input import read_photo
from facepart.errors import FacepartError
from tests.conftest import ROOT
from tests.printed_commands import blocks, make_checkout, run_as_printed

PAGE = ROOT / "docs" / "tutorial.md"

pytestmark = pytest.mark.slow


def shape_of(line: str) -> str:
    """Give a line without its numbers, which differ a little between processors, and without blanks."""
    return re.sub(r"[-+]?\d[\d,.]*|\s+|\b(min|s)\b", "", line)


def test_every_command_runs_as_printed_and_prints_what_the_page_shows(
    tmp_path: Path, bisenet_weights: Path, sface_weights: Path
) -> None:
    del bisenet_weights, sface_weights
    make_checkout(tmp_path)
    text = PAGE.read_text()
    commands = blocks(text, "bash")
    assert len(commands) >= 8

    done = run_as_printed("".join(commands), tmp_path)

    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    printed = {shape_of(line) for line in (done.stdout + done.stderr).splitlines()}
    for line in "".join(blocks(text, "text")).splitlines():
        # Which part is first by a criterion may differ where parts are close.
        if line.strip() != "..." and not re.fullmatch(r" {4}\w+: [\w, ]+", line):
            whole, cut = shape_of(line), line.endswith("...")
            assert any(each.startswith(whole[:-3]) if cut else each == whole for each in printed), line
    for name in re.findall(r"`((?:study|figures|photos)/[\w./]+)`", text):
        assert (tmp_path / "tutorial" / name).exists(), name


def test_options_that_the_page_suggests_are_options_of_a_study() -> None:
    table = PAGE.read_text().partition("## 9.")[2]
    suggested = re.findall(r"^\|[^|]*\| `(--[^`]+)` \|", table, re.MULTILINE)
    assert len(suggested) > 4
    parser = CommandParser(prog="facepart study")
    add_arguments(parser)
    for options in suggested:
        parser.parse_args(["-s", "raw", "-o", "study", *options.split()])


def test_the_photos_are_what_the_page_says(tmp_path: Path) -> None:
    try:
        make_snapshots(tmp_path, 1)
    except FacepartError as error:
        pytest.skip(f"needs the demo's photographs, which cannot be had here: {error}")
    subjects = {"biden", "hanks", "obama", *(f"t1{letter}" for letter in "abcdef")}
    assert {path.name.split("_")[0] for path in tmp_path.iterdir()} == subjects
    assert len(list(tmp_path.iterdir())) == len(subjects) + 2


def test_the_picture_shows_photos_beside_their_crops(tmp_path: Path) -> None:
    image = ROOT / "docs" / "images" / "align.jpg"
    assert image.stat().st_size < 200_000
    width, height = read_photo(image).shape[1::-1]
    assert width > 4 * height
    for kind in ("raw", "photos"):
        (tmp_path / kind).mkdir()
        for photo in PHOTOS:
            (tmp_path / kind / f"{photo}.png").symlink_to(image.with_name("tutorial-scores.png"))
    assert len(draw(tmp_path).axes) == 2 * len(PHOTOS)
