"""PyTorch twins of the classifiers of surfaces, under torchvision's names; imported with torch."""

import torch
from torch import nn

MOBILENET = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}
VGG = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))


def conv(before, after, window=3, stride=1, groups=1):
    """Convolution, normalisation and ReLU6, as torchvision numbers them."""
    layers = (
        nn.Conv2d(before, after, window, stride, window // 2, groups=groups, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU6(),
    )
    return nn.Sequential(*layers)


class Inverted(nn.Module):
    def __init__(self, before, after, stride, expansion):
        super().__init__()
        hidden = before * expansion
        wide = [conv(before, hidden, 1)] if expansion > 1 else []
        self.conv = nn.Sequential(
            *wide,
            conv(hidden, hidden, 3, stride, hidden),
            nn.Conv2d(hidden, after, 1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.adds = stride == 1 and before == after

    def forward(self, x):
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNetV2(nn.Module):
    """`features` and `classifier` as in torchvision; `cuts` are the ends of our stages."""

    cuts = (2, 4, 7, 14, 19)

    def __init__(self, classes=1000):
        super().__init__()
        layers, before = [conv(3, 32, 3, 2)], 32
        for expansion, after, blocks, stride in MOBILENET:
            for block in range(blocks):
                layers.append(Inverted(before, after, 1 if block else stride, expansion))
                before = after
        layers.append(conv(before, 1280, 1))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(0.0), nn.Linear(1280, classes))

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))

    def pyramid(self, x):
        found = []
        for start, end in zip((0, *self.cuts), self.cuts, strict=False):
            x = self.features[start:end](x)
            found.append(x)
        return found


class Basic(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.downsample = None
        if stride > 1 or before != after:
            shortcut = nn.Conv2d(before, after, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(after))

    def forward(self, x):
        beside = x if self.downsample is None else self.downsample(x)
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(beside + y)


class ResNet(nn.Module):
    def __init__(self, depth, classes=1000, width=64):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        before = width
        for place, blocks in enumerate(DEPTHS[depth]):
            after = width * 2**place
            layers = [
                Basic(after if block else before, after, 1 if block or not place else 2)
                for block in range(blocks)
            ]
            self.add_module(f"layer{place + 1}", nn.Sequential(*layers))
            before = after
        self.fc = nn.Linear(before, classes)

    def forward(self, x):
        return self.fc(self.pyramid(x)[-1].mean((2, 3)))

    def pyramid(self, x):
        found = [torch.relu(self.bn1(self.conv1(x)))]
        x = self.maxpool(found[0])
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            found.append(x)
        return found


class VGG16(nn.Module):
    def __init__(self, norm=False, classes=1000, width=64, hidden=4096):
        super().__init__()
        layers, self.ends, before = [], [], 3
        for features, depth in VGG:
            features = features * width // 64
            for _ in range(depth):
                layers.append(nn.Conv2d(before, features, 3, padding=1))
                layers += [nn.BatchNorm2d(features)] if norm else []
                layers.append(nn.ReLU())
                before = features
            self.ends.append(len(layers))
            layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(
            nn.Linear(49 * before, hidden),
            nn.ReLU(),
            nn.Dropout(0.0),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(0.0),
            nn.Linear(hidden, classes),
        )

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)).flatten(1))

    def pyramid(self, x):
        found = []
        for start, end in zip((0, *self.ends), self.ends, strict=False):
            x = self.features[start:end](x)
            found.append(x)
        return found


def spread(net, seed=0):
    """The net with random weights and statistics, such that activations keep their size."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(like, low, high):
        return low + (high - low) * torch.rand(like.shape, generator=generator)

    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.copy_(uniform(module.weight, 0.5, 1.5))
                module.bias.copy_(uniform(module.bias, -0.5, 0.5))
                module.running_mean.copy_(uniform(module.running_mean, -0.3, 0.3))
                module.running_var.copy_(uniform(module.running_var, 0.5, 1.5))
            elif isinstance(module, nn.Conv2d | nn.Linear):
                bound = (6 / module.weight[0].numel()) ** 0.5
                module.weight.copy_(uniform(module.weight, -bound, bound))
                if module.bias is not None:
                    module.bias.copy_(uniform(module.bias, -0.3, 0.3))
    return net


def arrays(net):
    """Its state dictionary as NumPy arrays."""
    return {name: value.detach().numpy() for name, value in net.state_dict().items()}
