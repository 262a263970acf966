"""Any network on points, made invariant under rotations and mirrors.

Three ways, from cheap to general:

- "canonical" (Cloud-RAIN): the network sees the cloud in its own axes, once. Their signs are
  arbitrary, so the network must be blind to them: power-only neurons first, `u = W (z * z) + c`.
  It then cannot see the sign of single coordinates either.
- "signnet": learned features `rho([phi(z_k) + phi(-z_k)]_k)` of the coordinates come before any
  network. They see how signs of one axis go together, and not how those of two axes do.
- "frames": the average over all signs of the axes. Any network, `2^d` times the cost, and whatever
  the network can express of an invariant it still can.
"""

from collections.abc import Callable
from typing import Any, Literal

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.backbones.cloud_rain.frames import (
    GAP,
    Symmetry,
    check_group,
    signs,
    trusted,
)

Method = Literal["canonical", "frames", "signnet"]
METHODS: tuple[Method, ...] = ("canonical", "frames", "signnet")


class Invariant(nnx.Module):
    """A network on points behind axes that turn with the cloud.

    Exactly invariant, up to rounding, under shifts and under O(d), or under SO(d) alone. Axes are
    principal axes; for clouds whose eigenvalues come closer than `gap` they are built from the
    points, see :func:`neurons.backbones.cloud_rain.point_frame`, because averaging over signs
    helps only where the eigenvalues differ. Whether a network is blind to signs, and so fits
    "canonical", `theory.invariance` tells: `invariance_gap(net, x, axis_mirrors(3), ...)`.

    Args:
        net: from points `(batch, n, d)` to whatever, row by row: logits, or logits of each point.
        group: "O" (mirrors too) or "SO" (keeps chirality apart; method "frames" only).
        method: "canonical", "frames" or "signnet".
        gap: relative gap between eigenvalues under which principal axes are not trusted.
        sample: method "frames": in training, one random frame per cloud in place of all, which
            costs what the bare network costs; in evaluation all of them.
        encoder: method "signnet": from coordinates to what the network reads; by default
            :class:`SignFeatures` with as many channels as coordinates.
        dimension: of the points, 2 or 3; for the default encoder.
        rngs: stream `frames` for `sample`, stream `params` for the default encoder.

    Raises:
        ValueError: for an unknown group or method, "SO" with a method that is blind to mirrors, a
            negative gap, or `sample` with another method than "frames".
        TypeError: where `rngs` is needed and missing.

    References:
        Y. Cui, L. Ruan, H.-C. Dong, Q. Li, Z. Wu, T. Zeng, F.-L. Fan, Cloud-RAIN: Point Cloud
        Analysis with Reflectional Invariance, arXiv 2305.07814.
        O. Puny et al., Frame Averaging for Invariant and Equivariant Network Design,
        arXiv 2110.03336.
        D. Lim et al., Sign and Basis Invariant Networks for Spectral Graph Representation
        Learning, arXiv 2202.13013.

    Example:
        >>> cloud = jax.random.normal(jax.random.key(0), (4, 32, 3))
        >>> net = Invariant(lambda z: jnp.sin(z).max(axis=1), "O", "frames")
        >>> mirrored = cloud * jnp.array([[[-1.0, 1.0, 1.0]]]) + 2.0
        >>> bool(jnp.allclose(net(cloud), net(mirrored), atol=1e-5))
        True
    """

    def __init__(
        self,
        net: Callable[[Array], Array],
        group: Symmetry = "O",
        method: Method = "canonical",
        gap: float = GAP,
        *,
        sample: bool = False,
        encoder: Callable[[Array], Array] | None = None,
        dimension: int = 3,
        rngs: nnx.Rngs | None = None,
    ) -> None:
        check_group(group)
        _check(group, method, gap, sample)
        self.net, self.group, self.method = net, group, method
        self.gap, self.sample = gap, sample
        self.deterministic = False
        if method == "signnet" and encoder is None:
            encoder = SignFeatures(dimension, dimension, rngs=_needed(rngs, 'the method "signnet"'))
        self.encoder = encoder
        # `Any`: without `sample` there is no stream, and nothing asks for one.
        self.stream: Any = _needed(rngs, "sample")["frames"].fork() if sample else nnx.data(None)

    def views(
        self, points: Float[Array, "batch points coordinates"]
    ) -> Float[Array, "batch frames points coordinates"]:
        """The cloud as the network will see it: in one frame, or in all of the group's."""
        found = trusted(points, self.group, self.gap).points
        if self.method != "frames":
            return found[:, None]
        every = jnp.asarray(signs(points.shape[-1], self.group), points.dtype)
        if not self.sample or self.deterministic:
            return found[:, None] * every[None, :, None]
        one = jax.random.randint(self.stream(), points.shape[:1], 0, len(every))
        return (found * every[one][:, None])[:, None]

    def features(self, points: Float[Array, "batch points coordinates"]) -> Array:
        """The network's features in each frame, `(batch, frames, ...)`.

        Raises:
            TypeError: for a network without features.
        """
        return self._in_views(_method(self.net, "features"), points)

    def head(self, features: Array) -> Array:
        """The network's output from its features in each frame, averaged over the frames.

        Raises:
            TypeError: for a network without a head.
        """
        flat = features.reshape(-1, *features.shape[2:])
        out = _method(self.net, "head")(flat)
        return out.reshape(*features.shape[:2], *out.shape[1:]).mean(axis=1)

    def __call__(self, points: Float[Array, "batch points coordinates"]) -> Array:
        """The network's output, averaged over the frames."""
        return self._in_views(self.net, points).mean(axis=1)

    def _in_views(self, function: Callable[[Array], Array], points: Array) -> Array:
        """`function` of every view, `(batch, frames, ...)`."""
        views = self.views(points)
        flat = views.reshape(-1, *views.shape[2:])
        out = function(flat if self.encoder is None else self.encoder(flat))
        return out.reshape(*views.shape[:2], *out.shape[1:])


