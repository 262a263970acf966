"""ReLinear: let the higher-order part of a neuron grow slowly out of the conventional one.

Every parameter of a `neurons.Layer` carries its branch's `group` and the `anchor` at which the
branch is silent. The transformations below read them from the parameters' own metadata, so they
work on any model, and do nothing to parameters that carry none (biases of a linear head,
normalisation, ...). They are plain optax transformations: chain, schedule and inject as usual.

References:
    F.-L. Fan, M. Li, F. Wang, R. Lai, G. Wang, On Expressivity and Trainability of Quadratic
    Networks, arXiv 2110.06081 (variants "shrinking gradients" and "shrinking weights").
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax import Array

Scale = float | Mapping[str, float]


class RelinearState(NamedTuple):
    """State of :func:`relinear`: the scale of each group, and the inner transformation's state."""

    relinear_scale: Any
    inner: Any


def relinear(tx: optax.GradientTransformation, scale: Scale) -> optax.GradientTransformation:
    """Let grown parameters learn at `scale` times the rate of the others.

    The updates of `tx` are multiplied by `scale` for every group but "linear": for any optimizer
    this is what a parameter group with learning rate `scale * rate` does, decoupled weight decay
    included. A scale of 0 also hides the group's gradients from `tx`, so that global-norm clipping
    sees what it would see in the conventional network, and training is bit for bit conventional.

    Args:
        tx: the optimizer of all parameters.
        scale: one number of at least 0 for every grown group, or one per group name
            (`{"product": 1e-3, "power": 1e-4}`; groups left out keep 1). It lives in the state as
            `relinear_scale` and can be set there without recompiling.

    Returns:
        An optax transformation, to be initialised with `nnx.state(model, nnx.Param)`.

    Raises:
        ValueError: for a negative or non-finite scale, or a group named "linear"; on `init` for a
            named group that no parameter belongs to.
        TypeError: on `init` with bare arrays, which carry no groups.

    Example:
        >>> tx = relinear(optax.adam(1e-2), scale=1e-3)
    """
    named = dict(scale) if isinstance(scale, Mapping) else {}
    checked = dict(scale) if isinstance(scale, Mapping) else {"every group": scale}
    for group, value in checked.items():
        if group == "linear" or not 0 <= value < float("inf"):
            raise ValueError(
                f"scale needs finite values of at least 0 for groups other than 'linear', "
                f"got {group!r}: {value}"
            )

    def init(params: Any) -> RelinearState:
        _require_groups(params, *named)
        kept = jax.tree.map(lambda value: jnp.asarray(value, jnp.float32), named or scale)
        return RelinearState(kept, tx.init(params))

    def update(updates: Any, state: RelinearState, params: Any = None) -> tuple[Any, RelinearState]:
        if params is None:
            raise ValueError("relinear needs the parameters: tx.update(grads, state, params)")
        factors = state.relinear_scale

        def factor(group: str | None) -> Array | None:
            if group in (None, "linear"):
                return None
            return factors.get(group) if isinstance(factors, Mapping) else factors

        shown = _by_group(
            updates, params, factor, lambda u, f: jnp.where(f == 0, jnp.zeros_like(u), u)
        )
        found, inner = tx.update(shown, state.inner, params)
        scaled = _by_group(found, params, factor, lambda u, f: u * f.astype(u.dtype))
        return scaled, RelinearState(state.relinear_scale, inner)

    return optax.GradientTransformation(init, update)


def shrink_weights(rate: float) -> optax.GradientTransformation:
    """Pull grown parameters towards their anchors after each step (our reading of ReLinear^sw).

    `theta <- anchor + (1 - rate) (theta + update - anchor)`. Chain it after the optimizer.

    Args:
        rate: in [0, 1]; 0 changes nothing, 1 keeps the conventional network.

    Raises:
        ValueError: for a rate outside [0, 1].
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"rate must lie in [0, 1], got {rate}")
    return _towards_anchor(lambda distance: (1 - rate) * distance)


def clip_weights(bound: float) -> optax.GradientTransformation:
    """Keep grown parameters within `bound` of their anchors (our second reading of ReLinear^sw).

    `|theta - anchor| <= bound` after each step. Chain it after the optimizer.

    Raises:
        ValueError: for a negative bound.
    """
    if not bound >= 0:
        raise ValueError(f"bound must be at least 0, got {bound}")
    return _towards_anchor(lambda distance: jnp.clip(distance, -bound, bound))


def freeze(*groups: str) -> optax.GradientTransformation:
    """Stop the named groups, e.g. "product" and "power", or "linear". Chain it last.

    Parameters outside `neurons` layers belong to no group and go on learning.

    Raises:
        ValueError: without a group; on `init` for a group that no parameter belongs to.
    """
    if not groups:
        raise ValueError('freeze needs group names, e.g. freeze("product", "power")')
    return _stateless(
        groups,
        lambda updates, params: _by_group(
            updates,
            params,
            lambda group: True if group in groups else None,
            lambda u, _: jnp.zeros_like(u),
        ),
    )


def _towards_anchor(limit: Callable[[Array], Array]) -> optax.GradientTransformation:
    def move(update: nnx.Variable, param: nnx.Variable) -> nnx.Variable:
        if getattr(param, "group", None) in (None, "linear"):
            return update
        value, anchor = param[...], param.anchor
        return update.replace(anchor + limit(value + update[...] - anchor) - value)

    return _stateless(
        (), lambda updates, params: jax.tree.map(move, updates, params, is_leaf=_is_variable)
    )


def _stateless(
    groups: tuple[str, ...], change: Callable[[Any, Any], Any]
) -> optax.GradientTransformation:
    def init(params: Any) -> optax.EmptyState:
        _require_groups(params, *groups)
        return optax.EmptyState()

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        if params is None:
            raise ValueError("this transformation needs the parameters in tx.update")
        return change(updates, params), state

    return optax.GradientTransformation(init, update)


def _by_group(
    updates: Any,
    params: Any,
    factor: Callable[[str | None], Any],
    change: Callable[[Array, Any], Array],
) -> Any:
    """Change the updates of the groups for which `factor` is not None."""

    def visit(update: nnx.Variable, param: nnx.Variable) -> nnx.Variable:
        found = factor(getattr(param, "group", None))
        return update if found is None else update.replace(change(update[...], found))

    return jax.tree.map(visit, updates, params, is_leaf=_is_variable)


def _is_variable(node: Any) -> bool:
    return isinstance(node, nnx.Variable)


def _require_groups(params: Any, *named: str) -> None:
    leaves = jax.tree.leaves(params, is_leaf=_is_variable)
    if not all(_is_variable(leaf) for leaf in leaves):
        raise TypeError(
            "parameters carry no groups here: pass nnx.state(model, nnx.Param), not bare arrays"
        )
    known = {leaf.group for leaf in leaves if hasattr(leaf, "group")}
    if not known.issuperset(named):
        raise ValueError(f"the parameters have the groups {sorted(known)}, got {sorted(named)}")
