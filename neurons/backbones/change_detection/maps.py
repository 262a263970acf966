"""What a network says about a pair of pictures: one or two maps of logits, and how they are read.

Class 0 is "unchanged", classes 1 to N say what a changed pixel is. Two maps belong to the two
dates (SECOND's labels); one map says what a pixel has become (LEVIR-CD, Gaza-change).
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Int

from neurons.backbones.change_detection.losses import dice_loss, focal_loss, lovasz_softmax

MapLogits = Float[Array, "batch maps height width classes"]


class ChangeLogits(NamedTuple):
    """The answer of a change detector.

    Args:
        maps: one or two arrays `(batch, height, width, N + 1)`; class 0 is "unchanged".

    Example:
        >>> one = jnp.log(jnp.array([0.4, 0.3, 0.3])).reshape(1, 1, 1, 3)
        >>> other = jnp.log(jnp.array([0.5, 0.1, 0.4])).reshape(1, 1, 1, 3)
        >>> ChangeLogits((one, other)).decided().ravel().tolist()  # 0.6 of change, and 0.5
        [1, 2]
    """

    maps: tuple[Float[Array, "batch height width classes"], ...]

    @property
    def stacked(self) -> MapLogits:
        """All maps as one array.

        Raises:
            ValueError: for other than one or two maps, or maps of different shapes.
        """
        if len(self.maps) not in (1, 2) or len({m.shape for m in self.maps}) > 1:
            raise ValueError(
                f"expected one or two maps of one shape, got {[m.shape for m in self.maps]}"
            )
        return jnp.stack(self.maps, axis=1)

    @property
    def change(self) -> Float[Array, "batch height width"]:
        """Log-odds of change: the mean over the maps of `log(sum_c exp z_c) - z_0`, c from 1."""
        return change_odds(self.stacked)

    def decided(self) -> Int[Array, "batch maps height width"]:
        """The class of every pixel: 0 unless the log-odds of change are above 0.

        A changed pixel is of its likeliest class from 1; two maps always agree on what changed.
        """
        stacked = self.stacked
        changed = (change_odds(stacked) > 0)[:, None]
        classes = 1 + jnp.argmax(stacked[..., 1:], axis=-1).astype(jnp.int32)
        return jnp.where(changed, classes, jnp.zeros_like(classes))


def change_odds(stacked: MapLogits) -> Float[Array, "batch height width"]:
    """Log-odds of change of every pixel, the mean over the maps.

    Args:
        stacked: logits of one or two maps.
    """
    changed = jax.nn.logsumexp(stacked[..., 1:], axis=-1)
    return (changed - stacked[..., 0]).mean(axis=1)


def change_evidence(stacked: MapLogits) -> Float[Array, " batch"]:
    """What speaks for change where change is seen: a target for maps that explain.

    The mean log-odds over the pixels that the network calls changed; where it calls none so, over
    all pixels.

    Args:
        stacked: what :meth:`TriPath.head` gives.
    """
    odds = change_odds(stacked).reshape(len(stacked), -1)
    seen = jax.lax.stop_gradient(odds > 0)
    weights = jnp.where(seen.any(axis=1, keepdims=True), seen, jnp.ones_like(seen))
    weights = weights.astype(odds.dtype)
    return (weights * odds).sum(axis=1) / weights.sum(axis=1)


def change_loss(
    logits: ChangeLogits,
    labels: Int[Array, "batch maps height width"],
    *,
    focal: float | int = 1.0,
    dice: float | int = 1.0,
    lovasz: float | int = 1.0,
    cross_entropy: float | int = 0.0,
    gamma: float | int = 2.0,
    alpha: Float[Array, " classes"] | None = None,
) -> Float[Array, ""]:
    """Weighted sum of losses over the pixels of all maps: Focal + Dice + Lovasz by default.

    The three terms are the paper's; that their weights are 1, and gamma 2, is our reading.

    Args:
        logits: of one or two maps.
        labels: classes of every map from 0; -1 does not count.
        focal: weight of the focal loss.
        dice: weight of the Dice loss.
        lovasz: weight of the Lovasz-softmax loss.
        cross_entropy: weight of the plain cross-entropy.
        gamma: of the focal loss.
        alpha: weight of each class in the focal loss; 1 by default.

    Raises:
        ValueError: for labels of another shape than the maps, or no weight above 0.

    References:
        Tri-path DINO, arXiv 2603.01498.
    """
    stacked = logits.stacked
    if stacked.shape[:-1] != labels.shape:
        raise ValueError(f"labels {labels.shape} for maps of shape {stacked.shape[:-1]}")
    z, y = (v.reshape(-1, *v.shape[2:]) for v in (stacked, labels.astype(jnp.int32)))
    losses: Mapping[str, tuple[float | int, Callable[[], Array]]] = {
        "focal": (focal, lambda: focal_loss(z, y, gamma=gamma, alpha=alpha)),
        "dice": (dice, lambda: dice_loss(z, y)),
        "lovasz": (lovasz, lambda: lovasz_softmax(z, y)),
        "cross_entropy": (cross_entropy, lambda: focal_loss(z, y, gamma=0)),
    }
    weights = {name: weight for name, (weight, _) in losses.items()}
    if min(weights.values()) < 0 or not any(weights.values()):
        raise ValueError(f"weights are at least 0, and one of them above, got {weights}")
    parts = [weight * loss() for weight, loss in losses.values() if weight]
    return jnp.stack(parts).sum()
