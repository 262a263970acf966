"""Training of one weight, where everything can be worked out by hand, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st
from small_runs import ROWS, X, assert_same

import neurons as nr

pytestmark = pytest.mark.usefixtures("standard_promotion")

KEY = jax.random.key(3)
ADAM = optax.adam(0.05)


def error(model, batch):
    return jnp.mean(jnp.square(model(batch[0]) - batch[1]))


# -- one weight, where everything can be worked out ---------------------------------------------


class Line(nnx.Module):
    """`y = w x` with `w` from 0."""

    def __init__(self, *, rngs=None):
        self.w = nnx.Param(jnp.zeros(()))

    def __call__(self, x):
        return self.w[...] * x


SGD = optax.inject_hyperparams(optax.sgd)(learning_rate=0.1)
ONES = np.ones((4, 1), np.float32)


def line(count=6, target=5.0, tx=SGD, **options):
    batches = nr.Batches((ONES, target * ONES), 4, count)
    return nr.fit(Line(), error, tx, batches, key=KEY, **options)


def weights(count, rate=0.1, target=5.0):
    """Gradient descent by hand: w <- w - rate * 2 (w - target)."""
    w = [0.0]
    for _ in range(count):
        w.append(w[-1] - rate * 2 * (w[-1] - target))
    return np.asarray(w)


@given(rate=st.floats(1e-3, 0.4), target=st.floats(-5, 5))
def test_losses_follow_gradient_descent_by_hand(rate, target):
    run = line(target=target, settings={"learning_rate": rate})
    expected = weights(6, rate, target)
    np.testing.assert_allclose(run.losses, (expected[:-1] - target) ** 2, rtol=1e-4, atol=1e-6)
    assert float(run.model.w[...]) == pytest.approx(expected[-1], rel=1e-4, abs=1e-6)


def test_the_best_epoch_is_the_one_with_the_lowest_validation_loss():
    # On its way from 0 to 5 the weight passes 2, where validation is best.
    validation = (ONES, 2 * ONES)
    by_hand = (weights(6)[1:] - 2) ** 2
    best, last = (line(validation=validation, select=s) for s in ("best", "last"))
    np.testing.assert_allclose(best.validation, by_hand, rtol=1e-5)
    assert best.epoch == by_hand.argmin() + 1 == 2
    assert float(best.model.w[...]) == pytest.approx(weights(6)[2])
    assert last.epoch == 6
    assert float(last.model.w[...]) == pytest.approx(weights(6)[6])


def test_validation_weighs_chunks_by_their_length():
    x = np.random.default_rng(1).normal(size=(700, 1)).astype(np.float32)
    x[512:] += 3  # a plain mean over chunks of 512 and 188 would be far off
    run = line(count=1, validation=(x, 2 * x))
    squares = ((weights(1)[1] - 2) * x.astype(float)) ** 2
    assert run.validation[0] == pytest.approx(squares.mean(), rel=1e-5)
    of_chunks = (squares[:512].mean() + squares[512:].mean()) / 2
    assert run.validation[0] != pytest.approx(of_chunks, rel=1e-2)


def test_a_diverged_run_keeps_its_nan_and_says_so():
    run = line(settings={"learning_rate": 1e30}, validation=(ONES, ONES), select="best")
    assert not run.finite
    assert np.isnan(run.losses[-1])
    assert np.isfinite(run.losses[0])
    assert np.isnan(run.validation[-1])
    assert line().finite


def test_a_run_that_never_was_finite_returns_its_start():
    nan = np.full_like(ONES, np.nan)
    run = line(validation=(ONES, nan), select="best")
    assert (run.epoch, float(run.model.w[...])) == (0, 0.0)


def test_settings_equal_a_fresh_optimizer():
    fresh = optax.inject_hyperparams(optax.sgd)(learning_rate=0.2)
    assert_same(line(settings={"learning_rate": 0.2}), line(tx=fresh))
    assert np.abs(line().losses - line(tx=fresh).losses).max() > 1e-3


def test_the_scale_of_relinear_is_a_setting():
    def run(scale, **options):
        tx = nr.relinear(optax.sgd(0.1), scale)
        start = nr.Dense(nr.quadratic, 1, 1, rngs=nnx.Rngs(0))
        return nr.fit(start, error, tx, nr.Batches((ONES, 5 * ONES), 4, 6), key=KEY, **options)

    fresh = run(0.3)
    assert_same(run(0.0, settings={"relinear_scale": 0.3}), fresh)
    assert np.abs(run(0.0).losses - fresh.losses).max() > 1e-3


def test_the_state_is_shown_after_every_epoch():
    seen = []
    run = line(
        on_epoch=lambda state: seen.append((state.epoch, float(state.carry.params["w"][...])))
    )
    assert [epoch for epoch, _ in seen] == [1, 2, 3, 4, 5, 6]
    np.testing.assert_allclose([w for _, w in seen], weights(6)[1:], rtol=1e-5)
    assert seen[-1][1] == float(run.model.w[...])


def test_runs_that_differ_in_values_compile_once():
    traces = []

    def counted(model, batch):
        traces.append(1)
        return error(model, batch)

    def run(seed, rate):
        batches = nr.Batches((seed * ONES, ONES), 4, 2)
        return nr.fit(
            Line(),
            counted,
            SGD,
            batches,
            key=jax.random.key(seed),
            settings={"learning_rate": rate},
        )

    run(0, 0.1)
    first = len(traces)
    assert first > 0
    run(1, 0.2)
    run(2, 0.3)
    assert len(traces) == first


# -- what a step carries ------------------------------------------------------------------------


class Statistics(nnx.Module):
    """Normalises and drops; the output is what is left of the input."""

    def __init__(self, *, rngs):
        self.norm = nnx.BatchNorm(3, momentum=0.9, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x):
        return self.dropout(self.norm(x))


STILL = optax.sgd(0.0)


def observe(key=KEY, seed=0, validation=None):
    """Two epochs of one full batch each, without learning: only the state moves."""
    model = Statistics(rngs=nnx.Rngs(seed))
    batches = nr.Batches((X, 0 * X), ROWS, 2)
    return nr.fit(model, error, STILL, batches, key=key, validation=validation)


def test_batch_statistics_move_as_running_averages():
    run = observe()
    mean, variance = np.zeros(3), np.ones(3)
    for _ in range(2):
        mean = 0.9 * mean + 0.1 * X.mean(axis=0)
        variance = 0.9 * variance + 0.1 * X.var(axis=0)
    np.testing.assert_allclose(run.model.norm.mean[...], mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(run.model.norm.var[...], variance, rtol=1e-4)


def test_dropout_follows_the_key_and_nothing_else():
    losses = observe().losses
    np.testing.assert_array_equal(observe(seed=8).losses, losses)  # not the model's own stream
    assert np.abs(observe(key=jax.random.key(4)).losses - losses).min() > 1e-3
    assert abs(losses[0] - losses[1]) > 1e-3  # each step drops others


def test_validation_neither_drops_nor_moves_statistics():
    run = observe(validation=(X, 0 * X))
    mean, variance = np.zeros(3), np.ones(3)
    for epoch in range(2):
        mean = 0.9 * mean + 0.1 * X.mean(axis=0)
        variance = 0.9 * variance + 0.1 * X.var(axis=0)
        expected = ((X - mean) ** 2 / (variance + 1e-5)).mean()
        assert run.validation[epoch] == pytest.approx(expected, rel=1e-4)


# -- losses, and what is refused ----------------------------------------------------------------


def test_cross_entropy_equals_its_formula():
    logits = np.random.default_rng(2).normal(size=(5, 3)).astype(np.float32)
    labels = np.asarray([0, 2, 1, 1, 0])
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.log(p[np.arange(5), labels]).mean()
    found = nr.cross_entropy(lambda x: x, (jnp.asarray(logits), jnp.asarray(labels)))
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_the_best_epoch_needs_validation():
    with pytest.raises(ValueError, match='select="best" needs validation data'):
        line(select="best")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"select": "first"}, 'select must be "best" or "last", got \'first\''),
        ({"loop": "while"}, 'loop must be "auto", "scan" or "python", got \'while\''),
        ({"settings": {"momentum": 0.9}}, "no number to set named 'momentum'"),
        ({"validation": (ONES[:0], ONES[:0])}, "validation data is empty"),
    ],
)
def test_unknown_words_are_refused(options, message, unchecked):
    with pytest.raises(ValueError, match=message):
        line(**options)


@pytest.mark.parametrize("name", ["count", "mu"])
def test_only_numbers_of_the_optimizer_can_be_set(name):
    batches = nr.Batches((ONES, ONES), 4, 1)
    start = Line()
    with pytest.raises(ValueError, match=f"no number to set named '{name}'"):
        nr.fit(start, error, ADAM, batches, key=jax.random.key(0), settings={name: 3.0})


def test_a_state_that_cannot_go_on_is_refused():
    done = line(count=2)
    with pytest.raises(ValueError, match="2 epochs are done, more than epochs=1"):
        line(count=1, resume=done.state)
    with pytest.raises(ValueError, match="validation losses of 0 of its 2"):
        line(count=3, resume=done.state, validation=(ONES, ONES))


def test_no_seeds_are_refused():
    with pytest.raises(ValueError, match="fit_seeds needs at least one key"):
        nr.fit_seeds(Line, error, SGD, nr.Batches((ONES, ONES), 4, 1), keys=[])


@pytest.mark.parametrize("loop", ["scan", "python"])
def test_vectorised_seeds_need_no_validation(loop):
    keys = jax.random.split(jax.random.key(5), 3)
    batches = nr.Batches((ONES, 5 * ONES), 4, 6)
    runs = nr.fit_seeds(Line, error, SGD, batches, keys=keys, loop=loop, vectorise=True)
    for run in runs:
        assert run.validation.shape == (0,)
        assert float(run.model.w[...]) == pytest.approx(weights(6)[6])
