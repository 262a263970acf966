"""Networks of task-based, random-power and conventional neurons on tables; trees beside them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from theory.claims.claim import Lab
from theory.claims.exact import numpy_generator
from theory.claims.power_nets import Net, Split, conventional, trained_errors
from theory.claims.power_searches import (
    HIGHEST,
    MOST,
    Powers,
    exact_search,
    genetic,
    library_search,
    supports,
)

WIDTHS = (6, 3)
ROWS = 2000  # of a table at most, times the budget's data
BALANCED = ("phoneme", "magic")  # whose classes the paper's row counts show to be balanced
GENERATIONS = 80

Errors = Mapping[str, list[float]]  # by table, one per seed

# Table 6 of arXiv 2405.02369: (linear, task-based) for its five structures; MSE or accuracy.
PUBLISHED: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "california": (
        (0.0760, 0.0844, 0.0988, 0.0861, 0.1013),
        (0.0702, 0.0685, 0.0667, 0.0670, 0.0540),
    ),
    "airfoil": ((0.0428, 0.0329, 0.0669, 0.0250, 0.0327), (0.0402, 0.0270, 0.0287, 0.0233, 0.0134)),
    "wine_quality": (
        (0.0636, 0.0619, 0.0634, 0.0613, 0.0604),
        (0.0625, 0.0602, 0.0592, 0.0592, 0.0597),
    ),
    "abalone": ((0.0253, 0.0289, 0.0296, 0.0282, 0.0300), (0.0250, 0.0250, 0.0269, 0.0258, 0.0268)),
    "phoneme": ((0.8170, 0.8020, 0.7790, 0.8470, 0.8120), (0.8420, 0.8510, 0.8560, 0.8550, 0.8540)),
    "magic": ((0.8452, 0.8430, 0.8456, 0.8462, 0.8433), (0.8531, 0.8557, 0.8580, 0.8573, 0.8580)),
    "vehicle": ((0.8090, 0.8090, 0.7980, 0.8100, 0.8090), (0.8180, 0.8240, 0.8150, 0.8110, 0.8140)),
}


def repetitions(lab: Lab) -> int:
    """Splits of a table: ten at the budgets laptop and paper."""
    return 2 * lab.budget.seeds


def split(lab: Lab, table: Any, seed: int) -> Split:
    """Rows drawn anew, scaled to [-1, 1] by their least and greatest values, split 80 to 20.

    As in the paper, all rows of the sample are scaled before they are split.
    """
    place = [other.name for other in lab.data.tables].index(table.name)
    chance = numpy_generator(lab, seed, place)
    rows = _drawn(table, min(len(table.x), max(50, round(lab.budget.data * ROWS))), chance)
    x = _scaled(table.x[rows])
    y = table.y[rows] if table.classes else _scaled(table.y[rows])
    return Split(x, np.asarray(y, np.float64), np.arange(round(0.8 * len(rows))), table.classes)


def _drawn(table: Any, count: int, chance: np.random.Generator) -> np.ndarray:
    rows = chance.permutation(len(table.x))
    if table.name not in BALANCED:
        return rows[:count]
    each = min(count // 2, int(np.bincount(table.y).min()))
    halves = [rows[table.y[rows] == label][:each] for label in (0, 1)]
    return chance.permutation(np.concatenate(halves))


def _scaled(values: np.ndarray) -> np.ndarray:
    low, reach = values.min(axis=0), np.ptp(values, axis=0)
    return 2 * (values - low) / np.where(reach == 0, 1, reach) - 1


def splits(lab: Lab) -> dict[str, list[Split]]:
    """All splits by table."""
    return {
        table.name: [split(lab, table, seed) for seed in range(repetitions(lab))]
        for table in lab.data.tables
    }


def structures(lab: Lab, method: str) -> dict[str, list[Powers]]:
    """Powers found on the training rows of every split, by table, recalled or searched.

    Args:
        lab: budget, data, memory.
        method: "search" for `neurons.search`, "exact", "genetic", or "random" for powers without
            a search.
    """
    found: dict[str, list[list[int]]] = lab.recall(
        f"structures/{method}",
        lambda: {
            name: [list(_structure(lab, method, one, seed)) for seed, one in enumerate(parts)]
            for name, parts in splits(lab).items()
        },
    )
    return {name: [tuple(powers) for powers in sets] for name, sets in found.items()}


def _structure(lab: Lab, method: str, one: Split, seed: int) -> Powers:
    x, y = one.x[one.train], one.y[one.train]
    if method == "search":
        return library_search(x, y, seed)
    if method == "exact":
        return exact_search(x, y)
    if method == "random":
        choice = supports(HIGHEST, MOST)[1:]
        return choice[numpy_generator(lab, 7000 + seed, len(x)).integers(len(choice))]
    return genetic(max(1, round(lab.budget.effort * GENERATIONS)), mended=True)(x, y, seed)


def networks(lab: Lab, kind: str) -> dict[str, list[Net]]:
    """The networks of one kind, on every split of every table.

    Args:
        lab: budget, data, memory.
        kind: "task" with the powers found on the training rows; "random" with as many other
            powers; "linear" conventional, with more parameters than "task".
    """
    found = structures(lab, "search")
    made = {}
    for place, (name, parts) in enumerate(splits(lab).items()):
        task = [Net(one, powers, WIDTHS) for one, powers in zip(parts, found[name], strict=True)]
        if kind == "linear":
            task = [conventional(net.split, net.parameters) for net in task]
        if kind == "random":
            task = [
                net._replace(powers=_others(net.powers, numpy_generator(lab, seed, 900 + place)))
                for seed, net in enumerate(task)
            ]
        made[name] = task
    return made


def _others(powers: Powers, chance: np.random.Generator) -> Powers:
    """As many powers, but not the same ones."""
    choice = [s for s in supports(HIGHEST, MOST) if len(s) == len(powers) and s != powers]
    return choice[chance.integers(len(choice))]


def errors(lab: Lab, kind: str) -> Errors:
    """Test errors of one kind by table and seed, recalled or trained.

    Args:
        lab: the fault `shuffle_<kind>` permutes that kind's training targets.
        kind: "task", "random", "linear" or "trees".
    """
    shuffled = lab.fault == f"shuffle_{kind}"
    name = f"errors/{kind}{'/shuffled' if shuffled else ''}"
    measure = _tree_errors if kind == "trees" else _network_errors
    found: Errors = lab.recall(name, lambda: measure(lab, kind, shuffled))
    return found


def _network_errors(lab: Lab, kind: str, shuffled: bool) -> Errors:
    made = networks(lab, kind)
    nets = [net for of_table in made.values() for net in of_table]
    if shuffled:
        nets = [net._replace(split=_shuffled(net.split)) for net in nets]
    found = np.reshape(trained_errors(nets, lab.key, lab.budget.effort), (len(made), -1))
    return {name: values.tolist() for name, values in zip(made, found, strict=True)}


def _shuffled(one: Split) -> Split:
    y = one.y.copy()
    y[one.train] = np.random.default_rng(0).permutation(y[one.train])
    return one._replace(y=y)


def _tree_errors(lab: Lab, kind: str, shuffled: bool) -> Errors:
    """Of scikit-learn's boosted trees with its defaults, on the first half of the splits."""
    del kind
    half = {name: parts[: lab.budget.seeds] for name, parts in splits(lab).items()}
    return {
        name: [_tree_error(_shuffled(one) if shuffled else one) for one in parts]
        for name, parts in half.items()
    }


