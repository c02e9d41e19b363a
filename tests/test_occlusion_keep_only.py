"""Keep-only: the whole photo but a part is occluded, by what the part's soft mask leaves of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.null_world import drawn_labels
from facepart.errors import UsageError
from facepart.occlusion.method import AVERAGE, OCCLUDERS, OcclusionMethod
from facepart.occlusion.occlude import OccludedPhoto, apply_occlusions
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.occlusion.parts import BUILT_IN, PARTS, Part, find_part, part_mask

SIZES = [(112, 112), (224, 224), (90, 140)]


def both(
    photo: NDArray[np.uint8], labels: NDArray[np.uint8], part: Part, method: OcclusionMethod
) -> tuple[OccludedPhoto, OccludedPhoto]:
    """The photo with a part occluded, and with all but that part occluded."""
    deleted, kept = (Occlusion(Region(part, keep_only=keep), method) for keep in (False, True))
    found = apply_occlusions(photo, labels, [deleted, kept])
    return found[deleted], found[kept]


def soft_of(occluded: OccludedPhoto, size: tuple[int, int]) -> NDArray[np.int64]:
    return occluded.soft.whole(*size).astype(np.int64)


@settings(max_examples=60, deadline=None)
@given(
    size=st.sampled_from(SIZES),
    name=st.sampled_from([*PARTS, "left_eye", "lower_face", "background", "eyes+nose"]),
    occluder=st.sampled_from([name for name in OCCLUDERS if name != AVERAGE]),
    dilation=st.sampled_from([0.0, 1.0, 2.5]),
    seed=st.integers(0, 2**32 - 1),
)
def test_deletion_and_keep_only_make_the_photo(
    size: tuple[int, int], name: str, occluder: str, dilation: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    photo = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
    labels = drawn_labels(rng)
    labels[:60] = 0
    part = find_part(name)
    deleted, kept = both(photo, labels, part, OcclusionMethod(occluder, dilation=dilation))
    alpha = soft_of(deleted, size)
    assert np.array_equal(alpha + soft_of(kept, size), np.full(size, 255))
    assert deleted.share + kept.share == pytest.approx(1)
    assert np.array_equal(deleted.mask, kept.mask) and np.array_equal(kept.mask, part_mask(labels, part))
    # Each pixel is the photo's where the other one is replaced, and the other way round.
    assert np.array_equal(kept.photo[alpha == 255], photo[alpha == 255])
    assert np.array_equal(deleted.photo[alpha == 0], photo[alpha == 0])
    if occluder != "inpaint":  # whose replacement is made from what is left
        replacement = np.zeros_like(photo)
        replacement[alpha == 0] = kept.photo[alpha == 0]
        replacement[alpha == 255] = deleted.photo[alpha == 255]
        pure = (alpha == 0) | (alpha == 255)
        assert np.array_equal((deleted.photo.astype(int) + kept.photo)[pure], (photo.astype(int) + replacement)[pure])
    if occluder == "grey":
        # At the soft border as well, but for the fraction that each of the two drops.
        rest = photo.astype(int) + 128 - deleted.photo - kept.photo
        assert set(np.unique(rest)) <= {0, 1}
        expected = (alpha[:, :, None] * photo.astype(int) + (255 - alpha[:, :, None]) * 128) // 255
        assert np.array_equal(kept.photo, expected)


def test_a_part_that_is_not_found_leaves_the_photo_as_it_is() -> None:
    photo = np.random.default_rng(2).integers(0, 256, (112, 112, 3)).astype(np.uint8)
    labels = drawn_labels(np.random.default_rng(3))
    labels[labels == 10] = 1
    for occluded in both(photo, labels, PARTS["nose"], OcclusionMethod("grey")):
        assert np.array_equal(occluded.photo, photo)
        assert (occluded.share, occluded.soft.values.size, bool(occluded.mask.any())) == (0.0, 0, False)
    # Without landmarks, what lies around them is not found either.
    assert both(photo, labels, BUILT_IN["periocular"], OcclusionMethod())[1].share == 0


def test_what_deletion_leaves_untouched_keep_only_does_too() -> None:
    """A part so small that nothing is left of its mask: both compare the same photos."""
    photo = np.random.default_rng(2).integers(0, 256, (112, 112, 3)).astype(np.uint8)
    labels = np.zeros((512, 512), np.uint8)
    labels[200, 200] = 1
    deleted, kept = both(photo, labels, PARTS["skin"], OcclusionMethod("grey"))
    assert kept.mask.any()
    assert deleted.share == kept.share == 0
    assert np.array_equal(kept.photo, photo)


def test_names_recipes_and_misfits() -> None:
    kept = Occlusion(Region(PARTS["nose"], keep_only=True))
    assert (kept.name, kept.part) == ("keep_nose", "nose")
    union = Region(find_part("eyes+nose"), keep_only=True)
    assert Occlusion(union, OcclusionMethod("grey")).name == "keep_eyes+nose_grey"
    assert kept.recipe() == {**Occlusion(Region(PARTS["nose"])).recipe(), "keep_only": {"version": 1}}
    for region in ({"part": None}, {"part": PARTS["nose"], "draw": 1}, {"part": PARTS["nose"], "patch": True}):
        with pytest.raises(UsageError, match="keep-only is of a part itself"):
            Region(**region, keep_only=True)
