import itertools

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neural_network import MLPClassifier, MLPRegressor

import neurons as nr
from theory.piecewise import PiecewiseLinear
from theory.regions import from_layers, from_modules, from_sklearn, labels, margins
from theory.regions.activation import NAMES, activation

CROOKED = PiecewiseLinear.through([-2.0, -1.0, 0.5, 2.0], [0.3, -1.0, 0.0, 0.4])
FORMULAS = {
    "relu": lambda z: np.maximum(z, 0.0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "hard_tanh": lambda z: np.clip(z, -1.0, 1.0),
    "identity": lambda z: z,
}


def plain(net, x, formula):
    """The network as a loop over its layers."""
    for kernel, bias in zip(net.weights[:-1], net.biases[:-1], strict=True):
        x = formula(x @ kernel + bias)
    return x @ net.weights[-1] + net.biases[-1]


def error_of_local_maps(net, x):
    weights, biases = net.local(x)
    return np.abs(np.einsum("pod,pd->po", weights, x) + biases - net(x)).max()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("widths", [(3, 2), (2, 16, 3), (5, 16, 16, 16, 2)])
def test_outputs_are_those_of_a_plain_loop(name, widths, random_net):
    net = random_net(widths, activation=name)
    x = np.random.default_rng(1).normal(size=(200, widths[0]))
    np.testing.assert_allclose(net(x), plain(net, x, FORMULAS[name]), atol=1e-13)


@pytest.mark.parametrize("name", [*NAMES, CROOKED])
@pytest.mark.parametrize("widths", [(2, 16, 3), (2, 32, 32, 2), (10, 32, 32, 32, 32, 3)])
def test_effective_weights_reproduce_the_network(name, widths, random_net):
    net = random_net(widths, activation=name)
    x = np.random.default_rng(1).uniform(-3, 3, (10_000, widths[0]))
    assert error_of_local_maps(net, x) <= 1e-12


def test_effective_weights_reproduce_a_float32_module():
    rngs = nnx.Rngs(0)
    layers = [nnx.Linear(4, 32, rngs=rngs), nnx.Linear(32, 32, rngs=rngs)]
    layers += [nr.Dense(nr.conventional, 32, 3, rngs=rngs)]
    x = np.random.default_rng(1).normal(size=(10_000, 4)).astype(np.float32)
    theirs = layers[2](nnx.relu(layers[1](nnx.relu(layers[0](jnp.asarray(x))))))
    weights, biases = from_modules(layers).local(x)
    ours = np.einsum("pod,pd->po", weights, x.astype(np.float64)) + biases
    assert np.abs(ours - np.asarray(theirs, np.float64)).max() <= 1e-5


def test_wrong_slopes_are_noticed(random_net):
    net = random_net((2, 16, 3))
    x = np.random.default_rng(1).normal(size=(100, 2))
    leaky = from_layers(net.weights, net.biases, "leaky_relu")
    weights, biases = leaky.affine(net.pattern(x))
    assert np.abs(np.einsum("pod,pd->po", weights, x) + biases - net(x)).max() > 1e-3


@given(st.integers(0, 10**6), st.sampled_from(["relu", "hard_tanh"]), st.floats(0.0, 0.999))
def test_points_of_a_polytope_share_their_weights(seed, name, share):
    rng = np.random.default_rng(seed)
    widths = [3, 8, 8, 2]
    weights = [rng.normal(size=size) for size in itertools.pairwise(widths)]
    net = from_layers(weights, [rng.normal(size=n) for n in widths[1:]], name)
    x, direction = rng.normal(size=3), rng.normal(size=3)
    polytope = net.polytope(x)
    assert polytope.contains(x)
    speeds = polytope.normals @ direction
    room = polytope.offsets - polytope.normals @ x
    reach = np.min(room[speeds > 0] / speeds[speeds > 0], initial=1e3)
    moved = x + share * reach * direction
    assert (net.pattern([x]) == net.pattern([moved])).all()
    assert (net.local([x])[0] == net.local([moved])[0]).all()
    beyond = x + 1.001 * reach * direction + 1e-9 * direction
    assert reach == 1e3 or (net.pattern([x]) != net.pattern([beyond])).any()


def test_forms_are_the_units_own_inputs(random_net):
    net, x = random_net((3, 5, 4, 2)), np.array([0.3, -0.2, 0.5])
    (first, shift), (second, rise) = net.forms(x)
    z = x @ net.weights[0] + net.biases[0]
    np.testing.assert_allclose(first @ x + shift, z, atol=1e-14)
    deeper = np.maximum(z, 0) @ net.weights[1] + net.biases[1]
    np.testing.assert_allclose(second @ x + rise, deeper, atol=1e-14)


def test_layers_may_have_different_activations(random_net):
    net = random_net((2, 6, 6, 1))
    mixed = from_layers(net.weights, net.biases, ["hard_tanh", CROOKED])
    x = np.random.default_rng(0).normal(size=(50, 2))
    inner = np.clip(x @ net.weights[0] + net.biases[0], -1, 1)
    outer = CROOKED(inner @ net.weights[1] + net.biases[1])
    np.testing.assert_allclose(mixed(x), outer @ net.weights[2] + net.biases[2], atol=1e-14)


def test_an_activation_of_pieces_goes_on_beyond_its_knots():
    made, z = activation(CROOKED), np.linspace(-5, 5, 101)
    np.testing.assert_allclose(made(z), CROOKED(z), atol=1e-14)
    assert made.kinks == 2


def test_no_points_give_no_weights(random_net):
    weights, biases = random_net((3, 4, 2)).local(np.zeros((0, 3)))
    assert weights.shape == (0, 2, 3)
    assert biases.shape == (0, 2)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("classes", [2, 3])
def test_reads_a_classifier_of_scikit_learn(classes):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2))
    y = (np.hypot(*x.T) * 1.5).astype(int) % classes
    model = MLPClassifier((8, 8), max_iter=30, random_state=0).fit(x, y)
    assert (model.classes_[labels(from_sklearn(model), x)] == model.predict(x)).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_reads_a_regressor_of_scikit_learn():
    x = np.random.default_rng(0).normal(size=(100, 3))
    model = MLPRegressor(hidden_layer_sizes=(8,), max_iter=20, random_state=0).fit(x, x[:, 0])
    np.testing.assert_allclose(from_sklearn(model)(x)[:, 0], model.predict(x), atol=1e-12)
    smooth = MLPRegressor(
        hidden_layer_sizes=(8,), activation="tanh", max_iter=5, random_state=0
    ).fit(x, x[:, 0])
    with pytest.raises(ValueError, match="tanh"):
        from_sklearn(smooth)
    assert from_sklearn(smooth, activation="hard_tanh").hidden == (8,)


