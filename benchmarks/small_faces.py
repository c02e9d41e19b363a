"""How small a face can be for its part masks to be relied on.

Usage: python -m benchmarks.small_faces PHOTOS [--photos N]

PHOTOS is a folder of portraits. The faces of N of them are aligned to 224x224 pixels, shrunk by area, and parsed. For
each size and part it prints the median IoU with the mask at 224 pixels, and the share of the photos on which
the part is no longer found.
"""

import argparse
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe
from benchmarks.material import align_some
from facepart.data.photo_input import read_photo
from facepart.networks.catalogue import DEFAULT_PARSER, obtain
from facepart.networks.engine import Engine
from facepart.networks.face_parser import fit_photo, open_parser
from facepart.occlusion.parts import PARTS

SIDES = (224, 160, 128, 112, 96, 80, 64, 56, 48, 40, 32, 24)


def compare(parser: Engine, photos: list[NDArray[np.uint8]], side: int) -> dict[str, tuple[float, float]]:
    """Return, for each part, the median IoU of the masks of shrunk photos, and the share on which it is not found."""
    shrunk = [cv2.resize(photo, (side, side), interpolation=cv2.INTER_AREA).astype(np.uint8) for photo in photos]
    whole, small = (parser(np.stack([fit_photo(photo) for photo in each])) for each in (photos, shrunk))
    found = {}
    for name, part in PARTS.items():
        before, after = (np.isin(labels, part.classes).reshape(len(labels), -1) for labels in (whole, small))
        there = np.flatnonzero(before.any(axis=1))
        before, after = before[there], after[there]
        shared = (before & after).sum(axis=1) / (before | after).sum(axis=1)
        found[name] = float(np.median(shared)), float(1 - after.any(axis=1).mean())
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, metavar="PHOTOS")
    parser.add_argument("--photos", type=int, default=48, help="how many at most (default: %(default)s)")
    arguments = parser.parse_args()
    print(describe())
    with tempfile.TemporaryDirectory() as folder:
        aligned = align_some(arguments.source, arguments.photos, Path(folder) / "aligned")
        photos = [read_photo(path) for path in aligned]
    engine = open_parser(obtain(DEFAULT_PARSER, "parser").path, "cpu", "fp32")
    for side in SIDES:
        cells = [f"{name} {iou:.2f} ({lost:.0%})" for name, (iou, lost) in compare(engine, photos, side).items()]
        print(f"{side:4}  {'  '.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
