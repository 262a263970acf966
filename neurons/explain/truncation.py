"""Shallow class activation maps: the gradient truncated, to keep the target and drop the noise.

A shallow layer's gradient is positive nearly everywhere, mostly a little. With theta the q-quantile
of a layer's positive gradients, for each sample by itself, its map is made of g(G) for G:

    thr        g(G) = G 1[G > theta]       (default)
    clip       g(G) = min(relu(G), theta)  bounds what single positions contribute
    backprop   thr at this layer and at every ReLU between it and the score
    neg        g(G) = relu(-G)             control: the positive part removed, the rest by size

References:
    H.-C. Dong et al., Shallow class activation maps with truncated positive gradients, arXiv
    2308.02118. The abstract alone was at hand; the four readings and q are ours.
"""

from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import Array

from neurons.explain import backward
from neurons.explain.maps import Half, Maps
from neurons.explain.plug_in import Base, base_method, chosen, with_gradient
from neurons.explain.quantiles import check_share
from neurons.explain.relu_rules import per_sample, without
from neurons.explain.targets import Target

Truncation = Literal["thr", "clip", "backprop", "neg"]


def truncated_cam(
    features: Half,
    head: Half,
    x: Any,
    target: Target = None,
    *,
    truncation: Truncation = "thr",
    q: float | int = 0.5,
    base: Base = "layer_cam",
    **options: Any,
) -> Maps:
    """A class activation map of truncated gradients; `sum_k g(G^k) A^k` on LayerCAM.

    Args:
        features: as for :func:`neurons.explain.maps.cam`.
        head: as for :func:`neurons.explain.maps.cam`; for "backprop" written with a ReLU that
            :func:`neurons.explain.backward.rewrite` finds.
        x: as for :func:`neurons.explain.maps.cam`.
        target: as for :func:`neurons.explain.maps.cam`.
        truncation: "thr", "clip", "backprop" or "neg", see the module.
        q: share of the positive gradients up to the threshold. 0 is LayerCAM for "thr", LayerCAM
            of guided gradients for "backprop" and an empty map for "clip"; for "clip", 1 is
            LayerCAM. "neg" does not read it.
        base: the method, by its name in `neurons.explain.plug_in.BASES` or itself, that takes g(G)
            for G. On Grad-CAM q = 0 averages the positive gradients, which is not Grad-CAM.
        options: of the base.

    Returns:
        Raw maps `(batch, *spatial)`.

    Raises:
        ValueError: for an unknown option or `q` outside [0, 1]; else as the base.

    Example:
        >>> def dark(a):
        ...     return a.sum(axis=(1, 3))[:, :1]
        >>> truncated_cam(lambda x: x, dark, jnp.ones((1, 2, 2, 1)), 1).tolist()
        [[[0.0, 0.0], [0.0, 0.0]]]
    """
    rule = chosen("truncation", truncation, _RULES)(q)
    if truncation == "backprop":
        head = backward.rewrite(head, relu=backward.truncated(q))
    return base_method(base)(features, with_gradient(head, rule), x, target, **options)


@dataclass(frozen=True)
class _Quantile:
    q: float | int

    def __post_init__(self) -> None:
        check_share(self.q)


class _Above(_Quantile):
    def __call__(self, gradient: Array) -> Array:
        return without(gradient <= per_sample(gradient, self.q), gradient)


class _Bounded(_Quantile):
    def __call__(self, gradient: Array) -> Array:
        theta = jnp.broadcast_to(per_sample(gradient, self.q), gradient.shape)
        return jnp.minimum(without(gradient <= 0, gradient), theta)


class _Negative(_Quantile):
    def __call__(self, gradient: Array) -> Array:
        return jax.nn.relu(-gradient)


_RULES = {"thr": _Above, "clip": _Bounded, "backprop": _Above, "neg": _Negative}
