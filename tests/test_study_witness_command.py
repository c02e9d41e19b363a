"""The command's own tables against the oracle, from the files that it keeps: features, pairs, masks and photos.

What :mod:`tests.test_study_witness` shows of drawn embeddings is shown here of photos and networks: that each row is
of the photos that it says it is of. Nothing of facepart is imported.
"""

import csv
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.conftest import Run
from tests.witness.raw_scores import BASELINE, Design, Group, Scores, Version, list_pairs
from tests.witness.study_oracle import MOVED, NOT_CONTROLLABLE, OCCLUDED, StudyOracle
from tests.witness.study_tables import COLUMNS, JSON, RESULTS, WORDS, check_rows, check_table

pytestmark = pytest.mark.slow

# Classes of the label map, as the original study puts them together.
CLASSES = {
    "eyes": {4, 5},
    "brows": {2, 3},
    "eyes_brows": {2, 3, 4, 5, 6},
    "nose": {10},
    "mouth": {11, 12, 13},
    "hair": {17},
    "skin": {1},
}
# All but background, neck, necklace, cloth and hat.
HEAD = set(range(19)) - {0, 14, 15, 16, 18}
GREY = 128
# The main occlusion takes grey in the part's place, so that photos tell how much of them was replaced.
DESIGN = Design(("nose", "hair"), ("grey", "blur"), draws=2, cross=True)
# Photos whose nose is painted over.
NOSELESS = 3
# Embeddings are 32-bit floats, whose lengths are 1 only nearly.
NEARLY = 1e-7
# Grey levels are whole numbers; and of controls the share is taken to be the part's.
LOOSE = {"share replaced": 0.04, "impostor shift per 1 % of image": 0.04}
# What the tables call the one group of a study without a table of subjects.
ONE_GROUP = "all"


