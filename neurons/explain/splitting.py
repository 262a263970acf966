"""A network cut at a layer: `features` up to it, `head` from there on.

Every method is a pure function of these two. `split` cuts a model and makes both halves pytrees
whose leaves are the model's weights: they pass through `jax.jit` as arguments, and can be
differentiated.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array
from jax.tree_util import Partial
from jaxtyping import Float

from neurons.beside import Beside as Beside
from neurons.explain.targets import Target, scores


class Split(NamedTuple):
    """The two halves of a network: `head(features(x))` are the logits.

    Args:
        features: `x -> (batch, *spatial, channels)`, or :class:`Beside`.
        head: from there to `(batch, classes)`, `(batch, 1)` or `(batch,)`.
    """

    features: Callable[..., Any]
    head: Callable[..., Any]


@dataclass(frozen=True)
class _Half:
    """A method of a module as a function of its state; equal for equal graphs."""

    graph: Any
    name: str
    stage: tuple[Any, ...] = ()
    evaluating: bool = False

    def __call__(self, state: Any, x: Any) -> Any:
        model = nnx.merge(self.graph, state, copy=True)
        if self.evaluating:
            model.eval()
        half = getattr(model, self.name)
        return half(x, stage=self.stage[0]) if self.stage else half(x)


def split(model: Any, stage: Any = None) -> Split:
    """Cut a model into features and head, in evaluation mode; the model is left as it is.

    Args:
        model: any object with `features(x)` and `head(activations)`. Of an `nnx.Module` the state
            as it is now is taken, to run in evaluation mode (running statistics, no dropout). The
            weights of any other object become constants of compiled programs: it must not be
            changed in place.
        stage: passed on to both as `stage=` if given.

    Returns:
        The halves.

    Raises:
        TypeError: for an object without `features` and `head`.

    Example:
        >>> from neurons.backbones.resnet import resnet
        >>> features, head = split(resnet(8, width=2, rngs=nnx.Rngs(0)))
        >>> features(jnp.ones((5, 16, 16, 3))).shape, head(jnp.ones((5, 4, 4, 8))).shape
        ((5, 4, 4, 8), (5, 10))
    """
    for name in Split._fields:
        if not callable(getattr(model, name, None)):
            raise TypeError(f"{type(model).__name__} has no method {name!r}")
    given = () if stage is None else (stage,)
    if isinstance(model, nnx.Module):
        graph, state = nnx.split(model)
        state = jax.tree.map(lambda leaf: leaf, state)  # of its own: the model may train on
        halves = (_Half(graph, name, given, evaluating=True) for name in Split._fields)
        return Split(*(Partial(half, state) for half in halves))
    staged = {} if stage is None else {"stage": stage}
    return Split(as_pytree(model.features, **staged), as_pytree(model.head, **staged))


def as_pytree(function: Callable[..., Any], **options: Any) -> Partial:
    """A function that can be an argument of `jax.jit`.

    A module's method carries the module's state as leaves; any other function is a constant, and
    compiled again for every new function object.
    """
    if isinstance(function, Partial) and not options:
        return function
    owner = getattr(function, "__self__", None)
    if isinstance(owner, nnx.Module) and not options:
        graph, state = nnx.split(owner)
        return Partial(_Half(graph, function.__name__), state)
    return Partial(function, **options)


@dataclass(frozen=True)
class _Tokens:
    """What :func:`tokens_to_grid` does before or after the half it holds."""

    name: str
    prefix: int
    grid: tuple[int, ...]

    def __call__(self, half: Callable[..., Any], given: Any) -> Any:
        if self.name == "head":
            patches = given.activations
            tokens = patches.reshape(len(patches), -1, patches.shape[-1])
            return half(jnp.concatenate([given.rest, tokens], axis=1))
        tokens = half(given)  # (batch, prefix + patches, channels)
        expected = self.prefix + math.prod(self.grid)
        if tokens.ndim != 3 or tokens.shape[1] != expected:
            raise ValueError(
                f"{self.prefix} prefix tokens and a grid {self.grid} are {expected} tokens "
                f"(batch, tokens, channels), got shape {tokens.shape}"
            )
        batch, _, channels = tokens.shape
        patches = tokens[:, self.prefix :].reshape(batch, *self.grid, channels)
        return Beside(patches, tokens[:, : self.prefix])


def tokens_to_grid(model: Any, *, prefix: int, grid: tuple[int, ...], stage: Any = None) -> Split:
    """Make a token model spatial: a vision transformer's patches on their grid.

    The first `prefix` tokens (class and registers) are left out of the map and handed to the head
    as they are; token `prefix + r * columns + c` lies at row r, column c.

    A head that reads the class token alone does not see the last block's patches, and their
    gradient is zero: cut before the last attention, not behind it.

    Args:
        model: with `features(x) -> (batch, tokens, channels)` and `head(tokens) -> logits`.
        prefix: tokens before the patches; 1 + registers (5 for DINOv3).
        grid: `(rows, columns)` of the patches, `(height / patch, width / patch)`; any number of
            axes.
        stage: as for :func:`split`.

    Returns:
        Halves for any method.

    Raises:
        ValueError: for a negative prefix or an empty grid; on call, if the number of tokens does
            not fit.
    """
    if prefix < 0 or not grid or min(grid) < 1:
        raise ValueError(f"needs prefix >= 0 and a grid of positive sizes, got {prefix}, {grid}")
    halves = split(model, stage)._asdict().items()
    return Split(*(Partial(_Tokens(name, prefix, tuple(grid)), half) for name, half in halves))


class Open(NamedTuple):
    """A network at work on a batch, open at the layer of its map.

    Args:
        activations: `(batch, *spatial, channels)`.
        logits: function from activations like these, or from `n` such batches in a row, to logits.
    """

    activations: Array
    logits: Callable[[Array], Array]


def open_at(features: Callable[..., Any], head: Callable[..., Any], x: Any) -> Open:
    """Run the features of a batch, and make the head a function of what a map is made of.

    Args:
        features: first half of the network.
        head: second half.
        x: its input, an array or a pytree of arrays `(batch, ...)`.

    Returns:
        The activations, and the way from there to the logits.

    Raises:
        TypeError: for images of 8-bit integers, or activations that are no floats.
        ValueError: for activations without a spatial axis, or with an empty one, and where the
            batch changes its length (an image without a batch axis).
    """
    given = features(as_input(x))
    _require_batch("features", x, activations_of(given))

    def logits(changed: Array) -> Array:
        found = head(replaced(given, changed))
        _require_batch("head", changed, found)
        return found

    return Open(activations_of(given), logits)


@jax.jit
def forward(features: Partial, head: Partial, x: Any) -> tuple[Any, Array]:
    """One compiled forward pass: what the features give, checked, and the logits."""
    given = features(as_input(x))
    a, logits = activations_of(given), head(given)
    _require_batch("features", x, a)
    _require_batch("head", a, logits)
    return given, logits


def _require_batch(what: str, given: Any, found: Array) -> None:
    for leaf in jax.tree.leaves(given):
        if jnp.shape(leaf)[:1] not in ((), found.shape[:1]):
            raise ValueError(
                f"{what} turned input of shape {jnp.shape(leaf)} into shape {found.shape}: the "
                "first axis is the batch, and stays as long as it is"
            )


def as_input(x: Any) -> Any:
    """The input as arrays of JAX; images as they come from a file are refused.

    Raises:
        TypeError: for 8-bit integers; other integers may be tokens.
    """
    if any(jnp.result_type(leaf) == jnp.uint8 for leaf in jax.tree.leaves(x)):
        raise TypeError("images of uint8: pass floats, scaled as the network was trained (x / 255)")
    return jax.tree.map(jnp.asarray, x)


def activations_of(given: Any) -> Float[Array, "batch *spatial channels"]:
    """The activations that a map is made of, out of what `features` gives.

    Raises:
        TypeError: for activations that are no floats.
        ValueError: for activations without a spatial axis, or with an empty one.
    """
    activations = given.activations if isinstance(given, Beside) else given
    shape = activations.shape
    if len(shape) < 3 or 0 in shape[1:]:
        raise ValueError(
            "a map needs activations (batch, *spatial, channels) with at least one spatial axis "
            f"and no empty one, got shape {shape}: cut at a layer before the mean over space, and "
            "give images no smaller than the network's stride"
        )
    if not jnp.issubdtype(activations.dtype, jnp.floating):
        raise TypeError(f"a map needs activations that are floats, got {activations.dtype}")
    return activations


def replaced(given: Any, changed: Array) -> Any:
    """What the head takes, with other activations: one batch of them, or several in a row."""
    if not isinstance(given, Beside):
        return changed
    times = len(changed) // max(len(given.activations), 1)
    return Beside(changed, repeated(given.rest, times))


def repeated(tree: Any, times: int) -> Any:
    """The batch of every leaf `times` times in a row."""
    if times == 1:
        return tree
    return jax.tree.map(lambda leaf: jnp.concatenate([leaf] * times), tree)


def activations_and_gradients(
    features: Callable[..., Any], head: Callable[..., Any], x: Any, target: Target = None
) -> tuple[Float[Array, "batch *spatial channels"], Float[Array, "batch *spatial channels"]]:
    """What gradient methods are made of: `A = features(x)` and `G = d score / d A`.

    In evaluation mode samples do not touch each other, so one backward pass of the sum of all
    scores gives the gradient of each.

    Args:
        features: first half of the network.
        head: second half.
        x: input of the network.
        target: see :func:`neurons.explain.targets.scores`.

    Returns:
        Activations and gradients, `(batch, *spatial, channels)` each.

    Raises:
        TypeError: as :func:`open_at`.
        ValueError: as :func:`open_at` and :func:`neurons.explain.targets.scores`.
    """
    activations, logits = open_at(features, head, x)
    gradients = jax.grad(lambda a: jnp.sum(scores(logits(a), target)))(activations)
    return activations, gradients
