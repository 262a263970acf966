"""A neuron of your own: one entry, then any layer, a heterogeneous one included.

The neuron multiplies a linear form by a bell of another one: it answers on a slab of its input
space. Its formula is written twice, as branches and in plain NumPy, and the two must agree.
"""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import neurons as nr

slab = nr.Neuron(
    "slab",
    "(w_r.x + b_r) exp(-(w_g.x)^2)",
    (nr.Branch("r"), nr.Branch("g", group="product", bias=False, anchor=0.0)),
    lambda value, gate: value * jnp.exp(-jnp.square(gate)),
    degenerate="conventional",  # with w_g = 0, where the anchor lets it start
    plain=lambda x, w, b: (w.r @ x + b.r) * np.exp(-((w.g @ x) ** 2)),
    size="2n + 1",
    work="2n + 2",
)


def main(steps: int = 1000) -> float:
    """Check the neuron, put it into layers, train it; return its mean square error."""
    rngs = nnx.Rngs(0)
    dense = nr.Dense(slab, 2, 1, init="common", rngs=rngs)
    x = jax.random.normal(jax.random.key(0), (512, 2))
    w = SimpleNamespace(r=dense.weights("r")[:, 0], g=dense.weights("g")[:, 0])
    b = SimpleNamespace(r=dense.offset("r")[0])
    by_hand = [slab.plain(np.asarray(one), w, b) for one in x[:5]]
    np.testing.assert_allclose(dense(x[:5])[:, 0], by_hand, rtol=1e-4, atol=1e-6)
    print(f"{slab.name}: {slab.formula}, {slab.parameters(2)} parameters for 2 inputs")

    image = nr.Conv(slab, 3, 8, (3, 3), strides=2, rngs=rngs)(jnp.ones((1, 32, 32, 3)))
    mixed = nr.Mixed([(slab, 0.5), (nr.quadratic, 0.5)], 2, 6, rngs=rngs)(x)
    print("in a convolution:", image.shape, "beside quadratic neurons:", mixed.shape)
    # A ramp that lives near the diagonal, for the layer to learn.
    x_and_y = (x, 2 * x[:, :1] * jnp.exp(-4 * jnp.square(x[:, :1] - x[:, 1:])))

    def error(layer: nnx.Module, batch: tuple[jax.Array, jax.Array]) -> jax.Array:
        return jnp.mean(jnp.square(layer(batch[0]) - batch[1]))

    batches = nr.Batches(x_and_y, 64, max(1, steps // 8))
    run = nr.fit(dense, error, optax.adam(0.02), batches, key=jax.random.key(1))
    final = float(error(run.model, x_and_y))
    print(
        f"mean square error {run.losses[0]:.3f} before, {final:.2e} after {run.losses.size} steps"
    )
    return final


if __name__ == "__main__":
    main()
