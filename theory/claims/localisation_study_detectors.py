"""Networks of the localisation study: which tiles each sees, and how they are trained.

On real tiles the first three stages are MobileNetV2's, trained on ImageNet and frozen; their
activations are computed once for all tiles. Two more stages, with a max pooling between them, and
a linear head are trained on them from image labels alone. On drawn tiles, where there are no
such weights, all five stages are trained from scratch. Either network is one `StagedNet` with the
stages `stem, stage1, ..., stage4` and a single logit, the defect's.

The frozen stages end in linear layers, whose activations have both signs, while LayerCAM takes them
for evidence where they are positive. For explanations each channel is split into its positive and
its negative part, which changes no value of the network.
"""

from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array

import neurons as nr
from neurons.backbones.defect import StagedNet, mobilenet_v2, preprocess
from neurons.backbones.defect.blocks import ConvNorm, MeanHead, Names, Stage
from neurons.backbones.defect.staged import Plan
from neurons.explain.metrics import auc
from neurons.folds import folds
from theory.claims.claim import Lab
from theory.claims.exact import numpy_generator
from theory.claims.packed_weights import packed, restored

Arm = Literal["trained", "untrained", "shuffled"]

FOLDS = 10  # two for testing, one to choose thresholds on, seven for training
TRAINED = 1100  # training tiles, times the budget's share; the folds hold half as many
STEPS, BATCH, RATE = 1500, 32, 3e-3
CHUNK = 24
LINEAR = ("stage1", "stage2")  # of MobileNetV2: they end without a ReLU
KEPT = ("stage1", "stage2", "stage3")  # of the pretrained network, for the decoders
ENTERED = "stage2"  # whose activations the trained stages take
WIDTH = 32  # of the trained stages on ImageNet features
DRAWN_WIDTHS = (8, 16, 24, 32, 32)  # of the network for drawn tiles


class Division(NamedTuple):
    """Places of one seed's tiles; no piece of material lies in two of the three parts.

    Args:
        train: to learn from, as many for every seed.
        held_out: a tenth, for thresholds.
        test: a fifth, another one for every seed up to five.
    """

    train: np.ndarray
    held_out: np.ndarray
    test: np.ndarray


def division(lab: Lab, seed: int) -> Division:
    """The seed's tiles, the training tiles cut to the budget's share."""
    parts = [_places(lab, one) for one in range(lab.budget.seeds)]
    count = min(round(TRAINED * lab.budget.data), *(len(part.train) for part in parts))
    train = numpy_generator(lab, 1, seed).permutation(parts[seed].train)
    return parts[seed]._replace(train=train[: max(BATCH, count)])


def _places(lab: Lab, seed: int) -> Division:
    start = int(numpy_generator(lab, 0).integers(2**31))
    fold = folds(lab.data.kinds, FOLDS, start, lab.data.parts)
    wheel = (fold - 2 * seed) % FOLDS
    return Division(*(np.flatnonzero(part) for part in (wheel > 2, wheel == 2, wheel < 2)))


@lru_cache(maxsize=2)
def images(data: Any) -> Array:
    """All tiles as the network takes them, `(tiles, side, side, 3)`."""
    return preprocess(data.images)


@lru_cache(maxsize=2)
def backbone(data: Any) -> StagedNet | None:
    """The pretrained network; None for data without weights."""
    weights = getattr(data, "weights", {})
    if not weights:
        return None
    net = mobilenet_v2(weights=weights, rngs=nnx.Rngs(0))
    net.eval()  # its statistics are ImageNet's
    return net


@lru_cache(maxsize=2)
def frozen(data: Any) -> dict[str, np.ndarray]:
    """Activations of all tiles after the frozen stages, by stage; the tiles themselves if none."""
    net = backbone(data)
    if net is None:
        return {"": np.asarray(images(data))}
    parts = [_stages(net, chunk) for chunk in chunks(images(data))]
    found = [np.concatenate(stage)[: len(data.kinds)] for stage in zip(*parts, strict=True)]
    return dict(zip(KEPT, found, strict=True))


