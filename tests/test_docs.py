"""The documentation: its notebook runs, and every command and every figure is in it."""

import re
import runpy
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from docs.parts_picture import PHOTO, draw
from facepart.analysis.differentials import ShiftDifference
from facepart.analysis.shapley_figures import ShapleyInteraction, ShapleyValue
from facepart.cli.program import COMMANDS
from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from facepart.occlusion.parts import PARTS
from facepart.report.export import differentials_csv, results_csv, rows_csv
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


def test_the_notebook_of_the_library_runs_and_its_arrays_agree_with_its_study(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    face_paths: list[Path],
    bisenet_weights: Path,
    detector_weights: Path,
    recogniser_weights: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    del bisenet_weights, detector_weights, recogniser_weights  # skips where they cannot be had
    pytest.importorskip("pandas")
    cells = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "study.md").read_text(), re.DOTALL)
    assert len(cells) == 5
    (tmp_path / "photos").mkdir()
    for path in face_paths[:8]:
        (tmp_path / "photos" / path.name).symlink_to(path)
    notebook = tmp_path / "notebook.py"
    notebook.write_text("\n".join(cells))
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")

    found = runpy.run_path(str(notebook))

    assert found["faces"].shape == (8, 224, 224, 3)
    assert found["label_maps"].shape == (8, 512, 512)
    assert found["baseline"].impostor.n == found["occluded"].impostor.n == 24
    nose = found["frame"].set_index("part").loc["nose"]
    shift = found["occluded"].impostor.mean - found["baseline"].impostor.mean
    np.testing.assert_allclose(shift, nose["impostor_shift"], atol=1e-6)
    np.testing.assert_allclose(found["occluded"].authentic.mean, nose["authentic_mean"], atol=1e-6)
    ranking = found["outcome"].figures.ranking["all"]
    assert {row.part for row in ranking} == {"eyes", "nose"}
    assert ranking[0].effect.value >= ranking[1].effect.value
    assert f"1 {ranking[0].part} {round(ranking[0].effect.value, 4)}" in capsys.readouterr().out
    assert found["tables"].rankings["part"].tolist() == [row.part for row in ranking]
    assert (tmp_path / "study" / "report.html").exists()
    assert (tmp_path / "roc.pdf").stat().st_size > 1000


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_is_documented(command: str) -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *ROOT.glob("*/README.md")]
    assert any(f"facepart {command}" in page.read_text() or f"(`{command}`)" in page.read_text() for page in pages)


def test_every_column_of_the_results_is_documented() -> None:
    text = (ROOT / "docs" / "study.md").read_text()
    columns = results_csv([]).split("\n")[0].strip().split(",")
    assert len(columns) > 80
    for column in columns:
        figure = column.removesuffix("_low").removesuffix("_high")
        assert f"`{figure}`" in text, column


@pytest.mark.parametrize(
    ("page", "tables"),
    [
        ("study.md", [rows_csv(ShapleyValue, []), rows_csv(ShapleyInteraction, [])]),
        ("differentials.md", [rows_csv(ShiftDifference, []), differentials_csv([])]),
    ],
)
def test_every_column_of_other_tables_is_documented(page: str, tables: list[str]) -> None:
    text = (ROOT / "docs" / page).read_text()
    for table in tables:
        columns = table.split("\n")[0].strip().split(",")
        assert len(columns) > 8
        for column in columns:
            assert f"`{column.removesuffix('_low').removesuffix('_high')}`" in text, column


def test_the_picture_of_the_readme_has_a_column_for_every_part(tmp_path: Path) -> None:
    photo = np.zeros((8, 8, 3), np.uint8)
    for folder in ("photos", *(f"blurred/blurred_{part}" for part in PARTS)):
        write_image(tmp_path / folder / f"{PHOTO}.png", photo)
    shifts = [f"{part},{0.01 * place}\n" for place, part in enumerate(PARTS, 1)]
    (tmp_path / "results.csv").write_text("part,impostor_shift\n" + "".join(shifts))

    axes = draw(tmp_path).axes
    faces, bars = axes[: len(axes) // 2], axes[len(axes) // 2 :]

    assert [axes.get_title() for axes in faces] == ["baseline", *(part.replace("_", " + ") for part in PARTS)]
    assert [axes.texts[0].get_text() for axes in bars[1:]] == [f"+0.0{place}0" for place, _ in enumerate(PARTS, 1)]
    image = ROOT / "docs" / "images" / "parts.jpg"
    assert image.stat().st_size < 200_000
    assert read_photo(image).shape[1] > 1000
