"""Run the whole experiment: occlude each part, match within each group, and measure how far the scores shift.

Reads photos, and a table of subjects and their groups. Writes results.csv, results.json and report.html to OUT. You
can stop a study at any time and run it again: finished work is kept, and only what a changed option affects is
redone.

Values of a list are separated by spaces or commas: --parts eyes nose, or --parts eyes,nose.
"""

import argparse
import logging
from dataclasses import fields
from typing import TYPE_CHECKING, get_args

from facepart.analysis.choices import (
    AVERAGED_PHOTOS,
    CRITERION_NAMES,
    DEFAULT_DRAWS,
    MIN_AVERAGED_SUBJECTS,
    SHOWN_SUBJECTS,
    Undetected,
    Weight,
)
from facepart.cli.command_parser import finite
from facepart.cli.dry_run_options import add_dry_run_arguments, refuse_size_without_dry_run
from facepart.cli.hardware_options import add_hardware_arguments
from facepart.cli.list_action import ListAction, NetworkListAction
from facepart.cli.occlusion_options import METHODS, add_parts_argument, add_parts_table
from facepart.cli.parser_options import add_labels_argument, add_parser_arguments
from facepart.cli.photo_options import add_align_argument, add_source_argument
from facepart.cli.progress_bar import ProgressBar, print_now
from facepart.cli.ray import executor_for
from facepart.cli.run_summary import times_table, warn_of_failures
from facepart.cli.subject_options import (
    add_exclusion_argument,
    add_naming_arguments,
    add_naming_table,
    add_table_arguments,
)
from facepart.cli.subject_warnings import warn_of_left_out, warn_of_small_groups
from facepart.counts import are, count_of
from facepart.data.labels import nfc
from facepart.data.subject_table import SMALLEST_GROUP
from facepart.files.addresses import reachable
from facepart.files.failures import FAILURES_FILE
from facepart.files.figure_formats import FORMATS
from facepart.files.progress import StepTimes
from facepart.occlusion.method import STANDARD

if TYPE_CHECKING:
    from facepart.matching.pair_counter import PairCounter
    from facepart.study import Request, StudyOutcome


