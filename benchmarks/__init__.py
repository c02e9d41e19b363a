"""A script for each claim of speed. They start without telemetry, before one imports OpenVINO or ONNX Runtime."""

import facepart.engines  # noqa: F401 - turns telemetry off
