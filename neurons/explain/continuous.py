"""CG-CAM: class activation maps of a continuous gradient.

LayerCAM's maps scatter because max pooling sends its gradient to one position of each window and
ReLU to none or all. Here the backward pass alone is changed, between the layer and the score: a
pooling shares its gradient out over the window, a ReLU may open gradually. Then, as in LayerCAM,

    M = sum_k relu(G~^k) A^k.

References:
    H.-C. Dong et al., CG-fusion CAM: Online segmentation of laser-induced damage on
    large-aperture optics, arXiv 2307.09161. The abstract alone was at hand; the rules are our
    reading of "continuous gradient".
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from neurons.explain import backward
from neurons.explain.maps import Half, Maps
from neurons.explain.plug_in import Base, base_method, chosen
from neurons.explain.targets import Target

POOLS: Mapping[str, backward.PoolRule | None] = MappingProxyType(
    {
        "uniform": backward.uniform,
        "bilinear": backward.bilinear,
        "softmax": backward.softmax(1.0),
        "keep": None,
    }
)
"""Pooling rules by name."""

RELUS: Mapping[str, backward.ReluRule | None] = MappingProxyType(
    {"keep": None, "soft": backward.soft(1.0)}
)
"""ReLU rules by name."""


def cg_cam(
    features: Half,
    head: Half,
    x: Any,
    target: Target = None,
    *,
    pool: str | backward.PoolRule = "uniform",
    relu: str | backward.ReluRule = "keep",
    base: Base = "layer_cam",
    **options: Any,
) -> Maps:
    """CG-CAM: LayerCAM with a continuous gradient; one backward pass.

    Between the layer and the score of a network without max pooling it is LayerCAM, to the last
    bit; so is "keep" with "keep" everywhere.

    Args:
        features: as for :func:`neurons.explain.maps.cam`.
        head: as for :func:`neurons.explain.maps.cam`; its max poolings and ReLUs are those that
            :func:`neurons.explain.backward.rewrite` finds.
        x: as for :func:`neurons.explain.maps.cam`.
        target: as for :func:`neurons.explain.maps.cam`.
        pool: "uniform" shares, "bilinear" interpolation, "softmax" of the activations (temperature
            1), "keep" for max pooling's own gradient; or a rule, as
            `neurons.explain.backward.softmax(0.1)`.
        relu: "keep" for ReLU's own gradient, "soft" for `sigmoid(u)`; or a rule.
        base: the method, by name or itself, that takes the continuous gradient for G.
        options: of the base.

    Returns:
        Raw maps `(batch, *spatial)`.

    Raises:
        ValueError: for an unknown name; else as the base.
    """
    pool_rule = pool if callable(pool) else chosen("pool", pool, POOLS)
    relu_rule = relu if callable(relu) else chosen("relu", relu, RELUS)
    continuous = backward.rewrite(head, pool=pool_rule, relu=relu_rule)
    return base_method(base)(features, continuous, x, target, **options)
