"""Networks whose layers become random, and what explanations make of it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurons.explain import metrics
from neurons.explain.metrics.layers import exchanged, shuffled

X = np.random.default_rng(8).normal(size=(3, 12)).astype(np.float32)


class Net(nnx.Module):
    """Its attributes are in the wrong order, and one is never called."""

    def __init__(self, seed):
        rngs = nnx.Rngs(seed)
        self.z_first = nnx.Linear(12, 8, rngs=rngs)
        self.block = nnx.List([nnx.Linear(8, 8, rngs=rngs), nnx.Linear(8, 8, rngs=rngs)])
        self.a_last = nnx.Linear(8, 3, rngs=rngs)
        self.idle = nnx.Linear(2, 2, rngs=rngs)

    def __call__(self, x):
        x = nnx.relu(self.z_first(x))
        x = nnx.relu(jax.jit(lambda x: self.block[1](self.block[0](x)))(x))
        return self.a_last(x)


ORDER = ("z_first", "block.0", "block.1", "a_last")


@pytest.fixture(scope="module")
def net():
    return Net(0)


def saliency(model, x):
    graph, state = nnx.split(model)
    return _saliency(state, jnp.asarray(x), graph)


def _gradient(state, x, graph):
    return jax.grad(lambda x: nnx.merge(graph, state, copy=True)(x)[:, 0].sum())(x)


_saliency = jax.jit(_gradient, static_argnames="graph")


def input_itself(model, x):
    """An explanation that does not know the network."""
    return x


def test_layers_come_in_the_order_of_use(net):
    assert metrics.layers_by_use(net, X) == ORDER
    assert metrics.layers_by_use(net, X, depth=1) == ("z_first", "block", "a_last")
    assert set(metrics.layer_names(net)) == {*ORDER, "idle"}


def test_shuffled_parameters_keep_their_values(net):
    other = shuffled(net, 0)
    for mine, theirs in zip(*map(leaves, (net, other)), strict=True):
        np.testing.assert_array_equal(np.sort(mine, axis=None), np.sort(theirs, axis=None))
    assert not np.array_equal(net.z_first.kernel[...], other.z_first.kernel[...])


def test_named_layers_are_exchanged_and_no_others(net):
    before, other = leaves(net), Net(1)
    mixed = exchanged(net, other, ["block", "a_last"])
    for name, source in (("z_first", net), ("a_last", other), ("idle", net)):
        np.testing.assert_array_equal(
            getattr(mixed, name).kernel[...], getattr(source, name).kernel[...]
        )
    np.testing.assert_array_equal(mixed.block[0].kernel[...], other.block[0].kernel[...])
    for mine, kept in zip(leaves(net), before, strict=True):
        np.testing.assert_array_equal(mine, kept)


def leaves(model):
    return [np.array(leaf) for leaf in jax.tree.leaves(nnx.state(model, nnx.Param))]


def test_cascades_compare_with_the_network_as_given(net):
    fresh = Net(1)
    found = metrics.parameter_randomisation(net, saliency, X, fresh=fresh)
    assert found.layers == ORDER[::-1]
    given = np.asarray(saliency(net, X))
    for number, similarity in enumerate(found.similarity):
        mixed = np.asarray(saliency(exchanged(net, fresh, ORDER[::-1][: number + 1]), X))
        expected = [scipy.stats.spearmanr(a, b)[0] for a, b in zip(given, mixed, strict=True)]
        np.testing.assert_allclose(similarity, expected, atol=1e-12)
    np.testing.assert_array_equal(saliency(net, X), given)
    # In the end nothing is left of the network: the layer it does not use does not count.
    np.testing.assert_allclose(
        found.similarity[-1], metrics.spearman(given, np.asarray(saliency(fresh, X)))
    )


def test_layers_can_be_random_one_at_a_time_and_from_below(net):
    found = metrics.parameter_randomisation(
        net, saliency, X, order="bottom_up", cascade=False, layers=("z_first", "block"), seed=4
    )
    assert found.layers == ("z_first", "block")
    alone = exchanged(net, shuffled(net, 4), ["block"])
    expected = metrics.spearman(np.asarray(saliency(net, X)), np.asarray(saliency(alone, X)))
    np.testing.assert_allclose(found.similarity[1], expected)


def test_an_explanation_that_ignores_the_network_fails_and_the_gradient_passes(net):
    blind = metrics.parameter_randomisation(net, input_itself, X)
    np.testing.assert_allclose(blind.similarity, 1)
    seen = metrics.parameter_randomisation(net, saliency, X)
    assert np.abs(seen.similarity[-1]).mean() < 0.6
    np.testing.assert_allclose(metrics.efficient_randomisation(net, input_itself, X), 0)
    assert np.isfinite(metrics.efficient_randomisation(net, saliency, X)).all()


def test_smooth_maps_average_over_noisy_inputs(net):
    inputs = []

    def listening(model, x):
        inputs.append(x)
        return x

    metrics.parameter_randomisation(net, listening, X, layers=ORDER[:1], samples=30, noise=0.5)
    assert len(inputs) == 60
    np.testing.assert_array_equal(inputs[0], inputs[30])
    assert 0.4 < (np.stack(inputs) - X).std() < 0.6
    with pytest.raises(ValueError, match="goes with several samples"):
        metrics.parameter_randomisation(net, saliency, X, noise=0.5)


@pytest.mark.usefixtures("unchecked")
def test_wrong_layers_orders_and_networks_are_refused(net):
    with pytest.raises(ValueError, match="unknown layers \\['head'\\]"):
        metrics.parameter_randomisation(net, saliency, X, layers=("head",))
    with pytest.raises(ValueError, match="got 'sideways'"):
        metrics.parameter_randomisation(net, saliency, X, order="sideways")
    with pytest.raises(ValueError, match="same names and shapes"):
        metrics.parameter_randomisation(net, saliency, X, fresh=nnx.Linear(12, 3, rngs=nnx.Rngs(0)))
    with pytest.raises(ValueError, match="has no parameters"):
        metrics.layer_names(nnx.Dropout(0.5))


# -- similarity and classes -----------------------------------------------------------------------

pairs = arrays(np.float64, (2, 7), elements=st.sampled_from([-1.0, 0.0, 0.5, 2.0, 2.5]))


@given(a=pairs, b=pairs)
def test_correlations_are_scipy_s(a, b):
    for row in range(2):
        a[row, :3], b[row, 2:5] = [0, 1, 3], [4, 2, 0.1]  # not constant
    expected = [scipy.stats.spearmanr(x, y)[0] for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(metrics.spearman(a, b), expected, atol=1e-12)
    expected = [scipy.stats.pearsonr(x, y)[0] for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(metrics.pearson(a, b), expected, atol=1e-12)
    np.testing.assert_allclose(metrics.spearman(a, -(b**3)), -metrics.spearman(a, b), atol=1e-12)


def test_constant_maps_and_nan_correlate_with_nothing():
    a = np.array([[0.1, 0.1, 0.1], [1, np.nan, 2], [1, 2, 3]])
    b = np.array([[1.0, 2, 3]] * 3)
    for find in (metrics.pearson, metrics.spearman):
        assert np.isnan(find(a, b)).tolist() == [True, True, False]
        assert np.isnan(find(b, a)).tolist() == [True, True, False]
    with pytest.raises(ValueError, match="share a shape"):
        metrics.pearson(a, b[:, :2])


def of_class(x, target):
    return x * np.asarray(target)[:, None] + x**2


def test_another_class_is_drawn():
    asked = []

    def listening(x, target):
        asked.append(target)
        return of_class(x, target)

    x, target = np.tile(X, (20, 1)), np.tile(np.arange(3), 20)
    found = metrics.random_logit(listening, x, target, classes=3)
    np.testing.assert_array_equal(asked[0], target)
    # Never the same class, and each of the others.
    assert set((asked[1] - target) % 3) == {1, 2}
    mine, theirs = (of_class(x, each) for each in asked)
    np.testing.assert_allclose(found, metrics.spearman(mine, theirs))


def test_maps_that_ignore_the_class_are_found_out():
    deaf = metrics.class_discrimination(lambda x, target: x, X, batch=3, classes=3)
    assert deaf.identical.tolist() == [True] * 3
    np.testing.assert_allclose(deaf.similarity, 1)
    found = metrics.class_discrimination(of_class, X, batch=3, classes=3)
    assert found.identical.tolist() == [False] * 3
    maps = [of_class(X, np.full(3, c)) for c in range(3)]
    expected = [metrics.spearman(maps[a], maps[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    np.testing.assert_allclose(found.similarity, np.mean(expected, axis=0))


def test_targets_must_be_classes():
    with pytest.raises(ValueError, match=r"in \[0, 3\)"):
        metrics.random_logit(of_class, X, np.array([0, 1, 3]), classes=3)
    with pytest.raises(ValueError, match="whole numbers"):
        metrics.random_logit(of_class, X, np.zeros(3), classes=3)
    with pytest.raises(ValueError, match="at least 2"):
        metrics.class_discrimination(of_class, X, batch=3, classes=1)
    with pytest.raises(ValueError, match="as many maps"):
        metrics.class_discrimination(lambda x, t: x[:2], X, batch=3, classes=2)
