"""Draw score distributions, error rates or identification rates of several sets, or write them as tables.

Reads the score files of `facepart match` (.npz, .npy), or those of older programs (.npy, .txt, .csv). Writes
NAME.png, NAME.svg, NAME.csv (the points drawn) and NAME.txt (d', EER, FNMR at FMRs, means,
Kolmogorov-Smirnov; with --kind cmc, identification rates).
"""

import argparse
import logging
from collections.abc import Sequence
from typing import Any

from facepart.analysis.intervals import MIN_SUBJECTS
from facepart.analysis.metrics import REPORTED_FMRS
from facepart.analysis.metrics.operating_point import MIN_FALSE_MATCHES
from facepart.cli.plot_cmc import CMC, add_cmc_arguments, draw_cmc, refuse_ranks
from facepart.cli.score_sets import add_set_arguments, read_sets
from facepart.cli.score_tables import compare, tabulate
from facepart.errors import UsageError
from facepart.files.addresses import reachable
from facepart.plots.plot_files import DEFAULT_KIND, KINDS, ROC, plot, refuse_path
from facepart.plots.statistics import Statistics

_TABLE, _DIFFERENCE = "table", "difference"
# Option -> the only kind that it is for.
_ONLY = {"bands": ROC, "ylim": ROC, "fmr": _TABLE, "threshold": _TABLE}
# Options of the original programs that do nothing here, and why.
_NO_EFFECT = {"--numCores": "the files are read in one process"}
# Options of the original programs that are something else here.
_SETS = "give each algorithm as a set, -a1 FILE -i1 FILE -l1 NAME, -a2 ..., and each data set in a call of its own"
_FOLDERS = (
    "each folder in it is a set here: -a1 FOLDER/SUBSET/all_authentic.txt -i1 FOLDER/SUBSET/all_impostor.txt "
    "-l1 'SUBSET NAME', -a2 ... --kind roc"
)
_CURVE = "curves are not read; TMRs at FMRs come from scores: -a1 FILE -i1 FILE --kind table --fmr 1e-5 1e-4 1e-3"
_KIND = "--kind says what to draw, a figure a call: histogram (densityPlot), roc (rocPlot) or cmc (cmcPlot)"
_ELSEWHERE = {
    ("-f", "-file"): _CURVE,
    ("-alg1", "-alg1_path"): _FOLDERS,
    ("-alg2", "-alg2_path"): _FOLDERS,
    ("--algolist",): _SETS,
    ("--datasetnames",): _SETS,
    ("-e", "--expts"): _SETS,
    ("-m", "--manual"): "name the files themselves: -a1 FOLDER/manual_..._authenticScores.txt",
    ("-p", "--plots"): _KIND,
}


class _NoEffect(argparse.Action):
    """Says in a line that an option does nothing here."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        logging.getLogger(__name__).warning("%s has no effect: %s", option_string, self.const)


class _Elsewhere(argparse.Action):
    """Says in a line what an option of an original program is here."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        raise UsageError(f"{option_string}: {self.const}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options to `parser`; the one-dash long forms are those of the original programs."""
    add = parser.add_argument
    add_set_arguments(parser)
    add(
        "--kind",
        choices=[*KINDS, CMC, _TABLE, _DIFFERENCE],
        default=DEFAULT_KIND,
        help="what to draw; table: d' and rates of any number of sets, no figure; difference: each distribution "
        "against that of set 1, no figure (default: %(default)s)",
    )
    add(
        "--bands",
        action="store_true",
        help="with --kind roc: 95 %% confidence bands by subject, from GROUP_people.npz beside the scores",
    )
    add(
        "--ylim",
        type=float,
        metavar="TMR",
        help="with --kind roc: where the axis of the TMR begins (default: as the curves need)",
    )
    add(
        "--fmr",
        type=float,
        nargs="+",
        metavar="FMR",
        help="with --kind table: TMR at these FMRs (default, without --threshold: "
        f"{' '.join(f'{rate:g}' for rate in REPORTED_FMRS)})",
    )
    add(
        "--threshold",
        type=float,
        nargs="+",
        metavar="SCORE",
        help="with --kind table: FMR and TMR at these thresholds",
    )
    add("-t", "-title", "--title", metavar="TEXT", help="stands on top of the figure")
    add("-d", "-dest", "--dest", type=reachable, metavar="FOLDER", help="where to write to")
    add("-n", "-name", "--name", metavar="NAME", help="the files' name, no extension")
    add_cmc_arguments(parser)
    for option, reason in _NO_EFFECT.items():
        add(option, action=_NoEffect, nargs="?", const=reason, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    for options, answer in _ELSEWHERE.items():
        add(*options, action=_Elsewhere, nargs="*", const=answer, default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def execute(arguments: argparse.Namespace) -> int:
    """Read the scores, draw or tabulate them, and tell the numbers."""
    _refuse_misplaced(arguments)
    if arguments.kind == CMC:
        return draw_cmc(arguments)
    refuse_ranks(arguments)
    if arguments.kind == _TABLE:
        return tabulate(arguments)
    if arguments.kind == _DIFFERENCE:
        return compare(arguments)
    sets = read_sets(vars(arguments), need_people=arguments.bands)
    outcome = plot(
        sets,
        arguments.dest,
        arguments.name,
        arguments.title,
        arguments.kind,
        bands=arguments.bands,
        min_tmr=arguments.ylim,
    )
    for entry, found in zip(sets, outcome.statistics, strict=True):
        for line in _lines(entry.label, sets[0].label, found):
            print(line)
    if arguments.bands:
        _warn_of_no_band([entry.label for entry in sets if not len(entry.band.fmr)])
    print(f"wrote {', '.join(str(path) for path in outcome.files)}")
    return 0


def _refuse_misplaced(arguments: argparse.Namespace) -> None:
    """Raise UsageError for options that are not for this kind, or files that are not named."""
    kind = arguments.kind
    for name, only in _ONLY.items():
        value = getattr(arguments, name)
        if value is not None and value is not False and kind != only:
            raise UsageError(f"--{name} is for --kind {only}, not for --kind {kind}")
    if (arguments.dest is None) != (arguments.name is None):
        raise UsageError("-d FOLDER and -n NAME go together: where the files go, and what they are called")
    if arguments.name is not None:
        refuse_path(arguments.name)
    elif kind in KINDS:
        raise UsageError("give -d FOLDER and -n NAME: where the figure goes, and what it is called")
    if arguments.title is not None and kind in (_TABLE, _DIFFERENCE):
        logging.getLogger(__name__).warning("-t has no effect: a table has no title")


def _warn_of_no_band(labels: Sequence[str]) -> None:
    for label in labels:
        logging.getLogger(__name__).warning(
            "%s: no band: fewer than %d subjects with two photos, or fewer than %d expected false matches",
            *(label, MIN_SUBJECTS, MIN_FALSE_MATCHES),
        )


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
