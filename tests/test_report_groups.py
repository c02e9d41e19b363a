"""The report's comparison of groups: what a reader looks for first, and no table without a figure."""

import dataclasses
import math
import re
from html import unescape

from facepart.analysis.differentials import Differential, RateRatio, ShiftDifference
from facepart.analysis.intervals import UNKNOWN, Interval
from facepart.occlusion.parts import PARTS
from facepart.report.methods import methods
from facepart.report.page import render_report
from facepart.report.report_data import ReportData
from facepart.report.terminal import results_text
from tests.report_data import FACTS, make_data, with_figures

TWO = make_data(("female", "male"), people=12, photos=2)
KEPT = make_data(("female", "male"), ("nose", "hair"), people=12, photos=2, keep_undetected=True)
FIVE = make_data(("a", "b", "c", "d", "e"), ("nose", "eyes"), people=12, photos=2)


def section_of(data: ReportData) -> str:
    """The section on groups, as HTML."""
    return re.findall(r'<section id="groups".*?</section>', render_report(data), re.S)[0]


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", html)))


def differences(with_ci: dict[str, float]) -> list[ShiftDifference]:
    """A difference of each part between the two groups; those with a CI with their p by Holm."""
    return [
        ShiftDifference(
            part=part,
            occlusion="blur",
            first="female",
            second="male",
            paired=False,
            difference=Interval(0.02, 0.01, -0.01, 0.05, 11) if part in with_ci else UNKNOWN._replace(value=0.01),
            p_value=0.04 if part in with_ci else math.nan,
            p_holm=with_ci.get(part, math.nan),
        )
        for part in PARTS
    ]


def with_rates(data: ReportData, refused: str, fmr: Interval, fnmr: Interval) -> ReportData:
    """The data with the same rates in all groups and rows."""
    ratio = RateRatio("female", "male", Interval(1.5, 0.1, 1.3, 1.7), UNKNOWN)
    rows: list[Differential] = [
        dataclasses.replace(
            row,
            groups=[dataclasses.replace(group, refused=refused, fmr=fmr, fnmr=fnmr) for group in row.groups],
            ratios=[] if refused else [ratio],
        )
        for row in data.differentials
    ]
    return with_figures(data, differentials=rows)


def test_the_shifts_come_first_and_are_counted_with_and_without_a_ci() -> None:
    for with_ci, said in (
        ({}, "female − male: none of 7 differences has a 95 % CI. The differences have no CI: too few subjects."),
        ({"nose": 0.3}, "female − male: 1 of 7 differences has a 95 % CI, none is significant."),
        ({"nose": 0.03, "eyes": 0.2}, "female − male: 2 of 7 differences have a 95 % CI, 1 is significant."),
        ({"nose": 0.03, "eyes": 0.02}, "female − male: 2 of 7 differences have a 95 % CI, 2 are significant."),
    ):
        html = section_of(with_figures(TWO, shift_differences=differences(with_ci)))
        assert said in text_of(html)
        headings = re.findall(r"<h3>(.*?)</h3>", html)
        assert headings[:2] == ["Differences in impostor shift", "Differences in error rates"]
        row = text_of(re.findall(r"<tr><th scope=.row.>female − male</th>.*?</tr>", html, re.S)[0])
        assert row.count("0.01") + row.count("+0.02") >= 7


def test_differences_without_a_ci_have_the_true_reason() -> None:
    one = "a single control position does not show how positions differ"
    figure = UNKNOWN._replace(value=0.01, effective=48.0, no_ci=one)
    found = [dataclasses.replace(each, difference=figure, effect="importance") for each in differences({})]
    data = with_figures(TWO, shift_differences=found)
    assert f"The differences have no CI: {one}." in text_of(section_of(data))
    assert f"importance, differences between groups: no CIs\n    {one}\n" in results_text(data.figures)


def test_the_answer_says_whether_groups_differ_in_what_parts_are_ranked_by() -> None:
    for with_ci, said in (
        ({}, None),
        ({"nose": 0.3}, "No difference between groups in impostor shift is significant, which does not show that"),
        ({"nose": 0.03, "eyes": 0.2}, "Groups differ significantly in the impostor shift of nose."),
        ({"nose": 0.03, "eyes": 0.02}, "Groups differ significantly in the impostor shift of eyes and nose."),
    ):
        html = render_report(with_figures(TWO, shift_differences=differences(with_ci)))
        answer = text_of(" ".join(re.findall(r'<p class="answer">.*?</p>', html, re.S)))
        assert "roups" not in answer.replace("2 groups (equally", "") if said is None else said in answer, answer
        assert ("This does not show that the groups are equal." in text_of(html)) == (with_ci == {"nose": 0.3})


def test_a_margin_is_shown_as_it_was_given() -> None:
    data = make_data(("female", "male"), ("nose", "eyes"), people=12, photos=2, margin=0.00004)
    assert "differ by less than 4e-05" in text_of(section_of(data))
    assert "a difference below 4e-05" in " ".join(methods(data, FACTS))


