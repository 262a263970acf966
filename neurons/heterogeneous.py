"""Several kinds of neuron side by side in one layer."""

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.layer import Dense, Layer
from neurons.neuron import Neuron


class Mixed(nnx.Module):
    """A heterogeneous layer: every kind sees the whole input, outputs stand side by side.

    Args:
        kinds: pairs of a neuron and its share: either whole numbers of neurons that add up to
            `out_features`, or fractions that add up to 1 (rounded by largest remainder).
        in_features: inputs.
        out_features: neurons of all kinds together.
        *sizes: what `layer` takes next, e.g. the kernel size of a convolution.
        layer: `Dense`, `Conv` or `ConvTranspose`.
        **options: for every layer: bias, init, strides, padding, ..., rngs. `groups` splits the
            channels of each kind by itself.

    Raises:
        ValueError: without a kind, for shares that do not add up, or a kind left without a neuron.

    Example:
        >>> from neurons import conventional, quadratic
        >>> layer = Mixed([(quadratic, 0.25), (conventional, 0.75)], 3, 8, rngs=nnx.Rngs(0))
        >>> layer.widths, layer(jnp.ones((5, 3))).shape
        ((2, 6), (5, 8))
    """

    def __init__(
        self,
        kinds: Sequence[tuple[Neuron, int | float]],
        in_features: int,
        out_features: int,
        *sizes: Any,
        layer: Callable[..., Layer] = Dense,
        **options: Any,
    ) -> None:
        self.in_features, self.out_features = in_features, out_features
        self.widths = _widths(kinds, out_features)
        self.layers = nnx.List(
            layer(neuron, in_features, width, *sizes, **options)
            for (neuron, _), width in zip(kinds, self.widths, strict=True)
        )

    def __call__(
        self, x: Float[Array, "*batch in_features"]
    ) -> Float[Array, "*positions out_features"]:
        """The kinds' outputs, in the order given, on the last axis."""
        return jnp.concatenate([layer(x) for layer in self.layers], axis=-1)


def _widths(kinds: Sequence[tuple[Neuron, int | float]], out_features: int) -> tuple[int, ...]:
    """Whole numbers of neurons per kind."""
    shares = [share for _, share in kinds]
    if not shares or any(share <= 0 for share in shares):
        raise ValueError(f"every kind needs a share above 0, got {shares}")
    if all(isinstance(share, int) for share in shares):
        widths = tuple(int(share) for share in shares)
        if sum(widths) != out_features:
            raise ValueError(f"widths must add up to out_features={out_features}, got {shares}")
        return widths
    if abs(sum(shares) - 1) > 1e-9:
        raise ValueError(f"fractions must add up to 1, got {shares}")
    widths = _by_largest_remainder(shares, out_features)
    if 0 in widths:
        raise ValueError(f"a kind gets no neuron: shares {shares} of out_features={out_features}")
    return widths


def _by_largest_remainder(shares: Sequence[float], total: int) -> tuple[int, ...]:
    exact = [share * total for share in shares]
    widths = [int(value + 1e-9) for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: widths[i] - exact[i])
    for i in by_remainder[: total - sum(widths)]:
        widths[i] += 1
    return tuple(widths)
