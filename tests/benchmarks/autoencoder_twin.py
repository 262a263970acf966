"""A PyTorch twin of the autoencoders, in the paper's order; imported only where torch is."""

import numpy as np
import torch
from flax import nnx
from torch import nn


class FanLinear(nn.Module):
    """`r(x) g(x) + b(x^2)` of three linear maps; `r(x)` alone for the conventional neuron."""

    def __init__(self, layer):
        super().__init__()
        self.quadratic = hasattr(layer, "kernel_g")
        for name in "rgb" if self.quadratic else "r":
            self.add_module(name, nn.Linear(layer.in_features, layer.out_features))

    def forward(self, x):
        return self.r(x) * self.g(x) + self.b(x**2) if self.quadratic else self.r(x)


class Chain(nn.Module):
    def __init__(self, chain, rate):
        super().__init__()
        self.layers = nn.ModuleList(map(FanLinear, chain.layers))
        self.norms = nn.ModuleList(nn.BatchNorm1d(norm.num_features) for norm in chain.norms)
        self.dropout = nn.Dropout(rate)

    def forward(self, x):
        first, *rest = self.layers
        x = first(x)
        for number, layer in enumerate(rest):
            x = self.dropout(torch.relu(x))
            x = layer(self.norms[number](x) if number < len(self.norms) else x)
        return x


class Twin(nn.Module):
    """Sums of chains before and after the bottleneck, sigmoid and dropout at the end."""

    def __init__(self, net):
        super().__init__()
        self.input_norm = nn.BatchNorm1d(net.in_features)
        self.bottleneck_norm = nn.BatchNorm1d(net.bottleneck_norm.num_features)
        self.encoder = nn.ModuleList(Chain(chain, net.dropout.rate) for chain in net.encoder)
        self.decoder = nn.ModuleList(Chain(chain, net.dropout.rate) for chain in net.decoder)
        self.dropout = nn.Dropout(net.dropout.rate)

    def forward(self, x):
        x = self.input_norm(x)
        code = self.dropout(torch.relu(sum(chain(x) for chain in self.encoder)))
        code = self.bottleneck_norm(code)
        return self.dropout(torch.sigmoid(sum(chain(code) for chain in self.decoder)))


def twin(net):
    """The twin of an `Autoencoder`, with its weights, running statistics and dropout rate."""
    found = Twin(net)
    state = named(nnx.state(net, nnx.Any(nnx.Param, nnx.BatchStat)))
    missing, unexpected = found.load_state_dict(state, strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    return found


def named(state):
    """Arrays of our state (parameters, statistics, gradients) under torch's names and layout."""
    flat = nnx.to_flat_state(state)
    return dict(_named(path, np.array(variable[...])) for path, variable in flat)


def _named(path, value):
    *place, last = map(str, path)
    kind, _, branch = last.partition("_")
    if kind in ("kernel", "bias") and branch:
        place.append(branch)
        last = "weight" if kind == "kernel" else "bias"
        value = value.T
    last = {"scale": "weight", "mean": "running_mean", "var": "running_var"}.get(last, last)
    return ".".join([*place, last]), torch.from_numpy(value)
