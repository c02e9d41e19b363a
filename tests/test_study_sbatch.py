"""``examples/study.sbatch`` as the plain script that SLURM runs: stopped by SIGTERM, submitted again, finished."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.printed_commands import blocks
from tests.stopped_script import stop_when

JOB = ROOT / "examples" / "study.sbatch"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")]


@pytest.fixture
def work(tmp_path: Path, face_paths: list[Path], bisenet_weights: Path, recogniser_weights: Path) -> Path:
    """A folder from which the job is submitted: aligned photos of a few subjects, a table, and a Python."""
    del bisenet_weights, recogniser_weights
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "photos").mkdir()
    for path in face_paths[:8]:
        with Image.open(path) as image:
            image.convert("RGB").resize((224, 224)).save(tmp_path / "photos" / f"{path.stem}.png")
    subjects = sorted({path.name.split("_")[0] for path in face_paths[:8]})
    rows = [f"{subject},{'AB'[place % 2]}\n" for place, subject in enumerate(subjects)]
    (tmp_path / "people.csv").write_text("subject,group\n" + "".join(rows))
    return tmp_path


def submitted(line: str, folder: Path) -> subprocess.Popen[str]:
    """Start a printed `sbatch` line as SLURM would: the script alone, in the folder where it was submitted."""
    return subprocess.Popen(
        ["bash", "-c", f'sbatch() {{ exec bash "$@"; }}\n{line}'],
        cwd=folder,
        env={**os.environ, "PYTHON": sys.executable, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def printed_line() -> str:
    """The line of the documentation that submits the job."""
    page = (ROOT / "docs" / "by-hand.md").read_text()
    (line,) = [block.strip() for block in blocks(page) if block.startswith("sbatch ")]
    return line


def test_stopped_before_the_time_limit_and_submitted_again_it_finishes(work: Path) -> None:
    line = f"{printed_line()} -d MORPH"
    job = submitted(line, work)
    last_line = "study.sbatch: stopped; submit the same command again to continue"
    stop_when(work / "study" / "embeddings", job, last_line)
    assert not (work / "study" / "results.csv").exists()

    again = submitted(line, work)
    stdout, stderr = again.communicate(timeout=600)
    assert again.returncode == 0, stderr
    assert "report: study/report.html" in stdout
    assert (work / "study" / "results.csv").read_text().count("\n") > 14


def test_the_status_is_that_of_the_study(tmp_path: Path) -> None:
    job = submitted(f"sbatch {JOB} -s missing -o study", tmp_path)
    _, stderr = job.communicate(timeout=60)
    assert job.returncode == 1
    assert stderr == "facepart: missing: no such folder or list of photos\n"


def test_slurm_reads_the_options_and_warns_the_script_alone() -> None:
    assert subprocess.run(["bash", "-n", JOB], check=False).returncode == 0
    lines = JOB.read_text().splitlines()
    assert lines[0].startswith("#!")  # sbatch refuses a script without an interpreter
    # SLURM reads no option after the first command.
    first = next(number for number, line in enumerate(lines) if line and not line.startswith("#"))
    directives = [number for number, line in enumerate(lines) if line.startswith("#SBATCH")]
    assert directives
    assert max(directives) < first
    options = dict(re.findall(r"^#SBATCH --([a-z-]+)=(\S+)$", "\n".join(lines), re.MULTILINE))
    assert len(options) == len(directives)
    assert options["nodes"] == options["ntasks"] == "1"
    assert int(options["cpus-per-task"]) > 1
    # B: the script gets the signal; by default, only job steps do.
    assert re.fullmatch(r"B:TERM@\d+", options["signal"])
