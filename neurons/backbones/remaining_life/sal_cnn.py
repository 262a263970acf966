"""SAL-CNN: spectrograms, convolutions with attention, and a memory over records."""

from collections.abc import Sequence
from itertools import pairwise

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.backbones.cbam import MOMENTUM
from neurons.backbones.remaining_life.blocks import AttentionBlock, RawStem
from neurons.neuron import Neuron
from neurons.quadratic import conventional

RECORDS = 8  # that a prediction looks back on, its own included


class SALCNN(nnx.Module):
    """The share of a bearing's life that is left, from its last records.

    Every record passes the same blocks of convolution, batch normalisation, ReLU, CBAM and max
    pooling; the mean over space is its features. An LSTM reads the features of the last `records`
    records; from its last output comes one logit, whose sigmoid is the remaining share.

    A record is a picture `(frequencies, frames, channels)`, see :func:`log_spectrogram`, or with
    `raw=True` the signal `(samples, channels)`. Without attention, without memory, or on the raw
    signal this is the ablated network; without the first two it is the plain CNN of one record.

    The paper's abstract names the parts; sizes and their order within a block are our construction.

    Args:
        channels: of a record; 2 for horizontal and vertical.
        widths: channels after each block.
        memory: outputs of the LSTM; 0 for none, where the last record alone decides.
        records: that a prediction looks back on; at least 1.
        attention: whether the blocks have CBAM.
        raw: whether records are signals, for which a learned bank of filters replaces the
            spectrogram.
        momentum: of CBAM's running statistics.
        neuron: of the blocks' convolutions.
        rngs: stream `params`.

    Raises:
        ValueError: for a size out of range; on call, for records of another form, or fewer than
            `records` of them.

    References:
        B. Liu, Z. Gao, B. Lu et al., SAL-CNN: Estimate the Remaining Useful Life of Bearings Using
        Time-frequency Information, arXiv 2204.05045.

    Example:
        >>> net = SALCNN(widths=(4, 8), memory=6, rngs=nnx.Rngs(0))
        >>> net(jnp.ones((5, 8, 16, 4, 2))).shape
        (5, 1)
    """

    def __init__(
        self,
        channels: int = 2,
        widths: Sequence[int] = (16, 32, 64, 128),
        *,
        memory: int = 64,
        records: int = RECORDS,
        attention: bool = True,
        raw: bool = False,
        momentum: float = MOMENTUM,
        neuron: Neuron = conventional,
        rngs: nnx.Rngs,
    ) -> None:
        if memory < 0 or records < 1 or not widths or min(channels, *widths) < 1:
            raise ValueError(
                f"channels is {channels}, widths {tuple(widths)}, memory {memory} and records "
                f"{records}; allowed: from 1, and a memory from 0"
            )
        self.channels, self.records, self.raw = channels, records, raw
        self.stem = RawStem(channels, widths[0], rngs=rngs) if raw else None
        entering = (widths[0] if raw else channels, *widths)
        self.blocks = nnx.List(
            AttentionBlock(
                neuron,
                before,
                after,
                window=(3, 1) if raw else (3, 3),
                attention=attention,
                momentum=momentum,
                rngs=rngs,
            )
            for before, after in pairwise(entering)
        )
        self.cell = nnx.OptimizedLSTMCell(widths[-1], memory, rngs=rngs) if memory else None
        self.out = nnx.Linear(memory or widths[-1], 1, rngs=rngs)

    def features(
        self, x: Float[Array, "batch records *picture channels"]
    ) -> Float[Array, "batch places columns features"]:
        """Last activations of all records, one below the other along the first spatial axis.

        Each record has `places / records` rows, so that a map of them can be cut into one map per
        record.
        """
        self._check(x, self.records)
        a = self._activations(x[:, -self.records :])
        return a.reshape(a.shape[0], -1, *a.shape[3:])

    def head(
        self, features: Float[Array, "batch places columns features"]
    ) -> Float[Array, "batch 1"]:
        """The logit of the remaining share, from the activations of all records."""
        batch, places, columns, width = features.shape
        rows = places // self.records
        a = features.reshape(batch, self.records, rows, columns, width)
        return self._remembered(a.mean(axis=(2, 3)))[:, 0]

    def __call__(
        self, x: Float[Array, "batch records *picture channels"]
    ) -> Float[Array, "batch 1"]:
        """The logit at the last of the given records."""
        return self.head(self.features(x))

    def along(
        self, x: Float[Array, "batch records *picture channels"]
    ) -> Float[Array, "batch windows"]:
        """Logits at every record that has enough before it; each record is convolved once.

        Args:
            x: stretches of at least `records` consecutive records.

        Returns:
            At the last `records of the stretch - records + 1` of them.
        """
        self._check(x, self.records)
        return self._remembered(self._activations(x).mean(axis=(2, 3)))[..., 0]

    def _activations(self, x: Array) -> Float[Array, "batch records rows columns features"]:
        batch, records = x.shape[:2]
        x = x.reshape(batch * records, *x.shape[2:])
        if self.stem is not None:
            x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return x.reshape(batch, records, *x.shape[1:])

    def _remembered(
        self, pooled: Float[Array, "batch records features"]
    ) -> Float[Array, "batch windows 1"]:
        """Logits of every window of records; the windows pass the LSTM side by side."""
        batch, records, width = pooled.shape
        windows = records - self.records + 1
        if self.cell is None:
            return self.out(pooled[:, self.records - 1 :])
        zeros = jnp.zeros((batch * windows, self.cell.hidden_features), pooled.dtype)
        carry = zeros, zeros
        for lag in range(self.records):
            carry, _ = self.cell(carry, pooled[:, lag : lag + windows].reshape(-1, width))
        return self.out(carry[1]).reshape(batch, windows, 1)

    def _check(self, x: Array, least: int) -> None:
        axes = 4 if self.raw else 5
        if x.ndim != axes or x.shape[-1] != self.channels or x.shape[1] < least:
            form = "samples" if self.raw else "frequencies, frames"
            raise ValueError(
                f"expected (batch, at least {least} records, {form}, {self.channels}), "
                f"got shape {x.shape}"
            )


def stretches(
    life: np.ndarray, look_back: int, length: int, every: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping stretches of a life, each record of it a possible end.

    The first record is repeated before the life, so that its records have something to look
    back on.

    Args:
        life: `(records, *picture)` in the order of time.
        look_back: records that a prediction needs, see `SALCNN.records`.
        length: records of a stretch; at least `look_back`.
        every: records from the start of one stretch to the next; the last stretch ends the life.

    Returns:
        `(stretches, length, *picture)`, and `(stretches, length - look_back + 1)` the places in the
        life at which :meth:`SALCNN.along` answers. Of a shorter life the last record is repeated.

    Raises:
        ValueError: for an empty life, or a length below `look_back`.
    """
    if len(life) == 0 or not 1 <= look_back <= length or every < 1:
        raise ValueError(
            f"{len(life)} records, look_back {look_back}, length {length}, every {every}; "
            "allowed: records, 1 <= look_back <= length, every from 1"
        )
    answers = length - look_back + 1
    last = max(0, len(life) - answers)
    starts = np.unique([*range(0, last, every), last])
    ends = starts[:, None] + np.arange(answers)
    rows = starts[:, None] + np.arange(length) - (look_back - 1)
    return life[np.clip(rows, 0, len(life) - 1)], np.minimum(ends, len(life) - 1)
