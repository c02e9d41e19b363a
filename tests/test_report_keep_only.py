"""Keep-only in the report, on the terminal and in JSON: each part alone beside the part occluded."""

import json
import re
from dataclasses import replace

import pytest

from facepart.analysis.intervals import UNKNOWN, Interval
from facepart.analysis.keep_only import kept_parts
from facepart.analysis.results import ALL_GROUPS, KEEP_ONLY, WITHIN
from facepart.occlusion.parts import PARTS
from facepart.report.export import results_json
from facepart.report.formatting import per_cent_ci, plain_ci, signed_ci
from facepart.report.keep_only_tables import keep_only_tables
from facepart.report.page import render_report
from facepart.report.terminal import results_text
from tests.report_data import make_data, with_figures
from tests.report_page import Page

ALONE = make_data(("all",), people=40, keep_only=True)
GROUPS = make_data(("CM", "CF"), ("eyes", "nose", "hair"), people=30, keep_only=True, control=True, equal_area=True)
KEPT = make_data(
    ("all",), ("eyes", "nose"), people=30, keep_only=True, keep_undetected=True, undetected=(("all", "eyes", 20),)
)
WITHOUT = make_data(("all",), ("nose", "hair"), people=30)
SINGLE = make_data(("all",), ("nose", "hair"), people=30, photos=1, keep_only=True)


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", html).split())


def section_of(html: str) -> str:
    return html.partition('<section id="keep-only"')[2].partition("</section>")[0]


def test_rows_of_a_part_alone_stand_beside_those_of_its_deletion() -> None:
    found = kept_parts(GROUPS.results, "CF")
    assert {each.part for each in found} == {"eyes", "nose", "hair"}
    values = [row.d_prime.value for row in GROUPS.results if (row.group, row.comparison) == ("CF", KEEP_ONLY)]
    assert [each.keep_only.d_prime.value for each in found] == sorted(values, reverse=True)
    for part, deletion, alone in found:
        assert (deletion.part, deletion.comparison, deletion.group) == (part, WITHIN, "CF")
        assert (alone.part, alone.comparison, alone.occlusion) == (part, KEEP_ONLY, deletion.occlusion)
        assert alone.photos_compared == deletion.photos_compared
        assert alone.d_prime_baseline == deletion.d_prime_baseline
    assert kept_parts(WITHOUT.results, "all") == kept_parts(GROUPS.results, "AAM") == []


def test_a_part_whose_d_prime_is_unknown_comes_last() -> None:
    first = kept_parts(ALONE.results, "all")[0].part
    results = [
        replace(row, d_prime=UNKNOWN) if (row.part, row.comparison) == (first, KEEP_ONLY) else row
        for row in ALONE.results
    ]
    assert [each.part for each in kept_parts(results, "all")][-1] == first


def test_the_order_is_that_of_d_prime_and_no_ranking() -> None:
    rankings = GROUPS.figures.keep_only_rankings
    assert list(rankings) == [ALL_GROUPS, "CM", "CF"]
    for group in ("CM", "CF"):
        values = {each.part: each.keep_only.d_prime for each in kept_parts(GROUPS.results, group)}
        assert [each.part for each in rankings[group]] == list(values)
        for each in rankings[group]:
            assert each.effect.value == values[each.part].value
            assert each.effect.low == pytest.approx(values[each.part].low)
    by_group = [{each.part: each.effect.value for each in rankings[group]} for group in ("CM", "CF")]
    for each in rankings[ALL_GROUPS]:
        assert each.effect.value == pytest.approx(sum(values[each.part] for values in by_group) / 2)
    assert "keep_only" not in GROUPS.figures.rankings
    assert WITHOUT.figures.keep_only_rankings == {}


@pytest.mark.parametrize("data", [ALONE, GROUPS])
def test_the_section_has_the_figures_of_every_part(data) -> None:
    html = render_report(data)
    section = section_of(html)
    cells = {text_of(cell) for cell in re.findall(r"<td>(.*?)</td>", section, re.DOTALL)}
    told = text_of(section)
    for group in data.groups:
        for part, deletion, alone in kept_parts(data.results, group.name):
            for row in (deletion, alone):
                expected = plain_ci(row.d_prime), per_cent_ci(row.fnmr_1e3), signed_ci(row.impostor_shift)
                assert {text_of(each) for each in expected} <= cells
            sentence = f"ith only the {data.label(part)} visible, d′ is {text_of(plain_ci(alone.d_prime))}"
            assert sentence in told
            with_rate = f"{sentence} and FNMR at FMR 0.1&nbsp;% is {text_of(per_cent_ci(alone.fnmr_1e3))}"
            assert (with_rate in told) == (alone.fnmr_1e3.value == alone.fnmr_1e3.value)
    assert section.count("<svg") == len(data.groups)
    assert "coarse shapes" in told
    # The answer on top names the part with the largest d' alone.
    best = kept_parts(data.results, data.groups[0].name)[0]
    largest = f"d′ is largest for the {data.label(best.part)}: {text_of(plain_ci(best.keep_only.d_prime))}"
    assert largest in text_of(html.partition("<nav")[0])


