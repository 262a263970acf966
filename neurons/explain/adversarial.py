"""Images moved, within a small box, to where a score of them is larger.

    FGSM    x' = clip(x + eps sign(grad s(x)))
    PGD     x <- clip(x + eps/4 sign(grad s(x))), ten times, never further than eps from the start

`clip` keeps pixels between the least and the largest value that the network's input can have. There
is no random start: the same image gives the same result.

References:
    I. J. Goodfellow, J. Shlens, C. Szegedy, Explaining and Harnessing Adversarial Examples,
    arXiv 1412.6572.
    A. Madry et al., Towards Deep Learning Models Resistant to Adversarial Attacks,
    arXiv 1706.06083.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from neurons.options import require

Level = float | int | tuple[float, ...]


@dataclass(frozen=True)
class Box:
    """How far pixels may move, in the unit of the network's input.

    A network that takes standardised images takes standardised bounds: for
    `neurons.backbones.defect.preprocess` see :meth:`standardised`.

    Args:
        epsilon: largest change of a pixel; a number, or one for each channel. A step of a few grey
            levels makes a network that was not trained against it call everything defective, and
            maps of it tell nothing: choose it on validation images, see the claims on reliability.
        low: least value of a pixel.
        high: largest value of a pixel.
        steps: of PGD.

    Raises:
        ValueError: for a negative epsilon, bounds without room between, or no step.
    """

    epsilon: Level = 1 / 255
    low: Level = 0.0
    high: Level = 1.0
    steps: int = 10

    def __post_init__(self) -> None:
        require("steps", self.steps)
        if not np.all(np.asarray(self.epsilon) >= 0):
            raise ValueError(f"epsilon must be at least 0, got {self.epsilon}")
        if not np.all(np.asarray(self.low) < np.asarray(self.high)):
            raise ValueError(f"low must be below high, got {self.low} and {self.high}")

    def standardised(self, mean: tuple[float, ...], deviation: tuple[float, ...]) -> "Box":
        """The same box for a network whose input is `(pixel - mean) / deviation`.

        Example:
            >>> Box(0.25).standardised((0.5,), (0.5,))
            Box(epsilon=(0.5,), low=(-1.0,), high=(1.0,), steps=10)
        """
        centre, unit = np.asarray(mean), np.asarray(deviation)
        low, high = (
            _levels((np.asarray(value) - centre) / unit) for value in (self.low, self.high)
        )
        return Box(_levels(np.asarray(self.epsilon) / unit), low, high, self.steps)

    def require(self, x: Any) -> None:
        """Refuse images that do not lie within the bounds; traced ones cannot be looked at.

        Raises:
            ValueError: naming both ranges.
        """
        if isinstance(x, jax.core.Tracer) or not x.size:
            return
        slack = 1e-5 * (np.asarray(self.high) - np.asarray(self.low))
        pixels = np.asarray(x)
        if np.any(pixels < self.low - slack) or np.any(pixels > self.high + slack):
            raise ValueError(
                f"images reach from {pixels.min():.4g} to {pixels.max():.4g}, outside of the "
                f"bounds {self.low} to {self.high}: give the box the range of the network's input"
            )


def fgsm(gradient: Callable[[Array], Array], x: Float[Array, " batch *rest"], box: Box) -> Array:
    """One step of the whole radius along the gradient's sign.

    Args:
        gradient: of the sum of all images' scores with respect to the images.
        x: images `(batch, *space, channels)`.
        box: radius and bounds; its steps are not used.

    Returns:
        Images of the same shape; where the gradient is 0 a pixel stays.
    """
    return step(x, x, gradient(x), box, 1.0)


def pgd(gradient: Callable[[Array], Array], x: Float[Array, " batch *rest"], box: Box) -> Array:
    """`box.steps` steps of a quarter of the radius; arguments as for :func:`fgsm`.

    The steps are a Python loop: give a compiled gradient.
    """
    moved = x
    for _ in range(box.steps):
        moved = step(x, moved, gradient(moved), box, 0.25)
    return moved


def step(start: Array, moved: Array, slope: Array, box: Box, stride: float) -> Array:
    """One step of `stride` times the radius along the sign of the slope, back into the box.

    Args:
        start: centre of the box.
        moved: images so far.
        slope: the gradient there.
        box: radius and bounds.
        stride: share of the radius.

    Returns:
        Images. A pixel whose slope is no number stays (of a silent layer EigenCAM has none).
    """
    sign = jnp.where(jnp.isnan(slope), jnp.zeros_like(slope), jnp.sign(slope))
    epsilon, low, high = (
        jnp.asarray(level, start.dtype).reshape((1,) * (start.ndim - 1) + (-1,))
        for level in (box.epsilon, box.low, box.high)
    )
    # An image a rounding error outside of the bounds keeps a box of its own.
    least = jnp.minimum(jnp.maximum(low, start - epsilon), start)
    most = jnp.maximum(jnp.minimum(high, start + epsilon), start)
    return jnp.clip(moved + jnp.asarray(stride, start.dtype) * epsilon * sign, least, most)


def _levels(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
