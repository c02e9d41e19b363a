"""The figures of the report as tables."""

import math
from collections.abc import Sequence

from facepart.report.content import Content
from facepart.report.markup import DASH, escape, part_name, per_cent, plain, signed, table
from facepart.report.results import ALL_GROUPS, CROSS, WITHIN, PartResult, Ranked, shifts_within

# Rows of failures that are written out.
_MOST_FAILURES = 50


def shift_table(content: Content, ranking: Sequence[Ranked]) -> str:
    """Make the table of shifts: a row a part, in the order of the ranking, a column a group."""
    names = [group.name for group in content.groups]
    shifts = shifts_within(content.results)
    several = ALL_GROUPS in content.rankings and len(names) > 1
    rows = [
        [
            f"{place}. {escape(part_name(ranked.part))}",
            *([signed(ranked.impostor_shift, 4)] if several else []),
            *(signed(shifts.get((name, ranked.part), math.nan), 4) for name in names),
        ]
        for place, ranked in enumerate(ranking, 1)
    ]
    head = ["part", *(["mean of groups"] if several else []), *map(escape, names)]
    return table(head, rows, "Shift of the mean impostor score when a part is blurred", "figures")


def figure_tables(content: Content) -> str:
    """Make a table of the figures of every part for each group and way of comparing."""
    pieces = []
    for group in content.groups:
        order = {ranked.part: place for place, ranked in enumerate(content.rankings[group.name])}
        for comparison, said in (
            (WITHIN, "blurred photos among themselves"),
            (CROSS, "blurred photos against original ones"),
        ):
            rows = [row for row in content.results if (row.group, row.comparison) == (group.name, comparison)]
            if rows:
                rows.sort(key=lambda row: order.get(row.part, len(order)))
                pieces.append(_figures(rows, f"{group.name}: {said}"))
    return "\n".join(pieces)


def count_table(content: Content) -> str:
    """Make the table of how much was compared: photos, people, scores, and photos without a part."""
    missing = {(row.group, row.part): row.missing for row in content.results if row.comparison == WITHIN}
    rows = [
        [
            escape(group.name),
            *(f"{count:,}" for count in (group.photos, group.people, *(scores.n for scores in group.original))),
            *(f"{missing[group.name, part]:,}" if (group.name, part) in missing else DASH for part in content.parts),
        ]
        for group in content.groups
    ]
    head = ["group", "photos", "people", "authentic scores", "impostor scores"]
    head += [f"without {escape(part_name(part))}" for part in content.parts]
    return table(head, rows, "What was compared, and photos in which a part was not found", "figures")


def fact_table(content: Content) -> str:
    """Make the table of how the report was made."""
    rows = [[escape(what), escape(value)] for what, value in content.facts.items()]
    return table(["what", "value"], rows, "Models, settings and versions", "facts")


def failure_table(content: Content) -> str:
    """Make the table of photos that could not be worked on; the first ones where there are many."""
    count = len(content.failures)
    if not count:
        return "<p>Every photo could be worked on.</p>"
    rows = [[escape(cell) for cell in failure] for failure in content.failures[:_MOST_FAILURES]]
    caption = f"Photos that could not be worked on: {count:,}"
    if count > _MOST_FAILURES:
        caption += f", of which the first {_MOST_FAILURES}"
    return table(["photo", "stage", "reason"], rows, caption, "facts")


def _figures(rows: Sequence[PartResult], caption: str) -> str:
    head = [
        "part",
        "shift of mean impostor score",
        "shift of its mode",
        "KS",
        "shift of mean authentic score",
        "d′ (change)",
        "FMR at the original’s threshold for 0.1\u00a0%",
        "FMR at the original’s threshold for 0.01\u00a0%",
        "FNMR at FMR 0.1\u00a0%",
        "FNMR at FMR 0.01\u00a0%",
        "share of head",
    ]
    return table(head, [_figure_row(row) for row in rows], caption, "figures")


def _figure_row(row: PartResult) -> Sequence[str]:
    return [
        escape(part_name(row.part)),
        signed(row.impostor_shift, 4),
        signed(row.impostor_mode_shift, 2),
        plain(row.impostor_ks),
        signed(row.authentic_shift, 4),
        f"{plain(row.d_prime)} ({signed(row.d_prime_change)})",
        _times(row.fmr_at_original_1e3, row.times_more_1e3),
        _times(row.fmr_at_original_1e4, row.times_more_1e4),
        _before_after(row.fnmr_1e3_original, row.fnmr_1e3),
        _before_after(row.fnmr_1e4_original, row.fnmr_1e4),
        per_cent(row.share, 1),
    ]


def _times(rate: float, times: float) -> str:
    return DASH if math.isnan(rate) else f"{per_cent(rate, 3)} ({plain(times, 1)} ×)"


def _before_after(before: float, after: float) -> str:
    return DASH if math.isnan(before) and math.isnan(after) else f"{per_cent(before)} → {per_cent(after)}"
