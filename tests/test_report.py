"""The report as a page: its structure, that it loads nothing, that data cannot break it, and its figures."""

import dataclasses
import itertools
import json
import math
import re

import numpy as np
import pytest

from facepart.occlusion.parts import PARTS
from facepart.report.formatting import listed, per_cent, script_json, signed
from facepart.report.outlines import outline
from facepart.report.page import render_report
from facepart.report.report_data import ReportData
from facepart.scores import GroupScores
from tests.report_data import EVERYTHING, make_data, with_values
from tests.report_images import draw_mask
from tests.report_page import Page

pytestmark = pytest.mark.slow

HOSTILE = "<script>alert(1)</script>\"'&$title</title>"
# Attributes by which a page loads something or leads elsewhere.
LOADING = {"src", "href", "xlink:href", "srcset", "data", "action", "poster", "background"}


@pytest.fixture(scope="module")
def data() -> ReportData:
    return EVERYTHING


@pytest.fixture(scope="module")
def page(data: ReportData) -> Page:
    return Page(render_report(data))


HOSTILE_DATA = with_values(
    make_data((HOSTILE, "CF"), ("nose", HOSTILE), title=HOSTILE, people=30),
    provenance={HOSTILE: HOSTILE},
    failures=[(HOSTILE, HOSTILE, HOSTILE)],
)
FEW = make_data(("all",), people=8, photos=1)
AVERAGE_ONLY = with_values(FEW, examples=[])
NO_FACES = with_values(AVERAGE_ONLY, face=None)


