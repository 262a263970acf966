"""PyTorch twins of `PointNet` and `DGCNN`, in the form of their public code; imported with torch.

Points are `(batch, channels, points)`, layers convolutions with kernels of 1. What the authors'
code gets wrong is not copied: the training script unpacks PointNet's tuple of outputs, and the
"reflection" test negates two axes, which is a rotation.
"""

from itertools import pairwise

import numpy as np
import torch
from flax import nnx
from torch import nn
from torch.nn import functional


class FanConv(nn.Module):
    """`r(x) g(x) + b(x^2)` of three convolutions with kernels of 1; `r(x)` alone, or `b(x^2)`."""

    def __init__(self, branches, inputs, outputs, conv, bias):
        super().__init__()
        self.branches = branches
        for name in branches:
            self.add_module(name, conv(inputs, outputs, 1, bias=bias or name == "g"))

    def forward(self, x):
        if self.branches == "rgb":
            return self.r(x) * self.g(x) + self.b(x**2)
        return self.r(x) if self.branches == "r" else self.b(x**2)


class Block(nn.Module):
    """A layer, its normalisation, its activation."""

    def __init__(self, branches, inputs, outputs, activation, *, bias=True, edges=False):
        super().__init__()
        self.layer = FanConv(branches, inputs, outputs, nn.Conv2d if edges else nn.Conv1d, bias)
        self.norm = (nn.BatchNorm2d if edges else nn.BatchNorm1d)(outputs)
        self.activation = activation

    def forward(self, x):
        return self.activation(self.norm(self.layer(x)))


class Hidden(nn.Module):
    """A fully connected layer, its normalisation, its activation."""

    def __init__(self, inputs, outputs, activation):
        super().__init__()
        self.layer = nn.ModuleDict({"r": nn.Linear(inputs, outputs)})
        self.norm = nn.BatchNorm1d(outputs)
        self.activation = activation

    def forward(self, x):
        return self.activation(self.norm(self.layer["r"](x)))


class Head(nn.Module):
    """Hidden layers, each with dropout, and a linear output."""

    def __init__(self, widths, outputs, activation, rates):
        super().__init__()
        pairs = pairwise(widths)
        self.hidden = nn.ModuleList(Hidden(a, b, activation) for a, b in pairs)
        self.dropouts = nn.ModuleList(nn.Dropout(rate) for rate in rates)
        self.out = nn.Linear(widths[-1], outputs)

    def forward(self, x):
        for hidden, dropout in zip(self.hidden, self.dropouts, strict=True):
            x = dropout(hidden(x))
        return self.out(x)


def leaky(x):
    return functional.leaky_relu(x, 0.2)


def same(x):
    return x


class Transform(nn.Module):
    """A matrix per cloud."""

    def __init__(self, features, widths, hidden):
        super().__init__()
        pairs = zip((features, *widths), widths, strict=False)
        self.blocks = nn.ModuleList(Block("r", a, b, torch.relu) for a, b in pairs)
        head = Head((widths[-1], *hidden), features**2, torch.relu, (0.0,) * len(hidden))
        self.matrix = nn.ModuleDict({"head": head})
        self.features = features

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        found = self.matrix["head"](x.max(dim=2)[0]).view(-1, self.features, self.features)
        return found + torch.eye(self.features)


class TwinPointNet(nn.Module):
    def __init__(self, branches, classes, inputs, widths, hidden, transforms, rate):
        super().__init__()
        pairs = list(zip((inputs, *widths), widths, strict=False))
        acts = [torch.relu] * (len(pairs) - 1) + [same]
        self.blocks = nn.ModuleList(
            Block(branches, a, b, act) for (a, b), act in zip(pairs, acts, strict=True)
        )
        first, second = transforms
        self.input_transform = Transform(inputs, widths, hidden) if first else None
        self.feature_transform = Transform(widths[0], widths, hidden) if second else None
        rates = (*(0.0,) * (len(hidden) - 1), rate)
        self.classifier = Head((widths[-1], *hidden), classes, torch.relu, rates)

    def forward(self, x):
        if self.input_transform is not None:
            x = torch.bmm(x.transpose(2, 1), self.input_transform(x)).transpose(2, 1)
        x = self.blocks[0](x)
        if self.feature_transform is not None:
            x = torch.bmm(x.transpose(2, 1), self.feature_transform(x)).transpose(2, 1)
        for block in self.blocks[1:]:
            x = block(x)
        return self.classifier(x.max(dim=2)[0])


