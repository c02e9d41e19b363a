"""The templates of the report: ``templates/*.html`` for the page, ``templates/*.txt`` for plain text.

All sentences stand there. What comes from data (names of subjects, groups and parts, paths, settings) is escaped in
HTML unless it is ``Markup``, which is made of numbers and drawings alone. A name that a template uses and that does
not exist is an error.
"""

import functools

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context

from facepart.analysis.differentials import EACH_GROUP
from facepart.analysis.intervals import MIN_SUBJECTS
from facepart.analysis.results import ALL_GROUPS
from facepart.occlusion.occlusion import BASELINE
from facepart.report import formatting
from facepart.report.criterion_names import criterion
from facepart.report.method_names import method_phrase


@pass_context
def label(context: Context, part: str) -> str:
    """Return a part's name in a sentence, as the data of the page say it."""
    return str(context["data"].label(part))


@pass_context
def is_plural(context: Context, part: str) -> bool:
    """Return whether a sentence says "are" of a part, not "is"."""
    return bool(context["data"].is_plural(part))


_FILTERS = (
    formatting.aligned,
    formatting.counted,
    formatting.excludes,
    formatting.known_first,
    formatting.listed,
    formatting.p_value,
    formatting.paragraph,
    formatting.per_cent,
    formatting.per_cent_ci,
    formatting.plain,
    formatting.plain_ci,
    formatting.rank_interval,
    formatting.share_of_resamples,
    formatting.signed,
    formatting.signed_ci,
    formatting.signed_interval,
    formatting.signed_points_ci,
    criterion,
    is_plural,
    label,
    method_phrase,
)


def render(name: str, **values: object) -> str:
    """Fill a template, by its file name, with values."""
    return _environment().get_template(name).render(**values)


def describe(chart: str, **values: object) -> str:
    """Return the plain text that describes a chart to readers who do not see it.

    Args:
        chart: a macro of ``templates/chart_descriptions.txt``.
        values: the macro's arguments.
    """
    macros = _environment().get_template("chart_descriptions.txt").module
    return " ".join(str(getattr(macros, chart)(**values)).split())


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("facepart.report"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {function.__name__: function for function in _FILTERS}
    environment.globals |= {
        "ALL_GROUPS": ALL_GROUPS,
        "BASELINE": BASELINE.name,
        "DASH": formatting.DASH,
        "EACH_GROUP": EACH_GROUP,
        "MIN_SUBJECTS": MIN_SUBJECTS,
    }
    return environment
