"""A study's embeddings -> the scores of each group in each condition, as files of the matcher.

The scores of a condition lie in ``matches/<condition>``, or with several recognisers in
``matches/<recogniser>/<condition>``: ``baseline``, an occlusion's name (occluded vs occluded),
``cross_<occlusion>`` (occluded probe vs baseline gallery), or ``baseline_photos_with_<occlusion>`` (the baseline of
those photos in which a region was found). Scores of the same photos by the same settings are kept.
"""

import json
import math
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facepart.analysis.design import Cell, Condition
from facepart.analysis.differentials import common_threshold
from facepart.analysis.influence import SubjectScores
from facepart.analysis.metrics import STUDY_FMRS, supports, threshold_at_fmr
from facepart.analysis.results import ALL_GROUPS
from facepart.data.group_files import group_prefix
from facepart.data.labels import LEAST_DEPTH, distinct_depth
from facepart.errors import FacepartError
from facepart.files.addresses import ExistingPaths, read_whole
from facepart.files.atomic import write_text
from facepart.files.json_input import read_object
from facepart.matching.groups import Group
from facepart.matching.match import match_groups
from facepart.matching.output import Save
from facepart.matching.pair_counter import PairCounter
from facepart.occlusion.occlusion import BASELINE
from facepart.pipeline.embedding_store import EmbeddingStore
from facepart.scores import GroupScores, load_scores
from facepart.scores.files import pairs_paths, scores_path
from facepart.scores.ranks import load_ranks, ranks_by_subject, ranks_path
from facepart.scores.subject_sums import load_subject_sums_of, subject_sums_path
from facepart.study.photo_sets import PhotoSets
from facepart.study.study_features import scores_digest, study_features

_DONE_FILE = "compared.json"
# Of thresholds from which on scores are counted by subject.
_ROUNDING = 0.02


class Comparisons:
    """Compares the photos of a study's groups by one recogniser, and writes the scores into a folder."""

    def __init__(
        self,
        matches: Path,
        store: EmbeddingStore,
        settings: Mapping[str, Any],
        naming: Mapping[str, Any],
        *,
        keep_pairs: bool,
        counter: PairCounter | None,
        device: str = "cpu",
        depth: int = LEAST_DEPTH,
    ) -> None:
        """Describe the comparisons.

        Args:
            matches: the folder of the recogniser's scores.
            store: its embeddings.
            settings: what the embeddings depend on.
            naming: how subjects are recognised: options of :func:`facepart.matching.match.match_groups`.
            keep_pairs: whether the pairs are written, too.
            counter: counts the pairs; None for this machine.
            device: where this machine counts them.
            depth: of the labels (:mod:`facepart.data.labels`).
        """
        self._matches, self._store, self._keep_pairs = matches, store, keep_pairs
        self._counter, self._device = counter, device
        self._settings, self._naming, self._depth = {**settings, **naming}, naming, depth
        if depth > LEAST_DEPTH:
            self._settings["label_depth"] = depth

    def run(self, cell: Cell, names: Sequence[str], min_threshold: float) -> bool:
        """Compare the photos of one cell, unless that was done before.

        Args:
            cell: the cell.
            names: the photos of its group that are compared.
            min_threshold: see :func:`facepart.matching.match.match_groups`.

        Returns:
            Whether there was something to do.
        """
        condition, group = cell.condition, cell.group
        folder = self._matches / condition.name
        basis = [self._settings, condition.name, condition.occlusion.recipe(), min_threshold]
        digest = scores_digest(self._store, names, *basis)
        done = _read_done(folder)
        prefix = group_prefix(group)
        files = [scores_path(folder, prefix), subject_sums_path(folder, prefix), ranks_path(folder, prefix)]
        pairs = pairs_paths(folder, prefix)
        # Pairs that an earlier run kept are made anew with the rest, so that they never belong to other scores.
        with_pairs = self._keep_pairs or any(path.exists() for path in pairs)
        sizes = pairs * with_pairs
        if done.get(group) == {"photos": digest, "files": _sums(files, sizes)}:
            return False
        gallery = study_features(self._store, BASELINE, names) if condition.comparison == "cross" else None
        whole = Group(group, study_features(self._store, condition.occlusion, names), gallery)
        save: Save = "both" if with_pairs else "distribution"
        sides = [side for side in (whole.probe, gallery) if side]
        depth = max(self._depth, *(distinct_depth(side.longest) for side in sides))
        options = {**self._naming, "depth": depth, "min_threshold": min_threshold, "counter": self._counter}
        for _ in match_groups([whole], folder, save=save, ranks=True, device=self._device, **options):
            entry = {"photos": digest, "files": _sums(files, sizes)}
            write_text(folder / _DONE_FILE, json.dumps({**done, group: entry}, indent=2) + "\n")
        return True


