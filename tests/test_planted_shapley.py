"""Planted truth: what Shapley values find of embeddings whose identity is known to lie in parts, alone or together.

An embedding is of length 1. What carries identity is a block of values of its own, with a certain share of the
squared length; the rest is one direction that all faces share. Where a carrier is occluded, its share goes to that
direction. Then the mean impostor score is 1 minus the shares of the carriers that are left, and adds up exactly.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from facepart.analysis.choices import D_PRIME, FMR_RATIO, SHIFT
from facepart.analysis.contrasts import contrast, pair_sums
from facepart.analysis.design import Design
from facepart.analysis.influence import weighted_sum
from facepart.analysis.intervals import interval
from facepart.analysis.results import ALL_GROUPS
from facepart.analysis.shapley import Coalitions
from facepart.analysis.shapley_figures import ShapleyFigures, ShapleyValue, measure_shapley
from facepart.data.naming_conventions import naming_rule
from facepart.files.progress import silent
from facepart.occlusion.method import STANDARD
from facepart.occlusion.parts import PLUS, choose_parts
from facepart.pipeline.embedded_photo import EmbeddedPhoto
from facepart.pipeline.embedding_store import EmbeddingStore
from facepart.study.coalition_scores import CoalitionScores
from facepart.study.study_progress import StudyProgress

pytestmark = pytest.mark.slow

SUBJECTS, PHOTOS, BLOCK = 60, 3, 24
PLAYERS = ["eyes", "brows", "nose", "mouth", "hair", "skin"]
# What lies in none of these parts.
REST = 0.1
# Of a carrier's block, the share of the squared length that is the same on all photos of a subject.
SAME = 0.6


class Carrier(NamedTuple):
    """What carries identity: its share of the squared length, and the parts without which it is lost.

    Attributes:
        share: 0..1.
        parts: where it lies.
        lost: whether the occlusion of any, or only of all of its parts takes it away.
    """

    share: float
    parts: Sequence[str]
    lost: Callable[[Sequence[bool]], bool] = any


ADDITIVE = [
    Carrier(0.20, ["nose"]),
    Carrier(0.15, ["eyes"]),
    Carrier(0.10, ["brows"]),
    Carrier(0.05, ["mouth"]),
    Carrier(0.02, ["skin"]),
]
TOGETHER = [Carrier(0.20, ["eyes", "nose"], any), Carrier(0.15, ["mouth"]), Carrier(0.10, ["brows"])]
REDUNDANT = [Carrier(0.30, ["eyes", "nose"], all), Carrier(0.05, ["mouth"]), Carrier(0.03, ["brows"])]


def draw_blocks(carriers: int, subjects: int, photos: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw what the photos of subjects have in each block, (carriers, subjects, photos, BLOCK), of length 1."""
    own = unit(rng.standard_normal((carriers, subjects, 1, BLOCK)))
    noise = rng.standard_normal((carriers, subjects, photos, BLOCK))
    noise -= (noise * own).sum(axis=-1, keepdims=True) * own
    return np.sqrt(SAME) * own + np.sqrt(1 - SAME) * unit(noise)


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return found


def embed(carriers: Sequence[Carrier], blocks: NDArray[np.float64], occluded: Sequence[str]) -> NDArray[np.float32]:
    """Return the embeddings of all photos, float32 (subjects, photos, d), with some parts occluded."""
    left = np.array([not each.lost([part in occluded for part in each.parts]) for each in carriers])
    shares = np.array([each.share for each in carriers]) * left
    common = np.full((*blocks.shape[1:3], 1), np.sqrt(1 - shares.sum()))
    return np.concatenate([common, *np.sqrt(shares)[:, None, None, None] * blocks], axis=-1).astype(np.float32)


def shapley_of(carriers: Sequence[Carrier], folder: Path) -> ShapleyFigures:
    """Put the embeddings into a store, and go on as a study does."""
    design = Design(
        ("drawn",), choose_parts(PLAYERS), (STANDARD,), 0, cross=False, groups=(ALL_GROUPS,), shapley=True
    )
    carriers = [*carriers, Carrier(REST, [])]
    blocks = draw_blocks(len(carriers), SUBJECTS, PHOTOS, np.random.default_rng(8))
    versions = {each.name: embed(carriers, blocks, each.part.split(PLUS)) for each in design.coalition_occlusions}
    assert len(versions) == 64
    store = EmbeddingStore(folder / "embeddings", design.embedded)
    names = [f"{subject:03}_{photo}" for subject in range(SUBJECTS) for photo in range(PHOTOS)]
    for name in names:
        subject, photo = map(int, name.split("_"))
        shares = dict.fromkeys(versions, 0.1)
        embeddings = {version: found[subject, photo] for version, found in versions.items()}
        store.add(EmbeddedPhoto(name, "signature", embeddings, shares=shares))
    store.flush()
    naming = {"dataset": "MORPH", "subject_pattern": None, "exclude_same": None}
    scores = CoalitionScores(
        *(folder / "matches", store, design, naming_rule("MORPH"), {}, naming), depth=2, counter=None
    )
    progress = StudyProgress(silent)
    found = scores.measure(ALL_GROUPS, names, progress)
    assert (found.photos, len(found.subjects), scores.computed) == (len(names), SUBJECTS, 64)
    return measure_shapley("drawn", PLAYERS, [], design.coalitions, {ALL_GROUPS: found})


