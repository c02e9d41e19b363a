"""Several groups in one call: what is compared under which name, and groups selected by a table of subjects."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from facepart.counts import count_of
from facepart.data.group_files import group_prefix, refuse_same_files
from facepart.data.image_names import without_extension
from facepart.data.labels import LEAST_DEPTH, cut_labels, nfc, readable_depth
from facepart.data.naming_conventions import DATASETS, Rule, split_label
from facepart.data.recognise_convention import Convention, recognise_convention
from facepart.data.subject_table import SMALLEST_GROUP, People, find_small_groups, in_several_text, reads
from facepart.errors import FacepartError, one_line
from facepart.matching.features import Features, read_features
from facepart.matching.pair_lookup import FeatureIndex


@dataclass(frozen=True)
class Group:
    """Features to be compared.

    Attributes:
        name: the group's.
        probe: the faces looked for.
        gallery: what they are compared with; None if with each other.
        people: the table that says who belongs to the group; None if the sources hold the group alone.
    """

    name: str
    probe: Features
    gallery: Features | None
    people: Path | None = None

    def with_depth(self, depth: int) -> "Group":
        """Return the same group with labels of a depth (:func:`facepart.data.labels.cut_labels`)."""
        gallery = self.gallery and self.gallery.with_depth(depth)
        return replace(self, probe=self.probe.with_depth(depth), gallery=gallery)

    def __post_init__(self) -> None:
        self.prefix  # noqa: B018 - refuses a group without a name

    @property
    def sides(self) -> list[Features]:
        """The probe and, if there is one, the gallery."""
        return [side for side in (self.probe, self.gallery) if side]

    @property
    def prefix(self) -> str:
        """What the names of the group's files begin with (:mod:`facepart.data.group_files`)."""
        return group_prefix(self.name)


@dataclass(frozen=True)
class Split:
    """Groups selected from features, and the subjects without a group.

    Attributes:
        groups: in the table's order (:attr:`facepart.data.subject_table.People.order`), or as asked for.
        without_row: subjects with a feature that has no row, and no group of its subject's, sorted.
        without_group: subjects with a feature whose row has an empty group, sorted.
        in_several: those of `without_row` that have rows, in several groups, sorted.
        without_own_row: group -> its photos that have no row, and whose subject's rows are all of other photos.
    """

    groups: list[Group]
    without_row: list[str]
    without_group: list[str]
    in_several: list[str]
    without_own_row: dict[str, list[str]]

    def without_small(self, table: Path, rule: Rule) -> "tuple[Split, dict[str, int]]":
        """Leave out the groups that show a single subject, which have no impostor pairs.

        Args:
            table: the groups are from.
            rule: the naming convention: label -> subject.

        Returns:
            The split without them, and what was left out: group -> its subjects.

        Raises:
            FacepartError: no group is left.
        """
        subjects = {
            group.name: len({rule(label) for side in group.sides for label in side.labels}) for group in self.groups
        }
        small = find_small_groups(table, subjects, SMALLEST_GROUP)
        groups = [group for group in self.groups if group.name not in small]
        own = {group: photos for group, photos in self.without_own_row.items() if group not in small}
        return replace(self, groups=groups, without_own_row=own), small


def read_group(name: str, probe: Path, gallery: Path | None) -> Group:
    """Read the features of one group; see :func:`~facepart.matching.features.read_features`."""
    return Group(name, read_features(probe), None if gallery is None else read_features(gallery))


def refuse_photos_in_no_folder(groups: Iterable[Group], dataset: str) -> None:
    """Refuse photos beside the folders of subjects, if folders say who is in a photo.

    Such a photo would show a subject called as the folder that holds all, which is another one on each side.

    Raises:
        FacepartError: there is such a photo.
    """
    rule = DATASETS[dataset.upper()]
    for side in (side for group in groups for side in group.sides if rule.by_folder):
        beside = [name for name in side.longest if name.count("/") == 1]
        one_root = len({name.partition("/")[0] for name in side.longest}) == 1
        if one_root and 0 < len(beside) < len(side.longest) and not rule.subject(split_label(beside[0])[1]):
            raise FacepartError(
                f"{side.source}: {beside[0]} lies beside the folders of subjects, but -d {dataset.upper()} reads the "
                "folder; move the photo into one, or choose another convention or a --subject-pattern"
            )


