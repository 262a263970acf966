"""Attributions at the input: gradients as they are, rectified, smoothed, or integrated.

The signature is that of the class activation maps, `method(features, head, x, target=None,
**options)`, so that the same model, cut anywhere, serves both. Maps have the input's resolution;
the channels of the input are brought together as `channels` says: "max_abs", "sum", "sum_abs",
"l2", or "none", which keeps them. For a pytree of inputs there is a map for each.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from neurons.explain import backward
from neurons.explain.finishing import resized
from neurons.explain.maps import Half, grad_cam
from neurons.explain.smoothing import noise_scales, with_noise
from neurons.explain.splitting import as_input, as_pytree
from neurons.explain.stepping import total
from neurons.explain.targets import Target, scores, settled
from neurons.options import require

Channels = Literal["max_abs", "sum", "sum_abs", "l2", "none"]
Rule = Literal["gauss_legendre", "left", "right", "middle", "trapezoid"]
Kind = Literal["mean", "square", "variance"]


def saliency(
    features: Half, head: Half, x: Any, target: Target = None, *, channels: Channels = "max_abs"
) -> Any:
    """Saliency: `S = d score / d x`.

    Args:
        features: first half of the network; with `head` any pair whose composition gives logits.
        head: second half.
        x: input of floats `(batch, *spatial, channels)`, or a pytree.
        target: see :func:`neurons.explain.targets.scores`.
        channels: see the module; the paper takes the largest absolute value.

    Returns:
        `(batch, *spatial)`; like x for "none".

    Raises:
        TypeError: for input that is no floats, or classes of a wrong type.
        ValueError: for an unknown option or a target that does not fit.

    References:
        K. Simonyan, A. Vedaldi, A. Zisserman, Deep Inside Convolutional Networks: Visualising Image
        Classification Models and Saliency Maps, arXiv 1312.6034.
    """
    return over_channels(_gradient(lambda x: head(features(x)), x, target), channels)


def guided_backprop(
    features: Half, head: Half, x: Any, target: Target = None, *, channels: Channels = "max_abs"
) -> Any:
    """Guided backpropagation: at every ReLU of input u, `R' = R 1[u > 0] 1[R > 0]`.

    Args:
        features: as for :func:`saliency`; written with any of the ReLUs that
            :func:`neurons.explain.backward.rewrite` finds.
        head: as for :func:`saliency`.
        x: as for :func:`saliency`.
        target: as for :func:`saliency`.
        channels: as for :func:`saliency`.

    Returns:
        As :func:`saliency`.

    References:
        J. T. Springenberg, A. Dosovitskiy, T. Brox, M. Riedmiller, Striving for Simplicity: The All
        Convolutional Net, arXiv 1412.6806.
    """
    net = backward.rewrite(lambda x: head(features(x)), relu=backward.guided)
    return over_channels(_gradient(net, x, target), channels)


def deconvnet(
    features: Half, head: Half, x: Any, target: Target = None, *, channels: Channels = "max_abs"
) -> Any:
    """Deconvnet: at every ReLU, `R' = R 1[R > 0]`, whatever its input was.

    Args:
        features: as for :func:`guided_backprop`.
        head: as for :func:`saliency`.
        x: as for :func:`saliency`.
        target: as for :func:`saliency`.
        channels: as for :func:`saliency`.

    Returns:
        As :func:`saliency`.

    References:
        M. D. Zeiler, R. Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014.
    """
    net = backward.rewrite(lambda x: head(features(x)), relu=backward.deconvnet)
    return over_channels(_gradient(net, x, target), channels)


def guided_grad_cam(
    features: Half, head: Half, x: Any, target: Target = None, *, channels: Channels = "max_abs"
) -> Any:
    """Guided Grad-CAM: guided backpropagation times the rectified, enlarged Grad-CAM map.

    Args:
        features: as for :func:`guided_backprop`; the Grad-CAM map is made of its activations.
        head: as for :func:`saliency`.
        x: as for :func:`saliency`; every leaf has the map's spatial axes.
        target: as for :func:`saliency`.
        channels: as for :func:`saliency`, of the product.

    Returns:
        As :func:`saliency`.

    References:
        R. R. Selvaraju et al., Grad-CAM, ICCV 2017, section 3.2.
    """
    coarse = jax.nn.relu(grad_cam(features, head, x, target))
    fine = guided_backprop(features, head, x, target, channels="none")
    product = jax.tree.map(lambda g: g * resized(coarse, g.shape[1:-1])[..., None], fine)
    return over_channels(product, channels)


def smooth_grad(
    features: Half,
    head: Half,
    x: Any,
    target: Target = None,
    *,
    key: Array,
    samples: int = 50,
    std: float = 0.15,
    relative: bool = True,
    kind: Kind = "mean",
    channels: Channels = "max_abs",
) -> Any:
    """SmoothGrad: the gradient averaged over noisy inputs.

    `mean_n S(x + e_n)`, `e_n ~ N(0, std^2)`; "square" averages `S^2`, "variance" is
    `mean S^2 - (mean S)^2` (VarGrad).

    Args:
        features: as for :func:`saliency`.
        head: as for :func:`saliency`.
        x: as for :func:`saliency`.
        target: as for :func:`saliency`; the predicted class is that of `x`.
        key: decides the noise.
        samples: noisy copies.
        std: standard deviation of the noise; the paper finds 10 to 20 % of the range good.
        relative: whether `std` is a share of each sample's `max - min`, or in units of x.
        kind: what is averaged.
        channels: as for :func:`saliency`, after averaging.

    Returns:
        As :func:`saliency`.

    Raises:
        ValueError: for fewer than one sample, a negative deviation, or an unknown option; else as
            :func:`saliency`.

    References:
        D. Smilkov, N. Thorat, B. Kim, F. Viégas, M. Wattenberg, SmoothGrad: removing noise by
        adding noise, arXiv 1706.03825.
        J. Adebayo, J. Gilmer, I. Goodfellow, B. Kim, Local Explanation Methods for Deep Neural
        Networks Lack Sensitivity to Parameter Values, arXiv 1810.03307 (VarGrad).
    """
    require("samples", samples)
    if kind not in ("mean", "square", "variance"):
        raise ValueError(f"kind must be mean, square or variance, got {kind!r}")
    halves, x, chosen = _settled(features, head, x, target)
    fixed = (*halves, x, chosen, noise_scales(x, std, relative=relative))
    sums = total(_noisy_gradient, fixed, jax.random.split(key, samples))
    return over_channels(_moment(sums, samples=samples, kind=kind), channels)


def integrated_gradients(
    features: Half,
    head: Half,
    x: Any,
    target: Target = None,
    *,
    baseline: Any = None,
    steps: int = 50,
    rule: Rule = "gauss_legendre",
    channels: Channels = "sum",
) -> Any:
    """Integrated gradients: `(x - x') int_0^1 S(x' + a (x - x')) da`.

    Complete: the sum over all entries is `score(x) - score(x')`, up to the rule's error.

    Args:
        features: as for :func:`saliency`.
        head: as for :func:`saliency`.
        x: as for :func:`saliency`.
        target: as for :func:`saliency`; the predicted class is that of `x`, all along the path.
        baseline: x', of x's structure and of shapes that broadcast to x's; None for zeros.
        steps: gradients per sample.
        rule: where they are taken, and their weights: Gauss and Legendre's, or a Riemann sum at
            the left ends, right ends or middles of `steps` equal parts, or the trapezoid rule.
        channels: as for :func:`saliency`; "sum" keeps completeness.

    Returns:
        As :func:`saliency`.

    Raises:
        ValueError: for fewer than one step (two for the trapezoid), an unknown option, or a
            baseline that does not fit; else as :func:`saliency`.

    References:
        M. Sundararajan, A. Taly, Q. Yan, Axiomatic Attribution for Deep Networks, ICML 2017.
    """
    places, weights = quadrature(rule, steps)
    halves, x, chosen = _settled(features, head, x, target)
    start = jax.tree.map(jnp.zeros_like, x) if baseline is None else _like(baseline, x)
    operands = jnp.asarray(places, jnp.float32), jnp.asarray(weights, jnp.float32)
    mean = total(_step_along, (*halves, x, start, chosen), operands)
    found = jax.tree.map(lambda one, from_, g: (one - from_) * g, x, start, mean)
    return over_channels(found, channels)


def quadrature(rule: Rule, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Places in [0, 1] and weights of sum 1, see :func:`integrated_gradients`.

    Raises:
        ValueError: for an unknown rule or too few steps.
    """
    require("steps", steps, 2 if rule == "trapezoid" else 1)
    if rule == "gauss_legendre":
        places, weights = np.polynomial.legendre.leggauss(steps)
        return (places + 1) / 2, weights / 2
    if rule == "trapezoid":
        inner = np.full(steps, 1 / (steps - 1))
        inner[[0, -1]] /= 2
        return np.linspace(0, 1, steps), inner
    shifts = {"left": 0.0, "middle": 0.5, "right": 1.0}
    if rule not in shifts:
        raise ValueError(f"rule must be gauss_legendre, trapezoid, {', '.join(shifts)}: {rule!r}")
    return (np.arange(steps) + shifts[rule]) / steps, np.full(steps, 1 / steps)


