"""What n segments can do at best as n grows: the asymptotic law and the density of its knots.

    E_n ~ C_p n^-2 (integral |f''|^(p / (2p+1)) dx)^((2p+1) / p),    h(x) ~ |f''(x)|^(-p / (2p+1)),

with C_1 = 1/32, C_2 = 1/sqrt(720), C_inf = 1/16, for continuous and discontinuous fits alike.
"""

import math
from collections.abc import Mapping

import numpy as np

from theory.optimal.result import NORMS, Norm
from theory.optimal.target import Target

CONSTANTS: Mapping[Norm, float] = {"l1": 1 / 32, "l2": 1 / math.sqrt(720), "linf": 1 / 16}
# The power of |f''| in the integral; its inverse is the power outside.
POWERS: Mapping[Norm, float] = {"l1": 1 / 3, "l2": 2 / 5, "linf": 1 / 2}
# Gradings of the density at integrable singularities need more than one node per panel.
_SPREAD = 1e-3


def limit_constant(target: Target, norm: Norm) -> float:
    """The limit of n^2 E_n.

    Raises:
        ValueError: for an unknown norm.

    Example:
        >>> from theory.optimal.resolution import resolve
        >>> round(limit_constant(resolve(lambda x: x**2, (0.0, 1.0)), "linf") * 8, 12)
        1.0
    """
    if norm not in NORMS:
        raise ValueError(f"norm must be one of {', '.join(NORMS)}, got {norm!r}")
    _, cumulated = _cumulated(target, norm)
    return float(CONSTANTS[norm] * cumulated[-1] ** (1 / POWERS[norm]))


def density_knots(target: Target, segments: int, norm: Norm, spread: float = _SPREAD) -> np.ndarray:
    """`(segments + 1,)` knots with equal shares of the asymptotically optimal density.

    Args:
        target: the function.
        segments: number of pieces.
        norm: "l1", "l2" or "linf".
        spread: share of the density that is uniform, so that straight parts get knots, too.
    """
    places, cumulated = _cumulated(target, norm)
    low, high = target.domain
    uniform = (places - low) / (high - low)
    share = cumulated / cumulated[-1] if cumulated[-1] > 0 else uniform
    knots = np.interp(
        np.linspace(0, 1, segments + 1), (1 - spread) * share + spread * uniform, places
    )
    knots[0], knots[-1] = low, high
    return knots


def _cumulated(target: Target, norm: Norm) -> tuple[np.ndarray, np.ndarray]:
    """Places, and the integral of |f''|^power up to them."""
    low, high = target.domain
    edges = np.unique(np.concatenate([target.breaks, np.linspace(low, high, 129)]))
    rule = target.pieces(edges[:-1], edges[1:])
    bend = np.abs(target.second(rule.nodes)) ** POWERS[norm]
    return edges, np.concatenate([[0.0], np.cumsum(rule.integrals(bend))])
