"""Many candidate columns at once: which of them, beside which powers, explain the data.

All losses come from inner products: a column's gain beside a base is what it adds to the explained
sum of squares after the base is projected out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurons.search.archive import HANDICAP
from neurons.search.fitting import Evaluator, Term
from neurons.search.skeletons import Skeleton, sample

_OWN = 1e-7  # share of a column outside the base below which it is counted as inside


@dataclass(frozen=True)
class Pool:
    """Columns of sampled skeletons.

    Args:
        skeletons: the skeletons.
        owner: `(columns,)`, the skeleton of each column.
        constants: the constants of each column.
        columns: `(columns, rows)`, each of length 1.
        handicap: `(columns,)`, a factor that grows with the skeleton's size: among the many that
            fit well by chance the simple ones are more likely to be meant.
    """

    skeletons: tuple[Skeleton, ...]
    owner: np.ndarray
    constants: list[np.ndarray]
    columns: np.ndarray
    handicap: np.ndarray

    def part(self, first: int, last: int | None = None) -> "Pool":
        """The columns of one skeleton, or of `first` up to but not `last`; they lie in order."""
        start, end = np.searchsorted(self.owner, (first, first + 1 if last is None else last))
        return Pool(
            self.skeletons,
            self.owner[start:end],
            self.constants[start:end],
            self.columns[start:end],
            self.handicap[start:end],
        )

    def rows(self, places: np.ndarray) -> np.ndarray:
        """Constants of some columns of one skeleton."""
        return np.array([self.constants[place] for place in places]).reshape(len(places), -1)


def fill_pool(
    evaluator: Evaluator,
    skeletons: Sequence[Skeleton],
    sizes: Sequence[int],
    samples: tuple[int, int, int],
) -> Pool:
    """Sample every skeleton's constants.

    Args:
        evaluator: the data.
        skeletons: what to sample.
        sizes: their complexities.
        samples: how many settings a skeleton with one, two, and more constants gets.
    """
    problem = evaluator.problem
    size_of_design = np.linalg.norm(problem.design)
    columns, constants, owner = [], [], []
    with np.errstate(all="ignore"):
        for place, skeleton in enumerate(skeletons):
            count = (1, *samples)[min(len(skeleton.roles), 3)]
            drawn, values = sample(skeleton, problem.nodes, count, evaluator.operators)
            size = np.sqrt(np.einsum("sn,sn->s", values, values))
            usable = size < 1e100  # false for NaN too
            found = problem.columns(values[usable])
            length = np.sqrt(np.einsum("sr,sr->s", found, found))
            apart = length > 1e-9 * size[usable] * size_of_design
            columns.append(found[apart] / length[apart, None])
            constants.extend(drawn[usable][apart])
            owner.extend([place] * int(apart.sum()))
    owners = np.array(owner, int)
    stacked = np.concatenate(columns) if columns else np.empty((0, len(problem.target)))
    return Pool(
        tuple(skeletons), owners, constants, stacked, HANDICAP ** np.array(sizes, float)[owners]
    )


def power_terms(powers: Sequence[int]) -> tuple[Term, ...]:
    """x, x**2, ... as terms."""
    return tuple(("x",) if power == 1 else ("x", power, "**") for power in powers)


def gains(columns: np.ndarray, basis: np.ndarray, target: np.ndarray) -> np.ndarray:
    """What each unit column `(count, rows)` explains of the targets beside a basis."""
    left = target - basis @ (basis.T @ target)
    own = 1 - ((columns @ basis) ** 2).sum(axis=1)
    explained = ((columns @ left) ** 2).sum(axis=1)
    return np.where(own > _OWN, explained / np.maximum(own, _OWN), 0.0)


def pair_gains(
    firsts: np.ndarray, columns: np.ndarray, basis: np.ndarray, target: np.ndarray
) -> np.ndarray:
    """What each pair explains beside a basis, `(firsts, columns)`."""
    left = target - basis @ (basis.T @ target)
    shared = firsts @ columns.T - (firsts @ basis) @ (basis.T @ columns.T)
    own_first = np.maximum(1 - ((firsts @ basis) ** 2).sum(axis=1), _OWN)
    own = np.maximum(1 - ((columns @ basis) ** 2).sum(axis=1), _OWN)
    overlap = shared**2 / own_first[:, None] / own
    pull_first, pull = firsts @ left, columns @ left  # (firsts, targets), (columns, targets)
    alone_first = (pull_first**2).sum(axis=1) / own_first
    alone = (pull**2).sum(axis=1) / own
    cross = shared * (pull_first @ pull.T) / own_first[:, None] / own
    together = (alone_first[:, None] + alone - 2 * cross) / np.maximum(1 - overlap, 1e-4)
    return np.where(overlap < 1 - 1e-4, together, 0.0)
