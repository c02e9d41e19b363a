"""What the tests share: where the real data lie, and the program as a process."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real faces, weights and the original programs' answers; skips where it is missing."""
    if not (SHARED / "design.md").exists():
        pytest.skip("needs ../shared (real faces, weights and golden answers), which a public clone lacks")
    return SHARED


@pytest.fixture(scope="session")
def run() -> Run:
    """Run Python with the given arguments as a user's process, in the root of the checkout.

    Keyword arguments become environment variables; None removes one.
    """

    def call(*arguments: str | Path, **variables: str | None) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **{key: value for key, value in variables.items() if value is not None}}
        for key in [key for key, value in variables.items() if value is None]:
            environment.pop(key, None)
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)

    return call
