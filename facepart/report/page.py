"""The report: one page of HTML that opens anywhere, and loads nothing.

Styles, script, pictures and data stand inside the page, and its content security policy names the one script and the
one style by their hashes: nothing else runs, and nothing is fetched.
"""

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from string import Template

from facepart.analysis.ranking import IMPORTANCE, SHIFT, Ranked
from facepart.analysis.results import ALL_GROUPS, WITHIN, PartResult
from facepart.report.bars import GROUP_COLOURS, worth_bars
from facepart.report.content import Content
from facepart.report.face import face_figures, scale_figure
from facepart.report.groups import groups_compared
from facepart.report.guide import guide
from facepart.report.limits import limits
from facepart.report.markup import escape, part_name, plain, script_json
from facepart.report.other_ways import ways_compared
from facepart.report.panels import compared, histograms, rocs
from facepart.report.pictures import contact_sheet
from facepart.report.provenance import count_table, fact_table, failure_table
from facepart.report.readings import reading_chart, readings, start_stop, thresholds
from facepart.report.summary import answer, main_ranking, size
from facepart.report.tables import figure_tables, ranking_table

# What the ranking goes by, in words.
_RANKED_BY = {
    SHIFT: "By how much the mean impostor score moves when a part is lost: a rise means that different people look "
    "more alike without it.",
    IMPORTANCE: "By how much further the mean impostor score moves when a part is lost than when other places of the "
    "same size are: what the part is worth beyond its size.",
}


def render_report(content: Content) -> str:
    """Make the report.

    Args:
        content: see :class:`Content`; every text in it may hold any characters.

    Returns:
        The page: a whole HTML document, to be saved as UTF-8.

    Raises:
        FacepartError: a group has no impostor scores.
    """
    ranking = main_ranking(content)
    style, script = _resource("report.css"), _resource("report.js")
    first, last, step = thresholds(content)
    start = (first + start_stop(content)) * step
    sections = {
        "ways": ("Other ways to lose a part", ways_compared(content)),
        "groups": ("Groups compared", groups_compared(content)),
    }
    more = {name: section for name, section in sections.items() if section[1]}
    return Template(_resource("report.html")).substitute(
        policy=(
            f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
            "base-uri 'none'; form-action 'none'"
        ),
        style=style,
        script=script,
        title=escape(content.title),
        answer=answer(content),
        size=size(content),
        faces=face_figures(content.face, ranking, content.ranked_by),
        scale=scale_figure(ranking, content.ranked_by),
        bars=worth_bars(content, ranking),
        by_group=" and group by group" if len(content.groups) > 1 else "",
        ranked_by=_RANKED_BY[content.ranked_by],
        bars_key=_bars_key(content),
        links="\n".join(f'<li><a href="#{name}">{title}</a></li>' for name, (title, _) in more.items()),
        more="\n".join(_section(name, *section) for name, section in more.items()),
        guide=guide(content),
        methods=_methods(content),
        rankings=_rankings(content),
        parts=_part_sections(content, ranking),
        sets_key=_sets_key(content),
        group_options=_options([group.name for group in content.groups]),
        part_options=_options([part_name(part) for part in content.parts], part_name(ranking[0].part)),
        slider=f'min="{first * step:.6g}" max="{last * step:.6g}" step="{step:g}" value="{start:.6g}"',
        reading_rows=_reading_rows(content),
        reading_chart=reading_chart(content),
        readings=script_json(readings(content)),
        sheet=contact_sheet(content) if content.samples else "<p>No photos were kept for this page.</p>",
        figures=figure_tables(content),
        counts=count_table(content),
        facts=fact_table(content),
        failures=failure_table(content),
        limits=limits(content),
    )


