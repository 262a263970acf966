"""Published DINOv3 weights: their names in Hugging Face's and in Meta's layout, and a network.

Arrays come from a reader, `neurons.data.read_safetensors(path)` or `neurons.data.read_torch(path)`;
no framework is needed. Names with and without the prefix `model.` are the same.

References:
    Hugging Face transformers, `models/dinov3_vit` (checkpoint names); facebookresearch/dinov3,
    `layers/` (Meta's names).
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from flax import nnx

from neurons.backbones.defect.torch_names import conventional_part
from neurons.backbones.dino.variants import VARIANTS, Shape
from neurons.backbones.dino.vit import Block, Pool, VisionTransformer
from neurons.layer import Dense
from neurons.neuron import Neuron

Arrays = Mapping[str, np.ndarray]

PREFIX = "model."
META = {
    "cls_token": "embeddings.cls_token",
    "mask_token": "embeddings.mask_token",
    "storage_tokens": "embeddings.register_tokens",
    "patch_embed.proj": "embeddings.patch_embeddings",
    "attn.proj": "attention.o_proj",
    "ls1.gamma": "layer_scale1.lambda1",
    "ls2.gamma": "layer_scale2.lambda1",
    "mlp.fc1": "mlp.up_proj",
    "mlp.fc2": "mlp.down_proj",
    "mlp.w1": "mlp.gate_proj",
    "mlp.w2": "mlp.up_proj",
    "mlp.w3": "mlp.down_proj",
    "blocks.": "layer.",
}
UNUSED = ("rope_embed.periods", "head.")  # computed anew, or not of the backbone
WIDE_HEAD, HEAD = 4096, 64  # only the network of this width has heads of 128 channels


class Slot(NamedTuple):
    """One array of a file: its name, our variable, and our array made of theirs."""

    name: str
    variable: nnx.Variable
    kind: str = "same"


def dinov3(
    name: str | None = None,
    *,
    weights: Arrays | None = None,
    classes: int | None = None,
    pool: Pool = "class",
    neuron: Neuron | None = None,
    rngs: nnx.Rngs,
) -> VisionTransformer:
    """A published DINOv3 network, or one of the form that some weights have.

    Args:
        name: a key of :data:`neurons.backbones.dino.VARIANTS`; may be left out with weights.
        weights: arrays by name, see :func:`load`; without them parameters are random.
        classes: as for :class:`VisionTransformer`, like all that follow.
        pool: what the logits are made of.
        neuron: hidden neurons.
        rngs: stream `params`.

    Raises:
        ValueError: for an unknown name, neither a name nor weights, or weights that do not fit.
    """
    if name is not None and name not in VARIANTS:
        raise ValueError(f"networks are {', '.join(VARIANTS)}; got {name!r}")
    if name is None and weights is None:
        raise ValueError("a name or weights are needed to know the network's shape")
    shape = VARIANTS[name] if name else shape_of(weights or {})
    net = VisionTransformer(shape, classes=classes, pool=pool, neuron=neuron, rngs=rngs)
    return net if weights is None else load(net, weights)


def shape_of(weights: Arrays, heads: int | None = None) -> Shape:
    """The shape of the network that weights belong to.

    Args:
        weights: as for :func:`load`.
        heads: of the attention, which no array shows; by default heads of 64 channels, of 128 in
            the network with 4096 channels, as published.

    Raises:
        ValueError: for arrays that are no DINOv3 network's.
    """
    found = canonical(weights)
    try:
        kernel = found["embeddings.patch_embeddings.weight"]
        width, _, patch, _ = kernel.shape
        registers = found["embeddings.register_tokens"].size // width
        hidden = found["layer.0.mlp.up_proj.weight"].shape[0]
    except (KeyError, ValueError) as problem:
        raise ValueError(f"these are no arrays of a DINOv3 network: {problem}") from problem
    layers = 1 + max(int(n[1]) for n in map(re.compile(r"layer\.(\d+)\.").match, found) if n)
    return Shape(
        width,
        layers,
        heads or width // (2 * HEAD if width == WIDE_HEAD else HEAD) or 1,
        hidden,
        gated="layer.0.mlp.gate_proj.weight" in found,
        bias="layer.0.attention.q_proj.bias" in found,
        registers=registers,
        patch=patch,
    )


def load(net: VisionTransformer, weights: Arrays) -> VisionTransformer:
    """Put published weights into a network.

    All arrays must be there and fit, but the mask token, which only masked training reads. A
    classifier keeps its start. Hidden neurons that start as the conventional one get the weights
    in that part of their formula.

    Args:
        net: it is changed.
        weights: by name, in Hugging Face's layout with or without the prefix `model.`, or Meta's.

    Returns:
        `net`.

    Raises:
        ValueError: for a missing or superfluous array, or one of another shape.
    """
    found = canonical(weights)
    slots = list(_slots(net))
    optional = {"embeddings.mask_token"}
    missing = [s.name for s in slots if s.name not in found and s.name not in optional]
    surplus = sorted(set(found) - {slot.name for slot in slots})
    if missing or surplus:
        raise ValueError(
            f"missing: {', '.join(missing[:5]) or 'none'}; not in the network: "
            f"{', '.join(surplus[:5]) or 'none'} ({len(missing)} and {len(surplus)})"
        )
    values = {s.name: _ours(s, found[s.name]) for s in slots if s.name in found}
    for slot in slots:
        if slot.name in values:
            slot.variable[...] = jnp.asarray(values[slot.name], slot.variable[...].dtype)
    return net


def canonical(weights: Arrays) -> dict[str, np.ndarray]:
    """The arrays under Hugging Face's names, without the prefix `model.`."""
    plain = {name.removeprefix(PREFIX): value for name, value in weights.items()}
    if not any(name.startswith("blocks.") for name in plain):
        return plain
    found: dict[str, np.ndarray] = {}
    for name, value in plain.items():
        if ".attn.qkv." in name:
            found.update(_separate(name, value))
        elif not any(part in name for part in UNUSED):
            found[_renamed(name)] = value
    return found


