"""The variances of error rates against those of the package cimat, where it is installed."""

import numpy as np
import pytest

from benchmarks.cimat_oracle import compare, draw, has_cimat

pytestmark = pytest.mark.skipif(not has_cimat(), reason="the package cimat is not installed")


@pytest.mark.parametrize("photos", [[2] * 30, [4, 4, 3, 3, *[2] * 20]])
def test_variances_are_cimats(photos: list[int]) -> None:
    found = compare(draw(len(photos), np.array(photos), seed=3))
    assert found.cimat.fmr > 0
    assert found.cimat.fnmr > 0
    assert found.plug_in.fmr == pytest.approx(found.cimat.fmr, rel=1e-9)
    assert found.plug_in.fnmr == pytest.approx(found.cimat.fnmr, rel=1e-9)
    # What facepart defines otherwise makes a variance larger, and not out of proportion.
    assert found.cimat.fmr < found.facepart.fmr < 2.5 * found.cimat.fmr
    if len(set(photos)) == 1:
        assert found.facepart.fnmr == pytest.approx(found.cimat.fnmr * len(photos) / (len(photos) - 1), rel=1e-9)
