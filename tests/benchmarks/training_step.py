"""One training step of ours, compiled, to be timed beside PyTorch's."""

from functools import partial

import jax
import optax
from flax import nnx


def our_step(model, batch, loss, tx):
    """A function that takes one training step on `loss(model, batch)` and waits for it."""
    graph, params, rest = nnx.split(model, nnx.Param, ...)

    @partial(jax.jit, donate_argnums=0)
    def step(carry, batch):
        params, rest, optimizer = carry

        def score(params):
            merged = nnx.merge(graph, params, rest, copy=True)
            return loss(merged, batch), nnx.split(merged, nnx.Param, ...)[2]

        (value, rest), grads = jax.value_and_grad(score, has_aux=True)(params)
        updates, optimizer = tx.update(grads, optimizer, params)
        return (optax.apply_updates(params, updates), rest, optimizer), value

    carry = params, rest, tx.init(params)

    def call():
        nonlocal carry
        carry, value = step(carry, batch)
        return float(value)

    return call
