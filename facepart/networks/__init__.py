"""The networks: where their weights come from, how each kind of file is read, and what runs them.

:mod:`~facepart.networks.catalogue` finds or fetches weights, :mod:`~facepart.networks.engine_choice` puts a network
on a device (OpenVINO on the CPU, PyTorch on CUDA), :mod:`~facepart.networks.onnx` and :mod:`~facepart.networks.mxnet`
read other frameworks' files. The tasks: :mod:`~facepart.networks.face_parser` (photo -> label map;
:mod:`~facepart.networks.label_folder` reads them instead, in the orders of :mod:`~facepart.networks.label_sets`),
:mod:`~facepart.networks.recogniser` (aligned face -> embedding), :mod:`~facepart.networks.face_detector` and
:mod:`~facepart.networks.alignment` (photo -> aligned face).
"""

from facepart.networks.telemetry import disable_telemetry

# Before OpenVINO is imported, wherever that happens.
disable_telemetry()
