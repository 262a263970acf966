"""By how much the output of a network changes when its input is moved.

`invariance_gap` measures it for elements of a group, `assert_invariant` holds it to a tolerance:

    assert_invariant(net, clouds, orthogonal(3) * translations(0.5) * permutations(), key=key)
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import numpy as np
from flax import nnx
from jax import Array
from jaxtyping import Float

from theory.groups import Group as Group
from theory.groups import Motion as Motion
from theory.groups import axis_mirrors as axis_mirrors
from theory.groups import finite as finite
from theory.groups import improper as improper
from theory.groups import mirrors as mirrors
from theory.groups import orthogonal as orthogonal
from theory.groups import permutations as permutations
from theory.groups import rotations as rotations
from theory.groups import translations as translations

Network = Callable[[Array], Array]
Answer = Callable[[Motion, Array], Array]


@dataclass(frozen=True)
class Gap:
    """By how much an output changed over clouds and group elements.

    Args:
        largest: largest absolute change of any output, in its units; NaN if any output is.
        mean: over clouds and elements, of the largest change within each.
        worst: the element that changed most.
        cloud: the index of the cloud it did so to.
        samples: how many elements were drawn.
        changes: `(samples, batch)`, the largest change of each cloud under each element.
    """

    largest: float
    mean: float
    worst: Motion
    cloud: int
    samples: int
    changes: np.ndarray

    def __str__(self) -> str:
        return (
            f"largest change {self.largest:.3g} (mean {self.mean:.3g}) over {self.samples} "
            f"elements and {self.changes.shape[1]} clouds, of cloud {self.cloud} under {self.worst}"
        )


def invariance_gap(
    f: Network,
    x: Float[Array, "batch points coordinates"],
    group: Group,
    *,
    key: Array,
    samples: int = 16,
    answer: Answer | None = None,
) -> Gap:
    """By how much a network's output changes when its input is moved: `max |f(g x) - g f(x)|`.

    Args:
        f: any function of clouds `(batch, n, d)`, row by row, whose output is an array with the
            batch first. A module of `flax.nnx` is compiled; compile a function yourself.
        x: clouds `(batch, n, d)`.
        group: elements to draw from.
        key: of the draw.
        samples: number of elements; each moves the whole batch.
        answer: what the element should do to the output, for an equivariant network:
            `Motion.turn` for a vector, `Motion.reorder` for values of each point, `Motion.__call__`
            for clouds. Left out, nothing: an invariant network.

    Returns:
        The gap, and where it is largest.

    Raises:
        ValueError: for fewer than one sample, or `x` that are not clouds.

    Example:
        >>> x = jax.random.normal(jax.random.key(0), (4, 9, 3))
        >>> spread = lambda x: x.var(axis=1).sum(axis=1)
        >>> bool(invariance_gap(spread, x, orthogonal(3), key=jax.random.key(1)).largest < 1e-4)
        True
        >>> mean = lambda x: x.mean(axis=1)
        >>> gap = invariance_gap(mean, x, mirrors(3), key=jax.random.key(1), answer=Motion.turn)
        >>> bool(gap.largest < 1e-6)
        True
    """
    if samples < 1:
        raise ValueError(f"samples must be at least 1, got {samples}")
    if x.ndim != 3 or 0 in x.shape:
        raise ValueError(f"x must be clouds (batch, points, coordinates), got shape {x.shape}")
    f = _compiled(f)
    before = f(x)
    _, points, coordinates = x.shape
    moves = group.elements(samples, (points, coordinates), key=key)
    changes = np.stack([_change(f, x, before, move, answer) for move in moves])
    number, cloud = np.unravel_index(np.argmax(changes), changes.shape)  # the first NaN, if any
    largest, mean = float(changes[number, cloud]), float(changes.mean())
    return Gap(largest, mean, moves[number], int(cloud), samples, changes)


def assert_invariant(
    f: Network,
    x: Float[Array, "batch points coordinates"],
    group: Group,
    *,
    tolerance: float = 1e-4,
    key: Array,
    samples: int = 16,
    answer: Answer | None = None,
) -> None:
    """Hold a network to invariance, or to equivariance with an `answer`.

    Args:
        f: as for :func:`invariance_gap`, as are all others.
        x: clouds `(batch, n, d)`.
        group: elements to draw from.
        tolerance: largest absolute change allowed, in units of the output.
        key: of the draw.
        samples: number of elements.
        answer: what the element should do to the output.

    Raises:
        AssertionError: when an output changes by more, or is NaN; names the worst element, the
            cloud and the change.
        ValueError: as :func:`invariance_gap`.

    Example:
        >>> x = jax.random.normal(jax.random.key(0), (4, 9, 3))
        >>> assert_invariant(lambda x: x.max(axis=1), x, permutations(), key=jax.random.key(1))
    """
    gap = invariance_gap(f, x, group, key=key, samples=samples, answer=answer)
    if not gap.largest <= tolerance:
        kind = "invariant" if answer is None else "equivariant"
        raise AssertionError(f"not {kind} under {group} to {tolerance:g}: {gap}")


def _change(f: Network, x: Array, before: Array, move: Motion, answer: Answer | None) -> np.ndarray:
    """The largest change within each cloud, `(batch,)`."""
    expected = np.asarray(before if answer is None else answer(move, before), np.float64)
    change = np.abs(np.asarray(f(move(x)), np.float64) - expected)
    return change.reshape(len(change), -1).max(axis=1)


def _compiled(f: Network) -> Network:
    """A module as a compiled function; what it would write to its state is dropped."""
    if not isinstance(f, nnx.Module):
        return f
    graph, state = nnx.split(f)
    run = jax.jit(lambda state, x: nnx.merge(graph, state, copy=True)(x))
    return lambda x: run(state, x)
