"""Weights under torchvision's names and in its layout: loaded into a network, and read off it."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from flax import nnx

from neurons.backbones.defect.blocks import ConvNorm
from neurons.backbones.defect.staged import StagedNet
from neurons.neuron import Branch, Neuron
from neurons.quadratic import conventional

COUNTERS = "num_batches_tracked"  # of batches seen in training; nothing reads them


class Slot(NamedTuple):
    """One array of a file: its name there, our variable, and the order of our axes in theirs."""

    name: str
    variable: nnx.Variable
    axes: tuple[int, ...]


def load(net: StagedNet, weights: Mapping[str, np.ndarray]) -> StagedNet:
    """Put arrays under torchvision's names into a network.

    Everything up to the last features must be there and fit. The classifier's arrays are taken if
    all of them fit, for example those of 1000 classes; else the head keeps its start, ready to be
    trained on other classes. A network for grey images (`channels=1`) takes the sum of the first
    kernel over its three colours: what the original sees where all three are equal.

    A neuron whose start is the conventional one gets the weights in that part of its formula, so
    that the network gives the file's outputs before it is trained.

    Args:
        net: from `resnet18`, `resnet34`, `vgg16` or `mobilenet_v2`; it is changed.
        weights: for example `neurons.data.read_torch(path)`.

    Returns:
        `net`.

    Raises:
        ValueError: for a missing or superfluous array, another shape, or a neuron that does not
            start as the conventional one.
    """
    slots = list(_slots(net))
    head = [slot for slot in slots if _in_head(slot.name)]
    body = [slot for slot in slots if not _in_head(slot.name)]
    _check_names({slot.name for slot in body}, weights)
    if any(slot.name not in weights or _shape(slot) != weights[slot.name].shape for slot in head):
        head = []
    first = body[0].name
    for slot in (*body, *head):
        value = weights[slot.name]
        if slot.name == first and net.channels == 1 and value.shape[1:2] == (3,):
            value = value.sum(axis=1, keepdims=True)
        _put(slot, value)
    for module in _convolutions(net):
        _silence_bias(module)
    return net


def to_torch(net: StagedNet) -> dict[str, np.ndarray]:
    """A network's arrays under torchvision's names and in its layout.

    The inverse of :func:`load` for conventional neurons; of another neuron, the weights of the
    branch that `load` fills.

    Raises:
        ValueError: for a neuron that does not start as the conventional one.
    """
    return {
        slot.name: np.transpose(np.asarray(slot.variable[...]), np.argsort(slot.axes))
        for slot in _slots(net)
    }


def _slots(net: StagedNet) -> Iterator[Slot]:
    for module in _convolutions(net):
        yield from _convolution(module)
    for name, linear in zip(net.out.names, net.out.layers, strict=True):
        for theirs, ours, axes in (("weight", "kernel", (1, 0)), ("bias", "bias", (0,))):
            yield Slot(f"{name}.{theirs}", getattr(linear, ours), axes)


def _convolutions(net: StagedNet) -> list[ConvNorm]:
    """In the order of the forward pass, but a shortcut's after its block's."""
    found: list[ConvNorm] = []

    def visit(module: nnx.Module) -> None:
        if isinstance(module, ConvNorm):
            found.append(module)
            return
        for child in _children(module):
            visit(child)

    for part in net.parts:
        visit(part)
    return found


def _children(module: nnx.Module) -> Iterator[nnx.Module]:
    for value in vars(module).values():
        if isinstance(value, nnx.List):
            yield from value
        elif isinstance(value, nnx.Module):
            yield value


def _convolution(module: ConvNorm) -> Iterator[Slot]:
    conv, names = module.conv, module.names
    branch = conventional_part(conv.neuron).name
    yield Slot(f"{names.conv}.weight", getattr(conv, f"kernel_{branch}"), (2, 3, 1, 0))
    if module.bias:
        yield Slot(f"{names.conv}.bias", getattr(conv, f"bias_{branch}"), (0,))
    if module.norm is None:
        return
    norm = module.norm
    ours = {"weight": "scale", "bias": "bias", "running_mean": "mean", "running_var": "var"}
    for name, our in ours.items():
        yield Slot(f"{names.norm}.{name}", getattr(norm, our), (0,))


def conventional_part(neuron: Neuron) -> Branch:
    """The branch that is the conventional neuron at the start, while the others are silent."""
    drawn = [b for b in neuron.branches if b.has_weights and b.anchor is None]
    starts = neuron is conventional or neuron.degenerate == conventional.name
    if not starts or len(drawn) != 1:
        raise ValueError(
            f"weights fit neurons that start as the conventional one; {neuron.name} does not"
        )
    return drawn[0]


def _silence_bias(module: ConvNorm) -> None:
    """Where torchvision's convolution has no bias, a neuron's own is none."""
    name = f"bias_{conventional_part(module.conv.neuron).name}"
    if not module.bias and hasattr(module.conv, name):
        bias = getattr(module.conv, name)
        bias[...] = jnp.zeros_like(bias[...])


def _in_head(name: str) -> bool:
    return name.split(".", 1)[0] in ("fc", "classifier")


def _shape(slot: Slot) -> tuple[int, ...]:
    return tuple(slot.variable.shape[axis] for axis in np.argsort(slot.axes))


def _check_names(needed: set[str], weights: Mapping[str, np.ndarray]) -> None:
    given = {name for name in weights if not (_in_head(name) or name.endswith(COUNTERS))}
    if missing := sorted(needed - given):
        raise ValueError(f"the weights lack {_few(missing)}")
    if other := sorted(given - needed):
        raise ValueError(f"the weights have {_few(other)}, which the network has not")


def _few(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _put(slot: Slot, value: np.ndarray) -> None:
    if value.shape != _shape(slot):
        raise ValueError(f"{slot.name}: expected shape {_shape(slot)}, got {value.shape}")
    slot.variable[...] = jnp.asarray(np.transpose(value, slot.axes), slot.variable.dtype)
