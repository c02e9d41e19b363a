"""Docstrings for the site: roles of reStructuredText as Markdown. An extension of Griffe, which reads the code.

In the code, ``:func:`name``` names what ``help()`` also finds, and ``:math:`...``` is a formula in LaTeX. A constant
has a comment instead of a docstring.
"""

import re
from typing import Any

import griffe
from latex2mathml.converter import convert

import facepart
from docs.site_pages import PACKAGES

_ROLE = re.compile(r":(attr|class|data|func|meth|mod):`([\w.]+)`")
_MATH = re.compile(r":math:`([^`]+)`")
_MATH_BLOCK = re.compile(r"^\.\. math::[ \n]*((?:.+\n?)+?)(?=\n|\Z)", re.MULTILINE)
_EXAMPLE = re.compile(r"^Example:$", re.MULTILINE)
# Lines of Python outside of a section, and definitions of code.
_SESSION = re.compile(r"^>>> .+(?:\n.+)*", re.MULTILINE)
_DEFINITION = re.compile(r"^(``.*``)\n {4}(.+)$", re.MULTILINE)
_TEXT_BLOCK = re.compile(r"::\n\n")
_SHOWN = tuple(f"facepart.{package}" for package in PACKAGES)
_AT_THE_FRONT = {f"facepart.{module}.{name}" for module, names in facepart._HOMES.items() for name in names}


class PlainRoles(griffe.Extension):
    """Makes Markdown of the roles in every docstring."""

    def on_object(self, *, obj: griffe.Object, loader: griffe.GriffeLoader, **options: Any) -> None:
        """Rewrite the docstring of one object; that of a constant is the comment above it."""
        del loader, options
        if obj.is_attribute and obj.parent.is_module and not obj.docstring and not obj.name.startswith("_"):
            obj.docstring = griffe.Docstring(comment_above(obj) or "A constant.", parent=obj)
        if obj.docstring:
            obj.docstring.value = rewrite(obj.docstring.value, obj)


def comment_above(constant: griffe.Object) -> str:
    """Return the comment that ends in the line above a constant; empty if there is none."""
    lines = [line.strip() for line in constant.filepath.read_text("utf-8").split("\n")[: (constant.lineno or 1) - 1]]
    first = next((number for number in range(len(lines), 0, -1) if not lines[number - 1].startswith("#")), 0)
    return "\n".join(line.removeprefix("#").strip() for line in lines[first:])


def rewrite(text: str, owner: griffe.Object) -> str:
    """Return a docstring with its roles as Markdown; `owner` is what it describes."""
    text = _MATH_BLOCK.sub(_formula_block, text)
    text = _MATH.sub(_formula, text)
    text = _TEXT_BLOCK.sub(":\n\n", text)
    text = _EXAMPLE.sub("Examples:", text)
    text = _SESSION.sub(r"```pycon\n\g<0>\n```", text)
    text = _DEFINITION.sub(r"- \1: \2", text)
    return _ROLE.sub(_Scope(owner).link, text)


def _formula(latex: re.Match[str]) -> str:
    # In a span: at the beginning of a line, Markdown takes <math> for a paragraph of its own.
    return f"<span>{convert(' '.join(latex[1].split()))}</span>"


def _formula_block(latex: re.Match[str]) -> str:
    return f'\n<div class="formula">{convert(" ".join(latex[1].split()), display="block")}</div>\n'


class _Scope:
    """Where the names in a docstring are looked up."""

    def __init__(self, owner: griffe.Object) -> None:
        self._owner = owner

    def link(self, role: re.Match[str]) -> str:
        """Return a link to what is named, or to an attribute's class; its name, if the site has no such page."""
        kind, name = role.groups()
        target = name
        if not name.startswith("facepart."):
            try:
                target = self._owner.resolve(name)
            except griffe.NameResolutionError:
                return f"`{name}`"
        if kind == "attr":
            target = target.rpartition(".")[0]
        shown = target.startswith(_SHOWN) or target in _AT_THE_FRONT
        return f"[`{name}`][{target}]" if shown else f"`{name}`"
