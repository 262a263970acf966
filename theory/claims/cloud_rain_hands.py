"""Experiments on signs: what invariance under mirrors hides, and who still sees it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

import neurons as nr
from neurons.data import procedural_shapes
from neurons.data.procedural_shapes import rotations
from theory.claims import cloud_rain_records as records
from theory.claims import cloud_rain_study as study
from theory.claims.claim import Finding, Lab, Row
from theory.claims.cloud_rain_study import ARMS, NAMES, POINTS, Arm, Task
from theory.claims.exact import numpy_generator
from theory.claims.statistics import Comparison, below, greater, mean_effect, same

CHANCE, HIGH, CLEAR, CLOSE = 50.0, 95.0, 75.0, 1.0
HANDS = tuple(
    f"{side}_{kind}" for kind in ("helix", "propeller", "chain") for side in ("left", "right")
)
TRAINED, TESTED = 1000, 256  # pairs of clouds and test clouds of the skewness task
SIGN_ARMS: Mapping[str, Arm] = {
    "RAIN": ARMS["RAIN"],
    "frames": ARMS["frames"],
    "SignNet": Arm(nr.conventional, study.in_axes, "O", "signnet", study.Signless),
    "edges": ARMS["edges"],
}
SIGN_NAMES = {**NAMES, "SignNet": "PointNet under SignNet"}

FAULTS: Mapping[str, Mapping[str, str]] = {
    "signs_unseen": {"frames": "a PointNet averaged over frames takes its place"},
    "signs_seen": {"power_only": "the power-only PointNet takes the place of both"},
    "edges_see_signs": {"points": "the power-only PointNet takes the place of the DGCNN"},
    "hands_lost": {"proper_frames": "averages are taken over frames of SO(3) only"},
    "hands_kept": {"all_frames": "averages are taken over all frames of O(3)"},
}
simulated_hands = partial(procedural_shapes, classes=HANDS, train=1200, test=300, turned=True)


def skewness(lab: Lab) -> Task:
    """Clouds that are skewed along their first axis (label 1), and the same without (label 0).

    Both of a pair have the same absolute coordinates in the same principal axes, point by point:
    along the first axis triples `(2a, -a, -a)`, all of one orientation or half of each; across it
    every point with both signs of both coordinates, so that all axes are principal.
    """
    random = numpy_generator(lab, 8)
    train, test = (_pairs(random, count) for count in (TRAINED, TESTED // 2))
    labels = [np.arange(2 * count) % 2 for count in (TRAINED, TESTED // 2)]
    return Task("skewness", train, labels[0], test, labels[1])


def _pairs(random: np.random.Generator, count: int) -> np.ndarray:
    """`(2 count, POINTS, 3)`, even places without skewness."""
    groups = POINTS // 24  # 2 triples of 4 points a value
    size = random.uniform(0.2, 0.4, (count, groups, 1, 1, 1))
    triple = np.array([2.0, -1.0, -1.0])[:, None]
    across = random.uniform([0.15, 0.02], [0.3, 0.1], (count, groups, 2, 3, 1, 2))
    signs = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    clouds = []
    for second in (-1.0, 1.0):
        along = size * triple * np.array([1.0, second])[:, None, None]
        shape = (count, groups, 2, 3, 4)
        parts = [np.broadcast_to(along, shape)[..., None], across * signs]
        clouds.append(np.concatenate(parts, axis=-1).reshape(count, -1, 3))
    both = np.stack(clouds, axis=1).reshape(-1, POINTS, 3)
    turns = rotations(random, len(both)) * random.choice([-1.0, 1.0], (len(both), 1, 1))
    return study.applied(both, turns)


def sign_scores(lab: Lab, name: str) -> dict[str, Any]:
    """Test accuracy on the skewness task by seed, in percent."""
    return dict(lab.recall(f"skewness, {name}", lambda: _sign_scores(lab, name)))


def _sign_scores(lab: Lab, name: str) -> dict[str, Any]:
    work, arm = skewness(lab), SIGN_ARMS[name]
    models = [study.finished(net, arm) for net in study.trained(lab, work, arm)]
    scores = [study.accuracies(model, {0: work.x_test}, work.y_test)[0] for model in models]
    return {"accuracy": scores}


def signs_unseen(lab: Lab) -> Finding:
    """Accuracy of the power-only PointNet on the skewness task, less chance."""
    name = "frames" if lab.fault == "frames" else "RAIN"
    found = sign_scores(lab, name)["accuracy"]
    comparison = mean_effect(np.array(found) - CHANCE)
    return Finding(
        same(comparison, CLOSE),
        comparison,
        CLOSE,
        "points of accuracy above chance",
        (Row.mean(f"{SIGN_NAMES[name]}, skewness task, accuracy, %", found),),
        note=_SKEWNESS_NOTE,
        series={"accuracy": {name: found}},
        test="same",
    )


def signs_seen(lab: Lab) -> Finding:
    """The lesser accuracy of frame averaging and SignNet on the skewness task."""
    names = ("RAIN",) if lab.fault == "power_only" else ("frames", "SignNet")
    return _high(lab, names)


def edges_see_signs(lab: Lab) -> Finding:
    """Accuracy of a power-only DGCNN on the skewness task."""
    return _high(lab, ("RAIN",) if lab.fault == "points" else ("edges",))


def _high(lab: Lab, names: tuple[str, ...]) -> Finding:
    found = {name: sign_scores(lab, name)["accuracy"] for name in names}
    comparison = mean_effect(np.min(list(found.values()), axis=0))
    return Finding(
        greater(comparison, HIGH),
        comparison,
        HIGH,
        "% accuracy",
        tuple(
            Row.mean(f"{SIGN_NAMES[name]}, skewness task, accuracy, %", values)
            for name, values in found.items()
        ),
        note=_SKEWNESS_NOTE,
        series={"accuracy": found},
    )


_SKEWNESS_NOTE = (
    "Both clouds of a pair have the same absolute coordinates in their principal axes, point by "
    "point; one is skewed along the first axis, the other is not."
)


def hands_lost(lab: Lab) -> Finding:
    """Accuracy on clouds and their mirror images, as images of the other hand, for O(3)."""
    fault = lab.fault or ""
    found = {name: _hands(lab, name, fault) for name in ("frames", "RAIN")}
    comparison = _higher(found)
    return Finding(
        below(comparison, CHANCE + CLOSE),
        comparison,
        CHANCE + CLOSE,
        "% accuracy",
        _hand_rows(found),
        note=_HANDS_NOTE,
        series={"accuracy": found},
        test="below",
    )


def hands_kept(lab: Lab) -> Finding:
    """The same for averages over the frames of SO(3)."""
    fault = lab.fault or ""
    found = {"proper frames": _hands(lab, "proper frames", fault)}
    comparison = mean_effect(found["proper frames"])
    return Finding(
        greater(comparison, CLEAR),
        comparison,
        CLEAR,
        "% accuracy",
        _hand_rows(found),
        note=_HANDS_NOTE,
        series={
            "classes": list(lab.data.classes),
            "confusion": {
                name: _confusion(lab, name, fault) for name in ("frames", "proper frames")
            },
            "accuracy": found,
        },
    )


_HANDS_NOTE = (
    "Helices, propellers and chains of blocks of either hand, turned at random; test clouds and "
    "their mirror images, which count as the class of the other hand."
)


def _hands(lab: Lab, name: str, fault: str) -> list[float]:
    found = records.record(lab, name, fault=fault, hands=True)
    labels, other = np.array(found["labels"]), _other_hand(lab.data.classes)
    before, after = np.array(found["predicted"]), np.array(found["predicted in mirrors"])
    right = (before == labels[None]).mean(axis=1) + (after == other[labels][None]).mean(axis=1)
    return [100 * float(share) / 2 for share in right]


def _other_hand(classes: tuple[str, ...]) -> np.ndarray:
    swap = {"left": "right", "right": "left"}
    names = [name.split("_", 1) for name in classes]
    return np.array([classes.index(f"{swap[side]}_{kind}") for side, kind in names])


def _confusion(lab: Lab, name: str, fault: str) -> list[list[int]]:
    """How often clouds of a class (rows) are given a label (columns), over all seeds."""
    found = records.record(lab, name, fault=fault, hands=True)
    count = len(lab.data.classes)
    table = np.zeros((count, study.OUTPUTS), int)
    for predicted in found["predicted"]:
        np.add.at(table, (found["labels"], predicted), 1)
    kept: list[list[int]] = table[:, :count].tolist()
    return kept


def _higher(found: Mapping[str, list[float]]) -> Comparison:
    return mean_effect(np.max(list(found.values()), axis=0))


def _hand_rows(found: Mapping[str, list[float]]) -> tuple[Row, ...]:
    return tuple(
        Row.mean(f"{NAMES[name]}, clouds and mirror images, accuracy, %", values)
        for name, values in found.items()
    )