def graph_features(x, neighbours):
    """`(x_j - x_i, x_i)` over the nearest neighbours, `(batch, 2 channels, points, neighbours)`."""
    batch, channels, points = x.shape
    inner = -2 * torch.matmul(x.transpose(2, 1), x)
    lengths = (x**2).sum(dim=1, keepdim=True)
    index = (-lengths - inner - lengths.transpose(2, 1)).topk(k=neighbours, dim=-1)[1]
    index = (index + torch.arange(batch).view(-1, 1, 1) * points).view(-1)
    x = x.transpose(2, 1).contiguous()
    near = x.view(batch * points, -1)[index].view(batch, points, neighbours, channels)
    own = x.view(batch, points, 1, channels).repeat(1, 1, neighbours, 1)
    return torch.cat((near - own, own), dim=3).permute(0, 3, 1, 2).contiguous()


class EdgeConv(nn.Module):
    def __init__(self, branches, inputs, outputs):
        super().__init__()
        self.first = Block(branches, 2 * inputs, outputs, leaky, bias=False, edges=True)

    def forward(self, x, neighbours):
        return self.first(graph_features(x, neighbours)).max(dim=-1)[0]


class TwinDGCNN(nn.Module):
    def __init__(self, branches, classes, inputs, neighbours, widths, embedding, hidden, rate):
        super().__init__()
        self.neighbours = neighbours
        pairs = zip((inputs, *widths), widths, strict=False)
        self.convs = nn.ModuleList(EdgeConv(branches, a, b) for a, b in pairs)
        self.embed = Block(branches, sum(widths), embedding, leaky, bias=False)
        rates = (rate,) * len(hidden)
        self.classifier = Head((2 * embedding, *hidden), classes, leaky, rates)

    def forward(self, x):
        found = []
        for conv in self.convs:
            x = conv(x, self.neighbours)
            found.append(x)
        x = self.embed(torch.cat(found, dim=1))
        both = functional.adaptive_max_pool1d(x, 1), functional.adaptive_avg_pool1d(x, 1)
        return self.classifier(torch.cat([pool.squeeze(2) for pool in both], dim=1))


def twin(model):
    """The twin of a `PointNet` or `DGCNN`, with its weights, statistics and dropout rates."""
    head = model.classifier
    hidden = tuple(block.layer.out_features for block in head.hidden)
    common = {"classes": head.out.out_features, "hidden": hidden, "inputs": model.in_features}
    common["rate"] = head.dropouts[-1].rate
    net = _dgcnn(model, common) if hasattr(model, "convs") else _pointnet(model, common)
    state = nnx.state(model, nnx.Any(nnx.Param, nnx.BatchStat))
    missing, unexpected = net.load_state_dict(named(state, net), strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing), missing
    return net


def _pointnet(model, common):
    widths = tuple(block.layer.out_features for block in model.blocks)
    transforms = model.input_transform is not None, model.feature_transform is not None
    return TwinPointNet(_branches(model.blocks[0]), widths=widths, transforms=transforms, **common)


def _dgcnn(model, common):
    first = [conv.first for conv in model.convs]
    return TwinDGCNN(
        _branches(first[0]),
        neighbours=model.neighbours,
        widths=tuple(block.layer.out_features for block in first),
        embedding=model.embed.layer.out_features,
        **common,
    )


def _branches(block):
    return "".join(branch.name for branch in block.layer.neuron.branches)


def named(state, net):
    """Arrays of our state (parameters, statistics, gradients) under torch's names and layout."""
    shapes = {name: tensor.shape for name, tensor in net.state_dict().items()}
    pairs = (_named(path, np.asarray(v[...])) for path, v in nnx.to_flat_state(state))
    return {name: torch.from_numpy(np.array(v)).reshape(shapes[name]) for name, v in pairs}


def _named(path, value):
    *place, last = map(str, path)
    if place[-1] == "layer":  # kernel_r -> layer.r.weight
        kind, branch = last.split("_")
        return ".".join([*place, branch, "weight" if kind == "kernel" else "bias"]), value.T
    torchs = {"scale": "weight", "mean": "running_mean", "var": "running_var", "kernel": "weight"}
    return ".".join([*place, torchs.get(last, last)]), value.T


def step(net, tx, x, labels):
    """One training step; returns the loss."""
    tx.zero_grad()
    loss = functional.cross_entropy(net(x), labels, label_smoothing=0.2)
    loss.backward()
    tx.step()
    return loss
