"""The ranking as a picture: the average face once for each part, the part coloured by its effect.

Parts overlap (eyes and brows are a part of their own, and skin lies around all), so that each has a face of its own.
Vermilion is an effect above 0, blue one below; the larger the effect, the stronger the colour. People with any common
kind of colour blindness tell the two apart (:mod:`facepart.plots.palette`).
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from facepart.analysis.intervals import UNKNOWN, Interval
from facepart.analysis.ranking import Ranked
from facepart.plots.palette import FALL, RISE
from facepart.report.criterion_names import criterion
from facepart.report.formatting import signed
from facepart.report.outlines import outlined_picture, shrink
from facepart.report.report_data import AverageFace, ReportData, ranks_by_part
from facepart.report.templating import describe

# Pixels; a face is shown about 150 wide, and twice that is what the sharpest screens show.
_LONGEST = 256
# How much of the colour the largest shift takes; the rest shows the face underneath.
_STRONGEST = 0.85
# The outline lies where a part covers this share of the photos, relative to where it covers most.
_OUTLINE = 0.5
# Grey levels: light enough throughout for a tint to show.
_DARKEST, _LIGHTEST = 75, 245
# Sigma of the Gaussian over a part's shares, as a share of the picture.
_SMOOTHING = 0.012
# Beside the parts, as a share of what they span.
_MARGIN = 0.06


class FacePicture(NamedTuple):
    """The average face with a part coloured, as SVG.

    Attributes:
        part: the part.
        rank: its place in the ranking; 0 if it has no rank, and no colour.
        effect: what it is ranked by; unknown if it has no rank.
        picture: the face.
    """

    part: str
    rank: int
    effect: Interval
    picture: Markup


def face_pictures(data: ReportData) -> list[FacePicture]:
    """Draw a face for each part: in the order of the main ranking, then those that have no rank.

    A report without an average face has none.
    """
    face, ranking = data.face, data.main_ranking
    if face is None:
        return []
    largest = _largest(ranking)
    window = _window(face)
    grey = _grey(shrink(face.photo[window], _LONGEST))
    known = ranks_by_part(ranking)
    pictures = []
    for part in data.parts_in_order:
        rank, ranked = known.get(part, (0, None))
        figure = ranked.effect if ranked else UNKNOWN
        effect = figure.value
        strength = effect / largest if largest and np.isfinite(effect) else 0.0
        share = _fitted(face.parts[part][window], grey.shape[:2])
        inside = share >= _OUTLINE if share.any() else None
        # Full colour within the outline, and soon none around it.
        picture = tint(grey, (2 * share / _OUTLINE - 1).clip(0, 1), strength)
        text = describe("face", part=data.label(part), rank=rank, effect=effect, ranked_by=data.ranked_by)
        pictures.append(FacePicture(part, rank, figure, outlined_picture(picture, inside, text)))
    return pictures


def tint(grey: NDArray[np.uint8], share: NDArray[np.float32], strength: float) -> NDArray[np.uint8]:
    """Colour a part of a face.

    Args:
        grey: uint8 (h, w, 3), a face without colours.
        share: float32 (h, w), 0..1, how much of the colour each place takes.
        strength: -1 (all blue) to 1 (all vermilion); 0 leaves the face as it is.
    """
    opacity = (share * _STRONGEST * abs(strength))[..., None]
    # The colour takes on the light and shade of the face, so that an eye remains an eye.
    shade = 0.6 + 0.6 * grey.astype(np.float32) / 255
    colour = np.array(_rgb(RISE if strength > 0 else FALL), np.float32) * shade
    return (grey * (1 - opacity) + colour * opacity).clip(0, 255).round().astype(np.uint8)


def colour_scale(ranking: Sequence[Ranked], ranked_by: str) -> Markup:
    """Draw the key to the colours, from the largest effect below 0 to as large an effect above; empty without any."""
    largest = _largest(ranking)
    if not largest:
        return Markup()
    stops = '<stop class="fall" offset="0"/><stop class="none" offset="0.5"/><stop class="rise" offset="1"/>'
    words = criterion(ranked_by)
    up, down = (f" ({word})" if word else "" for word in (words.above, words.below))
    text = describe("scale", largest=largest, ranked_by=ranked_by)
    return Markup(  # noqa: S704 - all texts are escaped
        f'<svg class="scale" role="img" viewBox="0 0 320 34"><title>{escape(text)}</title><defs>'
        f'<linearGradient id="shift-scale">{stops}</linearGradient></defs>'
        f'<rect width="320" height="12" rx="2" fill="url(#shift-scale)"/>'
        f'<text y="29">{signed(-largest)}{escape(down)}</text>'
        f'<text x="160" y="29" text-anchor="middle">0</text>'
        f'<text x="320" y="29" text-anchor="end">{signed(largest)}{escape(up)}</text></svg>'
    )


def _largest(ranking: Sequence[Ranked]) -> float:
    """Return the size of the largest effect, 0 if none is known."""
    return max((abs(ranked.effect.value) for ranked in ranking if np.isfinite(ranked.effect.value)), default=0.0)


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))


def _window(face: AverageFace) -> tuple[slice, slice]:
    """Find the square around all parts: the picture is small, and what is beside the head says nothing."""
    inside = np.zeros(face.photo.shape[:2], np.bool_)
    for share in face.parts.values():
        inside |= share >= max(float(share.max()) * _OUTLINE, 1e-6)
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        return slice(None), slice(None)
    height, width = face.photo.shape[:2]
    side = min(round(max(np.ptp(rows), np.ptp(columns)) * (1 + 2 * _MARGIN)) + 1, height, width)
    top = int(np.clip((rows[0] + rows[-1] + 1 - side) // 2, 0, height - side))
    left = int(np.clip((columns[0] + columns[-1] + 1 - side) // 2, 0, width - side))
    return slice(top, top + side), slice(left, left + side)


def _grey(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Take the colours out, so that the tint alone has colour, and give the face the contrast that averaging took."""
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32)
    dark, light = np.percentile(grey, (1, 99))
    stretched = ((grey - dark) / max(light - dark, 1)).clip(0, 1) * (_LIGHTEST - _DARKEST) + _DARKEST
    return np.repeat(stretched.round().astype(np.uint8)[..., None], 3, axis=2)


def _fitted(share: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    """Scale a part's shares to a picture, and to 1 at most: brows lie elsewhere in every photo, and still show."""
    height, width = size[:2]
    if not share.max() > 0:
        return np.zeros((height, width), np.float32)
    fitted = cv2.resize(share.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    # Few photos give ragged edges.
    smooth = cv2.GaussianBlur(fitted, (0, 0), max(height, width) * _SMOOTHING)
    return (smooth / smooth.max()).astype(np.float32)
