"""Training with a prior beside everything that could explain its gain.

An :class:`Arm` is a loss, what becomes of the prior before it is taught, and how long the training
lasts. :data:`ARMS` holds the method and its controls: without a prior, for as many epochs and for
twice as many (what the first network's training cost); with maps that know nothing of their image;
with what else the same first network could hand over; with the masks of the defects in place of
maps, the upper bound; and the first network beside the second at inference.

References:
    H.-C. Dong, G. Liu, D. Ye, B. Liu, Network Knowledge Prior Guided Learning for Data-Efficient
    Surface Defect Detection, arXiv 2605.17780. The controls are ours.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.explain.plug_in import chosen
from neurons.inspection.augmentation import Augmentation
from neurons.inspection.knowledge import (
    DistillationLoss,
    KnowledgeLoss,
    Lesson,
    Pupil,
    attention_transfer,
)
from neurons.inspection.prior_maps import Prior, at_size, by_class, prior_maps
from neurons.training import Batches, Fit, fit


class Extras(NamedTuple):
    """What is known of the images besides their labels; for controls only.

    Args:
        masks: `(batch, height, width)` of the defects.
        pictures: `(batch,)` numbers; rows of one number show one picture, moved or repeated. None
            if every row is a picture of its own.
    """

    masks: Any = None
    pictures: Any = None


Start = Literal["fresh", "same", "warm"]
STARTS = ("fresh", "same", "warm")
ArmLoss = KnowledgeLoss | DistillationLoss


def others_maps(prior: Prior, key: Array, beside: Extras | None = None) -> Prior:
    """Each image that counts gets the map of another one that counts, in one random round.

    Rows of one picture get those of one other picture, in the order they come in.

    Raises:
        ValueError: for a single picture that counts: there is no other.
    """
    counting = np.flatnonzero(np.asarray(prior.weight) > 0)
    given = None if beside is None else beside.pictures
    numbers = counting if given is None else np.asarray(given)[counting]
    pictures = np.unique(numbers)
    if len(pictures) == 1:
        raise ValueError("one picture alone counts: there is no other whose map it could get")
    order = pictures[np.asarray(jax.random.permutation(key, len(pictures)))]
    rows = np.arange(len(prior.weight))
    for own, other in zip(order, np.roll(order, 1), strict=True):
        places = counting[numbers == own]
        rows[places] = np.resize(counting[numbers == other], len(places))
    return prior._replace(maps=prior.maps[rows])


def centre_blobs(prior: Prior, key: Array, beside: Extras | None = None) -> Prior:
    """The same bump, `exp(-2 r^2)` with the edges at 1, in the middle of every map."""
    del key, beside
    return prior._replace(maps=_bumps(prior, jnp.zeros((len(prior.weight), 2))))


def random_blobs(prior: Prior, key: Array, beside: Extras | None = None) -> Prior:
    """The same bump somewhere, anew for every map."""
    del beside
    places = jax.random.uniform(key, (len(prior.weight), 2), minval=-1.0, maxval=1.0)
    return prior._replace(maps=_bumps(prior, places))


def true_masks(prior: Prior, key: Array, beside: Extras | None = None) -> Prior:
    """The defects' masks, as shares of each position of the maps; empty ones do not count.

    Raises:
        ValueError: without a mask for every image.
    """
    del key
    masks = None if beside is None else beside.masks
    if masks is None or len(masks) != len(prior.weight) or np.ndim(masks) != 3:
        raise ValueError(
            f"the upper bound needs {len(prior.weight)} masks (batch, height, width), got "
            f"{None if masks is None else np.shape(masks)}"
        )
    found = jnp.asarray(masks).astype(prior.maps.dtype)
    marked = jnp.any(found > 0, axis=(1, 2))
    maps = at_size(found, prior.maps.shape[1:])
    return prior._replace(maps=maps, weight=jnp.where(marked, prior.weight, 0))


def as_it_is(prior: Prior, key: Array, beside: Extras | None = None) -> Prior:
    """The prior."""
    del key, beside
    return prior


@dataclass(frozen=True)
class Arm:
    """One way to train the second network.

    Args:
        loss: see :class:`neurons.inspection.knowledge.KnowledgeLoss`.
        change: `change(prior, key, extras)`, what is taught in place of the first network's prior.
        epochs: how many times as many epochs as the method takes.
        together: whether the first network stays beside the second in use, see :class:`Ensemble`.
    """

    loss: ArmLoss
    change: Callable[[Prior, Array, Extras | None], Prior] = as_it_is
    epochs: int = 1
    together: bool = False


_PLAIN = KnowledgeLoss(0)
_GUIDED = KnowledgeLoss()
KNOWLEDGE, PLAIN, TWICE = "knowledge prior", "no prior", "no prior, twice the epochs"
ARMS: Mapping[str, Arm] = MappingProxyType(
    {
        KNOWLEDGE: Arm(_GUIDED),
        PLAIN: Arm(_PLAIN),
        TWICE: Arm(_PLAIN, epochs=2),
        "another image's map": Arm(_GUIDED, others_maps),
        "centre blob": Arm(_GUIDED, centre_blobs),
        "random blobs": Arm(_GUIDED, random_blobs),
        "logit distillation": Arm(DistillationLoss()),
        "attention transfer": Arm(attention_transfer()),
        "true mask": Arm(_GUIDED, true_masks),
        "ensemble": Arm(_PLAIN, together=True),
    }
)
"""By name: the method, then its controls."""


class Ensemble(nnx.Module):
    """Networks side by side; the logarithm of the mean of their probabilities.

    Costs as much as all of them, in parameters and in multiplications.

    Args:
        nets: classifiers of the same classes.
    """

    def __init__(self, *nets: Any) -> None:
        self.nets = nnx.List(nets)

    def __call__(self, x: Any) -> Float[Array, "batch classes"]:
        """Logits by class; of networks with a single logit both classes' own."""
        found = jnp.stack([jax.nn.log_softmax(by_class(net(x)), axis=1) for net in self.nets])
        return jax.nn.logsumexp(found, axis=0) - jnp.log(jnp.asarray(len(found), found.dtype))


