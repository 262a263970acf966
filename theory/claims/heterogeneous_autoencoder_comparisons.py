"""Detectors against each other over tables and seeds.

What a claim says of methods is judged over tables: the unit of replication is a table, whose value
is the mean over its seeds, since seeds of one table share its rows. What a claim says of one table
is judged over seeds. The comparison over seeds of the mean over tables stands beside the first as a
control: it says what holds on these very tables.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np

from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.heterogeneous_autoencoder_study import RATIO, Kind, outcome
from theory.claims.outlier_scores import Average, detection
from theory.claims.ranks import alike, average_ranks, critical_difference, friedman
from theory.claims.statistics import Comparison, Status, greater, mean_effect

Method = Kind | str
Replicate = Literal["tables", "seeds"]
Published = Callable[[str, str], float | None]  # of a method's and a set's name

HETEROGENEOUS = (Kind("HAE-X"), Kind("HAE-Y"), Kind("HAE-I"))
AE, QAE = Kind("AE"), Kind("QAE")


def sets(lab: Lab, wanted: Sequence[str]) -> tuple[str, ...]:
    """The wanted tables that are at hand; all of them where none is, as in a simulation."""
    return tuple(name for name in wanted if name in lab.data.names) or tuple(lab.data.names)


def family(method: Method) -> str:
    """What a planted fault may hit at once."""
    if isinstance(method, str):
        return "baselines"
    for mark in ("corrected", "best"):
        if getattr(method, mark):
            return mark
    if method.depth == "wide" or method.form != "standard":
        return "wide" if method.depth == "wide" else "forms"
    plain = method._replace(depth="V1", ratio=RATIO)
    return "heterogeneous" if plain in HETEROGENEOUS else "homogeneous"


def negation(hit: str, words: str) -> dict[str, str]:
    """A planted fault: the scores of one family of methods change their sign."""
    return {f"negated_{hit}": f"the anomaly scores of {words} are taken with the opposite sign"}


def _negated(lab: Lab, method: Method) -> bool:
    return lab.fault == f"negated_{family(method)}"


def auc(lab: Lab, method: Method, name: str, *, seeds: int | None = None) -> np.ndarray:
    """AUC of a method on a table, `(seeds,)`."""
    found = np.array(outcome(lab, method, name, seeds=seeds)["auc"])
    return 1 - found if _negated(lab, method) else found


def flagged(lab: Lab, method: Method, name: str, average: Average) -> np.ndarray:
    """Precision, recall and F1 of a method on a table, `(seeds, 3)`."""
    counts = outcome(lab, method, name)["counts"]
    if _negated(lab, method):
        counts = [[misses, quiet, hits, alarms] for hits, alarms, misses, quiet in counts]
    return np.array([_detection(tuple(of_seed), average) for of_seed in counts])


@lru_cache(maxsize=8192)
def _detection(counts: tuple[int, ...], average: Average) -> tuple[float, ...]:
    """From hits, false alarms, misses and quiet rows."""
    labels = np.repeat([True, False, True, False], counts)
    return tuple(detection(labels, np.repeat([True, True, False, False], counts), average))


class Contrast(NamedTuple):
    """One method minus another.

    Args:
        label: "A - B".
        tables: mean difference, its interval over tables.
        seeds: the same, its interval over seeds: what holds on these very tables.
        by_table: difference of every table and seed, `(tables, seeds)`.
    """

    label: str
    tables: Comparison
    seeds: Comparison
    by_table: np.ndarray


def contrast(
    lab: Lab,
    better: Method,
    worse: Method,
    names: Sequence[str],
    measure: Callable[[Lab, Method, str], np.ndarray] = auc,
) -> Contrast:
    """Two methods compared on the same splits of the same tables."""
    pairs = [measure(lab, better, name) - measure(lab, worse, name) for name in names]
    found = np.array(pairs)
    return Contrast(
        f"{better} - {worse}",
        mean_effect(found.mean(axis=1)),
        mean_effect(found.mean(axis=0)),
        found,
    )


def all_of(statuses: Sequence[Status]) -> Status:
    """Supported if all are, refuted if any is."""
    if "refuted" in statuses:
        return "refuted"
    return "supported" if set(statuses) == {"supported"} else "undecided"


def ordered(
    contrasts: Sequence[Contrast],
    rows: Sequence[Row],
    series: Mapping[str, Any],
    *,
    unit: str = "AUC",
    note: str = "",
    over: Replicate = "tables",
) -> Finding:
    """The finding of a claim that every contrast is above zero; its effect is the smallest.

    Args:
        contrasts: all that must be above zero.
        rows: for the report.
        series: for the figures.
        unit: of what is compared.
        note: for the report, besides what is replicated.
        over: the unit of replication of the verdict; the control has the other one.
    """
    worst = min(contrasts, key=lambda one: one.tables.effect)
    more = f", the smallest of {len(contrasts)} differences" if len(contrasts) > 1 else ""
    return Finding(
        _above(contrasts, over),
        getattr(worst, over),
        0.0,
        f"{unit}, {worst.label}{more}",
        tuple(rows),
        (over_seeds(contrasts) if over == "tables" else over_tables(contrasts),),
        f"The unit of replication is the {'set' if over == 'tables' else 'seed'}. {note}".strip(),
        series,
    )


def _above(contrasts: Sequence[Contrast], over: Replicate) -> Status:
    return all_of([greater(getattr(one, over)) for one in contrasts])


def over_seeds(contrasts: Sequence[Contrast]) -> Control:
    """Whether the order holds on the very sets at hand."""
    return _control(contrasts, "seeds", "Over seeds, which tells of these very sets")


def over_tables(contrasts: Sequence[Contrast]) -> Control:
    """Whether the order would hold on other sets like these."""
    return _control(contrasts, "tables", "Over sets, which tells of other sets like these")


def _control(contrasts: Sequence[Contrast], over: Replicate, words: str) -> Control:
    worst = min(contrasts, key=lambda one: getattr(one, over).effect)
    found = getattr(worst, over)
    question = f"{words}, every difference is above 0; the smallest is {worst.label}"
    return Control(question, _above(contrasts, over), found.effect, found.interval)


def contrast_rows(
    contrasts: Sequence[Contrast], published: Mapping[str, float] | None = None, unit: str = "AUC"
) -> list[Row]:
    """Every contrast with its interval over tables."""
    printed = published or {}
    return [
        Row(
            f"{one.label}: {unit}, mean of {len(one.by_table)} sets (interval over sets)",
            one.tables.effect,
            one.tables.interval,
            printed.get(one.label),
        )
        for one in contrasts
    ]


def cells(
    lab: Lab, methods: Sequence[Method], names: Sequence[str], published: Published
) -> list[Row]:
    """AUC of every method on every table with its interval over seeds, then the means."""
    rows = []
    for name in names:
        for method in methods:
            label = f"{name}, {method}: AUC"
            rows.append(Row.mean(label, auc(lab, method, name), published(str(method), name)))
    for method in methods:
        printed = [published(str(method), name) for name in names]
        known = [value for value in printed if value is not None]
        mean = float(np.mean(known)) if len(known) == len(names) else None
        values = np.mean([auc(lab, method, name) for name in names], axis=0)
        label = f"mean of {len(names)} sets, {method}: AUC (published: mean of the printed cells)"
        rows.append(Row.mean(label, values, mean))
    return rows


def heat_map(
    lab: Lab, methods: Sequence[Method], names: Sequence[str], published: Published
) -> dict[str, Any]:
    """The series "auc": means and standard deviations by set and method."""
    found = [[auc(lab, method, name) for method in methods] for name in names]
    return {
        "sets": list(names),
        "methods": [str(method) for method in methods],
        "ours": [[float(one.mean()) for one in row] for row in found],
        "sd": [[float(one.std(ddof=1)) for one in row] for row in found],
        "published": [[published(str(method), name) for method in methods] for name in names],
        "seeds": len(found[0][0]),
    }


def rank_series(shown: Mapping[str, Any]) -> dict[str, Any]:
    """The series "ranks" of a heat map: average ranks, Friedman's p, Nemenyi's difference."""
    values = np.array(shown["ours"])
    ranks = average_ranks(values)
    difference = _difference(values.shape[1], values.shape[0])
    p = friedman(values).p if len(values) > 1 else 1.0
    return {
        "methods": shown["methods"],
        "mean": ranks.tolist(),
        "difference": difference,
        "alike": [list(group) for group in alike(ranks, difference)],
        "p": p,
        "sets": len(values),
        "level": 0.05,
    }


_difference = lru_cache(critical_difference)  # a quantile that takes seconds


def printed_contrasts(
    contrasts: Sequence[Contrast], names: Sequence[str], published: Published
) -> dict[str, float]:
    """The contrasts of the printed cells' means, where the paper has all of them."""
    found = {}
    for one in contrasts:
        better, worse = one.label.split(" - ")
        pairs = [(published(better, name), published(worse, name)) for name in names]
        gaps = [a - b for a, b in pairs if a is not None and b is not None]
        if len(gaps) == len(names):
            found[one.label] = float(np.mean(gaps))
    return found
