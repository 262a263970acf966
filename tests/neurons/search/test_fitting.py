import numpy as np
import pytest

from neurons.search import compress, curve, frame_of
from neurons.search.fitting import Evaluator, fit
from neurons.search.projection import basis_of, project_out
from neurons.search.reduced import reduce_triangle
from neurons.search.rows import rows_of

TERMS = (("x", "x", 2, "**", 1.0, "*", "exp", "*"), ("x", 1.0, "*", 0.0, "+", "tanh"))


def problem_of(function, noise=0.0, samples=800, inputs=6, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (samples, inputs))
    y = function(x).sum(axis=1)
    y = y + noise * y.std() * rng.normal(size=samples)
    return x, y, compress(x, y, frame_of(x))


def truth(x):
    return 1.5 * x * np.exp(-0.5 * x**2) + np.tanh(1.3 * x + 0.4)


def test_projection_agrees_with_lapack():
    rng = np.random.default_rng(0)
    columns, target = rng.normal(size=(5, 3, 20)), rng.normal(size=(20, 2))
    for own, left in zip(columns, project_out(columns, target), strict=True):
        beta = np.linalg.lstsq(own.T, target, rcond=None)[0]
        np.testing.assert_allclose(left, target - own.T @ beta, atol=1e-12)


def test_parallel_columns_count_once():
    column = np.random.default_rng(0).normal(size=10)
    assert basis_of(np.stack([column, -2 * column, np.zeros(10)])).shape == (10, 1)


def test_constants_are_found_to_the_last_digit():
    _, _, triangle = problem_of(truth)
    evaluator = Evaluator(reduce_triangle(triangle))
    starts = np.random.default_rng(1).normal(size=(16, 3))
    constants, losses = fit(evaluator, TERMS, starts)
    np.testing.assert_allclose(constants[losses.argmin()], (-0.5, 1.3, 0.4), rtol=1e-9)
    assert losses.min() < 1e-20 * evaluator.problem.total


def test_fits_never_get_worse():
    _, _, triangle = problem_of(truth, noise=0.3)
    evaluator = Evaluator(reduce_triangle(triangle))
    starts = np.random.default_rng(2).normal(size=(16, 3)) * 3
    _, before = fit(evaluator, TERMS, starts, iterations=0)
    _, after = fit(evaluator, TERMS, starts, iterations=10)
    assert (after <= before).all()


def test_samples_and_triangle_agree():
    x, y, triangle = problem_of(truth, noise=0.2)
    start = np.array([[-0.4, 1.0, 0.2]])
    by_triangle, loss = fit(Evaluator(reduce_triangle(triangle)), TERMS, start)
    by_rows, raw_loss = fit(Evaluator(rows_of(x, y[:, None])), TERMS, start)
    np.testing.assert_allclose(by_triangle, by_rows, rtol=1e-3)
    np.testing.assert_allclose(loss + reduce_triangle(triangle).rest, raw_loss, rtol=1e-9)


def test_terms_outside_their_domain_explain_nothing():
    _, _, triangle = problem_of(truth)
    problem = reduce_triangle(triangle)
    _, loss = fit(Evaluator(problem), (("x", "log"),), np.empty((1, 0)))
    np.testing.assert_allclose(loss[0], (problem.target**2).sum())


@pytest.mark.parametrize("seed", range(3))
def test_the_curve_lies_in_its_band(seed):
    _, _, triangle = problem_of(truth, noise=0.1, seed=seed)
    found = curve(triangle)
    wanted = truth(found.x) - truth(found.x).mean()
    ratio = np.abs(found.value[:, 0] - wanted) / found.error[:, 0]
    assert (ratio < 2).mean() > 0.7
    assert ratio.max() < 5


def test_misfit_tells_right_from_wrong():
    _, _, triangle = problem_of(truth, noise=0.1)
    problem = reduce_triangle(triangle)
    evaluator = Evaluator(problem)
    _, right = fit(evaluator, TERMS, np.array([[-0.5, 1.3, 0.4]]))
    _, wrong = fit(evaluator, TERMS[1:], np.array([[1.3, 0.4]]))
    assert problem.misfit(right[0] + problem.rest, 6) > 0.01
    assert problem.misfit(wrong[0] + problem.rest, 4) < 1e-6


def test_kinks_show_as_truncation():
    kinked = reduce_triangle(problem_of(lambda x: np.abs(x - 0.4))[2])
    smooth = reduce_triangle(problem_of(truth, noise=0.1)[2])
    assert kinked.truncated
    assert not smooth.truncated
