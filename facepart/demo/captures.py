"""One photograph -> several simulated captures of the face, as if it had been photographed again.

A capture is the aligned face, framed a little otherwise (a detector never gives the same landmarks twice), in
another light, through a noisy sensor and compressed. Pose, expression and age stay those of the photograph, so
captures of one photograph are far more alike than photographs of one person: they show how the stages work, and
say little about a recogniser.
"""

import io
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facepart.networks.alignment import align_face


@dataclass(frozen=True)
class Variation:
    """How far captures differ; every quantity is drawn evenly between its bounds.

    Attributes:
        rotation: in the picture's plane, in degrees to either side.
        scale: as a share of the face's size, up or down.
        shift: along either axis, as a share of the distance between the eyes, to either side.
        gain: light, as a factor.
        gamma: of the tone curve, as a factor.
        noise: standard deviation of the sensor's noise, in grey levels.
        quality: of the JPEG compression, 0 to 100.
    """

    rotation: float = 5.0
    scale: float = 0.06
    shift: float = 0.08
    gain: tuple[float, float] = (0.75, 1.25)
    gamma: tuple[float, float] = (0.75, 1.33)
    noise: tuple[float, float] = (0.0, 5.0)
    quality: tuple[int, int] = (35, 95)


def simulate_captures(
    photo: NDArray[np.uint8],
    landmarks: NDArray[np.floating],
    count: int,
    size: int,
    name: str,
    variation: Variation | None = None,
) -> list[NDArray[np.uint8]]:
    """Return `count` pictures of a face: the aligned face as it is, then simulated captures of it.

    Capture k is the same whatever `count` is, and in every run.

    Args:
        photo: uint8, (height, width, 3), RGB.
        landmarks: (5, 2), x and y in pixels of the photo, in ArcFace's order.
        count: how many, the aligned face among them.
        size: of the pictures, in pixels.
        name: of the face; what is drawn depends on it and on nothing else.
        variation: how far captures differ.

    Returns:
        uint8, (size, size, 3), RGB, each.
    """
    variation = variation or Variation()
    pictures = []
    for number in range(count):
        generator = np.random.default_rng([zlib.crc32(name.encode()), number])
        if number == 0:
            pictures.append(align_face(photo, landmarks, size))
        else:
            framed = align_face(photo, jitter(landmarks, variation, generator), size)
            pictures.append(expose(framed, variation, generator))
    return pictures


def jitter(
    landmarks: NDArray[np.floating], variation: Variation, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Turn, scale and shift landmarks as a whole, about their centre.

    Args:
        landmarks: (5, 2), the eyes first.
        variation: how far.
        generator: draws.

    Returns:
        float64, (5, 2).
    """
    points = np.asarray(landmarks, np.float64)
    angle = np.deg2rad(generator.uniform(-variation.rotation, variation.rotation))
    scale = 1 + generator.uniform(-variation.scale, variation.scale)
    shift = generator.uniform(-variation.shift, variation.shift, 2) * np.linalg.norm(points[1] - points[0])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = points.mean(axis=0)
    return (points - centre) @ (scale * turn).T + centre + shift


def expose(picture: NDArray[np.uint8], variation: Variation, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Put a picture in another light, add noise, and compress it.

    With x in 0..1: ``gain * x ** gamma``, plus noise, cut to 0..1, and through JPEG.

    Args:
        picture: uint8, (height, width, 3), RGB.
        variation: how far.
        generator: draws.

    Returns:
        uint8, of the same shape.
    """
    gain = generator.uniform(*variation.gain)
    gamma = generator.uniform(*variation.gamma)
    noise = generator.normal(0.0, generator.uniform(*variation.noise), picture.shape)
    quality = int(generator.integers(*variation.quality, endpoint=True))
    lit = 255 * gain * (picture / 255) ** gamma + noise
    buffer = io.BytesIO()
    Image.fromarray(np.clip(np.rint(lit), 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as compressed:
        return np.array(compressed, dtype=np.uint8)
