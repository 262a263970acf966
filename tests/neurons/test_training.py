"""Training is a pure function, and says what happened.

Nets and optimizers are made once here: runs that share them share their compiled programs.
"""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from small_runs import X, assert_same, values

import neurons as nr

pytestmark = pytest.mark.usefixtures("standard_promotion")

SIZE = 4  # five batches, two rows left over
Y = np.sin(2 * X[:, :1]).astype(np.float32)
VALIDATION = (jnp.asarray(X[:7] + 0.1), jnp.asarray(Y[:7]))


class Net(nnx.Module):
    """All that training must carry: batch statistics, dropout, grown parameters.

    Normalised after the activation: a bias before a normalisation has no gradient but rounding
    errors, which Adam would blow up to full steps.
    """

    def __init__(self, neuron, *, rngs):
        self.hidden = nr.Dense(neuron, 3, 4, rngs=rngs)
        self.norm = nnx.BatchNorm(4, momentum=0.9, rngs=rngs)
        self.dropout = nnx.Dropout(0.3, rngs=rngs)
        self.out = nnx.Linear(4, 1, rngs=rngs)

    def __call__(self, x):
        return self.out(self.dropout(self.norm(nnx.relu(self.hidden(x)))))


class ConvNet(nnx.Module):
    """Slides over the features of `X`."""

    def __init__(self, neuron, *, rngs):
        self.conv = nr.Conv(neuron, 1, 2, 2, rngs=rngs)
        self.out = nnx.Linear(6, 1, rngs=rngs)

    def __call__(self, x):
        return self.out(nnx.relu(self.conv(x[..., None])).reshape(x.shape[0], -1))


def error(model, batch):
    return jnp.mean(jnp.square(model(batch[0]) - batch[1]))


RATE = optax.cosine_decay_schedule(0.05, 40)
ADAM = optax.chain(optax.clip_by_global_norm(0.3), optax.adam(RATE))
SLOW = nr.relinear(ADAM, 0.0)
KEY = jax.random.key(3)
FLOAT32 = 5e-3  # what rounding errors grow to in 15 steps of Adam through dropout and ReLU


@lru_cache
def net(neuron=nr.quadratic, kind=Net, seed=0):
    return kind(neuron, rngs=nnx.Rngs(seed))


def epochs(count):
    return nr.Batches((X, Y), SIZE, count)


def train(model=None, count=3, tx=SLOW, **options):
    options = {"key": KEY, "settings": {"relinear_scale": 0.3}, **options}
    return nr.fit(net() if model is None else model, error, tx, epochs(count), **options)


# -- a run is a function of its arguments -------------------------------------------------------


def test_the_same_key_gives_the_same_run_and_another_key_another():
    assert_same(train(), train())
    assert np.abs(train().losses - train(key=jax.random.key(4)).losses).min() > 1e-6


def test_training_learns():
    losses = train(count=8).losses
    assert losses[-5:].mean() < 0.8 * losses[:5].mean()


def test_the_given_model_stays_as_it_was():
    model = Net(nr.quadratic, rngs=nnx.Rngs(0))
    before = values(nnx.state(model))
    run = train(model)
    after = values(nnx.state(model))  # fails for arrays whose memory was given away
    assert len(before) == len(after)
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not model.dropout.deterministic
    assert np.abs(run.model.out.kernel[...] - model.out.kernel[...]).max() > 1e-3


def test_the_record_is_complete_and_its_model_ready_for_use():
    run = train(validation=VALIDATION)
    assert run.losses.shape == (3 * 5,)
    assert run.validation.shape == (3,)
    assert (run.epoch, run.finite) == (3, True)
    x, _ = VALIDATION
    np.testing.assert_array_equal(run.model(x), run.model(x))  # no dropout
    assert float(error(run.model, VALIDATION)) == pytest.approx(run.validation[-1], rel=1e-5)


def test_without_validation_the_record_of_it_is_empty():
    assert train().validation.shape == (0,)


# -- the same numbers, however they come about --------------------------------------------------


@pytest.mark.parametrize("kind", [Net, ConvNet])
def test_at_scale_zero_training_is_bit_for_bit_conventional(kind):
    plain = train(net(nr.conventional, kind), tx=ADAM, settings=None)
    zero = train(net(nr.quadratic, kind), settings={"relinear_scale": 0.0})
    little = train(net(nr.quadratic, kind), settings={"relinear_scale": 1e-3})
    np.testing.assert_array_equal(zero.losses, plain.losses)
    x = jnp.asarray(X)
    np.testing.assert_array_equal(zero.model(x), plain.model(x))
    assert np.abs(little.losses - plain.losses).max() > 1e-6


