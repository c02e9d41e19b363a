"""The precisions that the processor computes in hardware, as OpenVINO says; asked once and then kept in the cache.

A run that finds its work done needs no network, but it compares the precision of its outputs with that of this
machine, and need not load OpenVINO for that. ``precisions.json`` in the cache holds the answer for each release of
OpenVINO and each processor: a cache may be shared by several machines. It holds nothing that a run cannot do without:
if it is damaged, or cannot be read or written, OpenVINO is asked.
"""

import hashlib
import json
import os
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from facepart.errors import FacepartError
from facepart.files.atomic import write_text
from facepart.files.cache import cache_folder
from facepart.files.json_input import read_object
from facepart.memory import OPENVINO_NEEDS, refuse_little_memory
from facepart.networks.engine import PRECISIONS

_PROCESSORS = Path("/proc/cpuinfo")
# What the answer depends on: fields of the first processor, on x86 and on ARM, and variables that keep oneDNN, which
# OpenVINO asks, from using some instructions.
_FLAGS = ("flags", "Features")
_FIELDS = (
    *("vendor_id", "cpu family", "model", "stepping", "CPU implementer", "CPU architecture", "CPU variant"),
    *("CPU part", "CPU revision", *_FLAGS),
)
_VARIABLES = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")


def cpu_precisions() -> tuple[str, ...]:
    """Return which of :data:`facepart.networks.engine.PRECISIONS` this processor computes in hardware."""
    key = processor_key()
    kept = _read().get(key) if key else None
    if kept is not None:
        return kept
    # Imported here: it takes a third of the time of a run that has nothing to do.
    refuse_little_memory(OPENVINO_NEEDS)
    from facepart.networks import openvino_engine

    found = openvino_engine.cpu_precisions()
    if key:
        # A cache that cannot be written costs time and nothing else.
        with suppress(FacepartError):
            write_text(_file(), json.dumps(_read() | {key: found}, indent=2) + "\n")
    return found


def _file() -> Path:
    return cache_folder() / "precisions.json"


def processor_key() -> str:
    """Return what names this processor and this OpenVINO; empty if the system does not describe the processor."""
    try:
        first, _, _ = _PROCESSORS.read_text(encoding="utf-8", errors="replace").partition("\n\n")
        release = version("openvino")
    except (OSError, PackageNotFoundError):
        return ""
    pairs = (line.partition(":") for line in first.splitlines())
    fields = {name.strip(): value.strip() for name, _, value in pairs if name.strip() in _FIELDS}
    if not any(fields.get(flags) for flags in _FLAGS):
        return ""
    told = json.dumps([fields, PRECISIONS, [os.environ.get(variable) for variable in _VARIABLES]], sort_keys=True)
    return f"openvino {release}, {hashlib.sha256(told.encode()).hexdigest()[:32]}"


def _read() -> dict[str, tuple[str, ...]]:
    """Return what is kept; nothing if the file is damaged or cannot be read."""
    try:
        found = read_object(_file(), "a record of precisions", "remove it") or {}
    except FacepartError:
        return {}
    return {
        key: tuple(value)
        for key, value in found.items()
        if isinstance(value, list) and value and all(each in PRECISIONS for each in value)
    }