@pytest.mark.parametrize(
    "shown",
    [EVERYTHING, HOSTILE_DATA, FEW, NO_FACES, make_data(tuple("ABCDEFGH"), ("nose",), people=12, photos=2)],
    ids=["everything", "hostile", "few scores", "no faces", "eight groups"],
)
def test_structure(shown: ReportData) -> None:
    page = Page(render_report(shown))
    levels = [int(tag[1]) for tag, _, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    ids = [attributes["id"] for _, attributes, _ in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert all(attributes.get("alt") for attributes, _ in page.all("img"))
    for place, (tag, attributes, _) in enumerate(page.elements):
        if tag == "svg":
            assert attributes["role"] == "img"
            following = page.elements[place + 1]
            assert following[0] == "title" and "".join(following[2]).strip()
        if tag == "th":
            assert attributes["scope"] in ("row", "col")
        if tag == "label":
            assert attributes["for"] in ids
        if tag in ("select", "input"):
            assert attributes["id"] in [label["for"] for label, _ in page.all("label")]
        if (attributes.get("href") or "").startswith("#"):
            assert (attributes["href"] or "")[1:] in ids
    assert [len(page.all(tag)) for tag in ("main", "header", "nav")] == [1, 1, 1]
    assert len(page.all("table")) == len(page.all("caption"))
    assert page.all("html")[0][0]["lang"] == "en-GB"


def test_without_faces_the_rest_stays() -> None:
    whole, average, none = (Page(render_report(shown)) for shown in (FEW, AVERAGE_ONLY, NO_FACES))
    shown = len(FEW.examples) * (1 + len(FEW.parts))
    assert [len(page.all("image")) for page in (whole, average, none)] == [shown + len(PARTS), len(PARTS), 0]
    text = "This report contains no photos of subjects"
    assert any(found == f"{text}, only an average face." for _, found in average.all("p"))
    assert any(found == f"{text}." for _, found in none.all("p"))
    assert [found for _, found in none.all("h2")] == [found for _, found in whole.all("h2")]
    tables = [found for _, found in whole.all("table")]
    assert [found for _, found in none.all("table")] == [found for found in tables if "outlines show" not in found]


def test_loads_nothing(data: ReportData, page: Page) -> None:
    for tag, attributes, _ in page.elements:
        for name, value in attributes.items():
            if name in LOADING:
                assert value and value.startswith(("data:", "#")), (tag, name)
            assert name != "style" and not name.startswith("on"), "forbidden by the page's own policy"
    style = page.all("style")[0][1]
    assert "@import" not in style and "url(" not in style
    policy = next(a["content"] for a, _ in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy and policy.startswith("default-src 'none'; img-src data:;")
    assert len(render_report(data).encode()) < 1_000_000


def test_text_from_data_stays_text() -> None:
    html = render_report(HOSTILE_DATA)
    page = Page(html)
    assert "<script>alert" not in html
    assert len(page.all("script")) == 2
    assert page.all("h1")[0][1] == HOSTILE
    assert HOSTILE in [text for _, text in page.all("option")]
    row = [text for _, text in page.all("td") if text == HOSTILE]
    assert len(row) == 3  # a setting's value, and stage and reason of a failure
    assert page.data()["counts"]


def test_json_in_a_script_element_is_neither_an_end_nor_a_comment() -> None:
    value = {"</script><!--": "<b>&amp;\u2028"}
    written = script_json(value)
    assert not set("<>&\u2028") & set(written)
    assert json.loads(written) == value
    with pytest.raises(ValueError, match="JSON"):
        script_json(math.nan)


def test_readings_are_the_counts_of_the_scores(data: ReportData, page: Page) -> None:
    readings = page.data()
    slider = next(attributes for attributes, _ in page.all("input") if attributes["type"] == "range")
    assert float(slider["step"] or 0) == readings["step"]
    assert float(slider["min"] or 0) == pytest.approx(readings["first"] * readings["step"])
    thresholds = [round((readings["first"] + stop) * readings["step"], 6) for stop in range(readings["stops"])]
    assert float(slider["max"] or 0) == pytest.approx(thresholds[-1])
    assert len(thresholds) < 500
    for number, group in enumerate(data.groups):
        sets: list[tuple[int, GroupScores]] = []
        for place, part in enumerate(data.parts):
            every = (group.baselines, group.occluded, group.crossed, group.controls)
            compared = [each[part] for each in every if part in each]
            counted_sets = [each for each in readings["sets"][number][place] if each is not None]
            sets += zip(counted_sets, compared, strict=True)
        for place, scores in sets:
            counted = readings["counts"][place]
            impostor, authentic = (np.repeat(d.scores, d.counts) for d in (scores.impostor, scores.authentic))
            assert (counted["impostor"], counted["authentic"]) == (len(impostor), len(authentic))
            for stop in range(0, readings["stops"], 17):
                assert counted["matched"][stop] == (impostor >= thresholds[stop]).sum()
                assert counted["missed"][stop] == (authentic < thresholds[stop]).sum()
            assert (counted["matched"][0], counted["missed"][0]) == (len(impostor), 0)
            assert (counted["matched"][-1], counted["missed"][-1]) == (0, len(authentic))
    start = readings["start"]
    first = readings["counts"][readings["sets"][0][0][0]]
    assert first["matched"][start] <= first["impostor"] * 1e-3 < first["matched"][start - 1]


def test_many_failures_are_counted_and_the_first_shown() -> None:
    data = make_data(("CM",), ("nose",), people=30)
    many = [(f"photo{number}.jpg", "parse", "broken") for number in range(1234)]
    html = render_report(dataclasses.replace(data, failures=many, examples=[]))
    assert "1,234" in html and "photo49.jpg" in html and "photo50.jpg" not in html
    assert "All photos were processed" in render_report(dataclasses.replace(data, failures=[]))


@pytest.mark.parametrize("part", PARTS)
def test_outlines_run_along_the_mask(part: str) -> None:
    mask = draw_mask(part) > 0
    points = np.array(re.findall(r"([\d.]+) ([\d.]+)", outline(mask)), float)
    padded = np.pad(mask, 1)
    for x, y in np.floor(points).astype(int):
        around = padded[y : y + 3, x : x + 3]
        assert mask[y, x] and (not around.all() or x in (0, 111) or y in (0, 111))
    assert outline(np.zeros((8, 8), bool)) == ""


def test_lists_in_sentences() -> None:
    assert [listed(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
    assert listed(["nose", "brows", "eyes and brows"]) == "nose, brows and “eyes and brows”"
    assert listed(["eyes and brows", "brows"]) == "“eyes and brows” and brows"
    assert listed(["eyes and brows", "nose", "mouth"]) == "“eyes and brows”, nose and mouth"


def test_signs() -> None:
    found = [signed(value) for value in (0.0816, -0.02, 0.0, -0.0001, math.nan)]
    assert found == ["+0.082", "−0.020", "0.000", "0.000", "–"]
    assert [per_cent(0.0123), per_cent(math.nan)] == ["1.23\u00a0%", "–"]
