"""A script that is stopped half-way."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest


def stop_when(there: Path, process: subprocess.Popen[str], last_line: str) -> None:
    """Stop a script once a file is there: its last line says how to go on, and it leaves no process behind."""
    while not there.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert stderr.splitlines()[-1] == last_line
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
