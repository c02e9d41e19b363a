"""``facepart plot --kind cmc``: ranks, or pair files with their labels -> CMC curves and identification rates."""

import argparse
import math
from pathlib import Path
from typing import Any

from facepart.cli.engine import positive
from facepart.data.naming import DATASETS, DEFAULT_DATASET, Rule, naming_rule
from facepart.errors import UsageError
from facepart.files.addresses import reachable
from facepart.files.record import read_record
from facepart.plots import style
from facepart.plots.cmc import DEFAULT_RANKS, RankSet, RankStatistics
from facepart.plots.plot_files import plot_ranks
from facepart.scores.pair_ranks import PairFiles, ranks_of_pairs
from facepart.scores.ranks import Ranks, read_ranks

CMC = "cmc"
_SETS = range(1, len(style.SET_COLOURS) + 1)
# What belongs to one set, and to all.
_OF_A_SET = {"rank": "-r", "probe_labels": "-lp", "gallery_labels": "-lg"}
_OF_ALL = {"ranks": "--ranks", "dataset": "--dataset", "subject_pattern": "--subject-pattern"}
_AUTHENTIC = "_authentic"


def add_cmc_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that only CMC curves have; the one-dash long forms are those of the original program."""
    group = parser.add_argument_group(
        f"with --kind {CMC}",
        "A set is -r1 GROUP_ranks.csv, or -a1 and -i1, files of pairs, whose labels GROUP_labels.txt and "
        "GROUP_gallery_labels.txt are found beside a GROUP_authentic.npy.",
    )
    for number in _SETS:
        for name, metavar, what in (
            ("rank", "FILE", "ranks, a GROUP_ranks.csv, or the original program's text"),
            ("probe_labels", "FILE", "labels of the probes of the pairs"),
            ("gallery_labels", "FILE", "labels of their gallery"),
        ):
            option = name.replace("_", "-")
            group.add_argument(
                *(f"{_OF_A_SET[name]}{number}", f"-{option}{number}", f"--{option}{number}"),
                type=reachable,
                dest=f"{name}{number}",
                metavar=metavar,
                help=f"set {number}: {what}",
            )
    group.add_argument(
        *("-r", "-total_ranks", "--ranks"),
        type=positive,
        metavar="N",
        help=f"the highest rank that is drawn (default: {DEFAULT_RANKS})",
    )
    group.add_argument(
        "--dataset",
        metavar="NAME",
        help=f"how labels tell the subject: {', '.join(DATASETS)} (default: as `facepart match` noted beside the "
        f"pairs, else {DEFAULT_DATASET})",
    )
    group.add_argument(
        "--subject-pattern", metavar="REGEX", help="instead of --dataset: finds the subject in a label"
    )


def refuse_ranks(arguments: argparse.Namespace) -> None:
    """Refuse options of CMC curves where something else is drawn.

    Raises:
        UsageError: such an option was given.
    """
    given = vars(arguments)
    names = {f"{name}{number}": f"{option}{number}" for name, option in _OF_A_SET.items() for number in _SETS}
    for name, option in (names | _OF_ALL).items():
        if given[name] is not None:
            raise UsageError(f"{option} is for --kind {CMC}, not for --kind {arguments.kind}")


def draw_cmc(arguments: argparse.Namespace) -> int:
    """Read the ranks, draw them, and tell the rates."""
    if arguments.dest is None or arguments.name is None:
        raise UsageError("give -d FOLDER and -n NAME: where the figure goes, and what it is called")
    sets, ranks = _read_sets(vars(arguments)), arguments.ranks or DEFAULT_RANKS
    outcome = plot_ranks(sets, arguments.dest, arguments.name, arguments.title, ranks)
    for entry, found in zip(sets, outcome.statistics, strict=True):
        for line in _lines(entry.label, sets[0].label, found, ranks):
            print(line)
    print(f"wrote {', '.join(str(path) for path in outcome.files)}")
    return 0


def _read_sets(options: dict[str, Any]) -> list[RankSet]:
    names = ("authentic", "impostor", "scores", "label", *_OF_A_SET)
    given = [number for number in _SETS if any(options[f"{name}{number}"] for name in names)]
    if given != list(range(1, len(given) + 1)):
        raise UsageError(f"set {given[-1]} is given, but not every set before it: number them from 1 without a gap")
    return [_read_set(options, number) for number in given or [1]]


def _read_set(options: dict[str, Any], number: int) -> RankSet:
    files = {name: options[f"{name}{number}"] for name in ("authentic", "impostor", "rank", *_OF_A_SET)}
    label = str(options[f"label{number}"] or f"Set {number}")
    if options[f"scores{number}"]:
        raise UsageError(
            f"set {number}: -s{number} holds no ranks; give -r{number} GROUP_ranks.csv (`facepart match --ranks` "
            f"writes it), or pairs, -a{number} and -i{number}"
        )
    if files["rank"]:
        extra = [name for name in files if name != "rank" and files[name]]
        if extra:
            raise UsageError(f"set {number}: -r{number} holds all that is needed; leave out --{extra[0]}{number}")
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
        beside = authentic.with_name(f"{group}_gallery_labels.txt")
        gallery_labels = gallery_labels or (beside if beside.exists() else None)
    rule = _rule(options["dataset"], options["subject_pattern"], authentic.parent, group)
    return ranks_of_pairs(PairFiles(authentic, impostor, probe_labels, gallery_labels), rule)


def _rule(dataset: str | None, pattern: str | None, folder: Path, group: str | None) -> Rule:
    """Give the rule that was asked for, else the one by which the pairs were made."""
    if dataset is None and pattern is None:
        record = read_record(folder)
        settings = record["settings"].get(group) if record and record.get("stage") == "match" else None
        if isinstance(settings, dict):
            dataset, pattern = settings.get("dataset"), settings.get("subject_pattern")
    return naming_rule(dataset or DEFAULT_DATASET, pattern)


def _lines(label: str, first_label: str, found: RankStatistics, ranks: int) -> list[str]:
    rates = ", ".join(f"rank {most} {_shown(found, f'rank{most}_rate', '.2%')}" for most in dict.fromkeys((1, ranks)))
    line = f"{label}: identification rate at {rates}; {found['probes_with_rank']} of {found['probes']} probes"
    if found["probes_with_rank"] < found["probes"]:
        line += ", the others have no authentic or no impostor score"
    lines = [line]
    changes = {most: f"rank{most}_rate_change_from_set_1" for most in dict.fromkeys((1, ranks))}
    if changes[1] in found:
        told = ", ".join(f"rank {most} {_shown(found, name, '+.2%')}" for most, name in changes.items())
        lines.append(f"{label} against {first_label}: {told}")
    return lines


def _shown(found: RankStatistics, name: str, form: str) -> str:
    low, high = (found.get(f"{name}_{end}", math.nan) for end in ("low", "high"))
    value = format(found[name], form)
    return value if math.isnan(low) else f"{value} [{low:{form}}, {high:{form}}]"
