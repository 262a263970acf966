"""Networks whose backward pass follows other rules, whatever code they are written in.

A function is traced, its ReLUs and max poolings are found in the trace, and each is replaced by
one with the same values and another gradient: guided backpropagation, deconvnet, filtered
gradients, continuous gradients. No network has to be built for it.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
from jax.extend.core import JaxprEqn
from jax.extend.core import Literal as Constant

from neurons.explain.jaxpr_places import (
    INLINED,
    Place,
    Reading,
    called,
    inner_jaxprs,
    left_alone,
    opened,
)
from neurons.explain.pool_rules import PoolRule as PoolRule
from neurons.explain.pool_rules import Window as Window
from neurons.explain.pool_rules import bilinear as bilinear
from neurons.explain.pool_rules import pool as _pool
from neurons.explain.pool_rules import softmax as softmax
from neurons.explain.pool_rules import uniform as uniform
from neurons.explain.relu_rules import ReluRule as ReluRule
from neurons.explain.relu_rules import deconvnet as deconvnet
from neurons.explain.relu_rules import gate
from neurons.explain.relu_rules import guided as guided
from neurons.explain.relu_rules import soft as soft
from neurons.explain.relu_rules import truncated as truncated

# They run the jaxprs among their parameters as they are, and differentiate them by themselves.
_RETRACED = ("remat2", "checkpoint", "cond", "scan")
_NAMES = {"relu": "ReLU", "pool": "max pooling"}


class _Rules(NamedTuple):
    relu: ReluRule | None
    pool: PoolRule | None
    met: set[str]

    def wants(self, kind: str) -> bool:
        return (self.relu if kind == "relu" else self.pool) is not None


def rewrite(
    f: Callable[..., Any],
    *,
    relu: ReluRule | None = None,
    pool: PoolRule | None = None,
    require: bool = False,
) -> Callable[..., Any]:
    """The function `f` with other gradients at its ReLUs and max poolings.

    Found are `jax.nn.relu`, `relu6`, `max(x, 0)` in either order, also as the lower end of a clip,
    and max poolings over windows (`nnx.max_pool`, `lax.reduce_window` with maximum, and
    `x.reshape(..., size // k, k, ...).max(axis)`), in `f` and in whatever it calls: jit, remat,
    cond, scan. Left alone are the maxima inside smooth functions (softplus, hard-swish), the
    clipped variance of a normalisation, the maximum over a whole axis, and integers. Not found is
    a ReLU spelled by a comparison, `jnp.where(x > 0, x, 0)`.

    Args:
        f: a function of arrays and pytrees of arrays; a network closed over will do.
        relu: `relu(u, R) -> R'`: :func:`guided`, :func:`deconvnet`, :class:`truncated`,
            :class:`soft` or your own; None keeps ReLU's gradient.
        pool: `pool(u, R, window) -> R'`: :func:`uniform`, :func:`bilinear`, :class:`softmax` or
            your own; None keeps max pooling's.
        require: whether a rule without a place to act on is an error.

    Returns:
        A function with the values of `f`. Rules with quantiles take the first axis for samples.

    Raises:
        ValueError: when called, if `require` and a rule finds no place.
        NotImplementedError: when called, if a ReLU or max pooling lies inside a primitive that
            hides it (a while loop, a function with its own derivative); it names the primitive.

    Example:
        >>> import jax.numpy as jnp
        >>> steep = rewrite(lambda x: -jax.nn.relu(x), relu=guided)
        >>> jax.grad(lambda x: steep(x).sum())(jnp.array([1.0, -1.0])).tolist()
        [0.0, 0.0]
    """

    def rewritten(*args: Any) -> Any:
        traced, shapes = jax.make_jaxpr(f, return_shape=True)(*args)
        rules = _Rules(relu, pool, set())
        results = _evaluate(traced, jax.tree.leaves(args), rules)
        if require:
            _check_met(rules)
        return jax.tree.unflatten(jax.tree.structure(shapes), results)

    return rewritten


def _evaluate(
    jaxpr: Any, args: Sequence[Any], rules: _Rules, zeros: Sequence[bool] = ()
) -> list[Any]:
    """Run the jaxpr with the rules in place."""
    reading = Reading(jaxpr, zeros)
    values = dict(zip(reading.jaxpr.constvars, reading.constants, strict=True))
    values |= dict(zip(reading.jaxpr.invars, args, strict=True))

    def read(atom: Any) -> Any:
        return atom.val if isinstance(atom, Constant) else values[atom]

    for equation in reading.jaxpr.eqns:
        with equation.ctx.manager:
            outputs = _run(equation, read, reading, rules)
        values |= dict(zip(equation.outvars, outputs, strict=True))
    return [read(atom) for atom in reading.jaxpr.outvars]


def _run(
    equation: JaxprEqn, read: Callable[[Any], Any], reading: Reading, rules: _Rules
) -> Sequence[Any]:
    place = reading.place(equation)
    if place is not None and rules.wants(place.kind):
        return [_replaced(place, read(place.source), rules)]
    inputs = [read(atom) for atom in equation.invars]
    inner = inner_jaxprs(equation)
    if place is not None or not inner or left_alone(equation):
        return _bind(equation, inputs, equation.params)
    zeros, name = reading.zeros(equation), equation.primitive.name
    if name in INLINED:
        return _evaluate(inner[0], inputs, rules, zeros)
    hidden = {kind for part in inner for kind in Reading(part, zeros).kinds() if rules.wants(kind)}
    if not hidden:
        return _bind(equation, inputs, equation.params)
    if name not in _RETRACED:
        raise NotImplementedError(_hidden_in(equation, hidden))
    return _bind(equation, inputs, _retraced(equation.params, rules, zeros))


def _replaced(place: Place, u: Any, rules: _Rules) -> Any:
    rules.met.add(place.kind)
    if place.kind == "relu":
        return gate(rules.relu, place.ceiling, u)
    return _pool(rules.pool, place.window, u)


def _bind(equation: JaxprEqn, inputs: list[Any], params: dict[str, Any]) -> Sequence[Any]:
    primitive = equation.primitive
    found = primitive.bind(*inputs, **primitive.get_bind_params(params))
    return found if primitive.multiple_results else [found]


def _retraced(params: dict[str, Any], rules: _Rules, zeros: Sequence[bool]) -> dict[str, Any]:
    """The parameters of a primitive with its jaxprs rewritten."""

    def renew(part: Any) -> Any:
        if isinstance(part, tuple):
            return tuple(renew(entry) for entry in part)
        return _rewritten_jaxpr(part, rules, zeros) if hasattr(part, "eqns") else part

    return {name: renew(value) for name, value in params.items()}


def _rewritten_jaxpr(jaxpr: Any, rules: _Rules, zeros: Sequence[bool]) -> Any:
    avals = [
        jax.ShapeDtypeStruct(v.aval.shape, v.aval.dtype, weak_type=v.aval.weak_type)
        for v in opened(jaxpr)[0].invars
    ]
    found = jax.make_jaxpr(lambda *inputs: _evaluate(jaxpr, inputs, rules, zeros))(*avals)
    return found if hasattr(jaxpr, "jaxpr") else opened(found)[0]


def _hidden_in(equation: JaxprEqn, kinds: set[str]) -> str:
    where = f"{equation.primitive.name} {called(equation)}".strip()
    what = " and a ".join(_NAMES[kind] for kind in sorted(kinds))
    return (
        f"a {what} lies inside {where}, whose gradient is its own: the rule cannot reach it. "
        "Write that part of the network without it."
    )


def _check_met(rules: _Rules) -> None:
    missed = [kind for kind in ("relu", "pool") if rules.wants(kind) and kind not in rules.met]
    if missed:
        what = " and ".join(_NAMES[kind] for kind in missed)
        raise ValueError(f"the rule for {what} finds nothing to act on: the function has none")
