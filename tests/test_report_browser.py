"""The report in a real browser: no errors, no requests, the threshold panel, dark windows, paper and phones.

axe-core, which npm brings, looks for accessibility faults; without npm that test is skipped.

`make test-browser` runs it, and brings Chromium.
"""

import io
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest

from facepart.report.page import render_report
from facepart.report.report_data import ReportData
from facepart.scores import GroupScores
from tests.browser import FLAGS, NAMES, find_browser
from tests.report_data import make_data, with_recognisers

pytestmark = pytest.mark.slow

if not os.environ.get("FACEPART_TEST_BROWSER"):
    pytest.skip("in a real browser, which takes minutes: make test-browser", allow_module_level=True)

from playwright import sync_api  # noqa: E402 - only where the browser is

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# The release of axe-core.
AXE = "4.14.1"

DATA = make_data(
    ("CM", "<b>CF</b>"),
    ("nose", "hair", "eyes_brows"),
    crossed=True,
    control=True,
    equal_area=True,
    other_methods=("grey",),
    undetected=(("CM", "eyes_brows", 20),),
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Browser"]:
    found = find_browser()
    if found is None:
        pytest.fail(f"needs a browser on the path, one of {', '.join(NAMES)}")
    with sync_api.sync_playwright() as playwright:
        # It fills the home folder.
        home: dict[str, str | float | bool] = {**os.environ, "HOME": str(tmp_path_factory.mktemp("home"))}
        started = playwright.chromium.launch(executable_path=found, args=[*FLAGS], env=home)
        yield started
        started.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_report(DATA), "utf-8")
    return path


@pytest.fixture
def page(browser: "Browser", report: Path) -> Iterator["Page"]:
    """The report, opened; whatever it complains of or asks for fails the test."""
    opened = browser.new_page(viewport={"width": 1200, "height": 900})
    troubles: list[str] = []
    opened.on("console", lambda message: troubles.append(message.text))
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("request", lambda request: troubles.append(request.url) if not _ours(request.url, report) else None)
    opened.goto(report.as_uri())
    yield opened
    opened.close()
    assert troubles == []


def _ours(url: str, report: Path) -> bool:
    return url.startswith("data:") or url.split("#")[0] == report.as_uri()


def rates(scores: GroupScores, threshold: float) -> list[str]:
    """What the table is to say at a threshold, from every single score."""
    impostor, authentic = (np.repeat(d.values, d.counts) for d in (scores.impostor, scores.authentic))
    bound = round(threshold * 1_000_000)
    matched, missed = int((impostor >= bound).sum()), int((authentic < bound).sum())
    return [
        f"{100 * count / total:.4f}\u00a0% ({count:,} of {total:,})"
        for count, total in ((matched, len(impostor)), (missed, len(authentic)))
    ]


def shown(page: "Page") -> list[list[str]]:
    rows = page.locator("#reading-table tbody tr")
    return [rows.nth(number).locator("td").all_text_contents() for number in range(rows.count())]


def expected(data: ReportData, group: int, part: str, threshold: float) -> list[list[str]]:
    entry = data.groups[group]
    sets = (entry.baselines[part], entry.occluded[part], entry.crossed[part], entry.controls.get(part))
    return [rates(scores, threshold) if scores else ["–", "–"] for scores in sets]


def test_the_slider_reads_error_rates(page: "Page") -> None:
    first = next(ranked.part for ranked in DATA.rankings["all"])
    slider = page.get_by_label("Threshold", exact=True)
    before = float(slider.input_value())
    assert shown(page) == expected(DATA, 0, first, before)
    slider.focus()
    for key, steps in (("ArrowRight", 3), ("ArrowLeft", 1), ("PageUp", None), ("Home", None), ("ArrowRight", 40)):
        start = float(slider.input_value())
        for _ in range(steps or 1):
            page.keyboard.press(key)
        threshold = float(slider.input_value())
        if steps:
            assert threshold == pytest.approx(start + (1 if key == "ArrowRight" else -1) * steps * 0.005)
        assert threshold != start
        assert shown(page) == expected(DATA, 0, first, threshold)
        words = page.locator("output").inner_text()
        assert words.startswith(f"Threshold {threshold:.3f} ".replace("-", "−"))
        assert shown(page)[0][0].split(" (")[0] in words
    assert page.locator("output").get_attribute("aria-live") == "polite"


