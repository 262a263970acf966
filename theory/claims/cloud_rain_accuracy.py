"""Experiments on accuracy: in mirrors, without them, by eigen-gap, and on damaged clouds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from theory.claims import cloud_rain_records as records
from theory.claims import cloud_rain_study as study
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.cloud_rain_study import NAMES
from theory.claims.exact import exact
from theory.claims.statistics import below, greater, mean_effect, paired

POINT = 1.0
FEW = 1.0  # percent of clouds
UNIT = "points of accuracy"
AUGMENTED = ("flips", "rotations", "mirrors")

_TRAINED_WRONG = {
    "shuffle_invariant": "Cloud-RAIN's network is trained on shuffled labels",
    "shuffle_others": "the other networks are trained on shuffled labels",
}
FAULTS: Mapping[str, Mapping[str, str]] = {
    "drop_of_invariant": {"no_axes": "the power-only network reads the coordinates as they are"},
    "drop_of_baseline": {"invariant": "Cloud-RAIN's network takes the place of the PointNet"},
    "beats_augmentation": _TRAINED_WRONG,
    "frames_beat_augmentation": _TRAINED_WRONG,
    "cost": _TRAINED_WRONG,
    "by_gap": {
        "reversed": "clouds of small and of large gap are exchanged",
        "shuffled_gaps": "every cloud gets the gap of another",
    },
    "rare_gaps": {"symmetric": "every fifth cloud is the corners of a cube"},
    "damaged": _TRAINED_WRONG,
}


def drop_of_invariant(lab: Lab) -> Finding:
    """Share of test clouds whose label changes in a mirror, for Cloud-RAIN's network."""
    found = records.record(lab, "RAIN", fault="no_axes" if lab.fault else "")
    comparison = mean_effect(found["changed"])
    # Less than one cloud.
    margin = 50.0 / len(found["labels"])
    return Finding(
        below(comparison, margin),
        comparison,
        margin,
        "% of labels that change",
        (
            Row.mean("accuracy, original, %", found["original"]),
            Row.mean("accuracy, in an oblique mirror, %", found["reflected"]),
        ),
        note=f"{len(found['labels'])} test clouds, a mirror of random direction for each.",
        series={"original": found["original"], "reflected": found["reflected"]},
        test="below",
    )


def drop_of_baseline(lab: Lab) -> Finding:
    """Accuracy that a plain PointNet loses in mirrors."""
    name = "RAIN" if lab.fault == "invariant" else "plain"
    found = records.record(lab, name)
    comparison = paired(found["original"], found["reflected"])
    shown = _shown(lab, "plain", "flips", "mirrors", "RAIN")
    return Finding(
        greater(comparison, POINT),
        comparison,
        POINT,
        f"{UNIT} lost",
        _accuracies(shown),
        series={"accuracy": shown} | _angles(lab),
    )


def beats_augmentation(lab: Lab) -> Finding:
    """Accuracy in mirrors of Cloud-RAIN's network less that of the best augmented PointNet."""
    return _against_augmentation(lab, "RAIN")


def frames_beat_augmentation(lab: Lab) -> Finding:
    """The same for a PointNet averaged over frames."""
    return _against_augmentation(lab, "frames")


def _against_augmentation(lab: Lab, name: str) -> Finding:
    ours = _record(lab, name)["reflected"]
    others = {arm: _record(lab, arm)["reflected"] for arm in _augmented(lab)}
    best = max(others, key=lambda arm: float(np.mean(others[arm])))
    comparison = paired(ours, others[best])
    others["plain"] = _record(lab, "plain")["reflected"]
    series = {arm: _record(lab, arm)["reflected"] for arm in ("RAIN", "frames")} | others
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        UNIT,
        (
            Row.mean(f"{NAMES[name]}, in mirrors, accuracy, %", ours),
            *(
                Row.mean(f"{NAMES[arm]}, in mirrors, accuracy, %", values)
                for arm, values in others.items()
            ),
        ),
        (
            Control.above(
                "Augmentation helps a PointNet in mirrors", paired(others[best], others["plain"])
            ),
        ),
        f"The best augmentation by mean accuracy, against which the difference is taken: {best}. "
        f"{study.size(name):,} parameters and as many steps each.",
        {"reflected": series},
    )


def cost(lab: Lab) -> Finding:
    """Accuracy without mirrors of Cloud-RAIN's network less that of a plain PointNet."""
    arms = {name: _record(lab, name)["original"] for name in ("RAIN", "frames", "plain")}
    comparison = paired(arms["RAIN"], arms["plain"])
    return Finding(
        greater(comparison, -POINT),
        comparison,
        -POINT,
        UNIT,
        tuple(
            Row.mean(f"{NAMES[name]}, original, accuracy, %", values)
            for name, values in arms.items()
        ),
        (
            Control.above(
                "Averaging over frames costs less than a point",
                paired(arms["frames"], arms["plain"]), -POINT,
            ),
        ),
        f"{study.size('RAIN'):,} parameters each; clouds stand upright in training and test.",
        {"original": arms},
    )  # fmt: skip


