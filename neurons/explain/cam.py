"""One call from a model and images to finished maps."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import jax
import numpy as np
from jax import Array

from neurons.explain.finishing import Normalise, Order, finish
from neurons.explain.methods import INPUT_METHODS, METHODS, SEVERAL, STEPPED
from neurons.explain.splitting import Split, as_input, as_pytree, split
from neurons.explain.targets import Target, classes

Size = int | tuple[int, ...] | Literal["input"] | None


def cam(
    model: Any,
    x: Any,
    target: Target = None,
    *,
    method: str = "grad_cam",
    stage: Any = None,
    size: Size = "input",
    rectify: bool = True,
    normalise: Normalise = "minmax",
    order: Order = "normalise_first",
    **options: Any,
) -> Any:
    """Class activation maps of a batch, finished.

    Compiled once per network structure, method, options and shapes; the weights are arguments of
    the program, so that training on changes the maps and compiles nothing.

    Args:
        model: with `features` and `head`, see :func:`neurons.explain.split`, or a `Split`.
        x: input `(batch, *spatial, channels)`, or a pytree for networks with several inputs.
        target: what is explained, see :func:`neurons.explain.targets.scores`. A function is part
            of the program: pass the same object again, or it is compiled again.
        method: a name in `METHODS`, `INPUT_METHODS` or `SEVERAL`.
        stage: where the model is cut; for a method in `SEVERAL` a sequence of stages.
        size: of the maps; "input" for the input's, None for the layer's own.
        rectify: see :func:`neurons.explain.finish`.
        normalise: see :func:`neurons.explain.finish`.
        order: see :func:`neurons.explain.finish`.
        options: of the method; arrays are arguments of the program, all else is part of it.

    Returns:
        `(batch, *size)`; for a pytree and a method at the input, such an array for every leaf.

    Raises:
        TypeError: for a model without features and head, uint8 images, or classes of a wrong type.
        ValueError: for an unknown method or option, a class that does not exist, targets that do
            not fit the batch, or a layer without spatial axes.

    Example:
        >>> import jax.numpy as jnp
        >>> from flax import nnx
        >>> from neurons.backbones.resnet import resnet
        >>> net = resnet(8, width=2, rngs=nnx.Rngs(0))
        >>> cam(net, jnp.ones((5, 16, 16, 3)), 3, method="layer_cam").shape
        (5, 16, 16)
    """
    if method not in _known():
        raise ValueError(f"method must be one of {', '.join(_known())}, got {method!r}")
    x, stages = as_input(x), _several(method, stage) if method in SEVERAL else [stage]
    splits = tuple(Split(*map(as_pytree, split(model, one))) for one in stages)
    arrays = {name: value for name, value in options.items() if _is_array(value)}
    rest = tuple((name, value) for name, value in options.items() if name not in arrays)
    run = _raw if method in STEPPED else _compiled
    raw = run(splits, x, _checked(target, splits[0], x), arrays, method=method, options=rest)
    if size == "input":
        size = None if method in INPUT_METHODS else _input_size(x, raw)
    return _finished(raw, size=size, rectify=rectify, normalise=normalise, order=order)


def _known() -> tuple[str, ...]:
    return (*METHODS, *INPUT_METHODS, *SEVERAL)


def _several(method: str, stage: Any) -> Sequence[Any]:
    if not isinstance(stage, Sequence) or isinstance(stage, str) or not stage:
        raise ValueError(f"{method} needs a sequence of stages, got {stage!r}")
    return stage


def _is_array(value: Any) -> bool:
    return isinstance(value, jax.Array | np.ndarray)


def _checked(target: Target, halves: Split, x: Any) -> Any:
    """The target as an argument of compiled programs, its classes checked while they are known."""
    if target is None:
        return None
    if callable(target):
        return as_pytree(target)
    batch, *rest = _logits.eval_shape(halves, x).shape
    number = max((2, *rest)) if len(rest) < 2 else 0
    return classes(target, batch, number)


@jax.jit
def _logits(halves: Split, x: Any) -> Array:
    return halves.head(halves.features(x))


def _raw(
    splits: tuple[Split, ...], x: Any, target: Any, arrays: Any, *, method: str, options: Any
) -> Any:
    named = {**arrays, **dict(options)}
    if method in SEVERAL:
        return SEVERAL[method](splits, x, target, **named)
    found = METHODS.get(method) or INPUT_METHODS[method]
    return found(*splits[0], x, target, **named)


_compiled = jax.jit(_raw, static_argnames=("method", "options"))


def _input_size(x: Any, raw: Array) -> tuple[int, ...]:
    """The spatial size of the inputs that have the map's axes."""
    sizes = {leaf.shape[1:-1] for leaf in jax.tree.leaves(x) if leaf.ndim == raw.ndim + 1}
    if len(sizes) != 1:
        raise ValueError(
            f"maps with {raw.ndim - 1} spatial axes cannot take the size of inputs of sizes "
            f"{sorted(sizes)}: name a size, or None for the layer's own"
        )
    return sizes.pop()


@partial(jax.jit, static_argnames=("size", "rectify", "normalise", "order"))
def _finished(raw: Any, **options: Any) -> Any:
    return jax.tree.map(lambda maps: finish(maps, **options), raw)
