"""The options of every command that runs a network: where it runs, and how fast."""

import argparse
from typing import TypedDict

from facepart.cli.command_parser import positive, thread_count
from facepart.cli.ray import add_ray_argument
from facepart.networks.engine import INT8_PARSER, PRECISIONS
from facepart.pipeline.batches import DEFAULT_BATCH, default_workers


class Hardware(TypedDict):
    """Where and how fast networks run, as arguments of the functions that run them."""

    device: str
    precision: str
    batch: int
    workers: int | None


def hardware_of(arguments: argparse.Namespace) -> Hardware:
    """Return the choices of the group "hardware"."""
    return Hardware(
        device=arguments.device,
        precision=arguments.precision,
        batch=arguments.batch,
        workers=arguments.workers,
    )


def add_hardware_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the group "hardware", from ``--device`` to ``--profile``."""
    group = parser.add_argument_group("hardware")
    add_device_argument(group)
    group.add_argument(
        "--precision",
        choices=["auto", *PRECISIONS, INT8_PARSER],
        default="auto",
        help="arithmetic of the networks (default: auto; on the CPU bf16 if it supports it in hardware, else fp32; "
        "on CUDA fp16, or bf16 for a network that overflows in fp16); int8 is faster on a CPU and less exact: "
        "networks are calibrated on 64 of the photos, and refused if they differ too much from fp32 on 32 others; "
        "int8-parser: only the parser, recognisers as with auto",
    )
    group.add_argument(
        "--batch-size",
        dest="batch",
        type=positive,
        default=DEFAULT_BATCH,
        metavar="N",
        help="photos per network call; results do not depend on it (default: %(default)s)",
    )
    add_worker_arguments(group, "I/O threads")


def add_worker_arguments(group: argparse._ArgumentGroup, threads: str) -> None:
    """Add ``--workers``, which are `threads`, ``--ray`` and ``--profile`` for a command that processes photos."""
    group.add_argument(
        "--workers",
        type=thread_count,
        metavar="N",
        help=f"{threads}; results do not depend on it (default here: {default_workers()})",
    )
    add_ray_argument(group, "process the photos")
    group.add_argument("--profile", action="store_true", help="print how long each step took")


def add_device_argument(group: argparse._ArgumentGroup) -> None:
    """Add ``--device`` for networks."""
    group.add_argument(
        "--device",
        default="auto",
        metavar="NAME",
        help="where the networks run: auto, cpu, cuda or cuda:<number> (default: auto, which is CUDA if PyTorch "
        "finds a device, else the CPU)",
    )