def by_gap(lab: Lab) -> Finding:
    """Accuracy on the test clouds of large eigen-gap less that on those of small."""
    work = study.task(lab)
    gaps = np.asarray(study.axes_of(work.x_test).gap)
    if lab.fault == "shuffled_gaps":
        gaps = np.random.default_rng(0).permutation(gaps)
    found = {name: np.array(records.record(lab, name)["correct"]) for name in ("RAIN", "plain")}
    wide = _above_the_median_of_its_class(gaps, work.y_test)
    differences = {name: _difference(right, wide) for name, right in found.items()}
    sign = -1 if lab.fault == "reversed" else 1
    comparison = mean_effect(sign * differences["RAIN"])
    edges = np.quantile(gaps, np.linspace(0, 1, 6))
    place = np.clip(np.searchsorted(edges, gaps, side="right") - 1, 0, 4)
    curves = {
        name: [[100 * float(row[place == k].mean()) for k in range(5)] for row in right]
        for name, right in found.items()
    }
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        UNIT,
        tuple(
            Row.mean(f"{NAMES[name]}, {half} gaps, accuracy, %", 100 * right[:, part].mean(axis=1))
            for name, right in found.items()
            for half, part in (("large", wide), ("small", ~wide))
        ),
        (
            Control.above(
                "A plain PointNet, which knows no axes, shows the same difference",
                mean_effect(differences["plain"]),
            ),
        ),
        "Test clouds above and below the median gap of their class: shapes differ in gap and in "
        f"difficulty. The median of all relative gaps is {np.median(gaps):.2g}.",
        {"edges": edges.tolist(), "accuracy": curves},
    )


def _above_the_median_of_its_class(gaps: np.ndarray, labels: np.ndarray) -> np.ndarray:
    medians = {label: np.median(gaps[labels == label]) for label in np.unique(labels)}
    return gaps > np.array([medians[label] for label in labels])


def rare_gaps(lab: Lab) -> Finding:
    """Share of test clouds whose axes are doubtful."""
    clouds = np.array(study.task(lab).x_test)
    if lab.fault == "symmetric":
        corners = np.array(np.meshgrid(*[[-0.5, 0.5]] * 3)).reshape(3, -1).T
        count = clouds.shape[1]
        clouds[::5] = np.resize(corners, (count // 8 * 8, 3))[np.arange(count) % 8]
    gaps = np.asarray(study.axes_of(clouds).gap)
    comparison = exact(100 * float((gaps < 1e-3).mean()))
    rows = [
        Row(f"clouds with a relative gap under {limit:g}, %", 100 * float((gaps < limit).mean()))
        for limit in (1e-1, 1e-2, 1e-3)
    ]
    return Finding(
        below(comparison, FEW),
        comparison,
        FEW,
        "% of clouds under 0.001",
        (*rows, Row("median relative gap", float(np.median(gaps)))),
        note=f"{len(gaps)} test clouds of {clouds.shape[1]} points.",
        series={"gaps": np.sort(gaps).tolist()},
        test="below",
    )


def damaged(lab: Lab) -> Finding:
    """How much more accuracy Cloud-RAIN's network loses to outliers than a plain PointNet."""
    found = {name: _record(lab, name) for name in ("RAIN", "frames", "mirrors", "plain")}
    losses = {
        name: {kind: _loss(record, kind) for kind in records.CORRUPTIONS}
        for name, record in found.items()
    }
    kind = "10 % outliers"
    comparison = paired(losses["RAIN"][kind], losses["plain"][kind])
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        f"{UNIT} lost to outliers",
        tuple(
            Row.mean(f"{NAMES[name]}, {kind}, {UNIT} lost", values)
            for name, of_kind in losses.items()
            for kind, values in of_kind.items()
        ),
        tuple(
            Control.above(
                f"The same holds for {kind}", paired(losses["RAIN"][kind], losses["plain"][kind])
            )
            for kind in records.CORRUPTIONS
            if kind != "10 % outliers"
        ),
        "Trained on clouds without damage. Lost points are replaced by repeated ones.",
        {"losses": losses},
    )


def _loss(record: Mapping[str, Any], kind: str) -> list[float]:
    pairs = zip(record["original"], record["corrupted"][kind], strict=True)
    return [before - after for before, after in pairs]


def _record(lab: Lab, name: str) -> dict[str, Any]:
    """The arm's record, with shuffled labels where the fault says so."""
    mark = "shuffle_invariant" if name in ("RAIN", "frames") else "shuffle_others"
    return records.record(lab, name, fault="shuffle" if lab.fault == mark else "")


def _augmented(lab: Lab) -> tuple[str, ...]:
    """Rotations in training only for clouds in space, where the released code has them."""
    return AUGMENTED if lab.data.x_train.shape[2] == 3 else ("flips", "mirrors")


def _difference(right: np.ndarray, wide: np.ndarray) -> np.ndarray:
    return np.asarray(100 * (right[:, wide].mean(axis=1) - right[:, ~wide].mean(axis=1)))


def _shown(lab: Lab, *names: str) -> dict[str, dict[str, list[float]]]:
    found = {name: records.record(lab, name) for name in names}
    return {
        name: {part: record[part] for part in ("original", "reflected")}
        for name, record in found.items()
    }


def _accuracies(shown: Mapping[str, Mapping[str, Sequence[float]]]) -> tuple[Row, ...]:
    return tuple(
        Row.mean(f"{NAMES[name]}, {part}, accuracy, %", values)
        for name, parts in shown.items()
        for part, values in parts.items()
    )


def _angles(lab: Lab) -> dict[str, Any]:
    """Accuracy by the mirror's angle, where the study measured it."""
    found = {
        name: record["angles"]
        for name in ("plain", "flips", "mirrors", "RAIN")
        if "angles" in (record := records.record(lab, name))
    }
    return {"angles": list(records.ANGLES), "by_angle": found} if found else {}
