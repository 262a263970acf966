"""The common battery: every neuron of the catalogue under every linear map.

A new entry is tested by being in its room's FAMILY.
"""

import io
import re
from dataclasses import replace
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import numpy_twins as twins
import pytest
from flax import nnx
from linear_maps import MAPS

import neurons as nr
from neurons.counting import count_multiplications

ALL = tuple(nr.catalogue().values())
PAIRS = [pytest.param(n, m, id=f"{n.name}-{m.name}") for m in MAPS for n in ALL if m.serves(n)]
GROWN = [neuron for neuron in ALL if neuron.degenerate]
DENSE = MAPS[0]
each_neuron = pytest.mark.parametrize("neuron", ALL, ids=lambda n: n.name)
each_grown = pytest.mark.parametrize("neuron", GROWN, ids=lambda n: n.name)
each_map = pytest.mark.parametrize("m", MAPS, ids=lambda m: m.name)
three_maps = pytest.mark.parametrize("m", [MAPS[0], MAPS[1], MAPS[5]], ids=lambda m: m.name)


def served(m):
    return [neuron for neuron in ALL if m.serves(neuron)]


def layers_and_inputs(m, dtype=jnp.float32, **options):
    layers = [m.drawn(neuron, dtype=dtype, **options) for neuron in served(m)]
    return layers, [m.input(layer.neuron, dtype=dtype) for layer in layers]


def compiled(layers):
    """All layers in one program: forty compilations would take longer than all else here."""
    graph, state = nnx.split(layers)

    @jax.jit
    def outputs(state, inputs):
        return [layer(x) for layer, x in zip(nnx.merge(graph, state), inputs, strict=True)]

    return lambda inputs: outputs(state, inputs)


# -- the table ----------------------------------------------------------------------------------


def test_the_catalogue_has_every_form_once_and_complete():
    assert len(ALL) >= 36
    for neuron in ALL:
        for field in ("formula", "reference", "size", "work", "plain"):
            assert getattr(neuron, field), (neuron.name, field)


def test_the_table_has_a_row_for_every_neuron():
    lines = str(nr.catalogue()).splitlines()
    assert [line.split()[0] for line in lines[2:]] == [neuron.name for neuron in ALL]
    markdown = nr.catalogue()._repr_markdown_().splitlines()
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in markdown} == {7}


def test_an_unknown_name_is_refused_with_the_nearest_ones():
    with pytest.raises(KeyError, match=r"no neuron 'quadratik'; .*quadratic"):
        nr.catalogue()["quadratik"]
    with pytest.raises(ValueError, match=r"names must differ, got \['quadratic'\]"):
        nr.Catalogue([nr.quadratic, nr.compact, nr.quadratic])


# -- values -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("neuron", "m"), PAIRS)
def test_compiled_layer_equals_the_formula_in_float64(neuron, m):
    with twins.precision(jnp.float64):
        layer = m.drawn(neuron, dtype=jnp.float64)
        x = m.input(neuron, dtype=jnp.float64)
        graph, state = nnx.split(layer)
        y = jax.jit(lambda state, x: nnx.merge(graph, state)(x))(state, x)
        assert twins.relative_error(y, m.formula(layer, x)) < 1e-12


@three_maps
def test_layers_without_biases_equal_their_formulas_in_float32(m):
    layers, inputs = layers_and_inputs(m, bias=False)
    for layer, x, y in zip(layers, inputs, compiled(layers)(inputs), strict=True):
        assert y.dtype == jnp.float32
        assert twins.relative_error(y, m.formula(layer, x)) < 1e-5, layer.neuron.name


