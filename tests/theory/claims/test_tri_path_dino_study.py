"""The study on Tri-path DINO: measures of maps whose truth is known, and a run of it."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from neurons.backbones.change_detection import ChangeLogits, change_evidence, change_loss
from neurons.backbones.change_detection.auxiliary import Plan
from neurons.backbones.dino import Shape
from neurons.data import simulated_change_set
from neurons.explain import cam
from theory.claims import Budget, change_study
from theory.claims import tri_path_dino_maps as maps
from theory.claims import tri_path_dino_networks as networks
from theory.claims import tri_path_dino_study as study
from theory.claims.claim import Lab, remember

SIDE = 16


def disc(radius):
    place = np.arange(SIDE) - SIDE / 2 + 0.5
    return (np.hypot(place[:, None], place[None, :]) < radius)[None]


def test_boundaries_are_the_pixels_beside_a_border():
    changed = np.zeros((1, 6, 6), bool)
    changed[0, :, 3:] = True
    assert (
        maps.boundaries(changed)[0].any(axis=0).tolist() == [False, False, True, True] + [False] * 2
    )
    assert maps.boundaries(changed, 2)[0].sum(axis=1).tolist() == [4] * 6
    assert not maps.boundaries(np.ones((1, 6, 6), bool)).any()


def test_energy_of_a_map_of_the_boundary_and_of_a_flat_one():
    changed = disc(5)
    lines = maps.boundaries(changed)
    exact, flat = lines.astype(float), np.ones((1, SIDE, SIDE))
    assert maps.energy_within(exact, lines)[0] == pytest.approx(1)
    assert maps.energy_within(flat, lines)[0] == pytest.approx(lines.mean())
    coarse = exact.reshape(1, 8, 2, 8, 2).mean(axis=(2, 4))
    assert lines.mean() < maps.energy_within(coarse, lines)[0] < 1
    assert np.isnan(maps.energy_within(0 * flat, lines)[0])


@pytest.mark.parametrize("cycles", [1, 3, 7])
def test_the_centroid_of_a_wave_is_its_frequency(cycles):
    wave = np.sin(2 * np.pi * cycles * np.arange(SIDE) / SIDE)[None, None, :]
    wave = 5 + np.broadcast_to(wave, (1, SIDE, SIDE))
    assert maps.centroid(wave)[0] == pytest.approx(cycles / SIDE)
    rings = maps.radial(wave)
    assert rings.sum() == pytest.approx(1)
    assert rings.argmax() == int(cycles / SIDE / 0.5 * 8)
    assert np.isnan(maps.centroid(np.full((1, SIDE, SIDE), 0.1))[0])


def test_correlation_is_pearsons():
    one = np.random.default_rng(0).random((1, 4, 4))
    assert maps.correlation(one, 3 * one + 1)[0] == pytest.approx(1)
    assert maps.correlation(one, -one)[0] == pytest.approx(-1)
    other = np.random.default_rng(1).random((1, 4, 4))
    expected = np.corrcoef(one.ravel(), other.ravel())[0, 1]
    assert maps.correlation(one, other)[0] == pytest.approx(expected)


def test_regions_are_found_by_their_share():
    changed = np.zeros((2, 6, 6), bool)
    changed[0, :2, :2] = changed[0, 4:, 3:] = changed[1, 0, 0] = True
    found = changed.copy()
    found[0, 0, :2] = False
    areas, shares = maps.region_recall(found, changed)
    assert areas.tolist() == [4, 6, 1]
    assert shares.tolist() == [0.5, 1, 1]


def test_described_leaves_blank_maps_out():
    changed = np.concatenate([disc(4), disc(5), 0 * disc(5)]).astype(bool)
    lines = maps.boundaries(changed).astype(float)
    inside = changed.astype(float)
    main, auxiliary = inside.copy(), lines.copy()
    main[1] = 0
    found = maps.described(maps.PathMaps(main, auxiliary), changed)
    assert found["pairs"] == 1
    assert found["auxiliary"]["edge"] == 1
    assert found["main"]["edge"] < 1
    assert found["auxiliary"]["centroid"] > found["main"]["centroid"]


@pytest.fixture
def tiny(monkeypatch):
    """The study with the smallest networks, and one arm."""
    for module in (networks, study):
        monkeypatch.setattr(module, "SIDE", SIDE)
    monkeypatch.setattr(networks, "SHAPE", Shape(8, 1, 1, 8, registers=0, patch=8))
    monkeypatch.setattr(networks, "PLAN", Plan((4,) * 4, (1,) * 4, (2, 1, 1, 1), (1,) * 4, 1))
    monkeypatch.setattr(networks, "FIELDS", ((1, 1),))
    monkeypatch.setattr(networks, "WIDTH", 4)
    monkeypatch.setattr(study, "ARMS", (networks.FULL,))
    monkeypatch.setattr(study, "REGIONS", (networks.FULL,))
    monkeypatch.setattr(study, "DRAWN", (networks.FULL,))
    monkeypatch.setattr(change_study, "LEAST_STEPS", 2)
    budget = Budget("test", seeds=1, effort=1e-3, data=0.2)
    return Lab(budget, jax.random.key(0), simulated_change_set(drawn=20), remember())


def test_an_outcome_is_complete_and_recalled(tiny, standard_promotion):
    found = study.outcome(tiny, 0)
    assert set(found["scores"]) == set(found["regions"]) == {networks.FULL}
    assert 0 <= found["scores"][networks.FULL]["miou"] <= 100
    assert found["exchange"]["logits"] < 1e-5
    assert found["identical"]["logits"] < 1e-5
    assert len(found["shown"]) == study.EXAMPLES
    assert found["real"] == []
    forgetful = replace(tiny, recall=lambda name, _: tiny.recall(name, pytest.fail))
    assert study.outcome(forgetful, 0) == found


def test_maps_of_both_paths_are_those_of_explain_cam(tiny):
    net = networks.make(6, networks.FULL, rngs=nnx.Rngs(0))
    net.eval()
    some = change_study.tiled(tiny, SIDE).data.drawn.take([0, 1, 2])
    both = np.stack([some.before, some.after], axis=1)
    found = maps.path_maps(net, both).auxiliary
    expected = cam(net, both, change_evidence, stage="auxiliary1", size=None, normalise="none")
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-7)


def test_losses_are_weighed_by_arm():
    random = np.random.default_rng(0)
    z = jnp.asarray(random.normal(size=(2, 2, 3, 3, 4)).astype(np.float32))
    labels = jnp.asarray(random.integers(0, 4, (2, 2, 3, 3)))
    taught = change_study.Lesson(z, z, labels, np.arange(2), np.zeros(2, int))
    answer = ChangeLogits((z[:, 0], z[:, 1]))
    plain = {"focal": 0, "dice": 0, "lovasz": 0, "cross_entropy": 1}
    for arm, options in ((networks.FULL, {}), (networks.CROSS_ENTROPY, plain)):
        batch = (z[:, 0], z[:, 1], labels, networks._weights(arm, taught))
        found = networks.weighed(lambda *_: answer, batch)
        assert float(found) == pytest.approx(float(change_loss(answer, labels, **options)))


def test_a_main_path_that_knows_differs_in_nothing_else(tiny, standard_promotion):
    lab = change_study.tiled(tiny, SIDE)

    def form(*, rngs):
        return networks.make(6, networks.FULL, rngs=rngs)

    knows, fresh = networks.knowing(lab, 0, form), change_study.build(lab, 0, form)
    taught = networks.taught(lab, 0).net
    kernel = [net.blocks[0].feed_forward.up.weights("r") for net in (knows.main.net, taught)]
    np.testing.assert_array_equal(*kernel)
    assert not np.array_equal(kernel[0], fresh.main.net.blocks[0].feed_forward.up.weights("r"))
    for part in ("auxiliary", "decoder", "out"):
        leaves = [jax.tree.leaves(nnx.state(getattr(n, part))) for n in (knows, fresh)]
        assert all(np.array_equal(a, b) for a, b in zip(*leaves, strict=True))
