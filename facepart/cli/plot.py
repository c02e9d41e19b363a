"""Draw authentic and impostor score distributions, their error rates, or identification rates, of up to four sets.

Reads the score files of `facepart match` (.npz, .npy), or old .txt ones. Writes NAME.png, NAME.svg, NAME.csv (the
points drawn) and NAME.txt (d', EER, FNMR at FMRs, means, Kolmogorov-Smirnov; with --kind cmc, identification rates).
"""

import argparse
from typing import Any

from facepart.cli.plot_cmc import CMC, add_cmc_arguments, draw_cmc, refuse_ranks
from facepart.errors import UsageError
from facepart.files.addresses import reachable
from facepart.plots.run import DEFAULT_KIND, KINDS, plot
from facepart.plots.sets import ScoreSet
from facepart.plots.statistics import Statistics
from facepart.scores import read_both, read_scores

_SETS = (1, 2, 3, 4)
_FILES = {"a": "authentic", "i": "impostor"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options to `parser`; the one-dash long forms are those of the original program."""
    for number in _SETS:
        for letter, name, what in (
            ("a", "authentic", "authentic scores"),
            ("i", "impostor", "impostor scores"),
            ("s", "scores", "both, a GROUP_scores.npz"),
            ("l", "label", "what the legend calls it"),
        ):
            parser.add_argument(
                *(f"-{letter}{number}", f"-{name}{number}", f"--{name}{number}"),
                type=str if name == "label" else reachable,
                metavar="TEXT" if name == "label" else "FILE",
                help=f"set {number}: {what}",
            )
    parser.add_argument(
        "--kind", choices=[*KINDS, CMC], default=DEFAULT_KIND, help="what to draw (default: %(default)s)"
    )
    add_cmc_arguments(parser)
    parser.add_argument("-t", "-title", "--title", metavar="TEXT", help="stands on top of the figure")
    parser.add_argument(
        "-d", "-dest", "--dest", type=reachable, required=True, metavar="FOLDER", help="where to write to"
    )
    parser.add_argument("-n", "-name", "--name", required=True, metavar="NAME", help="the files' name, no extension")


def execute(arguments: argparse.Namespace) -> int:
    """Read the scores, draw them, and tell the numbers."""
    if arguments.kind == CMC:
        return draw_cmc(arguments)
    refuse_ranks(arguments)
    sets = _read_sets(vars(arguments))
    outcome = plot(sets, arguments.dest, arguments.name, arguments.title, arguments.kind)
    for entry, found in zip(sets, outcome.statistics, strict=True):
        for line in _lines(entry.label, sets[0].label, found):
            print(line)
    print(f"wrote {', '.join(str(path) for path in outcome.files)}")
    return 0


def _read_sets(options: dict[str, Any]) -> list[ScoreSet]:
    names = (*_FILES.values(), "scores", "label")
    given = [number for number in _SETS if any(options[f"{name}{number}"] for name in names)]
    for number in given or [1]:
        both = options[f"scores{number}"]
        for letter, name in _FILES.items():
            if both and options[f"{name}{number}"]:
                raise UsageError(f"set {number}: -s{number} gives both kinds of scores; leave out -{letter}{number}")
            if not both and options[f"{name}{number}"] is None:
                raise UsageError(
                    f"set {number} needs its {name} scores too: give -{letter}{number}, or -s{number} for both"
                )
    if given != list(range(1, len(given) + 1)):
        raise UsageError(f"set {given[-1]} is given, but not every set before it: number them from 1 without a gap")
    return [_read_set(options, number) for number in given]


def _read_set(options: dict[str, Any], number: int) -> ScoreSet:
    label, both = str(options[f"label{number}"] or f"Set {number}"), options[f"scores{number}"]
    if both:
        return ScoreSet(label, *read_both(both))
    return ScoreSet(label, *(read_scores(options[f"{name}{number}"], name) for name in _FILES.values()))


def _lines(label: str, first_label: str, found: Statistics) -> list[str]:
    lines = [
        f"{label}: d' {found['d_prime']:.3f}, EER {found['eer']:.2%}; "
        f"mean {found['authentic_mean']:.4f} of {found['authentic_n']} authentic scores, "
        f"{found['impostor_mean']:.4f} of {found['impostor_n']} impostor scores"
    ]
    if "impostor_ks_to_set_1" in found:
        lines += [
            f"{label} against {first_label}, {kind}: mean {found[f'{kind}_mean_shift_from_set_1']:+.4f}, "
            f"d' {found[f'{kind}_d_prime_to_set_1']:.4f}, KS {found[f'{kind}_ks_to_set_1']:.4f}"
            for kind in ("authentic", "impostor")
        ]
    return lines
