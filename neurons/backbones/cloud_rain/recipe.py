"""How networks on clouds of points are trained: loss, learning rates, augmentation.

Augmentations are pure functions of a key and points `(batch, n, d)` whose channels are all
coordinates.

References:
    Y. Cui, L. Ruan, H.-C. Dong, Q. Li, Z. Wu, T. Zeng, F.-L. Fan, Cloud-RAIN: Point Cloud Analysis
    with Reflectional Invariance, arXiv 2305.07814 (code).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from jaxtyping import Float, Int, Key

from neurons.backbones.cloud_rain.pointnet import orthogonality_penalty
from neurons.neuron import Neuron
from neurons.relinear import relinear

GROWN_RATES: Mapping[str, float] = MappingProxyType({"product": 1e-3, "power": 1e-3})
S3DIS_RATES: Mapping[str, float] = MappingProxyType({"product": 1e-3, "power": 1e-2})


def smoothed_cross_entropy(
    model: Any, batch: tuple[Array, Array], smoothing: float = 0.2
) -> Float[Array, ""]:
    """Mean cross-entropy of `model(points)` against smoothed labels, `batch = (points, labels)`.

    The label's probability is `1 - smoothing + smoothing / classes`, every other's
    `smoothing / classes`. Labels are one per cloud or one per point, as the logits are.

    Raises:
        ValueError: for a smoothing outside [0, 1].
    """
    points, labels = batch
    return _smoothed(model(points), labels, smoothing)


def regularised_cross_entropy(
    model: Any, batch: tuple[Array, Array], smoothing: float = 0.2, weight: float = 1e-3
) -> Float[Array, ""]:
    """:func:`smoothed_cross_entropy` of a PointNet, and `weight` times its transform's penalty.

    The authors' training script leaves the penalty out for the quadratic PointNet, and reads the
    network's pair of outputs as logits, on which it stops.

    Raises:
        ValueError: for a network without a feature transform.
    """
    points, labels = batch
    features, matrices = model.transformed(points)
    if matrices is None:
        raise ValueError("the network has no feature transform to regularise")
    loss = _smoothed(model.head(features), labels, smoothing)
    return loss + weight * orthogonality_penalty(matrices)


def _smoothed(logits: Array, labels: Array, smoothing: float) -> Array:
    if not 0 <= smoothing <= 1:
        raise ValueError(f"smoothing must lie in [0, 1], got {smoothing}")
    targets = jax.nn.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    return optax.softmax_cross_entropy(logits, optax.smooth_labels(targets, smoothing)).mean()


class ScheduledState(NamedTuple):
    """State of :func:`optimizer`: steps taken, and relinear's state."""

    step: Array
    inner: Any


def optimizer(
    neuron: Neuron,
    steps: int,
    *,
    rate: float = 0.1,
    grown: Mapping[str, float] = GROWN_RATES,
    floor: float = 1e-3,
    momentum: float = 0.9,
    decay: float = 1e-4,
) -> optax.GradientTransformation:
    """Stochastic gradient descent as published: a learning rate for each group of branches.

    Each group's rate falls from its start to the `floor` along half a cosine: the rate of branch r
    and of all conventional parts a hundredfold, those of g and b, which start at the floor, not at
    all. The decay is PyTorch's: it joins the gradient before the momentum.

    Args:
        neuron: of the network; groups that it does not have need no rate.
        steps: in all.
        rate: at the start, of everything conventional.
        grown: at the start, of the groups "product" (branch g) and "power" (branch b);
            `S3DIS_RATES` for the scenes of S3DIS.
        floor: the rates at the end.
        momentum: of the steps.
        decay: of the weights.

    Raises:
        ValueError: for steps below 1, or rates that are not positive.
    """
    if steps < 1 or not min(rate, floor, *grown.values()) > 0:
        raise ValueError(f"needs steps and rates above 0, got {steps}, {rate}, {floor}, {grown}")
    falling = _cosine(rate, floor, steps)
    plain = optax.chain(optax.add_decayed_weights(decay), optax.sgd(falling, momentum))
    groups = {branch.group for branch in neuron.branches} & set(grown)
    if not groups:
        return plain
    rates = {group: _cosine(grown[group], floor, steps) for group in sorted(groups)}
    inner = relinear(plain, {group: grown[group] / rate for group in rates})

    def init(params: Any) -> ScheduledState:
        return ScheduledState(jnp.zeros((), jnp.int32), inner.init(params))

    def update(updates: Any, state: ScheduledState, params: Any = None) -> tuple[Any, Any]:
        scale = {group: one(state.step) / falling(state.step) for group, one in rates.items()}
        scheduled = state.inner._replace(relinear_scale=scale)
        found, after = inner.update(updates, scheduled, params)
        return found, ScheduledState(state.step + 1, after)

    return optax.GradientTransformation(init, update)


