"""Groups that act on clouds of points: rotations, mirrors, shifts, orders of the points.

A :class:`Group` draws random elements, a :class:`Motion` is one of them. Elements act in float64 on
the host: what comes out is rounded once, and a change of a network's output is the network's.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

Shape = tuple[int, int]
Draw = Callable[[np.random.Generator, int, Shape], "Motion"]


@dataclass(frozen=True, eq=False)
class Motion:
    """One element of a group: `x_i -> x_{order(i)} matrix + shift`.

    Args:
        name: what it is, for messages.
        matrix: `(d, d)`, acts on rows from the right; None for the identity.
        shift: `(d,)`, in units of the points; None for zero.
        order: `(n,)`, a permutation of the points; None for the identity.
    """

    name: str
    matrix: np.ndarray | None = None
    shift: np.ndarray | None = None
    order: np.ndarray | None = None

    def __call__(self, points: ArrayLike) -> Array:
        """The moved clouds: `(batch, n, d)` to `(batch, n, d)`."""
        points = self.reorder(points)
        moved = np.asarray(points, np.float64)
        moved = moved if self.matrix is None else moved @ self.matrix
        moved = moved if self.shift is None else moved + self.shift
        return jnp.asarray(moved, points.dtype)

    def turn(self, vectors: ArrayLike) -> Array:
        """Vectors `(..., d)` turned by the matrix alone, as velocities and normals are."""
        wide = np.asarray(vectors, np.float64)
        turned = wide if self.matrix is None else wide @ self.matrix
        return jnp.asarray(turned, jnp.asarray(vectors).dtype)

    def reorder(self, values: ArrayLike) -> Array:
        """Values of the points `(batch, n, ...)` in their new order."""
        values = jnp.asarray(values)
        return values if self.order is None else values[:, self.order]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Group:
    """A group acting on clouds, or a set of its elements that generates it.

    Args:
        name: for messages.
        draw: from a NumPy generator, the number of the sample and the shape `(n, d)` of the clouds
            to an element.
    """

    name: str
    draw: Draw

    def __mul__(self, other: "Group") -> "Group":
        """Elements of this group followed by elements of another."""

        def draw(rng: np.random.Generator, number: int, shape: Shape) -> Motion:
            return _after(self.draw(rng, number, shape), other.draw(rng, number, shape))

        return Group(f"{self.name} * {other.name}", draw)

    def elements(self, samples: int, shape: Shape, *, key: Array) -> list[Motion]:
        """So many elements, for clouds of shape `(n, d)`.

        Example:
            >>> [str(g) for g in axis_mirrors(2).elements(2, (5, 2), key=jax.random.key(0))]
            ['mirror of axis 0', 'mirror of axis 1']
        """
        seed = np.asarray(jax.random.key_data(key)).ravel()
        rng = np.random.default_rng(seed)
        return [self.draw(rng, number, shape) for number in range(samples)]

    def __str__(self) -> str:
        return self.name


def _after(first: Motion, second: Motion) -> Motion:
    """`second` after `first`."""
    matrices = [m for m in (first.matrix, second.matrix) if m is not None]
    turned = first.shift
    if turned is not None and second.matrix is not None:
        turned = turned @ second.matrix
    shifts = [s for s in (turned, second.shift) if s is not None]
    orders = [o for o in (first.order, second.order) if o is not None]
    return Motion(
        f"{first.name}, then {second.name}",
        reduce(np.matmul, matrices) if matrices else None,
        reduce(np.add, shifts) if shifts else None,
        reduce(lambda a, b: a[b], orders) if orders else None,
    )


def orthogonal(d: int) -> Group:
    """O(d): rotations and improper rotations, uniform (Haar)."""
    _check_dimension(d)
    return Group(f"O({d})", lambda rng, number, shape: _turned(_haar(rng, d)))


def rotations(d: int) -> Group:
    """SO(d): rotations, determinant 1, uniform."""
    _check_dimension(d)
    return Group(f"SO({d})", lambda rng, number, shape: _turned(_haar(rng, d, 1)))


def improper(d: int) -> Group:
    """The elements of O(d) outside SO(d), determinant -1, uniform: a mirror and a rotation."""
    _check_dimension(d)
    name = f"improper rotations({d})"
    return Group(name, lambda rng, number, shape: _turned(_haar(rng, d, -1)))


def mirrors(d: int) -> Group:
    """Reflections `I - 2 n n^T` in planes through the origin, of uniform normal n: oblique ones."""
    _check_dimension(d)

    def draw(rng: np.random.Generator, number: int, shape: Shape) -> Motion:
        normal = rng.normal(size=d)
        normal /= np.linalg.norm(normal)
        return Motion(
            f"mirror of normal {_listed(normal)}", np.eye(d) - 2 * np.outer(normal, normal)
        )

    return Group(f"mirrors({d})", draw)


def axis_mirrors(d: int) -> Group:
    """The d reflections that change the sign of one coordinate, one after the other."""
    _check_dimension(d)
    flips = [np.diag(np.where(np.arange(d) == axis, -1.0, 1.0)) for axis in range(d)]
    return finite(f"axis mirrors({d})", {f"mirror of axis {a}": m for a, m in enumerate(flips)})


def finite(name: str, matrices: dict[str, np.ndarray]) -> Group:
    """Named matrices, one after the other: a finite group, or what generates it.

    Args:
        name: of the group, for messages.
        matrices: `(d, d)` each, acting on rows from the right.

    Raises:
        ValueError: for no matrices, or one that is not square.

    Example:
        >>> half_turn = finite("half turn about x", {"half turn": np.diag([1.0, -1.0, -1.0])})
        >>> half_turn.elements(1, (5, 3), key=jax.random.key(0))[0](jnp.ones((1, 1, 3))).tolist()
        [[[1.0, -1.0, -1.0]]]
    """
    items = [(title, np.asarray(matrix, np.float64)) for title, matrix in matrices.items()]
    if not items or any(m.ndim != 2 or m.shape[0] != m.shape[1] for _, m in items):
        raise ValueError(f"{name} needs square matrices, got {[m.shape for _, m in items]}")

    def draw(rng: np.random.Generator, number: int, shape: Shape) -> Motion:
        return Motion(*items[number % len(items)])

    return Group(name, draw)


def permutations() -> Group:
    """S_n: the points in another order."""

    def draw(rng: np.random.Generator, number: int, shape: Shape) -> Motion:
        return Motion("permutation", order=rng.permutation(shape[0]))

    return Group("permutations", draw)


def translations(scale: float) -> Group:
    """Shifts, normally distributed with standard deviation `scale` in units of the points.

    Raises:
        ValueError: unless `scale` is positive and finite.
    """
    if not 0 < scale < math.inf:
        raise ValueError(f"scale must be positive and finite, got {scale}")

    def draw(rng: np.random.Generator, number: int, shape: Shape) -> Motion:
        shift = scale * rng.normal(size=shape[1])
        return Motion(f"shift by {_listed(shift)}", shift=shift)

    return Group(f"translations({scale:g})", draw)


def _haar(rng: np.random.Generator, d: int, sign: int = 0) -> np.ndarray:
    """A uniform orthogonal matrix, of the given determinant or of any."""
    q, r = np.linalg.qr(rng.normal(size=(d, d)))
    q = q * np.sign(np.diag(r))
    if sign and np.sign(np.linalg.det(q)) != sign:
        q[:, 0] *= -1
    return q


def _turned(matrix: np.ndarray) -> Motion:
    """A motion that says of itself what it is."""
    d, determinant = len(matrix), np.linalg.det(matrix)
    kind = "rotation" if determinant > 0 else "improper rotation"
    if d != 3:
        return Motion(f"{kind} {_listed(matrix.ravel())}", matrix)
    proper = matrix * np.sign(determinant)
    angle = math.degrees(math.acos(np.clip((np.trace(proper) - 1) / 2, -1.0, 1.0)))
    after = "" if determinant > 0 else " and x -> -x"
    return Motion(f"{kind} by {angle:.1f} degrees{after}", matrix)


def _listed(values: Iterable[float]) -> str:
    return f"({', '.join(f'{value:.3f}' for value in values)})"


def _check_dimension(d: int) -> None:
    if d < 1:
        raise ValueError(f"the dimension must be at least 1, got {d}")
