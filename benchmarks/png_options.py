"""How long OpenCV takes to write photos and masks as PNG by its options, and how large the files are.

Usage: python -m benchmarks.png_options PHOTOS [--rounds N]

Photos are resized to 224x224 and to 512x512, and their lower halves are blurred, as occluded photos are; masks are
ellipses. All options take turns in each round, on one core. Printed are, for each strategy and filter at level 1, the
median milliseconds of processor per image, and the mean size of a file in KiB. The pixels are the same with all of
them.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe
from facepart.data.photo_input import read_photo
from facepart.data.photos import find_photos

PHOTOS = 16
FILTERS = {
    "up": cv2.IMWRITE_PNG_FILTER_UP,
    "average": cv2.IMWRITE_PNG_FILTER_AVG,
    "every filter": cv2.IMWRITE_PNG_ALL_FILTERS,
}
STRATEGIES = {
    "all repetitions": cv2.IMWRITE_PNG_STRATEGY_FILTERED,
    "runs alone": cv2.IMWRITE_PNG_STRATEGY_RLE,
    "none": cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY,
}


def make_images(photos: Sequence[NDArray[np.uint8]], side: int) -> list[NDArray[Any]]:
    """Return photos of `side` pixels whose lower halves are blurred."""
    images = [cv2.resize(photo, (side, side), interpolation=cv2.INTER_AREA) for photo in photos]
    for image in images:
        image[side // 2 :] = cv2.GaussianBlur(image, (0, 0), side / 40)[side // 2 :]
    return images


def make_masks(count: int) -> list[NDArray[Any]]:
    """Return masks of 512x512, 0 or 255: ellipses of different sizes."""
    sizes = [(40 + 8 * number, 30 + 5 * number) for number in range(count)]
    return [cv2.ellipse(np.zeros((512, 512), np.uint8), (256, 300), size, 0, 0, 360, 255, -1) for size in sizes]


def measure(images: Sequence[NDArray[Any]], rounds: int) -> dict[str, tuple[float, float]]:
    """Encode all images with all options in turn; return option -> milliseconds and KiB of an image."""
    seconds: dict[str, list[float]] = {}
    sizes: dict[str, int] = {}
    for _ in range(rounds):
        for strategy, sought in STRATEGIES.items():
            for name, number in FILTERS.items():
                options = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, number]
                begun = time.process_time()
                files = [
                    cv2.imencode(".png", image, [*options, cv2.IMWRITE_PNG_STRATEGY, sought])[1] for image in images
                ]
                seconds.setdefault(f"{strategy}, {name}", []).append(time.process_time() - begun)
                sizes[f"{strategy}, {name}"] = sum(map(len, files))
    count = len(images)
    return {
        name: (statistics.median(each) / count * 1e3, sizes[name] / count / 1024) for name, each in seconds.items()
    }


def main() -> None:
    """Measure, and print a table for each kind of image."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, metavar="PHOTOS")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: %(default)s")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    print(describe())
    photos = [read_photo(photo.path) for photo in find_photos(arguments.photos)[0][:PHOTOS]]
    kinds = {f"photos of {side}x{side}": make_images(photos, side) for side in (224, 512)}
    for kind, images in {**kinds, "masks of 512x512": make_masks(len(photos))}.items():
        print(f"{kind:34}{'ms':>8}{'KiB':>8}")
        for name, (milliseconds, size) in measure(images, arguments.rounds).items():
            print(f"  {name:32}{milliseconds:8.2f}{size:8.1f}")


if __name__ == "__main__":
    main()
