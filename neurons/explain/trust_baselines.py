"""Scores of doubt that need no map: what a guide has to beat at equal cost.

All are larger where an answer is more doubtful, in float64, one number per image.

Among the images that a binary classifier calls normal, d = z_1 - z_0 <= 0 says it all for those
that look at the two logits' difference alone: `1 - confidence = sigmoid(d)`, `margin = d`, entropy
and everything temperature-scaled rise with d, and rank the images as a lowered decision threshold
does. Energy looks at the logits' size too.

References:
    D. Hendrycks, K. Gimpel, A Baseline for Detecting Misclassified and Out-of-Distribution Examples
    in Neural Networks, arXiv 1610.02136 (softmax confidence).
    C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, On Calibration of Modern Neural Networks,
    arXiv 1706.04599 (temperature).
    W. Liu, X. Wang, J. Owens, Y. Li, Energy-based Out-of-distribution Detection, arXiv 2010.03759.
    Y. Gal, Z. Ghahramani, Dropout as a Bayesian Approximation, arXiv 1506.02142.
    B. Lakshminarayanan, A. Pritzel, C. Blundell, Simple and Scalable Predictive Uncertainty
    Estimation using Deep Ensembles, arXiv 1612.01474.
    K. Lee, K. Lee, H. Lee, J. Shin, A Simple Unified Framework for Detecting Out-of-Distribution
    Samples and Adversarial Attacks, arXiv 1807.03888 (Mahalanobis).
    H. Jiang, B. Kim, M. Y. Guan, M. Gupta, To Trust Or Not To Trust A Classifier, arXiv 1805.11783.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float
from scipy import optimize, special

from neurons.explain.maps import over_space
from neurons.explain.metrics.pairs import ratio
from neurons.explain.splitting import Split, activations_of, as_input, as_pytree, open_at, split
from neurons.explain.targets import class_logits
from neurons.options import require

Logits = Float[Array | np.ndarray, " batch *classes"]
Doubts = Float[np.ndarray, " batch"]
Features = Float[Array | np.ndarray, "_ features"]
Labels = Any  # (rows,) whole numbers 0 and 1
LEAST, MOST = 1e-2, 1e2  # of a temperature


def confidence(logits: Logits, temperature: float = 1.0) -> Doubts:
    """One less the largest softmax probability: the others' sum, which does not round to 0.

    Args:
        logits: `(batch, classes)`; `(batch,)` or `(batch, 1)` of a binary classifier.
        temperature: the logits are divided by it.
    """
    ranked = np.sort(special.softmax(_logits(logits) / temperature, axis=1), axis=1)
    return np.asarray(ranked[:, :-1].sum(axis=1))


def margin(logits: Logits) -> Doubts:
    """The second largest logit less the largest."""
    ranked = np.sort(_logits(logits), axis=1)
    return np.asarray(ranked[:, -2] - ranked[:, -1])


def entropy(logits: Logits, temperature: float = 1.0) -> Doubts:
    """Entropy of the softmax probabilities, in nats."""
    scaled = _logits(logits) / temperature
    log_p = scaled - special.logsumexp(scaled, axis=1, keepdims=True)
    return np.asarray(special.entr(np.exp(log_p)).sum(axis=1))


def energy(logits: Logits, temperature: float = 1.0) -> Doubts:
    """Free energy, `-T log sum_c exp(z_c / T)`: large where no class has a large logit."""
    return np.asarray(-temperature * special.logsumexp(_logits(logits) / temperature, axis=1))


def decision_threshold(logits: Logits) -> Doubts:
    """The defect's logit less the normal one: flagging by it is lowering the decision threshold.

    Raises:
        ValueError: for another number of classes than two.
    """
    found = _logits(logits)
    if found.shape[1] != 2:
        raise ValueError(f"needs the logits of two classes, got {found.shape[1]}")
    return np.asarray(found[:, 1] - found[:, 0])


OF_LOGITS: Mapping[str, Callable[[Logits], Doubts]] = MappingProxyType(
    {
        "confidence": confidence,
        "margin": margin,
        "entropy": entropy,
        "energy": energy,
        "decision threshold": decision_threshold,
    }
)
"""What logits alone tell, by name."""


def fitted_temperature(logits: Logits, labels: Labels) -> float:
    """The temperature at which the labels are most likely.

    Args:
        logits: of a validation set.
        labels: `(batch,)` classes.

    Returns:
        T in [0.01, 100]; at an end where the likelihood has no maximum, as for logits that
        separate the classes.

    Raises:
        ValueError: without an image, or for another number of labels.
    """
    z, y = _logits(logits), np.asarray(labels).astype(np.int64)
    if not len(z) or y.shape != z.shape[:1]:
        raise ValueError(f"needs a label per image, got {y.shape} for logits of shape {z.shape}")

    def loss(log_t: float) -> float:
        scaled = z / np.exp(log_t)
        right = np.take_along_axis(scaled, y[:, None], axis=1)[:, 0]
        return float((special.logsumexp(scaled, axis=1) - right).mean())

    ends = (np.log(LEAST), np.log(MOST))
    inside = optimize.minimize_scalar(loss, bounds=ends, method="bounded").x
    return float(np.clip(np.exp(min((*ends, inside), key=loss)), LEAST, MOST))


def mc_dropout(
    model: Any, images: Any, key: Array, *, stage: Any = None, rate: float = 0.2, passes: int = 20
) -> Float[Array, "passes batch"]:
    """Probability of a defect when channels before the head fall silent by chance.

    Whole channels of the activations at the cut are dropped, the others scaled by `1 / (1 - rate)`:
    it works on networks that were trained without dropout, and needs one pass through the features.

    Args:
        model: binary classifier with `features` and `head`, or a `Split`.
        images: `(batch, *space, channels)`.
        key: of the channels.
        stage: where the model is cut.
        rate: share of silent channels, in (0, 1).
        passes: how often.

    Returns:
        `(passes, batch)`, for :func:`disagreement`.

    Raises:
        ValueError: for a rate outside (0, 1), or no pass.
    """
    if not 0 < rate < 1:
        raise ValueError(f"rate is a share of channels in (0, 1), got {rate}")
    require("passes", passes)
    halves = Split(*map(as_pytree, split(model, stage)))
    return _dropped(halves, as_input(images), key, rate, passes)


@partial(jax.jit, static_argnames=("rate", "passes"))
def _dropped(halves: Split, x: Any, key: Array, rate: float, passes: int) -> Array:
    a, logits = open_at(*halves, x)
    shape = (passes, len(a), *(1,) * (a.ndim - 2), a.shape[-1])
    kept = jax.random.bernoulli(key, 1 - rate, shape)
    thinned = jnp.where(kept, a / (1 - rate), jnp.zeros_like(a)[None])
    found = class_logits(logits(thinned.reshape(-1, *a.shape[1:])))
    return jax.nn.softmax(found, axis=1)[:, 1].reshape(passes, len(a))


def disagreement(
    probabilities: Float[Array | np.ndarray, "members batch"],
    kind: Literal["variance", "information"] = "variance",
) -> Doubts:
    """How far the members of an ensemble, or the passes of dropout, are apart.

    Args:
        probabilities: of a defect, by member and image.
        kind: "variance" over members; "information": the entropy of the mean less the mean of the
            entropies, in nats (BALD).

    Raises:
        ValueError: for fewer than two members, or another kind.
    """
    p = np.asarray(probabilities, np.float64)
    if len(p) < 2:
        raise ValueError(f"disagreement needs two members or more, got {len(p)}")
    if kind == "variance":
        return np.asarray(p.var(axis=0))
    if kind != "information":
        raise ValueError(f'kind must be "variance" or "information", got {kind!r}')
    return np.asarray(_binary_entropy(p.mean(axis=0)) - _binary_entropy(p).mean(axis=0))


def penultimate(model: Any, images: Any, *, stage: Any = None) -> Float[Array, "batch channels"]:
    """Activations at the cut, averaged over space: what :class:`Mahalanobis` looks at."""
    halves = split(model, stage)
    return _pooled(as_pytree(halves.features), as_input(images))


@jax.jit
def _pooled(features: Any, x: Any) -> Array:
    a = activations_of(features(x))
    return over_space(a) / math.prod(a.shape[1:-1])


@dataclass(frozen=True)
class Mahalanobis:
    """Distance to the classes' means, in the unit of the spread within classes.

    `min_c (f - m_c)' S^-1 (f - m_c)`, with one covariance S for both classes.

    Args:
        means: `(2, features)`.
        root: `(features, features)`, whose product with its transpose is `S^-1`.
    """

    means: np.ndarray
    root: np.ndarray

    @classmethod
    def fit(cls, features: Features, labels: Labels, *, shrinkage: float = 0.01) -> "Mahalanobis":
        """Means and covariance of training images.

        Args:
            features: `(rows, features)`, see :func:`penultimate`.
            labels: `(rows,)` 0 or 1.
            shrinkage: share of a multiple of the identity in S, for features that never vary.

        Raises:
            ValueError: for a class without a row, or a shrinkage outside [0, 1].
        """
        x, y = _labelled(features, labels)
        if not 0 <= shrinkage <= 1:
            raise ValueError(f"shrinkage is a share in [0, 1], got {shrinkage}")
        means = np.stack([x[y == label].mean(axis=0) for label in (0, 1)])
        centred = x - means[y]
        spread = centred.T @ centred / len(x)
        level = np.trace(spread) / len(spread) or 1.0
        spread = (1 - shrinkage) * spread + shrinkage * level * np.eye(len(spread))
        values, vectors = np.linalg.eigh(spread)
        kept = values > 1e-12 * values[-1]
        return cls(means, vectors[:, kept] / np.sqrt(values[kept]))

    def distances(self, features: Features) -> Float[np.ndarray, "rows 2"]:
        """Squared distance to each class."""
        gaps = np.asarray(features, np.float64)[:, None] - self.means
        return np.asarray(((gaps @ self.root) ** 2).sum(axis=-1))

    def __call__(self, features: Features) -> Doubts:
        """Squared distance to the nearest class."""
        return np.asarray(self.distances(features).min(axis=1))


def trust_score(
    train: Features, labels: Labels, features: Features, neighbours: int = 10
) -> Doubts:
    """Distance to the normal training images over that to the defective ones.

    The inverse of the trust score of images that were predicted normal; the distance is that to
    the `neighbours`-th nearest row of the class, or its last.

    Args:
        train: `(rows, features)` of the training images.
        labels: `(rows,)` 0 or 1.
        features: of the images to judge.
        neighbours: at least 1.

    Returns:
        `(batch,)`, not negative; NaN for an image that lies on both classes.

    Raises:
        ValueError: for a class without a row, or no neighbour.
    """
    require("neighbours", neighbours)
    x, y = _labelled(train, labels)
    f = np.asarray(features, np.float64)
    far = []
    for label in (0, 1):
        rows = x[y == label]
        squares = (f**2).sum(1)[:, None] - 2 * f @ rows.T + (rows**2).sum(1)
        place = min(neighbours, len(rows)) - 1
        found = np.partition(squares, place, axis=1)[:, place]
        far.append(np.sqrt(np.maximum(found, 0)))
    return np.where((far[1] == 0) & (far[0] > 0), np.inf, ratio(far[0], far[1]))


def _logits(logits: Logits) -> Float[np.ndarray, "batch classes"]:
    z = np.asarray(logits, np.float64)
    if z.ndim not in (1, 2) or 0 in z.shape[1:]:
        raise ValueError(f"needs logits (batch, classes) or (batch,), got shape {z.shape}")
    z = z.reshape(len(z), *(z.shape[1:] or (1,)))
    return np.concatenate([-z, z], axis=1) if z.shape[1] == 1 else z


def _binary_entropy(p: np.ndarray) -> np.ndarray:
    return np.asarray(special.entr(p) + special.entr(1 - p))


def _labelled(features: Features, labels: Labels) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(features, np.float64), np.asarray(labels).astype(np.int64)
    if x.ndim != 2 or y.shape != x.shape[:1] or set(y.tolist()) != {0, 1}:
        raise ValueError(
            f"needs rows of both classes with labels 0 and 1, got features {x.shape} with labels "
            f"{sorted(set(y.tolist()))}"
        )
    return x, y
