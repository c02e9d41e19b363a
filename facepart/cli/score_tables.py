"""What ``facepart plot --kind table`` and ``--kind difference`` print and write."""

import argparse
import math
from collections.abc import Sequence

from facepart.analysis.intervals import MIN_SUBJECTS, Interval
from facepart.analysis.metrics import REPORTED_FMRS
from facepart.analysis.metrics.operating_point import MIN_FALSE_MATCHES
from facepart.cli.score_sets import missing_sums, read_samples, read_sets
from facepart.counts import count_of
from facepart.plots.difference import Difference, difference, difference_rows
from facepart.plots.plot_files import save_files
from facepart.plots.rates import Rates, rate_rows, rates_table
from facepart.plots.statistics import Statistics, all_statistics, statistics_table

_CI = "95 % CI"
_UNKNOWN = "-"


def tabulate(arguments: argparse.Namespace) -> int:
    """Print d', EER and error rates of all sets, and write them if -n is given; return the exit status."""
    sets = read_sets(vars(arguments), use_sums=True)
    fmrs = arguments.fmr or ([] if arguments.threshold else REPORTED_FMRS)
    rates = rates_table(sets, fmrs, arguments.threshold or [])
    statistics = all_statistics(sets)
    known = any(entry.sums is not None for entry in sets)
    labelled = enumerate(zip(sets, statistics, strict=True), 1)
    tables = [
        [("set", "label", "authentic", "impostor", "d'", _CI, "EER", _CI)]
        + [_set_row(number, entry.label, found) for number, (entry, found) in labelled],
        [("set", "label", "FMR at most", "threshold", "FMR", "TMR", _CI)]
        + [_fmr_row(row) for row in rates if not math.isnan(row.target)],
        [("set", "label", "threshold", "FMR", _CI, "TMR", _CI)]
        + [_threshold_row(row) for row in rates if math.isnan(row.target)],
    ]
    for table in tables:
        if len(table) > 1:
            _print_table(table, known)
    if any(math.isnan(row.threshold) for row in rates):
        print(f"{_UNKNOWN}: too few impostor scores, fewer than {MIN_FALSE_MATCHES} expected false matches")
    if known:
        print(f"{_CI}: subject-level (cluster-robust); {_UNKNOWN} if it cannot be computed")
    else:
        print(f"no subject-level CI: {'; '.join(missing_sums(vars(arguments)))}")
    if arguments.name is not None:
        numbers = statistics_table([entry.label for entry in sets], statistics)
        files = save_files(arguments.dest, arguments.name, rate_rows(rates), numbers)
        print(f"wrote {', '.join(map(str, files))}")
    return 0


def compare(arguments: argparse.Namespace) -> int:
    """Print how the distributions of each set differ from those of the first, and write it if -n is given.

    Returns:
        The exit status.
    """
    first, *others = read_samples(vars(arguments))
    found = [difference(one, other) for each in others for one, other in zip(first, each, strict=True)]
    for entry in found:
        print("\n".join(_difference_lines(entry)))
    print(
        "The p-value assumes independent scores. Scores that share a subject are not independent, so the p-value is "
        "far too small: use the CI of the difference instead."
    )
    if any(not entry.subjects for entry in found):
        print(f"no subject-level CI: {'; '.join(missing_sums(vars(arguments)))}")
    if arguments.name is not None:
        files = save_files(arguments.dest, arguments.name, difference_rows(found))
        print(f"wrote {', '.join(map(str, files))}")
    return 0


_Row = tuple[str, ...]


def _set_row(number: int, label: str, found: Statistics) -> _Row:
    d_prime, eer = (
        "-" if f"{name}_low" not in found else f"[{found[f'{name}_low']:{form}}, {found[f'{name}_high']:{form}}]"
        for name, form in (("d_prime", ".3f"), ("eer", ".2%"))
    )
    counts = str(found["authentic_n"]), str(found["impostor_n"])
    return str(number), label, *counts, f"{found['d_prime']:.3f}", d_prime, f"{found['eer']:.2%}", eer


def _fmr_row(row: Rates) -> _Row:
    threshold = _UNKNOWN if math.isnan(row.threshold) else f"{row.threshold:.6f}"
    rates = _rate(row.fmr.value), _rate(row.tmr.value), _interval(row.tmr)
    return str(row.number), row.label, f"{row.target:g}", threshold, *rates


def _threshold_row(row: Rates) -> _Row:
    rates = _rate(row.fmr.value), _interval(row.fmr), _rate(row.tmr.value), _interval(row.tmr)
    return str(row.number), row.label, f"{row.threshold:g}", *rates


def _rate(rate: float) -> str:
    """Format a rate with enough digits, whether it is near 0 or near 1."""
    return _UNKNOWN if math.isnan(rate) else f"{rate:.3g}" if rate < 0.1 else f"{rate:.5f}"


def _interval(found: Interval) -> str:
    return _UNKNOWN if math.isnan(found.low) else f"[{_rate(found.low)}, {_rate(found.high)}]"


def _print_table(rows: Sequence[_Row], known: bool) -> None:
    """Print a table, whose first row is its head, and a blank line; with columns of CIs only if some are `known`."""
    kept = [place for place, name in enumerate(rows[0]) if known or name != _CI]
    widths = {place: max(len(row[place]) for row in rows) for place in kept}
    for row in rows:
        cells = (
            row[place].ljust(width) if place == 1 else row[place].rjust(width) for place, width in widths.items()
        )
        print("  ".join(cells))
    print()


def _difference_lines(found: Difference) -> list[str]:
    first, second, means = found.first, found.second, found.means
    kinds = second.kind if first.kind == second.kind else f"{second.kind} vs {first.kind}"
    test = f"KS statistic={found.statistic!r}, pvalue={found.p_value!r}"
    shift = f"  difference of the means {means.value:+.4f}"
    if not found.subjects:
        shift += "; no subject-level CI"
    elif math.isnan(means.low):
        shift += f"; no subject-level CI: fewer than {MIN_SUBJECTS} subjects"
    else:
        verdict = (
            "does not include 0" if means.low > 0 or means.high < 0 else "includes 0: not significantly different"
        )
        paired = ", paired" if found.paired else ""
        shift += (
            f"; its subject-level 95 % CI [{means.low:+.4f}, {means.high:+.4f}] {verdict} "
            f"({count_of(found.subjects, 'subject')}{paired})"
        )
    return [f"{second.label} vs {first.label}, {kinds}: {test}", shift]
