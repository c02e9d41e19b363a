"""Compare the features of a group: authentic and impostor scores, of every pair.

Reads a list of features, or a matrix features.npy with labels.txt beside it. Writes GROUP_scores.npz (how often each
score occurs, exact), GROUP_authentic.npy and GROUP_impostor.npy (rows: probe, gallery, cosine), GROUP_labels.txt and
GROUP_gallery_labels.txt. Several groups in one call: -p and -gr (and -g) several times, or --people.
"""

import argparse
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from facepart.cli.engine import positive
from facepart.cli.naming import add_exclusion_argument, add_naming_arguments
from facepart.cli.people import warn_of_unknown
from facepart.cli.progress import progress_bar
from facepart.data.naming import Exclusion, find_exclusion, naming_rule
from facepart.data.subject_table import read_people
from facepart.errors import UsageError
from facepart.files.addresses import reachable
from facepart.matching.features import read_features
from facepart.matching.groups import Group, read_group, split_by_people
from facepart.matching.output import MOST_PAIRS, SAVES

if TYPE_CHECKING:
    from facepart.matching.match import TakeOver
    from facepart.matching.prepare import MatchOutcome


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options to `parser`; the one-dash long forms are those of the original program."""
    add = parser.add_argument
    add(
        *("-p", "-probe", "--probe"),
        type=reachable,
        required=True,
        action="append",
        metavar="LIST",
        help="list of features, or features.npy",
    )
    add(
        *("-g", "-gallery", "--gallery"),
        type=reachable,
        action="append",
        default=[],
        metavar="LIST",
        help="what to compare them with; default: each other",
    )
    add("-o", "-output", "--output", type=reachable, required=True, metavar="FOLDER", help="where the score files go")
    add_naming_arguments(parser, "-dataset")
    add_exclusion_argument(parser)
    add(
        *("-gr", "-group", "--group"),
        action="append",
        default=[],
        metavar="NAME",
        help="what the files' names begin with, e.g. CM; with --people, which groups (default: all)",
    )
    add(
        "--people",
        type=reachable,
        metavar="CSV",
        help="table of people or photos and their groups; each is compared apart",
    )
    add("--group-column", default="group", metavar="NAME", help="the table's column of groups (default: %(default)s)")
    add(
        "--include-same-photo",
        action="store_true",
        help="with -g: compare a photo with its own blurred copy too, as the original program does",
    )
    add(
        "--save",
        choices=SAVES,
        help=f"what to write (default: both up to {MOST_PAIRS // 10**6} million pairs, beyond that the distribution)",
    )
    add(
        "--ranks",
        action="store_true",
        help="also write GROUP_ranks.csv: the rank of every probe's best authentic score among its impostor scores",
    )
    add(
        "--device",
        default="cpu",
        help="auto, cpu, cuda or cuda:<number>, for the distribution alone (default: %(default)s)",
    )
    add("--workers", type=positive, metavar="N", help="threads on the CPU (default: one a processor)")
    add(
        "--ray",
        metavar="ADDRESS",
        help="count distributions on a Ray cluster: auto (this machine is a node of it), local (started here), "
        "HOST:6379, or ray://HOST:10001; does not change the results",
    )


def execute(arguments: argparse.Namespace) -> int:
    """Match, and say of each group what was compared and how long it took."""
    begun = time.monotonic()
    # Read first: what is wrong with the call or the features is told before PyTorch, which takes seconds, is loaded.
    _refuse_what_ray_cannot(arguments)
    naming_rule(arguments.dataset, arguments.subject_pattern)
    exclusion = find_exclusion(arguments.dataset, arguments.subject_pattern, arguments.exclude_same)
    groups = _read_groups(arguments)
    from facepart.matching.match import match_groups

    with _counter(arguments.ray) as count, progress_bar("match", unit="pair") as progress:
        outcomes = match_groups(
            groups,
            arguments.output,
            dataset=arguments.dataset,
            subject_pattern=arguments.subject_pattern,
            exclude_same=arguments.exclude_same,
            include_same_photo=arguments.include_same_photo,
            save=arguments.save,
            ranks=arguments.ranks,
            device=arguments.device,
            workers=arguments.workers,
            count=count,
            progress=progress,
        )
        for outcome in outcomes:
            now = time.monotonic()
            print(f"{_summary(outcome, arguments.output, exclusion)}; {now - begun:.1f} s")
            begun = now
            _warn(outcome, arguments, exclusion)
    return 0


def _refuse_what_ray_cannot(arguments: argparse.Namespace) -> None:
    if arguments.ray is None:
        return
    if arguments.save in ("pairs", "both"):
        raise UsageError(
            f"--ray counts distributions, and pairs are written by one machine: leave out --ray, or --save "
            f"{arguments.save}"
        )
    if arguments.device != "cpu":
        raise UsageError(f"--ray counts on processors: leave out --ray or --device {arguments.device}")


@contextmanager
def _counter(address: str | None) -> "Iterator[TakeOver | None]":
    """Yield what counts scores on a cluster; None without one."""
    if address is None:
        yield None
        return
    from facepart.cluster.connect import connect

    with connect(address):
        from facepart.cluster.matching import take_over

        yield take_over


def _read_groups(arguments: argparse.Namespace) -> list[Group]:
    probes, galleries, names = arguments.probe, arguments.gallery, arguments.group
    if arguments.people is not None:
        if len(probes) > 1 or len(galleries) > 1:
            raise UsageError("--people cuts the groups out of one -p and one -g; give each once")
        people = read_people(arguments.people, arguments.group_column)
        rule = naming_rule(arguments.dataset, arguments.subject_pattern)
        gallery = read_features(galleries[0]) if galleries else None
        split = split_by_people(read_features(probes[0]), gallery, people, rule, names)
        warn_of_unknown(arguments.people, split.without_row, split.without_group)
        return split.groups
    if len(names) != len(probes):
        raise UsageError(f"-gr names what -p is compared as: give it once for each -p ({len(probes)}), or --people")
    if len(galleries) not in (0, len(probes)):
        raise UsageError(f"give -g for each -p ({len(probes)}), or for none")
    return [
        read_group(name, probe, galleries[index] if galleries else None)
        for index, (name, probe) in enumerate(zip(names, probes, strict=True))
    ]


def _summary(outcome: "MatchOutcome", folder: Path, exclusion: Exclusion | None) -> str:
    other = "each other" if outcome.gallery is None else f"{outcome.gallery} of the gallery"
    people = "1 person" if outcome.subjects == 1 else f"{outcome.subjects} people"
    group = folder / outcome.group
    pairs, distribution = f"{group}_authentic.npy and {group}_impostor.npy", f"{group}_scores.npz"
    files = {"pairs": pairs, "distribution": distribution, "both": f"{distribution}, {pairs}"}[outcome.saved]
    line = (
        f"{outcome.group}: compared {outcome.probes} features of {people} with {other}: {outcome.authentic} "
        f"authentic and {outcome.impostor} impostor scores into {files}"
    )
    if outcome.left_out:
        line += f"; left out {outcome.left_out} pairs of the same photo"
    if exclusion:
        line += f"; left out {outcome.excluded} authentic pairs {exclusion.words}"
    if outcome.ranked is not None:
        line += f"; ranks into {group}_ranks.csv: {outcome.ranked_first} of {outcome.ranked} probes have rank 1"
        if outcome.ranked < outcome.probes:
            line += f", {outcome.probes - outcome.ranked} have no rank (no authentic or no impostor pair)"
    return line


def _warn(outcome: "MatchOutcome", arguments: argparse.Namespace, exclusion: Exclusion | None) -> None:
    logger = logging.getLogger(__name__)
    if outcome.saved == "distribution" and arguments.save is None:
        logger.warning(
            "%s: the pairs themselves are not written, there are %d million; --save both writes them, in %.1f GB",
            *(outcome.group, round((outcome.authentic + outcome.impostor) / 1e6), outcome.pair_bytes / 1e9),
        )
    if outcome.saved != "distribution" and arguments.ray is not None:
        logger.warning(
            "%s: has few pairs, so that they were written, too, on this machine alone; --save distribution counts on "
            "the cluster",
            outcome.group,
        )
    if not outcome.authentic and exclusion and outcome.excluded:
        logger.warning(
            "%s: no authentic pairs: those %s are left out, and there are no others", outcome.group, exclusion.words
        )
    elif not outcome.authentic:
        logger.warning("%s: no authentic pairs: no subject has two photos to compare", outcome.group)
