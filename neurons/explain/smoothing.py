"""Maps from several backward passes: Smooth Grad-CAM++ and RefineCAM."""

from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from neurons.explain.finishing import Order, finish
from neurons.explain.maps import (
    Denominator,
    Half,
    Maps,
    grad_cam_pp,
    plus_plus_weights,
    weighted,
)
from neurons.explain.splitting import (
    Split,
    activations_and_gradients,
    activations_of,
    as_input,
    as_pytree,
    forward,
)
from neurons.explain.stepping import total
from neurons.explain.targets import Target, settled
from neurons.options import require


def smooth_grad_cam_pp(
    features: Half,
    head: Half,
    x: Any,
    target: Target = None,
    *,
    key: Array,
    samples: int = 4,
    std: float = 0.3,
    denominator: Denominator = "torch_cam",
    eps: float = 0.0,
) -> Maps:
    """Smooth Grad-CAM++: Grad-CAM++ with the powers of G averaged over noisy inputs.

    `alpha = E[G^2] / (2 E[G^2] + S)`, `w_k = sum_j alpha_j relu(E[G]_j)`, on the activations of the
    input without noise; S as for :func:`neurons.explain.maps.grad_cam_pp`, with E[G^3].

    Args:
        features: as for :func:`neurons.explain.maps.cam`.
        head: as for :func:`neurons.explain.maps.cam`.
        x: input; noise is added to every leaf of floats.
        target: as for :func:`neurons.explain.maps.cam`; the predicted class is that of `x`.
        key: decides the noise.
        samples: noisy copies; 4 as in torch-cam.
        std: standard deviation of the noise, in units of x; 0.3 as in torch-cam.
        denominator: see :func:`neurons.explain.maps.grad_cam_pp`; the paper sums `A E[G^3]`, as
            torch-cam does.
        eps: see :func:`neurons.explain.maps.grad_cam_pp`.

    Returns:
        Raw maps `(batch, *spatial)`. torch-cam takes the last copy's G for E[G].

    Raises:
        ValueError: for fewer than one sample or a negative deviation; else as
            :func:`neurons.explain.maps.cam`.

    References:
        D. Omeiza, S. Speakman, C. Cintas, K. Weldermariam, Smooth Grad-CAM++: An Enhanced Inference
        Level Visualization Technique for Deep Convolutional Neural Network Models, arXiv
        1908.01224.
    """
    require("samples", samples)
    halves, x = (as_pytree(features), as_pytree(head)), as_input(x)
    given, logits = forward(*halves, x)
    fixed = (*halves, x, settled(target, logits), noise_scales(x, std, relative=False))
    sums = total(_noisy_powers, fixed, jax.random.split(key, samples))
    a = activations_of(given)
    return _smoothed(a, sums, samples=samples, denominator=denominator, eps=eps)


def refine_cam(
    splits: Sequence[Split],
    x: Any,
    target: Target = None,
    *,
    at: int | tuple[int, ...] | None = None,
    order: Order = "normalise_first",
    base: Callable[..., Maps] = grad_cam_pp,
    **options: Any,
) -> Maps:
    """RefineCAM: the product over layers of normalised maps, which thins out shallow noise.

    `M = prod_l up(minmax(relu(M_l)))`; a final min-max is the business of
    :func:`neurons.explain.finish`.

    Args:
        splits: the network cut at each layer, see :func:`neurons.explain.split`.
        x: as for :func:`neurons.explain.maps.cam`.
        target: as for :func:`neurons.explain.maps.cam`.
        at: size at which the layers' maps are multiplied; None for the largest layer's.
        order: of normalisation and enlargement, see :func:`neurons.explain.finish`.
        base: method of each layer's map.
        options: of `base`.

    Returns:
        `(batch, *at)`, at most 1.

    Raises:
        ValueError: for no split, or maps of different numbers of axes; else as `base`.

    References:
        How to Evaluate and Refine your CAM, arXiv 2605.14641, 2026.
    """
    if not splits:
        raise ValueError("RefineCAM needs at least one split")
    raw = [base(*halves, x, target, **options) for halves in splits]
    if len({maps.ndim for maps in raw}) > 1:
        raise ValueError(f"maps of other axes: {[maps.shape for maps in raw]}")
    largest = tuple(max(sizes) for sizes in zip(*(maps.shape[1:] for maps in raw), strict=True))
    return reduce(jnp.multiply, (finish(maps, at or largest, order=order) for maps in raw))


@jax.jit
def _noisy_powers(
    features: Half, head: Half, x: Any, target: Any, scales: Any, key: Array
) -> tuple[Array, Array, Array]:
    noisy = with_noise(x, scales, key)
    _, g = activations_and_gradients(features, head, noisy, target)
    return g, g**2, g**3


def noise_scales(x: Any, std: float, *, relative: bool) -> Any:
    """Standard deviation of the noise for every leaf of the input.

    Args:
        x: array or pytree of arrays `(batch, ...)`.
        std: a share of each sample's `max - min`, or in units of x.
        relative: which of the two.

    Returns:
        Pytree of arrays that have x's axes, each of length 1, the batch aside if `relative`.

    Raises:
        ValueError: for a negative deviation.
    """
    if not std >= 0:
        raise ValueError(f"std must be at least 0, got {std}")

    def scale(leaf: Array) -> Array:
        if not relative or not leaf.size:
            return jnp.full((1,) * leaf.ndim, std, leaf.dtype)
        axes = tuple(range(1, leaf.ndim))
        low, high = leaf.min(axis=axes, keepdims=True), leaf.max(axis=axes, keepdims=True)
        return std * (high - low)

    return jax.tree.map(scale, x)


def with_noise(x: Any, scales: Any, key: Array) -> Any:
    """The input with normal noise on every leaf of floats.

    Args:
        x: array or pytree.
        scales: pytree like x, see :func:`noise_scales`.
        key: decides the noise.
    """
    leaves, tree = jax.tree.flatten(x)
    keys = jax.tree.unflatten(tree, jax.random.split(key, len(leaves)))

    def noisy(leaf: Array, scale: Array, key: Array) -> Array:
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            return leaf
        return leaf + scale * jax.random.normal(key, leaf.shape, leaf.dtype)

    return jax.tree.map(noisy, x, scales, keys)


@partial(jax.jit, static_argnames=("samples", "denominator", "eps"))
def _smoothed(a: Array, sums: Any, *, samples: int, denominator: Denominator, eps: float) -> Maps:
    means = (powers / samples for powers in sums)
    return weighted(plus_plus_weights(a, *means, denominator=denominator, eps=eps), a)
