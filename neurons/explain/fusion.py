"""Maps of several layers made one: scaled, fused, and activated once more.

With m_l the normalised map of layer l at the common size and `t_g(m) = tanh(g m) / tanh(g)`:

    F = max_l or mean_l of t_{g_l}(m_l),     result phi(F).

phi brings defects of different size to a suitable activation: it is `t_g`, a sigmoid stretch
`1 / (1 + exp(-a (F - b)))`, or a power `F^p`, p from the area that F already activates.

References:
    P.-T. Jiang, C.-B. Zhang, Q. Hou, M.-M. Cheng, Y. Wei, LayerCAM, IEEE TIP 2021, equation 9.
    H.-C. Dong et al., CG-fusion CAM, arXiv 2307.09161. The abstract alone was at hand; the forms
    of phi and their settings are our reading of "non-linear activation" of fused heatmaps.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from neurons.explain.continuous import cg_cam
from neurons.explain.finishing import Order, finish
from neurons.explain.maps import Maps
from neurons.explain.plug_in import Base, base_method, chosen
from neurons.explain.splitting import Split
from neurons.explain.targets import Target

Combine = Literal["max", "mean"]
Activation = Literal["tanh", "sigmoid", "power", "none"]


def fusion_cam(
    splits: Sequence[Split],
    x: Any,
    target: Target = None,
    *,
    at: int | tuple[int, ...] | None = None,
    layer_method: Base = cg_cam,
    order: Order = "normalise_first",
    gains: float | int | Sequence[float | int] | None = None,
    combine: Combine = "max",
    activation: Activation = "tanh",
    settings: Sequence[float | int] | None = None,
    **options: Any,
) -> Maps:
    """One map from several layers: CG-fusion CAM by default.

    Args:
        splits: the network cut at each layer, shallow to deep, see :func:`neurons.explain.split`.
        x: as for :func:`neurons.explain.maps.cam`.
        target: as for :func:`neurons.explain.maps.cam`.
        at: size at which the layers' maps meet; None for the largest layer's.
        layer_method: of each layer's map, itself or its name in `plug_in.BASES`.
        order: of normalisation and enlargement, see :func:`neurons.explain.finish`.
        gains: as for :func:`fuse`.
        combine: as for :func:`fuse`.
        activation: as for :func:`fuse`.
        settings: as for :func:`fuse`.
        options: of `layer_method`.

    Returns:
        `(batch, *at)` in [0, 1].

    Raises:
        ValueError: for no split, an unknown option; else as the method and :func:`fuse`.
    """
    if not splits:
        raise ValueError("a fusion needs at least one split")
    every = [base_method(layer_method)(*halves, x, target, **options) for halves in splits]
    return fuse(
        every,
        at,
        order=order,
        gains=gains,
        combine=combine,
        activation=activation,
        settings=settings,
    )


def fuse(
    raw: Sequence[Array],
    size: int | tuple[int, ...] | None = None,
    *,
    order: Order = "normalise_first",
    gains: float | int | Sequence[float | int] | None = None,
    combine: Combine = "max",
    activation: Activation = "tanh",
    settings: Sequence[float | int] | None = None,
) -> Maps:
    """Fuse the raw maps of several layers, see the module.

    Args:
        raw: of each layer, shallow to deep; rectified, min-max normalised and enlarged here.
        size: of the result; None for the largest map's.
        order: of normalisation and enlargement, see :func:`neurons.explain.finish`.
        gains: g of every layer, or of all; 0 leaves a map as it is. By default 2 for all layers
            but the deepest, which is left as it is.
        combine: "max" or "mean" over the layers.
        activation: phi: "tanh" with settings (g,), default (3,); "sigmoid" with (a, b), default
            (10, 0.5); "power" with two shares of the image's area, default (0.001, 0.1): where F
            exceeds 1/2 on a share up to the first, p = 1/2, from the second on p = 1, linear in
            the share's logarithm between; "none".
        settings: of the activation.

    Returns:
        `(batch, *size)` in [0, 1]; a sample whose maps are all zero stays zero, but for "sigmoid".

    Raises:
        ValueError: for no map, maps of different numbers of axes, as many gains as layers not
            given, a negative gain, an unknown option, or settings that do not fit.

    Example:
        >>> shallow, deep = jnp.array([[0.0, 1.0, 0.0]]), jnp.array([[0.0, 0.5, 1.0]])
        >>> fuse([shallow, deep], activation="none")[0].tolist()
        [0.0, 1.0, 1.0]
    """
    gains = _gains(gains, len(raw))
    phi, combined = _activation(activation, settings), chosen("combine", combine, _COMBINE)
    if len({maps.ndim for maps in raw}) > 1:
        raise ValueError(f"maps of other axes: {[maps.shape for maps in raw]}")
    largest = tuple(max(sides) for sides in zip(*(maps.shape[1:] for maps in raw), strict=True))
    maps = [finish(one, size or largest, order=order) for one in raw]
    return phi(combined([_stretched(one, g) for one, g in zip(maps, gains, strict=True)]))


def _stretched(maps: Array, gain: float | int) -> Array:
    """`tanh(g m) / tanh(g)`, whose limit for g towards 0 is m."""
    return maps if gain == 0 else jnp.tanh(gain * maps) / float(np.tanh(gain))


def _sigmoid(maps: Array, steepness: float | int, middle: float | int) -> Array:
    return jax.nn.sigmoid(steepness * (maps - middle))


def _power(maps: Array, small: float | int, large: float | int) -> Array:
    spatial = tuple(range(1, maps.ndim))
    area = (maps > 0.5).mean(axis=spatial, keepdims=True, dtype=maps.dtype)
    rise = jnp.log(jnp.maximum(area, small) / small) / float(np.log(large / small))
    exponent = 0.5 + 0.5 * jnp.minimum(rise, 1)
    # A power has no slope at zero: keep it out of the derivative.
    lit = maps > 0
    raised = jnp.where(lit, maps, jnp.ones_like(maps)) ** jnp.broadcast_to(exponent, maps.shape)
    return jnp.where(lit, raised, maps)


_COMBINE: dict[str, Callable[[list[Array]], Array]] = {
    "max": lambda maps: reduce(jnp.maximum, maps),
    "mean": lambda maps: reduce(jnp.add, maps) / len(maps),
}
_ACTIVATIONS: dict[str, tuple[Callable[..., Array], tuple[float, ...]]] = {
    "tanh": (_stretched, (3.0,)),
    "sigmoid": (_sigmoid, (10.0, 0.5)),
    "power": (_power, (1e-3, 0.1)),
    "none": (lambda maps: maps, ()),
}


def _activation(name: str, settings: Sequence[float | int] | None) -> Callable[[Array], Array]:
    phi, defaults = chosen("activation", name, _ACTIVATIONS)
    given = defaults if settings is None else tuple(settings)
    if len(given) != len(defaults) or not all(value > 0 for value in given):
        raise ValueError(f"{name} takes {len(defaults)} positive settings, got {given}")
    if name == "power" and not given[0] < given[1] <= 1:
        raise ValueError(f"power takes two rising shares of the area, got {given}")
    return lambda maps: phi(maps, *given)


def _gains(
    gains: float | int | Sequence[float | int] | None, layers: int
) -> tuple[float | int, ...]:
    if layers < 1:
        raise ValueError("a fusion needs at least one map")
    if gains is None:
        return (*(2.0,) * (layers - 1), 0.0)
    found = tuple(gains) if isinstance(gains, Sequence) else (gains,) * layers
    if len(found) != layers or not all(gain >= 0 for gain in found):
        raise ValueError(f"{layers} layers take one gain or {layers}, none negative; got {found}")
    return found
