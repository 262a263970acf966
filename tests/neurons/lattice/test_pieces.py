"""Lattices equal piecewise-linear functions, and are read back as such."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from neurons.lattice import Lattice, max_min, pieces

DRAWS, MOST = 2000, 11


def random_function(generator):
    """Up to 11 segments, whose lengths and slopes span orders of magnitude."""
    segments = int(generator.integers(1, 12))
    lengths = np.exp(generator.normal(0, generator.choice([0.5, 2.0]), segments))
    knots = np.concatenate([[0], np.cumsum(lengths)]) + generator.normal(0, 3)
    values = generator.normal(size=segments + 1)
    if generator.random() < 0.2:  # neighbours on one line, nearly parallel, or equal lines apart
        values = np.round(values) * generator.choice([1.0, 1e-3])
    return knots, values


def interpolated(x, knots, values):
    """Values with the outer pieces going on."""
    piece = np.clip(np.searchsorted(knots, x) - 1, 0, knots.size - 2)
    part = (x - knots[piece]) / (knots[piece + 1] - knots[piece])
    return (1 - part) * values[piece] + part * values[piece + 1]


@pytest.fixture(scope="module")
def functions():
    generator = np.random.default_rng(0)
    return [random_function(generator) for _ in range(DRAWS)]


def around(knots):
    """On the knots, between them, and beyond."""
    wide = knots[-1] - knots[0]
    inner = np.interp(np.linspace(0, 1, 80), np.linspace(0, 1, knots.size), knots)
    return np.concatenate([inner, np.resize(knots, 12), knots[[0, -1]] + [-wide, wide]])


def distances(found, expected, scale):
    """Largest relative distance between the outer knots, and beyond them."""
    missed = np.abs(found - expected)
    beyond = missed[-2:] / np.maximum(np.abs(expected[-2:]), scale)
    return missed[:-2].max() / scale, beyond.max()


def test_two_thousand_functions_are_max_mins_and_come_back(functions):
    """The layer's own arithmetic, on lines padded to one shape."""
    heights, masks, wanted, back = [], [], [], 0.0
    for knots, values in functions:
        lines, mask = pieces.lines_through(knots, values), pieces.lattice_mask(knots, values)
        x = around(knots)
        more = MOST - mask.shape[0]
        heights.append(np.pad(lines.at(x), ((0, 0), (0, more))))
        masks.append(np.pad(np.pad(mask, ((0, more), (0, 0)), mode="edge"), ((0, 0), (0, more))))
        scale = np.abs(values).max() or 1.0
        wanted.append((interpolated(x, knots, values), scale))
        t, v = pieces.active_pieces(lines, mask, knots[0], knots[-1])
        assert t.size <= knots.size
        back = max(back, distances(np.interp(x, t, v), *wanted[-1])[0])
    with jax.enable_x64(True):
        found = jax.jit(jax.vmap(max_min))(jnp.asarray(heights), jnp.asarray(masks))
    inside, beyond = np.transpose(
        [distances(y, *case) for y, case in zip(np.asarray(found), wanted, strict=True)]
    )
    assert max(inside.max(), beyond.max(), back) <= 1e-12


def test_layers_are_exact_in_float64_and_come_back(functions):
    with jax.enable_x64(True):
        for knots, values in [f for f in functions if f[0].size in (2, 6, 12)][:30]:
            lattice = Lattice.from_pieces(knots, values, dtype=jnp.float64)
            x, scale = around(knots), np.abs(values).max() or 1.0
            expected = interpolated(x, knots, values)
            found = np.asarray(lattice(jnp.asarray(x)[:, None]))[:, 0]
            assert max(distances(found, expected, scale)) <= 1e-12
            back = np.interp(x, *lattice.to_pieces((knots[0], knots[-1])))
            assert distances(back, expected, scale)[0] <= 1e-12


def test_a_group_without_the_line_that_holds_it_down_is_wrong(functions):
    """The property can fail: without the last line of a group, most functions are missed."""
    missed = 0
    for knots, values in functions[:100]:
        lines, mask = pieces.lines_through(knots, values), pieces.lattice_mask(knots, values)
        mask[:-1, -1] = False
        x = np.append(knots, (knots[1:] + knots[:-1]) / 2)
        y = np.max([lines.at(x)[:, row].min(axis=1) for row in mask], axis=0)
        missed += np.abs(y - np.interp(x, knots, values)).max() > 1e-3
    assert missed > 30


