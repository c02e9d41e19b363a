"""How far a report's answer goes: what it shows and what it does not."""

from facepart.analysis.results import WITHIN
from facepart.report.content import Content
from facepart.report.markup import escape, listed, plural


def limits(content: Content) -> str:
    """Say what these figures do not show, and what is special about these; HTML list items."""
    points = [f"<strong>{what}</strong> {why}" for what, why in _points(content)]
    return "\n".join(f"<li>{point}</li>" for point in points).replace(" %", "\u00a0%")


def _points(content: Content) -> list[tuple[str, str]]:
    points = [
        (
            "What it shows.",
            "How the scores of one recogniser, on these photos, move when one part is lost. Where different people "
            "become more alike to it without a part, that part helped it to tell them apart.",
        ),
        (
            "What the intervals cover.",
            "That other people, photographed like these, would have been drawn: people, not pairs, since pairs that "
            "share a person are not independent. They do not cover another recogniser, face parser, way to lose a "
            "part, or other kinds of photos. With many parts and groups, one interval in twenty misses by chance.",
        ),
        (
            "One recogniser.",
            "Another network, trained on other faces, may lean on other parts. Nothing is said about how people "
            "recognise faces.",
        ),
        (
            "These photos.",
            "Pose, light, cameras, hair styles and who is in a group all matter. A group stands for its photos, not "
            "for a population.",
        ),
        *_of_the_loss(content),
        (
            "A shift is about similarity.",
            "It says that different people look more alike, not why, and not by itself that there are more errors: "
            "these depend on the threshold.",
        ),
        (
            "Masks are a network’s.",
            "A part lies where a face parser saw it; where it is wrong, so is what was hidden. The photos below are "
            "a few, not all.",
        ),
    ]
    rows = [row for row in content.results if (row.comparison, row.occlusion) == (WITHIN, content.occlusion)]
    missing = sum(row.undetected for row in rows)
    points.append(
        (
            "Photos without the part.",
            "Where a part was not found, the photo was compared as it is, which makes the shift smaller. This "
            f"happened {plural(missing, 'time')}, counted over all parts and groups.",
        )
    )
    lone = [f"“{group.name}”" for group in content.groups if not group.original.authentic.n]
    if lone:
        points.append(
            (
                "No authentic scores",
                f"in {escape(listed(lone))}: nobody there has two photos, so that nothing can be said about FNMR and "
                "d′.",
            )
        )
    return points


def _of_the_loss(content: Content) -> list[tuple[str, str]]:
    """Say what the way in which parts were lost adds, and how much their area matters."""
    several = len({row.occlusion for row in content.agreements}) > 1
    if content.draws:
        area = (
            "Size is taken off, as far as it can be.",
            "The importance of a part is its shift beyond that of other places of the same size. A place elsewhere "
            "on the face is not featureless either: the control takes off what a cheek, a forehead or another part "
            "is worth. Skin, and mostly hair, has no room elsewhere; its control are blobs, which may cover some of "
            "the part itself, so that its importance comes out too small.",
        )
    else:
        area = (
            "Parts differ in area.",
            "Skin and hair cover far more than brows, so that more changes; the share of the head is in the tables. "
            "A study with a control takes that into account.",
        )
    overlap = ("Parts overlap.", "Eyes and brows as one part overlaps each of them alone: shifts do not add up.")
    if content.draws:
        patch = (
            "What takes a part’s place adds something of its own,",
            "which all photos then share and which the recogniser has seldom seen. The control has such a patch too, "
            "elsewhere; what is left is what a patch does just there.",
        )
    else:
        patch = (
            "What takes a part’s place adds something of its own.",
            "A smooth patch is something that all photos then share, and that the recogniser has seldom seen. Part "
            "of each shift may come from the patch and not from the loss.",
        )
    if several:
        patch = (patch[0], patch[1] + " Other ways to lose a part are compared below.")
    return [patch, area, overlap]