def _renamed(name: str) -> str:
    for theirs, ours in META.items():
        name = name.replace(theirs, ours)
    return name


def _separate(name: str, value: np.ndarray) -> dict[str, np.ndarray]:
    """Meta keeps queries, keys and values in one array; its mask silences the keys' bias."""
    block, _, kind = name.removeprefix("blocks.").partition(".attn.qkv.")
    if kind == "bias_mask":
        return {}
    parts = dict(zip("qkv", np.split(value, 3), strict=True))
    return {
        f"layer.{block}.attention.{letter}_proj.{kind}": part
        for letter, part in parts.items()
        if (letter, kind) != ("k", "bias")
    }


def _slots(net: VisionTransformer) -> Iterator[Slot]:
    yield Slot("embeddings.cls_token", net.token, "token")
    yield Slot("embeddings.mask_token", net.mask, "token")
    yield Slot("embeddings.register_tokens", net.registers, "token")
    yield from _dense("embeddings.patch_embeddings", net.embed, kind="patch")
    yield from _norm("norm", net.norm)
    for number, block in enumerate(net.blocks):
        for slot in _block(block):
            yield slot._replace(name=f"layer.{number}.{slot.name}")


def _block(block: Block) -> Iterator[Slot]:
    for number, norm, scale in ((1, block.norm1, block.scale1), (2, block.norm2, block.scale2)):
        yield from _norm(f"norm{number}", norm)
        yield Slot(f"layer_scale{number}.lambda1", scale)
    named = {"q": "query", "k": "key", "v": "value", "o": "out"}
    for letter, ours in named.items():
        yield from _dense(f"attention.{letter}_proj", getattr(block.attention, ours))
    up, down = block.feed_forward.up, block.feed_forward.down
    if not block.feed_forward.gelu:
        yield from _dense("mlp.gate_proj", up, "g")
        yield from _dense("mlp.up_proj", up, "r")
    else:
        yield from _dense("mlp.up_proj", up, conventional_part(up.neuron).name)
    yield from _dense("mlp.down_proj", down)


def _dense(name: str, layer: Dense, branch: str = "r", kind: str = "matrix") -> Iterator[Slot]:
    if not hasattr(layer, f"kernel_{branch}"):
        raise ValueError(f"weights {name} fit no part of the neuron {layer.neuron.name}")
    yield Slot(f"{name}.weight", getattr(layer, f"kernel_{branch}"), kind)
    bias = getattr(layer, f"bias_{branch}", None)
    if bias is not None:
        yield Slot(f"{name}.bias", bias)


def _norm(name: str, norm: nnx.LayerNorm) -> Iterator[Slot]:
    assert norm.scale is not None  # for the type checker, as the next line
    assert norm.bias is not None
    yield Slot(f"{name}.weight", norm.scale)
    yield Slot(f"{name}.bias", norm.bias)


def _ours(slot: Slot, value: np.ndarray) -> np.ndarray:
    """Their array in our order of axes.

    Raises:
        ValueError: if it has another shape.
    """
    wanted = slot.variable[...].shape
    found = np.asarray(value)
    if slot.kind == "token" and found.ndim > 1:
        found = found.reshape(-1, found.shape[-1])
    elif slot.kind == "matrix" and found.ndim == 2:
        found = found.T
    elif slot.kind == "patch" and found.ndim == 4:
        found = found.transpose(2, 3, 1, 0).reshape(-1, len(found))
    if found.shape != wanted:
        raise ValueError(f"{slot.name} has shape {np.shape(value)}, which does not fit {wanted}")
    return found
