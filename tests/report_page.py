"""A report, read back."""

import json
import re
from html.parser import HTMLParser
from typing import Any

# Elements without an end.
VOID = {"meta", "link", "input", "br", "img"}


class Page(HTMLParser):
    """What is on a page: elements with their attributes and text, and whether every element is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.open: list[int] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))
        assert len(dict(attrs)) == len(attrs), f"{tag} has an attribute twice"
        if tag not in VOID:
            self.open.append(len(self.elements) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self.open.pop()][0] == tag

    def handle_data(self, data: str) -> None:
        for place in self.open:
            self.elements[place][2].append(data)

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        """All elements of a kind, with their text as a browser shows it: with single spaces."""
        return [
            (attributes, re.sub(r"[ \n]+", " ", "".join(text)).strip())
            for name, attributes, text in self.elements
            if name == tag
        ]

    def data(self) -> Any:
        return json.loads(next(text for attributes, text in self.all("script") if attributes.get("id") == "readings"))