EXAMPLES = (
    "facepart study -s photos -o study --people people.csv --groups CM CF",
    "facepart study -s raw --align -o study --people people.csv \\\n    --control --cross --equal-area",
    "facepart study -s photos -o study --people people.csv --dry-run",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``facepart study``; each is stored under the name of its field of the request."""
    parser.usage = "%(prog)s -s PHOTOS -o OUT [--people CSV] [options]"
    _add_input_arguments(parser)
    group = parser.add_argument_group("what to occlude")
    add_parts_argument(group)
    group.add_argument(
        "--occlusion",
        dest="occlusions",
        action=ListAction,
        default=[STANDARD.occluder],
        metavar="NAME",
        help=f"occlusion methods: {METHODS}; the first is the main method: the "
        "ranking uses its results (default: blur)",
    )
    group.add_argument(
        "--sweep",
        dest="sweeps",
        action=ListAction,
        default=[],
        metavar="SWEEP",
        help="further methods at several strengths: blur=5,9,15,25 or pixelate=9,15,25 (side of the box, in pixels "
        "for a 224x224 photo), or the first method at dilation=0,0.5,2 (multiples of the default mask dilation) "
        "(default: none)",
    )
    group.add_argument(
        "--control",
        type=int,
        nargs="?",
        const=DEFAULT_DRAWS,
        default=0,
        metavar="N",
        help="area-matched control: also occlude the part's shape elsewhere on the face, moved to N positions "
        f"({DEFAULT_DRAWS} if N is left out; with fewer, CIs are wide), and rank the parts by importance: the "
        "impostor shift minus that of the control (default: no control)",
    )
    group.add_argument(
        "--equal-area",
        action="store_true",
        help="also occlude an area of the same size within each part, so that large and small parts can be compared",
    )
    group.add_argument(
        "--keep-only",
        action="store_true",
        help="also occlude everything except the part (background and hair included): what can the recogniser do "
        "if only this part is visible?",
    )
    group.add_argument(
        "--shapley",
        action="store_true",
        help="also occlude all combinations of the parts that do not overlap (64 for six parts), and divide the "
        "joint effect of all parts among them: Shapley values and interactions, in the photos in which all of them "
        "were detected",
    )
    group.add_argument(
        "--undetected",
        choices=get_args(Undetected),
        default="exclude",
        help="photos in which a part was not detected: exclude them from that part's results, or keep them, "
        "unoccluded, as in the original study (default: %(default)s)",
    )
    group = parser.add_argument_group("face parser")
    add_parser_arguments(group)
    add_labels_argument(group)
    group = parser.add_argument_group("recogniser")
    group.add_argument(
        "--model",
        dest="models",
        action=NetworkListAction,
        default=[],
        metavar="NAME|PATH",
        help="recognisers: names from `facepart models list`, or paths of weights (PREFIX,EPOCH for an MXNet "
        "checkpoint, whose comma separates no values); with several, every photo is parsed and occluded once and "
        "embedded with each, and the parts are ranked with each; the report's charts show the first (default: those "
        "of the earlier run in OUT, else arcface-r100 if its weights are found, else sface)",
    )
    group.add_argument("--flip", action="store_true", help="sum the embeddings of the face and of its mirror image")
    group = parser.add_argument_group("comparison")
    group.add_argument(
        "--cross",
        action="store_true",
        help="besides occluded vs occluded photos, compare occluded probes with the baseline gallery",
    )
    add_exclusion_argument(group)
    group.add_argument(
        "--threshold-group",
        type=nfc,
        metavar="NAME",
        help="set the common threshold (at a fixed FMR) on this group's baseline photos (default: on those of all "
        "groups pooled)",
    )
    _add_ranking_arguments(parser)
    group = parser.add_argument_group("output")
    group.add_argument(
        "-o", "--output", type=reachable, required=True, metavar="OUT", help="folder of the results and the report"
    )
    group.add_argument(
        "--keep",
        action=ListAction,
        default=[],
        metavar="WHAT",
        help="also write masks, photos (the occluded photos, to OUT/blurred), features (a file for each photo) or "
        "pairs (the score of every pair) (default: none)",
    )
    group.add_argument(
        "--formats",
        action=ListAction,
        default=[],
        metavar="FORMAT",
        help="also write figures to OUT/figures, for the first recogniser: the ranking, and for each group and part "
        f"the score histogram and the ROC curve with its 95 %% confidence band; formats: {', '.join(FORMATS)} "
        "(default: no figures)",
    )
    group.add_argument(
        "--no-faces",
        action="store_true",
        help="leave photos of faces out of the report and of OUT/pictures; its average face stays if every group has "
        f"at least {MIN_AVERAGED_SUBJECTS} subjects. Without this option, the report shows photos of up to "
        f"{SHOWN_SUBJECTS} subjects and the average of up to {AVERAGED_PHOTOS} photos",
    )
    add_hardware_arguments(parser)
    add_dry_run_arguments(parser)
    add_naming_table(parser)
    add_parts_table(parser)


def _add_ranking_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("ranking")
    group.add_argument(
        "--rank-by",
        choices=CRITERION_NAMES,
        metavar="CRITERION",
        help=f"what the parts are ranked by: {', '.join(CRITERION_NAMES)}. equal_area is the impostor shift of "
        "equal-area patches (--equal-area), authentic_cross the drop in the mean authentic score (--cross). The "
        "report compares the rankings by all criteria that the study supports (default: importance with --control, "
        "else impostor_shift)",
    )
    group.add_argument(
        "--weight",
        choices=get_args(Weight),
        default="pairs",
        help="weight all pairs of photos equally in mean scores, or all pairs of subjects, however many photos "
        "they have (default: %(default)s)",
    )
    group.add_argument(
        "--margin",
        type=finite,
        metavar="SHIFT",
        help="also test whether two groups are equivalent: whether their shifts differ by less than this, e.g. "
        "0.01 (default: no such test)",
    )


def _add_input_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("input")
    add_source_argument(group, "PHOTOS")
    add_align_argument(group)
    add_naming_arguments(group)
    group = parser.add_argument_group("demographic groups")
    add_table_arguments(group, "all photos are one group")
    group.add_argument(
        "--groups",
        action=ListAction,
        default=[],
        metavar="NAME",
        help="groups to compare, e.g. CM CF (default: all)",
    )
    group.add_argument(
        "--smallest-group",
        type=int,
        default=SMALLEST_GROUP,
        metavar="N",
        help="exclude groups with fewer than N subjects, and list them in a warning; groups that you name with "
        "--groups are not excluded, and must have at least two subjects (default: %(default)s)",
    )


def execute(arguments: argparse.Namespace) -> int:
    """Run ``facepart study``; return the exit status."""
    refuse_size_without_dry_run(arguments)
    # Imported here, so that `-h` does not wait for the networks' libraries.
    from facepart.networks.face_parser import MIN_SIDE
    from facepart.report.terminal import agreement_text, results_text
    from facepart.study import run_study

    request = _make_request(arguments)
    if arguments.dry_run:
        from facepart.study.plan import make_plan

        with executor_for(arguments.ray, arguments.device) as executor:
            plan = make_plan(request, of=arguments.of, executor=executor)
        print("\n".join(plan))
        return 0
    times = StepTimes()
    with executor_for(arguments.ray, arguments.device) as executor, ProgressBar("study") as progress:
        outcome = run_study(
            request,
            executor=executor,
            counter=_counter(arguments),
            on_note=print_now,
            progress=progress,
            times=times,
        )
    if arguments.people:
        warn_of_left_out(arguments.people, outcome.members)
        warn_of_small_groups(arguments.people, outcome.members.small, arguments.smallest_group)
    if outcome.small:
        logging.getLogger(__name__).warning(
            "%s smaller than %d pixels on a side: part masks of such faces are unreliable",
            f"{count_of(outcome.small, 'photo')} {are(outcome.small)}",
            MIN_SIDE,
        )
    if outcome.design.draws and not outcome.design.has_controls:
        logging.getLogger(__name__).warning("--control has no effect: none of these parts can have a control")
    if len(outcome.members.groups) == 1:
        for option, value in (("--margin", arguments.margin), ("--threshold-group", arguments.threshold_group)):
            if value is not None:
                logging.getLogger(__name__).warning("%s has no effect: there is only one group", option)
    for reason in dict.fromkeys(each.why_none for each in outcome.shapley.values() if each.why_none):
        logging.getLogger(__name__).warning("no Shapley values: %s", reason)
    if outcome.several:
        logging.getLogger(__name__).warning(
            "several faces in %s, such as %s: the largest near the centre was aligned (`facepart align` lists them)",
            *(count_of(len(outcome.several), "photo"), outcome.several[0]),
        )
    with_pairs = {row.group for row in outcome.figures.results if row.authentic_n}
    for group in dict.fromkeys(row.group for row in outcome.figures.results if row.group not in with_pairs):
        logging.getLogger(__name__).warning("%s: no authentic pairs: no two photos of a subject are compared", group)
    print(results_text(outcome.figures, outcome.by_recogniser, outcome.design.draws))
    if outcome.agreement:
        print(f"\n{agreement_text(outcome.agreement, outcome.design)}")
    print(f"\n{_last_line(outcome)}")
    print(f"all results, a row for each group, part and comparison: {outcome.report.with_name('results.csv')}")
    print(f"for a paper: {outcome.report.with_name('methods.txt')}, {outcome.report.with_name('results.tex')}")
    print(f"report: {outcome.report}\n{_faces_line(outcome)}")
    warn_of_failures(outcome.failures)
    if arguments.profile:
        print(times_table(times, outcome.embedded))
    return 0


def _make_request(arguments: argparse.Namespace) -> "Request":
    from facepart.study import Request

    # All but the title have an option.
    options = {each.name: getattr(arguments, each.name) for each in fields(Request) if each.name != "title"}
    options["sweeps"] = _join_sweeps(arguments.sweeps)
    return Request(**options)


def _join_sweeps(values: list[str]) -> list[str]:
    """Join the numbers of each sweep, which spaces or commas separate, too: a value with ``=`` begins a sweep."""
    sweeps: list[str] = []
    for value in values:
        if "=" in value or not sweeps:
            sweeps.append(value)
        else:
            sweeps[-1] += f",{value}"
    # `blur=` alone may precede its first number.
    return [sweep.replace("=,", "=") for sweep in sweeps]


def _last_line(outcome: "StudyOutcome") -> str:
    line = f"embedded {count_of(outcome.embedded, 'photo')}"
    if outcome.skipped:
        line += f", skipped {outcome.skipped} (already processed)"
    if outcome.left_out:
        line += f", left out {outcome.left_out} (in none of the groups)"
    line += f"; computed {count_of(outcome.compared, 'set')} of scores (one per group and condition)"
    if outcome.failures:
        failed = count_of(len(outcome.failures), "photo")
        line += f"; {failed} failed (see {outcome.report.with_name(FAILURES_FILE)})"
    return line


def _faces_line(outcome: "StudyOutcome") -> str:
    """Say whose photos the report shows."""
    if outcome.subjects_shown:
        photos = f"photos of {count_of(outcome.subjects_shown, 'subject')}"
        return f"the report shows {photos} and an average face; --no-faces leaves them out"
    return f"the report shows no photos of subjects{', only an average face' if outcome.shows_average else ''}"


def _counter(arguments: argparse.Namespace) -> "PairCounter | None":
    """Return the counter of pairs on the cluster; None without a cluster, or if one machine writes the pairs."""
    if arguments.ray is None or "pairs" in arguments.keep:
        return None
    from facepart.cluster.ray_pair_counter import RayPairCounter

    return RayPairCounter()
