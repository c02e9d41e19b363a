"""Checks of the error rates of groups, which all metrics of groups take."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facepart.errors import FacepartError, UsageError


def checked_rates(rates: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return the error rates of groups as a float64 vector.

    Args:
        rates: (n,), one for each group, n at least 2, each from 0 to 1.
        name: what the rates are, for the message.

    Raises:
        FacepartError: they are not one row of real numbers, fewer than two, not all finite, or not all from 0 to 1.
    """
    array: NDArray[Any] = np.asarray(rates)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "fiu"):
        raise FacepartError(f"{name}: rates are a vector of real numbers, not {array.dtype} of shape {array.shape}")
    if array.size < 2:
        raise FacepartError(f"{name}: groups are compared from two on, here is {array.size}")
    vector = array.astype(np.float64, copy=False)
    for number, rate in enumerate(vector, 1):
        if not 0 <= rate <= 1:
            raise FacepartError(f"{name}: the rate of group {number} is {rate}; a rate lies from 0 to 1")
    return vector


def checked_pair(fmrs: ArrayLike, fnmrs: ArrayLike, alpha: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the FMRs and the FNMRs of the same groups as vectors.

    Raises:
        FacepartError: see :func:`checked_rates`; or their numbers differ. UsageError: `alpha` is
            not from 0 to 1.
    """
    if not 0 <= alpha <= 1:
        raise UsageError(f"alpha, the weight of the FMR against the FNMR, lies from 0 to 1, not at {alpha}")
    matched, missed = checked_rates(fmrs, "FMR"), checked_rates(fnmrs, "FNMR")
    if len(matched) != len(missed):
        raise FacepartError(f"an FMR and an FNMR a group are needed, here are {len(matched)} and {len(missed)}")
    return matched, missed
