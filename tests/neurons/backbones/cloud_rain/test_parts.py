"""Part segmentation: its numbers, its order, the published sizes, and what it refuses."""

from functools import lru_cache

import jax.numpy as jnp
import numpy as np
import numpy_clouds as clouds
import numpy_twins as twins
import pytest
from flax import nnx

from neurons import power_only, quadratic
from neurons.backbones.cloud_rain import DGCNNParts, PointNetParts, knn
from neurons.backbones.cloud_rain.dgcnn import EdgeTransform

X = twins.draw((3, 12, 3))
CATEGORY = jnp.array([1, 0, 1])
SIGNS = jnp.array([[[-1.0, 1.0, -1.0]]])
TWINS = {PointNetParts: clouds.pointnet_parts, DGCNNParts: clouds.dgcnn_parts}
both = pytest.mark.parametrize("make", [PointNetParts, DGCNNParts])


@lru_cache
def small(make, neuron=quadratic):
    options = {"hidden": (6, 4), "categories": 2}
    if make is PointNetParts:
        options |= {"widths": (4, 4, 6), "feature_transform": True}
    else:
        options |= {"neighbours": 3, "widths": ((4, 4), (4,)), "embedding": 6}
        options |= {"category_width": 3, "dropout": 0.0}
    return clouds.drawn(make, neuron, 5, **options)


@both
@pytest.mark.parametrize(
    ("neuron", "train"),
    [(quadratic, False), (power_only, True)],
    ids=lambda v: getattr(v, "name", v),
)
def test_logits_equal_the_numpy_twin(make, neuron, train):
    model = small(make, neuron)
    found, _ = clouds.run(model, X, CATEGORY, train=train)
    assert found.shape == (3, 12, 5)
    assert clouds.deviation(found, TWINS[make](model, X, CATEGORY, train)) < 1e-4


@both
def test_logits_follow_the_order_of_points(make):
    order = np.random.default_rng(0).permutation(12)
    moved, found = (clouds.run(small(make), x, CATEGORY)[0] for x in (X[:, order], X))
    assert clouds.deviation(moved, found[:, order]) < 1e-5


@both
def test_the_category_counts(make):
    other, found = (clouds.run(small(make), X, c)[0] for c in (1 - CATEGORY, CATEGORY))
    assert clouds.deviation(other, found) > 1e-2


@both
def test_power_only_networks_are_blind_to_signs(make):
    model = small(make, power_only)
    mirrored, plain = (clouds.run(model, x, CATEGORY, train=True)[0] for x in (X * SIGNS, X))
    assert np.abs(np.asarray(mirrored - plain)).max() <= 1e-5


@both
def test_the_head_sees_what_the_paper_says(make):
    net = nnx.eval_shape(lambda: make(quadratic, 50, categories=16, rngs=nnx.Rngs(0)))
    seen = {PointNetParts: 4944, DGCNNParts: 1280}[make]
    widths = [block.layer.out_features for block in net.classifier.rest.hidden]
    assert (net.classifier.layer.in_features, widths) == (seen, [256, 128])


def test_the_transform_by_edges_equals_the_numpy_twin():
    net = clouds.drawn(EdgeTransform, 3, (4, 4), 6, (4,))
    seen = clouds.block(net.embed, clouds.edge_conv(net.conv, X, 3, False), False).max(1)
    found, _ = clouds.run(net, X, knn(X, 3))
    assert clouds.deviation(found, clouds.matrix(net.matrix, seen, False)) < 1e-4


@both
def test_categories_are_given_if_and_only_if_there_are_some(make, unchecked):
    with pytest.raises(ValueError, match="2 categories"):
        small(make)(X)
    net = nnx.eval_shape(lambda: make(quadratic, 5, rngs=nnx.Rngs(0)))
    with pytest.raises(ValueError, match="0 categories"):
        net(jnp.ones((3, 20, 3)), CATEGORY)


@both
def test_points_it_cannot_read_are_refused(make, unchecked):
    with pytest.raises(ValueError, match=r"\(batch, points, 3\)"):
        small(make)(X[..., :2], CATEGORY)
    with pytest.raises(ValueError, match="empty cloud"):
        small(make)(X[:, :0], CATEGORY)


def test_sizes_they_cannot_have_are_refused(unchecked):
    with pytest.raises(ValueError, match="at least 3 points in a cloud, got 2"):
        small(DGCNNParts)(X[:, :2], CATEGORY)
    with pytest.raises(ValueError, match="three layers"):
        PointNetParts(quadratic, 5, widths=(4, 4), rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="at least 1"):
        DGCNNParts(quadratic, 0, rngs=nnx.Rngs(0))
