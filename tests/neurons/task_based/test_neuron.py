"""Neurons made of formulas: the catalogue's battery in short, and what is special about them."""

import math
import pickle
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import numpy_twins as twins
import optax
import pytest
from flax import nnx
from linear_maps import MAPS
from test_catalogue import evaluated

import neurons as nr
from neurons.task_based import Operator, parse, to_neuron, with_operators

FOUND = (
    parse("0.5*x**3 - 2*x + sin(3*x) + 1").to_neuron(name="cubic"),
    parse("exp(-x**2) + x**2").to_neuron(name="without_x"),
    parse("cos(1.7*x)").to_neuron(name="single"),
    parse("x + x**4 + exp(x)").to_neuron(name="normalised", normalise="normal"),
    parse("x + x**2").to_neuron(name="crossed", interactions=((2, 3), (4, 1))),
)
each_map = pytest.mark.parametrize("m", [MAPS[0], MAPS[2], MAPS[4]], ids=lambda m: m.name)
each_neuron = pytest.mark.parametrize("neuron", FOUND, ids=lambda n: n.name)
DENSE = MAPS[0]


def outputs(layers, inputs):
    """All layers in one program."""
    graph, state = nnx.split(layers)
    pairs = zip
    run = jax.jit(lambda s, xs: [f(x) for f, x in pairs(nnx.merge(graph, s), xs, strict=True)])
    return run(state, inputs)


# -- the catalogue's battery ----------------------------------------------------------------------


@each_map
def test_layers_equal_their_formulas_in_float64(m):
    with twins.precision(jnp.float64):
        layers = [m.drawn(neuron, dtype=jnp.float64) for neuron in FOUND]
        inputs = [m.input(neuron, dtype=jnp.float64) for neuron in FOUND]
        for layer, x, y in zip(layers, inputs, outputs(layers, inputs), strict=True):
            assert twins.relative_error(y, m.formula(layer, x)) < 1e-12, layer.neuron.name


@each_map
def test_sizes_are_those_of_the_formula_and_float32_stays(m):
    layers = [m.drawn(neuron) for neuron in FOUND]
    for layer, y in zip(layers, outputs(layers, [m.input(n) for n in FOUND]), strict=True):
        assert y.dtype == jnp.float32
        n, neurons = m.fan_in(layer.neuron), layer.out_features
        assert nr.parameters(layer) == evaluated(layer.neuron.size, n, neurons) * neurons
        assert layer.neuron.parameters(n, neurons) == nr.parameters(layer)


@each_neuron
def test_multiplications_are_those_of_the_formula(neuron):
    assert neuron.multiplications(7, 3) == evaluated(neuron.work, 7, 3) * 3


@each_neuron
def test_every_plain_formula_notices_a_wrong_weight(neuron):
    layer, x = DENSE.drawn(neuron), DENSE.input(neuron)
    before = DENSE.formula(layer, x)
    for name, variable in twins.parameters(layer).items():
        kept = variable[...]
        variable[...] = kept + 0.1
        assert twins.relative_error(DENSE.formula(layer, x), before) > 1e-6, name
        variable[...] = kept


@each_neuron
def test_layers_are_finite_as_far_as_they_reach_and_so_are_their_gradients(neuron):
    layer = DENSE.started(neuron)
    signs = np.stack(np.meshgrid(*[[-1, 0, 1e-3, 1]] * 2), -1).reshape(-1, 2)
    graph, state = nnx.split(layer)
    found = jax.jit(jax.value_and_grad(lambda s, x: nnx.merge(graph, s)(x).sum(), (0, 1)))(
        state, jnp.asarray(neuron.reach * signs, jnp.float32)
    )
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found))


def test_formulas_with_x_start_bit_for_bit_as_the_conventional_neuron():
    for neuron in FOUND:
        assert neuron.degenerate == ("conventional" if neuron.name in GROWN else None)
    for neuron in (one for one in FOUND if one.degenerate):
        grown, plain = DENSE.started(neuron), DENSE.drawn(nr.conventional)
        plain.kernel_r[...], plain.bias_r[...] = grown.kernel_r[...], grown.bias_r[...]
        x = DENSE.input(neuron)
        np.testing.assert_array_equal(grown(x), plain(x))


GROWN = ("cubic", "normalised")


