"""What the report's tests show: scores drawn at random, and a drawn face."""

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.parts import PARTS
from facepart.report.content import AverageFace, Content, GroupContent, Sample
from facepart.report.results import CROSS, WITHIN, part_result, rank_parts
from facepart.scores import GroupScores, ScoreDistribution

# How far blurring a part moves impostor scores, in the drawn data.
SHIFTS = dict(zip(PARTS, (0.05, 0.03, 0.09, 0.12, 0.02, -0.015, 0.16), strict=True))
PLACES = {  # centre and half axes of ellipses, for a face of 112 pixels
    "eyes": ((36, 48, 8, 4), (76, 48, 8, 4)),
    "brows": ((36, 38, 10, 3), (76, 38, 10, 3)),
    "eyes_brows": ((36, 43, 11, 9), (76, 43, 11, 9)),
    "nose": ((56, 64, 8, 13),),
    "mouth": ((56, 87, 15, 6),),
    "hair": ((56, 10, 46, 14),),
    "skin": ((56, 62, 38, 46),),
}


def make_scores(rng: np.random.Generator, shift: float, authentic: int = 1500, impostor: int = 20_000) -> GroupScores:
    return GroupScores(
        ScoreDistribution.of(rng.normal(0.62 - shift / 2, 0.09, authentic).clip(-1, 1)),
        ScoreDistribution.of(rng.normal(0.04 + shift, 0.08, impostor).clip(-1, 1)),
    )


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


def make_content(
    groups: tuple[str, ...] = ("CM", "CF", "AAM", "AAF"),
    parts: tuple[str, ...] = tuple(PARTS),
    *,
    authentic: int = 1500,
    impostor: int = 20_000,
    crossed: bool = False,
    title: str = "Parts of the face",
) -> Content:
    """Make all that a report shows."""
    rng = np.random.default_rng(7)
    entries, results = [], []
    for number, name in enumerate(groups):
        before = make_scores(rng, 0, authentic, impostor)
        # Hair matters more from group to group, and at last comes first.
        shifts = {part: SHIFTS.get(part, 0.04) + (part == "hair") * 0.06 * number for part in parts}
        within = {part: make_scores(rng, shift, authentic, impostor) for part, shift in shifts.items()}
        across = {part: make_scores(rng, shift / 2, authentic, impostor) for part, shift in shifts.items()}
        entries.append(GroupContent(name, 200 + number, 60, before, within, across if crossed else {}))
        for comparison, found in ((WITHIN, within), *(((CROSS, across),) if crossed else ())):
            results += [
                part_result(
                    before,
                    scores,
                    group=name,
                    part=part,
                    comparison=comparison,
                    photos=200 + number,
                    people=60,
                    missing=3 if part == "hair" else 0,
                    share=float((draw_mask(part) > 0).mean()),
                )
                for part, scores in found.items()
            ]
    masks = {part: draw_mask(part) for part in parts}
    faces = [draw_face(seed) for seed in range(3)]
    soft = {part: cv2.GaussianBlur(mask, (0, 0), 3) for part, mask in masks.items()}
    samples = [
        Sample(
            f"Person {number}",
            face,
            {part: np.where(mask[..., None] > 0, cv2.blur(face, (9, 9)), face) for part, mask in masks.items()},
            masks,
        )
        for number, face in enumerate(faces)
    ]
    return Content(
        title=title,
        parts=parts,
        groups=entries,
        results=results,
        rankings=rank_parts(results),
        face=AverageFace(
            np.mean(faces, axis=0).astype(np.uint8),
            {part: (mask / 255).astype(np.float32) for part, mask in soft.items()},
        ),
        samples=samples,
        facts={
            "recogniser": "faceplugin (sha256 " + "0123456789abcdef" * 4 + ")",
            "parser": "bisenet-resnet18",
            "precision": "bf16",
            "recipe": "box blur 15x15, sigma 5, at 224x224",
        },
        failures=[("people/a/1.jpg", "align", "no face found")],
    )
