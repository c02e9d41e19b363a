"""The effects of the parts with their 95 % CIs, in the order of a ranking: a dot and a line for each group."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes

from facepart.errors import FacepartError
from facepart.plots import palette, style
from facepart.plots.frame import add_legend, make_axes

# Inches for a part, and for each group of a part.
_PART, _GROUP = 0.16, 0.14
# A colour for each.
MOST_GROUPS = len(style.SET_LOOKS)
_SHARE = 0.7  # of the space of a part that its groups take


class Effect(NamedTuple):
    """A part's effect; without a CI, `low` and `high` are NaN."""

    value: float
    low: float
    high: float


def ranking_axes(effects: Mapping[str, Mapping[str, Effect]], parts: Sequence[str], label: str) -> Axes:
    """Draw the effects of the parts, the first part at the top.

    Args:
        effects: group -> part -> its effect; parts without one are left out. One to twelve groups, in the order of
            the colours.
        parts: in the order of the ranking; a part that has an effect but no place here comes after these.
        label: what the effect is, for the axis; that CIs are drawn is added where there are any.

    Returns:
        The axes, in a figure of their own.

    Raises:
        FacepartError: there are no groups, or more than twelve, or no part has an effect.
    """
    if not 1 <= len(effects) <= MOST_GROUPS:
        raise FacepartError(f"a figure shows 1 to {MOST_GROUPS} groups, not {len(effects)}")
    ranked = dict.fromkeys(part for found in effects.values() for part in found)
    shown = [part for part in dict.fromkeys([*parts, *ranked]) if part in ranked]
    has_cis = any(math.isfinite(effect.low) for found in effects.values() for effect in found.values())
    if not shown:
        raise FacepartError("no part has a rank, so there is no ranking to draw")
    with style.house_style():
        figure, axes = make_axes()
        axes.axvline(0, color=palette.GREY, linewidth=0.8)
        for number, (found, (colour, line)) in enumerate(zip(effects.values(), style.SET_LOOKS, strict=False)):
            below = _SHARE * ((number + 0.5) / len(effects) - 0.5)
            for place, part in enumerate(shown):
                if part in found:
                    _draw(axes, found[part], place + below, colour, line)
        axes.set_yticks(range(len(shown)), shown)
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(label[:1].upper() + label[1:] + (" (95 % CI)" if has_cis else ""))
        # Few enough for numbers of three decimals with a sign.
        axes.locator_params(axis="x", nbins=5)
        axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)
        axes.set_axisbelow(True)
        add_legend(axes, list(effects) if len(effects) > 1 else [], None, {})
        height = len(shown) * (_PART + _GROUP * len(effects))
        figure.set_figheight(figure.get_figheight() + max(height, 1.0) + 0.5 - style.AXES_HEIGHT)
    return axes


def _draw(axes: Axes, effect: Effect, place: float, colour: str, line: object) -> None:
    if math.isfinite(effect.low):
        ends = [effect.low, effect.high]
        axes.plot(ends, [place, place], color=colour, linewidth=palette.LINE_WIDTH, linestyle=line)
    axes.plot([effect.value], [place], linestyle="none", marker="o", markersize=4, color=colour)
