"""A multi-scale CNN on one record: what shallow and deep layers see, side by side."""

from collections.abc import Sequence
from itertools import pairwise

import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.backbones.remaining_life.blocks import AttentionBlock
from neurons.quadratic import conventional


class MultiScaleCNN(nnx.Module):
    """The share of a bearing's life that is left, from the spectrogram of its last record.

    Blocks of convolution, batch normalisation, ReLU and max pooling; the activations of the last
    two are flattened and put side by side, so that a hidden layer sees two scales with their
    places. It has no memory and no attention.

    Zhu et al. feed wavelet pictures to such a network; the sizes here are ours.

    Args:
        size: frequencies and frames of a record.
        channels: of a record.
        widths: channels after each block; at least two.
        hidden: width of the hidden layer.
        rngs: stream `params`.

    Raises:
        ValueError: for fewer than two blocks, or a size below 1; on call, for records of another
            form.

    References:
        J. Zhu, N. Chen, W. Peng, "Estimation of Bearing Remaining Useful Life Based on Multiscale
        Convolutional Neural Network", IEEE Trans. Ind. Electron. 66(4), 2019.

    Example:
        >>> net = MultiScaleCNN((16, 4), widths=(4, 8), hidden=8, rngs=nnx.Rngs(0))
        >>> net(jnp.ones((5, 1, 16, 4, 2))).shape
        (5, 1)
    """

    records = 1

    def __init__(
        self,
        size: tuple[int, int],
        channels: int = 2,
        widths: Sequence[int] = (16, 32, 64),
        *,
        hidden: int = 64,
        rngs: nnx.Rngs,
    ) -> None:
        if len(widths) < 2 or min(*size, channels, *widths, hidden) < 1:
            raise ValueError(
                f"size is {size}, channels {channels}, widths {tuple(widths)} and hidden "
                f"{hidden}; allowed: from 1, and at least two widths"
            )
        self.form = (*size, channels)
        self.blocks = nnx.List(
            AttentionBlock(conventional, before, after, attention=False, rngs=rngs)
            for before, after in pairwise((channels, *widths))
        )
        self.hidden = nnx.Linear(self._flat(size, widths), hidden, rngs=rngs)
        self.out = nnx.Linear(hidden, 1, rngs=rngs)

    @staticmethod
    def _flat(size: tuple[int, int], widths: Sequence[int]) -> int:
        """How many activations the last two blocks have together."""
        found, (height, width) = [], size
        for channels in widths:
            height, width = max(1, height // 2), max(1, width // 2)
            found.append(height * width * channels)
        return sum(found[-2:])

    def features(
        self, x: Float[Array, "batch records frequencies frames channels"]
    ) -> Float[Array, "batch features"]:
        """Activations of the last two blocks at the last record."""
        self._check(x)
        return self._scales(x[:, -1])

    def head(self, features: Float[Array, "batch features"]) -> Float[Array, "batch 1"]:
        """The logit of the remaining share."""
        return self.out(nnx.relu(self.hidden(features)))

    def __call__(
        self, x: Float[Array, "batch records frequencies frames channels"]
    ) -> Float[Array, "batch 1"]:
        """The logit at the last of the given records; those before it do not count."""
        return self.head(self.features(x))

    def along(
        self, x: Float[Array, "batch records frequencies frames channels"]
    ) -> Float[Array, "batch records"]:
        """Logits at every record."""
        self._check(x)
        batch, records = x.shape[:2]
        found = self.head(self._scales(x.reshape(batch * records, *x.shape[2:])))
        return found.reshape(batch, records)

    def _scales(self, x: Array) -> Array:
        found = []
        for block in self.blocks:
            x = block(x)
            found.append(x.reshape(x.shape[0], -1))
        return jnp.concatenate(found[-2:], axis=-1)

    def _check(self, x: Array) -> None:
        if x.ndim != 5 or x.shape[1] < 1 or x.shape[2:] != self.form:
            raise ValueError(f"expected (batch, records, {self.form}), got shape {x.shape}")