def refuse_same_groups(groups: Sequence[Group]) -> None:
    """Refuse groups of which one would replace the files of another.

    Raises:
        FacepartError: two have one name. UsageError: see :func:`facepart.data.group_files.refuse_same_files`.
    """
    names = [group.name for group in groups]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise FacepartError(f"-gr {min(repeated)}: is given twice; the second would replace the files of the first")
    refuse_same_files(names)


def recognise_groups(groups: Sequence[Group]) -> Convention:
    """Find out which naming convention the features of groups follow.

    Raises:
        UsageError: see :func:`facepart.data.recognise_convention.recognise_convention`.
    """
    names = [side.longest for group in groups for side in group.sides]
    return recognise_convention(names, str(groups[0].probe.source))


def split_by_people(
    probe: Features,
    gallery: Features | None,
    people: People,
    rule: Rule,
    names: Sequence[str] = (),
    depth: int | None = None,
) -> Split:
    """Select the features of each group; each group is compared within itself.

    Args:
        probe: the faces looked for.
        gallery: what they are compared with, selected likewise; None if with each other.
        people: the table of groups.
        rule: the naming convention: label -> subject.
        names: the groups wanted; all of the table if none are named.
        depth: of labels; None for as many folders as are needed.

    Raises:
        FacepartError: the table has no such group, or two for one photo; a group has no features on one of the two
            sides; or each of many numbers would be a group.
    """
    names = people.find_groups(names)
    if not names:
        people.refuse_unbinned()
    depth = depth or readable_depth([side.longest for side in (probe, gallery) if side], [rule])
    probe, gallery = probe.with_depth(depth), gallery and gallery.with_depth(depth)
    without: dict[str | None, set[str]] = defaultdict(set)
    without_own: dict[str, list[str]] = defaultdict(list)
    sides = [_rows_by_group(side, people, rule, depth, without, without_own) for side in (probe, gallery) if side]
    groups = []
    for name in names or people.order:
        rows = [side.get(name, []) for side in sides]
        if not any(rows) and not names:
            continue  # the table may have more groups than the features
        for features, found in zip((probe, gallery), rows, strict=False):
            if not found and features:
                raise FacepartError(
                    f"{features.source}: none of {count_of(len(features.labels), 'feature')} belongs to group "
                    f"{name!r} of {people.source}; check that the naming convention fits the table (-d, "
                    "--subject-pattern)"
                )
        cut = [_take(features, found) for features, found in zip((probe, gallery), rows, strict=False) if features]
        groups.append(Group(name, cut[0], cut[1] if len(cut) > 1 else None, people.source))
    in_several = without[None] & people.in_several
    if not groups:
        unknown = without[None] - in_several
        raise FacepartError(
            f"{probe.source}: none of {count_of(len(probe.labels), 'feature')} belongs to a group of {people.source}"
            + (f"; subjects without a row: {len(unknown)}, e.g. {min(unknown)!r}" if unknown else "")
            + (f"; {in_several_text(sorted(in_several))}" if in_several else "")
            + "; check that the naming convention fits the table (-d, --subject-pattern)"
        )
    # A photo may be on both sides.
    own = {group.name: list(dict.fromkeys(without_own[group.name])) for group in groups if group.name in without_own}
    return Split(groups, sorted(without[None]), sorted(without[""]), sorted(in_several), own)