def started(
    build: Callable[..., Any], first: Any, start: Start, *, key: Array, first_key: Any = None
) -> Any:
    """The second network before its training.

    Args:
        build: `build(rngs=...)` makes the network.
        first: the first network, trained.
        start: "fresh" from `key`; "same", as the first network started; "warm", as it ended.
        key: of a fresh start.
        first_key: that the first network was built from; for "same" only.

    Returns:
        A network of its own, in training mode.

    Raises:
        ValueError: for an unknown start, or "same" without a key.
    """
    if start not in STARTS:
        raise ValueError(f"start must be one of {', '.join(STARTS)}, got {start!r}")
    if start == "same" and first_key is None:
        raise ValueError('start="same" needs the key that the first network was built from')
    if start == "warm":
        net = nnx.clone(first)
        net.train()
        return net
    return build(rngs=nnx.Rngs(key if start == "fresh" else first_key))


def train_with_prior(
    first: Any,
    build: Callable[..., Any],
    x: Any,
    y: Array,
    optimizer: Callable[[int], optax.GradientTransformation],
    *,
    key: Array,
    arm: str | Arm = KNOWLEDGE,
    size: int = 32,
    epochs: int = 10,
    start: Start = "fresh",
    first_key: Any = None,
    beside: Extras | None = None,
    warmup: float | int = 0.1,
    augmentation: Augmentation | None = None,
    on_the_fly: bool = False,
) -> Fit:
    """Train a second network with what a first one knows; the second phase of the method.

    Args:
        first: the first network, trained, with `features` and `head`.
        build: `build(rngs=...)` makes the second.
        x: `(batch, ...)` training input of both.
        y: `(batch,)` labels, integers; 0 is normal.
        optimizer: from the number of steps to an optimizer. Runs share a compiled step where it
            returns the same object for the same number.
        key: of the start, the order of the data, the augmentation and the control's own draw.
        arm: a name of :data:`ARMS`, or an arm.
        size: images a step.
        epochs: of the method; an arm may take a multiple.
        start: see :func:`started`.
        first_key: see :func:`started`.
        beside: masks for "true mask", pictures for "another image's map".
        warmup: share of the steps in which the weight rises from 0.
        augmentation: see :class:`neurons.inspection.Augmentation`; images and priors alike.
        on_the_fly: whether the first network explains the augmented images themselves, in place of
            its maps of the images moved with them. Costs a forward pass a step.

    Returns:
        The record; its model is the network in use, in evaluation mode. `state` is the pupil's.

    Raises:
        ValueError: for an unknown arm or start, a warm-up outside [0, 1], an arm that changes the
            prior on the fly, or as :func:`neurons.fit` and :func:`prior_maps`.
    """
    arm = chosen("arm", arm, ARMS) if isinstance(arm, str) else arm
    if not 0 <= warmup <= 1:
        raise ValueError(f"warmup is a share of the steps in [0, 1], got {warmup}")
    if on_the_fly and arm.change is not as_it_is:
        raise ValueError("what replaces the first network's maps cannot be asked of it on the fly")
    rule = arm.loss.rule
    prior = None
    if not on_the_fly:
        prior = arm.change(prior_maps(first, x, y, rule), jax.random.fold_in(key, 1), beside)
    batches = Batches(Lesson(x, y, prior), size, epochs * arm.epochs)
    pupil = Pupil(
        started(build, first, start, key=key, first_key=first_key),
        warmup=round(warmup * batches.steps),
        first=first if on_the_fly else None,
        rule=rule,
        augmentation=augmentation,
        rngs=nnx.Rngs(augmentation=jax.random.fold_in(key, 2)),
    )
    run = fit(pupil, arm.loss, optimizer(batches.steps), batches, key=key)
    return replace(run, model=_used(run.model.net, first if arm.together else None))


def _used(net: Any, first: Any) -> Any:
    """The network in use: alone, or beside the first."""
    if first is None:
        return net
    both = Ensemble(nnx.clone(first), net)
    both.eval()
    return both


def _bumps(prior: Prior, places: Float[Array, "batch 2"]) -> Float[Array, "batch rows columns"]:
    """Bumps at places in [-1, 1], the edges of the map."""
    sides = (jnp.linspace(-1.0, 1.0, length) for length in prior.maps.shape[1:])
    down, right = (
        jnp.square(side[None] - places[:, axis, None]) for axis, side in enumerate(sides)
    )
    return jnp.exp(-2 * (down[:, :, None] + right[:, None, :])).astype(prior.maps.dtype)
