"""Experiments on images: QUNet, QResNet, and what ReLinear's start is good for.

From a lab to a finding; the claims that use them are registered elsewhere. `lab.data` is a
`neurons.data.Tiles` for :func:`segmentation` and a `neurons.data.Images` for the others.
"""

from collections.abc import Mapping

import numpy as np
from flax import nnx

from neurons.cost import parameters
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.image_runs import (
    CLASSIFIERS,
    IMAGE_RATE,
    PAPER_RATE,
    PART,
    SEGMENTERS,
    WIDTH,
    Run,
    Start,
    classifier,
    first_losses,
    segmenter,
)
from theory.claims.statistics import Comparison, greater, paired

MARGIN = 1.0
SCALES = (0.0, 1e-4, 1e-2, 1e-1)
DEPTHS = (20, 56)
STARTS_PER_SEED = 4
RELINEAR_SCALE = 1e-3  # of the authors' QResNet-56
EXPLODED = 10.0  # times the loss of guessing
APART = 10_000  # a seed number no repetition reaches

# The same number of settings for every model: learning rate, and the quadratic part's share.
PIXEL_GRID: Mapping[str, tuple[tuple[float, float], ...]] = {
    "QUNet": ((3e-3, 1e-4), (3e-3, 1e-2), (1e-2, 1e-4)),
    "UNet": ((1e-3, 1.0), (3e-3, 1.0), (1e-2, 1.0)),
    "slim UNet": ((1e-3, 1.0), (3e-3, 1.0), (1e-2, 1.0)),
}

FAULTS: Mapping[str, Mapping[str, str]] = {
    "segmentation": {
        "shuffle_quadratic": "QUNet is trained on the masks of other tiles",
        "shuffle_conventional": "both UNets are trained on the masks of other tiles",
    },
    "small_images": {
        "shuffle_quadratic": "QResNet is trained on shuffled labels",
        "shuffle_conventional": "both ResNets are trained on shuffled labels",
    },
    "scale_sweep": {
        "shuffle_grown": "at every scale above 0 the labels are shuffled",
        "shuffle_frozen": "at scale 0 the labels are shuffled",
    },
    "relinear_converges": {
        "same_start": "both arms begin and train with ReLinear",
        "rate_millionfold": "the common start trains at a million times the rate",
    },
    "relinear_converges_without_norm": {
        "same_start": "both arms begin and train with ReLinear",
        "rate_millionfold": "the common start trains at a million times the rate",
    },
}


def segmentation(lab: Lab) -> Finding:
    """Dice score of QUNet against UNet, and against a UNet of QUNet's shape and size."""
    runs = {model: _segmenters(lab, model) for model in SEGMENTERS}
    scores = {model: [run["test"] for run in found] for model, found in runs.items()}
    sizes = _sizes(SEGMENTERS, part=PART, channels=1)
    comparison = paired(scores["QUNet"], scores["UNet"])
    rows = [
        Row.mean(f"{model} ({sizes[model]:,} parameters), Dice, %", values)
        for model, values in scores.items()
    ]
    chosen = "; ".join(
        f"{model} rate {rate:g}" + (f", scale {scale:g}" if model == "QUNet" else "")
        for model, (rate, scale) in ((model, _tuned(lab, model)) for model in SEGMENTERS)
    )
    return Finding(
        greater(comparison, -MARGIN),
        comparison,
        -MARGIN,
        "Dice points",
        tuple(rows),
        (
            _at_least(
                "At equal size and shape QUNet is at least as good as the UNet",
                paired(scores["QUNet"], scores["slim UNet"]),
            ),
        ),
        f"Networks of 1/{PART} of the paper's widths, UNet with "
        f"{sizes['UNet'] / sizes['QUNet']:.1f} times QUNet's parameters. Tuned settings: {chosen}.",
        {
            "dice": scores,
            "parameters": sizes,
            "examples": {model: found[0]["examples"] for model, found in runs.items()},
        },
    )


def _segmenters(lab: Lab, model: str) -> list[dict]:
    rate, scale = _tuned(lab, model)
    mark = "shuffle_quadratic" if model == "QUNet" else "shuffle_conventional"
    return [
        segmenter(lab, Run(model, seed, rate, scale, shuffled=lab.fault == mark))
        for seed in range(lab.budget.seeds)
    ]


def _tuned(lab: Lab, model: str) -> tuple[float, float]:
    """The setting of the best validation Dice in half the epochs, on a split of its own."""
    grid = PIXEL_GRID[model]
    found = [segmenter(lab, Run(model, APART, *point, tuning=True))["valid"] for point in grid]
    return grid[int(np.argmax(found))]


def small_images(lab: Lab) -> Finding:
    """Accuracy of QResNet-20 at its best scale against ResNet-20, at equal depth and size."""
    scale = best_scale(lab)
    marks = (lab.fault == "shuffle_quadratic", lab.fault == "shuffle_conventional")
    scores = {
        model: _classifiers(lab, model, scale, shuffled=marks[model != "QResNet-20"])
        for model in CLASSIFIERS
    }
    sizes = _sizes(CLASSIFIERS, width=WIDTH, channels=lab.data.x_train.shape[-1])
    comparison = paired(scores["QResNet-20"], scores["ResNet-20"])
    return Finding(
        greater(comparison, -MARGIN),
        comparison,
        -MARGIN,
        "points of accuracy",
        tuple(
            Row.mean(f"{model} ({sizes[model]:,} parameters), test accuracy, %", values)
            for model, values in scores.items()
        ),
        (
            _at_least(
                "At equal parameters QResNet-20 is at least as good",
                paired(scores["QResNet-20"], scores["wide ResNet-20"]),
            ),
        ),
        f"First stage of {WIDTH} channels, the paper's has 16. Scale {scale:g}, the best above 0 "
        "on validation images.",
        {"accuracy": scores, "parameters": sizes},
    )


