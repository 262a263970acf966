"""What a first network knows of the training images: saliency maps, and which of them count.

The map of an image x under a network f and for a class c is, before any scaling,

    S(x; f, c) = relu(M_c(A)),        A the activations of a stage, M a method of `neurons.explain`

by default Grad-CAM after the last stage: for a head of a mean over space and a linear layer that
is CAM, `sum_k W_ck A^k`, over the number of positions, and costs next to nothing. Maps stay at the
stage's resolution, and unscaled: scaling comes after the augmentation, for priors that were
computed before it as for those computed behind it.

References:
    H.-C. Dong, G. Liu, D. Ye, B. Liu, Network Knowledge Prior Guided Learning for Data-Efficient
    Surface Defect Detection, arXiv 2605.17780. The abstract alone was at hand: which map, of which
    class, and for which images is our reading.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from neurons.explain.finishing import resized
from neurons.explain.methods import METHODS, STEPPED
from neurons.explain.plug_in import chosen
from neurons.explain.splitting import Split, activations_of, as_input, split
from neurons.explain.targets import Target, classes, predicted
from neurons.options import require

Of = Literal["label", "predicted"]
Where = Literal["defective", "all"]
Trust = Literal["all", "correct", "confidence"]
Scale = Literal["max", "minmax", "sum", "l2", "none"]
Maps = Float[Array, "batch rows columns"]

CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "of": ("label", "predicted"),
        "where": ("defective", "all"),
        "trust": ("all", "correct", "confidence"),
        "scale": ("max", "minmax", "sum", "l2", "none"),
    }
)


def attention(features: Callable[..., Any], head: Any, x: Any, target: Target = None) -> Maps:
    """`sum_k (A^k)^2`: where activations are large, whatever the class.

    Args:
        features: first half of the network.
        head: not used, like `target`: the signature is that of `neurons.explain.METHODS`.
        x: input of the network.
        target: not used.

    Returns:
        `(batch, *spatial)`, never negative.

    References:
        S. Zagoruyko, N. Komodakis, Paying More Attention to Attention, arXiv 1612.03928, section 3.
    """
    del head, target
    return jnp.sum(jnp.square(activations_of(features(x))), axis=-1)


METHODS_OF_PRIORS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {name: method for name, method in METHODS.items() if name not in STEPPED}
    | {"attention": attention}
)
"""`neurons.explain.METHODS` that take one backward pass, and "attention"."""


@dataclass(frozen=True)
class PriorRule:
    """Which map of which class, and for which images it counts.

    Args:
        stage: where the network is cut; None for its last stage.
        method: of :data:`METHODS_OF_PRIORS`.
        of: whose class is explained: the image's "label", or what the first network "predicted".
        where: images whose maps count: those that are "defective" (a label above 0), since a
            normal image has no defect to look at; or "all", each by its own class.
        trust: weight of an image that counts: 1 for "all" of them; 1 for those that the first
            network classifies "correct"ly and 0 for others; its "confidence", the probability
            it gives the label, for the correct ones and 0 for others.

    Raises:
        ValueError: for an unknown name.
    """

    stage: Any = None
    method: str = "grad_cam"
    of: Of = "label"
    where: Where = "defective"
    trust: Trust = "all"

    def __post_init__(self) -> None:
        chosen("method", self.method, METHODS_OF_PRIORS)
        for name in ("of", "where", "trust"):
            require_choice(name, getattr(self, name))

    @property
    def staged(self) -> dict[str, Any]:
        """Keyword of `features` and `head`, if a stage is named."""
        return {} if self.stage is None else {"stage": self.stage}


class Prior(NamedTuple):
    """What a first network knows of images: rows of training data like the images themselves.

    Args:
        maps: `(batch, rows, columns)`, rectified and unscaled.
        target: `(batch,)` classes that the maps explain.
        weight: `(batch,)`, not negative; 0 for images that do not count.
        logits: `(batch, classes)` or a single one, as the network gives them.
    """

    maps: Maps
    target: Int[Array, " batch"]
    weight: Float[Array, " batch"]
    logits: Float[Array, " batch *classes"]


def prior_maps(
    model: Any, x: Any, y: Int[Array, " batch"], rule: PriorRule | None = None, *, size: int = 64
) -> Prior:
    """The knowledge of a trained network about images, computed once, in evaluation mode.

    Args:
        model: the first network, with `features` and `head`, see :func:`neurons.explain.split`.
        x: `(batch, ...)` its input, or a pytree.
        y: `(batch,)` labels; 0 is normal.
        rule: see :class:`PriorRule`.
        size: images per call of the compiled network.

    Returns:
        See :class:`Prior`.

    Raises:
        ValueError: for no images, another number of labels, or classes that do not exist.
        TypeError: as :func:`neurons.explain.cam`.

    Example:
        >>> from flax import nnx
        >>> from neurons.backbones.resnet import resnet
        >>> net = resnet(8, width=2, rngs=nnx.Rngs(0))
        >>> prior_maps(net, jnp.ones((3, 16, 16, 3)), jnp.array([0, 1, 1])).weight.tolist()
        [0.0, 1.0, 1.0]
    """
    require("size", size)
    count = len(jax.tree.leaves(x)[0])
    if not count or len(y) != count:
        raise ValueError(f"priors need images and a label each, got {count} and {len(y)}")
    rule, halves = rule or PriorRule(), split(model, rule.stage if rule else None)
    _check(halves, x, y)
    parts = []
    for begin in range(0, count, size):
        # The last images repeat, so that all blocks have one shape.
        rows = np.minimum(np.arange(begin, begin + min(size, count)), count - 1)
        block = jax.tree.map(lambda leaf, at=rows: leaf[at], (x, y))
        found = _compiled(halves, *block, rule)
        parts.append(jax.tree.map(lambda leaf, end=count - begin: leaf[:end], found))
    return Prior(*(jnp.concatenate(leaves) for leaves in zip(*parts, strict=True)))


def known_of(halves: Split, x: Any, y: Int[Array, " batch"], rule: PriorRule) -> Prior:
    """:func:`prior_maps` of one batch by the halves of a network; for compiled programs."""
    x = as_input(x)
    given = halves.features(x)
    logits = halves.head(given)
    target = y.astype(jnp.int32) if rule.of == "label" else predicted(logits)
    raw = METHODS_OF_PRIORS[rule.method](lambda _: given, halves.head, x, target)
    return Prior(jax.nn.relu(raw), target, _weight(logits, y, rule), logits)


_compiled = partial(jax.jit, static_argnames="rule")(known_of)


def by_class(logits: Float[Array, " batch *classes"]) -> Float[Array, "batch classes"]:
    """Logits whose softmax are the probabilities; a single logit z becomes `(0, z)`.

    Raises:
        ValueError: for more axes than `(batch, classes)`.
    """
    if logits.ndim == 1:
        logits = logits[:, None]
    if logits.ndim != 2:
        raise ValueError(f"a classifier's logits are (batch, classes), got shape {logits.shape}")
    zero = jnp.zeros_like(logits)
    return jnp.concatenate([zero, logits], axis=1) if logits.shape[1] == 1 else logits


def scaled(maps: Maps, scale: Scale = "max", *, free: bool = True, eps: float | int = 1e-6) -> Maps:
    """Each map brought to a size of its own.

    With a `free` size a distance of scaled maps does not change when a map shrinks. With the size
    held fixed for derivatives, all that exceeds the prior is pushed down and nothing up again:
    maps can become zero, behind whose rectifier there is no derivative and no way back.

    Args:
        maps: `(batch, rows, columns)`, not negative.
        scale: "max" `M / (max M + eps)`; "minmax" `(M - min) / (max - min + eps)`; "sum" and "l2"
            over the sum and the Euclidean length; "none".
        free: whether derivatives flow through the size.
        eps: relative to nothing: maps far below it become small, and a map of zeros stays so.

    Returns:
        As `maps`.

    Raises:
        ValueError: for an unknown scale.

    Example:
        >>> scaled(jnp.array([[[0.0, 2.0], [4.0, 0.0]]]))[0].round(3).tolist()
        [[0.0, 0.5], [1.0, 0.0]]
    """
    require_choice("scale", scale)
    if scale == "none":
        return maps
    sized = maps if free else jax.lax.stop_gradient(maps)
    if scale == "minmax":
        low = sized.min(axis=(1, 2), keepdims=True)
        return (maps - low) / (sized.max(axis=(1, 2), keepdims=True) - low + eps)
    return maps / (_SIZES[scale](sized)[:, None, None] + eps)


def _length(maps: Maps) -> Float[Array, " batch"]:
    """Euclidean; of a map of zeros it has the derivative 0, not NaN."""
    squares = jnp.square(maps).sum(axis=(1, 2))
    empty = squares == 0
    return jnp.where(empty, jnp.zeros_like(squares), jnp.sqrt(jnp.where(empty, 1, squares)))


_SIZES: Mapping[str, Callable[[Maps], Array]] = MappingProxyType(
    {
        "max": lambda maps: maps.max(axis=(1, 2)),
        "sum": lambda maps: maps.sum(axis=(1, 2)),
        "l2": _length,
    }
)


def at_size(maps: Maps, size: tuple[int, ...]) -> Float[Array, "batch down right"]:
    """Maps at a resolution: means of whole blocks where it divides theirs, else interpolated.

    Args:
        maps: `(batch, rows, columns)`, or masks as floats.
        size: rows and columns.

    Returns:
        `(batch, *size)`.
    """
    rows, columns = maps.shape[1:]
    if rows % size[0] or columns % size[1]:
        return resized(maps, size)
    down, right = rows // size[0], columns // size[1]
    return maps.reshape(len(maps), size[0], down, size[1], right).mean(axis=(2, 4))


def require_choice(label: str, value: str) -> None:
    """Raise ValueError unless the value is one of the option's names."""
    if value not in CHOICES[label]:
        raise ValueError(f"{label} must be one of {', '.join(CHOICES[label])}, got {value!r}")


def _weight(logits: Array, y: Int[Array, " batch"], rule: PriorRule) -> Float[Array, " batch"]:
    counts = jnp.ones_like(y, logits.dtype)
    if rule.where == "defective":
        counts = (y > 0).astype(logits.dtype)
    if rule.trust == "all":
        return counts
    counts = jnp.where(predicted(logits) == y, counts, jnp.zeros_like(counts))
    if rule.trust == "correct":
        return counts
    probability = jax.nn.softmax(by_class(logits), axis=1)
    return counts * jnp.take_along_axis(probability, y[:, None].astype(jnp.int32), axis=1)[:, 0]


def _check(halves: Split, x: Any, y: Any) -> None:
    """Classes that exist, while their values are known."""
    shape = jax.eval_shape(lambda part, x: part.head(part.features(as_input(x))), halves, x).shape
    classes(np.asarray(y), shape[0], max((2, *shape[1:])))
