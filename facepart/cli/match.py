"""Compare all pairs of embeddings in a group, or listed pairs, and write the authentic and impostor scores.

Reads a list of embeddings, one path per line, or the matrix features.npy with labels.txt beside it. A score is the
cosine of two embeddings, rounded to 6 decimals. Writes, for each group, GROUP_scores.npz (how often each score
occurs, exact), GROUP_authentic.npy and GROUP_impostor.npy (rows: probe, gallery, score), GROUP_labels.txt and
GROUP_gallery_labels.txt.

To match several groups in one call, give -p and -gr (and -g) once per group, or a table with --people.

--pairs compares only the pairs of a file: LFW's pairs.txt, or a table with two photos in each row and, optionally, a
label (1 or 0, same or different). A photo is named as folder/name, by its path, or by its name alone. Also writes
GROUP_pairs.csv, which has the score of each pair in the order of the file, and prints the cross-validated accuracy
if the file has folds.

Values of a list are separated by spaces or commas: -gr CM CF, or -gr CM,CF.
"""

import argparse
import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facepart.cli.command_parser import thread_count
from facepart.cli.guard import Guard
from facepart.cli.list_action import ListAction
from facepart.cli.match_pairs import listed_lines, refuse_conflicts
from facepart.cli.progress_bar import ProgressBar
from facepart.cli.ray import add_ray_argument
from facepart.cli.subject_options import (
    add_exclusion_argument,
    add_naming_arguments,
    add_naming_table,
    add_table_arguments,
    choose_dataset,
)
from facepart.cli.subject_warnings import warn_of_left_out, warn_of_small_groups
from facepart.counts import count_of
from facepart.data.group_files import group_prefix
from facepart.data.naming_conventions import Exclusion, check_naming, find_exclusion, naming_rule
from facepart.data.pair_list import read_pair_list
from facepart.data.subject_table import SMALLEST_GROUP, read_people
from facepart.errors import UsageError
from facepart.files.addresses import reachable
from facepart.matching.output import MOST_PAIRS, SAVES
from facepart.processors import processors
from facepart.scores.files import pairs_paths, scores_path
from facepart.scores.ranks import ranks_path

if TYPE_CHECKING:
    from facepart.matching.groups import Group
    from facepart.matching.pair_counter import PairCounter
    from facepart.matching.prepare import MatchOutcome

# The number of the cosine among the original program's metrics.
COSINE = 1


