"""What a study would do, how long it would take and what it would need, without doing it."""

import os
from collections.abc import Sequence

from facepart.cluster.machines import Node, room_for, size_of_workers
from facepart.cluster.rates import measure_rates
from facepart.engines.spread import HERE, Spread
from facepart.study.cluster_plan import plan_on_cluster, time_in_words
from facepart.study.cost import GroupSize, PhotoCost, StudySize, disk_by_kind, memory_here, of_a_set, seconds_here
from facepart.study.embedding import find_work
from facepart.study.matching import assign_groups, conditions_of, refuse_photos_without_session
from facepart.study.sample import measure_photo
from facepart.study.setup import Request, Setup, set_up

# Where all photos are embedded, and no network is asked: embeddings of 512 values, as most have.
_EMBEDDED = PhotoCost(0.0, 512, 0.0, 0.0, 0.0)


def make_plan(
    request: Request, *, of: int | None = None, spread: Spread = HERE, nodes: Sequence[Node] | None = None
) -> list[str]:
    """Find out what a study would do.

    A few photos are embedded, and a few made-up faces compared, to learn how long that takes; nothing is written but
    what networks keep when they are first compiled.

    Args:
        request: what is asked for.
        of: how many photos there are of which those of the source are a sample; None for these alone.
        spread: who embeds the few photos.
        nodes: of the cluster that is planned for; None for this machine.

    Returns:
        Lines for a person.

    Raises:
        FacepartError: as :func:`facepart.study.run.run_study` before it begins.
    """
    setup = set_up(request, spread.choose)
    members = assign_groups([photo.name for photo in setup.photos], setup.people, setup.rule, request.groups)
    refuse_photos_without_session(members, setup.exclusion)
    photos = members.of(setup.photos)
    work = find_work(photos, setup.store, setup.versions, setup.kept)
    to_embed = photos if of else [photo for found in work.values() for photo in found]
    times = of / len(setup.photos) if of else 1.0
    groups = [GroupSize(name, len(names), members.people[name]) for name, names in members.groups.items()]
    size = StudySize(
        groups=of_a_set(groups, times),
        conditions=conditions_of(setup.versions, request.cross),
        versions=len(setup.versions),
        todo=round(len(to_embed) * times),
        keep=request.keep,
    )
    lines = [f"{len(setup.photos)} photos stand for {of}"] if of else []
    lines += _what_there_is(setup, size, round(len(photos) * times), round(len(setup.photos) * times))
    worker = size_of_workers(nodes, setup.device != "cpu") if nodes else None
    photo = measure_photo(setup, to_embed, spread, worker and worker.processors) if to_embed else _EMBEDDED
    rates = measure_rates(photo.dimension)
    if nodes and worker:
        lines += plan_on_cluster(size, photo, rates, nodes, room_for(nodes, worker))
    else:
        lines.append(time_in_words(size.todo * photo.seconds, seconds_here(size, rates, os.cpu_count() or 1)))
        lines.append(f"memory: about {memory_here(size, photo.dimension) / 1e9:.1f} GB")
    disk = disk_by_kind(size, photo)
    kinds = ", ".join(f"{kind} {each / 1e9:.2f}" for kind, each in disk.items())
    return [*lines, f"disk: about {sum(disk.values()) / 1e9:.2f} GB ({kinds})"]


def _what_there_is(setup: Setup, size: StudySize, photos: int, found: int) -> list[str]:
    """Say what there is to do: with so many photos that belong to a group, of all that were found."""
    lines = [
        f"{photos} photos, {size.todo} of them to be embedded: as they are, and in {size.versions} versions"
        f"{_versions_in_words(setup)}"
    ]
    for group, count, people in size.groups:
        pairs = sum(condition.pairs(count) for condition in size.conditions)
        lines.append(
            f"{group}: {count} photos of {people} people, {pairs:,} pairs in {len(size.conditions)} conditions"
        )
    if photos < found:
        lines.append(f"{found - photos} more photos belong to none of these groups and are left out")
    return lines


def _versions_in_words(setup: Setup) -> str:
    """Say what the versions are made of."""
    count, draws = len(setup.parts), setup.request.control
    said = [f"{count} parts lost"]
    if len(setup.ways) > 1:
        said.append(f"in {len(setup.ways)} ways")
    if draws:
        said.append(f"and {draws} draw{'' if draws == 1 else 's'} of a control for each")
    return f" ({' '.join(said)})"
