"""Counting multiplications in a function as JAX traces it, before XLA rearranges anything."""

import math
from collections.abc import Callable
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn


def count_multiplications(function: Callable[..., Any], *arguments: Any) -> int:
    """Multiplications that one call of `function` performs.

    Counted are products of two numbers: element-wise products and divisions, integer powers
    (p - 1 for the p-th), running products, and the terms of matrix products and convolutions.
    Transcendental functions count nothing; a `scan` counts its body times its length, a `cond`
    its costlier branch. Abstract arguments (`jax.ShapeDtypeStruct`) will do: nothing is computed.

    Args:
        function: anything JAX can trace.
        *arguments: of one call.

    Raises:
        ValueError: for a `while` loop, whose number of turns is not known beforehand.

    Example:
        >>> import jax.numpy as jnp
        >>> count_multiplications(lambda x, w: (x @ w) ** 2, jnp.ones((4, 3)), jnp.ones((3, 5)))
        80
    """
    return _of_jaxpr(jax.make_jaxpr(function)(*arguments).jaxpr)


def _of_jaxpr(jaxpr: Jaxpr) -> int:
    return sum(_of_equation(equation) for equation in jaxpr.eqns)


def _of_equation(equation: JaxprEqn) -> int:
    name, parameters = equation.primitive.name, equation.params
    size = math.prod(_shape(equation.outvars[0])) if equation.outvars else 0
    if name in ("mul", "div", "square"):
        return size
    if name == "integer_pow":
        return size * (abs(parameters["y"]) - 1)
    if name == "dot_general":
        (contracted, _), _ = parameters["dimension_numbers"]
        return size * math.prod(_shape(equation.invars[0])[axis] for axis in contracted)
    if name == "conv_general_dilated":
        kernel = _shape(equation.invars[1])
        outputs = kernel[parameters["dimension_numbers"].rhs_spec[0]]
        return size * math.prod(kernel) // outputs
    if name == "depthwise":  # of neurons.depthwise, a convolution too
        return size * math.prod(_shape(equation.invars[1])[:-1])
    if name in ("reduce_prod", "cumprod"):
        return math.prod(_shape(equation.invars[0])) - (size if name == "reduce_prod" else 0)
    if name == "while":
        raise ValueError("a while loop has no known number of turns: its products are uncountable")
    inner = [_of_jaxpr(jaxpr) for jaxpr in _inner(parameters)]
    if name == "cond":
        return max(inner)
    return sum(inner) * (parameters["length"] if name == "scan" else 1)


def _shape(variable: Any) -> tuple[int, ...]:
    return getattr(variable.aval, "shape", ())  # tokens and keys of effects have none


def _inner(parameters: dict[str, Any]) -> list[Jaxpr]:
    """The programs an operation calls; a custom derivative rule is not one of them."""
    found = []
    for name, value in parameters.items():
        for one in value if isinstance(value, tuple | list) else (value,):
            if isinstance(one, ClosedJaxpr) and not name.startswith(("jvp", "fwd", "bwd")):
                found.append(one.jaxpr)
            elif isinstance(one, Jaxpr):
                found.append(one)
    return found
