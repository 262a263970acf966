"""Grown parameters move slower, towards their anchors, or not at all; the others as ever."""

import jax
import jax.numpy as jnp
import numpy as np
import numpy_twins as twins
import optax
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st

import neurons as nr

pytestmark = pytest.mark.usefixtures("standard_promotion")

LINEAR, PRODUCT, POWER = ("kernel_r", "bias_r"), ("kernel_g", "bias_g"), ("kernel_b", "bias_b")
GROWN = PRODUCT + POWER
OPTIMISERS = {
    "sgd": optax.sgd(0.1),
    "momentum": optax.sgd(0.1, momentum=0.9),
    "adam": optax.adam(0.1),
    "adamw": optax.adamw(0.1, weight_decay=0.5),
}


def quadratic_layer():
    return twins.drawn(nr.Dense, nr.quadratic, 2, 4)


def params_of(model):
    return nnx.state(model, nnx.Param)


def gradients(params, number=0):
    """Some gradients, other ones in every step."""
    rng = np.random.default_rng(number)
    return jax.tree.map(lambda p: jnp.asarray(rng.normal(size=p.shape), p.dtype), params)


def flat(tree):
    """Arrays by name."""
    return {name: np.asarray(tree[name][...]) for name in tree}


def steps(tx, params, count=3):
    """Updates of some steps along a fixed path of gradients; the parameters stay."""
    state, found = tx.init(params), []
    for number in range(count):
        updates, state = tx.update(gradients(params, number), state, params)
        found.append(flat(updates))
    return found


# -- scaled rate --------------------------------------------------------------------------------


@pytest.mark.parametrize("tx", OPTIMISERS.values(), ids=OPTIMISERS)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
def test_grown_groups_learn_at_the_scaled_rate_and_others_as_without(tx, scale):
    params = params_of(quadratic_layer())
    for plain, scaled in zip(steps(tx, params), steps(nr.relinear(tx, scale), params), strict=True):
        for name in LINEAR:
            np.testing.assert_array_equal(scaled[name], plain[name])
        for name in GROWN:
            assert np.abs(plain[name]).min() > 0
            np.testing.assert_allclose(scaled[name], scale * plain[name], rtol=1e-6)


def test_scaled_sgd_equals_its_formula():
    params = params_of(quadratic_layer())
    (updates,) = steps(nr.relinear(optax.sgd(0.1), 0.01), params, 1)
    gradient = flat(gradients(params))
    for name, update in updates.items():
        rate = 0.1 * (0.01 if name in GROWN else 1)
        np.testing.assert_allclose(update, -rate * gradient[name], rtol=1e-6)


def test_decoupled_weight_decay_is_scaled_too():
    params = params_of(quadratic_layer())
    tx = nr.relinear(optax.adamw(0.1, weight_decay=0.5), 0.01)
    still = jax.tree.map(jnp.zeros_like, params)
    updates, _ = tx.update(still, tx.init(params), params)
    for name, update in flat(updates).items():
        decay = 0.1 * 0.5 * (0.01 if name in GROWN else 1)
        np.testing.assert_allclose(update, -decay * flat(params)[name], rtol=1e-5)


def test_groups_have_their_own_scale_and_those_left_out_keep_one():
    params = params_of(quadratic_layer())
    plain = steps(optax.adam(0.1), params)[-1]
    both = steps(nr.relinear(optax.adam(0.1), {"product": 0.1, "power": 0.01}), params)[-1]
    one = steps(nr.relinear(optax.adam(0.1), {"product": 0.0}), params)[-1]
    for name in PRODUCT:
        np.testing.assert_allclose(both[name], 0.1 * plain[name], rtol=1e-6)
        np.testing.assert_array_equal(one[name], 0)
    for name in POWER:
        np.testing.assert_allclose(both[name], 0.01 * plain[name], rtol=1e-6)
        np.testing.assert_array_equal(one[name], plain[name])


def clipped_linear_updates(model, scale):
    """First step of the linear parameters under global-norm clipping."""
    params = params_of(model)
    tx = nr.relinear(optax.chain(optax.clip_by_global_norm(0.1), optax.sgd(0.1)), scale)
    grads = gradients(params)
    for name in LINEAR:  # the same for both neurons
        grads[name][...] = jnp.ones_like(grads[name][...])
    return flat(tx.update(grads, tx.init(params), params)[0])


