"""Clouds whose principal axes are not defined, and what is left of them when they are moved."""

import itertools

import numpy as np

GOLDEN = (1 + 5**0.5) / 2


def cyclic(points):
    return np.concatenate([np.roll(points, k, axis=1) for k in range(3)])


def white(points):
    """The same points, stretched until all variances are equal."""
    points = points - points.mean(axis=0)
    values, axes = np.linalg.eigh(points.T @ points / len(points))
    return points @ axes / np.sqrt(values) @ axes.T


def orbit(points):
    """The images of points under the 24 rotations of the cube: a cloud without any mirror."""
    turns = [
        np.eye(3)[list(order)] * np.array(flips)
        for order in itertools.permutations(range(3))
        for flips in itertools.product((-1, 1), repeat=3)
    ]
    return np.concatenate([points @ turn for turn in turns if np.linalg.det(turn) > 0])


def in_space():
    rng = np.random.default_rng(0)
    pairs = [(s, t) for s in (-1, 1) for t in (-1, 1)]
    cube = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
    ball = rng.normal(size=(72, 3))
    half = rng.normal(size=(36, 3))
    angles = np.linspace(0, 2 * np.pi, 4, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    heights = np.array([[0, 0, 0.0], [0, 0, 1], [0, 0, 3]])
    clouds = {
        "cube": cube,
        "tetrahedron": cube[cube.prod(axis=1) > 0],
        "octahedron": np.concatenate([np.eye(3), -np.eye(3)]),
        "icosahedron": cyclic(np.array([[0, s, t * GOLDEN] for s, t in pairs])),
        "rotations of three points": orbit(rng.normal(size=(3, 3))),
        "sphere": white(ball / np.linalg.norm(ball, axis=1, keepdims=True)),
        "ball": white(ball),
        "mirror image": white(np.concatenate([half, half * [1, 1, -1]])),
        "bottle": np.concatenate([ring * r + heights[k] for k, r in enumerate((1, 0.8, 0.3))]),
        "plane": white(ball[:, :2]) @ np.eye(2, 3),
    }
    return alike(clouds)


def in_the_plane():
    rng = np.random.default_rng(0)

    def polygon(corners, start=0.0):
        angles = start + np.linspace(0, 2 * np.pi, corners, endpoint=False)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)

    clouds = {
        "triangle": polygon(3),
        "square": polygon(4),
        "pinwheel": np.concatenate([polygon(4), 1.3 * polygon(4, 0.3)]),
        "disc": white(rng.normal(size=(72, 2))),
    }
    return alike(clouds)


def alike(clouds):
    """All with 72 points, by repeating them: one shape, and mean and variances stay."""
    return {name: np.tile(points, (72 // len(points), 1)) for name, points in clouds.items()}
