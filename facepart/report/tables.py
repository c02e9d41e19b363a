"""The figures of the report as tables: rankings, and what each part's loss does to scores and errors."""

from collections.abc import Sequence
from functools import partial

from facepart.analysis.ranking import IMPORTANCE
from facepart.analysis.results import ALL_GROUPS, CONTROL, CROSS, WITHIN, PartResult
from facepart.report.content import Content
from facepart.report.markup import (
    DASH,
    escape,
    part_name,
    per_cent,
    plain,
    ranged,
    ranged_per_cent,
    share_of_resamplings,
    signed,
    table,
)

TIED = "≈"
_signed4, _plain4 = partial(signed, decimals=4), partial(plain, decimals=4)
_shift, _mean = partial(ranged, write=_signed4), partial(ranged, write=_plain4)


def ranking_table(content: Content, name: str) -> str:
    """Make the table of a ranking: of a group, or of all together.

    Args:
        content: the report's.
        name: of the ranking: a group, or ``all``.
    """
    controlled = content.ranked_by == IMPORTANCE
    rows = {
        row.part: row
        for row in content.results
        if (row.group, row.comparison, row.occlusion) == (name, WITHIN, content.occlusion)
    }
    head = [
        "part",
        "importance: shift beyond the control’s" if controlled else "shift of the mean impostor score",
        "comes first in",
        f"ahead of the next by ({TIED} not told apart)",
    ]
    if rows:
        head += ["shift", "shift of the control", "control"] if controlled else []
        head += ["shift for each per cent of the photo"]
    cells = []
    for place, ranked in enumerate(content.rankings[name], 1):
        line = [
            f"{place}. {escape(part_name(ranked.part))}",
            _shift(ranked.effect),
            share_of_resamplings(ranked.ranked_first),
            f"{TIED} {_shift(ranked.difference_to_next)}" if ranked.tied else _shift(ranked.difference_to_next),
        ]
        if rows:
            row = rows[ranked.part]
            if controlled:
                kinds = escape(row.control or DASH).replace(", ", "<br>")
                line += [_shift(row.impostor_shift), _shift(row.control_shift), kinds]
            line += [_shift(row.shift_per_percent)]
        cells.append(line)
    of_all = name == ALL_GROUPS and len(content.groups) > 1
    whose = f", mean of {len(content.groups)} groups" if of_all else f", {name}" if len(content.groups) > 1 else ""
    resampled = f"; “comes first in”: of {content.resamplings:,} resamplings of people" if content.resamplings else ""
    return table(head, cells, f"Ranking{whose}; 95 % intervals in brackets{resampled}", "figures")


def figure_tables(content: Content) -> str:
    """Make two tables, of scores and of errors, for each group and way of comparing; all but the first are folded."""
    blocks = []
    for group in content.groups:
        order = {ranked.part: place for place, ranked in enumerate(content.rankings[group.name])}
        for comparison, said in (
            (WITHIN, "photos with the part lost, among themselves"),
            (CROSS, "photos with the part lost, against original ones"),
            (CONTROL, "control: photos with other places of the same size lost, among themselves"),
        ):
            rows = [
                row
                for row in content.results
                if (row.group, row.comparison, row.occlusion) == (group.name, comparison, content.occlusion)
            ]
            if rows:
                rows.sort(key=lambda row: order.get(row.part, len(order)))
                said = f"{group.name}: {said}" if len(content.groups) > 1 else said.capitalize()
                blocks.append((said, _scores(rows, said) + _errors(rows, said)))
    return "\n".join(
        f"<details{' open' * (not number)}><summary>{escape(said)}</summary>{tables}</details>"
        for number, (said, tables) in enumerate(blocks)
    )


def _scores(rows: Sequence[PartResult], said: str) -> str:
    head = [
        "part",
        "mean impostor score",
        "its shift",
        "shift of the mode",
        "KS",
        "mean authentic score",
        "its shift",
        "d′",
        "its change",
        "share of head",
        "of the photo replaced",
    ]
    before = rows[0]
    cells = [["none", _mean(before.impostor_mean_baseline), *[DASH] * 5]]
    cells[0] += [ranged(before.d_prime_baseline, plain), *[DASH] * 3]
    cells += [
        [
            escape(part_name(row.part)),
            _mean(row.impostor_mean),
            _shift(row.impostor_shift),
            signed(row.impostor_mode_shift, 2),
            plain(row.impostor_ks),
            _mean(row.authentic_mean),
            _shift(row.authentic_shift),
            ranged(row.d_prime, plain),
            ranged(row.d_prime_change, signed),
            per_cent(row.share, 1),
            per_cent(row.replaced, 1),
        ]
        for row in rows
    ]
    return table(head, cells, f"Scores. {said}", "figures")


def _errors(rows: Sequence[PartResult], said: str) -> str:
    head = ["part", "EER"]
    for target in ("0.1", "0.01"):
        head += [f"FMR at the original’s threshold for {target}\u00a0%", "times the original’s"]
    head += ["FNMR at FMR 0.1\u00a0%", "FNMR at FMR 0.01\u00a0%"]
    before = rows[0]
    cells = [["none", ranged_per_cent(before.eer_baseline), *[DASH] * 4]]
    cells[0] += [ranged_per_cent(before.fnmr_1e3_baseline), ranged_per_cent(before.fnmr_1e4_baseline)]
    cells += [
        [
            escape(part_name(row.part)),
            ranged_per_cent(row.eer),
            ranged_per_cent(row.fmr_at_baseline_1e3, 3),
            ranged(row.fmr_ratio_1e3, partial(plain, decimals=2)),
            ranged_per_cent(row.fmr_at_baseline_1e4, 4),
            ranged(row.fmr_ratio_1e4, partial(plain, decimals=2)),
            ranged_per_cent(row.fnmr_1e3),
            ranged_per_cent(row.fnmr_1e4),
        ]
        for row in rows
    ]
    return table(head, cells, f"Errors. {said}", "figures")
