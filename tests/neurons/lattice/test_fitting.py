"""Fits of lattices reach closed-form optima, plain training does not, and bad data is named."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from neurons.lattice import IMPROVED, PLAIN, Lattice, Recipe, fit_lattice, fit_lattice_seeds, starts
from neurons.lattice.polish import polished, settled
from neurons.lattice.samples import Samples

KEYS = jax.random.split(jax.random.key(0), 3)
X = np.linspace(0, 1, 1025)
# E of x^2 on [0, 1] by 8 pieces: 1 / (6 sqrt5 n^2).
SQUARE = 1 / (6 * np.sqrt(5) * 64)

pytestmark = pytest.mark.usefixtures("standard_promotion")


@pytest.fixture(scope="module")
def squares():
    with jax.numpy_dtype_promotion("standard"):
        return fit_lattice_seeds(X, X**2, 8, keys=KEYS)


def test_every_seed_finds_the_best_pieces_of_a_square(squares):
    for fit in squares:
        np.testing.assert_allclose(fit.knots, np.linspace(0, 1, 9), atol=1e-5)
        assert fit.error == pytest.approx(SQUARE, rel=4e-3)  # the outer samples count in full
        assert fit.error == fit.attempts.min()
        assert fit.losses.shape == (2 * IMPROVED.steps,)


def test_the_model_is_the_pieces(squares):
    fit = squares[0]
    found = np.asarray(fit.model(jnp.asarray(X, jnp.float32)[:, None]))[:, 0]
    np.testing.assert_allclose(found, np.interp(X, fit.knots, fit.values), atol=1e-6)
    knots, _ = fit.model.to_pieces((0.0, 1.0))
    np.testing.assert_allclose(knots, fit.knots, atol=1e-4)


def test_a_seed_is_its_own_whoever_stands_beside_it(squares):
    alone = fit_lattice(X, X**2, 8, key=KEYS[1])
    np.testing.assert_allclose(alone.attempts, squares[1].attempts, rtol=1e-6)


def test_plain_training_ends_far_from_the_optimum_with_dead_pieces():
    fits = fit_lattice_seeds(
        X, X**2, 8, keys=KEYS, recipe=replace(PLAIN, steps=500), mask=np.eye(8, dtype=bool)
    )
    for fit in fits:
        assert fit.error > 1.5 * SQUARE
        assert fit.knots.size - 1 < 8
        found = np.asarray(fit.model(jnp.asarray(X, jnp.float32)[:, None]))[:, 0]
        np.testing.assert_allclose(found, np.interp(X, fit.knots, fit.values), atol=1e-5)
        assert fit.losses[-1] < fit.losses[0]


def test_one_knot_of_noisy_data_is_where_a_scan_finds_it():
    generator = np.random.default_rng(0)
    x = np.sort(generator.uniform(-2, 3, 200))
    y = np.abs(x - 0.5) + 0.1 * generator.normal(size=200)
    samples = Samples.of(x, y)
    scan = [np.array([-1.0, t, 1.0]) for t in np.linspace(-0.9, 0.9, 400)]
    best = min(
        float(samples.errors(t[None], starts.fitted_values(samples, t)[None])[0]) for t in scan
    )
    fit = fit_lattice(x, y, 2, key=KEYS[0])
    assert fit.error <= 1.003 * best * samples.frame[3]
    assert fit.knots[1] == pytest.approx(0.5, abs=0.1)


def test_units_do_not_matter(squares):
    fit = fit_lattice(1e4 + 1e3 * X, 5 - 1e-6 * X**2, 8, key=KEYS[0])
    np.testing.assert_allclose((fit.knots - 1e4) / 1e3, squares[0].knots, atol=1e-5)
    assert fit.error == pytest.approx(1e-6 * squares[0].error, rel=1e-3)


@pytest.mark.parametrize("polish", [True, False])
def test_what_needs_no_pieces_is_met_exactly(polish):
    recipe = replace(IMPROVED, polish=polish, steps=5)
    for y in (np.full(50, 3.0), 2 * X[:50] - 1):
        for segments in (1, 3):
            fit = fit_lattice(X[:50], y, segments, key=KEYS[0], recipe=recipe)
            assert fit.error < 1e-6
            assert np.isfinite(fit.values).all()


def test_as_many_segments_as_gaps_pass_through_all_samples():
    x, y = np.arange(5.0), np.array([0.0, 2.0, -1.0, 4.0, 0.0])
    fit = fit_lattice(x, y, 4, key=KEYS[0], recipe=replace(IMPROVED, starts=8))
    assert fit.error < 0.5 * y.std()


def test_samples_come_in_any_order_and_more_than_once():
    order = np.random.default_rng(0).permutation(2 * X.size)
    x, y = np.tile(X, 2)[order], np.concatenate([X**2 - 1, X**2 + 1])[order]
    samples = Samples.of(x, y)
    np.testing.assert_allclose(samples.restored(samples.x, samples.y), [X, X**2], atol=1e-12)


def test_weights_draw_knots_to_where_they_are():
    weights = np.where(X < 0.5, 1.0, 1e-3)
    fit = fit_lattice(X, X**2, 8, key=KEYS[0], weights=weights)
    assert (fit.knots < 0.5).sum() > 5


def test_thinning_keeps_the_ends_and_the_mean():
    samples = Samples.of(X, X**2)
    few = samples.thinned(100)
    assert few.x.size == 100
    np.testing.assert_allclose(few.x[[0, -1]], [-1, 1])
    assert few.weights.sum() == pytest.approx(1)
    assert few.weights @ few.y == pytest.approx(0, abs=1e-12)


def test_polish_solves_the_stationarity_equations():
    """Each piece is the least-squares line of its own samples, and neighbours meet."""
    x = np.linspace(0, 1, 20001)
    samples = Samples.of(x, np.exp(x))
    knots = polished(samples, np.linspace(-1, 1, 5)[None])[0]
    oracle = [0.289895, 0.549653, 0.784950]
    np.testing.assert_allclose((knots[1:-1] + 1) / 2, oracle, atol=2e-6)


def test_polish_leaves_closing_segments_alone():
    samples = Samples.of(X, X**2)
    odd = np.array([[-1.0, -0.5, -0.5 + 1e-12, 1.0], [-1.0, 0.0, 0.5, 1.0]])
    found = polished(samples, odd)
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=1) > 0).all()
    np.testing.assert_allclose(found[1], np.linspace(-1, 1, 4), atol=1e-5)


def test_revival_splits_the_worst_and_removes_the_needless():
    samples = Samples.of(X, np.maximum(X - 0.8, 0))
    more = starts.revived(samples, np.array([-1.0, 0.2, 1.0]), 3)
    assert more[2] == pytest.approx(0.6)
    fewer = starts.revived(samples, np.array([-1.0, -0.3, 0.6, 1.0]), 2)
    np.testing.assert_allclose(fewer, [-1, 0.6, 1])


@pytest.mark.parametrize(
    ("x", "y", "options", "message"),
    [
        ([0, 1, 2], [0, 1], {}, "arrays of one length"),
        ([0, 1, np.nan], [0, 1, 2], {}, "must be finite"),
        ([0, 1, 2], [0, 1, np.inf], {}, "must be finite"),
        ([1, 1, 1], [0, 1, 2], {}, "two places at least"),
        ([0, 1, 1], [0, 1, 2], {}, "2 segments need samples at 3 places, got 2"),
        ([0, 1, 2], [0, 1, 2], {"weights": [1, 0, 1]}, "weights must be above 0"),
        ([0, 1, 2], [0, 1, 2], {"keys": []}, "at least one key"),
        ([0, 1, 2], [0, 1, 2], {"mask": np.eye(2, dtype=bool)}, "taken from the pieces"),
        ([0, 1, 2], [0, 1, 2], {"mask": [[True]], "recipe": PLAIN}, "mask must be Boolean"),
    ],
)
def test_what_cannot_be_fitted_is_named(x, y, options, message):
    with pytest.raises(ValueError, match=message):
        fit_lattice_seeds(x, y, 2, **{"keys": KEYS, **options})


def test_a_recipe_refuses_what_it_cannot_do(unchecked):
    for bad, message in (
        ({"start": "zero"}, 'start must be "quantile" or "random"'),
        ({"starts": 0}, "starts must be a whole number"),
        ({"rate": 0.0}, "rate must be above 0"),
        ({"soft": -1.0}, "soft at least 0"),
    ):
        with pytest.raises(ValueError, match=message):
            Recipe(**bad)


def test_lines_keep_their_centres():
    fit = fit_lattice(X, X**2, 2, key=KEYS[0], recipe=replace(PLAIN, steps=3))
    assert isinstance(fit.model, Lattice)
    assert nnx.state(fit.model, nnx.Param)["kernel"].shape == (1, 1, 2)


def test_the_joined_error_is_an_integral():
    samples = Samples.of([0.0, 1.0, 2.0], [0.0, 0.0, 2.0])  # in their scale: -1/3, -1/3, 1
    knots, values = np.array([-1.0, 1.0]), np.array([-1 / 3, -1 / 3])
    # Off by a ramp from 0 to 4/3 on the second half, of half the weight: (4/3)^2 / 3 / 2.
    found = samples.joined_error(knots, values + samples.y[0] + 1 / 3)
    half = samples.weights[1:].sum() - samples.weights[1] / 2 - samples.weights[2] / 2
    ramp = (samples.y[2] - samples.y[1]) ** 2 / 3
    assert found == pytest.approx(np.sqrt(half * ramp))


def test_settling_between_few_samples_lowers_their_sum():
    x = np.linspace(0, 1, 30)
    samples = Samples.of(x, np.sqrt(x))
    before = np.linspace(-1, 1, 5)
    after = settled(samples, before)

    def error(knots):
        return samples.errors(knots[None], starts.fitted_values(samples, knots)[None])[0]

    assert error(after) < 0.6 * error(before)
    assert (np.diff(after) > 0).all()
