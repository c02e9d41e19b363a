"""The templates of the report: ``templates/*.html`` for the page, ``templates/*.txt`` for plain text.

Sentences stand there; phrases that several of them share are functions: what criteria and methods are called
(:mod:`facepart.report.criterion_names`, :mod:`facepart.report.method_names`), why a part has no rank
(:mod:`facepart.report.coverage`), and why a figure has no CI (:mod:`facepart.report.formatting`).

What comes from data (names of subjects, groups and parts, paths, settings) is escaped in HTML unless it is
``Markup``, which is made of numbers and drawings alone. A name that a template uses and that does not exist is an
error.
"""

import functools
import re
from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context

from facepart.analysis.choices import DEFAULT_DRAWS
from facepart.analysis.differentials import EACH_GROUP
from facepart.analysis.intervals import MIN_SUBJECTS
from facepart.analysis.results import ALL_GROUPS
from facepart.occlusion.occlusion import BASELINE
from facepart.report import formatting
from facepart.report.criterion_names import criterion
from facepart.report.method_names import method_phrase
from facepart.report.report_data import ranks_by_part


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
    formatting.capitalised,
    formatting.counted,
    formatting.excludes,
    formatting.fmr_target,
    formatting.known_first,
    formatting.listed,
    formatting.p_value,
    formatting.paragraph,
    formatting.per_cent,
    formatting.per_cent_ci,
    formatting.number_word,
    formatting.plain,
    formatting.plain_ci,
    formatting.quoted,
    formatting.ratio_ci,
    ranks_by_part,
    formatting.plain_interval,
    formatting.rank_interval,
    formatting.share_of_resamples,
    formatting.signed,
    formatting.signed_ci,
    formatting.signed_interval,
    formatting.signed_points_ci,
    formatting.supported_decimals,
    criterion,
    is_plural,
    label,
    method_phrase,
)


def render(name: str, **values: object) -> str:
    """Fill a template, by its file name, with values."""
    return _environment().get_template(name).render(**values)


def describe(chart: str, *, data: object = None, **values: object) -> str:
    """Return the plain text that describes a chart to readers who do not see it.

    Args:
        chart: a macro of ``templates/chart_descriptions.txt``.
        data: what knows the names of parts, if the macro shows any.
        values: the macro's arguments.
    """
    return " ".join(_called("chart_descriptions.txt", chart, values, data).split())


def sentences(template: str, macro: str, *, data: object = None, **values: object) -> str:
    """Return the plain text of a macro, on one line; its non-breaking spaces stay.

    A page calls no macro of plain text itself: it would not escape what comes from data.

    Args:
        template: a file of plain text.
        macro: one of its macros.
        data: what knows the names of parts, if the macro shows any.
        values: the macro's arguments.
    """
    return re.sub(r"[ \n]+", " ", _called(template, macro, values, data)).strip()


def _called(template: str, macro: str, values: Mapping[str, object], data: object) -> str:
    found = _environment().get_template(template)
    # A macro reads from the context of its module what is no argument of its own; without data, the module is kept.
    module = found.module if data is None else found.make_module({"data": data})
    return str(getattr(module, macro)(**values))


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
        "DEFAULT_DRAWS": DEFAULT_DRAWS,
        "EACH_GROUP": EACH_GROUP,
        "MIN_SUBJECTS": MIN_SUBJECTS,
    }
    return environment
