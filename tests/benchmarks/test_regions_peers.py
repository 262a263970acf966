"""Regions against affinitree, which distils the same networks into decision trees, in Rust.

A terminal of its tree, infeasible paths left out, is a region: the numbers must be the same, and
so must the functions.
"""

import itertools
import time

import numpy as np
import pytest

from theory.piecewise import PiecewiseLinear
from theory.regions import from_layers, generic_count, regions

pytestmark = pytest.mark.peers
EXTRA = 'needs the peers extra: pip install "neuron-companion[peers]"'


@pytest.fixture(scope="module")
def affinitree():
    return pytest.importorskip("affinitree", reason=EXTRA)


def random_net(widths, activation="relu", seed=0):
    rng = np.random.default_rng(seed)
    sizes = [*itertools.pairwise(widths)]
    weights = [rng.normal(size=size) / np.sqrt(size[0]) for size in sizes]
    return from_layers(weights, [0.3 * rng.normal(size=n) for _, n in sizes], activation)


def distilled(affinitree, net, activation, box):
    """Its tree of the network, on a box or on all of R^d."""
    layers = affinitree.Architecture(net.in_features)
    for number, (kernel, bias) in enumerate(zip(net.weights, net.biases, strict=True)):
        layers.linear(affinitree.AffFunc.from_mats(np.ascontiguousarray(kernel.T), bias))
        if number < len(net.activations):
            getattr(layers, activation)(*([0.01] if activation == "leaky_relu" else []))
    if box is None:
        return affinitree.builder.from_layers(layers)
    inside = affinitree.Polytope.hyperrectangle(len(box), [tuple(row) for row in box])
    known = affinitree.AffTree.from_poly(inside, affinitree.AffFunc.identity(len(box)))
    return affinitree.builder.from_layers(layers, known)


def difference(net, tree, points=200):
    x = np.random.default_rng(1).uniform(-2, 2, (points, net.in_features))
    return max(np.abs(tree.evaluate(p) - y).max() for p, y in zip(x, net(x), strict=True))


def seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "hard_tanh"])
@pytest.mark.parametrize("widths", [(1, 8, 2), (2, 6, 6, 3), (3, 6, 6, 1)])
@pytest.mark.parametrize("boxed", [False, True])
def test_as_many_regions_and_the_same_function(activation, widths, boxed, affinitree):
    net = random_net(widths, activation)
    box = [[-2.0, 2.0]] * widths[0] if boxed else None
    tree = distilled(affinitree, net, activation, box)
    assert len(regions(net, box)) == tree.num_terminals()
    assert difference(net, tree) <= 1e-12


def test_ten_generic_units_on_the_plane_make_56_of_both(affinitree):
    net = random_net((2, 10, 2))
    tree = distilled(affinitree, net, "relu", None)
    assert len(regions(net)) == tree.num_terminals() == generic_count(10, 2)


def test_another_function_is_noticed(affinitree):
    net, other = random_net((2, 6, 2)), random_net((2, 6, 2), seed=1)
    assert difference(other, distilled(affinitree, net, "relu", None)) > 1e-3


def test_crooked_activations_are_ours_alone():
    crooked = PiecewiseLinear.through([-1.0, 0.0, 0.5, 1.0], [0.2, -0.4, 0.1, 0.0])
    assert len(regions(random_net((1, 4, 1), crooked), [[-3, 3]])) > 4


@pytest.mark.parametrize(
    ("widths", "boxed", "bar"),
    [
        ((2, 16, 16, 2), True, 0.5),
        ((2, 32, 32, 2), True, 0.1),
        ((2, 32, 32, 2), False, 1.0),
        ((3, 12, 12, 2), True, 1.0),
        ((4, 10, 10, 2), True, 1.0),
    ],
)
def test_not_slower_than_affinitree(widths, boxed, bar, affinitree, record):
    net = random_net(widths)
    box = [[-2.0, 2.0]] * widths[0] if boxed else None
    found = regions(net, box)
    ours, theirs = [], []
    for _ in range(3):
        ours.append(seconds(lambda: regions(net, box)))
        theirs.append(seconds(lambda: distilled(affinitree, net, "relu", box)))
    shape = "-".join(map(str, widths))
    what = f"{len(found)} regions, {shape}, {'box' if boxed else 'R^d'}"
    record(what, "affinitree (Rust)", ours, theirs, bar)
