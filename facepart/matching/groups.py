"""Several groups in one call: what is compared under which name, and groups selected by a table of subjects."""

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
    """Groups selected from features, and the subjects without a group.

    Attributes:
        groups: in the order of their names, or as asked for.
        without_row: subjects with a feature that has no row, sorted.
        without_group: subjects with a feature whose row has an empty group, sorted.
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
    """Select the features of each group; each group is compared within itself.

    Args:
        probe: the faces looked for.
        gallery: what they are compared with, selected likewise; None if with each other.
        people: the table of groups.
        rule: the naming rule: label -> subject.
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
            continue  # the table may have more groups than the features
        for features, found in zip((probe, gallery), rows, strict=False):
            if not found and features:
                raise FacepartError(
                    f"{features.source}: none of {len(features.labels)} features belongs to group {name!r} of "
                    f"{people.source}; check that the naming rule fits the table (-d, --subject-pattern)"
                )
        cut = [_take(features, found) for features, found in zip((probe, gallery), rows, strict=False) if features]
        groups.append(Group(name, cut[0], cut[1] if len(cut) > 1 else None, people.source))
    if not groups:
        unknown = min(without[None], default="")
        raise FacepartError(
            f"{probe.source}: none of {len(probe.labels)} features belongs to a group of {people.source}"
            + (f"; subjects without a row: {len(without[None])}, e.g. {unknown!r}" if unknown else "")
            + "; check that the naming rule fits the table (-d, --subject-pattern)"
        )
    return Split(groups, sorted(without[None]), sorted(without[""]))


def _rows_by_group(
    features: Features, people: People, rule: Rule, without: dict[str | None, set[str]]
) -> dict[str, list[int]]:
    """Sort the rows of features by group; add subjects without a group to `without`, by the reason."""
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
