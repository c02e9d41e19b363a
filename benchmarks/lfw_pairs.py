"""Accuracy of a recogniser on Labeled Faces in the Wild, with photos aligned by facepart.

Usage: python benchmarks/lfw_pairs.py PATH/TO/pairs.txt [--images FOLDER] [--model NAME|PATH] [--flip]

Prints the accuracy at the best single threshold over the given verification pairs (same person: ``name n1 n2``;
different people: ``name1 n1 name2 n2``; the counts of the official file's first line are passed over). Where the
file has far more pairs of one kind than of the other, that accuracy says little about the other kind; so the share
of authentic pairs missed (FNMR) is printed too, at the threshold that lets one impostor pair in a thousand pass
(FMR), among all pairs of the photos that the file names.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facepart.cli.progress_bar import ProgressBar
from facepart.data.path_lists import write_list
from facepart.pipeline.extract import extract_features

FMR = 1e-3


def read_pairs(path: Path) -> list[tuple[str, str]]:
    """Read the pairs: two photos each, called ``Name/Name_0001``; they are authentic if the folders are equal."""
    pairs = []
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if len(words) == 3:
            words = [words[0], words[1], words[0], words[2]]
        if len(words) == 4:
            first, second = (f"{name}/{name}_{int(count):04d}" for name, count in (words[:2], words[2:]))
            pairs.append((first, second))
    return pairs


def best_accuracy(scores: NDArray[np.floating], same: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the highest share of pairs that a single threshold judges rightly, and that threshold."""
    order = np.argsort(scores)
    # Right if the pairs up to i are called different and those after it the same, for i = 0 .. n.
    right = np.r_[0, np.cumsum(~same[order])] + (same.sum() - np.r_[0, np.cumsum(same[order])])
    best = int(np.argmax(right))
    return float(right[best] / len(scores)), float(scores[order[min(best, len(scores) - 1)]])


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--images", type=Path, help="folder with a folder a person (default: images beside pairs)")
    parser.add_argument("--model", help="the recogniser (default: the program's)")
    parser.add_argument("--flip", action="store_true", help="average with the mirrored face")
    arguments = parser.parse_args()
    images = arguments.images or arguments.pairs.parent / "images"
    pairs = read_pairs(arguments.pairs)
    names = sorted({name for pair in pairs for name in pair})
    with tempfile.TemporaryDirectory() as temporary, ProgressBar("extract") as progress:
        photos, features = Path(temporary) / "photos.txt", Path(temporary) / "features"
        write_list(photos, [images / f"{name}.jpg" for name in names])
        outcome = extract_features(
            photos, features, model=arguments.model, flip=arguments.flip, align=True, progress=progress
        )
        for failure in outcome.failures:
            print(f"{failure.path}: {failure.reason}")
        row = {name: index for index, name in enumerate(names)}
        # A photo that failed keeps zeros: its pairs count, as pairs of different people.
        embeddings = np.zeros((len(names), 0), np.float32)
        for name in names:
            if (features / f"{name}.npy").exists():
                embedding = np.load(features / f"{name}.npy", allow_pickle=False)
                embeddings = embeddings if embeddings.size else np.zeros((len(names), len(embedding)), np.float32)
                embeddings[row[name]] = embedding

    first, second = (np.array([row[pair[side]] for pair in pairs]) for side in (0, 1))
    person = np.array([name.partition("/")[0] for name in names])
    scores = (embeddings[first] * embeddings[second]).sum(axis=1)
    same = person[first] == person[second]
    accuracy, threshold = best_accuracy(scores, same)
    everyone = embeddings @ embeddings.T
    upper = np.triu(np.ones_like(everyone, dtype=bool), 1)
    equal = person[:, None] == person
    strict = np.quantile(everyone[upper & ~equal], 1 - FMR)
    missed = np.mean(everyone[upper & equal] < strict)
    print(f"recogniser: {outcome.model}{', with flip' if arguments.flip else ''}")
    print(f"photos: {len(names)}, of which {len(outcome.failures)} without a face")
    print(f"pairs: {same.sum()} of one person, {(~same).sum()} of two")
    print(f"accuracy at the best single threshold ({threshold:.3f}): {100 * accuracy:.2f} %")
    print(f"all pairs of these photos: FNMR {100 * missed:.2f} % at FMR {100 * FMR:.1f} % ({strict:.3f})")


if __name__ == "__main__":
    main()
