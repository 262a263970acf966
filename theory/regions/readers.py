"""Networks read from layers of modules and from scikit-learn's estimators."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from flax import nnx

import neurons as nr
from theory.piecewise import PiecewiseLinear
from theory.regions.activation import Activation
from theory.regions.network import PiecewiseAffine, from_layers

Which = str | PiecewiseLinear | Activation | Sequence


def from_modules(
    layers: Sequence[nnx.Linear | nr.Layer], activation: Which = "relu", slope: float = 0.01
) -> PiecewiseAffine:
    """A network from its linear layers; the activation comes between them.

    Args:
        layers: `nnx.Linear`, or `nr.Dense` of conventional neurons; with or without bias.
        activation: of all layers but the last, as in :func:`from_layers`.
        slope: of "leaky_relu" below zero.

    Raises:
        ValueError: for other layers or neurons, and what :func:`from_layers` raises.

    Example:
        >>> rngs = nnx.Rngs(0)
        >>> from_modules([nnx.Linear(3, 8, rngs=rngs), nnx.Linear(8, 2, rngs=rngs)]).hidden
        (8,)
    """
    arrays = [_arrays(layer) for layer in layers]
    return from_layers([w for w, _ in arrays], [b for _, b in arrays], activation, slope)


def _arrays(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(layer, nnx.Linear):
        kernel = np.asarray(layer.kernel[...], np.float64)
        none = np.zeros(kernel.shape[1])
        return kernel, none if layer.bias is None else np.asarray(layer.bias[...], np.float64)
    if isinstance(layer, nr.Dense) and layer.neuron is nr.conventional:
        return np.asarray(layer.weights("r"), np.float64), np.asarray(layer.offset("r"), np.float64)
    name = getattr(getattr(layer, "neuron", None), "name", "")
    raise ValueError(
        "layers must be nnx.Linear or nr.Dense of conventional neurons, got "
        f"{type(layer).__name__}{f' of {name} neurons' if name else ''}"
    )


def from_sklearn(model: Any, activation: Which | None = None) -> PiecewiseAffine:
    """A network from scikit-learn's `MLPClassifier` or `MLPRegressor`.

    The outputs are what enters the last logistic or softmax; a binary classifier has one, which is
    positive for its second class.

    Args:
        model: fitted, with `coefs_`, `intercepts_`, `activation`.
        activation: in place of the model's own, which must be "relu" or "identity" otherwise.

    Raises:
        ValueError: for a model that is not fitted, or with a smooth activation.
    """
    if not hasattr(model, "coefs_"):
        raise ValueError(
            f"needs a fitted MLPClassifier or MLPRegressor, got {type(model).__name__} without "
            "coefs_"
        )
    which = activation or model.activation
    return from_layers(model.coefs_, model.intercepts_, which)
