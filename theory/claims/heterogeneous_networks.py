"""One hidden layer of conventional, radial, mixed or general quadratic neurons, trained."""

import math
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array
from jaxtyping import Float

import neurons as nr

Kind = Literal["conventional", "radial", "mixed", "quadratic"]
POINTS, BATCH, STEPS = 8192, 256, 30_000


def _radius(x: Float[Array, "*batch n"]) -> Float[Array, "*batch 1"]:
    """`(|x|^2 - n) / sqrt(2 n)`, of mean 0 and variance 1 under N(0, I)."""
    n = x.shape[-1]
    return (jnp.sum(jnp.square(x), axis=-1, keepdims=True) - n) / math.sqrt(2 * n)


RADIAL = nr.Neuron(
    "radial",
    "w |x|^2 + b",
    (nr.Branch("b", lift=_radius),),
    lambda z: z,
    reference="The neuron of the proof in arXiv 2204.01707, supplement, theorem 2; |x|^2 is "
    "standardised here, which changes w and b of `neurons.radial` and not what a layer can do.",
)


class OneHiddenLayer(nnx.Module):
    """`x -> relu(layer(x)) -> linear`, with neurons of one kind or half of each.

    Args:
        kind: "mixed" has conventional neurons in its first half and radial ones in its second.
        d: inputs.
        width: hidden neurons.
        rngs: source of the `params` key.
    """

    def __init__(self, kind: Kind, d: int, width: int, *, rngs: nnx.Rngs) -> None:
        self.hidden = nr.Mixed(_shares(kind, width), d, width, rngs=rngs)
        self.out = nnx.Linear(width, 1, rngs=rngs)

    def __call__(self, x: Float[Array, "batch d"]) -> Float[Array, " batch"]:
        """The network's output."""
        return self.out(nnx.relu(self.hidden(x)))[:, 0]


def _shares(kind: Kind, width: int) -> list[tuple[nr.Neuron, int]]:
    if kind == "mixed":
        return [(nr.conventional, width - width // 2), (RADIAL, width // 2)]
    alone = {"conventional": nr.conventional, "radial": RADIAL, "quadratic": nr.quadratic}
    return [(alone[kind], width)]


def as_quadratic(net: OneHiddenLayer, d: int, width: int) -> OneHiddenLayer:
    """The same function with general quadratic neurons: what "contains" means.

    A conventional neuron is `w_g = 0, b_g = 1, w_b = 0, c = 0`; a radial one `w_r = w_g = 0` and
    equal `w_b`.

    Args:
        net: a conventional, radial or mixed network.
        d: its inputs.
        width: its hidden neurons.
    """
    made = OneHiddenLayer("quadratic", d, width, rngs=nnx.Rngs(0))
    layer: Any = made.hidden.layers[0]
    part: Any
    start = 0
    for part in net.hidden.layers:
        at = slice(start, start := start + part.out_features)
        if part.neuron is RADIAL:
            slope = part.kernel_b[...][0, 0] / math.sqrt(2 * d)
            layer.kernel_r[...] = layer.kernel_r[...].at[:, at].set(0.0)
            layer.bias_r[...] = layer.bias_r[...].at[at].set(part.bias_b[...] - d * slope)
            layer.kernel_b[...] = (
                layer.kernel_b[...].at[:, at].set(jnp.broadcast_to(slope, (d, part.out_features)))
            )
        else:
            layer.kernel_r[...] = layer.kernel_r[...].at[:, at].set(part.kernel_r[...])
            layer.bias_r[...] = layer.bias_r[...].at[at].set(part.bias_r[...])
    made.out = net.out
    return made


def trained(
    kind: Kind,
    x: Float[np.ndarray, "points d"],
    y: Float[np.ndarray, " points"],
    width: int,
    effort: float,
    keys: Array,
) -> list[OneHiddenLayer]:
    """Networks trained by Adam with a cosine schedule, one per key.

    Args:
        kind: of neurons.
        x: inputs.
        y: target.
        width: hidden neurons.
        effort: fraction of :data:`STEPS`.
        keys: one per network.
    """
    epochs = max(1, round(effort * STEPS * BATCH / len(x)))
    data = (jnp.asarray(x, jnp.float32), jnp.asarray(y, jnp.float32))
    batches = nr.Batches(data, size=BATCH, epochs=epochs)
    rate = optax.cosine_decay_schedule(1e-2, batches.steps)
    build = partial(OneHiddenLayer, kind, x.shape[1], width)
    runs = nr.fit_seeds(build, nr.squared_error, optax.adam(rate), batches, keys=keys)
    return [run.model for run in runs]


def outputs(net: OneHiddenLayer, x: Float[np.ndarray, "points d"]) -> np.ndarray:
    """The network's output in float64, for exact scores."""
    graph, state = nnx.split(net)
    return np.asarray(_apply(graph, state, jnp.asarray(x, jnp.float32)), dtype=np.float64)


@partial(jax.jit, static_argnums=0)
def _apply(graph: Any, state: Any, x: Array) -> Array:
    """Compiled once per structure, not once per network."""
    output: Array = nnx.merge(graph, state)(x)
    return output
