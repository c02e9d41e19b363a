"""The documentation: its example runs, and every command and every figure is in it."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from facepart.analysis.results import PartResult
from facepart.cli.program import COMMANDS
from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from tests.conftest import ROOT, Run


def test_the_example_of_the_library_runs(
    tmp_path: Path, face_paths: list[Path], bisenet_weights: Path, recogniser_weights: Path, run: Run
) -> None:
    del bisenet_weights, recogniser_weights  # skips where they cannot be had
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "study.md").read_text(), re.DOTALL)
    for number, path in enumerate(face_paths[:4]):
        write_image(tmp_path / "photos" / f"{number // 2:03}_{number % 2}.png", read_photo(path)[::2, ::2].copy())
    script = tmp_path / "example.py"
    script.write_text(f"import os\nos.chdir({str(tmp_path)!r})\n{code}")
    done = run(script)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[:2] for line in lines] == [["all", "1"], ["all", "2"]]
    assert {line[2] for line in lines} == {"eyes", "nose"}
    assert float(lines[0][3]) >= float(lines[1][3])
    assert (tmp_path / "study" / "report.html").exists()


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_is_documented(command: str) -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *ROOT.glob("*/README.md")]
    assert any(f"facepart {command}" in page.read_text() or f"(`{command}`)" in page.read_text() for page in pages)


def test_every_figure_of_the_study_is_documented() -> None:
    text = (ROOT / "docs" / "study.md").read_text()
    for field in fields(PartResult):
        name = field.name.removesuffix("_original") if field.name.startswith("fnmr") else field.name
        assert f"`{name}`" in text, field.name
