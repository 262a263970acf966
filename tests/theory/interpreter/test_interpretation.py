from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from toy_boxes import SQUARE, ring

from theory.interpreter import Sampling, interpret
from theory.interpreter.interpretation import cosine

pytestmark = pytest.mark.usefixtures("standard_promotion")
KEY = jax.random.key(0)
QUICK = {"hidden": (16, 16), "samples": 4000, "steps": 400}
places = st.floats(-0.99, 0.99)


def bowl(x):
    return 3 + x[:, 0] ** 2 - 2 * x[:, 1]


def test_a_circle_is_learned_from_its_labels(ring_story):
    assert ring_story.fidelity > 0.98
    assert ring_story([[0, 0], [0.9, 0.9]]).tolist() == ["inside", "outside"]


def test_the_same_key_gives_the_same_interpretation():
    first, second = (interpret(ring, domain=SQUARE, key=KEY, **QUICK) for _ in range(2))
    for a, b in zip(first.network.weights, second.network.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    other = interpret(ring, domain=SQUARE, key=jax.random.key(1), **QUICK)
    assert not np.array_equal(first.network.weights[0], other.network.weights[0])


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), SVC()),
        make_pipeline(StandardScaler(), SVC(decision_function_shape="ovo")),
        RandomForestClassifier(30, random_state=0),
    ],
    ids=["scores", "labels", "probabilities"],
)
def test_estimators_are_reproduced_on_held_out_wines(model, wine, request):
    model.fit(wine.data, wine.target_names[wine.target])
    story = interpret(
        model, wine.data, key=KEY, samples=8000, steps=800, features=wine.feature_names
    )
    assert story.black_box.kind in request.node.name
    assert story.fidelity > 0.97
    assert story.data_fidelity > 0.95
    assert set(story(wine.data)) == set(wine.target_names)
    assert "alcohol" in story.features
    assert len(story.regions) <= len(wine.data)


def test_a_regression_is_learned_from_its_values(wine):
    story = interpret(bowl, domain=[[-2, 2], [0, 9]], key=KEY, samples=8000, steps=1500)
    assert story.black_box.task == "regression"
    assert story.fidelity > 0.999
    found = story.explain([1.0, 3.0])
    assert found.margin == pytest.approx(float(story([[1.0, 3.0]])[0]))
    np.testing.assert_allclose(found.weights, [2, -2], atol=0.35)
    assert "value" in str(found)
    forest = RandomForestRegressor(10, random_state=0).fit(wine.data[:, 1:], wine.data[:, 0])
    assert interpret(forest, wine.data[:, 1:], key=KEY, **QUICK).fidelity > 0.5
    with pytest.raises(ValueError, match="classification"):
        story.rules()
    with pytest.raises(ValueError, match="classification"):
        _ = story.facets
    with pytest.raises(ValueError, match="no classes"):
        story.explain([0.0, 1.0], label=1)


def test_networks_of_ours_are_black_boxes():
    class Net(nnx.Module):
        def __init__(self, *, rngs):
            self.layer = nnx.Linear(2, 3, rngs=rngs)

        def __call__(self, x):
            return jnp.tanh(3 * self.layer(x))

    story = interpret(Net(rngs=nnx.Rngs(0)), domain=SQUARE, key=KEY, **QUICK)
    assert story.black_box.kind == "scores"
    assert story.fidelity > 0.95


@given(x=places, y=places)
def test_an_explanation_is_the_networks_own_function_on_its_polytope(x, y, ring_story):
    found = ring_story.explain([x, y])
    outputs = ring_story.network([[x, y]])[0]
    assert found.margin == pytest.approx(np.ptp(outputs), abs=1e-9)
    assert found.polytope.contains([x, y])
    assert found.label == ring_story([[x, y]])[0] != found.other
    if found.foot_inside:
        assert np.ptp(ring_story.network(found.foot[None])) == pytest.approx(0, abs=1e-8)
        nearest = ring_story.facets.nearest(found.point[None]).distance[0]
        inside = (np.abs(found.foot) <= 1).all()
        assert not inside or nearest <= found.distance + 1e-9


def test_distances_are_signed_by_the_class_that_is_explained(ring_story):
    found = ring_story.explain([0.0, 0.1], label="outside")
    assert (found.label, found.other) == ("outside", "inside")
    assert found.distance < 0
    assert found.standard_distance < 0
    assert ring_story.explain([0.0, 0.1]).distance == pytest.approx(-found.distance)
    assert "outside rather than inside" in str(found)


def test_the_nearest_facets_are_where_the_circle_is(ring_story):
    near = ring_story.facets.nearest(np.array([[0.0, 0.0], [0.9, 0.9]]))
    assert near.distance[0] == pytest.approx(np.sqrt(0.5), abs=0.05)
    assert near.distance[1] == pytest.approx(0.9 * np.sqrt(2) - np.sqrt(0.5), abs=0.05)


def test_local_fidelity_is_undefined_where_nothing_changes():
    story = interpret(lambda x: x[:, 0] > 0.95, domain=SQUARE, key=KEY, **QUICK)
    assert np.isnan(story.local_fidelity([[-0.9, 0.0]], samples=5)[0])
    assert np.isfinite(story.local_fidelity([[0.9, 0.0]])[0])
    near = story.around(np.array([-0.99, 0.0]), 10, np.random.default_rng(0))
    assert (np.abs(near.points) <= 1).all()


def test_explanations_of_neighbours_and_of_other_seeds_are_compared(ring_story):
    points = np.array([[0.5, 0.5], [-0.3, 0.6]])
    assert ring_story.stability(points, ring_story) == pytest.approx(1.0)
    assert 0.5 < ring_story.stability(points) <= 1.0
    assert (cosine(np.zeros(2), np.zeros(2)), cosine(np.zeros(2), np.ones(2))) == (1.0, 0.0)


def test_regions_of_two_inputs_tile_the_domain(ring_story):
    assert ring_story.regions.volumes.sum() == pytest.approx(4.0)


def test_shuffled_answers_teach_nothing():
    random = np.random.default_rng(0)
    story = interpret(lambda x: ring(random.permutation(x)), domain=SQUARE, key=KEY, **QUICK)
    points = story.held_out
    assert (story(points) == ring(points)).mean() < 0.75


def test_shares_of_the_samples_are_checked():
    for wrong in ({"uniform": -0.1}, {"uniform": 0.6, "gaussian": 0.6}, {"jitter": (1.0, 0.1)}):
        with pytest.raises(ValueError, match="must be"):
            Sampling(**wrong)
    with pytest.raises(ValueError, match="held_out"):
        Sampling(held_out=1.0)


def test_one_input_is_enough():
    story = interpret(lambda x: x[:, 0] > 0.3, domain=[[-1.0, 1.0]], key=KEY, **QUICK)
    assert story.regions.volumes.sum() == pytest.approx(2.0)
    nearest = story.facets.nearest(np.array([[0.0]]))
    assert nearest.distance[0] == pytest.approx(0.3, abs=0.02)
    assert len(story.rules(0.99)) == 2


def test_a_label_that_no_sample_had_is_no_class():
    story = interpret(ring, domain=SQUARE, key=KEY, **QUICK)
    other = replace(story, black_box=replace(story.black_box, ask=lambda x: ["?"] * len(x)))
    assert other.fidelity == 0.0
    with pytest.raises(ValueError, match="no sample had"):
        other.local_fidelity([[0.0, 0.0]])
