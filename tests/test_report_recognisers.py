"""The report on several recognisers: what it says of their agreement, its panels and tables; nothing for one."""

import dataclasses
import json
import math
import re

import pytest

from facepart.analysis.recogniser_agreement import RecogniserAgreement
from facepart.report.export import results_json
from facepart.report.formatting import number_word, plain_ci, signed, signed_ci
from facepart.report.methods import methods
from facepart.report.page import render_report
from facepart.report.report_data import ReportData
from facepart.report.terminal import agreement_text
from tests.report_data import FACTS, make_data, with_recognisers
from tests.report_page import Page

ONE_GROUP = make_data(("all",), people=30)
ALIKE = with_recognisers(ONE_GROUP, sface=("brows", "mouth"))
APART = with_recognisers(
    make_data(("CM", "CF"), control=True, people=30), sface=("mouth", "nose"), edgeface=("nose", "eyes_brows")
)
FEW = with_recognisers(make_data(("all",), people=8, photos=1), sface=("brows", "mouth"))


def agreement_of(data: ReportData) -> RecogniserAgreement:
    assert data.agreement is not None
    return data.agreement


def text_of(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html)


def answers(data: ReportData) -> list[str]:
    paragraphs = Page(render_report(data)).all("p")
    return [text for attributes, text in paragraphs if attributes.get("class") == "answer"]


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render_report(APART))


def test_a_study_with_one_recogniser_says_nothing_of_others() -> None:
    html = render_report(ONE_GROUP)
    for absent in ("ecognisers", "Kendall’s W", "joint ranking", "Joint ranking", "All other sections"):
        assert absent not in html
    assert not {"agreement", "joint_ranking", "recognisers"} & set(json.loads(results_json(ONE_GROUP, {})))


def test_the_headline_says_that_they_agree() -> None:
    main = agreement_of(ALIKE).groups[0]
    first, second = answers(ALIKE)
    assert first.startswith(f"Both recognisers rank the {main.same_first} first.")
    others = {name for names in main.other_firsts.values() for name in names}
    assert ("other parts may be first as well" in first) == bool(others)
    assert f"Kendall’s τ {main.pairs[0].tau.value:.2f} [{main.pairs[0].tau.low:.2f}" in first
    assert second.startswith("All other sections are about faceplugin. ")
    certain = dataclasses.replace(main, possible_firsts={name: [main.same_first] for name in main.firsts})
    data = dataclasses.replace(ALIKE, agreement=dataclasses.replace(agreement_of(ALIKE), groups=[certain]))
    assert "no other part may be first for any of them" in answers(data)[0]


def test_the_headline_says_that_they_disagree() -> None:
    main = agreement_of(APART).groups[0]
    first = answers(APART)[0]
    assert first.startswith(
        "The recognisers disagree on the part that is ranked first, on average over 2 groups (equally weighted): "
        "nose (faceplugin), mouth (sface), “eyes and brows” (edgeface)."
    )
    assert not main.common_firsts and "no part may be first for all of them" in first
    assert f"Kendall’s W of the three rankings is {main.w.value:.2f} [" in first
    open_sets = dataclasses.replace(main, possible_firsts={name: ["nose", "mouth"] for name in main.firsts})
    data = dataclasses.replace(APART, agreement=dataclasses.replace(agreement_of(APART), groups=[open_sets]))
    assert (
        "the nose and mouth may be first for all of them: the study does not show that they differ"
        in (answers(data)[0])
    )


def test_without_intervals_nothing_is_claimed() -> None:
    first = answers(FEW)[0]
    assert "No CI is computed" in first and "95\u00a0%" not in first
    cells = [text for _, text in Page(render_report(FEW)).all("td")]
    assert any("no CI" in text for text in cells)
    told = agreement_text(agreement_of(FEW), FEW.design)
    assert "No CI is computed" in told and "[" not in told.partition("joint ranking")[0]


def test_every_tau_and_w_is_in_a_table(page: Page) -> None:
    rows = [text for _, text in page.all("tr")]
    agreement = agreement_of(APART)
    assert len(agreement.groups) == 3
    for group in agreement.groups:
        for pair in group.pairs:
            counts = f"{pair.alike} {pair.opposed} {pair.pairs - pair.alike - pair.opposed}"
            wanted = f"{pair.first}, {pair.second} {text_of(plain_ci(pair.tau, 2))} {counts}"
            assert any(row.startswith(wanted) for row in rows)
        assert any(row.startswith(f"all: Kendall’s W {text_of(plain_ci(group.w, 2))}") for row in rows)
        for rank, each in enumerate(agreement.joint_ranking[group.group], 1):
            wanted = f"{rank}. {APART.label(each.part)} {text_of(signed_ci(each.effect))}"
            row = next(row for row in rows if row.startswith(wanted))
            marks = [
                f"{'* ' if each.part in group.possible_firsts[name] else ''}{group.ranks[name][rank - 1]}"
                for name in agreement.recognisers
            ]
            assert row.endswith(" ".join(marks))


