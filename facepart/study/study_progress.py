"""How far a whole study is: photos to be embedded, then pairs to be compared; and notes on what is done, and why."""

from collections.abc import Callable, Sequence

from facepart.analysis.design import Condition
from facepart.files.progress import Progress

# In the progress, so many pairs count as much as a photo. Measured on two cores: a photo with seven parts takes 60 to
# 280 ms, a pair 10 ns.
_PAIRS_A_PHOTO = 10_000_000


class StudyProgress:
    """Progress of the whole, in photos, and its notes."""

    def __init__(self, progress: Progress, on_note: Callable[[str], None] | None = None) -> None:
        """Take what is called with the progress, and with each note."""
        self._progress, self._on_note = progress, on_note
        self._photos = self._pairs = 0
        # There may be no photo to embed, and few pairs to compare: still something to do.
        self._total = 1

    def note(self, text: str) -> None:
        """Say something before it begins; nothing if `text` is empty."""
        if text and self._on_note:
            self._on_note(text)

    def begin(self, photos: int, group_sizes: Sequence[int], conditions: Sequence[Condition]) -> None:
        """Count the work: photos to be embedded, and the pairs of each group in each condition."""
        pairs = sum(condition.pairs(size) for size in group_sizes for condition in conditions)
        self._total = max(photos + pairs // _PAIRS_A_PHOTO, 1)
        self._progress(0, self._total)

    def photos(self, done: int, note: str) -> None:
        """Show that so many photos are done, and the current bottleneck."""
        self._photos = done
        self._progress(done, self._total, note)

    def pairs(self, pairs: int) -> None:
        """Show that so many more pairs are done."""
        self._pairs += pairs
        self._progress(min(self._photos + self._pairs // _PAIRS_A_PHOTO, self._total), self._total, "")
