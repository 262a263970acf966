"""Drawn stand-ins for the public sets of point clouds."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from neurons.data.pointclouds import PointClouds, unit_ball
from neurons.data.procedural_shapes import procedural_shapes

# Ends of the seven segments of a display: x to the right, y up.
SEGMENTS = np.array(
    [[[0, 2], [1, 2]], [[1, 2], [1, 1]], [[1, 1], [1, 0]], [[0, 0], [1, 0]], [[0, 1], [0, 0]],
     [[0, 2], [0, 1]], [[0, 1], [1, 1]]], float,
)  # fmt: skip
LIT = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")
SOURCE = "digits of seven segments, drawn by neurons.data.simulated_clouds"

Floats = NDArray[np.float64]


def simulated_modelnet10(seed: int = 0, *, points: int = 128) -> PointClouds:
    """Drawn chairs and monitors, 320 + 160 clouds, in place of ModelNet10's.

    Args:
        seed: Seed of everything random.
        points: Points of a cloud, at least 8.

    Raises:
        ValueError: For fewer points.
    """
    kinds = ("chair", "monitor")
    made = procedural_shapes(seed, train=320, test=160, points=points, classes=kinds, noise=0.03)
    return replace(made, name="simulated_modelnet10")


def simulated_mnist_points(
    seed: int = 0, *, train: int = 800, test: int = 400, points: int = 64
) -> PointClouds:
    """Slanted digits of seven segments as points in the plane, in place of MNIST's.

    2 and 5 are mirror images of each other, 6 and 9 half a turn apart: an invariant network
    cannot tell them.

    Args:
        seed: Seed of everything random.
        train: Number of training clouds, at least 10.
        test: Number of test clouds, at least 10.
        points: Points of a digit, at least 8.

    Raises:
        ValueError: For fewer clouds or points.
    """
    if min(train, test) < len(LIT) or points < 8:
        raise ValueError(f"needs 10 + 10 clouds of 8 points, got {train} + {test} of {points}")
    random = np.random.default_rng(seed)
    labels = [np.arange(count) % len(LIT) for count in (train, test)]
    x_train, x_test = (
        unit_ball(np.stack([_digit(random, int(label), points) for label in y])).astype(np.float32)
        for y in labels
    )
    classes = tuple(str(digit) for digit in range(len(LIT)))
    name = "simulated_mnist_points"
    return PointClouds(name, x_train, labels[0], x_test, labels[1], classes, SOURCE, simulated=True)


def _digit(random: np.random.Generator, label: int, points: int) -> Floats:
    lit = SEGMENTS[["abcdefg".index(letter) for letter in LIT[label]]]
    chosen = lit[random.integers(len(lit), size=points)]
    place = chosen[:, 0] + random.random((points, 1)) * (chosen[:, 1] - chosen[:, 0])
    slant = np.array([[random.uniform(0.7, 1.1), 0], [random.uniform(-0.1, 0.3), 1]])
    return np.asarray(place @ slant + random.normal(0, 0.05, (points, 2)))