def test_single_precision_keeps_steep_pieces_far_from_zero():
    knots, values = np.array([1000.0, 1000.5, 1000.501, 1001.0]), np.array([0.0, 1.0, -1.0, 0.0])
    lattice = Lattice.from_pieces(knots, values)
    x = np.linspace(1000, 1001, 1001).astype(np.float32)
    found = np.asarray(lattice(jnp.asarray(x)[:, None]))[:, 0]
    # The knots are rounded to half an ulp of 1000, 3e-5, which the steep piece makes 2,000 times.
    flat = (x < 1000.4999) | (x > 1000.5011)
    expected = np.interp(x.astype(np.float64), knots, values)
    np.testing.assert_allclose(found[flat], expected[flat], atol=5e-6)
    np.testing.assert_allclose(found, expected, atol=0.15)


def test_convex_functions_are_maxima_and_concave_ones_minima():
    knots = np.linspace(0, 1, 6)
    convex = np.asarray(Lattice.from_pieces(knots, knots**2).mask[...])
    concave = np.asarray(Lattice.from_pieces(knots, -(knots**2)).mask[...])
    np.testing.assert_array_equal(convex, np.eye(5, dtype=bool))
    np.testing.assert_array_equal(concave, np.ones((5, 5), bool))


def test_one_piece_is_a_line_and_a_constant_has_one_piece():
    line = Lattice.from_pieces([0.0, 2.0], [1.0, 5.0])
    knots, values = line.to_pieces((-1.0, 1.0))
    np.testing.assert_allclose((knots, values), [[-1, 1], [-1, 3]], rtol=1e-6)
    flat = Lattice.from_pieces([0.0, 1.0, 2.0], [3.0, 3.0, 3.0]).to_pieces((0.0, 2.0))
    np.testing.assert_array_equal(flat, [[0, 2], [3, 3]])


def test_dead_pieces_drop_out():
    with jax.enable_x64(True):
        lattice = Lattice.groups(1, 3, 1, dtype=jnp.float64, rngs=nnx.Rngs(0))
        lattice.kernel[...] = jnp.asarray([[[-1.0, 1.0, 0.0]]])
        lattice.bias[...] = jnp.asarray([[0.0, 0.0, -0.1]])
        knots, values = lattice.to_pieces((-1.0, 2.0))
        assert knots.tolist() == [-1, 0, 2]
        assert values.tolist() == [1, 0, 2]


def test_random_lattices_are_their_own_pieces():
    """Oracle: the layer itself, at random points."""
    generator = np.random.default_rng(1)
    with jax.enable_x64(True):
        for seed in range(20):
            mask = generator.random((5, 7)) < 0.5
            mask[:, 0] |= ~mask.any(axis=1)
            lattice = Lattice(1, mask, dtype=jnp.float64, rngs=nnx.Rngs(seed))
            knots, values = lattice.to_pieces((-5.0, 5.0))
            x = generator.uniform(-5, 5, 500)
            expected = np.asarray(lattice(jnp.asarray(x)[:, None]))[:, 0]
            np.testing.assert_allclose(np.interp(x, knots, values), expected, atol=1e-13)


def test_what_is_no_function_is_refused():
    for knots, values, message in (
        ([0.0, 0.0, 1.0], [0.0, 1.0, 2.0], "knots must increase"),
        ([1.0, 0.0], [0.0, 1.0], "knots must increase"),
        ([0.0], [1.0], "at least two knots"),
        ([0.0, 1.0], [1.0], "a value for each"),
        ([0.0, np.nan], [0.0, 1.0], "must be finite"),
        ([0.0, 1.0], [0.0, np.inf], "must be finite"),
    ):
        with pytest.raises(ValueError, match=message):
            Lattice.from_pieces(knots, values)


def test_what_has_no_pieces_is_refused():
    rngs = nnx.Rngs(0)
    for lattice in (
        Lattice.groups(2, 2, 1, rngs=rngs),
        Lattice.groups(1, 2, 1, 2, rngs=rngs),
        Lattice.groups(1, 2, 1, temperature=0.1, rngs=rngs),
    ):
        with pytest.raises(ValueError, match="one input, one neuron and temperature 0"):
            lattice.to_pieces((0.0, 1.0))
    line = Lattice.from_pieces([0.0, 1.0], [0.0, 1.0])
    with pytest.raises(ValueError, match="low < high"):
        line.to_pieces((1.0, 0.0))
    line.bias[...] = jnp.asarray([[jnp.nan]])
    with pytest.raises(ValueError, match="must be finite"):
        line.to_pieces((0.0, 1.0))
