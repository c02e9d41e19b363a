"""What runs networks, without its telemetry: faces are sensitive, and laboratories are closed networks.

OpenVINO's package ``openvino_telemetry`` sends events to an analytics server when OpenVINO is imported and for each
network that it converts. It takes a missing consent file for consent, writes a client id and a counter to
``~/intel``, forks a process while threads run, and delays the program by seconds where names do not resolve. OpenVINO
falls back to a stub of its own where that package cannot be imported.

ONNX Runtime, which the tests and benchmarks compare with, keeps a device id and its events in ``~/.cache/Microsoft``
for an upload to its maker.
"""

import os
import sys

_TELEMETRY = "openvino_telemetry"


def disable_telemetry() -> None:
    """Put the telemetry of OpenVINO and ONNX Runtime out of this process's reach, whatever consent is on file.

    Call it before either is imported: :mod:`facepart.networks` does. If the caller imported OpenVINO first, that
    import was reported; nothing after it is.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    loaded = sys.modules.get(_TELEMETRY)
    if loaded is not None and "openvino" in sys.modules:
        from openvino.tools.ovc.telemetry_stub import Telemetry

        # OpenVINO's modules hold the package, and look this up in it at each event.
        loaded.Telemetry = Telemetry  # type: ignore[attr-defined]
    # An import of it fails from here on, so that OpenVINO takes its stub.
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