@each_neuron
def test_dense_is_finite_as_far_as_it_reaches_and_so_is_its_gradient(neuron):
    layer = DENSE.started(neuron)
    signs = np.stack(np.meshgrid(*[[-1, 0, 1e-3, 1]] * 2), -1).reshape(-1, 2)
    x = jnp.asarray(neuron.reach * np.resize(signs, (16, layer.in_features)), jnp.float32)
    graph, state = nnx.split(layer)

    def total(state, x):
        return nnx.merge(graph, state)(x).sum()

    found = jax.jit(jax.value_and_grad(total, (0, 1)))(state, x)
    for leaf in jax.tree.leaves(found):
        assert np.isfinite(leaf).all()


@each_neuron
def test_every_plain_formula_notices_a_wrong_weight(neuron):
    layer = DENSE.drawn(neuron)
    x = DENSE.input(neuron)
    before = DENSE.formula(layer, x)
    for name, variable in twins.parameters(layer).items():
        kept = variable[...]
        variable[...] = kept + 0.1
        assert twins.relative_error(DENSE.formula(layer, x), before) > 1e-6, name
        variable[...] = kept


def test_a_wrong_formula_is_noticed():
    wrong = replace(nr.quadratic, combine=lambda factor, gate, term: factor * gate - term)
    layer = twins.drawn(nr.Dense, wrong, 2, 4)
    x = twins.draw((3, 2))
    assert twins.relative_error(layer(x), twins.output(layer, twins.float64(x))) > 0.1


def test_a_window_read_from_the_wrong_place_is_noticed():
    m = MAPS[1]
    layer, x = m.drawn(nr.quadratic), m.input(nr.quadratic)
    expected = replace(m, padding=((2, 1),)).formula(layer, x)
    assert twins.relative_error(layer(x), expected) > 0.1


@each_neuron
@pytest.mark.parametrize("make", [nr.Conv, nr.ConvTranspose], ids=lambda m: m.__name__)
def test_a_kernel_of_one_is_the_dense_layer_at_every_position(neuron, make):
    if make is nr.ConvTranspose and neuron.needs_window:
        return  # has no transposed form, see below
    features = DENSE.features(neuron)
    sliding = twins.drawn(make, neuron, *features, 1)
    dense = twins.drawn(nr.Dense, neuron, *features)
    for name, variable in twins.parameters(dense).items():
        variable[...] = getattr(sliding, name)[...].reshape(variable.shape)
    x = twins.draw((3, 5, features[0]))
    assert twins.relative_error(sliding(x), dense(x)) < 1e-6


@pytest.mark.parametrize("neuron", [n for n in ALL if n.needs_window], ids=lambda n: n.name)
def test_neurons_that_mix_a_window_have_no_transposed_form(neuron):
    with pytest.raises(TypeError, match=f"{neuron.name} has no transposed form"):
        nr.ConvTranspose(neuron, 2, 4, 3, rngs=nnx.Rngs(0))


@pytest.mark.parametrize("neuron", [nr.cross, nr.cross_v2], ids=lambda n: n.name)
def test_neurons_that_add_their_input_need_as_many_inputs(neuron):
    with pytest.raises(ValueError, match="in_features must equal out_features, got 2 and 3"):
        nr.Dense(neuron, 2, 3, rngs=nnx.Rngs(0))


# -- cost ---------------------------------------------------------------------------------------


def evaluated(formula, n, m):
    """A cost formula as a number: "n(n + 1)/2 + n/m"."""
    python = re.sub(r"(?<=[\dnm)])\s*(?=[nm(])", "*", formula).replace("^", "**")
    return eval(python, {"n": Fraction(n), "m": Fraction(m)})


def test_cost_formulas_are_read_right():
    assert evaluated("n(n + 1)/2 + 3n", 4, 1) == 22
    assert evaluated("(8n + 24)/m + n^2", 2, 5) == 12


@each_map
def test_layers_have_as_many_parameters_as_the_formula_says(m):
    for neuron in served(m):
        layer, n = m.drawn(neuron), m.fan_in(neuron)
        # Shared weights belong to a group, which is a layer of its own.
        neurons = layer.out_features // m.groups
        count = nr.parameters(layer)
        assert count == evaluated(neuron.size, n, neurons) * layer.out_features, neuron.name
        assert count == m.groups * neuron.parameters(n, neurons), neuron.name
        free = nr.parameters(m.drawn(neuron, bias=False))
        assert free == m.groups * neuron.parameters(n, neurons, bias=False), neuron.name


