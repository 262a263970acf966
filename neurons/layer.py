"""A neuron is data, a layer is code.

A :class:`Neuron` is a formula over linear maps of the input: branches, and a function that combines
their outputs. A layer is a neuron times a linear map: :class:`Dense`, `Conv` and
`ConvTranspose` (in `neurons.convolution`) differ in nothing but the map.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array, lax
from jax.typing import DTypeLike
from jaxtyping import Float

Init = Literal["relinear", "relinear_fan_out", "common"]


def identity(x: Array) -> Array:
    """The input as it is."""
    return x


@dataclass(frozen=True)
class Branch:
    """One linear map of a neuron: `z = w . of(x) + b`.

    Args:
        name: suffix of the parameters' names, `kernel_NAME` and `bias_NAME`.
        group: "linear" for what a conventional neuron has too; any other name marks a part that
            grows beside it and that `neurons.relinear` can slow down, shrink or freeze.
        of: element-wise transform of the input; `None` for a branch that is a bias alone.
        lift: function of the whole input vector `(*batch, n) -> (*batch, m)`, for forms that mix
            inputs before the linear map; replaces `of`.
        bias: whether the branch has a bias.
        anchor: `None` for a branch that starts at random. A number for one that starts silent:
            kernel 0 and bias `anchor`, where the neuron is its degenerate, simpler self.
    """

    name: str
    group: str = "linear"
    of: Callable[[Array], Array] | None = identity
    lift: Callable[[Array], Array] | None = None
    bias: bool = True
    anchor: float | None = None

    def inputs(self, n: int) -> int:
        """Number of weights per neuron for `n` inputs."""
        if self.lift is not None:
            return int(jax.eval_shape(self.lift, jax.ShapeDtypeStruct((n,), jnp.float32)).shape[-1])
        return 0 if self.of is None else n


@dataclass(frozen=True)
class Neuron:
    """A formula over linear maps, with its source and its cost.

    Args:
        name: as in the catalogue.
        formula: the pre-activation, in the field's notation.
        branches: the linear maps.
        combine: `combine(*z)` with one `(*batch, out_features)` array per branch, element-wise.
        products: multiplications per neuron that `combine` spends.
        degenerate: name of the neuron it equals at the ReLinear start, if there is one.
        reference: authors, title, venue or arXiv id.
    """

    name: str
    formula: str
    branches: tuple[Branch, ...]
    combine: Callable[..., Array]
    products: int = 0
    degenerate: str | None = None
    reference: str = ""

    def __post_init__(self) -> None:
        names = [branch.name for branch in self.branches]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"{self.name}: branches need distinct names, got {names}")

    def parameters(self, n: int, *, bias: bool = True) -> int:
        """Parameters of one neuron with `n` inputs."""
        return sum(b.inputs(n) + (b.bias and bias) for b in self.branches)

    def multiplications(self, n: int) -> int:
        """Multiplications of one neuron with `n` inputs; transforms shared by a layer left out."""
        return sum(b.inputs(n) for b in self.branches) + self.products


class Layer(nnx.Module):
    """What all layers of neurons share: parameters, their start, and the formula.

    A subclass says how one kernel acts on the input (:meth:`linear_map`) and how the input vectors
    of its neurons are read off (:meth:`patches`, for neurons that lift).
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
        dtype: DTypeLike,
        rngs: nnx.Rngs,
    ) -> None:
        _check_features(in_features, out_features, groups)
        if init not in ("relinear", "relinear_fan_out", "common"):
            raise ValueError(
                f'init must be "relinear", "relinear_fan_out" or "common", got {init!r}'
            )
        self.neuron = neuron
        self.in_features, self.out_features = in_features, out_features
        self.window, self.groups, self.bias = window, groups, bias
        fan_in = math.prod(window) * in_features // groups
        fan = out_features if init == "relinear_fan_out" else fan_in
        for branch in neuron.branches:
            silent = branch.anchor is not None and init != "common"
            draw = _silent if silent else _uniform(1 / math.sqrt(fan), rngs)
            if branch.inputs(fan_in):
                shape = self._kernel_shape(branch, fan_in)
                setattr(self, f"kernel_{branch.name}", _parameter(branch, draw(shape, 0.0, dtype)))
            if branch.bias and bias:
                value = draw((out_features,), branch.anchor or 0.0, dtype)
                setattr(
                    self, f"bias_{branch.name}", _parameter(branch, value, branch.anchor or 0.0)
                )

    def _kernel_shape(self, branch: Branch, fan_in: int) -> tuple[int, ...]:
        if branch.lift is not None:
            return (self.groups, branch.inputs(fan_in), self.out_features // self.groups)
        return (*self.window, self.in_features // self.groups, self.out_features)

    def __call__(
        self, x: Float[Array, "*batch in_features"]
    ) -> Float[Array, "*positions out_features"]:
        """The neuron's formula at every position of the linear map's output."""
        if x.shape[-1:] != (self.in_features,):
            raise ValueError(
                f"expected in_features={self.in_features} on the last axis, got shape {x.shape}"
            )
        return self.neuron.combine(*(self._branch(branch, x) for branch in self.neuron.branches))

    def _branch(self, branch: Branch, x: Array) -> Array:
        kernel = getattr(self, f"kernel_{branch.name}", None)
        offset = self.offset(branch.name)
        if kernel is None:
            return offset
        if branch.lift is not None:
            lifted = branch.lift(self.patches(x))
            z = jnp.einsum("...gn,gno->...go", lifted, kernel[...])
            z = z.reshape(*z.shape[:-2], self.out_features)
        else:
            assert branch.of is not None  # for the type checker: inputs() > 0 implies it
            z = self.linear_map(branch.of(x), kernel[...])
        # Adding a bias that is fixed at zero would cost a pass over z.
        fixed_at_zero = not hasattr(self, f"bias_{branch.name}") and not branch.anchor
        return z if fixed_at_zero else z + jnp.broadcast_to(offset, z.shape)

    def offset(self, name: str) -> Float[Array, "..."]:
        """The bias of the branch `name`: the parameter, or the anchor it is fixed at.

        Without biases a branch keeps its anchor as a constant, so that a bias-free quadratic layer
        still starts as the bias-free conventional one.
        """
        parameter = getattr(self, f"bias_{name}", None)
        if parameter is not None:
            return parameter[...]
        branch = next(b for b in self.neuron.branches if b.name == name)
        return jnp.asarray(branch.anchor or 0.0, dtype=self._dtype())

    def _dtype(self) -> jnp.dtype:
        return next(iter(jax.tree.leaves(nnx.state(self, nnx.Param)))).dtype

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
            +-1/sqrt(in_features); "relinear_fan_out" is the authors' code, which takes
            out_features for the fan-in; "common" draws every branch at random.
        dtype: of the parameters.
        rngs: source of the `params` key.

    Raises:
        ValueError: for sizes below 1 or an unknown `init`; on call for a wrong last axis.

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
            dtype=dtype,
            rngs=rngs,
        )

    def linear_map(self, x: Array, kernel: Array) -> Array:
        """`x @ kernel` over the last axis."""
        return lax.dot_general(x, kernel, (((x.ndim - 1,), (0,)), ((), ())))

    def patches(self, x: Array) -> Array:
        """The input itself, as one group."""
        return x[..., None, :]


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