def over_channels(attribution: Any, channels: Channels) -> Any:
    """Bring the last axis of every leaf together, see the module; "none" leaves it.

    Raises:
        ValueError: for an unknown option.
    """
    if channels not in _OVER:
        raise ValueError(f"channels must be one of {', '.join(_OVER)}, got {channels!r}")
    return jax.tree.map(_OVER[channels], attribution)


_OVER: dict[str, Callable[[Array], Array]] = {
    "max_abs": lambda g: jnp.max(jnp.abs(g), axis=-1),
    "sum": lambda g: jnp.sum(g, axis=-1),
    "sum_abs": lambda g: jnp.sum(jnp.abs(g), axis=-1),
    "l2": lambda g: jnp.linalg.norm(g, axis=-1),
    "none": lambda g: g,
}


def _gradient(net: Callable[[Any], Array], x: Any, target: Any) -> Any:
    return jax.grad(lambda x: jnp.sum(scores(net(x), target)))(_floats(x))


def _floats(x: Any) -> Any:
    x = as_input(x)
    if not all(jnp.issubdtype(leaf.dtype, jnp.floating) for leaf in jax.tree.leaves(x)):
        raise TypeError("the gradient with respect to an input needs floats")
    return x


def _settled(
    features: Half, head: Half, x: Any, target: Target
) -> tuple[tuple[Half, Half], Any, Any]:
    """Halves and input that can be arguments, and the target that the input settles."""
    halves, x = (as_pytree(features), as_pytree(head)), _floats(x)
    return halves, x, settled(target, _logits(*halves, x))


