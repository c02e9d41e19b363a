"""Numbers, intervals, names and pictures as text and HTML; the templates use these functions as filters.

A number that is NaN, or a rate of no scores, is a dash. Functions that return ``Markup`` return HTML; all others
return plain text, which the templates escape.
"""

import base64
import json
import math
from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from facepart.analysis.intervals import MIN_SUBJECTS, Interval
from facepart.analysis.ranking import Ranked
from facepart.counts import count_of
from facepart.data.photo_output import encode_image

DASH = "–"
_MINUS = "−"
_SPACE = "\u00a0"
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# A p-value below this is not written out.
_LEAST_P = 0.001
# Columns of the terminal's tables that are lined up at the left; all others hold numbers.
_TEXT_COLUMNS = {"rank", "part", "effect", "authentic_shift"}


def listed(words: Sequence[str]) -> str:
    """Join words as in a sentence: "a, b and c"; of several, one with an "and" or a comma is quoted.

    A single one with an "and" is quoted, too: "eyes and brows" would read as two.
    """
    if len(words) < 2:
        return "".join(map(quoted, words))
    words = [f"“{word}”" if " and " in word or ", " in word else word for word in words]
    return " and ".join([", ".join(words[:-1]), words[-1]])


def quoted(label: str) -> str:
    """Quote a label with an "and", which would read as two in a list: "“eyes and brows”"."""
    return f"“{label}”" if " and " in label else label


def capitalised(text: str) -> str:
    """Return a text with its first letter as a capital, also after a quotation mark."""
    start = 1 if text.startswith("“") else 0
    return text[:start] + text[start : start + 1].upper() + text[start + 1 :]


def counted(count: int, noun: str, nouns: str | None = None) -> str:
    """Return a count with its noun: "1 photo", "1,200 photos"."""
    return count_of(count, noun, nouns, ",")


def number_word(number: int) -> str:
    """Return a number as a sentence has it: "three", "12"."""
    return _WORDS[number] if number < len(_WORDS) else f"{number}"


def paragraph(text: str) -> str:
    """Put a text on one line, with single spaces."""
    return " ".join(text.split()) + "\n"


def signed(value: float, decimals: int = 3) -> str:
    """Write a change with its sign; what rounds to 0 has none."""
    if math.isnan(value):
        return DASH
    written = f"{value:+.{decimals}f}"
    return written[1:] if float(written) == 0 else written.replace("-", _MINUS)


def plain(value: float, decimals: int = 3) -> str:
    """Write a number."""
    return DASH if math.isnan(value) else f"{value:.{decimals}f}".replace("-", _MINUS)


def per_cent(rate: float, decimals: int = 2) -> str:
    """Write a rate, 0..1, in per cent."""
    return DASH if math.isnan(rate) else f"{plain(100 * rate, decimals)}{_SPACE}%"


def fmr_target(target: float) -> str:
    """Write the FMR that a threshold is set for, 0..1, in per cent: "0.1 %"."""
    return f"{100 * target:g}{_SPACE}%"


def share_of_resamples(share: float) -> str:
    """Write a share, 0..1, in whole per cent; it is 0 % or 100 % only if it is exactly that."""
    if 0.995 <= share < 1:
        return f">{_SPACE}99{_SPACE}%"
    if 0 < share < 0.005:
        return f"<{_SPACE}1{_SPACE}%"
    return per_cent(share, 0)


def signed_interval(figure: Interval, decimals: int = 3) -> str:
    """Write the ends of the interval of a change: "[+0.110, +0.132]"; empty without an interval.

    An end that rounds to 0 keeps its sign, which tells whether the interval includes 0: "[+0.000, +0.047]" does not.
    """
    if math.isnan(figure.low):
        return ""
    low, high = (f"{end:+.{decimals}f}".replace("-", _MINUS) for end in (figure.low, figure.high))
    return f"[{low}, {high}]"


def plain_interval(figure: Interval, decimals: int = 3) -> str:
    """Write the ends of an interval: "[0.110, 0.132]"; empty without an interval."""
    if math.isnan(figure.low):
        return ""
    return f"[{plain(figure.low, decimals)}, {plain(figure.high, decimals)}]"


def no_interval(figure: Interval) -> str:
    """Say why a figure has no CI, in short: "no CI: 2.9 effective subjects", rounded down; or its reason."""
    if figure.effective < MIN_SUBJECTS:
        return f"no CI: {math.floor(10 * figure.effective) / 10:.1f} effective subjects"
    return f"no CI: {figure.no_ci}" if figure.no_ci else "no CI"


