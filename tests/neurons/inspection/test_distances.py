"""Distances between saliency maps: closed forms, what each is blind to, finite derivatives."""

import hypothesis
import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurons.inspection.distances import DISTANCES, FLOOR, cos, kl, l1, mse, soft_iou

P = jnp.array([[[0.0, 0.5], [1.0, 0.0]]])
Q = jnp.array([[[0.5, 0.5], [0.0, 0.0]]])
SHARES_P, SHARES_Q = (
    np.array(values) / np.sum(values)
    for values in (
        [FLOOR, 0.5 + FLOOR, 1 + FLOOR, FLOOR],
        [0.5 + FLOOR, 0.5 + FLOOR, FLOOR, FLOOR],
    )
)
CLOSED = {
    "mse": (0.25 + 1) / 4,
    "l1": 1.5 / 4,
    "kl": float(np.sum(SHARES_Q * np.log(SHARES_Q / SHARES_P))),
    "cos": 1 - 0.25 / np.sqrt(1.25 * 0.5),
    "soft_iou": 1 - 0.5 / 2,
}
MAPS = arrays.arrays(
    np.float32, (2, 3, 3), elements=st.floats(0, 1, width=16, allow_subnormal=False)
)


@pytest.mark.parametrize("name", DISTANCES)
def test_closed_form(name):
    np.testing.assert_allclose(DISTANCES[name](P, Q), [CLOSED[name]], rtol=1e-5)


@jax.jit
def all_of_them(p, q):
    """Both ways round, from each map to itself, and the derivative by the first map."""
    return {
        name: (
            distance(p, q),
            distance(q, p),
            distance(p, p),
            jax.grad(lambda p, d=distance: d(p, q).sum())(p),
        )
        for name, distance in DISTANCES.items()
    }


@hypothesis.given(MAPS, MAPS)
def test_a_distance_is_zero_between_equals_never_negative_and_has_a_derivative(p, q):
    for name, (there, back, itself, slope) in all_of_them(p, q).items():
        np.testing.assert_allclose(itself, 0, atol=2e-6, err_msg=name)
        assert np.min(there) > -2e-6, name
        assert np.isfinite(slope).all(), name
        if name != "kl":
            np.testing.assert_allclose(there, back, atol=1e-6, err_msg=name)
            assert np.max(there) <= 1 + 1e-6, name


@pytest.mark.parametrize(
    ("name", "one_empty"), [("cos", 1.0), ("soft_iou", 1.0), ("mse", 0.125), ("l1", 0.25)]
)
def test_maps_of_zeros(name, one_empty):
    nothing = jnp.zeros_like(Q)
    distance = DISTANCES[name]
    assert distance(nothing, nothing).tolist() == [0.0]
    assert distance(nothing, Q).tolist() == distance(Q, nothing).tolist() == [one_empty]


def test_soft_iou_of_binary_maps_is_one_less_the_iou():
    p, q = jnp.array([[1.0, 1.0, 0.0, 0.0]]), jnp.array([[0.0, 1.0, 1.0, 0.0]])
    np.testing.assert_allclose(soft_iou(p, q), [1 - 1 / 3], rtol=1e-6)


def test_the_cosine_is_blind_to_size_and_the_others_are_not():
    np.testing.assert_allclose(cos(3 * P, Q), cos(P, Q), rtol=1e-6)
    assert all(not np.allclose(d(3 * P, Q), d(P, Q)) for d in (mse, l1, soft_iou))


def test_shares_by_softmax():
    p, q = (np.exp(one.ravel()) / np.exp(one).sum() for one in (np.asarray(P), np.asarray(Q)))
    expected = np.sum(q * np.log(q / p))
    np.testing.assert_allclose(kl(P, Q, shares="softmax"), [expected], rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mse(P, Q[:, :1]), "one shape"),
        (lambda: cos(P[0, 0], Q[0, 0]), "one shape"),
        (lambda: kl(P, Q, shares="rank"), "shares must be"),
        (lambda: kl(P, Q, floor=0.0), "floor must be positive"),
    ],
)
def test_misuse_is_refused(call, message, unchecked):
    with pytest.raises(ValueError, match=message):
        call()