def by_part(figures: ShapleyFigures, figure: str) -> dict[str, ShapleyValue]:
    return {row.part: row for row in figures.values_of(ALL_GROUPS, figure)}


def interactions(figures: ShapleyFigures, figure: str) -> Mapping[tuple[str, str], tuple[float, float, float]]:
    rows = figures.interactions_of(ALL_GROUPS, figure)
    return {(row.first, row.second): (row.value.low, row.value.value, row.value.high) for row in rows}


def holds(figure: tuple[float, float, float], truth: float) -> bool:
    """Whether a CI holds the truth, or both are 0 but for rounding: a part without identity has no effect at all."""
    low, value, high = figure
    return low <= truth <= high or abs(value - truth) < 1e-6


def test_effects_that_add_up_are_found_as_they_were_planted(tmp_path: Path) -> None:
    figures = shapley_of(ADDITIVE, tmp_path)
    found = by_part(figures, SHIFT)
    truth = dict.fromkeys(PLAYERS, 0.0) | {each.parts[0]: each.share for each in ADDITIVE}
    for part, row in found.items():
        assert holds((row.value.low, row.value.value, row.value.high), truth[part]), part
        assert row.value.value == pytest.approx(truth[part], abs=0.01)
        assert row.method == "exact"
    assert sum(row.value.value for row in found.values()) == pytest.approx(found["nose"].total.value, abs=1e-12)
    assert found["nose"].total.value == pytest.approx(0.52, abs=0.01)
    assert all(holds(each, 0.0) for each in interactions(figures, SHIFT).values())
    for figure in (D_PRIME, FMR_RATIO):
        rows = by_part(figures, figure)
        assert not rows["nose"].reason
        assert sum(row.value.value for row in rows.values()) == pytest.approx(rows["nose"].total.value, abs=1e-12)
        assert rows["nose"].value.low > 0
        assert rows["hair"].value.value == pytest.approx(0, abs=1e-6)


def test_parts_that_work_only_together_share_what_each_alone_seems_to_have(tmp_path: Path) -> None:
    figures = shapley_of(TOGETHER, tmp_path)
    found = by_part(figures, SHIFT)
    # Alone, eyes and nose seem to matter more than the mouth, because either takes away what only both have.
    assert found["eyes"].alone.low > found["mouth"].alone.high - 0.05
    assert found["eyes"].alone.value > found["mouth"].alone.value
    assert found["nose"].alone.value > found["mouth"].alone.value
    for part, truth in {"eyes": 0.10, "nose": 0.10, "mouth": 0.15, "brows": 0.10}.items():
        value = found[part].value
        assert holds((value.low, value.value, value.high), truth), part
    assert max(found, key=lambda part: found[part].value.value) == "mouth"
    pairs = interactions(figures, SHIFT)
    assert pairs["eyes", "nose"][2] < 0
    assert holds(pairs["eyes", "nose"], -0.20)
    assert all(holds(each, 0.0) for pair, each in pairs.items() if pair != ("eyes", "nose"))


def test_redundant_parts_that_seem_to_carry_nothing_are_found(tmp_path: Path) -> None:
    figures = shapley_of(REDUNDANT, tmp_path)
    found = by_part(figures, SHIFT)
    assert max(found, key=lambda part: found[part].alone.value) == "mouth"
    assert found["eyes"].alone.value == pytest.approx(0, abs=1e-6)
    for part, truth in {"eyes": 0.15, "nose": 0.15, "mouth": 0.05, "brows": 0.03, "hair": 0.0}.items():
        value = found[part].value
        assert holds((value.low, value.value, value.high), truth), part
    pairs = interactions(figures, SHIFT)
    assert pairs["eyes", "nose"][0] > 0
    assert holds(pairs["eyes", "nose"], 0.30)


def test_intervals_hold_the_truth_in_small_studies() -> None:
    """Of 200 studies with 25 subjects, whose shares differ between subjects as well."""
    rng, coalitions, held = np.random.default_rng(2), Coalitions(2), []
    for _ in range(200):
        own = unit(rng.standard_normal((2, 25, BLOCK)) + 1.0)  # faces have something in common in either part
        shares = rng.beta(2, 8, (2, 25)) / 2
        worths = []
        for mask in coalitions.masks:
            left = np.array([not mask & 1, not mask & 2])[:, None] * shares
            common = np.sqrt(1 - left.sum(axis=0))[:, None]
            vectors = np.concatenate([common, *np.sqrt(left)[:, :, None] * own], axis=-1)
            worths.append(contrast([pair_sums(np.ones(25, np.int64), vectors)], [1]))
        held.append([interval(each) for each in coalitions.shapley_values(worths)])
        held[-1].append(interval(weighted_sum(worths, coalitions.interactions[0])))
    # The truth, by the mean over as many studies: its own error is a tenth of theirs.
    for column in range(3):
        found = [row[column] for row in held]
        truth = float(np.mean([each.value for each in found]))
        assert 0.92 <= np.mean([each.low <= truth <= each.high for each in found]) <= 1.0
