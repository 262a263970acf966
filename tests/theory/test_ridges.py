import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.ridges import catalecticant_rank, ridge_share, square_norm_share


def square_norm(x):
    return np.sum(x**2, axis=1)


@given(st.floats(0, 2 * math.pi))
def test_no_direction_tells_more_than_half_of_the_square_norm(angle):
    direction = np.array([math.cos(angle), math.sin(angle)])
    assert ridge_share(square_norm, direction) == pytest.approx(0.5, abs=1e-12)
    assert square_norm_share(2, 1) == 0.5


def test_share_of_a_ridge_function_is_its_squared_cosine_or_all():
    east = np.array([2.0, 0.0])
    assert ridge_share(lambda x: np.tanh(x[:, 0]), east) == pytest.approx(1)
    assert ridge_share(lambda x: x[:, 0] + x[:, 1], east) == pytest.approx(0.5)
    assert ridge_share(lambda x: x[:, 0] * x[:, 1], east) == pytest.approx(0, abs=1e-12)


def test_orthogonal_squares_explain_n_of_d():
    x = np.random.default_rng(0).normal(size=(200_000, 5))
    target = square_norm(x) - 5
    part = square_norm(x[:, :2]) - 2
    assert 1 - np.var(target - part) / np.var(target) == pytest.approx(
        square_norm_share(5, 2), abs=0.01
    )


@pytest.mark.parametrize("d", [2, 3, 4, 5])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_catalecticant_of_the_norm_s_powers_is_full(d, k):
    assert catalecticant_rank(d, k) == math.comb(d + k - 1, k)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda: ridge_share(square_norm, np.zeros(2)), "must not be zero"),
        (lambda: square_norm_share(0, 1), "at least 1"),
        (lambda: catalecticant_rank(2, 0), "at least 1"),
    ],
)
def test_misuse_is_named(act, words):
    with pytest.raises(ValueError, match=words):
        act()