def min_thresholds(
    matches: Path, groups: Mapping[str, PhotoSets], baselines: Sequence[Condition], threshold_group: str | None
) -> dict[str, float]:
    """Return, for each group, the lowest threshold at which error rates with parts occluded are needed.

    These are the thresholds for FMR 1e-3 of the group's baselines and of those that all groups share; a little lower,
    so that adding a group seldom moves them.

    Args:
        matches: the folder of a recogniser's scores, by which the baselines have been compared.
        groups: their photos.
        baselines: the conditions without an occlusion.
        threshold_group: whose baseline sets the threshold that all groups share; None for all groups.
    """
    found = dict.fromkeys(groups, 1.0)
    for baseline in baselines:
        impostor = {
            group: read_group_scores(matches, sets.resolve(baseline), group).impostor
            for group, sets in groups.items()
            if sets.is_comparable(baseline.photos_of)
        }
        common = common_threshold(impostor, STUDY_FMRS[0], threshold_group or ALL_GROUPS)
        for group, scores in impostor.items():
            own = threshold_at_fmr(scores, STUDY_FMRS[0]) if supports(scores, STUDY_FMRS[0]) else 1.0
            found[group] = min(found[group], own, 1.0 if common is None else common)
    return {group: math.floor(threshold / _ROUNDING) * _ROUNDING for group, threshold in found.items()}


def read_group_scores(matches: Path, condition: Condition, group: str) -> GroupScores:
    """Read the scores that :meth:`Comparisons.run` wrote."""
    return load_scores(scores_path(matches / condition.name, group_prefix(group)))


def read_scores(matches: Path, condition: Condition, group: str) -> SubjectScores:
    """Read the scores that :meth:`Comparisons.run` wrote, their sums by subject, which are large, and the ranks."""
    folder = matches / condition.name
    scores = read_group_scores(matches, condition, group)
    sums = load_subject_sums_of(subject_sums_path(folder, group_prefix(group)), scores._asdict())
    ranks = ranks_by_subject(load_ranks(ranks_path(folder, group_prefix(group))), sums.subjects)
    return SubjectScores(scores, sums, ranks)


def _sums(whole: Sequence[Path], large: Sequence[Path]) -> dict[str, str]:
    """Return what tells whether the files of a comparison are as they were written: name -> text.

    Args:
        whole: files that are read: size and CRC-32. The study reads them anyway, more slowly.
        large: files of pairs, of which only the size is looked at; a missing file has none.
    """
    found = {}
    for path in whole:
        try:
            data = read_whole(path)
        except OSError:
            continue
        found[path.name] = f"{len(data)}-{zlib.crc32(data):08x}"
    existing = ExistingPaths(list({path.parent for path in large}))
    return found | {path.name: str(existing.size(path)) for path in large}


def _read_done(folder: Path) -> dict[str, Any]:
    """Read what was compared before; a damaged file counts as missing."""
    try:
        return read_object(folder / _DONE_FILE, "a list of comparisons", "it is written anew") or {}
    except FacepartError:
        return {}
