"""Segmentation networks of the localisation study: from masks, and from maps in rounds.

A U-shaped decoder over activations of the second to fourth stage, which on real tiles are frozen
ImageNet features, learns the pixels of the seed's training tiles at half their height and width:
once from their masks, which is full supervision, and once from the pseudo labels of a method's
maps, in rounds that go on with the same network. Both see the same tiles for the same number of
steps, and are judged as maps are: by the protocol of `localisation_study`, threshold included.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

from neurons.backbones.defect import EncoderUNet, StagedNet
from neurons.backbones.defect.blocks import MeanHead
from neurons.explain import finish
from neurons.explain import metrics as judge
from neurons.explain.segmentation import DEFECT, PixelLoss, Rounds, predict, seeds, train_rounds
from theory.claims import cam_contrasts as contrasts
from theory.claims import localisation_study as study
from theory.claims import localisation_study_detectors as detectors
from theory.claims.claim import Lab
from theory.claims.localisation_study import Method

TILES = 400  # of a seed's training tiles, half of them defective
STEPS, BATCH, RATE = 3200, 4, 3e-3  # steps of all rounds together, times the budget's effort
ROUNDS = 3
WIDTH = 8
LOSS = PixelLoss(over="images")  # small defects count as much as large ones
LOW = 0.4  # background where a map is below this share of its threshold: 0.2 to 0.5 in our reading
STAGES = detectors.KEPT


class Decoder(nnx.Module):
    """The decoder of a U-Net over cached activations.

    Args:
        net: whose stages they are.
        side: height and width of the logits.
        rngs: stream `params`.
    """

    def __init__(self, net: StagedNet, side: int, *, rngs: nnx.Rngs) -> None:
        plans = [
            plan
            for plan in zip(net.stages, net.widths, net.strides, strict=True)
            if plan[0] in STAGES
        ]
        bare = StagedNet(
            [detectors.Plan(*plan) for plan in plans],
            [],
            MeanHead(1, 1, name="", rngs=rngs),
            channels=1,
        )
        self.side, self.unet = side, EncoderUNet(bare, width=WIDTH, rngs=rngs)

    def __call__(self, pyramid: tuple[Array, ...]) -> Array:
        """Logits `(batch, side, side, 1)`."""
        return self.unet.decode(pyramid, (self.side, self.side))


def supervised(lab: Lab, seed: int) -> dict[str, Any]:
    """What a decoder reaches that learned from masks; as `localisation_study.outcome`."""
    name = f"{lab.data.name}, decoder from masks, {seed}"
    return dict(lab.recall(name, partial(_supervised, lab, seed)))


def rounds(lab: Lab, method: Method, seed: int) -> dict[str, Any]:
    """What decoders reach that learned from a method's maps, round by round.

    Returns:
        "rounds": a list as of `localisation_study.outcome`; "agreement" of each round's labels
        with those that its network gives; "labels": IoU of each round's labels with the masks of
        the defective training tiles, ignored pixels left out; "defect": share of these tiles that
        the labels call defect; "status" of the training.
    """
    name = f"{lab.data.name}, rounds from {method}, {seed}"
    return dict(lab.recall(name, partial(_rounds, lab, method, seed)))


def _supervised(lab: Lab, seed: int) -> dict[str, Any]:
    places = lesson(lab, seed)
    found = _trained(lab, seed, places, _halved(lab.data.masks[places]).astype(np.int8), 1)
    return _judged(lab, seed, found.model)


def _rounds(lab: Lab, method: Method, seed: int) -> dict[str, Any]:
    places = lesson(lab, seed)
    defective = lab.data.defective[places]
    labels = np.zeros((len(places), *_half(lab)), np.int8)
    threshold = contrasts.outcome(lab, method, seed)["threshold"]
    maps = jnp.asarray(_halved_maps(contrasts.maps(lab, method, seed, places[defective])))
    labels[defective] = seeds(maps, jnp.ones(len(maps), bool), levels=(threshold, LOW * threshold))
    found = _trained(lab, seed, places, labels, ROUNDS)
    masks = _halved(lab.data.masks[places])[defective]
    return {
        "rounds": [_judged(lab, seed, done.model) for done in found.rounds],
        "agreement": study.rounded(np.array([done.agreement for done in found.rounds])),
        "labels": [_label_iou(done.labels[defective], masks) for done in found.rounds],
        "defect": study.rounded(np.array([done.defect for done in found.rounds])),
        "status": found.status,
    }


def lesson(lab: Lab, seed: int) -> np.ndarray:
    """Training tiles whose pixels are learned, as many defective ones as free ones."""
    places = detectors.division(lab, seed).train
    defective = lab.data.defective[places]
    count = min(TILES // 2, int(defective.sum()), int((~defective).sum()))
    return np.concatenate([places[defective][:count], places[~defective][:count]])


def _trained(lab: Lab, seed: int, places: np.ndarray, labels: np.ndarray, most: int) -> Rounds:
    epochs = max(1, round(STEPS / most * lab.budget.effort / (len(places) // BATCH)))
    key = jax.random.fold_in(lab.key, 200 + seed)
    source = detectors.backbone(lab.data) or detectors.detector(lab, seed)
    return train_rounds(
        Decoder(source, _half(lab)[0], rngs=nnx.Rngs(key)),
        _pyramid(lab, seed, places),
        jnp.asarray(labels),
        jnp.asarray(lab.data.defective[places]),
        detectors.adam(epochs * (len(places) // BATCH), RATE),
        key=key,
        rounds=most,
        epochs=epochs,
        size=BATCH,
        loss=LOSS,
        restart=False,
    )


def _pyramid(lab: Lab, seed: int, places: np.ndarray) -> tuple[Array, ...]:
    """Activations of the two stages: those that are frozen, or the seed's own."""
    kept = detectors.frozen(lab.data)
    if set(STAGES) <= set(kept):
        return tuple(jnp.asarray(kept[stage][places]) for stage in STAGES)
    net, x = detectors.detector(lab, seed), detectors.images(lab.data)[places]
    parts = [_stages(net, chunk) for chunk in detectors.chunks(x)]
    return tuple(jnp.concatenate(stage)[: len(places)] for stage in zip(*parts, strict=True))