def test_there_is_a_panel_for_each_recogniser_in_one_order_of_parts(page: Page) -> None:
    order = [APART.label(each.part) for each in agreement_of(APART).joint_ranking["all"]]
    drawn = [text for attributes, text in page.all("tspan") if attributes.get("class") == "part"]
    assert drawn == 3 * order
    charts = [text for attributes, text in page.all("svg") if " by part, with " in text]
    assert len(charts) == 3
    for recogniser, chart in zip(APART.recognisers, charts, strict=True):
        assert f"by part, with {recogniser.name}; 95" in chart
        for each in recogniser.figures.ranking["all"]:
            # In the chart and in its description.
            assert chart.count(signed(each.effect.value)) >= 2


def test_the_methods_text_says_how_they_were_compared() -> None:
    text = "\n".join(methods(APART, FACTS))
    assert "for three recognisers (faceplugin, sface and edgeface) on the same photos" in text
    assert "in standard deviations of the baseline impostor scores; its CIs" in text
    assert "The problem of m rankings" in text
    cited = set(map(int, re.findall(r"\[(\d+)\]", text)))
    assert cited == set(range(1, max(cited) + 1))
    assert "recognisers" not in "\n".join(methods(ONE_GROUP, FACTS))


def test_names_are_escaped() -> None:
    data = with_recognisers(ONE_GROUP, **{"<b>&'": ("brows", "mouth")})
    html = render_report(data)
    assert "<b>" not in html and "&lt;b&gt;&amp;&#39;" in html
    Page(html)


def test_recognisers_that_rank_nothing_in_common_say_so() -> None:
    agreement = dataclasses.replace(agreement_of(ALIKE), groups=[], joint_ranking={"all": []})
    data = dataclasses.replace(ALIKE, agreement=agreement)
    assert "rank no part in common" in render_report(data)
    assert agreement_text(agreement, APART.design) == "The recognisers rank no part in common."


def test_json_has_the_agreement_and_the_joint_ranking() -> None:
    found = json.loads(results_json(APART, {}))
    agreement = agreement_of(APART)
    assert found["agreement"]["recognisers"] == ["faceplugin", "sface", "edgeface"]
    assert found["agreement"]["spreads"] == {"faceplugin": 0.05, "sface": 0.5, "edgeface": 0.5}
    for written, group in zip(found["agreement"]["groups"], agreement.groups, strict=True):
        assert [written["w"], written["w_low"]] == pytest.approx([group.w.value, group.w.low], abs=1e-5)
        assert written["firsts"] == group.firsts and written["parts"] == group.parts
        assert [each["tau"] for each in written["pairs"]] == pytest.approx([each.tau.value for each in group.pairs])
    for name, ranking in agreement.joint_ranking.items():
        assert [each["part"] for each in found["joint_ranking"][name]] == [each.part for each in ranking]
    assert set(found["by_recogniser"]) == set(agreement.recognisers)
    few = json.loads(results_json(FEW, {}))["agreement"]["groups"][0]
    assert few["w_low"] is None and "effective subjects" in few["w_no_ci"]


@pytest.mark.parametrize("data", [ALIKE, APART, FEW])
def test_the_terminal_says_the_same_in_short(data: ReportData) -> None:
    told, agreement = agreement_text(agreement_of(data), data.design), agreement_of(data)
    assert told.isascii() and max(map(len, told.splitlines())) <= 110
    assert not re.search(r" $", told, re.MULTILINE)
    start = " ".join(answers(data)[0].split()[:5])
    assert told.startswith(start)
    for pair in agreement.groups[0].pairs:
        assert f"    {pair.first}, {pair.second}: {pair.tau.value:.2f}" in told
        assert math.isnan(pair.tau.low) or f"[{pair.tau.low:.2f}, {pair.tau.high:.2f}]" in told
    for each in agreement.joint_ranking["all"]:
        assert each.part in told.partition("joint ranking")[2]


def test_numbers_in_words() -> None:
    assert [number_word(number) for number in (2, 10, 11)] == ["two", "ten", "11"]