def test_group_and_part_are_chosen(page: "Page") -> None:
    threshold = float(page.locator("#threshold").input_value())
    curves = page.locator("#reading-lines path").evaluate_all("found => found.map(path => path.getAttribute('d'))")
    page.get_by_label("Group", exact=True).select_option(label="<b>CF</b>")
    page.get_by_label("Part", exact=True).select_option(label="hair")
    assert shown(page) == expected(DATA, 1, "hair", threshold)
    after = page.locator("#reading-lines path").evaluate_all("found => found.map(path => path.getAttribute('d'))")
    # Hair has no control: the last row of the table has no figures, and the chart no curves.
    assert (len(curves), len(after)) == (8, 6)
    assert not set(curves) & set(after)


def test_the_line_in_the_chart_stands_at_the_threshold(page: "Page") -> None:
    # Between the labels of two scores, as far along as the threshold is between them.
    labels = page.locator("#reading-chart text.middle").evaluate_all(
        "found => found.map(text => [text.textContent, text.getAttribute('x')])"
    )
    places = {label: float(x) for label, x in labels if x and re.fullmatch(r"\d\.\d\d", label)}
    threshold = float(page.locator("#threshold").input_value())
    line = float(page.locator("#reading-line").get_attribute("x1") or 0)
    assert line == pytest.approx(places["0.00"] + (places["0.50"] - places["0.00"]) * threshold / 0.5, abs=0.2)


def test_every_control_is_reached_by_the_keyboard(page: "Page") -> None:
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.getAttribute('href')"))
    wanted = ["#ranking", "reading-group", "reading-part", "threshold", "show-outlines"]
    assert [name for name in dict.fromkeys(reached) if name in wanted] == wanted


def test_outlines_can_be_hidden(page: "Page") -> None:
    line = page.locator(".sheet .outline").first
    assert line.is_visible()
    page.get_by_label("Show mask outlines").focus()
    page.keyboard.press("Space")
    assert not line.is_visible()
    assert page.locator(".faces .outline").first.is_visible()


@pytest.mark.parametrize(("scheme", "media"), [("light", "screen"), ("dark", "screen"), ("dark", "print")])
def test_text_stands_out(page: "Page", scheme: Literal["light", "dark"], media: Literal["screen", "print"]) -> None:
    page.emulate_media(color_scheme=scheme, media=media)
    style = "getComputedStyle(document.querySelector('{}')).{}"
    behind = luminance(page.evaluate(style.format("body", "backgroundColor")))
    assert (behind < 0.05) == (scheme == "dark" and media == "screen")
    for where, what in (
        ("body", "color"),
        ("caption", "color"),
        ("thead th", "color"),
        ("nav a", "color"),
        (".chart .tick", "fill"),
        (".bars .group", "fill"),
        (".figures .interval", "color"),
        (".guide .formula", "color"),
        (".warning", "color"),
    ):
        found = luminance(page.evaluate(style.format(where, what)))
        contrast = (max(found, behind) + 0.05) / (min(found, behind) + 0.05)
        assert contrast >= 4.5, (where, contrast)  # WCAG 2.2, 1.4.3
    for line in (".line.s0", ".line.s1", ".line.s2", ".line.s3"):
        found = luminance(page.evaluate(style.format(line, "stroke")))
        assert (max(found, behind) + 0.05) / (min(found, behind) + 0.05) >= 3, line  # 1.4.11


def luminance(colour: str) -> float:
    """The relative luminance of a CSS colour, as WCAG defines it."""
    channels = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_paper_has_everything_but_the_controls(page: "Page") -> None:
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert not page.locator("#threshold").is_visible()
    for selector in (
        "#reading-table",
        ".faces",
        ".bars",
        ".sheet",
        "#limits",
        ".facts",
        "#groups",
        "#criteria",
        "#other-methods",
        ".guide",
    ):
        assert page.locator(selector).first.is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_what_is_folded_away_stands_on_paper(page: "Page") -> None:
    folded = page.locator("details:not([open])")
    count = folded.count()
    assert count > 3
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert folded.count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert folded.count() == count


