"""What a layer keeps for its backward pass, in bytes."""

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

import neurons as nr

BATCH, WIDTH = 64, 32


def kept(function, *arguments):
    """Bytes that the backward pass of `function` holds, its arguments left out."""
    _, backward = jax.vjp(function, *arguments)
    given = {leaf.unsafe_buffer_pointer() for leaf in jax.tree.leaves(arguments)}
    arrays = {leaf.unsafe_buffer_pointer(): leaf.nbytes for leaf in jax.tree.leaves(backward)}
    return sum(size for pointer, size in arrays.items() if pointer not in given)


def straightforward_dense(kernels, x):
    r, g, b = kernels
    return (x @ r) * (x @ g) + jnp.square(x) @ b


def straightforward_conv(kernels, x):
    r, g, b = (
        jax.lax.conv_general_dilated(
            v, kernel, (1,), "SAME", dimension_numbers=("NWC", "WIO", "NWC")
        )
        for v, kernel in zip((x, x, jnp.square(x)), kernels, strict=True)
    )
    return r * g + b


@pytest.mark.parametrize("remat", [False, True], ids=["kept", "remat"])
@pytest.mark.parametrize(
    ("plain", "make", "sizes", "x"),
    [
        (straightforward_dense, nr.Dense, (), (BATCH, WIDTH)),
        (straightforward_conv, nr.Conv, (3,), (4, BATCH, WIDTH)),
    ],
    ids=["Dense", "Conv1d"],
)
def test_activation_memory_is_at_most_the_straightforward_one_and_remat_halves_it(
    plain, make, sizes, x, remat
):
    layer = make(nr.quadratic, WIDTH, WIDTH, *sizes, bias=False, remat=remat, rngs=nnx.Rngs(0))
    graph, state = nnx.split(layer)
    x = jax.random.normal(jax.random.key(0), x)
    kernels = tuple(getattr(layer, f"kernel_{name}")[...] for name in "rgb")
    ours = kept(lambda state, x: nnx.merge(graph, state)(x), state, x)
    theirs = kept(plain, kernels, x)
    assert theirs >= 3 * x.nbytes  # both factors and the squares
    assert ours <= theirs * (0.5 if remat else 1)
