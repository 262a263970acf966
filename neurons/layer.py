"""A layer is code: a neuron times a linear map.

:class:`Layer` holds what all layers share: parameters, their start, and the formula. :class:`Dense`
here, `Conv` and `ConvTranspose` in `neurons.convolution`, differ in nothing but the map.
"""

import math
from collections.abc import Callable
from typing import Literal

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array, lax
from jax.typing import DTypeLike
from jaxtyping import Float

from neurons.neuron import Branch, Neuron

Init = Literal["relinear", "relinear_fan_out", "common"]


class Layer(nnx.Module):
    """What all layers of neurons share: parameters, their start, and the formula.

    A subclass says how one kernel acts on the input (:meth:`linear_map`) and how the input vectors
    of its neurons are read off (:meth:`patches`, for neurons that mix inputs).
    """

    def __init__(
        self,
        neuron: Neuron,
        in_features: int,
        out_features: int,
        *,
        window: tuple[int, ...],
        groups: int,
        bias: bool,
        init: Init,
        remat: bool,
        dtype: DTypeLike,
        rngs: nnx.Rngs,
    ) -> None:
        if not isinstance(neuron, Neuron):
            raise TypeError(
                "neuron must be a Neuron: nr.quadratic, nr.low_rank(2), "
                f'nr.catalogue()["quadratic"], ...; got {neuron!r}'
            )
        _check_features(in_features, out_features, groups)
        if init not in ("relinear", "relinear_fan_out", "common"):
            raise ValueError(
                f'init must be "relinear", "relinear_fan_out" or "common", got {init!r}'
            )
        self.neuron = neuron
        self.in_features, self.out_features = in_features, out_features
        self.window, self.groups, self.bias = window, groups, bias
        self.remat, self.dtype = remat, jnp.dtype(dtype)
        for branch in neuron.branches:
            self._start(branch, init, rngs)
            if callable(branch.kernel):
                jax.eval_shape(lambda b=branch: self._fixed(b))  # refuses sizes it cannot serve

    def _start(self, branch: Branch, init: Init, rngs: nnx.Rngs) -> None:
        """Make the branch's parameters: at random, or at its anchor."""
        fan_in = self._inputs
        width = branch.width(fan_in) or math.prod(branch.values(fan_in)[-1:])
        fan = self.out_features if init == "relinear_fan_out" else width
        free = not branch.reads_input and not branch.bias
        # A gain is no silent branch that a common start would wake up.
        gain = free and branch.group == "linear"
        silent = branch.anchor is not None and (init != "common" or gain)
        draw = _silent if silent else _uniform(1 / math.sqrt(fan), rngs)
        anchor = branch.anchor or 0.0
        if branch.has_weights:
            start = draw(self._kernel_shape(branch), anchor if free else 0.0, self.dtype)
            parameter = _parameter(branch, start, anchor if free else 0.0)
            setattr(self, f"kernel_{branch.name}", parameter)
        if branch.bias and self.bias:
            start = draw((self._units(branch), *branch.values(fan_in)), anchor, self.dtype)
            setattr(self, f"bias_{branch.name}", _parameter(branch, start, anchor))

    @property
    def _inputs(self) -> int:
        """Inputs of one neuron."""
        return math.prod(self.window) * self.in_features // self.groups

    def _units(self, branch: Branch) -> int:
        return self.groups if branch.shared else self.out_features

    def _kernel_shape(self, branch: Branch) -> tuple[int, ...]:
        units, values = self._units(branch), branch.values(self._inputs)
        if not branch.reads_input:
            return (units, *values)
        if branch.lift is not None:
            return (self.groups, branch.width(self._inputs), units // self.groups)
        return (*self.window, branch.width(self.in_features // self.groups), units, *values)

    def __call__(
        self, x: Float[Array, "*batch in_features"]
    ) -> Float[Array, "*positions out_features"]:
        """The neuron's formula at every position of the linear map's output."""
        if x.shape[-1:] != (self.in_features,):
            raise ValueError(
                f"expected in_features={self.in_features} on the last axis, got shape {x.shape}"
            )
        if not self.remat:
            return self._formula(x)
        graph, state = nnx.split(self)
        return jax.checkpoint(lambda state, x: nnx.merge(graph, state)._formula(x))(state, x)

    def _formula(self, x: Array) -> Array:
        return self.neuron.combine(*(self._branch(branch, x) for branch in self.neuron.branches))

    def _branch(self, branch: Branch, x: Array) -> Array:
        """`(*positions, neurons, *shape)`; ones where a branch is shared or reads no input."""
        values = branch.values(self._inputs)
        if not branch.reads_input:
            kernel = self.weights(branch.name) if branch.has_weights else self.offset(branch.name)
            z = kernel.reshape(*(1,) * (x.ndim - 1), -1, *values)
            return self._to_neurons(branch, z)
        z = self._response(branch, x)
        # Adding a bias that is fixed at zero would cost a pass over z.
        fixed_at_zero = not hasattr(self, f"bias_{branch.name}") and not branch.anchor
        if not fixed_at_zero:
            z = z + jnp.broadcast_to(self.offset(branch.name), z.shape)
        return self._to_neurons(branch, z)

    def _response(self, branch: Branch, x: Array) -> Array:
        """What the weights make of the input, `(*positions, units, *shape)`."""
        if branch.lift is not None:
            z = jnp.einsum("...gn,gno->...go", branch.lift(self.patches(x)), self._weighed(branch))
            return z.reshape(*z.shape[:-2], self.out_features)
        if branch.compare is not None:
            return self._compared(branch, x)
        kernel, values = self._weighed(branch), branch.values(self._inputs)
        assert branch.of is not None  # for the type checker: the branch reads input
        if branch.of is jnp.ones_like:  # one example stands for all
            z = self.linear_map(self._ones(x), _flat(kernel, values))
            z = z.reshape(*(1,) * (x.ndim - z.ndim), *z.shape)
        else:
            z = self.linear_map(branch.of(x), _flat(kernel, values))
        return z.reshape(*z.shape[:-1], -1, *values) if values else z

    def _compared(self, branch: Branch, x: Array) -> Array:
        kernel = jnp.moveaxis(self._weighed(branch), -2, 0)  # (channels, *window, out)
        kernel = kernel.reshape(-1, self.groups, self.out_features // self.groups)
        kernel = jnp.swapaxes(kernel, 0, 1)  # (groups, inputs, neurons)
        seen = self.patches(x)[..., None]  # (*positions, groups, inputs, 1)
        assert branch.compare is not None
        terms = branch.compare(seen, kernel.reshape(*(1,) * (seen.ndim - 3), *kernel.shape))
        if self.window:
            there = self.patches(self._ones(x))[..., None]  # zero where the window hangs over
            terms = terms * there.reshape(*(1,) * (terms.ndim - there.ndim), *there.shape)
        z = terms.sum(axis=-2)
        return z.reshape(*z.shape[:-2], self.out_features)

    def _ones(self, x: Array) -> Array:
        """One example full of ones."""
        return jnp.ones(x.shape[x.ndim - 1 - len(self.window) :], x.dtype)

    def _to_neurons(self, branch: Branch, z: Array) -> Array:
        """Shared values of several groups, repeated for the neurons of each."""
        if not branch.shared or self.groups == 1:
            return z
        axis = z.ndim - 1 - len(branch.shape)
        return jnp.repeat(z, self.out_features // self.groups, axis=axis)

    def _weighed(self, branch: Branch) -> Array:
        if callable(branch.kernel):
            return self._fixed(branch)
        return branch.weigh(self.weights(branch.kernel or branch.name))

    def _fixed(self, branch: Branch) -> Array:
        """The fixed kernel, made for one group and repeated for the others."""
        assert callable(branch.kernel)
        *inner, units = self._kernel_shape(branch)[: len(self.window) + 2]
        values = branch.values(self._inputs)
        one = branch.kernel((*inner, units // self.groups, *values), self.dtype)
        return jnp.tile(one, (*(1,) * len(inner), self.groups, *(1,) * len(values)))

    def weights(self, name: str) -> Float[Array, "..."]:
        """The trained kernel of the branch `name`.

        Raises:
            ValueError: for a branch the neuron does not have, or that has no weights of its own.
        """
        if not self.neuron.branch(name).has_weights:
            raise ValueError(f"branch {name!r} of {self.neuron.name} has no weights of its own")
        return getattr(self, f"kernel_{name}")[...]

    def offset(self, name: str) -> Float[Array, "..."]:
        """The bias of the branch `name`: the parameter, or the anchor it is fixed at.

        Without biases a branch keeps its anchor as a constant, so that a bias-free quadratic layer
        still starts as the bias-free conventional one.
        """
        parameter = getattr(self, f"bias_{name}", None)
        if parameter is not None:
            return parameter[...]
        branch = self.neuron.branch(name)
        return jnp.full(branch.values(self._inputs), branch.anchor or 0.0, self.dtype)

    def linear_map(self, x: Array, kernel: Array) -> Array:
        """Apply one kernel to the input."""
        raise TypeError("Layer is abstract: use Dense, Conv or ConvTranspose")

    def patches(self, x: Array) -> Float[Array, "*positions groups inputs"]:
        """The input vector of every neuron, by group."""
        raise TypeError(f"{self.neuron.name} has no transposed form: it mixes inputs of one window")


class Dense(Layer):
    """Neurons that see every input feature: `y = combine(of_1(x) W_1 + b_1, ...)`.

    Args:
        neuron: the formula.
        in_features: n.
        out_features: number of neurons.
        bias: without it each bias stays at its degenerate value (0, or 1 for a factor).
        init: "relinear" starts as the neuron's degenerate form, the rest uniform in
            +-1/sqrt(weights per value); "relinear_fan_out" is the authors' code, which takes
            out_features for the fan-in; "common" draws every branch at random.
        remat: compute the branches again in the backward pass instead of keeping their outputs:
            less memory, more time.
        dtype: of the parameters.
        rngs: source of the `params` key.

    Raises:
        ValueError: for sizes below 1, sizes the neuron cannot have, or an unknown `init`; on call
            for a wrong last axis.
        TypeError: for a `neuron` that is none.

    Example:
        >>> from neurons import quadratic
        >>> layer = Dense(quadratic, 3, 2, rngs=nnx.Rngs(0))
        >>> layer(jnp.ones((5, 3))).shape
        (5, 2)
    """

    def __init__(
        self,
        neuron: Neuron,
        in_features: int,
        out_features: int,
        *,
        bias: bool = True,
        init: Init = "relinear",
        remat: bool = False,
        dtype: DTypeLike = jnp.float32,
        rngs: nnx.Rngs,
    ) -> None:
        super().__init__(
            neuron,
            in_features,
            out_features,
            window=(),
            groups=1,
            bias=bias,
            init=init,
            remat=remat,
            dtype=dtype,
            rngs=rngs,
        )

    def linear_map(self, x: Array, kernel: Array) -> Array:
        """`x @ kernel` over the last axis."""
        return lax.dot_general(x, kernel, (((x.ndim - 1,), (0,)), ((), ())))

    def patches(self, x: Array) -> Array:
        """The input itself, as one group."""
        return x[..., None, :]


def _flat(kernel: Array, values: tuple[int, ...]) -> Array:
    """The kernel with all values of all neurons on its last axis."""
    return kernel.reshape(*kernel.shape[: kernel.ndim - 1 - len(values)], -1) if values else kernel


def _parameter(branch: Branch, value: Array, anchor: float = 0.0) -> nnx.Param:
    """A parameter that knows its group, and the value at which its branch is silent."""
    return nnx.Param(value, group=branch.group, anchor=anchor)


def _silent(shape: tuple[int, ...], value: float, dtype: DTypeLike) -> Array:
    return jnp.full(shape, value, dtype)


def _uniform(bound: float, rngs: nnx.Rngs) -> Callable[[tuple[int, ...], float, DTypeLike], Array]:
    def draw(shape: tuple[int, ...], _: float, dtype: DTypeLike) -> Array:
        return jax.random.uniform(rngs.params(), shape, dtype, -bound, bound)

    return draw


def _check_features(in_features: int, out_features: int, groups: int) -> None:
    sizes = {"in_features": in_features, "out_features": out_features, "groups": groups}
    for label, size in sizes.items():
        if size < 1:
            raise ValueError(f"{label} must be at least 1, got {size}")
    if in_features % groups or out_features % groups:
        raise ValueError(
            f"groups={groups} must divide in_features={in_features} and out_features={out_features}"
        )