def _cosine(start: float, end: float, steps: int) -> optax.Schedule:
    return optax.cosine_decay_schedule(start, steps, alpha=end / start)


def scale_and_shift(
    key: Key[Array, ""],
    points: Float[Array, "batch points coordinates"],
    *,
    low: float = 2 / 3,
    high: float = 3 / 2,
    shift: float = 0.2,
) -> Float[Array, "batch points coordinates"]:
    """Every axis of every cloud times U(low, high), plus U(-shift, shift)."""
    one, other = jax.random.split(key)
    shape = (points.shape[0], 1, points.shape[2])
    factors = jax.random.uniform(one, shape, points.dtype, low, high)
    return points * factors + jax.random.uniform(other, shape, points.dtype, -shift, shift)


def shuffle(
    key: Key[Array, ""], points: Float[Array, "batch points coordinates"]
) -> Float[Array, "batch points coordinates"]:
    """Every cloud's points in a new order."""
    return jnp.take_along_axis(points, orders(key, *points.shape[:2])[..., None], axis=1)


def orders(key: Key[Array, ""], batch: int, points: int) -> Int[Array, "batch points"]:
    """A random order of the points of every cloud, for points and labels alike."""
    return jax.vmap(lambda k: jax.random.permutation(k, points))(jax.random.split(key, batch))


def rotate(
    key: Key[Array, ""],
    points: Float[Array, "batch points coordinates"],
    law: Literal["uniform", "euler"] = "uniform",
) -> Float[Array, "batch points coordinates"]:
    """Every cloud turned at random.

    Args:
        key: decides the rotations.
        points: clouds.
        law: "uniform" over all rotations, or "euler", the published one in three dimensions:
            three uniform angles about x, y, z, which prefers some directions.

    Raises:
        ValueError: for another law, or Euler angles in other than three dimensions.
    """
    if law not in ("uniform", "euler") or (law == "euler" and points.shape[-1] != 3):
        raise ValueError(f'law must be "uniform", or "euler" for d = 3, got {law!r}')
    draw = _uniform_rotations if law == "uniform" else _euler_rotations
    return points @ draw(key, points.shape[0], points.shape[-1]).astype(points.dtype)


def _uniform_rotations(key: Array, batch: int, d: int) -> Array:
    q, r = jnp.linalg.qr(jax.random.normal(key, (batch, d, d)))
    q = q * jnp.sign(jnp.diagonal(r, axis1=1, axis2=2))[:, None]  # uniform over O(d)
    flip = jnp.concatenate([jnp.linalg.det(q)[:, None], jnp.ones((batch, d - 1))], axis=1)
    return q * jnp.sign(flip)[:, None]


def _euler_rotations(key: Array, batch: int, d: int) -> Array:
    angles = jax.random.uniform(key, (batch, d), maxval=2 * np.pi)
    turn = jnp.eye(d)[None]
    for axis in range(d):
        i, j = (axis + 1) % d, (axis + 2) % d
        cos, sin = jnp.cos(angles[:, axis]), jnp.sin(angles[:, axis])
        one = jnp.tile(jnp.eye(d)[None], (batch, 1, 1))
        one = one.at[:, i, i].set(cos).at[:, j, j].set(cos)
        turn = turn @ one.at[:, i, j].set(-sin).at[:, j, i].set(sin)
    return turn


def mirror(
    key: Key[Array, ""], points: Float[Array, "batch points coordinates"]
) -> Float[Array, "batch points coordinates"]:
    """One axis of every cloud negated, each with probability 1 / (d + 1), or none.

    As in the authors' code, where it stands commented out.
    """
    batch, _, d = points.shape
    chosen = jax.random.randint(key, (batch,), 0, d + 1)
    signs = 1 - 2 * jax.nn.one_hot(chosen, d, dtype=points.dtype)  # d: none
    return points * signs[:, None]
