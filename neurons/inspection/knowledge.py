"""Training with the knowledge of a first network: classify well, and look where it looked.

    L = CE(f(x), y) + weight * mean over images that count of w_i D(S(x_i; f), S(x_i; f0))

with S the scaled saliency maps of `neurons.inspection.prior_maps`, D a distance of
`neurons.inspection.distances`, and the map of the first network f0 held fixed. The term teaches,
and is gone when training is over: the network in use is f alone, with the parameters and the
multiplications that it would have had without.

    first = nr.fit(build(...), cross_entropy, ...).model
    lesson = Lesson(x, y, prior_maps(first, x, y))
    run = nr.fit(build(...), KnowledgeLoss(weight=0.5), tx, Batches(lesson, 32, 10), key=key)

A warm-up counts steps, an augmentation draws numbers, a first network that is asked on the fly has
weights: what is state of the training but not of the network, :class:`Pupil` holds while it lasts.

References:
    H.-C. Dong, G. Liu, D. Ye, B. Liu, Network Knowledge Prior Guided Learning for Data-Efficient
    Surface Defect Detection, arXiv 2605.17780. The abstract alone was at hand: two phases, a
    consistency of saliency maps as an auxiliary task, no cost at inference. Distance, weight,
    warm-up and the images that count are our reading.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax import Array
from jaxtyping import Float, Int

from neurons.explain.plug_in import chosen
from neurons.explain.splitting import split
from neurons.inspection.augmentation import Augmentation, apply
from neurons.inspection.distances import DISTANCES
from neurons.inspection.prior_maps import (
    METHODS_OF_PRIORS,
    Prior,
    PriorRule,
    Scale,
    at_size,
    by_class,
    known_of,
    require_choice,
    scaled,
)
from neurons.options import require


class Lesson(NamedTuple):
    """Training data with a prior: rows that :func:`neurons.fit` draws batches from.

    Args:
        x: `(batch, ...)` what the network takes.
        y: `(batch,)` labels; 0 is normal.
        prior: of the same images; None where a :class:`Pupil` asks the first network itself.
    """

    x: Any
    y: Int[Array, " batch"]
    prior: Prior | None = None


def classification(logits: Float[Array, " batch *classes"], y: Int[Array, " batch"]) -> Array:
    """Mean cross-entropy of labels; a single logit is that of class 1."""
    found = optax.softmax_cross_entropy_with_integer_labels(by_class(logits), y)
    return found.mean()


class Steps(nnx.Variable):
    """A number of training steps."""


class Known(nnx.Variable):
    """State of the first network: never trained."""


class Pupil(nnx.Module):
    """A network in training together with what only its training needs.

    `fit(Pupil(net, ...), KnowledgeLoss(...), ...).model.net` is the trained network.

    Args:
        net: the network to train, with `features` and `head`; it becomes part of the pupil.
        warmup: steps in which the weight of the prior rises from 0, in equal parts.
        first: the first network, an `nnx.Module`. If given, it explains every batch behind the
            augmentation; if not, the lesson's own prior goes through the same augmentation.
        rule: how the first network is asked; must be the loss's own.
        augmentation: see :class:`neurons.inspection.augmentation.Augmentation`; of networks that
            take images. In evaluation mode nothing is augmented.
        rngs: stream `augmentation`, or the default one, where there is an augmentation.

    Attributes:
        net: the network.
        step: steps done in training mode.

    Raises:
        ValueError: for a negative warm-up, or an augmentation without rngs.
    """

    def __init__(
        self,
        net: Any,
        *,
        warmup: int = 0,
        first: Any = None,
        rule: PriorRule | None = None,
        augmentation: Augmentation | None = None,
        rngs: nnx.Rngs | None = None,
    ) -> None:
        self.net, self.rule, self.augmentation = net, rule or PriorRule(), augmentation
        require("warmup", warmup, 0)
        # Both are values: runs of another length share a compiled step.
        self.step, self.warmup = Steps(jnp.zeros((), jnp.int32)), Steps(jnp.asarray(warmup))
        self.deterministic = False  # set by train() and eval(), as of a dropout
        if augmentation is not None and rngs is None:
            raise ValueError("an augmentation needs rngs to draw from")
        stream: Any = rngs.augmentation.fork() if augmentation and rngs else None
        self.stream = stream
        self.known: Any = nnx.List([])
        self.graph: Any = None
        if first is not None:
            self.graph, state = nnx.split(first)
            leaves, self.structure = jax.tree.flatten(state)
            self.known = nnx.List([Known(leaf) for leaf in leaves])

    def __call__(self, x: Any) -> Any:
        """What the network gives."""
        return self.net(x)

    def prepared(self, lesson: Lesson) -> Lesson:
        """The lesson as it is taught: augmented in training, with its prior."""
        if self.augmentation is not None and not self.deterministic:
            lesson = augmented(lesson, self.augmentation, self.stream())
        if self.graph is None:
            return lesson
        state = jax.tree.unflatten(self.structure, [one[...] for one in self.known])
        halves = split(nnx.merge(self.graph, state), self.rule.stage)
        prior = jax.lax.stop_gradient(known_of(halves, lesson.x, lesson.y, self.rule))
        return lesson._replace(prior=prior)

    def share(self) -> Float[Array, ""]:
        """How much of the prior's weight holds in this step; evaluation counts no step."""
        if not self.deterministic:
            self.step[...] = self.step[...] + 1
        done, all_of_them = self.step[...], jnp.maximum(self.warmup[...], 1)
        return jnp.minimum(done.astype(jnp.float32) / all_of_them.astype(jnp.float32), 1)


