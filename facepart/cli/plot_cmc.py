"""``facepart plot --kind cmc``: ranks, or pair files with their labels -> CMC curves and identification rates."""

import argparse
import math
from pathlib import Path
from typing import Any

from facepart.cli.rank_set_options import HIGHEST_RANK, RANK_SET_OPTIONS
from facepart.cli.score_set_options import MOST_SETS
from facepart.cli.subject_options import choose_dataset
from facepart.counts import count_of
from facepart.data.group_files import group_prefix
from facepart.data.naming_conventions import Rule, naming_rule
from facepart.errors import UsageError
from facepart.files.record import read_record
from facepart.plots.cmc import RankSet
from facepart.plots.plot_files import plot_ranks
from facepart.plots.statistics import Statistics
from facepart.scores.pair_ranks import PairFiles, ranks_of_pairs, read_labels
from facepart.scores.ranks import Ranks, read_ranks

_AUTHENTIC = "_authentic"
# The rule of the original program, where the labels do not tell theirs.
_FIRST_TRIED = "MORPH"


def draw_cmc(arguments: argparse.Namespace) -> int:
    """Read the ranks, draw them, and print the identification rates; return the exit status."""
    sets, ranks = _read_sets(vars(arguments)), arguments.ranks or HIGHEST_RANK
    outcome = plot_ranks(sets, arguments.dest, arguments.name, arguments.title, ranks, formats=arguments.formats)
    for entry, found in zip(sets, outcome.statistics, strict=True):
        for line in _lines(entry.label, sets[0].label, found, ranks):
            print(line)
    print(f"wrote {', '.join(str(path) for path in outcome.files)}")
    return 0


def _read_sets(options: dict[str, Any]) -> list[RankSet]:
    names = ("authentic", "impostor", "scores", "label", *RANK_SET_OPTIONS)
    given = [number for number in range(1, MOST_SETS + 1) if any(options[f"{name}{number}"] for name in names)]
    if given != list(range(1, len(given) + 1)):
        raise UsageError(
            f"set {given[-1]} is given, but not every set before it: number the sets from 1 without a gap"
        )
    return [_read_set(options, number) for number in given or [1]]


def _read_set(options: dict[str, Any], number: int) -> RankSet:
    files = {name: options[f"{name}{number}"] for name in ("authentic", "impostor", "rank", *RANK_SET_OPTIONS)}
    label = str(options[f"label{number}"] or f"Set {number}")
    if options[f"scores{number}"]:
        raise UsageError(
            f"set {number}: -s{number} holds no ranks; give -r{number} GROUP_ranks.csv of `facepart match --ranks`, "
            f"or pairs, -a{number} and -i{number}"
        )
    if files["rank"]:
        extra = [name for name in files if name != "rank" and files[name]]
        if extra:
            raise UsageError(f"set {number}: -r{number} is enough; leave out --{extra[0]}{number}")
        return RankSet(label, read_ranks(files["rank"]))
    if not files["authentic"] or not files["impostor"]:
        raise UsageError(f"set {number} needs -r{number} GROUP_ranks.csv, or pairs: -a{number} and -i{number}")
    return RankSet(label, _read_pairs(options, number, files))


def _read_pairs(options: dict[str, Any], number: int, files: dict[str, Path | None]) -> Ranks:
    authentic, impostor = files["authentic"], files["impostor"]
    probe_labels, gallery_labels = files["probe_labels"], files["gallery_labels"]
    assert authentic is not None and impostor is not None  # noqa: S101
    group = authentic.stem.removesuffix(_AUTHENTIC) if authentic.stem.endswith(_AUTHENTIC) else None
    if probe_labels is None:
        if group is None:
            raise UsageError(f"set {number}: give the labels of the pairs, -lp{number} (and -lg{number})")
        probe_labels = authentic.with_name(f"{group}_labels.txt")
    if gallery_labels is None and group is not None:
        beside = authentic.with_name(f"{group}_gallery_labels.txt")
        gallery_labels = beside if beside.exists() else None
    pairs = PairFiles(authentic, impostor, probe_labels, gallery_labels)
    return ranks_of_pairs(pairs, _rule(options["dataset"], options["subject_pattern"], pairs, group))


def _rule(dataset: str | None, pattern: str | None, pairs: PairFiles, group: str | None) -> Rule:
    """Return the naming convention: of the options, of the run of `match` that wrote the pairs, or of the names."""
    if dataset is None and pattern is None:
        record = read_record(pairs.authentic.parent)
        groups = record["settings"] if record and record.get("stage") == "match" else {}
        settings = next((found for name, found in groups.items() if group_prefix(name) == group), None)
        if isinstance(settings, dict):
            dataset, pattern = settings.get("dataset"), settings.get("subject_pattern")
    try:
        dataset = choose_dataset(dataset, pattern, [read_labels(pairs.labels)], str(pairs.labels))
    except UsageError:
        # Nothing goes wrong in silence: a rule that calls an authentic pair impostor, or the reverse, is refused.
        dataset = _FIRST_TRIED
    return naming_rule(dataset, pattern)


def _lines(label: str, first_label: str, found: Statistics, ranks: int) -> list[str]:
    rates = ", ".join(f"rank {most} {_shown(found, f'rank{most}_rate', '.2%')}" for most in dict.fromkeys((1, ranks)))
    line = f"{label}: identification rate at {rates}; {found['probes_with_rank']} of "
    line += count_of(int(found["probes"]), "probe")
    if found["probes_with_rank"] < found["probes"]:
        line += " (the others have no authentic or no impostor score)"
    lines = [line]
    changes = {most: f"rank{most}_rate_change_from_set_1" for most in dict.fromkeys((1, ranks))}
    if changes[1] in found:
        differences = ", ".join(f"rank {most} {_shown(found, name, '+.2%')}" for most, name in changes.items())
        lines.append(f"{label} vs {first_label}: {differences}")
    return lines


def _shown(found: Statistics, name: str, form: str) -> str:
    low, high = (found.get(f"{name}_{end}", math.nan) for end in ("low", "high"))
    value = format(found[name], form)
    return value if math.isnan(low) else f"{value} [{low:{form}}, {high:{form}}]"
