"""Find the neuron that suits a task, and build a network of it.

The target is a sum of one function of every input. The search finds the function in a moment; its
terms become a neuron, and four such neurons learn what eight conventional ones do not.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import neurons as nr

INPUTS = 6


def task(samples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A sum of 2 x^3 + sin(3 x) over the inputs, with a little noise."""
    random = np.random.default_rng(seed)
    x = random.uniform(-1, 1, (samples, INPUTS))
    return x, (2 * x**3 + np.sin(3 * x)).sum(axis=1) + random.normal(0, 0.05, samples)


class Net(nnx.Module):
    """One hidden layer of any neurons."""

    def __init__(self, neuron: nr.Neuron, width: int, *, rngs: nnx.Rngs) -> None:
        self.hidden = nr.Dense(neuron, INPUTS, width, rngs=rngs)
        self.out = nnx.Linear(width, 1, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Predictions `(batch, 1)`."""
        return self.out(nnx.relu(self.hidden(x)))


def error(net: nnx.Module, batch: tuple[jax.Array, jax.Array]) -> jax.Array:
    """Mean square error."""
    return jnp.mean(jnp.square(net(batch[0])[:, 0] - batch[1]))


def main(steps: int = 2000) -> dict[str, float]:
    """Search, train for `steps` steps; return the test error of both networks."""
    x, y = task(800, seed=0)
    found = nr.search(x, y, nr.Space(powers=range(1, 5), functions=("sin", "exp")))
    print(found)  # the front: complexity, loss, R^2, formula
    print(f"best: {found.best}; no f explains more than R^2 = {found.lack_of_fit.ceiling:.4f}")
    train, test = (jax.tree.map(jnp.asarray, rows) for rows in ((x, y), task(4000, seed=1)))
    batches = nr.Batches(train, 80, max(1, steps // 10))
    tx, errors = optax.adam(optax.cosine_decay_schedule(0.03, batches.steps)), {}
    for neuron, width in ((found.best.to_neuron(normalise=(-1.0, 1.0)), 4), (nr.conventional, 8)):
        net = Net(neuron, width, rngs=nnx.Rngs(0))
        run = nr.fit(net, error, tx, batches, key=jax.random.key(0))
        errors[neuron.name] = float(error(run.model, test))
        print(f"{neuron.name:13}{nr.parameters(net):4} parameters, error {errors[neuron.name]:.4f}")
    return errors


if __name__ == "__main__":
    main()
