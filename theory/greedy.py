"""Orthogonal greedy approximation: what a dictionary of neurons can do, without training.

Step by step the atom that fits the residual best joins, and all coefficients are solved anew. It is
no optimum, but it is reproducible, has no learning rate, and attains the optimal rate for functions
in the closed convex hull of its dictionary.

References:
    R. DeVore, V. Temlyakov, Some remarks on greedy algorithms, Adv. Comp. Math. 5, 1996.
    J. Siegel, J. Xu, Optimal convergence rates for the orthogonal greedy algorithm, IEEE Trans.
    Inf. Theory 68, 2022.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

Choice = Literal["correlation", "least_squares"]


@dataclass(frozen=True)
class Greedy:
    """What the greedy algorithm did for one target.

    Args:
        chosen: `(steps,)` indices of atoms, in order.
        errors: `(steps,)` relative L2 error after each step.
        coefficients: `(steps,)` of the chosen atoms, after the last step.
    """

    chosen: np.ndarray
    errors: np.ndarray
    coefficients: np.ndarray


def orthogonal_greedy(
    dictionary: Float[np.ndarray, "points atoms"],
    target: Float[np.ndarray, " points"],
    steps: int,
    *,
    weights: Float[np.ndarray, " points"] | None = None,
    choice: Choice = "correlation",
) -> Greedy:
    """Approximate a target by few atoms.

    Args:
        dictionary: one atom per column; float32 halves the time and moves no digit that matters.
        target: values at the same points.
        steps: how many atoms join; fewer if the residual vanishes or no atom can reduce it.
        weights: of the points in the L2 norm; equal by default.
        choice: "correlation" takes the atom at the smallest angle to the residual (the plain
            algorithm); "least_squares" the one whose joining leaves the smallest residual, which
            is better and costs twice the time.

    Returns:
        The record.

    Raises:
        ValueError: for a target or weights that do not fit the dictionary, or no step.

    Example:
        >>> found = orthogonal_greedy(np.eye(4), np.array([0.0, 3.0, 0.0, 4.0]), steps=2)
        >>> found.chosen.tolist(), found.errors.round(9).tolist()
        ([3, 1], [0.6, 0.0])
    """
    points = len(dictionary)
    weights = np.ones(points) if weights is None else weights
    if target.shape != (points,) or weights.shape != (points,) or steps < 1:
        raise ValueError(
            f"target {target.shape} and weights {weights.shape} must fit {points} points, "
            f"and steps be positive, got {steps}"
        )
    root = np.sqrt(weights)
    return _pursue(_normalised(dictionary, root), dictionary, target, root, steps, choice)


def _normalised(dictionary: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Columns of norm one in the weighted inner product; zero columns stay zero."""
    atoms = dictionary * root[:, None].astype(dictionary.dtype)
    norms = np.linalg.norm(atoms, axis=0)
    atoms /= np.where(norms > 0, norms, 1)
    return atoms


def _pursue(
    atoms: np.ndarray,
    dictionary: np.ndarray,
    target: np.ndarray,
    root: np.ndarray,
    steps: int,
    choice: Choice,
) -> Greedy:
    start = np.linalg.norm(target * root)
    residual = (target * root).astype(float)
    basis = np.zeros((min(steps, len(target)), len(target)))
    left = np.ones(atoms.shape[1])  # squared norm of every atom beside the basis
    chosen: list[int] = []
    errors: list[float] = []
    for row in basis:
        fit = np.abs(residual.astype(atoms.dtype) @ atoms)
        if choice == "least_squares":
            fit = np.where(left > 1e-5, fit / np.sqrt(np.maximum(left, 1e-5)), 0)
        if fit.max() <= 1e-5 * np.linalg.norm(residual):
            break  # all atoms lie in the span already: what correlates is rounding
        chosen.append(int(fit.argmax()))
        row[:] = _orthogonal(atoms[:, chosen[-1]].astype(float), basis[: len(errors)])
        residual -= row * (row @ residual)
        errors.append(float(np.linalg.norm(residual) / start))
        if errors[-1] < 1e-7:
            break
        if choice == "least_squares":
            left -= (row.astype(atoms.dtype) @ atoms) ** 2
    solved = np.linalg.lstsq(dictionary[:, chosen] * root[:, None], target * root, rcond=None)[0]
    return Greedy(np.asarray(chosen), np.asarray(errors), solved)


def _orthogonal(atom: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Gram-Schmidt, twice: once is not enough in floating point."""
    for _ in range(2):
        atom = atom - basis.T @ (basis @ atom)
    norm = np.linalg.norm(atom)
    return atom / norm if norm > 0 else atom


def ridge_dictionary(
    x: Float[np.ndarray, "points d"],
    directions: Float[np.ndarray, "k d"],
    offsets: Float[np.ndarray, " m"],
) -> Float[np.ndarray, "points atoms"]:
    """`relu(u . x - b)` for every direction and offset, in float32; direction by direction."""
    heights = (x @ directions.T)[:, :, None] - offsets
    return np.maximum(heights, 0).reshape(len(x), -1).astype(np.float32)


def circle(angles: int) -> Float[np.ndarray, "angles 2"]:
    """Unit vectors at equal angles around the whole circle."""
    turns = 2 * np.pi * np.arange(angles) / angles
    return np.stack([np.cos(turns), np.sin(turns)], axis=1)


def disc(side: int) -> Float[np.ndarray, "points 2"]:
    """Cell centres of a `side` x `side` grid over `[-1, 1]^2` that lie in the unit disc."""
    line = (np.arange(side) + 0.5) * 2 / side - 1
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    return grid[(grid**2).sum(axis=1) <= 1]


def curved_kink(x: Float[np.ndarray, "points d"]) -> Float[np.ndarray, " points"]:
    """`relu(1/2 - |x|^2)`: one quadratic neuron, whose kink is a circle.

    Where a function of the ReLU Barron space is not differentiable, it is so on countably many
    affine pieces (E, Wojtowytsch, 2020): this function has no finite conventional norm for d >= 2.
    """
    return np.maximum(0.5 - (x**2).sum(axis=1), 0)


PLANE_TARGETS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "curved kink": curved_kink,
    "|x|^2": lambda x: (x**2).sum(axis=1),
    "|x|": lambda x: np.sqrt((x**2).sum(axis=1)),
    "indicator of a disc": lambda x: ((x**2).sum(axis=1) < 0.5).astype(float),
}


def slope(
    n: Sequence[int] | Sequence[float] | np.ndarray, errors: Sequence[float] | np.ndarray
) -> float:
    """Slope of log error against log n, by least squares: the exponent of a power law.

    Example:
        >>> round(slope([1, 10, 100], [1, 0.1, 0.01]), 9)
        -1.0
    """
    return float(np.polyfit(np.log(n), np.log(errors), 1)[0])
