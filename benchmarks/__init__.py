"""A script for each claim of speed, memory or accuracy in the documentation.

They start without telemetry, before one of them imports OpenVINO or ONNX Runtime.
"""

import facepart.networks  # noqa: F401 - turns telemetry off
