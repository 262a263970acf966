"""The papers' own search: it recovers its groups, and its released defects cost what they cost."""

import gc

import numpy as np
import pytest

from neurons.data.polynomial_groups import polynomial_groups
from neurons.search import tnsr
from neurons.search.tnsr import TNLEARN, PowerSums, Tnsr, TnsrResult

RANDOM = np.random.default_rng(5)
X = RANDOM.uniform(-2, 2, (40, 3))
SMALL = Tnsr(population=120, generations=8)


def plain_mse(found, x, y):
    values = sum(a * (x**k).sum(axis=1) for k, a in enumerate(found) if k) + found[0]
    return np.mean((values - y) ** 2)


def released_mse(found, x, y):
    """The released code's arithmetic, broadcasting and all: `(inputs, rows)` against `(rows,)`."""
    value = found[0]
    for k, a in enumerate(found):
        if k and a:
            value = value + (a * x.T**k if abs(a) == 1 else a * (x.T**k).sum(axis=0))
    return np.mean((value - y) ** 2)


def test_the_triangle_gives_the_errors_of_the_raw_data():
    y = RANDOM.standard_normal(40)
    found = RANDOM.integers(-3, 4, (50, 6)).astype(float)
    data = PowerSums(X, y, 5)
    np.testing.assert_allclose(data.mse(found), [plain_mse(f, X, y) for f in found], rtol=1e-9)
    slow = [released_mse(f, X, y) for f in found]
    np.testing.assert_allclose(data.released_mse(found), slow, rtol=1e-9)
    assert not np.allclose(data.mse(found), slow)


def test_the_stated_group_is_recovered_by_the_published_settings():
    group = polynomial_groups(0, "none")[0]
    found = Tnsr(generations=16).run(group.x, group.y, 0)
    assert (found.powers, found.coefficients, found.intercept) == ((1, 2), (2.0, 6.0), -3.0)
    assert found.mse < 1e-12 * np.var(group.y)
    np.testing.assert_allclose(found.predict(group.x), group.y)
    assert str(found) == "6*x**2 +2*x**1 -3"


@pytest.mark.parametrize("powers", [(), (1,), (2, 5)])
def test_the_expression_is_the_formula_of_one_input(powers):
    coefficients = tuple(3.0 * k - 7 for k in powers)
    found = TnsrResult(powers, coefficients, 4.0, 0.0, (), 0)
    np.testing.assert_allclose(found.expression()(X).sum(axis=1) + 4, found.predict(X))


def test_the_first_defect_mis_scales_terms_with_unit_coefficients():
    """`x^2` against twice its sum over one repeated input: the released code sees half of it."""
    x = np.repeat(X[:, :1], 2, axis=1)
    truth = np.array([[0.0, 0, 1]])
    y = (x**2).sum(axis=1)
    data = PowerSums(x, y, 2)
    assert data.mse(truth)[0] == pytest.approx(0, abs=1e-20)
    assert data.released_mse(truth)[0] == pytest.approx(np.mean((y / 2) ** 2))


def test_the_defects_change_what_is_found():
    y = (X**3 - X**2).sum(axis=1)
    mended = Tnsr(population=200, generations=10).run(X, y, 0)
    released = Tnsr(population=200, generations=10, mended=False).run(X, y, 0)
    assert (mended.powers, mended.coefficients) == ((2, 3), (-1.0, 1.0))
    assert mended.mse < 1e-20
    assert released.coefficients != mended.coefficients
    assert np.mean((released.predict(X) - y) ** 2) > 0.05 * np.var(y)


def test_shuffled_fitness_costs_selection():
    """On a target without unit coefficients only the second defect is left."""
    y = (4 * X**4 - 3 * X**3 + 7 * X**2 - 5 * X).sum(axis=1)
    settings = {"population": 120, "generations": 9}
    mended = [Tnsr(**settings).run(X, y, s).mse for s in range(4)]
    released = [Tnsr(**settings, mended=False).run(X, y, s).mse for s in range(4)]
    assert np.median(np.log(mended)) < np.median(np.log(released)) - 1


