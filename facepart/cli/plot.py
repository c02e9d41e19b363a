"""Plot score distributions, error rates or identification rates of one or several sets, or tabulate them.

Reads the score files of `facepart match` (.npz, .npy), or those of other programs (.npy, .txt, .csv). Writes
NAME.png and NAME.svg (or other formats), NAME.csv (the points of the figure) and NAME.txt (d', EER, FNMR at fixed
FMRs, means, Kolmogorov-Smirnov statistics; with --kind cmc, identification rates). The other sets are compared with
set 1.

Values of a list are separated by spaces or commas: --fmr 1e-3 1e-4, or --fmr 1e-3,1e-4.
"""

import argparse
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facepart.analysis.intervals import MIN_SUBJECTS
from facepart.analysis.metrics.operating_point import MIN_FALSE_MATCHES, REPORTED_FMRS
from facepart.cli.command_parser import drawable, finite
from facepart.cli.list_action import ListAction
from facepart.cli.rank_set_options import CMC, RANK_SET_OPTIONS, add_rank_arguments, refuse_rank_options
from facepart.cli.score_set_options import MOST_SETS, SET_OPTIONS, add_set_arguments
from facepart.errors import UsageError
from facepart.files.addresses import reachable, refuse_overwriting
from facepart.files.figure_formats import DEFAULT_FORMATS, FORMATS

if TYPE_CHECKING:
    from facepart.plots.statistics import Statistics

_TABLE, _DIFFERENCE, _ROC = "table", "difference", "roc"
# What --kind takes, and what it means; the figures are those of facepart.plots.PLOT_KINDS, and CMC curves.
_FIGURES = {
    "histogram": "score distributions",
    _ROC: "TMR against FMR",
    "det": "FNMR against FMR",
    "fmr_fnmr": "both error rates against the threshold",
    CMC: "identification rate against rank",
}
_TABLES = {
    _TABLE: "d', EER and error rates, of any number of sets",
    _DIFFERENCE: "Kolmogorov-Smirnov test and difference of the means, each set against set 1",
}
# Option -> the only kind that it is for.
_ONLY = {"bands": _ROC, "ylim": _ROC, "fmr": _TABLE, "threshold": _TABLE}
# Options of the original programs that have no effect here, and why.
_NO_EFFECT = {"--numCores": "one process reads the files"}
# Options of the original programs that are something else here.
_SETS = "give each algorithm as a set, -a1 FILE -i1 FILE -l1 NAME, -a2 ..., and each data set in a call of its own"
_FOLDERS = (
    "each folder in it is a set here: -a1 FOLDER/SUBSET/all_authentic.txt -i1 FOLDER/SUBSET/all_impostor.txt "
    "-l1 'SUBSET NAME', -a2 ... --kind roc"
)
_CURVE = "curves are not read; TMRs at FMRs come from scores: -a1 FILE -i1 FILE --kind table --fmr 1e-5 1e-4 1e-3"
_KIND = "--kind says what to draw, one figure per call: histogram (densityPlot), roc (rocPlot) or cmc (cmcPlot)"
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
    """Warns in one line that an option has no effect here."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        logging.getLogger(__name__).warning("%s has no effect: %s", option_string, self.const)


class _Elsewhere(argparse.Action):
    """Refuses an option of an original program, and says in one line what replaces it here."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        raise UsageError(f"{option_string}: {self.const}")


