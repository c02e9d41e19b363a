"""How a report was made, as tables: what was compared, models and settings, and photos that failed."""

from facepart.analysis.results import WITHIN
from facepart.report.content import Content
from facepart.report.markup import DASH, escape, part_name, table

# Rows of failures that are written out.
_MOST_FAILURES = 50


def count_table(content: Content) -> str:
    """Make the table of how much was compared: photos, people, scores, and photos without a part."""
    missing = {
        (row.group, row.part): row.undetected
        for row in content.results
        if (row.comparison, row.occlusion) == (WITHIN, content.occlusion)
    }
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
