"""What every metric does with masks, maps and shapes at the edge of its definition."""

from functools import partial

import jax.numpy as jnp
import numpy as np
import pytest

from neurons.explain import metrics

WITH_MASKS = {
    **{name: partial(metrics.score, threshold=0.5, name=name) for name in ("miou", "iou", "f1")},
    **{name: partial(metrics.score, threshold=0.5, name=name) for name in ("precision", "recall")},
    **{name: getattr(metrics, name) for name in ("pixel_ap", "auc", "aupro")},
    **{name: getattr(metrics, name) for name in ("relevance_mass", "relevance_rank")},
    "pointing_game": metrics.pointing_game,
    "top_k_intersection": partial(metrics.top_k_intersection, k=3),
    "boundary_f": partial(metrics.boundary_f, threshold=0.5),
    "components_per_region": partial(metrics.components_per_region, threshold=0.5),
}
MAPS_ONLY = {
    name: getattr(metrics, name)
    for name in (
        "sparseness",
        "complexity",
        "effective_complexity",
        "histogram_entropy",
        "l1_complexity",
    )
}
ALL = WITH_MASKS | {name: lambda maps, masks, f=f: f(maps) for name, f in MAPS_ONLY.items()}
each = pytest.mark.parametrize("name", ALL)
with_masks = pytest.mark.parametrize("name", WITH_MASKS)
SPACES = {"1d": (20,), "2d": (4, 5), "3d": (2, 5, 2), "one row": (1, 20), "one pixel": (1, 1)}


@pytest.fixture
def stack():
    rng = np.random.default_rng(3)
    maps, masks = rng.random((3, 6, 6)), np.zeros((3, 6, 6), bool)
    masks[:, 1:3, 2:5] = True
    return maps, masks


@each
def test_an_image_with_nan_has_no_value_and_spoils_no_other(name, stack):
    maps, masks = stack
    broken = maps.copy()
    broken[1, 0, 0] = np.nan
    expected, found = ALL[name](maps, masks), ALL[name](broken, masks)
    assert np.isnan(found[1])
    np.testing.assert_array_equal(found[[0, 2]], expected[[0, 2]])


@with_masks
def test_an_empty_mask_has_no_value(name, stack):
    maps, masks = stack
    masks[1] = False
    found = WITH_MASKS[name](maps, masks)
    # Marked pixels of a good image are false alarms.
    wrong = 0.0 if name in ("iou", "f1", "precision") else np.nan
    if name == "miou":
        wrong = (maps[1] < 0.5).mean() / 2
    np.testing.assert_allclose(found[1], wrong)
    assert np.isfinite(found[[0, 2]]).all()


@with_masks
def test_a_full_mask(name, stack):
    maps, masks = stack
    found = WITH_MASKS[name](maps, np.ones_like(masks))
    if name in ("auc", "aupro", "boundary_f"):  # nothing outside to compare with
        assert np.isnan(found).all()
    elif name in ("pixel_ap", "relevance_mass", "relevance_rank", "pointing_game", "precision"):
        np.testing.assert_allclose(found, 1)
    else:
        assert np.isfinite(found).all()


@each
def test_images_of_a_batch_are_judged_alone(name, stack):
    maps, masks = stack
    together = ALL[name](maps, masks)
    assert together.shape == (3,)
    alone = np.concatenate([ALL[name](maps[i : i + 1], masks[i : i + 1]) for i in range(3)])
    np.testing.assert_array_equal(together, alone)
    assert ALL[name](maps[:0], masks[:0]).shape == (0,)


@each
@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_any_number_of_axes(name, space):
    rng = np.random.default_rng(4)
    maps, masks = rng.random((2, *space)), rng.random((2, *space)) < 0.4
    if name == "top_k_intersection" and np.prod(space) < 3:
        with pytest.raises(ValueError, match="k must lie"):
            ALL[name](maps, masks)
        return
    found = ALL[name](maps, masks)
    assert found.shape == (2,)
    if "pro" not in name and "bound" not in name and "comp" not in name:
        flat = ALL[name](maps.reshape(2, -1), masks.reshape(2, -1))
        np.testing.assert_array_equal(found, flat)


@each
@pytest.mark.parametrize("kind", ["float32", "bfloat16", "float16", "uint8", "bool", "jax"])
def test_any_kind_of_number(name, kind, stack):
    maps, masks = stack
    maps = np.round(4 * maps) if kind in ("uint8", "bool") else np.round(8 * maps) / 8
    given = jnp.asarray(maps, jnp.float32 if kind == "jax" else kind)
    given = given if kind == "jax" else np.asarray(given)
    expected = ALL[name]((maps > 0).astype(float) if kind == "bool" else maps, masks)
    found = ALL[name](given, masks.astype(np.uint8))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@with_masks
def test_masks_must_fit_their_maps(name, stack):
    maps, masks = stack
    with pytest.raises(ValueError, match="the maps' shape"):
        WITH_MASKS[name](maps, masks[:, :5])
    with pytest.raises(ValueError, match="0 and 1 only"):
        WITH_MASKS[name](maps, masks * np.uint8(255))


@each
@pytest.mark.parametrize("shape", [(4,), (3, 0)], ids=["no space", "no pixel"])
def test_maps_need_pixels(name, shape):
    with pytest.raises(ValueError, match="need a batch axis and pixels"):
        ALL[name](np.zeros(shape), np.zeros(shape, bool))


@each
def test_maps_are_real(name, stack):
    maps, masks = stack
    with pytest.raises(ValueError, match="real numbers, got complex"):
        ALL[name](maps * 1j, masks)


@each
def test_infinite_relevance_is_no_error(name, stack):
    maps, masks = stack
    maps[0, 2, 2] = np.inf
    found = ALL[name](maps, masks)
    assert found[0] >= 0 or name in ("relevance_mass", *MAPS_ONLY)
    assert np.isfinite(found[1:]).all()
