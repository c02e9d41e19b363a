"""What a study would do, how long it would take and what it would need, without doing it."""

from collections import Counter

import numpy as np

from facepart.analysis.choices import IMPORTANCE, SHIFT
from facepart.analysis.design import Design
from facepart.analysis.influence import effective_subjects
from facepart.analysis.intervals import MIN_SUBJECTS
from facepart.counts import are, count_of, first_of
from facepart.data.subject_table import (
    SUBJECTS_NAMED,
    in_several_text,
    small_groups_text,
    without_own_row_text,
)
from facepart.pipeline.executor import LOCAL, Executor
from facepart.pipeline.worker import PhotoTask
from facepart.report.missing_intervals import BY_SUBJECTS, rounded_down
from facepart.study.alignment import misalignment_of_sample
from facepart.study.average_face import KeptAverage, average_of
from facepart.study.cost import (
    GroupSize,
    PhotoCost,
    StudySize,
    disk_by_kind,
    memory_here,
    memory_to_match,
    scaled,
    seconds_to_embed,
    seconds_to_match,
)
from facepart.study.match_cost import measure_matching
from facepart.study.request import Request
from facepart.study.sample import measure_photo
from facepart.study.setup import Setup, set_up
from facepart.study.tasks import list_tasks

# Where all photos are embedded, and no network is asked: embeddings of 512 values, as most have.
_DIMENSION = 512


