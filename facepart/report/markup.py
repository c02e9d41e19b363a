"""Text, figures and pictures -> pieces of HTML.

Everything that comes from data (names of people, groups and parts, paths, facts) passes :func:`escape` before it
stands in the page. A figure that is NaN, or a rate of no scores, is shown as a dash.
"""

import base64
import html
import json
import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.intervals import Interval
from facepart.data.photo_output import encode_image

DASH = "–"
_MINUS = "−"


def escape(text: object) -> str:
    """Make a text safe between tags and inside quoted attributes."""
    return html.escape(str(text), quote=True)


def part_name(part: str) -> str:
    """Say a part's name as in a sentence: ``eyes_brows`` is "eyes and brows"; not escaped."""
    return part.replace("_", " and ")


def listed(words: Sequence[str]) -> str:
    """Join words as in a sentence: "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """Give a count with its noun: "1 photo", "1,200 photos"."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def signed(value: float, decimals: int = 3) -> str:
    """Write a change with its sign; what rounds to nothing has none."""
    if math.isnan(value):
        return DASH
    written = f"{value:+.{decimals}f}"
    return written[1:] if float(written) == 0 else written.replace("-", _MINUS)


def plain(value: float, decimals: int = 3) -> str:
    """Write a figure."""
    return DASH if math.isnan(value) else f"{value:.{decimals}f}".replace("-", _MINUS)


def per_cent(rate: float, decimals: int = 2) -> str:
    """Write a rate of 0..1 in per cent."""
    return DASH if math.isnan(rate) else f"{rate:.{decimals}%}".replace("%", "\u00a0%")


def bracketed(figure: Interval, write: Callable[[float], str]) -> str:
    """Write the two ends of an interval, e.g. "[+0.110, +0.132]"; nothing where there is none."""
    return "" if math.isnan(figure.low) else f"[{write(figure.low)}, {write(figure.high)}]"


def ranged(figure: Interval, write: Callable[[float], str], unit: str = "") -> str:
    """Write a figure and its interval, e.g. "+0.121 [+0.110, +0.132]"; HTML.

    Args:
        figure: the figure; a dash stands for one that is not known, and no interval where there is none.
        write: writes a number.
        unit: stands behind the figure, not behind each end.
    """
    if math.isnan(figure.value):
        return DASH
    ends = bracketed(figure, write)
    return f"{write(figure.value)}{unit}" + (f' <span class="interval">{ends}</span>' if ends else "")


def ranged_per_cent(rate: Interval, decimals: int = 2) -> str:
    """Write a rate of 0..1 and its interval in per cent; HTML."""
    return ranged(rate, lambda value: plain(100 * value, decimals), "\u00a0%")


def share_of_resamplings(share: float) -> str:
    """Write a share of first places: all and none only where they are; HTML."""
    if 0.995 <= share < 1 or 0 < share < 0.005:
        return "&gt;\u00a099\u00a0%" if share > 0.5 else "&lt;\u00a01\u00a0%"
    return per_cent(share, 0)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], caption: str, kind: str = "") -> str:
    """Make a table; the first cell of each row is the row's heading.

    Args:
        head: the columns' headings, HTML.
        rows: the cells, HTML.
        caption: what it shows, text.
        kind: a class.
    """
    heads = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "\n".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    # A table that is wider than the window scrolls by itself, and the keyboard reaches it.
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption)}">'
        f'<table class="{kind}"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>{body}</tbody></table></div>"
    )


def data_uri(photo: NDArray[np.uint8]) -> str:
    """Give a photo, uint8 (h, w, 3) RGB, as a JPEG inside the page."""
    return "data:image/jpeg;base64," + base64.b64encode(encode_image(".jpg", photo)).decode()


def script_json(value: object) -> str:
    """Write data for a script element, where neither ``</script>`` nor ``<!--`` may occur.

    Raises:
        ValueError: a number is NaN or infinite.
    """
    written = json.dumps(value, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        written = written.replace(sign, f"\\u{ord(sign):04x}")
    return written
