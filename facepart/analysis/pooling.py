"""The mean of a figure over groups, equally weighted; groups that share subjects are added up subject by subject.

Groups without a common subject are independent: the variances of their figures add up. Where groups share subjects (a
table by photo can put the photos of a subject into several groups), their figures are not independent, since such a
subject moves both. Then the influences on all figures are added up for each subject, as in a paired difference.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from facepart.analysis.influence import Influence
from facepart.analysis.place_variance import VarianceComponent, mean_component


def linked_groups(subjects: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Part groups into sets, so that groups share subjects only within a set, directly or through others of it.

    Args:
        subjects: group -> names of its subjects.

    Returns:
        Sets of groups, ordered by their first group; groups within a set are in the given order.

    Example:
        >>> linked_groups({"young": ["a", "b"], "men": ["c"], "old": ["b", "d"]})
        [['young', 'old'], ['men']]
    """
    number = {group: place for place, group in enumerate(subjects)}
    known: dict[str, str] = {}
    for group, names in subjects.items():
        for name in names:
            one, other = number[group], number[known.setdefault(name, group)]
            if one != other:  # the two sets are one from now on
                number = {each: min(one, other) if at in (one, other) else at for each, at in number.items()}
    sets: dict[int, list[str]] = {}
    for group, at in number.items():
        sets.setdefault(at, []).append(group)
    return list(sets.values())


def pooled(figures: Mapping[str, Influence], subjects: Mapping[str, Sequence[str]]) -> list[Influence]:
    """Return independent figures whose mean is the mean of a figure over groups.

    What pairs of subjects count twice is not known for groups that share subjects, and left out, so that the variance
    is at most too large. Their figure rests on as many effective subjects as the one with the fewest.

    Args:
        figures: group -> its figure.
        subjects: group -> names of the subjects, in the order of the figure's influences.

    Returns:
        One figure for each set of :func:`linked_groups`; its influences are those of all subjects of the set, in the
        order in which groups first name them.
    """
    sets = linked_groups({group: subjects[group] for group in figures})
    weight = len(sets) / len(figures)
    found = []
    for groups in sets:
        places = subject_places([subjects[group] for group in groups])
        by_subject = np.zeros(len(places))
        for group in groups:
            by_subject[[places[name] for name in subjects[group]]] += weight * figures[group].by_subject
        double_counted = weight**2 * figures[groups[0]].double_counted if len(groups) == 1 else 0.0
        value = weight * math.fsum(figures[group].value for group in groups)
        found.append(
            Influence(
                value=value,
                by_subject=by_subject,
                double_counted=double_counted,
                effective=min(figures[group].effective for group in groups),
                subjects=max(figures[group].subjects for group in groups) if len(groups) == 1 else 0,
                degrees=min(figures[group].degrees for group in groups),
                bias=weight * math.fsum(figures[group].bias for group in groups),
                places=_scaled(mean_component([figures[group].places for group in groups]), weight * len(groups)),
            )
        )
    return found


def _scaled(component: VarianceComponent, factor: float) -> VarianceComponent:
    return component._replace(variance=factor**2 * component.variance)


def subject_places(names: Sequence[Sequence[str]]) -> dict[str, int]:
    """Number the subjects of several groups in the order in which they are first named.

    Example:
        >>> subject_places([["a", "b"], ["b", "c"]])
        {'a': 0, 'b': 1, 'c': 2}
    """
    places: dict[str, int] = {}
    for group in names:
        for name in group:
            places.setdefault(name, len(places))
    return places
