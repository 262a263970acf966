"""Comparisons of maps: what they make of known outcomes, and maps of signed activations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cam_records import DATA, lab
from flax import nnx

from neurons.explain import METHODS, split
from neurons.explain import metrics as judge
from theory.claims import cam_contrasts as contrasts
from theory.claims import cg_fusion_cam_experiments as fused
from theory.claims import localisation_study_detectors as detectors
from theory.claims import shallow_cam_experiments as shallow
from theory.claims.claim import Lab, remember, smoke
from theory.claims.localisation_study import Method

OURS, THEIRS = Method("cg_cam", "stage3"), Method("layer_cam", "stage3")


class Signed(nnx.Module):
    """Activations of both signs, and a head whose gradient has both."""

    def features(self, x, stage):
        return x - 0.5

    def head(self, features, stage):
        return jnp.sum(features @ jnp.array([1.0, -2.0]), axis=(1, 2))[:, None]


def quality(name):
    return 0.6 if "cg_cam" in name else 0.4


def test_gains_are_in_percent_and_paired():
    gains = contrasts.gain(lab(quality), OURS, THEIRS)
    np.testing.assert_allclose(gains, 5 * [20.0])


def test_masks_as_maps_are_perfect():
    planted = lab(quality, "masks")
    assert min(contrasts.claimed(planted, OURS)) > 99
    assert contrasts.by_seed(planted, OURS)[0] < 61


@pytest.mark.parametrize(
    ("effects", "status"),
    [
        ({"a": [1.0, 1.1], "b": [2.0, 2.1]}, "supported"),
        ({"a": [-1.0, -1.1], "b": [2.0, 2.1]}, "refuted"),
        ({"a": [-1.0, 1.0], "b": [2.0, 2.1]}, "undecided"),
    ],
)
def test_the_weakest_of_several_effects_decides(effects, status):
    name, found, comparison = contrasts.weakest(effects)
    assert (name, found) == ("a", status)
    assert comparison.effect == pytest.approx(np.mean(effects["a"]))


def test_two_sides_change_no_logit_and_lose_no_evidence():
    net = contrasts.TwoSided(Signed(), ("here",))
    x = jax.random.uniform(jax.random.key(0), (2, 3, 3, 2))
    given = net.features(x, "here")
    assert given.shape == (2, 3, 3, 4)
    assert given.min() >= 0
    np.testing.assert_allclose(net.head(given, "here"), Signed().head(x - 0.5, ""), rtol=1e-5)
    np.testing.assert_allclose(
        METHODS["layer_cam"](*split(net, "here"), x, 1),
        METHODS["elementwise_cam"](*split(Signed(), "here"), x, 1),
        rtol=1e-5,
    )
    np.testing.assert_array_equal(net.features(x, "there"), x - 0.5)


@pytest.mark.parametrize(("last", "status"), [(0.1, "supported"), (0.9, "refuted")])
def test_maps_have_to_change_with_the_parameters(last, status):
    study = lab(quality, randomised=[0.9, 0.8, 0.7, 0.6, 0.5, last])
    found = contrasts.randomisation(study, OURS)
    assert found.status == status
    assert [row.ours for row in found.rows] == pytest.approx([0.9, 0.8, 0.7, 0.6, 0.5, last])


@pytest.fixture(scope="module")
def untrained():
    """A lab on small drawn tiles whose networks nobody has trained: maps are what they are."""
    small = Lab(smoke, jax.random.key(0), DATA, remember())
    net = detectors.whole(DATA, detectors.Top(False, rngs=nnx.Rngs(0)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detectors, "detector", lambda *_: net)
        yield small


def test_a_method_is_judged_on_maps_of_the_network(untrained):
    found = contrasts.outcome(untrained, shallow.truncated("stage2"), 0)
    assert len(found["iou"]) == len(found["area"]) > 10
    assert all(0 <= value <= 1 for value in found["iou"])
    assert found["threshold"] in judge.GRID


def test_randomised_networks_are_compared_stage_by_stage(untrained):
    finding = contrasts.randomisation(untrained, shallow.truncated("stage2"))
    assert finding.series["layers"][0] == "the head"
    assert all(len(record) == 6 for record in finding.series["correlation"])
    assert all(-1 <= value <= 1 for record in finding.series["correlation"] for value in record)


def test_the_class_that_is_not_there_has_a_map_of_its_own(untrained):
    finding = shallow.discriminative(untrained)
    present, absent = (finding.series[name] for name in ("present", "absent"))
    assert present != absent


def test_one_pass_serves_all_layers(untrained):
    assert fused.cost(untrained).status == "supported"