def augmented(lesson: Lesson, augmentation: Augmentation, key: Array) -> Lesson:
    """Images and the maps of their prior, moved alike.

    For a first network that sees a moved image as it sees the image, this is what it would say of
    the moved image, up to interpolation. Convolutions with padding and without symmetric kernels
    are not of that kind.

    Args:
        lesson: images `(batch, height, width, channels)`, and a prior or none.
        augmentation: what may be drawn.
        key: what is drawn.

    Returns:
        A lesson of the same shapes.
    """
    draw = augmentation.draw(key, len(lesson.y))
    lesson = lesson._replace(x=apply(draw, lesson.x, "image"))
    if lesson.prior is None:
        return lesson
    moved = apply(draw, lesson.prior.maps, "map")
    return lesson._replace(prior=lesson.prior._replace(maps=moved))


@dataclass(frozen=True)
class KnowledgeLoss:
    """Classification and consistency of saliency maps, a loss of :func:`neurons.fit`.

    Called with a network, or a :class:`Pupil`, and a :class:`Lesson` or a plain tuple like it.

    Args:
        weight: of the consistency; 0 trains as without a prior. Our default; the paper's is not
            known.
        distance: of :data:`neurons.inspection.distances.DISTANCES`.
        rule: which map of the network in training; the prior should be made by the same rule.
        scale: how maps are scaled, see :func:`neurons.inspection.prior_maps.scaled`.
        free: whether derivatives flow through a map's size; without them maps can die out.

    Raises:
        ValueError: for a negative weight, or an unknown name.
    """

    weight: float | int = 0.5
    distance: str = "mse"
    rule: PriorRule = field(default_factory=PriorRule)
    scale: Scale = "max"
    free: bool = True

    def __post_init__(self) -> None:
        _check_weight(self.weight)
        chosen("distance", self.distance, DISTANCES)
        require_choice("scale", self.scale)

    def __call__(self, model: Any, lesson: Lesson | tuple[Any, ...]) -> Float[Array, ""]:
        """The loss of a batch.

        Raises:
            ValueError: for a lesson without a prior, unless the weight is 0.
        """
        net, taught, share = _begun(model, lesson)
        if not self.weight:
            return classification(net(taught.x), taught.y)
        logits, maps = explained(net, taught, self.rule)
        term = self.consistency(maps, _prior_of(taught))
        return classification(logits, taught.y) + self.weight * share * term

    def consistency(self, maps: Float[Array, "batch rows columns"], prior: Prior) -> Array:
        """Mean weighted distance over the images that count; 0 if none does.

        Args:
            maps: of the network in training, rectified and unscaled.
            prior: of the same images; of another resolution it is brought to theirs.
        """
        theirs = at_size(jax.lax.stop_gradient(prior.maps), maps.shape[1:])
        pair = (scaled(one, self.scale, free=self.free) for one in (maps, theirs))
        return _over_counting(DISTANCES[self.distance](*pair), prior.weight)