EXAMPLES = (
    "facepart plot -s1 matches/baseline/CM_scores.npz -l1 Baseline \\\n"
    "    -s2 matches/nose/CM_scores.npz -l2 'No nose' -t CM -d plots -n nose",
    "facepart plot -s1 matches/baseline/CM_scores.npz --kind table --fmr 1e-3 1e-4",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``facepart plot``; the one-dash long forms are those of the original programs."""
    parser.usage = (
        "%(prog)s -a1 FILE -i1 FILE [-a2 ...] -d FOLDER -n NAME [options]\n"
        "       %(prog)s -s1 FILE [-s2 ...] -d FOLDER -n NAME [options]\n"
        "       %(prog)s -s1 FILE [-s2 ...] --kind {table,difference} [options]"
    )
    add_set_arguments(parser.add_argument_group("input"))
    add = parser.add_argument_group("figure or table").add_argument
    figures, tables = (", ".join(f"{kind} ({text})" for kind, text in kinds.items()) for kinds in (_FIGURES, _TABLES))
    add(
        "--kind",
        choices=[*_FIGURES, *_TABLES],
        default="histogram",
        metavar="KIND",
        help=f"figures: {figures}; without a figure: {tables} (default: %(default)s)",
    )
    add(
        "--bands",
        action="store_true",
        help="with --kind roc: draw subject-level 95 %% confidence bands, computed from GROUP_people.npz beside the "
        "scores",
    )
    add(
        "--ylim",
        type=finite,
        metavar="TMR",
        help="with --kind roc: lower limit of the TMR axis (default: just below the lowest curve)",
    )
    add(
        "--fmr",
        action=ListAction,
        item_type=finite,
        metavar="FMR",
        help="with --kind table: TMR at these FMRs (default, unless --threshold is given: "
        f"{' '.join(f'{rate:g}' for rate in REPORTED_FMRS)})",
    )
    add(
        "--threshold",
        action=ListAction,
        item_type=finite,
        metavar="SCORE",
        help="with --kind table: FMR and TMR at these thresholds (default: none)",
    )
    add("-t", "-title", "--title", type=drawable, metavar="TEXT", help="title of the figure (default: none)")
    add_rank_arguments(parser)
    add = parser.add_argument_group("output").add_argument
    add(
        *("-d", "-dest", "--dest"),
        type=reachable,
        metavar="FOLDER",
        help="folder of the files; required for figures (default for tables: only print them)",
    )
    add(
        *("-n", "-name", "--name"),
        metavar="NAME",
        help="name of the files, without extension; required with -d (default: none)",
    )
    add(
        "--formats",
        action=ListAction,
        default=list(DEFAULT_FORMATS),
        metavar="FORMAT",
        help=f"formats of the figure: {', '.join(FORMATS)}; pgf, for \\input in LaTeX, needs LaTeX to be written "
        f"(default: {' '.join(DEFAULT_FORMATS)})",
    )
    for option, reason in _NO_EFFECT.items():
        add(option, action=_NoEffect, nargs="?", const=reason, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    for options, answer in _ELSEWHERE.items():
        add(*options, action=_Elsewhere, nargs="*", const=answer, default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def execute(arguments: argparse.Namespace) -> int:
    """Run ``facepart plot``; return the exit status."""
    # Imported here, so that `-h` does not wait for matplotlib.
    from facepart.cli.plot_cmc import draw_cmc
    from facepart.cli.score_sets import read_sets
    from facepart.cli.score_tables import compare, tabulate
    from facepart.plots.plot_files import plot

    _refuse_misplaced(arguments)
    if arguments.kind == CMC:
        return draw_cmc(arguments)
    refuse_rank_options(arguments)
    if arguments.kind == _TABLE:
        return tabulate(arguments)
    if arguments.kind == _DIFFERENCE:
        return compare(arguments)
    sets = read_sets(vars(arguments), need_sums=arguments.bands)
    outcome = plot(
        sets,
        arguments.dest,
        arguments.name,
        arguments.title,
        arguments.kind,
        bands=arguments.bands,
        min_tmr=arguments.ylim,
        formats=arguments.formats,
    )
    for entry, found in zip(sets, outcome.statistics, strict=True):
        for line in _lines(entry.label, sets[0].label, found):
            print(line)
    if arguments.kind in ("roc", "det"):
        for entry in sets:
            if entry.impostor.n < MIN_FALSE_MATCHES:
                logging.getLogger(__name__).warning(
                    "%s: no curve, because there are fewer than %d impostor scores", entry.label, MIN_FALSE_MATCHES
                )
    if arguments.bands:
        _warn_of_no_band([entry.label for entry in sets if not len(entry.band.fmr)])
    print(f"wrote {', '.join(str(path) for path in outcome.files)}")
    return 0


def _refuse_misplaced(arguments: argparse.Namespace) -> None:
    """Raise UsageError for options that do not go with the kind, for no file name, or one that is an input's."""
    from facepart.plots.plot_files import refuse_path

    kind = arguments.kind
    for name, only in _ONLY.items():
        value = getattr(arguments, name)
        if value is not None and value is not False and kind != only:
            raise UsageError(f"--{name} is for --kind {only}, not for --kind {kind}")
    if (arguments.dest is None) != (arguments.name is None):
        raise UsageError("-d FOLDER and -n NAME go together: the folder and the name of the files")
    if arguments.name is not None:
        refuse_path(arguments.name)
        names = [f"{arguments.name}.{extension}" for extension in ("csv", "txt", *FORMATS)]
        refuse_overwriting(_inputs(vars(arguments)), [arguments.dest / name for name in names])
    elif kind in _FIGURES:
        raise UsageError("give -d FOLDER and -n NAME: the folder and the name of the figure")
    if arguments.title is not None and kind not in _FIGURES:
        logging.getLogger(__name__).warning("-t has no effect: a table has no title")


def _inputs(options: Mapping[str, Any]) -> list[Path]:
    """Return the files that the options name."""
    names = [*(name for _, name, _ in SET_OPTIONS if name != "label"), *RANK_SET_OPTIONS]
    given = [options[f"{name}{number}"] for number in range(1, MOST_SETS + 1) for name in names]
    return [path for path in given if path is not None]


def _warn_of_no_band(labels: Sequence[str]) -> None:
    for label in labels:
        logging.getLogger(__name__).warning(
            "%s: no band: fewer than %d subjects with two photos, or fewer than %d expected false matches",
            *(label, MIN_SUBJECTS, MIN_FALSE_MATCHES),
        )


def _lines(label: str, first_label: str, found: "Statistics") -> list[str]:
    lines = [
        f"{label}: d' {found['d_prime']:.3f}, EER {found['eer']:.2%}; "
        f"mean {found['authentic_mean']:.4f} of {found['authentic_n']} authentic scores, "
        f"{found['impostor_mean']:.4f} of {found['impostor_n']} impostor scores"
    ]
    if "impostor_ks_to_set_1" in found:
        lines += [
            f"{label} vs {first_label}, {kind}: mean {found[f'{kind}_mean_shift_from_set_1']:+.4f}, "
            f"Cohen's d {found[f'{kind}_d_prime_to_set_1']:.4f}, KS {found[f'{kind}_ks_to_set_1']:.4f}"
            for kind in ("authentic", "impostor")
        ]
    return lines
