"""Other ways to lose a part, as a section of the report: whether the ranking holds however a part is lost."""

import math
from functools import partial

from facepart.analysis.ranking import IMPORTANCE, Agreement
from facepart.analysis.results import WITHIN
from facepart.report.content import Content
from facepart.report.markup import DASH, escape, part_name, plain, plural, ranged, signed, table
from facepart.report.ways import in_words

_shift = partial(ranged, write=partial(signed, decimals=4))


def ways_compared(content: Content) -> str:
    """Make the section's inside; empty where parts were lost in one way."""
    if len({row.occlusion for row in content.agreements}) < 2:
        return ""
    first, *groups = dict.fromkeys(row.group for row in content.agreements)
    folded = "".join(_table(content, group) for group in groups)
    if folded:
        folded = f"<details><summary>The ways in each group</summary>{folded}</details>"
    return f"<p>{_in_words(content, first)}</p>{_table(content, first)}{folded}"


def _in_words(content: Content, group: str) -> str:
    """Say whether the ranking holds."""
    main, *others = [row for row in content.agreements if row.group == group]
    same = sum(row.same_first for row in others)
    named = escape(part_name(main.parts[0]))
    said = (
        f"The largest shift is that of the {named} when parts are {in_words(main.occlusion)}, and in {same} of "
        f"{plural(len(others), 'other way')} to lose a part."
    )
    taus = [row.tau for row in others if math.isfinite(row.tau)]
    if taus:
        between = plain(min(taus), 2) if min(taus) == max(taus) else f"{plain(min(taus), 2)} to {plain(max(taus), 2)}"
        said += (
            f" Kendall’s τ between the orders is {between}: 1 is the same order, 0 none in common, −1 the reverse."
        )
    said += (
        " The ranking depends on how a part is lost; an order that only one way shows is no finding."
        if same < len(others)
        else " Which part has the largest shift does not depend on which of these ways is taken."
    )
    if content.ranked_by == IMPORTANCE:
        said += " Ways are compared by their shifts, since only the main way has a control."
    return said


def _table(content: Content, group: str) -> str:
    """Make the table of a group: ways by part, each with its place and, of one group, its shift."""
    rows = [row for row in content.agreements if row.group == group]
    parts = rows[0].parts
    shifts = {
        (row.occlusion, row.part): row.impostor_shift
        for row in content.results
        if (row.group, row.comparison) == (group, WITHIN)
    }
    cells = []
    for number, row in enumerate(rows):
        line = [_named(row)]
        for part in parts:
            place = f"{row.parts.index(part) + 1}." if part in row.parts else DASH
            shift = shifts.get((row.occlusion, part))
            line.append(f"{place} {_shift(shift)}" if shift else place)
        agreement = [plain(row.tau, 2), "yes" if row.same_first else "no"] if number else [DASH, DASH]
        cells.append([*line, *agreement])
    head = ["parts are", *(escape(part_name(part)) for part in parts), "Kendall’s τ", "same part first"]
    whose = f" in {group}" if len(content.groups) > 1 and shifts else ", means of groups" if not shifts else ""
    return table(head, cells, f"Places of the parts by the shift of the mean impostor score{whose}", "figures ways")


def _named(row: Agreement) -> str:
    return escape(in_words(row.occlusion))
