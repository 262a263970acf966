"""Segmentation without masks: a network learns from pseudo labels, and labels anew, in rounds.

Round 1 learns the seeds that a class activation map gives; every later round learns what the round
before predicts with confidence and the image's label allows. The rounds stop when two labellings
agree. With masks for labels, one round is full supervision by the same code.

References:
    Region-Aware CAM, arXiv 2506.22866. The abstract alone was at hand; see
    `neurons.explain.pseudo_labels`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array
from jaxtyping import Bool, Float

from neurons.explain.pseudo_labels import BACKGROUND as BACKGROUND
from neurons.explain.pseudo_labels import DEFECT as DEFECT
from neurons.explain.pseudo_labels import IGNORED as IGNORED
from neurons.explain.pseudo_labels import Labels, Measure
from neurons.explain.pseudo_labels import agreement as agreement
from neurons.explain.pseudo_labels import pseudo_labels as pseudo_labels
from neurons.explain.pseudo_labels import seeds as seeds
from neurons.options import require
from neurons.training import Batches, fit

Over = Literal["batch", "images"]
Status = Literal["agreed", "all rounds", "diverged", "no defect left"]


@dataclass(frozen=True)
class PixelLoss:
    """Cross-entropy plus Dice loss over the pixels that are not ignored.

    `CE = mean of -y log p - (1 - y) log(1 - p)`,
    `Dice = 1 - (2 sum p y + s) / (sum p + sum y + s)`. Over a batch, large defects decide the
    sums; by image, as small ones count as much, networks find more of them.

    Args:
        dice: weight of the second term.
        smooth: s, in pixels: what keeps the ratio defined without a defect.
        over: whose pixels are summed: the "batch", or each of the "images" in which the labels
            show a defect, of which the mean is taken.

    Raises:
        ValueError: for a negative weight, `smooth` that is not positive, or an unknown `over`.
    """

    dice: float | int = 1.0
    smooth: float | int = 1.0
    over: Over = "batch"

    def __post_init__(self) -> None:
        if not self.dice >= 0 or not self.smooth > 0:
            raise ValueError(f"needs dice >= 0 and smooth > 0: {self.dice}, {self.smooth}")
        if self.over not in get_args(Over):
            raise ValueError(f"over is one of {', '.join(get_args(Over))}; got {self.over!r}")

    def __call__(self, model: Any, batch: tuple[Any, Labels]) -> Float[Array, ""]:
        """The loss of `model(x)`, logits `(batch, height, width, 1)`; 0 if nothing is labelled."""
        x, labels = batch
        logits = _logits(model, x)
        if logits.shape != labels.shape:
            raise ValueError(f"logits {logits.shape} for labels of shape {labels.shape}")
        counts = (labels != IGNORED).astype(logits.dtype)
        y = (labels == DEFECT).astype(logits.dtype)
        entropy = pixel_cross_entropy(logits, y)
        mean = jnp.sum(entropy * counts) / jnp.maximum(counts.sum(), 1)
        return mean + self.dice * self._dice(jax.nn.sigmoid(logits) * counts, y)

    def _dice(self, p: Array, y: Array) -> Float[Array, ""]:
        loss = dice_loss(p, y, self.smooth, None if self.over == "batch" else (1, 2))
        if self.over == "batch":
            return loss
        defective = jnp.sum(y, (1, 2)) > 0
        return jnp.sum(loss * defective) / jnp.maximum(defective.sum(), 1)


pixel_loss = PixelLoss()


def pixel_cross_entropy(
    logits: Float[Array, "*shape"], truth: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    """`-y log p - (1 - y) log(1 - p)` with `p = sigmoid(logit)`, without overflow."""
    return jnp.maximum(logits, 0) - logits * truth + jnp.log1p(jnp.exp(-jnp.abs(logits)))


def dice_loss(
    p: Float[Array, "*shape"],
    truth: Float[Array, "*shape"],
    smooth: float | int = 1.0,
    axes: tuple[int, ...] | None = None,
) -> Float[Array, "..."]:
    """`1 - (2 sum p y + s) / (sum p + sum y + s)`.

    Args:
        p: probabilities of a defect.
        truth: 1 where it is, else 0.
        smooth: s, in pixels.
        axes: summed over; None is all of them.
    """
    shared, marked, true = jnp.sum(p * truth, axes), jnp.sum(p, axes), jnp.sum(truth, axes)
    return 1 - (2 * shared + smooth) / (marked + true + smooth)


@dataclass(frozen=True)
class Round:
    """One round of training.

    Args:
        model: as trained, in evaluation mode.
        labels: what it learned, `(batch, height, width)`.
        losses: of every step.
        defect: share of the defective images' pixels that the labels call defect.
        ignored: share of the defective images' pixels that the labels ignore.
        agreement: of these labels with those that the trained model gives.
    """

    model: Any
    labels: np.ndarray
    losses: np.ndarray
    defect: float
    ignored: float
    agreement: float


@dataclass(frozen=True)
class Rounds:
    """Record of the training; a valid argument to go on from.

    Args:
        rounds: first to last.
        labels: those that the last model gives, which a further round would learn.
        status: "agreed" (the last two labellings do), "all rounds" (they do not, yet), "diverged"
            (a loss was not finite), "no defect left" (in any label; nothing more to learn).
    """

    rounds: tuple[Round, ...]
    labels: np.ndarray
    status: Status

    @property
    def model(self) -> Any:
        """The last round's."""
        return self.rounds[-1].model