@each_neuron
@pytest.mark.parametrize(("n", "neurons"), [(1, 1), (7, 3)])
def test_multiplications_are_those_of_the_formula(neuron, n, neurons):
    assert neuron.multiplications(n, neurons) == evaluated(neuron.work, n, neurons) * neurons


@each_neuron
def test_traced_multiplications_are_those_of_the_formula_and_shared_transforms(neuron):
    layer = DENSE.drawn(neuron)
    n, neurons = DENSE.features(neuron)

    def of_batch(batch):
        return nr.multiplications(layer, jax.ShapeDtypeStruct((batch, n), jnp.float32))

    def transforms(batch):
        x = jax.ShapeDtypeStruct((batch, n), jnp.float32)
        used = [branch.lift or branch.of for branch in neuron.branches]
        return sum(count_multiplications(transform, x) for transform in used if transform)

    shared = transforms(5) - transforms(4)
    for branch in neuron.branches:
        if callable(branch.kernel):
            units = 1 if branch.shared else neurons
            shared += n * units * int(np.prod(branch.values(n), initial=1))
    assert of_batch(5) - of_batch(4) == neuron.multiplications(n, neurons) + shared


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
def test_layers_start_bit_for_bit_as_their_degenerate_neuron(m, bias):
    for neuron in GROWN:
        if m.serves(neuron):
            assert neuron.degenerate == "conventional"
            grown, plain = with_its_degenerate(neuron, m, bias=bias)
            x = m.input(neuron)
            np.testing.assert_array_equal(grown(x), plain(x), err_msg=neuron.name)


@each_grown
def test_a_common_start_differs_from_the_degenerate_neuron(neuron):
    grown, plain = with_its_degenerate(neuron, DENSE, init="common")
    x = twins.draw((2, 2))
    assert twins.relative_error(grown(x), plain(x)) > 1e-3


@each_grown
def test_at_its_anchors_a_grown_layer_is_conventional(neuron):
    grown, plain = with_its_degenerate(neuron, DENSE, init="common")
    for name, variable in twins.parameters(grown).items():
        if variable.group != "linear" or name == "bias_c":
            variable[...] = jnp.full(variable.shape, variable.anchor)
    x = twins.draw((2, 2))
    np.testing.assert_array_equal(grown(x), plain(x))


@each_grown
def test_a_degenerate_start_can_leave(neuron):
    """Some gradient of a silent part is not zero: it is no saddle."""
    grown, _ = with_its_degenerate(neuron, DENSE)
    graph, state = nnx.split(grown)
    gradient = jax.grad(lambda s: jnp.sum(nnx.merge(graph, s)(twins.draw((2, 2))) ** 2))(state)
    leaves = jax.tree.leaves(gradient, is_leaf=lambda leaf: isinstance(leaf, nnx.Param))
    assert any(leaf.group != "linear" and np.abs(leaf[...]).max() > 1e-3 for leaf in leaves)


# -- transforms ---------------------------------------------------------------------------------


@three_maps
def test_compiled_layers_equal_eager_ones(m):
    layers, inputs = layers_and_inputs(m)
    for layer, x, y in zip(layers, inputs, compiled(layers)(inputs), strict=True):
        assert twins.relative_error(y, layer(x)) < 1e-5, layer.neuron.name


@three_maps
def test_vmapped_layers_equal_a_loop(m):
    layers, inputs = layers_and_inputs(m)
    graph, state = nnx.split(layers)

    @jax.jit
    def both(state, inputs):
        layers = nnx.merge(graph, state)
        pairs = list(zip(layers, inputs, strict=True))
        loops = [jnp.stack([layer(one) for one in x]) for layer, x in pairs]
        return [jax.vmap(layer)(x) for layer, x in pairs], loops

    for layer, mapped, loop in zip(layers, *both(state, inputs), strict=True):
        assert twins.relative_error(mapped, loop) < 1e-5, layer.neuron.name


