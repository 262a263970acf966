"""Layers on inputs put together from parts, each multiplied where it lives.

An edge from point i to its neighbour j holds `(x_j - x_i, x_i)`; a point that knows its cloud
holds the cloud's features beside its own. What many edges or points share is multiplied once.
"""

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from neurons.backbones.cloud_rain.pooling import Rows
from neurons.layer import Dense
from neurons.neuron import Branch, identity


class JointDense(Dense):
    """Neurons that see several arrays side by side, without putting them there.

    A branch gives `sum_p f(x_p) W_p`, and the sum broadcasts.
    """

    def joint(self, *parts: Float[Array, "..."]) -> Float[Array, "*positions out_features"]:
        """The neurons' values for `parts` concatenated on the last axis, after broadcasting."""
        branches = self.neuron.branches
        if any(branch.needs_window for branch in branches):
            return self(_together(parts))
        return self.neuron.combine(*(self._joint_branch(branch, parts) for branch in branches))

    def _joint_branch(self, branch: Branch, parts: tuple[Array, ...]) -> Array:
        if branch.of is None or branch.of is jnp.ones_like:
            return self._constant(branch, parts[0].ndim)
        ends = np.cumsum([part.shape[-1] for part in parts[:-1]])
        kernels = self._kernels(branch, tuple(int(end) for end in ends))
        terms = [branch.of(part) @ kernel for part, kernel in zip(parts, kernels, strict=True)]
        return self._sum(branch, terms)

    def _constant(self, branch: Branch, axes: int) -> Array:
        """A branch that gives the same for all inputs, with so many axes."""
        return self._branch(branch, jnp.zeros((1,) * (axes - 1) + (self.in_features,), self.dtype))

    def _kernels(self, branch: Branch, ends: tuple[int, ...]) -> list[Array]:
        """The branch's matrix, cut before the inputs `ends`."""
        kernel = self._weighed(branch)
        kernel = kernel.reshape(kernel.shape[0], -1)
        return jnp.split(kernel, [end * kernel.shape[0] // self.in_features for end in ends])

    def _sum(self, branch: Branch, terms: list[Array]) -> Array:
        """All terms and the bias; the smallest term takes the bias."""
        values = branch.values(self._inputs)
        terms = [term.reshape(*term.shape[:-1], -1, *values) for term in terms]
        *others, least = sorted(terms, key=lambda term: -term.size)
        offset = self.offset(branch.name)
        z = least + offset.reshape((1,) * (least.ndim - offset.ndim) + offset.shape)
        for other in others:
            z = other + z
        return z


class EdgeDense(JointDense):
    """Neurons that see edges `(x_j - x_i, x_i)`: two points of `in_features / 2` features each.

    A branch `f(x_j - x_i) W_1 + f(x_i) W_2` takes its second product once per point, not once per
    edge, and a linear one both: `(x W_1)_j + (x (W_2 - W_1))_i`. Of the quadratic neuron's three
    branches only `(x_j - x_i)^2` is multiplied edge by edge: expanded into `x_j^2 - 2 x_i x_j +
    x_i^2` its middle term needs as many products, and loses the digits that cancel.
    """

    def edges(
        self, x: Float[Array, "points features"], index: Int[Array, "points neighbours"]
    ) -> Float[Array, "points neighbours out_features"]:
        """The neurons' values on the edges from each point to its neighbours."""
        respond, rows = self.prepare(x, index)
        return respond(*rows)

    def prepare(
        self, x: Float[Array, "points features"], index: Int[Array, "points neighbours"]
    ) -> Rows:
        """All that is computed per point, for :func:`pooling.pooled`: a function of points' rows.

        Returns:
            A function of rows, to values `(rows, neighbours, out_features)`; and these rows: the
            neighbours, the features, and what each branch takes from the points themselves.
        """
        branches = self.neuron.branches
        if any(branch.needs_window for branch in branches):
            return lambda index, own: self(_together(_parts(x, index, own))), (index, x)
        shares = [self._shares(branch, x) for branch in branches]

        def respond(index: Array, own: Array, *shares_own: Array) -> Array:
            given = iter(shares_own)
            return self.neuron.combine(
                *(
                    z if far is None else self._on_edges(branch, far, x, index, own, next(given))
                    for branch, (far, z) in zip(branches, shares, strict=True)
                )
            )

        return respond, (index, x, *(z for far, z in shares if far is not None))

    def _shares(self, branch: Branch, x: Array) -> tuple[Array | None, Array]:
        """What the neighbours' side of a branch needs, and what the points themselves give."""
        if branch.of is None or branch.of is jnp.ones_like:
            return None, self._constant(branch, 3)
        far, own = self._kernels(branch, (x.shape[-1],))
        if branch.of is identity:
            return x @ far, self._sum(branch, [x @ (own - far)])
        return far, self._sum(branch, [branch.of(x) @ own])

    def _on_edges(
        self, branch: Branch, far: Array, x: Array, index: Array, own: Array, z: Array
    ) -> Array:
        if branch.of is identity:
            near = far[index]  # (rows, neighbours, units)
        else:
            assert branch.of is not None  # for the type checker: the branch reads input
            near = branch.of(x[index] - own[:, None]) @ far
        return near.reshape(*near.shape[:2], *z.shape[1:]) + z[:, None]


def _parts(x: Array, index: Array, own: Array) -> tuple[Array, Array]:
    return x[index] - own[:, None], own[:, None]


def _together(parts: tuple[Array, ...]) -> Array:
    shape = jnp.broadcast_shapes(*(part.shape[:-1] for part in parts))
    spread = [jnp.broadcast_to(part, (*shape, part.shape[-1])) for part in parts]
    return jnp.concatenate(spread, axis=-1)