def supported_decimals(figure: Interval, most: int) -> int:
    """Return how many decimals of a figure its CI supports: two digits of its shorter side, and no more than `most`.

    The two sides differ where the CI is of a rate: from 0.10 to its end 0.004 it takes three decimals.

    Example:
        >>> [supported_decimals(Interval(9.7, 0.3, 9.7 - side, 9.7 + side, 50.0), 4) for side in (0.55, 0.018, 25)]
        [2, 3, 0]
        >>> supported_decimals(Interval(0.10, 0.2, 0.004, 2.0, 50.0), 4)
        3
    """
    sides = [side for side in (figure.value - figure.low, figure.high - figure.value) if side > 0]
    shorter = min(sides, default=math.nan)
    if not math.isfinite(shorter):
        return most
    # A side of 0.1 that was rounded down takes no further digit.
    return min(most, max(1 - math.floor(math.log10(shorter) + 1e-9), 0))


def signed_ci(figure: Interval, decimals: int = 3) -> Markup:
    """Write a change and its interval, to the digits that the interval supports: "+0.121 [+0.110, +0.132]"."""
    decimals = supported_decimals(figure, decimals)
    return _with_interval(signed(figure.value, decimals), signed_interval(figure, decimals) or no_interval(figure))


def plain_ci(figure: Interval, decimals: int = 3) -> Markup:
    """Write a number and its interval, to the digits that the interval supports: "0.121 [0.110, 0.132]"."""
    decimals = supported_decimals(figure, decimals)
    return _with_interval(plain(figure.value, decimals), plain_interval(figure, decimals) or no_interval(figure))


def ratio_ci(ratio: Interval) -> Markup:
    """Write a ratio and its interval, which is logarithmic, to two decimals: "10.50 [1.04, 118.00]"."""
    return _with_interval(plain(ratio.value, 2), plain_interval(ratio, 2) or no_interval(ratio))


def per_cent_ci(rate: Interval, decimals: int = 2) -> Markup:
    """Write a rate, 0..1, and its interval in per cent, to the digits that it supports: "1.20 % [0.90, 1.60]"."""
    shown = rate._replace(value=100 * rate.value, low=100 * rate.low, high=100 * rate.high)
    decimals = supported_decimals(shown, decimals)
    return _with_interval(per_cent(rate.value, decimals), plain_interval(shown, decimals) or no_interval(rate))


def rank_interval(ranked: Ranked) -> str:
    """Write the ends of the interval of a rank: "[1, 3]"; or that there is none: its effect has the reason."""
    if math.isnan(ranked.effect.low):
        return "no CI"
    return f"[{ranked.rank_low}, {ranked.rank_high}]"


def known_first(ranked: Ranked) -> bool:
    """Return whether a part is known to be among those that may be first; not without a CI, where any part may be."""
    return ranked.may_be_first and math.isfinite(ranked.effect.low)


def p_value(p: float) -> str:
    """Write a p-value: "p = 0.031", "p < 0.001"."""
    return f"p < {_LEAST_P:g}" if p < _LEAST_P else f"p = {p:.3f}"


def excludes(figure: Interval, value: float) -> bool:
    """Return whether the CI of a figure excludes a value; not if there is no CI."""
    return figure.low > value or figure.high < value


def aligned(rows: Sequence[Mapping[str, str]], headings: Mapping[str, str]) -> str:
    """Line the cells of a table up in columns.

    Args:
        rows: column -> cell, in plain text.
        headings: column -> its heading, of one or two lines; only these columns are shown.
    """
    heads = [heading.rpartition("\n") for heading in headings.values()]
    lines = [[first for first, _, _ in heads], [last for _, _, last in heads]]
    cells = [[row[column] for column in headings] for row in rows]
    lines = [line for line in lines if any(line)] + cells
    for number, column in enumerate(headings):
        width = max(len(line[number]) for line in lines)
        for line in lines:
            line[number] = line[number].ljust(width) if column in _TEXT_COLUMNS else line[number].rjust(width)
    return "\n".join(" ".join(line).rstrip() for line in lines)


def signed_points_ci(change: Interval, decimals: int = 2) -> Markup:
    """Write a change of a rate, 0..1, and its interval in percentage points: "+1.20 [+0.90, +1.60]"."""
    return signed_ci(change.scaled(100), decimals)


def data_uri(photo: NDArray[np.uint8]) -> str:
    """Return a photo, uint8 (h, w, 3) RGB, as the address of a JPEG inside the page."""
    return "data:image/jpeg;base64," + base64.b64encode(encode_image(".jpg", photo)).decode()


def script_json(value: object) -> Markup:
    """Write data for a script element, where neither ``</script>`` nor ``<!--`` may occur.

    Raises:
        ValueError: a number is NaN or infinite.
    """
    written = json.dumps(value, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        written = written.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(written)  # noqa: S704 - no markup is left in it


def _with_interval(value: str, ends: str) -> Markup:
    # A reason may take several lines, an interval may not. Both are digits, signs and words of this module.
    kind = "interval" if ends.startswith("[") else "interval words"
    return Markup(f'{value} <span class="{kind}">{ends}</span>' if ends and value != DASH else value)  # noqa: S704
