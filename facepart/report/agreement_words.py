"""What is said of the agreement of recognisers, on the page and in a terminal."""

from typing import NamedTuple

from facepart.analysis.design import Design
from facepart.analysis.recogniser_agreement import RecogniserAgreement
from facepart.report.templating import sentences

_TEMPLATE = "agreement_words.txt"


class AgreementWords(NamedTuple):
    """Sentences in plain text.

    Attributes:
        firsts: which part the recognisers rank first.
        certainty: whether another part may be first.
        overall: how alike the whole rankings are; empty with fewer than two parts.
    """

    firsts: str
    certainty: str
    overall: str


def agreement_words(agreement: RecogniserAgreement | None, design: Design) -> AgreementWords | None:
    """Say how far recognisers agree; None where they rank no part in common, or where there is one recogniser."""
    if agreement is None or not agreement.groups:
        return None
    texts = (sentences(_TEMPLATE, name, data=design, agreement=agreement) for name in AgreementWords._fields)
    return AgreementWords(*texts)
