"""What a figure shows: sets of authentic and impostor scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from facepart.analysis.influence import SubjectScores
from facepart.analysis.metrics import ErrorRates, error_rates
from facepart.errors import FacepartError
from facepart.plots.bands import Band, roc_band
from facepart.scores import GroupScores, ScoreDistribution
from facepart.scores.subject_sums import SubjectSums


@dataclass(frozen=True)
class ScoreSet:
    """The scores of one experiment.

    Attributes:
        label: what a legend calls it.
        authentic: its authentic scores, at least one.
        impostor: its impostor scores, at least one.
        sums: the sums of these scores by subject; None where they are not known. Intervals need them.
    """

    label: str
    authentic: ScoreDistribution
    impostor: ScoreDistribution
    sums: SubjectSums | None = None

    @cached_property
    def rates(self) -> ErrorRates:
        """FMR and FNMR at every threshold; of half a billion scores, a tenth of a second's work."""
        return error_rates(self.authentic, self.impostor)

    @property
    def by_subject(self) -> SubjectScores | None:
        """The scores with their sums by subject; None where these are not known."""
        if self.sums is None:
            return None
        return SubjectScores(GroupScores(self.authentic, self.impostor), self.sums)

    @cached_property
    def band(self) -> Band:
        """The confidence band of the ROC curve. Raises FacepartError where the sums by subject are not known."""
        found = self.by_subject
        if found is None:
            raise FacepartError(f"{self.label}: a confidence band needs the scores' sums by subject")
        return roc_band(found)

    def __post_init__(self) -> None:
        for kind in ("authentic", "impostor"):
            if not getattr(self, kind).n:
                raise FacepartError(f"{self.label}: there are no {kind} scores")


def refuse_too_many(sets: Sequence[ScoreSet], most: int) -> None:
    """Raise FacepartError unless a figure can show the sets: one to `most`."""
    if not 1 <= len(sets) <= most:
        raise FacepartError(f"a figure shows 1 to {most} sets of scores, not {len(sets)}")