@dataclass
class Kept:
    """What a study kept."""

    out: Path
    labels: Path

    @cached_property
    def names(self) -> list[str]:
        lines = (self.out / "features" / "baseline" / "list.txt").read_text().splitlines()
        return [Path(line).stem for line in lines]

    def embeddings(self, version: Version) -> NDArray[np.float64]:
        folder = self.out / "features" / folder_of(version)
        rows = np.stack([np.load(folder / f"{name}.npy") for name in self.names]).astype(np.float64)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def scores(self, folder: str, photos: Group, names: list[str], *, cross: bool) -> Scores:
        """Read the lists of pairs of some photos."""
        place = self.out / "matches" / folder
        for file in ("all_labels.txt", *(["all_gallery_labels.txt"] if cross else [])):
            lines = (place / file).read_text().splitlines()
            assert [line.split("/")[-1] for line in lines] == names
        authentic, impostor = (np.load(place / f"all_{kind}.npy") for kind in ("authentic", "impostor"))
        count = len(names)
        assert len(authentic) + len(impostor) == (count * (count - 1) if cross else count * (count - 1) // 2)
        owners = [photos.numbers[authentic[:, place].astype(int)] for place in (0, 1)]
        assert np.array_equal(*owners)
        first, second = (photos.numbers[impostor[:, place].astype(int)] for place in (0, 1))
        assert (first != second).all()
        rows = np.concatenate([authentic, impostor])
        i, j = rows[:, :2].astype(int).T
        return list_pairs(photos.subjects, i, j, rows[:, 2], both_ways=not cross)

    def label_maps(self) -> list[NDArray[np.uint8]]:
        return [np.asarray(Image.open(self.labels / f"{name}.png")) for name in self.names]

    def replaced(self, part: str) -> NDArray[np.float64]:
        """By how much each photo went from itself to grey, where that can be told."""
        shares = []
        for name in self.names:
            photo, greyed = (
                np.asarray(Image.open(path).convert("RGB")).astype(float)
                for path in (
                    self.out / "photos" / f"{name}.png",
                    self.out / f"blurred/blurred_{part}/{name}.png",
                )
            )
            away = photo - GREY
            channel = np.abs(away).argmax(axis=2)[:, :, None]
            far, moved = (np.take_along_axis(each, channel, 2)[:, :, 0] for each in (away, photo - greyed))
            is_clear = np.abs(far) > 8
            shares.append(float((moved[is_clear] / far[is_clear]).mean()))
        return np.array(shares)


def folder_of(version: Version) -> str:
    if version == BASELINE:
        return "baseline"
    occlusion = "" if version.occlusion == "blur" else f"_{version.occlusion}"
    return f"{version.part}{occlusion}{f'_control{version.draw}' if version.draw else ''}"


@pytest.fixture(scope="module")
def kept(
    tmp_path_factory: pytest.TempPathFactory,
    face_paths: list[Path],
    bisenet_weights: Path,
    recogniser_weights: Path,
    detector_weights: Path,
    run: Run,
) -> Kept:
    """A study of 12 people of two photos, and the label maps of the aligned ones, by ``facepart blur``."""
    del bisenet_weights, detector_weights
    folder = tmp_path_factory.mktemp("command")
    (folder / "photos").mkdir()
    for path in face_paths[:24]:
        with Image.open(path) as image:
            image.convert("RGB").resize((256, 256)).save(folder / "photos" / f"{path.stem}.png")
    network = ["--device", "cpu", "--precision", "fp32"]
    paint_noses(sorted((folder / "photos").iterdir())[:NOSELESS], folder / "painted", network, run)
    study = ["study", "-s", folder / "photos", "-o", folder / "out", "--model", recogniser_weights, *network]
    study += ["--parts", *DESIGN.parts, "--occlusion", ",".join(DESIGN.occlusions), "--control", str(DESIGN.draws)]
    study += ["--align", "--cross", "--keep", "masks,photos,features,pairs"]
    blur = [
        "blur",
        "-s",
        folder / "out" / "photos",
        "-m",
        folder / "masks",
        "-d",
        folder / "blurred",
        "--save-labels",
    ]
    sources = {"photos": folder / "out" / "photos", "grey": folder / "out" / "blurred"}
    sources |= {part: folder / "blurred" / f"blurred_{part}" for part in DESIGN.parts}
    extract = [
        ["extract", "-s", source, "-d", folder / "features" / name, "--model", recogniser_weights, *network]
        for name, source in sources.items()
    ]
    for command in (study, [*blur, *network], *extract):
        done = run("-m", "facepart", *command)
        assert done.returncode == 0, done.stderr
    return Kept(folder / "out", folder / "masks" / "labels")


def paint_noses(photos: list[Path], folder: Path, network: list[str], run: Run) -> None:
    """Paint a green box over the noses of photos, so that the parser finds none."""
    folder.mkdir()
    (folder / "list.txt").write_text("".join(f"{photo}\n" for photo in photos))
    outputs = ["-m", folder / "masks", "-d", folder / "blurred"]
    done = run("-m", "facepart", "blur", "-s", folder / "list.txt", *outputs, "--parts", "nose", *network)
    assert done.returncode == 0, done.stderr
    for photo in photos:
        mask = cv2.imread(str(folder / "masks" / "mask_nose" / f"{photo.stem}_annotation.png"), cv2.IMREAD_GRAYSCALE)
        assert mask is not None
        image = cv2.imread(str(photo))
        assert image is not None
        left, top, width, height = cv2.boundingRect(cv2.resize(mask, image.shape[1::-1]))
        image[top - 6 : top + height + 6, left - 6 : left + width + 6] = 0, 200, 0
        cv2.imwrite(str(photo), image)


@pytest.fixture(scope="module")
def oracle(kept: Kept) -> StudyOracle:
    maps = kept.label_maps()
    embeddings = {version: kept.embeddings(version) for version in (BASELINE, *DESIGN.versions)}
    # Of control regions only their embeddings are kept: where there is none, they are those of the photo itself.
    changed = {version: (rows != embeddings[BASELINE]).any(axis=1) for version, rows in embeddings.items()}
    replaced = {part: kept.replaced(part) for part in DESIGN.parts}
    group = Group(
        subjects=np.array([name.split("_")[0] for name in kept.names]),
        embeddings=embeddings,
        head=np.array([pixels_of(labels, HEAD) for labels in maps]),
        pixels={part: np.array([pixels_of(labels, CLASSES[part]) for labels in maps]) for part in DESIGN.parts},
        replaced={version: replaced[version.part] * changed[version] for version in DESIGN.versions},
    )
    for part in DESIGN.parts:
        assert np.array_equal(group.found(Version(part, DESIGN.main), DESIGN), group.pixels[part] > 0)
    for version, cross in conditions():
        photos = group.compared(version, DESIGN)
        names = kept.names if photos is group else np.array(kept.names)[group.found(version, DESIGN)].tolist()
        folder = folder_of(version)
        photos.scores[version, cross] = kept.scores(
            f"cross_{folder}" if cross else folder, photos, names, cross=cross
        )
        if photos is not group and (BASELINE, False) not in photos.scores:
            region = folder_of(Version(version.part, "blur", min(version.draw, 1)))
            before = kept.scores(f"baseline_photos_with_{region}", photos, names, cross=False)
            photos.scores[BASELINE, False] = before
    return StudyOracle(DESIGN, {ONE_GROUP: group})


def conditions() -> list[tuple[Version, bool]]:
    crossed = [(Version(part, DESIGN.main), True) for part in DESIGN.parts]
    return [(BASELINE, False), *((version, False) for version in DESIGN.versions), *crossed]


def pixels_of(labels: NDArray[np.uint8], classes: set[int]) -> int:
    return int(np.isin(labels, list(classes)).sum())


def test_some_photos_show_no_nose(oracle: StudyOracle) -> None:
    (group,) = oracle.groups.values()
    found = group.found(Version("nose", DESIGN.main), DESIGN)
    assert not found[:NOSELESS].any()
    assert found[NOSELESS:].all()
    rows = {(row["part"], row["occlusion"], row["comparison"]): row for row in oracle.results()}
    assert rows["nose", "grey", OCCLUDED]["photos compared"] == len(found) - NOSELESS
    assert rows["hair", "grey", OCCLUDED]["kind of control"] == NOT_CONTROLLABLE
    assert rows["nose", "grey", OCCLUDED]["kind of control"] == MOVED


def test_pairs_are_the_cosines_of_the_features(oracle: StudyOracle) -> None:
    (group,) = oracle.groups.values()
    for photos in (group, *group.chosen.values()):
        compared = Group(photos.subjects, photos.embeddings, photos.head, photos.pixels, photos.replaced)
        assert photos.scores
        for (version, cross), listed in photos.scores.items():
            computed = compared.compare(version, cross)
            for kind, owners in (("authentic", ["owner"]), ("impostor", ["first", "second"])):
                assert all(np.array_equal(getattr(listed, each), getattr(computed, each)) for each in owners)
                assert np.abs(getattr(listed, kind) - getattr(computed, kind)).max() <= 1


def test_features_are_those_of_the_photos_that_were_kept(kept: Kept) -> None:
    """The baseline, parts occluded by the main method, and parts blurred by another command."""
    folder = kept.out.parent / "features"
    places = {BASELINE: folder / "photos"}
    places |= {Version(part, "grey"): folder / "grey" / f"blurred_{part}" for part in DESIGN.parts}
    places |= {Version(part, "blur"): folder / part for part in DESIGN.parts}
    for version, place in places.items():
        for name in kept.names:
            extracted, stored = (
                np.load(path / f"{name}.npy") for path in (place, kept.out / "features" / folder_of(version))
            )
            assert np.array_equal(extracted, stored), f"{folder_of(version)} {name}"


def test_results(kept: Kept, oracle: StudyOracle) -> None:
    check_table(kept.out / RESULTS, oracle.results(), NEARLY, LOOSE)


def test_rankings(kept: Kept, oracle: StudyOracle) -> None:
    found: dict[str, Any] = json.loads((kept.out / JSON).read_text())
    for criterion, rankings in oracle.rankings.items():
        ranked = found[COLUMNS["rankings by all criteria"]][WORDS.get(criterion, criterion)]
        assert list(ranked) == [WORDS.get(name, name) for name in rankings]
        for name, expected in rankings.items():
            check_rows(name, ranked[name], expected, NEARLY)


def test_parts_of_each_photo(kept: Kept) -> None:
    with (kept.out.parent / "blurred" / "parts.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    maps = dict(zip(kept.names, kept.label_maps(), strict=True))
    assert [(row["photo"], row["part"]) for row in found] == [(name, part) for name in kept.names for part in CLASSES]
    for row in found:
        pixels = pixels_of(maps[row["photo"]], CLASSES[row["part"]])
        assert row == {
            "photo": row["photo"],
            "part": row["part"],
            "pixels": str(pixels),
            "share": f"{pixels / 512**2:.6f}",
        }
        mask = Image.open(kept.labels.parent / f"mask_{row['part']}" / f"{row['photo']}_annotation.png")
        assert int((np.asarray(mask) == 255).sum()) == pixels