def test_at_scale_zero_clipping_sees_the_conventional_network():
    plain = clipped_linear_updates(twins.drawn(nr.Dense, nr.conventional, 2, 4), 0.0)
    hidden = clipped_linear_updates(quadratic_layer(), 0.0)
    shown = clipped_linear_updates(quadratic_layer(), 1e-9)
    for name in LINEAR:
        np.testing.assert_array_equal(hidden[name], plain[name])
        assert np.abs(shown[name] - plain[name]).max() > 1e-4
    for name in GROWN:
        np.testing.assert_array_equal(hidden[name], 0)


def test_at_scale_zero_a_nan_in_a_grown_gradient_does_no_harm():
    params = params_of(quadratic_layer())
    tx = nr.relinear(optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.1)), 0.0)
    grads = gradients(params)
    grads["kernel_b"][...] = jnp.full_like(grads["kernel_b"][...], jnp.nan)
    updates = flat(tx.update(grads, tx.init(params), params)[0])
    assert all(np.isfinite(update).all() for update in updates.values())


def test_parameters_without_a_group_learn_as_without():
    class Net(nnx.Module):
        def __init__(self, rngs):
            self.grown = nr.Dense(nr.quadratic, 2, 4, rngs=rngs)
            self.norm = nnx.BatchNorm(4, rngs=rngs)

    params = params_of(Net(nnx.Rngs(0)))
    tx = nr.relinear(optax.sgd(1.0), 0.0)
    ones = jax.tree.map(jnp.ones_like, params)
    updates, _ = tx.update(ones, tx.init(params), params)
    np.testing.assert_array_equal(updates["norm"]["scale"][...], -1)
    np.testing.assert_array_equal(updates["grown"]["kernel_b"][...], 0)


def test_the_scale_lives_in_the_state():
    params = params_of(quadratic_layer())
    tx = nr.relinear(optax.sgd(0.1), 0.5)
    state = tx.init(params)
    assert float(state.relinear_scale) == 0.5
    changed = state._replace(relinear_scale=jnp.asarray(0.25))
    found = flat(tx.update(gradients(params), changed, params)[0])
    expected = steps(nr.relinear(optax.sgd(0.1), 0.25), params, 1)[0]
    for name, update in found.items():
        np.testing.assert_array_equal(update, expected[name])


# -- shrinking, clipping, freezing --------------------------------------------------------------


def moved(tx):
    """Parameters before, the update proposed by SGD, and the parameters after `tx`."""
    params = params_of(quadratic_layer())
    chained = optax.chain(optax.sgd(0.1), tx)
    updates, _ = chained.update(gradients(params), chained.init(params), params)
    proposed = {name: -0.1 * g for name, g in flat(gradients(params)).items()}
    return flat(params), proposed, flat(optax.apply_updates(params, updates))


def anchor(name):
    return 1.0 if name == "bias_g" else 0.0


@given(rate=st.floats(0, 1))
def test_shrinking_follows_its_formula(rate):
    before, proposed, after = moved(nr.shrink_weights(rate))
    for name in LINEAR:
        np.testing.assert_allclose(after[name], before[name] + proposed[name], rtol=1e-6)
    for name in GROWN:
        distance = before[name] + proposed[name] - anchor(name)
        expected = anchor(name) + (1 - rate) * distance
        np.testing.assert_allclose(after[name], expected, rtol=1e-5, atol=1e-6)


