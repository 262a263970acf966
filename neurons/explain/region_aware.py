"""Region-aware class activation maps: where a filtered gradient says the region is.

Filtering-guided backpropagation (FGBP) lets through, at every ReLU, what is positive in value and
gradient and above the q-quantile of the sample's positive gradients there. Its saliency at the
input, smoothed, is the region map Omega, and weighs the channels or positions of a layer:

    channel   M = sum_k w_k 1[mean_i G_i^k > 0] A^k
              w_k = sum_i Omega_i up(A^k)_i / sum_i up(A^k)_i
    spatial   M = norm(up(LayerCAM)) (beta + (1 - beta) Omega)

References:
    Region-Aware CAM: weakly supervised defect segmentation, arXiv 2506.22866. The abstract alone
    was at hand: the filter, the two weights and all settings are our reading of it.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Bool

from neurons.explain import backward
from neurons.explain.finishing import finish, normalised, resized
from neurons.explain.fusion import fuse
from neurons.explain.gradients import Channels, saliency
from neurons.explain.maps import Half, Maps, layer_cam, over_space, weighted
from neurons.explain.plug_in import chosen
from neurons.explain.splitting import Split, activations_and_gradients
from neurons.explain.targets import Target
from neurons.explain.thresholds import otsu
from neurons.options import require

Weights = Literal["channel", "spatial"]
Masks = Bool[Array, "batch *spatial"]
Filter = float | int | None


class Region(NamedTuple):
    """Where the network looks.

    Args:
        map: Omega, `(batch, *spatial)` in [0, 1] at the input's resolution.
        mask: where Omega exceeds Otsu's threshold, closed; `(batch, *spatial)` bool.
    """

    map: Array
    mask: Array


def fgbp(
    features: Half,
    head: Half,
    x: Any,
    target: Target = None,
    *,
    q: Filter = 0.5,
    channels: Channels = "max_abs",
    require_relu: bool = False,
) -> Any:
    """Filtering-guided backpropagation: `R' = R 1[u > 0] 1[R > theta_q]` at every ReLU.

    In a network without ReLU (a transformer with GELU) nothing is filtered, and the result is the
    plain gradient.

    Args:
        features: as for :func:`neurons.explain.gradients.guided_backprop`.
        head: as for :func:`neurons.explain.gradients.guided_backprop`.
        x: input of floats, or a pytree.
        target: see :func:`neurons.explain.targets.scores`.
        q: share of the positive gradients that each ReLU filters out; 0 is guided
            backpropagation, None filters nothing: the plain gradient.
        channels: see `neurons.explain.gradients`.
        require_relu: whether a network without ReLU is an error.

    Returns:
        `(batch, *spatial)` for every leaf of `x`.

    Raises:
        ValueError: for `q` outside [0, 1], or a network without ReLU if that is required; else as
            :func:`neurons.explain.gradients.saliency`.
    """
    rule = None if q is None else backward.truncated(q)
    net = backward.rewrite(lambda x: head(features(x)), relu=rule, require=require_relu)
    return saliency(net, lambda logits: logits, x, target, channels=channels)


def region(
    features: Half,
    head: Half,
    x: Any,
    target: Target = None,
    *,
    q: Filter = 0.5,
    channels: Channels = "max_abs",
    require_relu: bool = False,
    sigma: float | int = 2.0,
    radius: int = 2,
) -> Region:
    """The region that filtered gradients point at: smoothed FGBP, and its closed Otsu mask.

    Args:
        features: as for :func:`fgbp`.
        head: as for :func:`fgbp`.
        x: array `(batch, *spatial, channels)`, or a pytree of such with equal spatial axes, whose
            saliencies are added.
        target: as for :func:`fgbp`.
        q: as for :func:`fgbp`.
        channels: as for :func:`fgbp`, but for "none".
        require_relu: as for :func:`fgbp`.
        sigma: of the Gaussian, in pixels of the input; 0 for none.
        radius: the mask is closed by a square of side 2 radius + 1 pixels.

    Returns:
        See :class:`Region`; a sample without gradient has the map 0 and an empty mask.

    Raises:
        ValueError: for inputs of different spatial axes, a negative `sigma` or `radius`; else as
            :func:`fgbp`.
    """
    if channels == "none":
        raise ValueError('a region has no channels: channels must not be "none"')
    given: dict[str, Any] = {"q": q, "channels": channels, "require_relu": require_relu}
    parts = jax.tree.leaves(fgbp(features, head, x, target, **given))
    if len({part.shape for part in parts}) > 1:
        raise ValueError(f"inputs of different sizes share no region: {[p.shape for p in parts]}")
    found = normalised(smoothed(jax.nn.relu(sum(parts[1:], parts[0])), sigma))
    threshold = otsu(lax.stop_gradient(found)).reshape(-1, *(1,) * (found.ndim - 1))
    return Region(found, closed(found > threshold, radius))


def region_aware_cam(
    features: Half,
    head: Half,
    x: Any,
    target: Target = None,
    *,
    weights: Weights = "channel",
    beta: float | int = 0.2,
    eps: float = 1e-7,
    region_map: Array | None = None,
    **options: Any,
) -> Maps:
    """Region-aware CAM of one layer.

    Args:
        features: as for :func:`fgbp`; the map is made of its activations.
        head: as for :func:`fgbp`.
        x: as for :func:`region`.
        target: as for :func:`fgbp`.
        weights: "channel" weighs each channel that speaks for the target by the mean of Omega
            under it; "spatial" weighs the positions of LayerCAM.
        beta: what "spatial" leaves outside the region.
        eps: for channels that are silent.
        region_map: Omega, if it is known already: several layers share one.
        options: of :func:`region`.

    Returns:
        Raw maps: at the layer's resolution for "channel", at the region's for "spatial".

    Raises:
        ValueError: for an unknown option, `beta` outside [0, 1], or a region of other axes; else as
            :func:`region`.
    """
    weigh = chosen("weights", weights, {"channel": _by_channel, "spatial": _by_position})
    if not 0 <= beta <= 1:
        raise ValueError(f"beta must lie in [0, 1], got {beta}")
    if region_map is None:
        region_map = region(features, head, x, target, **options).map
    elif options:
        raise ValueError(f"a region that is given takes no options, got {', '.join(options)}")
    return weigh(features, head, x, target, region_map, beta=beta, eps=eps)


def region_fusion_cam(
    splits: Sequence[Split],
    x: Any,
    target: Target = None,
    *,
    at: int | tuple[int, ...] | None = None,
    weights: Weights = "channel",
    beta: float | int = 0.2,
    region_map: Array | None = None,
    **options: Any,
) -> Maps:
    """Region-aware CAM: the largest of several layers' normalised maps, with one region.

    Args:
        splits: the network cut at each layer, shallow to deep; stages 2 to 4 in our reading.
        x: as for :func:`region`.
        target: as for :func:`region`.
        at: size at which the layers' maps meet; None for the region's, which is the input's.
        weights: as for :func:`region_aware_cam`.
        beta: as for :func:`region_aware_cam`.
        region_map: as for :func:`region_aware_cam`.
        options: of :func:`region`.

    Returns:
        `(batch, *at)` in [0, 1].

    Raises:
        ValueError: for no split; else as :func:`region_aware_cam`.
    """
    if not splits:
        raise ValueError("a fusion needs at least one split")
    if region_map is None:
        region_map = region(*splits[0], x, target, **options).map
    elif options:
        raise ValueError(f"a region that is given takes no options, got {', '.join(options)}")
    given: dict[str, Any] = {"weights": weights, "beta": beta, "region_map": region_map}
    maps = [region_aware_cam(*halves, x, target, **given) for halves in splits]
    return fuse(maps, at or region_map.shape[1:], gains=0, activation="none")


def smoothed(maps: Maps, sigma: float | int) -> Maps:
    """Gaussian filter over space, mirrored at the borders and cut at four sigma, like SciPy's.

    Raises:
        ValueError: for a negative `sigma`.
    """
    if not sigma >= 0:
        raise ValueError(f"sigma must be at least 0, got {sigma}")
    for axis in range(1, maps.ndim if sigma else 1):
        matrix = jnp.asarray(_gaussian(maps.shape[axis], float(sigma)), maps.dtype)
        maps = jnp.moveaxis(jnp.moveaxis(maps, axis, -1) @ matrix, -1, axis)
    return maps


def closed(masks: Masks, radius: int) -> Masks:
    """Closing by a square of side `2 radius + 1`: gaps narrower than that are filled.

    Raises:
        ValueError: for a negative radius.
    """
    require("radius", radius, 0)
    window = (1, *(2 * radius + 1,) * (masks.ndim - 1))
    grown = lax.reduce_window(masks, False, lax.bitwise_or, window, (1,) * masks.ndim, "SAME")
    return lax.reduce_window(grown, True, lax.bitwise_and, window, (1,) * masks.ndim, "SAME")


def _by_channel(
    features: Half, head: Half, x: Any, target: Any, omega: Array, *, beta: float, eps: float
) -> Maps:
    del beta
    a, g = activations_and_gradients(features, head, x, target)
    if omega.shape[0] != len(a) or omega.ndim != a.ndim - 1:
        raise ValueError(f"a region of shape {omega.shape} has no place on activations {a.shape}")
    # sum_i Omega_i up(A)_i = sum_j up^T(Omega)_j A_j, without enlarging every channel.
    _, transposed = jax.vjp(lambda maps: resized(maps, omega.shape[1:]), jnp.zeros_like(a[..., 0]))
    under, whole = (
        over_space(transposed(part)[0][..., None] * a) for part in (omega, jnp.ones_like(omega))
    )
    for_target = g.mean(axis=tuple(range(1, g.ndim - 1))) > 0
    w = under / (whole + eps)
    return weighted(jnp.where(for_target, w, jnp.zeros_like(w)), a)


def _by_position(
    features: Half, head: Half, x: Any, target: Any, omega: Array, *, beta: float, eps: float
) -> Maps:
    del eps
    base = finish(layer_cam(features, head, x, target), omega.shape[1:])
    return base * (beta + (1 - beta) * omega)


def _gaussian(length: int, sigma: float) -> np.ndarray:
    """`(length, length)`: how every position is spread over all, mirrored at both ends."""
    reach = int(4 * sigma + 0.5)
    offsets = np.arange(-reach, reach + 1)
    kernel = np.exp(-0.5 * (offsets / sigma) ** 2)
    kernel /= kernel.sum()
    # Position -1 is 0 again, -2 is 1: a walk of period twice the length.
    seen = (np.arange(length)[:, None] + offsets) % (2 * length)
    seen = np.minimum(seen, 2 * length - 1 - seen)
    matrix = np.zeros((length, length))
    np.add.at(matrix, (seen, np.arange(length)[:, None]), kernel[None])
    return matrix
