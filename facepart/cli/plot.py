"""Draw authentic and impostor score distributions, of up to four sets.

Reads the score files of `facepart match`, or old .txt ones. Writes NAME.png, NAME.svg and NAME.txt (d',
Kolmogorov-Smirnov, means).
"""

import argparse
from pathlib import Path

from facepart.errors import UsageError
from facepart.plots.run import plot
from facepart.plots.scores import ScoreSet, read_scores
from facepart.plots.statistics import Statistics

_SETS = (1, 2, 3, 4)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options to `parser`; the one-dash long forms are those of the original program."""
    for number in _SETS:
        for letter, name, what in (
            ("a", "authentic", "authentic scores"),
            ("i", "impostor", "impostor scores"),
            ("l", "label", "what the legend calls it"),
        ):
            parser.add_argument(
                *(f"-{letter}{number}", f"-{name}{number}", f"--{name}{number}"),
                type=str if name == "label" else Path,
                required=number == 1 and name != "label",
                metavar="TEXT" if name == "label" else "FILE",
                help=f"set {number}: {what}",
            )
    parser.add_argument("-t", "-title", "--title", metavar="TEXT", help="stands on top of the figure")
    parser.add_argument("-d", "-dest", "--dest", type=Path, required=True, metavar="FOLDER", help="where to write to")
    parser.add_argument("-n", "-name", "--name", required=True, metavar="NAME", help="the files' name, no extension")


def execute(arguments: argparse.Namespace) -> int:
    """Read the scores, draw them, and tell the numbers."""
    sets = _read_sets(vars(arguments))
    outcome = plot(sets, arguments.dest, arguments.name, arguments.title)
    for entry, found in zip(sets, outcome.statistics, strict=True):
        for line in _lines(entry.label, sets[0].label, found):
            print(line)
    print(f"wrote {', '.join(str(path) for path in outcome.files)}")
    return 0


def _read_sets(options: dict[str, Path | str | None]) -> list[ScoreSet]:
    given = [
        number for number in _SETS if any(options[f"{name}{number}"] for name in ("authentic", "impostor", "label"))
    ]
    for number in given:
        for letter, name in (("a", "authentic"), ("i", "impostor")):
            if options[f"{name}{number}"] is None:
                raise UsageError(f"set {number} needs its {name} scores too: give -{letter}{number}")
    if given != list(range(1, len(given) + 1)):
        raise UsageError(f"set {given[-1]} is given, but not every set before it: number them from 1 without a gap")
    return [
        ScoreSet(
            str(options[f"label{number}"] or f"Set {number}"),
            authentic=read_scores(Path(str(options[f"authentic{number}"]))),
            impostor=read_scores(Path(str(options[f"impostor{number}"]))),
        )
        for number in given
    ]


def _lines(label: str, first_label: str, found: Statistics) -> list[str]:
    lines = [
        f"{label}: d' {found['d_prime']:.3f}; "
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
