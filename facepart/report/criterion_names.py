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
from facepart.analysis.criteria import CRITERIA


class CriterionWords(NamedTuple):
    """A criterion in words.

    Attributes:
        label: its name: heads a column, and follows "by".
        question: what it asks of a part.
        does: what occluding the part that is ranked first does; the end of "Occluding the nose ...".
        above: what an effect above 0 is called; empty where that needs no word.
        below: the same of an effect below 0.
    """

    label: str
    question: str
    does: str
    above: str
    below: str


_INCREASE = ("increase", "decrease")
_DOES = {
    IMPORTANCE: "raises the mean impostor score most, net of the control",
    SHIFT: "raises the mean impostor score most",
    EQUAL_AREA: "raises the mean impostor score most, if the same area is occluded within each part",
    FMR_RATIO: "raises the FMR at the baseline threshold most",
    D_PRIME: "lowers d\u2032 most",
    FNMR: "raises the FNMR at an FMR of 0.1 % most",
    AUTHENTIC_CROSS: "lowers the mean authentic score against the baseline gallery most",
}
_SIGNS = {
    IMPORTANCE: ("> control", "< control"),
    SHIFT: _INCREASE,
    EQUAL_AREA: _INCREASE,
    FMR_RATIO: _INCREASE,
}


def criterion(name: str) -> CriterionWords:
    """Return the words of a criterion, one of :data:`facepart.analysis.criteria.CRITERIA`.

    Example:
        >>> criterion("impostor_shift").label
        'impostor shift'
    """
    found = CRITERIA[name]
    # Ratios are compared, and averaged over groups, as logarithms.
    label = f"{found.label} (log)" if name == FMR_RATIO else found.label
    return CriterionWords(label, found.question, _DOES[name], *_SIGNS.get(name, ("", "")))
