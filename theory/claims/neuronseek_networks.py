"""Networks of NeuronSeek's neurons, of power neurons and of conventional ones, at equal size."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array
from jaxtyping import Float

import neurons as nr
from neurons.data.interaction_cases import sample
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.exact import numpy_generator
from theory.claims.statistics import Comparison, greater, paired

CASE, ROWS, INPUTS, NOISE = "interact 1", 2500, 10, 0.1
TRAIN, WIDTHS = 0.7, (6, 3)
EPOCHS, BATCH, RATE, DECAY = 100, 64, 1e-3, 1e-5
FULL_EFFORT = 0.2  # from budget laptop up, networks train for all the published epochs
NS_NET, NORMALISED, POWER_NET, MLP = "NS-Net", "NS-Net, normalised", "power net", "MLP"
Tails = Literal["light", "heavy"]


class Kind(NamedTuple):
    """One kind of network."""

    neuron: nr.Neuron
    normalised: bool


KINDS = {
    NS_NET: Kind(nr.neuronseek(3, 1), False),
    NORMALISED: Kind(nr.neuronseek(3, 1), True),
    POWER_NET: Kind(nr.polynomial((1, 2, 3)), False),
    MLP: Kind(nr.conventional, False),
}


class Net(nnx.Module):
    """Two hidden layers of one neuron, each normalised over the batch or not, then ReLU.

    Args:
        kind: the neuron, and whether its outputs are normalised.
        inputs: of the network.
        widths: neurons of the hidden layers.
        rngs: source of the `params` key.
    """

    def __init__(self, kind: Kind, inputs: int, widths: tuple[int, int], *, rngs: nnx.Rngs) -> None:
        first, second = widths
        self.first = nr.Dense(kind.neuron, inputs, first, rngs=rngs)
        self.second = nr.Dense(kind.neuron, first, second, rngs=rngs)
        self.norms = nnx.List(
            nnx.BatchNorm(width, rngs=rngs) if kind.normalised else _as_it_is for width in widths
        )
        self.out = nnx.Linear(second, 1, rngs=rngs)

    def __call__(self, x: Float[Array, "batch inputs"]) -> Float[Array, " batch"]:
        """The network's output."""
        x = nnx.relu(self.norms[0](self.first(x)))
        x = nnx.relu(self.norms[1](self.second(x)))
        return self.out(x)[:, 0]


def _as_it_is(x: Array) -> Array:
    return x


def parameters(neuron: nr.Neuron, widths: tuple[int, int], normalised: bool = False) -> int:
    """Trained numbers of a :class:`Net` with ten inputs."""
    first, second = widths
    hidden = neuron.parameters(INPUTS, first) + neuron.parameters(first, second)
    return hidden + second + 1 + 2 * normalised * (first + second)


