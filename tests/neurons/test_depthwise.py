"""Depthwise correlation equals XLA's convolution, and so do its derivatives of every order."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax import lax

from neurons import Conv, multiplications, quadratic
from neurons.convolution import _channels_last
from neurons.depthwise import Geometry, _gradient_whole, depthwise, gradient_p

# Shape, window, strides, padding, dilation, kernels per channel.
CASES = {
    "plane": ((2, 6, 5, 3), (3, 3), (2, 1), ((1, 1), (1, 2)), (1, 1), 1),
    "line": ((2, 9, 2), (4,), (3,), "SAME", (2,), 2),
    "space": ((1, 4, 5, 4, 2), (2, 3, 2), (1, 2, 1), "VALID", (1, 1, 1), 1),
    "wide padding": ((2, 4, 2), (2,), (2,), ((3, 0),), (1,), 1),
}


def convolution(x, kernel, strides, padding, dilation):
    return lax.conv_general_dilated(
        x,
        kernel[..., None, :],
        strides,
        padding,
        rhs_dilation=dilation,
        dimension_numbers=_channels_last(x.ndim - 2),
        feature_group_count=x.shape[-1],
    )


@pytest.fixture(params=CASES)
def case(request):
    """Ours, XLA's, and a pair of inputs with a pair of directions."""
    shape, window, strides, padding, dilation, times = CASES[request.param]
    rng = np.random.default_rng(0)
    kernel = (*window, shape[-1] * times)
    with jax.enable_x64(True):
        pairs = [(rng.normal(size=shape), rng.normal(size=kernel)) for _ in range(2)]
        options = {"strides": strides, "padding": padding, "dilation": dilation}
        yield partial(depthwise, **options), partial(convolution, **options), *pairs


def derivatives(function, point, direction, *, second):
    """Value, gradient, forward derivative, and Hessian times a direction in two ways."""

    def score(x, kernel):
        return jnp.sin(function(x, kernel)).sum()

    both = (0, 1)

    @jax.jit
    def found(point, direction):
        gradient = jax.grad(score, both)
        first = {
            "value": function(*point),
            "gradient": gradient(*point),
            "forward": jax.jvp(function, point, direction)[1],
        }
        return (
            first
            if not second
            else first
            | {
                "forward over reverse": jax.jvp(gradient, point, direction)[1],
                "reverse over reverse": jax.grad(
                    lambda *p: sum(
                        jnp.vdot(g, d) for g, d in zip(gradient(*p), direction, strict=True)
                    ),
                    both,
                )(*point),
            }
        )

    return found(point, direction)


def close(ours, theirs):
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-11), ours, theirs)


def test_values_and_derivatives_are_the_convolutions(case):
    ours, theirs, point, direction = case
    second = len(point[0].shape) < 4  # once more on a line, where it compiles quickly
    found, expected = (
        derivatives(function, point, direction, second=second) for function in (ours, theirs)
    )
    close(found, expected)


@pytest.mark.parametrize("axes", [(0, 0), (0, None), (None, 0)])
def test_it_maps_over_either_argument(axes):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 2, 5, 4, 2) if axes[0] == 0 else (2, 5, 4, 2)).astype(np.float32)
    kernel = rng.normal(size=(3, 3, 3, 2) if axes[1] == 0 else (3, 3, 2)).astype(np.float32)
    options = {"strides": (1, 1), "padding": "SAME", "dilation": (1, 1)}

    def mapped(function):
        def score(x, kernel):
            return (function(x, kernel, **options) ** 2).sum()

        return jax.jit(jax.vmap(jax.value_and_grad(score, (0, 1)), axes))(x, kernel)

    jax.tree.map(
        partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-4),
        mapped(depthwise),
        mapped(convolution),
    )


def test_mapped_images_of_one_kernel_stay_one_operation():
    x, kernel = jnp.arange(120.0).reshape(4, 2, 5, 3), jnp.ones((3, 3))
    options = {"strides": (1,), "padding": "SAME", "dilation": (1,)}
    mapped = jax.vmap(lambda x: depthwise(x, kernel, **options), in_axes=1, out_axes=1)
    assert str(jax.make_jaxpr(mapped)(x)).count(" depthwise[") == 1
    expected = depthwise(x.reshape(8, 5, 3), kernel, **options)
    np.testing.assert_array_equal(mapped(x), expected.reshape(x.shape))


def test_it_runs_outside_jit_and_on_no_examples():
    x, kernel = jnp.ones((2, 4, 3)), jnp.ones((3, 3))
    options = {"strides": (1,), "padding": "SAME", "dilation": (1,)}
    np.testing.assert_array_equal(depthwise(x, kernel, **options)[0, :, 0], [2, 3, 3, 2])
    gradient = jax.grad(lambda k: depthwise(x[:0], k, **options).sum())(kernel)
    np.testing.assert_array_equal(gradient, np.zeros((3, 3)))


def test_other_platforms_get_a_convolution():
    x, y = jnp.ones((2, 5, 5, 3)), jnp.ones((2, 5, 5, 3))
    options = {"strides": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1)}

    def lowered(function, *arguments):
        traced = jax.jit(function).trace(*arguments)
        return {p: traced.lower(lowering_platforms=(p,)).as_text() for p in ("cpu", "cuda")}

    forward = lowered(partial(depthwise, **options), x, jnp.ones((3, 3, 3)))
    backward = lowered(
        lambda x, y: jax.vjp(lambda k: depthwise(x, k, **options), jnp.ones((3, 3, 3)))[1](y), x, y
    )
    for programs in (forward, backward):
        assert "stablehlo.convolution" in programs["cuda"]
        assert "stablehlo.convolution" not in programs["cpu"]


def test_both_forms_of_the_kernels_gradient_agree():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 7, 6, 3)), rng.normal(size=(2, 4, 6, 3))
    geometry = Geometry((2, 1), ((1, 1), (1, 1)), (1, 1))
    with jax.enable_x64(True):
        x, y = jnp.asarray(x), jnp.asarray(y)
        ours = gradient_p.bind(x, y, geometry=geometry, taps=(3, 3))
        theirs = jax.jit(partial(_gradient_whole, geometry=geometry, taps=(3, 3)))(x, y)
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)


def test_its_products_are_counted_as_a_convolutions():
    deep, whole = (
        Conv(quadratic, 4, 4, (3, 3), groups=groups, rngs=nnx.Rngs(0)) for groups in (4, 1)
    )
    x = jax.ShapeDtypeStruct((1, 5, 5, 4), jnp.float32)
    outside = 25 * 4 * 2  # the squares of the input, and the product of two branches
    assert multiplications(deep, x) == 3 * 25 * 4 * 9 + outside
    assert multiplications(whole, x) == 4 * 3 * 25 * 4 * 9 + outside