def test_rows_of_other_photos_have_baselines_of_their_own() -> None:
    """With photos kept in which a part is not detected, it is occluded in other photos than it is left alone in."""
    section = section_of(render_report(KEPT))
    headings = [text_of(each) for each in re.findall(r"<th scope=.col.>(.*?)</th>", section)]
    (eyes,) = [each for each in kept_parts(KEPT.results, "all") if each.part == "eyes"]
    assert (eyes.deletion.photos_compared, eyes.keep_only.photos_compared) == (90, 70)
    assert eyes.deletion.d_prime_baseline != eyes.keep_only.d_prime_baseline
    row = section.partition('<th scope="row">eyes</th>')[2].partition("</tr>")[0]
    cells = dict(zip(headings[1:], [text_of(each) for each in re.findall(r"<td>(.*?)</td>", row)], strict=True))
    assert cells["photos compared"] == "70 of 90"
    for name, figure in {
        "d′, only part visible": eyes.keep_only.d_prime,
        "d′, baseline": eyes.keep_only.d_prime_baseline,
        "d′, occluded, all photos": eyes.deletion.d_prime,
        "d′, baseline, all photos": eyes.deletion.d_prime_baseline,
    }.items():
        assert cells[name] == text_of(plain_ci(figure))
    assert cells["FNMR, baseline, all photos"] == text_of(per_cent_ci(eyes.deletion.fnmr_1e3_baseline))
    assert "Compare each with the baseline of the same photos" in section
    assert ", all photos<" not in section_of(render_report(ALONE)) and ", all photos<" in section


def test_only_a_study_with_keep_only_shows_any() -> None:
    html = render_report(WITHOUT)
    assert "keep-only" not in html.lower().replace("--keep-only", "")
    assert "only the part visible" not in results_text(WITHOUT.figures)
    assert "keep-only" not in " ".join(WITHOUT.methods)
    assert "keep-only" in " ".join(ALONE.methods)
    page = Page(render_report(ALONE))
    assert "Keep-only" in {text for _, text in page.all("dt")}


def test_without_authentic_scores_there_are_shifts_alone() -> None:
    table = keep_only_tables(SINGLE)[0]
    assert {row.part for row in table.rows} == {"nose", "hair"}
    assert table.ranked == {} and SINGLE.figures.keep_only_rankings == {}
    section = text_of(section_of(render_report(SINGLE)))
    assert "visible, d′ is" not in section
    assert "<svg" not in section_of(render_report(SINGLE))
    for row in table.rows:
        assert text_of(signed_ci(row.keep_only.impostor_shift)) in section
    assert "d′ is largest for" not in text_of(render_report(SINGLE).partition("<nav")[0])


def test_parts_at_chance_are_named() -> None:
    part = kept_parts(ALONE.results, "all")[-1].part
    chance = Interval(0.1, 0.1, -0.1, 0.3, 40.0)
    results = [
        replace(row, d_prime=chance) if (row.part, row.comparison) == (part, KEEP_ONLY) else row
        for row in ALONE.results
    ]
    told = text_of(section_of(render_report(with_figures(ALONE, results=results))))
    assert f"for the {PARTS[part].label}: not significantly" in told
    assert "not significantly better than chance" in told
    assert "not significantly better than chance" not in text_of(section_of(render_report(ALONE)))


def test_the_terminal_and_json_have_them() -> None:
    printed = results_text(GROUPS.figures)
    assert max(map(len, printed.splitlines())) <= 110
    tables = printed.split("only the part visible (everything except the part occluded):")[1:]
    found = json.loads(results_json(GROUPS, {}))
    for group, table in zip(("CM", "CF"), tables, strict=True):
        order = [each.part for each in kept_parts(GROUPS.results, group)]
        lines = [line for line in table.splitlines()[1:7] if re.match(r"\d\.", line)][:3]
        assert [line.split()[1] for line in lines] == order
        for line, each in zip(lines, kept_parts(GROUPS.results, group), strict=True):
            assert f"{each.keep_only.d_prime.value:.2f} [" in line  # its CI supports no third decimal
            assert f"{each.keep_only.impostor_shift.value:+.4f} [" in line
        assert [each["part"] for each in found["keep_only_rankings"][group]] == order
    assert {row["comparison"] for row in found["results"]} >= {"within", "control", "equal_area", "keep_only"}


def test_example_photos_show_the_part_alone() -> None:
    html = render_report(ALONE)
    assert "Below each: only the part" in text_of(html)
    assert "everything except nose occluded; nose outlined" in html
    assert "Below each: only the part" not in text_of(render_report(WITHOUT))
