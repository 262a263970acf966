"""Where a traced function has a ReLU or a max pooling."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.extend.core import JaxprEqn
from jax.extend.core import Literal as Constant

from neurons.explain.pool_rules import Window

INLINED = ("jit", "pjit", "closed_call", "core_call")
# ReLU6 inside these is arithmetic, not a gate: x ReLU6(x + 3) / 6.
_SMOOTH = ("hard_sigmoid", "hard_silu", "hard_swish")
# max(x, 0) inside these is the stable way to write a smooth function with its own derivative.
_OWN = ("logaddexp", "logaddexp2")
_SAME_VALUES = ("convert_element_type", "broadcast_in_dim", "reshape", "squeeze", "copy")
_SCALING = (*_SAME_VALUES, "div", "mul")


class Place(NamedTuple):
    """A ReLU or a max pooling.

    Args:
        kind: which of the two.
        source: the variable that is the place's input.
        ceiling: where the ReLU is cut off from above (6 in ReLU6), None if nowhere.
        window: of the pooling.
    """

    kind: Literal["relu", "pool"]
    source: Any
    ceiling: float | None = None
    window: Window | None = None


class Reading:
    """What the equations of one jaxpr mean.

    Args:
        jaxpr: open or closed.
        zeros: for every input whether it is known to be zero everywhere.
    """

    def __init__(self, jaxpr: Any, zeros: Sequence[bool] = ()) -> None:
        self.jaxpr, self.constants = opened(jaxpr)
        pairs = zip(self.jaxpr.invars, zeros, strict=False)
        self._zeros = {variable for variable, zero in pairs if zero}
        named = zip(self.jaxpr.constvars, self.constants, strict=False)
        self._zeros |= {variable for variable, value in named if _scalar_zero(value)}
        self._made: dict[Any, JaxprEqn] = {}
        for equation in self.jaxpr.eqns:
            self._made |= dict.fromkeys(equation.outvars, equation)
            self._zeros |= set(self._zero_outputs(equation))

    def zero(self, atom: Any) -> bool:
        """Whether `atom` is known to be zero everywhere."""
        if isinstance(atom, Constant):
            return _scalar_zero(atom.val)
        return atom in self._zeros

    def zeros(self, equation: JaxprEqn) -> list[bool]:
        """The same of an equation's inputs, as its inner jaxpr meets them."""
        found = [self.zero(atom) for atom in equation.invars]
        if equation.primitive.name == "cond":
            return found[1:]
        return [] if equation.primitive.name == "scan" else found

    def place(self, equation: JaxprEqn) -> Place | None:
        """The ReLU or max pooling that the equation is, if it is one; never of integers."""
        name = equation.primitive.name
        if not all(_floats(variable) for variable in equation.outvars):
            return None
        if name == "max":
            return self._clamp(equation)
        if name == "custom_jvp_call":
            return self._activation(equation)
        if name == "reduce_window_max":
            return Place("pool", equation.invars[0], window=_window(equation.params))
        return self._folded_pool(equation) if name == "reduce_max" else None

    def kinds(self) -> set[str]:
        """Which kinds of place the jaxpr holds, at any depth, those left alone excepted."""
        found: set[str] = set()
        for equation in self.jaxpr.eqns:
            place = self.place(equation)
            if place is not None:
                found.add(place.kind)
            elif not left_alone(equation):
                for inner in inner_jaxprs(equation):
                    found |= Reading(inner, self.zeros(equation)).kinds()
        return found

    def _clamp(self, equation: JaxprEqn) -> Place | None:
        """max(x, 0) or max(0, x), unless x is a variance that rounding may make negative."""
        zeros = [self.zero(atom) for atom in equation.invars]
        if not any(zeros) or all(zeros):
            return None
        source = equation.invars[zeros.index(False)]
        return None if self._variance(source) else Place("relu", source)

    def _activation(self, equation: JaxprEqn) -> Place | None:
        """jax.nn.relu and relu6, whose derivative at the kinks is their own."""
        inner = Reading(next(iter(inner_jaxprs(equation))), self.zeros(equation))
        while len(inner.jaxpr.eqns) == 1 and inner.jaxpr.eqns[0].primitive.name in INLINED:
            call = inner.jaxpr.eqns[0]
            inner = Reading(next(iter(inner_jaxprs(call))), inner.zeros(call))
        names = [step.primitive.name for step in inner.jaxpr.eqns]
        if names not in (["max"], ["max", "min"]):
            return None
        if inner._clamp(inner.jaxpr.eqns[0]) is None:
            return None
        place = Place("relu", equation.invars[0])
        if len(names) == 1:
            return place
        bounds = [a.val for a in inner.jaxpr.eqns[1].invars if isinstance(a, Constant)]
        return place._replace(ceiling=float(bounds[0])) if bounds else None

    def _folded_pool(self, equation: JaxprEqn) -> Place | None:
        """x.reshape(..., size / k, k, ...).max(axis), a max pooling over windows side by side."""
        fold, axes = self._maker(equation.invars[0]), equation.params["axes"]
        if fold is None or fold.primitive.name != "reshape":
            return None
        source, folded = fold.invars[0], _shape(fold.outvars[0])
        shape: list[int] = []
        size: list[int] = []
        for axis, length in enumerate(folded):
            if axis not in axes:
                shape.append(length)
                size.append(1)
            elif axis > 1 and axis - 1 not in axes:  # axis 0 holds the samples
                shape[-1], size[-1] = shape[-1] * length, length
            else:
                return None
        if tuple(shape) != _shape(source):
            return None
        ones, free = (1,) * len(shape), ((0, 0),) * len(shape)
        return Place("pool", source, window=Window(tuple(size), tuple(size), free, ones))

    def _variance(self, atom: Any) -> bool:
        """E[x^2] - E[x]^2, as normalisations compute it."""
        difference = self._maker(atom)
        if difference is None or difference.primitive.name != "sub":
            return False
        squared = self._maker(difference.invars[1])
        if squared is None or not _square(squared):
            return False
        mean: JaxprEqn | None = squared
        while mean is not None and mean.primitive.name != "reduce_sum":
            scaled = mean is squared or mean.primitive.name in _SCALING
            mean = self._maker(mean.invars[0]) if scaled else None
        return mean is not None

    def _maker(self, atom: Any) -> JaxprEqn | None:
        return None if isinstance(atom, Constant) else self._made.get(atom)

    def _zero_outputs(self, equation: JaxprEqn) -> list[Any]:
        name = equation.primitive.name
        if name in _SAME_VALUES:
            return list(equation.outvars) if self.zero(equation.invars[0]) else []
        if name not in INLINED:
            return []
        inner = Reading(next(iter(inner_jaxprs(equation))), self.zeros(equation))
        pairs = zip(equation.outvars, inner.jaxpr.outvars, strict=True)
        return [outer for outer, own in pairs if inner.zero(own)]


