"""Gradient descent on many small lattices of one input at once, in one compiled scan."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jaxtyping import Bool, Float

from neurons.lattice.layer import max_min


class Nets(NamedTuple):
    """Lattices of one input: `height + slope (x - centre) / width`, each `(nets, pieces)`.

    Where the width is that of the segment, slopes and heights are of one size, and one rate of
    descent suits both.
    """

    slope: Float[Array, "nets pieces"]
    height: Float[Array, "nets pieces"]
    centre: Float[Array, "nets pieces"]
    width: Float[Array, "nets pieces"]
    mask: Bool[Array, "nets groups pieces"]


def outputs(
    nets: Nets, x: Float[Array, " points"], temperature: Float[Array, " nets"] | None = None
) -> Float[Array, "nets points"]:
    """What the nets make of `x`; without a temperature, by max and min themselves."""
    away = (x[None, :, None] - nets.centre[:, None]) / nets.width[:, None]
    z = nets.height[:, None] + nets.slope[:, None] * away
    if temperature is None:
        return jax.vmap(max_min)(z, nets.mask)
    return jax.vmap(max_min)(z, nets.mask, temperature)


@partial(jax.jit, static_argnames=("steps", "rate", "soft"))
def descend(
    nets: Nets,
    x: Float[Array, " points"],
    y: Float[Array, " points"],
    weights: Float[Array, " points"],
    *,
    steps: int,
    rate: float,
    soft: float = 0.0,
) -> tuple[Nets, Float[Array, "steps nets"]]:
    """Adam on the weighted mean squared error; the rate falls to 0 along a cosine.

    Args:
        nets: where to start.
        x: samples.
        y: their targets.
        weights: of sum 1.
        steps: of descent.
        rate: of Adam at first, in units of each net's own error at the start: near the best fit
            all pieces differ by little, and steps larger than that would kill some.
        soft: temperature of max and min at first, in the same units; it falls by a factor of 100
            until the last step. 0 for max and min themselves.

    Returns:
        The nets, and their errors before every step.
    """
    tx = optax.adam(optax.cosine_decay_schedule(rate, steps))

    def errors(trained: tuple[Array, Array], temperature: Array | None) -> tuple[Array, Array]:
        found = outputs(nets._replace(slope=trained[0], height=trained[1]), x, temperature)
        by_net = jnp.square(found - y[None]) @ weights
        return by_net.sum(), by_net  # a sum of independent nets: each gets its own gradient

    def step(carry: tuple, number: Array) -> tuple[tuple, Array]:
        trained, state = carry
        temperature = soft * unit[:, 0] * 0.01 ** (number / steps) if soft > 0 else None
        slopes, by_net = jax.grad(errors, has_aux=True)(trained, temperature)
        moves, state = tx.update(slopes, state)
        trained = jax.tree.map(lambda part, move: part + unit * move, trained, moves)
        return (trained, state), by_net

    start = (nets.slope, nets.height)
    # A start that misses nothing has rounding errors for a unit.
    unit = jnp.sqrt(jnp.maximum(errors(start, None)[1], 1e-12))[:, None]
    numbers = jnp.arange(steps, dtype=nets.slope.dtype)
    (trained, _), losses = jax.lax.scan(step, (start, tx.init(start)), numbers)
    return nets._replace(slope=trained[0], height=trained[1]), losses
