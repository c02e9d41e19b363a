"""The example notebook runs from top to bottom on a study, and keeps the outputs of such a run."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from facepart.demo.faces import make_captures
from facepart.errors import FacepartError
from facepart.networks.catalogue import DETECTOR, obtain
from facepart.study import Request, run_study
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

pytest.importorskip("pandas", reason="needs pandas: pip install -r requirements-dev.txt")
pytest.importorskip("ipykernel", reason="needs ipykernel: pip install -r requirements-dev.txt")
nbclient = pytest.importorskip("nbclient", reason="needs nbclient: pip install -r requirements-dev.txt")
nbformat = pytest.importorskip("nbformat", reason="needs nbformat: pip install -r requirements-dev.txt")

NOTEBOOK = ROOT / "examples" / "study.ipynb"


def outputs(notebook: Any) -> list[list[str]]:
    """What kinds of outputs each cell of code has."""
    return [
        [kind for output in cell.outputs for kind in sorted(output.get("data", {output.output_type: ""}))]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def test_it_runs_from_top_to_bottom(tmp_path: Path, bisenet_weights: Path, sface_weights: Path) -> None:
    del bisenet_weights, sface_weights
    try:
        obtain(DETECTOR, "detector")
        make_captures(tmp_path / "demo" / "photos", 2)
    except FacepartError as error:
        pytest.skip(f"needs the demo's photographs, which cannot be had here: {error}")
    run_study(Request(tmp_path / "demo" / "photos", tmp_path / "demo", dataset="MORPH"))
    (tmp_path / "examples").mkdir()
    copy = Path(shutil.copy(NOTEBOOK, tmp_path / "examples"))
    notebook = nbformat.read(copy, as_version=4)
    kept = outputs(notebook)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(copy.parent)}}).execute()
    assert outputs(notebook) == kept
    assert sum("image/png" in found for found in kept) >= 3


def test_the_outputs_that_it_keeps_are_of_one_run_small_and_of_no_machine() -> None:
    assert NOTEBOOK.stat().st_size < 500_000
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert all(cell.outputs for cell in code)
    assert not [output for cell in code for output in cell.outputs if output.output_type in ("error", "stream")]
    assert not re.search(r"/(home|root|tmp|work|Users)/", NOTEBOOK.read_text())