@jax.jit
def _logits(features: Half, head: Half, x: Any) -> Array:
    return head(features(x))


@jax.jit
def _noisy_gradient(
    features: Half, head: Half, x: Any, target: Any, scales: Any, key: Array
) -> tuple[Any, Any]:
    g = _gradient(lambda x: head(features(x)), with_noise(x, scales, key), target)
    return g, jax.tree.map(jnp.square, g)


@partial(jax.jit, static_argnames=("samples", "kind"))
def _moment(sums: tuple[Any, Any], *, samples: int, kind: Kind) -> Any:
    mean, square = jax.tree.map(lambda leaf: leaf / samples, sums)
    if kind == "variance":
        return jax.tree.map(lambda g, squared: squared - jnp.square(g), mean, square)
    return mean if kind == "mean" else square


@jax.jit
def _step_along(
    features: Half, head: Half, x: Any, start: Any, target: Any, operand: tuple[Array, Array]
) -> Any:
    place, weight = operand
    at = jax.tree.map(lambda one, from_: from_ + place.astype(one.dtype) * (one - from_), x, start)
    g = _gradient(lambda x: head(features(x)), at, target)
    return jax.tree.map(lambda leaf: weight.astype(leaf.dtype) * leaf, g)


def _like(baseline: Any, x: Any) -> Any:
    try:
        return jax.tree.map(
            lambda one, leaf: jnp.broadcast_to(jnp.asarray(one, leaf.dtype), leaf.shape),
            baseline,
            x,
        )
    except ValueError as error:
        raise ValueError(f"the baseline does not fit the input: {error}") from error