def scale_sweep(lab: Lab) -> Finding:
    """QResNet-20 at its best scale above 0 against scale 0, and the whole sweep."""
    chosen = best_scale(lab)
    curve = {
        f"{scale:g}": _classifiers(
            lab,
            "QResNet-20",
            scale,
            shuffled=lab.fault == ("shuffle_grown" if scale else "shuffle_frozen"),
        )
        for scale in SCALES
    }
    comparison = paired(curve[f"{chosen:g}"], curve["0"])
    return Finding(
        greater(comparison, -MARGIN),
        comparison,
        -MARGIN,
        "points of accuracy",
        tuple(
            Row.mean(f"scale {scale}, test accuracy, %", found) for scale, found in curve.items()
        ),
        (Control.above(f"Growing helps by more than {MARGIN:g} point", comparison, MARGIN),),
        f"The best scale above 0, {chosen:g}, is chosen on validation images, the difference is "
        "taken on test images.",
        {"scales": list(SCALES), "accuracy": curve, "chosen": chosen},
    )


def best_scale(lab: Lab) -> float:
    """The scale above 0 with the best mean validation accuracy over the seeds."""
    means = {
        scale: np.mean(
            [classifier(lab, _quadratic(seed, scale))["valid"] for seed in range(lab.budget.seeds)]
        )
        for scale in SCALES
        if scale
    }
    return max(means, key=lambda scale: means[scale])


def _quadratic(seed: int, scale: float) -> Run:
    return Run("QResNet-20", seed, IMAGE_RATE, scale)


def _classifiers(lab: Lab, model: str, scale: float, *, shuffled: bool) -> list[float]:
    scale = scale if model == "QResNet-20" else 1.0
    return [
        classifier(lab, Run(model, seed, IMAGE_RATE, scale, shuffled=shuffled))["test"]
        for seed in range(lab.budget.seeds)
    ]


def relinear_converges(lab: Lab) -> Finding:
    """Diverged runs of the common start less those of ReLinear, with batch normalisation."""
    return _diverged_finding(lab, norm=True)


def relinear_converges_without_norm(lab: Lab) -> Finding:
    """Diverged runs of the common start less those of ReLinear, without normalisation."""
    return _diverged_finding(lab, norm=False)


def _diverged_finding(lab: Lab, *, norm: bool) -> Finding:
    """At depth 56, in percent of the runs; depth 20 beside it."""
    found = {
        depth: {arm: _diverged(lab, depth, norm, arm) for arm in ("common", "relinear")}
        for depth in DEPTHS
    }
    pairs = {depth: paired(arms["common"], arms["relinear"]) for depth, arms in found.items()}
    rows = [
        Row.mean(f"{name}, depth {depth}, diverged, % of runs", arms[arm])
        for depth, arms in found.items()
        for arm, name in (("common", "common start and rate"), ("relinear", "ReLinear"))
    ]
    deep, shallow = pairs[DEPTHS[1]], pairs[DEPTHS[0]]
    runs = len(found[DEPTHS[0]]["common"])
    question = f"The same holds at depth {DEPTHS[0]}"
    return Finding(
        greater(deep, 10 * MARGIN),
        deep,
        10 * MARGIN,
        "% of runs that diverge",
        tuple(rows),
        (Control.above(question, shallow, 10 * MARGIN),),
        f"{runs} runs of each kind, first stage of {WIDTH} channels, "
        f"{'with' if norm else 'without'} batch normalisation. A run diverges when a loss of its "
        f"first steps is not finite or exceeds {EXPLODED:g} times that of guessing.",
        {"norm": norm, "runs": runs, "diverged": {str(d): arms for d, arms in found.items()}},
    )


def _diverged(lab: Lab, depth: int, norm: bool, arm: str) -> list[float]:
    """100 for every run that diverged, 0 for the others."""
    start = Start(depth, norm, "relinear", RELINEAR_SCALE, PAPER_RATE)
    if arm == "common" and lab.fault != "same_start":
        faster = 1_000_000 if lab.fault == "rate_millionfold" else 1
        start = Start(depth, norm, "common", 1.0, PAPER_RATE * faster)
    limit = EXPLODED * float(np.log(len(lab.data.classes)))
    runs = range(STARTS_PER_SEED * lab.budget.seeds)
    return [100.0 * (max(first_losses(lab, start, seed)) > limit) for seed in runs]


def _at_least(question: str, comparison: Comparison) -> Control:
    """As good as the other, up to the margin."""
    return Control.above(question, comparison, -MARGIN)


def _sizes(models: Mapping, **options: int) -> dict[str, int]:
    return {
        name: parameters(nnx.eval_shape(lambda make=make: make(**options, rngs=nnx.Rngs(0))))
        for name, make in models.items()
    }
