"""Ranks straight from the definition, by looking at the pairs of each probe one by one."""

from collections.abc import Iterable, Sequence

Pair = Sequence[float]


def ranks_of_pairs(
    probes: int, authentic: Iterable[Pair], impostor: Iterable[Pair], within: bool
) -> list[tuple[int, float, float] | None]:
    """Give each probe's rank, best authentic and best impostor score; None without a score of either kind.

    Args:
        probes: how many there are.
        authentic: rows of a pair file: probe, gallery, score.
        impostor: likewise.
        within: whether the gallery faces are probes, too.
    """
    scores: list[tuple[list[float], list[float]]] = [([], []) for _ in range(probes)]
    for kind, pairs in enumerate((authentic, impostor)):
        for probe, gallery, score in pairs:
            for face in (probe, gallery) if within else (probe,):
                scores[int(face)][kind].append(score)
    return [
        (1 + sum(other > max(own) for other in others), max(own), max(others)) if own and others else None
        for own, others in scores
    ]
