"""Every field of every table that a study writes, against a brute-force computation from raw scores and subjects.

Studies run here as they always do, through :func:`facepart.study.run_study`, but for the networks: in their place an
executor gives each photo embeddings that were drawn. These are whole numbers over 1024 whose squares add up to
1024 x 1024, so that all their cosines are exact in 32-bit floats, whatever the order in which they are added up. The
figures are then computed a second time by :mod:`tests.witness.study_oracle`, which knows nothing of facepart.
"""

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facepart.networks.catalogue import Weights
from facepart.pipeline.embedded_photo import EmbeddedPhoto
from facepart.pipeline.executor import Capacity
from facepart.pipeline.worker import PhotoResult, PhotoTask
from facepart.study import Request, run_study
from tests.witness.figures import impostor_mean
from tests.witness.raw_scores import BASELINE, MILLION, Design, Group, Scores, Version
from tests.witness.study_oracle import (
    ALL_GROUPS,
    ALONE,
    CONTROL,
    FEW_SCORES,
    FEW_SUBJECTS,
    MOVED,
    NO_THRESHOLD,
    NOT_CONTROLLABLE,
    OCCLUDED,
    PATCH,
    RANKS,
    StudyOracle,
)
from tests.witness.study_tables import (
    COLUMNS,
    DIFFERENCES,
    DIFFERENTIALS,
    JSON,
    NO_PART,
    RESULTS,
    WORDS,
    check_rows,
    check_table,
    filled,
    flat,
)

pytestmark = pytest.mark.slow

# The study under test: what of it is not the front door is here.


class DrawnEmbeddings:
    """An executor that gives photos what was drawn for them, where a study would open its networks."""

    info = ()

    def __init__(self, entries: Mapping[str, Mapping[str, Any]]) -> None:
        self.entries = entries

    def choose_engine(self, device: str, precision: str) -> tuple[str, str]:
        del device, precision
        return "cpu", "fp32"

    def capacity(self) -> Capacity:
        return Capacity(1, 1)

    def start(self, worker: object, times: object, paths: object) -> Any:
        del worker, times, paths
        return self

    def map(self, tasks: Sequence[PhotoTask]) -> Iterator[tuple[PhotoTask, PhotoResult]]:
        for task in tasks:
            names = {
                Version(
                    each.part, each.method.name, each.region.draw, each.region.patch, each.region.keep_only
                ): each.name
                for each in task.occlusions
            }
            drawn = self.entries[task.photo.name]
            record = EmbeddedPhoto(
                name=task.photo.name,
                signature=task.signature,
                embeddings={"baseline": drawn["embeddings"][BASELINE]}
                | {name: drawn["embeddings"][version] for version, name in names.items()},
                pixels=drawn["pixels"],
                shares={name: drawn["replaced"][version] for version, name in names.items()},
                controls={
                    name: "moved" for version, name in names.items() if version.draw and drawn["replaced"][version]
                },
                head=drawn["head"],
            )
            yield task, PhotoResult((record,))


