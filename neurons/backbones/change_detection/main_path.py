"""The main path: a vision transformer's layers, at four depths, as maps of four sizes.

Layers at 1/4, 2/4, 3/4 and 4/4 of the depth, behind the final norm, become maps at a quarter of
the patch, at half of it, at the patch and at twice the patch (4, 8, 16 and 32 pixels for DINOv3),
as a dense prediction transformer reassembles them: by 1x1 convolutions and, in this order, a
transposed convolution by four, one by two, nothing, and a convolution of stride two.

References:
    R. Ranftl, A. Bochkovskiy, V. Koltun, Vision Transformers for Dense Prediction, ICCV 2021.
"""

from typing import Literal, get_args

from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.backbones.dino.adapters import freeze, low_rank_adapters
from neurons.backbones.dino.vit import VisionTransformer
from neurons.convolution import Conv
from neurons.layer import Dense
from neurons.quadratic import conventional

LEVELS = 4
RISES = (4, 2)  # of the two shallow levels
Training = Literal["all", "adapters", "frozen"]


class Rise(nnx.Module):
    """A transposed convolution whose window is its stride: every place becomes a square of places.

    Args:
        in_features: input channels.
        out_features: output channels.
        times: side of the square.
        rngs: stream `params`.
    """

    def __init__(self, in_features: int, out_features: int, times: int, *, rngs: nnx.Rngs) -> None:
        self.times = times
        # As one matrix product, which a CPU is faster at than at a stretched convolution.
        self.spread = Dense(conventional, in_features, times**2 * out_features, rngs=rngs)

    def __call__(
        self, x: Float[Array, "batch rows columns in_features"]
    ) -> Float[Array, "batch height width out_features"]:
        """The larger map."""
        batch, rows, columns, _ = x.shape
        y = self.spread(x).reshape(batch, rows, columns, self.times, self.times, -1)
        return y.swapaxes(2, 3).reshape(batch, rows * self.times, columns * self.times, -1)


class MainPath(nnx.Module):
    """Coarse semantics of one picture, at four sizes.

    Args:
        net: the transformer; a copy of it is taken. Its patch must be a multiple of 4.
        width: channels of the maps.
        training: "all" of the transformer, "adapters" beside its frozen queries and values, or
            nothing of it ("frozen"); what follows it is always trained.
        rank: of the adapters.
        rngs: stream `params`.

    Raises:
        ValueError: for an unknown way of training.
    """

    def __init__(
        self,
        net: VisionTransformer,
        width: int,
        *,
        training: Training = "all",
        rank: int = 8,
        rngs: nnx.Rngs,
    ) -> None:
        if training not in get_args(Training):
            raise ValueError(f"training is {training!r}; allowed: {', '.join(get_args(Training))}")
        self.net, self.layers = nnx.clone(net), depths(net.shape.layers)
        if training != "all":
            freeze(self.net)
        if training == "adapters":
            low_rank_adapters(self.net, rank, rngs=rngs)
        inside = net.shape.width
        self.narrow = nnx.List(Dense(conventional, inside, width, rngs=rngs) for _ in self.layers)
        self.rise = nnx.List(Rise(width, width, times, rngs=rngs) for times in RISES)
        self.fall = Conv(conventional, width, width, (3, 3), strides=2, padding=1, rngs=rngs)

    def __call__(self, x: Float[Array, "batch height width channels"]) -> tuple[Array, ...]:
        """Four maps, from fine to coarse; the sides of x are multiples of the patch."""
        maps = self.net.intermediate(x, self.layers)
        narrow = [layer(one) for layer, one in zip(self.narrow, maps, strict=True)]
        fine = [rise(one) for rise, one in zip(self.rise, narrow, strict=False)]
        return (*fine, narrow[2], self.fall(narrow[3]))


def depths(layers: int) -> tuple[int, ...]:
    """Blocks at 1/4, 2/4, 3/4 and 4/4 of the depth, counted from 1.

    Example:
        >>> depths(12), depths(2)
        ((3, 6, 9, 12), (1, 1, 2, 2))
    """
    return tuple(-(-layers * quarter // LEVELS) for quarter in range(1, LEVELS + 1))
