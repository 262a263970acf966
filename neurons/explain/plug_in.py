"""What a method with another gradient is plugged into: any map made of activations and gradients.

The maps of `neurons.explain.maps` know a network as `features` and `head` only, so that a head
whose backward pass is changed changes all of them: no method is written twice.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import jax
from jax import Array

from neurons.explain import maps
from neurons.explain.maps import Half
from neurons.explain.splitting import Beside

BASES: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "layer_cam": maps.layer_cam,
        "grad_cam": maps.grad_cam,
        "grad_cam_pp": maps.grad_cam_pp,
        "xgrad_cam": maps.xgrad_cam,
        "hires_cam": maps.hires_cam,
        "elementwise_cam": maps.elementwise_cam,
    }
)
"""The methods that a changed gradient plugs into, by name."""

Base = str | Callable[..., Any]


def base_method(base: Base) -> Callable[..., Any]:
    """The method of that name, or the method itself.

    Raises:
        ValueError: for a name that is not in `BASES`.
    """
    if callable(base):
        return base
    return chosen("base", base, BASES)


def chosen(label: str, name: str, known: Mapping[str, Any]) -> Any:
    """The entry of that name.

    Raises:
        ValueError: naming the option and what is allowed.
    """
    if name not in known:
        raise ValueError(f"{label} must be one of {', '.join(known)}, got {name!r}")
    return known[name]


def with_gradient(head: Half, rule: Callable[[Array], Array]) -> Half:
    """The head with `rule` applied to the gradient that arrives at the activations.

    Args:
        head: second half of a network, see :class:`neurons.explain.Split`.
        rule: `G -> G'`, of one shape, samples on the first axis; frozen or a plain function.

    Returns:
        A head of the same values.
    """

    def changed(given: Any) -> Any:
        if isinstance(given, Beside):
            return head(Beside(_through(rule, given.activations), given.rest))
        return head(_through(rule, given))

    return changed


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _through(rule: Callable[[Array], Array], activations: Array) -> Array:
    del rule
    return activations


def _forward(rule: Callable[[Array], Array], activations: Array) -> tuple[Array, None]:
    del rule
    return activations, None


def _backward(rule: Callable[[Array], Array], _: None, gradient: Array) -> tuple[Array]:
    return (rule(gradient),)


_through.defvjp(_forward, _backward)
