"""What is measured of an interpreter: by black box and seed, beside its rivals."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import numpy as np
from jax import Array

from theory.claims.claim import Lab
from theory.claims.interpreter_black_boxes import PAIRS, Case, case, line_of, tree_of
from theory.interpreter import Interpretation, interpret, linear_surrogate
from theory.interpreter.black_box import BlackBox, opened
from theory.interpreter.interpretation import cosine
from theory.interpreter.surrogate import weighted_r2

HIDDEN = (64, 64)
STEPS, SAMPLES = 10_000, 24_000
POINTS = 5  # explained, by black box and seed
NEIGHBOURS = 400
Record = dict[str, list[float]]


def budgeted(lab: Lab, full: int) -> int:
    """Samples, by the budget's share of data."""
    return max(2000, round(full * lab.budget.data))


def study(lab: Lab) -> dict[str, Record]:
    """Every measurement of every black box, one number a seed; recalled or made."""
    planted = lab.fault if lab.fault == "shuffled_answers" else "honest"
    found: dict[str, Record] = {}
    for number, (name, table) in enumerate(PAIRS):
        key = jax.random.fold_in(lab.key, number)
        found[f"{name}, {table}"] = lab.recall(
            f"interpreters/{planted}/{name}/{table}",
            partial(_of_pair, lab, name, table, key),
        )
    return found


def _of_pair(lab: Lab, name: str, table: str, key: Array) -> Record:
    return _of_case(lab, case(name, lab.data[table], key), key)


def _of_case(lab: Lab, black_box: Case, key: Array) -> Record:
    """Every seed is compared with the next one, the last with the first."""
    keys = [jax.random.fold_in(key, seed) for seed in range(lab.budget.seeds)]
    stories = [interpreter(lab, black_box, each) for each in keys]
    others = [*stories[1:], stories[0]]
    runs = [
        _judged(first) | _explained(first, second, each)
        for first, second, each in zip(stories, others, keys, strict=True)
    ]
    return {name: [run[name] for run in runs] for name in runs[0]}


def _judged(story: Interpretation) -> dict[str, float]:
    """Global fidelity of an interpreter, and of its rivals on the same samples."""
    truth = story.black_box
    x, labels = story.samples, truth.labels(story.samples)
    rivals = {"tree": tree_of(parameters(story), x, labels), "linear": line_of(x, labels)}
    found = {"leaves": float(rivals["tree"].get_n_leaves())}
    for where, points in (("jittered", story.held_out), ("plain", story.place.held_out)):
        right = truth.labels(points)
        found[f"network/{where}"] = _share(story.network(points).argmax(axis=1), right)
        for name, rival in rivals.items():
            found[f"{name}/{where}"] = _share(rival.predict(points), right)
    return found


def _share(first: np.ndarray, second: np.ndarray) -> float:
    return float((first == second).mean())


def interpreter(
    lab: Lab,
    black_box: Case,
    key: Array,
    samples: int | None = None,
    hidden: Sequence[int] = HIDDEN,
) -> Interpretation:
    """An interpreter under the lab's budget; with the planted fault it learns shuffled answers."""
    asked: Any = black_box.model
    if lab.fault == "shuffled_answers":
        asked = _shuffled(opened(black_box.model, black_box.rows))
    story = interpret(
        asked,
        black_box.rows,
        key=key,
        hidden=hidden,
        samples=samples or budgeted(lab, SAMPLES),
        steps=max(100, round(STEPS * lab.budget.effort)),
    )
    return replace(story, black_box=opened(black_box.model, black_box.rows))


def _shuffled(model: BlackBox) -> Any:
    """Answers that belong to other points."""
    random = np.random.default_rng(0)
    return lambda x: model.responses(x)[random.permutation(len(x))]


def parameters(story: Interpretation) -> int:
    """Weights and biases of the network."""
    net = story.network
    return sum(part.size for part in (*net.weights, *net.biases))


def _explained(first: Interpretation, second: Interpretation, key: Array) -> dict[str, float]:
    """Local fidelity and stability, ours and of the linear surrogate, on held-out rows.

    The surrogate is fitted twice, on draws of its own; all are judged on a third one.
    """
    random = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    points = first.place.held_out[:POINTS]
    columns = first.response_columns(points)
    near = [[first.around(x, NEIGHBOURS, random) for _ in range(3)] for x in points]
    everywhere = np.concatenate([draw.points for draws in near for draw in draws])
    answers = first.black_box.responses(everywhere).reshape(len(points), 3, NEIGHBOURS, -1)
    ours, affine, linear, alike = [], [], [], []
    for x, column, draws, said in zip(points, columns, near, answers, strict=True):
        judge, truth = draws[2], said[2, :, column]
        fits = [linear_surrogate(draws[i], said[i, :, column]) for i in range(2)]
        guess = first.responses(judge.points)[:, column]
        ours.append(weighted_r2(truth, guess, judge.weights))
        linear.append(weighted_r2(truth, fits[0](judge.points), judge.weights))
        scale = first.place.scale
        alike.append(cosine(fits[0].weights * scale, fits[1].weights * scale))
        affine.append(_inside(first, x))
    return {
        "local/network": _median(ours),
        "local/linear": _median(linear),
        "stability/network": first.stability(points, second),
        "stability/itself": first.stability(points, first),
        "stability/linear": float(np.mean(alike)),
        "exactness": max(affine),
    }


def _inside(story: Interpretation, x: np.ndarray) -> float:
    """How far an explanation is from the network's own margin, relative to it."""
    found = story.explain(x)
    top = np.sort(story.network(x[None])[0])
    return abs(found.margin - float(top[-1] - top[-2])) / max(1.0, abs(found.margin))


def _median(values: Sequence[float]) -> float:
    """Of the numbers among them; 0 if the black box is constant around every point."""
    known = [value for value in values if np.isfinite(value)]
    return float(np.median(known)) if known else 0.0
