"""The pictures in the reports of tests: a drawn face, its parts, and each of them occluded."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.report.report_data import AverageFace, ExamplePhoto, OccludedExample, Shown

# Parts that cannot be moved elsewhere on a face.
FIXED = ("hair", "skin")
PLACES = {  # centre and half axes of ellipses, for a face of 112 pixels
    "eyes": ((36, 48, 8, 4), (76, 48, 8, 4)),
    "brows": ((36, 38, 10, 3), (76, 38, 10, 3)),
    "eyes_brows": ((36, 43, 11, 9), (76, 43, 11, 9)),
    "nose": ((56, 64, 8, 13),),
    "mouth": ((56, 87, 15, 6),),
    "hair": ((56, 10, 46, 14),),
    "skin": ((56, 62, 38, 46),),
}


def draw_mask(part: str) -> NDArray[np.uint8]:
    mask = np.zeros((112, 112), np.uint8)
    for x, y, across, down in PLACES.get(part, ((56, 56, 9, 9),)):
        cv2.ellipse(mask, (x, y), (across, down), 0, 0, 360, 255, -1)
    return mask


def draw_face(seed: int = 0) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    face = np.full((112, 112, 3), rng.integers(60, 200, 3), np.uint8)
    colours = {"hair": (60, 40, 30), "skin": (215, 170, 140), "brows": (70, 50, 40), "eyes": (240, 240, 240)}
    for part, colour in {**colours, "nose": (195, 145, 120), "mouth": (180, 80, 80)}.items():
        face[draw_mask(part) > 0] = colour
    return cv2.GaussianBlur(face, (0, 0), 1.2).astype(np.uint8)


def draw_average(parts: Sequence[str]) -> AverageFace:
    soft = {part: cv2.GaussianBlur(draw_mask(part), (0, 0), 3) for part in parts}
    return AverageFace(
        np.mean([draw_face(seed) for seed in range(3)], axis=0).astype(np.uint8),
        {part: (mask / 255).astype(np.float32) for part, mask in soft.items()},
    )


def draw_examples(parts: Sequence[str], control: bool, keep_only: bool = False) -> list[ExamplePhoto]:
    masks = {part: draw_mask(part) for part in parts}
    elsewhere = {part: np.roll(mask, 24, axis=0) for part, mask in masks.items() if control and part not in FIXED}

    def occlude(face: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.where(mask[..., None] > 0, cv2.blur(face, (9, 9)), face).astype(np.uint8)

    def all_occluded(face: NDArray[np.uint8]) -> dict[Shown, dict[str, OccludedExample]]:
        kept = masks if keep_only else {}
        return {
            "part": {part: OccludedExample(occlude(face, mask), mask) for part, mask in masks.items()},
            "control": {part: OccludedExample(occlude(face, mask), mask) for part, mask in elsewhere.items()},
            "keep_only": {part: OccludedExample(occlude(face, 255 - mask), mask) for part, mask in kept.items()},
        }

    return [
        ExamplePhoto(f"Person {number}", face, all_occluded(face))
        for number, face in enumerate(map(draw_face, range(3)))
    ]
