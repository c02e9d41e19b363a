"""Groups compared, as a section of the report: error rates at one threshold for all, and shifts of every two groups.

What a reader needs first stands open: the original photos at the first target, then each group's rates with each part
lost. The rest is folded away. A group that takes no part in the comparison is named with the reason, without numbers.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial

from facepart.analysis.differentials import EACH_GROUP, Differential, ShiftDifference
from facepart.analysis.intervals import Interval
from facepart.analysis.results import ALL_GROUPS
from facepart.occlusion.occlusion import BASELINE
from facepart.report.content import Content
from facepart.report.markup import (
    DASH,
    escape,
    listed,
    part_name,
    per_cent,
    plain,
    plural,
    ranged,
    ranged_per_cent,
    signed,
    table,
)

# Behind a figure whose interval leaves out the value that equal groups would have.
APART = "*"
_ratio = partial(plain, decimals=2)
_MARKED = f"{APART} the interval leaves out"


def groups_compared(content: Content) -> str:
    """Make the section's inside; empty where there is one group."""
    if not content.differentials:
        return ""
    settings = list(dict.fromkeys((row.threshold_of, row.target) for row in content.differentials))
    # One threshold for all before those of each, and the larger FMR, which more scores tell, first.
    settings.sort(key=lambda setting: (setting[0] == EACH_GROUP, -setting[1]))
    blocks = [_rows(content, *setting) for setting in settings]
    first, *others = blocks
    folded = "\n".join(
        f"<details><summary>{escape(_where(rows[0]))}</summary>{_rates(rows)}</details>" for rows in others
    )
    return "\n".join(
        [
            f"<p>{_in_words(first[0])}</p>",
            _original(first[0]),
            f"<h3>With each part lost, at the same threshold</h3>{_rates(first)}",
            f"<details><summary>Ratios of every two groups</summary>{_ratios(first)}</details>",
            folded,
            f"<h3>Shifts compared</h3><p>{_shifts_in_words(content)}</p>{_shift_table(content)}",
        ]
    )


def _rows(content: Content, threshold_of: str, target: float) -> list[Differential]:
    return [row for row in content.differentials if (row.threshold_of, row.target) == (threshold_of, target)]


def _where(row: Differential) -> str:
    """Say at which thresholds rates were taken."""
    rate = per_cent(row.target)
    if row.threshold_of == EACH_GROUP:
        return f"At thresholds of each group’s own, for an FMR of {rate}"
    whose = "all groups together" if row.threshold_of == ALL_GROUPS else row.threshold_of
    return f"At one threshold for all groups, set for an FMR of {rate} on the original photos of {whose}"


def _in_words(row: Differential) -> str:
    """Say how far apart the groups' error rates are."""
    known = [group for group in row.groups if not group.refused and math.isfinite(group.fmr.value)]
    if len(known) < 2:
        return f"{_where(row)}, there are fewer than two groups with people and scores enough to be compared."
    least, most = (choose(known, key=lambda group: group.fmr.value) for choose in (min, max))
    said = (
        f"{_where(row)}, the original photos have FMRs from {per_cent(least.fmr.value, 3)} ({least.group}) to "
        f"{per_cent(most.fmr.value, 3)} ({most.group})"
    )
    if math.isfinite(row.inequity_fmr):
        said += f"; the largest is {_ratio(row.inequity_fmr)} times the typical one, their geometric mean"
    said += "."
    ratios = [ratio.fmr for ratio in row.ratios if math.isfinite(ratio.fmr.low)]
    if ratios:
        apart = sum(_apart(ratio, 1) for ratio in ratios)
        said += f" Of {plural(len(ratios), 'pair')} of groups, {apart or 'none'} can be told apart by their FMR"
        said += ": the 95 % interval of the ratio leaves out 1." if apart else "."
    return escape(said)


def _original(row: Differential) -> str:
    """Make the table of the original photos, and give the figures of all groups."""
    rows = [
        [
            escape(group.group),
            plain(group.threshold),
            *(
                [f"refused: {escape(group.refused)}", DASH]
                if group.refused
                else [ranged_per_cent(group.fmr, 3), ranged_per_cent(group.fnmr)]
            ),
        ]
        for group in row.groups
    ]
    caption = f"Original photos. {_where(row)}; 95 % intervals in brackets"
    figures = [
        ("Inequity of the FMR", _ratio(row.inequity_fmr)),
        ("of the FNMR", _ratio(row.inequity_fnmr)),
        ("GARBE", plain(row.garbe)),
        ("fairness discrepancy rate", plain(row.fairness_discrepancy, 4)),
    ]
    said = ", ".join(f"{what} {figure}" for what, figure in figures)
    pairs = [
        [escape(f"{ratio.first} / {ratio.second}"), _marked(ratio.fmr, 1), _marked(ratio.fnmr, 1)]
        for ratio in row.ratios
    ]
    ratios = table(["groups", "FMR", "FNMR"], pairs, f"Original photos: ratios of rates; {_MARKED} 1", "figures")
    rates = table(["group", "threshold", "FMR", "FNMR"], rows, caption, "figures")
    return f'<div class="beside">{rates}{ratios if pairs else ""}</div><p>{said}.</p>'


