"""Autoencoders that mix two kinds of neuron: HAE-X, HAE-Y, HAE-I and their homogeneous twins.

Encoder and decoder consist of chains of layers side by side, whose last pre-activations are added.
Which neuron a chain's layers have is a word of the table `PLANS`; everything else is one class.

Between two layers come ReLU, dropout and the batch normalisation of the next layer's input; batch
normalisation also comes first of all. As published, a sigmoid and a dropout end the network, though
its targets are z-scored rows that reach beyond [0, 1]: `corrected=True` leaves both out. The code
starts quadratic layers with the number of outputs in place of the inputs', see `neurons.Dense`.

References:
    J.-X. Liao, B.-J. Hou, H.-C. Dong, H. Zhang, X. Zhang, J. Sun, S. Zhang, F.-L. Fan, Quadratic
    Neuron-empowered Heterogeneous Autoencoder for Unsupervised Anomaly Detection, arXiv 2204.01707,
    IEEE Transactions on Artificial Intelligence, 2024, with its supplement and its code.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle, pairwise
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.layer import Dense
from neurons.neuron import Neuron
from neurons.options import require
from neurons.quadratic import conventional, quadratic


class Plan(NamedTuple):
    """An architecture: which neurons the chains of encoder and decoder have.

    A chain is a word over 1 (the first neuron) and 2 (the second), read from the data towards the
    bottleneck and repeated as far as the depth needs: "12" alternates.
    """

    encoder: tuple[str, ...]
    decoder: tuple[str, ...]
    output_norm: bool = True  # whether the last layer's input is normalised


PLANS = {
    "HAE-X": Plan(("1", "2"), ("1", "2")),
    "HAE-Y": Plan(("1", "2"), ("1",)),
    "HAE-I": Plan(("12",), ("12",)),
    "HAE-Yc": Plan(("1", "2"), ("2",)),
    "HAE-Ic": Plan(("21",), ("21",)),
    "AE-X": Plan(("2", "2"), ("2", "2")),
    "QAE-X": Plan(("1", "1"), ("1", "1")),
    "AE-Y": Plan(("2", "2"), ("2",)),
    "QAE-Y": Plan(("1", "1"), ("1",)),
    "AE": Plan(("2",), ("2",), output_norm=False),
    "QAE": Plan(("1",), ("1",), output_norm=False),
}
AUTOENCODERS = tuple(PLANS)


class Chain(nnx.Module):
    """Layers in a row; between two of them ReLU, dropout and batch normalisation.

    Args:
        neurons: of every layer.
        sizes: of the input and of every layer's output.
        output_norm: whether the last layer's input is normalised.
        rngs: stream `params`.
    """

    def __init__(
        self,
        neurons: Sequence[Neuron],
        sizes: Sequence[int],
        *,
        output_norm: bool,
        rngs: nnx.Rngs,
    ) -> None:
        self.hidden = tuple(sizes[1:-1])
        self.layers = nnx.List(
            Dense(neuron, before, after, rngs=rngs)
            for neuron, (before, after) in zip(neurons, pairwise(sizes), strict=True)
        )
        normed = sizes[1:-1] if output_norm else sizes[1:-2]
        self.norms = nnx.List(_norm(size, rngs) for size in normed)

    def __call__(
        self, x: Float[Array, "batch inputs"], dropout: Iterator[Array]
    ) -> Float[Array, "batch outputs"]:
        """The last layer's pre-activations; `dropout` holds the factors of the hidden layers."""
        x = self.layers[0](x)
        for number, layer in enumerate(self.layers[1:]):
            x = nnx.relu(x) * next(dropout)
            if number < len(self.norms):
                x = self.norms[number](x)
            x = layer(x)
        return x


