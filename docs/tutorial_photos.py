"""Make the photos and the table of docs/tutorial.md: python3 docs/tutorial_photos.py FOLDER.

Writes FOLDER/raw, simulated snapshots of the nine subjects of `facepart demo`, and FOLDER/people.csv, the table of
subjects. Snapshots are framed more loosely than the captures of the demo and rotated further, as photos are before
alignment. Two photos are wrong on purpose: one shows no face, one shows six people. All are the same in every run.
"""

import sys
from collections import Counter
from operator import attrgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from facepart.demo.captures import Variation, simulate_captures
from facepart.demo.photographs import fetch_photographs
from facepart.networks.alignment import align_face
from facepart.networks.catalogue import DETECTOR, obtain
from facepart.networks.face_detector import FaceDetector, choose_face

PEOPLE = """\
subject,scene
biden,portrait
hanks,portrait
obama,portrait
t1a,crowd
t1b,crowd
t1c,crowd
t1d,crowd
t1e,crowd
t1f,crowd
"""
# Photos of each subject, and their side in pixels.
SNAPSHOTS, SIDE = 8, 400
VARIATION = Variation(rotation=20)
# Sides of a snapshot and of an aligned crop, as a ratio.
LOOSE = 1.8
# The photo without a face shows what is below this one, by so many distances between the eyes.
FACELESS, BELOW = "obama_0", 7.0
# The photo of six people is named like those of this one, who is not the one near the centre.
CROWD, FILED_UNDER = "t1.jpg", "t1d"


def loosen(landmarks: NDArray[np.floating], factor: float) -> NDArray[np.float64]:
    """Move landmarks away from their centre, so that a crop by them shows more than the face.

    Args:
        landmarks: (5, 2), x and y.
        factor: side of the crop, in sides of the crop by `landmarks` themselves.

    Returns:
        float64, (5, 2).
    """
    points = np.asarray(landmarks, np.float64)
    centre = points.mean(axis=0)
    return (points - centre) * factor + centre


def make_snapshots(folder: Path, snapshots: int = SNAPSHOTS) -> None:
    """Write the photos: `snapshots` of each subject, one without a face, and one of six people.

    Raises:
        FacepartError: the photographs or the detector cannot be fetched, or the folder cannot be written to.
    """
    photographs = fetch_photographs()
    appearances = Counter(subject for subjects in photographs.values() for subject in subjects)
    seen: Counter[str] = Counter()
    detector = FaceDetector(obtain(DETECTOR, "detector").path)
    for path, subjects in photographs.items():
        photo = read_photo(path)
        faces = sorted(detector.detect(photo), key=attrgetter("box"))
        chosen = faces if len(subjects) > 1 else [choose_face(faces, photo.shape)]
        for subject, face in zip(subjects, chosen, strict=True):
            name = f"{subject}_{seen[subject]}"
            share = len(range(seen[subject], snapshots, appearances[subject]))
            seen[subject] += 1
            frame = loosen(face.landmarks, LOOSE)
            for number, picture in enumerate(simulate_captures(photo, frame, share, SIDE, name, VARIATION)):
                write_image(folder / f"{name}_{number:02d}.png", picture)
            if name == FACELESS:
                below = np.array([0, BELOW * np.linalg.norm(face.landmarks[1] - face.landmarks[0])])
                write_image(folder / "obama_3_00.png", align_face(photo, frame + below, SIDE))
        if path.name == CROWD:
            write_image(folder / f"{FILED_UNDER}_1_00.png", photo)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    make_snapshots(target / "raw")
    (target / "people.csv").write_text(PEOPLE)
