"""Which photos of a group are compared."""

from pathlib import Path

import numpy as np
import pytest

from facepart.analysis.design import BASELINE_CONDITION, Condition, Design
from facepart.data.naming_conventions import naming_rule
from facepart.occlusion.method import STANDARD, OcclusionMethod
from facepart.occlusion.occlusion import BASELINE, Occlusion, Region
from facepart.occlusion.parts import PARTS, choose_parts
from facepart.pipeline.embedded_photo import EmbeddedPhoto
from facepart.pipeline.embedding_store import EmbeddingStore
from facepart.study.photo_sets import PhotoSets

# Four photos of two subjects: how much of each an occlusion replaced.
NAMES = ["a_1", "a_2", "b_1", "b_2"]
SHARES = {
    "eyes": [0.1, 0.0, 0.1, 0.1],
    "brows": [0.1, 0.0, 0.1, 0.1],
    "nose": [0.1, 0.1, 0.1, 0.1],
    "mouth": [0.1, 0.1, 0.0, 0.0],
    "nose_control1": [0.0, 0.1, 0.1, 0.0],
    "nose_control2": [0.0, 0.1, 0.1, 0.0],
}


def design(**options: object) -> Design:
    chosen = {"draws": 2, "cross": True, "groups": ("CM",), **options}
    return Design(("drawn",), choose_parts(["eyes", "brows", "nose", "mouth"]), (STANDARD,), **chosen)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> EmbeddingStore:
    found = EmbeddingStore(tmp_path, design().occlusions)
    names = [each.name for each in design().occlusions]
    embeddings = {name: np.ones(1, np.float32) for name in names}
    for place, photo in enumerate(NAMES):
        shares = {name: SHARES.get(name, [0.1] * 4)[place] for name in names}
        found.add(EmbeddedPhoto(photo, "1-1", embeddings, shares=shares))
    found.flush()
    return found


def sets_of(store: EmbeddingStore, chosen: Design) -> PhotoSets:
    return PhotoSets(NAMES, naming_rule("MORPH", None), store, chosen)


def test_a_part_is_compared_on_the_photos_on_which_it_was_found(store: EmbeddingStore) -> None:
    sets = sets_of(store, design())
    assert sets.of(None) == NAMES
    assert sets.of(Region(PARTS["eyes"])) == ["a_1", "b_1", "b_2"]
    assert sets.rows(Region(PARTS["eyes"])).tolist() == [0, 2, 3]
    assert sets.of(Region(PARTS["nose"], 1)) == ["a_2", "b_1"]


def test_baselines_of_the_same_photos_are_one(store: EmbeddingStore) -> None:
    sets = sets_of(store, design())
    assert sets.resolve(Condition(BASELINE, photos_of=Region(PARTS["nose"]))) == BASELINE_CONDITION
    assert sets.resolve(Condition(BASELINE, photos_of=Region(PARTS["brows"]))).photos_of == Region(PARTS["eyes"])
    occluded = Condition(Occlusion(Region(PARTS["brows"])), photos_of=Region(PARTS["brows"]))
    assert sets.resolve(occluded) == occluded


def test_photos_of_one_subject_cannot_be_compared(store: EmbeddingStore) -> None:
    sets = sets_of(store, design())
    assert not sets.is_comparable(Region(PARTS["mouth"]))
    assert sets.is_comparable(Region(PARTS["eyes"])) and sets.is_comparable(None)


def test_undetected_photos_are_kept_if_that_is_asked_for() -> None:
    kept, excluded = design(undetected="keep"), design()
    eyes, control = Occlusion(Region(PARTS["eyes"])), Occlusion(Region(PARTS["nose"], 2))
    assert kept.region_of(eyes) is None and excluded.region_of(eyes) == Region(PARTS["eyes"])
    # A control without a place is no occlusion at all, whatever becomes of undetected parts.
    assert kept.region_of(control) == excluded.region_of(control) == Region(PARTS["nose"], 1)
    assert (
        BASELINE_CONDITION in kept.baselines
        and Condition(BASELINE, photos_of=Region(PARTS["eyes"])) not in kept.baselines
    )


def test_the_names_of_conditions_differ() -> None:
    methods = (STANDARD, OcclusionMethod("grey"))
    conditions = Design(
        ("drawn",), choose_parts(["eyes", "nose"]), methods, 2, True, ("CM",), patches=True
    ).conditions
    names = [condition.name for condition in conditions]
    assert len(set(names)) == len(names)
    assert {"baseline", "baseline_photos_with_eyes", "baseline_photos_with_eyes_control1", "cross_nose"} <= set(names)
    # Every occlusion's baseline comes before it.
    design_of = Design(("drawn",), choose_parts(["eyes", "nose"]), methods, 2, True, ("CM",), patches=True)
    assert all(
        conditions.index(design_of.baseline_of(each)) < conditions.index(design_of.condition(each))
        for each in design_of.occlusions
    )
