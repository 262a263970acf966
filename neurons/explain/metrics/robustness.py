"""Do maps change little when inputs do: sensitivity and local Lipschitz constants."""

from typing import NamedTuple

import numpy as np

from neurons.explain.metrics.models import Explain, as_inputs, explained
from neurons.explain.metrics.pairs import Found, Stack, ratio, rows
from neurons.options import require


class Sensitivity(NamedTuple):
    """Changes of a map in a neighbourhood of its input.

    Args:
        maximum: `(batch,)` largest `|M(x + u) - M(x)|` over `|M(x)|`, Euclidean norms.
        average: `(batch,)` mean of the same.
        lipschitz: `(batch,)` largest `|M(x + u) - M(x)| / |u|`.
    """

    maximum: Found
    average: Found
    lipschitz: Found


def sensitivity(
    explain: Explain, x: Stack, *, radius: float = 0.02, samples: int = 10, seed: int = 0
) -> Sensitivity:
    """All three measures from the same random neighbours, uniform in `[-radius, radius]`.

    Args:
        explain: `(batch, *space, channels)` to one map per input, of any shape.
        x: `(batch, *space, channels)`.
        radius: largest change of a number of the input, in its unit.
        samples: neighbours per input: the estimate is a lower bound of the true maximum.
        seed: of the neighbours.

    Returns:
        The measures; NaN for maps with NaN, the relative ones also for maps of zeros.

    Raises:
        TypeError: for inputs that are not float32 or float64.
        ValueError: for a radius that is not positive, no sample, or not one map per input.

    References:
        C.-K. Yeh et al., On the (In)fidelity and Sensitivity of Explanations, arXiv 1901.09392,
        2019, section 3; D. Alvarez-Melis, T. S. Jaakkola, On the Robustness of Interpretability
        Methods, arXiv 1806.08049, 2018, section 3.
    """
    if not 0 < radius < np.inf:
        raise ValueError(f"radius must be positive, got {radius}")
    require("samples", samples)
    images = as_inputs(x)
    rng = np.random.default_rng(seed)
    original = explained(explain, images)
    changes, steps = np.empty((2, samples, len(images)))
    for number in range(samples):
        step = rng.uniform(-radius, radius, images.shape).astype(images.dtype)
        near = images + step
        changes[number] = np.linalg.norm(explained(explain, near) - original, axis=1)
        # What was really added, after rounding.
        steps[number] = np.linalg.norm(rows(near - images).astype(np.float64), axis=1)
    relative = ratio(changes, np.linalg.norm(original, axis=1))
    return Sensitivity(
        relative.max(axis=0), relative.mean(axis=0), ratio(changes, steps).max(axis=0)
    )


def max_sensitivity(
    explain: Explain, x: Stack, *, radius: float = 0.02, samples: int = 10, seed: int = 0
) -> Found:
    """Largest relative change of the map; see :func:`sensitivity`."""
    return sensitivity(explain, x, radius=radius, samples=samples, seed=seed).maximum


def avg_sensitivity(
    explain: Explain, x: Stack, *, radius: float = 0.02, samples: int = 10, seed: int = 0
) -> Found:
    """Mean relative change of the map; see :func:`sensitivity`."""
    return sensitivity(explain, x, radius=radius, samples=samples, seed=seed).average


def local_lipschitz(
    explain: Explain, x: Stack, *, radius: float = 0.02, samples: int = 10, seed: int = 0
) -> Found:
    """Largest change of the map per change of the input; see :func:`sensitivity`."""
    return sensitivity(explain, x, radius=radius, samples=samples, seed=seed).lipschitz
