"""What the report says in sentences: its answer, and how far that answer goes."""

import math
from collections.abc import Sequence

from facepart.analysis.intervals import MIN_SUBJECTS
from facepart.analysis.ranking import IMPORTANCE, Ranked
from facepart.analysis.results import ALL_GROUPS
from facepart.report.content import Content
from facepart.report.markup import escape, part_name, plural, ranged, share_of_resamplings, signed


def main_ranking(content: Content) -> Sequence[Ranked]:
    """Give the ranking that the report opens with: of all groups together, or of the only one."""
    return content.rankings.get(ALL_GROUPS) or content.rankings[content.groups[0].name]


def answer(content: Content) -> str:
    """Say which part's loss moves impostor scores most, and how sure that is; HTML."""
    known = [ranked for ranked in main_ranking(content) if math.isfinite(ranked.effect.value)]
    if not known:
        return "There are too few scores to tell which part’s loss moves them most."
    first, *others = known
    controlled = content.ranked_by == IMPORTANCE
    several = len(content.groups) > 1
    where = f", on average over {len(content.groups)} groups, each counting alike" if several else ""
    if first.effect.value <= 0:
        more = " more than the loss of other places of the same size did" if controlled else ""
        return (
            f"No part’s loss raised the mean impostor score{more}{where}: the {_named(first)} came nearest to it, "
            f"at {_ranged(first)}."
        )
    beyond = " beyond what other places of the same size do" if controlled else ""
    said = [
        f"Losing the <strong>{_named(first)}</strong> raised the mean impostor score most{beyond}, by "
        f"<strong>{signed(first.effect.value)}</strong>{_ends(first)}{where}.",
        _sureness(first, others, controlled),
    ]
    if others:
        last = others[-1]
        said.append(
            f"The {_named(last)} {_comes(last)} last, at {_ranged(last)}"
            f"{', a fall' if last.effect.value < 0 else ''}."
        )
    if several:
        said.append(_agreement(content, first))
    return " ".join(filter(None, said))


def size(content: Content) -> str:
    """Say how much was compared."""
    photos, people = (sum(counts) for counts in zip(*((g.photos, g.people) for g in content.groups), strict=True))
    pairs = sum(scores.n for group in content.groups for scores in group.original)
    return (
        f"{plural(photos, 'photo')} of {plural(people, 'person', 'people')} "
        f"in {plural(len(content.groups), 'group')}; "
        f"{plural(pairs, 'pair')} of original photos compared within groups, and as many again for each part. "
        f"{brackets(content)}"
    )


def brackets(content: Content) -> str:
    """Say what stands in brackets, or why nothing does."""
    if any(math.isfinite(row.impostor_shift.low) for row in content.results):
        return "In brackets, 95 % intervals."
    return f"No intervals are given: there are fewer than {MIN_SUBJECTS} people in each group."


def _sureness(first: Ranked, others: Sequence[Ranked], controlled: bool) -> str:
    """Say how sure it is that this part comes first, and that it is worth anything."""
    said = []
    if math.isnan(first.effect.low):
        said.append(
            f"With fewer than {MIN_SUBJECTS} people in a group there is no interval: how sure this is, is not known."
        )
    elif first.effect.low <= 0:
        said.append(
            "Its interval holds 0: that it is worth more than its size is not certain."
            if controlled
            else "Its interval holds 0: that it raised it at all is not certain."
        )
    if not others:
        return " ".join(said)
    if math.isfinite(first.ranked_first):
        said.append(f"It comes first in {share_of_resamplings(first.ranked_first)} of resamplings of people.")
    if first.tied:
        said.append(
            f"It cannot be told apart from the next, the {_named(others[0])}: their difference is "
            f"{ranged(first.difference_to_next, signed)}."
        )
    return " ".join(said)


def _ends(ranked: Ranked) -> str:
    return ranged(ranked.effect, signed).removeprefix(signed(ranked.effect.value))


def _ranged(ranked: Ranked) -> str:
    return ranged(ranked.effect, signed)


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
