"""Every linear map with all its options in use, for the battery of neurons."""

from dataclasses import dataclass

import numpy as np
import numpy_twins as twins
from flax import nnx

import neurons as nr
from neurons.neuron import own_input

ADDS_ITSELF = {own_input}


@dataclass(frozen=True)
class Map:
    """A linear map with all its options in use, and where its windows lie."""

    name: str
    sizes: tuple[int, ...]
    window: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str | tuple
    dilation: tuple[int, ...]
    groups: int = 1
    extra: tuple[int, ...] | None = None

    def features(self, neuron):
        """Inputs and neurons: as many of one as of the other where the neuron asks for it."""
        return (4, 4) if ADDS_ITSELF & {branch.kernel for branch in neuron.branches} else (2, 4)

    def build(self, neuron, **options):
        features = self.features(neuron)
        if not self.window:
            return nr.Dense(neuron, *features, **options)
        names = "strides", "padding", "dilation", "groups"
        options |= {name: getattr(self, name) for name in names}
        if self.extra is None:
            return nr.Conv(neuron, *features, self.window, **options)
        options["output_padding"] = self.extra
        return nr.ConvTranspose(neuron, *features, self.window, **options)

    def drawn(self, neuron, **options):
        return twins.drawn(self.build, neuron, **options)

    def started(self, neuron, **options):
        return self.build(neuron, **options, rngs=nnx.Rngs(0))

    def input(self, neuron, batch=2, dtype=np.float32):
        return twins.draw((batch, *self.sizes, self.features(neuron)[0]), dtype)

    def formula(self, layer, x):
        """The twin's output for a batch."""
        seen = np.stack([self.windows(one) for one in twins.float64(x)])
        return twins.output(layer, seen, self.groups)

    def serves(self, neuron):
        """Whether the neuron has a form under this map."""
        return self.extra is None or not neuron.needs_window

    def windows(self, x):
        if not self.window:
            return x
        per_axis = [self.padding] * len(self.sizes) if isinstance(self.padding, str) else None
        per_axis = ((0, 0),) * len(self.sizes) if self.padding == "VALID" else per_axis
        arguments = (self.window, self.strides, per_axis or self.padding, self.dilation)
        if self.extra is None:
            return twins.windows(x, twins.conv_taps(self.sizes, *arguments))
        return twins.windows(x, twins.transposed_taps(self.sizes, *arguments, self.extra))

    def fan_in(self, neuron):
        return int(np.prod(self.window, initial=1)) * self.features(neuron)[0] // self.groups


MAPS = (
    Map("Dense", (), (), (), "VALID", ()),
    Map("Conv1d", (9,), (3,), (2,), ((1, 2),), (2,), groups=2),
    Map("Conv2d", (5, 6), (2, 3), (1, 2), "SAME", (2, 1)),
    Map("Conv3d", (3, 3, 4), (2, 1, 2), (1, 2, 1), "VALID", (1, 1, 2), groups=2),
    Map("ConvTranspose1d", (5,), (3,), (2,), ((1, 1),), (1,), groups=2, extra=(1,)),
    Map("ConvTranspose2d", (3, 4), (2, 3), (2, 1), "SAME", (1, 2), extra=(0, 0)),
    Map("ConvTranspose3d", (2, 2, 3), (2, 1, 2), (1, 2, 1), "VALID", (1, 1, 2), 2, (0, 1, 0)),
)
