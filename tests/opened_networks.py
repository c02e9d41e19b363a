"""Networks that tests open once in each process: to compile one takes seconds."""

from functools import cache
from pathlib import Path

from facepart.networks.engine import Engine
from facepart.networks.face_parser import open_parser


@cache
def parser_of(weights: Path, precision: str = "fp32") -> Engine:
    """Open the face parser on the CPU."""
    return open_parser(weights, "cpu", precision)