@three_maps
def test_leading_axes_are_batch_axes(m):
    layers, inputs = layers_and_inputs(m)
    graph, state = nnx.split(layers)

    @jax.jit
    def deep(state, inputs):
        layers = nnx.merge(graph, state)
        pairs = zip(layers, inputs, strict=True)
        return [(layer(x), layer(x[0]), layer(jnp.stack([x, x])[:, None])) for layer, x in pairs]

    for layer, (y, one, nested) in zip(layers, deep(state, inputs), strict=True):
        assert twins.relative_error(one, y[0]) < 1e-5, layer.neuron.name
        expected = np.stack([y, y])[:, None]
        assert twins.relative_error(nested, expected) < 1e-5, layer.neuron.name


@three_maps
def test_gradients_equal_finite_differences_of_the_formula(m):
    with twins.precision(jnp.float64):
        layers, inputs = layers_and_inputs(m, jnp.float64)
        graph, state = nnx.split(layers)

        @jax.jit
        def gradients(state, inputs):
            def total(state, inputs):
                layers = nnx.merge(graph, state)
                pairs = zip(layers, inputs, strict=True)
                return sum(jnp.sin(layer(x)).sum() for layer, x in pairs)

            return jax.grad(total, (0, 1))(state, inputs)

        found_state, found_x = gradients(state, inputs)
        for number, layer in enumerate(layers):
            found = nnx.as_pure(found_state)[number], found_x[number]
            step = jax.tree.map(lambda leaf: np.cos(7 * np.arange(leaf.size)), found)
            pairs = zip(jax.tree.leaves(found), jax.tree.leaves(step), strict=True)
            slope = sum(np.ravel(g) @ s for g, s in pairs)
            ahead, behind = (twin_total(m, layer, inputs[number], step, h) for h in (1e-6, -1e-6))
            expected = (ahead - behind) / 2e-6
            assert slope == pytest.approx(expected, rel=1e-4, abs=1e-6), layer.neuron.name


def twin_total(m, layer, x, step, h):
    """The twin's `sum(sin(y))`, `h` steps away."""
    moved = nnx.clone(layer)
    state_step, x_step = step
    for name, variable in twins.parameters(moved).items():
        variable[...] += h * state_step[name].reshape(variable.shape)
    return np.sin(m.formula(moved, twins.float64(x) + h * x_step.reshape(x.shape))).sum()


@three_maps
def test_saved_and_restored_layers_are_bit_equal(m):
    for neuron in served(m):
        layer, x = m.drawn(neuron), m.input(neuron)
        file = io.BytesIO()
        np.savez(file, **{name: v[...] for name, v in twins.parameters(layer).items()})
        file.seek(0)
        restored = nnx.eval_shape(lambda neuron=neuron: m.build(neuron, rngs=nnx.Rngs(1)))
        for name, value in np.load(file).items():
            getattr(restored, name).set_value(jnp.asarray(value))
        np.testing.assert_array_equal(restored(x), layer(x), err_msg=neuron.name)


@pytest.mark.parametrize("m", [MAPS[0], MAPS[2]], ids=lambda m: m.name)
def test_rematerialised_layers_give_the_same_values_and_gradients(m):
    for neuron in (nr.quadratic, nr.cp()):
        plain, again = (m.drawn(neuron, remat=remat) for remat in (False, True))
        x = m.input(neuron)
        results = []
        for layer in (plain, again):
            graph, state = nnx.split(layer)

            def total(state, x, graph=graph):
                return jnp.sin(nnx.merge(graph, state)(x)).sum()

            results.append(jax.jit(jax.value_and_grad(total, (0, 1)))(state, x))
        for one, other in zip(*map(jax.tree.leaves, results), strict=True):
            np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-6)