class Autoencoder(nnx.Module):
    """Rows to rows through a bottleneck, by a plan; `autoencoder` makes one by name.

    Args:
        plan: the architecture.
        in_features: d.
        widths: of the encoder's layers, the last of them the bottleneck; the decoder mirrors them.
        first: the neuron called 1 in the plan.
        second: the neuron called 2.
        corrected: whether sigmoid and dropout of the output are left out.
        dropout: rate.
        rngs: streams `params` and `dropout`.

    Raises:
        ValueError: for sizes below 1 or no width, a rate outside [0, 1); on call for a shape other
            than (batch, in_features).
    """

    def __init__(
        self,
        plan: Plan,
        in_features: int,
        widths: Sequence[int],
        *,
        first: Neuron = quadratic,
        second: Neuron = conventional,
        corrected: bool = False,
        dropout: float = 0.5,
        rngs: nnx.Rngs,
    ) -> None:
        _check(in_features, widths, dropout)
        self.in_features, self.corrected = in_features, corrected
        kinds, sizes = {"1": first, "2": second}, (in_features, *widths)

        def chain(word: str, *, inward: bool) -> Chain:
            neurons = [kinds[kind] for kind, _ in zip(cycle(word), widths, strict=False)]
            step = 1 if inward else -1
            return Chain(
                neurons[::step],
                sizes[::step],
                output_norm=inward or plan.output_norm,
                rngs=rngs,
            )

        self.input_norm = _norm(in_features, rngs)
        self.encoder = nnx.List(chain(word, inward=True) for word in plan.encoder)
        # Of a decoder with one layer, the bottleneck is the last layer's input.
        normed = plan.output_norm or len(widths) > 1
        self.bottleneck_norm = _norm(widths[-1], rngs) if normed else None
        self.decoder = nnx.List(chain(word, inward=False) for word in plan.decoder)
        self.dropout = nnx.Dropout(dropout, rngs=rngs)

    def features(self, x: Float[Array, "batch in_features"]) -> Float[Array, "batch bottleneck"]:
        """Activations of the bottleneck, before they are normalised."""
        if x.ndim != 2 or x.shape[1] != self.in_features:
            raise ValueError(f"expected rows (batch, {self.in_features}), got shape {x.shape}")
        dropout = self._dropout(x, self.encoder, self.encoder[0].layers[-1].out_features)
        return nnx.relu(_sum(self.encoder, self.input_norm(x), dropout)) * next(dropout)

    def head(self, features: Float[Array, "batch bottleneck"]) -> Float[Array, "batch in_features"]:
        """The reconstruction from the bottleneck's activations."""
        normed = features if self.bottleneck_norm is None else self.bottleneck_norm(features)
        dropout = self._dropout(features, self.decoder, self.in_features)
        rows = _sum(self.decoder, normed, dropout)
        return rows if self.corrected else nnx.sigmoid(rows) * next(dropout)

    def _dropout(self, x: Array, chains: Sequence[Chain], output: int) -> Iterator[Array]:
        """Factors 0 or 1 / (1 - rate) for hidden layers and output; one draw compiles faster."""
        sizes = [size for chain in chains for size in chain.hidden] + [output]
        drawn = self.dropout(jnp.ones((len(x), sum(sizes)), x.dtype))
        return iter(jnp.split(drawn, np.cumsum(sizes)[:-1], axis=1))

    def __call__(self, x: Float[Array, "batch in_features"]) -> Float[Array, "batch in_features"]:
        """The reconstruction of rows."""
        return self.head(self.features(x))


def autoencoder(
    name: str,
    in_features: int,
    *,
    widths: Sequence[int] | None = None,
    first: Neuron = quadratic,
    second: Neuron = conventional,
    corrected: bool = False,
    dropout: float = 0.5,
    rngs: nnx.Rngs,
) -> Autoencoder:
    """An autoencoder of the paper by its name.

    HAE-X has a chain of each neuron in encoder and decoder, HAE-Y only the first neuron's in the
    decoder (HAE-Yc: the second's), HAE-I one chain whose layers alternate, the first neuron outside
    (HAE-Ic: the second). AE-X, AE-Y and QAE-X, QAE-Y have the second or the first neuron in all
    chains of X and Y; AE and QAE are single chains of one neuron.

    Args:
        name: one of `AUTOENCODERS`.
        in_features: d.
        widths: of the encoder's layers; by default `(d // 2, d // 4)`, at least 1.
        first: any neuron, the quadratic one in the paper.
        second: any neuron, the conventional one in the paper.
        corrected: whether sigmoid and dropout of the output are left out.
        dropout: rate.
        rngs: streams `params` and `dropout`.

    Raises:
        ValueError: for an unknown name; else as :class:`Autoencoder`.

    Example:
        >>> net = autoencoder("HAE-X", 8, rngs=nnx.Rngs(0))
        >>> net.eval()
        >>> net.features(jnp.ones((5, 8))).shape, net(jnp.ones((5, 8))).shape
        ((5, 2), (5, 8))
    """
    if name not in PLANS:
        raise ValueError(f"name must be one of {', '.join(AUTOENCODERS)}; got {name!r}")
    return Autoencoder(
        PLANS[name],
        in_features,
        tuple(_default_widths(in_features) if widths is None else widths),
        first=first,
        second=second,
        corrected=corrected,
        dropout=dropout,
        rngs=rngs,
    )


def reconstruction_error(model: Autoencoder, x: Float[Array, "batch in_features"]) -> Array:
    """Mean squared error of the reconstruction, the loss in training."""
    return jnp.mean(jnp.square(model(x) - x))


def _default_widths(in_features: int) -> tuple[int, int]:
    return max(in_features // 2, 1), max(in_features // 4, 1)


def _sum(chains: Iterable[Chain], x: Array, dropout: Iterator[Array]) -> Array:
    parts = [chain(x, dropout) for chain in chains]
    return sum(parts[1:], parts[0])


def _norm(features: int, rngs: nnx.Rngs) -> nnx.BatchNorm:
    return nnx.BatchNorm(features, momentum=0.9, rngs=rngs)


def _check(in_features: int, widths: Sequence[int], dropout: float) -> None:
    require("in_features", in_features)
    if not widths:
        raise ValueError("widths needs at least one layer, the bottleneck; got none")
    for width in widths:
        require("each of widths", width)
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout must lie in [0, 1), got {dropout}")
