"""How a gradient passes a max pooling: continuous rules instead of the one-position route.

A rule is a function `rule(u, R, window) -> R'` of the pooling's input u, the gradient R at its
output and the :class:`Window`. Every rule here hands each output's gradient on to the inputs in
shares that sum to one, so that a window's gradient is preserved; padding gets no share.

References:
    H.-C. Dong et al., CG-fusion CAM: Online segmentation of laser-induced damage on
    large-aperture optics, arXiv 2307.09161. The abstract alone was at hand; the shares are our
    reading of its "continuous gradient".
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial, reduce
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax


@dataclass(frozen=True)
class Window:
    """Where a pooling looks, one entry for every axis of its input.

    Args:
        size: inputs under the window.
        strides: from window to window.
        padding: positions before and after.
        dilation: distance of neighbours within a window.
    """

    size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]

    def reduce(self, x: Array, start: float, combine: Callable[[Array, Array], Array]) -> Array:
        """The reduction of every window; padding counts as `start`."""
        return lax.reduce_window(
            x,
            np.asarray(start, x.dtype)[()],
            combine,
            self.size,
            self.strides,
            self.padding,
            window_dilation=self.dilation,
        )

    def offsets(self) -> list[tuple[int, ...]]:
        """The positions within a window, relative to its first."""
        steps = zip(self.size, self.dilation, strict=True)
        return list(product(*(range(0, size * step, step) for size, step in steps)))

    def take(self, x: Array, offset: tuple[int, ...], shape: tuple[int, ...]) -> Array:
        """What every window of an output of `shape` sees at `offset`; padding is -inf."""
        config = [(low, high, 0) for low, high in self.padding]
        framed = lax.pad(x, np.asarray(-np.inf, x.dtype)[()], config)
        stops = [o + (n - 1) * s + 1 for o, n, s in zip(offset, shape, self.strides, strict=True)]
        return lax.slice(framed, offset, stops, self.strides)

    def put(self, part: Array, offset: tuple[int, ...], shape: tuple[int, ...]) -> Array:
        """The transpose of :meth:`take`: `part` where its windows lie in an input of `shape`."""
        config = []
        for axis, stride in enumerate(self.strides):
            before = offset[axis] - self.padding[axis][0]
            span = (part.shape[axis] - 1) * stride + 1
            config.append((before, shape[axis] - before - span, stride - 1))
        return lax.pad(part, np.zeros((), part.dtype)[()], config)


PoolRule = Callable[[Array, Array, Window], Array]


def uniform(u: Array, gradient: Array, window: Window) -> Array:
    """Equal shares: `R'_i = sum over the windows w that hold i of R_w / |w|`.

    `|w|` counts the inputs under the window, not the padding.
    """
    counts = window.reduce(jnp.ones_like(u[:1]), 0.0, lax.add)
    shares = gradient / jnp.broadcast_to(counts, gradient.shape)
    return _total(window.put(shares, offset, u.shape) for offset in window.offsets())


def bilinear(u: Array, gradient: Array, window: Window) -> Array:
    """Linear interpolation of R between the windows' centres, axis by axis.

    Constant beyond the first and last centre, and scaled so that every window's gradient keeps its
    sum; for windows side by side this is the bilinear up-sampling of R over the window's size.
    """
    for axis, weights in enumerate(_interpolations(gradient.shape, u.shape, window)):
        if weights is not None:
            moved = jnp.moveaxis(gradient, axis, -1) @ jnp.asarray(weights, gradient.dtype)
            gradient = jnp.moveaxis(moved, -1, axis)
    return gradient


@dataclass(frozen=True)
class softmax:  # noqa: N801  a rule by its name, like the functions beside it
    """Shares by size: `R'_i = sum_w R_w exp(u_i / T) / sum_{j in w} exp(u_j / T)`.

    Args:
        temperature: T, in the unit of the activations; towards 0 it is max pooling's own gradient
            (ties share), towards infinity :func:`uniform`.

    Raises:
        ValueError: for a temperature that is not positive.
    """

    temperature: float | int = 1.0

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise ValueError(f"the temperature must be positive, got {self.temperature}")

    def __call__(self, u: Array, gradient: Array, window: Window) -> Array:
        """The gradient at the inputs."""
        offsets, shape = window.offsets(), gradient.shape
        seen = [window.take(u, offset, shape) for offset in offsets]
        highest = window.reduce(u, -np.inf, lax.max)
        sizes = [jnp.exp((part - highest) / self.temperature) for part in seen]
        total = _total(sizes)
        parts = zip(sizes, offsets, strict=True)
        return _total(window.put(gradient * size / total, at, u.shape) for size, at in parts)


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def pool(rule: PoolRule, window: Window, u: Array) -> Array:
    """Max pooling whose gradient follows `rule`."""
    del rule
    return window.reduce(u, -np.inf, lax.max)


def _forward(rule: PoolRule, window: Window, u: Array) -> tuple[Array, Array]:
    return pool(rule, window, u), u


def _backward(rule: PoolRule, window: Window, u: Array, gradient: Array) -> tuple[Array]:
    return (rule(u, gradient, window),)


pool.defvjp(_forward, _backward)


def _total(parts: Iterable[Array]) -> Array:
    return reduce(lax.add, parts)


def _interpolations(
    outputs: tuple[int, ...], inputs: tuple[int, ...], window: Window
) -> list[np.ndarray | None]:
    """Per axis `(outputs, inputs)` the shares of every output's gradient; None where one is one."""
    found: list[np.ndarray | None] = []
    for axis, (count, length) in enumerate(zip(outputs, inputs, strict=True)):
        if window.size[axis] == 1 and window.strides[axis] == 1:
            found.append(None)
            continue
        reach = (window.size[axis] - 1) * window.dilation[axis]
        first = reach / 2 - window.padding[axis][0]
        centres = first + window.strides[axis] * np.arange(count)
        # A centre in the padding moves to the border: every window keeps an input to give to.
        centres = np.clip(centres, 0, length - 1)
        weights = np.stack([np.interp(np.arange(length), centres, row) for row in np.eye(count)])
        nearest = np.rint(centres).astype(int)
        lost = weights.sum(axis=1) == 0
        weights[lost, nearest[lost]] = 1
        found.append(weights / weights.sum(axis=1, keepdims=True))
    return found