def train_rounds(
    model: Any,
    x: Any,
    labels: Labels,
    defective: Bool[Array, " batch"],
    tx: optax.GradientTransformation,
    *,
    key: Array,
    rounds: int = 3,
    epochs: int = 10,
    size: int = 8,
    loss: Callable[[Any, Any], Array] = pixel_loss,
    levels: tuple[float, float] = (0.7, 0.3),
    stop: float = 0.98,
    measure: Measure = "foreground",
    restart: bool = True,
    resume: Rounds | None = None,
    on_round: Callable[[Rounds], None] | None = None,
) -> Rounds:
    """Train a segmentation network on pseudo labels, in rounds.

    Args:
        model: an `nnx.Module`, `model(x) -> (batch, height, width, 1)` logits of a defect; left as
            it is.
        x: its input: images, cached activations, any pytree of arrays with images on the first
            axis.
        labels: of the first round, see :func:`seeds`; or masks as int8.
        defective: the images' labels.
        tx: optimizer, one for all rounds, which share its compiled step.
        key: decides order and dropout; round r folds r into it.
        rounds: at most.
        epochs: of every round.
        size: images a step.
        loss: of the model and `(x, labels)`.
        levels: see :func:`pseudo_labels`.
        stop: agreement from which the rounds end.
        measure: of agreement, see :func:`agreement`.
        restart: whether every round begins with `model` as given, or with the last round's.
        resume: an earlier record of the same arguments, but for `rounds`: its rounds are kept, and
            the rest follows as if there had been no break.
        on_round: receives the record after every round, e.g. to save it.

    Returns:
        The record, see :class:`Rounds`.

    Raises:
        ValueError: for labels of other values or another number of images, normal images with a
            defect, or as :func:`neurons.fit`.
    """
    require("rounds", rounds)
    _check(x, labels, defective)
    record = resume or Rounds((), np.asarray(labels), "all rounds")
    for number in range(len(record.rounds), rounds):
        if record.status != "all rounds":
            break
        start = model if restart or not record.rounds else record.model
        batches = Batches((x, jnp.asarray(record.labels)), size=size, epochs=epochs)
        run = fit(start, loss, tx, batches, key=jax.random.fold_in(key, number))
        probabilities = predict(run.model, x, size=size)
        found = pseudo_labels(probabilities, defective, levels=levels)
        agreed = float(agreement(jnp.asarray(record.labels), found, measure=measure))
        done = _recorded(run, record.labels, np.asarray(defective), agreed)
        status = _status(run.finite, np.asarray(found), agreed, stop)
        record = Rounds((*record.rounds, done), np.asarray(found), status)
        if on_round is not None:
            on_round(record)
    return record


def predict(model: Any, x: Any, *, size: int = 64) -> Float[Array, "batch height width"]:
    """Probability of a defect per pixel, `size` images at a time.

    Args:
        model: as for :func:`train_rounds`; taken in evaluation mode.
        x: its input.
        size: images per call of the compiled network.

    Returns:
        In [0, 1].

    Raises:
        ValueError: for a size below 1, an empty batch, or a model of other outputs.
    """
    require("size", size)
    images = len(jax.tree.leaves(x)[0])
    if not images:
        raise ValueError("there are no images to predict")
    model = nnx.clone(model)
    model.eval()
    graph, state = nnx.split(model)
    parts = []
    for begin in range(0, images, size):
        # The last images repeat, so that all blocks have one shape.
        rows = np.minimum(np.arange(begin, begin + min(size, images)), images - 1)
        found = _probabilities(graph, state, jax.tree.map(lambda leaf, at=rows: leaf[at], x))
        parts.append(found[: images - begin])
    return jnp.concatenate(parts)


@partial(jax.jit, static_argnums=0)
def _probabilities(graph: Any, state: Any, x: Any) -> Array:
    return jax.nn.sigmoid(_logits(nnx.merge(graph, state, copy=True), x))


def _logits(model: Any, x: Any) -> Float[Array, "batch height width"]:
    logits = model(x)
    if logits.ndim != 4 or logits.shape[-1] != 1:
        raise ValueError(f"expected logits (batch, height, width, 1), got shape {logits.shape}")
    return logits[..., 0]


def _recorded(run: Any, labels: np.ndarray, defective: np.ndarray, agreed: float) -> Round:
    known = labels[defective]
    defect, ignored = (float(np.sum(known == value)) for value in (DEFECT, IGNORED))
    pixels = max(known.size, 1)
    return Round(run.model, labels, run.losses, defect / pixels, ignored / pixels, agreed)


def _status(finite: bool, labels: np.ndarray, agreed: float, stop: float) -> Status:
    if not finite:
        return "diverged"
    if not (labels == DEFECT).any():
        return "no defect left"
    return "agreed" if agreed > stop else "all rounds"


def _check(x: Any, labels: Array, defective: Array) -> None:
    images = {len(leaf) for leaf in jax.tree.leaves(x)} | {len(labels), len(defective)}
    if len(images) != 1 or labels.ndim != 3:
        raise ValueError(
            "input, labels (batch, height, width) and image labels need one length, got "
            f"{sorted(images)} and labels of shape {labels.shape}"
        )
    values = np.asarray(labels)
    if not np.isin(values, (DEFECT, BACKGROUND, IGNORED)).all():
        raise ValueError(f"labels are 1, 0 or -1, got {np.setdiff1d(values, (1, 0, -1))[:3]}")
    if (values[~np.asarray(defective)] == DEFECT).any():
        raise ValueError("an image that is labelled normal has pixels labelled defect")