@given(bound=st.floats(0, 3))
def test_clipping_follows_its_formula(bound):
    before, proposed, after = moved(nr.clip_weights(bound))
    for name in LINEAR:
        np.testing.assert_allclose(after[name], before[name] + proposed[name], rtol=1e-6)
    for name in GROWN:
        free = before[name] + proposed[name]
        expected = np.clip(free, anchor(name) - bound, anchor(name) + bound)
        np.testing.assert_allclose(after[name], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("tx", [nr.shrink_weights(1.0), nr.clip_weights(0.0)])
def test_the_strongest_pull_gives_the_conventional_network(tx):
    _, _, after = moved(tx)
    for name in GROWN:
        np.testing.assert_allclose(after[name], anchor(name), atol=1e-6)


@pytest.mark.parametrize("tx", [nr.shrink_weights(0.0), nr.clip_weights(float("inf"))])
def test_no_pull_changes_nothing(tx):
    before, proposed, after = moved(tx)
    for name in GROWN:
        np.testing.assert_allclose(after[name], before[name] + proposed[name], atol=1e-6)


@pytest.mark.parametrize("groups", [("product",), ("power",), ("product", "power"), ("linear",)])
def test_frozen_groups_stay_and_others_move(groups):
    before, proposed, after = moved(nr.freeze(*groups))
    names = {"linear": LINEAR, "product": PRODUCT, "power": POWER}
    frozen = {name for group in groups for name in names[group]}
    for name, value in after.items():
        if name in frozen:
            np.testing.assert_array_equal(value, before[name])
        else:
            np.testing.assert_allclose(value, before[name] + proposed[name], rtol=1e-6)
            assert np.abs(value - before[name]).min() > 0


def test_transformations_compose():
    before, proposed, after = moved(optax.chain(nr.shrink_weights(0.5), nr.clip_weights(0.2)))
    for name in GROWN:
        half = 0.5 * (before[name] + proposed[name] - anchor(name))
        expected = anchor(name) + np.clip(half, -0.2, 0.2)
        np.testing.assert_allclose(after[name], expected, atol=1e-6)


def test_a_wrong_anchor_is_noticed():
    before, proposed, after = moved(nr.shrink_weights(0.5))
    wrong = 0.5 * (before["bias_g"] + proposed["bias_g"])  # as if b_g were silent at 0
    assert np.abs(after["bias_g"] - wrong).min() > 0.4


# -- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [-1e-9, float("inf"), float("nan"), {"power": -1.0}])
def test_impossible_scales_are_refused(scale):
    with pytest.raises(ValueError, match="scale needs finite values of at least 0"):
        nr.relinear(optax.sgd(0.1), scale)


def test_a_scale_for_the_linear_group_is_refused():
    with pytest.raises(ValueError, match=r"other than 'linear', got 'linear': 0\.5"):
        nr.relinear(optax.sgd(0.1), {"linear": 0.5})


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_impossible_shrinking_is_refused(rate):
    with pytest.raises(ValueError, match=r"rate must lie in \[0, 1\]"):
        nr.shrink_weights(rate)


@pytest.mark.parametrize("bound", [-0.1, float("nan")])
def test_impossible_bounds_are_refused(bound):
    with pytest.raises(ValueError, match="bound must be at least 0"):
        nr.clip_weights(bound)


@pytest.mark.parametrize(
    "tx",
    [nr.relinear(optax.sgd(0.1), {"prodct": 0.1}), nr.freeze("prodct")],
    ids=["scale", "freeze"],
)
def test_a_group_that_no_parameter_has_is_named(tx):
    with pytest.raises(ValueError, match=r"\['linear', 'power', 'product'\], got \['prodct'\]"):
        tx.init(params_of(quadratic_layer()))


def test_freezing_the_linear_group_leaves_parameters_without_a_group_alone():
    head = nnx.Linear(2, 1, rngs=nnx.Rngs(0))
    net = nnx.List([quadratic_layer(), head])
    params = params_of(net)
    tx = nr.freeze("linear")
    moved, _ = tx.update(gradients(params), tx.init(params), params)
    assert np.abs(moved[1]["kernel"][...]).min() > 0
    assert np.abs(moved[0]["kernel_r"][...]).max() == 0


def test_freezing_nothing_is_refused():
    with pytest.raises(ValueError, match="freeze needs group names"):
        nr.freeze()


ALL = {
    "relinear": nr.relinear(optax.sgd(0.1), 0.1),
    "shrink": nr.shrink_weights(0.1),
    "clip": nr.clip_weights(0.1),
    "freeze": nr.freeze("power"),
}


@pytest.mark.parametrize("tx", ALL.values(), ids=ALL)
def test_bare_arrays_are_refused(tx):
    with pytest.raises(TypeError, match="parameters carry no groups here"):
        tx.init({"kernel_g": jnp.ones(2)})


@pytest.mark.parametrize("tx", ALL.values(), ids=ALL)
def test_an_update_without_parameters_is_refused(tx):
    params = params_of(quadratic_layer())
    with pytest.raises(ValueError, match="needs the parameters"):
        tx.update(gradients(params), tx.init(params))
