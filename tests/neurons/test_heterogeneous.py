"""Several kinds of neuron in one layer."""

import jax.numpy as jnp
import numpy as np
import numpy_twins as twins
import pytest
from flax import nnx

import neurons as nr

KINDS = [(nr.quadratic, 2), (nr.conventional, 3), (nr.radial, 1)]


def rngs():
    return nnx.Rngs(0)


@pytest.mark.parametrize(
    ("layer", "sizes", "shape"),
    [
        (nr.Dense, (), (4, 3)),
        (nr.Conv, (3,), (2, 9, 3)),
        (nr.Conv, ((3, 2),), (2, 5, 4, 3)),
        (nr.ConvTranspose, (3,), (2, 9, 3)),
    ],
    ids=["Dense", "Conv1d", "Conv2d", "ConvTranspose1d"],
)
def test_kinds_stand_side_by_side(layer, sizes, shape):
    mixed = nr.Mixed(KINDS, 3, 6, *sizes, layer=layer, rngs=rngs())
    x = twins.draw(shape)
    y = np.split(np.asarray(mixed(x)), [2, 5], axis=-1)
    for one, part, (neuron, width) in zip(mixed.layers, y, KINDS, strict=True):
        assert one.neuron is neuron
        assert part.shape[-1] == width
        np.testing.assert_array_equal(part, one(x))


def test_cost_is_the_sum_over_kinds():
    mixed = nr.Mixed(KINDS, 5, 6, rngs=rngs())
    assert nr.parameters(mixed) == 2 * (3 * 5 + 3) + 3 * (5 + 1) + 2


def test_options_reach_every_kind():
    mixed = nr.Mixed(KINDS[:2], 4, 5, bias=False, init="common", rngs=rngs())
    assert nr.parameters(mixed) == 2 * 12 + 3 * 4
    assert not np.array_equal(mixed.layers[0].kernel_g[...], np.zeros((4, 2)))


@pytest.mark.parametrize(
    ("shares", "out", "widths"),
    [
        ([0.5, 0.5], 7, (4, 3)),
        ([1 / 3, 1 / 3, 1 / 3], 8, (3, 3, 2)),
        ([0.7, 0.2, 0.1], 10, (7, 2, 1)),
        ([0.85, 0.15], 5, (4, 1)),
        ([4, 3], 7, (4, 3)),
    ],
)
def test_fractions_are_rounded_by_largest_remainder(shares, out, widths):
    kinds = list(zip((nr.quadratic, nr.conventional, nr.radial), shares, strict=False))
    assert nr.Mixed(kinds, 2, out, rngs=rngs()).widths == widths


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ([], r"every kind needs a share above 0, got \[\]"),
        ([4, 0], r"every kind needs a share above 0, got \[4, 0\]"),
        ([-0.5, 1.5], "every kind needs a share above 0"),
        ([4, 5], r"widths must add up to out_features=8, got \[4, 5\]"),
        ([0.5, 0.4], r"fractions must add up to 1, got \[0.5, 0.4\]"),
        ([0.99, 0.01], r"a kind gets no neuron: shares \[0.99, 0.01\] of out_features=8"),
    ],
)
def test_shares_that_do_not_add_up_are_refused(shares, message):
    kinds = list(zip((nr.quadratic, nr.conventional), shares, strict=False))
    with pytest.raises(ValueError, match=message):
        nr.Mixed(kinds, 2, 8, rngs=rngs())


def test_it_learns_what_neither_kind_can_alone():
    """|x|^2 + relu-free ridge: the mixed layer represents both exactly."""
    mixed = nr.Mixed([(nr.radial, 1), (nr.conventional, 1)], 3, 2, rngs=rngs())
    x = twins.draw((6, 3))
    mixed.layers[0].kernel_w[...], mixed.layers[0].bias_c[...] = jnp.ones(1), jnp.zeros(1)
    np.testing.assert_allclose(mixed(x)[:, 0], (np.asarray(x) ** 2).sum(axis=1), rtol=1e-5)
