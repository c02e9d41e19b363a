"""What matching costs on this machine, measured in a few seconds on made-up faces; nothing is kept."""

import tempfile
import time
from pathlib import Path

import numpy as np

from facepart.matching.cosine import unit_rows
from facepart.matching.counting import count_scores
from facepart.matching.faces import Faces
from facepart.matching.match import match_features
from facepart.matching.subject_statistics import SubjectTailCounts, authentic_scores, choose_first_bin
from facepart.matching.tile_kernels import COMPILED_FROM, kernels_for
from facepart.study.cost import MatchCost

# Faces of the two runs whose difference is taken, which leaves out what a run costs whatever its size.
_FEW, _MANY = 2048, 8192
_FACES_EACH = 4  # of a subject
_ROUNDS = 3


def measure_matching(dimension: int) -> MatchCost:
    """Measure how fast one processor of this machine matches made-up faces.

    Times are processor times, so that other programs at work on this machine do not count.

    Args:
        dimension: values of an embedding.
    """
    few, many = (_make_faces(count, dimension) for count in (_FEW, _MANY))
    # In groups that take long, compiled kernels count: from here on, in this process.
    kernels_for(COMPILED_FROM, 1)
    pairs = (_MANY * (_MANY - 1) - _FEW * (_FEW - 1)) // 2
    counting = _time_counting(many) - _time_counting(few)
    whole = _time_match(many) - _time_match(few)
    return MatchCost(pair=max(counting, 0.0) / pairs, face=max(whole - counting, 0.0) / (_MANY - _FEW))


def _make_faces(count: int, dimension: int) -> Faces:
    """Make up faces of subjects who look alike on their photos: authentic scores of about 0.5, impostor ones of 0."""
    generator = np.random.default_rng(count)
    subjects = np.arange(count) // _FACES_EACH
    centres = generator.standard_normal((-(-count // _FACES_EACH), dimension), dtype=np.float32)
    rows = generator.standard_normal((count, dimension), dtype=np.float32) + centres[subjects]
    return Faces(unit_rows(rows), subjects, np.arange(count))


def _time_counting(faces: Faces) -> float:
    """Return the seconds in which one thread counts the scores of all pairs: those of the fastest round."""
    lowest = choose_first_bin(faces, None, authentic_scores(faces, None)[1])
    seconds = []
    for _ in range(_ROUNDS):
        tails = SubjectTailCounts(int(faces.subjects[-1]) + 1, lowest)
        begun = time.process_time()
        count_scores(faces, workers=1, tails=tails)
        seconds.append(time.process_time() - begun)
    return min(seconds)


def _time_match(faces: Faces) -> float:
    """Return the seconds of a whole match, from the file of features to the score files."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        np.save(folder / "features.npy", faces.embeddings)
        labels = [f"photos/{subject}_{photo}\n" for subject, photo in zip(faces.subjects, faces.photos, strict=True)]
        (folder / "labels.txt").write_text("".join(labels), encoding="utf-8")
        begun = time.process_time()
        match_features(folder / "features.npy", None, folder / "matches", "all", save="distribution", workers=1)
        return time.process_time() - begun
