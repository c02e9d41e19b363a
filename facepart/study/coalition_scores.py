"""The photos of a study with coalitions of parts occluded -> the worths that Shapley values are made of.

The scores of a coalition are not kept: only the figures, and the influence of each subject on them, in
``matches/shapley/<group>_<coalition>.npz``, or with several recognisers in ``matches/<recogniser>/shapley/``. The
coalition is its bit mask in hexadecimal digits. Worths of the same photos by the same settings are kept.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.contrasts import contrast, pair_sums, subject_weighted_sums
from facepart.analysis.criteria import Unsupported
from facepart.analysis.design import BASELINE_CONDITION, Design
from facepart.analysis.influence import Influence, SubjectScores
from facepart.analysis.shapley_figures import (
    SHARED_CRITERIA,
    CoalitionWorths,
    Worths,
    baseline_threshold,
    coalition_name,
    worths_of,
)
from facepart.data.group_files import group_prefix
from facepart.data.labels import distinct_depth
from facepart.data.naming_conventions import Rule
from facepart.errors import FacepartError
from facepart.files.array_input import open_arrays
from facepart.matching.cosine import unit_rows
from facepart.matching.faces import Faces
from facepart.matching.match import score_by_subject
from facepart.matching.pair_counter import PairCounter
from facepart.matching.subject_statistics import vectors_by_subject
from facepart.occlusion.occlusion import Occlusion
from facepart.pipeline.embedding_store import EmbeddingStore
from facepart.scores.npz_files import write_arrays
from facepart.study.study_features import scores_digest, study_features
from facepart.study.study_progress import StudyProgress

FOLDER = "shapley"
_VERSION = 1
# What is kept of a figure besides the influences.
_NUMBERS = ("value", "double_counted", "effective", "subjects", "degrees", "bias")


class CoalitionScores:
    """Computes the worths of coalitions by one recogniser, or reads those of an earlier run."""

    def __init__(
        self,
        matches: Path,
        store: EmbeddingStore,
        design: Design,
        rule: Rule,
        settings: Mapping[str, Any],
        naming: Mapping[str, Any],
        *,
        depth: int,
        counter: PairCounter | None,
    ) -> None:
        """Describe the work.

        Args:
            matches: the folder of the recogniser's scores.
            store: its embeddings.
            design: of the study.
            rule: says who is on a photo, by its name.
            settings: what the embeddings depend on.
            naming: how subjects are recognised: options of :func:`facepart.matching.match.match_groups`.
            depth: of the labels (:mod:`facepart.data.labels`).
            counter: counts the pairs; None for this machine.
        """
        self._folder, self._store, self._rule, self._naming = matches / FOLDER, store, rule, naming
        self._settings, self._depth, self._counter = {**settings, **naming, "depth": depth}, depth, counter
        self._weight, self._masks = design.weight, design.coalitions.masks
        self._parts = [part.name for part in design.players]
        self._occlusions = design.coalition_occlusions
        self._players = [design.of_part(name) for name in self._parts]
        self.computed = 0

    def measure(self, group: str, names: Sequence[str], progress: StudyProgress) -> CoalitionWorths:
        """Return the worths of all coalitions in a group.

        Args:
            group: its name.
            names: its photos; those in which all players were detected are compared.
            progress: is called after each coalition.
        """
        shares = {name: self._store.photos[name].record.shares for name in names}
        found = [name for name in names if all(shares[name].get(each.name, 0.0) > 0 for each in self._players)]
        subjects, numbers = np.unique(
            np.array([self._rule(name) for name in found], dtype=np.str_), return_inverse=True
        )
        pairs = BASELINE_CONDITION.pairs(len(names))
        if len(subjects) < 2:
            for _ in self._masks:
                progress.pairs(pairs)
            return CoalitionWorths(len(found), subjects.tolist(), [])
        threshold: float | None = None
        worths: list[Worths] = []
        for mask, occlusion in zip(self._masks, self._occlusions, strict=True):
            known = None
            path = self._folder / f"{group_prefix(group)}_{mask:x}.npz"
            basis = [_VERSION, self._settings, self._weight, self._parts, occlusion.name, occlusion.recipe()]
            digest = scores_digest(self._store, found, *basis, threshold)
            stored = _read(path, digest, len(subjects))
            if stored is None:
                scores, known = self._worths(group, found, occlusion, mask, numbers, len(subjects), threshold)
                self.computed += 1
                stored = known, baseline_threshold(scores) if not mask else None
                _write(path, digest, *stored)
            worths.append(stored[0])
            if not mask:
                threshold = stored[1]
            progress.pairs(pairs)
        return CoalitionWorths(len(found), subjects.tolist(), worths)

    def _worths(
        self,
        group: str,
        names: Sequence[str],
        occlusion: Occlusion,
        mask: int,
        numbers: NDArray[np.int64],
        subjects: int,
        threshold: float | None,
    ) -> tuple[SubjectScores, Worths]:
        """Compare photos with a coalition occluded; the threshold is None for the baseline, which sets it."""
        features = study_features(self._store, occlusion, names)
        scores = SubjectScores(
            *score_by_subject(
                features,
                group,
                **self._naming,
                depth=max(self._depth, distinct_depth(features.longest)),
                min_threshold=1.0 if threshold is None else threshold,
                counter=self._counter,
            )
        )
        faces = Faces(unit_rows(features.matrix), numbers, np.arange(len(names)))
        sums = pair_sums(np.bincount(numbers, minlength=subjects), vectors_by_subject(faces, subjects))
        mean = contrast([subject_weighted_sums(sums) if self._weight == "subjects" else sums], [1])
        at = baseline_threshold(scores) if not mask else threshold
        return scores, worths_of(mean, scores, at, coalition_name(self._parts, mask))


def _write(path: Path, digest: str, worths: Worths, threshold: float | None) -> None:
    arrays: dict[str, NDArray[Any]] = {
        "digest": np.array(digest),
        "threshold": np.array(math.nan if threshold is None else threshold),
    }
    for figure, worth in worths.items():
        if isinstance(worth, Unsupported):
            arrays[f"{figure}_reason"] = np.array(worth.reason)
        else:
            arrays[f"{figure}_by_subject"] = worth.by_subject
            arrays[f"{figure}_numbers"] = np.array([getattr(worth, name) for name in _NUMBERS], np.float64)
    write_arrays(path, arrays)


def _read(path: Path, digest: str, subjects: int) -> tuple[Worths, float | None] | None:
    """Read the worths of an earlier run, and the baseline threshold; None if there are none, or they are damaged."""
    try:
        with open_arrays(path, "worths of a coalition") as archive:
            arrays = archive.read_all()
        if str(arrays["digest"]) != digest:
            return None
        worths: dict[str, Influence | Unsupported] = {}
        for criterion in SHARED_CRITERIA:
            if f"{criterion}_reason" in arrays:
                worths[criterion] = Unsupported(str(arrays[f"{criterion}_reason"]))
                continue
            by_subject, numbers = arrays[f"{criterion}_by_subject"], arrays[f"{criterion}_numbers"]
            if by_subject.shape != (subjects,) or numbers.shape != (len(_NUMBERS),):
                return None
            found = dict(zip(_NUMBERS, numbers.tolist(), strict=True))
            worths[criterion] = Influence(by_subject=by_subject, **found | {"subjects": int(found["subjects"])})
        threshold = float(arrays["threshold"])
    except (FacepartError, FileNotFoundError, KeyError, ValueError):
        return None
    return worths, None if math.isnan(threshold) else threshold
