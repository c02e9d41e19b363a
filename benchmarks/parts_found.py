"""On how many photos each part is found, and how often left and right are confused.

Usage: python -m benchmarks.parts_found PHOTOS [--people CSV --group NAME] [--step N]

PHOTOS are photos named as in LFW, or any if no group is chosen. Faces are aligned and parsed; photos without a face
are left out. Of the eyes' pixels, it prints how many have the class of the other eye, and how many lie on the other
side of the face's axis; the eye whose landmark is nearer is the true one.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facepart.arrays import parse_faces
from facepart.data.labels import LEAST_DEPTH
from facepart.data.naming_conventions import naming_rule
from facepart.data.photo_input import read_photo
from facepart.data.photos import Photo, find_photos
from facepart.data.subject_table import read_people
from facepart.errors import FacepartError
from facepart.networks.alignment import align_face, aligned_landmarks, find_landmarks
from facepart.networks.catalogue import DETECTOR, obtain
from facepart.networks.face_detector import FaceDetector
from facepart.networks.label_map import CLASSES, SIZE
from facepart.occlusion.landmarks import Landmarks
from facepart.occlusion.parts import BUILT_IN, part_mask
from facepart.study.groups import PhotoRule, assign_groups

CROP = 224


def parsed_faces(photos: list[Photo]) -> Iterator[tuple[NDArray[np.uint8], Landmarks]]:
    """Yield the label map and the landmarks of each photo that shows a face."""
    detector = FaceDetector(obtain(DETECTOR, "detector").path)
    for photo in photos:
        pixels = read_photo(photo.path)
        try:
            points = find_landmarks(pixels, detector)
        except FacepartError as error:
            print(f"{photo.path}: {error}")
            continue
        labels = parse_faces([align_face(pixels, points, CROP)])[0]
        yield labels, Landmarks(aligned_landmarks(points, CROP), CROP, CROP)


def confused(labels: NDArray[np.uint8], landmarks: Landmarks) -> NDArray[np.int64]:
    """Count the eyes' pixels: all, those of the other eye's class, those on the other side."""
    places = np.argwhere(part_mask(labels, BUILT_IN["eyes"]))
    points = (landmarks.points[:2, ::-1] + 0.5) * SIZE / CROP - 0.5
    right, left = np.hypot(*(places[:, None] - points).transpose(2, 1, 0))
    is_left = left < right
    rows, columns = places.T
    by_class = labels[rows, columns] == CLASSES.index("left eye")
    by_side = part_mask(labels, BUILT_IN["left_eye"])[rows, columns] > 0
    return np.array([len(places), np.sum(by_class != is_left), np.sum(by_side != is_left)], np.int64)


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, metavar="PHOTOS")
    parser.add_argument("--people", type=Path, metavar="CSV")
    parser.add_argument("--group", metavar="NAME")
    parser.add_argument("--step", type=int, default=1, help="every so many photos (default: %(default)s)")
    arguments = parser.parse_args()
    photos, _ = find_photos(arguments.source)
    if arguments.people:
        names, rule = [photo.name for photo in photos], PhotoRule(naming_rule("LFW"), LEAST_DEPTH)
        members = assign_groups(names, read_people(arguments.people), rule, [arguments.group])
        chosen = set(members.groups[arguments.group])
        photos = [photo for photo in photos if photo.name in chosen]
    found = dict.fromkeys(BUILT_IN, 0)
    count, pixels = 0, np.zeros(3, np.int64)
    for labels, landmarks in parsed_faces(photos[:: arguments.step]):
        count += 1
        pixels += confused(labels, landmarks)
        for name, part in BUILT_IN.items():
            found[name] += bool(part_mask(labels, part, landmarks).any())
    by_class, by_side = pixels[1:] / pixels[0]
    print(f"{count} photos; eyes' pixels of the other eye's class: {by_class:.1%}, on the other side: {by_side:.2%}")
    for name, photos_with in found.items():
        print(f"{name:16} {photos_with} {photos_with / count:.1%}")


if __name__ == "__main__":
    main()
