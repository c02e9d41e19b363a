"""Masks of the default precision lean no way: what rounding moves goes to either class alike."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facepart.data.photo_input import read_photo
from facepart.networks.engine import Preprocessing
from facepart.networks.face_parser import fit_photo
from facepart.networks.openvino_engine import OpenVinoEngine, cpu_precisions
from facepart.occlusion.parts import PARTS
from tests.opened_networks import parser_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("bf16" not in cpu_precisions(), reason="needs a processor that computes in bfloat16"),
]


class CoarseScores(nn.Module):
    """Scores of six classes on an eighth of the photo's size, upsampled, as a face parser's are."""

    def __init__(self) -> None:
        super().__init__()
        classes = nn.Conv2d(16, 6, 1)
        assert classes.bias is not None
        nn.init.constant_(classes.bias, 10.0)  # large beside the differences, as a parser's scores are
        self.coarse = nn.Sequential(nn.Conv2d(3, 16, 9, 8, 4), nn.ReLU(), classes)

    def forward(self, photos: Tensor) -> Tensor:
        return nn.functional.interpolate(self.coarse(photos), scale_factor=8, mode="bilinear", align_corners=True)


def lower_share(exact: NDArray[np.uint8], found: NDArray[np.uint8]) -> float:
    """Of the pixels that differ, the share that got the class with the lower number."""
    unlike = exact != found
    assert 50 < unlike.sum() < 0.1 * unlike.size
    return float((found[unlike] < exact[unlike]).mean())


def test_a_network_with_an_upsampling_at_its_end() -> None:
    torch.manual_seed(3)
    network = CoarseScores()
    photos = np.random.default_rng(2).integers(0, 256, (24, 128, 160, 3), dtype=np.uint8)
    size = Preprocessing(128, 160, mean=(127.5,) * 3, scale=(64.0,) * 3)
    exact, found = (OpenVinoEngine(network, size, 6, precision)(photos) for precision in ("fp32", "bf16"))
    assert 0.4 < lower_share(exact, found) < 0.6


def test_the_face_parser_on_photos(face_paths: list[Path], bisenet_weights: Path) -> None:
    photos = np.stack([fit_photo(read_photo(path)) for path in face_paths[:12]])
    exact, found = (parser_of(bisenet_weights, precision)(photos) for precision in ("fp32", "bf16"))
    assert 0.3 < lower_share(exact, found) < 0.7
    for part in PARTS.values():
        pixels = [np.isin(labels, part.classes).sum() for labels in (exact, found)]
        assert pixels[1] == pytest.approx(pixels[0], rel=0.004)
