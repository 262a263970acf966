"""Maps without gradients: Score-CAM and Ablation-CAM, which watch the score channel by channel.

Channels are taken in chunks; one chunk is one batch of `chunk` copies of all samples, so there is
no loop over samples. Called outside of a compiled program, one compiled step is called per chunk;
inside of one, the chunks are a `lax.map`, which is slow on CPU where the network convolves.
"""

from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from neurons.explain.finishing import Order, finish
from neurons.explain.maps import Half, Maps, weighted
from neurons.explain.splitting import (
    activations_of,
    as_input,
    as_pytree,
    forward,
    repeated,
    replaced,
)
from neurons.explain.stepping import collected
from neurons.explain.targets import Target, scores, settled
from neurons.options import require


def score_cam(
    features: Half,
    head: Half,
    x: Any,
    target: Target = None,
    *,
    chunk: int = 16,
    order: Order = "resize_first",
) -> Maps:
    """Score-CAM: a channel weighs what the score becomes behind a mask of its activations.

    `M = sum_k w_k A^k`, `w = softmax_k(score(x m_k))`, `m_k` the activations `A^k` enlarged to the
    input and brought to [0, 1]. (The paper subtracts a baseline's score, which the softmax
    cancels.) A channel that is constant masks everything.

    Args:
        features: as for :func:`neurons.explain.maps.cam`.
        head: as for :func:`neurons.explain.maps.cam`.
        x: input; of a pytree, every leaf with the map's axes is masked.
        target: as for :func:`neurons.explain.maps.cam`; the predicted class is that of `x`.
        chunk: channels at a time; memory grows with it.
        order: whether a mask is enlarged first (the paper) or brought to [0, 1] first (torch-cam).

    Returns:
        Raw maps `(batch, *spatial)`.

    Raises:
        TypeError: for uint8 images, or classes of a wrong type.
        ValueError: for a chunk below 1, inputs without the map's axes, activations without space,
            or a target that does not fit.

    References:
        H. Wang et al., Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural
        Networks, CVPR Workshops 2020.
    """
    require("chunk", chunk)
    halves, x = (as_pytree(features), as_pytree(head)), as_input(x)
    given, logits = forward(*halves, x)
    a = activations_of(given)
    if not any(_masked(leaf, a) for leaf in jax.tree.leaves(x)):
        shapes = [jnp.shape(leaf) for leaf in jax.tree.leaves(x)]
        raise ValueError(f"activations {a.shape} cannot mask inputs {shapes}: other axes")
    step = partial(_score_step, chunk=min(chunk, a.shape[-1]), order=order)
    fixed = (*halves, x, a, settled(target, logits))
    return _softmax_map(_by_channel(step, fixed, a, chunk), a)


def ablation_cam(
    features: Half,
    head: Half,
    x: Any,
    target: Target = None,
    *,
    chunk: int = 16,
    relative_to: Literal["magnitude", "score"] = "magnitude",
) -> Maps:
    """Ablation-CAM: a channel weighs what the score loses without it.

    `M = sum_k w_k A^k`, `w_k = (y - y_k) / |y|`, with `y_k` the score where `A^k` is zero.

    Args:
        features: as for :func:`neurons.explain.maps.cam`.
        head: as for :func:`neurons.explain.maps.cam`.
        x: as for :func:`neurons.explain.maps.cam`.
        target: as for :func:`neurons.explain.maps.cam`; the predicted class is that of `x`.
        chunk: channels at a time; memory grows with it.
        relative_to: "magnitude" divides by |y|; "score" by y, as the paper prints it, which turns
            the map of a negative score, such as a misjudged sample's, into its opposite.

    Returns:
        Raw maps `(batch, *spatial)`; zero where the score is.

    Raises:
        TypeError: for uint8 images, or classes of a wrong type.
        ValueError: for a chunk below 1, an unknown option, activations without space, or a target
            that does not fit.

    References:
        S. Desai, H. G. Ramaswamy, Ablation-CAM: Visual Explanations for Deep Convolutional Network
        via Gradient-free Localization, WACV 2020.
    """
    require("chunk", chunk)
    if relative_to not in ("magnitude", "score"):
        raise ValueError(f'relative_to must be "magnitude" or "score", got {relative_to!r}')
    head = as_pytree(head)
    given, logits = forward(as_pytree(features), head, as_input(x))
    a, chosen = activations_of(given), settled(target, logits)
    step = partial(_ablation_step, chunk=min(chunk, a.shape[-1]))
    without = _by_channel(step, (head, given, chosen), a, chunk)
    return _loss_map(without, scores(logits, chosen), a, relative_to)


