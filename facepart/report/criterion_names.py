"""Criteria in words: what parts are ranked by, as tables and sentences say it."""

from typing import NamedTuple

from facepart.analysis.choices import (
    AUTHENTIC_CROSS,
    D_PRIME,
    EQUAL_AREA,
    FMR_RATIO,
    FNMR,
    IMPORTANCE,
    SHIFT,
)


class CriterionWords(NamedTuple):
    """A criterion in words.

    Attributes:
        label: what is measured: heads a column, and follows "by" or "the".
        does: what occluding the first part does most; the end of "Occluding the nose ...".
        rises: what an effect above 0 is called, and below; empty where the label says it.
    """

    label: str
    does: str
    rises: tuple[str, str] = ("", "")


_WORDS = {
    IMPORTANCE: CriterionWords(
        "importance",
        "raises the mean impostor score most, net of its control",
        ("above control", "below control"),
    ),
    SHIFT: CriterionWords("impostor shift", "raises the mean impostor score most", ("increase", "decrease")),
    EQUAL_AREA: CriterionWords(
        "equal-area impostor shift",
        "raises the mean impostor score most, with an area of the same size occluded within each part",
        ("increase", "decrease"),
    ),
    FMR_RATIO: CriterionWords(
        "log FMR ratio", "raises the FMR at the baseline threshold most", ("increase", "decrease")
    ),
    D_PRIME: CriterionWords("decrease of d′", "lowers d′ most"),
    FNMR: CriterionWords("increase of FNMR", "raises the FNMR at an FMR of 0.1 % most"),
    AUTHENTIC_CROSS: CriterionWords(
        "decrease of authentic scores vs baseline",
        "lowers the mean authentic score against the baseline gallery most",
    ),
}


def criterion(name: str) -> CriterionWords:
    """Return the words of a criterion; one that has none stands for itself.

    Example:
        >>> criterion("impostor_shift").label
        'impostor shift'
    """
    return _WORDS.get(name, CriterionWords(name, f"has the largest effect by {name}"))