def test_all_terms_start_at_random_where_there_is_no_x():
    layer = DENSE.started(FOUND[1])
    assert np.abs(layer.kernel_t1[...]).min() > 0


def test_a_term_of_another_formula_is_noticed():
    right, wrong = (parse(text).to_neuron() for text in ("x + sin(3*x)", "x + sin(3.1*x)"))
    layer, x = DENSE.drawn(wrong), DENSE.input(wrong)
    assert twins.relative_error(layer(x), DENSE.formula(layer, x)) < 1e-5
    layer.neuron = replace(wrong, plain=right.plain)
    assert twins.relative_error(layer(x), DENSE.formula(layer, x)) > 1e-3


# -- what the neuron says -------------------------------------------------------------------------


def test_the_formula_tells_the_weights():
    assert [neuron.formula for neuron in FOUND] == [
        "w_r.x + w_t1.x**3 + w_t2.sin(3.0*x) + b",
        "w_r.x**2 + w_t1.exp(-x**2) + b",
        "w_r.cos(1.7*x) + b",
        "w_r.x + w_t1.(0.3679*exp(x)) + w_t2.(0.09759*x**4) + b",
        "w_r.x + w_t1.x**2 + sum_(r<=3) prod_(m<=2) (u_2rm.x) "
        "+ sum_(r<=1) prod_(m<=4) (u_4rm.x) + b",
    ]
    assert [(neuron.size, neuron.work) for neuron in FOUND] == [
        ("3n + 1", "3n"),
        ("2n + 1", "2n"),
        ("1n + 1", "1n"),
        ("3n + 1", "3n"),
        ("12n + 1", "12n + 6"),
    ]
    assert "2405.02369" in FOUND[0].reference
    assert "2506.15715" in FOUND[4].reference


def test_reach_shrinks_with_growth_and_with_the_domain():
    reaches = {"x**2": 1e3, "x**12": 1e2, "exp(x)": 1e1, "exp(x**4)": 1.0, "sqrt(x + 0.5)": 0.1}
    assert {text: parse(text).to_neuron().reach for text in reaches} == reaches
    assert parse("log(x)").to_neuron().reach == 0.0


# -- the same as the catalogue's ------------------------------------------------------------------

TWINS = [
    ("x + x**2 + x**3", (), nr.polynomial((1, 2, 3)), {"p2": "t1", "p3": "t2"}),
    ("x", (3, 2), nr.cp(3, 2), {"u": "u3"}),
    ("x**3 + x**2 + x", ((3, 2), (2, 2)), nr.neuronseek(3, 2), {"p2": "t1", "p3": "t2"}),
    ("2*x - 1", (), nr.conventional, {}),
    ("x**2", (), nr.power_only, {"b": "r"}),
    ("x + sin(x) + cos(x)", (), nr.trigonometric, {"c": "t1", "s": "t2"}),
]


@pytest.mark.parametrize(
    ("text", "interactions", "known", "names"), TWINS, ids=[twin[2].name for twin in TWINS]
)
def test_formulas_of_known_neurons_give_those_neurons(text, interactions, known, names):
    layer = DENSE.drawn(parse(text).to_neuron(interactions=interactions))
    other = DENSE.drawn(known)
    for name, variable in twins.parameters(other).items():
        kind, branch = name.split("_", 1)
        mine = getattr(layer, f"{kind}_{names.get(branch, branch)}")
        assert mine.shape == variable.shape
        mine[...] = variable[...]
    assert nr.parameters(layer) == nr.parameters(other)
    x = DENSE.input(known)
    assert twins.relative_error(layer(x), other(x)) < 1e-6


# -- options --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "normalise", "size"),
    [
        ("x**4", "normal", math.sqrt(105)),
        ("x**8", "normal", math.sqrt(2027025)),
        ("exp(x)", "normal", math.e),
        ("relu(x)", "normal", math.sqrt(0.5)),
        ("cos(x)", "normal", math.sqrt((1 + math.exp(-2)) / 2)),
        ("x**3", (-2.0, 2.0), math.sqrt(2**6 / 7) / math.sqrt(4 / 3)),
        ("sqrt(x)", (0.0, 3.0), math.sqrt(3 / 2) / math.sqrt(3)),
        (
            "log(x)",
            (1.0, 2.0),
            math.sqrt(2 * math.log(2) ** 2 - 4 * math.log(2) + 2) / math.sqrt(7 / 3),
        ),
    ],
)
def test_normalised_terms_are_as_large_as_x(text, normalise, size):
    branch = parse(f"x + {text}").to_neuron(normalise=normalise).branches[1]
    assert branch.of.factor == pytest.approx(1 / size, rel=1e-7)
    point = np.float32(1.25)
    assert branch.of(jnp.asarray(point)) == pytest.approx(parse(text)(point) / size, rel=1e-6)