@nnx.jit
def _stages(net: StagedNet, x: Array) -> tuple[Array, ...]:
    return tuple(net.features(x, stage) for stage in STAGES)


def _judged(lab: Lab, seed: int, model: Decoder) -> dict[str, Any]:
    held_out, test = study.tiles(lab, seed)
    x = _pyramid(lab, seed, np.concatenate([held_out, test]))
    small = predict(model, x, size=detectors.CHUNK)
    found = np.asarray(finish(small, lab.data.masks.shape[1:], normalise="none"))
    masks, count = lab.data.masks, len(held_out)
    threshold = judge.best_threshold(found[:count], masks[held_out], name="iou", pooled=False)
    return study.scores(found[count:], masks[test], threshold)


def _half(lab: Lab) -> tuple[int, int]:
    height, width = lab.data.masks.shape[1:]
    return height // 2, width // 2


def _halved_maps(maps: np.ndarray) -> np.ndarray:
    """Means over squares of four pixels."""
    count, height, width = maps.shape
    return maps.reshape(count, height // 2, 2, width // 2, 2).mean(axis=(2, 4))


def _halved(masks: np.ndarray) -> np.ndarray:
    """Defective where two pixels of four are, or more: thin cracks keep their width."""
    return _halved_maps(masks.astype(np.float32)) >= 0.5


def _label_iou(labels: np.ndarray, masks: np.ndarray) -> float:
    """IoU of the pixels that are called defect, of all tiles together."""
    called = labels == DEFECT
    return round(float((called & masks).sum() / max((called | masks).sum(), 1)), study.DIGITS)
