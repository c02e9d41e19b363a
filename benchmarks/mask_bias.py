"""Whether the masks of the default precision are larger or smaller than those of fp32, part by part.

Usage: python -m benchmarks.mask_bias PHOTOS [--photos N] [--precision bf16]

PHOTOS is a folder of photos; N of them are parsed as they are, in fp32 and in the other precision. For each part it
prints its pixels relative to fp32, over all photos, and the share of the photos in which it is larger and smaller;
then the share of pixels that differ, and of these the share that got the class with the lower number.
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.machine import describe
from facepart.data.photo_input import read_photo
from facepart.data.photos import find_photos
from facepart.networks.catalogue import DEFAULT_PARSER, obtain
from facepart.networks.face_parser import fit_photo, open_parser
from facepart.occlusion.parts import PARTS


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, metavar="PHOTOS")
    parser.add_argument("--photos", type=int, default=96, help="how many at most (default: %(default)s)")
    parser.add_argument("--precision", default="bf16", help="(default: %(default)s)")
    arguments = parser.parse_args()
    print(describe())
    paths = [photo.path for photo in find_photos(arguments.source)[0][: arguments.photos]]
    photos = np.stack([fit_photo(read_photo(path)) for path in paths])
    weights = obtain(DEFAULT_PARSER, "parser").path
    exact, found = (open_parser(weights, "cpu", precision)(photos) for precision in ("fp32", arguments.precision))
    print(f"{len(photos)} photos, {arguments.precision} relative to fp32")
    for name, part in PARTS.items():
        before, after = (np.isin(labels, part.classes).sum(axis=(1, 2)) for labels in (exact, found))
        larger, smaller = (after > before).mean(), (after < before).mean()
        print(
            f"  {name:11} pixels {after.sum() / before.sum():.4f}, larger in {larger:.0%}, smaller in {smaller:.0%}"
        )
    unlike = exact != found
    lower = (found[unlike] < exact[unlike]).mean()
    print(f"  {unlike.mean():.4%} of the pixels differ; of these, {lower:.1%} have the class with the lower number")


if __name__ == "__main__":
    main()
