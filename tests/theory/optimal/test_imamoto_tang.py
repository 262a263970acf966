import numpy as np
import pytest

from theory.optimal.approximation import approximate
from theory.optimal.imamoto_tang import ImamotoTang
from theory.optimal.minimax_curve import fit_curve
from theory.optimal.resolution import resolve

CASES = {
    "sin": (np.sin, (0.0, np.pi)),
    "exp": (np.exp, (0.0, 1.0)),
    "sqrt": (np.sqrt, (0.0, 1.0)),
    "flat": (lambda x: x**8, (-1.0, 1.0)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("segments", [1, 2, 6])
def test_it_agrees_with_levelling(name, segments):
    target = resolve(*CASES[name])
    classical, newton = ImamotoTang()(target, segments), fit_curve(target, segments)
    assert classical.status == "optimal"
    assert classical.error == pytest.approx(newton.error, rel=1e-9)
    np.testing.assert_allclose(classical.knots, newton.knots, atol=1e-7)
    x = np.linspace(*target.domain, 5001)
    assert np.abs(target(x) - classical(x)).max() <= classical.error * (1 + 1e-9)


def test_a_public_implementation_stopped_early():
    """Its number for sin on [0, pi], 7 segments, is half a smallest peak: none does so well."""
    published = 0.007654081210491
    found = ImamotoTang()(resolve(np.sin, (0.0, np.pi)), 7)
    assert found.error == pytest.approx(published, rel=1e-5)
    assert found.lower_bound > published


def test_not_converging_is_a_status():
    found = ImamotoTang(most_steps=3)(resolve(np.exp, (0.0, 1.0)), 6)
    assert found.status == "not_converged"
    assert found.iterations == 3
    best = fit_curve(resolve(np.exp, (0.0, 1.0)), 6)
    assert found.lower_bound < best.error < found.error


def test_it_takes_more_steps_than_newton():
    target = resolve(np.exp, (0.0, 1.0))
    assert ImamotoTang()(target, 8).iterations > 20 * fit_curve(target, 8).iterations


@pytest.mark.parametrize("function", [np.sin, lambda x: 2 * x])
def test_other_functions_are_refused(function):
    with pytest.raises(ValueError, match="convex or concave"):
        ImamotoTang()(resolve(function, (-1.0, 2.0)), 3)


def test_the_door_takes_it():
    found = approximate(np.exp, (0.0, 1.0), 3, norm="linf", solver=ImamotoTang())
    assert (found.solver, found.status) == ("Imamoto-Tang", "optimal")
    with pytest.raises(ValueError, match="solves linf, got norm 'l2'"):
        approximate(np.exp, (0.0, 1.0), 3, solver=ImamotoTang())


def test_no_segments_are_refused():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        ImamotoTang()(resolve(np.exp, (0.0, 1.0)), 0)