@dataclass(frozen=True)
class DistillationLoss:
    """The control that hands over logits in place of maps.

    `L = CE(f(x), y) + weight * T^2 * mean w_i KL(softmax(z0 / T) | softmax(z / T))`, z0 and z the
    logits of the first network and of the one in training, over the images that count.

    Args:
        weight: of the second term.
        temperature: T.
        rule: which images count, for those who make the prior; all by default.

    Raises:
        ValueError: for a negative weight, or a temperature that is not positive.

    References:
        G. Hinton, O. Vinyals, J. Dean, Distilling the Knowledge in a Neural Network,
        arXiv 1503.02531, section 2; there the cross-entropy has a weight of its own.
    """

    weight: float | int = 0.5
    temperature: float | int = 2.0
    rule: PriorRule = field(default_factory=lambda: PriorRule(where="all"))

    def __post_init__(self) -> None:
        _check_weight(self.weight)
        if not self.temperature > 0:
            raise ValueError(f"temperature must be positive, got {self.temperature}")

    def __call__(self, model: Any, lesson: Lesson | tuple[Any, ...]) -> Float[Array, ""]:
        """The loss of a batch; errors as for :class:`KnowledgeLoss`."""
        net, taught, share = _begun(model, lesson)
        logits, prior = net(taught.x), jax.lax.stop_gradient(_prior_of(taught))
        ours, theirs = (
            jax.nn.log_softmax(by_class(one) / self.temperature, axis=1)
            for one in (logits, prior.logits)
        )
        found = jnp.sum(jnp.exp(theirs) * (theirs - ours), axis=1)
        term = self.temperature**2 * _over_counting(found, prior.weight)
        return classification(logits, taught.y) + self.weight * share * term


def attention_transfer(weight: float | int = 100.0, *, stage: Any = None) -> KnowledgeLoss:
    """The control that hands over attention: where activations are large, of all images.

    `L = CE + weight * mean |Q / |Q| - Q0 / |Q0||^2 / positions`, `Q = sum_k (A^k)^2`; the prior
    must be made by the rule of the loss returned.

    Args:
        weight: of the second term, which is a mean over positions, of maps whose squares sum to
            one: hence a large number. The default is ours.
        stage: where activations are taken.

    References:
        S. Zagoruyko, N. Komodakis, Paying More Attention to Attention, arXiv 1612.03928, eq. 2.
    """
    rule = PriorRule(stage=stage, method="attention", where="all")
    return KnowledgeLoss(weight, "mse", rule, "l2")


def explained(net: Any, lesson: Lesson, rule: PriorRule) -> tuple[Array, Array]:
    """Logits and rectified maps of a network in training, from one pass through its features.

    What lies behind the stage runs as the network is set: of a network in training mode with
    batch normalisation there, maps depend on the batch, as its logits do.

    Args:
        net: with `features` and `head`.
        lesson: images, and the classes to explain: those of its prior, else its labels.
        rule: of the maps.

    Returns:
        Logits as the network gives them, and maps `(batch, rows, columns)`.
    """
    given = net.features(lesson.x, **rule.staged)
    graph, state = nnx.split(net)

    def head(activations: Any) -> Array:
        # A copy: what is differentiated must not write statistics into the network.
        return nnx.merge(graph, state, copy=True).head(activations, **rule.staged)

    target = lesson.y if lesson.prior is None or rule.of == "label" else lesson.prior.target
    raw = METHODS_OF_PRIORS[rule.method](lambda _: given, head, lesson.x, target)
    return net.head(given, **rule.staged), jax.nn.relu(raw)


def _begun(model: Any, given: Lesson | tuple[Any, ...]) -> tuple[Any, Lesson, Array]:
    """The network, the lesson as it is taught, and the share of the weight that holds by now."""
    lesson = Lesson(*given)
    if not isinstance(model, Pupil):
        return model, lesson, jnp.ones(())
    return model.net, model.prepared(lesson), model.share()


def _over_counting(values: Float[Array, " batch"], weight: Float[Array, " batch"]) -> Array:
    """Mean of weighted values over the images that count; 0 if none does."""
    counting = (weight > 0).astype(values.dtype)
    return jnp.sum(weight * values) / jnp.maximum(counting.sum(), 1)


def _prior_of(lesson: Lesson) -> Prior:
    if lesson.prior is None:
        raise ValueError("the lesson has no prior, and no pupil has a first network to ask")
    return lesson.prior


def _check_weight(weight: float | int) -> None:
    if not weight >= 0:
        raise ValueError(f"weight must be at least 0, got {weight}")
