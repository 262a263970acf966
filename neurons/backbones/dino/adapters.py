"""Train little of a large network: fixed parameters, and low-rank adapters beside them.

    freeze(net, but=[net.out])                      # nothing else of it is trained any more
    low_rank_adapters(net, rank=8, rngs=rngs)       # but this: W x + (alpha / rank) B A x

`neurons.fit` trains what is an `nnx.Param`; a frozen parameter is none.

References:
    E. Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, ICLR 2022.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.backbones.dino.vit import VisionTransformer
from neurons.options import require

PLACES = ("query", "key", "value", "out", "up", "down")


class Frozen(nnx.Variable):
    """A parameter that is not trained."""


class Adapted(nnx.Module):
    """A layer and a low-rank correction: `layer(x) + (alpha / rank) (x A) B`.

    Args:
        layer: with `in_features` and `out_features`.
        rank: columns of A.
        alpha: weight of the correction, times the rank.
        rngs: stream `params`, for A; B starts at zero, so that nothing changes at first.
    """

    def __init__(self, layer: Any, rank: int, alpha: float | int, *, rngs: nnx.Rngs) -> None:
        self.layer, self.factor = layer, alpha / rank
        draw = jax.random.normal(rngs.params(), (layer.in_features, rank))
        self.down = nnx.LoRAParam(draw / layer.in_features**0.5)
        self.up = nnx.LoRAParam(jnp.zeros((rank, layer.out_features)))

    def __call__(self, x: Float[Array, "*batch inputs"]) -> Float[Array, "*batch outputs"]:
        """The layer's answer, corrected."""
        return self.layer(x) + self.factor * (x @ self.down[...] @ self.up[...])


def freeze(module: nnx.Module, but: Sequence[nnx.Module] = ()) -> None:
    """Make every parameter of a module, and of what it holds, a :class:`Frozen` one.

    Args:
        module: it is changed; its answers are not.
        but: parts of it that go on being trained, such as the layer of the logits.
    """
    kept = {id(node) for part in but for _, node in nnx.iter_graph(part)}
    for _, node in nnx.iter_graph(module):
        if isinstance(node, nnx.Module) and id(node) not in kept:
            for name, value in list(vars(node).items()):
                if isinstance(value, nnx.Param):
                    setattr(node, name, Frozen(value[...]))


def low_rank_adapters(
    net: VisionTransformer,
    rank: int = 8,
    *,
    alpha: float | int | None = None,
    places: Sequence[str] = ("query", "value"),
    rngs: nnx.Rngs,
) -> None:
    """Put adapters beside linear layers of every block; the network's answers stay as they are.

    Args:
        net: it is changed. Load weights and :func:`freeze` before.
        rank: of the corrections.
        alpha: their weight, times the rank; the rank by default.
        places: of "query", "key", "value", "out" (attention), "up" and "down" (feed-forward).
        rngs: stream `params`.

    Raises:
        ValueError: for a rank below 1, an unknown place, or a place that has an adapter already.
    """
    require("rank", rank)
    unknown = [place for place in places if place not in PLACES]
    if unknown:
        raise ValueError(f"places are {', '.join(PLACES)}; got {', '.join(map(str, unknown))}")
    for block in net.blocks:
        for place in places:
            owner = block.feed_forward if place in ("up", "down") else block.attention
            layer = getattr(owner, place)
            if isinstance(layer, Adapted):
                raise ValueError(f"{place} has an adapter already")
            adapted = Adapted(layer, rank, rank if alpha is None else alpha, rngs=rngs)
            setattr(owner, place, adapted)