def test_scanned_and_stepped_training_agree():
    scanned, stepped = (
        train(loop=loop, validation=VALIDATION, select="best") for loop in ("scan", "python")
    )
    np.testing.assert_allclose(scanned.losses, stepped.losses, rtol=FLOAT32)
    np.testing.assert_allclose(scanned.validation, stepped.validation, rtol=FLOAT32)
    assert scanned.epoch == stepped.epoch
    assert np.abs(scanned.losses[1:] - stepped.losses[:-1]).max() > 0.01


@pytest.mark.parametrize("select", ["best", "last"])
def test_a_resumed_run_equals_an_undisturbed_one(select):
    options = {"validation": VALIDATION, "select": select}
    whole = train(count=8, **options)
    part = train(count=3, **options)
    for _ in range(2):  # the state survives being used
        assert_same(train(count=8, resume=part.state, **options), whole)
    restarted = train(count=5, **options)
    assert np.abs(restarted.losses - whole.losses[15:40]).max() > 1e-3


def test_a_run_that_is_done_resumes_to_itself():
    done = train(count=3)
    assert_same(train(count=3, resume=done.state), done)


@pytest.mark.parametrize("vectorise", [True, False, None])
def test_seed_by_seed_equals_one_run_each(vectorise):
    keys = jax.random.split(jax.random.key(5), 2)
    options = {"validation": VALIDATION, "select": "best", "settings": {"relinear_scale": 0.3}}

    def build(rngs):
        return Net(nr.quadratic, rngs=rngs)

    runs = nr.fit_seeds(build, error, SLOW, epochs(3), keys=keys, vectorise=vectorise, **options)
    assert np.abs(runs[0].losses - runs[1].losses).min() > 1e-6
    for run, key in zip(runs, keys, strict=True):
        single = train(build(nnx.Rngs(key)), key=key, **options)
        if vectorise is False:
            assert_same(run, single)
        assert_close(run, single)


def assert_close(run, single):
    np.testing.assert_allclose(run.losses, single.losses, rtol=FLOAT32)
    np.testing.assert_allclose(run.validation, single.validation, rtol=FLOAT32)
    assert run.epoch == single.epoch
    x = jnp.asarray(X)
    np.testing.assert_allclose(run.model(x), single.model(x), rtol=FLOAT32, atol=1e-3)


@pytest.mark.parametrize("vectorise", [True, False])
def test_every_seed_may_have_data_of_its_own(vectorise):
    keys = jax.random.split(jax.random.key(5), 2)
    options = {"select": "best", "settings": {"relinear_scale": 0.3}}
    own = [epochs(3), nr.Batches((X[::-1] * 0.5, Y + 1), SIZE, 3)]
    held_out = [VALIDATION, (VALIDATION[0], VALIDATION[1] + 1)]
    both = {"keys": keys, "vectorise": vectorise, "validation": held_out, **options}
    runs = nr.fit_seeds(lambda rngs: Net(nr.quadratic, rngs=rngs), error, SLOW, own, **both)
    for run, key, batches, held in zip(runs, keys, own, held_out, strict=True):
        start = Net(nr.quadratic, rngs=nnx.Rngs(key))
        single = nr.fit(start, error, SLOW, batches, key=key, validation=held, **options)
        assert_close(run, single)


@pytest.mark.parametrize(
    ("batches", "validation", "message"),
    [
        ([epochs(3)], None, "2 keys need as many Batches"),
        ([epochs(3)] * 2, [VALIDATION], "as many validation sets"),
        ([epochs(3), epochs(2)], None, "must agree in shapes, size and epochs"),
        ([epochs(3), nr.Batches((X[:9], Y[:9]), SIZE, 3)], None, "must agree"),
    ],
    ids=["one for two", "one validation set", "epochs", "rows"],
)
def test_own_data_that_does_not_fit_together_is_refused(batches, validation, message):
    keys = jax.random.split(KEY, 2)
    with pytest.raises(ValueError, match=message):
        nr.fit_seeds(lambda rngs: net(), error, SLOW, batches, keys=keys, validation=validation)


def test_one_of_several_seeds_can_be_resumed():
    keys = jax.random.split(jax.random.key(5), 2)
    options = {"validation": VALIDATION, "settings": {"relinear_scale": 0.3}}

    def build(rngs):
        return Net(nr.quadratic, rngs=rngs)

    runs = nr.fit_seeds(build, error, SLOW, epochs(2), keys=keys, vectorise=True, **options)
    resumed = train(build(nnx.Rngs(keys[1])), 3, key=keys[1], resume=runs[1].state, **options)
    single = train(build(nnx.Rngs(keys[1])), 3, key=keys[1], **options)
    np.testing.assert_allclose(resumed.losses, single.losses, rtol=FLOAT32)
    np.testing.assert_allclose(resumed.validation, single.validation, rtol=FLOAT32)
