"""The scores of a finished study: which file holds those of a condition, read back and drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facepart.analysis.design import BASELINE_CONDITION
from facepart.data.group_files import group_prefix
from facepart.errors import FacepartError
from facepart.scores import GroupScores, load_scores
from facepart.scores.files import scores_path
from facepart.scores.subject_sums import load_subject_sums_of, subject_sums_beside
from facepart.study.photo_sets import PhotoSets
from facepart.study.setup import Setup
from facepart.suggestion import did_you_mean

if TYPE_CHECKING:
    from facepart.plots.sets import ScoreSet

_MATCHES, _CONDITIONS = "matches", "conditions"


def scores_record(setup: Setup, sets: Mapping[str, PhotoSets]) -> dict[str, Any]:
    """Say where scores are, for ``results.json``.

    Returns:
        ``matches``: recogniser -> the folder of its scores, below that of the study. ``conditions``: group -> part ->
        the conditions that the part's figures are about, ``baseline`` and ``occluded``.
    """
    design, output = setup.design, setup.request.output
    occlusions = [design.of_part(name) for name in design.part_names]
    return {
        _MATCHES: {each.name: setup.matches_of(each).relative_to(output).as_posix() for each in setup.recognisers},
        _CONDITIONS: {
            group: {
                each.part: {
                    "baseline": found.resolve(design.baseline_of(each)).name,
                    "occluded": design.condition(each).name,
                }
                for each in occlusions
                if found.is_comparable(design.region_of(each))
            }
            for group, found in sets.items()
        },
    }


@dataclass(frozen=True)
class StudyScores:
    """Where the scores of a study are.

    Attributes:
        folder: the study's.
        matches: recogniser -> the folder of its scores, below that of the study.
        conditions: group -> part -> the conditions that the part's figures are about, ``baseline`` and ``occluded``.
    """

    folder: Path
    matches: Mapping[str, str]
    conditions: Mapping[str, Mapping[str, Mapping[str, str]]]

    @classmethod
    def from_results(cls, folder: Path, found: Mapping[str, Any]) -> "StudyScores":
        """Read them from what ``results.json`` holds."""
        return cls(folder, found.get(_MATCHES, {}), found.get(_CONDITIONS, {}))

    def read(self, condition: str, group: str | None, recogniser: str | None) -> GroupScores:
        """Read the scores of a condition, such as ``baseline``, ``nose`` or ``cross_nose``.

        Raises:
            FacepartError: as :meth:`place` does; or the scores cannot be read.
        """
        return load_scores(self.place(condition, group, recogniser))

    def sets(self, parts: Sequence[str], group: str | None, recogniser: str | None) -> "list[ScoreSet]":
        """Read the baseline scores, and those with each of some parts occluded, with their sums by subject.

        The baseline is that of the photos in which the part was detected; with several parts, of all photos.

        Raises:
            FacepartError: as :meth:`place` does; or the scores cannot be read or drawn.
        """
        name = self._chosen(group, self.conditions, "group")
        known = self.conditions[name]
        chosen = {part: known[self._chosen(part, known, "part")] for part in parts}
        baseline = chosen[parts[0]]["baseline"] if len(parts) == 1 else BASELINE_CONDITION.name
        labels = {"baseline": baseline} | {f"{part} occluded": each["occluded"] for part, each in chosen.items()}
        return [self._set(self.place(each, name, recogniser), label) for label, each in labels.items()]

    def place(self, condition: str, group: str | None, recogniser: str | None) -> Path:
        """Return the score file of a condition.

        Args:
            condition: the name of its folder.
            group: None for the only one.
            recogniser: None for the first.

        Raises:
            FacepartError: there is no such condition, group or recogniser; or the group is not named, and there are
                several.
        """
        first = next(iter(self.matches), None)
        folder = self.folder / self.matches[self._chosen(recogniser or first, self.matches, "recogniser")]
        name = self._chosen(group, self.conditions, "group")
        path = scores_path(folder / condition, group_prefix(name))
        if not path.exists():
            names = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
            if condition in names:
                raise FacepartError(f"{path}: is missing; run the study again")
            raise FacepartError(f"{path}: there are no scores of {condition!r}{did_you_mean(condition, names)}")
        return path

    def _chosen(self, name: str | None, known: Mapping[str, Any], what: str) -> str:
        if not known:
            raise FacepartError(f"{self.folder}: says nothing of its scores; run the study again")
        if name is None and len(known) == 1:
            return next(iter(known))
        if name is None:
            raise FacepartError(f"name one of the {what}s: {', '.join(known)}")
        if name not in known:
            raise FacepartError(f"{what} {name!r}: unknown{did_you_mean(name, known)}; known: {', '.join(known)}")
        return name

    @staticmethod
    def _set(path: Path, label: str) -> "ScoreSet":
        from facepart.plots.sets import ScoreSet

        scores, beside = load_scores(path), subject_sums_beside(path)
        sums = load_subject_sums_of(beside, scores._asdict()) if beside and beside.exists() else None
        return ScoreSet(label, *scores, sums)
