"""Pictures, maps and masks are changed alike, at any resolution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurons.inspection.augmentation import Augmentation, Draw, apply

SIDE, COUNT = 16, 6
ALL = Augmentation(rotation=25.0, crop=0.6, brightness=0.3)
jitted = jax.jit(apply, static_argnames="kind")


def smooth(side=SIDE, count=COUNT):
    """Waves that are the same at every resolution."""
    axis = (np.arange(side) + 0.5) / side
    number = np.arange(1, count + 1)[:, None, None]
    waves = np.sin(3 * axis[:, None] + number) * np.cos(2 * axis + 0.3 * number)
    return jnp.asarray(0.5 + 0.4 * waves, jnp.float32)


def drawn(**parts):
    return Draw(**{name: jnp.asarray(values) for name, values in parts.items()})


@pytest.fixture(scope="module")
def draw():
    return ALL.draw(jax.random.key(1), COUNT)


def test_the_same_key_gives_the_same_changes_and_another_one_others(draw):
    again, other = (ALL.draw(jax.random.key(seed), COUNT) for seed in (1, 2))
    assert all(jnp.array_equal(a, b) for a, b in zip(draw, again, strict=True))
    assert not any(jnp.array_equal(a, b) for a, b in zip(draw, other, strict=True))


def test_draws_lie_within_their_bounds():
    found = ALL.draw(jax.random.key(0), 500)
    bounds = {"angle": (-25, 25), "share": (0.6, 1), "place": (0, 1), "factor": (0.7, 1.3)}
    for name, (low, high) in bounds.items():
        values = np.asarray(getattr(found, name))
        assert low <= values.min() < low + 0.1 * (high - low)
        assert high - 0.1 * (high - low) < values.max() <= high
    assert np.asarray(found.flip).mean(axis=0) == pytest.approx([0.5, 0.5], abs=0.07)


def test_nothing_is_drawn_for_what_never_changes():
    none = Augmentation(flip=False)
    assert none.draw(jax.random.key(0), COUNT) == Draw()
    assert jnp.array_equal(apply(Draw(), smooth()), smooth())
    flips = Augmentation().draw(jax.random.key(0), COUNT)
    assert [name for name, values in flips._asdict().items() if values is not None] == ["flip"]


@pytest.mark.parametrize("kind", ["image", "map", "mask"])
def test_a_flip_is_exact(kind):
    x = smooth()
    x = x > 0.5 if kind == "mask" else x
    flip = np.array(
        [[False, False], [True, False], [False, True], [True, True]] + [[False] * 2] * 2
    )
    found = np.asarray(jitted(drawn(flip=flip), x, kind=kind))
    for row, (down, right) in enumerate(flip):
        expected = np.asarray(x)[row, :: -1 if down else 1, :: -1 if right else 1]
        np.testing.assert_array_equal(found[row], expected)


def test_a_quarter_turn_is_exact_but_for_rounding():
    x = smooth()
    found = apply(drawn(angle=np.full(COUNT, 90.0, np.float32)), x, "map")
    np.testing.assert_allclose(found, np.rot90(x, axes=(1, 2)), atol=1e-5)


def test_a_crop_enlarges_what_it_keeps():
    # The lower right quarter: pixel centres of the large picture lie on a grid twice as fine.
    half, corner = np.full(COUNT, 0.5, np.float32), np.ones((COUNT, 2), np.float32)
    found = np.asarray(apply(drawn(share=half, place=corner), smooth(64), "map"))
    fine = np.asarray(smooth(128))[:, 64:, 64:]
    np.testing.assert_allclose(found[:, 1:-1, 1:-1], fine[:, 1:-1, 1:-1], atol=2e-3)


def test_beyond_the_border_the_picture_is_reflected():
    x = jnp.zeros((1, SIDE, SIDE)).at[:, :, -1].set(1.0)
    found = apply(drawn(angle=np.array([45.0], np.float32)), x, "map")
    assert found.min() >= 0
    assert found.max() <= 1
    constant = apply(drawn(angle=np.array([45.0], np.float32)), jnp.ones((1, SIDE, SIDE)), "map")
    np.testing.assert_allclose(constant, 1.0, atol=1e-6)


def test_maps_of_another_resolution_get_the_same_geometry(draw):
    fine, coarse = (jitted(draw, smooth(side), kind="map") for side in (64, SIDE))
    means = fine.reshape(COUNT, SIDE, 4, SIDE, 4).mean(axis=(2, 4))
    inner = (slice(None), slice(2, -2), slice(2, -2))
    np.testing.assert_allclose(means[inner], coarse[inner], atol=0.02)


def test_a_mask_moves_with_its_picture(draw):
    # A bright block is the defect: after the change what is bright is what is marked.
    x = jnp.full((COUNT, 64, 64), 0.1).at[:, 20:36, 28:44].set(0.6)
    mask = jitted(draw, x > 0.5, kind="mask")
    assert mask.dtype == bool
    plain = jitted(draw._replace(factor=None), x, kind="image")
    overlap = (mask & (plain > 0.35)).sum() / (mask | (plain > 0.35)).sum()
    assert overlap > 0.95


def test_masks_that_are_no_bools_are_marked_where_they_are_not_zero(draw):
    levels = jnp.where(smooth() > 0.5, 255, 0).astype(jnp.uint8)
    expected = jitted(draw, smooth() > 0.5, kind="mask")
    assert jnp.array_equal(jitted(draw, levels, kind="mask"), expected)


def test_an_empty_mask_stays_empty_and_a_full_one_full(draw):
    for value in (False, True):
        same = jnp.full((COUNT, SIDE, SIDE), value)
        assert jnp.array_equal(jitted(draw, same, kind="mask"), same)


def test_only_pictures_get_the_brightness_and_stay_grey_levels():
    factor = drawn(factor=np.array([0.5, 1.0, 1.3, 1.3, 1.0, 0.7], np.float32))
    x = smooth()
    lit = apply(factor, x, "image")
    np.testing.assert_allclose(lit, np.clip(np.asarray(x * factor.factor[:, None, None]), 0, 1))
    assert lit.max() == 1.0
    assert jnp.array_equal(apply(factor, x, "map"), x)
    assert jnp.array_equal(apply(factor, x > 0.5, "mask"), x > 0.5)


def test_channels_are_changed_alike(draw):
    x = smooth()
    coloured = jitted(draw, jnp.stack([x, 0.5 * x], axis=-1), kind="image")
    grey = jitted(draw, x, kind="image")
    np.testing.assert_allclose(coloured[..., 0], grey, atol=1e-6)
    np.testing.assert_allclose(coloured[..., 1], jitted(draw, 0.5 * x, kind="image"), atol=1e-6)


def test_pictures_need_not_be_square():
    x = jnp.broadcast_to(smooth()[:, :, :8], (COUNT, SIDE, 8))
    found = apply(drawn(angle=np.full(COUNT, 180.0, np.float32)), x, "map")
    np.testing.assert_allclose(found, x[:, ::-1, ::-1], atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [{"rotation": -1.0}, {"rotation": 181.0}, {"crop": 0.0}, {"crop": 1.1}, {"brightness": 1.5},
     {"brightness": float("nan")}],
)  # fmt: skip
def test_options_outside_their_bounds_are_refused(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))} is"):
        Augmentation(**options)


def test_what_does_not_fit_is_refused(draw, unchecked):
    with pytest.raises(ValueError, match="'picture'; allowed: image, map, mask"):
        apply(draw, smooth(), "picture")
    with pytest.raises(ValueError, match=r"drawn for \[6\] pictures, got 5"):
        apply(draw, smooth(count=5))
    with pytest.raises(ValueError, match="with or without channels"):
        apply(draw, smooth()[0])
