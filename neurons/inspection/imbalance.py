"""Few defective pictures among many free ones: weights, a weighted loss, or repeated pictures."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from jaxtyping import Float, Int
from numpy.typing import ArrayLike


def balanced_weights(labels: ArrayLike) -> Float[np.ndarray, " pictures"]:
    """A weight for every picture, with mean 1, so that all labels weigh alike.

    Of `n` pictures with `k` labels, those of a label that `m` pictures have weigh `n / (k m)`.

    Args:
        labels: `(pictures,)`, of the pictures that are learned from.

    Raises:
        ValueError: without a picture, or for more than one axis.

    Example:
        >>> balanced_weights([0, 0, 1, 1, 1, 1]).tolist()
        [1.5, 1.5, 0.75, 0.75, 0.75, 0.75]
    """
    known, place, counts = _counted(labels)
    return (place.size / (len(known) * counts))[place].astype(np.float32)


def repeated_rows(labels: ArrayLike, seed: int = 0) -> Int[np.ndarray, " examples"]:
    """Rows in which every label comes as often as the most frequent one.

    Each picture comes once, or one time more or less than others of its label; which one comes
    more often is drawn.

    Args:
        labels: `(pictures,)`, of the pictures that are learned from.
        seed: of the draw.

    Returns:
        Numbers from 0, sorted; `rows[repeated_rows(labels[rows])]` are a fold's rows.

    Raises:
        ValueError: without a picture, or for more than one axis.

    Example:
        >>> repeated_rows([0, 0, 1, 0, 0]).tolist()
        [0, 1, 2, 2, 2, 2, 3, 4]
    """
    known, place, counts = _counted(labels)
    random = np.random.default_rng(seed)
    groups = [random.permutation(np.flatnonzero(place == label)) for label in range(len(known))]
    return np.sort(np.concatenate([np.resize(rows, counts.max()) for rows in groups]))


def weighted_cross_entropy(model: Any, batch: tuple[Array, Array, Array]) -> Array:
    """Mean of softmax cross-entropy times a weight: a loss for `neurons.fit`.

    Args:
        model: gives logits `(batch, labels)` of `x`.
        batch: `(x, labels, weights)`; the mean is over pictures, whatever the weights' sum.
    """
    x, labels, weights = batch
    losses = optax.softmax_cross_entropy_with_integer_labels(model(x), labels)
    return jnp.mean(weights * losses)


def _counted(labels: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The labels there are, the number of each picture's, and how many pictures have each."""
    given = np.asarray(labels)
    if given.ndim != 1 or not given.size:
        raise ValueError(f"labels of at least one picture on one axis are needed: {given.shape}")
    return np.unique(given, return_inverse=True, return_counts=True)
