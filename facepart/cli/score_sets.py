"""The options that name sets of scores, ``-a1 -i1 -l1`` or ``-s1 -l1`` and so on, and the reading of these scores."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facepart.errors import FacepartError, UsageError
from facepart.files.addresses import reachable
from facepart.plots.difference import Sample
from facepart.plots.sets import ScoreSet
from facepart.scores import ScoreDistribution, read_both, read_scores
from facepart.scores.subject_sums import SubjectSums, load_subject_sums_of, subject_sums_beside

# The highest number of a set; only those of the first are in the help.
MOST = 99
_FILES = {"a": "authentic", "i": "impostor"}
_OPTIONS = (
    ("a", "authentic", "authentic scores"),
    ("i", "impostor", "impostor scores"),
    ("s", "scores", "both, a GROUP_scores.npz, instead of -a1 and -i1"),
    ("l", "label", "what legends and tables call it"),
)


def add_set_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of all sets; the one-dash long forms are those of the original programs."""
    for number in range(1, MOST + 1):
        for letter, name, what in _OPTIONS:
            kind: dict[str, Any] = {
                "dest": f"{name}{number}",
                "type": str if name == "label" else reachable,
                "metavar": "TEXT" if name == "label" else "FILE",
            }
            shown = f"set 1: {what}; -{letter}2, -{letter}3 ... for more sets" if number == 1 else argparse.SUPPRESS
            parser.add_argument(
                f"-{letter}{number}", f"-{name}{number}", f"--{name}{number}", help=shown, default=None, **kind
            )
            if number == 1:  # a set alone needs no number, as in one of the original programs
                parser.add_argument(f"-{letter}", f"-{name}", f"--{name}", help=argparse.SUPPRESS, **kind)
            if number <= 2 and name == "impostor":  # what another of them calls two distributions of any kind
                parser.add_argument(f"--distribution_{number}", help=argparse.SUPPRESS, **kind)


def read_sets(options: Mapping[str, Any], *, need_people: bool = False, use_people: bool = False) -> list[ScoreSet]:
    """Read the sets that the options name, each with scores of both kinds.

    Args:
        options: the parsed arguments.
        need_people: refuse a set whose sums by subject are not beside its scores.
        use_people: read the sums by subject of sets that have them.

    Raises:
        UsageError: a set lacks a kind, or a number is left out.
        FacepartError: a file cannot be read, or the sums by subject are missing or are of other scores.
    """
    given = _numbers(options) or [1]
    for number in given:
        for letter, name in _FILES.items():
            if options[f"scores{number}"] is None and options[f"{name}{number}"] is None:
                raise UsageError(
                    f"set {number} needs its {name} scores too: give -{letter}{number}, or -s{number} for both"
                )
    _refuse_gaps(given)
    return [_read_set(options, number, need_people, use_people) for number in given]


def read_samples(options: Mapping[str, Any]) -> list[list[Sample]]:
    """Read the sets that the options name, of one kind of scores or both, with sums by subject where there are any.

    Raises:
        UsageError: there are not two sets of one kind at least, or a number is left out.
        FacepartError: a file cannot be read, or the sums by subject are of other scores.
    """
    given = _numbers(options)
    _refuse_gaps(given)
    if len(given) < 2:
        raise UsageError(
            "a difference is that of two distributions or more: give -i1 and -i2, -a1 and -a2, or -s1 and -s2"
        )
    sets = [_samples(options, number) for number in given]
    for number, samples in zip(given, sets, strict=True):
        if not samples:
            raise UsageError(f"set {number} needs scores: give -a{number}, -i{number} or -s{number}")
        for kind in set(sets[0]) ^ set(samples):
            raise UsageError(f"set {number} and set 1 need scores of the same kinds: only one has {kind} scores")
    return [list(samples.values()) for samples in sets]


def missing_sums(options: Mapping[str, Any]) -> list[str]:
    """Say, for each score file without sums by subject, where these would be."""
    places = []
    for number in _numbers(options):
        for file in _files(options, number):
            place = subject_sums_beside(file)
            if place is None:
                places.append(f"none for {file}, which is not named as `facepart match` names its files")
            elif not place.exists():
                places.append(f"no {place}")
    return list(dict.fromkeys(places)) or ["the two files of a set are of different groups"]


def _numbers(options: Mapping[str, Any]) -> list[int]:
    """Give the numbers of the sets that are given; raises UsageError where one is given twice over."""
    names = [name for _, name, _ in _OPTIONS]
    given = [number for number in range(1, MOST + 1) if any(options[f"{name}{number}"] for name in names)]
    for number in given:
        for letter, name in _FILES.items():
            if options[f"scores{number}"] and options[f"{name}{number}"]:
                raise UsageError(f"set {number}: -s{number} gives both kinds of scores; leave out -{letter}{number}")
    return given


def _refuse_gaps(given: list[int]) -> None:
    if given != list(range(1, len(given) + 1)):
        raise UsageError(f"set {given[-1]} is given, but not every set before it: number them from 1 without a gap")


def _label(options: Mapping[str, Any], number: int) -> str:
    return str(options[f"label{number}"] or f"Set {number}")


def _files(options: Mapping[str, Any], number: int) -> list[Path]:
    found = [options[f"{name}{number}"] for name in ("scores", *_FILES.values())]
    return [file for file in found if file is not None]


def _read_set(options: Mapping[str, Any], number: int, need_people: bool, use_people: bool) -> ScoreSet:
    label, both = _label(options, number), options[f"scores{number}"]
    if both:
        scores = read_both(both)._asdict()
    else:
        scores = {name: read_scores(options[f"{name}{number}"], name) for name in _FILES.values()}
    people = None
    if need_people or use_people:
        people = _read_people(number, _files(options, number), scores, need_people)
    return ScoreSet(label, scores["authentic"], scores["impostor"], people)


def _read_people(
    number: int, files: list[Path], scores: Mapping[str, ScoreDistribution], need: bool
) -> SubjectSums | None:
    """Read the sums by subject that lie beside all of a set's files."""
    places = {subject_sums_beside(file) for file in files}
    place = places.pop()
    if need and (places or place is None):
        raise FacepartError(
            f"set {number}: confidence bands need the sums by subject that `facepart match` writes, GROUP_people.npz "
            f"beside GROUP_scores.npz; {files[0]} is not such a file"
        )
    if need and place is not None and not place.exists():
        raise FacepartError(
            f"set {number}: confidence bands need the sums by subject, and {place} is missing; `facepart match` "
            "writes it beside GROUP_scores.npz"
        )
    if places or place is None or not place.exists():
        return None
    return load_subject_sums_of(place, scores)


def _samples(options: Mapping[str, Any], number: int) -> dict[str, Sample]:
    """Read a set, each kind apart; keyed by the options' kinds, which need not be those of the files."""
    label, both = _label(options, number), options[f"scores{number}"]
    if both:
        found = read_both(both)._asdict()
        people = _read_people(number, [both], found, need=False)
        return {name: Sample(label, name, scores, people) for name, scores in found.items()}
    samples = {}
    for name in _FILES.values():
        file = options[f"{name}{number}"]
        if file is not None:
            # Two distributions of any kind may be compared; that of a matcher's file is in its name.
            kind = next((each for each in _FILES.values() if file.name.endswith(f"_{each}.npy")), name)
            scores = read_scores(file, name)
            samples[name] = Sample(label, kind, scores, _read_people(number, [file], {kind: scores}, need=False))
    return samples
