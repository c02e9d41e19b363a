"""Features, matrices, scores, sums by subject, shards and images of reports, damaged."""

import json
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.fuzz.damages import NPY, TEXT, ZIP
from benchmarks.fuzz.kind import Kind, MadeAnewError, breaks_checksums
from facepart.data.feature_files import find_features
from facepart.data.naming_conventions import naming_rule
from facepart.matching.features import read_features
from facepart.matching.match import match_features
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.occlusion.parts import PARTS
from facepart.pipeline.embedded_photo import EmbeddedPhoto
from facepart.pipeline.embedding_store import EmbeddingStore
from facepart.pipeline.feature_matrix_files import find_whole_rows
from facepart.pipeline.thumbnails import THUMBNAIL
from facepart.scores import load_scores, read_kind
from facepart.scores.pair_ranks import PairFiles, ranks_of_pairs
from facepart.scores.ranks import read_ranks
from facepart.scores.subject_sums import load_subject_sums_of
from facepart.study.report_images import read_report_images

NAMES = [f"{person:03}_{shot}" for person in range(4) for shot in range(2)]
LENGTH = 32
# How far the length of a feature of `facepart extract` may be from 1.
_TOLERANCE = 1e-3
OCCLUSION = Occlusion(Region(PARTS["eyes"]))


