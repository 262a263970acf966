"""What every arm of the study answers: accuracies, changed labels, logit gaps, by seed."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import jax.numpy as jnp
import numpy as np

from neurons.data import cloud_corruptions as corrupt
from neurons.data import procedural_shapes
from theory.claims import cloud_rain_spectra as spectra
from theory.claims import cloud_rain_study as study
from theory.claims.claim import Lab
from theory.claims.cloud_rain_study import ARMS, Arm, Clouds, Task
from theory.claims.exact import numpy_generator
from theory.invariance import axis_mirrors, improper, invariance_gap, mirrors

PROBES, MOVES = 1000, 1  # clouds, and elements of each group that move them
MEASURED_SET = "simulated_pointclouds"  # where the extras are measured
SHOWN = ("chair", "cone", "right_helix", "right_propeller")
ANGLES = tuple(range(0, 91, 15))  # degrees between the mirror's normal and the first axis
GROUPS: Mapping[str, Any] = {
    "axis mirror": axis_mirrors(3),
    "oblique mirror": mirrors(3),
    "improper rotation": improper(3),
}
CORRUPTIONS: Mapping[str, study.Change] = {
    "noise of 0.05": lambda x, random: corrupt.jittered(x, 0.05, random),
    "10 % outliers": lambda x, random: corrupt.with_outliers(x, 0.1, random),
    "30 % cut off": lambda x, random: corrupt.cut(x, 0.3, random),
    "one side seen": lambda x, random: corrupt.seen(x, random),
}
# By fault: what becomes of an arm.
FAULTY: Mapping[str, Arm] = {
    "no_axes": ARMS["RAIN"]._replace(prepare=study.as_they_are, group=None),
    "edges_as_they_are": ARMS["edges"]._replace(prepare=study.as_they_are, group=None),
    "full_quadratic": ARMS["quadratic in axes"],
    "proper_frames": ARMS["proper frames"],
    "all_frames": ARMS["frames"],
}


def record(lab: Lab, name: str, *, fault: str = "", hands: bool = False) -> dict[str, Any]:
    """Answers of an arm, recalled or computed.

    Args:
        lab: budget, key, clouds.
        name: of the arm.
        fault: a key of :data:`FAULTY`, whose arm takes its place, or "shuffle": labels are.
        hands: whether left and right are classes of their own.

    Returns:
        By seed: "original" and "reflected" accuracy in percent, "changed" labels in percent,
        "correct" and "predicted" by test cloud; and the :data:`EXTRAS` of the arm.
    """
    work = study.task(lab, hands=hands)
    if fault == "shuffle":
        work = work._replace(y=numpy_generator(lab, 2).permutation(work.y))
    arm = FAULTY.get(fault, ARMS[name])
    extras = EXTRAS.get(name, ()) if lab.data.name == MEASURED_SET and not hands else ()
    key = f"{work.name}, {name}, {fault or 'honest'}, {'hands' if hands else 'merged'}"
    return dict(lab.recall(key, lambda: _record(lab, work, arm, extras)))


def _record(lab: Lab, work: Task, arm: Arm, extras: tuple[str, ...]) -> dict[str, Any]:
    dimensions = work.x.shape[2]
    nets = study.trained(lab, work, arm)
    models = [study.finished(net, arm, dimensions) for net in nets]
    reflected = study.mirrored(work.x_test, numpy_generator(lab, 3))
    answers = [_answers(model, work, reflected) for model in models]
    found = {name: [answer[name] for answer in answers] for name in answers[0]}
    found["labels"] = work.y_test.tolist()
    return found | {
        extra: MEASURED[extra](lab, nets if extra in ("symmetric", "spread") else models, work)
        for extra in extras
    }


def _answers(model: Any, work: Task, reflected: Clouds) -> dict[str, Any]:
    found = study.logits_of(model, {"before": work.x_test, "after": reflected})
    before, after = found["before"].argmax(axis=1), found["after"].argmax(axis=1)
    right, still = before == work.y_test, after == work.y_test
    return {
        "original": 100 * float(right.mean()),
        "reflected": 100 * float(still.mean()),
        "changed": 100 * float((before != after).mean()),
        "correct": right.astype(int).tolist(),
        "predicted": before.tolist(),
        "predicted in mirrors": after.tolist(),
    }


def gaps(lab: Lab, models: list[Any], work: Task) -> dict[str, list[float]]:
    """By group, the largest change of a logit over the probes, by seed."""
    return largest(changes(lab, models, work))


def largest(changes: Mapping[str, list[list[float]]]) -> dict[str, list[float]]:
    """By group and seed, the largest change of any probe; NaN if there is one."""
    return {name: np.max(seeds, axis=1).tolist() for name, seeds in changes.items()}


def changes(lab: Lab, models: list[Any], work: Task) -> dict[str, list[list[float]]]:
    """By group and seed, the largest change of a logit of every probe."""
    return {name: [_changes(lab, model, name) for model in models] for name in GROUPS}


def _changes(lab: Lab, model: Any, group: str) -> list[float]:
    found = invariance_gap(
        lambda clouds: jnp.asarray(study.logits(model, np.asarray(clouds))),
        jnp.asarray(probes()), GROUPS[group], key=lab.key, samples=MOVES,
    )  # fmt: skip
    return [float(change) for change in found.changes.max(axis=0)]


def probes() -> Clouds:
    """A thousand drawn clouds that no arm has trained on."""
    return _probes(PROBES)


@lru_cache
def _probes(count: int) -> Clouds:
    made = procedural_shapes(1001, train=study.OUTPUTS, test=count, points=study.POINTS)
    return np.asarray(made.x_test)


def shown_clouds(lab: Lab) -> list[dict[str, Any]]:
    """A few drawn clouds and their images in an oblique mirror, with their principal axes."""
    made = procedural_shapes(7, train=16, test=16, points=256)
    clouds = made.x_test[[made.classes.index(name) for name in SHOWN]]
    mirrored = study.mirrored(clouds, numpy_generator(lab, 9))
    found = {"original": study.axes_of(clouds), "mirrored": study.axes_of(mirrored)}
    return [
        {"name": name, "gap": float(found["original"].gap[k])}
        | {
            kind: {
                "points": np.round(x[k], 4).tolist(),
                "frame": np.asarray(found[kind].frame[k]).tolist(),
            }
            for kind, x in (("original", clouds), ("mirrored", mirrored))
        }
        for k, name in enumerate(SHOWN)
    ]


def angles(lab: Lab, models: list[Any], work: Task) -> list[list[float]]:
    """Accuracy in a mirror that turns from left-right to up-down, by seed and angle."""
    turned = {
        angle: study.applied(work.x_test, _mirror(angle, work.x_test.shape[2])) for angle in ANGLES
    }
    return [list(study.accuracies(model, turned, work.y_test).values()) for model in models]


def corrupted(lab: Lab, models: list[Any], work: Task) -> dict[str, list[float]]:
    """Accuracy by corruption and seed."""
    clouds = {
        name: change(work.x_test, numpy_generator(lab, 4)) for name, change in CORRUPTIONS.items()
    }
    found = [study.accuracies(model, clouds, work.y_test) for model in models]
    return {name: [of_model[name] for of_model in found] for name in clouds}


def _mirror(degrees: float, dimensions: int) -> np.ndarray:
    normal = np.zeros((1, dimensions))
    normal[0, [0, -1]] = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return study.mirrors(normal)


MEASURED: Mapping[str, Callable[[Lab, list[Any], Task], Any]] = {
    "gaps": gaps,
    "changes": changes,
    "angles": angles,
    "corrupted": corrupted,
    "symmetric": lambda lab, nets, work: spectra.symmetric_gaps(lab, nets),
    "spread": lambda lab, nets, work: spectra.spread_gaps(lab, nets, probes()),
}
# What is measured on clouds in space beside the answers.
EXTRAS: Mapping[str, tuple[str, ...]] = {
    "plain": ("angles", "corrupted"),
    "flips": ("angles",),
    "mirrors": ("angles", "corrupted"),
    "RAIN": ("gaps", "angles", "corrupted", "symmetric", "spread"),
    "frames": ("gaps", "corrupted"),
    "released": ("gaps",),
    "quadratic in axes": ("gaps",),
    "edges": ("changes",),
}