def test_the_methods_section_is_copied(page: "Page") -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the text").click()
    sync_api.expect(page.locator("#copied")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == "\n\n".join(DATA.methods)


@pytest.mark.parametrize("width", [320, 375, 800, 1600])
def test_no_window_scrolls_sideways(page: "Page", width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach((folded) => { folded.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator("#threshold").bounding_box()
    assert box and box["width"] > 100


def test_it_reads_without_scripts(browser: "Browser", report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(report.as_uri())
    assert opened.locator(".without-script").is_visible()
    assert not opened.locator("#reading").is_visible()
    for selector in (".faces", ".bars", ".panels", ".sheet", ".figures", "#limits"):
        assert opened.locator(selector).first.is_visible()
    context.close()


def test_nothing_runs_but_the_page_s_own_script(browser: "Browser", report: Path) -> None:
    opened = browser.new_page()
    opened.goto(report.as_uri())
    with opened.expect_console_message() as told:
        ran = opened.evaluate(
            "() => { const added = document.createElement('script'); added.textContent = 'window.ran = 1';"
            " document.body.append(added); return window.ran; }"
        )
    assert ran is None
    assert "Content Security Policy" in told.value.text
    opened.close()


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """axe-core, as its npm package has it."""
    npm, folder = shutil.which("npm"), tmp_path_factory.mktemp("axe")
    if npm is None:
        pytest.skip("needs npm, which brings axe-core")
    command = [npm, "pack", "--silent", f"axe-core@{AXE}", "--cache", str(folder / "cache")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    if done.returncode:
        pytest.skip(f"needs axe-core {AXE} of npm, which cannot be fetched here")
    with tarfile.open(fileobj=io.BytesIO((folder / f"axe-core-{AXE}.tgz").read_bytes())) as package:
        member = package.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory, report: Path) -> dict[str, Path]:
    """Reports of several kinds of studies."""
    folder = tmp_path_factory.mktemp("reports")
    two = ("CM", "CF")
    kinds = {
        "one group": make_data(("all",), ("nose", "hair"), people=12, photos=2),
        "few subjects": make_data(two, ("nose", "mouth"), people=4, photos=2),
        "parts alone": make_data(two, ("nose", "mouth"), people=15, keep_only=True),
        "recognisers": with_recognisers(make_data(two, ("eyes", "nose"), people=15), sface=("eyes", "nose")),
        "no faces": replace(make_data(two, ("nose", "mouth"), people=15), face=None, examples=[]),
    }
    for name, data in kinds.items():
        (folder / f"{name}.html").write_text(render_report(data), "utf-8")
    return {"everything": report} | {name: folder / f"{name}.html" for name in kinds}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_axe_finds_no_accessibility_fault(
    browser: "Browser", reports: dict[str, Path], axe: str, scheme: Literal["light", "dark"], width: int
) -> None:
    for name, path in reports.items():
        opened = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        opened.goto(path.as_uri())
        opened.evaluate("document.querySelectorAll('details').forEach((folded) => { folded.open = true; })")
        opened.evaluate(axe)
        found = opened.evaluate("axe.run(document)")
        assert len(found["passes"]) > 20  # it did look
        faults = [(each["id"], node["target"]) for each in found["violations"] for node in each["nodes"]]
        assert faults == [], name
        # Headings of tables without rows.
        assert "th-has-data-cells" not in [each["id"] for each in found["incomplete"]], name
        opened.close()


def test_axe_sees_a_fault(browser: "Browser", axe: str) -> None:
    opened = browser.new_page()
    opened.set_content("<html><body><img src='data:,'><p style='color:#ccc'>grey</p></body></html>")
    opened.evaluate(axe)
    found = {each["id"] for each in opened.evaluate("axe.run(document)")["violations"]}
    assert {"color-contrast", "html-has-lang", "image-alt"} <= found
    opened.close()
