"""Every neuron of the family under every linear map, against its NumPy twin."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import numpy_twins as twins
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import neurons as nr
from neurons.quadratic import FAMILY, pairwise_products


@dataclass(frozen=True)
class Map:
    """A linear map with all its options in use, and where its windows lie."""

    name: str
    sizes: tuple[int, ...]
    window: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str | tuple
    dilation: tuple[int, ...]
    groups: int = 1
    extra: tuple[int, ...] | None = None
    features: tuple[int, int] = (2, 4)

    def build(self, neuron, **options):
        if not self.window:
            return nr.Dense(neuron, *self.features, **options)
        names = "strides", "padding", "dilation", "groups"
        options |= {name: getattr(self, name) for name in names}
        if self.extra is None:
            return nr.Conv(neuron, *self.features, self.window, **options)
        options["output_padding"] = self.extra
        return nr.ConvTranspose(neuron, *self.features, self.window, **options)

    def drawn(self, neuron, **options):
        return twins.drawn(self.build, neuron, **options)

    def started(self, neuron, **options):
        return self.build(neuron, **options, rngs=nnx.Rngs(0))

    def windows(self, x):
        if not self.window:
            return x
        per_axis = [self.padding] * len(self.sizes) if isinstance(self.padding, str) else None
        per_axis = ((0, 0),) * len(self.sizes) if self.padding == "VALID" else per_axis
        arguments = (self.window, self.strides, per_axis or self.padding, self.dilation)
        if self.extra is None:
            return twins.windows(x, twins.conv_taps(self.sizes, *arguments))
        return twins.windows(x, twins.transposed_taps(self.sizes, *arguments, self.extra))

    @property
    def fan_in(self):
        return int(np.prod(self.window, initial=1)) * self.features[0] // self.groups


MAPS = (
    Map("Dense", (), (), (), "VALID", ()),
    Map("Conv1d", (9,), (3,), (2,), ((1, 2),), (2,), groups=2),
    Map("Conv2d", (5, 6), (2, 3), (1, 2), "SAME", (2, 1)),
    Map("Conv3d", (3, 3, 4), (2, 1, 2), (1, 2, 1), "VALID", (1, 1, 2), groups=2),
    Map("ConvTranspose1d", (5,), (3,), (2,), ((1, 1),), (1,), groups=2, extra=(1,)),
    Map("ConvTranspose2d", (3, 4), (2, 3), (2, 1), "SAME", (1, 2), extra=(0, 0)),
    Map("ConvTranspose3d", (2, 2, 3), (2, 1, 2), (1, 2, 1), "VALID", (1, 1, 2), 2, (0, 1, 0)),
)
PAIRS = [
    pytest.param(neuron, m, id=f"{neuron.name}-{m.name}")
    for m in MAPS
    for neuron in FAMILY
    if m.extra is None or neuron.name != "quadralib_t1"
]
GROWN = [neuron for neuron in FAMILY if neuron.degenerate]
each_neuron = pytest.mark.parametrize("neuron", FAMILY, ids=lambda n: n.name)
each_grown = pytest.mark.parametrize("neuron", GROWN, ids=lambda n: n.name)
each_map = pytest.mark.parametrize("m", MAPS, ids=lambda m: m.name)
LINEAR = [MAPS[0], MAPS[1], MAPS[5]]
three_maps = pytest.mark.parametrize("m", LINEAR, ids=lambda m: m.name)


def family(m):
    return [n for n in FAMILY if m.extra is None or n.name != "quadralib_t1"]


# -- values -------------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "free"])
@pytest.mark.parametrize(("neuron", "m"), PAIRS)
def test_layer_equals_the_formula_in_float32(neuron, m, bias):
    with twins.precision(jnp.float32):
        layer = m.drawn(neuron, bias=bias)
        x = twins.draw((2, *m.sizes, m.features[0]))
        seen = np.stack([m.windows(one) for one in twins.float64(x)])
        assert twins.relative_error(layer(x), twins.output(layer, seen, m.groups)) < 1e-5


@pytest.mark.parametrize(("neuron", "m"), PAIRS)
def test_layer_equals_the_formula_in_float64(neuron, m):
    with twins.precision(jnp.float64):
        layer = m.drawn(neuron, dtype=jnp.float64)
        x = twins.draw((2, *m.sizes, m.features[0]), jnp.float64)
        seen = np.stack([m.windows(one) for one in twins.float64(x)])
        assert twins.relative_error(layer(x), twins.output(layer, seen, m.groups)) < 1e-12


@each_neuron
@given(x=arrays(np.float32, (2, 2), elements=st.floats(-1e3, 1e3, width=32)))
def test_dense_equals_the_formula_and_is_finite_for_any_input(neuron, x):
    layer = MAPS[0].drawn(neuron)
    y = np.asarray(layer(jnp.asarray(x)))
    assert np.isfinite(y).all()
    # Terms as large as x^2 may cancel: float32's error is relative to them.
    scale = 1 + np.abs(x).max() ** 2
    np.testing.assert_allclose(y, twins.output(layer, twins.float64(x)), atol=1e-5 * scale)


def test_a_wrong_formula_is_noticed():
    wrong = replace(nr.quadratic, combine=lambda factor, gate, term: factor * gate - term)
    layer = twins.drawn(nr.Dense, wrong, 2, 4)
    x = twins.draw((3, 2))
    assert twins.relative_error(layer(x), twins.output(layer, twins.float64(x))) > 0.1


def test_a_window_read_from_the_wrong_place_is_noticed():
    m = MAPS[1]
    layer = m.drawn(nr.quadratic)
    x = twins.draw((*m.sizes, 2))
    wrong = replace(m, padding=((2, 1),))
    expected = twins.output(layer, wrong.windows(twins.float64(x)), m.groups)
    assert twins.relative_error(layer(x), expected) > 0.1


def test_one_quadratic_neuron_computes_xor():
    layer = nr.Dense(nr.quadratic, 2, 1, rngs=nnx.Rngs(0))
    weights = jnp.asarray([[1.0], [-1.0]])
    layer.kernel_r[...] = layer.kernel_g[...] = weights
    layer.bias_r[...] = layer.bias_g[...] = jnp.zeros(1)
    corners = jnp.asarray([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    np.testing.assert_array_equal(layer(corners)[:, 0], [0, 1, 1, 0])


@given(x=arrays(np.float32, (2, 2), elements=st.integers(-999, 999).map(float)))
def test_product_and_squared_radius_are_exact(x):
    product = nr.Dense(nr.quadralib_t4, 2, 1, bias=False, rngs=nnx.Rngs(0))
    product.kernel_r[...], product.kernel_g[...] = jnp.eye(2)[:, :1], jnp.eye(2)[:, 1:]
    np.testing.assert_array_equal(product(jnp.asarray(x))[:, 0], x[:, 0] * x[:, 1])
    radius = nr.Dense(nr.power_only, 2, 1, bias=False, rngs=nnx.Rngs(0))
    radius.kernel_b[...] = jnp.ones((2, 1))
    np.testing.assert_array_equal(radius(jnp.asarray(x))[:, 0], (x**2).sum(axis=1))


def test_pairwise_products_run_row_by_row():
    np.testing.assert_array_equal(
        pairwise_products(jnp.asarray([2.0, 3.0, 5.0])), [4, 6, 10, 6, 9, 15, 10, 15, 25]
    )


# -- cost ---------------------------------------------------------------------------------------


@each_map
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "free"])
def test_layers_have_as_many_parameters_as_the_literature_says(m, bias):
    for neuron in family(m):
        layer = m.drawn(neuron, bias=bias)
        with_bias, without, _ = twins.COSTS[neuron.name](m.fan_in)
        count = sum(v[...].size for v in twins.parameters(layer).values())
        assert count == (with_bias if bias else without) * m.features[1], neuron.name
        assert count == neuron.parameters(m.fan_in, bias=bias) * m.features[1], neuron.name


@each_neuron
@pytest.mark.parametrize("n", [1, 7])
def test_multiplications_are_those_of_the_literature(neuron, n):
    assert neuron.multiplications(n) == twins.COSTS[neuron.name](n)[2]


# -- start --------------------------------------------------------------------------------------


def with_its_degenerate(neuron, m, **options):
    """The layer, and the conventional one with the same weights; a bias it lacks is zero."""
    grown, plain = m.started(neuron, **options), m.drawn(nr.conventional, **options)
    plain.kernel_r[...] = grown.kernel_r[...]
    if hasattr(plain, "bias_r"):
        bias = getattr(grown, "bias_r", None)
        plain.bias_r[...] = jnp.zeros_like(plain.bias_r[...]) if bias is None else bias[...]
    return grown, plain


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "free"])
@each_map
@each_grown
def test_layer_starts_bit_for_bit_as_its_degenerate_neuron(neuron, m, bias):
    assert neuron.degenerate == "conventional"
    grown, plain = with_its_degenerate(neuron, m, bias=bias)
    x = twins.draw((2, *m.sizes, m.features[0]))
    np.testing.assert_array_equal(grown(x), plain(x))


@each_grown
def test_a_common_start_differs_from_the_degenerate_neuron(neuron):
    grown, plain = with_its_degenerate(neuron, MAPS[0], init="common")
    x = twins.draw((2, 2))
    assert twins.relative_error(grown(x), plain(x)) > 1e-3


def test_the_same_key_draws_the_same_linear_part():
    quadratic, plain = (
        nr.Dense(n, 2, 4, rngs=nnx.Rngs(7)) for n in (nr.quadratic, nr.conventional)
    )
    np.testing.assert_array_equal(quadratic.kernel_r[...], plain.kernel_r[...])
    np.testing.assert_array_equal(quadratic.bias_r[...], plain.bias_r[...])


SILENT = {  # neuron: {parameter: (group, anchor)} of what is not ("linear", 0)
    "quadratic": {
        "kernel_g": ("product", 0),
        "bias_g": ("product", 1),
        "kernel_b": ("power", 0),
        "bias_b": ("power", 0),
    },
    "compact": {"kernel_b": ("power", 0)},
    "product_only": {"kernel_g": ("product", 0), "bias_g": ("product", 1)},
    "qres": {"kernel_g": ("product", 0)},
}


@three_maps
def test_parameters_know_their_group_and_anchor(m):
    for neuron in family(m):
        for name, variable in twins.parameters(m.drawn(neuron)).items():
            known = SILENT.get(neuron.name, {}).get(name, ("linear", 0))
            assert (variable.group, variable.anchor) == known, (neuron.name, name)


@each_grown
def test_at_its_anchors_a_grown_layer_is_conventional(neuron):
    grown, plain = with_its_degenerate(neuron, MAPS[0], init="common")
    for name, variable in twins.parameters(grown).items():
        if variable.group != "linear" or name == "bias_c":
            variable[...] = jnp.full(variable.shape, variable.anchor)
    x = twins.draw((2, 2))
    np.testing.assert_array_equal(grown(x), plain(x))


# -- transforms ---------------------------------------------------------------------------------


def layers_and_input(m, dtype=jnp.float32):
    layers = [m.drawn(neuron, dtype=dtype) for neuron in family(m)]
    return layers, twins.draw((2, *m.sizes, m.features[0]), dtype)


@each_map
def test_compiled_layers_equal_eager_ones(m):
    layers, x = layers_and_input(m)
    graph, state = nnx.split(layers)
    compiled = jax.jit(lambda state, x: [layer(x) for layer in nnx.merge(graph, state)])(state, x)
    for layer, y in zip(layers, compiled, strict=True):
        assert twins.relative_error(y, layer(x)) < 1e-6, layer.neuron.name


@three_maps
def test_vmapped_layers_equal_a_loop(m):
    layers, x = layers_and_input(m)
    for layer in layers:
        loop = jnp.stack([layer(one) for one in x])
        assert twins.relative_error(jax.vmap(layer)(x), loop) < 1e-6, layer.neuron.name


@three_maps
def test_leading_axes_are_batch_axes(m):
    layers, x = layers_and_input(m)
    for layer in layers:
        y = layer(x)
        np.testing.assert_allclose(layer(x[0]), y[0], rtol=1e-5, atol=1e-5)
        deep = layer(jnp.stack([x, x])[:, None])
        np.testing.assert_allclose(deep, jnp.stack([y, y])[:, None], rtol=1e-5, atol=1e-5)


@three_maps
def test_gradients_equal_finite_differences_of_the_formula(m):
    with twins.precision(jnp.float64):
        layers, x = layers_and_input(m, jnp.float64)
        for layer in layers:
            graph, state = nnx.split(layer)
            gradient = jax.grad(lambda s, x, g=graph: total(nnx.merge(g, s)(x)), (0, 1))(state, x)
            step = jax.tree.map(lambda leaf: np.cos(7 * np.arange(leaf.size)), gradient)
            pairs = zip(jax.tree.leaves(gradient), jax.tree.leaves(step), strict=True)
            slope = sum(np.ravel(g) @ s for g, s in pairs)
            ahead, behind = (twin_total(m, layer, x, step, h) for h in (1e-6, -1e-6))
            np.testing.assert_allclose(slope, (ahead - behind) / 2e-6, rtol=1e-6)


def total(y):
    """A number that any change of any output moves."""
    return jnp.sum(jnp.sin(y))


def twin_total(m, layer, x, step, h):
    """The twin's `total`, `h` steps away."""
    moved = nnx.clone(layer)
    state_step, x_step = step
    for name, variable in twins.parameters(moved).items():
        variable[...] += h * state_step[name][...].reshape(variable.shape)
    seen = [m.windows(one) for one in twins.float64(x) + h * x_step.reshape(x.shape)]
    return np.sin(twins.output(moved, np.stack(seen), m.groups)).sum()
