"""Experiments of "One Neuron Saved": tasks on which small networks are compared at equal size.

At equal neurons a quadratic network has three times the parameters; at equal parameters it has a
third of the neurons. Both comparisons are made for every task.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurons.data import Records
from neurons.neuron import Neuron
from neurons.quadratic import conventional, quadratic
from neurons.training import cross_entropy, squared_error
from theory.claims import narrow_nets
from theory.claims.bearing import Task as BearingTask
from theory.claims.bearing import is_quadratic, trained, tuned
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.narrow_nets import Task, size
from theory.claims.statistics import below, greater, mean_effect, paired

FAULTS: Mapping[str, Mapping[str, str]] = {
    "spheres": {"shuffle_quadratic": "quadratic networks train on permuted labels"},
    "targets": {"shuffle_quadratic": "quadratic networks train on permuted targets"},
    "task_dependent": {"concentric": "the classes lie on concentric spheres"},
    "slim_qcnn": {
        "shuffle_quadratic": "the slim QCNN trains on permuted labels",
        "shuffle_conventional": "WDCNN trains on permuted labels",
    },
}
DIMENSIONS = (2, 10, 50)
THRESHOLD = 0.99
TRAINED, CLUSTERED, TESTED = 1600, 4000, 4000
QUADRATIC_WIDTHS = (1, 2, 4, 8, 16, 32)
THREEFOLD = tuple(3 * width for width in QUADRATIC_WIDTHS)  # as many parameters as the quadratic
CONVENTIONAL_WIDTHS = tuple(sorted({*QUADRATIC_WIDTHS, *THREEFOLD}))
KINDS: Mapping[str, tuple[Neuron, Sequence[int]]] = {
    "quadratic": (quadratic, QUADRATIC_WIDTHS),
    "conventional": (conventional, CONVENTIONAL_WIDTHS),
}


def concentric(dimension: int, examples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points on spheres of radius 1 and 0.7, with noise of 0.03 per coordinate; labels 0 and 1."""
    generator = np.random.default_rng([seed, dimension])
    u = generator.normal(size=(examples, dimension))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    labels = np.arange(examples) % 2
    x = u * np.where(labels, 0.7, 1.0)[:, None] + 0.03 * generator.normal(size=u.shape)
    return x.astype(np.float32), labels.astype(np.int32)


def clusters(
    examples: int, seed: int, *, dimension: int = 50, classes: int = 10, draw: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """One Gaussian cluster per class at the corners of a cube, each with its own covariance.

    The scheme of scikit-learn's `make_classification` with all features informative (class
    separation 1, 1 % of the labels drawn at random), after I. Guyon 2003.

    Args:
        examples: points.
        seed: of the problem: corners and covariances.
        dimension: features.
        classes: clusters.
        draw: of the points; training and test points share the problem.
    """
    problem = np.random.default_rng([seed, 0])
    corners = problem.choice([-1.0, 1.0], size=(classes, dimension))
    mixing = problem.uniform(-1, 1, size=(classes, dimension, dimension))
    generator = np.random.default_rng([seed, 1, draw])
    labels = np.arange(examples) % classes
    x = np.einsum("ni,nij->nj", generator.normal(size=(examples, dimension)), mixing[labels])
    flipped = generator.random(examples) < 0.01
    x = x + corners[labels]
    labels = np.where(flipped, generator.integers(0, classes, examples), labels)
    return x.astype(np.float32), labels.astype(np.int32)


def product(x: np.ndarray) -> np.ndarray:
    """`x_1 x_2`."""
    return x[:, 0] * x[:, 1]


def squared_radius(x: np.ndarray) -> np.ndarray:
    """`|x|^2`."""
    return np.square(x).sum(axis=1)


def curved_kink(x: np.ndarray) -> np.ndarray:
    """`relu(d / 3 - |x|^2)`: the kink halves the points of the cube [-1, 1]^d."""
    return np.maximum(x.shape[1] / 3 - squared_radius(x), 0)


TARGETS = {"product": product, "squared radius": squared_radius, "curved kink": curved_kink}


def spheres(lab: Lab) -> Finding:
    """Parameters that reach 99 % test accuracy on concentric spheres."""
    curves = {d: _curves(lab, _spheres(d)) for d in DIMENSIONS}
    needed = {d: {kind: _needed(d, kind, curves[d][kind]) for kind in KINDS} for d in DIMENSIONS}
    ratios = {
        f"{d} dimensions": np.log2(found["conventional"]) - np.log2(found["quadratic"])
        for d, found in needed.items()
    }
    comparison = mean_effect(_worst(ratios))
    rows = [
        Row.mean(f"{kind}, {d} dimensions: parameters for 99 %", needed[d][kind])
        for d in DIMENSIONS
        for kind in KINDS
    ]
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        "binary logarithm of the ratio of parameters, worst dimension",
        tuple(rows),
        (
            *(_control(f"Fewer parameters in {where}", found) for where, found in ratios.items()),
            _control("More accurate at equal neurons", _gaps(curves, QUADRATIC_WIDTHS), 0.01),
            _control("More accurate at equal parameters", _gaps(curves, THREEFOLD), 0.01),
        ),
        "A network that never reaches 99 % counts with twice its largest size: the ratio is a "
        "lower bound where it is the conventional one. One quadratic neuron is enough in theory; "
        "a lone one often dies at its ReLU.",
        {"curves": _listed(curves), "sizes": _sizes(DIMENSIONS, 2)},
    )


