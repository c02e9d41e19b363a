"""Pages of the site that are not files in docs/: READMEs of the checkout, and the reference, from the code itself.

A hook of MkDocs. Links in docs/ and in the READMEs are those of the checkout, so that they also work on a code host;
here they are moved to where the pages are on the site.
"""

import argparse
import html
import os
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import facepart
from facepart.cli.program import COMMANDS, SUMMARIES, load_command

ROOT = Path(__file__).parents[1]
# Columns of the tables that a help ends with.
_WIDTH = "96"

# Files of the checkout that are pages, or that pages link to; on the site they have the same paths.
SHOWN = ("*.md", "*/README.md", "examples/*.*")

# The packages that are a reference for programs of one's own, in the order in which data flows.
PACKAGES = (
    "data",
    "networks",
    "occlusion",
    "pipeline",
    "scores",
    "matching",
    "analysis",
    "analysis.metrics",
    "plots",
    "report",
    "study",
)

# What MkDocs makes pages of: the docstring of a package, a module with all its public names, lines of a terminal.
_TEXT = """::: {}
    options:
      heading_level: 1
      members: false

"""
_MODULE = """::: {}
    options:
      heading_level: 2

"""
_FRONT = """::: {0}
    options:
      heading: facepart.{1}
      skip_local_inventory: {2}
      toc_label: {1}

"""
_TERMINAL = "```text\n{}\n```"

# What the names begin with that are on the page of a package.
PAGES = tuple(f"facepart.{package}." for package in PACKAGES)

_LINK = re.compile(r"(\]\()([^)\s#:]+)")
_CODE = re.compile(r"`([^`]+)`")
_ELSEWHERE = re.compile(r"""<(?:script|img|link rel=["']?stylesheet["']?)\b[^>]*\b(?:src|href)=["']?(?:https?:)?//""")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in docs/."""
    for pattern in SHOWN:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith("docs/"):
                files.append(File.generated(config, name, abs_src_path=str(path)))
    pages = {
        "reference/index.md": _index(),
        "reference/python/facepart.md": _front_page(),
        **{f"reference/commands/{command}.md": _command_page(command) for command in COMMANDS},
        **{f"reference/python/{package}.md": _package_page(package) for package in PACKAGES},
    }
    for name, content in pages.items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Move the links of a page from the checkout's paths to the site's."""
    del config, files
    source = page.file.src_uri
    if source.startswith("reference/"):
        return markdown
    return _LINK.sub(_Folder(PurePosixPath(source)).moved, markdown)


class _Folder:
    """The folder of a page, here and on the site."""

    def __init__(self, source: PurePosixPath) -> None:
        self._there = source.parent
        self._here = PurePosixPath("docs" if (ROOT / "docs" / source).exists() else "") / source.parent

    def moved(self, link: re.Match[str]) -> str:
        """Return a link with its path on the site instead of that in the checkout."""
        target = os.path.normpath(self._here / link[2]).removeprefix("docs/")
        return link[1] + os.path.relpath(target, self._there)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Refuse a page that loads something from elsewhere: the site is read without a network."""
    del config
    if found := _ELSEWHERE.search(output):
        raise PluginError(f"{page.file.src_uri} loads from elsewhere: {found[0]}")
    return output


def _index() -> str:
    """Return the first page of the reference."""
    commands = "".join(f"| [`facepart {name}`](commands/{name}.md) | {SUMMARIES[name]} |\n" for name in COMMANDS)
    packages = "".join(f"| [`facepart.{name}`](python/{name}.md) | {_first_line(name)} |\n" for name in PACKAGES)
    return (
        "# Reference\n\nThese pages are generated from the code.\n\n"
        f"## Commands\n\n| command | what it does |\n|---|---|\n{commands}\n"
        "## Python\n\n[`facepart`](python/facepart.md) has what most programs need. The packages have "
        "everything else, in the order in which data flows; each imports only those above it.\n\n"
        f"| package | what |\n|---|---|\n{packages}"
    )


def _first_line(package: str) -> str:
    return (import_module(f"facepart.{package}").__doc__ or "").split("\n")[0]


def _front_page() -> str:
    """Return the page of what ``import facepart`` shows."""
    names = [name for name in facepart.__all__ if not name.startswith("_")]
    return _TEXT.format("facepart") + "".join(map(_front_entry, names))


def _front_entry(name: str) -> str:
    """Return the entry of a public name, as it is where it is defined: `eer` is also a module."""
    found = getattr(facepart, name)
    home = f"{found.__module__}.{found.__qualname__}"
    # Links lead to the page of its package, if it has one.
    return _FRONT.format(home, name, str(home.startswith(PAGES)).lower())


def _package_page(package: str) -> str:
    """Return the page of every public name in a package's modules."""
    name = f"facepart.{package}"
    modules = [module for module in _modules(name) if module.removeprefix("facepart.") not in PACKAGES]
    modules += [inner for module in modules for inner in _modules(module)]
    return _TEXT.format(name) + "".join(_MODULE.format(module) for module in sorted(modules))


def _modules(package: str) -> list[str]:
    """Return the names of the modules in a package; none in what is a module."""
    folders = getattr(import_module(package), "__path__", ())
    return [f"{package}.{module.name}" for module in pkgutil.iter_modules(folders)]


def _command_page(command: str) -> str:
    """Return the help of a command as a page."""
    os.environ["COLUMNS"] = _WIDTH
    parser, _ = load_command(command, f"facepart {command}")
    return f"# `facepart {command}`\n\n" + "\n\n".join(_help(parser, 2)) + "\n"


def _help(parser: argparse.ArgumentParser, level: int) -> Iterator[str]:
    """Yield the parts of a help: its text, usage, groups of options, and what it ends with."""
    yield _prose(parser.description or "")
    yield _TERMINAL.format(parser.format_usage())
    for group in parser._action_groups:
        commands = [action for action in group._group_actions if isinstance(action, argparse._SubParsersAction)]
        hidden = (argparse.SUPPRESS, None)
        shown = [action for action in group._group_actions if action.help not in hidden and action.dest != "help"]
        if shown and group.title:
            yield f"{'#' * level} {group.title[0].upper()}{group.title[1:]}"
            yield "<dl>" + "".join(_option(parser, action) for action in shown) + "</dl>"
        for name, inner in (pair for action in commands for pair in action.choices.items()):
            yield f"{'#' * level} `{parser.prog} {name}`"
            yield from _help(inner, level + 1)
    if parser.epilog:
        yield _TERMINAL.format(parser.epilog)


def _option(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    formatter = parser._get_formatter()
    name = html.escape(formatter._format_action_invocation(action))
    return f"<dt><code>{name}</code></dt><dd>{_prose(formatter._expand_help(action))}</dd>"


def _prose(text: str) -> str:
    """Return text of a help as HTML, in which only code between backticks is marked."""
    paragraphs = [html.escape(" ".join(paragraph.split())) for paragraph in text.split("\n\n") if paragraph.strip()]
    return _CODE.sub(r"<code>\1</code>", "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs))
