"""What the report says in sentences: its answer, and how far that answer goes."""

import math
from collections.abc import Sequence

from facepart.report.content import Content
from facepart.report.markup import escape, listed, part_name, plural, signed
from facepart.report.results import ALL_GROUPS, WITHIN, Ranked


def main_ranking(content: Content) -> Sequence[Ranked]:
    """Give the ranking that the report opens with: of all groups together, or of the only one."""
    return content.rankings.get(ALL_GROUPS) or content.rankings[content.groups[0].name]


def answer(content: Content) -> str:
    """Say which part's loss moves impostor scores most; HTML."""
    known = [ranked for ranked in main_ranking(content) if math.isfinite(ranked.impostor_shift)]
    if not known:
        return "There are too few scores to tell which part’s loss moves them most."
    first, *others = known
    several = len(content.groups) > 1
    where = f", on average over {len(content.groups)} groups, each counting alike" if several else ""
    if first.impostor_shift <= 0:
        return (
            f"No part’s loss raised the mean impostor score{where}: the {_named(first)} came nearest to it, "
            f"at {signed(first.impostor_shift)}."
        )
    said = (
        f"Blurring the <strong>{_named(first)}</strong> raised the mean impostor score most, by "
        f"<strong>{signed(first.impostor_shift)}</strong>{where}."
    )
    if others:
        last = others[-1]
        said += f" The {_named(last)} {_comes(last)} last, at "
        said += f"{signed(last.impostor_shift)}{', a fall' if last.impostor_shift < 0 else ''}."
    if several:
        said += f" {_agreement(content, first)}"
    return said


def size(content: Content) -> str:
    """Say how much was compared."""
    photos, people = (sum(counts) for counts in zip(*((g.photos, g.people) for g in content.groups), strict=True))
    pairs = sum(scores.n for group in content.groups for scores in group.original)
    return (
        f"{plural(photos, 'photo')} of {plural(people, 'person', 'people')} "
        f"in {plural(len(content.groups), 'group')}; "
        f"{plural(pairs, 'pair')} of original photos compared within groups, and as many again for each part."
    )


def own_limits(content: Content) -> str:
    """Say what these figures do not show, beside what no report shows (that stands in the page); HTML list items."""
    missing = sum(row.missing for row in content.results if row.comparison == WITHIN)
    points = [
        "<strong>Photos without the part.</strong> Where a part was not found, the photo was compared as it is, "
        f"which makes the shift smaller. This happened {plural(missing, 'time')}, counted over all parts and groups."
    ]
    lone = [f"“{group.name}”" for group in content.groups if not group.original.authentic.n]
    if lone:
        points.append(
            f"<strong>No authentic scores</strong> in {escape(listed(lone))}: nobody there has two photos, so that "
            "nothing can be said about FNMR and d′."
        )
    return "\n".join(f"<li>{point}</li>" for point in points)


def _named(ranked: Ranked) -> str:
    return escape(part_name(ranked.part))


def _comes(ranked: Ranked) -> str:
    # Eyes come, the nose comes.
    return "come" if ranked.part.endswith("s") else "comes"


def _agreement(content: Content, first: Ranked) -> str:
    """Say in how many groups the same part comes first."""
    agreeing = [group.name for group in content.groups if content.rankings[group.name][0].part == first.part]
    if len(agreeing) == len(content.groups):
        return f"The {_named(first)} {_comes(first)} first in every group."
    return f"The {_named(first)} {_comes(first)} first in {len(agreeing)} of {len(content.groups)} groups."
