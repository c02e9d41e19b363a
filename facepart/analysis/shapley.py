r"""Shapley values: each part's share of the joint effect of several parts, and the interactions of pairs of parts.

Parts are the players of a game. The worth :math:`v(S)` of a coalition S is a figure with all parts of S occluded, and
the Shapley value of part i is what occluding it adds, averaged over all orders in which the n parts can be occluded
one after the other (L. S. Shapley, "A value for n-person games", Contributions to the Theory of Games II, 1953):

.. math:: \phi_i = \sum_{S \not\ni i} \frac{|S|! \, (n - |S| - 1)!}{n!} \, (v(S \cup i) - v(S))

The values add up to :math:`v(N) - v(\emptyset)`. The interaction index of two parts (M. Grabisch, M. Roubens, "An
axiomatic approach to the concept of interaction among players in cooperative games", International Journal of Game
Theory 28, 1999) is the mean of how much more they add together than each by itself:

.. math::
    I_{ij} = \sum_{S \not\ni i, j} \frac{|S|! \, (n - |S| - 2)!}{(n - 1)!} \,
    (v(S \cup ij) - v(S \cup i) - v(S \cup j) + v(S))

It is 0 if effects add up, positive if a part adds more once the other is occluded (the two are redundant), and
negative if it adds less (both are needed, or the figure can hardly change any further).

Both are weighted sums of the worths, so the influence of a subject on them is the same weighted sum of its
influences on the worths. With more parts than :data:`MOST_EXACT`, the values are means over random orders, in pairs
of an order and its reverse (R. Mitchell, J. Cooper, E. Frank, G. Holmes, "Sampling permutations for Shapley value
estimation", Journal of Machine Learning Research 23, 2022). The variance between these pairs, divided by their
number, is added to the variance between subjects.

A coalition is a bit mask: bit k is set if part k is in it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.influence import Influence, weighted_sum
from facepart.analysis.place_variance import VarianceComponent
from facepart.occlusion.parts import Part

# Of so many parts at most, all coalitions are occluded: 256.
MOST_EXACT = 8
# Orders of more parts, half of them the reverse of the others, and the seed. Nine parts have some 265 coalitions.
ORDERS = 32
SEED = 20232


def players_of(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Choose the parts that do not overlap: each that shares no class of the label map with one chosen before it.

    The two sides of a face do not overlap. A region that only landmarks tell has no classes, and may overlap all.

    Args:
        parts: in their usual order, unions last.
    """
    chosen: list[Part] = []
    for part in parts:
        if not part.needs_landmarks and not any(_overlap(part, other) for other in chosen):
            chosen.append(part)
    return tuple(chosen)


def _overlap(one: Part, other: Part) -> bool:
    return any(
        set(first.classes) & set(second.classes) and not (first.zone and first.zone.opposite == second.where)
        for first in one.single_parts
        for second in other.single_parts
    )


@dataclass(frozen=True)
class Coalitions:
    """The coalitions of so many players whose worths are needed, and the weights of these worths.

    Attributes:
        players: n, at least 2.
    """

    players: int

    @property
    def exact(self) -> bool:
        """Whether all coalitions are needed, so that the values are exact."""
        return self.players <= MOST_EXACT

    @property
    def whole(self) -> int:
        """The coalition of all players."""
        return (1 << self.players) - 1

    @property
    def order_count(self) -> int:
        """How many orders are drawn if the values are sampled, each with its reverse."""
        return ORDERS

    @property
    def seed(self) -> int:
        """The seed that they are drawn with."""
        return SEED

    @cached_property
    def orders(self) -> NDArray[np.int64]:
        """Random orders of the players, int64 (ORDERS / 2, 2, n): each with its reverse; none if exact."""
        if self.exact:
            return np.empty((0, 2, self.players), np.int64)
        rng = np.random.default_rng(SEED)
        drawn = [rng.permutation(self.players) for _ in range(ORDERS // 2)]
        return np.array([[order, order[::-1]] for order in drawn])

    @cached_property
    def masks(self) -> tuple[int, ...]:
        """The m coalitions, ascending: the empty one first, that of all players last."""
        if self.exact:
            return tuple(range(self.whole + 1))
        needed = {0, self.whole}
        for player in range(self.players):
            needed |= {1 << player, self.whole ^ (1 << player)}
        for order in self.orders.reshape(-1, self.players).tolist():
            needed |= set(_chain(order))
        return tuple(sorted(needed))

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """The weights of the worths in the Shapley values, (n, m)."""
        if not self.exact:
            mean: NDArray[np.float64] = self.by_pair_of_orders.mean(axis=0)
            return mean
        count = self.players
        weights = np.zeros((count, len(self.masks)))
        for mask in self.masks:
            size = mask.bit_count()
            for player in range(count):
                if mask >> player & 1:
                    weights[player, mask] = 1 / (count * math.comb(count - 1, size - 1))
                else:
                    weights[player, mask] = -1 / (count * math.comb(count - 1, size))
        return weights

    @cached_property
    def by_pair_of_orders(self) -> NDArray[np.float64]:
        """The same for each order with its reverse alone, (ORDERS / 2, n, m); (0, n, m) if exact."""
        place = {mask: column for column, mask in enumerate(self.masks)}
        weights = np.zeros((len(self.orders), self.players, len(self.masks)))
        for number, pair in enumerate(self.orders.tolist()):
            for order in pair:
                chain = _chain(order)
                for player, before, after in zip(order, chain, chain[1:], strict=False):
                    weights[number, player, place[after]] += 0.5
                    weights[number, player, place[before]] -= 0.5
        return weights

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The pairs of players that have an interaction: all if exact, none otherwise."""
        return list(combinations(range(self.players), 2)) if self.exact else []

    @cached_property
    def interactions(self) -> NDArray[np.float64]:
        """The weights of the worths in the interaction index of each of :attr:`pairs`, (pairs, m)."""
        count = self.players
        weights = np.zeros((len(self.pairs), len(self.masks)))
        for row, (first, second) in enumerate(self.pairs):
            both = 1 << first | 1 << second
            for mask in self.masks:
                inside = (mask & both).bit_count()
                others = mask.bit_count() - inside
                sign = -1 if inside == 1 else 1
                weights[row, mask] = sign / ((count - 1) * math.comb(count - 2, others))
        return weights

    def difference(self, after: int, before: int) -> NDArray[np.float64]:
        """Return the weights of the worth of one coalition minus that of another, (m,)."""
        weights = np.zeros(len(self.masks))
        weights[self.masks.index(after)] += 1
        weights[self.masks.index(before)] -= 1
        return weights

    def shapley_values(self, worths: Sequence[Influence]) -> list[Influence]:
        """Return the Shapley value of each player, with the variance that drawing orders adds.

        Args:
            worths: of :attr:`masks`, over the same subjects in the same order.
        """
        found = [weighted_sum(worths, weights) for weights in self.values]
        if self.exact:
            return found
        drawn = self.by_pair_of_orders @ np.array([each.value for each in worths])
        return [
            value._replace(places=VarianceComponent(float(variance) / len(drawn), len(drawn) - 1))
            for value, variance in zip(found, drawn.var(axis=0, ddof=1), strict=True)
        ]


def _chain(order: Sequence[int]) -> list[int]:
    """Return the coalitions that grow player by player, from the empty one on."""
    chain = [0]
    for player in order:
        chain.append(chain[-1] | 1 << player)
    return chain
