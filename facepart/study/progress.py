"""How far a whole study is: photos to be embedded, then pairs to be compared."""

from collections.abc import Sequence

from facepart.files.progress import Progress
from facepart.study.matching import Condition, Members

# In the progress, so many pairs count as much as a photo. Measured on two cores: a photo with seven parts takes 60 to
# 280 ms, a pair 10 ns.
_PAIRS_A_PHOTO = 10_000_000


class Steps:
    """Progress of the whole, in photos."""

    def __init__(self, todo: int, members: Members, conditions: Sequence[Condition], progress: Progress) -> None:
        """Count what is to be done: `todo` photos, and the pairs of each group in each condition."""
        pairs = sum(condition.pairs(len(group)) for group in members.groups.values() for condition in conditions)
        self._done, self._tell = 0, progress
        self._total = todo + pairs // _PAIRS_A_PHOTO + 1
        progress(0, self._total)

    def photos(self, done: int, note: str) -> None:
        """Tell that so many photos are done, and what one waits for."""
        self._done = done
        self._tell(done, self._total, note)

    def pairs(self, pairs: int) -> None:
        """Tell that so many more pairs are done."""
        self._done += pairs // _PAIRS_A_PHOTO
        self._tell(min(self._done, self._total), self._total, "")
