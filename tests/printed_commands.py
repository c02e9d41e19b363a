"""Commands that the documentation prints, run as they stand in a fresh shell, in a folder like a checkout."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from facepart.demo.faces import make_captures
from facepart.errors import FacepartError
from facepart.networks.catalogue import DETECTOR, obtain
from tests.conftest import ROOT

SCRIPTS = ("Plots", "docs", "examples", "face_matching", "face_parsing_BiSeNet", "lists")
_KEPT = ("HOME", "FACEPART_HOME", "XDG_CACHE_HOME", "LANG", "TMPDIR")


def blocks(text: str, language: str = "") -> list[str]:
    """Return the fenced blocks of a page that are marked with `language`."""
    found: list[tuple[str, str]] = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [block for marked, block in found if marked == language]


def make_checkout(folder: Path, captures: int = 2) -> None:
    """Make a folder like a checkout after `make demo`, but with `captures` photos of each subject.

    Skips the test if the demo's photographs cannot be fetched.
    """
    for name in SCRIPTS:
        (folder / name).symlink_to(ROOT / name)
    programs = Path(sys.prefix) / "bin"
    if (programs / "activate").exists():
        (folder / ".venv").symlink_to(sys.prefix)
    else:  # tests that run outside a virtual environment
        (folder / ".venv" / "bin").mkdir(parents=True)
        (folder / ".venv" / "bin" / "activate").write_text(f'PATH="{programs}:$PATH"\n')
    try:
        obtain(DETECTOR, "detector")
        make_captures(folder / "demo" / "photos", captures)
    except FacepartError as error:
        pytest.skip(f"needs the demo's photographs, which cannot be had here: {error}")


def run_as_printed(commands: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run commands in a fresh shell: without the programs of the virtual environment, but with this package."""
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= {"PATH": os.defpath, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        ["bash", "-euc", commands], cwd=folder, env=environment, capture_output=True, text=True, timeout=900
    )
