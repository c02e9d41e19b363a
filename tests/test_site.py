"""What the documentation's site is made of: links moved from the checkout to the site, helps, docstrings."""

import re
from types import SimpleNamespace
from typing import Any

import pytest

from facepart.cli.program import COMMANDS, load_command
from tests.conftest import ROOT

pytest.importorskip("mkdocs")
pytest.importorskip("mkdocstrings")

from docs import site_docstrings, site_pages


def moved(source: str, markdown: str) -> str:
    page: Any = SimpleNamespace(file=SimpleNamespace(src_uri=source))
    config: Any = None
    return site_pages.on_page_markdown(markdown, page, config, config)


@pytest.mark.parametrize(
    ("source", "link", "expected"),
    [
        ("README.md", "docs/study.md#the-figures", "study.md#the-figures"),
        ("README.md", "lists/README.md", "lists/README.md"),
        ("README.md", "docs/images/parts.jpg", "images/parts.jpg"),
        ("study.md", "../lists/README.md", "lists/README.md"),
        ("study.md", "reading.md", "reading.md"),
        ("lists/README.md", "../docs/by-hand.md", "../by-hand.md"),
        ("lists/README.md", "../face_matching/README.md#match", "../face_matching/README.md#match"),
        ("study.md", "https://a.b/c.md", "https://a.b/c.md"),
        ("study.md", "#the-figures", "#the-figures"),
    ],
)
def test_links_of_the_checkout_are_moved(source: str, link: str, expected: str) -> None:
    assert moved(source, f"see [this]({link}).") == f"see [this]({expected})."


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_a_page_has_every_option_of_a_command(command: str) -> None:
    text = site_pages._command_page(command)
    parser, _ = load_command(command, f"facepart {command}")
    options = re.findall(r"^  +(?:-\S+(?: [A-Z]\S*)?, )*(--[\w-]+)", parser.format_help(), re.MULTILINE)
    assert len(options) >= (command != "models")
    for option in set(options) - {"--help"}:
        assert re.search(rf"<dt><code>[^<]*{option}\b", text), option
    assert "%(" not in text


def test_every_page_of_the_docs_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text()
    for page in sorted((ROOT / "docs").glob("*.md")):
        assert f": {page.name}\n" in navigation, page.name


def test_roles_become_links_and_formulas_mathml() -> None:
    griffe = pytest.importorskip("griffe")
    module = griffe.visit("facepart.analysis", filepath=ROOT / "x.py", code="def known(): ...\n")
    text = (
        ":func:`known`, :attr:`known.x`, :mod:`facepart.cli.program`, :func:`unknown`; :math:`x^2`\n\n.. math:: a_i\n"
    )
    found = site_docstrings.rewrite(text, module)
    assert found.startswith("[`known`][facepart.analysis.known], ")
    assert "`facepart.cli.program`, `unknown`; <span><math" in found and "[`facepart.cli.program`]" not in found
    assert found.count("</math>") == 2 and "math::" not in found and "\\" not in found
