"""PyTorch twin of the network that decides and marks, and of its loss; imported with torch."""

import numpy as np
import torch
from defect_twins import ResNet
from torch import nn
from torch.nn import functional


class Double(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv2d(features, after, 3, padding=1, bias=False) for features in (before, after)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(after) for _ in range(2))

    def forward(self, x):
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = torch.relu(norm(conv(x)))
        return x


class MultiTask(nn.Module):
    """ResNet-18, a head on its mean and maximum, and a U-shaped decoder; widths as in ours."""

    def __init__(self, width, decoder):
        super().__init__()
        self.encoder = ResNet(18, 1, width)
        stages = [width, width, 2 * width, 4 * width, 8 * width]
        widths = [decoder * 2 ** min(level, 3) for level in range(len(stages))]
        beside, below = [*stages[-2::-1], 0], [stages[-1], *reversed(widths[1:])]
        self.rise = nn.ModuleList(
            Double(a + b, after)
            for a, b, after in zip(beside, below, reversed(widths), strict=True)
        )
        self.out = nn.Conv2d(decoder, 1, 1)
        self.sample = nn.Linear(2 * stages[-1], 1)

    def forward(self, x):
        *kept, deep = self.encoder.pyramid(x)
        pooled = torch.cat([deep.mean((2, 3)), deep.amax((2, 3))], dim=1)
        y = deep
        for double, beside in zip(self.rise, [*reversed(kept), None], strict=True):
            size = x.shape[2:] if beside is None else beside.shape[2:]
            if y.shape[2:] != size:
                y = functional.interpolate(y, size=size, mode="nearest")
            y = double(y if beside is None else torch.cat([beside, y], dim=1))
        return self.sample(pooled)[:, 0], self.out(y)[:, 0]


def loss(net, x, masks, defective):
    """Ours at its defaults: cross-entropy and Dice of pixels, half of the samples' entropy."""
    logits, pixels = net(x)
    entropy = functional.binary_cross_entropy_with_logits(pixels, masks, reduction="none")
    p = torch.sigmoid(pixels)
    overlap = 2 * (p * masks).sum((1, 2)) + 1
    dice = 1 - overlap / (p.sum((1, 2)) + masks.sum((1, 2)) + 1)
    segmentation = (entropy.mean((1, 2)) + defective * masks.amax((1, 2)) * dice).mean()
    return segmentation + 0.5 * functional.binary_cross_entropy_with_logits(logits, defective)


def fill(twin, ours, encoder):
    """The twin with our weights: the encoder's under torchvision's names, the rest one by one."""

    def put(parameter, values, order):
        parameter.copy_(torch.from_numpy(values.transpose(order).copy()))

    with torch.no_grad():
        twin.encoder.load_state_dict(encoder, strict=False)  # no counters, no head
        for theirs, mine in zip(twin.rise, ours.unet.rise, strict=True):
            for one, other in zip(theirs.convs, mine.convs, strict=True):
                put(one.weight, array(other.kernel_r), (3, 2, 0, 1))
        put(twin.out.weight, array(ours.unet.out.kernel_r), (3, 2, 0, 1))
        put(twin.out.bias, array(ours.unet.out.bias_r), (0,))
        linear = ours.encoder.out.layers[0]
        put(twin.sample.weight, array(linear.kernel), (1, 0))
        put(twin.sample.bias, array(linear.bias), (0,))
    return twin


def array(variable):
    return np.asarray(variable[...])
