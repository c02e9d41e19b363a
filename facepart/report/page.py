"""The report: one page of HTML that opens anywhere and loads nothing.

Style, script, pictures and data stand inside the page, and its content security policy names the one script and the
one style by their hashes: nothing else runs, and nothing is fetched. The page's text stands in ``templates/``.
"""

import base64
import hashlib
import math
from importlib import resources

from markupsafe import Markup

from facepart.analysis.metrics import STUDY_FMRS, fmr_suffix
from facepart.report.agreement_words import agreement_words
from facepart.report.bars import GROUP_COLOURS, effect_bars
from facepart.report.contact_sheet import contact_sheet
from facepart.report.criteria_compared import criteria_tables, falls_beyond_control
from facepart.report.face import colour_scale, face_pictures
from facepart.report.group_comparison import compare_groups
from facepart.report.keep_only_tables import keep_only_tables, mean_keep_only
from facepart.report.other_methods import compare_rankings
from facepart.report.panels import comparisons, part_panels
from facepart.report.recogniser_panels import recogniser_panels
from facepart.report.report_data import ReportData
from facepart.report.shapley_tables import shapley_section
from facepart.report.stylesheet import stylesheet
from facepart.report.summary import summarise
from facepart.report.tables import further_columns, ranking_tables, result_tables
from facepart.report.templating import render
from facepart.report.threshold_panel import threshold_panel


def render_report(data: ReportData) -> str:
    """Render the report.

    Args:
        data: see :class:`ReportData`; every text in it may hold any characters.

    Returns:
        The page: a whole HTML document, to be saved as UTF-8.

    Raises:
        FacepartError: a group has no impostor scores.
    """
    style = stylesheet()
    script = resources.files("facepart.report").joinpath("report.js").read_text("utf-8")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return render(
        "report.html",
        data=data,
        policy=policy,
        style=Markup(style),  # noqa: S704 - our own
        script=Markup(script),  # noqa: S704 - our own
        summary=summarise(data),
        faces=face_pictures(data),
        scale=colour_scale(data.main_ranking, data.ranked_by),
        bars=effect_bars(data),
        bars_have_cis=any(math.isfinite(each.effect.low) for found in data.rankings.values() for each in found),
        means_have_cis=any(math.isfinite(row.impostor_mean.low) for row in data.main_rows().values()),
        tmrs_have_cis=any(
            math.isfinite(row.figure(f"fnmr_{fmr_suffix(target)}").low)
            for row in data.main_rows().values()
            for target in STUDY_FMRS
        ),
        group_colours=GROUP_COLOURS,
        ranking_tables=ranking_tables(data),
        agreement=data.agreement,
        agreement_words=agreement_words(data.agreement, data.design),
        recogniser_panels=recogniser_panels(data),
        criteria_compared=criteria_tables(data),
        beyond_control=falls_beyond_control(data),
        keep_only=keep_only_tables(data),
        mean_kept=mean_keep_only(data),
        shapley=shapley_section(data),
        methods_compared=compare_rankings(data),
        groups_compared=compare_groups(data),
        threshold_panel=threshold_panel(data),
        compared=comparisons(data),
        part_panels=part_panels(data),
        contact_sheet=contact_sheet(data),
        result_tables=result_tables(data),
        further_columns=further_columns(data),
        main_rows=data.main_rows(),
    )


def _hash(text: str) -> str:
    """Return the name of a style or script in a content security policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
