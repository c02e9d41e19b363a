"""How long each step beside the networks takes, on one core.

Usage: python -m benchmarks.steps [PHOTOS] [--photos N] [--sizes 224 512]

PHOTOS is a folder of photos of faces, the demo's photographs by default. They are brought to each size, saved as JPEG
and as PNG, parsed once, and then go through all steps of `facepart blur` and of the resize before the recogniser.
Prints the median milliseconds a photo; the machine's other work disturbs them, so compare within one run.
"""

import argparse
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.machine import describe
from facepart.data.photo_input import read_photo
from facepart.data.photo_output import encode_image, write_image
from facepart.data.photos import find_photos
from facepart.data.resize import resize
from facepart.demo.faces import make_captures
from facepart.files.progress import silent
from facepart.networks.catalogue import DEFAULT_PARSER, obtain
from facepart.networks.face_parser import fit_photo, open_parser
from facepart.occlusion.method import STANDARD
from facepart.occlusion.occlude import blend, occlude_parts
from facepart.occlusion.parts import PARTS, part_mask
from facepart.occlusion.recipe import SIGMA, box_side, growth, scale_of
from facepart.occlusion.soften import soften_layers

FACE = 112  # the side of ArcFace's input
ROUNDS = 3

Seconds = defaultdict[str, list[float]]


@contextmanager
def clock(seconds: Seconds, step: str) -> Iterator[None]:
    """Note how long the block took."""
    start = time.perf_counter()
    yield
    seconds[step].append(time.perf_counter() - start)


def take_steps(photo: Path, labels: NDArray[np.uint8], folder: Path, seconds: Seconds) -> tuple[int, int]:
    """Take all steps for one photo, saved with ``.jpg`` and ``.png``; return the bytes of masks and blurs as PNG."""
    with clock(seconds, "read JPEG"):
        read_photo(photo.with_suffix(".jpg"))
    with clock(seconds, "read PNG"):
        pixels = read_photo(photo.with_suffix(".png"))
    height, width = pixels.shape[:2]
    with clock(seconds, "resize to the parser's 512x512"):
        fit_photo(pixels)
    with clock(seconds, "7 masks"):
        masks = {part: part_mask(labels, PARTS[part]) for part in PARTS}
    with clock(seconds, "7 blurs"):
        blurred = {part: occluded.photo for part, occluded in occlude_parts(pixels, masks).items()}
    with clock(seconds, "  of which soft masks"):
        for part, mask in masks.items():
            radius = growth(PARTS[part].dilations, height, width)
            soften_layers([(mask, radius)], SIGMA * scale_of(height, width), height, width).whole(height, width)
    box = box_side(STANDARD, height, width)
    with clock(seconds, "  of which the box blur"):
        other = cv2.blur(pixels, (box, box)).astype(np.uint8, copy=False)
    with clock(seconds, "(one blend of the whole photo)"):
        blend(pixels, other, pixels[:, :, 1])
    with clock(seconds, "7 masks to PNG"):
        encoded_masks = [encode_image(".png", mask) for mask in masks.values()]
    with clock(seconds, "7 blurs to PNG"):
        encoded_blurs = [encode_image(".png", version) for version in blurred.values()]
    with clock(seconds, "14 files"):
        for number, encoded in enumerate(encoded_masks + encoded_blurs):
            (folder / f"{number}.png").write_bytes(encoded)
    with clock(seconds, f"8 faces to {FACE}x{FACE}"):
        for face in (pixels, *blurred.values()):
            resize(face, FACE, FACE)
    return sum(map(len, encoded_masks)), sum(map(len, encoded_blurs))


def measure(size: int, sources: list[Path], parse: Callable[..., NDArray[np.uint8]], folder: Path) -> None:
    """Measure all steps on photos of one size, and print."""
    seconds: Seconds = defaultdict(list)
    photos, label_maps = [], []
    for number, source in enumerate(sources):
        pixels = resize(read_photo(source), size, size)
        photos.append(folder / f"photo{number}")
        write_image(photos[-1].with_suffix(".jpg"), pixels)
        Image.fromarray(pixels).save(photos[-1].with_suffix(".png"))
        label_maps.append(parse(fit_photo(pixels)[None])[0])
    sizes = [
        take_steps(photo, labels, folder, seconds)
        for _ in range(ROUNDS)
        for photo, labels in zip(photos, label_maps, strict=True)
    ]
    print(f"\n{len(photos)} photos of {size}x{size}: milliseconds a photo")
    for step, times in seconds.items():
        print(f"{1000 * float(np.median(times)):8.2f}  {step}")
    masks, blurs = np.mean(sizes, axis=0) / 1024
    print(f"KiB a photo: 7 masks {masks:.0f}, 7 blurs {blurs:.0f}")


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", metavar="PHOTOS", type=Path, nargs="?")
    parser.add_argument("--photos", type=int, default=12, help="how many of them (default: %(default)s)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[224, 512], help="default: %(default)s")
    arguments = parser.parse_args()
    print(describe())
    parse = open_parser(obtain(DEFAULT_PARSER, "parser").path, "cpu")
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as temporary:
        source = arguments.source
        if source is None:
            source = Path(temporary) / "captures"
            make_captures(source, 2, silent)
        paths = [photo.path for photo in find_photos(source)[0]]
        sources = paths[:: max(1, len(paths) // arguments.photos)][: arguments.photos]
        for size in arguments.sizes:
            measure(size, sources, parse, Path(temporary))


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    main()
