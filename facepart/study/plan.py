"""What a study would do, how long it would take and what it would need, without doing it."""

from facepart.engines.spread import HERE, Spread
from facepart.study.cost import (
    NETWORKS_BYTES,
    GroupSize,
    PhotoCost,
    StudySize,
    disk_by_kind,
    memory_here,
    memory_to_match,
    of_a_set,
    seconds_to_embed,
    seconds_to_match,
)
from facepart.study.embedding import find_work
from facepart.study.match_cost import measure_matching
from facepart.study.matching import assign_groups, conditions_of, refuse_photos_without_session
from facepart.study.sample import measure_photo
from facepart.study.setup import Request, Setup, set_up

# Where all photos are embedded, and no network is asked: embeddings of 512 values, as most have.
_EMBEDDED = PhotoCost(0.0, 512, 0.0)


def make_plan(request: Request, *, of: int | None = None, spread: Spread = HERE) -> list[str]:
    """Estimate what a study takes.

    A few photos are embedded, and a few thousand made-up faces matched on this machine, to learn how long that takes;
    the rest is extrapolation. Nothing is written but what networks keep when they are first compiled.

    Args:
        request: what is asked for.
        of: how many photos to extrapolate to; None for those of the source.
        spread: who embeds the few photos, and would do the study.

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
    lines = [f"estimate for {of} photos, extrapolated from {len(setup.photos)}"] if of else []
    lines += _what_there_is(setup, size, round(len(photos) * times), round(len(setup.photos) * times))
    photo = measure_photo(setup, to_embed, spread) if to_embed else _EMBEDDED
    there = spread.capacity()
    # Pairs that are kept are compared on the machine that writes them.
    matching = HERE.capacity() if "pairs" in request.keep else there
    embedding = seconds_to_embed(size, photo, there.workers)
    comparing = seconds_to_match(size, measure_matching(photo.dimension), matching.processors)
    if spread is not HERE:
        lines.append(f"on the cluster: {there.processors} processors, {there.workers} photo workers")
    lines.append(
        f"time: about {_duration(embedding + comparing)} ({_duration(embedding)} for the photos, "
        f"{_duration(comparing)} for the pairs)"
    )
    if spread is HERE:
        lines.append(f"memory: about {memory_here(size, photo.dimension) / 1e9:.1f} GB")
    else:
        lines.append(
            f"memory: about {memory_to_match(size, photo.dimension) / 1e9:.1f} GB on this machine and "
            f"{NETWORKS_BYTES / 1e9:.1f} GB for each photo worker"
        )
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


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
