"""What a figure shows: up to four sets of authentic and impostor scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from facepart.analysis.metrics import ErrorRates, error_rates
from facepart.errors import FacepartError
from facepart.plots import style
from facepart.scores import ScoreDistribution


@dataclass(frozen=True)
class ScoreSet:
    """The scores of one experiment.

    Attributes:
        label: what a legend calls it.
        authentic: its authentic scores, at least one.
        impostor: its impostor scores, at least one.
    """

    label: str
    authentic: ScoreDistribution
    impostor: ScoreDistribution

    @cached_property
    def rates(self) -> ErrorRates:
        """FMR and FNMR at every threshold; of half a billion scores, a tenth of a second's work."""
        return error_rates(self.authentic, self.impostor)

    def __post_init__(self) -> None:
        for kind in ("authentic", "impostor"):
            if not getattr(self, kind).n:
                raise FacepartError(f"{self.label}: there are no {kind} scores")


def refuse_too_many(sets: Sequence[ScoreSet]) -> None:
    """Raise FacepartError unless a figure can show the sets: one to four."""
    if not 1 <= len(sets) <= len(style.SET_COLOURS):
        raise FacepartError(f"a figure shows 1 to {len(style.SET_COLOURS)} sets of scores, not {len(sets)}")
