"""Fusion of layers: digits by hand, the limits of its curves, and what it refuses."""

import cam_nets
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurons.explain import cam, finish, maps, split
from neurons.explain.fusion import fuse, fusion_cam
from neurons.explain.methods import SEVERAL

SHALLOW = jnp.array([[[0.0, 2.0], [1.0, -1.0]]])
DEEP = jnp.array([[[1.0, 0.0], [0.5, 0.25]]])


def test_digits_by_hand():
    top = np.tanh(1.0) / np.tanh(2.0)  # of the entry 1/2
    for combine, expected in [
        ("max", [[1, 1], [top, 0.25]]),
        ("mean", [[0.5, 0.5], [(top + 0.5) / 2, 0.125]]),
    ]:
        found = fuse([SHALLOW, DEEP], activation="none", combine=combine)
        np.testing.assert_allclose(found[0], expected, rtol=1e-6)
        sharper = fuse([SHALLOW, DEEP], combine=combine, settings=(3.0,))
        np.testing.assert_allclose(sharper, np.tanh(3 * found) / np.tanh(3), rtol=1e-6)
        stretched = fuse([SHALLOW, DEEP], combine=combine, activation="sigmoid")
        np.testing.assert_allclose(stretched, 1 / (1 + np.exp(-10 * (found - 0.5))), rtol=1e-5)


def test_gains_are_per_layer_and_zero_leaves_a_map_as_it_is():
    plain = fuse([SHALLOW, DEEP], gains=0, activation="none")
    np.testing.assert_allclose(plain[0], [[1, 1], [0.5, 0.25]])
    tiny = fuse([SHALLOW, DEEP], gains=1e-3, activation="none")
    np.testing.assert_allclose(tiny, plain, atol=1e-4)
    own = fuse([SHALLOW, DEEP], gains=(2, 0), activation="none")
    assert np.array_equal(own, fuse([SHALLOW, DEEP], activation="none"))


def test_the_power_reads_the_active_area():
    # Shares of the image above 1/2: 1 %, 0.1 %, 100 %; p is 3/4, 1/2 and 1.
    maps_ = np.full((3, 1000), 0.04, np.float32)
    maps_[0, :10], maps_[1, :1], maps_[2, :] = 1, 1, 1
    maps_[:, -1] = 0  # so that min-max changes nothing
    found = np.asarray(fuse([jnp.asarray(maps_)], gains=0, activation="power"))
    np.testing.assert_allclose(found[:2, 500], [0.04**0.75, 0.2], rtol=1e-3)
    assert found[2, 500] == 1
    assert not found[:, -1].any()


def test_empty_maps_stay_empty_and_their_derivatives_finite():
    zero = jnp.zeros((1, 2, 2))
    for activation in ("tanh", "power", "none"):

        def total(raw, phi=activation):
            return fuse([raw, raw], activation=phi).sum()

        assert float(total(zero)) == 0
        assert np.isfinite(jax.grad(total)(zero)).all()
        assert np.isfinite(jax.grad(total)(SHALLOW)).all()


def test_layers_meet_at_the_largest_or_the_given_size():
    net, x = cam_nets.tiny(), cam_nets.images()
    splits = [split(net, stage) for stage in net.stages]
    fused = jax.jit(lambda x: fusion_cam(splits, x, 1, activation="none", gains=0))(x)
    every = [finish(maps.layer_cam(*halves, x, 1), 8) for halves in splits]  # no pooling: LayerCAM
    np.testing.assert_allclose(fused, np.maximum(*every), atol=1e-6)
    assert fusion_cam(splits, x, 1, at=4, layer_method="grad_cam").shape == (3, 4, 4)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"gains": (1.0,)}, "2 layers take"),
        ({"gains": -1.0}, "none negative"),
        ({"combine": "sum"}, "max, mean"),
        ({"activation": "relu"}, "tanh, sigmoid"),
        ({"settings": (1.0, 2.0)}, "1 positive"),
        ({"activation": "power", "settings": (0.5, 0.1)}, "rising"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_wrong_options_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        fuse([SHALLOW, DEEP], **wrong)


@pytest.mark.usefixtures("unchecked")
def test_nothing_to_fuse_is_an_error():
    with pytest.raises(ValueError, match="at least one"):
        fuse([])
    with pytest.raises(ValueError, match="at least one"):
        fusion_cam([], SHALLOW)
    with pytest.raises(ValueError, match="other axes"):
        fuse([SHALLOW, SHALLOW[0]])


def test_the_facade_knows_every_method_of_several_layers():
    net, x = cam_nets.tiny(), cam_nets.images()
    assert set(SEVERAL) >= {"fusion_cam", "region_fusion_cam"}
    for method, run in SEVERAL.items():
        found = cam(net, x, 1, method=method, stage=net.stages)
        raw = run([split(net, stage) for stage in net.stages], x, jnp.full(3, 1))
        np.testing.assert_allclose(found, finish(raw, 8), atol=1e-5, err_msg=method)


def test_the_method_of_each_layer_can_be_named_through_the_facade():
    net, x = cam_nets.tiny(), cam_nets.images()
    options = {"layer_method": "grad_cam", "activation": "none"}
    found = cam(net, x, 1, method="fusion_cam", stage=net.stages, normalise="none", **options)
    fused = fusion_cam([split(net, stage) for stage in net.stages], x, 1, **options)
    np.testing.assert_allclose(found, finish(fused, x.shape[1:3], normalise="none"), atol=1e-6)
