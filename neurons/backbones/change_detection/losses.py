"""Losses for maps in which most pixels are of one class: Focal, Dice, Lovasz.

All take logits `(batch, *space, classes)` and labels `(batch, *space)` of whole numbers, and leave
out pixels with the label `ignore`.
"""

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Int

Logits = Float[Array, "batch *space classes"]
Labels = Int[Array, "batch *space"]
IGNORE = -1
ORDERED = 16  # bits of an error that its order must go by


def focal_loss(
    logits: Logits,
    labels: Labels,
    *,
    gamma: float | int = 2.0,
    alpha: Float[Array, " classes"] | None = None,
    ignore: int = IGNORE,
) -> Float[Array, ""]:
    """Cross-entropy of what is not yet known: mean of `-a_y (1 - p_y)^gamma log p_y`.

    Args:
        logits: of every class.
        labels: classes from 0.
        gamma: how fast known pixels lose their weight; 0 is the cross-entropy.
        alpha: weight a of each class; 1 by default.
        ignore: label of pixels that do not count.

    Returns:
        Mean over the pixels that count; 0 if none does.

    Raises:
        ValueError: for a negative gamma, or shapes that do not fit.

    References:
        T.-Y. Lin et al., Focal Loss for Dense Object Detection, ICCV 2017.
    """
    if gamma < 0:
        raise ValueError(f"gamma must be at least 0, got {gamma}")
    counts, safe = _counted(logits, labels, ignore)
    found = jnp.take_along_axis(jax.nn.log_softmax(logits), safe[..., None], axis=-1)[..., 0]
    # 1 - p without cancellation, and above 0: the power has no derivative there.
    rest = jnp.maximum(-jnp.expm1(found), jnp.finfo(found.dtype).tiny)
    losses = -(rest**gamma) * found
    if alpha is not None:
        losses = losses * alpha[safe]
    return jnp.sum(losses * counts) / jnp.maximum(counts.sum(), 1)


def dice_loss(
    logits: Logits, labels: Labels, *, smooth: float | int = 1.0, ignore: int = IGNORE
) -> Float[Array, ""]:
    """Mean over classes of `1 - (2 sum p y + s) / (sum p + sum y + s)`, p softmax probabilities.

    Args:
        logits: of every class.
        labels: classes from 0.
        smooth: s, in pixels; what a class that is nowhere costs little by.
        ignore: label of pixels that do not count.

    Raises:
        ValueError: for `smooth` that is not positive, or shapes that do not fit.

    References:
        F. Milletari et al., V-Net, 3DV 2016.
    """
    if not smooth > 0:
        raise ValueError(f"smooth must be positive, got {smooth}")
    p, y = _probabilities(logits, labels, ignore)
    overlap = (2 * (p * y).sum(axis=0) + smooth) / (p.sum(axis=0) + y.sum(axis=0) + smooth)
    return jnp.mean(1 - overlap)


def lovasz_softmax(logits: Logits, labels: Labels, *, ignore: int = IGNORE) -> Float[Array, ""]:
    """Mean over the classes that are there of the Lovasz extension of `1 - IoU`.

    For one class, the errors `|y - p|` of all pixels, in falling order, are weighted by how much
    each adds to `1 - IoU` of the pixels so far taken as wrong; for predictions of 0 and 1 this is
    `1 - IoU` itself.

    Args:
        logits: of every class.
        labels: classes from 0.
        ignore: label of pixels that do not count.

    Returns:
        0 if no pixel counts.

    Raises:
        ValueError: for shapes that do not fit.

    References:
        M. Berman, A. Rannen Triki, M. Blaschko, The Lovasz-Softmax Loss, CVPR 2018, algorithm 1.
    """
    p, y = _probabilities(logits, labels, ignore)
    losses = jax.vmap(_extension, in_axes=1)(jnp.abs(y - p), y)
    there = (y.sum(axis=0) > 0).astype(losses.dtype)
    return jnp.sum(losses * there) / jnp.maximum(there.sum(), 1)


def _extension(errors: Float[Array, " pixels"], y: Float[Array, " pixels"]) -> Array:
    # Pixels that do not count have error 0 and come last, where they weigh nothing.
    order = _falling(jax.lax.stop_gradient(errors))
    truth = y[order]
    shared = truth.sum() - jnp.cumsum(truth)
    union = truth.sum() + jnp.cumsum(1 - truth)
    losses = 1 - shared / jnp.maximum(union, 1)
    return jnp.sum(errors[order] * jnp.diff(losses, prepend=jnp.zeros(1, losses.dtype)))


def _falling(errors: Float[Array, " pixels"]) -> Array:
    """The order of falling errors; those within 2^-16 of each other may change places.

    On a CPU sorting whole numbers, which hold the error and the place, takes a fifth of the time of
    an argsort. By as little as the errors differ the loss does, too.
    """
    place_bits = max(1, (errors.size - 1).bit_length())
    bits = min(23, 31 - place_bits)
    if bits < ORDERED:
        return jnp.argsort(-errors)
    levels = ((1 - errors) * (2**bits - 1)).astype(jnp.int32)
    packed = (levels << place_bits) | jnp.arange(errors.size, dtype=jnp.int32)
    return jnp.sort(packed) & (2**place_bits - 1)


def _probabilities(
    logits: Logits, labels: Labels, ignore: int
) -> tuple[Float[Array, "pixels classes"], Float[Array, "pixels classes"]]:
    """Probabilities and labels of all pixels, zero in those that do not count."""
    counts, safe = _counted(logits, labels, ignore)
    classes = logits.shape[-1]
    p = jax.nn.softmax(logits).reshape(-1, classes) * counts.reshape(-1, 1)
    y = jax.nn.one_hot(safe.ravel(), classes, dtype=p.dtype) * counts.reshape(-1, 1)
    return p, y


def _counted(logits: Logits, labels: Labels, ignore: int) -> tuple[Array, Array]:
    """1 where a pixel counts, and labels that can be looked up everywhere."""
    if logits.shape[:-1] != labels.shape:
        raise ValueError(f"logits {logits.shape} for labels of shape {labels.shape}")
    counted = labels != ignore
    return counted.astype(logits.dtype), jnp.where(counted, labels, jnp.zeros_like(labels))
