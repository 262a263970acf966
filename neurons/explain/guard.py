"""A classifier with its guard: predictions, and which of them not to trust.

The network, the map and a limit that was found on images with known labels are one object, to be
deployed in the network's place: data, model, explanation, output.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Shaped

from neurons.explain.reliability import Guide, Trust, reliability
from neurons.explain.splitting import Split, as_pytree, split
from neurons.explain.trust_curves import Share, flagged, limit_for
from neurons.options import require


class Validation(NamedTuple):
    """Images with known labels that the network did not learn from.

    Args:
        images: `(images, *space, channels)`, as the network takes them.
        labels: `(images,)` 0 or False for a good part, 1 or True for a defect.
    """

    images: Any
    labels: Any


@dataclass(frozen=True)
class Guard:
    """A network that says when its "normal" should not be trusted; made by :meth:`fit`.

    Args:
        halves: the network, cut where its maps are made.
        guide: how images are scored.
        limit: of the score: above it an image that is predicted normal is flagged.
        alpha: share of true negatives that may be flagged.
        cost: true negatives of the validation set that are flagged, with the exact interval.
        recall: its missed defects that are flagged; they had no say in the limit, and where there
            are none the interval is [0, 1].
        batch: images that are judged at once.
    """

    halves: Split
    guide: Guide
    limit: float
    alpha: float
    cost: Share
    recall: Share
    batch: int = 32

    @classmethod
    def fit(
        cls,
        model: Any,
        validation: Any,
        *,
        alpha: float = 0.1,
        stage: Any = None,
        beyond: bool = False,
        batch: int = 32,
        **options: Any,
    ) -> "Guard":
        """Find the limit: the `1 - alpha` quantile of the scores of validation true negatives.

        Args:
            model: binary classifier with `features` and `head`; the guard keeps its weights as
                they are now, in evaluation mode.
            validation: `(images, labels)`, see :class:`Validation`.
            alpha: share of true negatives that may be flagged, in (0, 1).
            stage: where the model is cut, see :func:`neurons.explain.split`.
            beyond: make the share hold for new images, the draw of the validation set included,
                see :func:`neurons.explain.trust_curves.limit_for`.
            batch: images that are judged at once; all calls use this shape, so that one program
                serves any number of images.
            options: of :class:`neurons.explain.reliability.Guide`: score, maps, threshold,
                enhancement.

        Returns:
            The guard.

        Raises:
            ValueError: for validation images without a true negative (a label 0 that is predicted
                normal), labels other than 0 and 1, another number of labels than images, scores
                that are no numbers, or alpha outside (0, 1).
            TypeError: for an unknown option, or a model without features and head.

        Example:
            >>> from flax import nnx
            >>> from neurons.backbones.resnet import resnet
            >>> net, x = resnet(8, width=2, classes=1, rngs=nnx.Rngs(0)), np.zeros((3, 8, 8, 3))
            >>> guard = Guard.fit(net, (x.astype(np.float32), [0, 0, 0]), alpha=0.5, batch=3)
            >>> guard(np.ones((2, 8, 8, 3), np.float32)).flag.shape
            (2,)
        """
        require("batch", batch)
        known = Validation(*validation)
        labels = _labels(known)
        halves, guide = Split(*map(as_pytree, split(model, stage))), Guide(**options)
        found = _judged(halves, guide, known.images, np.inf, batch)
        normal = found.prediction == 0
        good, missed = (found.score[normal & (labels == label)] for label in (0, 1))
        if not good.size:
            raise ValueError(
                "a guard is fitted to validation images that are good and predicted so; of "
                f"{labels.size} images {int((labels == 0).sum())} are good and {int(normal.sum())} "
                "predicted normal, but none is both"
            )
        limit = limit_for(good, alpha, beyond=beyond)
        shares = flagged(good, limit), flagged(missed, limit)
        return cls(halves, guide, limit, alpha, *shares, batch)

    def __call__(self, images: Float[Any, " batch *rest"]) -> Trust:
        """Judge images, any number of them.

        Args:
            images: `(images, *space, channels)`, as the network takes them.

        Returns:
            :class:`neurons.explain.reliability.Trust` of NumPy arrays: prediction, probability,
            score, flag, maps.

        Raises:
            ValueError: for no image, or images outside of the bounds where they are to be moved.
            TypeError: for uint8 images.
        """
        return _judged(self.halves, self.guide, images, self.limit, self.batch)


def _judged(halves: Split, guide: Guide, images: Any, limit: float, batch: int) -> Trust:
    pixels = np.asarray(images)
    found = [
        reliability(halves, chunk, limit=limit, guide=guide) for chunk in _chunks(pixels, batch)
    ]
    return jax.tree.map(lambda *parts: np.concatenate(parts)[: len(pixels)], *found)


def _chunks(images: Shaped[np.ndarray, "batch ..."], size: int) -> Iterator[np.ndarray]:
    """Images in chunks of one shape; the last is filled up with its first image."""
    if not len(images):
        raise ValueError("a guard judges at least one image, got none")
    for start in range(0, len(images), size):
        chunk = images[start : start + size]
        yield np.concatenate([chunk, np.repeat(chunk[:1], size - len(chunk), axis=0)])


def _labels(known: Validation) -> np.ndarray:
    labels = np.asarray(known.labels)
    if labels.shape != np.shape(known.images)[:1]:
        raise ValueError(f"{len(known.images)} images need as many labels, got {labels.shape}")
    if not np.isin(labels, (0, 1)).all():
        raise ValueError(f"labels are 0 or 1, got {sorted(set(labels.tolist()) - {0, 1})[:3]}")
    return labels.astype(np.int64)
