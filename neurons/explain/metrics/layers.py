"""The layers of a network by name and in the order of use, and how to exchange some of them."""

from collections.abc import Iterable
from typing import Any

import jax
import numpy as np
from flax import nnx
from jax.extend.core import ClosedJaxpr, Jaxpr, Var

from neurons.options import require

Path = tuple[Any, ...]


def layer_names(model: Any) -> tuple[str, ...]:
    """Names of all modules that own parameters, as "parts.0.conv", in the network's own order.

    Raises:
        ValueError: for a network without parameters.
    """
    names = dict.fromkeys(_owner(path) for path, _ in _parameters(model))
    if not names:
        raise ValueError(f"{type(model).__name__} has no parameters")
    return tuple(names)


def layers_by_use(model: Any, x: Any, *, depth: int | None = None) -> tuple[str, ...]:
    """Names of the layers in the order in which `model(x)` first uses their parameters.

    Layers that it does not use are left out.

    Args:
        model: an `nnx.Module` that can be called.
        x: its input; nothing is computed.
        depth: cut names after so many parts, so that blocks count as one layer: with 2,
            "parts.0.conv" becomes "parts.0".

    Raises:
        ValueError: for a network without parameters, or a depth below 1.

    Example:
        >>> rngs = nnx.Rngs(0)
        >>> net = nnx.Sequential(nnx.Linear(2, 3, rngs=rngs), nnx.Linear(3, 1, rngs=rngs))
        >>> layers_by_use(net, np.ones((1, 2), np.float32))
        ('layers.0', 'layers.1')
    """
    layer_names(model)
    if depth is not None:
        require("depth", depth)
    graph, parameters, rest = nnx.split(model, nnx.Param, ...)  # type: ignore[misc]
    leaves, tree = jax.tree.flatten(parameters)

    def run(leaves: list[Any], x: Any) -> Any:
        return nnx.merge(graph, jax.tree.unflatten(tree, leaves), rest, copy=True)(x)

    traced = jax.make_jaxpr(run)(leaves, x).jaxpr
    paths = [path for path, _ in _parameters(model)]
    watched = dict(zip(traced.invars, paths, strict=False))
    names = (_owner(path).split(".")[:depth] for path in _uses(traced, watched))
    return tuple(dict.fromkeys(".".join(parts) for parts in names))


def shuffled(model: Any, seed: int) -> Any:
    """A copy whose every parameter has its own values in random order."""
    rng = np.random.default_rng(seed)
    copied = nnx.clone(model)
    for _, parameter in _parameters(copied):
        values = np.asarray(parameter[...])
        parameter[...] = jax.numpy.asarray(rng.permutation(values.ravel()).reshape(values.shape))
    return copied


def exchanged(model: Any, other: Any, names: Iterable[str]) -> Any:
    """A copy of the network with the parameters of some layers taken from another.

    Args:
        model: left as it was.
        other: a network of the same structure.
        names: of the layers, or of blocks: "parts.0" stands for all layers inside.

    Raises:
        ValueError: for a layer that does not exist, or networks of different structure.
    """
    wanted, known = tuple(names), layer_names(model)
    unknown = [name for name in wanted if not any(_inside(one, name) for one in known)]
    if unknown:
        raise ValueError(f"unknown layers {unknown}, known are {list(known)}")
    copied = nnx.clone(model)
    mine, theirs = _parameters(copied), dict(_parameters(other))
    if {path: p.shape for path, p in mine} != {path: p.shape for path, p in theirs.items()}:
        raise ValueError("the fresh network must have parameters of the same names and shapes")
    for path, parameter in mine:
        if any(_inside(_owner(path), name) for name in wanted):
            parameter[...] = theirs[path][...]
    return copied


def _parameters(model: Any) -> list[tuple[Path, Any]]:
    """Paths and parameters; the variables are the model's own."""
    return list(nnx.to_flat_state(nnx.state(model, nnx.Param)))


def _owner(path: Path) -> str:
    return ".".join(str(part) for part in path[:-1]) or "self"


def _inside(layer: str, name: str) -> bool:
    return layer == name or layer.startswith(f"{name}.")


def _uses(jaxpr: Jaxpr, watched: dict[Var, Path]) -> list[Path]:
    """Watched variables in the order of the equations that read them."""
    found: list[Path] = []
    for equation in jaxpr.eqns:
        read = [watched.get(v) if isinstance(v, Var) else None for v in equation.invars]
        inner = _inner(equation.params, len(read))
        if inner is None:
            found += [path for path in read if path is not None]
        else:
            pairs = zip(inner.invars, read, strict=True)
            found += _uses(inner, {v: path for v, path in pairs if path is not None})
    return found


def _inner(parameters: dict[str, Any], arity: int) -> Jaxpr | None:
    """The function that an equation calls, where it takes the equation's own arguments."""
    for value in parameters.values():
        jaxpr = value.jaxpr if isinstance(value, ClosedJaxpr) else value
        if isinstance(jaxpr, Jaxpr) and len(jaxpr.invars) == arity:
            return jaxpr
    return None
