"""Labels, margins and distances that a network's outputs give at a point."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from theory.regions.network import PiecewiseAffine


@dataclass(frozen=True)
class Margins:
    """How far points are from another label, as the affine map of their own region has it.

    Args:
        classes: `(points, 2)` the two classes of the highest scores, the label first.
        margin: `(points,)` difference m >= 0 of these scores.
        gradients: `(points, in_features)` gradient w of that difference, the exact local weights.
        distance: `(points,)` m / ||w||: the distance to the hyperplane on which the two classes
            tie. It is the distance to the decision boundary if the foot is in the same region
            and no other class comes in between. Infinite where w = 0.
    """

    classes: Int[np.ndarray, "points two"]
    margin: Float[np.ndarray, " points"]
    gradients: Float[np.ndarray, "points in_features"]
    distance: Float[np.ndarray, " points"]


def as_scores(
    weights: Float[np.ndarray, "*n out in_features"], biases: Float[np.ndarray, "*n out"]
) -> tuple[Float[np.ndarray, "*n classes in_features"], Float[np.ndarray, "*n classes"]]:
    """One score a class: a single output f stands for two classes with scores 0 and f."""
    if biases.shape[-1] > 1:
        return weights, biases
    return (
        np.concatenate([np.zeros_like(weights), weights], axis=-2),
        np.concatenate([np.zeros_like(biases), biases], axis=-1),
    )


def labels(net: PiecewiseAffine, x: ArrayLike) -> Int[np.ndarray, " points"]:
    """The class with the highest output at `x` `(points, in_features)`, the first of equals.

    A single output f decides between class 1 (f > 0) and class 0.
    """
    outputs = net(x)
    return outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0).astype(np.int64)


def margins(net: PiecewiseAffine, x: ArrayLike) -> Margins:
    """Top two classes, their margin and its exact gradient at `x` `(points, in_features)`.

    Example:
        >>> from theory.regions.network import from_layers
        >>> line = from_layers([[[3.0], [4.0]]], [[0.0]])
        >>> margins(line, [[3.0, 4.0]]).distance.tolist()
        [5.0]
    """
    points = net.points(x)
    weights, biases = as_scores(*net.local(points))
    scores = np.einsum("pod,pd->po", weights, points) + biases
    order = np.argsort(-scores, axis=1, kind="stable")[:, :2]
    rows = np.arange(len(points))
    first, second = order[:, 0], order[:, 1]
    margin = scores[rows, first] - scores[rows, second]
    gradients = weights[rows, first] - weights[rows, second]
    lengths = np.linalg.norm(gradients, axis=1)
    distance = np.full(len(points), np.inf)
    np.divide(margin, lengths, out=distance, where=lengths > 0)
    return Margins(order, margin, gradients, distance)
