"""The lattice neuron: the largest of several smallest affine maps."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from neurons.lattice import pieces
from neurons.options import require


class Fixed(nnx.Variable):
    """What belongs to a lattice and is not trained: its mask and its centres."""


class Lattice(nnx.Module):
    """Neurons that take the maximum over groups of the minimum over each group's affine maps.

    y = max_k min_(j in mask_k) (a_j . (x - c_j) + b_j), c_j = 0 unless :meth:`from_pieces` put it
    elsewhere. Every continuous piecewise-linear function has this form for some mask. One group of
    all pieces is a minimum (concave), groups of one piece are maxout (convex).

    Args:
        in_features: n.
        mask: `(groups, pieces)` Boolean; which pieces each group takes the minimum of. It is fixed,
            and shared by all neurons of the layer.
        out_features: number of neurons.
        temperature: 0 for max and min themselves; above 0, t log sum exp(. / t) takes their place,
            which lies between t log(groups) above them and t log(pieces) below.
        dtype: of the parameters.
        rngs: source of the `params` key; parameters start uniform in +-1/sqrt(n).

    Raises:
        ValueError: for sizes below 1, a mask that is no matrix or has a group without a piece, or a
            negative temperature; on call for a wrong last axis.

    References:
        J. M. Tarela, M. V. Martinez, "Region configurations for realizability of lattice
        piecewise-linear models", Mathematical and Computer Modelling 30, 1999. Q. Dong et al.,
        "Training neural networks for solving 1-D optimal piecewise linear approximation",
        arXiv 2110.08259 (the lattice neural network).

    Example:
        >>> hat = Lattice.from_pieces([0, 1, 2], [0, 1, 0])
        >>> hat(jnp.asarray([[0.5], [2.0], [3.0]]))[:, 0].tolist()
        [0.5, 0.0, -1.0]
    """

    def __init__(
        self,
        in_features: int,
        mask: ArrayLike,
        out_features: int = 1,
        *,
        temperature: float = 0.0,
        dtype: DTypeLike = jnp.float32,
        rngs: nnx.Rngs,
    ) -> None:
        require("in_features", in_features)
        require("out_features", out_features)
        if not temperature >= 0:
            raise ValueError(f"temperature must be at least 0, got {temperature}")
        found = _checked_mask(mask)
        self.in_features, self.out_features = in_features, out_features
        self.temperature = temperature
        bound = in_features**-0.5

        def draw(*shape: int) -> nnx.Param:
            start = jax.random.uniform(rngs.params(), shape, dtype, -bound, bound)
            return nnx.Param(start, group="linear", anchor=0.0)

        self.kernel = draw(in_features, out_features, found.shape[1])
        self.bias = draw(out_features, found.shape[1])
        self.mask = Fixed(jnp.asarray(found))
        self.centre: Fixed | None = nnx.data(None)

    @classmethod
    def groups(
        cls, in_features: int, groups: int, size: int, out_features: int = 1, **options: Any
    ) -> "Lattice":
        """So many groups of equal size, no piece in two: `groups` x `size` pieces.

        Args:
            in_features: n.
            groups: what the maximum is taken over; 1 gives a minimum of `size` pieces.
            size: pieces of every group; 1 gives maxout.
            out_features: number of neurons.
            **options: temperature, dtype, rngs.

        Example:
            >>> Lattice.groups(3, 4, 2, rngs=nnx.Rngs(0))(jnp.ones((5, 3))).shape
            (5, 1)
        """
        require("groups", groups)
        require("size", size)
        mask = np.kron(np.eye(groups, dtype=bool), np.ones((1, size), bool))
        return cls(in_features, mask, out_features, **options)

    @classmethod
    def from_pieces(
        cls,
        knots: ArrayLike,
        values: ArrayLike,
        *,
        temperature: float = 0.0,
        dtype: DTypeLike = jnp.float32,
    ) -> "Lattice":
        """The lattice that equals a continuous piecewise-linear function of one variable.

        Args:
            knots: `(segments + 1,)` increasing; beyond them the outer pieces go on.
            values: `(segments + 1,)` at the knots.
            temperature: as above.
            dtype: of the parameters; float64 needs `jax.enable_x64(True)`.

        Raises:
            ValueError: for other shapes, numbers that are not finite, or knots that do not
                increase.
        """
        t, v = pieces.checked(knots, values)
        mask = pieces.lattice_mask(t, v, float(jnp.finfo(dtype).eps))
        return cls.from_lines(
            pieces.lines_through(t, v), mask, temperature=temperature, dtype=dtype
        )

    @classmethod
    def from_lines(
        cls,
        lines: pieces.Lines,
        mask: ArrayLike,
        *,
        temperature: float = 0.0,
        dtype: DTypeLike = jnp.float32,
    ) -> "Lattice":
        """The lattice of given lines of one variable, each kept at its own centre.

        Args:
            lines: slopes, heights and centres, each `(pieces,)`.
            mask: `(groups, pieces)`.
            temperature: as above.
            dtype: of the parameters.
        """
        lattice = cls(1, mask, temperature=temperature, dtype=dtype, rngs=nnx.Rngs(0))
        # Heights belong to the centres as they are rounded.
        kept = np.asarray(jnp.asarray(lines.centre, dtype), np.float64)
        height = lines.height + lines.slope * (kept - lines.centre)
        lattice.kernel[...] = jnp.asarray(lines.slope, dtype)[None, None]
        lattice.bias[...] = jnp.asarray(height, dtype)[None]
        lattice.centre = Fixed(jnp.asarray(kept, dtype)[None])
        return lattice

    def affine(
        self, x: Float[Array, "*batch in_features"]
    ) -> Float[Array, "*batch out_features pieces"]:
        """All affine maps at `x`."""
        if x.shape[-1:] != (self.in_features,):
            raise ValueError(
                f"expected in_features={self.in_features} on the last axis, got shape {x.shape}"
            )
        bias = self.bias[...]
        if self.centre is None:
            z = jnp.tensordot(x, self.kernel[...], 1)
        else:
            away = x[..., None] - jnp.broadcast_to(self.centre[...], (*x.shape, bias.shape[-1]))
            z = jnp.einsum("...ip,iop->...op", away, self.kernel[...])
        return z + jnp.broadcast_to(bias, z.shape)

    def __call__(
        self, x: Float[Array, "*batch in_features"]
    ) -> Float[Array, "*batch out_features"]:
        """The neurons' outputs."""
        return max_min(self.affine(x), self.mask[...], self.temperature)

    def to_pieces(self, domain: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
        """What the neuron computes on an interval, exactly: the inverse of :meth:`from_pieces`.

        Pieces that are nowhere active drop out, neighbours on one line become one.

        Args:
            domain: (low, high).

        Returns:
            Knots and values in float64, each `(segments + 1,)`; the outer knots are the domain's
            ends.

        Raises:
            ValueError: for more than one input or neuron, a temperature above 0, parameters that
                are not finite, or a domain that is no interval.
        """
        if (self.in_features, self.out_features) != (1, 1) or self.temperature > 0:
            raise ValueError(
                "pieces exist for one input, one neuron and temperature 0, got "
                f"{self.in_features}, {self.out_features} and {self.temperature}"
            )
        low, high = map(float, domain)
        if not -np.inf < low < high < np.inf:
            raise ValueError(f"domain needs low < high, both finite, got {domain}")
        lines = self._lines()
        if not all(np.isfinite(part).all() for part in lines):
            raise ValueError("parameters must be finite")
        return pieces.active_pieces(lines, np.asarray(self.mask[...]), low, high)

    def _lines(self) -> pieces.Lines:
        slope, height = np.asarray(self.kernel[...][0, 0]), np.asarray(self.bias[...][0])
        centre = np.zeros_like(height) if self.centre is None else np.asarray(self.centre[...][0])
        return pieces.Lines(*(part.astype(np.float64) for part in (slope, height, centre)))


def max_min(
    z: Float[Array, "*batch pieces"],
    mask: Bool[Array, "groups pieces"],
    temperature: float | Float[Array, ""] = 0.0,
) -> Float[Array, " *batch"]:
    """`max_k min_(j in mask_k) z_j`, or its smooth form.

    Soft minimum: -t log sum_j exp(-z_j / t); soft maximum: t log sum_k exp(m_k / t). The result
    lies in [hard - t log(pieces), hard + t log(groups)].

    Args:
        z: affine maps.
        mask: which of them each group takes the minimum of.
        temperature: t; 0 for the hard form, whose gradient goes to the active pieces alone. An
            array, for schedules inside a compiled loop, must be above 0.
    """
    if isinstance(temperature, int | float) and temperature == 0:
        return _hard(z, mask)
    shape = (*z.shape[:-1], *mask.shape)
    members = jnp.broadcast_to(mask, shape)
    scaled = jnp.broadcast_to(z[..., None, :], shape) / temperature
    lowest = -jax.nn.logsumexp(-scaled, axis=-1, where=members)
    return temperature * jax.nn.logsumexp(lowest, axis=-1)


def _lowest(z: Array, mask: Array) -> Array:
    """`(*batch, groups)` minimum of each group."""
    members = jnp.broadcast_to(mask, (*z.shape[:-1], *mask.shape))
    return jnp.where(members, z[..., None, :], jnp.inf).min(axis=-1)


@jax.custom_jvp
def _hard(z: Array, mask: Array) -> Array:
    return _lowest(z, mask).max(axis=-1)


@_hard.defjvp
def _hard_jvp(primals: tuple[Array, Array], tangents: tuple[Array, Any]) -> tuple[Array, Array]:
    """Active pieces share the gradient; JAX's own rule walks all groups times pieces again."""
    (z, mask), (dz, _) = primals, tangents
    lowest = _lowest(z, mask)
    y = lowest.max(axis=-1)
    highest = (lowest == y[..., None]).astype(z.dtype)
    members = (highest @ mask.astype(z.dtype)) > 0
    active = (members & (z == y[..., None])).astype(z.dtype)
    return y, (active * dz).sum(axis=-1) / active.sum(axis=-1)


def _checked_mask(mask: ArrayLike) -> np.ndarray:
    found = np.asarray(mask)
    if found.ndim != 2 or found.dtype != bool or 0 in found.shape or not found.any(axis=1).all():
        raise ValueError(
            "mask must be a Boolean matrix, groups x pieces, with a piece in every group; got "
            f"{found.tolist()}"
        )
    return found
