"""Several groups in one call: what is compared under which name, and groups cut out by a table of people."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from facepart.data.naming import Rule
from facepart.data.subject_table import People
from facepart.errors import FacepartError, UsageError
from facepart.matching.features import Features, read_features


@dataclass(frozen=True)
class Group:
    """Features to be compared.

    Attributes:
        name: what the files' names begin with.
        probe: the faces looked for.
        gallery: what they are compared with; None if with each other.
        people: the table that says who belongs to the group; None if the sources hold the group alone.
    """

    name: str
    probe: Features
    gallery: Features | None
    people: Path | None = None

    def __post_init__(self) -> None:
        if not self.name or self.name.startswith(".") or any(sign in self.name for sign in "/\\\0"):
            raise UsageError(
                f"-gr {self.name!r}: a group's name begins the names of its files; give one without / or \\"
            )


@dataclass(frozen=True)
class Split:
    """Groups cut out of features, and whom the table does not know.

    Attributes:
        groups: in the order of their names, or as asked for.
        without_row: people of whom some feature has no row, sorted.
        without_group: people of whom some feature has a row in which the group is empty, sorted.
    """

    groups: list[Group]
    without_row: list[str]
    without_group: list[str]


def read_group(name: str, probe: Path, gallery: Path | None) -> Group:
    """Read the features of one group; see :func:`~facepart.matching.features.read_features`."""
    return Group(name, read_features(probe), None if gallery is None else read_features(gallery))


def split_by_people(
    probe: Features, gallery: Features | None, people: People, rule: Rule, names: Sequence[str] = ()
) -> Split:
    """Cut groups out of features of many people; each is compared within itself.

    Args:
        probe: the faces looked for.
        gallery: what they are compared with, cut likewise; None if with each other.
        people: the table of groups.
        rule: tells from a label who is on a photo.
        names: the groups wanted; all of the table if none are named.

    Raises:
        FacepartError: the table has no such group, or a group has no features on one of the two sides.
    """
    for name in names:
        people.refuse_unknown(name)
    without: dict[str | None, set[str]] = defaultdict(set)
    sides = [_rows_by_group(side, people, rule, without) for side in (probe, gallery) if side]
    groups = []
    for name in names or sorted(name for name in people.groups if name):
        rows = [side.get(name, []) for side in sides]
        if not any(rows) and not names:
            continue  # a table of all people may be used with the features of some
        for features, found in zip((probe, gallery), rows, strict=False):
            if not found and features:
                raise FacepartError(
                    f"{features.source}: none of {len(features.labels)} features belongs to group {name!r} of "
                    f"{people.source}; do names and table go together (-d, --subject-pattern)?"
                )
        cut = [_take(features, found) for features, found in zip((probe, gallery), rows, strict=False) if features]
        groups.append(Group(name, cut[0], cut[1] if len(cut) > 1 else None, people.source))
    if not groups:
        unknown = min(without[None], default="")
        raise FacepartError(
            f"{probe.source}: none of {len(probe.labels)} features belongs to a group of {people.source}"
            + (f"; people without a row: {len(without[None])}, e.g. {unknown!r}" if unknown else "")
            + "; do names and table go together (-d, --subject-pattern)?"
        )
    return Split(groups, sorted(without[None]), sorted(without[""]))


def _rows_by_group(
    features: Features, people: People, rule: Rule, without: dict[str | None, set[str]]
) -> dict[str, list[int]]:
    """Sort the rows of features by group; add people without one to `without`, by the reason."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, (label, path) in enumerate(zip(features.labels, features.paths, strict=True)):
        subject = rule(label)
        group = people.group_of(tuple(_known_as(label, path)), subject)
        if group:
            rows[group].append(row)
        else:
            without[group].add(subject)
    return rows


def _known_as(label: str, path: Path) -> Iterator[str]:
    """Yield what the photo of a feature may go by: its path's ends, the longest first, without extension."""
    whole = path.with_suffix("").as_posix()
    parts = (whole if whole.endswith(label) else label).split("/")  # the path of a matrix is that of no photo
    for first in range(len(parts)):
        yield "/".join(parts[first:])


def _take(features: Features, rows: Iterable[int]) -> Features:
    chosen = list(rows)
    return replace(
        features,
        matrix=features.matrix[chosen],
        labels=[features.labels[row] for row in chosen],
        paths=[features.paths[row] for row in chosen],
    )