def test_the_seed_decides_everything():
    y = RANDOM.standard_normal(40)
    first = SMALL.run(X, y, 3)
    assert first == SMALL.run(X, y, 3)
    assert first == SMALL.run(X, y, np.random.default_rng(3))
    assert first.history != SMALL.run(X, y, 4).history
    assert len(first.history) == 8
    assert 8 * 120 < first.evaluations <= 8 * 120 + 7 * 6  # the archive comes on top
    assert all(a >= b for a, b in zip(first.history, first.history[1:], strict=False))
    assert first.mse == first.history[-1]


def test_the_hook_sees_every_generation_and_can_end_the_search():
    seen = []

    def hook(generation, best):
        seen.append((generation, best.mse))
        return generation == 3

    found = SMALL.run(X, X.sum(axis=1) ** 2, 0, hook)
    assert [generation for generation, _ in seen] == [1, 2, 3]
    assert found.history == tuple(mse for _, mse in seen)
    assert gc.isenabled()


def test_single_powers_can_be_refused():
    y = 3 * (X**2).sum(axis=1)
    settings = {"population": 200, "generations": 10}
    assert Tnsr(**settings).run(X, y, 0).powers == (2,)
    assert len(Tnsr(**settings, monomials=False).run(X, y, 0).powers) > 1


def test_no_formula_is_a_result():
    hopeless = Tnsr(population=2, generations=1, x_share=0.0).run(X, X[:, 0], 0)
    expected = TnsrResult((), (), 0.0, np.inf, (np.inf,), 2)
    assert hopeless == expected
    np.testing.assert_array_equal(hopeless.predict(X), np.zeros(40))


def test_the_scale_of_the_inputs_does_not_matter():
    for scale in (1e-6, 1e6):
        y = ((scale * X) ** 2).sum(axis=1) * 3
        found = Tnsr(population=200, generations=10).run(scale * X, y, 0)
        terms = dict(zip(found.powers, found.coefficients, strict=True))
        assert terms[2] == 3.0
        # Further terms may stay only where they are smaller than the rounding of y.
        np.testing.assert_allclose(found.predict(scale * X), y, rtol=1e-9)


def test_presets_are_the_published_and_the_packages_settings():
    assert (Tnsr().population, Tnsr().generations, Tnsr().tournament) == (500, 80, 15)
    assert Tnsr().tournament == round(0.03 * Tnsr().population)
    assert (TNLEARN.population, TNLEARN.generations, TNLEARN.tournament) == (5000, 20, 10)
    assert not TNLEARN.mended


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"population": 1}, "population must be at least 2, got 1"),
        ({"generations": 0}, "generations must be at least 1"),
        ({"tournament": 0}, "tournament"),
        ({"depth": -1}, "depth"),
        ({"degree": 0}, "degree"),
        ({"degree": tnsr.HIGHEST_DEGREE + 1}, "degree must be at most 15, got 16"),
        ({"crossover": 1.5}, "crossover is a share"),
        ({"x_share": -0.1}, "x_share is a share"),
        ({"crossover": 0.6}, "crossover \\+ mutation exceed 1"),
        ({"constants": (3, 3)}, "low < high"),
        ({"constants": (0, 10**7)}, "1,000,000"),
    ],
)
def test_impossible_settings_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        Tnsr(**change)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (X, X[:5, 0], "got \\(40, 3\\) and \\(5,\\)"),
        (X[:, 0], X[:, 0], "x \\(rows, inputs\\)"),
        (np.zeros((0, 3)), np.zeros(0), "x \\(rows, inputs\\)"),
        (np.where(X > 1, np.nan, X), X[:, 0], "finite"),
        (X, np.where(X[:, 0] > 1, np.inf, 0), "finite"),
        (X * 1e21, X[:, 0], "at most 1e\\+20"),
    ],
)
def test_impossible_data_is_refused(x, y, words):
    with pytest.raises(ValueError, match=words):
        SMALL.run(x, y, 0)


def test_constant_inputs_give_a_constant_fit():
    found = SMALL.run(np.zeros((20, 2)), np.full(20, 7.0), 0)
    assert found.predict(np.zeros((20, 2))) == pytest.approx(np.full(20, 7.0))
