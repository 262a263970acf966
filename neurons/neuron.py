"""A neuron is data: a formula over linear maps of its inputs.

A :class:`Neuron` is a set of branches and a function that combines their outputs. Which linear map
carries the branches (dense, convolution, transposed convolution) is the business of a layer.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from neurons.counting import count_multiplications

Size = int | Literal["inputs"]


def identity(x: Array) -> Array:
    """The input as it is."""
    return x


def ones(shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """A fixed kernel that adds up what it sees."""
    return jnp.ones(shape, dtype)


def own_input(shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """A fixed kernel that gives every neuron the input of its own number, at the window's centre.

    Raises:
        ValueError: unless there are as many neurons as inputs.
    """
    *window, inputs, neurons = shape
    if inputs != neurons:
        raise ValueError(
            "this neuron adds its own input: in_features must equal out_features, "
            f"got {inputs} and {neurons}"
        )
    centre = tuple((taps - 1) // 2 for taps in window)
    return jnp.zeros(shape, dtype).at[centre].set(jnp.eye(inputs, dtype=dtype))


def all_inputs(shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """A fixed kernel that hands over every input of the window, channels slow and taps fast."""
    *window, channels, _, inputs = shape  # of a shared branch with one value per input
    eye = jnp.eye(inputs, dtype=dtype).reshape(channels, math.prod(window), inputs)
    return jnp.swapaxes(eye, 0, 1).reshape(shape)


@dataclass(frozen=True)
class Branch:
    """One linear map of a neuron: `z = w . of(x) + b`.

    Outside the input a branch sees nothing: zeros are padded after `of`.

    Args:
        name: suffix of the parameters' names, `kernel_NAME` and `bias_NAME`.
        group: "linear" for what a conventional neuron has too; any other name marks a part that
            grows beside it and that `neurons.relinear` can slow down, shrink or freeze.
        of: element-wise transform of the input `(*batch, n) -> (*batch, n * m)`, the `m` features
            of one input side by side; `None` for a branch that reads no input: a bias, or, with
            `bias=False`, weights that `combine` uses.
        lift: function of the whole input vector `(*batch, n) -> (*batch, m)`, for forms that mix
            inputs before the linear map; replaces `of`.
        compare: `compare(x, w)` takes the place of the product: `z = sum_i compare(x_i, w_i) + b`.
        bias: whether the branch has a bias.
        anchor: `None` for a branch that starts at random. A number for one that starts silent:
            kernel 0 and bias `anchor`, where the neuron is its degenerate, simpler self. Weights
            that read no input start at `anchor`.
        shape: `()` for one value per neuron; `(k,)` for k values per neuron, and so on. The size
            "inputs" stands for the number of inputs of a neuron.
        shared: the values belong to the layer, not to each of its neurons.
        kernel: `None` for weights of its own; the name of the branch whose weights it borrows; or
            a function `(shape, dtype)` that makes fixed ones.
        weigh: element-wise transform of the weights before use.
    """

    name: str
    group: str = "linear"
    of: Callable[[Array], Array] | None = identity
    lift: Callable[[Array], Array] | None = None
    compare: Callable[[Array, Array], Array] | None = None
    bias: bool = True
    anchor: float | None = None
    shape: tuple[Size, ...] = ()
    shared: bool = False
    kernel: str | Callable[[tuple[int, ...], DTypeLike], Array] | None = None
    weigh: Callable[[Array], Array] = identity

    def __post_init__(self) -> None:
        if any(size != "inputs" and size < 1 for size in self.shape):
            raise ValueError(f"branch {self.name}: sizes must be at least 1, got {self.shape}")
        plain = not self.shape and not self.shared and self.kernel is None
        if (self.lift or self.compare) and not plain:
            raise ValueError(
                f"branch {self.name}: lift and compare take own weights, one value per neuron"
            )

    @property
    def has_weights(self) -> bool:
        """Whether the branch owns trained weights besides a bias."""
        return self.kernel is None and (self.reads_input or not self.bias)

    @property
    def reads_input(self) -> bool:
        """Whether the branch depends on the input."""
        return self.of is not None or self.lift is not None

    @property
    def needs_window(self) -> bool:
        """Whether the branch is no linear map of single inputs: it has no transposed form."""
        return self.lift is not None or self.compare is not None

    def width(self, n: int) -> int:
        """Features that `n` inputs turn into."""
        transform = self.lift or self.of
        if transform is None:
            return 0
        return int(jax.eval_shape(transform, jax.ShapeDtypeStruct((n,), jnp.float32)).shape[-1])

    def values(self, n: int) -> tuple[int, ...]:
        """`shape` for neurons with `n` inputs."""
        return tuple(n if size == "inputs" else size for size in self.shape)

    def weights(self, n: int, neurons: int) -> int:
        """Own weights, biases left out, of a layer of so many neurons with `n` inputs."""
        each = self.width(n) if self.reads_input else 1
        return self.has_weights * each * self._outputs(n, neurons)

    def biases(self, n: int, neurons: int) -> int:
        """Biases of a layer of so many neurons."""
        return self.bias * self._outputs(n, neurons)

    def products(self, n: int, neurons: int) -> int:
        """Products of trained weights and inputs of a layer, for one example."""
        nothing = callable(self.kernel) or self.compare is not None or self.of is jnp.ones_like
        return 0 if nothing else self.width(n) * self._outputs(n, neurons)

    def _outputs(self, n: int, neurons: int) -> int:
        return (1 if self.shared else neurons) * math.prod(self.values(n))


@dataclass(frozen=True)
class Neuron:
    """A formula over linear maps, with its source and its cost.

    Args:
        name: as in the catalogue.
        formula: the pre-activation, in the field's notation.
        branches: the linear maps.
        combine: `combine(*z)` with one array `(*batch, neurons, *shape)` per branch, which may
            have ones in place of batch and neurons; gives `(*batch, neurons)`.
        degenerate: name of the neuron it equals at the ReLinear start, if there is one.
        reference: authors, title, venue or arXiv id.
        plain: the formula once more, in NumPy, for one neuron: `plain(x, w, b)` with the input
            vector `x` `(n,)` and the weights and biases of each branch as attributes of `w`
            `(n, *shape)` (`(n, m, *shape)` where `of` widens) and `b` `(*shape)`; `w.i` is the
            place in `x` of the neuron's own input. It serves tests as the oracle, and readers as
            the definition.
        size: parameters per neuron, as a formula in n inputs and, for weights that neurons share,
            m neurons: "3n + 3".
        work: multiplications per neuron, likewise; transforms of inputs or weights, and sums with
            fixed weights, which a layer shares, are left out.
        reach: inputs up to this magnitude give finite float32 outputs at the start.
    """

    name: str
    formula: str
    branches: tuple[Branch, ...]
    combine: Callable[..., Array]
    degenerate: str | None = None
    reference: str = ""
    plain: Callable[[Any, Any, Any], Any] | None = None
    size: str = ""
    work: str = ""
    reach: float = 1e3

    def __post_init__(self) -> None:
        names = [branch.name for branch in self.branches]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"{self.name}: branches need distinct names, got {names}")
        if not any(branch.reads_input for branch in self.branches):
            raise ValueError(f"{self.name}: no branch reads the input")
        for branch in self.branches:
            if isinstance(branch.kernel, str) and branch.kernel not in names:
                raise ValueError(f"{self.name}: no branch {branch.kernel} to borrow weights from")

    def __deepcopy__(self, memo: dict[int, Any]) -> "Neuron":
        """Itself, as nothing in it changes: models and estimators that hold it can be copied."""
        return self

    @property
    def needs_window(self) -> bool:
        """Whether it mixes the inputs of one window: it has no transposed form."""
        return any(branch.needs_window for branch in self.branches)

    def parameters(self, n: int, neurons: int = 1, *, bias: bool = True) -> int:
        """Parameters of a layer of so many neurons with `n` inputs each."""
        weights = sum(branch.weights(n, neurons) for branch in self.branches)
        return weights + bias * sum(branch.biases(n, neurons) for branch in self.branches)

    def multiplications(self, n: int, neurons: int = 1) -> int:
        """Multiplications of a layer for one example; see `work` for what is left out."""
        arrays = [
            jax.ShapeDtypeStruct((1 if b.shared else neurons, *b.values(n)), jnp.float32)
            for b in self.branches
        ]
        combined = count_multiplications(self.combine, *arrays)
        return sum(branch.products(n, neurons) for branch in self.branches) + combined

    def branch(self, name: str) -> Branch:
        """The branch of that name.

        Raises:
            ValueError: for an unknown name.
        """
        named = {branch.name: branch for branch in self.branches}
        if name not in named:
            raise ValueError(f"{self.name} has the branches {', '.join(named)}; got {name!r}")
        return named[name]
