"""The tests. They start without telemetry, before a module imports OpenVINO or ONNX Runtime.

Beside each other, processes of pytest-xdist compute in one thread each. Threads of OpenMP, OpenBLAS and OpenCV wait
for each other at full speed: two processes that start one for each processor take up to ten times as long.
"""

import os

import facepart.networks  # noqa: F401 - turns telemetry off
from facepart.processors import LIBRARIES

# Processes that tests start compile the package once, not each of them anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
if "PYTEST_XDIST_WORKER" in os.environ:
    # Read when the libraries are loaded, by the processes that tests start, too.
    for _variable in (*LIBRARIES, "OPENCV_FOR_THREADS_NUM"):
        os.environ.setdefault(_variable, "1")