def _rows_by_group(
    features: Features,
    people: People,
    rule: Rule,
    depth: int,
    without: dict[str | None, set[str]],
    without_own: dict[str, list[str]],
) -> dict[str, list[int]]:
    """Sort the rows of features by group.

    Subjects without a group are added to `without`, by the reason; photos in the group of their subject's other
    photos to `without_own`, by the group.
    """
    rows: dict[str, list[int]] = defaultdict(list)
    read = partial(_read_label, rule, depth)
    longer = _find_longer(features, people)
    rows_of = zip(features.labels, features.longest, features.paths, strict=True)
    for row, (label, name, path) in enumerate(rows_of):
        subject = rule(label)
        *paths, alone = _known_as(name, path)
        group = people.own_group_of(paths, subject, read)
        if group is None:
            group = _group_of_longer(people, longer.get(row, ()), subject, read)
        if group is None:
            group = people.own_group_of([alone], subject, read)
        if group is None:
            group = people.by_subject.get(subject)
            if group and subject in people.photos_only:
                without_own[group].append(features.photos[row] if features.photos else label)
        if group:
            rows[group].append(row)
        else:
            without[group].add(subject)
    return rows


def _read_label(rule: Rule, depth: int, name: str) -> str:
    """Return the subject that a name tells as far as it belongs to labels of a depth."""
    return rule(cut_labels([name], depth)[0])


def _find_longer(features: Features, people: People) -> dict[int, list[str]]:
    """Find the features of photos that a table names by longer paths than ``folder/name``.

    These are absolute paths, and others if all paths of the table begin with the same folder. The last folder and the
    name count, with the caution of :mod:`facepart.matching.pair_lookup`. If all features are in one folder, and all
    these photos in another, the name is enough.

    Returns:
        Row of a feature -> the photos that it may be. A photo that may be several features is left out.
    """
    begin_alike = len({photo.split("/")[0] for photo in people.photos}) == 1
    longer = (photo for photo in people.photos if photo.count("/") >= LEAST_DEPTH)
    photos = [photo for photo in longer if begin_alike or photo.startswith("/")]
    if not photos:
        return {}
    folders = {name.rpartition("/")[0] for name in features.longest}
    one_folder = len(folders) == len({photo.rpartition("/")[0] for photo in photos}) == 1
    index = FeatureIndex(features, one_folder, photos)
    found: dict[int, list[str]] = defaultdict(list)
    for photo in photos:
        rows = index.find(photo)
        if len(rows) == 1 and _name_of(features.longest[rows[0]]) == _name_of(photo):
            found[rows[0]].append(photo)
    return found


def _name_of(photo: str) -> str:
    return split_label(nfc(without_extension(photo)))[1]


def _group_of_longer(people: People, photos: Sequence[str], subject: str, read: Rule) -> str | None:
    """Return the group of a feature that may be one of some photos, None if there is none or the subject is another.

    Raises:
        FacepartError: the photos are in several groups.
    """
    groups: dict[str, str] = {}
    for photo in photos:
        group = people.own_group_of([photo], subject, read) if reads(read, photo) == subject else None
        if group is not None:
            groups.setdefault(group, photo)
    if len(groups) > 1:
        first, second = list(groups.values())[:2]
        raise FacepartError(
            f"{people.source}: {one_line(first)} and {one_line(second)} are in two groups, and a feature may "
            "be of either photo; name photos by their paths below the features' folder"
        )
    return next(iter(groups), None)


def _known_as(name: str, path: Path) -> Iterator[str]:
    """Yield what the photo of a feature may go by: its path's ends, the longest first, without extension."""
    whole = path.with_suffix("").as_posix()
    whole = whole if whole.endswith(name) else name  # the path of a matrix is that of no photo
    parts = nfc(without_extension(whole)).replace("\\", "/").split("/")
    for first in range(len(parts)):
        yield "/".join(parts[first:])


def _take(features: Features, rows: Iterable[int]) -> Features:
    chosen = list(rows)
    return replace(
        features,
        matrix=features.matrix[chosen],
        labels=[features.labels[row] for row in chosen],
        names=[features.longest[row] for row in chosen],
        photos=[features.photos[row] for row in chosen] if features.photos else (),
        paths=[features.paths[row] for row in chosen],
    )
