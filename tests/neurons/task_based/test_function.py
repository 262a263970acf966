"""Formulas on JAX arrays: values, precision, gradients, transforms."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy
from formulas import CUBE

from neurons.task_based import parse, with_operators

TEXTS = [
    "2*x**3 + sin(x) - 1.5",
    "exp(-0.5*x**2)*cos(1.7*x)/3",
    "log(1 + x**2) + atan(x)*tanh(0.3*x)",
    "sigmoid(2*x) + relu(x - 0.3)",
    "max(x, 0.5*x) - min(x, 1)",
    "sqrt(1 + x**4) + abs(x)**1.5",
    "(2 + 3)*x + sin(2)*exp(1)",
    "sinh(x)/cosh(x) + tan(0.3*x) + sign(x)",
    "x**-2 + (1 + x**2)**(-0.5)",
    "sqrt(2) + 1/3",
]
X = np.array([-1.7, -0.8, 0.4, 1.3])


@pytest.fixture(scope="module")
def formulas():
    return [parse(text) for text in TEXTS]


def together(functions):
    """All functions in one program: one compilation instead of ten."""
    return jax.jit(lambda x: [f(x) for f in functions])


@pytest.mark.parametrize(("dtype", "error"), [("float32", 2e-6), ("float64", 1e-14)])
def test_values_are_those_of_numpy_in_the_inputs_precision(formulas, dtype, error):
    with jax.enable_x64(dtype == "float64"):
        found = together([e.to_jax() for e in formulas])(jnp.asarray(X, dtype))
        for e, values in zip(formulas, found, strict=True):
            assert values.dtype == dtype, e
            np.testing.assert_allclose(values, e(X), rtol=error, atol=error, err_msg=str(e))


def test_half_precision_stays_half(formulas):
    x = jax.ShapeDtypeStruct((2, 3), jnp.bfloat16)
    for values in jax.eval_shape(together([e.to_jax() for e in formulas]), x):
        assert (values.shape, values.dtype) == ((2, 3), jnp.bfloat16)


def test_gradients_are_the_derivatives_of_sympy(formulas):
    with jax.enable_x64(True):
        slopes = together([jax.vmap(jax.grad(e.to_jax())) for e in formulas])(jnp.asarray(X))
    t = sympy.Symbol("x", real=True)
    for e, slope in zip(formulas, slopes, strict=True):
        derivative = sympy.diff(e.sympy(), "x").subs("x", t).doit()
        expected = [float(sympy.N(derivative.subs(t, float(point)))) for point in X]
        np.testing.assert_allclose(slope, expected, rtol=1e-12, atol=1e-14, err_msg=str(e))


def test_whole_numbers_are_read_as_floats():
    y = parse("x/2").to_jax()(jnp.arange(3))
    assert y.dtype == jnp.float32
    np.testing.assert_array_equal(y, [0, 0.5, 1])


def test_outside_the_domain_there_is_nan():
    assert np.isnan(parse("log(x)").to_jax()(-1.0))


def test_equal_formulas_compile_once_and_others_anew():
    traced = []

    def applied(f, x):
        traced.append(f)
        return f(x)

    run = jax.jit(applied, static_argnums=0)
    for text in ("x + 1", "x + 1", "x + 2"):
        run(parse(text).to_jax(), jnp.ones(2))
    assert len(traced) == 2


def test_functions_can_be_pickled_with_operators_of_ones_own():
    f = parse("cube(x) + 1", with_operators([CUBE])).to_jax()
    assert pickle.loads(pickle.dumps(f)) == f
    np.testing.assert_allclose(f(jnp.asarray([2.0])), [9.0])