def _by_channel(
    step: Any, fixed: tuple[Any, ...], a: Array, chunk: int
) -> Float[Array, "channels batch"]:
    """A score for every channel and sample; the last chunk goes back to be as long as the rest."""
    channels, chunk = a.shape[-1], min(chunk, a.shape[-1])
    starts = np.minimum(np.arange(0, channels, chunk), channels - chunk)
    found = collected(step, fixed, jnp.asarray(starts))  # (chunks, chunk, batch)
    again = len(starts) * chunk - channels  # what the last chunk shares with the one before it
    last = found[-1, again:]
    return jnp.concatenate([found[:-1].reshape(channels - len(last), len(a)), last])


@partial(jax.jit, static_argnames=("chunk", "order"))
def _score_step(
    features: Half,
    head: Half,
    x: Any,
    a: Array,
    target: Any,
    start: Array,
    *,
    chunk: int,
    order: Order,
) -> Float[Array, "chunk batch"]:
    some = jax.lax.dynamic_slice_in_dim(a, start, chunk, axis=-1)
    some = jnp.moveaxis(some, -1, 0).reshape(chunk * len(a), *a.shape[1:-1])

    def behind_masks(leaf: Array) -> Array:
        many = repeated(leaf, chunk)
        if not _masked(leaf, a):
            return many
        masks = finish(some, leaf.shape[1:-1], rectify=False, normalise="minmax", order=order)
        return many * masks[..., None].astype(many.dtype)

    logits = head(features(jax.tree.map(behind_masks, x)))
    return _scores_by_copy(logits, target, chunk)


@partial(jax.jit, static_argnames=("chunk",))
def _ablation_step(
    head: Half, given: Any, target: Any, start: Array, *, chunk: int
) -> Float[Array, "chunk batch"]:
    a = activations_of(given)
    gone = jax.nn.one_hot(start + jnp.arange(chunk), a.shape[-1], dtype=a.dtype)
    kept = a[None] * (1 - gone).reshape(chunk, *(1,) * (a.ndim - 1), a.shape[-1])
    kept = kept.reshape(chunk * len(a), *a.shape[1:])
    return _scores_by_copy(head(replaced(given, kept)), target, chunk)


def _scores_by_copy(logits: Array, target: Any, copies: int) -> Float[Array, "copies batch"]:
    by_copy = logits.reshape(copies, len(logits) // copies, *logits.shape[1:])
    return jax.vmap(lambda one: scores(one, target))(by_copy)


def _masked(leaf: Array, a: Array) -> bool:
    return jnp.ndim(leaf) == a.ndim and bool(jnp.issubdtype(jnp.result_type(leaf), jnp.floating))


@jax.jit
def _softmax_map(found: Float[Array, "channels batch"], a: Array) -> Maps:
    return weighted(jax.nn.softmax(found.T, axis=1), a)


@partial(jax.jit, static_argnames=("relative_to",))
def _loss_map(
    without: Float[Array, "channels batch"], y: Float[Array, " batch"], a: Array, relative_to: str
) -> Maps:
    size = jnp.abs(y) if relative_to == "magnitude" else y
    lost = (y[None] - without) / jnp.where(size == 0, 1, size)[None]
    return weighted(jnp.where(size[None] == 0, jnp.zeros_like(lost), lost).T, a)