def make_plan(request: Request, *, of: int | None = None, executor: Executor = LOCAL) -> list[str]:
    """Estimate what a study takes.

    A few photos are embedded, and a few thousand made-up faces matched on this machine, to learn how long that takes;
    the rest is extrapolation. Nothing is written but what networks keep when they are first compiled.

    Args:
        request: what is asked for.
        of: how many photos to extrapolate to; None for those of the source.
        executor: embeds the few photos, and would run the study.

    Returns:
        Lines for a person.

    Raises:
        FacepartError: as :func:`facepart.study.experiment.run_study` before it begins.
    """
    setup = set_up(request, executor)
    if not of:  # a sample may have fewer subjects than what it stands for
        setup.members.refuse_single_subjects(request.source)
    photos = setup.members.of(setup.photos)
    occlusions, conditions = setup.design.embedded, setup.design.least_conditions
    if of:
        tasks = [PhotoTask(photo, tuple(occlusions)) for photo in photos]
    else:
        tasks = list_tasks(photos, setup.stores, occlusions, setup.saved)
    times = of / len(setup.photos) if of else 1.0
    groups = [
        GroupSize(name, len(names), setup.members.subjects[name]) for name, names in setup.members.groups.items()
    ]
    size = StudySize(
        groups=scaled(groups, times),
        conditions=conditions,
        occlusions=len(occlusions),
        todo=round(len(tasks) * times),
        keep=request.keep,
        recognisers=len(setup.recognisers),
        further_networks=sum(each.weights.path.stat().st_size for each in setup.recognisers[1:]),
        coalitions=len(setup.design.coalition_occlusions),
    )
    lines = [note for note in (setup.naming_note, setup.recogniser_note) if note]
    if of:
        lines.append(f"estimate for {count_of(of, 'photo')}, extrapolated from {len(setup.photos)}")
    lines += _describe(setup, size, round(len(photos) * times), round(len(setup.photos) * times))
    lines += [hint for group in groups if (hint := _hint_of_few(setup, group.name, times))]
    unaligned = misalignment_of_sample(setup)
    if unaligned:
        lines.append(
            f"the photos may not be aligned: {photos[0].path} {unaligned}; --align detects and aligns the faces"
        )
    embedded = PhotoCost(0.0, (_DIMENSION,) * size.recognisers, 0.0)
    averages = bool(tasks) and _makes_average(setup, anew=bool(of))
    photo = measure_photo(setup, tasks, executor, average=averages) if tasks else embedded
    capacity = executor.capacity()
    # Pairs that are kept are compared on the machine that writes them.
    matching = LOCAL.capacity() if "pairs" in request.keep else capacity
    embedding = seconds_to_embed(size, photo, capacity.workers)
    matching_cost = measure_matching(sum(photo.dimensions) // size.recognisers)
    comparing = seconds_to_match(size, matching_cost, matching.processors)
    if averages:
        taken = _duration(size.photos * photo.seconds_to_average / capacity.workers)
        lines.append(
            f"the average face is made first, of {count_of(size.photos, 'photo')}: about {taken} of the time"
        )
    if executor is not LOCAL:
        lines.append(
            f"on the cluster: {count_of(capacity.processors, 'processor')}, "
            f"{count_of(capacity.workers, 'photo worker')}"
        )
    lines.append(
        f"time: about {_duration(embedding + comparing)} ({_duration(embedding)} for the photos, "
        f"{_duration(comparing)} for the pairs)"
    )
    if executor is LOCAL:
        lines.append(f"memory: about {memory_here(size, photo.dimensions) / 1e9:.1f} GB")
    else:
        lines.append(
            f"memory: about {memory_to_match(size, photo.dimensions) / 1e9:.1f} GB on this machine and "
            f"{size.network_bytes / 1e9:.1f} GB for each photo worker"
        )
    disk = disk_by_kind(size, photo)
    kinds = ", ".join(f"{kind} {each / 1e9:.2f}" for kind, each in disk.items())
    return [*lines, f"disk: about {sum(disk.values()) / 1e9:.2f} GB ({kinds})"]


def _makes_average(setup: Setup, anew: bool) -> bool:
    """Return whether the average face is made: a method uses it, and it is not kept of an earlier run, or is anew."""
    digest = average_of(setup.design.methods)
    return bool(digest) and (anew or KeptAverage(setup.request.output, digest).read() is None)


def _hint_of_few(setup: Setup, group: str, times: float) -> str:
    """Say that so few subjects have most of a group's photos that effects will have no CI; empty if they may have.

    Args:
        setup: of the study.
        group: the group.
        times: how many times as large the group is that it stands for.
    """
    names = setup.members.groups[group]
    counts = np.array(list(Counter(map(setup.rule, names)).values()))
    # Pairs of each subject's photos with those of others.
    effective = times * effective_subjects(counts * (len(names) - counts))
    if effective >= MIN_SUBJECTS or setup.design.weight == "subjects":
        return ""
    subjects = times * len(counts)
    few = f"{group}: {rounded_down(effective)} effective subjects, so effects have no CI; {MIN_SUBJECTS} are needed"
    ranked_by = setup.design.rank_by or (IMPORTANCE if setup.design.draws else SHIFT)
    helps = subjects >= MIN_SUBJECTS and ranked_by in BY_SUBJECTS
    return f"{few}. --weight subjects may give one" if helps else few


def _describe(setup: Setup, size: StudySize, photos: int, found: int) -> list[str]:
    """Describe the work: so many photos that belong to a group, of all that were found."""
    design = setup.design
    lines = [
        f"{count_of(photos, 'photo')}, {size.todo} of them to embed",
        f"per photo: {_versions(design)} ({count_of(size.occlusions + 1, 'embedding')})",
    ]
    recognisers = ""
    if size.recognisers > 1:
        recognisers = f" with {size.recognisers} recognisers"
        lines.append(f"recognisers: {', '.join(design.recognisers)}; each embeds the photos that are new to it")
    coalitions = f" and {size.coalitions} combinations of parts" if size.coalitions else ""
    for group in size.groups:
        name, count, subjects = group
        pairs = size.pairs_of(group) * size.recognisers
        lines.append(
            f"{name}: {count_of(count, 'photo')} of {count_of(subjects, 'subject')}, "
            f"{count_of(pairs, 'pair', form=',')} in {count_of(len(size.conditions), 'condition')}{coalitions}"
            f"{recognisers}"
        )
    if setup.members.small:
        lines.append(small_groups_text(setup.members.small, setup.request.smallest_group))
    if photos < found:
        more = found - photos
        belong = "belongs" if more == 1 else "belong"
        lines.append(f"{count_of(more, 'more photo')} {belong} to none of these groups and {are(more)} left out")
    members = setup.members
    without_row = [subject for subject in members.without_row if subject not in members.in_several]
    for lack, lacking in (("row", without_row), ("group", members.without_group)):
        if lacking:
            named = first_of(lacking, SUBJECTS_NAMED)
            lines.append(f"{count_of(len(lacking), 'subject')} without a {lack} in the table: {named}")
    if members.in_several:
        lines.append(f"left out {in_several_text(members.in_several)}")
    if members.without_own_row:
        lines.append(without_own_row_text(members.without_own_row))
    return lines


def _versions(design: Design) -> str:
    """Describe the versions of a photo that are embedded."""
    methods = f" by each of {len(design.methods)} methods" if len(design.methods) > 1 else ""
    versions = ["the baseline", count_of(len(design.parts), "occluded part") + methods]
    if design.patches:
        versions.append(count_of(len(design.parts), "equal-area patch", "equal-area patches"))
    if design.keep_only:
        versions.append(count_of(len(design.parts), "part alone", "parts alone"))
    controlled = sum(part.controllable for part in design.parts)
    if design.draws and controlled:
        versions.append(f"{count_of(design.draws, 'control position')} for each of {count_of(controlled, 'part')}")
    combined = len(design.embedded) - len(design.occlusions)
    if combined:
        versions.append(count_of(combined, "combination of parts", "combinations of parts"))
    return f"{', '.join(versions[:-1])}{',' if len(versions) > 2 else ''} and {versions[-1]}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
