"""A PyTorch twin of `BearingNet`, written from the paper's table; imported only where torch is."""

import numpy as np
import torch
from flax import nnx
from torch import nn

WIDTHS = (16, 32, 64, 64, 64, 64)


class FanConv(nn.Module):
    """`r(x) g(x) + b(x^2)` of three convolutions; `r(x)` alone for the conventional neuron."""

    def __init__(self, branches, *sizes, **options):
        super().__init__()
        for name in branches:
            self.add_module(name, nn.Conv1d(*sizes, **options))
        self.quadratic = "g" in branches

    def forward(self, x):
        return self.r(x) * self.g(x) + self.b(x**2) if self.quadratic else self.r(x)


class Block(nn.Module):
    def __init__(self, *sizes, **options):
        super().__init__()
        self.conv = FanConv(*sizes, **options)
        self.norm = nn.BatchNorm1d(self.conv.r.out_channels, eps=1e-5, momentum=0.1)

    def forward(self, x):
        return nn.functional.max_pool1d(torch.relu(self.norm(self.conv(x))), 2)


class TwinNet(nn.Module):
    """Windows `(batch, 1, 2048)` to logits; channels first, as torch has them."""

    def __init__(self, branches, widths=WIDTHS, hidden=100, classes=10):
        super().__init__()
        one, two, three, four, five, six = widths
        self.blocks = nn.Sequential(
            Block(branches, 1, one, 64, stride=8, padding=28),  # 2048 -> 256 -> 128
            Block(branches, one, two, 3, padding=1),  # -> 64
            Block(branches, two, three, 3, padding=1),  # -> 32
            Block(branches, three, four, 3, padding=1),  # -> 16
            Block(branches, four, five, 3, padding=1),  # -> 8
            Block(branches, five, six, 3, padding=0),  # -> 6 -> 3
        )
        self.hidden = nn.Linear(3 * six, hidden)
        self.dropout = nn.Dropout(0.5)
        self.out = nn.Linear(hidden, classes)

    def forward(self, x):
        flat = self.blocks(x).flatten(1)
        return self.out(self.dropout(torch.relu(self.hidden(flat))))


def twin(model):
    """The twin of a `BearingNet`, with its weights, running statistics and dropout rate."""
    quadratic = hasattr(model.blocks[0].conv, "kernel_g")
    widths = tuple(block.conv.out_features for block in model.blocks)
    net = TwinNet("rgb" if quadratic else "r", widths, model.hidden.out_features)
    state = nnx.state(model, nnx.Any(nnx.Param, nnx.BatchStat))
    net.dropout.p = model.dropout.rate
    missing, unexpected = net.load_state_dict(named(state), strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    return net


def named(state):
    """Arrays of our state (parameters, statistics, gradients) under torch's names and layout."""
    flat = nnx.to_flat_state(state)
    return dict(_named(path, np.asarray(variable[...])) for path, variable in flat)


def optimizer(net, rate, scale):
    """SGD with momentum 0.9; the grown branches g and b learn at `scale` times the rate."""
    grown = [p for name, p in net.named_parameters() if ".g." in name or ".b." in name]
    ours = {id(p) for p in grown}
    common = [p for p in net.parameters() if id(p) not in ours]
    groups = [{"params": common}] + [{"params": grown, "lr": scale * rate}] * bool(grown)
    return torch.optim.SGD(groups, lr=rate, momentum=0.9)


def step(net, tx, x, labels):
    """One training step; returns the loss."""
    tx.zero_grad()
    loss = nn.functional.cross_entropy(net(x), labels)
    loss.backward()
    tx.step()
    return loss


def _named(path, value):
    *place, last = map(str, path)
    if place[-1] == "conv":  # kernel_r -> conv.r.weight
        kind, branch = last.split("_")
        place.append(branch)
        value = value.transpose(2, 1, 0) if kind == "kernel" else value  # (k, in, out) -> reversed
        last = "weight" if kind == "kernel" else "bias"
    elif place[-1] == "norm":
        last = {"scale": "weight", "mean": "running_mean", "var": "running_var"}.get(last, last)
    elif last == "kernel":
        if place == ["hidden"]:  # ours flattens (length, channels), torch (channels, length)
            length, width = 3, value.shape[1]
            value = value.reshape(length, -1, width).swapaxes(0, 1).reshape(-1, width)
        value, last = value.T, "weight"
    return ".".join([*place, last]), torch.from_numpy(np.array(value))
