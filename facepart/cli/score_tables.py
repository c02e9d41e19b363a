"""What ``facepart plot --kind table`` and ``--kind difference`` print and write."""

import argparse
import math
from collections.abc import Sequence

from facepart.analysis.intervals import MIN_SUBJECTS, Interval
from facepart.analysis.metrics import REPORTED_FMRS
from facepart.analysis.metrics.operating_point import MIN_FALSE_MATCHES
from facepart.cli.score_sets import missing_sums, read_samples, read_sets
from facepart.plots.difference import Difference, difference
from facepart.plots.plot_files import save_differences, save_rates
from facepart.plots.rates import Rates, rates_table
from facepart.plots.statistics import Statistics, all_statistics

_CI = "95 % CI"
_UNKNOWN = "-"


def tabulate(arguments: argparse.Namespace) -> int:
    """Print d', EER and rates of all sets, and write them if there is a name."""
    sets = read_sets(vars(arguments), use_people=True)
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
        print(f"95 % CI: by subject; {_UNKNOWN} where it is not known")
    else:
        print(f"no intervals by subject: {'; '.join(missing_sums(vars(arguments)))}")
    if arguments.name is not None:
        files = save_rates(sets, statistics, rates, arguments.dest, arguments.name)
        print(f"wrote {', '.join(map(str, files))}")
    return 0


def compare(arguments: argparse.Namespace) -> int:
    """Print how the distributions of each set differ from those of the first, and write it if there is a name."""
    first, *others = read_samples(vars(arguments))
    found = [difference(one, other) for each in others for one, other in zip(first, each, strict=True)]
    for entry in found:
        print("\n".join(_difference_lines(entry)))
    print(
        "The p-value takes every score as independent. Scores that share a subject are not, so it is far too small: "
        "judge by the interval of the means."
    )
    if any(not entry.subjects for entry in found):
        print(f"no intervals by subject: {'; '.join(missing_sums(vars(arguments)))}")
    if arguments.name is not None:
        files = save_differences(found, arguments.dest, arguments.name)
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
    """Write a rate with the digits that count, be it near 0 or near 1."""
    return _UNKNOWN if math.isnan(rate) else f"{rate:.3g}" if rate < 0.1 else f"{rate:.5f}"


def _interval(found: Interval) -> str:
    return _UNKNOWN if math.isnan(found.low) else f"[{_rate(found.low)}, {_rate(found.high)}]"


def _print_table(rows: Sequence[_Row], known: bool) -> None:
    """Print rows in columns, and a blank line; the first row is the head; intervals only where some are `known`."""
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
    kinds = second.kind if first.kind == second.kind else f"{second.kind} against {first.kind}"
    test = f"KS statistic={found.statistic!r}, pvalue={found.p_value!r}"
    moved = f"  difference of the means {means.value:+.4f}"
    if not found.subjects:
        moved += "; no interval by subject"
    elif math.isnan(means.low):
        moved += f"; no interval: fewer than {MIN_SUBJECTS} subjects"
    else:
        told = "does not include 0" if means.low > 0 or means.high < 0 else "includes 0: not significantly different"
        paired = ", paired" if found.paired else ""
        moved += (
            f"; its 95 % CI by subject, [{means.low:+.4f}, {means.high:+.4f}], {told} "
            f"({found.subjects} subjects{paired})"
        )
    return [f"{second.label} against {first.label}, {kinds}: {test}", moved]
