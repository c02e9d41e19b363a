"""The tests. They start without telemetry, before a module imports OpenVINO or ONNX Runtime."""

import facepart.networks  # noqa: F401 - turns telemetry off