def targets(lab: Lab) -> Finding:
    """Error on a product, a squared radius and a curved kink in ten dimensions."""
    curves = {name: _curves(lab, _regression(name)) for name in TARGETS}
    at_parameters = {n: _log_ratio(curve, THREEFOLD) for n, curve in curves.items()}
    at_neurons = {n: _log_ratio(curve, QUADRATIC_WIDTHS) for n, curve in curves.items()}
    comparison = mean_effect(_worst(at_parameters))
    rows = [
        Row.mean(f"{name}: relative error, {kind}, {width} neurons", curves[name][kind][width])
        for name in TARGETS
        for kind, width in (("quadratic", QUADRATIC_WIDTHS[-1]), ("conventional", THREEFOLD[-1]))
    ]
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        "decades of error at equal parameters, worst target",
        tuple(rows),
        (
            _control("Twice as accurate at equal neurons", _worst(at_neurons), 0.3),
            *(
                _control(f"Twice as accurate at equal parameters: {name}", values, 0.3)
                for name, values in at_parameters.items()
            ),
        ),
        "Root mean square error over the target's standard deviation, averaged over widths by its "
        "logarithm.",
        {"curves": _listed(curves), "sizes": _sizes((10,), 1)},
    )


def task_dependent(lab: Lab) -> Finding:
    """Accuracy at equal parameters on clusters at the corners of a cube."""
    task = _classes("clusters", clusters(CLUSTERED, 0), clusters(TESTED, 0, draw=1), outputs=10)
    if lab.fault == "concentric":
        task = _spheres(50)
    curves = _curves(lab, task)
    differences = 100 * _gaps({0: curves}, THREEFOLD)
    comparison = mean_effect(differences)
    rows = [
        Row.mean(f"{kind}, {width} neurons: accuracy, %", 100 * np.asarray(curves[kind][width]))
        for width in (8, 32)
        for kind, width in (("quadratic", width), ("conventional", 3 * width))
    ]
    return Finding(
        below(comparison, 2.0),
        comparison,
        2.0,
        "points of accuracy at equal parameters",
        tuple(rows),
        (_control("More accurate at equal neurons", _gaps({0: curves}, QUADRATIC_WIDTHS), 0.02),),
        "Clusters of different covariance: the optimal boundary between two of them is a quadric.",
        {"curves": _listed({"clusters": curves}), "sizes": _sizes((50,), 10)},
        test="below",
    )


def slim_qcnn(lab: Lab) -> Finding:
    """The slim QCNN against WDCNN on bearing faults at -6 dB."""
    assert isinstance(lab.data, Records)
    f1 = {model: _bearing(lab, model) for model in ("slim QCNN", "WDCNN")}
    comparison = paired(f1["slim QCNN"], f1["WDCNN"])
    return Finding(
        greater(comparison, -1.0),
        comparison,
        -1.0,
        "F1 points",
        tuple(Row.mean(f"{model} macro-F1 at -6 dB, %", values) for model, values in f1.items()),
        note="16,262 parameters against 66,790. At least as good: no more than a point worse.",
        series={"f1": f1},
    )


def _bearing(lab: Lab, model: str) -> list[float]:
    settings = tuned(lab, model)
    mark = "shuffle_quadratic" if is_quadratic(model) else "shuffle_conventional"
    tasks = (
        BearingTask(model, -6.0, seed, settings, shuffled=lab.fault == mark)
        for seed in range(lab.budget.seeds)
    )
    return [trained(lab, task)["test"]["f1"] for task in tasks]


