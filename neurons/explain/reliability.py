"""Which of the images that a classifier calls normal may be missed defects?

A binary classifier's maps of its two classes are laid over a map that knows no class: where what
the network responds to supports the defect although "normal" wins, the answer is doubted. The
images may first be moved a little towards the defect, so that evidence that is there shows.

Classes are 0 "normal" and 1 "defect". A single logit z is read as `(-z, z)`, so that both classes
have maps; the maps of a sample that was misjudged can be empty all the same, and are counted.

References:
    H.-C. Dong et al., When Can We Trust Deep Neural Networks? Towards Reliable Industrial
    Deployment with an Interpretability Guide, arXiv 2604.19206. The abstract alone was at hand;
    maps, thresholds, scores and the three enhancements are our reading of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float

from neurons.explain import adversarial, maps
from neurons.explain.adversarial import Box
from neurons.explain.eigen import principal_map
from neurons.explain.finishing import finish
from neurons.explain.maps import Maps
from neurons.explain.plug_in import chosen
from neurons.explain.reliability_scores import (
    SCORES,
    Score,
    Threshold,
    checked_threshold,
    doubt,
    overlap,
    salient,
    soft_overlap,
)
from neurons.explain.splitting import Split, activations_of, as_input, as_pytree, split
from neurons.explain.targets import class_logits

Enhance = Literal["fgsm", "pgd", "soft_iou"]
Combine = Literal["enhanced", "max", "gain"]

SPECIFIC: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "grad_cam": maps.grad_cam,
        "layer_cam": maps.layer_cam,
        "xgrad_cam": maps.xgrad_cam,
        "grad_cam_pp": maps.grad_cam_pp,
        "hires_cam": maps.hires_cam,
    }
)
"""Maps of a class, see `neurons.explain.maps`."""

AGNOSTIC: Mapping[str, Callable[[Array, Array, Array], Array]] = MappingProxyType(
    {
        "eigen_cam": lambda a, normal, defect: principal_map(a),
        "mean": lambda a, normal, defect: a.mean(axis=-1),
        "mean_abs": lambda a, normal, defect: jnp.abs(a).mean(axis=-1),
        "sum": lambda a, normal, defect: jax.nn.relu(normal) + jax.nn.relu(defect),
    }
)
"""Maps of no class, from activations and the raw maps of both classes."""

COMBINED: Mapping[str, Callable[[Array, Array], Array]] = MappingProxyType(
    {
        "enhanced": lambda plain, moved: moved,
        "max": jnp.maximum,
        "gain": lambda plain, moved: moved - plain,
    }
)
"""The score of an image from its own and that of the moved one."""

ENHANCEMENTS: Mapping[str, Callable[..., Array]] = MappingProxyType(
    {"fgsm": adversarial.fgsm, "pgd": adversarial.pgd, "soft_iou": adversarial.pgd}
)
"""How images are moved; what is made larger, see :class:`Guide`."""


@dataclass(frozen=True)
class Guide:
    """How images are scored; hashable, a part of compiled programs.

    Args:
        score: "diff", "spec1" or "spec0", see `neurons.explain.reliability_scores`.
        specific: maps of the classes, a name in `SPECIFIC`.
        agnostic: the map of no class, a name in `AGNOSTIC`; EigenCAM's sign is fixed.
        threshold: of all maps: a number in (0, 1], "otsu", or `Top(share)`.
        enhance: None; "fgsm" (A1) and "pgd" (A2) move images to where `z_1 - z_0` is larger,
            "soft_iou" (A3) to where the score itself is, with IoU of maps in place of pixels.
        combine: the score from that of the image s and of the moved image s': "enhanced" s',
            "max" of both, "gain" s' - s.
        box: how far pixels move, and their range.
        size: of the maps: "input", a side in pixels, or None for the layer's own, which is coarse.

    Raises:
        ValueError: for an unknown option.
    """

    score: Score = "diff"
    specific: str = "grad_cam"
    agnostic: str = "eigen_cam"
    threshold: Threshold = 0.5
    enhance: Enhance | None = None
    combine: Combine = "enhanced"
    box: Box = field(default_factory=Box)
    size: int | Literal["input"] | None = "input"

    def __post_init__(self) -> None:
        chosen("score", self.score, SCORES)
        chosen("specific", self.specific, SPECIFIC)
        chosen("agnostic", self.agnostic, AGNOSTIC)
        chosen("combine", self.combine, COMBINED)
        checked_threshold(self.threshold)
        if self.enhance is not None:
            chosen("enhance", self.enhance, ENHANCEMENTS)


class View(NamedTuple):
    """What one look at a batch shows.

    Args:
        margin: `(batch,)`, `z_1 - z_0`; above 0 a defect is predicted.
        normal: `(batch, *space)` finished map of class 0.
        defect: the same of class 1.
        agnostic: the same of no class.
        overlap_normal: `(batch,)` IoU of what stands out in `normal` and `agnostic`.
        overlap_defect: `(batch,)` the same of `defect`.
        empty: `(batch, 3)` whether nothing stands out in `normal`, `defect`, `agnostic`.
    """

    margin: Float[Array, " batch"]
    normal: Maps
    defect: Maps
    agnostic: Maps
    overlap_normal: Float[Array, " batch"]
    overlap_defect: Float[Array, " batch"]
    empty: Bool[Array, "batch 3"]


class Trust(NamedTuple):
    """How far the predictions of a batch can be trusted.

    Args:
        prediction: `(batch,)` int32: 1 for a defect, 0 for none.
        probability: `(batch,)` of a defect, as the network has it.
        score: `(batch,)`, larger is more doubtful; NaN where the network gives NaN.
        flag: `(batch,)`: predicted normal, and the score is above the limit, or no number.
        view: maps and overlaps of the images.
        moved: the same of the enhanced images; None without enhancement.
    """

    prediction: Any
    probability: Any
    score: Any
    flag: Any
    view: View
    moved: View | None = None


def reliability(
    model: Any,
    images: Float[Array | np.ndarray, " batch *rest"],
    *,
    stage: Any = None,
    limit: float = float("inf"),
    guide: Guide | None = None,
    **options: Any,
) -> Trust:
    """Score every image of a batch; one compiled program, two with enhancement.

    Args:
        model: binary classifier with `features` and `head`, or a `Split`; its logits are
            `(batch, 2)`, `(batch, 1)` or `(batch,)`.
        images: `(batch, *space, channels)`, as the network takes them.
        stage: where the model is cut, see :func:`neurons.explain.split`.
        limit: of the score; by default nothing is flagged, since what is much depends on the
            network: `neurons.explain.Guard` finds it.
        guide: all options; or give them by name.
        options: of :class:`Guide`, where no guide is given.

    Returns:
        Predictions, scores, flags and maps.

    Raises:
        TypeError: for an unknown option, both a guide and options, uint8 images, or a model
            without features and head.
        ValueError: for another number of classes than two, images outside of the box's bounds
            where they are to be moved, or an unknown name of an option.

    Example:
        >>> import numpy as np
        >>> from flax import nnx
        >>> from neurons.backbones.resnet import resnet
        >>> net = resnet(8, width=2, classes=2, rngs=nnx.Rngs(0))
        >>> reliability(net, np.ones((5, 16, 16, 3), np.float32)).view.defect.shape
        (5, 16, 16)
    """
    if guide is not None and options:
        raise TypeError(f"give a guide or options, not both: {', '.join(options)}")
    how = Guide(**options) if guide is None else guide
    halves, x = Split(*map(as_pytree, split(model, stage))), as_input(images)
    seen = look(halves, x, how)
    moved = None if how.enhance is None else look(halves, enhanced(halves, x, how), how)
    return _judged(seen, moved, limit, how)


@partial(jax.jit, static_argnames="guide")
def look(halves: Split, x: Array, guide: Guide) -> View:
    """Maps, overlaps and margins of a batch, without enhancement.

    Args:
        halves: the network, as pytrees.
        x: images.
        guide: how.
    """
    margin, found = _finished(halves, x, guide)
    of_normal, of_defect, of_none = found
    marks = [salient(one, guide.threshold) for one in found]
    normal, defect = (overlap(one, marks[2]) for one in marks[:2])
    axes = tuple(range(1, found[0].ndim))
    broken = sum(one.sum(axis=axes) for one in found) + margin  # NaN if anything is
    unknown = jnp.isnan(broken)
    normal, defect = (jnp.where(unknown, jnp.nan, part) for part in (normal, defect))
    empty = jnp.stack([~one.any(axis=axes) for one in marks], axis=1)
    return View(margin, of_normal, of_defect, of_none, normal, defect, empty)


def enhanced(halves: Split, x: Array, guide: Guide) -> Array:
    """The images as the guide's enhancement moves them, see :class:`Guide`.

    Raises:
        ValueError: without an enhancement, or for images outside of the box's bounds.
    """
    move = chosen("enhance", str(guide.enhance), ENHANCEMENTS)
    guide.box.require(x)
    anywhere = replace(guide, box=Box())  # the slope is that of any box: one program
    return move(partial(slope, halves, guide=anywhere), x, guide.box)


@partial(jax.jit, static_argnames="guide")
def slope(halves: Split, x: Array, guide: Guide) -> Array:
    """Gradient, with respect to the images, of what an enhancement makes larger."""
    objective = _soft_doubt if guide.enhance == "soft_iou" else _margin
    return jax.grad(lambda x: jnp.sum(objective(halves, x, guide)))(x)


def _margin(halves: Split, x: Array, guide: Guide) -> Array:
    return margins(halves.head(halves.features(x)))


def _soft_doubt(halves: Split, x: Array, guide: Guide) -> Array:
    _, (normal, defect, agnostic) = _finished(halves, x, guide)
    return doubt(soft_overlap(normal, agnostic), soft_overlap(defect, agnostic), guide.score)


def margins(logits: Float[Array, " batch *rest"]) -> Float[Array, " batch"]:
    """`z_1 - z_0`, of a single logit z `2 z`.

    Raises:
        ValueError: for another number of classes than two.
    """
    found = class_logits(logits)
    if found.shape[1] != 2:
        raise ValueError(
            f"a guide needs two classes, normal and defect, got logits of shape {logits.shape}"
        )
    return found[:, 1] - found[:, 0]


def _finished(halves: Split, x: Array, guide: Guide) -> tuple[Array, list[Array]]:
    """Margins, and the finished maps of normal, of defect and of no class."""
    given = halves.features(x)
    margin = margins(halves.head(given))
    a, method = activations_of(given), SPECIFIC[guide.specific]
    raw = [method(_as_it_is, halves.head, given, of) for of in (0, 1)]
    raw.append(AGNOSTIC[guide.agnostic](a, *raw))
    size = x.shape[1:-1] if guide.size == "input" else guide.size
    # Enlarged before it is brought to [0, 1]: the largest value is 1 at any size.
    return margin, [finish(one, size, order="resize_first") for one in raw]


def _as_it_is(given: Any) -> Any:
    return given


@partial(jax.jit, static_argnames="guide")
def _judged(view: View, moved: View | None, limit: Any, guide: Guide) -> Trust:
    score = plain = doubt(view.overlap_normal, view.overlap_defect, guide.score)
    if moved is not None:
        other = doubt(moved.overlap_normal, moved.overlap_defect, guide.score)
        score = COMBINED[guide.combine](plain, other)
    prediction = (view.margin > 0).astype(jnp.int32)
    probability = jax.nn.sigmoid(view.margin)
    # A comparison with NaN is false: what cannot be judged is flagged.
    flag = (prediction == 0) & ~(score <= jnp.asarray(limit, score.dtype))
    return Trust(prediction, probability, score, flag, view, moved)