EXAMPLES = (
    "facepart match -p lists/CM.txt -o matches -d MORPH -gr CM",
    "facepart match -p features/nose/list.txt -g features/baseline/list.txt \\\n"
    "    -o matches/cross -d MORPH --people people.csv -gr CM CF",
    "facepart match -p features/list.txt --pairs pairs.txt -gr LFW -o matches",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``facepart match``; the one-dash long forms are those of the original program."""
    parser.usage = (
        "%(prog)s -p LIST [-g LIST] -gr NAME -o FOLDER [options]\n"
        "       %(prog)s -p LIST [-g LIST] --people CSV -o FOLDER [options]\n"
        "       %(prog)s -p LIST [-g LIST] --pairs FILE -gr NAME -o FOLDER ..."
    )
    group = parser.add_argument_group("input")
    group.add_argument(
        *("-p", "-probe", "--probe"),
        type=reachable,
        required=True,
        action="append",
        metavar="LIST",
        help="embeddings of the probes: a list, or features.npy; may be repeated, once per group",
    )
    group.add_argument(
        *("-g", "-gallery", "--gallery"),
        type=reachable,
        action="append",
        default=[],
        metavar="LIST",
        help="embeddings of the gallery, once for each -p (default: the probes are compared with each other)",
    )
    group.add_argument(
        "--pairs",
        type=reachable,
        metavar="FILE",
        help="compare only the pairs of this file, in each group; with -g, the second photo of a pair comes from the "
        "gallery. Pairs are authentic or impostor by the file's labels, else by the naming convention "
        "(default: compare all pairs)",
    )
    add_naming_arguments(group, "-dataset")
    group = parser.add_argument_group("demographic groups")
    group.add_argument(
        *("-gr", "-group", "--group"),
        action=ListAction,
        default=[],
        metavar="NAME",
        help="name of each group, e.g. CM, used as the prefix of its output files (/ and the like become _, and a "
        "hash is added); one for each -p. With --people: groups to compare (default: all)",
    )
    add_table_arguments(group, "each -p is one group")
    group = parser.add_argument_group("comparison")
    add_exclusion_argument(group)
    group.add_argument(
        "--include-same-photo",
        action="store_true",
        help="with -g: also compare a photo with its own occluded copy, as the original program does",
    )
    group = parser.add_argument_group("output")
    group.add_argument(
        "-o", "-output", "--output", type=reachable, required=True, metavar="FOLDER", help="folder of the score files"
    )
    group.add_argument(
        "--save",
        choices=SAVES,
        help="write the pairs (GROUP_authentic.npy, GROUP_impostor.npy), the distribution (GROUP_scores.npz) or both "
        f"(default: both up to {MOST_PAIRS // 10**6} million pairs, else the distribution)",
    )
    group.add_argument(
        "--ranks",
        action="store_true",
        help="also write GROUP_ranks.csv: the rank of each probe's best authentic score among its impostor scores",
    )
    group = parser.add_argument_group("hardware")
    group.add_argument(
        "--device",
        default="cpu",
        metavar="NAME",
        help="where the distribution is counted: auto, cpu, cuda or cuda:<number> (default: %(default)s)",
    )
    group.add_argument(
        "--workers",
        type=thread_count,
        metavar="N",
        help=f"threads on the CPU (default here: {processors()})",
    )
    add_ray_argument(group, "count the distribution")
    group = parser.add_argument_group("options of the original script")
    group.add_argument(
        *("-m", "-metric", "--metric"),
        type=int,
        default=COSINE,
        metavar="N",
        help=f"{COSINE}: the cosine, the only metric here (default: %(default)s)",
    )
    add_naming_table(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Run ``facepart match``; return the exit status."""
    begun = time.monotonic()
    # A wrong call or a wrong embedding is refused before PyTorch, which takes seconds to load, is imported.
    if arguments.pairs is not None:
        refuse_conflicts(arguments)
    _refuse_what_ray_cannot(arguments)
    if arguments.metric != COSINE:
        raise UsageError(
            f"-m {arguments.metric}: scores are cosines, -m {COSINE}; of embeddings of length 1, the Euclidean "
            "distance is sqrt(2 - 2 cosine), which orders pairs in the same way"
        )
    check_naming(arguments.dataset, arguments.subject_pattern, arguments.exclude_same)
    # Before the embeddings, which take longer to read.
    pairs = None if arguments.pairs is None else read_pair_list(arguments.pairs)
    groups = _read_groups(arguments, labelled=pairs is not None and pairs.is_labelled)
    # Now the convention is known, if it was not given.
    exclusion = find_exclusion(arguments.dataset, arguments.subject_pattern, arguments.exclude_same)
    from facepart.matching.match import match_groups
    from facepart.matching.match_listed import match_pairs

    with _counter(arguments.ray) as counter, ProgressBar("match", unit="pair") as progress:
        options: dict[str, Any] = {
            "dataset": arguments.dataset,
            "subject_pattern": arguments.subject_pattern,
            "include_same_photo": arguments.include_same_photo,
            "save": arguments.save,
            "workers": arguments.workers or processors(),
            "progress": progress,
        }
        if pairs is not None:
            lines = listed_lines(match_pairs(groups, pairs, arguments.output, **options), arguments)
        else:
            options |= {"exclude_same": arguments.exclude_same, "ranks": arguments.ranks, "device": arguments.device}
            outcomes = match_groups(groups, arguments.output, **options, counter=counter)
            lines = _lines(outcomes, arguments, exclusion)
        for line in lines:
            now = time.monotonic()
            print(f"{line}; {now - begun:.1f} s")
            begun = now
    return 0


def _lines(
    outcomes: "Iterable[MatchOutcome]", arguments: argparse.Namespace, exclusion: Exclusion | None
) -> Iterator[str]:
    """Yield a line for each group when it has been compared; warn once that is printed."""
    for outcome in outcomes:
        yield _summary(outcome, arguments.output, exclusion)
        _warn(outcome, arguments, exclusion)


def _refuse_what_ray_cannot(arguments: argparse.Namespace) -> None:
    if arguments.ray is None:
        return
    if arguments.save in ("pairs", "both"):
        raise UsageError(
            f"--ray counts distributions, but one machine writes pairs: leave out --ray or --save {arguments.save}"
        )
    if arguments.device != "cpu":
        raise UsageError(f"--ray counts on CPUs: leave out --ray or --device {arguments.device}")


@contextmanager
def _counter(address: str | None) -> "Iterator[PairCounter | None]":
    """Yield the counter of pairs on a cluster; None without an address."""
    if address is None:
        yield None
        return
    from facepart.cluster.connect import connect

    with connect(address):
        Guard.retake_signals()  # Ray takes SIGTERM for itself
        from facepart.cluster.ray_pair_counter import RayPairCounter

        yield RayPairCounter()


def _read_groups(arguments: argparse.Namespace, *, labelled: bool) -> "list[Group]":
    """Read the groups; where no naming convention is given, recognise it, and set and print it.

    Args:
        arguments: of the command.
        labelled: whether a list of pairs says which are authentic: then it does not matter if there is no convention.
    """
    from facepart.matching.features import read_features
    from facepart.matching.groups import read_group, split_by_people

    probes, galleries, names = arguments.probe, arguments.gallery, arguments.group
    given = arguments.dataset, arguments.subject_pattern
    if arguments.people is not None:
        if len(probes) > 1 or len(galleries) > 1:
            raise UsageError("--people selects the groups from one -p and one -g: give each once")
        people = read_people(arguments.people, arguments.group_column)
        people.find_groups(names)
        probe, gallery = read_features(probes[0]), read_features(galleries[0]) if galleries else None
        names_of_sides = [side.longest for side in (probe, gallery) if side]
        arguments.dataset = choose_dataset(*given, names_of_sides, str(probe.source), people.subjects)
        rule = naming_rule(arguments.dataset, arguments.subject_pattern)
        split = split_by_people(probe, gallery, people, rule, names)
        if not names:
            split, small = split.without_small(arguments.people, rule)
            warn_of_small_groups(arguments.people, small, SMALLEST_GROUP)
            for stale in (scores_path(arguments.output, group_prefix(name)) for name in small):
                if stale.exists():
                    logging.getLogger(__name__).warning("%s: is of an earlier run, which had this group", stale)
        warn_of_left_out(arguments.people, split)
        return split.groups
    if len(names) != len(probes):
        raise UsageError(f"give one -gr for each -p ({len(probes)}), the name of its group; or --people")
    if len(galleries) not in (0, len(probes)):
        raise UsageError(f"give one -g for each -p ({len(probes)}), or none")
    groups = [
        read_group(name, probe, galleries[index] if galleries else None)
        for index, (name, probe) in enumerate(zip(names, probes, strict=True))
    ]
    names_of_sides = [side.longest for group in groups for side in group.sides]
    try:
        arguments.dataset = choose_dataset(*given, names_of_sides, str(probes[0]))
    except UsageError:
        if not labelled:
            raise
    return groups


def _summary(outcome: "MatchOutcome", folder: Path, exclusion: Exclusion | None) -> str:
    other = "each other" if outcome.gallery is None else f"{count_of(outcome.gallery, 'embedding')} of the gallery"
    group = group_prefix(outcome.group)
    pairs, distribution = " and ".join(map(str, pairs_paths(folder, group))), scores_path(folder, group)
    files = {"pairs": pairs, "distribution": distribution, "both": f"{distribution}, {pairs}"}[outcome.saved]
    line = (
        f"{outcome.group}: compared {count_of(outcome.probes, 'embedding')} of "
        f"{count_of(outcome.subjects, 'subject')} with {other}: {outcome.authentic} authentic and "
        f"{count_of(outcome.impostor, 'impostor score')}, written to "
        f"{files}"
    )
    if outcome.left_out:
        line += f"; left out {count_of(outcome.left_out, 'pair')} of the same photo"
    if exclusion and outcome.excluded is not None:
        line += f"; left out {count_of(outcome.excluded, 'authentic pair')} {exclusion.words}"
    if outcome.ranked is not None:
        line += f"; ranks written to {ranks_path(folder, group)}: {outcome.ranked_first} of "
        line += f"{count_of(outcome.ranked, 'probe')} {'has' if outcome.ranked == 1 else 'have'} rank 1"
        if outcome.ranked < outcome.probes:
            line += f", {outcome.probes - outcome.ranked} without a rank (no authentic or no impostor pair)"
    return line


def _warn(outcome: "MatchOutcome", arguments: argparse.Namespace, exclusion: Exclusion | None) -> None:
    logger = logging.getLogger(__name__)
    if outcome.saved == "distribution" and arguments.save is None:
        logger.warning(
            "%s: the pairs are not written, since there are %d million; --save both writes them (%.1f GB)",
            *(outcome.group, round((outcome.authentic + outcome.impostor) / 1e6), outcome.pair_bytes / 1e9),
        )
    if outcome.saved != "distribution" and arguments.ray is not None:
        logger.warning(
            "%s: has few pairs, so this machine counted and wrote them; --save distribution counts on the cluster",
            outcome.group,
        )
    if not outcome.authentic and exclusion and outcome.excluded:
        logger.warning("%s: no authentic pairs: all of them are %s, and left out", outcome.group, exclusion.words)
    elif not outcome.authentic:
        logger.warning("%s: no authentic pairs: no subject has two photos to compare", outcome.group)