def chunks(x: Array) -> list[Array]:
    """The rows in chunks of one shape, the last one filled up with the first row."""
    missing = -len(x) % CHUNK
    padded = jnp.concatenate([x, jnp.repeat(x[:1], missing, axis=0)]) if missing else x
    return list(jnp.split(padded, len(padded) // CHUNK))


@nnx.jit
def _stages(net: StagedNet, x: Array) -> tuple[Array, ...]:
    found = [net.features(x, KEPT[0])]
    for place in range(net.stages.index(KEPT[0]) + 1, net.stages.index(KEPT[-1]) + 1):
        found.append(net.parts[place](found[-1]))
    return tuple(found)


class Top(nnx.Module):
    """What is trained: the stages behind the frozen ones, and the head."""

    def __init__(self, pretrained: bool, *, rngs: nnx.Rngs) -> None:
        widths = (32, WIDTH, WIDTH) if pretrained else (3, *DRAWN_WIDTHS)
        layers = [
            ConvNorm(nr.conventional, before, after, 3, names=Names(), rngs=rngs)
            for before, after in pairwise(widths)
        ]
        pools = (0, 2) if pretrained else (0, 2, 2, 0, 2)
        stages = [Stage([layer], pool=pool) for layer, pool in zip(layers, pools, strict=True)]
        self.stages, self.out = nnx.List(stages), MeanHead(widths[-1], 1, name="", rngs=rngs)

    def __call__(self, x: Array) -> Array:
        """The logit, `(batch, 1)`."""
        for stage in self.stages:
            x = stage(x)
        return self.out(x)


def whole(data: Any, top: Top) -> StagedNet:
    """The frozen stages and the trained ones as one network."""
    base = backbone(data)
    names = ("stem", *(f"stage{number}" for number in range(1, 5)))
    kept = [] if base is None else list(base.parts[:3])
    widths = (*base.widths[:3], WIDTH, WIDTH) if base else DRAWN_WIDTHS
    strides = (2, 4, 8, 8, 16) if base else (1, 2, 4, 4, 8)
    plans = [Plan(*plan) for plan in zip(names, widths, strides, strict=True)]
    net = StagedNet(plans, [*kept, *top.stages], top.out, channels=3)
    net.eval()
    return net


def detector(lab: Lab, seed: int, arm: Arm = "trained") -> StagedNet:
    """The seed's network, recalled or trained.

    Args:
        lab: budget, key, tiles.
        seed: below the budget's number.
        arm: "untrained" leaves the trained stages at their start, "shuffled" trains them on
            labels of other tiles.
    """
    stored = lab.recall(f"{lab.data.name}, detectors, {arm}", lambda: _trained(lab, arm))
    return whole(lab.data, restored(_fresh(lab, seed), stored["weights"][seed]))


class TwoSided(nnx.Module):
    """A network whose signed activations are given as their positive and their negative parts.

    Args:
        net: the network, with `features(x, stage)` and `head(activations, stage)`.
        signed: stages with activations of both signs; they get twice the channels.
    """

    def __init__(self, net: Any, signed: tuple[str, ...]) -> None:
        self.net, self.signed = net, signed

    def features(self, x: Array, stage: str) -> Array:
        """Activations `max(a, 0)` and `max(-a, 0)` side by side; `a` where none is negative."""
        found = self.net.features(x, stage)
        if stage not in self.signed:
            return found
        return jnp.concatenate([jax.nn.relu(found), jax.nn.relu(-found)], axis=-1)

    def head(self, features: Array, stage: str) -> Array:
        """The logit from there."""
        if stage in self.signed:
            positive, negative = jnp.split(features, 2, axis=-1)
            features = positive - negative
        return self.net.head(features, stage)

    def __call__(self, x: Array) -> Array:
        """The logit."""
        return self.net(x)


def network(lab: Lab, seed: int, arm: Arm = "trained") -> TwoSided:
    """The seed's network as it is explained."""
    signed = LINEAR if backbone(lab.data) is not None else ()
    return TwoSided(detector(lab, seed, arm), signed)


def image_auc(lab: Lab, arm: Arm = "trained") -> list[float]:
    """Area under the ROC curve of defective against free test tiles, by seed."""
    stored = lab.recall(f"{lab.data.name}, detectors, {arm}", lambda: _trained(lab, arm))
    return list(stored["auc"])


def _trained(lab: Lab, arm: Arm) -> dict[str, Any]:
    seeds = range(lab.budget.seeds)
    tops = [_fresh(lab, seed) if arm == "untrained" else _fitted(lab, arm, seed) for seed in seeds]
    return {
        "weights": [packed(top) for top in tops],
        "auc": [_auc(lab, seed, top) for seed, top in zip(seeds, tops, strict=True)],
    }


def _fitted(lab: Lab, arm: Arm, seed: int) -> Top:
    x, y = _lesson(lab, seed, arm)
    steps = max(20, round(STEPS * lab.budget.effort))
    batches = nr.Batches((x, y), BATCH, max(1, round(steps / (len(y) // BATCH))))
    tx = adam(batches.steps)
    return nr.fit(_fresh(lab, seed), logistic, tx, batches, key=_key(lab, seed)).model


def _lesson(lab: Lab, seed: int, arm: Arm) -> tuple[Array, Array]:
    rows = division(lab, seed).train
    labels = lab.data.defective[rows]
    if arm == "shuffled":
        labels = numpy_generator(lab, 2, seed).permutation(labels)
    x = _entered(lab)[rows]
    turned = [x[:, ::down, ::right] for down in (1, -1) for right in (1, -1)]
    return jnp.asarray(np.concatenate(turned)), jnp.asarray(np.tile(labels, 4), jnp.float32)


def logistic(model: Any, batch: tuple[Array, Array]) -> Array:
    """Mean cross-entropy of a single logit."""
    x, labels = batch
    return optax.sigmoid_binary_cross_entropy(model(x)[:, 0], labels).mean()


@lru_cache
def adam(steps: int, rate: float = RATE) -> optax.GradientTransformation:
    """Adam with a decaying rate; one object for equal steps, so that runs share a compilation."""
    return optax.adam(optax.cosine_decay_schedule(rate, steps))


def _auc(lab: Lab, seed: int, top: Top) -> float:
    rows = division(lab, seed).test
    top.eval()
    x = jnp.asarray(_entered(lab)[rows])
    logits = np.concatenate([np.asarray(_logits(top, chunk)) for chunk in chunks(x)])
    return float(auc(logits[None, : len(rows), 0], lab.data.defective[None, rows])[0])


@nnx.jit
def _logits(model: Top, x: Array) -> Array:
    return model(x)


def _entered(lab: Lab) -> np.ndarray:
    """What the trained stages take of every tile."""
    found = frozen(lab.data)
    return found[ENTERED] if ENTERED in found else found[""]


def _pretrained(lab: Lab) -> bool:
    return bool(getattr(lab.data, "weights", {}))


def _key(lab: Lab, seed: int) -> Array:
    return jax.random.fold_in(lab.key, 100 + seed)


def _fresh(lab: Lab, seed: int) -> Top:
    return Top(_pretrained(lab), rngs=nnx.Rngs(_key(lab, seed)))