def test_a_single_pair_of_groups_is_singular() -> None:
    known = Interval(0.012, 0.001, 0.01, 0.014, 11)
    data = with_rates(TWO, "", known, known)
    rows = [
        dataclasses.replace(row, ratios=[RateRatio("female", "male", Interval(1, 0.1, 0.9, 1.1), UNKNOWN)])
        for row in data.differentials
    ]
    text = text_of(section_of(with_figures(data, differentials=rows)))
    assert "Of 1 pair of groups, none differs significantly in FMR." in text


def test_many_pairs_of_groups_are_counted_together() -> None:
    text = text_of(section_of(FIVE))
    known = sum(each.difference.low == each.difference.low for each in FIVE.shift_differences)
    assert len(FIVE.shift_differences) == 20 and known > 1
    assert f"All pairs of groups: {known} of 20 differences have a 95 % CI" in text


def test_groups_that_are_all_excluded_have_a_sentence_and_no_table() -> None:
    html = section_of(with_rates(TWO, "fewer than 10 effective subjects", UNKNOWN, UNKNOWN))
    assert html.count("<table") == 1, "that of the shifts"
    assert "<td>excluded" not in html and "<details>" not in html
    reason = "fewer than 10 effective subjects"
    assert f"Excluded at an FMR of 0.1 %: female ({reason}) and male ({reason})." in text_of(html)


def test_a_group_that_is_excluded_for_a_part_alone_is_compared_otherwise() -> None:
    """Few photos with one part are no reason to say of a group that it takes no part."""
    few, many = "fewer than 10 subjects", "too few impostor scores"
    refused = {("female", "hair"): few, ("female", "nose"): many, ("male", "baseline"): many, ("male", "hair"): few}
    rows = [
        dataclasses.replace(
            row,
            groups=[
                dataclasses.replace(group, refused=refused.get((group.group, row.part), ""), fmr=rate, fnmr=rate)
                for group in row.groups
            ],
            ratios=[RateRatio("female", "male", Interval(1.5, 0.1, 1.3, 1.7), UNKNOWN)],
        )
        for row in TWO.differentials
        for rate in [Interval(0.012, 0.001, 0.01, 0.014, 11)]
    ]
    data = with_figures(TWO, differentials=rows)
    told = f"female (with nose occluded: {many}; with hair occluded: {few})"
    for text in (text_of(section_of(data)), " ".join(methods(data, FACTS))):
        for found in re.findall(r"Excluded(?: at FMR [\d.]+ %)?: (.*?\))\.", text):
            assert sorted(found.split(" and ")) == [told, f"male ({many})"]
        assert told in text


def test_the_captions_say_on_which_photos_thresholds_are_set() -> None:
    """With a part occluded, a threshold is not that of all photos, unless all are compared."""
    rate = Interval(0.012, 0.001, 0.01, 0.014, 11)
    for data, told in ((TWO, " (with a part occluded: on those in which it is detected)"), (KEPT, "")):
        html = section_of(with_rates(data, "", rate, rate))
        assert "at the same threshold" not in html
        captions = [text_of(each) for each in re.findall(r"<caption>(.*?)</caption>", html, re.S)]
        by_part = [each for each in captions if "by group and occluded part" in each]
        assert sum(f"baseline photos of all groups together{told}; 95" in each for each in by_part) == 4
        own = "in each group (with a part occluded: on the occluded photos); 95"
        assert sum(own in each for each in by_part) == 2 and len(by_part) == 6


def test_where_all_photos_are_kept_results_are_of_all_photos() -> None:
    for data, photos in ((TWO, "the photos in which the part is detected"), (KEPT, "all photos of the group")):
        assert f"each computed from {photos}." in text_of(section_of(data))
        page = text_of(render_report(data))
        assert ("from the same photos: those in which the part is detected." in page) == (data is TWO)
        assert ("from the same photos: all of the group." in page) == (data is KEPT)


def test_a_kind_of_rate_that_no_group_has_is_a_sentence() -> None:
    known = Interval(0.012, 0.001, 0.01, 0.014, 11)
    html = section_of(with_rates(TWO, "", known, UNKNOWN))
    captions = [text_of(caption) for caption in re.findall(r"<caption>(.*?)</caption>", html, re.S)]
    assert any(caption.startswith("FMR by group") for caption in captions)
    assert any(caption.startswith("Ratios of FMR") for caption in captions)
    assert not any(caption.startswith(("FNMR by group", "Ratios of FNMR")) for caption in captions)
    text = text_of(html)
    assert (
        "no FNMR is given: no group has ten subjects with two photos." in text and "No ratio of FNMR is shown" in text
    )
    both = section_of(with_rates(TWO, "", known, known))
    assert "no FNMR is given" not in text_of(both) and "FNMR by group" in both
