"""Batches and the choice of the loop."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st

import neurons as nr
from neurons.epochs import Run

ROWS = np.zeros((10, 3), np.float32)


@given(seed=st.integers(0, 2**31 - 1), epoch=st.integers(0, 1000))
def test_an_epoch_visits_rows_once_and_drops_the_incomplete_batch(seed, epoch):
    batches = nr.Batches(ROWS, size=4, epochs=1)
    order = np.asarray(batches.order(jax.random.key(seed), epoch))
    assert order.shape == (2, 4)
    assert len(np.unique(order)) == 8
    assert order.min() >= 0
    assert order.max() < 10


def test_every_epoch_and_key_has_its_own_order():
    batches = nr.Batches(ROWS, size=5, epochs=1)
    orders = {
        tuple(np.ravel(batches.order(jax.random.key(seed), epoch)))
        for seed in range(4)
        for epoch in range(4)
    }
    assert len(orders) == 16


def test_every_row_is_left_out_now_and_then():
    batches = nr.Batches(ROWS, size=4, epochs=1)
    key = jax.random.key(0)
    left_out = [set(range(10)) - set(np.ravel(batches.order(key, e)).tolist()) for e in range(40)]
    assert set.union(*left_out) == set(range(10))


def test_steps_are_counted_for_schedules():
    batches = nr.Batches({"x": ROWS, "y": ROWS}, size=4, epochs=7)
    assert (batches.examples, batches.steps_per_epoch, batches.steps) == (10, 2, 14)


@pytest.mark.parametrize(
    ("data", "size", "epochs", "message"),
    [
        ((ROWS, ROWS[:9]), 2, 1, r"arrays must share one length above 0, got \[9, 10\]"),
        (ROWS[:0], 1, 1, r"arrays must share one length above 0, got \[0\]"),
        ((), 1, 1, r"arrays must share one length above 0, got \[\]"),
        (ROWS, 0, 1, "size and epochs must be at least 1: 0, 1"),
        (ROWS, 1, 0, "size and epochs must be at least 1: 1, 0"),
        (ROWS, 11, 1, "size=11 exceeds the 10 examples"),
    ],
)
def test_impossible_batches_are_refused(data, size, epochs, message):
    with pytest.raises(ValueError, match=message):
        nr.Batches(data, size, epochs)


def sums(model, batch):
    return jnp.sum(jnp.square(model(batch)))


def scans(model, loop="auto"):
    run = Run(sums, optax.sgd(0.1), nr.Batches(ROWS, 2, 1), None, "last", None, loop, None)
    return run.scans(*run.begin(model, jax.random.key(0)))


def dense():
    return nr.Dense(nr.quadratic, 3, 2, rngs=nnx.Rngs(0))


def sliding():
    return nr.Conv(nr.quadratic, 3, 2, 2, rngs=nnx.Rngs(0))


def pointwise():
    return nr.Conv(nr.quadratic, 3, 2, 1, rngs=nnx.Rngs(0))  # a matrix product


@pytest.mark.parametrize(("make", "expected"), [(dense, True), (pointwise, True), (sliding, False)])
def test_on_a_cpu_models_that_convolve_are_stepped_and_others_scanned(
    make, expected, monkeypatch, standard_promotion
):
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    assert scans(make()) is expected


def test_elsewhere_everything_is_scanned(monkeypatch, standard_promotion):
    model = sliding()
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert scans(model) is True


@pytest.mark.parametrize(("loop", "expected"), [("scan", True), ("python", False)])
@pytest.mark.parametrize("make", [dense, sliding])
def test_the_caller_may_choose_the_loop(make, loop, expected):
    assert scans(make(), loop) is expected
