"""The machine that a benchmark runs on, in words: figures of speed mean nothing without it."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from facepart.networks.openvino_engine import processor_name
from facepart.processors import processors

# What decides how fast networks run, in Linux's spelling; AMX multiplies whole tiles of bfloat16 or 8-bit numbers.
INSTRUCTION_SETS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "asimd", "bf16", "sve")
PACKAGES = ("openvino", "torch", "onnxruntime", "opencv-python-headless", "numpy", "pillow")


def describe() -> str:
    """Describe the processor, the CUDA device if there is one, and what runs on them.

    Returns:
        Lines without a newline at the end: processor, cores and memory; instruction sets; load before the benchmark
        (processes that wanted a core in the last minute, which is 0 on an idle machine); versions.
    """
    facts = _processor_facts()
    flags = set(facts.get("flags", facts.get("Features", "")).split())
    sets = ", ".join(name for name in INSTRUCTION_SETS if name in flags) or "not known"
    lacking = "" if not flags or flags & {"amx_bf16", "amx_int8"} else " (no AMX)"
    name = processor_name().strip()
    # Virtual machines often hide the product's name; family and model tell the generation.
    generation = (
        f"family {facts['cpu family']} model {facts['model']}, " if {"cpu family", "model"} <= facts.keys() else ""
    )
    lines = [
        f"processor: {name}, {generation}{processors()} cores{_memory()}",
        f"instruction sets: {sets}{lacking}",
    ]
    lines += [f"CUDA device: {torch.cuda.get_device_name(index)}" for index in range(torch.cuda.device_count())]
    if hasattr(os, "getloadavg"):
        lines.append(f"load before: {os.getloadavg()[0]:.1f}")
    versions = [f"{package} {there}" for package in PACKAGES if (there := _version(package))]
    lines.append(f"{platform.system()}, Python {platform.python_version()}, {', '.join(versions)}")
    return "\n".join(lines)


def _processor_facts() -> dict[str, str]:
    """Read what Linux knows about the first processor; nothing on other systems."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in text.split("\n\n")[0].splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def _memory() -> str:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return ""
    return f", {size / 2**30:.0f} GiB of memory"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
