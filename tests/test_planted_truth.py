"""Planted truth: identity lies in known parts of faces, and the whole study, but for its networks, has to find them.

The worlds, and how photos and recogniser are made, are those of ``benchmarks/planted_truth.py``.
"""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.planted_truth import CRITERIA, WORLDS, Faces, draw_faces, ranking_of, study, tau_with
from facepart.analysis.choices import EQUAL_AREA, IMPORTANCE, SHIFT
from facepart.analysis.keep_only import KeptPart, kept_parts
from facepart.analysis.measure import Figures
from facepart.analysis.results import ALL_GROUPS, MOVED, NOT_CONTROLLABLE, WITHIN
from facepart.occlusion.method import OcclusionMethod
from facepart.occlusion.parts import PARTS
from tests.conftest import SHARED
from tests.small_network import draw_labels

pytestmark = pytest.mark.slow

SUBJECTS, PHOTOS, DRAWS = 16, 2, 3
STUDIED = tuple(part for part in PARTS if part != "eyes_brows")
# The original study's masks, by the classes that they are made of; the last that covers a pixel is its class. What
# its eyes and brows have that neither eyes nor brows have is glasses.
MASKS = {"skin": 1, "hair": 17, "nose": 10, "mouthwlips": 12, "eyeswbrows": 6, "brows": 2, "eyes": 4}


@cache
def label_maps() -> list[NDArray[np.uint8]]:
    """The label maps of four real faces, by the original study's masks; without them, one that is drawn."""
    folder = SHARED / "golden" / "blur"
    if not folder.exists():
        return [draw_labels(512)]
    names = sorted(path.stem for path in (folder / "images").iterdir())
    return [read_labels(folder, name) for name in names]


def read_labels(folder: Path, name: str) -> NDArray[np.uint8]:
    labels = np.zeros((512, 512), np.uint8)
    for mask, number in MASKS.items():
        image = cv2.imread(str(folder / f"mask_{mask}" / f"{name}_annotation.png"), cv2.IMREAD_GRAYSCALE)
        assert image is not None
        labels[image > 0] = number
    return labels


@cache
def found(world: str) -> tuple[Faces, Figures]:
    faces = draw_faces(WORLDS[world], label_maps(), SUBJECTS, PHOTOS)
    return faces, study(faces, DRAWS, STUDIED)


def effects(world: str, criterion: str) -> dict[str, float]:
    return {each.part: each.effect.value for each in ranking_of(found(world)[1], criterion)}


def tau(world: str, criterion: str) -> float:
    return tau_with(found(world)[0].truth, effects(world, criterion))[0]


@pytest.mark.parametrize("criterion", CRITERIA)
def test_a_single_carrier_is_first(criterion: str) -> None:
    ranked = ranking_of(found("one")[1], criterion)
    assert ranked[0].part == "nose"
    assert ranked[0].effect.low > 0
    assert [each.part for each in ranked if each.may_be_first] == ["nose"]
    assert tau("one", criterion) == 1


def test_hair_alone_is_first_where_it_has_a_rank() -> None:
    figures = found("hair")[1]
    for criterion in (SHIFT, EQUAL_AREA):
        assert [each.part for each in ranking_of(figures, criterion) if each.may_be_first] == ["hair"]
    # It cannot be moved elsewhere on a face; and no other part matters by more than its area.
    assert "hair" not in effects("hair", IMPORTANCE)
    assert all(each.effect.low < 0 for each in ranking_of(figures, IMPORTANCE))
    control = {row.part: row.control for row in figures.results if row.comparison == WITHIN}
    assert control == {part: NOT_CONTROLLABLE if part in ("hair", "skin") else MOVED for part in STUDIED}


@pytest.mark.parametrize("world", ["several", "brows"])
def test_carriers_are_found_in_the_order_of_their_strength(world: str) -> None:
    for criterion in (IMPORTANCE, EQUAL_AREA):
        assert tau(world, criterion) > 0.6, criterion


def test_a_large_part_fools_the_impostor_shift_alone() -> None:
    assert next(iter(effects("large", SHIFT))) != "mouth"
    assert next(iter(effects("large", IMPORTANCE))) == "mouth"
    assert next(iter(effects("large", EQUAL_AREA))) == "mouth"
    assert tau("large", SHIFT) < tau("large", IMPORTANCE) == tau("large", EQUAL_AREA) == 1


def test_features_that_carry_nothing_are_not_important() -> None:
    assert max(effects("none", EQUAL_AREA), key=effects("none", EQUAL_AREA).__getitem__) == "skin"
    assert all(each.effect.low < 0 for each in ranking_of(found("none")[1], IMPORTANCE))
    assert list(found("none")[1].rankings[SHIFT]) == [ALL_GROUPS]


@cache
def kept(world: str, occluder: str) -> tuple[Figures, dict[str, KeptPart]]:
    """A study with keep-only, and the parts alone, the largest d' first.

    All subjects have one label map: the outline of a part that is left tells label maps apart.
    """
    faces = draw_faces(WORLDS[world], label_maps()[:1], SUBJECTS, PHOTOS)
    figures = study(faces, 0, STUDIED, method=OcclusionMethod(occluder), patches=False, keep_only=True)
    return figures, {each.part: each for each in kept_parts(figures.results, ALL_GROUPS)}


@pytest.mark.parametrize(("world", "carrier"), [("hair", "hair"), ("one", "nose")])
def test_a_part_that_carries_nothing_is_at_chance_alone(world: str, carrier: str) -> None:
    figures, parts = kept(world, "grey")
    assert set(parts) == set(STUDIED)
    alone = parts[carrier].keep_only
    # All identity is in the carrier: alone it tells as much as the whole face, and without it nothing does.
    assert alone.d_prime.value > 0.8 * alone.d_prime_baseline.value > 2
    assert parts[carrier].deletion.d_prime.low < 0.5
    # A soft mask reaches over the border of its part, so neighbours of the carrier have some of it.
    for part in {"hair": ("eyes", "nose", "mouth"), "nose": ("hair", "brows", "eyes", "mouth")}[carrier]:
        row = parts[part].keep_only
        assert row.d_prime.low <= 0 <= row.d_prime.high, part
        assert row.eer.low <= 0.5 <= row.eer.high, part
        assert parts[part].deletion.d_prime.value > 0.9 * alone.d_prime_baseline.value
    ranked = figures.keep_only_rankings[ALL_GROUPS]
    assert [each.part for each in ranked if each.may_be_first] == [carrier]
    assert ranked[0].part == next(iter(parts)) == carrier
    assert [each.part for each in ranked] == list(parts)


def test_a_blurred_rest_still_tells_people_apart() -> None:
    """What keep-only by blur cannot say: the coarse of the hair is left around the nose."""
    blurred, grey = (kept("hair", occluder)[1]["nose"].keep_only for occluder in ("blur", "grey"))
    assert blurred.d_prime.low > grey.d_prime.high
    assert blurred.share == grey.share and blurred.replaced == grey.replaced
