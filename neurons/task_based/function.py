"""A formula as a function of JAX arrays."""

from dataclasses import dataclass

import jax.numpy as jnp
from jax import Array
from jaxtyping import ArrayLike, Float

from neurons.task_based.expression import Expression, Token, run


@dataclass(frozen=True)
class JaxFunction:
    """The formula, element by element, differentiable and compilable.

    Constants are Python's floats, so that the input's precision is the output's, float32 under
    strict promotion too; parts without `x` are computed beforehand, in float64. Equal formulas give
    equal functions: a `jax.jit` that takes one as a static argument compiles once.

    Args:
        expression: the formula.

    Example:
        >>> import jax
        >>> f = Expression.parse("sin(x) + x**2").to_jax()
        >>> float(jax.grad(f)(0.0))
        1.0
    """

    expression: Expression

    def __call__(self, x: ArrayLike) -> Float[Array, "..."]:
        """Values at `x`, any shape; whole numbers are read as floats; NaN outside the domain."""
        at = jnp.asarray(x)
        if not jnp.issubdtype(at.dtype, jnp.inexact):
            at = at.astype(jnp.result_type(float))
        postfix = constants_folded(self.expression)
        if "x" not in postfix:
            return jnp.full_like(at, float(postfix[0]))
        return run(postfix, at, operators=self.expression.operators, library="jax")


def constants_folded(expression: Expression) -> tuple[Token, ...]:
    """The postfix with every part that has no `x` replaced by its value."""
    stack: list[tuple[Token, ...]] = []
    for token in expression.postfix:
        if not isinstance(token, str) or token == "x":
            stack.append((token,))
            continue
        arity = expression.operators[token].arity
        whole = (*(t for argument in stack[-arity:] for t in argument), token)
        del stack[-arity:]
        fixed = "x" not in whole
        stack.append((float(Expression(whole, expression.operators)(0.0)),) if fixed else whole)
    return stack.pop()