def _part_sections(content: Content, ranking: Sequence[Ranked]) -> str:
    """Make a section for each part, in the order of the ranking: a panel of charts for each group."""
    drawn, curves = histograms(content), rocs(content)
    rows = {
        (row.group, row.part): row
        for row in content.results
        if (row.comparison, row.occlusion) == (WITHIN, content.occlusion)
    }
    sections = []
    for place, part in enumerate((ranked.part for ranked in ranking), 1):
        panels = "".join(
            f"<figure><figcaption><h4>{escape(group.name)}</h4>{_panel_words(rows[group.name, part])}</figcaption>"
            f"{drawn[number, part]}"
            f"{curves.get((number, part)) or '<p>No authentic scores, and so no ROC curve.</p>'}</figure>"
            for number, group in enumerate(content.groups)
        )
        heading = f"<h3>{place}. {escape(part_name(part))}</h3>"
        sections.append(f'<section class="part">{heading}<div class="panels">{panels}</div></section>')
    return "\n".join(sections)


def _panel_words(row: PartResult) -> str:
    return (
        f"<span>impostor mean {plain(row.impostor_mean_baseline.value)} → {plain(row.impostor_mean.value)}</span> "
        f"<span>d′ {plain(row.d_prime_baseline.value, 2)} → {plain(row.d_prime.value, 2)}</span>"
    )


def _rankings(content: Content) -> str:
    """Make the table of the main ranking and, of several groups, one of each, folded away."""
    several = len(content.groups) > 1
    tables = ranking_table(content, ALL_GROUPS if several else content.groups[0].name)
    if several:
        each = "\n".join(ranking_table(content, group.name) for group in content.groups)
        tables += f"<details><summary>The ranking in each group</summary>{each}</details>"
    return tables


def _bars_key(content: Content) -> str:
    items = [
        f'<li><span class="swatch g{number % GROUP_COLOURS}"></span>{escape(group.name)}</li>'
        for number, group in enumerate(content.groups if len(content.groups) > 1 else ())
    ]
    items.append('<li><span class="reach"></span>95 % interval</li>')
    if content.ranked_by == IMPORTANCE:
        items.append('<li><span class="ring"></span>the shift itself, its control’s not taken off</li>')
    return f'<ul class="key">{"".join(items)}</ul>'


def _section(name: str, title: str, inside: str) -> str:
    return (
        f'<section id="{name}" aria-labelledby="{name}-heading">\n<h2 id="{name}-heading">{title}</h2>\n{inside}\n'
        "</section>\n"
    )


def _methods(content: Content) -> str:
    """Put the methods paragraphs into a box to copy from; nothing where there are none."""
    if not content.methods:
        return ""
    paragraphs = "\n".join(f"<p>{escape(paragraph)}</p>" for paragraph in content.methods)
    return (
        "<h3>For a methods section</h3>\n<p>Made from what was run; to be adapted. "
        '<button id="copy-methods" type="button" hidden>Copy the text</button> '
        '<span id="copied" role="status"></span></p>\n'
        f'<div id="methods" class="methods" tabindex="0" role="region" aria-label="Text for a methods section">'
        f"{paragraphs}</div>"
    )


def _labels(content: Content) -> list[str]:
    return list(compared(content, 0, content.parts[0]))


def _sets_key(content: Content) -> str:
    items = "".join(
        f'<li><span class="stroke s{number}"></span>{label}</li>' for number, label in enumerate(_labels(content))
    )
    kinds = (
        '<li><span class="stroke authentic"></span>authentic scores</li>'
        '<li><span class="stroke impostor"></span>impostor scores</li>'
    )
    return f'<ul class="key">{items}{kinds}</ul>'


def _options(names: list[str], selected: str | None = None) -> str:
    return "".join(
        f'<option value="{number}"{" selected" if name == selected else ""}>{escape(name)}</option>'
        for number, name in enumerate(names)
    )


def _reading_rows(content: Content) -> str:
    return "".join(
        f'<tr><th scope="row"><span class="stroke s{number}"></span>{label}</th><td>–</td><td>–</td></tr>'
        for number, label in enumerate(_labels(content))
    )


def _resource(name: str) -> str:
    return resources.files("facepart.report").joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    """Give the name of a style or script in a content security policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
