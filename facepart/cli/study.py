"""The whole study: blur each part, compare within each group, and report how far the scores move.

Reads photos (aligned crops, or any with --align) and a table of people and their groups. Writes results.csv,
results.json and report.html into OUT. Run again, it goes on where it was, and redoes only what a changed setting asks
for.
"""

import argparse
import logging
from typing import TYPE_CHECKING

from facepart.cli.engine import add_engine_arguments, profile
from facepart.cli.naming import add_exclusion_argument, add_naming_arguments
from facepart.cli.people import warn_of_unknown
from facepart.cli.plan import add_plan_arguments, refuse_wrong_plan
from facepart.cli.progress import progress_bar
from facepart.cli.ray import add_ray_argument, executor_for
from facepart.files.addresses import reachable
from facepart.files.failures import FAILURES_FILE
from facepart.files.progress import StepTimes
from facepart.occlusion.method import OCCLUDERS, STANDARD
from facepart.occlusion.parts import PARTS

if TYPE_CHECKING:
    from facepart.matching.match import TakeOver


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options to `parser`."""
    add = parser.add_argument
    add("-s", "--source", type=reachable, required=True, metavar="PHOTOS", help="folder of photos, or a list of them")
    add("-o", "--output", type=reachable, required=True, metavar="OUT", help="the study's folder")
    add(
        "--people",
        type=reachable,
        metavar="CSV",
        help="table of people or photos and their groups; default: one group",
    )
    add("--group-column", default="group", metavar="NAME", help="the table's column of groups (default: %(default)s)")
    add("--groups", type=_names, default=[], metavar="CM,CF", help="which groups (default: all of the table)")
    add_naming_arguments(parser)
    add_exclusion_argument(parser)
    add(
        "--parts",
        nargs="+",
        default=list(PARTS),
        metavar="PART",
        help=f"which parts, one or more of: {' '.join(PARTS)} (default: all)",
    )
    add("--model", metavar="NAME", help="recogniser: a name of `facepart models list`, or a path")
    add("--align", action="store_true", help="find and align the faces first")
    add("--flip", action="store_true", help="add the embedding of the mirrored face")
    add("--cross", action="store_true", help="compare photos with a part blurred also with the original ones")
    add(
        "--occlusion",
        type=_names,
        default=[STANDARD.occluder],
        metavar="NAME",
        help=f"how a part is lost: {', '.join(OCCLUDERS)}; several compare, the first is the main one "
        "(default: blur)",
    )
    add(
        "--sweep",
        action="append",
        default=[],
        metavar="blur=5,9,15,25",
        help="lose parts also with these strengths of blur or pixelate, or of dilation=0,0.5,2; may be repeated",
    )
    add(
        "--control",
        type=int,
        default=0,
        metavar="N",
        help="size control: lose as many pixels elsewhere on the face too, N draws a photo and part (default: none)",
    )
    add(
        "--threshold-group",
        metavar="NAME",
        help="compare groups at the threshold of this one's original photos (default: of all together)",
    )
    add("--keep", type=_names, default=[], metavar="masks,photos,features,pairs", help="write these files, too")
    add_plan_arguments(parser)
    add_ray_argument(parser)
    add_engine_arguments(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Run the study, and print its answer."""
    refuse_wrong_plan(arguments)
    # Imported here, so that `-h` does not wait for the networks' libraries.
    from facepart.report.terminal import results_text
    from facepart.study import Request, run_study

    request = Request(
        source=arguments.source,
        output=arguments.output,
        people=arguments.people,
        group_column=arguments.group_column,
        groups=arguments.groups,
        dataset=arguments.dataset,
        subject_pattern=arguments.subject_pattern,
        exclude_same=arguments.exclude_same,
        parts=[name for names in arguments.parts for name in names.split(",")],
        occlusions=arguments.occlusion,
        sweeps=arguments.sweep,
        control=arguments.control,
        threshold_group=arguments.threshold_group,
        model=arguments.model,
        align=arguments.align,
        flip=arguments.flip,
        cross=arguments.cross,
        keep=arguments.keep,
        device=arguments.device,
        precision=arguments.precision,
        batch=arguments.batch_size,
        workers=arguments.workers,
    )
    if arguments.dry_run:
        from facepart.study.plan import make_plan

        with executor_for(arguments.ray, arguments.device) as executor:
            plan = make_plan(request, of=arguments.of, executor=executor)
        print("\n".join(plan))
        return 0
    times = StepTimes()
    with executor_for(arguments.ray, arguments.device) as executor, progress_bar("study") as progress:
        outcome = run_study(
            request,
            executor=executor,
            counter=_counter(arguments),
            on_note=_print_now,
            progress=progress,
            times=times,
        )
    if arguments.people:
        warn_of_unknown(arguments.people, outcome.members.without_row, outcome.members.without_group)
    for group in {row.group for row in outcome.figures.results if not row.authentic_n}:
        logging.getLogger(__name__).warning("%s: no authentic pairs: no person has two photos to compare", group)
    figures = outcome.figures
    print(results_text(figures.results, figures.rankings, figures.ranked_by, figures.differentials))
    line = f"embedded {outcome.embedded} photos"
    if outcome.skipped:
        line += f", {outcome.skipped} were there"
    if outcome.left_out:
        line += f", {outcome.left_out} belong to none of the groups"
    line += f"; compared {outcome.compared} groups and conditions"
    if outcome.failures:
        line += f"; {len(outcome.failures)} photos failed (see {arguments.output / FAILURES_FILE})"
    print(f"\n{line}\nreport: {outcome.report}")
    if arguments.profile:
        print(profile(times, outcome.embedded))
    return 0


def _print_now(text: str) -> None:
    print(text, flush=True)


def _counter(arguments: argparse.Namespace) -> "TakeOver | None":
    """Give what counts scores on the cluster; None without one, or where pairs are kept: one machine writes them."""
    if arguments.ray is None or "pairs" in arguments.keep:
        return None
    from facepart.cluster.matching import take_over

    return take_over


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]