def widths_of(name: str) -> tuple[int, int]:
    """Widths 2:1 of the smallest network with at least as many parameters as NS-Net."""
    if name in (NS_NET, NORMALISED):
        return WIDTHS
    neuron, wanted = KINDS[name].neuron, parameters(KINDS[NS_NET].neuron, WIDTHS)
    width = 2
    while parameters(neuron, (width, width // 2)) < wanted:
        width += 1
    return width, width // 2


def errors(lab: Lab, name: str, tails: Tails = "light") -> list[float]:
    """Test MSE of every seed, in units of `y`'s variance; recalled or trained."""
    shuffled = lab.fault == "shuffle" and name == NS_NET
    if lab.fault == "light_tails":
        tails = "light"
    label = f"{name}, {tails} tails" + (", shuffled" if shuffled else "")
    found: list[float] = lab.recall(label, lambda: _errors(lab, name, tails, shuffled))
    return found


def _errors(lab: Lab, name: str, tails: Tails, shuffled: bool) -> list[float]:
    (x, y), train = _data(lab, tails), round(TRAIN * ROWS)
    seen = numpy_generator(lab, 4).permutation(y[:train]) if shuffled else y[:train]
    epochs = max(1, round(min(1.0, lab.budget.effort / FULL_EFFORT) * EPOCHS))
    data = (jnp.asarray(x[:train], jnp.float32), jnp.asarray(seen, jnp.float32))
    batches = nr.Batches(data, size=BATCH, epochs=epochs)
    tx = optax.chain(
        optax.add_decayed_weights(DECAY),
        optax.adam(optax.cosine_decay_schedule(RATE, batches.steps)),
    )
    keys = jax.random.split(lab.key, lab.budget.seeds)
    build = partial(Net, KINDS[name], INPUTS, widths_of(name))
    runs = nr.fit_seeds(build, nr.squared_error, tx, batches, keys=keys)
    test = jnp.asarray(x[train:], jnp.float32)
    return [_test_error(run.model, test, y[train:]) for run in runs]


def _data(lab: Lab, tails: Tails) -> tuple[np.ndarray, np.ndarray]:
    generator = numpy_generator(lab, 3)
    if tails == "light":
        formula = int(generator.integers(1 << 30))
        drawn = sample(CASE, rows=ROWS, inputs=INPUTS, noise=NOISE, formula=formula)
        return drawn.x, drawn.y
    return heavy_tails(generator)


def heavy_tails(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Standardised inputs with rare large values, as tables have them, and a bounded target.

    `y = tanh(2 u.x) + tanh(2 v.x) tanh(2 x_1)` with noise 0.1, standardised; Student's t of 2
    degrees of freedom.
    """
    x = generator.standard_t(2.0, (ROWS, INPUTS))
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    u, v = generator.standard_normal((2, INPUTS)) / np.sqrt(INPUTS)
    y = np.tanh(2 * x @ u) + np.tanh(2 * x @ v) * np.tanh(2 * x[:, 0])
    y += NOISE * generator.standard_normal(ROWS)
    return x, (y - y.mean()) / y.std()


def _test_error(model: Any, x: Array, y: np.ndarray) -> float:
    model.eval()
    graph, state = nnx.split(model)
    found = np.asarray(_outputs(graph, state, x), np.float64)
    error = float(np.mean(np.square(found - y)))
    return error if np.isfinite(error) else 1e6  # as the authors' script clips what explodes


@partial(jax.jit, static_argnums=0)
def _outputs(graph: Any, state: Any, x: Array) -> Array:
    output: Array = nnx.merge(graph, state)(x)
    return output


def _logs(lab: Lab, tails: Tails) -> dict[str, list[float]]:
    """Log10 of the test MSE by kind and seed."""
    return {name: np.log10(errors(lab, name, tails)).tolist() for name in KINDS}


def _rows(logs: Mapping[str, Sequence[float]]) -> tuple[Row, ...]:
    return tuple(
        Row.mean(f"{name} ({size_of(name)} parameters): log10 of the test MSE", values)
        for name, values in logs.items()
    )


def _finding(
    comparison: Comparison, logs: Any, controls: tuple[Control, ...], note: str
) -> Finding:
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        "log10 of the ratio of test MSEs",
        _rows(logs),
        controls,
        f"{note} MSE in units of the target's variance; 0.0 in log10 is no better than its mean.",
        {"logs": logs, "parameters": {name: size_of(name) for name in KINDS}},
    )


def networks(lab: Lab) -> Finding:
    """Log10 of the test MSE of an MLP of NS-Net's size over NS-Net's."""
    logs = _logs(lab, "light")
    controls = (
        Control.above("NS-Net beats a net of powers", paired(logs[POWER_NET], logs[NS_NET])),
        Control.above("Normalisation makes it better", paired(logs[NS_NET], logs[NORMALISED])),
    )
    note = f"Simulated case {CASE}, Gaussian inputs: products of order 2 and 3, noise {NOISE}."
    return _finding(paired(logs[MLP], logs[NS_NET]), logs, controls, note)


def powers_explode(lab: Lab) -> Finding:
    """Log10 of the test MSE of NS-Net over that of an MLP of its size, with heavy tails."""
    logs = _logs(lab, "heavy")
    controls = (
        Control.above("It is larger with normalisation, too", paired(logs[NORMALISED], logs[MLP])),
        Control.above("A net of powers is worse than the MLP", paired(logs[POWER_NET], logs[MLP])),
    )
    note = "Inputs: Student's t of 2 degrees of freedom, standardised; a bounded target."
    return _finding(paired(logs[NS_NET], logs[MLP]), logs, controls, note)


def size_of(name: str) -> int:
    """Trained numbers of a kind of network."""
    kind = KINDS[name]
    return parameters(kind.neuron, widths_of(name), kind.normalised)
