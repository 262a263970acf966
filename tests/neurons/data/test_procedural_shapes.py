"""Drawn shapes: their areas and moments are those of geometry, their hands those of their names."""

import numpy as np
import pytest

from neurons.data.procedural_shapes import (
    CHAIN,
    CHIRAL_PAIRS,
    SHAPES,
    procedural_shapes,
    rotations,
    shape,
)

MANY = 40_000


def random(seed=0):
    return np.random.default_rng(seed)


def moments(name, points=MANY):
    """Second moments along the axes, without noise."""
    return (shape(random(), name, points)[0] ** 2).mean(axis=0)


def hand(points, width=0.4):
    """Which way a shape turns about z while it rises: the sign of sum det(p, q, z) (q_z - p_z)."""
    p, q = points[:, None], points[None]
    turn = p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0]
    near = np.linalg.norm(p - q, axis=-1) < width
    return np.sign((near * turn * (q - p)[..., 2]).sum())


def test_moments_are_those_of_the_surfaces():
    np.testing.assert_allclose(moments("sphere"), 1 / 3, rtol=0.02)
    np.testing.assert_allclose(moments("cube"), 5 / 9, rtol=0.02)  # (2/3) / 3 + 1/3 on faces
    tube = random().uniform(0.2, 0.4)
    # Pappus: the mean of z^2 over a torus is tube^2 / 2 however it is bent; by angle alone it is,
    # too, but not the mean of x^2 + y^2.
    x, y, z = moments("torus")
    assert z == pytest.approx(tube**2 / 2, rel=0.02)
    assert x + y == pytest.approx(1 + 1.5 * tube**2, rel=0.01)


def test_a_torus_sampled_by_angle_would_be_seen():
    """Planted fault: angles uniform, as if the inner side were as long as the outer."""
    tube, angle = random().uniform(0.2, 0.4), random(1).uniform(0, 2 * np.pi, MANY)
    found = ((1 + tube * np.cos(angle)) ** 2).mean()
    assert found != pytest.approx(1 + 1.5 * tube**2, rel=0.01)


def test_parts_share_the_area():
    radius = random().uniform(0.3, 0.6)
    points, parts = shape(random(), "cylinder", MANY)
    cap = parts == "cylinder cap"
    np.testing.assert_array_equal(np.abs(points[cap, 2]), 1)
    np.testing.assert_allclose(np.hypot(*points[~cap, :2].T), radius)
    assert cap.mean() == pytest.approx(radius / (radius + 2), abs=0.01)
    assert (points[cap, :2] ** 2).sum(axis=1).mean() == pytest.approx(radius**2 / 2, rel=0.02)


def test_the_side_of_a_cone_is_denser_below():
    points, parts = shape(random(), "cone", MANY)
    side = points[parts == "cone side", 2]
    # Two thirds of the height from the tip: the centroid of a triangle.
    assert side.mean() == pytest.approx(-0.8 + 1.6 / 3, abs=0.02)


@pytest.mark.parametrize("kind", ["helix", "propeller"])
def test_left_and_right_turn_their_ways(kind):
    for name, sign in (("left", -1), ("right", 1)):
        points = shape(random(), f"{name}_{kind}", 600)[0]
        assert hand(points) == sign
        assert hand(points * [1, -1, 1]) == -sign
        turn = rotations(random(1), 1, 2)[0]
        turned = np.concatenate([points[:, :2] @ turn, points[:, 2:]], axis=1)
        assert hand(turned) == sign


@pytest.mark.parametrize("kind", ["helix", "propeller", "chain"])
def test_left_is_right_in_the_mirror(kind):
    left, right = (shape(random(), f"{side}_{kind}", 50)[0] for side in ("left", "right"))
    np.testing.assert_array_equal(left * [-1, 1, 1], right)


def test_the_chain_is_a_right_handed_system():
    steps = CHAIN[[0, 2, 3]]
    assert np.linalg.det(steps) == 1
    assert np.linalg.det(steps * [-1, 1, 1]) == -1


def test_rotations_are_rotations_and_uniform():
    turns = rotations(random(), 500)
    np.testing.assert_allclose(np.einsum("bij,bkj->bik", turns, turns) - np.eye(3), 0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(turns), 1)
    np.testing.assert_allclose(turns.mean(axis=0), 0, atol=0.1)


def test_every_class_and_part_is_there():
    made = procedural_shapes(train=32, test=16)
    assert made.classes == tuple(SHAPES)
    assert len(made.classes) == 16
    assert {name for pair in CHIRAL_PAIRS for name in pair} <= set(made.classes)
    assert made.x_train.shape == (32, 128, 3)
    assert set(np.unique(made.parts_train)) <= set(range(len(made.part_names)))
    chair = made.classes.index("chair")
    names = {made.part_names[part] for part in np.unique(made.parts_test[made.y_test == chair])}
    assert names == {"chair seat", "chair back", "chair leg"}


def test_parts_lie_where_they_belong():
    made = procedural_shapes(train=6, test=6, classes=("chair",))
    seat, back, leg = (
        np.concatenate([x[p == k] for x, p in zip(made.x_train, made.parts_train, strict=True)])
        for k in range(3)
    )
    assert leg[:, 2].mean() < seat[:, 2].mean() < back[:, 2].mean()


def test_turned_clouds_are_rotated():
    upright, turned = (
        procedural_shapes(train=8, test=8, classes=("ellipsoid",), turned=turn)
        for turn in (False, True)
    )

    def spread(made):
        return np.abs(made.x_train).max(axis=1).mean(axis=0)

    assert spread(upright).max() > 0.95 > 1.5 * spread(upright).min()
    assert spread(turned).max() < 1.4 * spread(turned).min()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": ("sphere", "klein bottle")}, "allowed, each once: sphere, ellipsoid"),
        ({"classes": ()}, "allowed, each once"),
        ({"classes": ("cube", "cube")}, "allowed, each once"),
        ({"train": 15}, r"needs 16 \+ 16 clouds of 8 points, got 15 \+ 320 of 128"),
        ({"points": 0}, "of 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        procedural_shapes(**options)
