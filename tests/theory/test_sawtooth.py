import numpy as np
import pytest

from theory.sawtooth import (
    fewest_relu_neurons,
    sawtooth_product,
    sawtooth_square,
    square_segments,
)


@pytest.mark.parametrize("m", [1, 2, 5, 9])
def test_square_errs_by_a_quarter_of_its_cell_squared(m):
    x = np.arange(2 ** (m + 1) + 1)[:, None] / 2 ** (m + 1)  # knots and the middles between
    net = sawtooth_square(m)
    error = np.abs(net(x)[:, 0] - x[:, 0] ** 2)
    assert error.max() == pytest.approx(2.0 ** (-2 * m - 2), rel=1e-9)
    assert error[::2].max() < 1e-15
    assert net.neurons == 3 * m


@pytest.mark.parametrize("m", [1, 4, 8])
def test_product_errs_no_more_than_one_square(m):
    axis = np.linspace(-1, 1, 129)
    x = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    error = np.abs(sawtooth_product(m)(x)[:, 0] - x[:, 0] * x[:, 1])
    assert error.max() <= 2.0 ** (-2 * m - 2) * (1 + 1e-9)


def test_every_layer_costs_the_same():
    counts = [sawtooth_product(m).weights for m in range(1, 9)]
    assert len(set(np.diff(counts))) == 1


@pytest.mark.parametrize("error", [1e-1, 1e-3, 1e-6])
def test_so_many_segments_and_no_fewer(error):
    n = square_segments(error)
    assert 1 / (8 * n**2) <= error * (1 + 1e-6)
    assert n == 1 or 1 / (8 * (n - 1) ** 2) > error
    assert 2 ** fewest_relu_neurons(error) >= n


def test_interpolation_of_the_network_is_piecewise_linear_with_the_bounds_number_of_pieces():
    x = np.linspace(0, 1, 2**10 + 1)[:, None]
    slopes = np.diff(sawtooth_square(4)(x)[:, 0]) * 2**10
    assert len(np.unique(np.round(slopes, 9))) == 2**4


@pytest.mark.parametrize("act", [lambda: sawtooth_square(0), lambda: square_segments(0.0)])
def test_misuse_is_named(act):
    with pytest.raises(ValueError, match="must be"):
        act()
