"""One small network twice, with the same weights: in JAX and in PyTorch; imported with torch."""

from itertools import pairwise

import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx

WIDTHS, CLASSES, SIDE = (3, 6, 8, 5), 4, 16


class Ours(nnx.Module):
    """Three 3x3 convolutions with ReLU, max pooling behind the first, a mean and a linear layer."""

    def __init__(self, *, rngs):
        self.convs = nnx.List(
            nnx.Conv(before, after, (3, 3), padding=((1, 1), (1, 1)), rngs=rngs)
            for before, after in pairwise(WIDTHS)
        )
        self.out = nnx.Linear(WIDTHS[-1], CLASSES, rngs=rngs)

    def features(self, x, stage="deep"):
        x = nnx.relu(self.convs[0](x))
        return x if stage == "shallow" else self._deeper(x)

    def head(self, features, stage="deep"):
        features = self._deeper(features) if stage == "shallow" else features
        return self.out(features.mean(axis=(1, 2)))

    def _deeper(self, x):
        x = nnx.max_pool(x, (2, 2), (2, 2))
        for conv in self.convs[1:]:
            x = nnx.relu(conv(x))
        return x


class Theirs(torch.nn.Module):
    """The same in PyTorch; no ReLU is used twice, as captum's rules demand."""

    def __init__(self):
        super().__init__()
        self.convs = torch.nn.ModuleList(
            torch.nn.Conv2d(before, after, 3, padding=1) for before, after in pairwise(WIDTHS)
        )
        self.shallow, self.middle, self.deep = (torch.nn.ReLU() for _ in range(3))
        self.pool = torch.nn.MaxPool2d(2)
        self.out = torch.nn.Linear(WIDTHS[-1], CLASSES)

    def forward(self, x):
        x = self.pool(self.shallow(self.convs[0](x)))
        x = self.deep(self.convs[2](self.middle(self.convs[1](x))))
        return self.out(x.mean(dim=(2, 3)))


def twins(seed=0):
    """The pair, with weights at random."""
    random, ours, theirs = np.random.default_rng(seed), Ours(rngs=nnx.Rngs(0)), Theirs().eval()
    layers = zip([*ours.convs, ours.out], [*theirs.convs, theirs.out], strict=True)
    with torch.no_grad():
        for mine, other in layers:
            kernel = random.normal(size=mine.kernel.shape) * 2 / np.sqrt(mine.kernel.size)
            kernel = (4 * kernel).astype(np.float32)
            bias = 0.2 * random.normal(size=mine.bias.shape).astype(np.float32)
            mine.kernel[...], mine.bias[...] = jnp.asarray(kernel), jnp.asarray(bias)
            order = (3, 2, 0, 1) if kernel.ndim == 4 else (1, 0)
            other.weight.copy_(torch.from_numpy(kernel.transpose(order).copy()))
            other.bias.copy_(torch.from_numpy(bias))
    return ours, theirs


def pictures(batch=3, seed=1):
    """The same images for both."""
    x = np.random.default_rng(seed).normal(size=(batch, SIDE, SIDE, 3)).astype(np.float32)
    return jnp.asarray(x), torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, -1, 1)))


def distance(ours, theirs):
    """Largest difference, relative to the largest entry of theirs."""
    theirs = theirs.detach().numpy() if isinstance(theirs, torch.Tensor) else theirs
    ours = np.asarray(ours)
    assert ours.shape == theirs.shape
    assert np.abs(theirs).max() > 0
    return np.abs(ours - theirs).max() / np.abs(theirs).max()