def opened(jaxpr: Any) -> tuple[Any, list[Any]]:
    """The open jaxpr and its constants, of an open or a closed one."""
    return getattr(jaxpr, "jaxpr", jaxpr), list(getattr(jaxpr, "consts", ()))


def inner_jaxprs(equation: JaxprEqn) -> list[Any]:
    """The jaxprs among an equation's parameters."""
    found = []
    for value in equation.params.values():
        parts = value if isinstance(value, tuple) else (value,)
        found += [part for part in parts if hasattr(part, "eqns")]
    return found


def left_alone(equation: JaxprEqn) -> bool:
    """Whether a maximum inside the equation is arithmetic, not an activation."""
    kind, name = equation.primitive.name, called(equation)
    return name in _OWN if kind == "custom_jvp_call" else kind in INLINED and name in _SMOOTH


def called(equation: JaxprEqn) -> str:
    """Name of the function that an equation calls, empty if it does not know."""
    if "name" in equation.params:
        return str(equation.params["name"])
    inner = opened(equation.params.get("call_jaxpr"))[0]
    source = getattr(getattr(inner, "debug_info", None), "func_src_info", None) or ""
    return str(source).split(" at ")[0]


def _window(params: dict[str, Any]) -> Window:
    if any(step != 1 for step in params["base_dilation"]):
        raise ValueError(f"no rule for a max pooling of a dilated input: {params['base_dilation']}")
    return Window(
        tuple(params["window_dimensions"]),
        tuple(params["window_strides"]),
        tuple((low, high) for low, high in params["padding"]),
        tuple(params["window_dilation"]),
    )


def _floats(atom: Any) -> bool:
    return bool(jnp.issubdtype(getattr(atom.aval, "dtype", jnp.int32), jnp.floating))


def _shape(atom: Any) -> tuple[int, ...]:
    return tuple(atom.aval.shape)


def _square(equation: JaxprEqn) -> bool:
    name = equation.primitive.name
    if name == "mul":
        return equation.invars[0] is equation.invars[1]
    return name == "square" or (name == "integer_pow" and equation.params["y"] == 2)


def _scalar_zero(value: Any) -> bool:
    if isinstance(value, Tracer) or np.ndim(value) or not _number(value):
        return False
    return bool(np.asarray(value) == 0)  # not in JAX: inside jit even constants are traced


def _number(value: Any) -> bool:
    """Whether NumPy knows the type, which for random keys it does not."""
    return isinstance(getattr(value, "dtype", np.dtype(float)), np.dtype)
