"""Finishing: every convention an option, a zero map stays zero, and sizes as torch's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurons.explain import finish
from neurons.explain.finishing import normalised

RAW = jnp.array([[[-2.0, 0.0], [1.0, 2.0]], [[4.0, 4.0], [4.0, 8.0]]])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [[[0, 0], [0.5, 1]], [[0, 0], [0, 1]]]),
        ({"rectify": False}, [[[0, 0.5], [0.75, 1]], [[0, 0], [0, 1]]]),
        ({"normalise": "max"}, [[[0, 0], [0.5, 1]], [[0.5, 0.5], [0.5, 1]]]),
        ({"normalise": "max", "rectify": False}, [[[-1, 0], [0.5, 1]], [[0.5, 0.5], [0.5, 1]]]),
        ({"normalise": "none"}, [[[0, 0], [1, 2]], [[4, 4], [4, 8]]]),
        ({"normalise": "none", "rectify": False}, RAW),
    ],
)
def test_conventions(options, expected):
    np.testing.assert_allclose(finish(RAW, **options), expected)


@pytest.mark.parametrize("normalise", ["minmax", "max"])
def test_a_map_of_zeros_stays_zero_and_has_no_nan_in_its_derivative(normalise):
    raw = jnp.concatenate([jnp.zeros((1, 2, 2)), -RAW[1:], RAW[:1]])

    def total(raw):
        return finish(raw, 4, normalise=normalise).sum()

    found, slope = finish(raw, 4, normalise=normalise), jax.grad(total)(raw)
    assert (found[:2] == 0).all()
    assert (found[2] > 0).any()
    assert np.isfinite(slope).all()


def test_a_constant_map_has_no_contrast():
    constant = jnp.full((1, 3, 3), 2.0)
    assert (finish(constant) == 0).all()
    assert (finish(constant, normalise="max") == 1).all()
    assert (finish(jnp.full((1, 1, 1), 2.0), 4) == 0).all()  # a layer with a single position


def test_the_scale_of_a_map_does_not_matter():
    for scale in (1e-30, 1e-12, 1e12):
        np.testing.assert_allclose(finish(scale * RAW), finish(RAW), rtol=1e-5)


def test_nan_stays_in_its_map():
    found = finish(RAW.at[0, 0, 0].set(jnp.nan), 4)
    assert np.isnan(found[0]).any()
    np.testing.assert_array_equal(found[1], finish(RAW, 4)[1])


def test_the_order_of_resize_and_normalisation_changes_the_largest_value():
    raw = jnp.pad(jnp.ones((1, 1, 1)), ((0, 0), (1, 2), (1, 2)))
    first, last = finish(raw, 8), finish(raw, 8, order="resize_first")
    assert first.max() < 1 == last.max()
    np.testing.assert_allclose(first / first.max(), last, rtol=1e-6)


def test_sizes():
    raw = jnp.arange(2.0)[None]  # half-pixel centres, ends held
    np.testing.assert_allclose(finish(raw, 4, normalise="none"), [[0, 0.25, 0.75, 1]])
    np.testing.assert_allclose(finish(RAW, (1, 2), normalise="none")[1], [[4, 6]])  # no antialias
    assert finish(RAW, (3, 5)).shape == (2, 3, 5)
    assert finish(jnp.ones((2, 3, 3, 3)), (2, 4, 5)).shape == (2, 2, 4, 5)
    assert finish(RAW[:0], 6).shape == (0, 6, 6)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((RAW, (4,)), {}, "2 spatial axes"),
        ((RAW, 0), {}, "a size"),
        ((RAW, (4, -1)), {}, "a size"),
        ((RAW[0, 0], 4), {}, "batch"),
        ((RAW,), {"normalise": "softmax"}, "normalise"),
        ((RAW,), {"order": "random"}, "order"),
    ],
)
def test_impossible_requests(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        finish(*arguments, **options)


def test_nothing_is_normalised_without_maps():
    assert normalised(RAW[:0]).shape == (0, 2, 2)
