"""What a program may ask of a study wrongly is refused in one line, before any work."""

from pathlib import Path
from typing import Any

import pytest

from facepart.errors import UsageError
from facepart.study import Request


def test_paths_may_be_text() -> None:
    given: dict[str, Any] = {"source": "photos", "output": "out", "people": "people.csv", "labels": "maps"}
    request = Request(**given)
    assert [getattr(request, name) for name in given] == [Path(text) for text in given.values()]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"undetected": "Exclude"}, "undetected: 'Exclude' is none of exclude, keep"),
        ({"weight": "subject"}, "weight: 'subject' is none of pairs, subjects"),
        ({"parts": "nose"}, r"parts: is a list, not one text: \['nose'\]"),
        ({"models": "sface"}, "models: is a list, not one text"),
        ({"batch": 0}, "batch: at least 1, not 0"),
        ({"workers": -1}, "workers: at least 1, not -1"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Request(source=Path("photos"), output=Path("out"), **options)
