"""The values that a network takes, deduced from the arithmetic at its beginning.

Most recognisers take -1..1, (x - 127.5) / 127.5 of 8-bit values. Some normalise inside: their graph begins with
arithmetic that brings 0..255, or 0..1, to about -1..1, and -1..1 would come out far from it. For each range that is
in use, this module looks at what the arithmetic makes of it:

- about -1..1, around zero: its middle is within 0.6 of half its width from zero, and half its width is 0.1 to 8. The
  normalisation of ImageNet (-2.1..2.6) and the statistics of a BatchNorm (about two standard deviations) are like
  this, and so is the input itself if there is no arithmetic;
- else about 0..1, to either side of zero: x / 255, or (x + 1) / 2;
- else about 0..255, or that around zero: x - 127.5, or 255 x.

If exactly one range becomes the first of these, the network takes that one. If it cannot be told, the network is
refused: the right range and a wrong one give embeddings of a cosine of 0.5 or less.
"""

from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.networks.engine import Preprocessing

# Of what is deduced for files that the catalogue does not list, kept with their embeddings: raise it if a file gets
# other values, or another part of the face, than before.
INPUT_RECIPE = 2

_CENTRED, _ONE_SIDED = 0.6, 1.1  # distance of the middle from zero, in halves of the width
_UNIT, _BYTES = (0.1, 8.0), (120.0, 136.0)  # halves of the width
_NONLINEAR = 0.02  # distance of the middle value's answer from the middle of the ends', in widths
_CLEAR = 0.1  # two ranges are told apart if their middles, in halves of the width, differ by more


class FirstArithmetic(Protocol):
    """The arithmetic of a network before its first weights."""

    def __call__(self, pixel: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Compute what reaches the first weights, of an image all of whose pixels are `pixel`, float32 (3,).

        Returns:
            One array for each value that is taken by an operator with weights; any shape.
        """
        ...


class _Fit(NamedTuple):
    """What the arithmetic makes of a range: distance of the middle from zero, in halves of the width; such a half."""

    offset: float
    half: float


def choose_range(arithmetic: FirstArithmetic, usual: Preprocessing) -> Preprocessing:
    """Deduce what a network takes.

    Args:
        arithmetic: its beginning.
        usual: what a network takes that does not begin with arithmetic.

    Returns:
        `usual`, or the same for values of 0..255, or of 0..1.

    Raises:
        FacepartError: it cannot be told. The message names no file.
    """
    zeros, ones = (np.full(3, value, np.float32) for value in (0, 1))
    if all(np.all(answer == 0) for answer in arithmetic(zeros)) and all(np.all(x == 1) for x in arithmetic(ones)):
        return usual
    ranges = (usual, takes_bytes(usual), takes_unit(usual))
    probes = [[arithmetic(_pixel(each, value)) for value in (0.0, 127.5, 255.0)] for each in ranges]
    chosen = [
        _choose([_fit([answer[place] for answer in answers]) for answers in probes])
        for place in range(len(probes[0][0]))
    ]
    if None in chosen or len(set(chosen)) != 1:
        raise FacepartError(
            "begins with arithmetic on its input, but it cannot be told whether that takes values of 0..255, 0..1 or "
            "-1..1; export it without this arithmetic, for values of -1..1"
        )
    return ranges[chosen[0] or 0]


def takes_bytes(usual: Preprocessing) -> Preprocessing:
    """Return a preprocessing without normalisation: values of 0..255."""
    return replace(usual, mean=(0.0,) * 3, scale=(1.0,) * 3)


def takes_unit(usual: Preprocessing) -> Preprocessing:
    """Return a preprocessing to values of 0..1."""
    return replace(usual, mean=(0.0,) * 3, scale=(255.0,) * 3)


def _pixel(preprocessing: Preprocessing, value: float) -> NDArray[np.float32]:
    mean, scale = np.array(preprocessing.mean), np.array(preprocessing.scale)
    return ((value - mean) / scale).astype(np.float32)


def _fit(answers: list[NDArray[np.float32]]) -> _Fit | None:
    """Describe what becomes of a range, from its ends and its middle; None if it is cut off or rounded away."""
    low, middle, high = (answer.astype(np.float64).ravel() for answer in answers)
    width = np.abs(high - low)
    bent = np.abs(middle - (low + high) / 2) > _NONLINEAR * width
    varies = np.isfinite(width) & (width > 0) & ~bent
    if np.mean(varies) < 0.5:
        return None
    # Medians: a single channel with odd statistics does not decide.
    offset = np.median(np.abs(low + high)[varies] / width[varies])
    return _Fit(float(offset), float(np.median(width[varies])) / 2)


def _choose(fits: list[_Fit | None]) -> int | None:
    """Return the number of the range that a network takes; None if it cannot be told."""
    for (lowest, highest), offset in ((_UNIT, _CENTRED), (_UNIT, _ONE_SIDED), (_BYTES, _ONE_SIDED)):
        found = sorted(
            (fit.offset, number)
            for number, fit in enumerate(fits)
            if fit and lowest <= fit.half <= highest and fit.offset <= offset
        )
        if len(found) == 1 or (len(found) > 1 and found[1][0] - found[0][0] > _CLEAR):
            return found[0][1]
        if found:
            return None
    return None