def _rates(rows: Sequence[Differential]) -> str:
    """Make tables of the FMR and the FNMR, photos by group, with the figures of all groups."""
    names = [group.group for group in rows[0].groups]
    kinds = [("FMR", "fmr", 3), ("FNMR", "fnmr", 2)]
    if rows[0].threshold_of == EACH_GROUP:
        kinds = kinds[1:]  # all FMRs are the target's
    pieces = []
    for kind, field, decimals in kinds:
        cells = [
            [
                _photos(row),
                *(
                    "refused" if group.refused else ranged_per_cent(getattr(group, field), decimals)
                    for group in row.groups
                ),
                _ratio(getattr(row, f"inequity_{field}")),
                *([plain(row.garbe), plain(row.fairness_discrepancy, 4)] if field == "fnmr" else []),
            ]
            for row in rows
        ]
        head = ["lost", *map(escape, names), f"inequity of the {kind}"]
        head += ["GARBE", "fairness discrepancy rate"] if field == "fnmr" else []
        pieces.append(table(head, cells, f"{kind} by group and part. {_where(rows[0])}", "figures"))
    refused = {group.group: group.refused for row in rows for group in row.groups if group.refused}
    if refused:
        said = listed([f"{group} ({why})" for group, why in refused.items()])
        pieces.append(f"<p>Refused: {escape(said)}.</p>")
    return "\n".join(pieces)


def _ratios(rows: Sequence[Differential]) -> str:
    """Make tables of the ratios of every two groups: pairs by photos."""
    pieces = []
    for kind in ("fmr", "fnmr"):
        by_pair: dict[str, list[str]] = {}
        pairs = dict.fromkeys((ratio.first, ratio.second) for row in rows for ratio in row.ratios)
        for pair in pairs:
            found = [
                next((getattr(ratio, kind) for ratio in row.ratios if (ratio.first, ratio.second) == pair), None)
                for row in rows
            ]
            by_pair[" / ".join(pair)] = [_marked(ratio, 1) if ratio else DASH for ratio in found]
        cells = [[escape(pair), *ratios] for pair, ratios in by_pair.items()]
        caption = f"Ratios of the {kind.upper()}; {_MARKED} 1"
        pieces.append(table(["groups", *map(_photos, rows)], cells, caption, "figures"))
    return "\n".join(pieces)


def _shifts_in_words(content: Content) -> str:
    known = [row.difference for row in _differences(content) if math.isfinite(row.difference.low)]
    apart = sum(_apart(difference, 0) for difference in known)
    if not known:
        return "There are too few people for intervals of the differences."
    return (
        f"How much more a part’s loss shifts the mean impostor score in one group than in another: of "
        f"{plural(len(known), 'difference')}, {apart} have a 95 % interval that leaves out 0; by chance alone, about "
        "one in 20 would."
    )


def _shift_table(content: Content) -> str:
    """Make the table of the differences of shifts: pairs of groups by part."""
    found = {(row.first, row.second, row.part): row.difference for row in _differences(content)}
    pairs = dict.fromkeys((first, second) for first, second, _ in found)
    cells = [
        [
            escape(f"{first} − {second}"),
            *(_marked(found[first, second, part], 0, partial(signed, decimals=4)) for part in content.parts),
        ]
        for first, second in pairs
    ]
    head = ["groups", *(escape(part_name(part)) for part in content.parts)]
    return table(head, cells, f"Differences of the shift of the mean impostor score; {_MARKED} 0", "figures")


def _differences(content: Content) -> list[ShiftDifference]:
    return [row for row in content.shift_differences if row.occlusion == content.occlusion]


def _photos(row: Differential) -> str:
    return "none" if row.part == BASELINE.name else escape(part_name(row.part))


def _marked(figure: Interval, equal: float, write: Callable[[float], str] = _ratio) -> str:
    if not figure.value and equal:
        return DASH  # a ratio to or of a rate without errors is not known
    return f"{APART} {ranged(figure, write)}" if _apart(figure, equal) else ranged(figure, write)


def _apart(figure: Interval, equal: float) -> bool:
    return figure.low > equal or figure.high < equal