class SignFeatures(nnx.Module):
    """Features of points that do not change when the cloud is mirrored along an axis.

    `rho([phi(z_k) + phi(-z_k)]_k)`: `phi` sees one coordinate of all points, `z_k` `(n,)`, and
    gives features to each point from its own value and from mean and maximum over the cloud; it
    is the same for all axes. `rho` is a network at each point.

    Args:
        coordinates: of a point.
        channels: features of a point.
        hidden: width of `phi` and `rho`.
        rngs: stream `params`.

    Raises:
        ValueError: for sizes below 1.

    Example:
        >>> cloud = jax.random.normal(jax.random.key(0), (4, 32, 3))
        >>> encode = SignFeatures(3, 5, hidden=8, rngs=nnx.Rngs(0))
        >>> bool(jnp.allclose(encode(cloud), encode(cloud * jnp.array([[[1.0, -1.0, 1.0]]]))))
        True
    """

    def __init__(
        self, coordinates: int, channels: int, *, hidden: int = 32, rngs: nnx.Rngs
    ) -> None:
        if min(coordinates, channels, hidden) < 1:
            raise ValueError(f"sizes must be at least 1, got {coordinates}, {channels}, {hidden}")
        self.lift = nnx.Linear(1, hidden, rngs=rngs)
        self.seen = nnx.Linear(hidden, hidden, rngs=rngs)
        self.mixed = nnx.Linear(3 * hidden, hidden, rngs=rngs)
        self.rho = nnx.Linear(coordinates * hidden, hidden, rngs=rngs)
        self.out = nnx.Linear(hidden, channels, rngs=rngs)

    def phi(self, z: Float[Array, "batch points axes"]) -> Float[Array, "batch points axes hidden"]:
        """Features of every point along every axis, each axis on its own."""
        own = self.seen(nnx.relu(self.lift(z[..., None])))  # (batch, points, axes, hidden)
        own = nnx.relu(own)
        pooled = (own.mean(axis=1, keepdims=True), own.max(axis=1, keepdims=True))
        every = [own, *(jnp.broadcast_to(a, own.shape) for a in pooled)]
        return nnx.relu(self.mixed(jnp.concatenate(every, axis=-1)))

    def __call__(
        self, z: Float[Array, "batch points coordinates"]
    ) -> Float[Array, "batch points channels"]:
        """The features at each point."""
        even = self.phi(z) + self.phi(-z)
        return self.out(nnx.relu(self.rho(even.reshape(*z.shape[:2], -1))))


def _check(group: Symmetry, method: Method, gap: float, sample: bool) -> None:
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
    if group == "SO" and method != "frames":
        raise ValueError(f'"{method}" is blind to mirrors: for the group "SO" take "frames"')
    if gap < 0:
        raise ValueError(f"gap must not be negative, got {gap}")
    if sample and method != "frames":
        raise ValueError(f'only the method "frames" has frames to sample, got "{method}"')


def _needed(rngs: nnx.Rngs | None, who: str) -> nnx.Rngs:
    if rngs is None:
        raise TypeError(f"{who} needs rngs")
    return rngs


def _method(net: Callable[[Array], Array], name: str) -> Callable[[Array], Array]:
    if not hasattr(net, name):
        raise TypeError(f"{type(net).__name__} has no {name}: call the wrapped network as a whole")
    return getattr(net, name)