Curves = Mapping[str, Mapping[int, list[float]]]


def _curves(lab: Lab, task: Task) -> Curves:
    """Scores by kind, width and seed."""
    found = {}
    for kind, (neuron, widths) in KINDS.items():
        given = task
        if kind == "quadratic" and lab.fault == "shuffle_quadratic":
            order = np.random.default_rng(0).permutation(len(task.train[1]))
            given = task._replace(
                name=f"{task.name} shuffled", train=(task.train[0], task.train[1][order])
            )
        values = narrow_nets.scores(lab, given, neuron, widths)
        found[kind] = dict(zip(widths, values, strict=True))
    return found


def _classes(
    name: str,
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    outputs: int = 2,
) -> Task:
    def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
        return float((logits.argmax(axis=1) == labels).mean())

    return Task(name, train, test, outputs, cross_entropy, accuracy)


def _spheres(dimension: int) -> Task:
    train, test = concentric(dimension, TRAINED, 0), concentric(dimension, TESTED, 1)
    return _classes(f"spheres {dimension}", train, test)


def _regression(name: str, dimension: int = 10) -> Task:
    def examples(number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        x = np.random.default_rng([seed, dimension]).uniform(-1, 1, size=(number, dimension))
        y = TARGETS[name](x)
        return x.astype(np.float32), ((y - mean) / deviation).astype(np.float32)[:, None]

    sample = TARGETS[name](np.random.default_rng(2).uniform(-1, 1, size=(100_000, dimension)))
    mean, deviation = sample.mean(), sample.std()
    return Task(
        name, examples(TRAINED, 0), examples(TESTED, 1), 1, squared_error, _relative_error, -1
    )


def _relative_error(outputs: np.ndarray, targets: np.ndarray) -> float:
    """Root mean square error; targets have unit variance. A net that diverged knows nothing."""
    return float(np.nan_to_num(np.sqrt(np.mean(np.square(outputs - targets))), nan=1e3))


def _needed(dimension: int, kind: str, curve: Mapping[int, Sequence[float]]) -> list[float]:
    """Parameters of the narrowest network that reaches the threshold, for every seed."""
    neuron, widths = KINDS[kind]
    found = []
    for seed in range(len(curve[widths[0]])):
        reached = [width for width in widths if curve[width][seed] >= THRESHOLD]
        largest = 2 * size(neuron, dimension, widths[-1], 2)
        found.append(float(size(neuron, dimension, reached[0], 2) if reached else largest))
    return found


def _gaps(curves: Mapping[Any, Curves], widths: Sequence[int]) -> np.ndarray:
    """Quadratic minus conventional score by seed, averaged over tasks and widths."""
    gaps = [
        np.subtract(one["quadratic"][ours], one["conventional"][theirs])
        for one in curves.values()
        for ours, theirs in zip(QUADRATIC_WIDTHS, widths, strict=True)
    ]
    return np.mean(gaps, axis=0)


def _log_ratio(curves: Curves, widths: Sequence[int]) -> np.ndarray:
    """Decades by which the quadratic error is smaller, by seed, averaged over widths above 1."""
    ratios = [
        np.log10(curves["conventional"][theirs]) - np.log10(curves["quadratic"][ours])
        for ours, theirs in zip(QUADRATIC_WIDTHS, widths, strict=True)
        if ours > 1
    ]
    return np.mean(ratios, axis=0)


def _worst(values: Mapping[str, np.ndarray]) -> np.ndarray:
    """The smallest value over targets, by seed."""
    return np.min(list(values.values()), axis=0)


def _control(question: str, gaps: np.ndarray, margin: float = 0.0) -> Control:
    return Control.above(question, mean_effect(gaps), margin)


def _sizes(dimensions: Sequence[int], outputs: int) -> dict[str, dict[str, list[int]]]:
    """Parameters by dimension and kind, in the order of the widths."""
    return {
        str(d): {k: [size(neuron, d, w, outputs) for w in ws] for k, (neuron, ws) in KINDS.items()}
        for d in dimensions
    }


def _listed(curves: Mapping[Any, Curves]) -> dict[str, dict[str, list[list[float]]]]:
    """JSON types: by task and kind, `[width][seed]`."""
    return {
        str(name): {kind: list(by_width.values()) for kind, by_width in one.items()}
        for name, one in curves.items()
    }
