"""Experiments on interpreters of small black boxes: compression, and a network like itself."""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import numpy as np
from sklearn.datasets import make_moons
from sklearn.ensemble import RandomForestClassifier

from theory.claims.approximation_perspective_experiments import BOX, along, arrays, random_net
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.exact import numpy_generator
from theory.claims.interpreter_black_boxes import case
from theory.claims.interpreter_study import STEPS, budgeted
from theory.claims.statistics import greater, mean_effect
from theory.interpreter import Interpretation, interpret
from theory.interpreter.black_box import opened
from theory.regions import PiecewiseAffine, boundary

TEACHER = (2, 16, 16, 2)
TAUGHT = (500, 4000, 32_000)
SHOWN = ("flavanoids", "color_intensity")
PIXELS = 70


def compression(lab: Lab) -> Finding:
    """Cells that share a label, merged: how many are needed, of how many linear regions."""
    seeds = range(lab.budget.seeds)
    narrow = [lab.recall(f"compression/moons/{s}", partial(_moons, lab, s)) for s in seeds]
    wide = [lab.recall(f"compression/tumours/{s}", partial(_tumours, lab, s)) for s in seeds]
    if lab.fault == "no_merging":
        narrow = [run | {"rules": run["regions"]} for run in narrow]
    comparison = mean_effect([np.log10(run["regions"] / run["rules"]) for run in narrow])
    reached = mean_effect([run["fidelity"] for run in narrow])
    rows = []
    for name, runs in (("forest, moons", narrow), ("RBF-SVM, breast cancer", wide)):
        rows.append(Row.mean(f"{name}: linear regions", [run["regions"] for run in runs]))
        rows.append(Row.mean(f"{name}: cells", [run["rules"] for run in runs]))
        rows.append(Row.mean(f"{name}: fidelity of the cells", [run["fidelity"] for run in runs]))
    return Finding(
        greater(comparison, 1.0),
        comparison,
        1.0,
        "log10(linear regions per cell), two moons",
        tuple(rows),
        (Control.above("The cells keep a fidelity of 0.99 to the network", reached, 0.9899),),
        "Two inputs: all regions of the domain are counted; 30 inputs: those that hold a sample. "
        "Cells are cut by hyperplanes that carry the boundary.",
        {"picture": lab.recall("compression/picture", partial(picture, lab))},
    )


def _interpreted(
    lab: Lab, model: Any, data: np.ndarray, seed: int, hidden: tuple[int, ...] = (32, 32)
) -> Interpretation:
    return interpret(
        model,
        data,
        key=jax.random.fold_in(lab.key, seed),
        hidden=hidden,
        samples=budgeted(lab, 20_000),
        steps=max(300, round(STEPS * lab.budget.effort)),
    )


def _moons(lab: Lab, seed: int) -> dict[str, float]:
    """A forest on two moons; here all regions of the domain count."""
    x, y = make_moons(600, noise=0.15, random_state=seed)
    model = RandomForestClassifier(50, min_samples_leaf=5, random_state=seed).fit(x, y)
    story = _interpreted(lab, model, x, seed)
    return _rules(story) | {"regions": float(len(story.regions))}


def _tumours(lab: Lab, seed: int) -> dict[str, float]:
    """A support vector machine on thirty inputs."""
    table = lab.data["breast_cancer"]
    return _rules(_interpreted(lab, case("RBF-SVM", table, lab.key).model, table.x, seed))


def _rules(story: Interpretation) -> dict[str, float]:
    found = story.rules(0.99)
    return {
        "rules": float(len(found)),
        "regions": float(found.linear_regions),
        "fidelity": found.fidelity,
    }


def picture(lab: Lab) -> dict[str, Any]:
    """A forest on two measurements of real wines, and its interpreter: what the figure draws."""
    table = lab.data["wine"]
    chosen = [table.columns.index(name) for name in SHOWN]
    x = table.x[:, chosen]
    model = RandomForestClassifier(100, random_state=0).fit(x, table.y)
    story = _interpreted(lab, model, x, 0, hidden=(16, 16))
    ticks = [np.linspace(low, high, PIXELS) for low, high in story.place.box]
    grid = np.stack(np.meshgrid(*ticks), axis=-1).reshape(-1, 2)
    return {
        "names": list(SHOWN),
        "box": story.place.box.tolist(),
        "x": x.tolist(),
        "y": table.y.tolist(),
        "black_box": story.black_box.labels(grid).reshape(PIXELS, PIXELS).tolist(),
        "network": arrays(story.network),
        "fidelity": story.fidelity,
        "held_out_rows": story.data_fidelity,
        "rules": _rules(story),
    }


def identity(lab: Lab) -> Finding:
    """A ReLU network as black box of an interpreter of its own widths."""
    fidelity, far, mean = [], [], []
    for seed in range(lab.budget.seeds):
        teacher = random_net(numpy_generator(lab, seed), TEACHER)
        taught = [_taught(lab, teacher, n, seed) for n in TAUGHT]
        gaps = [_gaps(teacher, story.network) for story in taught]
        fidelity.append([story.fidelity for story in taught])
        far.append([gap for gap, _ in gaps])
        mean.append([gap for _, gap in gaps])
    comparison = mean_effect(np.array(fidelity)[:, -1])
    closer = mean_effect(np.log10(np.array(far)[:, 0] / np.array(far)[:, -1]))
    nearer = mean_effect(np.log10(np.array(mean)[:, 0] / np.array(mean)[:, -1]))
    rows = []
    for label, values in (
        ("fidelity", fidelity),
        ("Hausdorff distance of the boundaries", far),
        ("mean distance of the boundaries", mean),
    ):
        for n, column in zip(TAUGHT, np.transpose(values), strict=True):
            rows.append(Row.mean(f"{n} samples: {label}", column))
    return Finding(
        greater(comparison, 0.99),
        comparison,
        0.99,
        f"fidelity at {TAUGHT[-1]} samples",
        tuple(rows),
        (
            Control.above("The Hausdorff distance of the boundaries falls (decades)", closer),
            Control.above("Their mean distance falls (decades)", nearer),
        ),
        "Both boundaries are exact; their distance is taken from points along every facet.",
        {"samples": list(TAUGHT), "fidelity": fidelity, "hausdorff": far, "mean": mean},
    )


def _taught(lab: Lab, teacher: PiecewiseAffine, samples: int, seed: int) -> Interpretation:
    """An interpreter of the teacher's widths; with the planted fault of shuffled answers."""
    random = numpy_generator(lab, seed, samples)

    def answers(x: np.ndarray) -> np.ndarray:
        return teacher(random.permutation(x) if lab.fault == "shuffled_answers" else x)

    story = interpret(
        answers,
        domain=BOX,
        key=jax.random.fold_in(lab.key, seed),
        hidden=TEACHER[1:-1],
        samples=samples,
        steps=max(300, round(2 * STEPS * lab.budget.effort)),
    )
    return replace(story, black_box=opened(teacher, story.samples))


def _gaps(first: PiecewiseAffine, second: PiecewiseAffine) -> tuple[float, float]:
    """Hausdorff distance of two boundaries, and the mean distance from one to the other."""
    both = boundary(first, BOX), boundary(second, BOX)
    gaps = [a.nearest(along(b, 9)).distance for a, b in (both, both[::-1])]
    # Without a boundary nothing is near: the diagonal of the box stands for it.
    gaps = [np.minimum(gap, np.sqrt(8.0)) for gap in gaps if gap.size] or [np.full(1, np.sqrt(8.0))]
    return float(max(gap.max() for gap in gaps)), float(np.mean([gap.mean() for gap in gaps]))