def run_drawn(folder: Path, design: Design, photos: Mapping[str, "Photos"]) -> Path:
    """Run a study of photos that were drawn; its folder."""
    (folder / "photos").mkdir()
    image = cv2.imencode(".png", np.full((16, 16, 3), 128, np.uint8))[1].tobytes()
    entries: dict[str, dict[str, Any]] = {}
    rows = []
    for name, group in photos.items():
        for place, photo in enumerate(group.names):
            (folder / "photos" / f"{photo}.png").write_bytes(image)
            rows.append(f"{photo}.png,{name}\n")
            facts = group.facts
            entries[photo] = {
                "embeddings": {key: rows_of[place].astype(np.float32) for key, rows_of in facts.embeddings.items()},
                "pixels": {part: int(pixels[place]) for part, pixels in facts.pixels.items()},
                "replaced": {key: float(shares[place]) for key, shares in facts.replaced.items()},
                "head": int(facts.head[place]),
            }
    (folder / "people.csv").write_text("image,group\n" + "".join(rows))
    main, *others = design.occlusions
    request = Request(
        source=folder / "photos",
        output=folder / "out",
        people=folder / "people.csv",
        parts=design.parts,
        occlusions=[main, *(other for other in others if "-" not in other)],
        sweeps=[other.replace("-", "=") for other in others if "-" in other],
        control=design.draws,
        threshold_group=design.threshold_group,
        cross=design.cross,
        equal_area=design.patches,
        keep_only=design.keep_only,
        undetected="keep" if design.keeps_undetected else "exclude",
        weight="subjects" if design.subjects_alike else "pairs",
        rank_by=design.rank_by or None,
        margin=design.margin,
        models=["drawn"],
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("facepart.study.setup.obtain", _no_weights)
        run_study(request, executor=DrawnEmbeddings(entries))
    return folder / "out"


def _no_weights(name: str, task: str) -> Weights:
    return Weights(Path(task), None, name)


# What is drawn.


@dataclass
class Photos:
    """The photos of a group: their names, sorted, and what is known of them."""

    names: list[str]
    facts: Group

    def hide(self, part: str, hidden: NDArray[np.bool_]) -> None:
        """Have a part not detected on some photos: nothing of them is then occluded."""
        self.facts.pixels[part][hidden] = 0
        self.leave([version for version in self.facts.replaced if version.part == part], hidden)

    def leave(self, versions: Iterable[Version], photos: NDArray[np.bool_]) -> None:
        """Leave some photos as they are."""
        for version in versions:
            self.facts.replaced[version][photos] = 0
            self.facts.embeddings[version][photos] = self.facts.embeddings[BASELINE][photos]


def draw_group(
    rng: np.random.Generator,
    design: Design,
    counts: Mapping[str, int],
    *,
    first_photo: int = 0,
    clear: float = 1.7,
    least: float = 0.5,
) -> Photos:
    """Draw the photos of subjects who have so many each, numbered from `first_photo` on; `clear` is how well they
    show who is on them, on the average, and `least` the share of it that every photo has."""
    names = sorted(
        f"{subject}_{first_photo + photo:02}" for subject, count in counts.items() for photo in range(count)
    )
    subjects = np.array([name.split("_")[0] for name in names])
    known = sorted(counts)
    who = np.searchsorted(known, subjects)
    count, dimension = len(names), 92
    common, own, photo = (rng.standard_normal((size, dimension)) for size in (1, len(known), count))
    # Some subjects look more like everybody, some photos more like their subject, than others.
    typical, well = rng.uniform(0.2, 1.0, len(known))[who, None], clear * rng.uniform(least, 1.5, count)[:, None]
    # Of keep-only, so that all else is drawn as without it.
    further = rng.spawn(1)[0]
    embeddings = {}
    for version in [BASELINE, *design.versions]:
        dice = further if version.keep_only else rng
        noise = photo + 0.4 * dice.standard_normal(photo.shape)
        more = 0.3 * dice.uniform(size=(len(known), 1))[who] + shift_of(version, design)
        alike = clear * typical * (0.4 + more)
        if version == design.occluded[-1]:
            alike, noise = np.zeros_like(alike), 4 * noise  # so that there are no false matches left
        # What a part tells alone is less than what the face does.
        told = 0.9 - 0.3 * design.parts.index(version.part) / len(design.parts) if version.keep_only else 1.0
        embeddings[version] = exact_rows(alike * common + told * well * own[who] + noise, dice)
    facts = Group(
        subjects=subjects,
        embeddings=embeddings,
        head=rng.integers(60_000, 90_000, count),
        pixels={part: rng.integers(1000, 9000, count) for part in design.parts},
        replaced={
            version: (further if version.keep_only else rng).uniform(0.01, 0.2, count) for version in design.versions
        },
    )
    return Photos(names, facts)


def shift_of(version: Version, design: Design) -> float:
    """How much more alike a version makes faces.

    With every second occlusion parts rank the other way round, and so they do net of their controls.
    """
    if version == BASELINE:
        return 0.0
    place = design.parts.index(version.part)
    if version.draw or version.patch or version.keep_only:
        return 0.02 * version.draw + 0.12 * place
    if design.occlusions.index(version.occlusion) % 2:
        place = len(design.parts) - place
    return 0.1 + 0.08 * place


def exact_rows(rows: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Bring rows to a length of 1 and to multiples of 1/1024, with four columns more to make up the length."""
    whole = np.rint(rows * (1016 / np.linalg.norm(rows, axis=1, keepdims=True)))
    lacking = (1024**2 - (whole**2).sum(axis=1)).astype(int)
    signs = rng.choice([-1, 1], (len(rows), 4))
    return np.concatenate([whole, signs * [four_squares(each, rng) for each in lacking.tolist()]], axis=1) / 1024


def four_squares(total: int, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Write a whole number as a sum of four squares."""
    while True:
        first = int(rng.integers(0, math.isqrt(total) + 1))
        second = int(rng.integers(0, math.isqrt(total - first**2) + 1))
        found = two_squares(total - first**2 - second**2)
        if found:
            return first, second, *found


@cache
def two_squares(total: int) -> tuple[int, int] | None:
    for first in range(math.isqrt(total) + 1):
        second = math.isqrt(total - first**2)
        if first**2 + second**2 == total:
            return first, second
    return None


# The studies.

Edit = Callable[[np.random.Generator, Design, Mapping[str, Photos]], None]


@dataclass
class Studied:
    design: Design
    photos: dict[str, Photos]
    folder: Path

    @cached_property
    def oracle(self) -> StudyOracle:
        return StudyOracle(self.design, {name: group.facts for name, group in self.photos.items()})

    def differentials(self) -> list[dict[str, Any]]:
        return [each | {"part": each["part"] or NO_PART} for each in self.oracle.differentials()]

    def differential_rows(self) -> list[dict[str, Any]]:
        return [each | {"part": each["part"] or NO_PART} for each in self.oracle.differential_rows()]


def draw_study(
    folder: Path,
    design: Design,
    seed: int,
    counts: Mapping[str, Mapping[str, int]],
    edit: Edit | None = None,
    **options: float,
) -> Studied:
    """Draw the photos of groups, have parts undetected on some, and run a study of them.

    Args:
        folder: where.
        design: what is compared.
        seed: of the draw.
        counts: group -> subject -> photos.
        edit: leaves photos as they are.
        options: of :func:`draw_group`.
    """
    rng = np.random.default_rng(seed)
    # Groups that share subjects have other photos of them.
    photos = {
        name: draw_group(rng, design, each, first_photo=50 * place, **options)
        for place, (name, each) in enumerate(sorted(counts.items()))
    }
    if edit:
        edit(rng, design, photos)
    return Studied(design, photos, run_drawn(folder, design, photos))


def subjects_of(name: str, people: int, photos: int) -> dict[str, int]:
    return {f"{name}{number:03}": photos for number in range(people)}


def leave_some(rng: np.random.Generator, design: Design, photos: Mapping[str, Photos]) -> None:
    """Eyes are undetected on some photos, and controls have no place on some."""
    for group in photos.values():
        count = len(group.names)
        group.leave(design.controls_of(Version("nose", design.main)), rng.random(count) < 0.1)
        group.leave(design.controls_of(Version("eyes", design.main)), rng.random(count) < 0.05)
        if design.patches:
            group.leave([design.patch_of("nose")], rng.random(count) < 0.05)
        group.hide("eyes", rng.random(count) < 0.1)
    # A method that spares the surroundings of a mask may leave nothing of a small one.
    (photos["CF"].facts.replaced[Version("eyes", design.occlusions[-1])])[3] = 0


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Studied:
    """A study in which no column stays empty: a group has impostor scores enough for an FMR of 1e-4."""
    design = Design(
        ("eyes", "nose"), ("blur", "grey", "blur-5"), draws=4, cross=True, patches=True, keep_only=True, margin=0.02
    )
    rng = np.random.default_rng(15)
    sizes = {"CM": (36, 8, 19), "CF": (24, 4, 10), "AM": (14, 6, 12)}
    counts = {
        name: {f"{name}{number:03}": int(rng.integers(fewest, most)) for number in range(people)}
        for name, (people, fewest, most) in sizes.items()
    }
    counts["CM"] |= {"CM900": 1, "CM901": 1}
    counts["AM"] |= subjects_of("CF", 5, 6)
    return draw_study(tmp_path_factory.mktemp("full"), design, 15, counts, leave_some, least=0.25)


def leave_most(rng: np.random.Generator, design: Design, photos: Mapping[str, Photos]) -> None:
    """Parts that have no rank, no figures, no control or no patch in some group."""
    for group in photos.values():
        group.hide("eyes", rng.random(len(group.names)) < 0.2)
    women, men = photos["CF"], photos["CM"]
    (first, *_), count = men.facts.names, len(men.names)
    women.hide("brows", rng.random(len(women.names)) < 0.6)
    # Found on just half of the photos, which is enough for a rank.
    women.hide("hair", np.arange(len(women.names)) < len(women.names) // 2)
    men.hide("mouth", men.facts.subjects != first)
    men.leave(design.controls_of(Version("nose", design.main)), rng.random(count) < 0.7)
    men.leave([design.patch_of("brows")], men.facts.subjects != first)


@pytest.fixture(scope="module")
def gaps(tmp_path_factory: pytest.TempPathFactory) -> Studied:
    """A study of parts that are hardly found, in which pairs of subjects count alike."""
    parts = ("eyes", "brows", "nose", "mouth", "hair")
    options: dict[str, Any] = {"keep_only": True, "subjects_alike": True, "rank_by": "equal_area", "margin": 0.03}
    design = Design(parts, ("blur",), draws=5, cross=True, patches=True, **options)
    rng = np.random.default_rng(18)
    counts = {
        name: {f"{name}{number:03}": int(rng.integers(2, 7)) for number in range(people)}
        for name, people in (("CF", 24), ("CM", 18))
    }
    return draw_study(tmp_path_factory.mktemp("gaps"), design, 18, counts, leave_most)


def hide_many(rng: np.random.Generator, design: Design, photos: Mapping[str, Photos]) -> None:
    """Parts that are hardly found, and their control on fewer photos still."""
    for name, group in photos.items():
        count = len(group.names)
        group.leave(design.controls_of(Version("eyes", design.main)), rng.random(count) < 0.35)
        group.hide("eyes", rng.random(count) < 0.3)
        group.hide("nose", rng.random(count) < (0.6 if name == "CM" else 0.1))
        # Nowhere in a group: its photos are compared as they are, which says nothing of hair.
        group.hide("hair", rng.random(count) < (1.0 if name == "CM" else 0.1))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Studied:
    """A study that keeps photos on which a part is undetected."""
    options: dict[str, Any] = {"patches": True, "keep_only": True, "keeps_undetected": True}
    design = Design(("eyes", "nose", "hair"), ("grey", "blur"), draws=3, cross=True, **options)
    counts = {name: subjects_of(name, people, 4) for name, people in (("CF", 30), ("CM", 20))}
    return draw_study(tmp_path_factory.mktemp("kept"), design, 19, counts, hide_many)


def hide_few(rng: np.random.Generator, design: Design, photos: Mapping[str, Photos]) -> None:
    for group in photos.values():
        group.hide(design.parts[0], rng.random(len(group.names)) < 0.05)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Studied:
    """A study of small groups, without a control: one of too few subjects, one of single photos, one threshold's."""
    design = Design(("nose", "hair"), ("grey", "mean"), draws=0, cross=False, keep_only=True, threshold_group="CF")
    sizes = {"AF": (8, 6), "CF": (27, 6), "CM": (12, 3), "AM": (150, 1)}
    counts = {name: subjects_of(name, *size) for name, size in sizes.items()}
    return draw_study(tmp_path_factory.mktemp("small"), design, 16, counts, hide_few)


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Studied:
    """A study of one part without a false non-match, whose threshold's group has too few scores for a threshold."""
    design = Design(("skin",), ("pixelate", "blur"), draws=1, cross=False, threshold_group="CM")
    counts = {"CF": subjects_of("CF", 25, 6) | {"CF800": 1, "CF801": 1}, "CM": subjects_of("CM", 12, 3)}
    return draw_study(tmp_path_factory.mktemp("apart"), design, 17, counts, clear=6)


@pytest.fixture(params=["apart", "small", "kept", "gaps", "full"])
def studied(request: pytest.FixtureRequest) -> Studied:
    found: Studied = request.getfixturevalue(request.param)
    return found


def test_results(studied: Studied) -> None:
    check_table(studied.folder / RESULTS, studied.oracle.results())


def test_differentials(studied: Studied) -> None:
    check_table(studied.folder / DIFFERENTIALS, studied.differential_rows())


def test_shift_differences(studied: Studied) -> None:
    check_table(studied.folder / DIFFERENCES, studied.oracle.shift_differences())


def test_no_column_of_the_full_study_is_empty(full: Studied) -> None:
    for rows in (full.oracle.results(), full.differential_rows(), full.oracle.shift_differences()):
        assert set(flat(rows[0], errors=False)) - filled(rows) == set()


def test_everything_in_json(studied: Studied) -> None:
    found = json.loads((studied.folder / JSON).read_text())
    oracle, design = studied.oracle, studied.design
    groups = {
        name: {COLUMNS["photos"]: len(group.names), COLUMNS["subjects"]: len(group.facts.names)}
        for name, group in studied.photos.items()
    }
    simple = {
        "format": 3,
        "groups": groups,
        "ranked by": WORDS.get(oracle.ranked_by, oracle.ranked_by),
        "resamples": 2000,
        # Skin has no control: it has no room to move to.
        "control draws": 0 if design.parts == ("skin",) else design.draws,
        "undetected parts": "keep" if design.keeps_undetected else "exclude",
        "weight": "subjects" if design.subjects_alike else "pairs",
        "margin": design.margin,
    }
    rows = {
        "results": oracle.results(),
        "agreements": oracle.agreements(),
        "shift differences": oracle.shift_differences(),
        "differentials": studied.differentials(),
    }
    # Of the settings, which say how the study was made, and of overlaps other tests tell.
    others = ["rankings", "rankings by all criteria", "rankings by all recognisers"]
    others += ["settings", "overlaps", "criteria without support", "order by keep-only"]
    assert set(found) == {COLUMNS[key] for key in [*simple, *rows, *others]} | {"conditions", "matches"}
    for key, value in simple.items():
        assert found[COLUMNS[key]] == value, key
    for key, expected in rows.items():
        check_rows(key, found[COLUMNS[key]], expected)
    by_criterion = found[COLUMNS["rankings by all criteria"]]
    assert list(by_criterion) == [WORDS.get(name, name) for name in oracle.rankings]
    for criterion, rankings in oracle.rankings.items():
        ranked = by_criterion[WORDS.get(criterion, criterion)]
        assert list(ranked) == [WORDS.get(name, name) for name in rankings]
        for name, expected in rankings.items():
            check_rows(f"ranking of {name} by {criterion}", ranked[WORDS.get(name, name)], expected)
    alone = found[COLUMNS["order by keep-only"]]
    assert list(alone) == [WORDS.get(name, name) for name in oracle.keep_only_rankings]
    for name, expected in oracle.keep_only_rankings.items():
        check_rows(f"order of {name} by keep-only", alone[WORDS.get(name, name)], expected)
    assert found[COLUMNS["rankings"]] == by_criterion[simple["ranked by"]]
    (only,) = found[COLUMNS["rankings by all recognisers"]].values()
    assert only == {name: found[name] for name in only} and COLUMNS["rankings by all criteria"] in only


def test_nothing_of_the_full_study_is_unknown_or_certain(full: Studied) -> None:
    """What would hide a mistake: fields that are never filled, and shares that are all 0 or 1."""
    rankings = full.oracle.rankings[full.oracle.ranked_by]
    ranked = [row for each in rankings.values() for row in each]
    assert filled(ranked) == set(flat(ranked[0], errors=False))
    assert any(0 < row["ranked first"] < 1 for row in ranked)
    assert {row["tied"] for row in ranked} == {True, False}
    # Parts rank by importance otherwise than by their shifts.
    orders = {row["group"]: row["parts"] for row in full.oracle.agreements() if row["occlusion"] == full.design.main}
    assert any([row["part"] for row in rows] != orders[name] for name, rows in rankings.items())
    assert {row["groups share subjects"] for row in full.oracle.shift_differences()} == {True, False}
    taus = {row["Kendall's tau"] for row in full.oracle.agreements()}
    assert len(taus) > 1
    assert {row["refused"] for row in full.differential_rows()} == {"", FEW_SCORES}
    rows = full.oracle.results()
    assert any(row["FMR ratio 1e3"].value == 0 for row in rows)
    assert any(row["FMR ratio 1e3"].low > 1 for row in rows)
    for most in RANKS:
        assert any(0 < row[f"rank-{most} rate"].value < 1 for row in rows)
        assert any(row[f"rank-{most} rate change"].high < 0 for row in rows)
    # A change whose two rates do not correlate would have just the error of independent ones.
    assert any(
        row["rank-1 rate change"].error
        < 0.99 * math.hypot(row["rank-1 rate"].error, row["baseline rank-1 rate"].error)
        for row in rows
    )


def test_the_other_studies_have_groups_of_every_kind(small: Studied, apart: Studied) -> None:
    assert {row["refused"] for row in small.differential_rows()} == {"", FEW_SUBJECTS, FEW_SCORES}
    assert {row["refused"] for row in apart.differential_rows()} == {"", FEW_SCORES, NO_THRESHOLD}
    rows = small.oracle.results()
    assert any(math.isnan(row["d'"].value) for row in rows)  # no subject with two photos
    assert any(math.isnan(row["impostor shift"].low) for row in rows)  # too few subjects
    assert any(row["photos without part"] for row in rows)
    # A criterion that a group does not support ranks the parts of the others.
    assert any([] in rankings.values() for rankings in small.oracle.rankings.values())
    # Rates of 0, whose intervals come from the number of subjects: those with false non-matches are not all.
    assert any(
        row["FNMR 1e3"].value == 0 and row["FNMR 1e3"].high > 0 and row["group"] == "CF"
        for row in apart.oracle.results()
    )
    # No probe has a rank; and rates of 1 before and after, whose change is not certain.
    assert any(math.isnan(row["rank-1 rate"].value) for row in rows)
    changes = [row["rank-1 rate change"] for row in apart.oracle.results() if row["rank-1 rate"].value == 1]
    assert any(each.value == 0 and each.low < 0 < each.high for each in changes)
    assert {row["kind of control"] for row in apart.oracle.results()} == {NOT_CONTROLLABLE, ""}


def test_parts_that_are_hardly_found_are_found_so(gaps: Studied, kept: Studied) -> None:
    rows = {(row["group"], row["part"], row["comparison"]): row for row in gaps.oracle.results()}
    assert rows["CM", "mouth", OCCLUDED]["subjects compared"] == 1
    assert rows["CM", "mouth", OCCLUDED]["impostor scores"] == 0
    assert ("CM", "mouth", CONTROL) not in rows
    assert ("CM", "brows", PATCH) not in rows
    assert rows["CM", "nose", OCCLUDED]["kind of control"] == NOT_CONTROLLABLE
    assert rows["CF", "nose", OCCLUDED]["kind of control"] == MOVED
    rankings = gaps.oracle.rankings
    assert {row["part"] for row in rankings["impostor shift"]["CF"]} == {"eyes", "nose", "mouth", "hair"}
    assert {row["part"] for row in rankings["importance"]["CM"]} == {"eyes", "brows"}
    assert {row["part"] for row in rankings["importance"][ALL_GROUPS]} == {"eyes"}
    assert {row["part"] for row in rankings["equal area"]["CM"]} == {"eyes", "nose", "hair"}
    # Keep-only has rows of the same photos as deletion, and no order where the part is not found on most.
    for studied in (gaps, kept):
        for row in studied.oracle.results():
            if row["comparison"] == ALONE:
                assert row["photos compared"] == row["photos"] - row["photos without part"]
    assert ("CM", "mouth", ALONE) not in rows
    assert {row["part"] for row in gaps.oracle.keep_only_rankings["CF"]} == {"eyes", "nose", "mouth", "hair"}
    assert {row["equivalent"] for row in gaps.oracle.shift_differences()} == {True, False}
    # All photos are compared, and the control on those that have one.
    rows = {(row["group"], row["part"], row["comparison"]): row for row in kept.oracle.results()}
    nothing = rows.pop(("CM", "hair", OCCLUDED))
    assert (nothing["photos without part"], nothing["photos compared"]) == (nothing["photos"], 0)
    assert math.isnan(nothing["impostor shift"].value) and ("CM", "hair") not in {key[:2] for key in rows}
    assert ["CF"] in [[each["group"] for each in row["groups"]] for row in kept.oracle.differentials()]
    for (_, _, comparison), row in rows.items():
        assert row["photos without part"] > 0
        assert (row["photos compared"] == row["photos"]) == (comparison not in (CONTROL, ALONE))
    assert [row["part"] for row in kept.oracle.rankings["impostor shift"]["CM"]] == ["eyes"]
    # Its control has a place on half of the photos on which it was found, though not on half of all.
    assert rows["CM", "nose", CONTROL]["photos compared"] < rows["CM", "nose", OCCLUDED]["photos"] / 2


def test_variances_are_those_of_all_pairs_of_scores_that_share_a_subject() -> None:
    """The oracle's own two-way variance, once more from each two of the scores."""
    rng = np.random.default_rng(20)
    design = Design(("eyes",), ("blur",), draws=0, cross=False)
    group = draw_group(rng, design, {f"{number:03}": 1 + number % 3 for number in range(14)}).facts
    figure = impostor_mean(group, BASELINE)
    i, j = np.triu_indices(len(group.subjects), 1)
    one, other = group.numbers[i], group.numbers[j]
    cosines = group.cosines(BASELINE, cross=False)[i, j][one != other]
    one, other = one[one != other], other[one != other]
    share = sum(np.equal.outer(first, second) for first in (one, other) for second in (one, other))
    away = (cosines - cosines.mean()) / len(cosines)
    expected = float(away @ (share > 0) @ away)
    assert figure.shares is not None
    sums = figure.shares.sum(axis=1)
    assert float((sums**2).sum()) - figure.double_counted == pytest.approx(expected, rel=1e-9)
    # The jackknife divides by the scores that are left.
    left = np.array([((one != subject) & (other != subject)).sum() for subject in range(len(sums))])
    np.testing.assert_allclose(figure.influence, sums * len(cosines) / left, rtol=1e-9)


def test_score_files_hold_all_scores(studied: Studied) -> None:
    """The files of the scores, by the oracle's list of all pairs: those that the figures are computed from."""
    for condition in conditions_of(studied):
        scores = condition.compare()
        with np.load(condition.path("scores.npz"), allow_pickle=False) as arrays:
            assert set(arrays) == {"version"} | {
                f"{kind}_{what}" for kind in ("authentic", "impostor") for what in ("value", "count")
            }
            for kind, expected in (("authentic", scores.authentic), ("impostor", scores.impostor)):
                values, counts = np.unique(expected, return_counts=True)
                assert np.array_equal(arrays[f"{kind}_value"], values), condition
                assert np.array_equal(arrays[f"{kind}_count"], counts), condition


def test_rank_files_hold_the_rank_of_every_probe(studied: Studied) -> None:
    for condition in conditions_of(studied):
        probes = condition.compare().probes
        path = condition.path("ranks.csv")
        with path.open(newline="") as file:
            found = list(csv.DictReader(file))
        assert [row["probe"].split("/")[-1] for row in found] == condition.names
        assert [row["subject"] for row in found] == condition.photos.subjects.tolist()
        expected = {
            "rank": np.where(probes.ranks > 0, probes.ranks, np.nan),
            "best_authentic": probes.authentic / MILLION,
            "best_impostor": probes.impostor / MILLION,
            "margin": (probes.authentic - probes.impostor) / MILLION,
        }
        for column, values in expected.items():
            read = np.array([float(row[column] or "nan") for row in found])
            np.testing.assert_allclose(read, values, rtol=0, atol=1e-9, err_msg=f"{path}, {column}")


@dataclass
class Condition:
    """Photos of a group that are compared in some way, and where the scores are."""

    folder: Path
    group: str
    names: list[str]
    photos: Group
    version: Version
    cross: bool

    def compare(self) -> Scores:
        return self.photos.compare(self.version, self.cross)

    def path(self, ending: str) -> Path:
        return self.folder / f"{self.group}_{ending}"


def conditions_of(studied: Studied) -> list[Condition]:
    """All versions that are compared, on their photos; and the baseline on the same, and on all.

    The baseline of photos that are those of another part, too, is in one of the two folders.
    """
    design, found = studied.design, []
    crossed = [(Version(part, design.main), True) for part in design.parts if design.cross]
    for name, group in studied.photos.items():
        baselines: dict[bytes, bool] = {}
        for version, cross in [(BASELINE, False), *((each, False) for each in design.versions), *crossed]:
            photos = group.facts.compared(version, design)
            if design.keeps_undetected and not photos.is_comparable and not version.keep_only:
                # All photos are compared as they are, though results are of none.
                photos = group.facts
            whole = photos is group.facts
            chosen = np.ones(len(group.names), bool) if whole else group.facts.found(version, design)
            names = [each for each, is_chosen in zip(group.names, chosen, strict=True) if is_chosen]
            folder = studied.folder / "matches" / folder_of(version, cross)
            first = folder.with_name(f"baseline_photos_with_{folder_of(region_of(version), False)}")
            before = Condition(first, name, names, photos, BASELINE, False)
            if not photos.is_comparable:
                assert not any(each.exists() for each in (folder / f"{name}_scores.npz", before.path("scores.npz")))
                continue
            found.append(Condition(folder, name, names, photos, version, cross))
            if not whole and before.path("scores.npz").exists():
                found.append(before)
            baselines[chosen.tobytes()] = baselines.get(chosen.tobytes(), whole) or before.path("scores.npz").exists()
        assert all(baselines.values())
    return found


def region_of(version: Version) -> Version:
    """What is found on the photos of a version; its name does not tell the method."""
    return version._replace(occlusion="blur", draw=min(version.draw, 1), keep_only=False)


def folder_of(version: Version, cross: bool) -> str:
    if not version.part:
        return "baseline"
    name = ("keep_" if version.keep_only else "") + version.part + ("_patch" if version.patch else "")
    name += "" if version.occlusion == "blur" else f"_{version.occlusion}"
    name += f"_control{version.draw}" if version.draw else ""
    return f"cross_{name}" if cross else name
