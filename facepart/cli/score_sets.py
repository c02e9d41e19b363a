"""The sets of scores that the options of ``facepart plot`` name, read from their files."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facepart.cli.score_set_options import FILES, MOST_SETS, SET_OPTIONS
from facepart.errors import FacepartError, UsageError
from facepart.plots.difference import Sample
from facepart.plots.sets import ScoreSet
from facepart.scores import ScoreDistribution, read_both, read_kind
from facepart.scores.subject_sums import SubjectSums, load_subject_sums_of, subject_sums_beside

_logger = logging.getLogger(__name__)


def read_sets(options: Mapping[str, Any], *, need_sums: bool = False, use_sums: bool = False) -> list[ScoreSet]:
    """Read the sets that the options name, each with scores of both kinds.

    Args:
        options: the parsed arguments.
        need_sums: refuse a set whose sums by subject are not beside its scores.
        use_sums: read the sums by subject of sets that have them.

    Raises:
        UsageError: a set lacks a kind, or a number is left out.
        FacepartError: a file cannot be read, or the sums by subject are missing or are of other scores.
    """
    given = _numbers(options) or [1]
    for number in given:
        for letter, name in FILES.items():
            if options[f"scores{number}"] is None and options[f"{name}{number}"] is None:
                raise UsageError(
                    f"set {number} needs {name} scores, too: give -{letter}{number}, or -s{number} for both kinds"
                )
    _refuse_gaps(given)
    _refuse_swapped(options, given)
    sets = [_read_set(options, number, need_sums, use_sums) for number in given]
    for entry in sets:
        behind = entry.impostor.mean - entry.authentic.mean
        if behind > 0 and behind**2 > (entry.authentic.variance + entry.impostor.variance) / 2:
            _logger.warning(
                "%s: authentic scores are lower than impostor scores on average: are they distances, or swapped?",
                entry.label,
            )
    return sets


def read_samples(options: Mapping[str, Any]) -> list[list[Sample]]:
    """Read the sets that the options name, of one kind of scores or both, with their sums by subject if these exist.

    Raises:
        UsageError: fewer than two sets, sets without a kind in common, or a number that is left out.
        FacepartError: a file cannot be read, or the sums by subject are of other scores.
    """
    given = _numbers(options)
    _refuse_gaps(given)
    if len(given) < 2:
        raise UsageError(
            "a difference needs at least two distributions: give -i1 and -i2, -a1 and -a2, or -s1 and -s2"
        )
    sets = [_samples(options, number) for number in given]
    for number, samples in zip(given, sets, strict=True):
        if not samples:
            raise UsageError(f"set {number} needs scores: give -a{number}, -i{number} or -s{number}")
        for kind in set(sets[0]) ^ set(samples):
            raise UsageError(f"set {number} and set 1 need scores of the same kinds, but only one has {kind} scores")
    return [list(samples.values()) for samples in sets]


def missing_sums(options: Mapping[str, Any]) -> list[str]:
    """Return, for each score file without sums by subject, why they were not found."""
    places = []
    for number in _numbers(options):
        for file in _files(options, number):
            place = subject_sums_beside(file)
            if place is None:
                places.append(f"{file} does not have a name that `facepart match` gives")
            elif not place.exists():
                places.append(f"{place} is missing")
    return list(dict.fromkeys(places)) or ["the two files of a set are of different groups"]


def _numbers(options: Mapping[str, Any]) -> list[int]:
    """Return the numbers of the sets that are given; raises UsageError if scores of one kind are given twice."""
    names = [name for _, name, _ in SET_OPTIONS]
    given = [number for number in range(1, MOST_SETS + 1) if any(options[f"{name}{number}"] for name in names)]
    for number in given:
        for letter, name in FILES.items():
            if options[f"scores{number}"] and options[f"{name}{number}"]:
                raise UsageError(f"set {number}: -s{number} holds both kinds of scores; leave out -{letter}{number}")
    return given


def _refuse_gaps(given: list[int]) -> None:
    if given != list(range(1, len(given) + 1)):
        raise UsageError(
            f"set {given[-1]} is given, but not every set before it: number the sets from 1 without a gap"
        )


def _label(options: Mapping[str, Any], number: int) -> str:
    return str(options[f"label{number}"] or f"Set {number}")


def _files(options: Mapping[str, Any], number: int) -> list[Path]:
    found = [options[f"{name}{number}"] for name in ("scores", *FILES.values())]
    return [file for file in found if file is not None]


def _refuse_swapped(options: Mapping[str, Any], given: list[int]) -> None:
    """Raise UsageError if a file has scores of the other kind, by the name that `facepart match` gives."""
    for number in given:
        for letter, name in FILES.items():
            file = options[f"{name}{number}"]
            other = name if file is None else _kind_of(file, name)
            if other != name:
                right = next(each for each, kind in FILES.items() if kind == other)
                raise UsageError(
                    f"-{letter}{number} {file}: has {other} scores by its name, which -{right}{number} takes"
                )


def _kind_of(file: Path, otherwise: str) -> str:
    """Return the kind of scores that a file has by the name that `facepart match` gives."""
    return next((kind for kind in FILES.values() if file.name.endswith(f"_{kind}.npy")), otherwise)


def _read_set(options: Mapping[str, Any], number: int, need_sums: bool, use_sums: bool) -> ScoreSet:
    label, both = _label(options, number), options[f"scores{number}"]
    if both:
        scores = read_both(both)._asdict()
    else:
        scores = {name: read_kind(options[f"{name}{number}"], name) for name in FILES.values()}
    sums = None
    if need_sums or use_sums:
        sums = _read_sums(number, _files(options, number), scores, need_sums)
    return ScoreSet(label, scores["authentic"], scores["impostor"], sums)


def _read_sums(
    number: int, files: list[Path], scores: Mapping[str, ScoreDistribution], need: bool
) -> SubjectSums | None:
    """Read the sums by subject that lie beside all of a set's files."""
    places = {subject_sums_beside(file) for file in files}
    place = places.pop()
    if need and (places or place is None):
        raise FacepartError(
            f"set {number}: confidence bands need GROUP_people.npz, the sums by subject that `facepart match` writes "
            f"beside GROUP_scores.npz; {files[0]} is not a file of `facepart match`"
        )
    if need and place is not None and not place.exists():
        raise FacepartError(
            f"set {number}: confidence bands need the sums by subject, but {place} is missing; `facepart match` "
            "writes it beside GROUP_scores.npz"
        )
    if places or place is None or not place.exists():
        return None
    return load_subject_sums_of(place, scores)


def _samples(options: Mapping[str, Any], number: int) -> dict[str, Sample]:
    """Read a set, each kind separately; keyed by the options' kinds, which need not be those of the files."""
    label, both = _label(options, number), options[f"scores{number}"]
    if both:
        found = read_both(both)._asdict()
        sums = _read_sums(number, [both], found, need=False)
        return {name: Sample(label, name, scores, sums) for name, scores in found.items()}
    samples = {}
    for name in FILES.values():
        file = options[f"{name}{number}"]
        if file is not None:
            # Distributions of any kind may be compared; a file of `facepart match` has the kind in its name.
            kind = _kind_of(file, name)
            scores = read_kind(file, name)
            samples[name] = Sample(label, kind, scores, _read_sums(number, [file], {kind: scores}, need=False))
    return samples