def test_margins_are_distances_to_the_plane_of_the_top_two():
    net = from_layers([[[1.0, 0.0, -1.0], [0.0, 2.0, 0.0]]], [[0.0, 0.0, -5.0]])
    found = margins(net, [[3.0, 1.0]])
    assert found.classes.tolist() == [[0, 1]]
    np.testing.assert_allclose(found.margin, [1.0])
    np.testing.assert_allclose(found.gradients, [[1.0, -2.0]])
    np.testing.assert_allclose(found.distance, 1 / np.sqrt(5))


def test_a_single_output_parts_two_classes_at_zero():
    net = from_layers([[[1.0]]], [[-1.0]])
    assert labels(net, [[0.0], [2.0]]).tolist() == [0, 1]
    assert margins(net, [[0.0], [3.0]]).classes[:, 0].tolist() == [0, 1]
    assert margins(net, [[0.0], [3.0]]).distance.tolist() == [1.0, 2.0]


ONE, BIAS = np.ones((2, 3)), np.zeros(3)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("weights", "biases", "which", "message"),
    [
        ([], [], "relu", "at least one"),
        ([ONE], [], "relu", "as many biases"),
        ([ONE[0]], [BIAS], "relu", r"layer 0: weights must be \(in_features, out_features\)"),
        ([ONE, ONE], [BIAS, BIAS], "relu", "layer 1: weights must be .* in_features=3"),
        ([ONE], [np.zeros(2)], "relu", r"biases must be \(3,\)"),
        ([ONE * np.nan], [BIAS], "relu", "finite"),
        ([ONE], [BIAS + np.inf], "relu", "finite"),
        ([ONE, ONE.T], [BIAS, np.zeros(2)], "tanh", "one of relu, leaky_relu"),
        ([ONE, ONE.T], [BIAS, np.zeros(2)], ["relu"] * 2, "1 hidden layers, got 2"),
    ],
)
def test_networks_that_are_none(weights, biases, which, message):
    with pytest.raises(ValueError, match=message):
        from_layers(weights, biases, which)


def test_activations_that_are_none():
    jump = PiecewiseLinear(np.array([0.0, 1, 2]), np.array([0.0, 5]), np.array([1.0, 6]))
    with pytest.raises(ValueError, match="jumps"):
        activation(jump)
    with pytest.raises(ValueError, match="slope must be finite"):
        activation("leaky_relu", float("nan"))


@pytest.mark.usefixtures("unchecked")
def test_points_and_layers_of_the_wrong_kind(random_net):
    with pytest.raises(ValueError, match=r"x must be \(points, 3\), got shape \(3,\)"):
        random_net((3, 2))(np.zeros(3))
    with pytest.raises(ValueError, match="Dense of quadratic neurons"):
        from_modules([nr.Dense(nr.quadratic, 2, 2, rngs=nnx.Rngs(0))])
    with pytest.raises(ValueError, match="got MLPClassifier without"):
        from_sklearn(MLPClassifier())
