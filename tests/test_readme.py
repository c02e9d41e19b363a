"""README's worked example runs as printed, in a fresh shell; the project's papers agree on the version."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import facepart
from tests.conftest import ROOT
from tests.printed_commands import blocks, make_checkout, run_as_printed

README = ROOT / "README.md"
MARK = "<!-- worked example"


def worked_example() -> str:
    """The lines of README's worked example, as they are printed."""
    return blocks(README.read_text().split(MARK, 1)[1])[0]


@pytest.mark.slow
def test_the_worked_example_runs_as_printed_in_a_fresh_shell(
    tmp_path: Path, bisenet_weights: Path, sface_weights: Path
) -> None:
    del bisenet_weights, sface_weights
    make_checkout(tmp_path)

    done = run_as_printed(worked_example(), tmp_path)

    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    pairs = {
        (condition, kind): np.load(tmp_path / "try" / "matches" / condition / f"all_{kind}.npy")
        for condition in ("baseline", "nose")
        for kind in ("authentic", "impostor")
    }
    # Nine subjects with two photos each.
    assert {key: len(rows) for key, rows in pairs.items() if key[0] == "baseline"} == {
        ("baseline", "authentic"): 9,
        ("baseline", "impostor"): 18 * 17 // 2 - 9,
    }
    for condition in ("baseline", "nose"):
        assert pairs[condition, "authentic"][:, 2].mean() > pairs[condition, "impostor"][:, 2].mean() + 0.2
    text = README.read_text()
    for name in re.findall(r"`(try/plots/[\w.]+)`", text):
        assert (tmp_path / name).stat().st_size > 0, name
    assert "\tNo nose\timpostor_mean_shift_from_set_1\t" in (tmp_path / "try" / "plots" / "nose.txt").read_text()


def test_readme_says_how_the_program_gets_on_the_path_before_it_is_called() -> None:
    text = README.read_text()
    calls = [found.start() for found in re.finditer(r"^(facepart \w+|python3 \S+) -", text, re.MULTILINE)]
    assert len(calls) > 5
    assert text.index("\nsource .venv/bin/activate\n") < min(calls)


def test_the_version_is_one() -> None:
    assert "version" in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dynamic"]
    assert f"\nversion: {facepart.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    (released, *_) = re.findall(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert released == facepart.__version__


def test_the_workflow_runs_targets_of_the_makefile() -> None:
    workflow = (ROOT / ".github" / "workflows" / "checks.yml").read_text()
    targets = re.findall(r"run: make (\S+)", workflow)
    assert set(targets) == {"docs", "lint", "test", "wheel"}
    makefile = (ROOT / "Makefile").read_text()
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
    supported = re.search(r'requires-python = ">=(3\.\d+)"', (ROOT / "pyproject.toml").read_text())
    assert supported and f'"{supported[1]}"' in workflow


def test_hooks_run_the_versions_that_lint_runs() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    pinned = dict(re.findall(r"^(\S+?)==(\S+)$", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE))
    revisions = dict(re.findall(r"repo: \S+/(\S+)\n    rev: v(\S+)", hooks))
    assert revisions["ruff-pre-commit"] == pinned["ruff"]
    assert revisions["mirrors-mypy"] == pinned["mypy"]


def test_the_repository_passes_the_review_of_scientific_python() -> None:
    pytest.importorskip("sp_repo_review")
    command = [sys.executable, "-m", "repo_review", str(ROOT), "--show", "err", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["checks"] == {}