def test_normalised_high_powers_train_where_raw_ones_explode():
    x = np.linspace(-3, 3, 64, dtype=np.float32)[:, None]
    sizes = {}
    for normalise in (None, "normal"):
        neuron = parse("x + x**8").to_neuron(normalise=normalise)
        sizes[normalise] = np.abs(neuron.branches[1].of(jnp.asarray(x))).max()
    assert sizes[None] == pytest.approx(3**8)
    assert sizes["normal"] == pytest.approx(3**8 / math.sqrt(2027025), rel=1e-5)


@pytest.mark.usefixtures("standard_promotion")
def test_relinear_slows_and_freeze_stops_the_terms():
    layer = DENSE.started(FOUND[4])
    params = nnx.state(layer, nnx.Param)
    ones = jax.tree.map(jnp.ones_like, params)
    slow = nr.relinear(optax.sgd(1.0), {"term": 0.5, "product": 0.25})
    updates, _ = slow.update(ones, slow.init(params), params)
    found = {name: float(np.ravel(v[...])[0]) for name, v in nnx.to_pure_dict(updates).items()}
    expected = {"kernel_r": -1, "bias_r": -1, "kernel_t1": -0.5}
    assert found == expected | {"kernel_u2": -0.25, "kernel_u4": -0.25}
    still = nr.freeze("term")
    updates, _ = still.update(ones, still.init(params), params)
    assert not np.any(nnx.to_pure_dict(updates)["kernel_t1"][...])


def test_equal_arguments_give_the_same_neuron_and_other_operators_another():
    e = parse("x + x**2")
    assert e.to_neuron() is parse("x + x**2").to_neuron()
    assert e.to_neuron(normalise=[0.0, 1.0]) is to_neuron(e, normalise=(0.0, 1.0))
    assert e.to_neuron(interactions=[2, 3]) is e.to_neuron(interactions=((2, 3),))
    assert e.to_neuron(name="other") is not e.to_neuron()
    tables = [with_operators([Operator("f", 1, f, numpy=f)]) for f in (abs, lambda a: a**2)]
    one, other = (parse("x + f(x)", table).to_neuron() for table in tables)
    assert one != other
    assert float(one.branches[1].of(jnp.asarray(3.0))) == 3
    assert float(other.branches[1].of(jnp.asarray(3.0))) == 9


def test_layers_of_found_neurons_can_be_pickled():
    layer = DENSE.drawn(FOUND[0])
    x = DENSE.input(FOUND[0])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(layer))(x), layer(x))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: parse("sin(2)").to_neuron(), r"sin\(2.0\) has no term in x to weigh"),
        (lambda: parse("x - x").to_neuron(), "has no term in x to weigh"),
        (lambda: parse("x").to_neuron(interactions=(1, 2)), "orders of .* at least 2, got 1"),
        (lambda: parse("x").to_neuron(interactions=(2, 0)), "rank must be .* at least 1, got 0"),
        (lambda: parse("x").to_neuron(interactions=((2, 1), (2, 3))), "different .* got .2, 2."),
        (lambda: parse("x").to_neuron(interactions=(2,)), r"pairs \(order, rank\), got \(2,\)"),
        (lambda: parse("x + x**2").to_neuron(normalise="rms"), 'None, "normal" or .* got .rms'),
        (lambda: parse("x + x**2").to_neuron(normalise=(1, 1)), r"got \(1.0, 1.0\)"),
        (lambda: parse("log(x)").to_neuron(normalise="normal"), "term log.x. is not finite on"),
        (lambda: parse("x + 1/x").to_neuron(normalise=(-1, 1)), r"x\*\*\(-1\) is not finite on"),
    ],
)
def test_impossible_neurons_are_refused(call, message, unchecked):
    with pytest.raises(ValueError, match=message):
        call()
