"""What a formula is made of: operators with their NumPy, JAX and sympy forms."""

import keyword
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import expit

RESERVED = ("x", "constant")  # the variable, and what complexities call a number


@dataclass(frozen=True)
class Operator:
    """One operator of a formula.

    Args:
        name: how it is written, `"sin"` or `"+"`; the name of a function is an identifier.
        arity: 1 or 2 arguments.
        jax: the function on JAX arrays, element by element.
        sympy: the name of sympy's function, or a function of sympy expressions; `None` for an
            operator that sympy shows as an undefined function of this name.
        numpy: the function on NumPy arrays; by default the JAX function in float64.
        complexity: nodes it counts as, at least 1.

    Raises:
        ValueError: for a name that is no identifier or is reserved, another arity, or a
            complexity below 1.

    Example:
        >>> Operator("cube", 1, lambda x: x**3, lambda x: x**3).numpy(np.array([2.0]))
        array([8.])
    """

    name: str
    arity: int
    jax: Callable[..., Any]
    sympy: str | Callable[..., Any] | None = None
    numpy: Callable[..., Any] = None  # type: ignore[assignment]  # filled in below
    complexity: int = 1

    def __post_init__(self) -> None:
        if self.name not in _SIGNS and not _is_free_name(self.name):
            raise ValueError(
                "an operator's name is an ASCII identifier, no keyword of Python, and not "
                f"{' or '.join(map(repr, RESERVED))}, got {self.name!r}"
            )
        if self.arity not in (1, 2):
            raise ValueError(f"operator {self.name}: arity is 1 or 2, got {self.arity}")
        if self.complexity < 1:
            raise ValueError(f"operator {self.name}: complexity >= 1, got {self.complexity}")
        if self.numpy is None:
            object.__setattr__(self, "numpy", _ThroughJax(self.jax))


def _is_free_name(name: str) -> bool:
    """Whether the parser can read it as a function's name."""
    readable = name.isidentifier() and name.isascii() and not keyword.iskeyword(name)
    return readable and name not in RESERVED


@dataclass(frozen=True)
class _ThroughJax:
    """A JAX function on NumPy arrays, in float64."""

    function: Callable[..., Any]

    def __call__(self, *values: Any) -> np.ndarray:
        with jax.enable_x64(True):
            return np.asarray(self.function(*(jnp.asarray(value) for value in values)))


def power(base: Any, exponent: Any) -> Any:
    """`base ** exponent`; whole exponents by products, twenty times faster than `numpy.power`."""
    if not isinstance(exponent, int):
        return base**exponent
    if exponent < 0:
        return 1.0 / power(base, -exponent)
    half = power(base, exponent // 2) if exponent > 1 else None
    if half is None:
        return base if exponent else base * 0 + 1.0
    return half * half * base if exponent % 2 else half * half


def _power_on_numpy(base: Any, exponent: Any) -> Any:
    """Python's own `0.0**-1` raises and `(-1.0)**0.5` is complex: NumPy's give inf and NaN."""
    return power(np.float64(base) if isinstance(base, float | int) else base, exponent)


def _power_on_jax(base: Any, exponent: Any) -> Any:
    if isinstance(base, float | int) and isinstance(exponent, float | int):
        return float(_power_on_numpy(base, exponent))
    return power(base, exponent)


_SIGNS = ("+", "-", "*", "/", "**")
_BUILT_IN = (
    Operator("+", 2, jnp.add, lambda a, b: a + b, np.add),
    Operator("-", 2, jnp.subtract, lambda a, b: a - b, np.subtract),
    Operator("*", 2, jnp.multiply, lambda a, b: a * b, np.multiply),
    Operator("/", 2, jnp.divide, lambda a, b: a / b, np.divide),
    Operator("**", 2, _power_on_jax, lambda a, b: a**b, _power_on_numpy),
    Operator("neg", 1, jnp.negative, lambda a: -a, np.negative),
    Operator("sqrt", 1, jnp.sqrt, "sqrt", np.sqrt),
    Operator("abs", 1, jnp.abs, "Abs", np.abs),
    Operator("exp", 1, jnp.exp, "exp", np.exp),
    Operator("log", 1, jnp.log, "log", np.log),
    Operator("sin", 1, jnp.sin, "sin", np.sin),
    Operator("cos", 1, jnp.cos, "cos", np.cos),
    Operator("tan", 1, jnp.tan, "tan", np.tan),
    Operator("atan", 1, jnp.arctan, "atan", np.arctan),
    Operator("sinh", 1, jnp.sinh, "sinh", np.sinh),
    Operator("cosh", 1, jnp.cosh, "cosh", np.cosh),
    Operator("tanh", 1, jnp.tanh, "tanh", np.tanh),
    Operator("sigmoid", 1, jax.nn.sigmoid, None, expit),
    Operator("relu", 1, jax.nn.relu, None, lambda a: np.maximum(a, 0.0)),
    Operator("sign", 1, jnp.sign, "sign", np.sign),
    Operator("max", 2, jnp.maximum, "Max", np.maximum),
    Operator("min", 2, jnp.minimum, "Min", np.minimum),
)
OPERATORS: Mapping[str, Operator] = MappingProxyType({op.name: op for op in _BUILT_IN})


def with_operators(custom: Iterable[Operator]) -> Mapping[str, Operator]:
    """The built-in operators and some more.

    Raises:
        ValueError: for a name that is taken.
    """
    table = dict(OPERATORS)
    for operator in custom:
        if operator.name in table:
            raise ValueError(f"there is an operator {operator.name!r} already")
        table[operator.name] = operator
    return MappingProxyType(table)