def _tree_error(one: Split) -> float:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if one.classes else HistGradientBoostingRegressor
    test = np.setdiff1d(np.arange(len(one.x)), one.train)
    model = kind(random_state=0).fit(one.x[one.train], one.y[one.train])
    found = model.predict(one.x[test])
    if one.classes:
        return float(max(np.sum(found != one.y[test]), 0.5) / len(test))
    return float(np.mean((found - one.y[test]) ** 2))


def reductions(better: Errors, worse: Errors) -> dict[str, list[float]]:
    """100 log(error of `worse` / error of `better`) by table and seed: about per cent."""
    return {
        name: [100 * float(np.log(w / b)) for w, b in zip(worse[name], better[name], strict=False)]
        for name in better
    }


def published_gain(name: str) -> float | None:
    """What table 6 says in the unit of :func:`reductions`, from the mean of its five columns."""
    if name not in PUBLISHED:
        return None
    linear, task = (float(np.mean(columns)) for columns in PUBLISHED[name])
    if linear > 0.5:  # accuracies
        linear, task = 1 - linear, 1 - task
    return 100 * float(np.log(linear / task))


def by_seed(found: Mapping[str, Sequence[float]]) -> list[float]:
    """The mean over tables, for every seed."""
    return np.mean(list(found.values()), axis=0).tolist()