def unit_rows() -> NDArray[np.float32]:
    """Return the embeddings of NAMES: two similar ones for each subject."""
    generator = np.random.default_rng(0)
    people = np.repeat(generator.standard_normal((len(NAMES) // 2, LENGTH)), 2, axis=0)
    rows = people + 0.5 * generator.standard_normal(people.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def put_features(folder: Path) -> Path:
    """Write features as `facepart extract` does, with their record; return their list."""
    for name, row in zip(NAMES, unit_rows(), strict=True):
        np.save(folder / f"{name}.npy", row)
    settings = {"model": "net", "sha256": "a1", "dimension": LENGTH}
    (folder / "run.json").write_text(json.dumps({"stage": "extract", "settings": settings, "counts": None}))
    (folder / "list.txt").write_text("".join(f"{name}.npy\n" for name in NAMES))
    return folder / "list.txt"


def _is_unit(row: NDArray[Any]) -> bool:
    """Return whether a row is what the record beside it says: LENGTH values, of length 1."""
    values = row.astype(np.float64)
    return values.shape[-1] == LENGTH and bool((np.abs(np.linalg.norm(values, axis=-1) - 1) <= 2 * _TOLERANCE).all())


class Feature(Kind):
    """A feature in a list, beside the record of its extraction."""

    name, family, damages, victims = "feature", "features", NPY, ("001_0.npy",)

    def make(self, folder: Path) -> None:
        """Write features."""
        put_features(folder)

    def read(self, folder: Path) -> object:
        """Read them by their list."""
        found = read_features(folder / "list.txt")
        return found.matrix, found.labels

    def could_tell(self, folder: Path, victim: str) -> bool:
        """Return whether the values do not have the length of an embedding; bits of .npy have no checksum."""
        return not _is_unit(np.load(folder / victim))


class FoundFeatures(Feature):
    """A folder with a feature called ``features.npy``."""

    name, victims, share = "feature by that name", ("features.npy",), 0.5

    def make(self, folder: Path) -> None:
        """Write it."""
        np.save(folder / "features.npy", unit_rows())
        np.save(folder / "a.npy", unit_rows()[0])

    def read(self, folder: Path) -> object:
        """Find the features of the folder."""
        return [path.name for path in find_features(folder)]

    def could_tell(self, folder: Path, victim: str) -> bool:
        """Return False: a file that is damaged is found as a feature, and refused when it is read."""
        return False


class Matrix(Kind):
    """A matrix of features."""

    name, family, damages = "matrix", "matrices", NPY
    victims: ClassVar[tuple[str, ...]] = ("features.npy",)

    def make(self, folder: Path) -> None:
        """Write it, with labels, names and the record."""
        put_features(folder)
        np.save(folder / "features.npy", unit_rows())
        (folder / "labels.txt").write_text("".join(f"a/{name}\n" for name in NAMES))
        (folder / "names.txt").write_text("".join(f"b/a/{name}\n" for name in NAMES))

    def read(self, folder: Path) -> object:
        """Read it as the matcher does."""
        found = read_features(folder / "features.npy")
        return found.matrix, found.labels, found.names

    def could_tell(self, folder: Path, victim: str) -> bool:
        """Return whether a row does not have the length of an embedding."""
        return not _is_unit(np.load(folder / "features.npy"))


class MatrixRows(Matrix):
    """A matrix that an extraction adds to."""

    name, share = "matrix that is resumed", 0.5

    def read(self, folder: Path) -> object:
        """Find its whole rows."""
        found = find_whole_rows(folder / "features.npy", NAMES, LENGTH)
        if len(found) < len(NAMES):
            raise MadeAnewError
        return found, np.load(folder / "features.npy")


class Labels(Matrix):
    """The labels and names of a matrix."""

    name, damages, victims = "labels and names", TEXT, ("labels.txt", "names.txt")

    def could_tell(self, folder: Path, victim: str) -> bool:
        """Return whether a label is not the end of the name in its line."""
        labels, names = (
            (folder / file).read_text("utf-8-sig").split("\n")[:-1] for file in ("labels.txt", "names.txt")
        )
        stripped = [label.strip(" \t\r") for label in labels]
        return any(not name.endswith(label.split("/")[-1]) for label, name in zip(stripped, names, strict=False))


@cache
def _matched(folder: Path) -> dict[str, bytes]:
    """Return the files that the matcher writes of the features above."""
    folder.mkdir(exist_ok=True)
    (folder / "f").mkdir()
    match_features(put_features(folder / "f"), None, folder / "m", "A", save="both", ranks=True, dataset="MORPH")
    return {path.name: path.read_bytes() for path in (folder / "m").iterdir() if path.is_file()}


class _Scores(Kind):
    """What the matcher writes."""

    def make(self, folder: Path) -> None:
        """Write it."""
        for name, data in _matched(folder.parent / "matched").items():
            (folder / name).write_bytes(data)


class Distribution(_Scores):
    """Scores as a distribution: a zip, whose members have a CRC-32."""

    name, family, damages, victims = "scores.npz", "scores", ZIP, ("A_scores.npz",)

    def read(self, folder: Path) -> object:
        """Read them."""
        return load_scores(folder / "A_scores.npz")

    def could_tell(self, folder: Path, victim: str) -> bool:
        """Return whether a member does not have its CRC-32."""
        return breaks_checksums(folder / victim)


class SubjectSums(_Scores):
    """Sums by subject."""

    name, family, damages, victims = "people.npz", "sums", ZIP, ("A_people.npz",)

    def read(self, folder: Path) -> object:
        """Read them beside their scores."""
        return load_subject_sums_of(folder / "A_people.npz", load_scores(folder / "A_scores.npz")._asdict())

    def could_tell(self, folder: Path, victim: str) -> bool:
        """Return whether a member does not have its CRC-32."""
        return breaks_checksums(folder / victim)


class Pairs(_Scores):
    """Scores as pairs: a .npy, without a checksum."""

    name, family, damages, victims = "authentic.npy", "scores", NPY, ("A_authentic.npy",)

    def read(self, folder: Path) -> object:
        """Read them as scores."""
        return read_kind(folder / "A_authentic.npy", "authentic")


class PairRanks(_Scores):
    """Pairs and labels, from which ranks are made."""

    name, family, damages = "pairs with labels", "scores", NPY
    victims: ClassVar[tuple[str, ...]] = ("A_authentic.npy", "A_impostor.npy")

    def read(self, folder: Path) -> object:
        """Make the ranks."""
        files = PairFiles(folder / "A_authentic.npy", folder / "A_impostor.npy", folder / "A_labels.txt", None)
        return ranks_of_pairs(files, naming_rule("MORPH"))


class PairLabels(PairRanks):
    """The labels of pairs."""

    name, damages, victims, share = "labels of pairs", TEXT, ("A_labels.txt",), 0.5


class TextScores(Kind):
    """Scores as a text, of three columns."""

    name, family, damages = "scores.txt", "scores", TEXT

    def make(self, folder: Path) -> None:
        """Write them."""
        rows = [f"a{row}.jpg,b{row}.jpg,{0.01 * row:.6f}\n" for row in range(40)]
        (folder / "s.txt").write_text("probe,gallery,score\n" + "".join(rows))

    def read(self, folder: Path) -> object:
        """Read them."""
        return read_kind(folder / "s.txt", "impostor")


class Ranks(_Scores):
    """A table of ranks."""

    name, family, damages, victims = "ranks.csv", "tables", TEXT, ("A_ranks.csv",)

    def read(self, folder: Path) -> object:
        """Read it."""
        return read_ranks(folder / "A_ranks.csv")


def put_store(folder: Path) -> EmbeddingStore:
    """Write a shard of embeddings."""
    store = EmbeddingStore(folder, [OCCLUSION])
    generator = np.random.default_rng(2)
    for name, row in zip(NAMES, unit_rows(), strict=True):
        store.add(
            EmbeddedPhoto(
                name,
                f"1-{name}",
                embeddings={"baseline": row, OCCLUSION.name: row[::-1].copy()},
                pixels={"eyes": 100},
                shares={OCCLUSION.name: 0.1},
                overlaps={OCCLUSION.name: generator.random(7).astype(np.float32)},
                head=5000,
                side=112,
            )
        )
    store.flush()
    return store


class Shard(Kind):
    """A shard of embeddings."""

    name, family, damages = "shard", "shards", ZIP
    share = 2.0

    def make(self, folder: Path) -> None:
        """Write it."""
        put_store(folder)

    def read(self, folder: Path) -> object:
        """Read all of it."""
        store = EmbeddingStore(folder, [OCCLUSION])
        names = [name for name in NAMES if name in store.photos]
        found = [store.embeddings(occlusion, names) for occlusion in ("baseline", OCCLUSION.name)]
        return store.photos, found, store.overlaps(OCCLUSION.name, names)

    def could_tell(self, folder: Path, victim: str) -> bool:
        """Return whether a member does not have its CRC-32."""
        return breaks_checksums(folder / victim)


class Images(Kind):
    """The images of a report."""

    name, family, damages, share = "images of a report", "shards", ZIP, 0.5

    def make(self, folder: Path) -> None:
        """Write them."""
        arrays: dict[str, Any] = {
            f"sample0_{what}": np.full((THUMBNAIL, THUMBNAIL, 3), 7, np.uint8)
            for what in ("photo", f"occluded_{OCCLUSION.name}")
        }
        arrays |= {
            "photo": arrays["sample0_photo"],
            f"share_{OCCLUSION.name}": np.ones((THUMBNAIL, THUMBNAIL), np.float32),
        }
        mask = np.zeros((THUMBNAIL, THUMBNAIL), np.uint8)
        arrays |= {f"sample0_mask_{OCCLUSION.name}": mask, "names": np.array(["a"])}
        np.savez(folder / "images.npz", allow_pickle=False, **arrays)

    def read(self, folder: Path) -> object:
        """Read them."""
        found = read_report_images(folder / "images.npz", [OCCLUSION])
        if found is None:
            raise MadeAnewError
        return found

    def could_tell(self, folder: Path, victim: str) -> bool:
        """Return whether a member does not have its CRC-32."""
        return breaks_checksums(folder / victim)


KINDS: list[Kind] = [
    *(Feature(), FoundFeatures(), Matrix(), MatrixRows(), Labels(), Distribution(), SubjectSums(), Pairs()),
    *(PairRanks(), PairLabels(), TextScores(), Ranks(), Shard(), Images()),
]
