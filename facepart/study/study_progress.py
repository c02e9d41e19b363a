"""How far a whole study is: photos to be embedded, then pairs to be compared."""

from collections.abc import Sequence

from facepart.analysis.design import Condition
from facepart.files.progress import Progress

# In the progress, so many pairs count as much as a photo. Measured on two cores: a photo with seven parts takes 60 to
# 280 ms, a pair 10 ns.
_PAIRS_A_PHOTO = 10_000_000


class StudyProgress:
    """Progress of the whole, in photos."""

    def __init__(
        self, photos: int, group_sizes: Sequence[int], conditions: Sequence[Condition], progress: Progress
    ) -> None:
        """Count the work: photos to be embedded, and the pairs of each group in each condition."""
        pairs = sum(condition.pairs(size) for size in group_sizes for condition in conditions)
        self._photos = self._pairs = 0
        self._progress = progress
        # There may be no photo to embed, and few pairs to compare: still something to do.
        self._total = max(photos + pairs // _PAIRS_A_PHOTO, 1)
        progress(0, self._total)

    def photos(self, done: int, note: str) -> None:
        """Show that so many photos are done, and the current bottleneck."""
        self._photos = done
        self._progress(done, self._total, note)

    def pairs(self, pairs: int) -> None:
        """Show that so many more pairs are done."""
        self._pairs += pairs
        self._progress(min(self._photos + self._pairs // _PAIRS_A_PHOTO, self._total), self._total, "")
